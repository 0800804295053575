"""What the reference says of types is what the lenses do: cell by cell, and word by word."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final, get_args

import pytest
from hypothesis import given, strategies as st

from mkdyn.domain import FieldType, FieldValue, Lens, Unfit
from mkdyn.domain.types import DYNAMICS_TYPES, MARKETO_TYPES
from mkdyn.domain.values import same
from mkdyn.errors import TypeMismatchError
from tests.unit.domain.test_matrix import FEW, LOST, OF_DYNAMICS, OF_MARKETO, lens_of

from .matrix import MARKETO_WORDS, created, matrix
from .pages import PAGES, part, rows_of

#: What may be said to be held: values by system, one of which is unfit for this reason, and all reasons that are meant.
HELD: Final[Mapping[str, tuple[str, list[FieldValue], set[str]]]] = {
    "texts that are too long": ("marketo", ["five5"], {"too-long"}),
    "what is no address": ("dynamics", ["a b"], {"bad-email"}),
    "texts that are no GUID": ("marketo", ["no guid"], {"no-guid"}),
    "texts that are no number Dynamics takes": (
        "marketo", ["seven"], {"no-number", "out-of-range", "too-precise", "too-long"},
    ),
    "numbers out of range": ("marketo", [2**70, 2.0**70], {"out-of-range"}),
    "fractions": ("either", [0.5, Decimal("0.5")], {"not-whole"}),
    "more decimal places than Dynamics keeps": ("marketo", [0.125], {"too-precise"}),
    "choices without a label": ("dynamics", [6], {"no-label"}),
    "labels without a choice of their own": ("marketo", ["Open"], {"no-choice"}),
    "numbers without a choice": ("marketo", [99], {"no-choice"}),
    "choices without a label of their own": ("dynamics", ["6"], {"no-label"}),
    "labels without a choice": ("marketo", ["Hot"], {"no-choice"}),
    "labels with a semicolon": ("dynamics", ["8"], {"no-label"}),
    "days before 1753": ("marketo", [date(1752, 12, 31), datetime(1752, 12, 31, tzinfo=UTC)], {"out-of-range"}),
}  # fmt: skip
#: What Marketo may be said to show less of, and the lenses that do.
SHOWN: Final[Mapping[str, set[str]]] = {
    "digits beyond a float's 15": {"decimal-float"},
    "an empty one, shown as false": {"boolean"},
    "fractions of a second": {"datetime", "wall-clock"},
    "the time of day": {"user-date"},
}
CELL: Final = re.compile(r"(?P<kept>exact|lossy)(?P<hold>, hold)? \((?P<note>\d+)\)")


def cells_of_the_page() -> dict[tuple[FieldType, FieldType], tuple[bool, list[str], str] | None]:
    """What the page says of each two types: whether all is kept, what is held, what is shown less of; or nothing."""
    text = part("types.md", "matrix")
    notes = {number: (loses, holds) for number, loses, holds in rows_of(text[text.index("| Note") :], "")[1:]}
    header, *rows = rows_of(text, "")
    ours = {word: kind for kind, word in MARKETO_WORDS.items()}
    found: dict[Any, tuple[bool, list[str], str] | None] = {}
    for dynamics, *cells in rows:
        for kinds, cell in zip(header[1:], cells, strict=True):
            says = None
            if cell != "-":
                match = CELL.fullmatch(cell)
                assert match is not None, cell
                loses, holds = notes[match["note"]]
                assert (loses != "nothing") == (match["kept"] == "lossy"), cell
                assert (holds != "nothing") == (match["hold"] is not None), cell
                says = (match["kept"] == "exact", [] if holds == "nothing" else holds.split(", "), loses)
            for kind in kinds.split(", "):
                found[dynamics, ours.get(kind, kind)] = says
    return found


PAGE: Final = cells_of_the_page()
FITTING: Final = [cell for cell, says in PAGE.items() if says is not None]
each_cell = pytest.mark.parametrize("cell", FITTING, ids="-".join)


def says(cell: tuple[FieldType, FieldType]) -> tuple[bool, list[str], str]:
    """What the page says of two types that fit."""
    found = PAGE[cell]
    assert found is not None
    return found


def carried(lens: Lens, system: str, values: list[FieldValue]) -> list[FieldValue | Unfit]:
    """What becomes of a system's values."""
    there = [lens.to_marketo(value) for value in values if system != "marketo"]
    return [*there, *(lens.to_dynamics(value) for value in values if system != "dynamics")]


def test_the_tables_are_those_of_the_code() -> None:
    """They are made, not written: `python -m tests.reference` makes them anew."""
    assert part("types.md", "matrix") == matrix()
    assert part("types.md", "created") == created()


def test_no_two_types_are_missing() -> None:
    """Every Dynamics type against every Marketo type; and each of Dynamics' words is explained."""
    assert set(PAGE) == {(dynamics, marketo) for dynamics in DYNAMICS_TYPES for marketo in MARKETO_TYPES}
    words = rows_of((PAGES / "types.md").read_text(encoding="utf-8").partition("called by these words")[2], "")
    assert {name for row in words[1:] for name in row[0].split(", ")} == set(DYNAMICS_TYPES) <= set(get_args(FieldType))


@pytest.mark.parametrize("cell", [cell for cell, found in PAGE.items() if found is None], ids="-".join)
def test_what_is_refused_has_no_lens(cell: tuple[FieldType, FieldType]) -> None:
    """A pair of these two can't be selected."""
    with pytest.raises(TypeMismatchError):
        lens_of(cell)


@each_cell
def test_what_is_said_to_be_held_is_held(cell: tuple[FieldType, FieldType]) -> None:
    """For each thing that a note says, there is a value that does not fit, for that reason."""
    for clause in says(cell)[1]:
        system, values, codes = HELD[clause]
        found = carried(lens_of(cell), system, values)
        assert any(isinstance(unfit, Unfit) and unfit.code in codes for unfit in found), clause


@each_cell
@FEW
@given(data=st.data())
def test_nothing_else_is_held(cell: tuple[FieldType, FieldType], data: st.DataObject) -> None:
    """What does not fit has a reason that the note names, but for the calendar's first and last day."""
    lens, codes = lens_of(cell), {code for clause in says(cell)[1] for code in HELD[clause][2]}
    there, back = lens.to_marketo(data.draw(OF_DYNAMICS[cell[0]])), lens.to_dynamics(data.draw(OF_MARKETO[cell[1]]))
    for found in (there, back):
        named = not isinstance(found, Unfit) or found.code in codes
        assert named or found == Unfit("out-of-range", "the calendar has no such day.")


@each_cell
def test_what_is_said_to_be_lost_is_lost(cell: tuple[FieldType, FieldType]) -> None:
    """There is a value that does not come back as it was."""
    exact, _, loses = says(cell)
    if exact:
        return
    lens = lens_of(cell)
    assert lens.name in SHOWN[loses]
    shown = lens.to_marketo(LOST[lens.name])
    assert not isinstance(shown, Unfit)
    assert lens.to_dynamics(shown) != LOST[lens.name]


@each_cell
@FEW
@given(data=st.data())
def test_what_is_said_to_be_exact_comes_back(cell: tuple[FieldType, FieldType], data: st.DataObject) -> None:
    """As it was; an empty text is an empty field."""
    if not says(cell)[0]:
        return
    lens, value = lens_of(cell), data.draw(OF_DYNAMICS[cell[0]])
    there = lens.to_marketo(value)
    back = there if isinstance(there, Unfit) else lens.to_dynamics(there)
    exact = Decimal(str(value)) if isinstance(value, float) else value
    assert isinstance(back, Unfit) or same(back, exact) or value == ""
