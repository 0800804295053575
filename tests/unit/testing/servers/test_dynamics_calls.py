"""Who may call a Dynamics server, how often, and what goes wrong on the way."""

from __future__ import annotations

import httpx
import pytest
from anyio import create_task_group, current_time

from mkdyn.testing import Crash, Crashed, FakeDynamics, LoseAnswer, Throttle, Unreachable
from mkdyn.testing.servers.dynamics import (
    Application,
    Drop,
    DynamicsServer,
    EmptyPage,
    Fail,
    ForeignLink,
    Garble,
    HalfBatch,
    Refuse,
    RepeatRows,
    ServerLimits,
    Slow,
    Work,
)
from mkdyn.testing.servers.in_process import InProcess
from mkdyn.testing.servers.loopback import loopback

from .calling_dynamics import CREDENTIALS, TOKEN, URL, Caller, calling, refusal_of
from .test_dynamics_writes import batched, part, statuses

pytestmark = pytest.mark.anyio

GUID = "9c3f0b1e-6a52-4c1d-8f0e-5b7a9d2c4e11"


# -- tokens --------------------------------------------------------------------------------------------------


async def test_tokens() -> None:
    """An application proves itself, and its token is good for an hour; another one is good for nothing."""
    now = 1000.0
    server = DynamicsServer(
        FakeDynamics(), clock=lambda: now, applications=[Application(), Application(client_id="guest", member=False)]
    )
    caller = Caller(server)
    answer = await caller.http.post(TOKEN, data=CREDENTIALS)
    assert answer.json() == {
        "token_type": "Bearer", "expires_in": 3599, "ext_expires_in": 3599, "access_token": answer.json()["access_token"],
    }  # fmt: skip
    caller.token = answer.json()["access_token"]
    assert (await caller.call("GET", "WhoAmI")).status_code == 200
    now += 3599
    refused = await caller.call("GET", "WhoAmI")
    assert (refused.status_code, refused.content) == (401, b"")
    assert refused.headers["www-authenticate"].startswith("Bearer authorization_uri=")
    guest = await caller.http.post(TOKEN, data={**CREDENTIALS, "client_id": "guest"})
    caller.token = guest.json()["access_token"]
    assert await caller.refused("GET", "WhoAmI") == (403, "0x80072560")
    assert "secret" not in repr(Application())
    told = (await caller.http.get("/acme.example/v2.0/.well-known/openid-configuration")).json()
    assert told["token_endpoint"] == f"{URL}{TOKEN}"


@pytest.mark.parametrize(
    ("wrong", "status", "error", "code"),
    [
        ({"client_id": "nobody"}, 400, "unauthorized_client", 700016), ({"client_secret": "x"}, 401, "invalid_client", 7000215),
        ({"scope": URL}, 400, "invalid_resource", 500011), ({"grant_type": "password"}, 400, "invalid_request", 900144),
        ({"scope": ""}, 400, "invalid_request", 900144),
    ],
)  # fmt: skip
async def test_tokens_that_are_refused(wrong: dict[str, str], status: int, error: str, code: int) -> None:
    """As Entra ID refuses them."""
    async with calling() as caller:
        answer = await caller.http.post(TOKEN, data={**CREDENTIALS, **wrong})
        assert answer.status_code == status
        assert answer.json()["error"] == error
        assert answer.json()["error_codes"] == [code]
        assert answer.json()["error_description"].startswith(f"AADSTS{code}: ")


async def test_tokens_can_be_revoked() -> None:
    """Those that were asked for; a fixed one stays good."""
    async with calling() as caller:
        token = (await caller.http.post(TOKEN, data=CREDENTIALS)).json()["access_token"]
        caller.server.expire_tokens()
        assert (await caller.call("GET", "WhoAmI")).status_code == 200
        for wrong in (token, "", "x"):
            caller.token = wrong
            assert (await caller.call("GET", "WhoAmI")).status_code == 401


# -- service protection --------------------------------------------------------------------------------------


async def test_too_many_requests() -> None:
    """A window takes so many; who doesn't wait, waits longer; then it goes on."""
    now = 0.0
    limits = ServerLimits(requests_per_window=3, window_s=300)
    server = DynamicsServer(FakeDynamics(), tokens=["T"], limits=limits, clock=lambda: now)
    caller = Caller(server)
    for place in range(3):
        now = place * 10.0
        answer = await caller.call("GET", "WhoAmI")
        assert answer.headers["x-ms-ratelimit-burst-remaining-xrm-requests"] == str(2 - place)
    answer = await caller.call("GET", "WhoAmI")
    assert refusal_of(answer) == (429, "0x80072322")
    assert answer.headers["retry-after"] == "280"
    assert "limit of 3 over time window of 300 seconds" in answer.json()["error"]["message"]
    again = await caller.call("GET", "WhoAmI")
    assert again.headers["retry-after"] == "281"
    assert (server.refusals, server.impatient) == ({"0x80072322": 2}, 1)
    now += 281
    assert (await caller.call("GET", "WhoAmI")).status_code == 200
    assert server.requests == {("GET", 200): 4, ("GET", 429): 2}


async def test_too_much_work() -> None:
    """Execution is counted for what rows take, at the end; the wait is until enough of it is forgotten."""
    now = 0.0

    def clock() -> float:
        return now

    limits = ServerLimits(execution_s_per_window=0.0025, window_s=300)
    fake = FakeDynamics()
    fake.create("lead", lastname="A")
    server = DynamicsServer(
        fake, tokens=["T"], limits=limits, work=Work(request_s=0.001, read_row_s=0.001, write_row_s=0.002), clock=clock
    )
    caller = Caller(server)
    answer = await caller.call("GET", "leads")
    assert answer.headers["x-ms-ratelimit-time-remaining-xrm-requests"] == "0.00"
    now = 10.0
    assert (await caller.call("POST", "leads", {"lastname": "B"})).status_code == 204
    refused = await caller.call("GET", "leads")
    assert refusal_of(refused) == (429, "0x80072321")
    assert "exceeded limit of 2  milliseconds" in refused.json()["error"]["message"]
    assert refused.headers["retry-after"] == "300"
    now = 310.0
    assert (await caller.call("GET", "WhoAmI")).status_code == 200
    assert server.impatient == 0


async def test_too_many_at_once() -> None:
    """What is one too many is refused at once; those that run are let be."""
    limits = ServerLimits(concurrent_requests=2)
    async with calling(limits=limits, work=Work(request_s=0.05)) as caller:
        found: list[int] = []

        async def ask() -> None:
            answer = await caller.call("GET", "WhoAmI")
            found.append(answer.status_code)
            if answer.status_code == 429:
                assert refusal_of(answer) == (429, "0x80072326")
                assert answer.headers["retry-after"] == "1"

        async with create_task_group() as tasks:
            for _ in range(3):
                tasks.start_soon(ask)
        assert sorted(found) == [200, 200, 429]


async def test_each_server_and_user_is_counted_alone() -> None:
    """A cookie stays at one web server; without, each takes its turn."""
    async with calling(limits=ServerLimits(requests_per_window=1, servers=2)) as caller:
        for status in (200, 200, 429):
            caller.http.cookies.clear()
            assert (await caller.call("GET", "WhoAmI")).status_code == status
    async with calling(limits=ServerLimits(requests_per_window=1, servers=2)) as caller:
        for status in (200, 429):
            answer = await caller.call("GET", "WhoAmI")
            assert "ARRAffinity=0" in answer.headers["set-cookie"]
            assert answer.status_code == status


async def test_addresses_that_are_too_long() -> None:
    """Are refused, and count for nothing."""
    async with calling(limits=ServerLimits(url_characters=50)) as caller:
        assert (await caller.call("GET", "leads?$select=" + "x" * 50)).status_code == 414


# -- faults --------------------------------------------------------------------------------------------------


async def test_the_fakes_faults() -> None:
    """Come true on the wire, whatever the request; people can act in between."""
    async with calling() as caller:
        fake, heard = caller.fake, list[str]()
        fake.inject(Throttle(call=1, wait_s=2.5))
        fake.inject(Unreachable(call=2))
        fake.inject(LoseAnswer(call=1, applied="yes", of="write"))
        fake.inject(LoseAnswer(call=2, applied="no", of="write"))
        fake.inject(Crash(call=5))
        fake.between(heard.append)
        answer = await caller.call("GET", "leads")
        assert (refusal_of(answer), answer.headers["retry-after"]) == ((429, "0x80072322"), "3")
        with pytest.raises(httpx.ReadError):
            await caller.call("GET", "leads")
        for key in (GUID, GUID[:-1] + "2"):
            with pytest.raises(httpx.ReadError):
                await caller.call("POST", "leads", {"lastname": "A", "leadid": key})
        assert [record.key for record in fake.records("lead")] == [GUID]
        with pytest.raises(Crashed):
            await caller.call("GET", "WhoAmI")
        await caller.rows("leads?$filter=lastname eq 'A'")
        await caller.rows(f"leads?$filter=leadid eq {GUID}")
        await caller.rows("leads", Prefer="odata.track-changes")
        await caller.get("EntityDefinitions?$select=LogicalName")
        await batched(caller, part("PATCH", f"leads({GUID})", '{"lastname":"B"}'))
        await batched(caller, part("GET", f"leads({GUID})"))
        await batched(caller, part("GET", "EntityDefinitions(LogicalName='lead')"))
        await caller.call("GET", "(")
        assert heard == [
            "read lead", "read lead", "write lead", "write lead", "identify", "find lead", "read lead", "changes lead",
            "describe", "write lead", "read lead", "describe", "read",
        ]  # fmt: skip


async def test_refused_and_failed() -> None:
    """With the status, the code and the wait that are asked for; done all the same, or not."""
    async with calling() as caller:
        server = caller.server
        server.inject(Refuse(call=1, status=429, code="0x80072321", retry_after_s=7))
        server.inject(Refuse(call=2, status=429))
        server.inject(Fail(call=3))
        server.inject(Fail(call=4, status=503, applied="yes"))
        server.inject(Refuse(call=1, status=401, of="function"))
        answer = await caller.call("POST", "leads", {"lastname": "A"})
        assert (refusal_of(answer), answer.headers["retry-after"]) == ((429, "0x80072321"), "7")
        answer = await caller.call("POST", "leads", {"lastname": "A"})
        assert (refusal_of(answer), "retry-after" in answer.headers) == ((429, ""), False)
        answer = await caller.call("POST", "leads", {"lastname": "A"})
        assert (answer.status_code, answer.headers["content-type"]) == (502, "text/html")
        assert not caller.fake.records("lead")
        assert (await caller.call("POST", "leads", {"lastname": "A"})).status_code == 503
        assert len(caller.fake.records("lead")) == 1
        assert (await caller.call("GET", "WhoAmI")).status_code == 401
        assert (await caller.call("GET", "WhoAmI")).status_code == 200
        assert server.calls == 6
        server.inject(Fail(of="token"))
        for _ in range(2):
            assert (await caller.http.post(TOKEN, data=CREDENTIALS)).status_code == 502
        server.faults.clear()
        assert (await caller.http.post(TOKEN, data=CREDENTIALS)).status_code == 200


async def test_trouble() -> None:
    """A function may decide about each call; a fault that is for it comes first."""
    server = DynamicsServer(tokens=["T"], faults=[Refuse(call=1, status=503)])
    asked: list[str] = []

    def trouble(kind: str) -> Fail | None:
        asked.append(kind)
        return Fail() if kind == "rows" else None

    server.trouble = trouble
    caller = Caller(server)
    found = [(await caller.call("GET", path)).status_code for path in ("WhoAmI", "leads", "leads", "WhoAmI")]
    assert found == [503, 502, 502, 200]
    assert asked == ["rows", "rows", "function"]
    assert repr(server) == "<DynamicsServer of <FakeDynamics acme.crm4, 1 calls>, 4 calls>"


async def test_dropped_answers() -> None:
    """The connection is cut; what was asked for was done, or not."""
    async with calling() as caller:
        for applied, count in (("no", 0), ("yes", 1)):
            caller.server.faults[:] = [Drop(applied="yes" if applied == "yes" else "no")]
            with pytest.raises(httpx.ReadError):
                await caller.call("POST", "leads", {"lastname": "A"})
            assert len(caller.fake.records("lead")) == count
        with pytest.raises(httpx.ReadError):
            await caller.http.post(TOKEN, data=CREDENTIALS)
        assert caller.server.requests["POST", 0] == 3


async def test_slow_answers() -> None:
    """Who gives up has timed out; before it was done, or after."""
    async with calling() as caller:
        caller.http.timeout = httpx.Timeout(0.05)
        for when, count in (("before", 0), ("after", 1)):
            caller.server.faults[:] = [Slow(seconds=30, when="before" if when == "before" else "after")]
            with pytest.raises(httpx.ReadTimeout):
                await caller.call("POST", "leads", {"lastname": "A"})
            assert len(caller.fake.records("lead")) == count
        caller.server.faults[:] = [Slow(seconds=0.001)]
        assert (await caller.call("GET", "leads")).status_code == 200
        caller.server.faults[:] = [Slow(seconds=0.001, when="before")]
        assert (await caller.call("GET", "leads")).status_code == 200
        assert (await caller.http.post(TOKEN, data=CREDENTIALS)).status_code == 200


async def test_garbled_answers() -> None:
    """HTML, half of the JSON, or JSON that is called text."""
    async with calling() as caller:
        server = caller.server
        server.faults += [Garble(call=1, how="html"), Garble(call=2), Garble(call=3, how="content type")]
        page, half, text = [await caller.call("GET", "WhoAmI") for _ in range(3)]
        assert (page.headers["content-type"], "<html>" in page.text) == ("text/html", True)
        assert half.headers["content-type"].startswith("application/json")
        with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
            half.json()
        assert (text.headers["content-type"].partition(";")[0], "UserId" in text.json()) == ("text/plain", True)


async def test_spoilt_answers() -> None:
    """Links that lead elsewhere, rows told twice, half of a batch's answers."""
    async with calling() as caller:
        for name in ("A", "B"):
            caller.fake.create("lead", lastname=name)
        caller.server.faults[:] = [
            ForeignLink(call=1, origin="https://evil.example"),
            RepeatRows(call=2),
            HalfBatch(call=3, parts=1),
        ]
        page = await caller.get("leads", Prefer="odata.maxpagesize=1")
        assert page["@odata.nextLink"].startswith("https://evil.example/api/data/v9.2/leads?$skiptoken=")
        assert len(await caller.rows("leads")) == 4
        answer = await batched(
            caller, *[part("PATCH", f"leads({GUID[:-1]}{number})", '{"lastname":"x"}') for number in range(3)]
        )
        assert (answer.status_code, statuses(answer)) == (200, [204])
        assert len(caller.fake.records("lead")) == 5
        caller.server.faults[:] = [RepeatRows(), ForeignLink()]
        assert (await caller.call("GET", "leads/$count")).status_code == 200
        assert "UserId" in await caller.get("WhoAmI")


async def test_a_page_without_rows_leads_on() -> None:
    """To the same rows, of a query and of changes; what is no page, or is refused, stays as it is."""
    async with calling() as caller:
        for name in ("A", "B", "C"):
            caller.fake.create("lead", lastname=name)
        tracked = {"Prefer": "odata.track-changes,odata.maxpagesize=2"}
        caller.server.faults[:] = [EmptyPage(call=1), EmptyPage(call=3), EmptyPage(call=4)]
        links: list[str] = ["leads?$select=lastname"]
        names: list[list[str]] = []
        while links:
            page = await caller.get(links.pop(), **tracked)
            names.append([row["lastname"] for row in page["value"]])
            links += [page["@odata.nextLink"]] if "@odata.nextLink" in page else []
            assert ("@odata.deltaLink" in page) is not bool(links)
        assert [len(found) for found in names] == [0, 2, 0, 0, 1]
        assert sorted(name for found in names for name in found) == ["A", "B", "C"]
        caller.server.faults[:] = [EmptyPage()]
        assert "UserId" in await caller.get("WhoAmI")
        assert (await caller.call("GET", "leads/$count")).text.endswith("3")
        caller.server.faults[:] = [EmptyPage(of="rows")]
        [lead] = [row["leadid"] for row in page["value"]]
        assert (await caller.get(f"leads({lead})"))["leadid"] == lead
        caller.fake.hide_table("lead")
        assert (await caller.refused("GET", "leads"))[0] == 403


# -- time, and ports -----------------------------------------------------------------------------------------


async def test_work_takes_time() -> None:
    """On whatever clock the event loop has."""
    async with calling(work=Work(request_s=0.02)) as caller:
        before = current_time()
        await caller.get("WhoAmI")
        assert current_time() - before >= 0.02


def test_on_a_port() -> None:
    """Any client can speak to it, with long addresses and old versions; a dropped answer cuts the connection."""
    fake = FakeDynamics()
    fake.create("lead", lastname="Ada")
    server = DynamicsServer(fake)
    with loopback(server) as url, httpx.Client(base_url=url) as client:
        token = client.post(TOKEN, data=CREDENTIALS).json()["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"
        long = " or ".join(["lastname eq 'Ada'"] * 500)
        found = client.get("/api/data/v9.1/leads", params={"$filter": long})
        assert [row["lastname"] for row in found.json()["value"]] == ["Ada"]
        assert found.json()["@odata.context"].startswith(f"{url}/api/data/v9.2/$metadata#leads")
        assert found.headers.get_list("date") == ["Thu, 01 Jan 2026 00:00:00 GMT"]
        assert client.get("/api/data/v9.2/leads?$filter=" + "x" * 33_000).status_code == 414
        server.inject(Drop(call=server.calls + 1))
        with pytest.raises(httpx.RemoteProtocolError):
            client.post("/api/data/v9.2/leads", json={"lastname": "Eve"})
        assert client.post("/api/data/v9.2/leads", json={"lastname": "Bob"}).status_code == 204
    assert [record.values["lastname"] for record in fake.records("lead")] == ["Ada", "Eve", "Bob"]


async def test_another_transport() -> None:
    """`httpx.ASGITransport` will do, where no answer is to be lost."""
    server = DynamicsServer(FakeDynamics(), tokens=["T"])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(server), base_url=URL) as client:
        answer = await client.get("/api/data/v9.2/WhoAmI", headers={"Authorization": "Bearer T"})
        assert answer.status_code == 200
    assert isinstance(InProcess(server), httpx.AsyncBaseTransport)
