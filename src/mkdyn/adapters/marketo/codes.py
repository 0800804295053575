"""What becomes of a call that Marketo refuses, by its code.

Source: Adobe, "Error codes". A 6xx means that nothing was executed, save where the call ran too long or failed inside.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

#: renew: with another token, once. pause: everybody waits for the window. crowded: fewer at once. again: after a
#: while, since nothing was executed. unknown: a read again; of a write nobody knows. spent: tomorrow. forbidden: a
#: right is missing. object: there is none. empty: nothing was found. settings: it stays so.
Treatment: TypeAlias = Literal[
    "renew", "pause", "crowded", "again", "unknown", "spent", "forbidden", "object", "empty", "settings"
]

TREATMENTS: Final[Mapping[str, Treatment]] = {
    "600": "renew",
    "601": "renew",
    "602": "renew",
    "500": "unknown",
    "502": "unknown",
    "603": "forbidden",
    "604": "unknown",
    "606": "pause",
    "607": "spent",
    "608": "again",
    "610": "object",
    "611": "unknown",
    "614": "again",
    "615": "crowded",
    "702": "empty",
    "713": "again",
    "719": "again",
    "1013": "object",
    "1018": "forbidden",
}
#: What the other codes of an answer as a whole mean: we ask for something that can't be had.
OTHERWISE: Final[Treatment] = "settings"

#: Codes of a single record that say that it is not there.
GONE: Final = frozenset({"1004", "1013"})
#: What takes too long, or is too large: fewer records at once may do.
FEWER: Final = frozenset({"413", "414", "604"})
#: What one record of many may be to blame for, where a call is refused as a whole.
ONE_OF_MANY: Final = frozenset({"413", "414", "701", "704", "718", "1001", "1002", "1003", "1004", "1013"})
#: What Marketo answers where it can't create an object that is there.
ALREADY: Final = "1017"


def treatment(code: str) -> Treatment:
    """Return what to do about an answer that is refused as a whole."""
    return TREATMENTS.get(code, OTHERWISE)
