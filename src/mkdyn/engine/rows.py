"""Gather what Dynamics' delta says: rows with values and versions, and deletions."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from mkdyn.domain.feeds import Cursor, Page
from mkdyn.domain.records import LinkState
from mkdyn.domain.systems import System
from mkdyn.engine.feeds import count_page, feed_name, observe
from mkdyn.engine.kinds import Kind
from mkdyn.engine.marks import apart_mark, refreshed_apart
from mkdyn.engine.session import CHUNK, Session
from mkdyn.errors import CursorExpiredError, FieldError
from mkdyn.ports.observer import CursorExpired
from mkdyn.ports.store import Observation, make_observation


async def read_rows_of_table(session: Session, kind: Kind) -> None:
    """Read one table's feed. Every detour is marked in the store first, so that a crash finds its way back."""
    store, feed = session.store, feed_name(System.DYNAMICS, kind.name)
    cursor, columns = store.cursor(feed), store.cursor(f"{feed}:columns")
    renew = store.cursor(f"{feed}:renew") is not None
    if cursor is not None and columns is not None and (renew or columns.token != _columns(kind.read_fields)):
        with store.transaction():
            _set_aside(session, feed, cursor, columns)
        cursor = None
    try:
        if store.cursor(f"{feed}:expired") is not None:
            await _read_expired(session, kind, feed)
        else:
            renewed = store.cursor(f"{feed}:before") is not None and not _is_refreshed_apart(session, kind, feed)
            await _read_rows(session, kind, feed, kind.read_fields, cursor, skip_known=not renewed)
        await _follow_the_old(session, kind, feed)
    except CursorExpiredError:
        session.tell(CursorExpired(run_id=session.id, system=System.DYNAMICS, object=kind.name))
        with store.transaction():
            store.set_cursor(f"{feed}:expired", Cursor(token="", at=session.started_at))
            store.set_cursor(f"{feed}:before", None)
        await _read_expired(session, kind, feed)


def _is_refreshed_apart(session: Session, kind: Kind, feed: str) -> bool:
    """Whether every column that is new in the feed was refreshed by a plan of its own: no row is read for it."""
    before = session.store.cursor(f"{feed}:before:columns")
    known = set[str]() if before is None else set(before.token.split(","))
    new = (set(kind.read_fields) - known) | {pair.dynamics for pair in kind.backfilling}
    return bool(new) and new <= refreshed_apart(session.store, kind.name)


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
        store.set_cursor(apart_mark(kind.name), None)


async def _read_expired(session: Session, kind: Kind, feed: str) -> None:
    """Read every row; what it does not contain is read by key before it counts as deleted."""
    full = f"{feed}:full"
    with session.store.transaction():
        session.store.forget_seen(full, None)
    await _read_rows(session, kind, feed, kind.read_fields, None, skip_known=False, remember=full)
    await _find_unread(session, kind, full)
    with session.store.transaction():
        session.store.forget_seen(full, None)
        session.store.set_cursor(f"{feed}:expired", None)


async def _find_unread(session: Session, kind: Kind, full: str) -> None:
    """Observe as deleted the linked rows that a complete read did not contain and a read by key does not find."""
    store, after = session.store, 0
    while links := store.links_after(
        kind.name, after, CHUNK, states=(LinkState.LIVE, LinkState.SUSPENDED, LinkState.FROZEN)
    ):
        after = links[-1].id
        unread = store.new_entries(full, [link.dynamics for link in links])
        found = await session.dynamics.read(kind.name, unread, fields=kind.read_fields)
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
    async with session.dynamics.changes(kind.name, fields=fields, since=since) as pages:
        async for page in pages:
            kept = [] if only_deletions else _rows_kept(session, kind, page, skip_known=skip_known)
            kept += _deletions_kept(session, kind, page.deleted)
            _keep_rows(session, kind, feed, page, kept, remember, cursor=None if only_deletions else page.cursor)


def _rows_kept(session: Session, kind: Kind, page: Page, *, skip_known: bool) -> list[Observation]:
    """Return the rows that are not as we left them: our own writes come back, and rows that nobody has touched."""
    known: Mapping[str, str] = {}
    if skip_known:
        known = session.store.versions(kind.name, [record.key for record in page.records])
    return [
        make_observation(system=System.DYNAMICS, object=kind.name, key=record.key, record=record)
        for record in page.records
        if record.version is None or known.get(record.key) != record.version
    ]


def _deletions_kept(session: Session, kind: Kind, deleted: Collection[str]) -> list[Observation]:
    links = session.store.links([kind.name], System.DYNAMICS, deleted)
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
    # What is held of a link stands until that is buried: the row may be back before.
    links = store.links([kind.name], System.DYNAMICS, page.deleted)
    parting = {key for key, link in links.items() if link.state is not LinkState.TOMBSTONE}
    vanished = store.observed(System.DYNAMICS, kind.name, [key for key in page.deleted if key not in kept_keys])
    with store.transaction():
        observe(session, kept)
        store.clear((System.DYNAMICS, kind.name, key, pending.version) for key, pending in vanished.items())
        store.release_record((kind.entity, key) for key in page.deleted if key not in parting)
        if remember is not None:
            store.mark_seen(remember, ((record.key, session.started_at) for record in page.records))
        if cursor is not None:
            store.set_cursor(feed, cursor)
            store.set_cursor(f"{feed}:columns", Cursor(token=_columns(kind.read_fields), at=cursor.at))
    count_page(session, System.DYNAMICS, kind.name, len(page.records) + len(page.deleted), len(kept))
