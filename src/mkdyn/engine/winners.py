"""Merges in Marketo: the loser's link follows the winner, and goes on."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import attrs

from mkdyn.domain.entities import PERSON
from mkdyn.domain.holds import Quarantined, Wake
from mkdyn.domain.lifecycle import FOLLOW, followed_on, standing
from mkdyn.domain.records import Link, LinkState, short
from mkdyn.domain.systems import System
from mkdyn.engine.session import Session
from mkdyn.ports.observer import RecordsMerged
from mkdyn.ports.store import Observation


@attrs.define
class FollowedWinners:
    """What merges come to, before it is kept.

    Attributes:
        losers: Persons that are dealt with.
        links: By winner, the link that followed it.
        moved: Links as they are afterwards.
        doubled: Rows left over, because the winner stands for another one already.
        observed: Winners, to be read anew.
    """

    losers: set[str] = attrs.field(factory=set[str])
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
        followed.losers.add(loser)
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
