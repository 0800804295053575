"""Two systems that keep no records: what they show follows from a record's number, and from what was written so far.

Each holds one person for each number: a contact in Dynamics, and a person in Marketo once it was created there. For
each of our writes a bit is kept, and it is checked that the write is the one that is due: a wrong value ends the
benchmark. So a million records take less than half a mebibyte, and all that is in the process besides is the engine's.
"""

# ruff: noqa: ARG002 - a port hands over more than a connector of one object needs

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, ClassVar, Final, Literal

import attrs
from anyio.lowlevel import checkpoint

from benchmarks.workload import Workload
from mkdyn import Entity, Pick, System
from mkdyn.domain import FieldSpec, FieldValue, NewField
from mkdyn.domain.feeds import Cursor, Entry, Evidence, Page
from mkdyn.domain.outcomes import Applied, Create, Outcome, Stale, Update, Write
from mkdyn.domain.records import Record
from mkdyn.domain.values import same
from mkdyn.ports.connectors import DynamicsConnector, Identity, MarketoConnector, Pages, Problem

_PAGE_ROWS: Final = 5_000
_PAGE_ENTRIES: Final = 300
_DAY: Final = datetime(2026, 1, 1, tzinfo=UTC)

#: The field by which persons are matched, and the one that people edit, in each system.
_EMAIL: Final = {System.DYNAMICS: "emailaddress1", System.MARKETO: "email"}
_TITLE: Final = {System.DYNAMICS: "jobtitle", System.MARKETO: "title"}
_GUID_TAIL: Final = "-0000-4000-8000-000000000000"


def guid(number: int) -> str:
    """Return the GUID of the row of a number."""
    return f"{number:08x}{_GUID_TAIL}"


class Bits:
    """A set of numbers, one bit each."""

    def __init__(self, size: int) -> None:
        self._bits = bytearray(size // 8 + 1)
        self.count = 0

    def add(self, number: int) -> None:
        """Put a number in."""
        self.count += number not in self
        self._bits[number >> 3] |= 1 << (number & 7)

    def __contains__(self, number: int) -> bool:
        return bool(self._bits[number >> 3] >> (number & 7) & 1)


@attrs.define(kw_only=True, eq=False)
class World:
    """What both systems have in common.

    Attributes:
        records: How many persons there are.
        workload: Their fields, beside the e-mail address and the job title.
        heads: How many of the first persons get another job title in Dynamics, once `edited`.
        chiefs: How many of the last persons get another job title in Marketo, once `edited`.
        edited: Whether people have made their edits.
        created: Who is in Marketo.
        carried: In which system the other's edit has arrived, person by person.
    """

    records: int
    workload: Workload
    heads: int
    chiefs: int
    edited: bool = False
    created: Bits = attrs.field(init=False)
    carried: Mapping[System, Bits] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.created = Bits(self.records)
        self.carried = {system: Bits(self.records) for system in System}

    def edited_in(self, system: System) -> range:
        """Return whose job title people change in *system*."""
        return range(self.heads) if system is System.DYNAMICS else range(self.records - self.chiefs, self.records)

    def new_title(self, system: System, number: int) -> str | None:
        """Return the job title that *system* shows since it was edited, there or in the other one."""
        if not self.edited:
            return None
        for where, title in ((System.DYNAMICS, "Head"), (System.MARKETO, "Chief")):
            if number in self.edited_in(where) and (where is system or number in self.carried[system]):
                return f"{title} {number}"
        return None

    def specs(self, system: System) -> Mapping[str, FieldSpec]:
        """Return the fields of a person that are not keys, as *system* describes them."""
        texts = [FieldSpec(name=name, type="text", length=100) for name in (_EMAIL[system], _TITLE[system])]
        own = self.workload.dynamics_columns() if system is System.DYNAMICS else self.workload.marketo_fields()
        return {spec.name: spec for spec in (*texts, *own)}

    def picks(self) -> Iterable[Pick]:
        """Return the fields as somebody selects them."""
        for names in (_EMAIL, _TITLE):
            yield Pick(Entity.CONTACT, names[System.DYNAMICS], marketo=names[System.MARKETO])
        for pair in self.workload.pairs:
            yield Pick(Entity.CONTACT, pair.dynamics, marketo=pair.marketo)

    def values(self, system: System, number: int) -> dict[str, FieldValue]:
        """Return what *system* shows of a number, the fields that hold keys left out."""
        found = self.workload.dynamics(number) if system is System.DYNAMICS else self.workload.marketo(number)
        found[_EMAIL[system]] = f"person{number}@example.com"
        found[_TITLE[system]] = self.new_title(system, number) or f"Clerk {number % 1000}"
        return found

    def reader(self, system: System, fields: Collection[str]) -> Callable[[int], dict[str, FieldValue]]:
        """Return what makes the values of these fields of a number."""
        wanted = self.specs(system).keys() & fields

        def shown(number: int) -> dict[str, FieldValue]:
            values = self.values(system, number)
            return {name: values[name] for name in wanted}

        return shown

    def take(self, system: System, number: int, values: Mapping[str, FieldValue]) -> None:
        """Take a write of ours: the job title that was edited in the other system, and nothing else.

        Raises:
            ValueError: It is another one.
        """
        title = "Head" if system is System.MARKETO else "Chief"
        if number not in self.edited_in(system.other) or values != {_TITLE[system]: f"{title} {number}"}:
            raise ValueError(f"{system}: that is not what is to be written to record {number}")
        self.carried[system].add(number)


class _Generated:
    """What both connectors have in common."""

    def __init__(self, world: World, identity: Identity) -> None:
        self._world, self._identity = world, identity

    async def identify(self) -> Identity:
        """See `Connector.identify`."""
        await checkpoint()
        return self._identity

    async def check(self, needs: Mapping[str, Collection[str]], /) -> Sequence[Problem]:
        """See `Connector.check`."""
        await checkpoint()
        return ()

    async def aclose(self) -> None:
        """See `Connector.aclose`."""
        await checkpoint()


class GeneratedDynamics(_Generated):
    """Dynamics with contacts that follow from their numbers."""

    system: ClassVar[Literal[System.DYNAMICS]] = System.DYNAMICS

    def __init__(self, world: World) -> None:
        super().__init__(world, Identity(organization="generated.crm4", user="sync", batch_max=100))

    async def describe(self, object: str, /) -> Sequence[FieldSpec]:
        """See `Connector.describe`."""
        await checkpoint()
        own = FieldSpec(name="contactid", type="guid", writable=False)
        return [own, *self._world.specs(self.system).values()] if object == "contact" else []

    @asynccontextmanager
    async def changes(self, object: str, /, *, fields: Collection[str], since: Cursor | None) -> AsyncGenerator[Pages]:
        """See `Connector.changes`."""
        async with aclosing(self._pages(fields, since)) as pages:
            yield pages

    async def _pages(self, fields: Collection[str], since: Cursor | None) -> AsyncGenerator[Page]:
        world, show = self._world, self._shower(fields)
        log = _Log(world, System.DYNAMICS)
        end = log.end
        cursor = Cursor(token=str(end), at=_DAY)
        places = range(world.records) if since is None else range(int(since.token), end)
        for start in range(0, max(len(places), 1), _PAGE_ROWS):
            await checkpoint()
            page = places[start : start + _PAGE_ROWS]
            yield Page(
                records=[show(place if since is None else log.number(place)) for place in page],
                cursor=cursor if start + _PAGE_ROWS >= len(places) else None,
            )

    def _shower(self, fields: Collection[str]) -> Callable[[int], Record]:
        values = self._world.reader(self.system, fields)

        def show(number: int) -> Record:
            key = guid(number)
            return Record(key=key, values={**values(number), "contactid": key}, version=self._version(number))

        return show

    def _version(self, number: int) -> str:
        world = self._world
        times = (world.edited and number in world.edited_in(self.system)) + (number in world.carried[self.system])
        return f'W/"{1 + number + times * world.records}"'

    async def read(self, object: str, keys: Collection[str], /, *, fields: Collection[str]) -> Mapping[str, Record]:
        """See `Connector.read`."""
        await checkpoint()
        show = self._shower(fields)
        return {key: show(_number(key)) for key in keys}

    async def find(
        self, object: str, field: str, values: Collection[str], /, *, fields: Collection[str]
    ) -> Sequence[Record]:
        """See `Connector.find`; nobody needs it: no two rows share a key."""
        raise NotImplementedError

    async def write(self, object: str, writes: Sequence[Write], /) -> Sequence[Outcome]:
        """See `Connector.write`."""
        await checkpoint()
        return [self._attempt(write) for write in writes]

    def _attempt(self, write: Write) -> Outcome:
        if not isinstance(write, Update):
            raise TypeError("Dynamics is only to be updated")
        number = _number(write.key)
        if write.version not in (None, self._version(number)):
            return Stale()
        self._world.take(self.system, number, write.values)
        return Applied(key=write.key, version=self._version(number))


class GeneratedMarketo(_Generated):
    """Marketo with persons that follow from their numbers, each there once it was created."""

    system: ClassVar[Literal[System.MARKETO]] = System.MARKETO

    def __init__(self, world: World) -> None:
        super().__init__(world, Identity(organization="GEN-ERA-TED", user="sync", batch_max=300))

    async def describe(self, object: str, /) -> Sequence[FieldSpec]:
        """See `Connector.describe`."""
        await checkpoint()
        own = [FieldSpec(name=name, type="text", length=255) for name in ("dynamicsId", "dynamicsContactId")]
        own.append(FieldSpec(name="dynamicsDeleted", type="boolean", default=False))
        return [*own, *self._world.specs(self.system).values()] if object == "lead" else []

    async def create_field(self, object: str, field: NewField, /) -> FieldSpec:
        """See `MarketoConnector.create_field`; nobody needs it: every field is there."""
        raise NotImplementedError

    async def merge(self, winner: str, losers: Sequence[str], /) -> Outcome:
        """See `MarketoConnector.merge`; nobody needs it."""
        raise NotImplementedError

    @asynccontextmanager
    async def changes(self, object: str, /, *, fields: Collection[str], since: Cursor | None) -> AsyncGenerator[Pages]:
        """See `Connector.changes`."""
        async with aclosing(self._pages(since)) as pages:
            yield pages

    async def _pages(self, since: Cursor | None) -> AsyncGenerator[Page]:
        log = _Log(self._world, self.system)
        end = log.end
        place = end if since is None else int(since.token)
        while True:
            await checkpoint()
            start, place = place, min(place + _PAGE_ENTRIES, end)
            at = _at(place)
            yield Page(entries=log.entries(start, place), cursor=Cursor(token=str(place), at=at, repeats_from=at))
            if place >= end:
                return

    def _shower(self, fields: Collection[str]) -> Callable[[int], Record]:
        values = self._world.reader(self.system, fields)
        own: dict[str, FieldValue] = {"dynamicsId": None, "dynamicsDeleted": False}
        own = {name: value for name, value in own.items() if name in fields}

        def show(number: int) -> Record:
            return Record(key=str(number), values={**values(number), **own, "dynamicsContactId": guid(number)})

        return show

    async def read(self, object: str, keys: Collection[str], /, *, fields: Collection[str]) -> Mapping[str, Record]:
        """See `Connector.read`."""
        await checkpoint()
        show = self._shower(fields)
        return {key: show(int(key)) for key in keys if int(key) in self._world.created}

    async def find(
        self, object: str, field: str, values: Collection[str], /, *, fields: Collection[str]
    ) -> Sequence[Record]:
        """See `Connector.find`; by GUID or by e-mail, which both hold the number."""
        await checkpoint()
        show = self._shower({*fields, field})
        numbers = map(_number if field == "dynamicsContactId" else _number_of_email, values)
        return [show(number) for number in numbers if number in self._world.created]

    async def write(self, object: str, writes: Sequence[Write], /) -> Sequence[Outcome]:
        """See `Connector.write`."""
        await checkpoint()
        return [self._attempt(write) for write in writes]

    def _attempt(self, write: Write) -> Outcome:
        match write:
            case Create(key=key, values=values):
                number = _number(key)
                due = {**self._world.values(self.system, number), "dynamicsContactId": key}
                if number in self._world.created or not _alike(values, due):
                    raise ValueError(f"that is not how person {number} is to be created")
                self._world.created.add(number)
                return Applied(key=str(number))
            case Update(key=key, values=values):
                self._world.take(self.system, int(key), values)
                return Applied(key=key)
            case _:
                raise TypeError("nobody is to be deleted")


class _Log:
    """One system's feed: in Marketo who was created, then what people edited, then what we wrote.

    A stretch is there as soon as all of it has happened; runs read feeds before they write.
    """

    def __init__(self, world: World, system: System) -> None:
        self._world, self._system = world, system
        created = world.records if system is System.MARKETO else 0
        edits, writes = world.edited_in(system), world.edited_in(system.other)
        self._starts = (0, created, created + len(edits), created + len(edits) + len(writes))
        self._edits, self._writes = edits, writes

    @property
    def end(self) -> int:
        """Where the log ends now."""
        world = self._world
        if world.created.count < self._starts[1]:
            return 0
        if not world.edited:
            return self._starts[1]
        return self._starts[3 if world.carried[self._system].count == len(self._writes) else 2]

    def number(self, place: int) -> int:
        """Return whom an entry is about."""
        _, edits, writes, _ = self._starts
        if place < edits:
            return place
        return self._edits[place - edits] if place < writes else self._writes[place - writes]

    def entries(self, start: int, end: int) -> Sequence[Entry]:
        """Return a stretch as Marketo tells it."""
        return [
            Entry(id=f"{place:012d}", key=str(self.number(place)), at=_at(place), evidence=tuple(self._evidence(place)))
            for place in range(start, end)
        ]

    def _evidence(self, place: int) -> Iterable[Evidence]:
        if place >= self._starts[1]:
            number = self.number(place)
            title = "Chief" if place < self._starts[2] else "Head"
            yield Evidence(field="title", old=f"Clerk {number % 1000}", new=f"{title} {number}")


def _at(place: int) -> datetime:
    return _DAY + timedelta(milliseconds=place)


def _number(key: str) -> int:
    return int(key.removesuffix(_GUID_TAIL), 16)


def _number_of_email(email: str) -> int:
    return int(email.removeprefix("person").removesuffix("@example.com"))


def _alike(values: Mapping[str, FieldValue], due: Mapping[str, FieldValue]) -> bool:
    """Whether a new record is given what it is to show; an empty field need not be mentioned."""
    return values.keys() <= due.keys() and all(same(values.get(name), value) for name, value in due.items())


if TYPE_CHECKING:
    _marketo: type[MarketoConnector] = GeneratedMarketo
    _dynamics: type[DynamicsConnector] = GeneratedDynamics
