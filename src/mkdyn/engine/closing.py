"""How a run is stopped before it sends, and how it ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import anyio
import attrs

from mkdyn.domain.fields import FieldPair, PairState
from mkdyn.domain.systems import System
from mkdyn.engine.feeds import feed_name
from mkdyn.engine.gone import remember_gone
from mkdyn.engine.ledger import sent
from mkdyn.engine.marks import backfill_mark, is_carried_out
from mkdyn.engine.report import Excerpts, Report, count
from mkdyn.engine.session import CHUNK, Session
from mkdyn.errors import GuardError
from mkdyn.ports.observer import Planned, RunFinished
from mkdyn.ports.store import RunEnd, SelectedPair


def guard(session: Session) -> None:
    """Stop a plan that looks like an accident, before anything of it is sent.

    Raises:
        GuardError: It does, and nobody accepted that.
    """
    if session.observers:
        totals = session.store.totals(session.id)
        session.tell(
            Planned(
                run_id=session.id,
                operations=sum(value for name, value in totals.items() if name.endswith(":planned")),
                collisions=totals["collisions"],
            )
        )
    found = [breach for breach in session.breaches() if breach.guard not in session.accepted]
    session.tallies.clear()
    remember_gone(session, found)
    if not found:
        return
    before = sent(session.store.totals(session.id))
    already = f"{before:,} writes were sent before, nothing since." if before else "Nothing was sent."
    accept = ", ".join(dict.fromkeys(f"Guard.{breach.guard.name}" for breach in found))
    raise GuardError(
        f"plan {session.id} {'; '.join(str(breach) for breach in found)}. {already}",
        what_to_do=f"Read it: sync.journal.operations({session.id}). If it is right: sync.apply({session.id}, accept={{{accept}}}).",
        plan=session.id,
        breaches=tuple(found),
    )


def close(session: Session) -> Report:
    """End a run or plan in the journal, and tell what it did."""
    whole = session.sends and session.paused is None and session.keys is None and not session.limited
    activated = _activate(session) if whole else ()
    store, found = session.store, Excerpts(session.store, session.id)
    seconds = anyio.current_time() - session.began
    report = Report(
        id=session.id,
        purpose=session.purpose,
        ended=_ended(session, found.totals),
        seconds=seconds,
        calls={System.MARKETO: session.marketo.calls, System.DYNAMICS: session.dynamics.calls},
        observed=session.observed,
        counts=count(found.totals, states=["applied"]),
        operations=found.operations,
        collisions=found.collisions,
        holds=found.holds,
        quarantined=found.quarantined,
        matches=session.match_report(),
        schema_changes=tuple(session.schema_changes),
        moves=dict(session.moves),
        activated=activated,
        warnings=tuple(session.warnings),
    )
    facts = {
        "seconds": seconds,
        "observed": session.observed,
        "calls": {system.value: calls for system, calls in report.calls.items()},
        "warnings": list(session.warnings),
    }
    with store.transaction():
        store.end_run(session.id, session.now(), report.ended if session.sends else "planned", facts)
    session.tell(
        RunFinished(
            run_id=session.id,
            ended=report.ended,
            seconds=seconds,
            to_marketo=report.counts[System.MARKETO].total,
            to_dynamics=report.counts[System.DYNAMICS].total,
            marketo_calls=session.marketo.calls,
            dynamics_calls=session.dynamics.calls,
        )
    )
    return report


def _ended(session: Session, totals: Mapping[str, int]) -> RunEnd:
    if session.paused is not None:
        return "out-of-time" if session.out_of_time() else "paused"
    kept = totals["holds"] + totals["quarantined"]
    open_writes = sum(value for name, value in totals.items() if name.rsplit(":", 1)[-1] in ("unknown", "sent"))
    return "warnings" if kept or open_writes or session.warnings or session.left or session.again else "done"


def _is_refreshed(session: Session, pair: FieldPair) -> bool:
    """Whether every row has been read with the pair's column, and nothing of its table is left to decide or settle.

    A merge that was put off does not count: the edit that it waits for may wait for the end of this.
    """
    store, name = session.store, pair.entity.logical_name
    feed = feed_name(System.DYNAMICS, name)
    columns = store.cursor(f"{feed}:columns")
    undecided = store.observations(System.DYNAMICS, name, after=0, limit=len(session.put_off) + 1)
    detours = [store.cursor(f"{feed}:{detour}") for detour in ("renew", "before", "expired")]
    return (
        columns is not None
        and pair.dynamics in columns.token.split(",")
        and not any(detours)
        and all(row.key in session.put_off for row in undecided)
        and all(operation.entity != pair.entity for operation in store.unsettled(after=0, limit=CHUNK))
    )


def _activate(session: Session) -> Sequence[FieldPair]:
    """Let newly selected pairs go both ways, now that every row has been carried over, or all that were asked for.

    Returns:
        The pairs that do from now on.
    """
    store, ready, over = session.store, list[SelectedPair](), list[str]()
    for item in store.pairs():
        pair, mark = item.pair, store.cursor(backfill_mark(item.pair))
        if mark is not None:
            plan, _, span = mark.token.partition(" ")
            if not is_carried_out(store, int(plan)):
                continue
            over.append(backfill_mark(pair))
            late = pair.late or (span != ".." and pair.state is PairState.BACKFILLING)
            pair = attrs.evolve(pair, late=late)
        elif pair.state is PairState.BACKFILLING and not _is_refreshed(session, pair):
            continue
        if pair.state is PairState.BACKFILLING:
            ready.append(attrs.evolve(item, pair=attrs.evolve(pair, state=PairState.ACTIVE)))
    if ready or over:
        with store.transaction():
            store.put_pairs(ready)
            for name in over:
                store.set_cursor(name, None)
    return tuple(item.pair for item in ready)
