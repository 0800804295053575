"""A person was deleted in Marketo, and nobody remembers: its row is new again."""

from __future__ import annotations

import attrs
import pytest

from mkdyn.domain.records import Link
from mkdyn.domain.systems import System
from mkdyn.engine import parting
from mkdyn.engine.session import Session


def drop_the_tombstone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plant it."""
    bury = parting._buried

    def dropped(session: Session, link: Link, gone: System) -> Link:
        buried = bury(session, link, gone)
        return attrs.evolve(buried, dynamics=f"{link.id:032d}") if gone is System.MARKETO else buried

    monkeypatch.setattr(parting, "_buried", dropped)
