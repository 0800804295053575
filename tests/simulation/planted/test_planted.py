"""Each planted bug is caught by the promise that it breaks."""

from __future__ import annotations

import pytest

from tests.simulation.history import live_through
from tests.simulation.planted import PLANTED, PLANTED_IN_LIFECYCLES, Plant
from tests.simulation.world import ViolationError

#: Within how many seeds each must be caught.
WITHIN = 500


@pytest.mark.parametrize("plant", {**PLANTED, **PLANTED_IN_LIFECYCLES}, ids=lambda plant: plant.__name__)
def test_a_planted_bug_is_caught(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    """The histories can fail, and for the right reason: a promise is broken, not the program."""
    plant(monkeypatch)
    for seed in range(WITHIN):
        try:
            live_through(seed, lifecycles=plant in PLANTED_IN_LIFECYCLES)
        except ViolationError as violation:
            broken = str(violation).splitlines()[-1]
            print(f"{plant.__name__}: seed {seed}: {broken}")  # noqa: T201 - shown with -s
            assert broken.startswith({**PLANTED, **PLANTED_IN_LIFECYCLES}[plant])
            return
    pytest.fail(f"not caught within {WITHIN} histories")
