"""How the tests call a Dynamics server: as any other client would, with raw requests."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from mkdyn.testing import FakeDynamics
from mkdyn.testing.servers.dynamics import DynamicsServer, Quirks, ServerLimits, Work
from mkdyn.testing.servers.in_process import InProcess

URL = "https://acme.crm4.dynamics.com"
API = f"{URL}/api/data/v9.2"
TOKEN = "/acme.example/oauth2/v2.0/token"
CREDENTIALS = {
    "grant_type": "client_credentials", "client_id": "mkdyn", "client_secret": "secret", "scope": f"{URL}/.default",
}  # fmt: skip


class Caller:
    """Somebody who calls a server, in process."""

    def __init__(self, server: DynamicsServer) -> None:
        self.server = server
        self.http = httpx.AsyncClient(transport=InProcess(server), base_url=URL)
        self.token = "T"

    @property
    def fake(self) -> FakeDynamics:
        """The organisation."""
        return self.server.fake

    async def call(self, method: str, path: str, /, body: object = None, **headers: str) -> httpx.Response:
        """Send a request; *path* is what follows `/api/data/v9.2/`, or a whole link; in headers `_` is a dash."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        given = {"Authorization": f"Bearer {self.token}", **named}
        content = {} if body is None else {"json": body}
        url = path if path.startswith("https:") else f"/api/data/v9.2/{path}"
        return await self.http.request(method, url, headers=given, **content)

    async def get(self, path: str, /, **headers: str) -> dict[str, Any]:
        """Ask; the answer must be a good one."""
        answer = await self.call("GET", path, **headers)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def rows(self, path: str, /, **headers: str) -> list[dict[str, Any]]:
        """Ask for rows."""
        found: list[dict[str, Any]] = (await self.get(path, **headers))["value"]
        return found

    async def names(self, path: str, /, **headers: str) -> list[str]:
        """Ask for rows; their last names."""
        return [row["lastname"] for row in await self.rows(path, **headers)]

    async def refused(self, method: str, path: str, /, body: object = None, **headers: str) -> tuple[int, str]:
        """Send what is refused; the status and the code."""
        return refusal_of(await self.call(method, path, body, **headers))


def refusal_of(answer: httpx.Response) -> tuple[int, str]:
    """The status and the code of an answer that refuses."""
    error = answer.json()["error"]
    assert set(error) == {"code", "message"}
    return answer.status_code, error["code"]


@asynccontextmanager
async def calling(
    fake: FakeDynamics | None = None,
    *,
    limits: ServerLimits | None = None,
    work: Work | None = None,
    quirks: Quirks | None = None,
) -> AsyncGenerator[Caller]:
    """Somebody who calls a new server."""
    caller = Caller(DynamicsServer(fake or FakeDynamics(), tokens=["T"], limits=limits, work=work, quirks=quirks))
    async with caller.http:
        yield caller
