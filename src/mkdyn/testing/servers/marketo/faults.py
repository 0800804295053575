"""What can go wrong on the wire, as values to give to a Marketo server.

    server = MarketoServer(faults=[Drop(call=3, applied="yes"), Refuse(call=5, code="606")])

Calls are counted from 1, those for tokens too. With `of`, only calls of that endpoint count, by the name that
`ENDPOINTS` has for it; without `call`, every call goes wrong until the fault is taken out of `server.faults`. What
the instance itself gets wrong is the fake's: late entries, refused records, blocked fields.
"""

from __future__ import annotations

from typing import TypeAlias

import attrs

from mkdyn.testing.servers.faults import Applied, Drop, Fail, Garble, OnTheWire, Slow


@attrs.frozen(kw_only=True)
class Refuse(OnTheWire):
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
class Repeat(OnTheWire):
    """The call is answered as the last one of its endpoint was, whatever it asks: a page comes twice."""


@attrs.frozen(kw_only=True)
class RepeatRows(OnTheWire):
    """The call is answered with each record twice, behind those that the last call of its endpoint was answered with."""


WireFault: TypeAlias = Refuse | Fail | Drop | Slow | Garble | Repeat | RepeatRows
