"""A table's feed: every row at first, then what changed and what was deleted, page by page."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Sequence
from datetime import datetime
from functools import partial

from mkdyn.adapters.dynamics import requests
from mkdyn.adapters.dynamics.batch import Part
from mkdyn.adapters.dynamics.links import Place, resumed, target_of, time_in
from mkdyn.adapters.dynamics.polling import Polling, Since, polled_cursor, polled_page, polled_since, sweep_if_due
from mkdyn.adapters.dynamics.reading import Reader
from mkdyn.adapters.dynamics.refusals import TRACK
from mkdyn.adapters.dynamics.responses import Rows, unreadable
from mkdyn.adapters.dynamics.table import Table
from mkdyn.adapters.http.abreast import both
from mkdyn.domain.feeds import Cursor, Page
from mkdyn.errors import CheckError, MkdynError


class Feed:
    """One reading of a table's changes.

    Args:
        reader: Asks for pages, and makes records of rows.
        table: The table.
        fields: Its columns that are wanted.
        since: Where to go on; None for every row there is.
        origin: Scheme and host of the organisation.
        page_size: The most rows and deletions in a page.
        polling: How it is read, where its changes are not tracked.
    """

    def __init__(
        self,
        reader: Reader,
        table: Table,
        fields: Collection[str],
        since: Cursor | None,
        *,
        origin: str,
        page_size: int,
        polling: Polling | None = None,
    ) -> None:
        self._reader = reader
        self._table = table
        self._fields = fields
        self._columns = [table.columns[name] for name in dict.fromkeys(fields)]
        self._since = since
        self._origin = origin
        self._page_size = page_size
        self._polling = polling
        self._began: datetime | None = None
        self._told: set[str] = set()
        self._seen: set[str] = set()

    async def pages(self) -> AsyncGenerator[Page]:
        """Yield the pages; while one is made of rows, the next is asked for already."""
        part = self._first()
        rows = await self._asked(part)
        if self._polling is not None:
            sweep_if_due(self._polling, self._table, self._polled, self._began)
        while True:
            page, following = await both(partial(self._made, rows), partial(self._following, rows, part))
            yield page
            if following is None:
                return
            if isinstance(following, MkdynError):  # the page before it could be read
                raise following
            part, rows = following

    def _first(self) -> Part:
        if self._polling is not None:
            return polled_page(self._table, self._columns, self._polled, size=self._page_size)
        part = requests.first_page(self._table, self._columns, size=self._page_size)
        if self._since is None:
            return part
        return requests.following(resumed(self._since, self._table.name, self._fields), part.headers)

    @property
    def _polled(self) -> Since | None:
        return None if self._since is None else polled_since(self._since, self._table, self._fields)

    async def _asked(self, part: Part) -> Rows:
        rows, at = await self._reader.page(self._table, part)
        self._began = self._began or at
        return rows

    async def _following(self, rows: Rows, part: Part) -> tuple[Part, Rows] | MkdynError | None:
        """Ask for the next page, if there is one."""
        if rows.following is None:
            return None
        try:
            part = self._reader.next(rows.following, part, self._seen)
            return part, await self._asked(part)
        except MkdynError as error:
            return error

    async def _made(self, rows: Rows) -> Page:
        records = await self._reader.records(self._table, self._columns, rows.rows)
        if self._since is not None:  # a full read tells no deletions, and its keys are too many to be kept
            self._told |= {record.key for record in records}
        return Page(
            records=records,
            deleted=await self._gone(rows.deleted),
            cursor=None if rows.following is not None else self._cursor(rows),
        )

    async def _gone(self, deleted: Sequence[str]) -> Sequence[str]:
        """Return the deletions that are the last word: Dynamics tells them after all rows, also of one made again."""
        doubtful = [key for key in deleted if key in self._told]
        if not doubtful:
            return deleted
        there = await self._reader.by_keys(self._table.name, doubtful, ())
        return [key for key in deleted if key not in there]

    def _cursor(self, rows: Rows) -> Cursor:
        """Return where the feed goes on after its last page.

        Raises:
            CheckError: Dynamics gives no such place.
        """
        if self._polling is not None and self._began is not None:
            return polled_cursor(self._polling, self._table, self._fields, self._polled, self._began)
        if rows.later is None:
            raise CheckError((f"Dynamics {self._table.name}: the table's changes are not tracked. {TRACK}",))
        target = target_of(rows.later, self._origin)
        at = self._began or time_in(target) or (None if self._since is None else self._since.at)
        if at is None:
            raise unreadable("it does not say when it was given")
        return Place.of(self._table.name, self._fields, target).cursor(at)
