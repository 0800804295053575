"""The line to a host: our requests as HTTP's."""

from __future__ import annotations

from typing import Final

from mkdyn.adapters.dynamics.batch import Answer, Part
from mkdyn.adapters.http import Http, Request

#: Longer than Dynamics works on anything.
_TIMEOUT_S: Final = 300.0


class Line:
    """Sends to one host.

    Args:
        http: Reaches it.
    """

    def __init__(self, http: Http) -> None:
        self._http = http

    async def send(self, part: Part, *, repeatable: bool) -> Answer:
        """Send a request.

        Args:
            part: What to send.
            repeatable: Whether it may be sent twice.

        Raises:
            UnreachableError: No answer came.
        """
        request = Request(
            method=part.method, path=part.target, headers=part.headers, body=part.body, timeout_s=_TIMEOUT_S
        )
        response = await self._http.send(request, repeatable=repeatable)
        return Answer(status=response.status, headers=response.headers, body=response.body)

    async def aclose(self) -> None:
        """Let go of the connections; it may be called twice."""
        await self._http.aclose()
