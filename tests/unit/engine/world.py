"""Two fake systems, a memory and a synchronizer, for tests of the engine."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime, timedelta

from mkdyn import Entity, Pick, Report, Rules, Synchronizer
from mkdyn.domain import FieldValue, Link, LinkState, Values
from mkdyn.domain.records import Record
from mkdyn.domain.systems import System
from mkdyn.ports import Event, Observer, StateStore
from mkdyn.testing import FakeDynamics, FakeMarketo, MemoryStore
from mkdyn.testing._tables import Table


class World:
    """Everything a test of the engine touches."""

    def __init__(
        self,
        *,
        rules: Rules | None = None,
        marketo: FakeMarketo | None = None,
        dynamics: FakeDynamics | None = None,
        store: StateStore | None = None,
        observers: Sequence[Observer] = (),
    ) -> None:
        self.marketo = marketo or FakeMarketo()
        self.dynamics = dynamics or FakeDynamics()
        self.store = store or MemoryStore()
        self.clock = datetime(2026, 1, 1, tzinfo=UTC)
        self.events: list[Event] = []
        self.observers = (self.events.append, *observers)
        self.restart(rules)

    def restart(self, rules: Rules | None = None) -> None:
        """Start a new process on the same memory."""
        self.sync = Synchronizer(
            marketo=self.marketo,
            dynamics=self.dynamics,
            store=self.store,
            rules=rules,
            observers=self.observers,
            now=lambda: self.clock,
        )

    @classmethod
    async def of(cls, *entities: Entity, rules: Rules | None = None, **systems: object) -> World:
        """Return a world with the standard mapping of some entities selected."""
        world = cls(rules=rules, **systems)  # type: ignore[arg-type]  # the constructor's own
        await world.sync.fields.select_defaults(*entities)
        return world

    @classmethod
    async def with_picks(cls, *picks: Pick, rules: Rules | None = None) -> World:
        """Return a world with some fields selected."""
        world = cls(rules=rules)
        await world.sync.fields.select(*picks)
        return world

    def next_call(self, system: System, name: str) -> int:
        """Return the number that the next call of a method will have, as faults count them."""
        fake = self.marketo if system is System.MARKETO else self.dynamics
        return fake.calls_by_name.get(name, 0) + 1

    def meddle(self, system: System, call: str, object: str, key: str, **values: FieldValue) -> None:
        """Let somebody edit a record of *system* just before such a call of ours takes effect there, once."""
        fake = self.marketo if system is System.MARKETO else self.dynamics

        def edit(made: str) -> None:
            if made == call:
                fake.between_calls.remove(edit)
                fake.edit(object, key, **values)

        fake.between(edit)

    async def run(self, *, minutes: float = 5) -> Report:
        """Let time go by, and run."""
        self.clock += timedelta(minutes=minutes)
        return await self.sync.run()

    async def rest(self, runs: int = 3) -> Report:
        """Run a few times; return the last report."""
        report = await self.run()
        for _ in range(runs - 1):
            report = await self.run()
        return report

    async def linked(self, entity: Entity, **values: FieldValue) -> Link:
        """Return the link of a record that is on both systems, in agreement."""
        key = self.dynamics.create(entity.logical_name, **values)
        await self.rest()
        return self.link(entity, key)

    def link(self, entity: Entity, key: str) -> Link:
        """Return the link of a Dynamics row."""
        return self.store.links([entity.logical_name], System.DYNAMICS, [key])[key]

    def person(self, link: Link) -> Values:
        """Return what Marketo shows of a link's person."""
        record = self.marketo.record("lead", link.marketo)
        assert record is not None
        return record.values

    def row(self, link: Link) -> Values:
        """Return what Dynamics shows of a link's row."""
        record = self.dynamics.record(link.entity, link.dynamics)
        assert record is not None
        return record.values

    def live(self, entity: Entity) -> Sequence[Link]:
        """Return an entity's live links."""
        return self.store.links_after(entity.logical_name, 0, 1_000_000, states=(LinkState.LIVE,))

    async def edit_both(self, link: Link, *, marketo: dict[str, FieldValue], dynamics: dict[str, FieldValue]) -> None:
        """Let people edit both records of a link."""
        self.marketo.edit("lead", link.marketo, **marketo)
        self.dynamics.edit(link.entity, link.dynamics, **dynamics)


class HidingMarketo(FakeMarketo):
    """Marketo, with persons that the sync user can't read for a while."""

    unseen: Collection[str] = ()

    def _read(self, table: Table, keys: Collection[str], fields: Collection[str]) -> Iterable[Record]:
        return [record for record in super()._read(table, keys, fields) if record.key not in self.unseen]
