"""Every error code the connector knows, and what it does about it: a table.

Codes are looked up after the HTTP status has been: a code may be empty. What a code is not
known for is decided by the status alone. The sentences are ours, so that no value is in them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

import attrs

#: What an error comes to.
Meaning: TypeAlias = Literal[
    "throttled",  # wait as long as it says, then the same again: nothing was done
    "busy",  # the same again, three times at the most: nothing was done
    "moved",  # the row has another version
    "exists",  # there is a row with that key, or that the rules call the same
    "gone",  # the row is not there, or one that it refers to
    "expired",  # the feed can't be resumed
    "untracked",  # the table's changes are not tracked
    "user",  # who we are is not accepted
    "privilege",  # the role lacks something
    "column",  # column security forbids it
    "unknown-name",  # a table, a column or a navigation property is not there
    "too-large",  # fewer at once
    "refused",  # this record as it is, for good
]


@attrs.frozen
class Known:
    """One code.

    Attributes:
        meaning: What it comes to.
        sentence: What it says, in our words.
    """

    meaning: Meaning
    sentence: str


CODES: Final[Mapping[str, Known]] = {
    "0x80072321": Known("throttled", "The execution time of the last five minutes is used up."),
    "0x80072322": Known("throttled", "The requests of the last five minutes are used up."),
    "0x80072326": Known("throttled", "Too many requests at once."),
    "0x80060882": Known("moved", "The row has another version."),
    "0x80040237": Known("exists", "There is a row with the same key."),
    "0x80060892": Known("exists", "There is a row with the same alternate key."),
    "0x80040333": Known("exists", "A duplicate detection rule says that the row is there already."),
    "0x80040217": Known("gone", "The row is not there."),
    "0x80060891": Known("gone", "There is no row with that key."),
    "0x80044352": Known("expired", "What changed since then is not kept any more."),
    "0x80072491": Known("untracked", "The table's changes are not tracked."),
    "0x80072560": Known("user", "There is no application user with this client id in the environment."),
    "0x80040225": Known("user", "The user is disabled, or has no business unit."),
    "0x80042f09": Known("user", "The user has no security role."),
    "0x8004a110": Known("user", "The user may not act on behalf of another."),
    "0x80040220": Known("privilege", "The user's role lacks a privilege."),
    "0x80040231": Known("privilege", "The user's role lacks a privilege."),
    "0x8004020d": Known("privilege", "The user has no access to this row."),
    "0x80048306": Known("privilege", "The user has no access to this row."),
    "0x80081018": Known("privilege", "The user may not create accounts."),
    "0x8004f502": Known("column", "Column security forbids to create a row with this column."),
    "0x8004f507": Known("column", "Column security forbids to write this column."),
    "0x8004f504": Known("column", "Column security forbids to read this column."),
    "0x80048d19": Known("unknown-name", "A column is not there, or a value is not of its type."),
    "0x80060888": Known("unknown-name", "A column is not there."),
    "0x8006088a": Known("unknown-name", "There is no such resource, or the query is not understood."),
    "0x8004418a": Known("too-large", "The request is too large."),
    "0x8004430c": Known("too-large", "The query has too many conditions."),
    "0x80044150": Known("busy", "The database could not do it just now."),
    "0x80044151": Known("busy", "The database took too long."),
    "0x8004a001": Known("busy", "The server is busy."),
    "0x80048544": Known("busy", "The query was put off to relieve the server."),
    "0x80044331": Known("refused", "The text is longer than the column takes."),
    "0x8004432f": Known("refused", "The number is out of the column's range."),
    "0x80044330": Known("refused", "The number is out of the column's range."),
    "0x8004431a": Known("refused", "The column has no such choice."),
    "0x80048408": Known("refused", "The status reason does not belong to the state."),
    "0x80040203": Known("refused", "An argument is not valid."),
    "0x80040216": Known("refused", "Dynamics failed on it unexpectedly."),
    "0x80040224": Known("refused", "A plug-in failed on it unexpectedly."),
    "0x80040265": Known("refused", "A plug-in refused it."),
    "0x80040519": Known("refused", "The lead is closed."),
    "0x80060883": Known("refused", "The version is missing."),
    "0x8006088d": Known("refused", "The table has no versions to ask for."),
    "0x80060890": Known("refused", "The columns are no alternate key."),
    "0x8006089d": Known("refused", "Several rows have that key."),
    "0x80060896": Known("refused", "A column that is part of a key can't be secured."),
}

#: What a status comes to where the code says nothing.
_STATUSES: Final[Mapping[int, Meaning]] = {
    401: "user", 403: "privilege", 404: "gone", 410: "expired", 412: "moved", 413: "too-large", 429: "throttled",
}  # fmt: skip
_SENTENCES: Final[Mapping[Meaning, str]] = {
    "user": "Dynamics does not accept who we are.",
    "privilege": "Dynamics forbids it.",
    "gone": "It is not there.",
    "expired": "What changed since then is not kept any more.",
    "moved": "The row has another version.",
    "too-large": "The request is too large.",
    "throttled": "Too many requests.",
}


def known(status: int, code: str) -> Known:
    """Return what an error comes to.

    Args:
        status: HTTP's; 429 is what it is, whatever the code says.
        code: Dynamics' own, in lower case, or nothing.
    """
    found = CODES.get(code)
    if found is not None and status != 429:  # noqa: PLR2004 - too many requests
        return found
    meaning = _STATUSES.get(status)
    return Known("refused", "Dynamics refuses it.") if meaning is None else Known(meaning, _SENTENCES[meaning])
