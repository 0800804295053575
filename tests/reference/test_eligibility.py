"""What the reference says of eligibility is what the code decides: every standing, every reason, and no other."""

from __future__ import annotations

import re
from itertools import product
from typing import Any, Final, get_args

import pytest

from mkdyn.domain import Direction, Entity, FieldPair, FieldSpec, FieldType, PairState, eligibility
from mkdyn.domain.fields import Nature
from mkdyn.domain.registry import Eligible, EligibleToMarketo, NotEligible
from mkdyn.domain.schema import standing
from mkdyn.domain.systems import System

from .pages import PAGES, rows_of

PAGE: Final = (PAGES / "eligibility.md").read_text(encoding="utf-8")
YES_NO: Final = (True, False)

#: A field of each kind that there is, as far as eligibility looks at it.
FIELDS: Final = [
    FieldSpec(name="x", type=kind, nature=nature, readable=readable, writable=writable, secured=secured, masked=masked)
    for kind, nature, readable, writable, secured, masked in product(
        get_args(FieldType), get_args(Nature), YES_NO, YES_NO, YES_NO, YES_NO
    )
]


def test_the_standings_are_those_of_the_code() -> None:
    """In the words that candidates are listed with."""
    verdicts = [Eligible(), EligibleToMarketo("…"), NotEligible("…")]
    assert {type(verdict) for verdict in verdicts} == {type(eligibility(field)) for field in FIELDS}
    found = [row[:2] for row in rows_of(PAGE, "## Standings")[1:]]
    assert found == [[str(verdict), f"{{py:class}}~mkdyn.domain.{type(verdict).__name__}"] for verdict in verdicts]


def test_the_reasons_are_those_of_the_code() -> None:
    """Each there is, once, with its standing, what it means and what to do; and no other."""
    verdicts = {eligibility(field) for field in FIELDS} - {Eligible()}
    given = {(verdict.reason, str(verdict)) for verdict in verdicts if not isinstance(verdict, Eligible)}
    rows = rows_of(PAGE, "## Reasons")[1:]
    assert sorted((reason, stands) for reason, stands, _, _ in rows) == sorted(given)
    assert all(means and remedy for _, _, means, remedy in rows)


def spec(**facts: Any) -> FieldSpec:  # noqa: ANN401 - of each fact's own type
    """Return a field of one type and identity."""
    return FieldSpec(**{"name": "x", "type": "text", "id": "1", **facts})


@pytest.mark.parametrize("direction", Direction)
def test_why_a_pair_is_set_aside(direction: Direction) -> None:
    """Whatever becomes of either field, the reason and the state are in the table; and each row of it is met."""
    pair = FieldPair(Entity.LEAD, "x", "x", direction=direction)
    kinds: list[FieldType] = ["text", "boolean", "image"]
    fields = [
        None,
        *(
            spec(type=kind, id=identity, readable=readable, writable=writable, nature=nature, masked=masked)
            for kind, identity, readable, writable, nature, masked in product(
                kinds, ("1", "2"), YES_NO, YES_NO, ("entered", "calculated"), YES_NO
            )
        ),
    ]
    *rows, (last, blocked, _) = rows_of(PAGE, "## When a selected field can't be synced any more")[1:]
    assert (last, blocked) == ("one of the reasons above", "blocked")
    patterns = {re.escape(reason).replace("…", ".+"): state for reason, state, _ in rows}
    patterns |= {re.escape(reason): blocked for reason, *_ in rows_of(PAGE, "## Reasons")[1:]}
    met: set[str] = set()
    for now in product(fields, fields):
        found = standing(pair, (spec(), spec()), now)
        if found.state is PairState.ACTIVE:
            continue
        fitting = [pattern for pattern, state in patterns.items() if re.fullmatch(pattern, found.reason)]
        assert [patterns[pattern] for pattern in fitting] == [str(found.state)], found.reason
        met.update(fitting)
    never = {"written in Marketo"} if not direction.writes(System.MARKETO) else set[str]()
    unmet = [reason for reason, *_ in rows if re.escape(reason).replace("…", ".+") not in met]
    assert [reason for reason in unmet if not any(word in reason for word in never)] == []
    assert len(unmet) == len(never)
