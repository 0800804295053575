"""Records that were found gone by a run that the guard stopped: looked for again, and counted until somebody decides."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from mkdyn.domain.feeds import Cursor
from mkdyn.domain.guards import Breach, Guard
from mkdyn.domain.records import Link, LinkState
from mkdyn.domain.systems import System
from mkdyn.engine.feeds import observe
from mkdyn.engine.kinds import Kind
from mkdyn.engine.session import CHUNK, Session
from mkdyn.ports.store import Observation


async def look_for_gone(session: Session) -> None:
    """Read what an earlier run found gone before the guard stopped it: what is back is decided like anything else."""
    for kind, system in _marked(session):
        name, earlier = kind.object_in(system), 0
        for links in _suspended(session, kind, system):
            earlier += len(links)
            keys = [link.key(system) for link in links]
            found = await session.connector(system).read(name, keys, fields=kind.read_in(system))
            with session.store.transaction():
                observe(
                    session,
                    [Observation(system=system, object=name, key=key, record=record) for key, record in found.items()],
                )
        live = session.linked_before.get(kind.name, 0)
        session.linked_before = {**session.linked_before, kind.name: live + earlier}


def recall_gone(session: Session) -> None:
    """Count what is gone still, beside what this run has found so."""
    for kind, system in _marked(session):
        count = sum(len(links) for links in _suspended(session, kind, system))
        session.tally(kind.entity, system).gone += count


def remember_gone(session: Session, stopping: Collection[Breach]) -> None:
    """Remember for which records the guard stops the run, and forget those for which it does not, or not any more."""
    stopped = {(breach.entity, breach.system) for breach in stopping if breach.guard is Guard.GONE}
    known = {(kind.entity, system) for kind, system in _marked(session)}
    if stopped == known:
        return
    with session.store.transaction():
        for kind in session.kinds:
            for system in System:
                place = (kind.entity, system)
                if place in known - stopped:
                    session.store.set_cursor(_mark(kind, system), None)
                elif place in stopped - known:
                    session.store.set_cursor(_mark(kind, system), Cursor(token="", at=session.started_at))


def _mark(kind: Kind, system: System) -> str:
    return f"gone:{system.value}:{kind.name}"


def _marked(session: Session) -> Sequence[tuple[Kind, System]]:
    return [
        (kind, system)
        for kind in session.kinds
        for system in System
        if session.store.cursor(_mark(kind, system)) is not None
    ]


def _suspended(session: Session, kind: Kind, system: System) -> Iterator[Sequence[Link]]:
    """Yield, piece by piece, the links that were found gone since the guard stopped a run for it, before this one."""
    mark, after = session.store.cursor(_mark(kind, system)), 0
    assert mark is not None  # only what is marked is asked for
    while links := session.store.links_after(kind.name, after, CHUNK, states=(LinkState.SUSPENDED,)):
        after = links[-1].id
        yield [
            link
            for link in links
            if link.gone is system and link.since is not None and mark.at <= link.since < session.started_at
        ]
