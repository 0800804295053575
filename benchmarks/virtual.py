"""Time that nobody waits for: what a connector's pace comes to, against a server that keeps its vendor's limits."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio
import attrs
import trio.testing

T = TypeVar("T")


@attrs.frozen(kw_only=True)
class Case:
    """What one case came to.

    Attributes:
        name: What was done.
        records: With how many records.
        seconds: How long that took by the server's clock.
        ceiling_per_s: What its limits allow.
        calls: How many calls it took.
        minimum_calls: How many it takes at least.
        breaches: How many calls the server refused for its limits.
        shared: What another client did meanwhile, where there was one.
        without_files: How many calls it would take at least without files, where there were some.
    """

    name: str
    records: int
    seconds: float
    ceiling_per_s: float
    calls: int
    minimum_calls: int
    breaches: int
    shared: dict[str, int] | None = None
    without_files: int | None = None

    def found(self) -> dict[str, object]:
        """Return it as it is printed."""
        per_s = self.records / self.seconds
        return {
            "name": self.name,
            "records": self.records,
            "seconds": round(self.seconds, 1),
            "records_per_s": round(per_s, 1),
            "ceiling_per_s": self.ceiling_per_s,
            "ratio": round(per_s / self.ceiling_per_s, 3),
            "calls": self.calls,
            "minimum_calls": self.minimum_calls,
            "calls_ratio": round(self.calls / self.minimum_calls, 3),
            "breaches": self.breaches,
            **({} if self.shared is None else {"shared": self.shared}),
            **({} if self.without_files is None else {"without_files": self.without_files}),
        }


def in_virtual_time(work: Callable[[], Awaitable[T]]) -> T:
    """Run something whose waits all pass at once."""
    clock = trio.testing.MockClock(autojump_threshold=0)
    return anyio.run(work, backend="trio", backend_options={"clock": clock})
