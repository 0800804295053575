"""Merges in Marketo: the loser's link follows the winner, and goes on."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import attrs

from mkdyn.domain.collisions import Resolution
from mkdyn.domain.entities import PERSON
from mkdyn.domain.evidence import prove, value_like
from mkdyn.domain.feeds import Evidence
from mkdyn.domain.holds import Quarantined, Wake
from mkdyn.domain.lifecycle import FOLLOW, followed_on, left_behind, standing
from mkdyn.domain.records import Link, LinkState, short
from mkdyn.domain.systems import System
from mkdyn.domain.values import MISSING, FieldValue, Missing, same
from mkdyn.engine.session import Session
from mkdyn.ports.observer import RecordsMerged
from mkdyn.ports.store import Observation


@attrs.define
class FollowedWinners:
    """What merges come to, before it is kept.

    Attributes:
        losers: Persons that are dealt with, each with who is left.
        links: By winner, the link that followed it.
        moved: Links as they are afterwards.
        doubled: Rows left over, because the winner stands for another one already.
        observed: Winners, to be read anew.
    """

    losers: dict[str, str] = attrs.field(factory=dict[str, str])
    links: dict[str, Link] = attrs.field(factory=dict[str, Link])
    moved: list[Link] = attrs.field(factory=list[Link])
    doubled: list[Quarantined] = attrs.field(factory=list[Quarantined])
    observed: list[Observation] = attrs.field(factory=list[Observation])


def follow_winners(
    session: Session, merged: Mapping[str, str], links: Mapping[str, Link], deleted: Collection[str]
) -> FollowedWinners:
    """Follow the merges that a page tells of.

    A winner that was deleted, too, has nothing to follow, and neither has a circle: there the loser was deleted. A
    merge of our own is told as well; while its answer is open, it is left to that.

    Args:
        session: The run.
        merged: By loser, whom it was merged into.
        links: The links of both, by person.
        deleted: Every person that the page says is gone.
    """
    followed = FollowedWinners()
    busy = session.store.in_flight(System.MARKETO, merged.keys()) if merged else set[str]()
    for loser in merged:
        link, winner = links.get(loser), _end(merged, loser)
        there = None if winner is None else followed.links.get(winner) or links.get(winner)
        left = "nobody" if winner is None or winner in deleted else standing(there)
        asked = FOLLOW(standing(link), left, loser in busy)
        if asked == "as deleted" or link is None or winner is None:
            continue
        followed.losers[loser] = winner
        followed.observed.append(Observation(system=System.MARKETO, object=PERSON, key=winner))
        session.moves["merged"] += 1
        session.tell(RecordsMerged(run_id=session.id, system=System.MARKETO, winner=winner, loser=loser))
        if there is None or asked == "follow":
            kind = next(kind for kind in session.persons if kind.name == link.entity)
            followed.links[winner] = attrs.evolve(
                link, marketo=winner, echoes={}, version=None, gone=None, since=None,
                state=LinkState.FROZEN if link.state is LinkState.FROZEN else LinkState.LIVE,
                baseline=followed_on(link.baseline, kind.pairs),
            )  # fmt: skip
            followed.moved.append(followed.links[winner])
        else:
            followed.moved.append(
                attrs.evolve(
                    link, version=None, state=LinkState.TOMBSTONE, gone=System.MARKETO, since=session.started_at
                )
            )
            followed.doubled.append(_doubled(session, link, winner, there))
    return followed


async def edits_left_behind(
    session: Session,
    winners: Mapping[str, str],
    links: Mapping[str, Link],
    told: Mapping[str, Sequence[Evidence]],
) -> list[Resolution]:
    """Return what somebody edited of losers before Dynamics had it, unless the winner shows just that.

    Args:
        session: The run.
        winners: By loser, the person who is left.
        links: The losers' links.
        told: What the feed told of the losers, oldest first.
    """
    edited = {loser: values for loser in winners if (values := _edited(session, links[loser], told.get(loser, ())))}
    if not edited:
        return []
    fields = sorted({name for values in edited.values() for name in values})
    shown = await session.marketo.read(PERSON, sorted({winners[loser] for loser in edited}), fields=fields)
    found: list[Resolution] = []
    for loser, values in edited.items():
        link, winner = links[loser], winners[loser]
        kind = next(kind for kind in session.persons if kind.name == link.entity)
        there = shown[winner].values if winner in shown else dict[str, FieldValue]()
        lost = {name: value for name, value in values.items() if not same(value, there.get(name, MISSING))}
        found += left_behind(
            kind.entity, kind.pairs, link.baseline, lost,
            row=link.dynamics, because=f"person {loser} was merged into {winner} before Dynamics had that",
        )  # fmt: skip
    return found


def _edited(session: Session, link: Link, evidence: Sequence[Evidence]) -> dict[str, FieldValue]:
    """Return what the feed says that somebody entered last; a text that can't be read back stays one."""
    kind = next(kind for kind in session.persons if kind.name == link.entity)
    proof, agreed = prove(evidence, link.echoes), kind.as_agreed(link, System.MARKETO)
    last = {item.field: item.new for item in evidence if item.field in proof.edited - proof.standing.keys()}
    read = {name: value_like(text, agreed[name]) for name, text in last.items() if name in agreed}
    return {name: last[name] if isinstance(value, Missing) else value for name, value in read.items()}


def _end(merged: Mapping[str, str], loser: str) -> str | None:
    """Return who is left in the end; None of a circle."""
    passed, at = {loser}, merged[loser]
    while at in merged and at not in passed:
        passed.add(at)
        at = merged[at]
    return None if at in passed else at


def _doubled(session: Session, link: Link, winner: str, there: Link) -> Quarantined:
    entity = next(kind.entity for kind in session.persons if kind.name == link.entity)
    return Quarantined(
        entity=entity, key=link.dynamics, code="merged-in-marketo", wake=Wake.PERSON,
        reason=f"person {link.marketo} was merged into {winner} in Marketo, which stands for "
        f"{there.entity} {short(there.dynamics)}. Merge the two in Dynamics, too.",
    )  # fmt: skip
