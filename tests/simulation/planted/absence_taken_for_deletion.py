"""A record that can't be read counts as deleted at once."""

from __future__ import annotations

import attrs
import pytest

from mkdyn.domain.records import LinkState
from mkdyn.domain.systems import System
from mkdyn.engine import linked
from mkdyn.engine.ledger import Ledger
from mkdyn.engine.parting import Subject
from mkdyn.engine.session import Session


def take_absence_for_deletion(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plant it."""

    def bury(session: Session, subject: Subject, gone: System, ledger: Ledger) -> None:
        ledger.links.append(attrs.evolve(subject.link, state=LinkState.TOMBSTONE, gone=gone, version=None))
        ledger.clear(subject.row, subject.person)

    monkeypatch.setattr(linked, "suspend", bury)
