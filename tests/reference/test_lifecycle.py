"""What the reference says of lifecycles is what the engine asks: cell by cell."""

from __future__ import annotations

from functools import cache
from itertools import product
from typing import Any, Final

import pytest

from mkdyn.domain import lifecycle
from mkdyn.domain.lifecycle import TABLES, Table

from .lifecycle import MEANS, parts, shown, slug
from .pages import PAGES, between, part, rows_of

Decided = Table[Any, *tuple[Any, ...]]
PAGE: Final = (PAGES / "lifecycle.md").read_text(encoding="utf-8")
BY_NAME: Final = {decided.decides: decided for decided in TABLES}


@cache
def said(name: str) -> list[tuple[list[list[str]], str]]:
    """Return the rows of a table of the page: per column the states, `any` spelt out, and what becomes of it."""
    decided = BY_NAME[name]
    _, *rows = rows_of(part("lifecycle.md", slug(decided)), "")
    return [
        (
            [
                [shown(state) for state in states] if cell == "any" else cell.split(", ")
                for cell, states in zip(cells, decided.columns.values(), strict=True)
            ],
            becomes,
        )
        for *cells, becomes in rows
    ]


CELLS: Final = [
    (decided.decides, states) for decided in TABLES for states in product(*decided.columns.values())
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "states"), CELLS, ids=lambda part: part if isinstance(part, str) else "-".join(map(shown, part))
)
def test_each_combination_has_the_one_answer_of_the_page(name: str, states: tuple[Any, ...]) -> None:
    """Exactly one row of the page speaks of it, and says what the code answers."""
    decided = BY_NAME[name]
    words = [shown(state) for state in states]
    answers = [
        becomes for row, becomes in said(name) if all(word in cell for word, cell in zip(words, row, strict=True))
    ]
    assert answers == [MEANS[name][decided(*states)].replace("`", "")]


def test_the_page_has_the_tables_of_the_code() -> None:
    """They are made, not written: `python -m tests.reference` makes them anew."""
    assert {name: part("lifecycle.md", name) for name in parts()} == parts()
    for decided in TABLES:
        assert len(between(slug(decided)).findall(PAGE)) == 1
        assert MEANS[decided.decides].keys() == set(decided.cells.values())


def test_every_table_is_on_the_page() -> None:
    """None that the engine could ask is left out, and each has a name of its own."""
    there = {value for value in vars(lifecycle).values() if isinstance(value, Table)}
    assert there == set(TABLES)
    assert len(BY_NAME) == len(TABLES) == len(MEANS)


def test_a_table_with_a_hole_or_two_answers_can_t_be_made() -> None:
    """Whoever changes one hears of it at once."""
    with pytest.raises(ValueError, match=r"a door: \('open', False\) has 0 answers"):
        Table("a door", {"it is": ("open", "shut"), "locked": (False, True)}, {("shut", lifecycle.ANY): "wait"})
    rows = {(lifecycle.ANY, False): "go", ("open", lifecycle.ANY): "go", ("shut", True): "wait"}
    with pytest.raises(ValueError, match=r"a door: \('open', False\) has 2 answers"):
        Table("a door", {"it is": ("open", "shut"), "locked": (False, True)}, rows)
