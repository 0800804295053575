"""Merges in Dynamics: the loser is deactivated and names the winner; their persons become one, too.

A chain is followed to its end. Where both rows have a person, Marketo merges the loser's into the winner's: there is
no way back, so the guards count it as a deletion. Where only the loser has one, its link moves to the winner.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import attrs

from mkdyn.domain.holds import Hold
from mkdyn.domain.lifecycle import INHERIT, LOSE, Heir, converted, filled_in, left_behind, standing
from mkdyn.domain.plan import Operation, Step
from mkdyn.domain.records import Echo, Link, LinkState, Moved, Record, short
from mkdyn.domain.systems import System
from mkdyn.engine.batch import Batch
from mkdyn.engine.kinds import Kind, pairs_of
from mkdyn.engine.ledger import Ledger, clears
from mkdyn.engine.parting import make_subject, unconfirmed_after_rest
from mkdyn.engine.seeing import postpone, too_early
from mkdyn.engine.session import CHUNK, Session, Winner
from mkdyn.ports.observer import RecordsMerged
from mkdyn.ports.store import Observation

#: The loser's column that names the winner.
MASTER = "masterid"


@attrs.define
class Followed:
    """What merges come to.

    Attributes:
        links: By winner, the loser's link, moved to it.
        done: Rows of which nothing more is to be decided in this round.
        vanished: Rows that count as deleted: what stands for them in Marketo can't be merged.
    """

    links: dict[str, Link] = attrs.field(factory=dict[str, Link])
    done: set[str] = attrs.field(factory=set[str])
    vanished: set[str] = attrs.field(factory=set[str])


async def follow_merges(
    session: Session,
    kind: Kind,
    rows: Sequence[Observation],
    links: Mapping[str, Link],
    claims: Collection[str],
    ledger: Ledger,
) -> Followed:
    """Decide the losers and the winners among *rows*; *claims* are rows about to be linked."""
    followed = Followed()
    strangers = [row for row in rows if row.key not in links and not row.deleted]
    if MASTER not in kind.telling or not (strangers or any(map(_master_of, rows))):
        return followed
    winners = await _winners(session, kind, rows)
    known = session.store.links([kind.name], System.DYNAMICS, {winner.key for winner in winners.values()})
    if kind.person:
        followed = _taken_over(session, kind, strangers, winners, claims, ledger)
    taken_over = {link.id for link in followed.links.values()}
    for row in rows:
        if row.deleted or _master_of(row) is None:
            continue
        link, winner = links.get(row.key), winners.get(row.key)
        there = None if winner is None else followed.links.get(winner.key, known.get(winner.key))
        asked = LOSE(kind.person, standing(link), _heir(kind, winner, there), _waits(session, kind, link, winner))
        if asked == "as deleted":
            followed.vanished.add(row.key)
        elif asked != "go on":
            followed.done.add(row.key)
        if asked == "rest" or (link is not None and link.id in taken_over):  # whatever became of the winner
            ledger.clear(row)
            ledger.at_rest.append((kind.entity, row.key))
        elif asked == "leave behind" and link is not None:  # the winner alone decides
            ledger.links.append(
                attrs.evolve(link, state=LinkState.FROZEN, gone=None, version=None, since=session.started_at)
            )
            ledger.at_rest.append((kind.entity, row.key))
            ledger.clear(row)
        elif asked == "merge" and link is not None and there is not None:
            await merge_persons(session, kind, row, link, there, ledger)
        elif asked == "move" and link is not None and winner is not None and winner.record is not None:
            followed.links[winner.key] = _move(session, kind, link, winner.record, ledger)  # others are merged into it
            ledger.clear(row)
            ledger.observed.append(Observation(system=System.DYNAMICS, object=kind.name, key=winner.key))
            session.again |= session.sends
    return followed


def _heir(kind: Kind, winner: Winner | None, link: Link | None) -> Heir:
    """Return what is known of the winner of a merge; one that can't be read now may be there all the same.

    One that was restored may come back to its own person, once somebody can judge whether it is in the filter.
    """
    if winner is None:
        return "nobody"
    found = standing(link)
    if winner.record is None:
        return "gone" if found in ("no link", "tombstone") else "suspended"
    match kind.gate.passes(winner.record.values):
        case "out":
            return "out of the filter"
        case "unknown" if found == "tombstone":
            return "suspended"
        case _:
            return found


def _waits(session: Session, kind: Kind, link: Link | None, winner: Winner | None) -> bool:
    """Whether a write to the loser is open, or the winner about to be met: then nothing is moved yet."""
    if link is None or winner is None:
        return False
    return is_under_way(session, link) or bool(session.store.observed(System.DYNAMICS, kind.name, [winner.key]))


def _taken_over(
    session: Session,
    kind: Kind,
    strangers: Sequence[Observation],
    winners: Mapping[str, Winner],
    claims: Collection[str],
    ledger: Ledger,
) -> Followed:
    """Move the links of losers to winners that have no person of their own."""
    followed = Followed()
    wanted = {row.key for row in strangers}
    losers = {loser: found.record for loser, found in winners.items() if found.record and found.key in wanted}
    known = session.store.links([kind.name], System.DYNAMICS, losers)
    for loser, row in losers.items():
        link, winner = known.get(loser), row.key
        busy = loser in claims or (link is not None and is_under_way(session, link))
        asked = INHERIT(
            standing(link), False, kind.gate.passes(row.values), winner in followed.links, busy
        )  # fmt: skip
        if asked == "wait":
            followed.done.add(winner)
        elif asked == "take over" and link is not None:
            followed.links[winner] = _move(session, kind, link, row, ledger)
    return followed


def _move(session: Session, kind: Kind, link: Link, winner: Record, ledger: Ledger) -> Link:
    pairs = pairs_of(kind, session.store.pairs())
    told = session.store.observed(System.MARKETO, kind.object, [link.marketo]).get(link.marketo)
    moved = attrs.evolve(
        link,
        dynamics=winner.key,
        state=LinkState.LIVE,
        gone=None,
        since=None,
        version=None,
        echoes=unconfirmed_after_rest(link, told),
        baseline=converted(link.baseline, pairs, pairs, winner.values),
    )
    ledger.links.append(moved)
    ledger.at_rest.append((kind.entity, link.dynamics))
    if session.sends:
        session.moves["merged"] += 1
        session.tell(RecordsMerged(run_id=session.id, system=System.DYNAMICS, winner=winner.key, loser=link.dynamics))
    return moved


async def merge_persons(
    session: Session, kind: Kind, row: Observation, link: Link, winner: Link, ledger: Ledger
) -> None:
    """Plan to merge the person of a row into that of the row that stands for it now.

    One that Marketo does not show waits, for the watch time at most: what it would fill in is not known, and could not
    be told from an edit. So it is not known of one that shows less than its feed tells, for as long as that may lag.
    """
    if any(is_under_way(session, some) for some in (link, winner)):
        return
    shown = await session.marketo.read(kind.object, [link.marketo], fields=fields_of_persons(session))
    told = session.store.observed(System.MARKETO, kind.object, [link.marketo]).get(link.marketo)
    if link.marketo not in shown:
        _wait_for(session, kind, row, link, told, ledger)
        return
    loser = make_subject(kind=kind, link=link, row=row, person=told)
    if too_early(session, loser, shown[link.marketo], _held(session, link)):
        postpone(session, loser)
        return
    values = shown[link.marketo].values
    ledger.resolutions += left_behind(
        kind.entity, kind.pairs, link.baseline, values,
        row=link.dynamics, because=f"its row was merged into {short(winner.dynamics)} before Dynamics had that",
    )  # fmt: skip
    ledger.operations.append(
        Operation(
            link=link.id, entity=kind.entity, system=System.MARKETO, kind="delete",
            key=link.marketo, other=link.dynamics, because="merged in Dynamics",
            before=values,
            step=Step(
                state=LinkState.TOMBSTONE, gone=System.DYNAMICS, into=winner.marketo,
                clears=clears(row, told),
            ),
        )
    )  # fmt: skip


def _wait_for(
    session: Session, kind: Kind, row: Observation, link: Link, told: Observation | None, ledger: Ledger
) -> None:
    """Set a loser aside whose person can't be read, until Marketo tells that it is gone: then nobody is to be merged.

    So it is of one that we deleted, when its row left the filter.
    """
    ours = link.state is LinkState.FROZEN and link.gone is System.MARKETO
    if ours or (told is not None and told.deleted):
        ledger.links.append(
            attrs.evolve(
                link, state=LinkState.TOMBSTONE, gone=System.MARKETO, since=session.started_at, version=None
            )
        )  # fmt: skip
        ledger.at_rest.append((kind.entity, link.dynamics))
        ledger.clear(row, told)
    elif link.state is not LinkState.SUSPENDED:
        ledger.links.append(
            attrs.evolve(
                link, state=LinkState.SUSPENDED, gone=System.MARKETO, since=session.started_at, version=None
            )
        )  # fmt: skip
        session.tally(kind.entity, System.MARKETO).gone += 1


def fields_of_persons(session: Session) -> Sequence[str]:
    """Return what syncs of any person: one of a lead can be merged into one of a contact, and fills in what that has."""
    return sorted({name for kind in session.persons for name in kind.marketo_fields})


def note_merge(session: Session, operation: Operation, batch: Batch) -> None:
    """Remember what Marketo made of a merge: what it filled in is no edit, so the row is written over it once more."""
    names = [kind.name for kind in session.persons]
    found = session.store.links(names, System.MARKETO, [operation.step.into]).get(operation.step.into)
    session.moves["merged"] += 1
    session.tell(
        RecordsMerged(run_id=session.id, system=System.MARKETO, winner=operation.step.into, loser=operation.key)
    )
    if found is None or found.state is LinkState.TOMBSTONE:
        return
    winner = batch.links.get(found.dynamics, found)
    kind = next(kind for kind in session.kinds if kind.name == winner.entity)
    filled = filled_in(kind.pairs, winner.baseline, operation.before, held=_held(session, winner))
    echoes = dict(winner.echoes)
    for pair in kind.pairs:
        if pair.key in filled:  # its entries in the feed are ours; whether it filled the field in, nobody said
            echo = Echo(before=None, after=operation.before[pair.marketo], at=operation.sent_at, sure=False)
            echoes[pair.marketo] = (*echoes.get(pair.marketo, ()), echo)
    batch.links[winner.dynamics] = attrs.evolve(
        winner, baseline=Moved(winner.baseline, filled), echoes=echoes, version=None
    )
    for system in System:
        batch.observations.append(Observation(system=system, object=kind.object_in(system), key=winner.key(system)))
    session.again = True


def _held(session: Session, link: Link) -> Collection[str]:
    """Return the Dynamics fields of a link that are held."""
    standing = session.store.kept_back([link.dynamics]).get(link.dynamics, ())
    return {item.field for item in standing if isinstance(item, Hold)}


def is_under_way(session: Session, link: Link) -> bool:
    """Whether a write to either record of a link is still open."""
    return any(session.store.in_flight(system, [link.key(system)]) for system in System)


def _master_of(row: Observation) -> str | None:
    master = None if row.record is None else row.record.values.get(MASTER)
    return str(master) if master else None


async def _winners(session: Session, kind: Kind, rows: Sequence[Observation]) -> Mapping[str, Winner]:
    """Return, by loser, the row that everything observed of a table was merged into in the end; once a round."""
    known = session.winners.get(kind.name)
    masters: dict[str, str] = {}
    after = 0
    while known is None and (
        observed := session.store.observations(System.DYNAMICS, kind.name, after=after, limit=CHUNK)
    ):
        after = observed[-1].version
        masters |= {row.key: master for row in observed if (master := _master_of(row)) is not None}
    ends = known or {}
    masters |= {row.key: master for row in rows if row.key not in ends and (master := _master_of(row)) is not None}
    if known is None or masters:
        session.winners[kind.name] = ends = {**ends, **await ends_of(session, kind, masters)}
    return ends


async def ends_of(session: Session, kind: Kind, masters: Mapping[str, str]) -> Mapping[str, Winner]:
    """Return, by loser, the row that it was merged into in the end; a chain that leads in a circle leads nowhere."""
    shown: dict[str, Record] = {}
    wanted: Collection[str] = set(masters.values())
    while wanted:
        found = await session.dynamics.read(kind.name, sorted(wanted), fields=kind.read_fields)
        shown |= found
        wanted = {str(next_) for row in found.values() if (next_ := row.values.get(MASTER))} - shown.keys()
    ends: dict[str, Winner] = {}
    for loser, master in masters.items():
        passed, at = {loser}, master
        while at not in passed and at in shown and (following := shown[at].values.get(MASTER)):
            passed.add(at)
            at = str(following)
        if at not in passed:
            ends[loser] = Winner(at, shown.get(at))
    return ends
