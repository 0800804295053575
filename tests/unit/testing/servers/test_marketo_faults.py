"""What goes wrong on Marketo's wire when it is told to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Literal

import httpx
import pytest
import trio
import trio.testing

from mkdyn.testing import FakeMarketo
from mkdyn.testing.servers.faults import Applied
from mkdyn.testing.servers.marketo import Drop, Fail, Garble, MarketoServer, Refuse, Repeat, RepeatRows, Slow, WireFault

from .calling import Caller, error_of, reasons_of

pytestmark = pytest.mark.anyio

ADA = {"input": [{"email": "ada@example.com"}]}


async def send(caller: Caller, *faults: WireFault) -> httpx.Response:
    """Create a person while something goes wrong."""
    if not caller.token:
        await caller.sign_in()
    caller.server.faults[:] = faults
    return await caller.call("POST", "leads", json=ADA)


@pytest.mark.parametrize(("applied", "persons"), [("no", 0), ("yes", 1)])
async def test_refused(caller: Caller, applied: Applied, persons: int) -> None:
    """By any code, with or without an effect."""
    answer = await send(caller, Refuse(code="611", message="System error", applied=applied))
    assert error_of(answer.json()) == ("611", "System error")
    assert len(caller.fake.records("lead")) == persons
    assert caller.server.instance.codes == {"611": 1}


@pytest.mark.parametrize(("applied", "persons"), [("no", 0), ("yes", 1)])
async def test_a_gateway_fails(caller: Caller, applied: Applied, persons: int) -> None:
    """It answers with another status, in HTML."""
    answer = await send(caller, Fail(status=503, applied=applied))
    assert (answer.status_code, answer.headers["content-type"]) == (503, "text/html; charset=utf-8")
    assert answer.text.startswith("<html>")
    assert len(caller.fake.records("lead")) == persons


@pytest.mark.parametrize(("applied", "persons"), [("no", 0), ("yes", 1)])
async def test_dropped(caller: Caller, applied: Applied, persons: int) -> None:
    """The connection is cut, before the call took effect or after."""
    with pytest.raises(httpx.ReadError):
        await send(caller, Drop(applied=applied))
    assert len(caller.fake.records("lead")) == persons


async def test_garbled(caller: Caller) -> None:
    """HTML under status 200, JSON that breaks off, JSON that is called text."""
    html = await send(caller, Garble(how="html"))
    assert (html.status_code, html.text[:6]) == (200, "<html>")
    truncated = await send(caller, Garble())
    assert truncated.text.startswith("{")
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        truncated.json()
    text = await send(caller, Garble(how="content type"))
    assert text.headers["content-type"].startswith("text/plain")
    assert text.json()["success"]


async def test_repeated(caller: Caller) -> None:
    """A page comes twice, token and all; the first of its kind comes as it is."""
    for number in range(4):
        caller.fake.create("lead", lastName=str(number), email="a@example.com")
    asked = {"filterType": "email", "filterValues": "a@example.com", "batchSize": "2"}
    caller.server.faults.append(Repeat(call=1, of="leads.query"))
    first = await caller.get("leads", **asked)
    caller.server.faults.append(Repeat(call=2, of="leads.query"))
    token = first["nextPageToken"]
    assert await caller.get("leads", **asked, nextPageToken=token) == first
    assert (await caller.get("leads", **asked, nextPageToken=token))["result"] != first["result"]


async def test_records_come_twice(caller: Caller) -> None:
    """Each of the answer, and those of the one before once more; a refusal stays as it is."""
    for number in range(2):
        caller.fake.create("lead", lastName=str(number), email="a@example.com")
    asked = {"filterType": "email", "filterValues": "a@example.com", "batchSize": "1", "fields": "lastName"}
    caller.server.faults.append(RepeatRows(of="leads.query"))
    first = await caller.get("leads", **asked)
    assert [record["lastName"] for record in first["result"]] == ["0", "0"]
    second = await caller.get("leads", **asked, nextPageToken=first["nextPageToken"])
    assert [record["lastName"] for record in second["result"]] == ["0", "1", "1"]
    assert (await caller.refused("leads", filterType="nothing", filterValues="1"))[0] == "1006"


async def test_which_calls(caller: Caller) -> None:
    """By number, of all calls or of one endpoint's; or whichever a function says."""
    await caller.sign_in()
    caller.server.faults += [Refuse(code="713", call=3), Refuse(code="608", call=2, of="usage")]
    codes = [
        error.get("errors", [{"code": ""}])[0]["code"] for error in [await caller.get("stats/usage") for _ in "1234"]
    ]
    assert codes == ["", "713", "", ""]
    caller.server.faults[:] = [Refuse(code="608", call=5, of="usage"), Refuse(code="604", call=1, of="errors")]
    assert await caller.refused("stats/usage") == ("608", "injected")
    caller.server.trouble = lambda name: Refuse(code="615") if name == "usage" else None
    assert (await caller.refused("stats/usage"))[0] == "615"
    assert (await caller.refused("stats/errors"))[0] == "604"
    assert (await caller.get("stats/errors"))["success"]


# -- time that passes ----------------------------------------------------------------------------------


def in_virtual_time(act: Callable[[], Awaitable[None]]) -> float:
    """Run something where waiting takes no time; the seconds that it would have taken."""
    clock = trio.testing.MockClock(autojump_threshold=0)

    async def main() -> float:
        begun = trio.current_time()
        await act()
        return trio.current_time() - begun

    return trio.run(main, clock=clock)


def test_every_call_takes_its_time() -> None:
    """Ten at once take as long as one."""

    async def act() -> None:
        caller = Caller(MarketoServer(latency_s=0.5))
        await caller.sign_in()
        async with trio.open_nursery() as nursery:
            for _ in range(10):
                nursery.start_soon(caller.get, "stats/usage")

    assert in_virtual_time(act) == pytest.approx(0.5)


@pytest.mark.parametrize(("when", "persons"), [("before", 0), ("after", 1)])
def test_a_caller_gives_up(when: Literal["before", "after"], persons: int) -> None:
    """Before the call took effect, or after; its place is free again."""
    fake = FakeMarketo()

    async def act() -> None:
        caller = Caller(MarketoServer(fake, faults=[Slow(seconds=100, when=when, of="leads.sync")]))
        await caller.sign_in()
        with pytest.raises(httpx.ReadTimeout):
            await caller.call("POST", "leads", json=ADA, timeout=30)
        for _ in range(10):
            caller.server.instance.gate.enter()

    assert in_virtual_time(act) == pytest.approx(30)
    assert len(fake.records("lead")) == persons


def test_a_slow_answer_comes() -> None:
    """To whom waits for it, tokens too."""

    async def act() -> None:
        caller = Caller(MarketoServer(faults=[Slow(seconds=100)]))
        caller.http.timeout = httpx.Timeout(None)
        assert reasons_of(await caller.post("leads", ADA)) == ["created"]

    assert in_virtual_time(act) == pytest.approx(200)
