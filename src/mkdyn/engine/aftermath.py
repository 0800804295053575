"""What is left to be awaited, or looked at again, once a write is committed: its own echo, and older observations."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

import attrs

from mkdyn.domain.feeds import Evidence
from mkdyn.domain.plan import Operation
from mkdyn.domain.records import Echo, Link, make_echo
from mkdyn.domain.systems import System
from mkdyn.domain.values import same
from mkdyn.engine.batch import Batch, unconfirmed, unfollowed
from mkdyn.engine.kinds import Kind
from mkdyn.engine.session import Session
from mkdyn.ports.store import Observation

#: How many unconfirmed writes of one field are remembered.
ECHOES_MAX = 5


def echoing(
    kind: Kind, operation: Operation, link: Link, batch: Batch, *, found: bool
) -> Mapping[str, tuple[Echo, ...]]:
    """Return the link's unconfirmed writes with this one: Marketo's feed will show it as if anybody had made it."""
    known = unconfirmed(operation, link, batch)
    if operation.system is System.DYNAMICS or not kind.person or (operation.kind == "create" and not found):
        return known
    at = batch.sent_at or operation.sent_at
    return _with_echoes(kind, operation, known, at, unsure=batch.unsure, found=found)


def await_late(session: Session, kind: Kind, operation: Operation) -> None:
    """Keep in mind a write to a person that was given up: it may have arrived, and somebody may have undone it since.

    Not of fields of which evidence is pending: that is from before, and would be taken for what the write did.
    """
    if (
        operation.system is System.DYNAMICS
        or not kind.person
        or operation.kind != "update"
        or operation.sent_at is None
    ):
        return
    link = session.store.links([kind.name], System.DYNAMICS, [operation.other]).get(operation.other)
    if link is None:
        return
    pending = session.store.observed(System.MARKETO, kind.object, [operation.key]).get(operation.key)
    named = {item.field for item in pending.evidence} if pending is not None else set[str]()
    unheard = {name: value for name, value in operation.after.items() if name not in named}
    echoes = _with_echoes(
        kind, attrs.evolve(operation, after=unheard), link.echoes, operation.sent_at, unsure=kind.keys
    )
    session.store.put_links([attrs.evolve(link, echoes=echoes)])


def _with_echoes(
    kind: Kind,
    operation: Operation,
    known: Mapping[str, tuple[Echo, ...]],
    at: datetime | None,
    *,
    unsure: Collection[str],
    found: bool = False,
) -> Mapping[str, tuple[Echo, ...]]:
    echoes = dict(known)
    for name, after in operation.after.items():
        before = after if found else operation.before.get(name)
        if name in kind.by_marketo and (found or not same(before, after)):
            sure = kind.by_marketo[name].key not in unsure
            echo = make_echo(before=before, after=after, at=at, sure=sure)
            echoes[name] = (*echoes.get(name, ()), echo)[-ECHOES_MAX:]
    return echoes


def lay_evidence_aside(session: Session, kind: Kind, operations: Sequence[Operation], batch: Batch) -> None:
    """Take evidence that is older than a write out of observations that stay: it proves nothing of that write.

    Where the answer came at once, that is all there is of what was written; else what the decision had heard.
    """
    applied = {answer.operation for answer in batch.answers if answer.state == "applied"}
    written = {item.key: item for item in operations if item.id in applied and item.system is System.MARKETO}
    for key, pending in session.store.observed(System.MARKETO, kind.object, written.keys()).items():
        evidence = _newer(written[key], pending.evidence, at_once=batch.sent_at is not None)
        stays = (pending.system, pending.object, pending.key, pending.version) not in batch.clears
        if stays and not pending.deleted:
            batch.older.append(attrs.evolve(pending, record=None, evidence=evidence))


def _newer(operation: Operation, evidence: Sequence[Evidence], *, at_once: bool) -> tuple[Evidence, ...]:
    """Return the evidence that an applied write leaves to be decided on."""
    step = operation.step
    heard = len(evidence) if at_once else step.heard
    told = not at_once and (bool(step.confirms) or step.deals_with(System.MARKETO))
    return tuple(
        item
        for place, item in enumerate(evidence)
        if place >= heard or (item.field not in operation.after and not told)
    )


def read_anew(session: Session, kind: Kind, batch: Batch) -> None:
    """Have rows read once more of which something was observed that was not decided on: that is from before our write.

    So is the person where a write was one half of a decision: the other half may not come to be sent. A field that is
    written to both moves no baseline before both are: it is in doubt until then, or until both show the same.
    """
    if not batch.rows:
        return
    observed = session.store.observed(System.DYNAMICS, kind.name, [operation.key for operation in batch.rows])
    for operation in batch.rows:
        twice = tuple([key for key in unfollowed(kind, operation) if key not in batch.twice.get(operation.id, ())])
        if not operation.step.covers and (twice or operation.step.deals_with(System.MARKETO)):
            batch.observations.append(
                Observation(system=System.MARKETO, object=kind.object, key=operation.other, doubtful=twice)
            )
        pending = observed.get(operation.key)
        if pending is None or pending.record is None or pending.deleted:
            continue
        if (pending.system, pending.object, pending.key, pending.version) not in operation.step.clears:
            batch.observations.append(attrs.evolve(pending, record=None))


def lift_doubts(session: Session, kind: Kind, operations: Sequence[Operation], batch: Batch) -> None:
    """Let a field be in doubt no more once it was written anew, whichever observation that stays says so.

    Each half of a decision clears what was observed of one record, and what is left of the other goes on with its
    doubt. What is merely read back may be somebody's own: there it stays.
    """
    if batch.sent_at is None:
        return
    applied = {answer.operation for answer in batch.answers if answer.state == "applied"}
    halves = [item for item in operations if item.id in applied and item.kind == "update" and not item.step.covers]
    for system in System if halves else ():
        written = {
            item.key if item.system is system else item.other: item.awaited.keys() | batch.twice.get(item.id, {}).keys()
            for item in halves
        }
        for key, pending in session.store.observed(system, kind.object_in(system), written.keys()).items():
            if over := written[key] & set(pending.doubtful):
                _lift(batch, pending, over)


def _lift(batch: Batch, pending: Observation, over: Collection[str]) -> None:
    """Take a doubt that is over out of an observation, and out of what takes its place."""
    place = (pending.system, pending.object, pending.key)
    stays = (*place, pending.version) not in batch.clears
    if stays and all((item.system, item.object, item.key) != place for item in batch.older):
        batch.older.append(pending)
    for kept in (batch.older, batch.observations):
        kept[:] = [
            attrs.evolve(item, doubtful=tuple(key for key in item.doubtful if key not in over))
            if (item.system, item.object, item.key) == place
            else item
            for item in kept
        ]
