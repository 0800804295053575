"""How fast Dynamics may be asked: its service protection limits, kept before they are broken.

Dynamics counts, for each user, the requests and the execution time of the last five minutes,
and how many requests are under way. `Ledger` is the arithmetic, without a clock; `Pace` waits.
"""

from __future__ import annotations

import math
from collections import deque
from typing import Final

import attrs

from mkdyn.adapters.http.turns import Turns, share_of

#: The window over which Dynamics counts, in seconds.
WINDOW_S: Final = 300.0
#: How many requests are under way at first; more follow as none is refused.
_STARTS_WITH: Final = 4
#: What is kept free of each limit: Dynamics measures in its own way.
_HEADROOM: Final = 0.02


@attrs.frozen(kw_only=True)
class DynamicsLimits:
    """Dynamics' service protection limits, and how much of them is ours.

    Attributes:
        share: Our part of each figure.
        requests_per_300_s: Requests in any five minutes.
        execution_s_per_300_s: Seconds that Dynamics works for us in any five minutes.
        concurrent_requests: Requests under way at once.

    Raises:
        ConfigError: The share is no part of one.
    """

    share: float = attrs.field(default=1.0, validator=share_of("Dynamics'"))
    requests_per_300_s: int = 6_000
    execution_s_per_300_s: float = 1_200
    concurrent_requests: int = 52


@attrs.define
class Ledger:
    """What was asked in the last five minutes, and what may be asked now.

    Attributes:
        limits: What Dynamics allows.
        abreast: How many requests may be under way: it grows while none is refused, and is halved when one is.
    """

    limits: DynamicsLimits
    abreast: int = _STARTS_WITH
    _hint: float = math.inf
    _going: dict[int, float] = attrs.field(factory=dict[int, float])
    _starts: deque[float] = attrs.field(factory=deque[float])
    _done: deque[tuple[float, float]] = attrs.field(factory=deque[tuple[float, float]])
    _spent_s: float = 0.0
    _typical_s: float = 0.0
    _until: float = -math.inf
    _begun: int = 0
    _smooth: int = 0

    def delay_s(self, now: float) -> float:
        """Return how long to wait before the next request; infinity if one must end first."""
        self._forget(now)
        if now < self._until:
            return self._until - now
        if len(self._going) >= min(self.abreast, self._most):
            return math.inf
        if len(self._starts) >= self._requests_max:
            return self._starts[0] + WINDOW_S - now
        due = self._spent_s + len(self._going) * self._typical_s + self._typical_s
        if due <= self._execution_max_s or not (self._done or self._going):
            return 0.0
        return self._done[0][0] + WINDOW_S - now if self._done else math.inf

    def begin(self, now: float) -> int:
        """Note a request; return its number."""
        self._begun += 1
        self._going[self._begun] = now
        self._starts.append(now)
        return self._begun

    def end(self, number: int, now: float) -> None:
        """Note that a request has ended, however it did."""
        took = now - self._going.pop(number)
        self._done.append((now, took))
        self._spent_s += took
        self._typical_s += (took - self._typical_s) / min(len(self._done), 10)
        self._smooth += 1
        if self._smooth >= self.abreast:
            self._smooth, self.abreast = 0, min(self.abreast + 1, self._most)

    def refused(self, now: float, wait_s: float) -> None:
        """Note that Dynamics asks everybody to wait, and take fewer at once."""
        self._until = max(self._until, now + wait_s)
        self._smooth, self.abreast = 0, max(self.abreast // 2, 1)

    def hinted(self, hint: str | None) -> None:
        """Note how many at once Dynamics recommends."""
        if hint is not None and hint.isdecimal():
            self._hint = max(int(hint), 1)

    @property
    def _most(self) -> int:
        ours = max(int(self.limits.concurrent_requests * self.limits.share), 1)
        return int(min(ours, self._hint))

    @property
    def _requests_max(self) -> int:
        return max(int(self.limits.requests_per_300_s * self.limits.share * (1 - _HEADROOM)), 1)

    @property
    def _execution_max_s(self) -> float:
        return self.limits.execution_s_per_300_s * self.limits.share * (1 - _HEADROOM)

    def _forget(self, now: float) -> None:
        while self._starts and self._starts[0] + WINDOW_S <= now:
            self._starts.popleft()
        while self._done and self._done[0][0] + WINDOW_S <= now:
            self._spent_s -= self._done.popleft()[1]


class Pace(Turns[Ledger]):
    """Lets requests go when they may, in the order in which they asked."""

    def __init__(self, limits: DynamicsLimits) -> None:
        super().__init__(Ledger(limits))
