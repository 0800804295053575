"""Tables that decide: each combination of states has exactly one answer."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import product
from typing import Final, Generic, TypeVar, TypeVarTuple

import attrs

Answer = TypeVar("Answer")
States = TypeVarTuple("States")

#: In a row: whatever the state is.
ANY: Final = object()


def one_of(*states: object) -> frozenset[object]:
    """Return what stands in a row for each of several states."""
    return frozenset(states)


def _cells(table: Table[Answer, *States]) -> Mapping[tuple[object, ...], Answer]:
    """Return the one answer to each combination.

    Raises:
        ValueError: One has none, or several.
    """
    cells: dict[tuple[object, ...], Answer] = {}
    for states in product(*table.columns.values()):
        fitting = [answer for row, answer in table.rows.items() if _fits(row, states)]
        if len(fitting) != 1:
            raise ValueError(f"{table.decides}: {states} has {len(fitting)} answers")
        cells[states] = fitting[0]
    return cells


def _fits(row: Sequence[object], states: Sequence[object]) -> bool:
    return all(
        expected is ANY or (state in expected if isinstance(expected, frozenset) else state == expected)
        for expected, state in zip(row, states, strict=True)
    )


@attrs.frozen(eq=False)
class Table(Generic[Answer, *States]):
    """A decision as a table. It can't be made with a hole, nor with two answers to one question.

    Attributes:
        decides: What is decided, in a few words.
        columns: What is looked at, each with every state that it can be in.
        rows: Per combination of states, `ANY` or `one_of` several among them, the answer.
        cells: Per combination of states, the answer.
    """

    decides: str
    columns: Mapping[str, Collection[object]]
    rows: Mapping[tuple[object, ...], Answer]
    cells: Mapping[tuple[object, ...], Answer] = attrs.field(
        init=False, repr=False, default=attrs.Factory(_cells, takes_self=True)
    )

    def __call__(self, *states: *States) -> Answer:
        """Return the answer."""
        return self.cells[states]
