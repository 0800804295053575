"""How the tests call a Marketo server: as any other client would, with raw requests."""

from __future__ import annotations

from typing import Any

import httpx

from mkdyn.testing import FakeMarketo
from mkdyn.testing.servers.in_process import InProcess
from mkdyn.testing.servers.marketo import MarketoServer

URL = "https://123-abc-456.mktorest.com"
CREDENTIALS = {"grant_type": "client_credentials", "client_id": "mkdyn", "client_secret": "secret"}
IDENTITY = "/identity/oauth/token"


class Caller:
    """Somebody who calls a server, in process."""

    def __init__(self, server: MarketoServer, **credentials: str) -> None:
        self.server = server
        self.http = httpx.AsyncClient(transport=InProcess(server), base_url=URL)
        self.credentials = {**CREDENTIALS, **credentials}
        self.token = ""

    @property
    def fake(self) -> FakeMarketo:
        """The instance."""
        return self.server.fake

    async def sign_in(self) -> None:
        """Get a token."""
        answer = await self.http.get(IDENTITY, params=self.credentials)
        self.token = answer.json()["access_token"]

    async def call(self, method: str, path: str, **how: Any) -> httpx.Response:  # noqa: ANN401 - as httpx takes it
        """Call with a token; *path* is without `/rest/v1/` and `.json`."""
        if not self.token:
            await self.sign_in()
        headers = {"Authorization": f"Bearer {self.token}", **how.pop("headers", {})}
        return await self.http.request(method, f"/rest/v1/{path}.json", headers=headers, **how)

    async def get(self, path: str, /, **parameters: str) -> dict[str, Any]:
        """Ask, by GET."""
        answer: dict[str, Any] = (await self.call("GET", path, params=parameters)).json()
        return answer

    async def post(self, path: str, /, body: dict[str, Any], **parameters: str) -> dict[str, Any]:
        """Send JSON, by POST."""
        answer: dict[str, Any] = (await self.call("POST", path, json=body, params=parameters)).json()
        return answer

    async def refused(self, path: str, /, **parameters: str) -> tuple[str, str]:
        """Ask what is refused; the code and the message."""
        return error_of(await self.get(path, **parameters))

    async def refused_post(self, path: str, /, body: dict[str, Any], **parameters: str) -> tuple[str, str]:
        """Send what is refused; the code and the message."""
        return error_of(await self.post(path, body, **parameters))


def error_of(answer: dict[str, Any]) -> tuple[str, str]:
    """The code and the message of an answer that refuses a call."""
    assert answer["success"] is False
    assert "result" not in answer
    [error] = answer["errors"]
    return error["code"], error["message"]


def reasons_of(answer: dict[str, Any]) -> list[str]:
    """Per record, its status; of one that is skipped, the code."""
    assert answer["success"] is True
    return [row["reasons"][0]["code"] if row["status"] == "skipped" else row["status"] for row in answer["result"]]
