"""A long feed is read at several places at once, and told as if it were read at one."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import AsyncGenerator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import pytest
from hypothesis import given, settings, strategies as st
from trio.testing import MockClock

from mkdyn.adapters.http.shapes import Json
from mkdyn.adapters.marketo.responses import Envelope
from mkdyn.adapters.marketo.windows import ABREAST, HELD_MAX, PAGES_MAX, PAGES_MIN, in_windows, window_end

pytestmark = pytest.mark.anyio

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


@pytest.fixture
def anyio_backend(jumping: tuple[str, dict[str, Any]]) -> tuple[str, dict[str, Any]]:
    """Waits pass at once."""
    return jumping


class Log:
    """A log of activities, each at a second; a call takes a second.

    Attributes:
        calls: How many calls were made, tokens too.
        abreast: How many were under way at once, at most.
        closed: How many readings came to their end, or were left.
        begun: Where each reading began.
        rounds: How many rounds of calls there were.
    """

    def __init__(self, seconds: Sequence[int], *, block: int, breaks_at: int | None = None) -> None:
        self.seconds = sorted(seconds)
        self.block, self.breaks_at = block, breaks_at
        self.calls = self.abreast = self.closed = self._going = self.rounds = 0
        self.begun: list[datetime] = []

    async def _call(self) -> None:
        self.calls += 1
        self._going += 1
        self.abreast = max(self.abreast, self._going)
        try:
            await anyio.sleep(1)
        finally:
            self._going -= 1

    async def read(self, since: datetime) -> AsyncGenerator[Envelope]:
        """Yield pages of the odd entries: a block may hold none."""
        self.begun.append(since)
        try:
            await self._call()
            place = bisect_left(self.seconds, (since - BEGIN) / SECOND)
            more = True
            while more:
                if self.calls == self.breaks_at:
                    raise ConnectionError
                await self._call()
                block = range(place, min(place + self.block, len(self.seconds)))
                place = block.stop
                more = place < len(self.seconds)
                result = [{"id": str(number), "at": self.seconds[number]} for number in block if number % 2]
                yield Envelope(result=result, at=None, next_token=str(place), more=more)
        finally:
            self.closed += 1

    async def beside(self) -> None:
        """Count a round."""
        self.rounds += 1


def when(item: Json) -> tuple[str, datetime]:
    """An activity's id and time."""
    return str(item["id"]), BEGIN + int(str(item["at"])) * SECOND


async def told(log: Log, end: datetime) -> list[str]:
    """The ids that are told, in order."""
    return [
        str(item["id"]) async for answer in in_windows(log.read, when, BEGIN, end, log.beside) for item in answer.result
    ]


SPREADS = st.lists(
    st.tuples(st.integers(0, 100_000), st.integers(1, 300), st.integers(0, 500)), min_size=1, max_size=4
).map(lambda bursts: [start + step * gap for start, count, gap in bursts for step in range(count)])


@given(seconds=SPREADS, block=st.integers(1, 4), end=st.integers(0, 150_000))
@settings(max_examples=60, deadline=None)
def test_everything_is_told_once_and_in_order(seconds: list[int], block: int, end: int) -> None:
    """However changes lie in time, many in one second too, and wherever windows end."""
    log = Log(seconds, block=block)

    async def read() -> list[str]:
        return await told(log, BEGIN + end * SECOND)

    found = anyio.run(read, backend="trio", backend_options={"clock": MockClock(autojump_threshold=0)})
    assert found == [str(number) for number in range(len(seconds)) if number % 2]
    assert log.closed == len(log.begun)


async def test_a_long_feed_takes_little_more_calls_and_less_than_half_the_time() -> None:
    """Windows cost a call and a half each, and are read three at a time."""
    log = Log(range(4_000), block=10)
    began = anyio.current_time()
    assert len(await told(log, BEGIN + timedelta(seconds=4_000))) == 2_000
    assert log.abreast == ABREAST
    assert 400 / ABREAST < log.rounds <= 400 / 2.5
    assert log.calls <= 400 * 1.07
    assert anyio.current_time() - began <= 400 / 2.5


async def test_a_short_feed_is_read_at_one_place() -> None:
    """Less than two windows' worth is not cut."""
    log = Log(range(10 * (2 * PAGES_MIN + 1)), block=10)
    await told(log, BEGIN + timedelta(seconds=10 * (2 * PAGES_MIN + 1)))
    assert len(log.begun) == 1


async def test_a_quiet_time_after_a_busy_one_costs_few_calls() -> None:
    """Windows as short as the busy time would be are not opened all over the quiet one."""
    log = Log([*range(200), *(100_000 * number for number in range(1, 11))], block=10)
    await told(log, BEGIN + 12 * DAY)
    assert log.calls <= 21 + 1 + 3 * 2 * ABREAST


async def test_a_break_anywhere_is_raised_as_itself() -> None:
    """What was yielded until then is a beginning of the feed, and nothing is left open."""
    log, found = Log(range(4_000), block=10, breaks_at=200), list[str]()

    async def read() -> None:
        async for answer in in_windows(log.read, when, BEGIN, BEGIN + timedelta(seconds=4_000), log.beside):
            found.extend(str(item["id"]) for item in answer.result)

    with pytest.raises(ConnectionError):
        await read()
    assert found == [str(number) for number in range(1, 2 * len(found), 2)]
    assert found
    assert log.closed == len(log.begun) > 1


async def test_a_feed_without_a_page_is_at_its_end() -> None:
    """Marketo may give no token to read on with."""
    log = Log([], block=1)

    async def nothing(since: datetime) -> AsyncGenerator[Envelope]:
        for answer in list[Envelope]():
            yield answer

    assert [answer async for answer in in_windows(nothing, when, BEGIN, BEGIN + DAY, log.beside)] == []


async def test_windows_that_run_ahead_wait() -> None:
    """Where windows are much fuller than thought, only so many pages wait for their turn."""
    times = [*(30 * number for number in range(10)), *(300 + 2 * number for number in range(3_000))]
    log, yielded, most = Log(times, block=1), 0, 0
    async for _ in in_windows(log.read, when, BEGIN, BEGIN + 12 * DAY, log.beside):
        most = max(most, log.calls - len(log.begun) - yielded)
        yielded += 1
    assert PAGES_MAX < most <= HELD_MAX + ABREAST


@given(left_s=st.integers(-10, 10_000_000), page_s=st.floats(0, 100_000), begin_ms=st.integers(0, 999))
def test_a_window_ends_before_the_end(left_s: int, page_s: float, begin_ms: int) -> None:
    """At a whole second, with enough left behind it, and no more pages in it than are held."""
    begin = BEGIN + timedelta(milliseconds=begin_ms)
    end, page = begin + timedelta(seconds=left_s), timedelta(seconds=page_s)
    until = window_end(begin, end, page)
    if until is None:
        assert left_s <= 2 or page <= timedelta() or (end - begin) / page < 2 * PAGES_MIN * ABREAST or page < SECOND
        return
    assert until.microsecond == 0
    assert begin < until < end
    assert until - begin <= PAGES_MAX * page
    assert end - until >= PAGES_MIN * page
