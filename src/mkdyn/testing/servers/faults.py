"""What can go wrong on the wire of either system, whatever its API is."""

from __future__ import annotations

from typing import Literal, TypeAlias

import attrs

#: Whether a call took effect, though its answer is wrong.
Applied: TypeAlias = Literal["yes", "no"]


@attrs.frozen(kw_only=True)
class OnTheWire:
    """A fault of one call, or of every call.

    Attributes:
        call: Which call; every one without.
        of: Count only calls of this kind, or of this endpoint.
    """

    call: int | None = None
    of: str | None = None


@attrs.frozen(kw_only=True)
class Fail(OnTheWire):
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
class Drop(OnTheWire):
    """The connection is cut before the answer is through.

    Attributes:
        applied: Whether the call took effect all the same.
    """

    applied: Applied = "yes"


@attrs.frozen(kw_only=True)
class Slow(OnTheWire):
    """The answer takes long; a caller who gives up has timed out.

    Attributes:
        seconds: How long.
        when: Whether the call takes effect only after that, so that one given up in time never does.
    """

    seconds: float
    when: Literal["before", "after"] = "after"


@attrs.frozen(kw_only=True)
class Garble(OnTheWire):
    """The call takes effect, and its answer can't be read, or is not what it is said to be.

    Attributes:
        how: A page of HTML, a body that breaks off, or JSON that is called text.
    """

    how: Literal["html", "truncated", "content type"] = "truncated"
