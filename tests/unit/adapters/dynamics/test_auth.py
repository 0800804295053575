"""Tokens: asked for once, renewed in time, never shown."""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import parse_qs, unquote

import anyio
import httpx
import pytest

from mkdyn import ClientCredentials, RestDynamics
from mkdyn.adapters.dynamics.auth import EntraTokens
from mkdyn.adapters.dynamics.batch import Answer
from mkdyn.domain.outcomes import Update
from mkdyn.errors import ConfigError, CredentialsError, MkdynError, UnreachableError

from .organisation import CREDENTIALS, URL, Organisation, guid, listed, refusal, reply, row

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend(jumping: tuple[str, dict[str, Any]]) -> tuple[str, dict[str, Any]]:
    """Waits pass at once."""
    return jumping


class Entra:
    """Gives tokens as it is told to, before an organisation."""

    def __init__(self, organisation: Organisation, *answers: httpx.Response) -> None:
        self.requests: list[httpx.Request] = []
        self.used: list[str] = []
        self._organisation = organisation
        self._answers = list(answers)

    def connector(self) -> RestDynamics:
        """A connector that asks here for tokens."""
        client = httpx.AsyncClient(transport=httpx.MockTransport(self._handle))
        return RestDynamics(URL, token=CREDENTIALS, client=client)

    def _handle(self, request: httpx.Request) -> httpx.Response:
        if request.url.host != "login.microsoftonline.com":
            assert "s3cr3t" not in f"{request.url} {request.headers} {request.content!r}"
            self.used.append(request.headers["authorization"])
            return self._organisation.handle(request)
        self.requests.append(request)
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


def token(text: str, lasts: object = 3599) -> httpx.Response:
    """A token."""
    return httpx.Response(200, json={"token_type": "Bearer", "access_token": text, "expires_in": lasts})


def no_token(status: int, *codes: int) -> httpx.Response:
    """A refusal as Entra words it."""
    told = {"error": "invalid_client", "error_description": f"AADSTS{codes}: app s3cr3t~canary", "error_codes": codes}
    return httpx.Response(status, json=told)


async def test_a_token_is_asked_for_as_entra_wants_it(organisation: Organisation) -> None:
    """For this environment alone; the secret goes to Entra and nowhere else."""
    entra = Entra(organisation, token("one"))
    await entra.connector().identify()
    [request] = entra.requests
    assert str(request.url) == "https://login.microsoftonline.com/acme.example/oauth2/v2.0/token"
    assert parse_qs(request.content.decode()) == {
        "grant_type": ["client_credentials"], "client_id": ["app"], "client_secret": ["s3cr3t~canary"],
        "scope": [f"{URL}/.default"],
    }  # fmt: skip
    assert entra.used == ["Bearer one"]


async def test_one_token_serves_all_until_it_is_about_to_end(organisation: Organisation) -> None:
    """However many requests wait for it; five minutes before its end there is another."""
    organisation.on(r"GET leads\?", listed())
    entra = Entra(organisation, token("one"), token("two"), token("three", "soon"))
    connector = entra.connector()
    async with anyio.create_task_group() as tasks:
        for number in range(5):
            tasks.start_soon(connector.describe, f"new_{number}")
    assert len(entra.requests) == 1
    await anyio.sleep(3200)
    await connector.describe("lead")
    assert set(entra.used) == {"Bearer one"}
    await anyio.sleep(200)
    await connector.describe("lead")
    assert entra.used[-1] == "Bearer two"
    await anyio.sleep(3400)
    await connector.describe("lead")
    await connector.describe("lead")
    assert len(entra.requests) == 4  # how long the last one is good, nobody said


async def test_a_token_that_is_refused_is_renewed_once(organisation: Organisation) -> None:
    """Nothing was done, so a write may follow; refused again, it is who we are that is refused."""
    organisation.on("PATCH leads", reply(row(1, 8)))
    entra = Entra(organisation, token("one"), token("two"), token("three"))
    connector = entra.connector()
    await connector.describe("lead")
    organisation.faults.append(refusal(401))
    await connector.write("lead", [Update(key=guid(1), values={"score": 1})])
    assert len(organisation.asked("PATCH")) == 1
    assert entra.used[-2:] == ["Bearer one", "Bearer two"]
    organisation.faults += [refusal(401), refusal(401)]
    with pytest.raises(CredentialsError, match="does not accept who we are"):
        await connector.write("lead", [Update(key=guid(1), values={"score": 1})])
    assert len(entra.requests) == 3


async def test_requests_refused_together_share_the_new_token() -> None:
    """The second to ask finds what the first one got."""
    given: list[str] = []

    async def ask() -> Answer:
        await anyio.sleep(1)
        given.append(f"t{len(given)}")
        return reply({"access_token": given[-1], "expires_in": 3599})

    tokens = EntraTokens(ask)
    old = await tokens.token()
    got: list[str] = []

    async def renew() -> None:
        got.append(await tokens.renewed(old))

    async with anyio.create_task_group() as tasks:
        for _ in range(3):
            tasks.start_soon(renew)
    assert (old, got, given) == ("t0", ["t1"] * 3, ["t0", "t1"])


@pytest.mark.parametrize(
    ("answer", "error", "told"),
    [
        (no_token(401, 7000215), CredentialsError, "(AADSTS7000215). The client secret is wrong"),
        (no_token(401, 7000222), CredentialsError, "has expired: make a new one"),
        (no_token(400, 700016), CredentialsError, "no application with this client id"),
        (no_token(400, 90002), CredentialsError, "no such tenant"),
        (no_token(400, 500011), CredentialsError, "no environment with this address"),
        (no_token(400, 1), CredentialsError, "(AADSTS1). Check the tenant"),
        (no_token(400), CredentialsError, "gives no token. Check the tenant"),
        (httpx.Response(400, text="<html>s3cr3t~canary"), CredentialsError, "gives no token. Check the tenant"),
        (httpx.Response(503, text="s3cr3t~canary"), UnreachableError, "Entra answered 503"),
        (httpx.Response(429), UnreachableError, "Entra answered 429"),
        (httpx.Response(200, json={}), UnreachableError, "holds no token"),
        (token("a\r\nEvil: yes"), UnreachableError, "holds no token"),
        (httpx.Response(200, text="s3cr3t~canary"), UnreachableError, "no JSON"),
    ],
)
async def test_no_token(organisation: Organisation, answer: httpx.Response, error: type[MkdynError], told: str) -> None:
    """What a person can do about it is said; what Entra said is not."""
    with pytest.raises(error) as refused:
        await Entra(organisation, answer).connector().identify()
    assert told in str(refused.value)
    assert "s3cr3t" not in str(refused.value)
    assert not organisation.calls


async def test_a_function_of_your_own(organisation: Organisation) -> None:
    """It is asked each time, and once more where its token is refused."""
    given: list[str] = []

    async def own() -> str:
        given.append(f"own{len(given)}")
        return given[-1]

    connector = organisation.connector(token=own)
    await connector.identify()
    organisation.faults.append(refusal(401))
    await connector.describe("lead")
    assert given == ["own0", "own1", "own2"]
    assert not organisation.tokens
    await connector.aclose()


def test_credentials_that_lack_something() -> None:
    """An empty one is none."""
    with pytest.raises(ConfigError, match="lack tenant, client_secret"):
        ClientCredentials(tenant="", client_id="x", client_secret="")


async def test_no_secret_is_ever_shown(organisation: Organisation, caplog: pytest.LogCaptureFixture) -> None:
    """Nor a token, nor anybody's data: in no repr, no error, no log."""
    caplog.set_level(logging.DEBUG)
    canaries = ("s3cr3t~canary", "t0k3n", "ann.canary@example.com")
    connector = organisation.connector()
    shown = [repr(CREDENTIALS), repr(connector), repr(vars(connector))]
    values = {"emailaddress1": canaries[2]}
    organisation.on("PATCH leads", refusal(400, "0x80040265", f"Plug-in: {canaries[2]} {canaries[1]}1"))
    shown += map(repr, await connector.write("lead", [Update(key=guid(1), values=values)]))
    for answer in (
        refusal(400, "", canaries[2]),
        refusal(500, "", canaries[2]),
        refusal(403, "0x80040220", canaries[2]),
    ):
        organisation.on(r"GET leads\?", answer)
        with pytest.raises(MkdynError) as refused:
            await connector.find("lead", "emailaddress1", [canaries[2]], fields=["lastname"])
        shown += [str(refused.value), repr(refused.value), repr(refused.value.__cause__)]
    organisation.faults.append(httpx.ConnectError(f"no {canaries[0]}"))
    with pytest.raises(MkdynError) as refused:
        await connector.find("lead", "emailaddress1", [canaries[2]], fields=["lastname"])
    shown += [str(refused.value), repr(refused.value), repr(refused.value.__cause__)]
    text = unquote("\n".join([*shown, caplog.text]))
    assert "HTTP Request: POST" in text  # httpx tells of each request, with its address
    assert not [canary for canary in canaries if canary in text]
