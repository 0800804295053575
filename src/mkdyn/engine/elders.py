"""Qualified leads that rested since nobody could stand for them: they are decided once their contact can."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mkdyn.domain.entities import Entity
from mkdyn.domain.records import Link, LinkState
from mkdyn.domain.systems import System
from mkdyn.engine.conversion import HEIR
from mkdyn.engine.kinds import Kind
from mkdyn.engine.ledger import Ledger
from mkdyn.engine.session import Session
from mkdyn.ports.store import Observation


async def recall_leads(
    session: Session, kind: Kind, rows: Sequence[Observation], links: Mapping[str, Link], ledger: Ledger
) -> None:
    """Have leads looked at again whose contact is back among *rows*: nothing else tells of them.

    That one is in the filter again, or is edited though its person was deleted, is rare: so they are asked for then.
    """
    leads = next((other for other in session.kinds if other.entity is Entity.LEAD), None)
    if kind.entity is not Entity.CONTACT or leads is None or HEIR not in leads.telling:
        return
    back = sorted(row.key for row in rows if _is_back(kind, row, links.get(row.key)))
    if not back:
        return
    found = await session.dynamics.find(leads.name, HEIR, back, fields=[HEIR])
    known = session.store.links([leads.name], System.DYNAMICS, [row.key for row in found])
    resting = [key for key, link in known.items() if link.state is LinkState.LIVE]
    ledger.observed += [Observation(system=System.DYNAMICS, object=leads.name, key=key) for key in resting]
    session.again |= bool(resting) and session.sends


def _is_back(kind: Kind, row: Observation, link: Link | None) -> bool:
    """Whether a contact may stand for others again."""
    if row.record is None or link is None or kind.gate.passes(row.record.values) != "in":
        return False
    return link.state is LinkState.FROZEN or (link.state is LinkState.TOMBSTONE and link.gone is System.MARKETO)
