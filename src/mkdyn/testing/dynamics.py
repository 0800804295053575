"""Dynamics 365 in memory: a whole connector, and the hands of the people who work there.

    dynamics = FakeDynamics()
    ada = dynamics.create("lead", lastname="Lovelace", emailaddress1="ada@example.com")
    dynamics.edit("lead", ada, jobtitle="Countess")

It keeps Dataverse's rules as far as a sync meets them: row versions that move with every
accepted write, delta reads with deletions, per-record refusals with codes, column security,
masking rules, defaults of new rows. It does not keep: forms, plug-ins, duplicate rules, privileges per
record, what a deletion does to rows that refer to it.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from datetime import datetime
from hashlib import blake2s
from typing import TYPE_CHECKING, ClassVar, Final, Literal, assert_never

import attrs

from mkdyn.domain.feeds import Cursor
from mkdyn.domain.fields import FieldSpec
from mkdyn.domain.names import nearest
from mkdyn.domain.outcomes import Applied, Create, Delete, Outcome, Rejected, Stale, Update, Write, make_applied
from mkdyn.domain.records import Record
from mkdyn.domain.systems import System
from mkdyn.domain.values import Values
from mkdyn.errors import CheckError
from mkdyn.ports.connectors import DynamicsConnector, Identity, Pages, Problem
from mkdyn.testing._checks import is_guid
from mkdyn.testing._delta import Reading, Token
from mkdyn.testing._dynamics_backstage import Backstage
from mkdyn.testing._dynamics_hands import DynamicsHands
from mkdyn.testing._dynamics_rules import BAD_PAYLOAD, INVALID_ARGUMENT
from mkdyn.testing._tables import Row, Table
from mkdyn.testing.faults import Fault

#: What stands for a masked value.
MASK: Final = "###-##-####"


class FakeDynamics(DynamicsHands):
    """A Dynamics organisation in memory.

    Args:
        faults: What goes wrong with its calls.
        organization: The organisation's lasting id.
        user: Who the connector is there.
        now: Its clock; by default one that starts at 2026-01-01 and moves with each call and edit.
        page_size: How many rows and deletions a page of the feed has.
        batch_max: The most writes one call takes.
        settles_after_s: How long after it was sent a write may still take effect.
        secured_shows: What a read shows of a column that the user may not see: no such value, or None.
        masked_shows: What a read shows of a masked column: no such value, as a connector promises, or the mask.
    """

    system: ClassVar[Literal[System.DYNAMICS]] = System.DYNAMICS

    def __init__(
        self,
        *,
        faults: Iterable[Fault] = (),
        organization: str = "acme.crm4",
        user: str = "sync",
        now: Callable[[], datetime] | None = None,
        page_size: int = 5000,
        batch_max: int = 100,
        settles_after_s: float = 0.0,
        secured_shows: Literal["nothing", "null"] = "nothing",
        masked_shows: Literal["nothing", "mask"] = "nothing",
    ) -> None:
        identity = Identity(organization=organization, user=user, batch_max=batch_max, settles_after_s=settles_after_s)
        super().__init__(identity, faults=faults, now=now)
        self._page_size = page_size
        self._secured_shows: Literal["nothing", "null"] = secured_shows
        self._masked_shows = masked_shows

    def backstage(self) -> Backstage:
        """Return what stands behind the connector, for the server that shows it on the wire; not for tests.

        :meta private:
        """
        return Backstage(
            identity=self._identity,
            tables=self._tables,
            logs=self._logs,
            secured=self._secured,
            hidden=self._hidden_tables,
            calls=self._calls,
            writes_by_object=self.writes_by_object,
            secured_shows=self._secured_shows,
            version=lambda: self._version,
            epoch=lambda: self._epoch,
            attempt=self._attempt,
            change=lambda table, row, values: self._change(table, row, values, self.time),
            undoing=self._undoing,
            add_column=self.add_column,
            drop_column=self.drop_column,
        )

    async def check(self, needs: Mapping[str, Collection[str]], /) -> Sequence[Problem]:
        """See `Connector.check`."""
        call = await self._calls.begin("check")
        problems = [problem for object, fields in needs.items() for problem in self._problems(object, fields)]
        await call.end()
        return problems

    async def schema_stamp(self, objects: Collection[str], /) -> str:
        """See `SchemaStamped.schema_stamp`."""
        call = await self._calls.begin("schema_stamp")
        described = [
            (name, name in self._hidden_tables, self._tables[name].described)
            for name in sorted(objects)
            if name in self._tables
        ]
        await call.end()
        return blake2s(repr(described).encode(), digest_size=16).hexdigest()

    @asynccontextmanager
    async def changes(
        self, object: str, /, *, fields: Collection[str], since: Cursor | None
    ) -> AsyncGenerator[Pages, None]:
        """See `Connector.changes`: only the last page brings a cursor."""
        async with aclosing(self._pages(object, lambda: self._delta(object, tuple(fields), since))) as pages:
            yield pages

    def _delta(self, object: str, fields: tuple[str, ...], since: Cursor | None) -> Reading:
        table = self._asked_for(object, fields)
        token = Token(self._epoch, object, self._version, frozenset(fields))
        if since is None:
            written, gone = list(table.rows), list[str]()
        else:
            written, gone = self._logs[object].since(token.version_of(since))
        return Reading(table, written, gone, self._page_size, token.cursor(self.time), self._shower(table, fields))

    def _asked_for(self, object: str, fields: Collection[str]) -> Table:
        if object in self._hidden_tables:
            raise CheckError((str(_may_not_read(object)),))
        return super()._asked_for(object, fields)

    def _shower(self, table: Table, fields: Collection[str]) -> Callable[[Row], Record]:
        hidden = [name for name in fields if not table.specs[name].readable]
        masked = [name for name in fields if table.specs[name].masked and name not in hidden]
        if not hidden and not masked:
            return table.viewer(fields)
        view = table.viewer(name for name in fields if name not in hidden and name not in masked)
        blank: Values = dict.fromkeys(hidden if self._secured_shows == "null" else ())
        shown = masked if self._masked_shows == "mask" else ()

        def show(row: Row) -> Record:
            record = view(row)
            masks = {name: None if row.values.get(name) is None else MASK for name in shown}
            return attrs.evolve(record, values={**record.values, **blank, **masks})

        return show

    def _described(self, table: Table) -> Sequence[FieldSpec]:
        if table.name not in self._hidden_tables:
            return super()._described(table)
        return [attrs.evolve(spec, readable=False, writable=False) for spec in table.specs.values()]

    def _problems(self, object: str, fields: Collection[str]) -> Iterable[Problem]:
        table = self._tables.get(object)
        if table is None:
            yield Problem(
                what=f"Dynamics has no table {object}.", remedy="Check the name, or have the table published."
            )
        elif object in self._hidden_tables:
            yield _may_not_read(object)
        else:
            yield from (problem for field in sorted(fields) for problem in _column_problem(table, field))

    def _read(self, table: Table, keys: Collection[str], fields: Collection[str]) -> Iterable[Record]:
        show, rows = self._shower(table, fields), table.rows
        return [show(rows[key]) for key in map(str.lower, keys) if key in rows]

    def _find(self, table: Table, field: str, values: Collection[str], fields: Collection[str]) -> Sequence[Record]:
        if not table.specs[field].readable or table.specs[field].masked:
            return []
        show = self._shower(table, fields)
        return [show(row) for row in table.matching(field, values)]

    def _attempt(self, table: Table, write: Write) -> Outcome:
        row = table.rows.get(write.key.lower())
        match write:
            case Create():
                return self._create(table, write) if row is None else Applied(key=row.key, version=row.etag, found=True)
            case Update():
                return Stale(gone=True) if row is None else self._update(table, row, write)
            case Delete():
                if row is not None and write.version not in (None, row.etag):
                    return Stale()
                if row is not None:
                    self._remove(table, row.key)
                return Applied(key=write.key.lower())
            case _:
                assert_never(write)

    def _create(self, table: Table, write: Create) -> Outcome:
        key = write.key.lower()
        if not is_guid(key):
            return Rejected(code=BAD_PAYLOAD, message="The key is no GUID.")
        values = self._rules.accepted(table, write.values, creating=True)
        if isinstance(values, Rejected):
            return values
        missing = self._rules.missing(table, values)
        if missing is not None:
            return Rejected(code=INVALID_ARGUMENT, message=f"A new {table.name} needs '{missing}'.", field=missing)
        return Applied(key=key, version=self._insert(table, key, values, self.time).etag)

    def _update(self, table: Table, row: Row, write: Update) -> Outcome:
        if write.version not in (None, row.etag):
            return Stale()
        values = self._rules.accepted(table, write.values, creating=False)
        if isinstance(values, Rejected):
            return values
        if self._rules.read_only(table, row, values):
            return Rejected(code="read-only", message="The lead is not open any more, so it is read-only.")
        self._change(table, row, values, self.time)
        return make_applied(key=row.key, version=row.etag)


def _may_not_read(object: str) -> Problem:
    return Problem(
        what=f"Dynamics {object}: the sync user cannot read the table (no prvRead{object.capitalize()}).",
        remedy="Give its role Read, organization level.",
    )


def _column_problem(table: Table, field: str) -> Iterable[Problem]:
    spec = table.specs.get(field)
    if spec is None:
        near = nearest(field, table.specs)
        hint = f"; nearest: {near}" if near else ""
        yield Problem(
            what=f"Dynamics {table.name}.{field} is not there{hint}.",
            remedy="Create the column, publish it, and let the sync user read it; or deselect it.",
        )
    elif not spec.readable:
        yield Problem(
            what=f"Dynamics {table.name}.{field}: secured, the sync user may not read it.",
            remedy="Add it to a column security profile that allows Read.",
        )
    elif spec.masked:
        yield Problem(
            what=f"Dynamics {table.name}.{field}: the sync user is shown masks of its values.",
            remedy="Let its column security profile read it unmasked, all records; or deselect it.",
        )


if TYPE_CHECKING:
    _conforms: type[DynamicsConnector] = FakeDynamics
