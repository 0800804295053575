"""Two systems that keep no records: connectors of a generated world.

Every write is checked to be the one that is due; another one ends the benchmark. So all that is in the process
besides some bits is the engine's and the store's.
"""

# ruff: noqa: ARG002 - a port hands over more than a connector of one object needs

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING, ClassVar, Final, Literal

from anyio.lowlevel import checkpoint

from benchmarks.world import DAY, World, guid, instant, number_of_email, number_of_row
from mkdyn import System
from mkdyn.domain import FieldSpec, FieldValue, NewField
from mkdyn.domain.feeds import Cursor, Page
from mkdyn.domain.outcomes import Applied, Create, Outcome, Stale, Update, Write
from mkdyn.domain.records import Record
from mkdyn.domain.values import same
from mkdyn.ports.connectors import DynamicsConnector, Identity, MarketoConnector, Pages, Problem

_PAGE_ROWS: Final = 5_000
_PAGE_ENTRIES: Final = 300


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
        log = world.log(System.DYNAMICS)
        end = log.end
        cursor = Cursor(token=str(end), at=DAY)
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
        return f'W/"{1 + number + world.times_changed(number) * world.records}"'

    async def read(self, object: str, keys: Collection[str], /, *, fields: Collection[str]) -> Mapping[str, Record]:
        """See `Connector.read`."""
        await checkpoint()
        show = self._shower(fields)
        return {key: show(number_of_row(key)) for key in keys}

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
        number = number_of_row(write.key)
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
        log = self._world.log(self.system)
        end = log.end
        place = end if since is None else int(since.token)
        while True:
            await checkpoint()
            start, place = place, min(place + _PAGE_ENTRIES, end)
            at = instant(place)
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
        numbers = map(number_of_row if field == "dynamicsContactId" else number_of_email, values)
        return [show(number) for number in numbers if number in self._world.created]

    async def write(self, object: str, writes: Sequence[Write], /) -> Sequence[Outcome]:
        """See `Connector.write`."""
        await checkpoint()
        return [self._attempt(write) for write in writes]

    def _attempt(self, write: Write) -> Outcome:
        match write:
            case Create(key=key, values=values):
                number = number_of_row(key)
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


def _alike(values: Mapping[str, FieldValue], due: Mapping[str, FieldValue]) -> bool:
    """Whether a new record is given what it is to show; an empty field need not be mentioned."""
    return values.keys() <= due.keys() and all(same(values.get(name), value) for name, value in due.items())


if TYPE_CHECKING:
    _marketo: type[MarketoConnector] = GeneratedMarketo
    _dynamics: type[DynamicsConnector] = GeneratedDynamics
