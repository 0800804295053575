"""Backfill: refresh chosen fields Dynamics → Marketo, for all linked records or those of some days (quick sync).

A backfill is a plan first: links are walked page by page, both systems read, and what
Marketo is to show is stored. Carrying it out sends what is left of the plan, so that it
can be interrupted anywhere. Only when nothing is left do the pairs go both ways.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

import anyio
import attrs

from mkdyn.domain.backfill import Span
from mkdyn.domain.counts import Estimate
from mkdyn.domain.feeds import Cursor
from mkdyn.domain.fields import FieldPair, PairState
from mkdyn.domain.merger import Merger
from mkdyn.domain.plan import Operation, Step
from mkdyn.domain.records import Link, Moved, Record
from mkdyn.domain.systems import System
from mkdyn.domain.values import MISSING, Values
from mkdyn.engine.amending import keep_refused
from mkdyn.engine.apply import apply
from mkdyn.engine.closing import guard
from mkdyn.engine.entries import read_entries_of_persons
from mkdyn.engine.feeds import feed_name
from mkdyn.engine.kinds import Kind
from mkdyn.engine.ledger import Ledger, count_write
from mkdyn.engine.marks import apart_mark, backfill_mark, refreshed_apart
from mkdyn.engine.references import refer_merged
from mkdyn.engine.session import CHUNK, Session
from mkdyn.engine.settle import settle
from mkdyn.errors import TransientError
from mkdyn.ports.store import Observation, StateStore

#: When Dynamics says a row was made, and last changed.
_MOMENTS = ("createdon", "modifiedon")


async def plan_refresh(session: Session, chosen: Collection[FieldPair], span: Span) -> None:
    """Decide what Marketo is to show of the chosen fields, and store it; nothing is sent."""
    await hear(session)
    await settle(session)
    _take_over(session, chosen, span)
    names = {(pair.entity, pair.dynamics) for pair in chosen}
    for kind in session.kinds:
        pairs = [pair for pair in kind.pairs if (pair.entity, pair.dynamics) in names]
        if pairs:
            await _walk(session, kind, pairs, span)


async def hear(session: Session) -> None:
    """Read Marketo's feed of persons: an edit that it names survives a refresh, and waits."""
    if session.persons:
        await read_entries_of_persons(session)


def _take_over(session: Session, chosen: Collection[FieldPair], span: Span) -> None:
    """Note that these pairs are refreshed by this plan: runs do not read every row for them any more."""
    store = session.store
    with store.transaction():
        for pair in chosen:
            mark = backfill_mark(pair)
            before = store.cursor(mark)
            if before is not None:
                store.drop_planned(int(before.token.split()[0]))
            store.set_cursor(mark, Cursor(token=f"{session.id} {span}", at=session.started_at))
        for kind in session.kinds:
            fields = {pair.dynamics for pair in chosen if pair.entity == kind.entity}
            if not fields:
                continue
            apart = fields | refreshed_apart(store, kind.name)
            store.set_cursor(apart_mark(kind.name), Cursor(token=",".join(sorted(apart)), at=session.started_at))
            if all(pair.dynamics in apart for pair in kind.backfilling):
                store.set_cursor(f"{feed_name(System.DYNAMICS, kind.name)}:renew", None)


async def _walk(session: Session, kind: Kind, pairs: Sequence[FieldPair], span: Span) -> None:
    """Decide all links of a kind, a page at a time."""
    store, after = session.store, 0
    merger = Merger([attrs.evolve(pair, state=PairState.BACKFILLING) for pair in pairs])
    columns = sorted({*(pair.dynamics for pair in pairs), *(_MOMENTS if span.bounded else ())})
    fields = sorted({pair.marketo for pair in pairs})
    while links := store.links_after(kind.name, after, CHUNK):
        after = links[-1].id
        rows = await session.dynamics.read(kind.name, [link.dynamics for link in links], fields=columns)
        inside = [link for link in links if _is_inside(rows.get(link.dynamics), span)]
        persons = [link.marketo for link in inside]
        shown = await session.marketo.read(kind.object, persons, fields=fields)
        _decide_page(session, kind, merger, [(link, rows[link.dynamics], shown.get(link.marketo)) for link in inside])


def _is_inside(row: Record | None, span: Span) -> bool:
    return row is not None and span.covers(*(row.values.get(name, MISSING) for name in _MOMENTS))


def _decide_page(
    session: Session, kind: Kind, merger: Merger, found: Sequence[tuple[Link, Record, Record | None]]
) -> None:
    """Plan what differs, and remember what agrees already."""
    store, ledger = session.store, Ledger(session=session)
    persons = [link.marketo for link, *_ in found]
    pending = store.observed(System.MARKETO, kind.object, persons)
    busy = store.in_flight(System.MARKETO, persons)
    standing = store.kept_back([link.dynamics for link, *_ in found])
    names = {pair.dynamics for pair in merger.pairs}
    agreed: list[Link] = []
    session.targets.clear()
    for link, row, person in found:
        if person is None or link.marketo in busy:
            continue  # out of sight, or a write is open: a run decides it
        merged = merger(
            baseline=None,
            marketo=_unnamed(kind, person, pending.get(link.marketo)),
            dynamics={name: value for name, value in row.values.items() if name in names},
            key=link.dynamics,
        )
        held = [item for item in standing.get(link.dynamics, ()) if getattr(item, "field", None) in names]
        keep_refused(kind, merged, held)
        refer_merged(session, kind, link.dynamics, merged, person.values)
        still = {hold.field for hold in merged.holds}
        ledger.kept_back += merged.holds
        ledger.released += [(kind.entity, link.dynamics, name) for name in names - still if held]
        if merged.agreed:
            agreed.append(attrs.evolve(link, baseline=Moved(link.baseline, merged.agreed)))
        if merged.to_marketo:
            session.emptied += any(value is None or value == "" for value in merged.to_marketo.values())
            ledger.operations.append(
                Operation(
                    link=link.id, entity=kind.entity, system=System.MARKETO, kind="update",
                    key=link.marketo, other=link.dynamics, version=link.version,
                    before={name: person.values.get(name) for name in merged.to_marketo}, after=merged.to_marketo,
                    awaited=merged.awaited, because="backfill", step=Step(covers=True, origin=link.origin),
                )
            )  # fmt: skip
    ledger.keep()
    with store.transaction():
        store.put_links(agreed)


def _unnamed(kind: Kind, person: Record, pending: Observation | None) -> Values:
    """Return what a person shows, without what its feed says somebody edited, or of which we are in doubt."""
    if pending is None:
        return person.values
    named = {item.field for item in pending.evidence}
    named |= {pair.marketo for pair in kind.pairs if pair.key in pending.doubtful}
    return {name: value for name, value in person.values.items() if name not in named}


def estimate(session: Session) -> Estimate:
    """Return about what carrying a plan out takes: each batch is read, then written, as fast as the plan was made."""
    writes = sum(count for name, count in session.store.totals(session.id).items() if name.endswith(":planned"))
    marketo = session.identities[System.MARKETO]
    calls = 2 * math.ceil(writes / (marketo.rows_per_call or marketo.batch_max))
    made = session.marketo.calls + session.dynamics.calls
    return Estimate(calls, calls * (anyio.current_time() - session.began) / max(made, 1))


# -- carrying it out -------------------------------------------------------------------------------------


async def carry_out(session: Session) -> None:
    """Send what is left of a stored backfill; what has moved since is left for the next run."""
    try:
        await hear(session)
    except TransientError as error:  # an edit may be unknown that a refresh would replace
        session.paused = f"Marketo's feed could not be read: {error.what}"
        return
    await settle(session)
    after = 0
    while operations := session.store.operations(session.id, after=after, limit=CHUNK, states=["planned"]):
        after = operations[-1].id
        for operation in operations:
            count_write(session, operation)
    guard(session)
    await apply(session)
    await settle(session)


def unfinished(store: StateStore, chosen: Collection[FieldPair], span: Span) -> int | None:
    """Return the plan of just this backfill that was interrupted, or None."""
    marks = [store.cursor(backfill_mark(pair)) for pair in chosen]
    tokens = {mark.token if mark is not None else "" for mark in marks}
    plan, _, of = tokens.pop().partition(" ")
    if tokens or of != str(span):
        return None
    row = store.run(int(plan))
    return row.id if row is not None and row.ended in ("planned", "begun", "paused", "out-of-time") else None
