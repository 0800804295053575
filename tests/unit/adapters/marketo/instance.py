"""Marketo instances for the tests of `RestMarketo`: the server in front of the fake, or one that answers as told."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, TypeAlias

import httpx

from mkdyn import RestMarketo
from mkdyn.testing import FakeMarketo
from mkdyn.testing.servers.in_process import InProcess
from mkdyn.testing.servers.marketo import MarketoServer, WireFault

URL: Final = "https://123-abc-456.mktorest.com"
SECRET: Final = "s3cr3t~canary"

Json: TypeAlias = Mapping[str, Any]
Told: TypeAlias = "Json | httpx.Response | Exception"
Answer: TypeAlias = "Told | Callable[[httpx.Request], Told]"


def connector_to(client: httpx.AsyncClient, **settings: Any) -> RestMarketo:  # noqa: ANN401 - whatever it takes
    """A connector over a client."""
    return RestMarketo(URL, **{"client_id": "mkdyn", "client_secret": "secret", "client": client, **settings})


@asynccontextmanager
async def served(
    *faults: WireFault, fake: FakeMarketo | None = None, server: MarketoServer | None = None, **settings: object
) -> AsyncGenerator[tuple[RestMarketo, MarketoServer]]:
    """A connector to the server, and the server."""
    server = server or MarketoServer(fake or FakeMarketo(), faults=faults)
    async with httpx.AsyncClient(transport=InProcess(server)) as client:
        yield connector_to(client, **settings), server


def success(*result: Json, **more: object) -> Json:
    """An answer as Marketo words it."""
    return {"requestId": "a#19b4ecd9ac0", "success": True, "result": list(result), **more}


def refusal(code: str, message: str = "canary") -> Json:
    """A refusal as Marketo words it."""
    return {"requestId": "a#19b4ecd9ac0", "success": False, "errors": [{"code": code, "message": message}]}


def field(id: int, name: str, kind: str, **more: object) -> Json:
    """A person's field as describe tells it."""
    return {
        "id": id,
        "displayName": name.title(),
        "dataType": kind,
        "rest": {"name": name, "readOnly": False},
        **more,
    }


FIELDS: Final[Sequence[Json]] = (
    field(1, "id", "integer"),
    field(2, "email", "email", length=255),
    field(3, "title", "string", length=255),
    field(4, "share", "percent"),
    field(5, "seen", "datetime"),
    field(6, "born", "date"),
    field(7, "amount", "currency"),
    field(8, "hasAgreed", "boolean"),
    field(9, "strange", "lead_function"),
    field(10, "keyed", "string", length=255),
    {"id": 11, "displayName": "Only soap", "dataType": "string", "soap": {"name": "Only"}},
)


class Instance:
    """Answers as it is told to, path by path; each path's last answer goes on.

    Attributes:
        seen: Every call but those for tokens.
        tokens: How many tokens were given.
    """

    def __init__(self) -> None:
        self.seen: list[httpx.Request] = []
        self.tokens = 0
        self._answers: dict[str, list[Answer]] = {}
        self.on("identity/oauth/token", self._token)
        self.on("leads/describe", success(*FIELDS))
        self.on("stats/usage", success())

    def on(self, path: str, *answers: Answer) -> None:
        """Have a path answered so, one answer after the other."""
        self._answers[path] = list(answers)

    def asked(self, path: str) -> list[httpx.Request]:
        """The calls of a path, so far."""
        return [request for request in self.seen if _path(request) == path]

    def connector(self, **settings: Any) -> RestMarketo:  # noqa: ANN401 - whatever it takes
        """A connector to it."""
        return connector_to(httpx.AsyncClient(transport=httpx.MockTransport(self._handle)), **settings)

    def _token(self, _request: httpx.Request) -> Json:
        self.tokens += 1
        return {"access_token": f"t0k3n{self.tokens}", "expires_in": 3599, "scope": "sync@acme"}

    def _handle(self, request: httpx.Request) -> httpx.Response:
        path = _path(request)
        if path != "identity/oauth/token":
            self.seen.append(request)
        queue = self._answers.get(path, [refusal("610")])
        found = queue.pop(0) if len(queue) > 1 else queue[0]
        told = found(request) if callable(found) else found
        if isinstance(told, Exception):
            raise told
        return told if isinstance(told, httpx.Response) else httpx.Response(200, json=told)


def _path(request: httpx.Request) -> str:
    return request.url.path.strip("/").removeprefix("rest/v1/").removesuffix(".json")


def sent(request: httpx.Request) -> Any:  # noqa: ANN401 - JSON
    """The JSON that a call sent."""
    return json.loads(request.content)


def form(request: httpx.Request) -> dict[str, str]:
    """The form that a call sent."""
    return dict(httpx.QueryParams(request.content.decode()))
