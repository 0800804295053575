"""What Marketo fills in when persons are merged counts as somebody's edit."""

from __future__ import annotations

import pytest

from mkdyn.domain.records import Agreed
from mkdyn.engine import merging


def take_a_fill_in_for_an_edit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plant it."""

    def nothing(*_: object, **__: object) -> dict[str, Agreed]:
        return {}

    monkeypatch.setattr(merging, "filled_in", nothing)
