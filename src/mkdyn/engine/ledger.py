"""What a chunk of observations comes to, kept in one transaction."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from mkdyn.domain.collisions import Resolution
from mkdyn.domain.entities import AnyEntity
from mkdyn.domain.holds import Hold, Quarantined
from mkdyn.domain.plan import Operation
from mkdyn.domain.records import Link
from mkdyn.domain.systems import System
from mkdyn.engine.feeds import observe
from mkdyn.engine.session import CHUNK, Session
from mkdyn.ports.store import Observation, StateStore


@attrs.define(kw_only=True, eq=False)
class Ledger:
    """Decisions on a chunk of records, before they are kept.

    Attributes:
        session: The run.
        links: Links as they are afterwards, where nothing has to be written for that.
        clears: Observations that are dealt with already.
        observed: Records that must be looked at again.
        operations: Writes.
        resolutions: Values that give way.
        kept_back: Fields and records kept back.
        released: Fields, and whole records, that are not kept back any more: entity, key and field.
        at_rest: Records on which no hold stands any more: entity and key.
    """

    session: Session
    links: list[Link] = attrs.field(factory=list[Link])
    clears: list[tuple[System, str, str, int]] = attrs.field(factory=list[tuple[System, str, str, int]])
    observed: list[Observation] = attrs.field(factory=list[Observation])
    operations: list[Operation] = attrs.field(factory=list[Operation])
    resolutions: list[Resolution] = attrs.field(factory=list[Resolution])
    kept_back: list[Hold | Quarantined] = attrs.field(factory=list["Hold | Quarantined"])
    released: list[tuple[AnyEntity, str, str | None]] = attrs.field(factory=list[tuple[AnyEntity, str, str | None]])
    at_rest: list[tuple[AnyEntity, str]] = attrs.field(factory=list[tuple[AnyEntity, str]])

    def clear(self, *observations: Observation | None) -> None:
        """Note that observations are dealt with."""
        self.clears += clears(*observations)

    def keep(self) -> None:
        """Keep everything; a plan that may not send keeps only what it would send, and why."""
        session, store = self.session, self.session.store
        operations = self._as_planned() if session.reuses else self.operations
        with store.transaction():
            store.release_record(self.at_rest)
            store.release(self.released)
            store.hold(session.id, self.kept_back)
            store.add_resolutions(session.id, self.resolutions)
            if not session.limited:
                store.add_operations(session.id, [operation for operation in operations if not operation.id])
            if session.sends:
                store.put_links(self.links)
                store.clear(self.clears)
                observe(session, self.observed)
        for operation in operations:
            count_write(session, operation)

    def _as_planned(self) -> list[Operation]:
        """Bring back to life those of the plan's writes that would be planned again just so.

        The rest has moved: it is left out of a run that is limited to its plan, and new in any other.
        """
        session, store = self.session, self.session.store
        revived: list[Operation] = []
        moved: list[Operation] = []
        for system in System:
            ours = {operation.key: operation for operation in self.operations if operation.system is system}
            planned = store.operations_on(session.id, system, ours.keys())
            for key, operation in ours.items():
                before = planned.get(key)
                if before is not None and (before.kind, before.after) == (operation.kind, operation.after):
                    revived.append(attrs.evolve(operation, id=before.id))
                elif not session.limited:
                    moved.append(operation)
        with store.transaction():
            for operation in revived:
                store.revise(operation)
        return [*revived, *moved]


def sent(totals: Mapping[str, int]) -> int:
    """Return how many of a run's writes have left, by the store's counts."""
    return sum(count for name, count in totals.items() if name.rsplit(":", 1)[-1] in ("sent", "applied", "unknown"))


def forget_resolutions(store: StateStore, run: int) -> None:
    """Forget what a plan found to collide, if nothing of it was sent yet: the run that carries it out decides it anew."""
    if sent(store.totals(run)):
        return
    after = 0
    while found := store.resolutions(run, after=after, limit=CHUNK):
        after = found[-1][0]
        # what a merge left behind is not decided anew: the person that had it is gone
        store.drop_resolutions(number for number, item in found if item.kind != "merged")


def clears(*observations: Observation | None) -> list[tuple[System, str, str, int]]:
    """Return how the store is told that observations are dealt with."""
    return [(item.system, item.object, item.key, item.version) for item in observations if item is not None]


def count_write(session: Session, operation: Operation) -> None:
    """Count a write for the guards."""
    tally = session.tally(operation.entity, operation.system)
    if operation.kind == "create":
        tally.creates += 1
    elif operation.kind == "delete" or operation.step.gone is System.DYNAMICS:
        tally.deletes += 1
    else:
        tally.updates += 1
        replaced = False
        for name, after in operation.after.items():
            if operation.before.get(name) in (None, False, ""):
                continue
            replaced = True
            if after in (None, ""):
                tally.emptied[name] = tally.emptied.get(name, 0) + 1
        tally.overwrites += replaced
