"""What both systems' feeds have in common: a name in the store, and a word to the observers."""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from mkdyn.domain.systems import System
from mkdyn.engine.session import Session
from mkdyn.ports.observer import PageGathered
from mkdyn.ports.store import Observation, StateStore


def feed_name(system: System, name: str) -> str:
    """Return the name under which a feed's place is kept."""
    return f"{system.value}:{name}"


def count_page(session: Session, system: System, name: str, changes: int, kept: int) -> None:
    """Count a page that was kept, and tell."""
    session.observed += kept
    session.tell(PageGathered(run_id=session.id, system=system, object=name, changes=changes, kept=kept))


def observe(session: Session, observations: Iterable[Observation]) -> None:
    """Keep observations without losing what was known before; see `joined`."""
    session.store.observe(joined(session.store, observations))


def joined(store: StateStore, observations: Iterable[Observation]) -> list[Observation]:
    """Return observations with what is pending of their records: evidence, a request, a doubt, a deletion."""
    found = list(observations)
    keys: dict[tuple[System, str], list[str]] = {}
    for item in found:
        keys.setdefault((item.system, item.object), []).append(item.key)
    pending = {place: store.observed(*place, named) for place, named in keys.items()}
    if not any(pending.values()):  # the usual case
        return found
    return [_joined(item, pending[item.system, item.object].get(item.key)) for item in found]


def _joined(item: Observation, before: Observation | None) -> Observation:
    if before is None:
        return item
    return attrs.evolve(
        item,
        deleted=item.deleted or (before.deleted and item.record is None),
        evidence=item.evidence or before.evidence,
        wanted=item.wanted or before.wanted,
        doubtful=tuple(dict.fromkeys((*before.doubtful, *item.doubtful))),
        seen_at=item.seen_at or before.seen_at,
    )
