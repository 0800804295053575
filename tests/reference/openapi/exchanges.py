"""What is asked of a Marketo server, and what it answers, as it goes over the line."""

from __future__ import annotations

import gzip
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs

import attrs
from starlette.types import Message, Receive, Scope, Send

from mkdyn.testing.servers.marketo import MarketoServer
from mkdyn.testing.servers.marketo.endpoints import endpoint_of
from mkdyn.testing.servers.marketo.instance import IDENTITY


@attrs.frozen(kw_only=True)
class Exchange:
    """A request and its answer.

    Attributes:
        endpoint: The server's name for what was asked.
        method: What counts as the method: `_method` in the query takes its place.
        path: The path, encoded.
        query: The parameters, those of a form among them.
        kind: What the body is said to be.
        body: The body, unless it is a form.
        status: The answer's status.
        answer_kind: What its body is said to be.
        answer: Its body.
    """

    endpoint: str
    method: str
    path: str
    query: Mapping[str, Sequence[str]]
    kind: str
    body: bytes
    status: int
    answer_kind: str
    answer: bytes

    def __str__(self) -> str:
        return f"{self.method} {self.path} ({self.status})"


class RecordingServer(MarketoServer):
    """A server that keeps every exchange.

    Attributes:
        exchanges: Those that came to their end.
    """

    def __init__(self, *args: Any, **how: Any) -> None:  # noqa: ANN401 - its own
        super().__init__(*args, **how)
        self.exchanges: list[Exchange] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve, and keep what was asked and answered."""
        asked, answered = bytearray(), list[Message]()

        async def taken() -> Message:
            message = await receive()
            asked.extend(message.get("body", b""))
            return message

        async def given(message: Message) -> None:
            answered.append(message)
            await send(message)

        await super().__call__(scope, taken, given)
        self.exchanges.append(_exchange(scope, bytes(asked), answered))


def _exchange(scope: Scope, body: bytes, answered: Sequence[Message]) -> Exchange:
    sent, given = _headers(scope["headers"]), _headers(answered[0]["headers"])
    query = parse_qs(scope["query_string"].decode(), keep_blank_values=True)
    kind = sent.get("content-type", "")
    if kind == "application/x-www-form-urlencoded":
        query, body = {**query, **parse_qs(body.decode(), keep_blank_values=True)}, b""
    method = query.pop("_method", [scope["method"]])[0]
    answer = b"".join(message.get("body", b"") for message in answered[1:])
    return Exchange(
        endpoint=_endpoint(method, scope["path"]),
        method=method,
        path=scope["raw_path"].decode(),
        query=query,
        kind=kind,
        body=body,
        status=answered[0]["status"],
        answer_kind=given.get("content-type", ""),
        answer=gzip.decompress(answer) if given.get("content-encoding") == "gzip" else answer,
    )


def _endpoint(method: str, path: str) -> str:
    return "identity" if path == IDENTITY else endpoint_of(method, path)[0].name


def _headers(pairs: Sequence[tuple[bytes, bytes]]) -> dict[str, str]:
    return {name.decode().lower(): value.decode() for name, value in pairs}
