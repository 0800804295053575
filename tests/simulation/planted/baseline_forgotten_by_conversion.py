"""A contact goes on without what its lead had agreed on."""

from __future__ import annotations

import pytest

from mkdyn.domain.records import Agreed
from mkdyn.engine import conversion


def forget_the_baseline_of_a_lead(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plant it."""

    def forgotten(*_: object) -> dict[str, Agreed]:
        return {}

    monkeypatch.setattr(conversion, "converted", forgotten)
