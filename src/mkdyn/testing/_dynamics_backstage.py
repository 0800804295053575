"""What stands behind a fake Dynamics' connector, for the server that shows it on the wire."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Generator, Mapping
from contextlib import contextmanager
from typing import Literal, Protocol

import attrs

from mkdyn.domain.fields import FieldSpec
from mkdyn.domain.outcomes import Outcome, Write
from mkdyn.domain.values import FieldValue
from mkdyn.ports.connectors import Identity
from mkdyn.testing._calls import Calls
from mkdyn.testing._delta import DeltaLog
from mkdyn.testing._tables import Row, Table


class Attempt(Protocol):
    """Carries out one write as the connector means it."""

    def __call__(self, table: Table, write: Write, /) -> Outcome: ...


class Change(Protocol):
    """Stores values that the server itself decides on."""

    def __call__(self, table: Table, row: Row, values: dict[str, FieldValue], /) -> None: ...


class Undoing:
    """Takes back what is stored while a transaction is open, if it comes to nothing."""

    def __init__(self, logs: Mapping[str, DeltaLog], bin: dict[tuple[str, str], Row]) -> None:
        self._logs = logs
        self._bin = bin
        self._open = False
        self._steps: list[Callable[[], None]] = []
        self._touched: set[str] = set()

    @contextmanager
    def transaction(self) -> Generator[None]:
        """Keep all that is stored in it, or nothing if it ends in an error; one inside another is part of it."""
        if self._open:
            yield
            return
        self._open = True
        try:
            yield
        except BaseException:
            for step in reversed(self._steps):
                step()
            for name in self._touched:
                self._logs[name].rebuild()
            raise
        finally:
            self._open = False
            self._steps.clear()
            self._touched.clear()

    def inserted(self, table: Table, row: Row) -> None:
        """Note a new row."""
        self._note(table, lambda: _forget(table.remove(row.key)))

    def changing(self, table: Table, row: Row, values: Collection[str]) -> None:
        """Note what a row holds before these columns of it change."""
        before: dict[str, FieldValue] = {name: row.values.get(name) for name in values}
        version = row.version

        def back() -> None:
            table.change(row, before)
            row.version = version

        self._note(table, back)

    def removed(self, table: Table, row: Row) -> None:
        """Note a row that is gone."""

        def back() -> None:
            table.insert(row)
            del self._bin[table.name, row.key]
            self._logs[table.name].took_back(row.key)

        self._note(table, back)

    def _note(self, table: Table, step: Callable[[], None]) -> None:
        if self._open:
            self._steps.append(step)
            self._touched.add(table.name)


def _forget(_row: Row) -> None:
    """Leave a row that was taken out to nobody."""


@attrs.frozen(kw_only=True)
class Backstage:
    """One organisation's insides, as they are now and while they change.

    Attributes:
        identity: Which organisation this is, and who its connector is.
        tables: Its tables.
        logs: What was written and deleted, by table.
        secured: Columns that someone has secured, as they were before, by table and name.
        hidden: Tables that the connector's user may not read.
        calls: The calls, their faults, and the organisation's clock.
        writes_by_object: How many records were written through the API.
        secured_shows: What a read shows of a column that the user may not see.
        version: The newest row version.
        epoch: How often every delta token there was has expired.
        attempt: Carries out a write.
        change: Stores what the server itself decides on.
        undoing: Makes several writes one.
        add_column: Publishes a column of a table.
        drop_column: Deletes one, with everything in it.
    """

    identity: Identity
    tables: Mapping[str, Table]
    logs: Mapping[str, DeltaLog]
    secured: Mapping[tuple[str, str], FieldSpec]
    hidden: Collection[str]
    calls: Calls
    writes_by_object: Counter[str]
    secured_shows: Literal["nothing", "null"]
    version: Callable[[], int]
    epoch: Callable[[], int]
    attempt: Attempt
    change: Change
    undoing: Undoing
    add_column: Callable[[str, FieldSpec], None]
    drop_column: Callable[[str, str], None]
