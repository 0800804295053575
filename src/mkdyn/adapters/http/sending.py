"""`Http`: one host, asked by httpx."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Final

import httpx

from mkdyn.adapters.http.messages import Request, Response
from mkdyn.adapters.http.redaction import keep_queries_out_of_logs
from mkdyn.errors import UnreachableError

#: Seconds until a host must have taken the connection.
_CONNECT_S: Final = 10.0
#: How often a request is sent that may be sent twice, and got no answer.
_TRIES_MAX: Final = 2


class _Bounded(httpx.AsyncByteStream):
    """What comes over the line, as long as it is not too much."""

    def __init__(self, stream: httpx.AsyncByteStream, most: int, host: str) -> None:
        self._stream = stream
        self._left = most
        self._host = host

    async def __aiter__(self) -> AsyncIterator[bytes]:
        pieces = aiter(self._stream)
        assert isinstance(pieces, AsyncGenerator)  # httpx's own, around whatever the transport has
        async for piece in pieces:
            self._left -= len(piece)
            if self._left < 0:
                await pieces.aclose()  # trio complains of one that is left half read
                raise UnreachableError(f"{self._host} answers more than is reasonable.")
            yield piece

    async def aclose(self) -> None:
        await self._stream.aclose()


class Http:
    """Sends to one host, and to no other: no redirect is followed, no cookie kept.

    Args:
        base_url: Scheme and host.
        client: A client of the caller's, who closes it; by default one is made when it is needed.
        body_max: The most bytes of an answer, as they come over the line.
    """

    def __init__(self, base_url: str, *, client: httpx.AsyncClient | None = None, body_max: int = 256_000_000) -> None:
        self._base = httpx.URL(base_url)
        keep_queries_out_of_logs(self._base.host)
        self._given = client
        self._own: httpx.AsyncClient | None = None
        self._body_max = body_max

    async def send(self, request: Request, *, repeatable: bool) -> Response:
        """Send a request.

        Args:
            request: What to send.
            repeatable: Whether it may be sent twice: it is, where no answer came the first time.

        Raises:
            UnreachableError: No answer came, or none that is whole. It may have had its effect.
        """
        tries = 1
        while True:
            try:
                return await self._sent(request)
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                if not repeatable or tries == _TRIES_MAX:
                    # What httpx says may hold the address, and with it what somebody is looked for by.
                    raise UnreachableError(
                        f"No answer from {self._base.host} ({type(error).__name__}).", what_to_do="Try again later."
                    ) from None
                tries += 1

    async def _sent(self, request: Request) -> Response:
        client = self._client()
        message = client.build_request(
            request.method,
            self._base.copy_with(raw_path=request.path.encode()),
            headers=dict(request.headers),
            content=request.body,
            timeout=httpx.Timeout(request.timeout_s, connect=_CONNECT_S),
        )
        answer = await client.send(message, stream=True, follow_redirects=False)
        assert isinstance(answer.stream, httpx.AsyncByteStream)  # an asynchronous client's always is
        answer.stream = _Bounded(answer.stream, self._body_max, self._base.host)
        try:
            body = await answer.aread()
        finally:
            await answer.aclose()
        return Response(status=answer.status_code, headers=dict(answer.headers), body=body)

    def _client(self) -> httpx.AsyncClient:
        if self._given is not None:
            return self._given
        if self._own is None:
            # A cookie would bind us to one of several servers, and to its limits.
            jar = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
            self._own = httpx.AsyncClient(cookies=jar)
        return self._own

    async def aclose(self) -> None:
        """Let go of the connections; it may be called twice."""
        if self._own is not None:
            own, self._own = self._own, None
            await own.aclose()
