"""The matrix of types as the reference shows it, made from the lenses."""

from __future__ import annotations

from typing import Final

from mkdyn.domain import FieldSpec, FieldType, Lens
from mkdyn.domain.lenses.matrix import counterpart_type, lens_between
from mkdyn.domain.types import CREATABLE, CREATABLE_IN_CUSTOM, DYNAMICS_TYPES, MARKETO_LENGTH, MARKETO_TYPES
from mkdyn.errors import TypeMismatchError

from .pages import table

#: Marketo's own words, where ours are Dynamics'.
MARKETO_WORDS: Final = {"text": "string", "memo": "text area"}
REFUSED: Final = "-"
_SIZED: Final = ("text", "email", "phone", "url")


def lens_of(dynamics: FieldType, marketo: FieldType) -> Lens | None:
    """Return the lens between two fields as they usually are: texts have a length, choices have labels."""
    left = FieldSpec(
        name="d", type=dynamics, length=100 if dynamics in (*_SIZED, "memo") else None, choices={1: "Hot", 2: "Cold"}
    )
    right = FieldSpec(name="m", type=marketo, length=MARKETO_LENGTH if marketo in _SIZED else None)
    try:
        return lens_between(left, right)
    except TypeMismatchError:
        return None


def _cells() -> dict[FieldType, list[str]]:
    """Return a column of cells for each Marketo type, and number the notes in the order of the rows."""
    cells: dict[FieldType, list[str]] = {marketo: [] for marketo in MARKETO_TYPES}
    for dynamics in DYNAMICS_TYPES:
        for marketo in MARKETO_TYPES:
            cells[marketo].append(_cell(lens_of(dynamics, marketo)))
    return cells


def _cell(lens: Lens | None) -> str:
    if lens is None:
        return REFUSED
    kept, held = "lossy" if lens.loses else "exact", ", hold" if lens.holds else ""
    note = _NOTES.setdefault((lens.loses, lens.holds), len(_NOTES) + 1)
    return f"{kept}{held} ({note})"


#: What is lost and what is held, each with its number.
_NOTES: Final[dict[tuple[str, str], int]] = {}


def matrix() -> str:
    """Return the table of all types, and its notes; Marketo's types that are alike share a column."""
    alike: dict[tuple[str, ...], list[FieldType]] = {}
    for marketo, cells in _cells().items():
        alike.setdefault(tuple(cells), []).append(marketo)
    header = ["Dynamics", *(", ".join(MARKETO_WORDS.get(kind, kind) for kind in kinds) for kinds in alike.values())]
    rows = [[f"`{dynamics}`", *cells] for dynamics, cells in zip(DYNAMICS_TYPES, zip(*alike, strict=True), strict=True)]
    notes = [[str(number), loses or "nothing", holds or "nothing"] for (loses, holds), number in _NOTES.items()]
    return table(header, rows) + table(["Note", "Marketo shows less of", "Held"], notes)


def created() -> str:
    """Return the table of what is created in Marketo for each type."""

    def made(left: FieldType, within: frozenset[FieldType]) -> str:
        kind = counterpart_type(FieldSpec(name="d", type=left), within)
        return REFUSED if kind is None else MARKETO_WORDS.get(kind, kind)

    rows = [[f"`{left}`", made(left, CREATABLE), made(left, CREATABLE_IN_CUSTOM)] for left in DYNAMICS_TYPES]
    return table(["Dynamics", "of a person", "of a custom object"], rows)
