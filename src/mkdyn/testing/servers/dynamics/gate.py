"""Service protection: how many requests a user may send, how long they may run, how many at once."""

from __future__ import annotations

import math
import operator
from collections import deque
from collections.abc import Callable
from itertools import accumulate
from typing import Final

from mkdyn.testing.servers.dynamics.question import RefusedError
from mkdyn.testing.servers.dynamics.settings import ServerLimits

TOO_MANY: Final = "0x80072322"
TOO_LONG: Final = "0x80072321"
TOO_MANY_AT_ONCE: Final = "0x80072326"


class TooManyError(RefusedError):
    """A request is one too many.

    Attributes:
        retry_after_s: How long to wait, in whole seconds.
    """

    def __init__(self, code: str, message: str, *, retry_after_s: int) -> None:
        super().__init__(429, code, message)
        self.retry_after_s = retry_after_s


class Gate:
    """Lets one user's requests in at one web server, or refuses them; a refused request counts for nothing.

    Args:
        limits: What is allowed.
        clock: Seconds, as they go by.

    Attributes:
        refused: How many requests were refused, by code.
        impatient: How many of them came before the wait was over.
    """

    def __init__(self, limits: ServerLimits, *, clock: Callable[[], float]) -> None:
        self.refused: dict[str, int] = {}
        self.impatient: int = 0
        self._limits = limits
        self._clock = clock
        self._entered: deque[float] = deque()
        self._ran: deque[tuple[float, float]] = deque()
        self._ran_s = 0.0
        self._running = 0
        self._closed_until = -math.inf
        self._why = ("", "")

    def enter(self) -> None:
        """Let a request in.

        Raises:
            TooManyError: It is one too many, or comes before the wait after another is over.
        """
        now = self._clock()
        self._forget(now)
        if now < self._closed_until:
            self.impatient += 1
            self._closed_until += self._limits.impatience_s
            raise self._refusal(now)
        limits = self._limits
        if len(self._entered) >= limits.requests_per_window:
            message = (
                f"Number of requests exceeded the limit of {limits.requests_per_window} "
                f"over time window of {limits.window_s:g} seconds."
            )
            self._close(TOO_MANY, message, self._entered[0] + limits.window_s)
            raise self._refusal(now)
        if self._ran_s >= limits.execution_s_per_window:
            message = (
                f"Combined execution time of incoming requests exceeded limit of "
                f"{limits.execution_s_per_window * 1000:,.0f}  milliseconds over time window of "
                f"{limits.window_s:g} seconds. Decrease number of concurrent requests or reduce the duration of "
                "requests and try again later."
            )
            self._close(TOO_LONG, message, self._enough_forgotten())
            raise self._refusal(now)
        if self._running >= limits.concurrent_requests:
            message = f"Number of concurrent requests exceeded the limit of {limits.concurrent_requests}."
            self._close(TOO_MANY_AT_ONCE, message, now + limits.busy_wait_s)
            raise self._refusal(now)
        self._entered.append(now)
        self._running += 1

    def leave(self, ran_s: float) -> None:
        """Let a request out that ran so long."""
        self._running -= 1
        if ran_s > 0:
            self._ran.append((self._clock(), ran_s))
            self._ran_s += ran_s

    @property
    def requests_left(self) -> int:
        """How many requests the window takes yet."""
        return max(self._limits.requests_per_window - len(self._entered), 0)

    @property
    def execution_left_s(self) -> float:
        """How many seconds requests may run yet in the window."""
        return max(self._limits.execution_s_per_window - self._ran_s, 0.0)

    def _forget(self, now: float) -> None:
        edge = now - self._limits.window_s
        while self._entered and self._entered[0] <= edge:
            self._entered.popleft()
        while self._ran and self._ran[0][0] <= edge:
            self._ran_s -= self._ran.popleft()[1]
        if not self._ran:
            self._ran_s = 0.0

    def _enough_forgotten(self) -> float:
        """Return when the window has room for execution again."""
        left = accumulate((ran_s for _, ran_s in self._ran), operator.sub, initial=self._ran_s)
        next(left)
        ends = (
            ended
            for (ended, _), rest in zip(self._ran, left, strict=True)
            if rest < self._limits.execution_s_per_window
        )
        return next(ends, self._clock()) + self._limits.window_s

    def _close(self, code: str, message: str, until: float) -> None:
        self._why = (code, message)
        self._closed_until = until

    def _refusal(self, now: float) -> TooManyError:
        code, message = self._why
        self.refused[code] = self.refused.get(code, 0) + 1
        return TooManyError(code, message, retry_after_s=max(math.ceil(self._closed_until - now), 1))
