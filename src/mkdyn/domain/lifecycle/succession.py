"""Who stands for a record that is over: qualified leads, and records merged in either system. Pure."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

from mkdyn.domain.filters import Passage
from mkdyn.domain.lifecycle.table import ANY, Table, one_of
from mkdyn.domain.records import Link, LinkState

#: What is known of a record: the state of its link, or that none knows it.
Standing: TypeAlias = Literal["no link", "live", "suspended", "frozen", "tombstone"]
#: The same of the record that stands for another one; nobody may know who it is, it may be gone, or out of the filter.
Heir: TypeAlias = Literal["nobody", "gone", "out of the filter", "no link", "live", "suspended", "frozen", "tombstone"]

_STANDINGS: Final[tuple[Standing, ...]] = ("no link", "live", "suspended", "frozen", "tombstone")
_HEIRS: Final[tuple[Heir, ...]] = ("nobody", "gone", "out of the filter", *_STANDINGS)
_PASSAGES: Final[tuple[Passage, ...]] = ("in", "out", "unknown")
_NO_YES: Final = (False, True)
_THERE: Final = one_of("live", "suspended", "frozen")
_OVER: Final = one_of("no link", "tombstone")
#: A row that is open to a write may have no link yet.
_KNOWN_SOON: Final = one_of("no link", "live", "suspended", "frozen")


def standing(link: Link | None) -> Standing:
    """Return what is known of a record."""
    return "no link" if link is None else _BY_STATE[link.state]


_BY_STATE: Final[dict[LinkState, Standing]] = {
    LinkState.LIVE: "live",
    LinkState.SUSPENDED: "suspended",
    LinkState.FROZEN: "frozen",
    LinkState.TOMBSTONE: "tombstone",
}

Inheriting: TypeAlias = Literal["take over", "wait", "meet"]

#: A row that no link knows stands for one that is over: a contact for its lead, the winner of a merge for the loser.
INHERIT: Final[Table[Inheriting, Standing, bool, Passage, bool, bool]] = Table(
    "a new row that stands for another",
    {
        "the other row": _STANDINGS, "that is open again": _NO_YES, "the filter, of the new one": _PASSAGES,
        "another new row stands for it, too": _NO_YES, "a write to it is open": _NO_YES,
    },
    {
        ("tombstone", ANY, ANY, ANY, ANY): "meet",
        (_KNOWN_SOON, True, ANY, ANY, ANY): "meet",
        (_KNOWN_SOON, False, "out", ANY, ANY): "meet",
        (_KNOWN_SOON, False, one_of("in", "unknown"), True, ANY): "meet",
        (_KNOWN_SOON, False, one_of("in", "unknown"), False, True): "wait",
        ("no link", False, one_of("in", "unknown"), False, False): "meet",
        (_THERE, False, one_of("in", "unknown"), False, False): "take over",
    },
)  # fmt: skip

Retiring: TypeAlias = Literal["go on", "rest", "move", "merge", "wait"]

#: A qualified lead, and the contact that it became.
RETIRE: Final[Table[Retiring, Standing, Heir, bool, bool]] = Table(
    "a qualified lead",
    {
        "the lead": _STANDINGS, "its contact": _HEIRS, "the persons of both were deleted": _NO_YES,
        "a write is open, or the contact to be met": _NO_YES,
    },
    {
        (ANY, one_of("nobody", "out of the filter"), ANY, ANY): "go on",
        (_OVER, one_of("gone", *_STANDINGS), ANY, ANY): "rest",
        (_THERE, "gone", ANY, ANY): "go on",
        (_THERE, "frozen", ANY, False): "go on",
        (_THERE, "frozen", ANY, True): "wait",
        (_THERE, "live", ANY, ANY): "merge",
        (_THERE, "suspended", ANY, ANY): "wait",
        (_THERE, _OVER, True, ANY): "rest",
        (_THERE, _OVER, False, False): "move",
        (_THERE, _OVER, False, True): "wait",
    },
)  # fmt: skip

Losing: TypeAlias = Literal["go on", "rest", "as deleted", "leave behind", "merge", "move", "wait"]

#: A row that was merged into another one in Dynamics.
LOSE: Final[Table[Losing, bool, Standing, Heir, bool]] = Table(
    "a row merged into another",
    {
        "is a person": (True, False), "the loser": _STANDINGS, "the winner": _HEIRS,
        "a write is open, or the winner to be met": _NO_YES,
    },
    {
        (ANY, _OVER, ANY, ANY): "rest",
        (ANY, _THERE, one_of("nobody", "gone"), ANY): "go on",
        (False, _THERE, "suspended", ANY): "wait",
        (False, _THERE, one_of("out of the filter", "no link", "live", "frozen", "tombstone"), ANY): "as deleted",
        (True, _THERE, "out of the filter", ANY): "leave behind",
        (True, _THERE, "live", ANY): "merge",
        (True, _THERE, one_of("suspended", "frozen"), ANY): "wait",
        (True, _THERE, one_of("no link", "tombstone"), False): "move",
        (True, _THERE, one_of("no link", "tombstone"), True): "wait",
    },
)  # fmt: skip

Following: TypeAlias = Literal["as deleted", "follow", "set aside"]
#: Who is left of persons that were merged.
Left: TypeAlias = Literal["nobody", "no link", "live", "suspended", "frozen", "tombstone"]

#: A person that was merged into another one in Marketo.
FOLLOW: Final[Table[Following, Standing, Left, bool]] = Table(
    "a person merged into another",
    {"the loser": _STANDINGS, "who is left": ("nobody", *_STANDINGS), "a write to the loser is open": _NO_YES},
    {
        (_OVER, ANY, ANY): "as deleted",
        (_THERE, "nobody", ANY): "as deleted",
        (_THERE, one_of(*_STANDINGS), True): "as deleted",
        (_THERE, _OVER, False): "follow",
        (_THERE, _THERE, False): "set aside",
    },
)
