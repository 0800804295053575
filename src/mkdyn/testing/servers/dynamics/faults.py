"""What can go wrong on the wire, as values to give to a Dynamics server.

    server = DynamicsServer(fake, faults=[Drop(call=3, applied="yes"), Refuse(call=5, status=429, retry_after_s=20)])

Calls are counted from 1, those for tokens too. With `of`, only calls of that kind count; without `call`, every call
goes wrong until the fault is taken out of `server.faults`. What the organisation itself gets wrong is the fake's:
refused records, expired delta tokens.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import attrs

#: Whether a call took effect, though its answer is wrong.
Applied: TypeAlias = Literal["yes", "no"]
#: What calls ask for: a token, a batch, tables and columns, changes, rows, a write, anything else.
Kind: TypeAlias = Literal["token", "batch", "metadata", "changes", "rows", "write", "function"]


@attrs.frozen(kw_only=True)
class _WireFault:
    """A fault of one call, or of every call.

    Attributes:
        call: Which call; every one without.
        of: Count only calls of this kind.
    """

    call: int | None = None
    of: Kind | None = None


@attrs.frozen(kw_only=True)
class Refuse(_WireFault):
    """The call is refused, as Dataverse refuses: 429, 401, 412, 503, and so on.

    Attributes:
        status: The HTTP status.
        code: Dataverse's code; it may be empty.
        message: What the error says.
        retry_after_s: What the answer asks the caller to wait; None for nothing.
        applied: Whether the call took effect all the same.
    """

    status: int
    code: str = ""
    message: str = "injected"
    retry_after_s: int | None = None
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
        how: A page of HTML, a body that breaks off, or JSON that is called text.
    """

    how: Literal["html", "truncated", "content type"] = "truncated"


@attrs.frozen(kw_only=True)
class HalfBatch(_WireFault):
    """A batch takes effect, and is answered only in part.

    Attributes:
        parts: How many answers there are.
    """

    parts: int = 1


@attrs.frozen(kw_only=True)
class ForeignLink(_WireFault):
    """The links in the answer lead somewhere else.

    Attributes:
        origin: Where they lead.
    """

    origin: str = "https://elsewhere.example"


@attrs.frozen(kw_only=True)
class RepeatRows(_WireFault):
    """Every row of the answer is told twice."""


@attrs.frozen(kw_only=True)
class EmptyPage(_WireFault):
    """A page of a query is answered with no row, and a link to the same place; anything else as it should be."""


WireFault: TypeAlias = Refuse | Fail | Drop | Slow | Garble | HalfBatch | ForeignLink | RepeatRows | EmptyPage


class AnswerLostError(ConnectionError):
    """The connection is cut: a client in the same process is told by this, one on a port by the socket."""
