"""Reconcile: decide, from observations and baselines, what should be written where.

The decision itself is `mkdyn.domain.merge`; here its arguments are brought together, chunk
by chunk, entities in dependency order. Nothing is sent.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

import attrs

from mkdyn.domain.entities import PERSON
from mkdyn.domain.records import Key, Link, LinkState
from mkdyn.domain.systems import System
from mkdyn.engine.claims import open_claims
from mkdyn.engine.conversion import inherited, retired
from mkdyn.engine.elders import recall_elders
from mkdyn.engine.first_sight import meet_rows
from mkdyn.engine.gone import recall_gone
from mkdyn.engine.kinds import Kind
from mkdyn.engine.ledger import Ledger
from mkdyn.engine.linked import decide_linked
from mkdyn.engine.merging import follow_merges
from mkdyn.engine.parting import Subject, make_subject
from mkdyn.engine.promotion import meet_persons
from mkdyn.engine.session import CHUNK, Session
from mkdyn.ports.store import Observation


async def reconcile(session: Session) -> None:
    """Decide every observed record: rows of Dynamics first, then what only Marketo brought."""
    session.heirs = session.given = None
    session.winners.clear()
    for kind in session.kinds:
        for chunk in _chunks(session, System.DYNAMICS, kind.name):
            await _decide_rows(session, kind, chunk)
    for name in dict.fromkeys(kind.object for kind in session.kinds):
        for chunk in _chunks(session, System.MARKETO, name):
            await _decide_marketo(session, name, chunk)
    recall_gone(session)


def _chunks(session: Session, system: System, name: str) -> Iterator[Sequence[Observation]]:
    after = 0
    while chunk := session.store.observations(system, name, after=after, limit=CHUNK):
        after = chunk[-1].version
        yield chunk


async def _decide_rows(session: Session, kind: Kind, rows: Sequence[Observation]) -> None:
    """Decide rows of one table, each together with what Marketo brought of the same record."""
    store, ledger = session.store, Ledger(session=session)
    session.targets.clear()
    rows = await _shown(session, kind, rows)
    links = dict(store.links([kind.name], System.DYNAMICS, [row.key for row in rows]))
    await recall_elders(session, kind, rows, links, ledger)
    claims = open_claims(session).rows.keys()  # whom they are linked with is not settled
    free = [row for row in rows if row.key not in claims]
    heirs = await inherited(session, kind, free, links, claims, ledger)
    done = {*heirs.waiting, *await retired(session, kind, free, links, ledger)}
    links.update(heirs.links)
    merges = await follow_merges(session, kind, [row for row in free if row.key not in done], links, claims, ledger)
    done |= merges.done
    links.update(merges.links)
    moved = heirs.links.keys() | merges.links.keys()
    told = store.observed(System.MARKETO, kind.object, _persons_of(session, kind, links.values()))
    busy = _in_flight(session, rows, links.values()) | claims
    subjects: list[Subject] = []
    strangers: list[Observation] = []
    for row in rows:
        link = links.get(row.key)
        if (
            row.key in busy
            or row.key in done
            or (link is not None and link.marketo in busy)
            or not _wanted(session, row, link)
        ):
            continue
        if link is None:
            strangers.append(row)
        else:
            person = told.get(link.marketo)
            if row.key in merges.vanished:
                row = attrs.evolve(row, record=None, deleted=True)  # noqa: PLW2901 - of the same row
            subjects.append(make_subject(kind=kind, link=link, row=row, person=person, awakened=row.key in moved))
    reborn = await decide_linked(session, kind, subjects, ledger)
    await meet_rows(session, kind, strangers, reborn, ledger)
    ledger.keep()


async def _shown(session: Session, kind: Kind, rows: Sequence[Observation]) -> Sequence[Observation]:
    """Read the rows of which nobody brought values, where columns tell what became of a row."""
    unread = [row.key for row in rows if row.record is None and not row.deleted] if kind.telling else []
    if not unread:
        return rows
    found = await session.dynamics.read(kind.name, unread, fields=kind.read_fields)
    return [attrs.evolve(row, record=found[row.key]) if row.key in found else row for row in rows]


async def _decide_marketo(session: Session, name: str, found: Sequence[Observation]) -> None:
    """Decide what only Marketo brought; what Dynamics brought, too, is decided already."""
    kinds = [kind for kind in session.kinds if kind.object == name]
    links = session.store.links([kind.name for kind in kinds], System.MARKETO, [item.key for item in found])
    busy = _in_flight(session, found, links.values()) | open_claims(session).persons.keys()
    strangers = [item for item in found if item.key not in links or _buried(links[item.key], item)]
    for kind in kinds:
        ledger = Ledger(session=session)
        session.targets.clear()
        ours = {key: link for key, link in links.items() if link.entity == kind.name}
        decided = session.store.observed(System.DYNAMICS, kind.name, [link.dynamics for link in ours.values()])
        subjects = [
            make_subject(kind=kind, link=link, row=None, person=item)
            for item in found
            if (link := ours.get(item.key)) is not None
            and link.dynamics not in decided
            and not busy & {item.key, link.dynamics}
            and not _buried(link, item)
            and _wanted(session, item, link)
        ]
        await decide_linked(session, kind, subjects, ledger)
        ledger.keep()
    if name == PERSON:
        ledger = Ledger(session=session)
        open_to = [item for item in strangers if item.key not in busy and _wanted(session, item, None)]
        await meet_persons(session, open_to, ledger)
        ledger.keep()


def _buried(link: Link, item: Observation) -> bool:
    """Whether somebody asks for a new row for a person whose row was deleted."""
    return link.state is LinkState.TOMBSTONE and link.gone is System.DYNAMICS and item.wanted is not None


def _persons_of(session: Session, kind: Kind, links: Collection[Link]) -> Collection[str]:
    """Return the Marketo records of links; what is told of one that is in another link by now is none of theirs."""
    names = [other.name for other in session.kinds if other.object == kind.object]
    buried = [link.marketo for link in links if link.state is LinkState.TOMBSTONE]
    owners: Mapping[str, Link] = session.store.links(names, System.MARKETO, buried) if buried else {}
    return {
        link.marketo for link in links if owners.get(link.marketo, link).dynamics == link.dynamics
    }  # fmt: skip


def _in_flight(session: Session, found: Sequence[Observation], links: Collection[Link]) -> set[str]:
    """Return the keys on which a write is still open: nothing is decided there before it is settled."""
    if not session.store.unsettled(after=0, limit=1):
        return set()
    keys = {item.key for item in found} | {link.dynamics for link in links} | {link.marketo for link in links}
    return session.store.in_flight(System.MARKETO, keys) | session.store.in_flight(System.DYNAMICS, keys)


def _wanted(session: Session, item: Observation, link: Link | None) -> bool:
    """Whether the run looks at this record."""
    if session.keys is None:
        return True
    keys = {Key(item.system, item.key)}
    if link is not None:
        keys |= {Key.dynamics(link.dynamics), Key.marketo(link.marketo)}
    return not keys.isdisjoint(session.keys)
