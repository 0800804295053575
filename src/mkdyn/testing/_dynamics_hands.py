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

_OPEN, _QUALIFIED, _DISQUALIFIED = 0, 1, 2
_INACTIVE = 1
#: What a contact does not take over from its lead: what the server fills, and what stands for the row itself.
_OF_THE_ROW = {"statecode", "statuscode", "createdon", "modifiedon", "masterid", "merged", "originatingleadid"}


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

    def qualify(self, lead: str, /, *, into: str | None = None) -> str:
        """Someone qualifies a lead; the contact's GUID.

        A new contact takes over what the lead's columns of the same names hold, and names the lead it comes from.
        The lead is Qualified from then on, and names the contact.

        Args:
            lead: The lead's GUID.
            into: A contact that is there already; it stays as it is.

        Raises:
            LookupError: There is no such lead, or no such contact.
            ValueError: The lead is not open.
        """
        table, contacts = known(self._tables, "lead"), known(self._tables, "contact")
        row = table.row_of(lead.lower())
        if row.values.get("statecode") != _OPEN:
            raise ValueError(f"lead {lead} is not open")
        at = self._calls.clock.tick()
        if into is None:
            into = self._guid("contact")
            shared = {name for name in contacts.specs if name in table.specs} - _OF_THE_ROW
            taken = {name: value for name, value in row.values.items() if name in shared}
            self._insert(contacts, into, {**taken, "originatingleadid": row.key}, at)
        contact = contacts.row_of(into.lower())
        self._change(table, row, {"statecode": _QUALIFIED, "parentcontactid": contact.key}, at)
        return contact.key

    def merge_rows(self, object: str, winner: str, loser: str, /, **taken: FieldValue) -> None:
        """Someone merges a record into another one, which stays; the loser is deactivated and names the winner.

        Args:
            object: The table: `lead`, `contact` or `account`.
            winner: The GUID of the record that stays.
            loser: The GUID of the other.
            taken: Values that the winner takes over.

        Raises:
            LookupError: There is no such table, or one of the records.
            ValueError: Records of the table can't be merged, or it is one record.
        """
        table = known(self._tables, object)
        stays, goes = table.row_of(winner.lower()), table.row_of(loser.lower())
        if "masterid" not in table.specs or stays is goes:
            raise ValueError(f"{object} {loser} can't be merged into {winner}")
        at = self._calls.clock.tick()
        self._change(table, stays, self._rules.entered(table, taken), at)
        inactive = _DISQUALIFIED if object == "lead" else _INACTIVE
        self._change(table, goes, {"masterid": stays.key, "merged": True, "statecode": inactive}, at)

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

    def mask_column(self, object: str, name: str, /) -> None:
        """Someone secures a column by a masking rule: the sync user may write it, and is shown masks of its values.

        Raises:
            LookupError: There is none.
        """
        self._secure(object, name, readable=True, masked=True)

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

    def _secure(self, object: str, name: str, *, readable: bool, masked: bool = False) -> None:
        table = known(self._tables, object)
        spec = self._secured.setdefault((object, name), table.spec_of(name))
        writable = masked and spec.writable
        table.define(attrs.evolve(spec, readable=readable, writable=writable, secured=True, masked=masked))

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
