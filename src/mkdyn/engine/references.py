"""References to other records: carried, emptied, or held until the record that they name is there.

A reference whose row is neither linked nor about to be is not sent; one that Marketo refused because its row got lost
on the way is held the same. Both are decided anew once that row is linked.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, MutableMapping, Sequence

from mkdyn.domain.entities import AnyEntity
from mkdyn.domain.fields import FieldPair
from mkdyn.domain.holds import Hold, Wake
from mkdyn.domain.lifecycle import REFER, Target
from mkdyn.domain.merged import Merged, agreed_on
from mkdyn.domain.plan import Operation
from mkdyn.domain.records import Agreed, Link, LinkState, Record, short
from mkdyn.domain.systems import System
from mkdyn.domain.values import FieldValue, Values
from mkdyn.engine.feeds import observe
from mkdyn.engine.kinds import Kind
from mkdyn.engine.session import CHUNK, Named, Session
from mkdyn.ports.store import Observation


def look_up(session: Session, kind: Kind, rows: Iterable[Record]) -> None:
    """Find out about the rows that others name, all at once; `refer` asks for what it does not know, one by one."""
    wanted = {
        value
        for row in rows
        for pair, _ in kind.refers.values()
        if isinstance(value := row.values.get(pair.dynamics), str)
    }
    session.targets = dict(_targets(session, wanted))


def refer(
    session: Session,
    kind: Kind,
    key: str,
    after: dict[str, FieldValue],
    awaited: MutableMapping[str, Agreed],
    shown: Values,
) -> list[Hold]:
    """Leave out of a write to Marketo what it can't name yet, and empty what it can't name at all.

    Args:
        session: The run.
        kind: Whose record.
        key: Its row.
        after: What is to be written.
        awaited: The baselines that follow.
        shown: What Marketo shows, of a record that is there.

    Returns:
        What has to wait.
    """
    holds: list[Hold] = []
    for name, (pair, named) in kind.refers.items():
        row = after.get(name)
        if not isinstance(row, str):
            continue
        asked = REFER(_syncs(session, named), _target(session, named, row))
        if asked == "wait":
            del after[name]
            awaited.pop(pair.key, None)
            holds.append(_waiting(kind, key, pair, named, row))
        elif asked == "empty":
            awaited[pair.key] = agreed_on(row, None)
            if shown.get(name) is None:
                del after[name]
            else:
                after[name] = None
    return holds


def refer_merged(session: Session, kind: Kind, key: str, merged: Merged, shown: Values) -> None:
    """See to the references that a merge would write to Marketo."""
    asked = [name for name in kind.refers if name in merged.to_marketo]
    if not asked:
        return
    waiting = refer(session, kind, key, merged.to_marketo, merged.awaited, shown)
    merged.holds += waiting
    held = {hold.field for hold in waiting}
    merged.resolutions = [item for item in merged.resolutions if item.collision.field not in held]
    for name in asked:
        key_of_pair = kind.refers[name][0].key
        if name not in merged.to_marketo and key_of_pair in merged.awaited:  # it is empty there already
            merged.agreed[key_of_pair] = merged.awaited.pop(key_of_pair)


def _waiting(kind: Kind, key: str, pair: FieldPair, named: AnyEntity, row: str) -> Hold:
    return Hold(
        entity=kind.entity, key=key, field=pair.dynamics, code="not-there-yet", wake=Wake.LINK, awaits=row,
        reason=f"the {named} {short(row)} that it names is not linked. It is sent when that is.",
    )  # fmt: skip


# -- what is known of the rows that are named ------------------------------------------------------------


def _syncs(session: Session, entity: AnyEntity) -> bool:
    return any(kind.entity == entity for kind in session.kinds)


def _target(session: Session, named: AnyEntity, row: str) -> Target:
    if row not in session.targets:
        session.targets.update(_targets(session, [row]))
    known = session.targets[row]
    if known is None:
        return "not there"
    if known.table != named.logical_name:
        return "of another kind"
    return "linked" if known.linked else "on its way"


def _targets(session: Session, rows: Collection[str]) -> Mapping[str, Named | None]:
    """Return what is known of rows: nothing of those that are neither in Marketo nor about to be."""
    if not rows:
        return {}
    links = session.store.links([kind.name for kind in session.kinds], System.DYNAMICS, rows)
    known = {row: Named(link.entity, linked=True) for row, link in links.items() if _is_there(link)}
    for kind in session.kinds:
        observed = session.store.observed(System.DYNAMICS, kind.name, [row for row in rows if row not in links])
        known |= {row: Named(kind.name, linked=False) for row, item in observed.items() if not item.deleted}
    return {row: known.get(row) for row in rows}


def _is_there(link: Link) -> bool:
    """Whether a link has a Marketo record, as far as anybody knows."""
    return link.state is not LinkState.TOMBSTONE and link.gone is not System.MARKETO


# -- what waited ---------------------------------------------------------------------------------------------


def awaited_row(session: Session, kind: Kind, operation: Operation, pair: FieldPair) -> str:
    """Return the GUID of the row that a refused field names, if that row is not linked; else an empty text.

    A reference to a record that is linked was refused for another reason, so no link will help it.
    """
    value = operation.after.get(pair.marketo)
    if operation.system is not System.MARKETO or pair.dynamics not in kind.references or not isinstance(value, str):
        return ""
    return "" if value in _linked(session, [value]) else value


def wake_waiting(session: Session) -> None:
    """Decide the records anew that name a row which is linked by now, or whose date has come."""
    store, after = session.store, 0
    while page := store.holds(None, after=after, limit=CHUNK):
        after = page[-1][0]
        waiting = [hold for _, hold in page if hold.wake is Wake.LINK and hold.awaits]
        there = _linked(session, [hold.awaits for hold in waiting])
        ready = [hold for hold in waiting if hold.awaits in there]
        due = [hold for _, hold in page if hold.until is not None and hold.until <= session.started_at]
        with store.transaction():
            store.release((hold.entity, hold.key, hold.field) for hold in ready)
            observe(
                session,
                [
                    *(_row_of(hold) for hold in (*ready, *due)),
                    *_persons_of(session, [*ready, *due]),  # it may be an edit in Marketo that was to be put back
                ],
            )


def _row_of(hold: Hold) -> Observation:
    return Observation(system=System.DYNAMICS, object=hold.entity.logical_name, key=hold.key)


def _persons_of(session: Session, holds: Sequence[Hold]) -> Iterator[Observation]:
    links = session.store.links(
        {hold.entity.logical_name for hold in holds}, System.DYNAMICS, [hold.key for hold in holds]
    )
    for hold in holds:
        if hold.key in links:
            yield Observation(system=System.MARKETO, object=hold.entity.marketo_object, key=links[hold.key].marketo)


def _linked(session: Session, rows: list[str]) -> set[str]:
    """Return those of some Dynamics rows that have a live link, of whichever kind."""
    found = session.store.links([kind.name for kind in session.kinds], System.DYNAMICS, rows)
    return {row for row, link in found.items() if link.state is LinkState.LIVE}
