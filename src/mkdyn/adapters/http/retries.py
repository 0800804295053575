"""When something is tried again: arithmetic without a clock or chance of its own, and the loop that keeps to it."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio
import attrs
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type

from mkdyn.errors import MkdynError

T = TypeVar("T")


class AgainError(Exception):
    """Another try may succeed, and does no harm.

    Attributes:
        error: What is raised in its place where there is none.
        after_s: How long the system wants us to wait, if it says so.
    """

    def __init__(self, error: MkdynError, *, after_s: float | None = None) -> None:
        super().__init__(error.what)
        self.error = error
        self.after_s = after_s


@attrs.frozen(kw_only=True)
class Retries:
    """How patient we are with one request.

    Attributes:
        tries_max: The most times it is sent.
        base_s: The longest wait before the second time; it doubles each time.
        cap_s: The longest wait, if the system does not want a longer one.
        deadline_s: How long it may all take, waiting included, when it is sent again.
    """

    tries_max: int = 5
    base_s: float = 1.0
    cap_s: float = 60.0
    deadline_s: float = 600.0

    def wait_s(self, tries: int, *, elapsed_s: float, hint_s: float | None, chance: float) -> float | None:
        """Return how long to wait before it is sent again; None to give up.

        Args:
            tries: How often it was sent.
            elapsed_s: How long that took, waiting included.
            hint_s: How long the system wants us to wait; it is never less.
            chance: From 0 to 1: spreads those who wait, so that they do not come back as one.
        """
        if tries >= self.tries_max:
            return None
        wait_s = chance * min(self.base_s * 2 ** (tries - 1), self.cap_s)
        if hint_s is not None:
            wait_s = hint_s + chance * self.base_s
        return wait_s if elapsed_s + wait_s <= self.deadline_s else None


@attrs.define
class RetryBudget:
    """Keeps repeats a small part of all requests, so that a system in trouble is not asked many times as much.

    Attributes:
        most: How many repeats may come in a row.
        earned: What each success earns.
        left: What is left.
    """

    most: float = 50.0
    earned: float = 0.2
    left: float = 50.0

    def succeeded(self) -> None:
        """Note a success."""
        self.left = min(self.left + self.earned, self.most)

    def take(self) -> bool:
        """Return whether one more repeat is allowed, and count it."""
        if self.left < 1:
            return False
        self.left -= 1
        return True


class Patience:
    """Tries again for any number of requests.

    Args:
        retries: How patient we are with each.
        chance: Spreads those who wait: from 0 to 1.
    """

    def __init__(self, retries: Retries, *, chance: Callable[[], float] = random.random) -> None:
        self._retries = retries
        self._chance = chance
        self._budget = RetryBudget()

    async def run(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Try until it succeeds, or it has been enough.

        Raises:
            MkdynError: What the last `AgainError` stands for, or what else was raised.
        """
        turn = _Turn(self._retries, self._budget, self._chance(), anyio.current_time())
        retrying = AsyncRetrying(
            retry=retry_if_exception_type(AgainError), wait=turn.wait, stop=turn.stop, sleep=anyio.sleep, reraise=True
        )
        try:
            found: T = await retrying(attempt)
        except AgainError as last:
            raise last.error from None
        self._budget.succeeded()
        return found


class _Turn:
    """What tenacity asks about one request: first how long to wait, then whether to stop."""

    def __init__(self, retries: Retries, budget: RetryBudget, chance: float, began: float) -> None:
        self._retries = retries
        self._budget = budget
        self._chance = chance
        self._began = began
        self._next_s: float | None = None

    def wait(self, state: RetryCallState) -> float:
        """Return how long to wait."""
        again = None if state.outcome is None else state.outcome.exception()
        self._next_s = self._retries.wait_s(
            state.attempt_number,
            elapsed_s=anyio.current_time() - self._began,
            hint_s=again.after_s if isinstance(again, AgainError) else None,
            chance=self._chance,
        )
        return self._next_s or 0.0

    def stop(self, state: RetryCallState) -> bool:
        """Return whether it has been enough."""
        del state
        return self._next_s is None or not self._budget.take()
