"""A create whose answer was lost is sent again under another key, and nobody looks whether it arrived."""

from __future__ import annotations

import itertools
import uuid

import pytest

from mkdyn.domain.plan import Operation
from mkdyn.engine import promotion, settle
from mkdyn.engine.settle import NeverArrived, Verdict


def resend_creates_without_reading_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plant it."""
    numbers = itertools.count()
    verdict = settle.verdict

    def never(operation: Operation, *arguments: object, **settings: object) -> Verdict:
        if operation.kind == "create":
            return NeverArrived()
        return verdict(operation, *arguments, **settings)  # type: ignore[arg-type]  # passed on

    def fresh(*_: object) -> str:
        return str(uuid.UUID(int=next(numbers)))

    monkeypatch.setattr(settle, "verdict", never)
    monkeypatch.setattr(promotion, "row_key", fresh)
