"""What can go wrong on the wire, as values to give to a Dynamics server.

    server = DynamicsServer(fake, faults=[Drop(call=3, applied="yes"), Refuse(call=5, status=429, retry_after_s=20)])

Calls are counted from 1, those for tokens too. With `of`, only calls of that kind count; without `call`, every call
goes wrong until the fault is taken out of `server.faults`. What the organisation itself gets wrong is the fake's:
refused records, expired delta tokens.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import attrs

from mkdyn.testing.servers.faults import Applied, Drop, Fail, Garble, OnTheWire, Slow

#: What calls ask for: a token, a batch, tables and columns, changes, rows, a write, anything else.
Kind: TypeAlias = Literal["token", "batch", "metadata", "changes", "rows", "write", "function"]


@attrs.frozen(kw_only=True)
class Refuse(OnTheWire):
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
class HalfBatch(OnTheWire):
    """A batch takes effect, and is answered only in part.

    Attributes:
        parts: How many answers there are.
    """

    parts: int = 1


@attrs.frozen(kw_only=True)
class ForeignLink(OnTheWire):
    """The links in the answer lead somewhere else.

    Attributes:
        origin: Where they lead.
    """

    origin: str = "https://elsewhere.example"


@attrs.frozen(kw_only=True)
class RepeatRows(OnTheWire):
    """Every row of the answer is told twice."""


@attrs.frozen(kw_only=True)
class EmptyPage(OnTheWire):
    """A page of a query is answered with no row, and a link to the same place; anything else as it should be."""


WireFault: TypeAlias = Refuse | Fail | Drop | Slow | Garble | HalfBatch | ForeignLink | RepeatRows | EmptyPage


class AnswerLostError(ConnectionError):
    """The connection is cut: a client in the same process is told by this, one on a port by the socket."""
