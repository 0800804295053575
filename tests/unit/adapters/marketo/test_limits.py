"""How fast Marketo is asked: the arithmetic, and what a server makes of it."""

from __future__ import annotations

import math
from typing import Any

import anyio
import pytest

from mkdyn import MarketoLimits
from mkdyn.adapters.marketo.limits import WINDOW_S, Ledger
from mkdyn.errors import BudgetSpentError, ConfigError, CredentialsError, ThrottledError
from mkdyn.testing.servers.marketo import Refuse, Slow

from .wired import Instance

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend(jumping: tuple[str, dict[str, Any]]) -> tuple[str, dict[str, Any]]:
    """Waits pass at once."""
    return jumping


def test_a_window_takes_our_part_of_its_calls() -> None:
    """A call keeps its place until the window has gone by since its answer."""
    ledger = Ledger(MarketoLimits(share=0.5, calls_per_20_s=4, concurrent_calls=10))
    first, second = ledger.begin(0.0), ledger.begin(0.0)
    assert ledger.delay_s(0.0) == math.inf
    ledger.end(first, 1.0)
    ledger.end(second, 2.0)
    assert ledger.delay_s(3.0) == 1.0 + WINDOW_S - 3.0
    assert ledger.delay_s(1.0 + WINDOW_S) == 0.0


def test_calls_at_once_are_halved_when_there_are_too_many_and_grow_again() -> None:
    """Others use the same instance."""
    ledger = Ledger(MarketoLimits(share=1.0, calls_per_20_s=2, concurrent_calls=4))
    ledger.crowded()
    assert (ledger.abreast, ledger.delay_s(0.0)) == (2, 0.0)
    for now in (1.0, 30.0):
        ledger.end(ledger.begin(now), now)
    assert ledger.abreast == 3


def test_what_others_take_of_a_window_is_learnt_and_given_back_slowly() -> None:
    """A refused call counts for nothing; the next goes when one of ours leaves the window."""
    ledger = Ledger(MarketoLimits(share=1.0, calls_per_20_s=40, concurrent_calls=10))
    for now in range(1, 11):
        ledger.end(ledger.begin(now), now)
    ledger.begin(11.0)
    ledger.end(ledger.begin(11.0), 11.0)
    assert ledger.refused(11.0) == 10.0
    assert (ledger.room, ledger.delay_s(11.0), ledger.delay_s(21.0)) == (11, 10.0, 0.0)
    for _ in range(11):
        ledger.end(ledger.begin(50.0), 50.0)
    assert ledger.room == 12
    for _ in range(12 + 13):
        ledger.end(ledger.begin(50.0), 50.0)
    assert ledger.room == 14


def test_where_none_of_ours_is_in_the_window_all_of_it_is_waited_for() -> None:
    """Others fill it."""
    ledger = Ledger(MarketoLimits(share=1.0, calls_per_20_s=40))
    ledger.end(ledger.begin(0.0), 0.0)
    assert ledger.refused(0.0) == WINDOW_S
    assert (ledger.room, ledger.delay_s(1.0), ledger.delay_s(WINDOW_S)) == (1, WINDOW_S - 1.0, 0.0)
    for step in range(1_000):
        ledger.end(ledger.begin(step), step)
    assert ledger.room == 40


def test_the_day_has_an_end() -> None:
    """And another one comes."""
    ledger = Ledger(MarketoLimits(share=0.5, calls_per_day=4))
    for _ in range(2):
        ledger.end(ledger.begin(0.0), 0.0)
    assert ledger.spent_s(10.0) == 86_390.0
    assert ledger.spent_s(86_400.0) is None


@pytest.mark.parametrize("share", [0.0, -1.0, 1.5])
def test_a_share_is_a_part(share: float) -> None:
    """Of one."""
    with pytest.raises(ConfigError, match="share is a part of one"):
        MarketoLimits(share=share)


async def test_many_calls_break_no_limit() -> None:
    """The server would answer 606 or 615, and count it."""
    instance = Instance(limits=MarketoLimits(share=1.0))
    instance.server.faults.append(Slow(seconds=0.5, of="leads.query"))
    key = instance.fake.create("lead", lastName="A")
    began = anyio.current_time()

    async def read() -> None:
        assert await instance.connector.read("lead", [key], fields=["lastName"])

    async with anyio.create_task_group() as tasks:
        for _ in range(399):
            tasks.start_soon(read)
    # Four hundred calls with the describe: three windows, each with an answer's time, and the last hundred calls.
    assert anyio.current_time() - began < 3 * (WINDOW_S + 0.5) + 6
    assert instance.server.arrivals == {"identity": 1, "leads.describe": 1, "leads.query": 399}  # none was sent twice


async def test_waiting_for_ever_is_told() -> None:
    """Others use it all up."""
    instance = Instance()
    instance.server.faults.append(Refuse(code="606", of="usage"))
    with pytest.raises(ThrottledError, match="again and again"):
        await instance.connector.identify()


async def test_our_part_of_the_day_ends_a_run_before_marketo_s_does() -> None:
    """Others want to go on."""
    instance = Instance(limits=MarketoLimits(share=0.5, calls_per_day=4))
    for _ in range(2):
        await instance.connector.identify()
    with pytest.raises(BudgetSpentError, match="Our part") as caught:
        await instance.connector.identify()
    assert caught.value.retry_after_s is not None


async def test_a_token_is_renewed_once_for_many_calls() -> None:
    """It expired between two of them."""
    instance = Instance()
    await instance.connector.identify()
    instance.server.expire_tokens()
    async with anyio.create_task_group() as tasks:
        for _ in range(5):
            tasks.start_soon(instance.connector.identify)
    assert instance.server.arrivals.total() <= 2 + 10 + 2


async def test_a_wrong_secret_is_told_as_such() -> None:
    """Before anything else."""
    instance = Instance()
    connector = instance.connect(limits=MarketoLimits(), secret="another")
    with pytest.raises(CredentialsError, match="no token for this client id"):
        await connector.identify()


async def test_a_service_that_is_gone_is_told_as_such() -> None:
    """A new token is none either."""
    instance = Instance()
    instance.server.faults.append(Refuse(code="601", of="usage"))
    with pytest.raises(CredentialsError, match="accepts no token of ours"):
        await instance.connector.identify()
