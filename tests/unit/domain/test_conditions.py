"""Conditions on a record's values."""

from __future__ import annotations

import operator
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given, strategies as st

from mkdyn.domain import Condition, FieldValue, Values, Where, condition_from, where
from mkdyn.errors import ConfigError

from .worlds import LAW

records = st.dictionaries(st.sampled_from("ab"), st.none() | st.integers(0, 3))
complete = st.fixed_dictionaries({name: st.integers(0, 3) for name in "ab"})


def a() -> Condition:
    """One condition."""
    return where("a").equals(1)


def b() -> Condition:
    """Another one."""
    return where("b").at_least(2)


def words(of: object) -> str:
    """Name a condition that is yet to be made, or a value, in the name of a test."""
    return repr(of(where("x"))) if callable(of) else repr(of)


@pytest.mark.parametrize(
    ("make", "value", "met"),
    [
        (lambda x: x.equals("UK"), "UK", True),
        (lambda x: x.equals("UK"), "uk", False),
        (lambda x: x.equals(None), None, True),
        (lambda x: x.is_not("UK"), "DE", True),
        (lambda x: x.is_not("UK"), None, True),
        (lambda x: x.is_not("UK"), "UK", False),
        (lambda x: x.is_one_of("EMEA", "UK"), "UK", True),
        (lambda x: x.is_one_of("EMEA", "UK"), "DE", False),
        (lambda x: x.is_one_of(), "DE", False),
        (lambda x: x.at_least(80), 80, True),
        (lambda x: x.at_least(80), 79.9, False),
        (lambda x: x.at_least(80), None, False),
        (lambda x: x.at_most(Decimal("0.5")), 0.5, True),
        (lambda x: x.at_most(5), 6, False),
        (lambda x: x.at_most(5), None, False),
        (lambda x: x.at_least(date(2026, 1, 1)), date(2026, 1, 2), True),
        (lambda x: x.at_most(datetime(2026, 1, 1, tzinfo=UTC)), datetime(2025, 1, 1, tzinfo=UTC), True),
        (lambda x: x.at_least("b"), "c", True),
        (lambda x: x.is_empty(), None, True),
        (lambda x: x.is_empty(), "", True),
        (lambda x: x.is_empty(), 0, False),
        (lambda x: x.is_empty(), False, False),
        (lambda x: where("new_region").is_one_of("EMEA") & ~x.is_empty(), "a", False),
        (lambda x: where("y").equals(1) | x.equals(2), 2, True),
    ],
    ids=words,
)
def test_a_condition_on_one_value(make: Callable[[Where], Condition], value: FieldValue, met: bool) -> None:
    """Each comparison, met and not."""
    assert make(where("x"))({"x": value}) is met


@pytest.mark.parametrize(
    "make",
    [
        lambda x: x.equals(None),
        lambda x: x.is_not("UK"),
        lambda x: x.is_one_of(None),
        lambda x: x.at_least(0),
        lambda x: x.at_most(0),
        lambda x: x.is_empty(),
        lambda x: ~x.equals("UK"),
        lambda x: ~x.is_empty(),
        lambda x: ~(a() & x.is_empty()),
    ],
    ids=words,
)
def test_silence_meets_nothing(make: Callable[[Where], Condition]) -> None:
    """A field that is not shown meets no condition, nor its opposite."""
    assert not make(where("x"))({"a": 5})


@LAW
@given(records)
def test_and_or_not(values: Values) -> None:
    """`&` needs both, `|` one; what is met is not met by its opposite."""
    one, other = a(), b()
    assert (one & other)(values) == (one(values) and other(values))
    assert (one | other)(values) == (one(values) or other(values))
    assert (one & other)(values) == (other & one)(values)
    assert not ((~one)(values) and one(values))


@LAW
@given(complete)
def test_of_a_complete_record_either_a_condition_or_its_opposite_is_met(values: Values) -> None:
    """Not, twice, is the condition itself; and De Morgan's laws hold."""
    one, other = a(), b()
    for condition in (one, other, one & other, one | other):
        assert (~condition)(values) is not condition(values)
        assert (~~condition)(values) is condition(values)
    assert (~(one & other))(values) == (~one | ~other)(values)
    assert (~(one | other))(values) == (~one & ~other)(values)


def test_a_condition_knows_its_fields_and_its_words() -> None:
    """What it looks at, for the reading; what it says, for people."""
    condition = where("new_region").is_one_of("EMEA", "UK") & ~where("emailaddress1").is_empty()
    assert condition.fields == {"new_region", "emailaddress1"}
    assert repr(condition) == "(where('new_region').is_one_of('EMEA', 'UK') & ~where('emailaddress1').is_empty())"
    assert (a() | b()).fields == {"a", "b"}
    assert repr(a() | b()) == "(where('a').equals(1) | where('b').at_least(2))"
    assert repr(where("x").is_not(1)) == "where('x').is_not(1)"
    assert repr(where("x").at_most(1)) == "where('x').at_most(1)"


@pytest.mark.parametrize(
    ("make", "values"),
    [
        (lambda x: x.equals("a"), ("a",)),
        (lambda x: x.is_not("a"), ("a",)),
        (lambda x: x.is_one_of("a", "b"), ("a", "b")),
        (lambda x: x.at_least(1), (1,)),
        (lambda x: x.at_most(1), (1,)),
        (lambda x: x.is_empty(), ()),
    ],
)
def test_a_condition_knows_what_it_compares_with(
    make: Callable[[Where], Condition], values: tuple[FieldValue, ...]
) -> None:
    """A filter checks it against the column; joining conditions loses none."""
    [test] = make(where("x")).tests
    assert (test.field, test.values) == ("x", values)
    assert [test.field for test in (make(where("x")) & ~b()).tests] == ["x", "b"]
    assert [test.field for test in (b() | make(where("x"))).tests] == ["b", "x"]


@pytest.mark.parametrize(
    "mistake",
    [lambda: a() and b(), lambda: a() or b(), lambda: not a(), lambda: bool(a())],
    ids=["and", "or", "not", "bool"],
)
def test_and_or_not_in_words_are_refused(mistake: Callable[[], object]) -> None:
    """They would drop one of the conditions without a word."""
    with pytest.raises(
        TypeError, match=r"^a condition is not .* by itself: join conditions with & \| ~, not with and, or, not$"
    ):
        mistake()


@pytest.mark.parametrize("comparison", [where("x").at_least, where("x").at_most])
def test_unlike_kinds_are_not_compared(comparison: Callable[[int], Condition]) -> None:
    """A text is neither more nor less than a number; the text itself is not shown."""
    with pytest.raises(TypeError, match=r"^a str can't be compared with 80$"):
        comparison(80)({"x": "confidential"})


def test_a_condition_is_itself_alone() -> None:
    """Two that say the same are not equal: `==` is no way to make one."""
    assert operator.ne(where("x").equals(1), where("x").equals(1))
    one = a()
    assert {one: 1}[one] == 1


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"field": "new_region", "is_one_of": ["EMEA", "UK"]}, "where('new_region').is_one_of('EMEA', 'UK')"),
        ({"field": "leadScore", "at_least": 80}, "where('leadScore').at_least(80)"),
        ({"field": "phone", "is_empty": True}, "where('phone').is_empty()"),
        ({"field": "phone", "is_empty": False}, "~where('phone').is_empty()"),
        ({"not": {"field": "a", "equals": 1}}, "~where('a').equals(1)"),
        (
            {
                "all": [
                    {"field": "a", "is_not": 1},
                    {"any": [{"field": "b", "at_most": 2}, {"field": "c", "equals": "x"}]},
                ]
            },
            "(where('a').is_not(1) & (where('b').at_most(2) | where('c').equals('x')))",
        ),
    ],
)
def test_a_condition_can_be_written_as_plain_data(data: object, words: str) -> None:
    """As a file holds it."""
    assert repr(condition_from(data)) == words


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        ("new_region", "is no condition"),
        ({}, "names one field and one of equals, is_not, is_one_of, at_least, at_most, is_empty"),
        ({"field": "a"}, "A condition names one field"),
        ({"field": "a", "equals": 1, "is_not": 2}, "A condition names one field"),
        ({"field": "a", "like": "x"}, "here are field, like"),
        ({"field": 1, "equals": 1}, "A condition names one field"),
        ({"all": [{"field": "a", "equals": 1}], "field": "b"}, "A condition names one field"),
        ({"any": []}, "any joins a list"),
        ({"all": "a"}, "all joins a list"),
        ({"field": "a", "is_one_of": "x"}, "takes a list"),
        ({"field": "a", "is_empty": "yes"}, "is true or false"),
        ({"field": "a", "equals": [1]}, "is no value"),
    ],
)
def test_a_condition_that_is_written_otherwise_is_refused(data: object, complaint: str) -> None:
    """The message shows how it is written."""
    with pytest.raises(ConfigError, match=complaint) as caught:
        condition_from(data)
    assert caught.value.what_to_do == (
        'Write {field = "new_region", is_one_of = ["EMEA"]}, or join such by all, any, not.'
    )
