"""Links that end, rest and go on: deletions, restorations, the filter, refusals. Pure."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

from mkdyn.domain.entities import AnyEntity, Entity, is_person
from mkdyn.domain.filters import Passage
from mkdyn.domain.lifecycle.table import ANY, Table, one_of
from mkdyn.domain.records import LinkState
from mkdyn.domain.rules import (
    LeavesFilter,
    OtherDeletedInDynamics,
    PersonDeletedInDynamics,
    PersonDeletedInMarketo,
    Rules,
)
from mkdyn.domain.systems import System

_PASSAGES: Final[tuple[Passage, ...]] = ("in", "out", "unknown")
_STATES: Final = tuple(LinkState)

Parting: TypeAlias = Literal["rest", "bury", "part"]
#: Where a record was deleted.
Deleted: TypeAlias = Literal["Dynamics", "Marketo", "both"]

#: A record of a link was deleted.
PART: Final[Table[Parting, LinkState, bool, Deleted]] = Table(
    "a deletion",
    {"the link": _STATES, "we deleted its person": (False, True), "deleted in": ("Dynamics", "Marketo", "both")},
    {
        (LinkState.TOMBSTONE, ANY, ANY): "rest",
        (one_of(LinkState.LIVE, LinkState.SUSPENDED, LinkState.FROZEN), ANY, "Dynamics"): "part",
        (one_of(LinkState.LIVE, LinkState.SUSPENDED, LinkState.FROZEN), False, "Marketo"): "bury",
        (one_of(LinkState.LIVE, LinkState.SUSPENDED, LinkState.FROZEN), True, "Marketo"): "rest",
        (one_of(LinkState.LIVE, LinkState.SUSPENDED, LinkState.FROZEN), ANY, "both"): "bury",
    },
)

#: What a deletion asks for on the other system.
Farewell: TypeAlias = Literal["nothing", "flag", "delete"]

#: The person of a deleted row.
FAREWELL_OF_PERSONS: Final[Table[Farewell, PersonDeletedInDynamics]] = Table(
    "the person of a deleted row",
    {"person_deleted_in_dynamics": ("ignore", "flag", "delete")},
    {("ignore",): "nothing", ("flag",): "flag", ("delete",): "delete"},
)

#: Any other Marketo record of a deleted row; a sales person is kept: its people still name it.
FAREWELL_OF_OTHERS: Final[Table[Farewell, bool, OtherDeletedInDynamics]] = Table(
    "another record of a deleted row",
    {"is a user": (False, True), "other_deleted_in_dynamics": ("ignore", "delete")},
    {(False, "ignore"): "nothing", (False, "delete"): "delete", (True, ANY): "nothing"},
)


def deleted_in_dynamics(entity: AnyEntity, rules: Rules) -> Farewell:
    """Return what becomes of the Marketo record of a deleted Dynamics row."""
    if is_person(entity):
        return FAREWELL_OF_PERSONS(rules.person_deleted_in_dynamics)
    return FAREWELL_OF_OTHERS(entity is Entity.USER, rules.other_deleted_in_dynamics)


#: What a filter asks for when a linked row is seen.
AtGate: TypeAlias = Literal["go on", "leave", "return", "rest"]

#: A linked row at the filter. Where nobody can say, what syncs goes on, and what does not stays as it is.
AT_GATE: Final[Table[AtGate, LinkState, Passage]] = Table(
    "a linked row at the filter",
    {"the link": _STATES, "the filter": _PASSAGES},
    {
        (one_of(LinkState.LIVE, LinkState.SUSPENDED), one_of("in", "unknown")): "go on",
        (one_of(LinkState.LIVE, LinkState.SUSPENDED), "out"): "leave",
        (LinkState.FROZEN, "in"): "return",
        (LinkState.FROZEN, one_of("out", "unknown")): "rest",
        (LinkState.TOMBSTONE, "in"): "go on",
        (LinkState.TOMBSTONE, one_of("out", "unknown")): "rest",
    },
)

Leaving: TypeAlias = Literal["freeze", "flag", "delete"]

#: What becomes of the Marketo record of a row that leaves the filter; only a person can be flagged.
LEAVE: Final[Table[Leaving, bool, LeavesFilter]] = Table(
    "a row leaves the filter",
    {"is a person": (True, False), "leaves_filter": ("freeze", "flag", "delete")},
    {(ANY, "freeze"): "freeze", (True, "flag"): "flag", (False, "flag"): "freeze", (ANY, "delete"): "delete"},
)

Returning: TypeAlias = Literal["merge", "create"]

#: A row that comes back through the filter.
RETURN: Final[Table[Returning, bool]] = Table(
    "a row is back in the filter",
    {"we deleted its person": (False, True)},
    {(False,): "merge", (True,): "create"},
)

#: What an observation of a record asks for, by what its link's state is.
Reawakening: TypeAlias = Literal["merge", "revive", "recreate", "report", "rest"]

#: A record of a link is seen. The record that was missing or deleted is back: the link revives.
SEEN_AGAIN: Final[Table[Reawakening, LinkState, System | None, System, PersonDeletedInMarketo]] = Table(
    "a record of a link is seen",
    {
        "the link": _STATES, "gone in": (None, *System), "seen in": tuple(System),
        "person_deleted_in_marketo": ("stay_deleted", "recreate"),
    },
    {
        (LinkState.LIVE, ANY, ANY, ANY): "merge",
        (one_of(LinkState.SUSPENDED, LinkState.FROZEN, LinkState.TOMBSTONE), System.DYNAMICS, System.DYNAMICS, ANY): "revive",
        (one_of(LinkState.SUSPENDED, LinkState.FROZEN, LinkState.TOMBSTONE), System.MARKETO, System.MARKETO, ANY): "revive",
        (LinkState.SUSPENDED, None, ANY, ANY): "report",
        (LinkState.SUSPENDED, System.DYNAMICS, System.MARKETO, ANY): "report",
        (LinkState.SUSPENDED, System.MARKETO, System.DYNAMICS, ANY): "report",
        (LinkState.FROZEN, None, ANY, ANY): "rest",
        (LinkState.FROZEN, System.DYNAMICS, System.MARKETO, ANY): "rest",
        (LinkState.FROZEN, System.MARKETO, System.DYNAMICS, ANY): "rest",
        (LinkState.TOMBSTONE, one_of(None, System.MARKETO), System.DYNAMICS, "stay_deleted"): "report",
        (LinkState.TOMBSTONE, one_of(None, System.MARKETO), System.DYNAMICS, "recreate"): "recreate",
        (LinkState.TOMBSTONE, one_of(None, System.DYNAMICS), System.MARKETO, ANY): "rest",
    },
)  # fmt: skip

Refusing: TypeAlias = Literal[
    "hold the field, send the rest", "hold the field", "hold what was sent", "set the record aside"
]

#: A system refuses a write: a value that it does not take, a row that is read-only.
REFUSE: Final[Table[Refusing, bool, bool, bool]] = Table(
    "a refused write",
    {
        "it names a field that was sent": (True, False), "more was sent": (True, False),
        "it updates a row in Dynamics": (True, False),
    },
    {
        (True, True, ANY): "hold the field, send the rest",
        (True, False, ANY): "hold the field",
        (False, ANY, True): "hold what was sent",
        (False, ANY, False): "set the record aside",
    },
)  # fmt: skip
