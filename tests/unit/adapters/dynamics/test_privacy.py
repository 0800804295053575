"""Neither people's data nor a secret is in a log, a message or a repr: whatever goes wrong, and on a real line."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import anyio
import httpx
import pytest

from mkdyn import ClientCredentials, RestDynamics
from mkdyn.domain.outcomes import Create, Delete, Update
from mkdyn.errors import MkdynError
from mkdyn.testing import FakeDynamics
from mkdyn.testing.servers.dynamics import (
    Application,
    Drop,
    DynamicsServer,
    Fail,
    ForeignLink,
    Garble,
    HalfBatch,
    Refuse,
    WireFault,
)
from mkdyn.testing.servers.in_process import InProcess
from mkdyn.testing.servers.loopback import loopback

from .organisation import URL

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend(jumping: tuple[str, dict[str, Any]]) -> tuple[str, dict[str, Any]]:
    """Nobody waits for the next try."""
    return jumping


CANARY = "c4naryRoszak"
MAIL = f"{CANARY}@people.example"
SECRET = "s3cretC4nary"
CLIENT = "cl13ntC4nary"
GUID = "9c3f0b1e-6a52-4c1d-8f0e-5b7a9d2c4e11"

FAULTS: tuple[WireFault | None, ...] = (
    None,
    *(
        Refuse(status=status, code=code, message=f"A record with {MAIL} is refused")
        for status, code in (
            (400, "0x80048d19"), (400, "0x80060888"), (403, "0x80040220"), (403, "0x80072560"), (404, "0x80040217"),
            (412, "0x80040237"), (412, "0x80060882"), (400, "0x80044352"), (500, "0x80040216"), (503, ""), (401, ""),
        )
    ),
    Fail(status=502, body=f"<html>{MAIL}</html>"),
    Garble(how="truncated"),
    Garble(how="html"),
    HalfBatch(parts=1),
    ForeignLink(),
    Drop(),
)  # fmt: skip


def calls(connector: RestDynamics, key: str) -> list[Callable[[], Awaitable[object]]]:
    """Every call that has people's data, in the question or in the answer."""

    async def feed() -> object:
        async with connector.changes("lead", fields=["emailaddress1"], since=None) as pages:
            cursor = [page async for page in pages][-1].cursor
        async with connector.changes("lead", fields=["emailaddress1"], since=cursor) as pages:
            return [page async for page in pages]

    person = {"emailaddress1": MAIL, "lastname": CANARY}
    return [
        connector.identify,
        lambda: connector.check({"lead": ["emailaddress1"]}),
        lambda: connector.describe("lead"),
        lambda: connector.read("lead", [key], fields=["emailaddress1", "lastname"]),
        lambda: connector.find("lead", "emailaddress1", [MAIL], fields=["lastname"]),
        lambda: connector.write("lead", [Update(key=key, values=person), Update(key=GUID, values=person)]),
        lambda: connector.write("lead", [Create(key=GUID, values=person)]),
        lambda: connector.write("lead", [Update(key=key, values={"statecode": CANARY}), Delete(key=key, version="x")]),
        feed,
    ]


async def what_is_told(connector: RestDynamics, server: DynamicsServer, key: str, fault: WireFault | None) -> list[str]:
    """Every answer, and every exception with all that led to it."""
    await connector.describe("lead")
    told = [repr(connector)]
    for call in calls(connector, key):
        server.trouble = None if fault is None else lambda kind: None if kind == "token" else fault
        with suppress(MkdynError):
            try:
                told.append(repr(await call()))
            except MkdynError as error:
                told.append("".join(traceback.format_exception(error)).replace(__file__, ""))
                raise
        server.trouble = None
    return told


def expect_nothing_private(told: list[str], logged: str) -> None:
    """Nobody's name, no secret, no token."""
    lines = [line for line in "\n".join([*told, logged]).splitlines() if "lambda:" not in line]
    assert "/oauth2/v2.0/token" in logged
    assert "/api/data/v9.2/$batch" in logged
    for private in (CANARY, SECRET, "Bearer ey"):
        assert [line for line in lines if private in line] == []


def served(fake: FakeDynamics) -> DynamicsServer:
    """A server that knows one application."""
    return DynamicsServer(fake, applications=[Application(client_id=CLIENT, client_secret=SECRET)])


@pytest.mark.parametrize("fault", FAULTS, ids=repr)
async def test_nothing_private_is_told(fault: WireFault | None, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever goes wrong, as often as it is tried."""
    caplog.set_level(logging.DEBUG)
    fake = FakeDynamics()
    key = fake.create("lead", emailaddress1=MAIL, lastname=CANARY)
    server = served(fake)
    credentials = ClientCredentials(tenant="acme", client_id=CLIENT, client_secret=SECRET, login_url=URL)
    async with httpx.AsyncClient(transport=InProcess(server)) as client:
        told = await what_is_told(RestDynamics(URL, token=credentials, client=client), server, key, fault)
    expect_nothing_private([*told, repr(credentials)], caplog.text)


def test_nothing_private_is_told_on_a_real_line(caplog: pytest.LogCaptureFixture) -> None:
    """With every logger at its most talkative."""
    caplog.set_level(logging.DEBUG)
    fake = FakeDynamics()
    key = fake.create("lead", emailaddress1=MAIL, lastname=CANARY)
    server = served(fake)

    async def ask(url: str) -> list[str]:
        credentials = ClientCredentials(tenant="acme", client_id=CLIENT, client_secret=SECRET, login_url=url)
        connector = RestDynamics(url, token=credentials)
        told = await what_is_told(connector, server, key, None)
        await connector.aclose()
        return told

    with loopback(server) as url:
        expect_nothing_private(anyio.run(ask, url), caplog.text)
    assert "httpcore" in caplog.text
