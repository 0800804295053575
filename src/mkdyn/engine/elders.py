"""Rows that rested since nobody could stand for them: qualified leads, and losers of merges.

They are decided once the row that stands for them can.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from mkdyn.domain.entities import Entity
from mkdyn.domain.records import Link, LinkState
from mkdyn.domain.systems import System
from mkdyn.engine.conversion import HEIR
from mkdyn.engine.kinds import Kind
from mkdyn.engine.ledger import Ledger
from mkdyn.engine.merging import MASTER
from mkdyn.engine.session import Session
from mkdyn.ports.store import Observation


async def recall_elders(
    session: Session, kind: Kind, rows: Sequence[Observation], links: Mapping[str, Link], ledger: Ledger
) -> None:
    """Have rows looked at again for which one that is back among *rows* stands: nothing else tells of them.

    That one is in the filter again, was restored, or is edited though its person was deleted, is rare: so they are
    asked for then.
    """
    back = sorted(row.key for row in rows if _is_back(kind, row, links.get(row.key)))
    if not back:
        return
    for elders, names_it in _elders(session, kind):
        found = await session.dynamics.find(elders.name, names_it, back, fields=[names_it])
        known = session.store.links([elders.name], System.DYNAMICS, [row.key for row in found])
        resting = [key for key, link in known.items() if link.state is not LinkState.TOMBSTONE]
        ledger.observed += [Observation(system=System.DYNAMICS, object=elders.name, key=key) for key in resting]
        session.again |= bool(resting) and session.sends


def _elders(session: Session, kind: Kind) -> Iterator[tuple[Kind, str]]:
    """Yield the tables whose rows one of a kind may stand for, each with the column that names it."""
    leads = next((other for other in session.kinds if other.entity is Entity.LEAD), None)
    if kind.entity is Entity.CONTACT and leads is not None and HEIR in leads.telling:
        yield leads, HEIR
    if MASTER in kind.telling:
        yield kind, MASTER


def _is_back(kind: Kind, row: Observation, link: Link | None) -> bool:
    """Whether a row may stand for others again."""
    if row.record is None or link is None or kind.gate.passes(row.record.values) != "in":
        return False
    return link.state in (LinkState.FROZEN, LinkState.TOMBSTONE)
