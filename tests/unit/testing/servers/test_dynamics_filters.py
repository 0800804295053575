"""OData's filters: what is written is what is read, and a filter is true of the rows that it describes."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial

import pytest
from hypothesis import given, strategies as st

from mkdyn.testing.servers.dynamics.odata.conditions import compiled, literals
from mkdyn.testing.servers.dynamics.odata.filters import (
    Alias,
    Both,
    Calling,
    Comparing,
    Condition,
    Either,
    Literally,
    Name,
    Not,
    TextTest,
    leaves,
    names,
)
from mkdyn.testing.servers.dynamics.odata.parsing import FilterError, constant, parsed

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
NAMES = st.lists(st.from_regex(r"c_[a-zA-Z0-9_]{0,6}", fullmatch=True), min_size=1, max_size=2).map(
    lambda parts: Name(tuple(parts))
)
CONSTANTS = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**12), 10**12), TEXTS, st.uuids(), st.dates(date(1753, 1, 1)),
    st.decimals(-(10**9), 10**9, places=3),
    st.datetimes(datetime(1753, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - the strategy adds the zone
)  # fmt: skip
LITERALS = st.one_of(
    st.builds(Literally, CONSTANTS),
    st.builds(Literally, TEXTS, enum=st.just("AttributeTypeCode")),
    st.builds(Alias, st.from_regex(r"p[0-9]{1,2}", fullmatch=True)),
)
OPERANDS = st.one_of(NAMES, LITERALS)
TESTS: st.SearchStrategy[Condition] = st.one_of(
    st.builds(Comparing, st.sampled_from(["eq", "ne", "gt", "ge", "lt", "le"]), OPERANDS, OPERANDS),
    st.builds(TextTest, st.sampled_from(["contains", "startswith", "endswith"]), OPERANDS, OPERANDS),
    NAMES,
)
CALLS = st.one_of(
    st.builds(
        Calling, st.sampled_from(["In", "NotIn", "ContainValues"]), NAMES, st.lists(TEXTS, max_size=3).map(tuple)
    ),
    st.builds(Calling, st.just("OnOrAfter"), NAMES, TEXTS.map(lambda text: (text,)), several=st.just(False)),
    st.builds(Calling, st.just("EqualUserId"), NAMES, several=st.just(False)),
)


def grown(inner: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
    """Conditions of conditions."""
    several = st.lists(inner, min_size=2, max_size=3).map(tuple)
    negated = inner.filter(lambda each: not isinstance(each, Calling)).map(Not)
    return st.one_of(several.map(Both), several.map(Either), negated)


CONDITIONS = st.recursive(st.one_of(TESTS, CALLS), grown, max_leaves=8)


@given(CONDITIONS)
def test_what_is_written_is_read(condition: Condition) -> None:
    """Whatever a value holds, quotes and brackets too, it stays a value."""
    assert parsed(str(condition)) == condition


@given(CONSTANTS)
def test_what_is_written_alone_is_read(value: str | None) -> None:
    """A literal, too."""
    assert constant(str(Literally(value))) == value


@given(st.text("ab'\"()[]=,@ 0123456789-T:Z.\\/eqandornot", max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    """Nothing but `FilterError` comes of what is no filter; what is one is written and read again."""
    try:
        condition = parsed(text)
    except FilterError:
        return
    assert parsed(str(condition)) == condition


@pytest.mark.parametrize(
    "text",
    [
        "", "a eq", "eq 1", "a eq 1 b", "(a eq 1", "a eq 'b", "a in (1)", "foo(a)", "contains(a)", "contains a",
        "not Microsoft.Dynamics.CRM.In(PropertyName='a',PropertyValues=['1'])", "a eq #", "1", "a eq 2026-13-01",
        "a eq 2026-01-01T25:00:00Z", "Microsoft.Dynamics.CRM.In(PropertyValues=['1'])", "a eq (1)",
        "Microsoft.Dynamics.CRM.In(PropertyName='a',PropertyValues=[b])", "not " * 60 + "a", "(" * 60 + "a" + ")" * 60,
        "Microsoft.Dynamics.CRM.In(PropertyName='a',PropertyValues=[\"\\x\"])", "things/any(t:t/a eq 1)",
        "Microsoft.Dynamics.CRM.In(PropertyName='a' PropertyValues=['1'])",
    ],
)  # fmt: skip
def test_what_is_no_filter(text: str) -> None:
    """Is refused."""
    with pytest.raises(FilterError):
        parsed(text)


def test_a_literal_alone() -> None:
    """A property is none."""
    with pytest.raises(FilterError, match="Unrecognized literal 'name'"):
        constant("name")


ROW = {
    "text": "O'Neil 100%", "empty": None, "number": 5, "amount": Decimal("1.50"), "float": 2.5, "flag": True, "choices": "1,9",
    "day": date(2026, 3, 2), "at": datetime(2026, 3, 2, 9, 30, tzinfo=UTC), "wall": datetime(2026, 3, 2, 9, 30),  # noqa: DTZ001 - a wall has no zone
    "id": "9C3F0B1E-6A52-4C1D-8F0E-5B7A9D2C4E11",
}  # fmt: skip


def look(name: Name) -> object:
    """What the row shows."""
    return ROW[name.parts[0]]


IN = "Microsoft.Dynamics.CRM."


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("text eq 'o''neil 100%'", True), ("text ne 'x'", True), ("text gt 'n'", True), ("text lt 'n'", False),
        ("empty eq null", True), ("empty ne null", False), ("empty ne 'x'", True), ("empty gt 'a'", False),
        ("number ge 5 and number le 5", True), ("number eq 5.0", True), ("amount eq 1.5", True), ("float eq 2.5", True),
        ("flag", True), ("not flag", False), ("flag eq true", True), ("number", False),
        ("day eq 2026-03-02", True), ("at gt 2026-03-02", True), ("at eq 2026-03-02T10:30:00+01:00", True),
        ("wall eq 2026-03-02T09:30:00Z", True), ("day lt 2026-03-02T00:00:01Z", True), ("day eq 2026-03-02T00:00", True),
        ("id eq 9c3f0b1e-6a52-4c1d-8f0e-5b7a9d2c4e11", True), ("id eq '9c3f0b1e-6a52-4c1d-8f0e-5b7a9d2c4e11'", True),
        ("number eq @p1", True), ("number eq @p2", False), ("number eq number", True),
        ("contains(text,'100%')", True), ("contains(text,'o_n')", True), ("contains(text,'1[0-9]0')", True),
        ("contains(text,'1[^0]')", False), ("startswith(text,'o')", True), ("startswith(text,'n')", False),
        ("endswith(text,'%')", True), ("endswith(text,'o')", False), ("contains(empty,'a')", False),
        (f"{IN}In(PropertyName='text',PropertyValues=[\"o'neil 100%\",'x'])", True),
        (f"{IN}In(PropertyName='number',PropertyValues=['5'])", True), (f"{IN}In(PropertyName='number',PropertyValues=[5])", True),
        (f"{IN}In(PropertyName='empty',PropertyValues=['5'])", False), (f"{IN}In(PropertyName='flag',PropertyValues=['1'])", True),
        (f"{IN}In(PropertyName='at',PropertyValues=['2026-03-02T09:30:00Z'])", True),
        (f"{IN}NotIn(PropertyName='text',PropertyValues=['x'])", True),
        (f"{IN}ContainValues(PropertyName='choices',PropertyValues=['9','7'])", True),
        (f"{IN}ContainValues(PropertyName='empty',PropertyValues=['9'])", False),
        (f"{IN}DoesNotContainValues(PropertyName='choices',PropertyValues=['7'])", True),
        (f"{IN}OnOrAfter(PropertyName='at',PropertyValue='2026-03-02')", True),
        (f"{IN}OnOrBefore(PropertyName='day',PropertyValue='2026-03-01')", False),
        (f"{IN}On(PropertyName='at',PropertyValue=2026-03-02)", True),
        (f"{IN}On(PropertyName='empty',PropertyValue=2026-03-02)", False),
        ("number eq 1 or (number eq 5 and not (number eq 6))", True),
    ],
)  # fmt: skip
def test_what_is_true_of_a_row(text: str, holds: bool) -> None:
    """Texts and ids are compared without regard to case; an empty value is only unequal."""
    assert compiled(parsed(text), {"p1": 5})(look) is holds


@pytest.mark.parametrize(
    "call", ["LastXHours(PropertyName='at',PropertyValue='2')", "On(PropertyName='at',PropertyValue='x')"]
)
def test_what_is_not_supported(call: str) -> None:
    """Is refused, not passed over."""
    with pytest.raises(FilterError):
        compiled(parsed(IN + call), {})


@given(CONDITIONS.filter(lambda each: all(not isinstance(leaf, Calling) for leaf in leaves(each))), st.data())
def test_a_negation_is_true_where_the_condition_is_not(condition: Condition, data: st.DataObject) -> None:
    """Of any row, whatever it holds in the columns that the filter names."""
    texts = {name: data.draw(st.one_of(st.none(), TEXTS)) for name in names(condition)}
    try:
        holds = compiled(condition, {})(texts.__getitem__)
    except TypeError:  # a text that is compared with a number: a table's columns have types, which are checked before
        return
    assert compiled(Not(condition), {})(texts.__getitem__) is not holds


@given(st.lists(TEXTS, min_size=1, max_size=4), TEXTS)
def test_one_of_several_is_the_same_as_each(values: list[str], value: str) -> None:
    """`In` says what `eq … or eq …` says."""
    name = Name(("a",))
    each = tuple(Comparing("eq", name, Literally(wanted)) for wanted in values)
    one = Calling("In", name, tuple(values))
    alike = compiled(Either(each) if len(each) > 1 else each[0], {})
    show = partial({name: value}.__getitem__)
    assert compiled(one, {})(show) is alike(show) is (value.casefold() in {wanted.casefold() for wanted in values})


def test_what_a_filter_names() -> None:
    """Its columns, and what texts they can only hold."""
    guid = "9c3f0b1e-6a52-4c1d-8f0e-5b7a9d2c4e11"
    condition = parsed(
        f"(a eq 'x' or {IN}In(PropertyName='a',PropertyValues=['y'])) and b/c eq {guid} and d and not (e gt @p)"
    )
    assert [str(name) for name in names(condition)] == ["a", "a", "b/c", "d", "e"]
    found = literals(condition, {})
    assert found == {Name(("a",)): {"x", "y"}, Name(("b", "c")): {guid}}
    assert literals(parsed("a eq 'x' or b eq 'y'"), {}) == {}
    assert literals(parsed("a eq @p"), {"p": "z"}) == {Name(("a",)): {"z"}}
    assert literals(parsed("a eq null"), {}) == {}
