"""What the answers to a batch come to, and what its operations say of fields."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime

import attrs

from mkdyn.domain.collisions import Resolution
from mkdyn.domain.entities import AnyEntity
from mkdyn.domain.holds import Hold, Quarantined
from mkdyn.domain.merged import agreed_on
from mkdyn.domain.plan import Operation
from mkdyn.domain.records import Agreed, Echo, Link
from mkdyn.domain.systems import System
from mkdyn.domain.values import MISSING, same
from mkdyn.engine.kinds import Kind
from mkdyn.engine.session import Session
from mkdyn.ports.store import Answer, Observation


@attrs.define(kw_only=True, eq=False)
class Batch:
    """What the answers to a batch come to, before it is kept.

    Attributes:
        links: Links as they are afterwards, by row.
        sent_at: When it was sent, if the answers came at once.
        proving: Marketo records whose evidence stays, though writes to their rows were decided on it.
        standing: The links that persons about to be linked are in already, by person.
        answers: What became of each operation.
        twice: By operation, what its other half wrote before, and what both systems have shown by now.
        rows: Writes to rows that were one half of a decision, or were decided on without what is observed of the row.
        revised: Operations to send again without a refused field.
        clears: Observations that are dealt with.
        observations: Records that must be looked at again, joined with what is pending of them.
        older: Observations that stay, in the place of what is pending.
        kept_back: Fields and records kept back.
        unsure: Pair keys whose baselines must not move.
        released: Fields, and whole records, that are not kept back any more: entity, key and field.
        buried: Rows whose links are over.
        undecided: Collisions that were not carried out, by number.
        then: What else belongs to the transaction, unless there is something to send again.
    """

    links: dict[str, Link] = attrs.field(factory=dict[str, Link])
    sent_at: datetime | None
    proving: Collection[str] = ()
    standing: Mapping[str, Link]
    answers: list[Answer] = attrs.field(factory=list[Answer])
    twice: dict[int, Mapping[str, Agreed]] = attrs.field(factory=dict[int, Mapping[str, Agreed]])
    rows: list[Operation] = attrs.field(factory=list[Operation])
    revised: list[Operation] = attrs.field(factory=list[Operation])
    clears: list[tuple[System, str, str, int]] = attrs.field(factory=list[tuple[System, str, str, int]])
    observations: list[Observation] = attrs.field(factory=list[Observation])
    older: list[Observation] = attrs.field(factory=list[Observation])
    kept_back: list[Hold | Quarantined] = attrs.field(factory=list["Hold | Quarantined"])
    unsure: Collection[str] = ()
    released: list[tuple[AnyEntity, str, str | None]] = attrs.field(factory=list[tuple[AnyEntity, str, str | None]])
    buried: list[tuple[AnyEntity, str]] = attrs.field(factory=list[tuple[AnyEntity, str]])
    undecided: list[int] = attrs.field(factory=list[int])
    then: Callable[[], None] | None = None


def row_of(operation: Operation) -> str:
    """Return the Dynamics GUID of the operation's record."""
    return operation.key if operation.system is System.DYNAMICS else operation.other


def undecided(session: Session, kind: Kind, operation: Operation) -> list[int]:
    """Return the collisions that a write which came to nothing was to carry out.

    Without those that its other half carries out all the same, and those that an earlier write of the same run did.
    """
    half = session.store.operations_on(operation.run, operation.system.other, [operation.other]).get(operation.other)
    stands = half is not None and half.state in ("planned", "sent", "applied", "unknown")
    found = session.store.resolutions_of(operation.run, kind.entity, row_of(operation))
    return [
        number
        for number, item in found
        if _carries_out(kind, operation, item) and not (stands and half is not None and _writes(kind, half, item))
    ]


def _field_of(kind: Kind, system: System, resolution: Resolution) -> str | None:
    names = {pair.dynamics: pair.field_in(system) for pair in kind.pairs}
    return names.get(resolution.collision.field)


def _writes(kind: Kind, operation: Operation, resolution: Resolution) -> bool:
    return _field_of(kind, operation.system, resolution) in operation.after


def _carries_out(kind: Kind, operation: Operation, resolution: Resolution) -> bool:
    """Whether a write is over the value that a collision was about, or puts it back."""
    name = _field_of(kind, operation.system, resolution)
    if name is None or name not in operation.after:
        return False
    value = resolution.value(operation.system)
    return same(operation.before.get(name, MISSING), value) or same(operation.after[name], value)


def unfollowed(kind: Kind, operation: Operation) -> tuple[str, ...]:
    """Return the pairs that an operation writes and no baseline follows: somebody's edit, which is to be decided yet."""
    if operation.kind != "update":
        return ()
    pairs = kind.by_marketo if operation.system is System.MARKETO else kind.by_dynamics
    written = [pairs[name].key for name in operation.after if name in pairs]
    return tuple([key for key in written if key not in operation.awaited])


def written_twice(session: Session, kind: Kind, operation: Operation) -> Mapping[str, Agreed]:
    """Return what both systems have shown of the fields that an operation wrote and its other half had written before."""
    keys = unfollowed(kind, operation)
    if not keys:
        return {}
    half = session.store.operations_on(operation.run, operation.system.other, [operation.other]).get(operation.other)
    if half is None or half.state != "applied":
        return {}
    after = {operation.system: operation.after, half.system: half.after}
    pairs = [pair for pair in kind.pairs if pair.key in keys and pair.field_in(half.system) in half.after]
    return {
        pair.key: agreed_on(after[System.DYNAMICS][pair.dynamics], after[System.MARKETO][pair.marketo])
        for pair in pairs
    }


def proving(session: Session, kind: Kind, operations: Sequence[Operation]) -> Collection[str]:
    """Return the Marketo records whose evidence is not dealt with by the writes to their rows: it is proved anew."""
    dealt_with = {
        operation.other: max((clear[3] for clear in operation.step.clears if clear[0] is System.MARKETO), default=0)
        for operation in operations
        if operation.system is System.DYNAMICS and operation.step.confirms
    }
    if not dealt_with:
        return ()
    pending = session.store.observed(System.MARKETO, kind.object, dealt_with.keys())
    return [key for key, item in pending.items() if item.version > dealt_with[key]]


def unconfirmed(operation: Operation, link: Link, batch: Batch) -> Mapping[str, tuple[Echo, ...]]:
    """Return the link's writes that the evidence behind an operation has not confirmed, or is yet to confirm again."""
    confirmed = operation.step.confirms
    if not confirmed or (operation.system is System.DYNAMICS and operation.other in batch.proving):
        return link.echoes
    rest = {
        name: tuple(echo for place, echo in enumerate(waiting) if place not in confirmed.get(name, ()))
        for name, waiting in link.echoes.items()
    }
    return {name: waiting for name, waiting in rest.items() if waiting}
