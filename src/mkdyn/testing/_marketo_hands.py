"""What people do in a Marketo instance, and how its records are kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Final, Literal, TypeAlias
from uuid import NAMESPACE_URL, uuid5

from mkdyn.domain.fields import FieldSpec
from mkdyn.domain.values import FieldValue, same
from mkdyn.ports.connectors import Identity
from mkdyn.testing._feed import ActivityLog
from mkdyn.testing._marketo_rules import Rules
from mkdyn.testing._schemas_marketo import COMPOUND, CUSTOM_OBJECT, OBJECTS, PARTS, PREPARED_FIELDS
from mkdyn.testing._stale import StaleReads
from mkdyn.testing._system import FakeSystem
from mkdyn.testing._tables import Row, Table, known
from mkdyn.testing.faults import Fault

#: The fields that an object of Marketo's own has from the start.
_STANDARD: Final = {name: frozenset(spec.name for spec in specs) for name, (_, specs) in OBJECTS.items()}

#: What Marketo makes of a value on its own.
Rewriting: TypeAlias = Callable[[FieldValue], FieldValue]


class MarketoHands(FakeSystem):
    """A Marketo instance as the people see it who work there; `FakeMarketo` is the whole."""

    def __init__(
        self,
        identity: Identity,
        *,
        log: ActivityLog,
        prepared: Literal["yes", "no"],
        faults: Iterable[Fault],
        now: Callable[[], datetime] | None,
    ) -> None:
        tables = [
            Table(name, key, specs, empty_boolean=False, compound=COMPOUND.get(name, ()))
            for name, (key, specs) in OBJECTS.items()
        ]
        super().__init__("Marketo", identity, tables=tables, faults=faults, now=now)
        if prepared == "yes":
            for spec in PREPARED_FIELDS:
                self._tables["lead"].define(spec)
        else:
            del self._tables["dynamicsTeam_c"]
        self._log = log
        self._stale = StaleReads()
        self._rules = Rules(self._tables)
        self._blocked: set[tuple[str, str]] = set()
        self._rewritings: dict[tuple[str, str], Rewriting] = {}
        self._last_id = 0

    # People's hands: records

    def create(self, object: str, /, **values: FieldValue) -> str:
        """Someone adds a record; its key: a person's id, or the external key given in *values*.

        Raises:
            LookupError: There is no such object or field.
            ValueError: A value does not fit, or the key is missing, taken, or not for you to choose.
        """
        table = known(self._tables, object)
        entered = self._rules.entered(table, values, None)
        missing = self._rules.missing(table, entered)
        key = None if missing is not None else table.key_in(entered)
        if missing is not None or (object != "lead" and not key):
            raise ValueError(f"a {object} needs {missing or table.key_field}")
        entered.pop(table.key_field, None)
        if object == "lead" and key is not None:
            raise ValueError("a person's id is Marketo's to choose")
        if key in table.rows:
            raise ValueError(f"there is a {object} of that key already")
        with self._log.by_people():
            return self._insert(table, key, entered, self._calls.clock.tick())

    def edit(self, object: str, key: str, /, **values: FieldValue) -> None:
        """Someone changes a record, fields that the API may not write included; what is the same already changes nothing.

        Raises:
            LookupError: There is no such record, object or field.
            ValueError: A value does not fit, or is the key.
        """
        table = known(self._tables, object)
        row = table.row_of(key)
        for name in (table.key_field, *table.compound):
            if name in values:
                raise ValueError(f"{object}.{name} is the key; it never changes")
        entered = self._rules.entered(table, values, row)
        with self._log.by_people():
            self._change(table, row, entered, self._calls.clock.tick())

    def delete(self, object: str, key: str, /) -> None:
        """Someone deletes a record.

        Raises:
            LookupError: There is none.
            ValueError: Others refer to it.
        """
        table = known(self._tables, object)
        row = table.row_of(key)
        if self._rules.in_use(table, key):
            raise ValueError(f"{object} {key} is in use")
        with self._log.by_people():
            self._remove(table, row, self._calls.clock.tick())

    # People's hands: objects and fields

    def add_object(self, name: str, fields: Iterable[FieldSpec] = (), /) -> None:
        """Someone makes a custom object, with `dynamicsId` as its key."""
        self._tables[name] = Table(name, "dynamicsId", (*CUSTOM_OBJECT, *fields), empty_boolean=False)

    def add_field(self, object: str, field: FieldSpec, /) -> None:
        """Someone makes a field, or changes one.

        Raises:
            LookupError: There is no such object.
        """
        known(self._tables, object).define(field)

    def drop_field(self, object: str, name: str, /) -> None:
        """Someone deletes a field, with everything in it.

        Raises:
            LookupError: There is none.
        """
        table = known(self._tables, object)
        table.drop(table.spec_of(name).name)

    def block_field(self, object: str, name: str, /) -> None:
        """Someone blocks updates of a field by the API: writes say *updated*, and the old value stays.

        Raises:
            LookupError: There is no such field.
        """
        self._blocked.add((object, known(self._tables, object).spec_of(name).name))

    def unblock_field(self, object: str, name: str, /) -> None:
        """Someone lifts that block."""
        self._blocked.discard((object, name))

    def rewrite(self, object: str, name: str, how: Rewriting, /) -> None:
        """Let Marketo make something of its own of each value that is written to a field, as in `str.strip`.

        Raises:
            LookupError: There is no such field.
        """
        self._rewritings[object, known(self._tables, object).spec_of(name).name] = how

    # The feed's habits

    def hold_entries(self, *keys: str) -> None:
        """Let entries lag behind values: new ones, or those about these persons, can't be seen until they are shown."""
        self._log.hold(keys)

    def delay_entries(self, seconds: float, /) -> None:
        """Let each new entry be seen only when that time has gone by on Marketo's clock."""
        self._log.delay(seconds)

    def show_entries(self) -> None:
        """Show what was held or delayed, at its own place and time in the feed; hold nothing more."""
        self._log.show()

    def lose_entries(self) -> None:
        """Forget what was held or delayed, so that no feed ever tells of it; hold nothing more."""
        self._log.lose()

    def hold_values(self) -> None:
        """Let values lag behind entries: reads show records as they are now, whatever is written, until they are shown."""
        self._stale.hold()

    def show_values(self) -> None:
        """Let reads show everything as it is."""
        self._stale.show()

    def expire_cursors(self) -> None:
        """Let every cursor there is expire."""
        self._log.expire()

    # What is stored

    def _insert(self, table: Table, key: str | None, values: dict[str, FieldValue], at: datetime) -> str:
        self._last_id += 1
        key = str(self._last_id) if key is None else key
        second = at.replace(microsecond=0)
        served: dict[str, FieldValue] = {"createdAt": second, "updatedAt": second}
        if "id" in table.specs:
            served["id"] = self._last_id
        if table.key_field != "id":
            served[table.key_field] = key
        if "marketoGUID" in table.specs:
            served["marketoGUID"] = str(uuid5(NAMESPACE_URL, f"{self._identity.organization}/{self._last_id}"))
        self._stale.before_change(table, key)
        table.insert(Row(key, {**self._rewritten(table, values), **served}))
        if table.name == "lead":
            self._log.new(at, key)
        return key

    def _change(self, table: Table, row: Row, values: dict[str, FieldValue], at: datetime) -> None:
        changed = {
            name: (old, value)
            for name, value in self._rewritten(table, values).items()
            if not same(old := table.value(row, name), value)
        }
        if not changed:
            return
        self._stale.before_change(table, row.key)
        table.change(row, {name: new for name, (_, new) in changed.items()})
        standard = _STANDARD.get(table.name)
        if standard is None or not standard.isdisjoint(changed):
            table.change(row, {"updatedAt": at.replace(microsecond=0)})
        if table.name == "lead":
            self._log.changed(at, row.key, changed)

    def _remove(self, table: Table, row: Row, at: datetime, *, into: str = "") -> None:
        self._stale.before_change(table, row.key)
        table.remove(row.key)
        if table.name == "lead":
            names = (row.values.get("firstName"), row.values.get("lastName"))
            self._log.deleted(at, row.key, name=" ".join(str(name) for name in names if name), into=into)
        for name, wholes in PARTS.items():
            for field, whole in wholes.items():
                if whole == table.name:
                    self._hand_on(self._tables[name], field, row.key, at, into=into)

    def _hand_on(self, table: Table, field: str, whole: str, at: datetime, *, into: str) -> None:
        """Remove what belongs to a record that goes, or make it part of the one that it was merged into."""
        for part in list(table.matching(field, [whole])):
            self._remove(table, part, at)
            values = {**part.values, field: int(into)} if into else {}
            if into and (key := table.key_in(values)) not in table.rows:
                self._insert(table, key, values, at)

    def _rewritten(self, table: Table, values: dict[str, FieldValue]) -> dict[str, FieldValue]:
        if not self._rewritings:
            return values
        hows = {name: self._rewritings.get((table.name, name)) for name in values}
        return {name: value if (how := hows[name]) is None else how(value) for name, value in values.items()}
