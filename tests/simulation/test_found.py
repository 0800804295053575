"""Histories that once broke a promise, in ways that take too many steps to be told in a test of their own."""

from __future__ import annotations

import pytest

from tests.simulation.history import live_through

#: By their seeds, what was wrong.
FOUND = {
    3305: "a write that may never have arrived was taken for rewritten",
    51217: "an edit that a refresh had hit was put back, and nobody looked again",
    51552: "time was up between the two halves of a decision",
    52530: "an edit back to an older value, with an answer outstanding, was lost",
    100891: "an edit back to a lagging baseline's value, while Marketo had its half of a collision",
    803925: "half of a first match was applied, and its person was somebody else's by then",
    101988: "a lagging value was that of a lagging baseline, and passed for what Marketo shows",
}


@pytest.mark.parametrize("seed", FOUND)
def test_what_was_found_stays_mended(seed: int) -> None:
    """Each was a violation, once."""
    assert live_through(seed).steps
