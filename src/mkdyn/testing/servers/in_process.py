"""An httpx transport that calls an ASGI application in process, and can lose its answers as a network would.

    client = httpx.AsyncClient(transport=InProcess(server), base_url="https://123-abc-456.mktorest.com")

Unlike `httpx.ASGITransport` it keeps the request's read timeout, whichever clock the event loop has, and raises
`httpx.ReadError` where the server cuts the connection.
"""

from __future__ import annotations

from typing import Any

import anyio
import httpx


class InProcess(httpx.AsyncBaseTransport):
    """A line to an ASGI application in this process.

    Args:
        app: The application.
    """

    def __init__(self, app: Any) -> None:  # noqa: ANN401 - httpx and starlette have types of their own for it
        self._inner = httpx.ASGITransport(app)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Bring a request to the application, and its answer back.

        Raises:
            httpx.ReadTimeout: The answer took longer than the request's read timeout.
            httpx.ReadError: The connection was cut.
        """
        limits: dict[str, float | None] = request.extensions.get("timeout", {})
        try:
            with anyio.fail_after(limits.get("read")):
                return await self._inner.handle_async_request(request)
        except TimeoutError as error:
            raise httpx.ReadTimeout("The answer took too long.", request=request) from error
        except ConnectionError as error:
            raise httpx.ReadError("The connection was cut.", request=request) from error
