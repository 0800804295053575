"""Requests that wait for their turn: the arithmetic is a ledger's, without a clock; here it is waited."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Generic, Protocol, TypeVar

import anyio
import attrs

from mkdyn.errors import ConfigError


class Ledger(Protocol):
    """What was asked of a system, and when it may be asked again."""

    def delay_s(self, now: float) -> float:
        """Return how long to wait before the next request; infinity if one must end first."""
        ...

    def begin(self, now: float) -> int:
        """Note a request; return its number."""
        ...

    def end(self, number: int, now: float) -> None:
        """Note that a request has ended, however it did."""
        ...


def share_of(whose: str) -> Callable[[object, attrs.Attribute[float], float], None]:
    """Return the validator of a share of a system's limits.

    Args:
        whose: Whose limits, for the message, as in `Marketo's`.
    """

    def is_part(_: object, attribute: attrs.Attribute[float], value: float) -> None:
        if not 0 < value <= 1:
            raise ConfigError(f"{whose} limits: {attribute.name} is a part of one, above 0.")

    return is_part


LedgerT = TypeVar("LedgerT", bound=Ledger)


class Turns(Generic[LedgerT]):
    """Lets requests go when they may, in the order in which they asked."""

    def __init__(self, ledger: LedgerT) -> None:
        self.ledger = ledger
        self._turn = anyio.Lock()
        self._ended = anyio.Event()

    @asynccontextmanager
    async def turn(self) -> AsyncGenerator[None]:
        """Wait until a request may go; inside, it is under way."""
        async with self._turn:
            while (delay := self.ledger.delay_s(anyio.current_time())) > 0:
                with anyio.move_on_after(delay):
                    await self._ended.wait()
            number = self.ledger.begin(anyio.current_time())
        try:
            yield
        finally:
            self.ledger.end(number, anyio.current_time())
            self._ended.set()
            self._ended = anyio.Event()
