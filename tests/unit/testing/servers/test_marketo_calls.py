"""Who may call, how often, and what every answer looks like."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import attrs
import httpx
import pytest
from anyio import create_task_group

from mkdyn.testing import Crash, Crashed, FakeMarketo, LoseAnswer, Throttle, Unreachable
from mkdyn.testing.servers.marketo import MarketoServer, Quirks, Refuse, ServerLimits, Service
from mkdyn.testing.servers.marketo.endpoints import ENDPOINTS
from mkdyn.testing.servers.marketo.settings import PERMISSIONS

from .calling import IDENTITY, Caller, error_of, reasons_of

pytestmark = pytest.mark.anyio


@attrs.define
class Seconds:
    """A clock that the test turns."""

    now: float = 1_000.0

    def read(self) -> float:
        """What it shows."""
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    """A clock."""
    return Seconds()


@pytest.fixture
def limited(seconds: Seconds) -> Callable[..., Caller]:
    """Makes somebody who calls a server with limits of the test's own."""

    def make(**limits: float) -> Caller:
        return Caller(MarketoServer(limits=ServerLimits(**limits), clock=seconds.read))  # type: ignore[arg-type]

    return make


async def code_of(caller: Caller, path: str = "stats/usage", **how: str) -> str:
    """The code that a call is refused with; nothing where it is not."""
    answer = await caller.get(path, **how)
    return "" if answer["success"] else error_of(answer)[0]


# -- tokens --------------------------------------------------------------------------------------------


async def test_a_token_stays_until_it_expires(limited: Callable[..., Caller], seconds: Seconds) -> None:
    """Asked for again it is the same, with what it has left; in its last second that is nothing."""
    caller = limited()

    async def ask() -> tuple[str, int]:
        answer = (await caller.http.get(IDENTITY, params=caller.credentials)).json()
        assert (answer["token_type"], answer["scope"]) == ("bearer", "sync@acme")
        return answer["access_token"], answer["expires_in"]

    first, left = await ask()
    assert left == 3_599
    seconds.now += 3_000.5
    assert await ask() == (first, 599)
    seconds.now += 599
    assert await ask() == (first, 0)
    seconds.now += 1
    second, left = await ask()
    assert second != first
    assert left == 3_599


async def test_a_token_is_asked_for_by_post_too(caller: Caller) -> None:
    """In the query or as a form; not by anything else, and not with another grant."""
    assert (await caller.http.post(IDENTITY, params=caller.credentials)).json()["access_token"]
    assert (await caller.http.post(IDENTITY, data=caller.credentials)).json()["access_token"]
    assert error_of((await caller.http.put(IDENTITY)).json())[0] == "605"
    other = await caller.http.get(IDENTITY, params={**caller.credentials, "grant_type": "password"})
    assert (other.status_code, other.json()["error"]) == (401, "unsupported_grant_type")


@pytest.mark.parametrize("wrong", [{"client_id": "nobody"}, {"client_secret": "wrong"}, {"client_secret": ""}])
async def test_wrong_credentials(caller: Caller, wrong: dict[str, str]) -> None:
    """An OAuth error without an envelope, and a status for once."""
    answer = await caller.http.get(IDENTITY, params={**caller.credentials, **wrong})
    assert answer.status_code == 401
    assert answer.json() == {"error": "invalid_client", "error_description": "Bad client credentials"}


async def test_a_call_needs_a_token(caller: Caller) -> None:
    """None is 600, one that is none 601, one that has expired 602; these are told by the envelope alone."""
    path = "/rest/v1/stats/usage.json"
    for headers, code in (({}, "600"), ({"Authorization": "Basic x"}, "600"), ({"Authorization": "Bearer x"}, "601")):
        answer = await caller.http.get(path, headers=headers)
        assert answer.status_code == 200
        assert error_of(answer.json())[0] == code
    await caller.sign_in()
    caller.server.expire_tokens()
    assert await code_of(caller) == "602"
    await caller.sign_in()
    assert await code_of(caller) == ""
    caller.server.revoke_tokens()
    assert await code_of(caller) == "601"


async def test_a_token_in_the_query(caller: Caller) -> None:
    """Is not read, unless the instance still does."""
    await caller.sign_in()
    path, query = "/rest/v1/stats/usage.json", {"access_token": caller.token}
    assert error_of((await caller.http.get(path, params=query)).json())[0] == "600"
    old = Caller(MarketoServer(quirks=Quirks(tokens_in_query=True)))
    await old.sign_in()
    assert (await old.http.get(path, params={"access_token": old.token})).json()["success"]
    assert error_of((await old.http.get(path)).json())[0] == "600"


async def test_two_services_have_tokens_of_their_own() -> None:
    """And what each may do is its role's."""
    services = [Service(), Service(client_id="reader", client_secret="s", user="r@acme", permissions=frozenset())]
    server = MarketoServer(services=services)
    ours, reader = Caller(server), Caller(server, client_id="reader", client_secret="s")
    assert await code_of(ours, "leads/describe") == ""
    assert await reader.refused("leads/describe") == ("603", "Access denied")
    assert ours.token != reader.token
    assert await code_of(reader) == ""
    [today] = (await ours.get("stats/usage"))["result"]
    assert today["users"] == [{"userId": "sync@acme", "count": 1}, {"userId": "r@acme", "count": 2}]
    assert server.instance.usage.errors_of("r@acme") == {"603": 1}


def test_every_permission_is_one_that_there_is() -> None:
    """So that a role can be made of the permissions."""
    assert {name for endpoint in ENDPOINTS for name in endpoint.permissions} == PERMISSIONS


# -- limits --------------------------------------------------------------------------------------------


async def test_a_window_slides(limited: Callable[..., Caller], seconds: Seconds) -> None:
    """So many calls in any twenty seconds; a refused one does not count."""
    caller = limited(calls_per_window=3)
    codes: list[str] = []
    for wait_s in (0, 5, 5, 5, 4.9, 0.2, 0):
        seconds.now += wait_s
        codes.append(await code_of(caller))
    assert codes == ["", "", "", "606", "606", "", "606"]
    assert await caller.refused("stats/usage") == ("606", "Max rate limit '3' exceeded with in '20' secs")


async def test_some_answers_are_free(limited: Callable[..., Caller]) -> None:
    """Wrong tokens and wrong methods are not counted, nor are calls for tokens."""
    caller = limited(calls_per_window=1)
    for _ in range(3):
        assert error_of((await caller.call("PUT", "leads")).json())[0] == "605"
        await caller.sign_in()
        assert error_of((await caller.http.get("/rest/v1/leads.json")).json())[0] == "600"
    assert await code_of(caller, "no/such/path") == "610"
    assert await code_of(caller) == "606"


async def test_a_free_answer_that_took_longer_than_the_window(caller: Caller) -> None:
    """Is not in the window any more, and is not looked for there."""
    gate = caller.server.instance.gate
    ticket = gate.enter()
    gate.limits = ServerLimits(window_s=0.0)
    gate.leave(gate.enter(), billed=True)
    gate.leave(ticket, billed=False)
    assert gate.enter() is not ticket


async def test_calls_at_once() -> None:
    """One more than ten is refused, and those that run are answered."""
    caller = Caller(MarketoServer(latency_s=0.01))
    codes: list[str] = []

    async def call() -> None:
        codes.append(await code_of(caller))

    await caller.sign_in()
    async with create_task_group() as tasks:
        for _ in range(12):
            tasks.start_soon(call)
    assert sorted(codes) == [""] * 10 + ["615"] * 2
    assert caller.server.instance.codes == {"615": 2}
    assert await code_of(caller) == ""


async def test_a_days_calls(limited: Callable[..., Caller]) -> None:
    """They are counted from midnight in the US Central zone, by the instance's own clock."""
    caller = limited(calls_per_day=2)
    assert [await code_of(caller) for _ in range(3)] == ["", "", "607"]
    caller.fake.advance(6 * 3_600 - 60)
    assert await code_of(caller) == "607"
    caller.fake.advance(60)
    assert await code_of(caller) == ""


async def test_usage(limited: Callable[..., Caller]) -> None:
    """Calls and errors by day; how much is left, nobody tells."""
    caller = limited()
    assert await code_of(caller, "nothing") == "610"
    caller.fake.advance(86_400)
    week = (await caller.get("stats/usage/last7days"))["result"]
    assert len(week) == 7
    assert week[1] == {"date": "2025-12-31", "total": 1, "users": [{"userId": "sync@acme", "count": 1}]}
    assert week[6] == {"date": "2025-12-26", "total": 0, "users": []}
    assert (await caller.get("stats/errors"))["result"][0]["total"] == 0
    [_, error, *_] = (await caller.get("stats/errors/last7days"))["result"]
    assert error["errors"] == [{"errorCode": "610", "count": 1}]


# -- what is sent and answered -------------------------------------------------------------------------


async def test_the_envelope(caller: Caller) -> None:
    """A request id that holds the instance's time, one more each time, and headers without any limits."""
    caller.fake.advance(3_600)
    answers = [await caller.call("GET", "stats/usage") for _ in range(2)]
    ids = [answer.json()["requestId"] for answer in answers]
    assert all(re.fullmatch(r"[0-9a-f]{1,5}#[0-9a-f]+", id) for id in ids)
    assert len(set(ids)) == 2
    at = datetime.fromtimestamp(int(ids[1].partition("#")[2], 16) / 1000, UTC)
    assert abs(at - caller.fake.time) < timedelta(seconds=1)
    assert answers[0].headers["content-type"] == "application/json;charset=UTF-8"
    assert answers[0].headers["date"] == "Thu, 01 Jan 2026 01:00:00 GMT"
    assert not [name for name in answers[0].headers if "limit" in name or name == "retry-after"]


async def test_long_answers_are_zipped(caller: Caller) -> None:
    """Where the caller takes that, from 1,024 bytes on."""
    long = await caller.call("GET", "leads/describe")
    assert long.headers["content-encoding"] == "gzip"
    assert len(long.json()["result"]) > 50
    plain = await caller.call("GET", "leads/describe", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.json()["result"] == long.json()["result"]
    assert "content-encoding" not in (await caller.call("GET", "stats/usage")).headers


async def test_sizes(caller: Caller) -> None:
    """A path and query of 8 KB, and a body of 1 MB, are as much as it takes; both are told by HTTP."""
    room = 8_192 - len("/rest/v1/stats/usage.json?x=")
    assert (await caller.call("GET", "stats/usage", params={"x": "x" * room})).status_code == 200
    assert (await caller.call("GET", "stats/usage", params={"x": "x" * (room + 1)})).status_code == 414
    for size, status in ((1_000_000, 200), (1_000_001, 413)):
        assert (await caller.call("POST", "leads", content=b"x" * size)).status_code == status


@pytest.mark.parametrize(
    ("content", "kind", "code"),
    [
        (b"{}", None, "612"),
        (b"{}", "text/plain", "612"),
        (b"{", "application/json", "609"),
        (b"\xff", "application/json", "609"),
        (b"[]", "application/json; charset=utf-8", "609"),
        (b"{}", "application/json", "1002"),
    ],
)
async def test_bodies(caller: Caller, content: bytes, kind: str | None, code: str) -> None:
    """JSON that is called so, and is an object."""
    headers = {} if kind is None else {"Content-Type": kind}
    answer = await caller.call("POST", "leads", content=content, headers=headers)
    assert error_of(answer.json())[0] == code


async def test_paths_and_methods(caller: Caller) -> None:
    """A path that is not there is 610, a method that it does not take 605; both under status 200."""
    for path in (
        "/rest/v1/leads",
        "/rest/v1/lead.json",
        "/rest/v2/leads.json",
        "/",
        "/bulk/v1/x.json",
        "/rest/v1/bulk/v1/leads.json",
    ):
        answer = await caller.http.get(path, headers={"Authorization": f"Bearer {caller.token or await token(caller)}"})
        assert answer.status_code == 200
        assert error_of(answer.json()) == ("610", "Requested resource not found")
    answer = await caller.call("POST", "leads/describe", json={})
    assert error_of(answer.json()) == ("605", "Request method 'POST' not supported")


async def token(caller: Caller) -> str:
    """A token."""
    await caller.sign_in()
    return caller.token


async def test_letters_of_every_kind(caller: Caller) -> None:
    """They come back as they were sent; half a letter does not."""
    text = "Žoë “陳” 🐝"
    body = json.dumps({"input": [{"email": "a@example.com", "title": text, "city": "\ud83d"}]})
    headers = {"Content-Type": "application/json"}
    answer = (await caller.call("POST", "leads", content=body, headers=headers)).json()
    [row] = (await caller.get(f"lead/{answer['result'][0]['id']}", fields="title,city"))["result"]
    assert (row["title"], row["city"]) == (text, "?")


# -- the fake behind it --------------------------------------------------------------------------------


async def test_people_can_act_between_calls(caller: Caller) -> None:
    """Each call is one of the fake's, and its hooks are told which."""
    told: list[str] = []
    caller.fake.between(told.append)
    await caller.get("leads", filterType="email", filterValues="x")
    await caller.post("leads", {"input": [{"email": "a@example.com"}]})
    await caller.get("customobjects/dynamicsTeam_c/describe")
    await caller.get("stats/usage")
    assert told == ["find lead", "write lead", "describe dynamicsTeam_c", "check"]
    assert caller.fake.calls == 4


async def test_faults_of_the_fake(caller: Caller) -> None:
    """Throttled is 606; unreachable, and a lost answer, cut the connection; a crash goes through."""
    body = {"input": [{"email": "a@example.com"}]}
    await caller.sign_in()
    for fault, persons in (
        (Unreachable(call=1), 0),
        (LoseAnswer(call=2, applied="no"), 0),
        (LoseAnswer(call=3), 1),
    ):
        caller.fake.inject(fault)
        with pytest.raises(httpx.ReadError):
            await caller.post("leads", body)
        assert len(caller.fake.records("lead")) == persons
    caller.fake.inject(Throttle(call=4))
    assert (await caller.refused_post("leads", body))[0] == "606"
    caller.fake.inject(Crash(call=5))
    with pytest.raises(Crashed):
        await caller.post("leads", body)
    assert reasons_of(await caller.post("leads", body)) == ["updated"]
    assert caller.server.instance.gate.enter()


async def test_a_server_says_what_it_is() -> None:
    """Its calls are those that came in, tokens among them; each by its endpoint."""
    fake = FakeMarketo(organization="000-MKD-YNX")
    caller = Caller(MarketoServer(fake, faults=[Refuse(code="608", call=3)]))
    await caller.get("stats/usage")
    assert await code_of(caller, "nothing") == "608"
    assert caller.server.arrivals == {"identity": 1, "usage": 1, "": 1}
    assert repr(caller.server) == f"<MarketoServer of {fake!r}, 3 calls>"
    assert "secret" not in repr(Service())
