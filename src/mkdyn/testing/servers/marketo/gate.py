"""How many calls an instance takes: at once, in a sliding window, and in a day."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from datetime import date, datetime

import attrs

from mkdyn.testing.servers.marketo.question import RefusedError
from mkdyn.testing.servers.marketo.settings import ServerLimits


@attrs.frozen(eq=False)
class Ticket:
    """A call that was let in."""

    at: float
    day: date


class Gate:
    """Lets calls in, or refuses them; a refused call counts for nothing.

    Args:
        limits: What is allowed.
        clock: Seconds, as they go by.
        now: The instance's time, for its days.

    Attributes:
        limits: What is allowed; may be changed.
    """

    def __init__(self, limits: ServerLimits, *, clock: Callable[[], float], now: Callable[[], datetime]) -> None:
        self.limits = limits
        self._clock = clock
        self._now = now
        self._window: deque[Ticket] = deque()
        self._running = 0
        self._by_day: Counter[date] = Counter()

    @property
    def today(self) -> date:
        """The day that is counted."""
        return self._now().astimezone(self.limits.day_zone).date()

    def enter(self) -> Ticket:
        """Let a call in.

        Raises:
            RefusedError: It is one too many.
        """
        limits, now = self.limits, self._clock()
        while self._window and self._window[0].at <= now - limits.window_s:
            self._window.popleft()
        if self._running >= limits.concurrent_calls:
            raise RefusedError("615", f"Concurrent access limit '{limits.concurrent_calls}' reached")
        if len(self._window) >= limits.calls_per_window:
            raise RefusedError(
                "606", f"Max rate limit '{limits.calls_per_window}' exceeded with in '{limits.window_s:g}' secs"
            )
        if self._by_day[self.today] >= limits.calls_per_day:
            raise RefusedError("607", "Daily quota reached")
        ticket = Ticket(now, self.today)
        self._running += 1
        self._window.append(ticket)
        self._by_day[ticket.day] += 1
        return ticket

    def leave(self, ticket: Ticket, *, billed: bool) -> None:
        """Let a call out, and forget it if its answer is one that nobody pays for."""
        self._running -= 1
        if billed:
            return
        self._by_day[ticket.day] -= 1
        if ticket in self._window:
            self._window.remove(ticket)
