"""The line to a server in this process, on which requests may go astray: given up, and carried out later."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import attrs
import httpx

from mkdyn.testing.servers.in_process import InProcess
from tests.simulation.wire.connectors import WRITING, Writing


@attrs.frozen
class Stray:
    """A request on its way that its caller has given up."""

    request: httpx.Request
    writing: Writing
    sent_at: datetime


class Line(httpx.AsyncBaseTransport):
    """A line to one server.

    Args:
        app: The server.
        loses: Asked for each request that writes: whether it goes astray.
        now: The world's clock.
        run: The number of the run that goes on.
        settles_s: After how long, at most, a stray arrives.
        arrived: Called when strays have arrived, which may be later than that: what they begin is over by then.

    Attributes:
        strays: What is on its way.
    """

    def __init__(
        self,
        app: Any,  # noqa: ANN401 - any ASGI application
        *,
        loses: Callable[[], bool],
        now: Callable[[], datetime],
        run: Callable[[], int],
        settles_s: float,
        arrived: Callable[[], None],
    ) -> None:
        self._inner = InProcess(app)
        self._loses, self._now, self._run, self._arrived = loses, now, run, arrived
        self._settles = timedelta(seconds=settles_s)
        self.strays: list[Stray] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Bring a request there, and its answer back.

        Raises:
            httpx.ReadTimeout: It went astray.
        """
        if any(self._now() - stray.sent_at >= self._settles for stray in self.strays):
            await self.arrive()
        if _writes(request) and self._loses():
            writing = WRITING.get(Writing())
            self.strays.append(Stray(request, attrs.evolve(writing, run=self._run()), self._now()))
            raise httpx.ReadTimeout("It went astray.", request=request)
        return await self._inner.handle_async_request(request)

    async def arrive(self) -> None:
        """Carry out what was on its way, whoever still waits for it."""
        strays, self.strays = self.strays, []
        for stray in strays:
            token = WRITING.set(stray.writing)
            try:
                answer = await self._inner.handle_async_request(stray.request)
                await answer.aread()
            finally:
                WRITING.reset(token)
        if strays:
            self._arrived()


def _writes(request: httpx.Request) -> bool:
    return request.method == "POST" and b"_method=GET" not in request.url.query and "token" not in request.url.path
