"""Commit: remember what was answered. The baseline may lag, it never leads.

Baselines move field by field, only after the answer, together with the link, the journal
and the observations that are dealt with, in one transaction for a batch.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import assert_never

import attrs

from mkdyn.domain.holds import Hold
from mkdyn.domain.outcomes import Applied, Outcome, Rejected, Stale, Unknown
from mkdyn.domain.plan import Operation
from mkdyn.domain.records import Agreed, Link, LinkState, Record, change_link, make_moved
from mkdyn.domain.systems import System
from mkdyn.domain.values import MISSING, Shown, same
from mkdyn.engine.aftermath import await_late, echoing, lay_evidence_aside, lift_doubts, read_anew
from mkdyn.engine.batch import Batch, proving, row_of, undecided, unfollowed, written_twice
from mkdyn.engine.claims import claimed_twice
from mkdyn.engine.feeds import observe
from mkdyn.engine.kinds import Kind
from mkdyn.engine.merging import note_merge
from mkdyn.engine.refusals import bury, rejected, stale
from mkdyn.engine.session import Session
from mkdyn.ports.store import Answer, Observation, make_answer


def commit(
    session: Session,
    kind: Kind,
    operation: Operation,
    outcome: Outcome,
    *,
    unsure: Collection[str] = (),
    seen: Sequence[Observation] = (),
) -> None:
    """Remember the answer to one operation; see `commit_batch`."""
    commit_batch(session, kind, [operation], [outcome], unsure=unsure, seen=seen)


def commit_batch(
    session: Session,
    kind: Kind,
    operations: Sequence[Operation],
    outcomes: Sequence[Outcome],
    *,
    sent_at: datetime | None = None,
    fresh: Mapping[str, Record] | None = None,
    unsure: Collection[str] = (),
    seen: Sequence[Observation] = (),
    then: Callable[[], None] | None = None,
) -> Sequence[Operation]:
    """Remember the answers to a batch; return the operations to send again without a refused field.

    Args:
        session: The run.
        kind: Whose records.
        operations: What was sent.
        outcomes: One answer each.
        sent_at: When it was sent, if the answers came at once: all evidence there is was there before the write then.
            Else each operation knows.
        fresh: Marketo records as they were read just before, where that is why an operation is stale.
        unsure: Pair keys whose baselines must not move, because nobody knows who wrote what shows now.
        seen: Observations to be kept with the answers, in the place of others of the same records.
        then: What else belongs to the transaction, unless there is something to send again.
    """
    rows = {row_of(operation) for operation in operations}
    known = session.store.links([kind.name], System.DYNAMICS, rows)
    batch = Batch(
        sent_at=sent_at,
        unsure=unsure,
        proving=proving(session, kind, operations),
        standing=_standing(session, kind, operations, known),
        then=then,
    )
    for operation, outcome in zip(operations, outcomes, strict=True):
        row = row_of(operation)
        link = batch.links.get(row) or known.get(row)
        match outcome:
            case Applied() if link is not None and _was_buried_since(operation, link):  # it brings nobody back
                batch.answers.append(Answer(operation=operation.id, state="applied"))
                batch.clears += operation.step.clears
            case Applied():
                _applied(session, kind, operation, outcome, link, batch)
            case Rejected():
                rejected(session, kind, operation, outcome, link, batch)
            case Stale():
                gone = outcome.gone and not operation.step.into  # there, it is the other person that is gone
                if gone and operation.step.state in (LinkState.TOMBSTONE, LinkState.FROZEN) and link is not None:
                    bury(session, operation, link, batch)
                else:
                    stale(session, kind, operation, batch, (fresh or {}).get(operation.key))
            case Unknown(reason=reason):
                batch.answers.append(Answer(operation=operation.id, state="unknown", detail=reason))
            case _:
                assert_never(outcome)
    _release(session, kind, operations, batch)
    read_anew(session, kind, batch)
    batch.observations += seen
    lay_evidence_aside(session, kind, operations, batch)
    lift_doubts(session, kind, operations, batch)
    _keep(session, batch)
    return batch.revised


def drop(session: Session, kind: Kind, operation: Operation, why: str) -> None:
    """Note that an operation never took effect; its record is decided anew from what is still observed.

    One of a backfill is planned as before: its plan outlives the runs in between.
    """
    name = kind.object_in(operation.system)
    row = session.store.run(operation.run)
    if row is not None and row.purpose == "backfill":
        with session.store.transaction():
            session.store.revise(attrs.evolve(operation, state="planned", detail=why))
        return
    with session.store.transaction():
        session.store.answer([Answer(operation=operation.id, state="dropped", detail=why)])
        session.store.drop_resolutions(undecided(session, kind, operation))
        if operation.link and not session.store.observed(operation.system, name, [operation.key]):
            session.store.observe([Observation(system=operation.system, object=name, key=operation.key)])
        await_late(session, kind, operation)


def _keep(session: Session, batch: Batch) -> None:
    store = session.store
    with store.transaction():
        store.put_links(list(batch.links.values()))
        store.answer(batch.answers)
        for operation in batch.revised:
            store.revise(operation)
        store.release_record(batch.buried)
        store.release(batch.released)
        store.hold(session.id, batch.kept_back)
        store.drop_resolutions(batch.undecided)
        store.clear(batch.clears)
        store.observe(batch.older)
        observe(session, batch.observations)
        if batch.then is not None and not batch.revised:
            batch.then()


def _applied(
    session: Session, kind: Kind, operation: Operation, outcome: Applied, link: Link | None, batch: Batch
) -> None:
    step = operation.step
    batch.answers.append(make_answer(operation=operation.id, state="applied"))
    batch.clears += step.clears
    if link is None or (link.state is LinkState.TOMBSTONE and _is_of_others(operation, link)):
        link = _new_link(kind, operation, outcome)
        sure = link.origin == "created" and batch.sent_at is not None and not outcome.found
        if not sure and _is_taken(session, kind, link, batch):
            batch.kept_back.append(claimed_twice(kind, link))
            return
    if step.state in (LinkState.TOMBSTONE, LinkState.FROZEN):
        batch.buried.append((kind.entity, link.dynamics))
    elif link.state is LinkState.TOMBSTONE:  # revived: what was held is no agreement
        if _is_taken(session, kind, link, batch):
            batch.kept_back.append(claimed_twice(kind, link))
            return
        link = attrs.evolve(link, baseline=kind.agreeing(link.baseline), echoes={})
    awaited = _awaited(session, kind, operation, batch)
    version = None
    if step.covers and not outcome.found:
        version = outcome.version if operation.system is System.DYNAMICS else operation.version
    batch.links[link.dynamics] = change_link(
        link,
        baseline=link.baseline if outcome.found else make_moved(link.baseline, {**step.agreed, **awaited}),
        echoes=echoing(kind, operation, link, batch, found=outcome.found),
        version=version,
        state=step.state,
        gone=step.gone,
        since=None if step.gone is None else session.started_at,
    )
    if step.into:
        note_merge(session, operation, batch)
    if (
        operation.system is System.DYNAMICS
        and operation.kind == "update"
        and not (step.covers and step.deals_with(System.DYNAMICS))
    ):
        batch.rows.append(operation)
    if operation.system is System.MARKETO and unfollowed(kind, operation):
        batch.observations.append(Observation(system=System.MARKETO, object=kind.object, key=link.marketo))
    if outcome.found or (operation.kind == "create" and operation.system is System.DYNAMICS):
        _look_again(session, kind, link, batch)


def _awaited(session: Session, kind: Kind, operation: Operation, batch: Batch) -> Mapping[str, Agreed]:
    """Return the baselines that an applied write moves, without those of which nobody knows who wrote what shows."""
    awaited = operation.awaited
    if not operation.step.covers and batch.sent_at is not None:
        batch.twice[operation.id] = twice = written_twice(session, kind, operation)
        awaited = {**awaited, **twice}
    return {key: value for key, value in awaited.items() if key not in batch.unsure} if batch.unsure else awaited


def _was_buried_since(operation: Operation, link: Link) -> bool:
    """Whether a link has become a tombstone while a write was on its way."""
    if link.state is not LinkState.TOMBSTONE or link.since is None or operation.sent_at is None:
        return False
    return operation.kind == "update" and link.since > operation.sent_at


def _is_of_others(operation: Operation, link: Link) -> bool:
    """Whether a row that was parted from its person is linked with another one by an operation."""
    person = operation.key if operation.system is System.MARKETO else operation.other
    return operation.kind == "create" or person != link.marketo


def _release(session: Session, kind: Kind, operations: Sequence[Operation], batch: Batch) -> None:
    """Keep nothing back any more that was written after all."""
    done = {answer.operation for answer in batch.answers if answer.state == "applied"}
    written = {row_of(operation): operation.awaited for operation in operations if operation.id in done}
    for row, items in session.store.kept_back(written.keys()).items():
        fields = {pair.dynamics for pair in kind.pairs if pair.key in written[row]}
        batch.released += [
            (item.entity, item.key, item.field if isinstance(item, Hold) else None)
            for item in items
            if not isinstance(item, Hold) or item.field in fields
        ]


def _standing(
    session: Session, kind: Kind, operations: Sequence[Operation], known: Mapping[str, Link]
) -> Mapping[str, Link]:
    """Return the links that persons about to be linked are in already, by person."""
    persons = [
        operation.key if operation.system is System.MARKETO else operation.other
        for operation in operations
        if operation.step.origin != "created"
        and (
            operation.kind == "create"
            or row_of(operation) not in known
            or known[row_of(operation)].state is LinkState.TOMBSTONE
        )
    ]
    names = [other.name for other in session.kinds if other.object == kind.object]
    return session.store.links(names, System.MARKETO, persons) if persons else {}


def _is_taken(session: Session, kind: Kind, link: Link, batch: Batch) -> bool:
    """Whether the person is in another link by now: no record is in two, whoever was first."""
    standing = batch.standing.get(link.marketo)
    if link.origin == "created":  # it was found, which nobody expected
        names = [other.name for other in session.kinds if other.object == kind.object]
        standing = session.store.links(names, System.MARKETO, [link.marketo]).get(link.marketo)
    others = [*batch.links.values(), *([standing] if standing is not None else [])]
    return any(
        other.marketo == link.marketo and other.dynamics != link.dynamics and other.state is not LinkState.TOMBSTONE
        for other in others
    )


def _new_link(kind: Kind, operation: Operation, outcome: Applied) -> Link:
    in_dynamics = operation.system is System.DYNAMICS
    return Link(
        entity=kind.name,
        dynamics=outcome.key if in_dynamics else operation.other,
        marketo=operation.other if in_dynamics else outcome.key,
        origin=operation.step.origin,
        attempt=operation.attempt,
    )


def _look_again(session: Session, kind: Kind, link: Link, batch: Batch) -> None:
    """Have a link merged once more in this run: it was found, not made, or its person needs the new row's GUID."""
    session.again = True
    batch.observations.append(Observation(system=System.DYNAMICS, object=kind.name, key=link.dynamics))
    batch.observations.append(Observation(system=System.MARKETO, object=kind.object, key=link.marketo))


def moved(operation: Operation, shown: Record | None) -> bool:
    """Whether a Marketo record is not what the operation was decided on, in the fields it writes."""
    if shown is None:
        return True
    for name, before in operation.before.items():
        now: Shown = shown.values.get(name, MISSING)
        if now is not MISSING and not same(now, before) and not same(now, operation.after.get(name)):
            return True
    return False
