"""What can go wrong with a connector's calls, as values to give to a fake.

    flaky = FakeMarketo(faults=[LoseAnswer(call=3), Throttle(call=5, wait_s=20.0)])

Calls are counted from 1; every page of a feed is one. With `of`, only that method's calls count.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import attrs

#: The methods of a connector that are calls.
Method: TypeAlias = Literal[
    "identify", "check", "describe", "schema_stamp", "changes", "read", "find", "write", "create_field", "merge"
]


@attrs.frozen(kw_only=True)
class LoseAnswer:
    """The call's answer never comes: a write is Unknown, anything else raises UnreachableError.

    Attributes:
        call: Which call.
        applied: Whether it took effect all the same.
        of: Count only this method's calls.
    """

    call: int
    applied: Literal["yes", "no"] = "yes"
    of: Method | None = None


@attrs.frozen(kw_only=True)
class Throttle:
    """The call is refused with ThrottledError; nothing was done.

    Attributes:
        call: Which call.
        wait_s: How long the system asks us to wait.
        of: Count only this method's calls.
    """

    call: int
    wait_s: float = 20.0
    of: Method | None = None


@attrs.frozen(kw_only=True)
class Unreachable:
    """The call raises UnreachableError, and nothing was done; the caller can't tell it from a lost answer.

    Attributes:
        call: Which call.
        of: Count only this method's calls.
    """

    call: int
    of: Method | None = None


@attrs.frozen(kw_only=True)
class Crash:
    """Our process dies at the call: `Crashed` is raised, which no `except Exception` catches.

    Attributes:
        call: Which call.
        when: Before it took effect, or after.
        of: Count only this method's calls.
    """

    call: int
    when: Literal["before", "after"] = "after"
    of: Method | None = None


@attrs.frozen(kw_only=True)
class Reject:
    """Every write of this record, or of this field, is refused until the fault is taken out of `faults`.

    With both given, only that field of that record is refused; with neither, everything.

    Attributes:
        key: The key of the write, as it is sent.
        field: The field, which the answer blames.
        code: The system's code.
        message: The system's sentence.
    """

    key: str | None = None
    field: str | None = None
    code: str = "rejected"
    message: str = "The system refuses it."


#: A fault of one call.
CallFault: TypeAlias = LoseAnswer | Throttle | Unreachable | Crash
Fault: TypeAlias = CallFault | Reject


class Crashed(BaseException):
    """Our process died in the middle of a call; a test catches it and starts anew on the same store."""
