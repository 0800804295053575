"""Who is asking: tokens as the identity endpoint gives them out."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from uuid import uuid4

import attrs

from mkdyn.testing.servers.marketo.question import RefusedError
from mkdyn.testing.servers.marketo.settings import Service


@attrs.define
class _Issued:
    """A token of one service."""

    service: Service
    ends: float


class Tokens:
    """The tokens of an instance's services, each the same until it expires.

    Args:
        services: Who may ask.
        clock: Seconds, as they go by.
        lifetime_s: How long a token is good.
    """

    def __init__(self, services: Iterable[Service], *, clock: Callable[[], float], lifetime_s: float) -> None:
        self._services = {service.client_id: service for service in services}
        self._clock = clock
        self._lifetime_s = lifetime_s
        self._issued: dict[str, _Issued] = {}
        self._current: dict[str, str] = {}

    def issue(self, client_id: str, secret: str) -> tuple[str, int] | None:
        """Return a service's token and the whole seconds it has left; None if it does not prove itself."""
        service = self._services.get(client_id)
        if service is None or service.client_secret != secret:
            return None
        token = self._current.get(client_id)
        if token is None or self._issued[token].ends <= self._clock():
            token = self._current[client_id] = f"{uuid4()}:ab"
            self._issued[token] = _Issued(service, self._clock() + self._lifetime_s)
        left = self._issued[token].ends - self._clock()
        return token, max(math.ceil(left) - 1, 0)

    def service_of(self, token: str | None) -> Service:
        """Return whose token this is.

        Raises:
            RefusedError: There is none, it is none, or it has expired.
        """
        if not token:
            raise RefusedError("600", "Empty access token")
        issued = self._issued.get(token)
        if issued is None:
            raise RefusedError("601", "Access token invalid")
        if issued.ends <= self._clock():
            raise RefusedError("602", "Access token expired")
        return issued.service

    def expire(self) -> None:
        """Let every token expire now."""
        for issued in self._issued.values():
            issued.ends = min(issued.ends, self._clock())

    def revoke(self) -> None:
        """Forget every token."""
        self._issued.clear()
        self._current.clear()
