"""What people do in a Dynamics organisation, and how its rows are kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime
from uuid import NAMESPACE_URL, uuid5

import attrs

from mkdyn.domain.fields import FieldSpec
from mkdyn.domain.values import FieldValue
from mkdyn.ports.connectors import Identity
from mkdyn.testing._checks import is_guid
from mkdyn.testing._delta import DeltaLog
from mkdyn.testing._dynamics_backstage import Undoing
from mkdyn.testing._dynamics_rules import Rules
from mkdyn.testing._schemas_dynamics import STANDARD_TABLES, system_columns
from mkdyn.testing._system import FakeSystem
from mkdyn.testing._tables import Row, Table, known
from mkdyn.testing.faults import Fault


class DynamicsHands(FakeSystem):
    """A Dynamics organisation as the people see it who work there; `FakeDynamics` is the whole."""

    def __init__(self, identity: Identity, *, faults: Iterable[Fault], now: Callable[[], datetime] | None) -> None:
        super().__init__("Dynamics", identity, tables=(), faults=faults, now=now)
        self._secured: dict[tuple[str, str], FieldSpec] = {}
        self._hidden_tables: set[str] = set()
        self._logs: dict[str, DeltaLog] = {}
        self._bin: dict[tuple[str, str], Row] = {}
        self._rules = Rules(self._tables, self._secured)
        self._undoing = Undoing(self._logs, self._bin)
        self._version = 0
        self._made: Counter[str] = Counter()
        self._epoch = 0
        for name, columns in STANDARD_TABLES.items():
            self.add_table(name, columns)

    # People's hands: records

    def create(self, object: str, /, **values: FieldValue) -> str:
        """Someone adds a record; its GUID, which is the same in every run of a test.

        Raises:
            LookupError: There is no such table or column.
            ValueError: A value does not fit, or a required one is missing.
        """
        table = known(self._tables, object)
        chosen = values.pop(table.key_field, None)
        entered = self._rules.entered(table, values)
        missing = self._rules.missing(table, entered)
        if missing is not None:
            raise ValueError(f"a {object} needs {missing}")
        key = self._guid(object) if chosen is None else str(chosen).lower()
        if not is_guid(key) or key in table.rows:
            raise ValueError(f"a new {object} needs a GUID of its own")
        self._insert(table, key, entered, self._calls.clock.tick())
        return key

    def edit(self, object: str, key: str, /, **values: FieldValue) -> None:
        """Someone changes a record, columns that the sync user may not write included.

        Raises:
            LookupError: There is no such record, table or column.
            ValueError: A value does not fit, or is the key.
        """
        table = known(self._tables, object)
        row = table.row_of(key.lower())
        if table.key_field in values:
            raise ValueError(f"{object}.{table.key_field} is the key; it never changes")
        self._change(table, row, self._rules.entered(table, values), self._calls.clock.tick())

    def delete(self, object: str, key: str, /) -> None:
        """Someone deletes a record.

        Raises:
            LookupError: There is none.
        """
        table = known(self._tables, object)
        self._calls.clock.tick()
        self._remove(table, table.row_of(key.lower()).key)

    def restore(self, object: str, key: str, /) -> None:
        """Someone takes a deleted record out of the recycle bin, as it was.

        Raises:
            LookupError: It is not in there.
        """
        table = known(self._tables, object)
        row = self._bin.pop((object, key.lower()), None)
        if row is None:
            raise LookupError(f"no {object} {key} was deleted")
        self._calls.clock.tick()
        table.insert(row)
        self._move(table, row)

    # People's hands: tables, columns and rights

    def add_table(self, name: str, columns: Iterable[FieldSpec], /) -> None:
        """Someone publishes a table; the columns that every table has come with it."""
        given = tuple(columns)
        names = {column.name for column in given}
        served = tuple(column for column in system_columns(name) if column.name not in names)
        table = Table(name, f"{name}id", (), empty_boolean=None)
        self._tables[name] = table
        self._logs[name] = DeltaLog(table.rows)
        for column in (*served, *given):
            self.add_column(name, column)

    def add_column(self, object: str, column: FieldSpec, /) -> None:
        """Someone publishes a column, or changes one; it has a lasting id, and every right.

        Raises:
            LookupError: There is no such table.
        """
        table = known(self._tables, object)
        there = table.specs.get(column.name)
        lasting = column.id or (there.id if there else None) or self._guid(f"{object}.{column.name}")
        table.define(attrs.evolve(column, id=lasting))
        self._secured.pop((object, column.name), None)

    def drop_column(self, object: str, name: str, /) -> None:
        """Someone deletes a column, with everything in it.

        Raises:
            LookupError: There is none.
        """
        table = known(self._tables, object)
        table.drop(table.spec_of(name).name)
        self._secured.pop((object, name), None)

    def hide_column(self, object: str, name: str, /) -> None:
        """Someone secures a column, so that the sync user may neither read nor write it.

        Raises:
            LookupError: There is none.
        """
        self._secure(object, name, readable=False)

    def protect_column(self, object: str, name: str, /) -> None:
        """Someone secures a column, so that the sync user may read but not write it.

        Raises:
            LookupError: There is none.
        """
        self._secure(object, name, readable=True)

    def show_column(self, object: str, name: str, /) -> None:
        """Someone gives the sync user back all rights on a secured column.

        Raises:
            LookupError: It is not secured.
        """
        spec = self._secured.pop((object, name), None)
        if spec is None:
            raise LookupError(f"{object}.{name} is not secured")
        self._tables[object].define(spec)

    def hide_table(self, object: str, /) -> None:
        """Someone takes the right to read a table away from the sync user.

        Raises:
            LookupError: There is no such table.
        """
        self._hidden_tables.add(known(self._tables, object).name)

    def show_table(self, object: str, /) -> None:
        """Someone gives that right back."""
        self._hidden_tables.discard(object)

    def expire_cursors(self) -> None:
        """Let every delta token there is expire."""
        self._epoch += 1

    def _secure(self, object: str, name: str, *, readable: bool) -> None:
        table = known(self._tables, object)
        spec = self._secured.setdefault((object, name), table.spec_of(name))
        table.define(attrs.evolve(spec, readable=readable, writable=False, secured=True))

    # What is stored

    def _insert(self, table: Table, key: str, values: dict[str, FieldValue], at: datetime) -> Row:
        completed = self._rules.completed(table, None, values)
        second = at.replace(microsecond=0)
        row = Row(key, {table.key_field: key, "createdon": second, "modifiedon": second, **completed})
        table.insert(row)
        self._undoing.inserted(table, row)
        self._move(table, row)
        return row

    def _change(self, table: Table, row: Row, values: dict[str, FieldValue], at: datetime) -> None:
        modified = {"modifiedon": at.replace(microsecond=0)}
        changes = {**modified, **self._rules.completed(table, row, values)}
        self._undoing.changing(table, row, changes.keys())
        table.change(row, changes)
        self._move(table, row)

    def _remove(self, table: Table, key: str) -> None:
        self._version += 1
        row = self._bin[table.name, key] = table.remove(key)
        self._logs[table.name].deleted(self._version, key)
        self._undoing.removed(table, row)

    def _move(self, table: Table, row: Row) -> None:
        self._version += 1
        row.version = self._version
        self._logs[table.name].written(row)

    def _key(self, key: str) -> str:
        return key.lower()

    def _guid(self, name: str) -> str:
        self._made[name] += 1
        return str(uuid5(NAMESPACE_URL, f"{self._identity.organization}/{name}/{self._made[name]}"))
