"""Marketo's API as an ASGI application: sizes, encodings, and what goes wrong on the way."""

from __future__ import annotations

import gzip
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC
from email.utils import format_datetime
from http import HTTPStatus
from typing import Final, assert_never

import anyio
import attrs
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount
from starlette.types import Receive, Scope, Send

from mkdyn.testing.marketo import FakeMarketo
from mkdyn.testing.servers.faults import Drop, Fail, Garble, Slow
from mkdyn.testing.servers.marketo.faults import Refuse, Repeat, RepeatRows, WireFault
from mkdyn.testing.servers.marketo.instance import AnswerLostError, Arrival, Instance, Reply, arrival
from mkdyn.testing.servers.marketo.question import RefusedError, is_list
from mkdyn.testing.servers.marketo.settings import Quirks, ServerLimits, Service

_GZIP_MIN: Final = 1_024
_RANGE: Final = re.compile(r"bytes=(?P<start>\d+)-(?P<end>\d*)")
_JSON: Final = "application/json;charset=UTF-8"

#: What decides about each call's fault: it is told the endpoint's name.
Trouble = Callable[[str], "WireFault | None"]


class MarketoServer:
    """Marketo's REST API, in front of a fake: an ASGI application, for a port or in process.

    The fake's hands are the people who work there; its clock is the instance's calendar.

    Args:
        fake: The instance; by default a new one.
        services: Who may ask for a token.
        limits: What the instance allows.
        quirks: What it is like.
        latency_s: How long every call takes.
        clock: Seconds, as they go by, for the limits and the tokens; by default the event loop's.
        faults: What goes wrong on the wire.

    Attributes:
        fake: The instance.
        instance: What answers: its gate, tokens, usage and codes.
        faults: What goes wrong; add and remove at will.
        trouble: Asked for each call that no fault is for: what goes wrong with it, if anything does.
        arrivals: How many calls came in, by endpoint, tokens among them.
    """

    def __init__(
        self,
        fake: FakeMarketo | None = None,
        *,
        services: Iterable[Service] = (Service(),),
        limits: ServerLimits | None = None,
        quirks: Quirks | None = None,
        latency_s: float = 0.0,
        clock: Callable[[], float] = anyio.current_time,
        faults: Iterable[WireFault] = (),
    ) -> None:
        self.fake: FakeMarketo = fake or FakeMarketo()
        self.instance: Instance = Instance(
            self.fake,
            services=services,
            limits=limits or ServerLimits(),
            quirks=quirks or Quirks(),
            latency_s=latency_s,
            clock=clock,
        )
        self.faults: list[WireFault] = list(faults)
        self.trouble: Trouble | None = None
        self.arrivals: Counter[str] = Counter()
        self._last: dict[str, Reply] = {}
        self._app = Starlette(routes=[Mount("/", app=self._serve)])

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.fake!r}, {self.arrivals.total()} calls>"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve, as ASGI asks."""
        await self._app(scope, receive, send)

    def expire_tokens(self) -> None:
        """Let every token expire now: 602."""
        self.instance.tokens.expire()

    def revoke_tokens(self) -> None:
        """Forget every token: 601."""
        self.instance.tokens.revoke()

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            response = await self._respond(request)
        except AnswerLostError:
            await _break_off(send)
            raise
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        limits, query = self.instance.gate.limits, request.url.query
        path = str(request.scope.get("raw_path", b"").decode() or request.scope["path"])
        if len(path) + 1 + len(query) > limits.uri_bytes:
            return Response("URI too long", 414, media_type="text/plain")
        importing = request.scope["path"].startswith("/bulk/") and request.method == "POST"
        body = await _body(request, limits.import_bytes if importing else limits.body_bytes)
        if body is None:
            return Response("Request entity too large", 413, media_type="text/plain")
        headers = request.headers
        call = arrival(
            request.method,
            request.scope["path"],
            query,
            headers.get("content-type", ""),
            body,
            headers.get("authorization", ""),
        )
        zipped = "gzip" in headers.get("accept-encoding", "") and not request.scope["path"].startswith("/bulk/")
        return _ranged(await self._with_faults(call, zipped=zipped), headers.get("range", ""))

    # What goes wrong

    def _fault_of(self, name: str) -> WireFault | None:
        self.arrivals[name] += 1
        for fault in self.faults:
            count = self.arrivals.total() if fault.of is None else self.arrivals[name] if fault.of == name else None
            if count is not None and fault.call in {None, count}:
                return fault
        return None if self.trouble is None else self.trouble(name)

    async def _with_faults(self, call: Arrival, *, zipped: bool) -> Response:
        name = self.instance.name_of(call)
        fault = self._fault_of(name)
        match fault:
            case Refuse() | Fail() | Drop():
                if fault.applied == "yes":
                    await self.instance.answer(call)
                return self._instead(fault, zipped=zipped)
            case Repeat():
                reply = self._last.get(name) or await self.instance.answer(call)
            case Slow(when="before"):
                reply = await self.instance.answer(call, before_s=fault.seconds)
            case Slow():
                reply = await self.instance.answer(call, after_s=fault.seconds)
            case Garble() | RepeatRows() | None:
                reply = await self.instance.answer(call)
            case _:
                assert_never(fault)
        self._last[name], last = reply, self._last.get(name)
        if isinstance(fault, RepeatRows):
            reply = _repeated(reply, last)
        response = self._response(reply, zipped=zipped and not isinstance(fault, Garble))
        return _garbled(response, fault) if isinstance(fault, Garble) else response

    def _instead(self, fault: Refuse | Fail | Drop, *, zipped: bool) -> Response:
        """Return what is answered instead of the answer.

        Raises:
            AnswerLostError: Nothing is.
        """
        match fault:
            case Refuse():
                return self._response(self.instance.refusal(RefusedError(fault.code, fault.message)), zipped=zipped)
            case Fail():
                return Response(fault.body, fault.status, media_type=fault.content_type)
            case Drop():
                raise AnswerLostError
            case _:
                assert_never(fault)

    # Bytes

    def _response(self, reply: Reply, *, zipped: bool) -> Response:
        if isinstance(reply.content, bytes):
            there = reply.status == HTTPStatus.OK
            return Response(
                reply.content if there else "File not found",
                reply.status,
                media_type="text/csv" if there else "text/plain",
            )
        body = json.dumps(reply.content, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")
        headers = {
            "content-type": _JSON,
            "date": format_datetime(self.fake.time.astimezone(UTC), usegmt=True),
            "cache-control": "no-store",
            "pragma": "no-cache",
        }
        if zipped and len(body) >= _GZIP_MIN:
            body, headers["content-encoding"] = gzip.compress(body, compresslevel=1), "gzip"
        return Response(body, reply.status, headers)


def _ranged(response: Response, asked: str) -> Response:
    """Return the part of a file that was asked for; all of it where that is no part."""
    found = _RANGE.fullmatch(asked)
    if found is None or response.media_type != "text/csv":
        return response
    content = bytes(response.body)
    start, end = int(found["start"]), min(int(found["end"] or len(content) - 1), len(content) - 1)
    if start > end:
        return Response(status_code=HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
    headers = {"content-range": f"bytes {start}-{end}/{len(content)}", "accept-ranges": "bytes"}
    return Response(content[start : end + 1], HTTPStatus.PARTIAL_CONTENT, headers, media_type="text/csv")


async def _body(request: Request, bytes_max: int) -> bytes | None:
    """Return what was sent; None where it is too large, and then it was not kept."""
    body, size = bytearray(), 0
    async for chunk in request.stream():
        size += len(chunk)
        if size <= bytes_max:
            body += chunk
    return bytes(body) if size <= bytes_max else None


def _repeated(reply: Reply, last: Reply | None) -> Reply:
    """Return an answer that tells every record twice, and what was told before once more."""
    told = _records(reply)
    if not told or isinstance(reply.content, bytes):
        return reply
    records = [*_records(last), *(record for record in told for _ in range(2))]
    return attrs.evolve(reply, content={**reply.content, "result": records})


def _records(reply: Reply | None) -> Sequence[object]:
    if reply is None or isinstance(reply.content, bytes):
        return ()
    result = reply.content.get("result")
    return result if is_list(result) else ()


def _garbled(response: Response, fault: Garble) -> Response:
    match fault.how:
        case "html":
            return Response("<html><body>Login</body></html>", 200, media_type="text/html")
        case "truncated":
            return Response(response.body[: len(response.body) // 2], 200, {"content-type": _JSON})
        case "content type":
            return Response(response.body, 200, media_type="text/plain")
        case _:
            assert_never(fault.how)


async def _break_off(send: Send) -> None:
    """Begin an answer that never ends: a server that is told of the error then cuts the connection."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1024")]})
    await send({"type": "http.response.body", "body": b"{", "more_body": True})
