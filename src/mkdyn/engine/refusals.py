"""What is remembered of a write that did not take effect: refused by its system, or stale."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import attrs

from mkdyn.domain.holds import Hold, Quarantined, Wake
from mkdyn.domain.lifecycle import REFUSE
from mkdyn.domain.outcomes import Rejected
from mkdyn.domain.plan import Operation, OperationState, Step
from mkdyn.domain.records import Link, LinkState, Moved, Record
from mkdyn.domain.systems import System
from mkdyn.domain.values import fingerprint
from mkdyn.engine.batch import Batch, row_of, unconfirmed, undecided, unfollowed
from mkdyn.engine.kinds import Kind
from mkdyn.engine.references import awaited_row
from mkdyn.engine.session import Session
from mkdyn.ports.store import Answer, Observation


def rejected(
    session: Session, kind: Kind, operation: Operation, outcome: Rejected, link: Link | None, batch: Batch
) -> None:
    """Hold the field to blame and send the rest again, or set the whole record aside."""
    pairs = kind.by_marketo if operation.system is System.MARKETO else kind.by_dynamics
    pair = pairs.get(outcome.field or "")
    rest = {name: value for name, value in operation.after.items() if name != outcome.field}
    named = pair is not None and outcome.field in operation.after and outcome.field != kind.key_field
    asked = REFUSE(named, bool(rest), operation.system is System.DYNAMICS and operation.kind == "update")
    if asked == "set the record aside":
        batch.kept_back.append(_set_aside(session, kind, operation, outcome))
    elif asked == "hold what was sent" or pair is None:
        batch.kept_back += _held(session, kind, operation, outcome)
    else:
        awaits = awaited_row(session, kind, operation, pair)
        way_out = "It is sent again when that record is linked" if awaits else f"Change it in {operation.system.other}"
        batch.kept_back.append(
            Hold(
                entity=kind.entity, key=row_of(operation), field=pair.dynamics, code=outcome.code,
                reason=f"{operation.system} refused it: {outcome.message.rstrip('.')}. {way_out}.",
                wake=Wake.LINK if awaits else Wake.EDIT,
                awaits=awaits,
                refused=fingerprint(operation.after[pair.marketo if operation.system is System.MARKETO else pair.dynamics]),
            )
        )  # fmt: skip
        if asked == "hold the field, send the rest":
            awaited = {key: value for key, value in operation.awaited.items() if key != pair.key}
            step = attrs.evolve(_proving(kind, operation), covers=False)
            batch.revised.append(
                attrs.evolve(operation, after=rest, awaited=awaited, step=step, state="planned", detail=outcome.code)
            )
            return
    state: OperationState = "rejected"
    batch.answers.append(Answer(operation=operation.id, state=state, detail=f"{outcome.code}: {outcome.message}"))
    step = _proving(kind, operation)
    batch.clears += step.clears
    twice = unfollowed(kind, operation) if operation.system is System.DYNAMICS else ()
    if twice:  # Marketo may have its half, and not show it yet: what shows there is no agreement
        batch.observations.append(
            Observation(system=System.MARKETO, object=kind.object, key=operation.other, doubtful=twice)
        )
    if link is not None:
        link = attrs.evolve(
            link,
            version=None,
            baseline=Moved(link.baseline, step.agreed),
            echoes=unconfirmed(attrs.evolve(operation, step=step), link, batch),
        )
        if _is_farewell(operation):  # it is looked for again: who still refers to it may not by then
            link = attrs.evolve(link, state=LinkState.SUSPENDED, gone=operation.step.gone, since=session.started_at)
        elif operation.step.gone is not None:  # the row is gone all the same
            link = attrs.evolve(link, state=operation.step.state, gone=operation.step.gone, since=session.started_at)
        elif link.state in (LinkState.FROZEN, LinkState.SUSPENDED) and operation.step.state is LinkState.LIVE:
            link = attrs.evolve(link, state=LinkState.LIVE, gone=None, since=None)  # it is back all the same
        batch.links[link.dynamics] = link


def _proving(kind: Kind, operation: Operation) -> Step:
    """Return what follows from a refused write: an edit that could not be put back is still to be proved to Dynamics."""
    step = operation.step
    if operation.system is System.DYNAMICS or not unfollowed(kind, operation):
        return step
    return attrs.evolve(step, clears=tuple(clear for clear in step.clears if clear[0] is System.DYNAMICS), confirms={})


def _held(session: Session, kind: Kind, operation: Operation, outcome: Rejected) -> Sequence[Hold]:
    """Hold every field of a write to a row that may not be written now, whatever is in it: nobody tells of a right."""
    until = session.started_at + timedelta(days=session.rules.watch_days)
    return [
        Hold(
            entity=kind.entity, key=operation.key, field=name, code=outcome.code, wake=Wake.DATE, until=until,
            reason=f"Dynamics refused to update it: {outcome.message.rstrip('.')}. "
            f"It is tried again when the row changes, or after {until:%Y-%m-%d}.",
        )
        for name in operation.after
    ]  # fmt: skip


def _is_farewell(operation: Operation) -> bool:
    """Whether an operation deletes the record of a row that was deleted."""
    return operation.kind == "delete" and operation.step.gone is System.DYNAMICS and not operation.step.into


def _set_aside(session: Session, kind: Kind, operation: Operation, outcome: Rejected) -> Quarantined:
    reason = f"{operation.system} refused to {operation.kind} it: {outcome.message}"
    if not _is_farewell(operation):
        return Quarantined(entity=kind.entity, key=row_of(operation), code=outcome.code, reason=reason)
    until = session.started_at + timedelta(days=session.rules.watch_days)
    return Quarantined(
        entity=kind.entity, key=row_of(operation), code=outcome.code, wake=Wake.DATE, until=until,
        reason=f"{reason.rstrip('.')}. It is tried again after {until:%Y-%m-%d}, or delete it yourself.",
    )  # fmt: skip


def bury(session: Session, operation: Operation, link: Link, batch: Batch) -> None:
    """Part from a record whose person can't be flagged any more: it is gone, or nobody may read it."""
    batch.answers.append(Answer(operation=operation.id, state="stale"))
    batch.clears += operation.step.clears
    batch.buried.append((operation.entity, link.dynamics))
    batch.links[link.dynamics] = attrs.evolve(
        link, version=None, state=operation.step.state, gone=operation.step.gone, since=session.started_at
    )


def stale(session: Session, kind: Kind, operation: Operation, batch: Batch, fresh: Record | None) -> None:
    """Have the record decided anew, from what it shows now."""
    session.again = True
    batch.answers.append(Answer(operation=operation.id, state="stale"))
    batch.undecided += undecided(session, kind, operation)
    name = kind.object_in(operation.system)
    pending = session.store.observed(operation.system, name, [operation.key]).get(operation.key)
    before = pending or Observation(system=operation.system, object=name, key=operation.key)
    # Of what is written to both, Marketo may have its half: the baseline is older than that.
    twice = unfollowed(kind, operation) if operation.system is System.DYNAMICS else ()
    batch.observations.append(attrs.evolve(before, record=fresh, doubtful=(*before.doubtful, *twice)))
