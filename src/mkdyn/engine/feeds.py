"""What both systems' feeds have in common: a name in the store, and a word to the observers."""

from __future__ import annotations

from mkdyn.domain.systems import System
from mkdyn.engine.session import Session
from mkdyn.ports.observer import PageGathered


def feed_name(system: System, name: str) -> str:
    """Return the name under which a feed's place is kept."""
    return f"{system.value}:{name}"


def count_page(session: Session, system: System, name: str, changes: int, kept: int) -> None:
    """Count a page that was kept, and tell."""
    session.observed += kept
    session.tell(PageGathered(run_id=session.id, system=system, object=name, changes=changes, kept=kept))
