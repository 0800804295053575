"""Seeded random histories keep the promises. Many more: `nox -s simulate -- --seeds 20000`, and with `--lifecycles`."""

from __future__ import annotations

import pytest

from tests.simulation.history import live_through

#: How many seeds a default run lives through, and how many with lifecycles.
SEEDS = 50
LIFECYCLES = 10


@pytest.mark.parametrize("seed", range(SEEDS))
def test_random_histories_keep_the_promises(seed: int) -> None:
    """No edit lost, nothing invented or doubled, Dynamics' own tables untouched, at rest in a few runs."""
    live_through(seed)


@pytest.mark.parametrize("seed", range(LIFECYCLES))
def test_random_lifecycles_keep_the_promises(seed: int) -> None:
    """The same where leads are qualified, records merged in either system, a filter left and entered, fields refreshed."""
    live_through(seed, lifecycles=True)
