"""What has changed in a Dynamics table since a row version."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final

import attrs

from mkdyn.domain.feeds import Cursor, Page
from mkdyn.domain.records import Record
from mkdyn.errors import CursorExpiredError
from mkdyn.testing._tables import Row, Table

_SLACK: Final = 1000


class DeltaLog:
    """Which rows were written, and which deleted, in the order of their versions."""

    def __init__(self, rows: Mapping[str, Row]) -> None:
        self._rows = rows
        self._versions: list[int] = []
        self._keys: list[str] = []
        self._gone: list[tuple[int, str]] = []

    def written(self, row: Row) -> None:
        """Note that a row has a new version."""
        self._versions.append(row.version)
        self._keys.append(row.key)
        if len(self._keys) > 2 * len(self._rows) + _SLACK:
            self.rebuild()

    def deleted(self, version: int, key: str) -> None:
        """Note that a row is gone."""
        self._gone.append((version, key))

    def written_since(self, version: int, most: int) -> list[str]:
        """Return the keys of the first rows written since, at most so many."""
        start = bisect_right(self._versions, version)
        found: list[str] = []
        for place in range(start, len(self._keys)):
            row = self._rows.get(self._keys[place])
            if row is not None and row.version == self._versions[place]:
                found.append(row.key)
                if len(found) == most:
                    break
        return found

    def deleted_since(self, version: int) -> list[tuple[int, str]]:
        """Return what was deleted since and is not there now, each once, with the version of its last deletion."""
        first = bisect_right(self._gone, version, key=lambda item: item[0])
        latest = {key: at for at, key in self._gone[first:] if key not in self._rows}
        return sorted((at, key) for key, at in latest.items())

    def since(self, version: int) -> tuple[list[str], list[str]]:
        """Return the keys of the rows written since, and of those deleted, each once."""
        start = bisect_right(self._versions, version)
        written = [
            key
            for place, key in enumerate(self._keys[start:], start=start)
            if (row := self._rows.get(key)) is not None and row.version == self._versions[place]
        ]
        first = bisect_right(self._gone, version, key=lambda item: item[0])
        gone = dict.fromkeys(key for _, key in self._gone[first:] if key not in self._rows)
        return written, list(gone)

    def took_back(self, key: str) -> None:
        """Forget the latest deletion of a row: it never was."""
        place = max(place for place, (_, gone) in enumerate(self._gone) if gone == key)
        del self._gone[place]

    def rebuild(self) -> None:
        """Note which version each row has now, and nothing that was before."""
        rows = sorted(self._rows.values(), key=lambda row: row.version)
        self._versions = [row.version for row in rows]
        self._keys = [row.key for row in rows]


@attrs.frozen
class Token:
    """A delta token: a place in one table's feed, for one set of columns.

    Attributes:
        epoch: Which tokens are still good.
        object: The table.
        version: The place.
        fields: The columns.
    """

    epoch: int
    object: str
    version: int
    fields: frozenset[str]

    def cursor(self, at: datetime) -> Cursor:
        """Return it as a cursor."""
        return Cursor(token=f"{self.epoch}!{self.object}!{self.version}!{','.join(sorted(self.fields))}", at=at)

    def version_of(self, cursor: Cursor) -> int:
        """Return the version at which *cursor* stands, if it is of this token's feed and still good.

        Raises:
            CursorExpiredError: It can't: the cursor is too old, or another table's, or of other columns.
        """
        match cursor.token.split("!"):
            case [epoch, object, version, fields] if (
                epoch == str(self.epoch)
                and object == self.object
                and version.isdecimal()
                and frozenset(fields.split(",")) == (self.fields or {""})
            ):
                return int(version)
            case _:
                raise CursorExpiredError(
                    "Version stamp associated with the client has expired.", what_to_do="Read the table in full."
                )


@attrs.define
class Reading:
    """A table being read, page by page, as it was when that began; values are those of the moment.

    Attributes:
        done: Whether the last page was taken.
    """

    table: Table
    written: Sequence[str]
    gone: Sequence[str]
    size: int
    cursor: Cursor
    show: Callable[[Row], Record]
    done: bool = False
    _place: int = 0

    def next_page(self) -> Page:
        """Return the next page: rows first, then deletions; only the last has a cursor."""
        start, self._place = self._place, self._place + self.size
        rows = self.table.rows
        records = [self.show(rows[key]) for key in self.written[start : self._place] if key in rows]
        left = len(self.written)
        gone = [key for key in self.gone[max(start - left, 0) : max(self._place - left, 0)] if key not in rows]
        self.done = self._place >= left + len(self.gone)
        return Page(records=records, deleted=gone, cursor=self.cursor if self.done else None)
