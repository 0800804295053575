"""Dynamics' limits: kept before they are broken, and what it asks for is honoured."""

from __future__ import annotations

import math
from typing import Any

import anyio
import pytest
from hypothesis import given, strategies as st

from mkdyn import DynamicsLimits
from mkdyn.adapters.dynamics.batch import Answer
from mkdyn.adapters.dynamics.pace import WINDOW_S, Ledger, Pace
from mkdyn.domain.outcomes import Applied, Unknown, Update
from mkdyn.errors import ConfigError, ThrottledError

from .organisation import Organisation, guid, listed, reply, row

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend(jumping: tuple[str, dict[str, Any]]) -> tuple[str, dict[str, Any]]:
    """Waits pass at once."""
    return jumping


def too_many(wait_s: int | None = None) -> Answer:
    """A refusal, with how long to wait or without."""
    return Answer(status=429, headers={} if wait_s is None else {"retry-after": str(wait_s)}, body=b"{}")


@given(
    st.lists(st.tuples(st.floats(0.01, 40), st.booleans()), min_size=1, max_size=60),
    st.integers(1, 20), st.integers(20, 300), st.integers(1, 8),
)  # fmt: skip
def test_no_limit_is_broken(calls: list[tuple[float, bool]], requests: int, seconds: int, abreast: int) -> None:
    """In no five minutes are there more requests, or more seconds of work, and never more at once."""
    limits = DynamicsLimits(requests_per_300_s=requests, execution_s_per_300_s=seconds, concurrent_requests=abreast)
    ledger, now = Ledger(limits), 0.0
    going: list[tuple[float, int, float]] = []
    began: list[float] = []
    done: list[tuple[float, float]] = []
    longest = max(took for took, _ in calls)

    def ended() -> None:
        for end, number, start in [item for item in going if item[0] <= now]:
            ledger.end(number, now)
            done.append((now, now - start))
            going.remove((end, number, start))

    for took, refuse in calls:
        ended()
        while (delay := ledger.delay_s(now)) > 0:
            ends = min((end for end, *_ in going), default=math.inf)
            now = min(now + delay, ends)
            assert now < math.inf  # something always ends the wait
            ended()
        going.append((now + took, ledger.begin(now), now))
        began.append(now)
        assert len(going) <= abreast
        assert sum(start + WINDOW_S > now for start in began) <= requests
        worked = sum(spent for end, spent in done if end + WINDOW_S > now)
        # What is under way is reckoned by what was usual: how long it takes is not known before.
        assert worked <= seconds + longest * (abreast + 1)
        if refuse:
            ledger.refused(now, 1.0)


@pytest.mark.parametrize("share", [0, -1, 1.5])
def test_a_share_is_a_part_of_one(share: float) -> None:
    """Nothing, or more than all, is none."""
    with pytest.raises(ConfigError, match="share is a part of one"):
        DynamicsLimits(share=share)


def test_a_share_applies_to_each_figure() -> None:
    """Half of the requests, half of the seconds, half as many at once."""
    limits = DynamicsLimits(share=0.5, requests_per_300_s=4, execution_s_per_300_s=100, concurrent_requests=2)
    ledger = Ledger(limits)
    number = ledger.begin(0.0)
    assert ledger.delay_s(0.0) == math.inf
    ledger.end(number, 49.0)
    assert ledger.delay_s(49.0) == 251.0
    assert ledger.delay_s(300.0) == 49.0
    assert ledger.delay_s(349.0) == 0


def test_more_at_once_as_long_as_none_is_refused() -> None:
    """One more after each round, up to what Dynamics recommends; half as many after a refusal."""
    ledger, now = Ledger(DynamicsLimits()), 0.0

    def rounds(count: int) -> None:
        nonlocal now
        for _ in range(count):
            numbers = []
            while ledger.delay_s(now) == 0:
                numbers.append(ledger.begin(now))
            now += 0.1
            for number in numbers:
                ledger.end(number, now)

    assert ledger.abreast == 4
    rounds(3)
    assert ledger.abreast == 7
    ledger.hinted("9")
    ledger.hinted("many")
    ledger.hinted(None)
    rounds(5)
    assert ledger.abreast == 9
    ledger.refused(now, 20.0)
    assert (ledger.abreast, round(ledger.delay_s(now), 6)) == (4, 20.0)
    ledger.refused(now, 5.0)
    assert (ledger.abreast, round(ledger.delay_s(now), 6)) == (2, 20.0)


async def test_requests_go_in_the_order_in_which_they_asked() -> None:
    """However long the first of them has to wait."""
    pace = Pace(DynamicsLimits(concurrent_requests=1))
    order: list[int] = []

    async def ask(number: int) -> None:
        async with pace.turn():
            order.append(number)
            await anyio.sleep(1)

    async with anyio.create_task_group() as tasks:
        for number in range(5):
            tasks.start_soon(ask, number)
            await anyio.lowlevel.checkpoint()
    assert order == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(("wait_s", "seconds"), [(17, 17), (None, 30)])
async def test_what_dynamics_asks_for_is_honoured(
    organisation: Organisation, wait_s: int | None, seconds: float
) -> None:
    """Everybody waits, then the same is sent again: nothing was done of it."""
    organisation.on("PATCH leads", reply(row(1, 8)))
    organisation.on(r"GET leads\?", listed())
    connector = organisation.connector()
    await connector.describe("lead")
    organisation.faults.append(too_many(wait_s))
    start = anyio.current_time()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(connector.write, "lead", [Update(key=guid(1), values={"score": 1})])
        await anyio.sleep(1)
        assert await connector.read("lead", [guid(1)], fields=["score"]) == {}
        assert anyio.current_time() == start + seconds
    assert len(organisation.asked("PATCH")) == 1


async def test_endless_throttling_is_raised(organisation: Organisation) -> None:
    """With how long to wait; a write that was refused so has not been done."""
    connector = organisation.connector()
    await connector.describe("lead")
    organisation.faults += [too_many(10)] * 5
    start = anyio.current_time()
    with pytest.raises(ThrottledError) as refused:
        await connector.write("lead", [Update(key=guid(1), values={"score": 1})])
    assert (refused.value.retry_after_s, anyio.current_time() - start) == (10.0, 40.0)


async def test_a_write_of_which_a_part_is_throttled(organisation: Organisation) -> None:
    """What was done is told; the rest is settled later."""
    organisation.on("PATCH leads", reply(row(1, 8)))
    connector = organisation.connector(rows_per_batch=1, limits=DynamicsLimits(concurrent_requests=1))
    await connector.describe("lead")
    organisation.faults += [None, *[too_many(10)] * 5]
    outcomes = await connector.write("lead", [Update(key=guid(n), values={"score": 1}) for n in (1, 2)])
    assert sorted(type(outcome).__name__ for outcome in outcomes) == [Applied.__name__, Unknown.__name__]


async def test_a_hint_is_followed(organisation: Organisation) -> None:
    """As many at once as Dynamics recommends."""
    organisation.on(r"GET leads\?", reply({"value": []}, x_ms_dop_hint="1"))
    connector = organisation.connector()
    await connector.read("lead", [guid(1)], fields=["score"])
    ledger = connector._client._pace.ledger
    assert (ledger.begin(0.0), ledger.delay_s(anyio.current_time())) == (4, math.inf)
