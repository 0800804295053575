"""The tables of lifecycles as the reference shows them, made from those that the engine asks."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from mkdyn.domain.lifecycle import TABLES, Table
from mkdyn.domain.lifecycle.table import ANY

from .pages import table

#: What each answer means, by what is decided.
MEANS: Final[Mapping[str, Mapping[str, str]]] = {
    "matching on first sight": {
        "link by id": "linked to the one that carries the GUID",
        "link by key": "linked to the one that shares the key",
        "create": "a new record is made",
        "ambiguous by id": "set aside: those that carry the GUID are named",
        "ambiguous by key": "set aside: all that share the key are named",
    },
    "a row that is new": {"meet": "matched, or a person is made", "rest": "left alone until it is seen again"},
    "promotion": {
        "promote": "matched, or a row is made",
        "leave": "left alone",
        "say so": "left alone, and the report says so",
    },
    "a new row in Dynamics": {"create": "made", "hold": "set aside; the fields are named"},
    "a new row that stands for another": {
        "take over": "the link moves to the new row",
        "wait": "decided in the next run",
        "meet": "met as if there were no other",
    },
    "a qualified lead": {
        "go on": "a lead like any other, which Dynamics keeps read-only",
        "rest": "left alone: its contact stands for it",
        "move": "the link moves to the contact, with its baseline",
        "merge": "its person is merged into the contact's",
        "wait": "decided in the next run",
    },
    "a row merged into another": {
        "go on": "a row like any other",
        "rest": "left alone: the winner stands for it",
        "as deleted": "its Marketo record goes as if the row were deleted",
        "leave behind": "its person is left behind, and its link rests",
        "merge": "its person is merged into the winner's",
        "move": "the link moves to the winner",
        "wait": "decided in the next run",
    },
    "a person merged into another": {
        "as deleted": "as if it were deleted",
        "follow": "the link follows to the person that is left",
        "set aside": "its row is set aside, and both rows are named",
    },
    "a deletion": {
        "rest": "nothing: it is known",
        "bury": "the link becomes a tombstone",
        "part": "its Marketo record is parted from, as the settings say; then the link is a tombstone",
    },
    "the person of a deleted row": {"nothing": "kept as it is", "flag": "flagged", "delete": "deleted"},
    "another record of a deleted row": {"nothing": "kept as it is", "delete": "deleted"},
    "a record of a link is seen": {
        "merge": "merged field by field",
        "revive": "the link lives again, and is merged",
        "recreate": "a new person is made",
        "report": "the report says so, and nothing is written",
        "rest": "nothing",
    },
    "a linked row at the filter": {
        "go on": "decided like any other",
        "leave": "leaves the filter",
        "return": "is back in the filter",
        "rest": "rests as it is",
    },
    "a row leaves the filter": {
        "freeze": "the link rests; its Marketo record stays as it is",
        "flag": "the link rests; its person is flagged",
        "delete": "the link rests; its Marketo record is deleted",
    },
    "a row is back in the filter": {"merge": "the link lives again, and is merged", "create": "a new person is made"},
    "a reference to another record": {
        "carry": "sent",
        "empty": "the field is emptied: it can't name that kind of record",
        "wait": "held until that row is linked",
    },
    "a refused write": {
        "hold the field, send the rest": "that field is held, the others are sent again",
        "hold the field": "that field is held",
        "hold what was sent": "every field that was sent is held, until the row changes or `watch_days` have passed",
        "set the record aside": "the record is set aside, with the system's words",
    },
}


def shown(state: object) -> str:
    """Return a state as the page shows it."""
    if isinstance(state, bool):
        return "yes" if state else "no"
    return "neither" if state is None else str(state)


def _cell(expected: object, states: Collection[object]) -> str:
    if expected is ANY:
        return "any"
    if isinstance(expected, frozenset):
        return ", ".join(shown(state) for state in states if state in expected)
    return shown(expected)


def slug(decided: Table[Any, *tuple[Any, ...]]) -> str:
    """Return the name of a table's part of the page."""
    return decided.decides.replace(" ", "-")


def printed(decided: Table[Any, *tuple[Any, ...]]) -> str:
    """Return a table as the page has it: the rows as they are in the code, and what each answer means."""
    means = MEANS[decided.decides]
    rows = [
        [*(_cell(one, states) for one, states in zip(row, decided.columns.values(), strict=True)), means[answer]]
        for row, answer in decided.rows.items()
    ]
    return table([*decided.columns, "what becomes of it"], rows)


def parts() -> Mapping[str, str]:
    """Return every part of the page, by its name."""
    return {slug(decided): printed(decided) for decided in TABLES}
