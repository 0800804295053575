"""Tokens, and how fast, how many at once and how often a day Marketo is asked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import httpx
import pytest
from hypothesis import given, strategies as st

from mkdyn import MarketoLimits
from mkdyn.adapters.marketo.limits import WINDOW_S, Ledger
from mkdyn.errors import BudgetSpentError, ConfigError, CredentialsError, ThrottledError, UnreachableError
from mkdyn.testing import FakeMarketo
from mkdyn.testing.servers.marketo import Drop, Fail, MarketoServer, Refuse, ServerLimits, Service, Slow

from .instance import Instance, refusal, served, success

pytestmark = pytest.mark.anyio
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def anyio_backend(jumping: tuple[str, dict[str, Any]]) -> tuple[str, dict[str, Any]]:
    """Waits pass at once."""
    return jumping


# -- tokens ----------------------------------------------------------------------------------------------------


async def test_one_token_serves_any_number_of_waiting_calls() -> None:
    """It is asked for once, travels in the header only, and is asked for again when it has ended."""
    async with served() as (connector, server):
        async with anyio.create_task_group() as group:
            for _ in range(10):
                group.start_soon(connector.identify)
        assert server.arrivals["identity"] == 1
        await anyio.sleep(3_500)
        await connector.identify()
        assert server.arrivals["identity"] == 1
        await anyio.sleep(200)
        await connector.identify()
        assert server.arrivals["identity"] == 2
        assert server.instance.codes["602"] == 0


@pytest.mark.parametrize(("end", "code"), [("expire_tokens", "602"), ("revoke_tokens", "601")])
async def test_a_token_that_is_refused_is_renewed_once_for_all(end: str, code: str) -> None:
    """Writes, too, are sent again: nothing was done."""
    async with served() as (connector, server):
        key = server.fake.create("lead", lastName="Lovelace")
        await connector.read("lead", [key], fields=["lastName"])
        getattr(server, end)()
        async with anyio.create_task_group() as group:
            for _ in range(4):
                group.start_soon(lambda: connector.read("lead", [key], fields=["lastName"]))
        assert server.arrivals["identity"] == 2
        assert server.instance.codes[code] >= 1


async def test_a_secret_that_is_wrong() -> None:
    """Is said to be so at once, without it."""
    server = MarketoServer(FakeMarketo(), services=[Service(client_secret="other")])
    async with served(server=server) as (connector, _):
        with pytest.raises(CredentialsError, match="no token for this client id") as raised:
            await connector.identify()
        assert "secret" not in str(raised.value).replace("its secret", "")
        assert server.arrivals.total() == 1


async def test_a_token_in_its_last_second_is_not_used(instance: Instance) -> None:
    """The next one is waited for; not for ever."""
    dying = {"access_token": "dying", "expires_in": 0, "scope": "sync@acme"}
    fresh = {**dying, "access_token": "fresh", "expires_in": 3599}
    instance.on("identity/oauth/token", dying, dying, fresh)
    assert (await instance.connector().identify()).user == "sync@acme"
    [request] = instance.seen
    assert request.headers["authorization"] == "Bearer fresh"
    instance.on("identity/oauth/token", dying)
    with pytest.raises(UnreachableError, match="every token"):
        await instance.connector().identify()


@pytest.mark.parametrize(
    "answer",
    [httpx.Response(503), httpx.Response(200, text="<html>"), {"access_token": ""}, {}, httpx.ReadTimeout("canary")],
    ids=["503", "HTML", "empty", "nothing", "none"],
)
async def test_an_identity_service_that_is_down_is_asked_again(instance: Instance, answer: Any) -> None:  # noqa: ANN401
    """Also for a write, of which nothing was sent yet."""
    good = {"access_token": "good", "expires_in": 3599, "scope": "sync@acme"}
    instance.on("identity/oauth/token", answer, answer, answer, answer, good)
    assert (await instance.connector().identify()).user == "sync@acme"
    instance.on("identity/oauth/token", answer)
    with pytest.raises(UnreachableError):
        await instance.connector().identify()


@pytest.mark.parametrize("text", ["böse", "two\r\nlines"])
async def test_a_token_that_is_no_header_is_not_sent(instance: Instance, text: str) -> None:
    """It is as none."""
    instance.on("identity/oauth/token", {"access_token": text, "expires_in": 9})
    with pytest.raises(UnreachableError, match="it holds no token"):
        await instance.connector().identify()


# -- limits ----------------------------------------------------------------------------------------------------


def test_limits_are_a_share() -> None:
    """Of each figure; the share is a part of one."""
    ledger = Ledger(MarketoLimits(share=0.3))
    for _ in range(3):
        assert ledger.delay_s(0) == 0
        ledger.begin(0)
    assert ledger.delay_s(0) == float("inf")
    for share in (0.0, 1.1, -1):
        with pytest.raises(ConfigError, match="share"):
            MarketoLimits(share=share)


@given(st.lists(st.tuples(st.floats(0, 8), st.floats(0, 30)), max_size=60))
def test_no_twenty_seconds_see_more_calls_than_our_share(calls: list[tuple[float, float]]) -> None:
    """Wherever between its beginning and its end Marketo counts a call."""
    ledger, now, arrivals = Ledger(MarketoLimits(share=1.0, calls_per_20_s=5, concurrent_calls=1)), 0.0, list[float]()
    for pause, took in calls:
        now += pause
        now += ledger.delay_s(now)
        assert ledger.delay_s(now) <= 1e-9
        number = ledger.begin(now)
        arrivals.append(now + took * (len(arrivals) % 3) / 2)
        now += took
        ledger.end(number, now)
    for first in arrivals:
        assert sum(first <= at < first + WINDOW_S - 1e-6 for at in arrivals) <= 5


def test_fewer_go_at_once_after_marketo_found_us_too_many() -> None:
    """Half as many, at least one; after a window of calls that went well, one more."""
    ledger = Ledger(MarketoLimits(share=1.0))
    assert ledger.abreast == 10
    for expected in (5, 2, 1, 1):
        ledger.crowded()
        assert ledger.abreast == expected
    for _ in range(100):
        ledger.end(ledger.begin(0), 0)
    assert ledger.abreast == 2
    for _ in range(2_000):
        ledger.end(ledger.begin(0), 0)
    assert ledger.abreast == 10


def test_others_who_are_we_count_too() -> None:
    """What Marketo counts of ours today is more than this process knows; its day ends at midnight, US Central."""
    ledger = Ledger(MarketoLimits(share=0.5, calls_per_day=100))
    assert ledger.spent_s(0) is None
    ledger.end(ledger.begin(0), 0)
    ledger.told(10, NOON, 49)
    assert ledger.spent_s(10) is None
    ledger.end(ledger.begin(10), 11)
    assert ledger.spent_s(11) == 18 * 3600 - 1  # noon there is six hours before UTC's
    ledger.told(12, NOON + timedelta(seconds=2), 3)  # it lags behind
    assert ledger.spent_s(12) is not None
    late = 10 + 18 * 3600 - 1  # our clock goes a little behind Marketo's
    ledger.told(late, NOON + timedelta(hours=18, seconds=1), 0)
    assert ledger.spent_s(late) is None
    ledger.told(late + 1, NOON + timedelta(hours=18, seconds=2), 50)
    assert ledger.spent_s(late + 1) is not None
    later = late + 24 * 3600
    assert ledger.spent_s(later) is None
    ledger.begin(later)
    assert ledger.spent_s(later + 1) is None


async def test_a_busy_connector_is_never_refused() -> None:
    """At its full share, with many calls at once, against a server that keeps the limits."""
    server = MarketoServer(FakeMarketo(), latency_s=0.3)
    async with served(server=server, limits=MarketoLimits(share=1.0)) as (connector, _):
        keys = [server.fake.create("lead", lastName=str(number)) for number in range(3)]
        begun = anyio.current_time()
        async with anyio.create_task_group() as group:
            for _ in range(400):
                group.start_soon(lambda: connector.read("lead", keys, fields=["lastName"]))
        assert not server.instance.codes
        assert 60 <= anyio.current_time() - begun <= 90  # 401 calls, 100 in each twenty seconds


async def test_the_share_of_a_day_is_kept_over_processes() -> None:
    """A second connector knows of the first one's calls once it asked for the usage."""
    server = MarketoServer(FakeMarketo())
    limits = MarketoLimits(share=0.1, calls_per_day=100)
    async with served(server=server, limits=limits) as (first, _):
        for _ in range(9):
            await first.identify()
    async with served(server=server, limits=limits) as (second, _):
        await second.identify()
        await second.identify()
        with pytest.raises(BudgetSpentError, match="Our part") as raised:
            await second.identify()
        assert server.arrivals["usage"] == 11  # the call that tells of the others is not among those it tells of
        wait_s = raised.value.retry_after_s
        assert wait_s is not None
        assert 0 < wait_s <= 86_400
        await anyio.sleep(wait_s)
        await second.identify()


async def test_too_many_in_twenty_seconds_has_everybody_wait() -> None:
    """Somebody else used up the window: our calls come back when it is over, and all are answered."""
    server = MarketoServer(FakeMarketo(), limits=ServerLimits(calls_per_window=20))
    async with served(server=server, limits=MarketoLimits(share=1.0)) as (connector, _):
        begun = anyio.current_time()
        async with anyio.create_task_group() as group:
            for _ in range(50):
                group.start_soon(connector.identify)
        assert server.instance.codes["606"] >= 1
        assert server.arrivals["usage"] < 50 + 40
        assert anyio.current_time() - begun < 150


async def test_too_many_at_once_has_fewer_go() -> None:
    """Somebody else has most of the ten places."""
    server = MarketoServer(FakeMarketo(), limits=ServerLimits(concurrent_calls=3), latency_s=1.0)
    async with served(server=server, limits=MarketoLimits(share=1.0)) as (connector, _):
        async with anyio.create_task_group() as group:
            for _ in range(40):
                group.start_soon(connector.identify)
        assert 1 <= server.instance.codes["615"] <= 20


async def test_slow_down_again_and_again() -> None:
    """Is handed on after five tries."""
    async with served(Refuse(code="606", of="usage")) as (connector, server):
        with pytest.raises(ThrottledError, match="606"):
            await connector.identify()
        assert server.arrivals["usage"] == 5


@pytest.mark.parametrize("fault", [Drop(of="leads.query"), Fail(of="leads.query"), Slow(of="leads.query", seconds=999)])
async def test_a_read_survives_two_lost_answers(fault: Any) -> None:  # noqa: ANN401 - a wire fault
    """Whatever became of them."""
    async with served() as (connector, server):
        key = server.fake.create("lead", lastName="Lovelace")
        faulty = iter([fault, fault, None, None])
        server.trouble = lambda name: next(faulty) if name == "leads.query" else None
        found = await connector.read("lead", [key], fields=["lastName"])
        assert found[key].values == {"lastName": "Lovelace"}
        assert server.arrivals["leads.query"] == 3


async def test_nothing_is_left_under_way_by_who_gives_up(instance: Instance) -> None:
    """A call that is cancelled leaves its place to others."""
    async with served(limits=MarketoLimits(share=0.1), server=MarketoServer(latency_s=50.0)) as (connector, server):
        with anyio.move_on_after(10):
            await connector.identify()
        with anyio.fail_after(60):
            await connector.identify()
        assert server.arrivals["usage"] == 2


async def test_a_refused_call_never_says_what_it_asked(instance: Instance) -> None:
    """Neither does its error's cause."""
    instance.on("stats/usage", success())
    instance.on("leads", refusal("1003", "canary"))
    with pytest.raises(Exception, match="1003") as raised:
        await instance.connector().find("lead", "email", ["ada@canary.example"], fields=["title"])
    assert "canary" not in repr(raised.value)
    assert raised.value.__cause__ is None
