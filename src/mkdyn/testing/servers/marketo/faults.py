"""What can go wrong on the wire, as values to give to a Marketo server.

    server = MarketoServer(faults=[Drop(call=3, applied="yes"), Refuse(call=5, code="606")])

Calls are counted from 1, those for tokens too. With `of`, only calls of that endpoint count, by the name that
`ENDPOINTS` has for it; without `call`, every call goes wrong until the fault is taken out of `server.faults`. What
the instance itself gets wrong is the fake's: late entries, refused records, blocked fields.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import attrs

#: Whether a call took effect, though its answer is wrong.
Applied: TypeAlias = Literal["yes", "no"]


@attrs.frozen(kw_only=True)
class _WireFault:
    """A fault of one call, or of every call.

    Attributes:
        call: Which call; every one without.
        of: Count only this endpoint's calls.
    """

    call: int | None = None
    of: str | None = None


@attrs.frozen(kw_only=True)
class Refuse(_WireFault):
    """The call is answered by an error: 606 and 615 (throttled), 601 and 602 (token), 604, 608, 611, 713, and so on.

    Attributes:
        code: The code.
        message: What the error says.
        applied: Whether the call took effect all the same.
    """

    code: str
    message: str = "injected"
    applied: Applied = "no"


@attrs.frozen(kw_only=True)
class Fail(_WireFault):
    """The call is answered by a gateway: another status, and a body that is no JSON.

    Attributes:
        status: The HTTP status.
        body: The body.
        content_type: What the body is said to be.
        applied: Whether the call took effect all the same.
    """

    status: int = 502
    body: str = "<html><body><h1>502 Bad Gateway</h1></body></html>"
    content_type: str = "text/html"
    applied: Applied = "no"


@attrs.frozen(kw_only=True)
class Drop(_WireFault):
    """The connection is cut before the answer is through.

    Attributes:
        applied: Whether the call took effect all the same.
    """

    applied: Applied = "yes"


@attrs.frozen(kw_only=True)
class Slow(_WireFault):
    """The answer takes long; a caller who gives up has timed out.

    Attributes:
        seconds: How long.
        when: Whether the call takes effect only after that, so that one given up in time never does.
    """

    seconds: float
    when: Literal["before", "after"] = "after"


@attrs.frozen(kw_only=True)
class Garble(_WireFault):
    """The call takes effect, and its answer can't be read, or is not what it is said to be.

    Attributes:
        how: A page of HTML, JSON that breaks off, or JSON that is called text.
    """

    how: Literal["html", "truncated", "content type"] = "truncated"


@attrs.frozen(kw_only=True)
class Repeat(_WireFault):
    """The call is answered as the last one of its endpoint was, whatever it asks: a page comes twice."""


@attrs.frozen(kw_only=True)
class RepeatRows(_WireFault):
    """The call is answered with each record twice, behind those that the last call of its endpoint was answered with."""


WireFault: TypeAlias = Refuse | Fail | Drop | Slow | Garble | Repeat | RepeatRows
