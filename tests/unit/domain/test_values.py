"""Values, the lenses between two systems' types, and how values are written down."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Final

import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.strategies import SearchStrategy

from mkdyn.domain import IDENTITY, MISSING, FieldValue, Lens, Unfit
from mkdyn.domain.lenses.moments import date_lens, datetime_lens, user_date_lens, wall_clock_lens
from mkdyn.domain.lenses.numbers import boolean_lens, decimal_lens, integer_float_lens, integer_lens
from mkdyn.domain.lenses.texts import choice_lens, choices_lens, reference_lens, text_lens
from mkdyn.domain.values import fingerprint, from_json, same, to_json

from .worlds import LAW

ZONES: Final = st.sampled_from([UTC, timezone(timedelta(hours=14)), timezone(-timedelta(hours=12))])
TEXT: Final = st.text(max_size=8)
MOMENT: Final = st.datetimes(timezones=ZONES)
LABELS: Final = {1: "Cold", 2: "Warm", 3: "warm", 4: "Open", 5: "Open", 6: "", 7: "Straße"}
GUIDS: Final = st.uuids().map(str)

#: How each lens is made, with whatever Dynamics and Marketo may show of its type.
#: Every test makes its own lens: a mutant lives in what runs within a test, not in what pytest collected before.
LENSES: Final[dict[str, tuple[Callable[[], Lens], SearchStrategy[FieldValue], SearchStrategy[FieldValue]]]] = {
    "identity": (lambda: IDENTITY, TEXT | st.booleans() | st.integers(), TEXT | st.booleans() | st.integers()),
    "text": (lambda: text_lens(dynamics_length=4, marketo_length=6), TEXT, TEXT),
    "text without limits": (text_lens, TEXT, TEXT),
    "integer": (lambda: integer_lens(minimum=-3, maximum=1000), st.integers(-10, 1010) | st.integers(), st.integers()),
    "decimal": (
        lambda: decimal_lens(precision=4),
        st.decimals(-(10**11), 10**11, places=4) | st.integers() | st.floats(),
        st.floats() | st.integers() | st.decimals(-(10**6), 10**6, places=5),
    ),
    "boolean": (boolean_lens, st.booleans(), st.booleans()),
    "datetime": (datetime_lens, MOMENT, MOMENT.map(lambda at: at.replace(microsecond=0))),
    "date": (date_lens, st.dates(), st.dates()),
    "choice": (
        lambda: choice_lens(LABELS),
        st.integers(0, 8),
        st.sampled_from([*LABELS.values(), "COLD", "wArm", "STRASSE", "Hot"]),
    ),
    "reference": (reference_lens, GUIDS, GUIDS | GUIDS.map(str.upper)),
}
#: There are many lenses.
FEW: Final = settings(LAW, max_examples=50)
each_lens = pytest.mark.parametrize("name", LENSES)


@each_lens
@FEW
@given(data=st.data())
def test_what_was_carried_over_agrees(name: str, data: st.DataObject) -> None:
    """A value and what the lens makes of it are in agreement, whichever way it went."""
    make, of_dynamics, of_marketo = LENSES[name]
    lens = make()
    d, m = data.draw(st.none() | of_dynamics), data.draw(st.none() | of_marketo)
    there, back = lens.to_marketo(d), lens.to_dynamics(m)
    assert isinstance(there, Unfit) or lens.agree(d, there)
    assert isinstance(back, Unfit) or lens.agree(back, m)


@each_lens
@FEW
@given(data=st.data())
def test_there_and_back_and_there_again(name: str, data: st.DataObject) -> None:
    """The second time, it is what it was the first time; so two systems come to rest."""
    make, of_dynamics, of_marketo = LENSES[name]
    lens = make()
    for first, second, shown in [
        (lens.to_marketo, lens.to_dynamics, data.draw(st.none() | of_dynamics)),
        (lens.to_dynamics, lens.to_marketo, data.draw(of_marketo)),  # Marketo never shows an empty boolean
    ]:
        there = first(shown)
        if isinstance(there, Unfit):
            continue
        back = second(there)
        if not isinstance(back, Unfit):
            assert same(first(back), there)  # type: ignore[arg-type]  # unfit is not the same


@each_lens
@FEW
@given(data=st.data())
def test_what_does_not_fit_is_never_cut(name: str, data: st.DataObject) -> None:
    """Dynamics gets a value whole or not at all; Marketo gets the same, but for what it never shows."""
    make, of_dynamics, of_marketo = LENSES[name]
    lens = make()
    m = data.draw(of_marketo)
    written = lens.to_dynamics(m)
    if isinstance(written, Decimal):
        assert isinstance(m, int | float | Decimal)
        assert written == Decimal(str(m))
    elif isinstance(written, int) and isinstance(m, str):
        assert LABELS[written].casefold() == m.casefold()
    elif isinstance(written, str) and isinstance(m, str):
        assert len(written) == len(m)
    elif not isinstance(written, Unfit):
        assert same(written, m) or (written is None and m == "")
    d = data.draw(of_dynamics)
    shown = lens.to_marketo(d)
    if isinstance(shown, str) and isinstance(d, str):
        assert len(shown) == len(d)
    elif isinstance(shown, float):
        assert isinstance(d, int | float | Decimal)
        assert math.isclose(shown, d, rel_tol=1e-15, abs_tol=1e-300)
    elif isinstance(shown, datetime) and isinstance(d, datetime):
        assert timedelta() <= d - shown < timedelta(seconds=1)


@each_lens
@FEW
@given(data=st.data())
def test_a_reason_shows_no_value(name: str, data: st.DataObject) -> None:
    """A value is unfit for a reason that can be read by anyone: it gives the value away to nobody."""
    make, of_dynamics, of_marketo = LENSES[name]
    lens = make()
    wrongs: list[FieldValue] = ["confidential", 73917391, 7391.7391, True, date(7391, 1, 1)]
    wrong = data.draw(st.sampled_from(wrongs))
    shown = [(lens.to_marketo, data.draw(of_dynamics)), (lens.to_dynamics, data.draw(of_marketo))]
    for carry, value in [*shown, (lens.to_marketo, wrong), (lens.to_dynamics, wrong)]:
        carried = carry(value)
        if isinstance(carried, Unfit):
            assert carried.code
            assert carried.reason.endswith(".")
            assert "7391" not in carried.reason
            assert "confidential" not in carried.reason


@each_lens
def test_identical_values_agree(name: str) -> None:
    """Two systems that show the very same are in agreement, whether or not it could be carried."""
    lens = LENSES[name][0]()
    values: list[FieldValue] = [None, "", "far too long for either", 10**12, "ABC"]
    for value in values:
        assert lens.agree(value, value)


def of_another_type() -> list[tuple[Lens, FieldValue, str, str]]:
    """Each lens, a value that is none of its own, and what that is not for Marketo and for Dynamics."""
    return [
        (text_lens(), 7, "text", "text"),
        (integer_lens(), True, "whole number", "whole number"),
        (integer_lens(), 7.0, "whole number", "whole number"),
        (integer_lens(), "7", "whole number", "whole number"),
        (decimal_lens(), "7", "number", "number"),
        (decimal_lens(), False, "number", "number"),
        (boolean_lens(), 1, "yes or no", "yes or no"),
        (datetime_lens(), date(2026, 1, 2), "date and time", "date and time"),
        (date_lens(), "2026-01-02", "date", "date"),
        (choice_lens(LABELS), True, "choice", "label"),
        (reference_lens(), 7, "reference", "reference"),
        (integer_float_lens(), "7", "whole number", "number"),
        (choices_lens(LABELS), 7, "list of choices", "list of labels"),
        (wall_clock_lens(), date(2026, 1, 2), "date and time", "date and time"),
        (user_date_lens(), "2026-01-02", "date and time", "date"),
    ]


@pytest.mark.parametrize("place", range(len(of_another_type())))
def test_another_type_is_unfit(place: int) -> None:
    """No lens guesses what a value of another type may mean; true is no number."""
    lens, wrong, for_marketo, for_dynamics = of_another_type()[place]
    assert lens.to_marketo(wrong) == Unfit("wrong-type", f"it is no {for_marketo}.")
    assert lens.to_dynamics(wrong) == Unfit("wrong-type", f"it is no {for_dynamics}.")


def test_what_is_lost_and_held_in_words() -> None:
    """As the documentation shows it."""
    assert boolean_lens().loses == "an empty one, shown as false"
    assert user_date_lens().loses == "the time of day"
    assert integer_float_lens().holds == "fractions, numbers out of range"
    assert choices_lens(LABELS).holds == (
        "choices without a label of their own, labels without a choice, labels with a semicolon"
    )


def test_a_long_number_leaves_no_digit_behind_in_marketo() -> None:
    """A float there shows it to the last one, or it is held; so is what does not fit here."""
    lens = integer_float_lens(minimum=0, maximum=9)
    assert (lens.to_marketo(9), type(lens.to_marketo(9))) == (9.0, float)
    assert lens.to_marketo(2**53 + 1) == Unfit(
        "out-of-range", "Marketo takes -9,007,199,254,740,992 to 9,007,199,254,740,992."
    )
    assert lens.to_dynamics(10.0) == Unfit("out-of-range", "Dynamics takes 0 to 9.")


def at_the_edges() -> list[tuple[Lens, str, FieldValue, FieldValue | Unfit]]:
    """Each lens, the system a value goes to, the value, and what becomes of it there."""
    return [
        (text_lens(marketo_length=2), "marketo", "abc", Unfit("too-long", "3 characters, Marketo takes 2.")),
        (
            text_lens(dynamics_length=2000),
            "dynamics",
            "a" * 2310,
            Unfit("too-long", "2,310 characters, Dynamics takes 2,000."),
        ),
        (text_lens(marketo_length=2), "marketo", "ab", "ab"),
        (text_lens(), "marketo", "", None),
        (integer_lens(minimum=0, maximum=9), "dynamics", 10, Unfit("out-of-range", "Dynamics takes 0 to 9.")),
        (integer_lens(minimum=0, maximum=9), "dynamics", 9, 9),
        (integer_lens(minimum=0, maximum=9), "dynamics", 0, 0),
        (integer_lens(), "marketo", 2**31, Unfit("out-of-range", "Marketo takes -2,147,483,648 to 2,147,483,647.")),
        (decimal_lens(), "marketo", Decimal("0.10"), 0.1),
        (
            decimal_lens(),
            "marketo",
            Decimal("1e999"),
            Unfit("out-of-range", "it is no finite number that Marketo takes."),
        ),
        (decimal_lens(), "marketo", 10**400, Unfit("out-of-range", "it is no finite number that Marketo takes.")),
        (decimal_lens(precision=2), "dynamics", 0.25, Decimal("0.25")),
        (decimal_lens(precision=2), "dynamics", Decimal("0.25"), Decimal("0.25")),
        (decimal_lens(precision=2), "dynamics", 7, Decimal(7)),
        (decimal_lens(), "dynamics", Decimal("1e-10"), Decimal("1e-10")),
        (decimal_lens(), "dynamics", Decimal("1e-11"), Unfit("too-precise", "Dynamics keeps 10 decimal places.")),
        (decimal_lens(minimum=0), "dynamics", 10**11, Decimal(10**11)),
        (
            decimal_lens(minimum=0),
            "dynamics",
            10**11 + 1,
            Unfit("out-of-range", "Dynamics takes 0 to 100,000,000,000.0."),
        ),
        (decimal_lens(precision=2), "dynamics", 0.125, Unfit("too-precise", "Dynamics keeps 2 decimal places.")),
        (decimal_lens(), "dynamics", math.inf, Unfit("out-of-range", "it is no finite number that Dynamics takes.")),
        (decimal_lens(maximum=5), "dynamics", 5.5, Unfit("out-of-range", "Dynamics takes -100,000,000,000.0 to 5.")),
        (boolean_lens(), "marketo", None, False),
        (boolean_lens(), "dynamics", None, None),
        (boolean_lens(), "marketo", True, True),
        (choice_lens(LABELS), "marketo", 1, "Cold"),
        (choice_lens(LABELS), "marketo", 6, Unfit("no-label", "the choice has no label.")),
        (choice_lens(LABELS), "marketo", 99, Unfit("no-label", "the choice has no label.")),
        (choice_lens(LABELS), "dynamics", "COLD", 1),
        (choice_lens(LABELS), "dynamics", "Warm", 2),
        (choice_lens(LABELS), "dynamics", "warm", 3),
        (choice_lens(LABELS), "dynamics", "", None),
        (choice_lens(LABELS), "dynamics", "WARM", Unfit("no-choice", "Dynamics has no one choice of that label.")),
        (choice_lens(LABELS), "dynamics", "Open", Unfit("no-choice", "Dynamics has no one choice of that label.")),
        (choice_lens(LABELS), "dynamics", "Hot", Unfit("no-choice", "Dynamics has no one choice of that label.")),
        (
            reference_lens(),
            "dynamics",
            "0A1B0000-0000-4000-8000-00000000000F",
            "0a1b0000-0000-4000-8000-00000000000f",
        ),
        (reference_lens(), "dynamics", "", None),
        (datetime_lens(), "marketo", datetime(2026, 1, 2), Unfit("no-time-zone", "the time has no zone.")),  # noqa: DTZ001
        (
            datetime_lens(),
            "marketo",
            datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=timezone(timedelta(hours=1))),
            datetime(2026, 1, 2, 2, 4, 5, tzinfo=UTC),
        ),
        (
            datetime_lens(),
            "dynamics",
            datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=1))),
            Unfit("out-of-range", "the calendar has no such day."),
        ),
        (date_lens(), "dynamics", date(2026, 1, 2), date(2026, 1, 2)),
        (date_lens(), "marketo", datetime(2026, 1, 2, tzinfo=UTC), Unfit("wrong-type", "it has a time of day.")),
    ]


@pytest.mark.parametrize("place", range(len(at_the_edges())))
def test_what_a_lens_makes_of_a_value(place: int) -> None:
    """Each lens, at its edges."""
    lens, to, value, expected = at_the_edges()[place]
    carried = lens.to_marketo(value) if to == "marketo" else lens.to_dynamics(value)
    assert carried == expected
    assert type(carried) is type(expected)


def test_instants_are_told_in_one_zone() -> None:
    """In UTC, wherever this runs: two systems' texts of one instant are then the same."""
    east = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=1)))
    lens = datetime_lens()
    assert str(lens.to_marketo(east)) == str(lens.to_dynamics(east)) == "2026-01-02 02:04:05+00:00"
    for there in (lens.to_marketo(east), lens.to_dynamics(east)):
        assert isinstance(there, datetime)
        assert there.tzinfo is UTC


def test_a_choice_of_one_label_with_another_still_agrees() -> None:
    """Dynamics allows two choices of one label: either agrees with it, though none can be written from it."""
    lens = choice_lens(LABELS)
    assert lens.agree(4, "Open")
    assert lens.agree(5, "Open")
    assert not lens.agree(1, "Open")


def test_same_knows_numbers_from_booleans() -> None:
    """One is not true, zero not false; equal numbers of different types are the same."""
    assert not same(1, True)
    assert not same(False, 0)
    assert same(True, True)
    assert same(1, 1.0)
    assert same(Decimal("0.5"), 0.5)
    assert same(MISSING, MISSING)
    assert not same(MISSING, None)
    assert repr(MISSING) == "MISSING"


SCALARS: Final = st.one_of(
    st.none(),
    st.text(),
    st.integers(),
    st.booleans(),
    st.floats(allow_nan=False),
    st.decimals(allow_nan=False),
    st.dates(),
    st.datetimes(),
    MOMENT,
)
NESTED: Final = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(min_size=1).filter(lambda name: name[0] != "$"), inner, max_size=3)
    ),
    max_leaves=8,
)


def _kinds(value: object) -> object:
    match value:
        case list():
            return [_kinds(item) for item in value]
        case dict():
            return {name: _kinds(item) for name, item in value.items()}
        case _:
            return type(value)


@LAW
@given(NESTED)
def test_json_round_trip(value: object) -> None:
    """What was written down is read back, of the same type."""
    found = from_json(to_json(value))
    assert found == value
    assert _kinds(found) == _kinds(value)


def test_json_is_plain_and_compact() -> None:
    """Values without a JSON type are tagged; anything else is as it looks."""
    assert to_json({"a": Decimal("1.50"), "b": "é", "c": None}) == '{"a":{"$decimal":"1.50"},"b":"é","c":null}'
    assert to_json([date(2026, 1, 2)]) == '[{"$date":"2026-01-02"}]'
    assert to_json(datetime(2026, 1, 2, tzinfo=UTC)) == '{"$datetime":"2026-01-02T00:00:00+00:00"}'


@pytest.mark.parametrize("found", [{"$decimal": 5}, {"$other": "x"}, {"$decimal": "1", "more": 2}, {}])
def test_what_is_no_tag_is_an_object(found: object) -> None:
    """Only a lone tag with a text stands for a value."""
    assert from_json(to_json(found)) == found


@LAW
@given(SCALARS, SCALARS)
def test_a_fingerprint_stands_for_a_value(one: FieldValue, other: FieldValue) -> None:
    """The same value, the same text; another value, another; and it never shows what it stands for."""
    assert fingerprint(one) == fingerprint(from_json(to_json(one)))
    assert (fingerprint(one) == fingerprint(other)) == (to_json(one) == to_json(other))
    assert len(fingerprint(one)) == 16


def test_a_fingerprint_takes_any_text() -> None:
    """Half a surrogate pair too, as a truncated emoji leaves it."""
    assert fingerprint("\ud83d") != fingerprint("\ud83e")
    assert fingerprint("CTO") != fingerprint("cto")


def test_only_field_values_are_written_down() -> None:
    """Anything else is a mistake of the program; its text is not shown."""
    with pytest.raises(TypeError, match=r"^a bytes is no field value$"):
        to_json(b"confidential")


class _Amount(Decimal):
    """A number, as another library has it."""


class _Moment(datetime):
    """An instant, as another library has it."""


class _Day(date):
    """A day, as another library has it."""


@pytest.mark.parametrize(
    ("value", "tag"),
    [(_Amount("1.50"), "$decimal"), (_Moment(2026, 1, 2, tzinfo=UTC), "$datetime"), (_Day(2026, 1, 2), "$date")],
)
def test_a_kind_of_value_is_written_down_as_that_value(value: object, tag: str) -> None:
    """Classes made of ours, as libraries for data frames and for clocks have them; an instant is no mere day."""
    assert to_json(value).startswith(f'{{"{tag}":')
    assert from_json(to_json(value)) == value


def test_only_one_value_is_read() -> None:
    """What stands behind it was not written with it."""
    with pytest.raises(ValueError, match=r"^there is more than one value$"):
        from_json("1 2")
