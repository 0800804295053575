"""Nothing is settled: a write whose answer is open counts as never sent, and is decided anew."""

from __future__ import annotations

import pytest

from mkdyn.engine import synchronizer
from mkdyn.engine.commit import drop
from mkdyn.engine.session import CHUNK, Session


def skip_settling(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plant it."""

    async def skipped(session: Session) -> None:
        kinds = {kind.name: kind for kind in session.kinds}
        for operation in session.store.unsettled(after=0, limit=CHUNK):
            if operation.entity.logical_name in kinds:
                drop(session, kinds[operation.entity.logical_name], operation, "nobody asked")

    monkeypatch.setattr(synchronizer, "settle", skipped)
