"""Gather what Marketo's feed says: entries with evidence, less our own writes coming back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta

import attrs

from mkdyn.domain.collisions import Collision, Resolution, Win
from mkdyn.domain.entities import PERSON
from mkdyn.domain.evidence import heard_of, prove, still_due
from mkdyn.domain.feeds import Cursor, Entry, Evidence, Page
from mkdyn.domain.records import Link, LinkState, change_link, is_guid
from mkdyn.domain.systems import System
from mkdyn.engine.feeds import count_page, feed_name, observe
from mkdyn.engine.kinds import Kind
from mkdyn.engine.session import CHUNK, Session
from mkdyn.engine.walk import compare_links
from mkdyn.engine.winners import edits_left_behind, follow_winners
from mkdyn.errors import CursorExpiredError, MkdynError
from mkdyn.ports.observer import CursorExpired
from mkdyn.ports.store import Observation, change_observation, make_observation


async def read_entries_of_persons(session: Session) -> None:
    """Read Marketo's feed of persons to its end; one that has expired is made up for by comparing every link."""
    feed = feed_name(System.MARKETO, PERSON)
    wanted = {field for kind in session.persons for field in kind.marketo_fields}
    wanted |= {field for promotion in session.rules.promote for field in promotion.when.fields}
    complete = session.store.cursor(f"{feed}:complete")
    delay = timedelta(seconds=session.identities[System.MARKETO].settles_after_s)
    if complete is not None:
        session.confirmable_since = complete.at - delay
    try:
        await _read_entries(session, feed, sorted(wanted))
    except CursorExpiredError:
        session.tell(CursorExpired(run_id=session.id, system=System.MARKETO, object=PERSON))
        with session.store.transaction():
            session.store.set_cursor(feed, None)
            session.store.set_cursor(f"{feed}:expired", Cursor(token="", at=session.started_at))
        for kind in session.persons:
            _forget_echoes(session, kind)
        await _read_entries(session, feed, sorted(wanted))
    with session.store.transaction():
        session.store.set_cursor(f"{feed}:complete", Cursor(token="", at=session.started_at))
    expired = session.store.cursor(f"{feed}:expired")
    if expired is not None:
        for kind in session.persons:
            await compare_links(session, kind, {System.MARKETO})
        if expired.at + delay <= session.started_at:  # until then, values may be older than what the feed lost
            with session.store.transaction():
                session.store.set_cursor(f"{feed}:expired", None)


def _forget_echoes(session: Session, kind: Kind) -> None:
    """Await no more confirmations: they were in the feed that was lost, and so was who edited what since.

    Those that evidence at hand confirms are kept to read it.
    """
    after = 0
    while links := session.store.links_after(kind.name, after, CHUNK, states=tuple(LinkState)):
        after = links[-1].id
        waiting = [link for link in links if link.echoes]
        told = session.store.observed(System.MARKETO, kind.object, [link.marketo for link in waiting])
        with session.store.transaction():
            session.store.put_links(
                [
                    attrs.evolve(
                        link,
                        echoes=heard_of(link.echoes, told[link.marketo].evidence) if link.marketo in told else {},
                    )
                    for link in waiting
                ]
            )


async def _read_entries(session: Session, feed: str, fields: Sequence[str]) -> None:
    """Read on to the feed's end, and keep what it says: pages are small, so some of them together."""
    cursor = session.store.cursor(feed)
    unkept: list[Page] = []
    try:
        async with session.marketo.changes(PERSON, fields=fields, since=cursor) as pages:
            async for page in pages:
                unkept.append(page)
                if sum(len(some.entries) + len(some.deleted) for some in unkept) >= CHUNK:
                    await _keep_marketo(session, feed, unkept)
                    unkept = []
                if cursor is None and page.cursor is not None:
                    break  # the feed begins now: there is nothing behind its first cursor
    except MkdynError:
        await _keep_marketo(session, feed, unkept)
        raise
    await _keep_marketo(session, feed, unkept)


async def _keep_marketo(session: Session, feed: str, pages: Sequence[Page]) -> None:
    """Keep pages of Marketo's feed: what concerns a link or a promotion, less our own writes."""
    if not pages:
        return
    store = session.store
    named = {entry.id: entry for page in pages for entry in page.entries}  # a feed may repeat itself
    deleted = list(dict.fromkeys(key for page in pages for key in page.deleted))
    cursor = next((page.cursor for page in reversed(pages) if page.cursor is not None), None)
    fresh = store.new_entries(feed, list(named)) if named else set[str]()
    entries = [entry for id, entry in named.items() if id in fresh]
    merged = {loser: winner for page in pages for loser, winner in page.merged.items()}
    by_key: dict[str, list[Entry]] = {}
    for entry in entries:
        by_key.setdefault(entry.key, []).append(entry)
    keys = {*by_key, *deleted, *merged.values()}
    links = store.links([kind.name for kind in session.persons], System.MARKETO, keys)
    pending = store.observed(System.MARKETO, PERSON, keys)
    kept: list[Observation] = []
    followed = follow_winners(session, merged, links, deleted)
    told = {
        key: (*(pending[key].evidence if key in pending else ()), *_evidence(by_key.get(key, ())))
        for key in followed.losers
    }
    lost = await edits_left_behind(session, followed.losers, links, told)
    deleted = [key for key in deleted if key not in followed.losers]
    links = {**links, **followed.links}
    echoed: list[Link] = []
    for key, found in by_key.items():
        if key in followed.losers:
            continue  # what it showed, the winner shows now, or nobody
        evidence = _evidence(found)
        if key in links and links[key].state is LinkState.TOMBSTONE:
            lost += _arrived_late(session, links[key], evidence)
        observation, link = _person_changed(session, key, evidence, links.get(key), pending.get(key))
        kept += [observation] if observation else []
        echoed += [link] if link else []
        if key not in links:
            kept += _rows_named(session, evidence)
    kept += [
        Observation(system=System.MARKETO, object=PERSON, key=key, deleted=True) for key in deleted if key in links
    ]
    with store.transaction():
        store.observe(kept)
        store.put_links([*followed.moved, *echoed])
        store.hold(session.id, followed.doubled)
        store.add_resolutions(session.id, lost)
        store.clear((System.MARKETO, PERSON, key, pending[key].version) for key in followed.losers if key in pending)
        observe(session, followed.observed)
        store.clear(
            (System.MARKETO, PERSON, key, pending[key].version)
            for key in deleted
            if key in pending and key not in links
        )
        # What is older than the feed may repeat from now on would be forgotten again at once.
        since = None if cursor is None else cursor.repeats_from
        store.mark_seen(feed, ((entry.id, entry.at) for entry in entries if since is None or entry.at >= since))
        if cursor is not None:
            store.set_cursor(feed, cursor)
            if cursor.repeats_from is not None:
                store.forget_seen(feed, cursor.repeats_from)
    session.fewer |= any(key not in links for key in deleted)
    count_page(session, System.MARKETO, PERSON, len(entries) + len(deleted), len(kept))


def _evidence(entries: Sequence[Entry]) -> tuple[Evidence, ...]:
    """Return what a person's entries prove, oldest first.

    Ids have no order, and times are whole seconds: of one second, what the feed tells first was first.
    """
    if len(entries) > 1:
        entries = sorted(entries, key=lambda entry: entry.at)
    return tuple([item for entry in entries for item in entry.evidence])


def _person_changed(
    session: Session, key: str, evidence: tuple[Evidence, ...], link: Link | None, pending: Observation | None
) -> tuple[Observation | None, Link | None]:
    """Decide what a person's entries are worth: an observation, our own echo (the link without it), or nothing."""
    changed: Link | None = None
    if link is None or link.state is LinkState.TOMBSTONE:
        if not session.rules.promote and pending is None:
            return None, None
    else:
        heard = pending.evidence if pending is not None else ()
        due = still_due(link.echoes, {item.field for item in evidence}, session.confirmable_since, heard=heard)
        proof = prove(evidence, due)
        if not (pending and pending.evidence) and not (
            proof.edited or proof.overwritten or proof.lost or proof.arrived
        ):
            waiting = pending and attrs.evolve(pending, seen_at=session.started_at)  # values may lag behind this, too
            return (waiting, change_link(link, echoes=proof.echoes)) if proof.confirmed else (None, None)
        changed = change_link(link, echoes=due) if due != link.echoes else None
    if pending is None:
        return (
            make_observation(
                system=System.MARKETO, object=PERSON, key=key, evidence=evidence, seen_at=session.started_at
            ),
            changed,
        )
    told = (*pending.evidence, *evidence)
    return change_observation(pending, record=None, evidence=told, seen_at=session.started_at), changed


def _arrived_late(session: Session, link: Link, evidence: Sequence[Evidence]) -> list[Resolution]:
    """Return the edits that a write of ours replaced which was on its way when its row was deleted.

    Nobody puts them back: the person is not synced any more.
    """
    proof = prove(evidence, link.echoes)
    kind = next((kind for kind in session.persons if kind.name == link.entity), None)
    if kind is None or not proof.overwritten:
        return []
    agreed = kind.as_agreed(link, System.MARKETO)
    return [
        Resolution(
            collision=Collision(
                entity=kind.entity, field=kind.by_marketo[name].dynamics,
                was=agreed.get(name), marketo=value, dynamics=proof.standing[name],
            ),
            verdict=Win(System.DYNAMICS, because="a write that was on its way when the row was deleted came after it"),
            key=link.dynamics,
            kind="overwritten",
        )
        for name, value in proof.overwritten.items()
        if name in kind.by_marketo
    ]  # fmt: skip


def _rows_named(session: Session, evidence: Iterable[Evidence]) -> list[Observation]:
    """Observe the rows whose GUID somebody gave to a person that is not linked: that is how a doubt is settled."""
    tables = {kind.key_field: kind.name for kind in session.persons}
    return [
        Observation(system=System.DYNAMICS, object=tables[item.field], key=item.new.lower())
        for item in evidence
        if item.field in tables and item.new is not None and is_guid(item.new)
    ]
