"""What can go wrong on the wire, as values to give to a server.

Requests are counted from 1, those for tokens too, from when the server has the fault; with `of`,
only the requests whose address holds that text count.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import attrs


@attrs.frozen(kw_only=True)
class Refuse:
    """The request is refused, and nothing was done.

    Attributes:
        request: Which request.
        status: The HTTP status.
        code: Dataverse's code; none where the answer has no JSON.
        message: What it says.
        retry_after_s: What the header asks for; None for no header.
        html: Whether the body is a page instead of JSON, as a gateway writes it.
        of: Count only requests to such an address.
    """

    request: int
    status: int = 503
    code: str = ""
    message: str = "The service is unavailable."
    retry_after_s: int | None = None
    html: bool = False
    of: str = ""


@attrs.frozen(kw_only=True)
class Drop:
    """The connection breaks off before the answer.

    Attributes:
        request: Which request.
        applied: Whether it took effect all the same.
        of: Count only requests to such an address.
    """

    request: int
    applied: Literal["yes", "no"] = "yes"
    of: str = ""


@attrs.frozen(kw_only=True)
class Garble:
    """The answer is spoilt; what was asked for was done.

    Attributes:
        request: Which request.
        how: Cut in the middle, of another content type, or a page instead of JSON.
        of: Count only requests to such an address.
    """

    request: int
    how: Literal["cut", "wrong type", "html"] = "cut"
    of: str = ""


@attrs.frozen(kw_only=True)
class Slow:
    """The answer takes longer.

    Attributes:
        request: Which request.
        wait_s: How much longer.
        of: Count only requests to such an address.
    """

    request: int
    wait_s: float
    of: str = ""


@attrs.frozen(kw_only=True)
class HalfBatch:
    """A batch is answered only in part, though all of it was done.

    Attributes:
        request: Which request.
        parts: How many answers there are.
        of: Count only requests to such an address.
    """

    request: int
    parts: int = 1
    of: str = "$batch"


@attrs.frozen(kw_only=True)
class ForeignLink:
    """The links of an answer lead somewhere else.

    Attributes:
        request: Which request.
        origin: Where they lead.
        of: Count only requests to such an address.
    """

    request: int
    origin: str = "https://elsewhere.example"
    of: str = ""


@attrs.frozen(kw_only=True)
class RepeatRows:
    """Every row of a page is told twice.

    Attributes:
        request: Which request.
        of: Count only requests to such an address.
    """

    request: int
    of: str = ""


WireFault: TypeAlias = Refuse | Drop | Garble | Slow | HalfBatch | ForeignLink | RepeatRows


class DroppedError(ConnectionError):
    """The connection broke off before the answer: what a client in the same process is told."""
