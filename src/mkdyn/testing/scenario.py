"""Two fake systems and a synchronizer, for tests that want to say what happens and then look."""

from __future__ import annotations

from collections.abc import Awaitable, Collection, Mapping
from typing import TypeVar

import attrs

from mkdyn.domain.entities import AnyEntity
from mkdyn.domain.plan import Plan
from mkdyn.domain.registry import Pick
from mkdyn.domain.rules import Rules
from mkdyn.domain.systems import System
from mkdyn.domain.values import FieldValue, Values
from mkdyn.engine.blocking import blocking
from mkdyn.engine.report import Report
from mkdyn.engine.synchronizer import Synchronizer
from mkdyn.testing.dynamics import FakeDynamics
from mkdyn.testing.marketo import FakeMarketo
from mkdyn.testing.memory_store import MemoryStore

T = TypeVar("T")


@attrs.frozen(eq=False)
class Linked:
    """One real thing, on both systems.

    Attributes:
        entity: What it is.
        dynamics_key: The row's GUID.
        marketo_key: The Marketo record's key.
    """

    _scenario: Scenario
    entity: AnyEntity
    dynamics_key: str
    marketo_key: str

    @property
    def marketo(self) -> Values:
        """What Marketo shows now.

        Raises:
            LookupError: The record is not there.
        """
        return _shown(self._scenario.marketo, self.entity.marketo_object, self.marketo_key)

    @property
    def dynamics(self) -> Values:
        """What Dynamics shows now.

        Raises:
            LookupError: The record is not there.
        """
        return _shown(self._scenario.dynamics, self.entity.logical_name, self.dynamics_key)

    def edit(
        self,
        *,
        marketo: Mapping[str, FieldValue] | None = None,
        dynamics: Mapping[str, FieldValue] | None = None,
    ) -> None:
        """Somebody edits it, on one system or on both."""
        if marketo:
            self._scenario.marketo.edit(self.entity.marketo_object, self.marketo_key, **marketo)
        if dynamics:
            self._scenario.dynamics.edit(self.entity.logical_name, self.dynamics_key, **dynamics)

    def delete(self, system: System) -> None:
        """Somebody deletes it on one system."""
        if system is System.MARKETO:
            self._scenario.marketo.delete(self.entity.marketo_object, self.marketo_key)
        else:
            self._scenario.dynamics.delete(self.entity.logical_name, self.dynamics_key)


def _shown(fake: FakeMarketo | FakeDynamics, name: str, key: str) -> Values:
    record = fake.record(name, key)
    if record is None:
        message = f"{fake.system} has no {name} {key}"
        raise LookupError(message)
    return record.values


class Scenario:
    """Two fake systems kept in agreement, from blocking code.

    Attributes:
        marketo: The one system.
        dynamics: The other.
        store: The memory.
        sync: The synchronizer, with the standard mapping of all entities selected.
    """

    def __init__(self, *, rules: Rules | None = None, picks: Collection[Pick] | None = None) -> None:
        self.marketo: FakeMarketo = FakeMarketo()
        self.dynamics: FakeDynamics = FakeDynamics()
        self.store: MemoryStore = MemoryStore()
        self.sync: Synchronizer = Synchronizer(
            marketo=self.marketo, dynamics=self.dynamics, store=self.store, rules=rules
        )
        if picks is None:
            self.wait(self.sync.fields.select_defaults())
        else:
            self.wait(self.sync.fields.select(*picks))

    def wait(self, awaitable: Awaitable[T], /) -> T:
        """Return what *awaitable* comes to: `scenario.wait(scenario.sync.promote(7, to=Entity.LEAD))`.

        The fakes belong to no event loop, so each call has one of its own, and nothing must be closed.
        """
        with blocking() as wait:
            return wait(awaitable)

    def linked(self, entity: AnyEntity, /, **values: FieldValue) -> Linked:
        """Return a record that is on both systems, in agreement.

        Args:
            entity: What it is.
            values: Its Dynamics fields.

        Raises:
            LookupError: It was not linked; the run's report says why.
        """
        key = self.dynamics.create(entity.logical_name, **values)
        report = self.run()
        link = self.store.links([entity.logical_name], System.DYNAMICS, [key]).get(key)
        if link is None:
            message = f"the {entity} was not linked: {report.text()}"
            raise LookupError(message)
        self.run()  # hears its own echo, so that the next run tells of nothing else
        return Linked(self, entity, key, link.marketo)

    def run(self) -> Report:
        """Bring both systems to agreement."""
        return self.wait(self.sync.run())

    def plan(self) -> Plan:
        """Return what a run would do."""
        return self.wait(self.sync.plan())
