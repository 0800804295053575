"""When something is tried again, and when not."""

from __future__ import annotations

from typing import Any

import anyio
import pytest
import trio.testing
from hypothesis import given, strategies as st

from mkdyn.adapters.http.retries import AgainError, Patience, Retries, RetryBudget
from mkdyn.errors import UnreachableError


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    """Waits pass at once."""
    return "trio", {"clock": trio.testing.MockClock(autojump_threshold=0)}


@given(st.integers(1, 12), st.floats(0, 400), st.none() | st.floats(0, 100), st.floats(0, 1))
def test_a_wait_is_within_its_bounds(tries: int, elapsed_s: float, hint_s: float | None, chance: float) -> None:
    """Never less than the system wants, never more than the deadline leaves; given up only for a reason."""
    retries = Retries(tries_max=8, base_s=1, cap_s=20, deadline_s=300)
    wait_s = retries.wait_s(tries, elapsed_s=elapsed_s, hint_s=hint_s, chance=chance)
    if wait_s is None:
        assert tries >= 8 or elapsed_s + (0 if hint_s is None else hint_s) + 20 > 300
    else:
        assert tries < 8
        assert elapsed_s + wait_s <= 300
        assert 0 <= wait_s <= 20 if hint_s is None else hint_s <= wait_s <= hint_s + 1


def test_waits_double_up_to_a_cap() -> None:
    """At full chance; at none there is no wait at all: full jitter."""
    retries = Retries(tries_max=9, base_s=1, cap_s=10)
    waits = [retries.wait_s(tries, elapsed_s=0, hint_s=None, chance=1.0) for tries in range(1, 7)]
    assert waits == [1, 2, 4, 8, 10, 10]
    assert retries.wait_s(3, elapsed_s=0, hint_s=None, chance=0.0) == 0


def test_repeats_are_a_small_part_of_all_requests() -> None:
    """A budget that successes earn."""
    budget = RetryBudget(most=2, earned=0.5, left=2)
    assert [budget.take() for _ in range(3)] == [True, True, False]
    budget.succeeded()
    assert not budget.take()
    budget.succeeded()
    assert budget.take()
    for _ in range(100):
        budget.succeeded()
    assert budget.left == 2


LOST = UnreachableError("No answer.")


class Attempts:
    """Attempts that end as they are told to, the last one again and again."""

    def __init__(self, *ends: Exception | str) -> None:
        self.ends = [*ends]
        self.count = 0

    async def __call__(self) -> str:
        """Try once."""
        self.count += 1
        end = self.ends.pop(0) if len(self.ends) > 1 else self.ends[0]
        if isinstance(end, Exception):
            raise end
        return end


def patience(**settings: Any) -> Patience:  # noqa: ANN401 - whatever it takes
    """Patience without chance."""
    return Patience(Retries(**settings), chance=lambda: 1.0)


@pytest.mark.anyio
async def test_the_system_s_hint_wins() -> None:
    """It is waited for, plus a little that spreads us; then the answer is handed on."""
    begun = anyio.current_time()
    assert await patience().run(Attempts(AgainError(LOST, after_s=17.0), AgainError(LOST), "done")) == "done"
    assert anyio.current_time() - begun == 18 + 2


@pytest.mark.anyio
async def test_the_last_try_says_what_is_wrong() -> None:
    """The error is the one that it stands for, with nothing behind it; another error is not tried again."""
    attempts, begun = Attempts(AgainError(LOST)), anyio.current_time()
    with pytest.raises(UnreachableError) as raised:
        await patience().run(attempts)
    assert raised.value is LOST
    assert (LOST.__cause__, LOST.__suppress_context__) == (None, True)
    assert (attempts.count, anyio.current_time() - begun) == (5, 1 + 2 + 4 + 8)
    other = Attempts(LOST)
    with pytest.raises(UnreachableError):
        await patience().run(other)
    assert other.count == 1


@pytest.mark.anyio
async def test_nothing_is_waited_for_beyond_the_deadline() -> None:
    """It is given up at once."""
    attempts, begun = Attempts(AgainError(LOST, after_s=500.0)), anyio.current_time()
    with pytest.raises(UnreachableError):
        await patience(deadline_s=300).run(attempts)
    assert (attempts.count, anyio.current_time() - begun) == (1, 0)


@pytest.mark.anyio
async def test_a_system_in_trouble_is_not_asked_many_times_as_much() -> None:
    """After fifty repeats in a row each request is sent once, until some succeed."""
    shared, attempts = patience(), Attempts(AgainError(LOST))
    for _ in range(20):
        with pytest.raises(UnreachableError):
            await shared.run(attempts)
    assert attempts.count == 20 + 50
    for _ in range(5):
        await shared.run(Attempts("done"))
    with pytest.raises(UnreachableError):
        await shared.run(attempts)
    assert attempts.count == 20 + 50 + 2
