"""How a link begins: a record meets its counterpart, or one is made for it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, TypeAlias, assert_never

import attrs

from mkdyn.domain.filters import Passage
from mkdyn.domain.lifecycle.table import ANY, Table, one_of


@attrs.frozen(kw_only=True)
class Candidate:
    """A record that could be the counterpart.

    Attributes:
        key: Its key.
        linked: Whether a live link has it already.
        ours: Whether we created it ourselves from a record of the other system.
        buried: Whether its counterpart was deleted, so that it stands for nothing any more.
    """

    key: str
    linked: bool = False
    ours: bool = False
    buried: bool = False


@attrs.frozen(kw_only=True)
class LinkTo:
    """There is exactly one counterpart."""

    key: str
    by: Literal["id", "key"]


@attrs.frozen
class CreateNew:
    """There is none."""


@attrs.frozen(kw_only=True)
class Ambiguous:
    """Several could be meant, or the one there is belongs to another.

    Attributes:
        candidates: Keys on the other system.
        rivals: Further records of this system that claim the same.
    """

    candidates: tuple[str, ...]
    rivals: tuple[str, ...] = ()


MatchDecision: TypeAlias = LinkTo | CreateNew | Ambiguous


def match(by_id: Sequence[Candidate], by_key: Sequence[Candidate], rivals: Sequence[str]) -> MatchDecision:
    """Decide what an unlinked record's counterpart is.

    The answer does not depend on the order in which records are seen, nor on how far an
    interrupted run came: counterparts that we created ourselves from other records are
    no reason for doubt, those that existed before are.

    Args:
        by_id: Records of the other system that carry this record's GUID.
        by_key: Records of the other system with the same match key.
        rivals: Other unlinked records of this system with the same match key.
    """
    free = [candidate.key for candidate in by_id if not candidate.linked]
    independent = [candidate for candidate in by_key if not candidate.ours and not candidate.buried]
    unlinked = [candidate.key for candidate in independent if not candidate.linked]
    carriers: Found = _counted(free) if free or not by_id else "taken"
    sharers: Found = _counted([candidate.key for candidate in independent])
    meeting = MATCH(carriers, "taken" if sharers == "one" and not unlinked else sharers, bool(rivals))
    match meeting:
        case "link by id":
            return LinkTo(key=free[0], by="id")
        case "link by key":
            return LinkTo(key=unlinked[0], by="key")
        case "create":
            return CreateNew()
        case "ambiguous by id":
            return Ambiguous(candidates=tuple(sorted(free or [candidate.key for candidate in by_id])))
        case "ambiguous by key":
            keys = sorted(candidate.key for candidate in independent)
            return Ambiguous(candidates=tuple(keys), rivals=tuple(sorted(rivals)))
        case _:
            assert_never(meeting)


def _counted(keys: Sequence[str]) -> Found:
    return "none" if not keys else "one" if len(keys) == 1 else "several"


#: Who was found: nobody, one that is free, several, or only such as stand for others.
Found: TypeAlias = Literal["none", "one", "several", "taken"]
Meeting: TypeAlias = Literal["link by id", "link by key", "create", "ambiguous by id", "ambiguous by key"]

_FOUND: Final[tuple[Found, ...]] = ("none", "one", "several", "taken")
_PASSAGES: Final[tuple[Passage, ...]] = ("in", "out", "unknown")

#: The counterpart of a record that no link knows.
MATCH: Final[Table[Meeting, Found, Found, bool]] = Table(
    "matching on first sight",
    {"carry its GUID": _FOUND, "share its key": _FOUND, "others share it, too": (False, True)},
    {
        ("one", ANY, ANY): "link by id",
        (one_of("several", "taken"), ANY, ANY): "ambiguous by id",
        ("none", "none", ANY): "create",
        ("none", "one", False): "link by key",
        ("none", "one", True): "ambiguous by key",
        ("none", one_of("several", "taken"), ANY): "ambiguous by key",
    },
)

Admission: TypeAlias = Literal["meet", "rest"]

#: A row that no link knows, by what the filter says of it.
ADMIT: Final[Table[Admission, Passage]] = Table(
    "a row that is new",
    {"the filter": _PASSAGES},
    {("in",): "meet", (one_of("out", "unknown"),): "rest"},
)

#: Why a person would be promoted.
Reason: TypeAlias = Literal["asked for", "a rule", "nothing"]
Promoting: TypeAlias = Literal["promote", "leave", "say so"]

#: A person without a Dynamics record.
PROMOTE: Final[Table[Promoting, bool, Reason]] = Table(
    "promotion",
    {"Marketo shows it": (True, False), "it is chosen by": ("asked for", "a rule", "nothing")},
    {
        (True, one_of("asked for", "a rule")): "promote",
        (True, "nothing"): "leave",
        (False, "asked for"): "say so",
        (False, one_of("a rule", "nothing")): "leave",
    },
)

Making: TypeAlias = Literal["create", "hold"]

#: A new Dynamics row for a promoted person that has no counterpart.
MAKE: Final[Table[Making, bool]] = Table(
    "a new row in Dynamics",
    {"a required field is empty": (False, True)},
    {(False,): "create", (True,): "hold"},
)
