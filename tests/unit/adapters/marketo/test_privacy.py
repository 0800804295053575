"""Neither people's data nor a secret is in a log, a message or a repr; the line is a real one."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest

from mkdyn import MarketoBulk, MarketoLimits, NewField, RestMarketo
from mkdyn.adapters.http.retries import Retries
from mkdyn.domain.outcomes import Create, Update
from mkdyn.errors import MkdynError
from mkdyn.testing import FakeMarketo
from mkdyn.testing.servers.loopback import loopback
from mkdyn.testing.servers.marketo import Drop, Fail, Garble, MarketoServer, Refuse, ServerLimits, Service, WireFault

pytestmark = pytest.mark.anyio

CANARY = "c4naryRoszak"
MAIL = f"{CANARY}@people.example"
SECRET = "s3cretC4nary"
CLIENT = "cl13ntC4nary"

FAULTS: tuple[WireFault | None, ...] = (
    None,
    *(Refuse(code=code, message=f"Invalid value for field 'email' and value '{MAIL}'") for code in
      ("601", "603", "606", "607", "610", "611", "615", "1003", "1006", "1013", "1018")),
    Fail(body=f"<html>{MAIL}</html>"),
    Garble(how="truncated"),
    Garble(how="html"),
    Drop(),
)  # fmt: skip


def calls(connector: RestMarketo, key: str) -> list[Callable[[], Awaitable[object]]]:
    """Every call that has people's data, in the question or in the answer."""

    async def feed() -> object:
        async with connector.changes("lead", fields=["email"], since=None) as pages:
            cursor = [page async for page in pages][-1].cursor
        async with connector.changes("lead", fields=["email"], since=cursor) as pages:
            return [page async for page in pages]

    return [
        connector.identify,
        lambda: connector.check({"lead": ["email"]}),
        lambda: connector.read("lead", [key], fields=["email", "lastName"]),
        lambda: connector.find("lead", "email", [MAIL], fields=["lastName"]),
        lambda: connector.find("lead", "firstName", [CANARY], fields=["lastName"]),
        lambda: connector.write("lead", [Update(key=key, values={"email": MAIL, "leadScore": CANARY})]),
        lambda: connector.write(
            "lead", [Update(key=id, values={"email": MAIL, "lastName": CANARY}) for id in (key, "999")]
        ),
        lambda: connector.write("lead", [Create(key="g", by="dynamicsId", values={"email": MAIL, "lastName": CANARY})]),
        lambda: connector.merge(key, ["999"]),
        lambda: connector.create_field("lead", NewField("Tier")),
        feed,
    ]


@pytest.mark.parametrize("fault", FAULTS, ids=repr)
async def test_nothing_private_is_told(fault: WireFault | None, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever goes wrong: with every logger at its most talkative."""
    caplog.set_level(logging.DEBUG)
    fake = FakeMarketo()
    key = fake.create("lead", email=MAIL, lastName=CANARY)
    limits = ServerLimits(job_s=0.0)
    server = MarketoServer(fake, services=[Service(client_id=CLIENT, client_secret=SECRET)], limits=limits)
    told: list[str] = []
    with loopback(server) as url:

        def connected() -> RestMarketo:
            return RestMarketo(
                url,
                client_id=CLIENT,
                client_secret=SECRET,
                limits=MarketoLimits(share=1.0),
                retries=Retries(tries_max=1),
                bulk=MarketoBulk(rows_min=2, poll_s=0.01),
            )

        for number in range(len(calls(connected(), key))):
            server.faults = []
            connector = connected()  # another one: each would wait for the window after a 606
            await connector.identify()
            await connector.describe("lead")  # so that it is the call itself that goes wrong
            server.faults = [] if fault is None else [fault]
            with suppress(MkdynError):
                try:
                    told.append(repr(await calls(connector, key)[number]()))
                except MkdynError as error:
                    told.append("".join(traceback.format_exception(error)).replace(__file__, ""))
                    raise
            told.append(repr(connector))
            await connector.aclose()
    text = "\n".join([*told, caplog.text])
    lines = [line for line in text.splitlines() if "lambda:" not in line]
    assert "HTTP Request: GET http://127.0.0.1" in caplog.text
    assert "/identity/oauth/token" in caplog.text
    assert server.arrivals["bulk.leads"] > 0
    tokens = [str(token) for token in server.instance.tokens._issued]
    assert tokens
    for private in (CANARY, SECRET, CLIENT, *tokens):
        assert [line for line in lines if private in line] == []


async def test_others_who_use_httpx_see_no_difference(caplog: pytest.LogCaptureFixture) -> None:
    """Their addresses are logged as before, though ours are not."""
    httpx = pytest.importorskip("httpx")
    caplog.set_level(logging.INFO)
    client = httpx.AsyncClient(transport=httpx.MockTransport(lambda _: httpx.Response(200)))
    connector = RestMarketo(
        "https://ours.example", client_id=CLIENT, client_secret=SECRET, client=client, retries=Retries(tries_max=1)
    )
    with suppress(MkdynError):
        await connector.identify()
    await client.get("https://theirs.example/?q=seen")
    await client.get("https://ours.example/plain")
    logging.getLogger("httpx").info("plain %s", "words")
    logging.getLogger("httpx").info("no words")
    assert CLIENT not in caplog.text
    assert "theirs.example/?q=seen" in caplog.text
    assert "plain words" in caplog.text
