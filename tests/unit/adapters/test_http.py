"""The only code that sends: to one host, letter for letter, once where once is meant."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import httpx
import pytest

from mkdyn.adapters.http import Http, Request, Response
from mkdyn.errors import UnreachableError

pytestmark = pytest.mark.anyio

URL = "https://acme.crm4.dynamics.com"


def over(handler: Callable[[httpx.Request], httpx.Response]) -> Http:
    """A line to a host that answers so."""
    return Http(URL, client=httpx.AsyncClient(transport=httpx.MockTransport(handler)))


async def test_a_request_is_sent_letter_for_letter() -> None:
    """No escape in its address is taken for another, no redirect followed."""
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(302, headers={"Location": "https://evil.example/", "X-One": "1"}, content=b"over there")

    path = "/api/leads?$skiptoken=%253ccookie%2520%22&a=%2f"
    request = Request(method="PATCH", path=path, headers={"If-Match": "*"}, body=b"{}", timeout_s=7)
    found = await over(answer).send(request, repeatable=True)
    assert (found.status, found.headers["x-one"], found.body) == (302, "1", b"over there")
    [sent] = seen
    assert (sent.method, sent.url.raw_path.decode(), sent.headers["if-match"], sent.content) == (
        "PATCH",
        path,
        "*",
        b"{}",
    )
    assert sent.url.host == "acme.crm4.dynamics.com"
    assert sent.extensions["timeout"] == {"connect": 10.0, "read": 7, "write": 7, "pool": 7}


@pytest.mark.parametrize(("repeatable", "calls"), [(True, 2), (False, 1)])
@pytest.mark.parametrize("error", [httpx.ReadTimeout, httpx.ConnectError, httpx.RemoteProtocolError])
async def test_only_what_may_be_repeated_is(repeatable: bool, calls: int, error: type[httpx.HTTPError]) -> None:
    """Where no answer comes; what is said of it holds no address."""
    seen: list[httpx.Request] = []

    def nothing(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        raise error(f"{request.url} canary")

    with pytest.raises(UnreachableError) as lost:
        await over(nothing).send(Request(method="GET", path="/canary"), repeatable=repeatable)
    assert len(seen) == calls
    assert str(lost.value) == f"No answer from acme.crm4.dynamics.com ({error.__name__}). Try again later."
    assert lost.value.__cause__ is None
    assert lost.value.__suppress_context__


async def test_an_answer_may_come_the_second_time() -> None:
    """Then nobody is told of the first."""
    answers = [httpx.ReadTimeout("x"), httpx.Response(204)]

    def answer(_request: httpx.Request) -> httpx.Response:
        found = answers.pop(0)
        if isinstance(found, httpx.Response):
            return found
        raise found

    assert (await over(answer).send(Request(method="GET", path="/"), repeatable=True)).status == 204


class Pieces(httpx.AsyncByteStream):
    """A body in pieces of 1,000 bytes."""

    def __init__(self, count: int) -> None:
        self.left, self.closed = count, False

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if not self.left:
            raise StopAsyncIteration
        self.left -= 1
        return b"x" * 1000

    async def aclose(self) -> None:
        """Note it."""
        self.closed = True


async def test_an_answer_is_bounded() -> None:
    """What is larger is not kept, and not read to its end."""
    streams = [Pieces(10), Pieces(1000)]
    waiting = iter(streams)
    transport = httpx.MockTransport(lambda _: httpx.Response(200, stream=next(waiting)))
    http = Http(URL, client=httpx.AsyncClient(transport=transport), body_max=10_000)
    assert (await http.send(Request(method="GET", path="/"), repeatable=True)).body == b"x" * 10_000
    with pytest.raises(UnreachableError, match="more than is reasonable"):
        await http.send(Request(method="GET", path="/"), repeatable=True)
    assert [(stream.left, stream.closed) for stream in streams] == [(0, True), (989, True)]


async def test_a_client_of_our_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is made once, keeps no cookie, and is closed; a given one stays open."""
    made: list[httpx.AsyncClient] = []
    cookies: list[str | None] = []

    def answer(request: httpx.Request) -> httpx.Response:
        cookies.append(request.headers.get("cookie"))
        return httpx.Response(204, headers={"Set-Cookie": "server=7"})

    class Client(httpx.AsyncClient):
        def __init__(self, **settings: httpx._types.CookieTypes) -> None:
            super().__init__(transport=httpx.MockTransport(answer), **settings)
            made.append(self)

    monkeypatch.setattr(httpx, "AsyncClient", Client)
    http = Http(URL)
    for _ in range(2):
        await http.send(Request(method="GET", path="/"), repeatable=True)
    assert (len(made), cookies) == (1, [None, None])
    await http.aclose()
    await http.aclose()
    assert made[0].is_closed
    given = Client()
    http = Http(URL, client=given)
    await http.send(Request(method="GET", path="/"), repeatable=True)
    await http.aclose()
    assert not given.is_closed


def test_what_is_shown() -> None:
    """Neither address nor headers nor bodies."""
    request = Request(method="GET", path="/canary", headers={"Authorization": "canary"}, body=b"canary")
    assert "canary" not in repr(request)
    assert "canary" not in repr(Response(status=200, headers={"x": "canary"}, body=b"canary"))
