"""Answers on their way: as they should be, or spoilt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import urlsplit

import attrs
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from mkdyn.testing.servers.dynamics.faults import DroppedError, ForeignLink, Garble, Refuse, RepeatRows, WireFault
from mkdyn.testing.servers.dynamics.question import Answer, error_body

_LINKS: Final = ("@odata.nextLink", "@odata.deltaLink")
_PAGE: Final = "<!DOCTYPE html><html><head><title>Service unavailable</title></head><body>Try again.</body></html>"


class Cut(Response):
    """An answer that breaks off before it begins: the connection is closed, whoever waits for it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Announce a body, and send none.

        Raises:
            DroppedError: Always; a server closes the connection then.
        """
        del scope, receive
        headers = [(b"content-length", b"1")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        raise DroppedError("the connection broke off before the answer")


def response(answer: Answer, headers: Mapping[str, str], fault: WireFault | None) -> Response:
    """Return an answer as it is sent, spoilt as a fault says."""
    content, every = spoilt(answer, fault).content, {**answer.all_headers, **headers}
    match fault:
        case Garble(how="cut"):
            content = content[: len(content) // 2]
        case Garble(how="wrong type"):
            every["Content-Type"] = "text/html"
        case Garble(how="html"):
            content, every["Content-Type"] = _PAGE.encode(), "text/html"
        case _:
            pass
    if answer.status in (204, 304):
        content = b""
    return Response(content, status_code=answer.status, headers=every)


def spoilt(answer: Answer, fault: WireFault | None) -> Answer:
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


def refused(fault: Refuse) -> Response:
    """Return a refusal that was asked for."""
    headers = {} if fault.retry_after_s is None else {"Retry-After": str(fault.retry_after_s)}
    if fault.html:
        return Response(_PAGE, status_code=fault.status, headers={**headers, "Content-Type": "text/html"})
    answer = Answer(status=fault.status, headers=headers, body=error_body(fault.code, fault.message))
    return Response(answer.content, status_code=fault.status, headers=dict(answer.all_headers))
