"""Tokens that are kept until they are about to end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import anyio
import attrs


@attrs.frozen(kw_only=True)
class Token:
    """A token.

    Attributes:
        text: What is sent.
        lasts_s: For how long it is good.
    """

    text: str = attrs.field(repr=False)
    lasts_s: float


class KeptTokens:
    """Keeps a token until it is about to end, and asks once for any number of waiting requests.

    Args:
        fetch: Asks for a token.
        early_s: Seconds before its end at which it is renewed.
    """

    def __init__(self, fetch: Callable[[], Awaitable[Token]], *, early_s: float) -> None:
        self._fetch = fetch
        self._early_s = early_s
        self._lock = anyio.Lock()
        self._token: Token | None = None
        self._until = 0.0

    async def token(self) -> str:
        """Return a token that should be good."""
        async with self._lock:
            if self._token is None or anyio.current_time() >= self._until:
                asked_at = anyio.current_time()
                self._token = await self._fetch()
                self._until = asked_at + max(self._token.lasts_s - self._early_s, 0.0)
            return self._token.text

    async def renewed(self, refused: str) -> str:
        """Return another than the one that was refused."""
        if self._token is not None and self._token.text == refused:
            self._token = None
        return await self.token()
