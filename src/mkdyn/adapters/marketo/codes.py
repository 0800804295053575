"""What becomes of a call that Marketo refuses, by its code.

Source: Adobe, "Error codes". A 6xx means that nothing was executed, save where the call ran too long or failed inside.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

#: renew: with another token, once. pause: everybody waits for the window. crowded: fewer at once. again: after a
#: while; a write only if nothing was executed. unknown: a read again, of a write nobody knows. spent: tomorrow.
#: forbidden: a right is missing. object, field: there is none. busy: others hold it. settings: it stays so.
Treatment: TypeAlias = Literal[
    "renew", "pause", "crowded", "again", "unknown", "spent", "forbidden", "object", "field", "settings"
]

TREATMENTS: Final[Mapping[str, Treatment]] = {
    "600": "renew",
    "601": "renew",
    "602": "renew",
    "603": "forbidden",
    "604": "unknown",
    "606": "pause",
    "607": "spent",
    "608": "again",
    "610": "object",
    "611": "unknown",
    "614": "again",
    "615": "crowded",
    "713": "again",
    "502": "unknown",
    "500": "unknown",
    "1006": "field",
    "1011": "field",
    "1013": "object",
    "1018": "forbidden",
}
#: What the other codes of an answer as a whole mean: we ask for something that can't be had.
OTHERWISE: Final[Treatment] = "settings"

#: Codes of a single record that say that it is not there.
GONE: Final = frozenset({"1004", "1013"})
#: The code of a record whose key several others have.
SEVERAL: Final = "1007"
#: What Marketo answers where it can't create an object that is there.
ALREADY: Final = "1017"


def treatment(code: str) -> Treatment:
    """Return what to do about an answer that is refused as a whole."""
    return TREATMENTS.get(code, OTHERWISE)
