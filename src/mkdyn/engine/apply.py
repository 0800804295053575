"""Apply: send the plan in batches, to both systems at once, and commit each answer.

Just before a batch is written to Marketo its records are read: what has moved since it was
decided is decided again. Writes to Dynamics carry the row's version, for the same reason.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from itertools import groupby
from operator import attrgetter
from typing import assert_never

import anyio
import attrs

from mkdyn.domain.lifecycle import edited_since
from mkdyn.domain.outcomes import Applied, Create, Delete, Outcome, Stale, Unknown, Write, make_update
from mkdyn.domain.plan import Operation
from mkdyn.domain.records import Link, Record
from mkdyn.domain.systems import System
from mkdyn.domain.values import same
from mkdyn.engine.commit import commit_batch, moved
from mkdyn.engine.kinds import Kind
from mkdyn.engine.merging import fields_of_persons
from mkdyn.engine.session import Session
from mkdyn.engine.together import together
from mkdyn.engine.walk import waiting_fields
from mkdyn.errors import BudgetSpentError, ThrottledError, TransientError
from mkdyn.ports.observer import BackfillProgressed, BatchWritten
from mkdyn.ports.store import Observation


async def apply(session: Session) -> None:
    """Send everything that is planned; a spent budget, a closed door or the deadline ends it at a batch boundary."""
    totals: Mapping[str, int] = (
        session.store.totals(session.id) if session.observers else {}
    )  # for whom progress is counted
    await together(*(partial(_apply_to, session, system, _Progress(session, system, totals)) for system in System))


async def _apply_to(session: Session, system: System, progress: _Progress) -> None:
    line, kinds = _Line(session, system), {kind.name: kind for kind in session.kinds}
    while batch := line.take():
        try:
            await _apply_batch(session, kinds[batch[0].entity.logical_name], system, batch, line, progress)
        except (BudgetSpentError, ThrottledError) as error:
            session.paused = error.what
        except TransientError as error:
            session.paused = f"{system} did not answer: {error.what}"
        if session.out_of_time():
            session.paused = session.paused or "the deadline has passed"
        if session.paused is not None and not line.marked:
            return


async def _apply_batch(
    session: Session, kind: Kind, system: System, operations: Sequence[Operation], line: _Line, progress: _Progress
) -> None:
    """Send one batch; what is refused for one field is sent again without it, once for each field at the most."""
    merges: Sequence[Operation] = [operation for operation in operations if _is_merge(operation)]
    operations = [operation for operation in operations if not _is_merge(operation)]
    if system is System.MARKETO:
        operations = await _still_current(session, kind, operations)
    await _send_all(session, kind, system, operations, line, progress)
    if merges and session.paused is None:  # they come last: what they fill in depends on what was written before
        merges = await _still_to_merge(session, kind, merges)
        await _send_all(session, kind, system, merges, line, progress)


async def _send_all(
    session: Session, kind: Kind, system: System, operations: Sequence[Operation], line: _Line, progress: _Progress
) -> None:
    while operations:
        sent = operations
        line.mark(sent)
        sent_at = session.now()
        outcomes = await _send(session, kind, system, sent)
        operations = commit_batch(session, kind, sent, outcomes, sent_at=sent_at, then=line.mark_next)
        progress.tell(kind, sent, outcomes)


class _Line:
    """What is planned for one system and not sent yet.

    First everything but deletions, what others refer to before those; then the deletions, the other way round: when a
    record is deleted, those that referred to it name another one by now, or are gone.

    Attributes:
        marked: The next batch, if it is marked as sent already.
    """

    def __init__(self, session: Session, system: System) -> None:
        self._session, self._system, self._after = session, system, 0
        self._turns: list[str | None] = [None, *(kind.name for kind in reversed(session.kinds))]
        self.marked: Sequence[Operation] = ()

    def take(self) -> Sequence[Operation]:
        """Return the next batch, which is of one entity; nothing in the end."""
        return self.marked or self._read()

    def mark(self, operations: Sequence[Operation]) -> None:
        """Mark a batch as sent, before it is, unless that was done."""
        done, self.marked = self.marked, ()
        if not done:
            with self._session.store.transaction():
                self._mark(operations)

    def mark_next(self) -> None:
        """Mark the next batch in the transaction that keeps the answers to the last: the disk is waited for once.

        It leaves at once, whatever pauses the run meanwhile. What goes to Marketo is read before, so it is marked later.
        """
        session = self._session
        if self._system is System.DYNAMICS and session.paused is None and not session.out_of_time():
            self.marked = self._read()
            if self.marked:
                self._mark(self.marked)

    def _mark(self, operations: Sequence[Operation]) -> None:
        self._session.store.mark_sent([operation.id for operation in operations], self._session.now())

    def _read(self) -> Sequence[Operation]:
        while self._turns:
            while found := self._page():
                self._after = found[-1].id
                due = [operation for operation in found if _turn_of(operation) == self._turns[0]]
                for _, group in groupby(due, key=attrgetter("entity")):
                    batch = list(group)
                    self._after = batch[-1].id
                    return batch
            del self._turns[0]
            self._after = 0
        return ()

    def _page(self) -> Sequence[Operation]:
        return self._session.store.operations(
            self._session.id,
            after=self._after,
            limit=self._session.identities[self._system].batch_max,
            system=self._system,
            states=["planned"],
        )


def _turn_of(operation: Operation) -> str | None:
    """Return whose deletions an operation is one of; None if it is no deletion. A merge is none: it hands on."""
    return operation.entity.logical_name if operation.kind == "delete" and not _is_merge(operation) else None


async def _still_current(session: Session, kind: Kind, operations: Sequence[Operation]) -> Sequence[Operation]:
    """Read the records about to be updated; those that moved are stale, the others go on."""
    updates = [operation for operation in operations if operation.kind == "update"]
    if not updates:
        return operations
    fresh = await session.marketo.read(
        kind.object, [operation.key for operation in updates], fields=_needed(kind, updates)
    )
    stale = [operation for operation in updates if moved(operation, fresh.get(operation.key))]
    if not stale:
        return operations
    outcomes: list[Outcome] = [Stale(gone=operation.key not in fresh) for operation in stale]
    commit_batch(session, kind, stale, outcomes, fresh=_complete(kind, fresh))
    left = {operation.id for operation in stale}
    return [operation for operation in operations if operation.id not in left]


async def _still_to_merge(session: Session, kind: Kind, merges: Sequence[Operation]) -> Sequence[Operation]:
    """Put off merges of persons that were edited since, and into persons of which a field was emptied or filled since.

    Marketo would fill it in before we hear of it.
    """
    winners = [merge.step.into for merge in merges]
    keys = sorted({*winners, *(merge.key for merge in merges)})
    shown = await session.marketo.read(kind.object, keys, fields=fields_of_persons(session))
    links = session.store.links([other.name for other in session.persons], System.MARKETO, winners)
    early = [merge for merge in merges if _is_early(session, merge, shown, links.get(merge.step.into))]
    again = [Observation(system=System.MARKETO, object=kind.object, key=merge.step.into) for merge in early]
    session.put_off |= {merge.other for merge in early}
    if early:
        commit_batch(session, kind, early, [Stale()] * len(early), seen=again)
    return [merge for merge in merges if merge not in early]


def _is_early(session: Session, merge: Operation, shown: Mapping[str, Record], link: Link | None) -> bool:
    """Whether a merge would fill in what nobody has looked at, or a person whom nobody can look at."""
    loser, winner = shown.get(merge.key), shown.get(merge.step.into)
    if loser is None or any(not same(loser.values.get(name, value), value) for name, value in merge.before.items()):
        return True
    if link is None:
        return False
    if winner is None:
        return True
    kind = next(kind for kind in session.persons if kind.name == link.entity)
    held = waiting_fields(kind, System.MARKETO, session.store.kept_back([link.dynamics]).get(link.dynamics, ()))
    return bool(edited_since(kind.pairs, link.baseline, winner.values, merge.before) - set(held))


def _needed(kind: Kind, updates: Sequence[Operation]) -> Sequence[str]:
    """Return the fields to read: all that sync, and what the operations write beside them."""
    return sorted({*kind.marketo_fields, *(name for operation in updates for name in operation.after)})


def _complete(kind: Kind, fresh: Mapping[str, Record]) -> Mapping[str, Record]:
    """Return the records with the fields that sync, and no others."""
    wanted = set(kind.marketo_fields)
    return {
        key: attrs.evolve(record, values={name: value for name, value in record.values.items() if name in wanted})
        for key, record in fresh.items()
    }


def _is_merge(operation: Operation) -> bool:
    """Whether a person is merged into another one."""
    return bool(operation.step.into)


async def _send(session: Session, kind: Kind, system: System, operations: Sequence[Operation]) -> Sequence[Outcome]:
    if _is_merge(operations[0]):
        return [(await _answers(session, 1, partial(_merged, session, merge)))[0] for merge in operations]
    asked = [_as_write(kind, operation) for operation in operations]
    return await _answers(session, len(asked), lambda: session.connector(system).write(kind.object_in(system), asked))


async def _merged(session: Session, operation: Operation) -> Sequence[Outcome]:
    return [await session.marketo.merge(operation.step.into, [operation.key])]


async def _answers(session: Session, count: int, send: Callable[[], Awaitable[Sequence[Outcome]]]) -> Sequence[Outcome]:
    """Return the answers to a call, whatever became of it."""
    try:
        return await send()
    except (BudgetSpentError, ThrottledError) as error:
        session.paused = error.what  # refused before anything was done: planned again, later
        return [Stale()] * count
    except TransientError as error:
        return [Unknown(reason=error.what)] * count


def _as_write(kind: Kind, operation: Operation) -> Write:
    match operation.kind:
        case "create":
            by = kind.key_field if operation.system is System.MARKETO else None
            return Create(key=operation.key, values=operation.after, by=by)
        case "update":
            version = operation.version if operation.system is System.DYNAMICS else None
            return make_update(key=operation.key, values=operation.after, version=version)
        case "delete":
            return Delete(key=operation.key)
        case _:
            assert_never(operation.kind)


class _Progress:
    """Tells observers how far one system's writes have come."""

    def __init__(self, session: Session, system: System, totals: Mapping[str, int]) -> None:
        self._session, self._system, self._done, self._began = session, system, 0, anyio.current_time()
        self._before = sum(count for name, count in totals.items() if name == f"{system.value}:update:applied")
        self._total = sum(
            count for name, count in totals.items() if name.startswith(f"{system.value}:") and name.endswith(":planned")
        )

    def tell(self, kind: Kind, operations: Sequence[Operation], outcomes: Sequence[Outcome]) -> None:
        self._done += len(operations)
        if not self._session.observers:
            return
        self._session.tell(
            BatchWritten(
                run_id=self._session.id,
                system=self._system,
                object=kind.object_in(self._system),
                operations=len(operations),
                applied=sum(isinstance(outcome, Applied) for outcome in outcomes),
                done=self._done,
                total=max(self._total, self._done),
            )
        )
        if self._session.purpose == "backfill" and self._system is System.MARKETO:
            self._tell_backfill()

    def _tell_backfill(self) -> None:
        seconds = anyio.current_time() - self._began
        left = max(self._total - self._done, 0)
        self._session.tell(
            BackfillProgressed(
                run_id=self._session.id,
                done=self._before + self._done,
                total=self._before + self._total,
                seconds_left=seconds / self._done * left,
            )
        )
