"""Counts a fake's calls, lets people act between them, and makes them fail as told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Final, TypeAlias

import attrs
from anyio.lowlevel import checkpoint

from mkdyn.domain.outcomes import Delete, Rejected, Write
from mkdyn.errors import ThrottledError, UnreachableError
from mkdyn.testing.faults import CallFault, Crash, Crashed, Fault, LoseAnswer, Method, Reject, Throttle, Unreachable

#: What runs between two of our calls; it is told the call that comes next, as in `read lead`.
Hook: TypeAlias = Callable[[str], None]

_START: Final = datetime(2026, 1, 1, tzinfo=UTC)
_TICK: Final = timedelta(milliseconds=1)


class Clock:
    """A vendor's clock. Its own one starts at 2026-01-01 and moves by a millisecond with each call or edit."""

    def __init__(self, now: Callable[[], datetime] | None) -> None:
        self._now = now
        self._ticked = _START
        self._advanced = timedelta()

    def tick(self) -> datetime:
        """Let something happen; return when."""
        self._ticked += _TICK
        return self.time

    def advance(self, seconds: float) -> None:
        """Let time go by."""
        self._advanced += timedelta(seconds=seconds)

    @property
    def time(self) -> datetime:
        """The vendor's time."""
        return (self._ticked if self._now is None else self._now()) + self._advanced


@attrs.frozen
class Call:
    """One call on its way.

    Attributes:
        name: What is called, as in `read lead`.
        number: Which call of the fake this is.
        fault: What will become of its answer.
    """

    name: str
    number: int
    fault: CallFault | None

    @property
    def arrives(self) -> bool:
        """Whether the call takes effect."""
        return not (isinstance(self.fault, LoseAnswer) and self.fault.applied == "no")

    async def end(self) -> None:
        """Bring the answer home, unless it is lost on the way; it can be cancelled here, too."""
        await checkpoint()
        match self.fault:
            case LoseAnswer():
                raise UnreachableError(f"No answer came to call {self.number}, {self.name}.")
            case Crash():
                raise Crashed(f"after call {self.number}, {self.name}")
            case _:
                pass


class Calls:
    """A fake's calls, counted.

    Attributes:
        clock: The vendor's clock.
        faults: What goes wrong.
        total: How many calls there were.
        by_name: The same, by method.
        between: What runs before each call takes effect.
    """

    def __init__(self, *, faults: Iterable[Fault], now: Callable[[], datetime] | None) -> None:
        self.clock: Clock = Clock(now)
        self.faults: list[Fault] = list(faults)
        self.total: int = 0
        self.by_name: Counter[str] = Counter()
        self.between: list[Hook] = []

    async def begin(self, method: Method, object: str = "") -> Call:
        """Count a call, let people act before it, and fail it if it is to fail here."""
        await checkpoint()
        self.total += 1
        self.by_name[method] += 1
        number, name = self.total, f"{method} {object}".rstrip()
        for hook in tuple(self.between):
            hook(name)
        self.clock.tick()
        fault = self._fault_of(method)
        match fault:
            case Throttle(wait_s=wait_s):
                raise ThrottledError(
                    f"Too many calls: call {number}, {name}, is refused.",
                    what_to_do=f"Wait {wait_s:g} s.",
                    retry_after_s=wait_s,
                )
            case Unreachable():
                raise UnreachableError(f"Call {number}, {name}, reached nobody.")
            case Crash(when="before"):
                raise Crashed(f"before call {number}, {name}")
            case _:
                return Call(name, number, fault)

    def _fault_of(self, method: Method) -> CallFault | None:
        for fault in self.faults:
            if isinstance(fault, Reject):
                continue
            count = self.total if fault.of is None else self.by_name[fault.of] if fault.of == method else 0
            if count == fault.call:
                return fault
        return None

    def rejection_of(self, write: Write) -> Rejected | None:
        """Return the refusal of a write that a `Reject` asks for."""
        for fault in self.faults:
            if not isinstance(fault, Reject) or fault.key not in (None, write.key):
                continue
            if fault.field is None or fault.field in _fields_of(write):
                return Rejected(code=fault.code, message=fault.message, field=fault.field)
        return None


def _fields_of(write: Write) -> Iterable[str]:
    return () if isinstance(write, Delete) else write.values
