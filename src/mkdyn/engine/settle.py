"""Settle: find out what became of writes whose answer never came.

What an interrupted run, or a lost answer, left as sent is read back before anything is
written to that record again. Whether it landed is a pure decision (`verdict`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from itertools import groupby
from typing import assert_never

import attrs

from mkdyn.domain.evidence import not_explained, reads_as
from mkdyn.domain.feeds import Evidence
from mkdyn.domain.outcomes import Applied
from mkdyn.domain.plan import Operation
from mkdyn.domain.records import Link, Record
from mkdyn.domain.systems import System
from mkdyn.domain.values import MISSING, same
from mkdyn.engine.commit import commit, drop
from mkdyn.engine.kinds import Kind
from mkdyn.engine.session import CHUNK, Session
from mkdyn.ports.store import Observation


@attrs.frozen(kw_only=True)
class Landed:
    """The write took effect.

    Attributes:
        doubtful: Written fields that show neither our value nor prove it: somebody may have changed them since,
            or they may never have been written.
    """

    doubtful: tuple[str, ...] = ()


@attrs.frozen
class Waiting:
    """It may still take effect: too early to say."""


@attrs.frozen
class NeverArrived:
    """It did not, and will not any more."""


Verdict = Landed | Waiting | NeverArrived


def verdict(operation: Operation, found: Record | None, *, evidence: Sequence[Evidence], overdue: bool) -> Verdict:
    """Decide what became of a write from what the record shows now.

    Args:
        operation: The write.
        found: The record as it is, or None if it can't be read.
        evidence: What Marketo's feed says of the record's fields since the write was decided on.
        overdue: Whether the system's time limit, and its feed's delay, have passed since it was sent.
    """
    later: Verdict = NeverArrived() if overdue else Waiting()
    if operation.kind == "create":
        return later if found is None else Landed(doubtful=_not_as_created(operation, found, evidence))
    if operation.kind == "delete":
        return Landed() if found is None else later
    if found is None:  # deleted, or out of sight for a while: nobody can say
        return Landed(doubtful=tuple(operation.after)) if overdue else Waiting()
    unproven = tuple(
        name
        for name, value in operation.after.items()
        if not same(found.values.get(name, MISSING), value)
        and not any(item.field == name and reads_as(item.new, value) for item in evidence)
    )
    if not unproven:
        return Landed()
    if operation.system is System.DYNAMICS:
        untouched = found.version is not None and found.version == operation.version
    else:
        changing = {name for name, value in operation.after.items() if not same(operation.before.get(name), value)}
        untouched = changing <= set(unproven) and all(
            same(found.values.get(name, MISSING), operation.before.get(name)) for name in changing
        )
    return later if untouched else Landed(doubtful=unproven)


def _not_as_created(operation: Operation, found: Record, evidence: Sequence[Evidence]) -> tuple[str, ...]:
    """Return the fields of a new record that neither show nor ever showed what it was given.

    A Marketo record is found by a key that anybody can enter: it may be somebody else's. A row's GUID is our own.
    """
    if operation.system is System.DYNAMICS:
        return ()
    return tuple(
        name
        for name, value in operation.after.items()
        if not same(found.values.get(name, value), value)
        and not any(
            item.field == name and (reads_as(item.old, value) or reads_as(item.new, value)) for item in evidence
        )
    )


async def settle(session: Session) -> None:
    """Settle every open write; those for which it is too early stay open, and their records untouched."""
    after, kinds = 0, {kind.name: kind for kind in session.kinds}
    while operations := session.store.unsettled(after=after, limit=CHUNK):
        after = operations[-1].id
        known = [operation for operation in operations if operation.entity.logical_name in kinds]
        ordered = sorted(known, key=lambda operation: (operation.system.value, operation.entity.logical_name))
        for (system, name), group in groupby(
            ordered, key=lambda operation: (operation.system, operation.entity.logical_name)
        ):
            await _settle_group(session, kinds[name], system, list(group))


async def _settle_group(session: Session, kind: Kind, system: System, operations: Sequence[Operation]) -> None:
    found = await _read_back(session, kind, system, operations)
    keys = {operation.key for operation in operations} | {record.key for record in found.values()}
    told = session.store.observed(system, kind.object_in(system), keys)
    rows = {operation.other for operation in operations if operation.kind == "update"}
    in_marketo = system is System.MARKETO and kind.person
    links = session.store.links([kind.name], System.DYNAMICS, rows) if in_marketo else dict[str, Link]()
    limit = timedelta(seconds=session.identities[system].settles_after_s)
    for operation in operations:
        record = found.get(operation.id)
        key = operation.key if record is None else record.key  # of who was created, too
        evidence: Sequence[Evidence] = told[key].evidence[operation.step.heard :] if key in told else ()
        if evidence and operation.other in links:  # an earlier write of the same value proves nothing of this one
            evidence = not_explained(evidence, links[operation.other].echoes)
        overdue = operation.sent_at is None or session.now() - operation.sent_at >= limit
        decided = verdict(operation, record, evidence=evidence, overdue=overdue)
        match decided:
            case Landed(doubtful=doubtful):
                _landed(session, kind, operation, record, doubtful)
            case NeverArrived():
                drop(session, kind, operation, "it never arrived")
            case Waiting():
                session.warn(f"{operation.kind} of a {kind.entity} in {system}: its answer was lost, asked again later")
            case _:
                assert_never(decided)


async def _read_back(
    session: Session, kind: Kind, system: System, operations: Sequence[Operation]
) -> Mapping[int, Record]:
    """Return the record that each operation wrote to, by the operation's number."""
    connector, name = session.connector(system), kind.object_in(system)
    by_field = kind.key_field if system is System.MARKETO else None
    created = [operation for operation in operations if operation.kind == "create" and by_field is not None]
    others = [operation for operation in operations if operation not in created]
    shown = await connector.read(
        name, {operation.key for operation in others}, fields=_with_written(session, kind, system, others)
    )
    found = {operation.id: shown[operation.key] for operation in others if operation.key in shown}
    if by_field is not None and created:
        records = await connector.find(
            name, by_field, {item.key for item in created}, fields=_with_written(session, kind, system, created)
        )
        by_key = {record.values.get(by_field): record for record in reversed(records)}
        found |= {operation.id: by_key[operation.key] for operation in created if operation.key in by_key}
    return found


def _with_written(session: Session, kind: Kind, system: System, operations: Sequence[Operation]) -> Sequence[str]:
    """Return the fields that sync and those that were written, flags of ours among them, as far as they are still there."""
    described = session.store.description(system, kind.object_in(system))
    written = {name for operation in operations for name in operation.after}
    there = written if described is None else {spec.name for spec in described.fields}
    return sorted({*kind.read_in(system), *(written & there)})


def _landed(session: Session, kind: Kind, operation: Operation, record: Record | None, doubtful: Sequence[str]) -> None:
    """Commit the write as applied, and have the record looked at: what else it shows is not known yet."""
    by_field = kind.by_marketo if operation.system is System.MARKETO else kind.by_dynamics
    unsure = tuple(by_field[name].key for name in doubtful if name in by_field)
    key = operation.key if record is None else record.key
    # A pair that was set aside meanwhile is not looked at: its baseline lags until it is back, unless it shows what we sent.
    arrived = _shown_as_sent(session, operation, record)
    awaited = {name: value for name, value in operation.awaited.items() if name in kind.keys or name in arrived}
    operation = attrs.evolve(operation, awaited=awaited)
    if unsure:
        operation = attrs.evolve(operation, step=attrs.evolve(operation.step, covers=False, clears=()))
    seen = [_observed_again(session, kind, operation, key, record, unsure)] if record is not None or unsure else []
    commit(session, kind, operation, Applied(key=key), unsure=unsure, seen=seen)


def _shown_as_sent(session: Session, operation: Operation, record: Record | None) -> Collection[str]:
    """Return the keys of all pairs, those set aside among them, that show what the operation wrote."""
    if record is None:
        return ()
    pairs = [item.pair for item in session.store.pairs() if item.pair.entity == operation.entity]
    fields = {pair.field_in(operation.system): pair.key for pair in pairs}
    return [
        fields[name]
        for name, value in operation.after.items()
        if name in fields and same(record.values.get(name, MISSING), value)
    ]


def _observed_again(
    session: Session, kind: Kind, operation: Operation, key: str, record: Record | None, doubtful: tuple[str, ...]
) -> Observation:
    """Return the record's observation, with the doubt: if that were kept later, a crash in between would lose it.

    The evidence that is pending stays, less what is laid aside with the answer.
    """
    system, name = operation.system, kind.object_in(operation.system)
    fresh = Observation(system=system, object=name, key=key)
    pending = session.store.observed(system, name, [key]).get(key, fresh)
    dealt_with = any(
        clear[:3] == (system, name, key) and pending.version <= clear[3] for clear in operation.step.clears
    )
    before = fresh if dealt_with else pending
    if system is System.MARKETO:
        record = None  # it may be decided in a later run; what lagged need not lag by then
    elif record is not None:
        synced = {field: value for field, value in record.values.items() if field in kind.read_in(system)}
        record = attrs.evolve(record, values=synced)
    return attrs.evolve(before, record=record, evidence=(), doubtful=(*before.doubtful, *doubtful))
