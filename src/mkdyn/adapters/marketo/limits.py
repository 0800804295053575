"""How fast Marketo may be asked: its limits count for the whole instance, so a part of them is ours.

Sources: Adobe, "Marketo integration best practices" and "Error codes" (606, 607, 615). `Ledger` is the arithmetic,
without a clock.
"""

from __future__ import annotations

import math
from collections import deque
from datetime import datetime, time, timedelta, timezone
from typing import Final

import attrs

from mkdyn.adapters.http.turns import share_of

#: The window over which Marketo counts calls, in seconds.
WINDOW_S: Final = 20.0
#: Where Marketo's day begins: US Central, without daylight saving (source: Adobe, "Error codes", 607).
_DAY_ZONE: Final = timezone(timedelta(hours=-6), "CST")
_DAY: Final = timedelta(days=1)
#: In how many windows, about, what others left free becomes ours again.
_STEPS: Final = 20


@attrs.frozen(kw_only=True)
class MarketoLimits:
    """Marketo's limits, and how much of them is ours: others use the same instance.

    Attributes:
        share: Our part of each figure.
        calls_per_20_s: Calls in any twenty seconds.
        concurrent_calls: Calls under way at once.
        calls_per_day: Calls a day.

    Raises:
        ConfigError: The share is no part of one.
    """

    share: float = attrs.field(default=0.5, validator=share_of("Marketo's"))
    calls_per_20_s: int = 100
    concurrent_calls: int = 10
    calls_per_day: int = 50_000


@attrs.define
class Ledger:
    """What was asked in the last seconds, and what may be asked now.

    A call holds its place in the window until that long after its answer: Marketo counts it from when it arrives,
    which is somewhere in between.

    Attributes:
        limits: What Marketo allows.
        abreast: How many calls may be under way: fewer after one was refused because there were too many.
        room: How many calls of ours a window takes: fewer after one was refused because others use it, too.
    """

    limits: MarketoLimits
    abreast: int = attrs.field(init=False)
    room: int = attrs.field(init=False)
    _going: set[int] = attrs.field(factory=set[int])
    _ended: deque[float] = attrs.field(factory=deque[float])
    _until: float = -math.inf
    _begun: int = 0
    _day_ends: float = -math.inf
    _today: int = 0
    _smooth: int = 0

    def __attrs_post_init__(self) -> None:
        self.abreast, self.room = self._most, self._calls_max

    def delay_s(self, now: float) -> float:
        """Return how long to wait before the next call; infinity if one must end first."""
        while self._ended and self._ended[0] + WINDOW_S <= now:
            self._ended.popleft()
        if now < self._until:
            return self._until - now
        if len(self._going) >= self.abreast:
            return math.inf
        if len(self._going) + len(self._ended) < self.room:
            return 0.0
        return self._ended[0] + WINDOW_S - now if self._ended else math.inf

    def begin(self, now: float) -> int:
        """Note a call; return its number."""
        if now >= self._day_ends:
            self._day_ends, self._today = now + _DAY.total_seconds(), 0
        self._begun += 1
        self._today += 1
        self._going.add(self._begun)
        return self._begun

    def end(self, number: int, now: float) -> None:
        """Note that a call has ended, however it did."""
        self._going.discard(number)
        self._ended.append(now)
        self._smooth += 1
        if self._smooth >= self.room:
            self._smooth, self.abreast = 0, min(self.abreast + 1, self._most)
            # Slowly near what there was room for: each step too far costs us a call, or somebody else.
            self.room += min(max((self._calls_max - self.room) // _STEPS, 1), self._calls_max - self.room)

    def told(self, now: float, at: datetime, calls: int) -> None:
        """Note what Marketo counts of ours today: other processes may be us, too.

        Args:
            now: Our clock.
            at: Marketo's.
            calls: Our calls since its midnight.
        """
        there = at.astimezone(_DAY_ZONE)
        midnight = datetime.combine(there.date() + _DAY, time(), _DAY_ZONE)
        ends = now + (midnight - there).total_seconds()
        # Another day has come, or we did not know when this one ends.
        another = ends - self._day_ends > _DAY.total_seconds() / 2
        self._day_ends, self._today = ends, calls if another else max(self._today, calls)

    def spent_s(self, now: float) -> float | None:
        """Return how long our part of the day's calls is used up for, or None while some are left."""
        if now >= self._day_ends or self._today < int(self.limits.calls_per_day * self.limits.share):
            return None
        return self._day_ends - now

    def refused(self, now: float) -> float:
        """Note that the last call to end was refused, since the window is full: the others in it are not all ours.

        Returns:
            How long to wait until one of ours leaves the window; all of it where none of ours is in it.
        """
        self._ended.pop()  # Marketo does not count what it refuses
        self._smooth, self.room = 0, max(len(self._going) + len(self._ended), 1)
        if not self._ended:
            self._until = now + WINDOW_S
            return WINDOW_S
        return max(self._ended[0] + WINDOW_S - now, 0.0)

    def crowded(self) -> None:
        """Note that a call was refused, since too many were under way: they are not all ours."""
        self._smooth, self.abreast = 0, max(self.abreast // 2, 1)

    @property
    def _most(self) -> int:
        return max(int(self.limits.concurrent_calls * self.limits.share), 1)

    @property
    def _calls_max(self) -> int:
        return max(int(self.limits.calls_per_20_s * self.limits.share), 1)
