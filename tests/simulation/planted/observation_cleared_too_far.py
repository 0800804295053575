"""A write clears what is observed of its record by then, not just what it was decided on."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from mkdyn.adapters.sqlite.feeds import FeedTables
from mkdyn.domain.systems import System


def clear_later_observations(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plant it."""
    clear = FeedTables.clear

    def careless(store: FeedTables, observations: Iterable[tuple[System, str, str, int]], /) -> None:
        clear(store, [(system, name, key, 2**62) for system, name, key, _ in observations])

    monkeypatch.setattr(FeedTables, "clear", careless)
