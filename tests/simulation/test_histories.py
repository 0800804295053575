"""Seeded random histories keep the promises. Many more of them: `nox -s simulate -- --seeds 20000`."""

from __future__ import annotations

import pytest

from tests.simulation.history import live_through

#: How many seeds a default run lives through.
SEEDS = 50


@pytest.mark.parametrize("seed", range(SEEDS))
def test_random_histories_keep_the_promises(seed: int) -> None:
    """No edit lost, nothing invented or doubled, Dynamics' own tables untouched, at rest in a few runs."""
    live_through(seed)
