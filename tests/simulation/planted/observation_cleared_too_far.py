"""A write clears all that is observed of its two records by then, not just what it was decided on."""

from __future__ import annotations

import pytest

from mkdyn.domain.systems import System
from mkdyn.engine import commit
from mkdyn.engine.batch import Batch
from mkdyn.engine.kinds import kinds_of
from mkdyn.engine.session import Session

#: Above every version there is.
_ANY = 2**62


def clear_later_observations(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plant it."""
    keep = commit._keep

    def careless(session: Session, batch: Batch) -> None:
        keep(session, batch)
        objects = {kind.name: kind.object for kind in kinds_of(session.store.pairs(), session.rules)}
        with session.store.transaction():
            for link in batch.links.values():
                session.store.clear(
                    [
                        (System.DYNAMICS, link.entity, link.dynamics, _ANY),
                        (System.MARKETO, objects[link.entity], link.marketo, _ANY),
                    ]
                )

    monkeypatch.setattr(commit, "_keep", careless)
