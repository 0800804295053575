"""Marketo in memory: a whole connector, and the hands of the people who work there.

    marketo = FakeMarketo()
    ada = marketo.create("lead", firstName="Ada", email="ada@example.com")
    marketo.edit("lead", ada, title="Countess")

It keeps Marketo's rules as far as a sync meets them: e-mail addresses may repeat, empty booleans
are false, a bad field refuses its record, company fields are not a person's, everybody's changes
are in one feed without a name, and entries can be seen before or after the values they tell of.
It does not keep: partitions, programs, lists, duplicate races, the limits of the real API but for
those on creating fields.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, Final, Literal, assert_never

import attrs

from mkdyn.domain.creation import refusals
from mkdyn.domain.entities import Entity
from mkdyn.domain.feeds import Cursor
from mkdyn.domain.fields import FieldSpec, NewField
from mkdyn.domain.keys import parted
from mkdyn.domain.outcomes import (
    Applied,
    Create,
    Delete,
    Outcome,
    Rejected,
    Stale,
    Unknown,
    Update,
    Write,
    make_applied,
)
from mkdyn.domain.records import Record
from mkdyn.domain.systems import System
from mkdyn.domain.types import CREATABLE, CREATABLE_IN_CUSTOM
from mkdyn.domain.values import FieldValue, Values
from mkdyn.errors import CheckError, ConfigError, FieldError, TypeMismatchError, UnreachableError
from mkdyn.ports.connectors import Identity, MarketoConnector, Pages, Problem
from mkdyn.testing._feed import ActivityLog, Reading
from mkdyn.testing._marketo_backstage import Backstage
from mkdyn.testing._marketo_hands import MarketoHands
from mkdyn.testing._marketo_rules import IN_USE, INVALID, SEVERAL, TOO_MANY_TO_MERGE, UNKNOWN_FIELD, blank
from mkdyn.testing._schemas_marketo import COMPANY_FIELDS, OBJECTS, created_spec
from mkdyn.testing._tables import Row, Table
from mkdyn.testing.faults import Fault

_MERGE_MAX: Final = 25
_SERVED: Final = ("id", "createdAt", "updatedAt")


class FakeMarketo(MarketoHands):
    """A Marketo instance in memory.

    Args:
        faults: What goes wrong with its calls.
        organization: The instance's lasting id.
        user: Who the connector is there.
        now: Its clock; by default one that starts at 2026-01-01 and moves with each call and edit.
        prepared: Whether it has the fields that mkdyn needs, and the object for teams, from the start.
        may_create_fields: Whether the connector's user may create fields.
        page_size: How many entries of the feed are searched for a page of its own; a server in front of it has another
            setting (`Quirks.block_entries`).
        empty_pages: Whether a page without entries comes before each other one.
        overlap_s: How far a cursor goes back.
        batch_max: The most writes one call takes.
        settles_after_s: How long after it was sent a write may still take effect.
    """

    system: ClassVar[Literal[System.MARKETO]] = System.MARKETO

    def __init__(
        self,
        *,
        faults: Iterable[Fault] = (),
        organization: str = "123-ABC-456",
        user: str = "sync@acme",
        now: Callable[[], datetime] | None = None,
        prepared: Literal["yes", "no"] = "yes",
        may_create_fields: Literal["yes", "no"] = "yes",
        page_size: int = 300,
        empty_pages: Literal["never", "sometimes"] = "never",
        overlap_s: float = 0.0,
        batch_max: int = 300,
        settles_after_s: float = 0.0,
    ) -> None:
        identity = Identity(organization=organization, user=user, batch_max=batch_max, settles_after_s=settles_after_s)
        log = ActivityLog(page_size=page_size, overlap_s=overlap_s, empty_pages=empty_pages)
        super().__init__(identity, log=log, prepared=prepared, faults=faults, now=now)
        self._may_create_fields = may_create_fields == "yes"

    async def check(self, needs: Mapping[str, Collection[str]], /) -> Sequence[Problem]:
        """See `Connector.check`; what is missing is no problem where the user may create it."""
        call = await self._calls.begin("check")
        problems = [] if self._may_create_fields else list(self._problems(needs))
        await call.end()
        return problems

    def _problems(self, needs: Mapping[str, Collection[str]]) -> Iterable[Problem]:
        for object, fields in needs.items():
            there = self._tables[object].specs if object in self._tables else {}
            for field in sorted(fields):
                if field not in there:
                    yield Problem(
                        what="Marketo: the API user may not create fields.",
                        remedy=f"Give its role that permission, or create {object} field {field}.",
                    )

    @asynccontextmanager
    async def changes(
        self, object: str, /, *, fields: Collection[str], since: Cursor | None
    ) -> AsyncGenerator[Pages, None]:
        """See `Connector.changes`: only persons have a feed, and every page brings a cursor."""

        def start() -> Reading:
            self._asked_for(object, fields)
            if object != "lead":
                raise ConfigError(f"Marketo has no feed of {object} records.")
            return self._log.read(frozenset(fields), since, self.time)

        async with aclosing(self._pages(object, start)) as pages:
            yield pages

    async def create_field(self, object: str, field: NewField, /) -> FieldSpec:
        """See `MarketoConnector.create_field`."""
        call = await self._calls.begin("create_field", object)
        spec = self._field_to_be(object, field)
        if call.arrives:
            if object not in self._tables:
                self.add_object(object)
            self._tables[object].define(spec)
        await call.end()
        return spec

    def _field_to_be(self, object: str, field: NewField) -> FieldSpec:
        name = field.api_name
        if not self._may_create_fields:
            raise CheckError((f"Marketo: the API user may not create fields. Create {object} field {name}.",))
        spec = created_spec(name, field.label, field.type or "text")
        there = self._tables[object].specs.get(name, spec) if object in self._tables else spec
        own = object in OBJECTS and object != Entity.TEAM.marketo_object
        creatable = CREATABLE if own else CREATABLE_IN_CUSTOM
        if spec.type not in creatable or there.type != spec.type:
            raise TypeMismatchError(
                f"{object}.{name} can't be a field of type {spec.type}; it is {there.type}.",
                what_to_do="Choose another name, or another type.",
            )
        if there is spec:
            described = {name: self._tables[name].specs for name in (object,) if name in self._tables}
            faults = refusals([(object, field)], described)
            if faults:
                raise FieldError.of(tuple(faults), f"{object}.{name} was not created")
        return there

    async def merge(self, winner: str, losers: Sequence[str], /) -> Outcome:
        """See `MarketoConnector.merge`."""
        call = await self._calls.begin("merge", "lead")
        outcome = self._merge(winner, losers) if call.arrives else Stale()
        try:
            await call.end()
        except UnreachableError as error:
            return Unknown(reason=error.what)
        return outcome

    def _merge(self, winner: str, losers: Sequence[str]) -> Outcome:
        table = self._tables["lead"]
        row = table.rows.get(winner)
        if len(losers) > _MERGE_MAX:
            return Rejected(code=TOO_MANY_TO_MERGE, message=f"No more than {_MERGE_MAX} persons can be merged at once")
        if winner in losers:
            return Rejected(code=INVALID, message="A person can't be merged into itself")
        if row is None:
            return Stale(gone=True)
        for loser in (table.rows[key] for key in losers if key in table.rows):
            filled = {
                name: value
                for name, value in loser.values.items()
                if name not in _SERVED and table.value(row, name) is None
            }
            self._remove(table, loser, self.time, into=winner)
            self._change(table, row, filled, self.time)
        return Applied(key=winner)

    def backstage(self) -> Backstage:
        """Return what stands behind the connector, for the server that shows it on the wire; not for tests.

        :meta private:
        """
        return Backstage(
            identity=self._identity,
            tables=self._tables,
            log=self._log,
            calls=self._calls,
            writes_by_object=self.writes_by_object,
            may_create_fields=self._may_create_fields,
            read=self._read,
            find=self._find,
            add=self._add,
            update=self._update,
            attempt=self._attempt,
            merge=self._merge,
        )

    def _viewer(self, table: Table) -> Callable[[Row], Record]:
        return self._shower(table, tuple(table.specs))

    def _shower(self, table: Table, fields: Collection[str]) -> Callable[[Row], Record]:
        """Return what makes a record of a row; a person shows its company's fields."""
        view = table.viewer(fields)
        shared = COMPANY_FIELDS.intersection(fields) if table.name == "lead" else ()
        if not shared:
            return view
        companies = self._tables["company"]

        def show(row: Row) -> Record:
            record = view(row)
            company = companies.rows.get(str(row.values.get("externalCompanyId")))
            if company is None:
                return record
            values: Values = {name: companies.value(company, name) for name in shared}
            return attrs.evolve(record, values={**record.values, **values})

        return show

    def _read(self, table: Table, keys: Collection[str], fields: Collection[str]) -> Iterable[Record]:
        show = self._shower(table, fields)
        return [show(row) for key in keys if (row := self._stale.row(table, key)) is not None]

    def _find(self, table: Table, field: str, values: Collection[str], fields: Collection[str]) -> Sequence[Record]:
        show = self._shower(table, fields)
        return [show(row) for row in self._stale.matching(table, field, {value.casefold() for value in values})]

    def _attempt(self, table: Table, write: Write) -> Outcome:
        match write:
            case Create():
                return self._create(table, write)
            case Update():
                row = table.rows.get(write.key)
                if row is None:
                    return Stale(gone=True)
                return self._update(table, row, write.values, found=False)
            case Delete():
                row = table.rows.get(write.key)
                if row is not None and self._rules.in_use(table, write.key):
                    return Rejected(code=IN_USE, message="Object in use")
                if row is not None:
                    self._remove(table, row, self.time)
                return Applied(key=write.key)
            case _:
                assert_never(write)

    def _create(self, table: Table, write: Create) -> Outcome:
        """Create or update, as both of Marketo's calls do: what is found is written, too."""
        own = table.key_field
        field = write.by or own
        chosen = field == own  # persons get their ids from Marketo, everything else is known by the key it was given
        if chosen == (table.name == "lead"):
            return Rejected(code=INVALID, message=f"'{field}' is no field to look a {table.name} up by", field=field)
        if field not in table.specs:
            return Rejected(code=UNKNOWN_FIELD, message=f"Lookup field '{field}' not found", field=field)
        there = table.rows.get(write.key)
        found = list(table.matching(field, [write.key])) if field != own else [there] if there else []
        own_key = parted(write.key, table.compound) if table.compound else {field: write.key}
        values = {**write.values, **own_key}
        if len(found) > 1:
            return Rejected(code=SEVERAL, message="Multiple lead match lookup criteria")
        if found:
            return self._update(table, found[0], values, found=True)
        return self._add(table, values)

    def _add(self, table: Table, values: Values) -> Applied | Rejected:
        """Make a record, whoever may have the same values; its key is among them, or Marketo's to choose."""
        accepted = self._rules.accepted(table, values, None)
        if isinstance(accepted, Rejected):
            return accepted
        missing = self._rules.missing(table, accepted)
        if missing is not None:
            return blank(missing)
        alone = self._rules.without_whole(table, accepted)
        if alone is not None:
            return alone
        key = table.key_in(accepted)
        accepted.pop(table.key_field, None)
        return Applied(key=self._insert(table, key, self._unblocked(table, accepted), self.time))

    def _update(self, table: Table, row: Row, values: Values, *, found: bool) -> Applied | Rejected:
        accepted = self._rules.accepted(table, values, row)
        if isinstance(accepted, Rejected):
            return accepted
        if accepted.pop(table.key_field, row.key) != row.key:
            return Rejected(code=INVALID, message="The key never changes", field=table.key_field)
        self._change(table, row, self._unblocked(table, accepted), self.time)
        return make_applied(key=row.key, found=found)

    def _unblocked(self, table: Table, values: dict[str, FieldValue]) -> dict[str, FieldValue]:
        return {name: value for name, value in values.items() if (table.name, name) not in self._blocked}


if TYPE_CHECKING:
    _conforms: type[MarketoConnector] = FakeMarketo
