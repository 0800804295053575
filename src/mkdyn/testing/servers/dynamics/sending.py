"""Answers on their way: as they should be, or spoilt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import urlsplit

import attrs
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from mkdyn.testing.servers.dynamics.faults import AnswerLostError, ForeignLink, Refuse, RepeatRows, WireFault
from mkdyn.testing.servers.dynamics.question import Answer, error_body
from mkdyn.testing.servers.faults import Fail, Garble

_LINKS: Final = ("@odata.nextLink", "@odata.deltaLink")
_NO_BODY: Final = (204, 304)


class Cut(Response):
    """No answer at all: the connection is cut in the middle of one."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Begin an answer, and break off; a server closes the connection then.

        Raises:
            AnswerLostError: Always.
        """
        del scope, receive
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1024")]})
        await send({"type": "http.response.body", "body": b"{", "more_body": True})
        raise AnswerLostError("the connection was cut")


def response(answer: Answer, headers: Mapping[str, str], fault: WireFault | None = None) -> Response:
    """Return an answer as it is sent, spoilt as a fault says."""
    told = _spoilt(answer, fault)
    content, every = told.content, {**told.all_headers, **headers}
    match fault:
        case Garble(how="truncated"):
            content = content[: len(content) // 2]
        case Garble(how="content type"):
            every["Content-Type"] = "text/plain"
        case Garble(how="html"):
            content, every["Content-Type"] = b"<html><body>Sign in</body></html>", "text/html"
        case _:
            pass
    return Response(b"" if told.status in _NO_BODY else content, status_code=told.status, headers=every)


def instead(fault: WireFault | None) -> Response | None:
    """Return what is answered whatever was asked for; None for nothing."""
    match fault:
        case Refuse():
            headers = {} if fault.retry_after_s is None else {"Retry-After": str(fault.retry_after_s)}
            return response(Answer(status=fault.status, body=error_body(fault.code, fault.message)), headers)
        case Fail():
            return Response(fault.body, fault.status, {"Content-Type": fault.content_type})
        case _:
            return None


def _spoilt(answer: Answer, fault: WireFault | None) -> Answer:
    """Return an answer whose links or rows are not what they should be."""
    body = answer.body
    if not isinstance(body, Mapping):
        return answer
    match fault:
        case ForeignLink(origin=origin):
            links = {name: _elsewhere(str(body[name]), origin) for name in _LINKS if name in body}
            return attrs.evolve(answer, body={**body, **links})
        case RepeatRows() if isinstance(body.get("value"), list):
            rows: Sequence[object] = body["value"]
            return attrs.evolve(answer, body={**body, "value": [row for row in rows for _ in range(2)]})
        case _:
            return answer


def _elsewhere(link: str, origin: str) -> str:
    address = urlsplit(link)
    return link.replace(f"{address.scheme}://{address.netloc}", origin, 1)
