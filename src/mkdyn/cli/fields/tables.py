"""Tables for people: as wide as the terminal, or as wide as they need where there is none."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from mkdyn.cli.fields.rows import Change, Row, changes_of
from mkdyn.domain import AnyEntity, Direction, FieldChanges, FieldPair, PairState

_ANY_WIDTH: Final = 1_000
_WAYS: Final[Mapping[Direction | None, str]] = {
    Direction.BOTH: "both ways",
    Direction.TO_MARKETO: "→ Marketo",
    Direction.TO_DYNAMICS: "→ Dynamics",
    None: "",
}
_STYLES: Final = {
    "active": "green",
    "backfilling": "cyan",
    "missing": "bold yellow",
    "blocked": "bold yellow",
    "not selected": "",
    "not eligible": "dim",
}
_MARKS: Final = {"added": ("+", "green"), "removed": ("-", "red"), "changed": ("~", "yellow")}


def show_fields(entity: AnyEntity, rows: Sequence[Row]) -> None:
    """Print every field of an entity."""
    console = _console()
    selected = sum(row.pair is not None for row in rows)
    console.print(Text.assemble((str(entity), "bold cyan"), f" · {counted(len(rows))}, {selected} selected"))
    _print(
        console,
        ("field", "type", "state", "Marketo field", "direction", "authority", "note"),
        [
            (
                row.name,
                "" if row.candidate is None else row.candidate.field.shape,
                Text(row.state, style=_STYLES[row.state]),
                row.marketo,
                _WAYS[row.direction],
                "" if row.pair is None else _authority(row.pair),
                row.note,
            )
            for row in rows
        ],
    )


def show_changes(changes: FieldChanges, *, done: bool) -> None:
    """Print what a selection changes, or what it did.

    Args:
        changes: What it changes.
        done: Whether it has been done, so that the pairs have a state.
    """
    console = _console()
    found = changes_of(changes)
    if found:
        _print(
            console,
            ("", "field", "Marketo field", "direction", "authority", "note"),
            [
                (
                    Text(*_MARKS[item.kind]),
                    f"{item.pair.entity}.{item.pair.dynamics}",
                    item.pair.marketo,
                    _WAYS[item.pair.direction],
                    _authority(item.pair),
                    "; ".join(_notes(item, done=done)),
                )
                for item in found
            ],
        )
    counts = {kind: sum(item.kind == kind for item in found) for kind in _MARKS}
    counts["unchanged"] = len(changes.unchanged)
    console.print(" · ".join(f"{count} {kind}" for kind, count in counts.items() if count))


def counted(fields: int) -> str:
    """Return how many fields, in words."""
    return "1 field" if fields == 1 else f"{fields:,} fields"


def _notes(item: Change, *, done: bool) -> Sequence[str]:
    """Say what a change changes, and what follows from it."""
    pair, before = item.pair, item.before
    notes: list[str] = []
    if before is not None:
        notes += [
            f"{name} was {old or 'none'}"
            for name, old, new in (
                ("Marketo field", before.marketo, pair.marketo),
                ("direction", _WAYS[before.direction], _WAYS[pair.direction]),
                ("authority", _authority(before), _authority(pair)),
            )
            if old != new
        ] or [f"was {before.state}"]
    if item.new is not None:
        notes.append(f"{pair.marketo} {'was' if done else 'will be'} created in Marketo")
    if done and item.kind != "removed" and pair.state is PairState.BACKFILLING:
        notes.append("backfilling: Dynamics' values go to Marketo first")
    return notes


def _authority(pair: FieldPair) -> str:
    return "" if pair.authority is None else str(pair.authority)


def _console() -> Console:
    return Console(highlight=False, width=None if sys.stdout.isatty() else _ANY_WIDTH)


def _print(console: Console, heads: Sequence[str], rows: Sequence[Sequence[str | Text]]) -> None:
    """Print a table, without the columns that are empty."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    wanted = [place for place, _ in enumerate(heads) if any(row[place] for row in rows)]
    for place in wanted:
        table.add_column(heads[place], overflow="fold")
    for row in rows:
        table.add_row(*(row[place] for place in wanted))
    console.print(table)
