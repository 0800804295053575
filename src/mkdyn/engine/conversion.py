"""Conversion: Dynamics qualifies a lead into a contact, and their person follows.

Either row may be seen first. The contact names the lead it comes from; a qualified lead names its contact, or a
contact names it. The link moves with its baseline, so that nothing is created and no edit is lost; from then on the
person follows the rules of contacts.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import attrs

from mkdyn.domain.entities import Entity
from mkdyn.domain.lifecycle import INHERIT, RETIRE, Heir, converted, is_qualified, is_reopened, standing
from mkdyn.domain.records import Link, LinkState, Record
from mkdyn.domain.systems import System
from mkdyn.engine.kinds import Kind, pairs_of
from mkdyn.engine.ledger import Ledger
from mkdyn.engine.merging import MASTER, ends_of, is_under_way, merge_persons
from mkdyn.engine.parting import unconfirmed_after_rest
from mkdyn.engine.session import CHUNK, Session
from mkdyn.ports.observer import LeadConverted
from mkdyn.ports.store import Observation

#: The contact's column that names the lead it was made from.
ORIGIN = "originatingleadid"
#: The lead's column that names the contact it was qualified into.
HEIR = "parentcontactid"


@attrs.frozen
class Inherited:
    """What contacts take over from leads.

    Attributes:
        links: By contact, the lead's link, moved to it.
        waiting: Contacts whose lead has a write under way: they are decided once that is settled.
    """

    links: Mapping[str, Link]
    waiting: Collection[str]


async def inherited(
    session: Session,
    kind: Kind,
    rows: Sequence[Observation],
    links: Mapping[str, Link],
    claims: Collection[str],
    ledger: Ledger,
) -> Inherited:
    """Move the links of leads to the contacts among *rows* that come from them; *claims* are rows about to be linked."""
    leads = _kind(session, Entity.LEAD)
    if kind.entity is not Entity.CONTACT or leads is None or ORIGIN not in kind.telling:
        return Inherited({}, ())
    strangers = await _shown(session, kind, [row for row in rows if row.key not in links and not row.deleted])
    named: Mapping[str, str] = _named(session, leads) if strangers else {}
    if kind.gate.fields:
        named = {**await _rested(session, kind, leads, strangers), **named}
    origins = {
        key: str(origin) for key, row in strangers.items() if (origin := row.values.get(ORIGIN) or named.get(key))
    }
    found = session.store.links([leads.name], System.DYNAMICS, set(origins.values()))
    shown: Mapping[str, Record] = {}
    if found:
        shown = await session.dynamics.read(leads.name, sorted(found), fields=leads.read_fields)
    reopened = {key for key, lead in shown.items() if is_reopened(lead.values)}
    moved: dict[str, Link] = {}
    waiting: list[str] = []
    taken: set[str] = set()
    for contact, lead in origins.items():
        link = found.get(lead)
        asked = INHERIT(
            standing(link), lead in reopened, kind.gate.passes(strangers[contact].values), lead in taken,
            lead in claims or (link is not None and is_under_way(session, link)),
        )  # fmt: skip
        if asked == "meet":
            continue  # of several contacts that come from one lead, the first one is its heir
        taken.add(lead)
        if asked == "wait":
            waiting.append(contact)
        elif link is not None:
            moved[contact] = _move(session, link, leads, kind, strangers[contact], ledger)
    return Inherited(moved, waiting)


def _named(session: Session, leads: Kind) -> Mapping[str, str]:
    """Return the contacts that qualified leads name among what is observed, each with its lead; looked up once a round."""
    if session.heirs is None:
        session.heirs, after = {}, 0
        while rows := session.store.observations(System.DYNAMICS, leads.name, after=after, limit=CHUNK):
            after = rows[-1].version
            session.heirs |= {
                str(heir): row.key
                for row in rows
                if row.record is not None and is_qualified(row.record.values) and (heir := row.record.values.get(HEIR))
            }
    return session.heirs


async def _rested(session: Session, kind: Kind, leads: Kind, strangers: Mapping[str, Record]) -> Mapping[str, str]:
    """Return the contacts among *strangers* that qualified leads name, each with its lead.

    While the filter kept the contact out, the lead stayed what it was; nothing tells of it now.
    """
    entering = [
        key for key, row in strangers.items() if not row.values.get(ORIGIN) and kind.gate.passes(row.values) == "in"
    ]
    if HEIR not in leads.telling or not entering:
        return {}
    found = await session.dynamics.find(leads.name, HEIR, entering, fields=leads.read_fields)
    return {str(lead.values[HEIR]): lead.key for lead in found if is_qualified(lead.values)}


async def retired(
    session: Session, kind: Kind, rows: Sequence[Observation], links: Mapping[str, Link], ledger: Ledger
) -> Collection[str]:
    """Return the qualified leads among *rows* that are dealt with: a contact stands for them.

    One without a contact stays what it is: a lead that is read-only.
    """
    contacts = _kind(session, Entity.CONTACT)
    qualified = [row for row in rows if row.record is not None and is_qualified(row.record.values)]
    if kind.entity is not Entity.LEAD or contacts is None or not qualified:
        return ()
    heirs = dict(await _heirs(session, contacts, qualified))
    known = dict(session.store.links([contacts.name], System.DYNAMICS, set(heirs.values())))
    unlinked = sorted({heir for heir in heirs.values() if standing(known.get(heir)) in ("no link", "tombstone")})
    there = dict(await session.dynamics.read(contacts.name, unlinked, fields=contacts.read_fields))
    masters = {heir: str(master) for heir, row in there.items() if (master := row.values.get(MASTER))}
    if masters:  # the contact was merged since: another one stands for both
        ends = await ends_of(session, contacts, masters)
        heirs |= {lead: ends[heir].key for lead, heir in heirs.items() if heir in ends}
        there |= {end.key: end.record for end in ends.values() if end.record is not None}
        known |= session.store.links([contacts.name], System.DYNAMICS, {end.key for end in ends.values()})
    told = session.store.observed(System.DYNAMICS, contacts.name, set(heirs.values()))
    for key in [key for key, item in told.items() if item.deleted]:  # its link does not say so yet
        known.pop(key, None)
    done: list[str] = []
    for row in qualified:
        link, heir = links.get(row.key), heirs.get(row.key)
        contact = None if heir is None else there.get(heir)
        follower = None if heir is None else known.get(heir)
        met = heir in told and (contact is not None or standing(follower) == "frozen")  # which may be back
        busy = met or (link is not None and is_under_way(session, link))
        nobody = _is_deleted(link) and _is_deleted(follower)
        asked = RETIRE(standing(link), "nobody" if heir is None else _heir(contacts, contact, follower), nobody, busy)
        if asked != "go on":
            done.append(row.key)
        if asked == "rest":
            ledger.clear(row)
            ledger.at_rest.append((kind.entity, row.key))
        elif asked == "merge" and link is not None and follower is not None:
            await merge_persons(session, kind, row, link, follower, ledger)
        elif asked == "move" and link is not None and contact is not None and session.sends:
            known[contact.key] = _move(session, link, kind, contacts, contact, ledger)
            ledger.clear(row)
            ledger.observed.append(Observation(system=System.DYNAMICS, object=contacts.name, key=contact.key))
            session.again = True
    return done


def _is_deleted(link: Link | None) -> bool:
    """Whether a link's person was deleted."""
    return link is not None and link.gone is System.MARKETO


def _heir(contacts: Kind, contact: Record | None, link: Link | None) -> Heir:
    """Return what is known of the contact that a lead became; one that is linked is believed to be there."""
    found = standing(link)
    if found not in ("no link", "tombstone"):
        return found
    if contact is None:
        return "gone"
    return "out of the filter" if contacts.gate.passes(contact.values) == "out" else found


async def _heirs(session: Session, contacts: Kind, leads: Sequence[Observation]) -> Mapping[str, str]:
    """Return the contact that each qualified lead became, where it can be found."""
    heirs = {row.key: str(heir) for row in leads if row.record is not None and (heir := row.record.values.get(HEIR))}
    nameless = sorted(row.key for row in leads if row.key not in heirs)
    if nameless and ORIGIN in contacts.telling:
        for contact in await session.dynamics.find(contacts.name, ORIGIN, nameless, fields=contacts.read_fields):
            heirs.setdefault(str(contact.values[ORIGIN]), contact.key)
    return heirs


def _move(session: Session, link: Link, leads: Kind, contacts: Kind, contact: Record, ledger: Ledger) -> Link:
    """Move a lead's link to its contact; the lead's row is nobody's from now on."""
    gone, selected = link.gone if link.gone is System.MARKETO else None, session.store.pairs()
    told = session.store.observed(System.MARKETO, contacts.object, [link.marketo]).get(link.marketo)
    moved = attrs.evolve(
        link,
        entity=contacts.name,
        dynamics=contact.key,
        state=link.state if gone is System.MARKETO else LinkState.LIVE,
        gone=gone,
        since=link.since if gone is System.MARKETO else None,
        version=None,
        echoes=unconfirmed_after_rest(link, told),
        baseline=converted(link.baseline, pairs_of(leads, selected), pairs_of(contacts, selected), contact.values),
    )
    ledger.links.append(moved)
    ledger.at_rest.append((leads.entity, link.dynamics))
    if session.sends:
        session.moves["converted"] += 1
        session.tell(LeadConverted(run_id=session.id, lead=link.dynamics, contact=contact.key, person=link.marketo))
    return moved


def _kind(session: Session, entity: Entity) -> Kind | None:
    return next((kind for kind in session.kinds if kind.entity is entity), None)


async def _shown(session: Session, kind: Kind, rows: Sequence[Observation]) -> Mapping[str, Record]:
    """Return what rows show, read where the observation does not say."""
    unread = [row.key for row in rows if row.record is None]
    found = await session.dynamics.read(kind.name, unread, fields=kind.read_fields)
    return {row.key: record for row in rows if (record := row.record or found.get(row.key)) is not None}
