"""The walk: compare links with both systems, a piece at a time, resumable.

It finds what no feed tells: a company edited in Marketo, an unlogged change, a lost
entry. What differs from the baseline becomes an observation like any other.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import timedelta

from mkdyn.domain.feeds import Cursor
from mkdyn.domain.fields import FieldPair, PairState
from mkdyn.domain.holds import Hold, Quarantined, Wake
from mkdyn.domain.records import Link, LinkState, Record, is_guid
from mkdyn.domain.systems import System
from mkdyn.domain.values import MISSING, Shown, same
from mkdyn.engine.discovery import compare_mark
from mkdyn.engine.feeds import observe
from mkdyn.engine.kinds import Kind
from mkdyn.engine.session import CHUNK, Session
from mkdyn.ports.store import Observation

_PLACE = "walk"
_WALKED = (LinkState.LIVE, LinkState.SUSPENDED)


async def walk_on(session: Session) -> None:
    """Compare the next few links, where the last run left off; entities take turns. Two calls."""
    kinds = session.kinds
    if not session.rules.walk_links or not kinds:
        return
    place = session.store.cursor(_PLACE)
    name, after = place.token.split(":") if place is not None else (kinds[0].name, "0")
    turn = next((index for index, kind in enumerate(kinds) if kind.name == name), 0)
    position = int(after) if kinds[turn].name == name else 0
    for _ in range(len(kinds) + 1):
        kind = kinds[turn % len(kinds)]
        links = session.store.links_after(kind.name, position, session.rules.walk_links, states=_WALKED)
        if links:
            await _compare(session, kind, links, {System.MARKETO, System.DYNAMICS})
            _remember(session, f"{kind.name}:{links[-1].id}")
            return
        turn, position = turn + 1, 0


async def watch_suspended(session: Session) -> None:
    """Read links that have been missing for the watch time by key: what is still not there counts as deleted."""
    overdue = session.started_at - timedelta(days=session.rules.watch_days)
    for kind in session.kinds:
        after = 0
        while links := session.store.links_after(kind.name, after, CHUNK, states=(LinkState.SUSPENDED,)):
            after = links[-1].id
            for system in System:
                due = [
                    link for link in links if link.gone is system and link.since is not None and link.since <= overdue
                ]
                await _look_for(session, kind, system, due)


async def _look_for(session: Session, kind: Kind, system: System, links: Sequence[Link]) -> None:
    name = kind.object_in(system)
    keys = [link.key(system) for link in links]
    found = await session.connector(system).read(name, keys, fields=kind.read_in(system))
    with session.store.transaction():
        observe(
            session,
            (
                Observation(system=system, object=name, key=key, record=found.get(key), deleted=key not in found)
                for key in keys
            ),
        )


def watch_claimed(session: Session) -> None:
    """Look again at restored rows that were set aside because their person was another's, once it is nobody's."""
    store, after = session.store, 0
    while found := store.quarantine(None, after=after, limit=CHUNK):
        after = found[-1][0]
        keys = [item.key for _, item in found if item.wake is Wake.LINK]
        for kind in session.kinds:
            links = store.links([kind.name], System.DYNAMICS, keys)
            buried = [
                link for link in links.values() if link.state is LinkState.TOMBSTONE and link.gone is System.DYNAMICS
            ]
            names = [other.name for other in session.kinds if other.object == kind.object]
            owners = store.links(names, System.MARKETO, [link.marketo for link in buried])
            free = [link for link in buried if owners[link.marketo].state is LinkState.TOMBSTONE]
            with store.transaction():
                observe(
                    session, [Observation(system=System.DYNAMICS, object=kind.name, key=link.dynamics) for link in free]
                )


def wake_ambiguous(session: Session) -> None:
    """Look again at what was set aside because several persons could be meant, once one of those is gone."""
    if not session.fewer:
        return
    store, after = session.store, 0
    while found := store.quarantine(None, after=after, limit=CHUNK):
        after = found[-1][0]
        items = [item for _, item in found if item.code == "ambiguous-match"]
        with store.transaction():
            observe(
                session,
                (
                    Observation(system=System.DYNAMICS, object=item.entity.logical_name, key=item.key)
                    if is_guid(item.key)
                    else Observation(system=System.MARKETO, object=item.entity.marketo_object, key=item.key)
                    for item in items
                ),
            )


async def compare_returned(session: Session) -> None:
    """Compare the Marketo records of entities of which a field is back: no feed told of it while it was away."""
    for kind in session.kinds:
        mark = compare_mark(kind.name)
        if session.store.cursor(mark) is None:
            continue
        await compare_links(session, kind, {System.MARKETO})
        with session.store.transaction():
            session.store.set_cursor(mark, None)


async def compare_links(session: Session, kind: Kind, systems: Collection[System]) -> None:
    """Compare all of a kind's links: what is left to do after a feed was lost."""
    after = 0
    while links := session.store.links_after(kind.name, after, CHUNK, states=_WALKED):
        after = links[-1].id
        await _compare(session, kind, links, systems)


def _remember(session: Session, token: str) -> None:
    with session.store.transaction():
        session.store.set_cursor(_PLACE, Cursor(token=token, at=session.started_at))


async def _compare(session: Session, kind: Kind, links: Sequence[Link], systems: Collection[System]) -> None:
    for system in (System.MARKETO, System.DYNAMICS):
        if system not in systems:
            continue
        name = kind.object_in(system)
        keys = [link.key(system) for link in links]
        pending = session.store.observed(system, name, keys)
        found = await session.connector(system).read(name, keys, fields=kind.read_in(system))
        kept_back = session.store.kept_back([link.dynamics for link in links])
        differing = [
            Observation(system=system, object=name, key=link.key(system), record=found.get(link.key(system)))
            for link in links
            if link.key(system) not in pending
            and not _is_dated(link, kept_back.get(link.dynamics, ()))
            and _differs(kind, link, system, found, waiting_fields(kind, system, kept_back.get(link.dynamics, ())))
        ]
        with session.store.transaction():
            session.store.observe(differing)
        session.observed += len(differing)


def waiting_fields(kind: Kind, system: System, kept_back: Sequence[Hold | Quarantined]) -> Collection[str]:
    """Return the fields, in *system*'s names, that wait for an edit: the feeds tell of that, not the walk."""
    if any(isinstance(item, Quarantined) and item.wake is not Wake.DATE for item in kept_back):
        return kind.fields_in(system)
    held = {item.field for item in kept_back if isinstance(item, Hold)}
    return {
        pair.dynamics if system is System.DYNAMICS else pair.marketo for pair in kind.pairs if pair.dynamics in held
    }


def _is_dated(link: Link, kept_back: Sequence[Hold | Quarantined]) -> bool:
    """Whether a date wakes a link: a row that was merged can be read, and its company can't be deleted yet."""
    return link.state is LinkState.SUSPENDED and any(
        isinstance(item, Quarantined) and item.until is not None for item in kept_back
    )


def _is_left_out(pair: FieldPair, link: Link) -> bool:
    """Whether a backfill is to come by a record, or has passed it by: the walk is none."""
    return pair.key not in link.baseline and (pair.late or pair.state is PairState.BACKFILLING)


def _differs(kind: Kind, link: Link, system: System, found: Mapping[str, Record], waiting: Collection[str]) -> bool:
    """Whether a link's record is not what the baseline says; one that can't be read differs if it could be before."""
    record = found.get(link.key(system))
    missing = link.state is LinkState.SUSPENDED and link.gone is system
    if record is None:
        return not missing
    if missing:
        return True
    if system is System.DYNAMICS and record.version is not None and record.version == link.version:
        return False
    return any(drifted(kind, link, system, record, waiting))


def drifted(kind: Kind, link: Link, system: System, record: Record, waiting: Collection[str]) -> Iterator[str]:
    """Yield the fields, in *system*'s names, of which a record does not show what both last agreed on."""
    agreed = kind.as_agreed(link, system)
    passed_over = {*waiting, *(pair.field_in(system) for pair in kind.pairs if _is_left_out(pair, link))}
    for name in kind.fields_in(system):
        shown: Shown = record.values.get(name, MISSING)
        if name not in passed_over and shown is not MISSING and not same(shown, agreed.get(name, MISSING)):
            yield name
