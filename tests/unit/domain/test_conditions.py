"""Conditions on a record's values."""

from __future__ import annotations

import operator
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given, strategies as st

from mkdyn.domain import Condition, FieldValue, Values, where

from .worlds import LAW

A, B = where("a").equals(1), where("b").at_least(2)
records = st.dictionaries(st.sampled_from("ab"), st.none() | st.integers(0, 3))
complete = st.fixed_dictionaries({name: st.integers(0, 3) for name in "ab"})


@pytest.mark.parametrize(
    ("condition", "value", "met"),
    [
        (where("x").equals("UK"), "UK", True),
        (where("x").equals("UK"), "uk", False),
        (where("x").equals(None), None, True),
        (where("x").is_not("UK"), "DE", True),
        (where("x").is_not("UK"), None, True),
        (where("x").is_not("UK"), "UK", False),
        (where("x").is_one_of("EMEA", "UK"), "UK", True),
        (where("x").is_one_of("EMEA", "UK"), "DE", False),
        (where("x").is_one_of(), "DE", False),
        (where("x").at_least(80), 80, True),
        (where("x").at_least(80), 79.9, False),
        (where("x").at_least(80), None, False),
        (where("x").at_most(Decimal("0.5")), 0.5, True),
        (where("x").at_most(5), 6, False),
        (where("x").at_most(5), None, False),
        (where("x").at_least(date(2026, 1, 1)), date(2026, 1, 2), True),
        (where("x").at_most(datetime(2026, 1, 1, tzinfo=UTC)), datetime(2025, 1, 1, tzinfo=UTC), True),
        (where("x").at_least("b"), "c", True),
        (where("x").is_empty(), None, True),
        (where("x").is_empty(), "", True),
        (where("x").is_empty(), 0, False),
        (where("x").is_empty(), False, False),
        (where("new_region").is_one_of("EMEA") & ~where("x").is_empty(), "a", False),
        (where("y").equals(1) | where("x").equals(2), 2, True),
    ],
    ids=repr,
)
def test_a_condition_on_one_value(condition: Condition, value: FieldValue, met: bool) -> None:
    """Each comparison, met and not."""
    assert condition({"x": value}) is met


@pytest.mark.parametrize(
    "condition",
    [
        where("x").equals(None),
        where("x").is_not("UK"),
        where("x").is_one_of(None),
        where("x").at_least(0),
        where("x").at_most(0),
        where("x").is_empty(),
        ~where("x").equals("UK"),
        ~where("x").is_empty(),
        ~(A & where("x").is_empty()),
    ],
    ids=repr,
)
def test_silence_meets_nothing(condition: Condition) -> None:
    """A field that is not shown meets no condition, nor its opposite."""
    assert not condition({"a": 5})


@LAW
@given(records)
def test_and_or_not(values: Values) -> None:
    """`&` needs both, `|` one; what is met is not met by its opposite."""
    assert (A & B)(values) == (A(values) and B(values))
    assert (A | B)(values) == (A(values) or B(values))
    assert (A & B)(values) == (B & A)(values)
    assert not ((~A)(values) and A(values))


@LAW
@given(complete)
def test_of_a_complete_record_either_a_condition_or_its_opposite_is_met(values: Values) -> None:
    """Not, twice, is the condition itself; and De Morgan's laws hold."""
    for condition in (A, B, A & B, A | B):
        assert (~condition)(values) is not condition(values)
        assert (~~condition)(values) is condition(values)
    assert (~(A & B))(values) == (~A | ~B)(values)
    assert (~(A | B))(values) == (~A & ~B)(values)


def test_a_condition_knows_its_fields_and_its_words() -> None:
    """What it looks at, for the reading; what it says, for people."""
    condition = where("new_region").is_one_of("EMEA", "UK") & ~where("emailaddress1").is_empty()
    assert condition.fields == {"new_region", "emailaddress1"}
    assert repr(condition) == "(where('new_region').is_one_of('EMEA', 'UK') & ~where('emailaddress1').is_empty())"
    assert repr(A | B) == "(where('a').equals(1) | where('b').at_least(2))"
    assert repr(where("x").is_not(1)) == "where('x').is_not(1)"
    assert repr(where("x").at_most(1)) == "where('x').at_most(1)"


@pytest.mark.parametrize(
    "mistake",
    [lambda: A and B, lambda: A or B, lambda: not A, lambda: bool(A)],
    ids=["and", "or", "not", "bool"],
)
def test_and_or_not_in_words_are_refused(mistake: Callable[[], object]) -> None:
    """They would drop one of the conditions without a word."""
    with pytest.raises(TypeError, match=r"join conditions with & \| ~, not with and, or, not"):
        mistake()


@pytest.mark.parametrize("comparison", [where("x").at_least, where("x").at_most])
def test_unlike_kinds_are_not_compared(comparison: Callable[[int], Condition]) -> None:
    """A text is neither more nor less than a number; the text itself is not shown."""
    with pytest.raises(TypeError, match=r"^a str can't be compared with 80$"):
        comparison(80)({"x": "confidential"})


def test_a_condition_is_itself_alone() -> None:
    """Two that say the same are not equal: `==` is no way to make one."""
    assert operator.ne(where("x").equals(1), where("x").equals(1))
    assert {A: 1}[A] == 1
