"""Writes to Dynamics carry no version: they replace what was entered since."""

from __future__ import annotations

import attrs
import pytest

from mkdyn.domain.outcomes import Update, Write
from mkdyn.domain.plan import Operation
from mkdyn.engine import apply
from mkdyn.engine.kinds import Kind


def forget_the_version(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plant it."""
    as_write = apply._as_write

    def careless(kind: Kind, operation: Operation) -> Write:
        write = as_write(kind, operation)
        return attrs.evolve(write, version=None) if isinstance(write, Update) else write

    monkeypatch.setattr(apply, "_as_write", careless)
