"""Gather: store what both systems say has changed, and where to go on, page by page.

A page's observations and the cursor behind it are kept in one transaction. What is our
own doing is dropped here: a Dynamics row whose version we know, a Marketo entry that says
just what we wrote. Reconcile knows no other source of work than observations.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import timedelta

import attrs

from mkdyn.domain.evidence import prove
from mkdyn.domain.feeds import Cursor, Entry, Evidence, Page
from mkdyn.domain.records import Key, Link, LinkState
from mkdyn.domain.systems import System
from mkdyn.engine.kinds import Kind
from mkdyn.engine.session import CHUNK, Session
from mkdyn.engine.together import together
from mkdyn.engine.walk import compare_links
from mkdyn.errors import BudgetSpentError, CursorExpiredError, FieldError, TransientError
from mkdyn.ports.observer import CursorExpired, FeedFailed, PageGathered
from mkdyn.ports.store import Observation

#: Which feed of Marketo's there is; its other objects have none.
PERSON = "lead"


async def gather(session: Session) -> None:
    """Read every feed to its end; one that fails stops where it stood, the others go on."""
    if session.store.cursor(_feed(System.MARKETO, PERSON)) is None:
        await _gather_marketo(session)  # before anything of Dynamics is read
    await together(
        lambda: _gather_marketo(session),
        lambda: _gather_dynamics(session),
    )


async def _gather_marketo(session: Session) -> None:
    if session.persons:
        await _read_feed(session, System.MARKETO, PERSON)


async def observe_keys(session: Session, keys: Collection[Key]) -> None:
    """Observe just these records, and their counterparts; the feeds stay where they are.

    A Dynamics GUID is looked for in every selected table, a Marketo key among the persons.
    """
    store = session.store
    found: list[Observation] = []
    for kind in session.kinds:
        by_row = store.links([kind.name], System.DYNAMICS, [key.id for key in keys if key.system is System.DYNAMICS])
        by_person = store.links([kind.name], System.MARKETO, [key.id for key in keys if key.system is System.MARKETO])
        guids = {key.id for key in keys if key.system is System.DYNAMICS} | {
            link.dynamics for link in by_person.values()
        }
        rows = await session.dynamics.read(kind.name, sorted(guids), fields=kind.dynamics_fields)
        found += [
            Observation(system=System.DYNAMICS, object=kind.name, key=row.key, record=row) for row in rows.values()
        ]
        found += [
            Observation(system=System.MARKETO, object=kind.object, key=link.marketo)
            for link in {link.id: link for link in (*by_row.values(), *by_person.values())}.values()
        ]
    with store.transaction():
        store.observe(found)
    session.observed += len(found)


async def _gather_dynamics(session: Session) -> None:
    for kind in session.kinds:
        await _read_feed(session, System.DYNAMICS, kind.name)


async def _read_feed(session: Session, system: System, name: str) -> None:
    try:
        if system is System.MARKETO:
            await _read_marketo(session)
        else:
            kind = next(kind for kind in session.kinds if kind.name == name)
            await _read_dynamics(session, kind)
    except BudgetSpentError as error:
        session.paused = error.what
    except TransientError as error:
        session.tell(FeedFailed(run_id=session.id, system=system, object=name, reason=type(error).__name__))
        session.warn(f"{system}'s feed of {name} stopped: {error.what}")


def _feed(system: System, name: str) -> str:
    return f"{system.value}:{name}"


# -- Marketo -----------------------------------------------------------------------------------


async def _read_marketo(session: Session) -> None:
    feed = _feed(System.MARKETO, PERSON)
    wanted = {field for kind in session.persons for field in kind.marketo_fields}
    wanted |= {field for promotion in session.rules.promote for field in promotion.when.fields}
    complete = session.store.cursor(f"{feed}:complete")
    if complete is not None:
        delay = timedelta(seconds=session.identities[System.MARKETO].settles_after_s)
        session.confirmable_since = complete.at - delay
    try:
        await _read_entries(session, feed, sorted(wanted))
    except CursorExpiredError:
        session.tell(CursorExpired(run_id=session.id, system=System.MARKETO, object=PERSON))
        with session.store.transaction():
            session.store.set_cursor(feed, None)
            session.store.set_cursor(f"{feed}:expired", Cursor(token="", at=session.started_at))
        await _read_entries(session, feed, sorted(wanted))
    with session.store.transaction():
        session.store.set_cursor(f"{feed}:complete", Cursor(token="", at=session.started_at))
    if session.store.cursor(f"{feed}:expired") is not None:
        for kind in session.persons:
            await compare_links(session, kind, {System.MARKETO})
        with session.store.transaction():
            session.store.set_cursor(f"{feed}:expired", None)


async def _read_entries(session: Session, feed: str, fields: Sequence[str]) -> None:
    cursor = session.store.cursor(feed)
    async with session.marketo.changes(PERSON, fields=fields, since=cursor) as pages:
        async for page in pages:
            _keep_marketo(session, feed, page)
            if cursor is None and page.cursor is not None:
                break  # the feed begins now: there is nothing behind its first cursor


def _keep_marketo(session: Session, feed: str, page: Page) -> None:
    """Keep one page of Marketo's feed: what concerns a link or a promotion, less our own writes."""
    store = session.store
    fresh = store.new_entries(feed, [entry.id for entry in page.entries]) if page.entries else set[str]()
    entries = [entry for entry in page.entries if entry.id in fresh]
    by_key: dict[str, list[Entry]] = {}
    for entry in entries:
        by_key.setdefault(entry.key, []).append(entry)
    keys = {*by_key, *page.deleted}
    links = store.links([kind.name for kind in session.persons], System.MARKETO, keys)
    pending = store.observed(System.MARKETO, PERSON, keys)
    kept: list[Observation] = []
    echoed: list[Link] = []
    for key, found in by_key.items():
        evidence = tuple(
            item for entry in sorted(found, key=lambda entry: (entry.at, entry.id)) for item in entry.evidence
        )
        observation, link = _person_changed(session, key, evidence, links.get(key), pending.get(key))
        kept += [observation] if observation else []
        echoed += [link] if link else []
    kept += [
        Observation(system=System.MARKETO, object=PERSON, key=key, deleted=True) for key in page.deleted if key in links
    ]
    with store.transaction():
        store.observe(kept)
        store.put_links(echoed)
        store.clear(
            (System.MARKETO, PERSON, key, pending[key].version)
            for key in page.deleted
            if key in pending and key not in links
        )
        store.mark_seen(feed, ((entry.id, entry.at) for entry in entries))
        if page.cursor is not None:
            store.set_cursor(feed, page.cursor)
            if page.cursor.repeats_from is not None:
                store.forget_seen(feed, page.cursor.repeats_from)
    _count(session, System.MARKETO, PERSON, len(entries) + len(page.deleted), len(kept))


def _person_changed(
    session: Session, key: str, evidence: tuple[Evidence, ...], link: Link | None, pending: Observation | None
) -> tuple[Observation | None, Link | None]:
    """Decide what a person's entries are worth: an observation, our own echo (the link without it), or nothing."""
    if link is None or link.state is LinkState.TOMBSTONE:
        if not session.rules.promote and pending is None:
            return None, None
    elif pending is None or not pending.evidence:
        proof = prove(evidence, link.echoes, since=session.confirmable_since)
        if not (proof.edited or proof.overwritten or proof.lost):
            return None, attrs.evolve(link, echoes=proof.echoes) if proof.confirmed else None
    before = pending or Observation(system=System.MARKETO, object=PERSON, key=key)
    told = (*before.evidence, *evidence)
    return attrs.evolve(before, record=None, evidence=told, seen_at=session.started_at), None


# -- Dynamics ------------------------------------------------------------------------------------


async def _read_dynamics(session: Session, kind: Kind) -> None:
    """Read one table's feed. Every detour is marked in the store first, so that a crash finds its way back."""
    store, feed = session.store, _feed(System.DYNAMICS, kind.name)
    cursor, columns = store.cursor(feed), store.cursor(f"{feed}:columns")
    renew = store.cursor(f"{feed}:renew") is not None
    if cursor is not None and columns is not None and (renew or columns.token != _columns(kind.dynamics_fields)):
        with store.transaction():
            _set_aside(session, feed, cursor, columns)
        cursor = None
    try:
        if store.cursor(f"{feed}:expired") is not None:
            await _read_expired(session, kind, feed)
        else:
            renewed = store.cursor(f"{feed}:before") is not None
            await _read_rows(session, kind, feed, kind.dynamics_fields, cursor, skip_known=not renewed)
        await _follow_the_old(session, kind, feed)
    except CursorExpiredError:
        session.tell(CursorExpired(run_id=session.id, system=System.DYNAMICS, object=kind.name))
        with store.transaction():
            store.set_cursor(f"{feed}:expired", Cursor(token="", at=session.started_at))
            store.set_cursor(f"{feed}:before", None)
        await _read_expired(session, kind, feed)


def _columns(fields: Iterable[str]) -> str:
    return ",".join(fields)


def _set_aside(session: Session, feed: str, cursor: Cursor, columns: Cursor) -> None:
    """Keep the feed of the columns before, and begin anew with those of now."""
    session.store.set_cursor(f"{feed}:before", cursor)
    session.store.set_cursor(f"{feed}:before:columns", columns)
    session.store.set_cursor(feed, None)
    session.store.set_cursor(f"{feed}:columns", None)
    session.store.set_cursor(f"{feed}:renew", None)


async def _follow_the_old(session: Session, kind: Kind, feed: str) -> None:
    """Follow the feed of other columns once more, after a full read: no deletion falls between the two."""
    store = session.store
    before, columns = store.cursor(f"{feed}:before"), store.cursor(f"{feed}:before:columns")
    if before is None or columns is None:
        return
    try:
        await _read_rows(session, kind, feed, columns.token.split(","), before, skip_known=True, only_deletions=True)
    except FieldError as error:  # one of its columns is gone, and the feed with it
        raise CursorExpiredError(error.what) from error
    with store.transaction():
        store.set_cursor(f"{feed}:before", None)
        store.set_cursor(f"{feed}:before:columns", None)


async def _read_expired(session: Session, kind: Kind, feed: str) -> None:
    """Read every row; what it does not contain is read by key before it counts as deleted."""
    full = f"{feed}:full"
    with session.store.transaction():
        session.store.forget_seen(full, None)
    await _read_rows(session, kind, feed, kind.dynamics_fields, None, skip_known=False, remember=full)
    await _find_unread(session, kind, full)
    with session.store.transaction():
        session.store.forget_seen(full, None)
        session.store.set_cursor(f"{feed}:expired", None)


async def _find_unread(session: Session, kind: Kind, full: str) -> None:
    """Observe as deleted the linked rows that a complete read did not contain and a read by key does not find."""
    store, after = session.store, 0
    while links := store.links_after(kind.name, after, CHUNK, states=(LinkState.LIVE, LinkState.SUSPENDED)):
        after = links[-1].id
        unread = store.new_entries(full, [link.dynamics for link in links])
        found = await session.dynamics.read(kind.name, unread, fields=kind.dynamics_fields)
        with store.transaction():
            store.observe(
                Observation(
                    system=System.DYNAMICS, object=kind.name, key=key, record=found.get(key), deleted=key not in found
                )
                for key in sorted(unread)
            )


async def _read_rows(
    session: Session,
    kind: Kind,
    feed: str,
    fields: Sequence[str],
    since: Cursor | None,
    *,
    skip_known: bool,
    only_deletions: bool = False,
    remember: str | None = None,
) -> None:
    if since is None:
        session.read_in_full.add(kind.name)
    async with session.dynamics.changes(kind.name, fields=fields, since=since) as pages:
        async for page in pages:
            links = session.store.links(
                [kind.name], System.DYNAMICS, {*(record.key for record in page.records), *page.deleted}
            )
            kept = [] if only_deletions else _rows_kept(kind, page, links, skip_known=skip_known)
            kept += _deletions_kept(kind, page.deleted, links)
            _keep_rows(session, kind, feed, page, kept, remember, cursor=None if only_deletions else page.cursor)


def _rows_kept(kind: Kind, page: Page, links: Mapping[str, Link], *, skip_known: bool) -> list[Observation]:
    return [
        Observation(system=System.DYNAMICS, object=kind.name, key=record.key, record=record)
        for record in page.records
        if not (skip_known and _is_known(links.get(record.key), record.version))
    ]


def _is_known(link: Link | None, version: str | None) -> bool:
    """Whether the row is as we left it: our own write coming back, or nothing at all."""
    return link is not None and link.state is LinkState.LIVE and version is not None and link.version == version


def _deletions_kept(kind: Kind, deleted: Iterable[str], links: Mapping[str, Link]) -> list[Observation]:
    return [
        Observation(system=System.DYNAMICS, object=kind.name, key=key, deleted=True) for key in deleted if key in links
    ]


def _keep_rows(
    session: Session,
    kind: Kind,
    feed: str,
    page: Page,
    kept: Collection[Observation],
    remember: str | None,
    *,
    cursor: Cursor | None,
) -> None:
    store = session.store
    kept_keys = {observation.key for observation in kept}
    vanished = store.observed(System.DYNAMICS, kind.name, [key for key in page.deleted if key not in kept_keys])
    with store.transaction():
        store.observe(kept)
        store.clear((System.DYNAMICS, kind.name, key, pending.version) for key, pending in vanished.items())
        store.release_record((kind.entity, key) for key in page.deleted)
        if remember is not None:
            store.mark_seen(remember, ((record.key, session.started_at) for record in page.records))
        if cursor is not None:
            store.set_cursor(feed, cursor)
            store.set_cursor(f"{feed}:columns", Cursor(token=_columns(kind.dynamics_fields), at=cursor.at))
    _count(session, System.DYNAMICS, kind.name, len(page.records) + len(page.deleted), len(kept))


def _count(session: Session, system: System, name: str, changes: int, kept: int) -> None:
    session.observed += kept
    session.tell(PageGathered(run_id=session.id, system=system, object=name, changes=changes, kept=kept))
