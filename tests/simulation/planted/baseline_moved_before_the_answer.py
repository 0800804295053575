"""The baseline leads: it moves when a write is sent, not when it is answered."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import pytest

from mkdyn.domain.outcomes import Outcome
from mkdyn.domain.plan import Operation
from mkdyn.domain.systems import System
from mkdyn.engine import apply
from mkdyn.engine.kinds import Kind
from mkdyn.engine.session import Session


def move_the_baseline_before_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plant it."""
    send = apply._send

    async def hasty(session: Session, kind: Kind, system: System, operations: Sequence[Operation]) -> Sequence[Outcome]:
        rows = {operation.key if system is System.DYNAMICS else operation.other: operation for operation in operations}
        links = session.store.links([kind.name], System.DYNAMICS, rows)
        with session.store.transaction():
            session.store.put_links(
                [
                    attrs.evolve(link, baseline={**link.baseline, **rows[row].awaited})
                    for row, link in links.items()
                    if rows[row].kind == "update"
                ]
            )
        return await send(session, kind, system, operations)

    monkeypatch.setattr(apply, "_send", hasty)
