"""What each lens is called, what it holds and says, and at which value it begins to hold."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from mkdyn.domain.fields import FieldSpec
from mkdyn.domain.lenses.lens import Lens, Unfit
from mkdyn.domain.lenses.matrix import counterpart_type, lens_between
from mkdyn.domain.lenses.numbers import decimal_integer_lens, decimal_lens, integer_float_lens, integer_lens
from mkdyn.domain.lenses.texts import (
    choice_lens,
    choice_number_lens,
    choices_lens,
    digits_lens,
    is_email,
    reference_lens,
    text_lens,
)
from mkdyn.domain.types import FieldType
from mkdyn.domain.values import FieldValue
from mkdyn.errors import TypeMismatchError

CHOICES = {1: "Web", 9: "Trade fair", -2: "Other"}


def test_what_a_lens_holds_is_told() -> None:
    """The reference of types shows these words."""
    lenses = [
        text_lens(),
        text_lens(dynamics_length=9),
        text_lens(marketo_bytes=9, email=True),
        text_lens(email=True),
        reference_lens(),
        choice_lens(CHOICES),
        choice_number_lens(CHOICES),
        choices_lens(CHOICES),
        digits_lens(whole=True),
        integer_lens(),
        integer_float_lens(),
        decimal_integer_lens(),
        decimal_lens(),
    ]
    assert [lens.holds for lens in lenses] == [
        "",
        "texts that are too long",
        "texts that are too long, what is no address",
        "what is no address",
        "texts that are no GUID",
        "choices without a label, labels without a choice of their own",
        "numbers without a choice",
        "choices without a label of their own, labels without a choice, labels with a semicolon",
        "texts that are no number Dynamics takes",
        "numbers out of range",
        "fractions, numbers out of range",
        "fractions, numbers out of range",
        "more decimal places than Dynamics keeps, numbers out of range",
    ]
    assert {lens.name: lens.loses for lens in lenses if lens.loses} == {"decimal-float": "digits beyond a float's 15"}


def _to_dynamics(lens: Lens, value: Any) -> FieldValue | Unfit:  # noqa: ANN401 - whatever a system shows
    return lens.to_dynamics(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("1.50"), "1.5"),
        (Decimal(100), "100"),
        (Decimal("1E+3"), "1000"),
        (Decimal("0.00"), "0"),
        (Decimal("-0.0"), "0"),
        (-0.0, "0"),
        (-5, "-5"),
        (12345678, "12345678"),
        (Decimal("Infinity"), Unfit("out-of-range", "it is no finite number.")),
        (float("nan"), Unfit("out-of-range", "it is no finite number.")),
        (123456789, Unfit("too-long", "9 characters, Marketo takes 8.")),
        ("1", Unfit("wrong-type", "it is no number.")),
    ],
)
def test_digits_of_a_number(value: FieldValue, text: object) -> None:
    """No zeros at the end, no exponent, no negative nought."""
    assert digits_lens(whole=False, marketo_length=8).to_marketo(value) == text


NO_NUMBER = Unfit("no-number", "it is no number.")


@pytest.mark.parametrize(
    ("value", "whole", "number"),
    [
        (" 7 ", True, 7),
        ("7.0", True, 7),
        ("1E2", False, Decimal(100)),
        ("", True, None),
        ("   ", False, None),
        ("7.5", True, Unfit("too-precise", "Dynamics keeps 0 decimal places.")),
        ("7.12345", False, Unfit("too-precise", "Dynamics keeps 4 decimal places.")),
        ("1_000", False, NO_NUMBER),
        ("\u0661", False, NO_NUMBER),
        ("seven", False, NO_NUMBER),
        ("NaN", False, NO_NUMBER),
        ("Infinity", False, NO_NUMBER),
        ("101", True, Unfit("out-of-range", "Dynamics takes -100 to 100.")),
        (7, True, Unfit("wrong-type", "it is no text.")),
    ],
)
def test_a_number_of_digits(value: FieldValue, whole: bool, number: object) -> None:
    """As people write it; what Dynamics would round is held."""
    lens = digits_lens(whole=whole, precision=4, minimum=-100, maximum=100)
    found = lens.to_dynamics(value)
    assert found == number
    assert type(found) is type(number)


def test_numbers_without_bounds_of_their_own_are_within_dynamics_own() -> None:
    """A hundred thousand millions either way, ten places."""
    most = Decimal("1e11")
    for lens in (digits_lens(whole=False), decimal_integer_lens(), decimal_lens()):
        carry = str if lens.name == "number-text" else int
        for bound in (most, -most):
            assert _to_dynamics(lens, carry(bound)) == bound
            beyond = _to_dynamics(lens, carry(bound + (1 if bound > 0 else -1)))
            assert isinstance(beyond, Unfit)
            assert (beyond.code, beyond.reason[:14]) == ("out-of-range", "Dynamics takes")
    assert digits_lens(whole=False).to_dynamics("0.1234567891") == Decimal("0.1234567891")
    assert isinstance(digits_lens(whole=False).to_dynamics("0.12345678912"), Unfit)


@pytest.mark.parametrize(
    ("value", "carried"),
    [
        (Decimal("5.0"), 5),
        (Decimal("5.5"), Unfit("not-whole", "it is no whole number.")),
        (float("inf"), Unfit("not-whole", "it is no whole number.")),
        (Decimal(2**31 - 1), 2**31 - 1),
        (Decimal(2**31), Unfit("out-of-range", "Marketo takes -2,147,483,648 to 2,147,483,647.")),
        ("5", Unfit("wrong-type", "it is no number.")),
    ],
)
def test_a_decimal_as_a_whole_number(value: FieldValue, carried: object) -> None:
    """Where it is one, and Marketo takes it."""
    assert decimal_integer_lens().to_marketo(value) == carried


@pytest.mark.parametrize(
    ("value", "carried"),
    [
        (5, Decimal(5)),
        (None, None),
        (11, Unfit("out-of-range", "Dynamics takes 1 to 10.")),
        (0, Unfit("out-of-range", "Dynamics takes 1 to 10.")),
        (Decimal(5), Unfit("wrong-type", "it is no whole number.")),
    ],
)
def test_a_whole_number_as_a_decimal(value: FieldValue, carried: object) -> None:
    """As Dynamics keeps it."""
    found = decimal_integer_lens(minimum=1, maximum=10).to_dynamics(value)
    assert (found, type(found)) == (carried, type(carried))


@pytest.mark.parametrize("places", [0, 2])
def test_decimal_places_are_those_of_the_column(places: int) -> None:
    """Odd digits count like even ones."""
    lens = decimal_lens(precision=places)
    assert lens.to_dynamics(3) == Decimal(3)
    assert lens.to_dynamics(Decimal("0.03")) == (
        Decimal("0.03") if places else Unfit("too-precise", "Dynamics keeps 0 decimal places.")
    )


def test_choices_by_number() -> None:
    """One that Dynamics does not have is held, and so is what is no number."""
    lens = choice_number_lens(CHOICES)
    for carry in (lens.to_marketo, lens.to_dynamics):
        assert (carry(9), carry(None)) == (9, None)
        assert carry(2) == Unfit("no-choice", "Dynamics has no choice of that number.")
        assert carry("9") == Unfit("wrong-type", "it is no choice.")
    several = choices_lens(CHOICES)
    assert several.to_marketo("-2, 9") == "Other;Trade fair"
    assert several.to_marketo("9-") == Unfit("wrong-type", "it is no list of choices.")
    assert several.to_marketo("XX9") == Unfit("wrong-type", "it is no list of choices.")


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("a@b", True),
        ("@b", False),
        ("a@", False),
        ("a@b@c", False),
        ("ab", False),
        ("@", False),
        ("a@b c", False),
        (" a@b", False),
        ("ä@b", False),
    ],
)
def test_what_is_an_address(text: str, is_one: bool) -> None:
    """Something, one @, something."""
    assert is_email(text) == is_one


def test_a_text_as_long_as_its_field_fits() -> None:
    """One more character does not; no limit is none."""
    lens = text_lens(dynamics_length=3, marketo_length=4)
    assert (lens.to_dynamics("abc"), lens.to_marketo("abcd")) == ("abc", "abcd")
    assert isinstance(lens.to_dynamics("abcd"), Unfit)
    assert isinstance(lens.to_marketo("abcde"), Unfit)


def _spec(kind: FieldType, **more: Any) -> FieldSpec:  # noqa: ANN401 - what a field has besides
    return FieldSpec(name="f", type=kind, label="F", **more)


@pytest.mark.parametrize(
    ("kinds", "best"),
    [
        (("guid", "bigint", "lookup", "owner", "customer", "choice", "choices", "state", "status", "text"), "text"),
        (("decimal", "float"), "float"),
        (("money", "currency"), "currency"),
        (("wall-clock", "datetime"), "datetime"),
        (("user-date", "date"), "date"),
        (("image", "file", "unsupported", "reference"), None),
        (("boolean",), "boolean"),
        (("integer",), "integer"),
        (("email",), "email"),
    ],
)
def test_the_type_that_holds_another_best(kinds: tuple[FieldType, ...], best: FieldType | None) -> None:
    """Where Marketo has none of the kind, a text."""
    assert {counterpart_type(_spec(kind)) for kind in kinds} == {best}
    assert {counterpart_type(_spec(kind), ("text",)) for kind in kinds} == {None if best is None else "text"}


def test_bounds_and_places_of_a_column_are_its_lens_s() -> None:
    """Whatever Marketo keeps the number in."""
    bounds: dict[str, Any] = {"minimum": 1.0, "maximum": 10.0}
    for left, right in (("decimal", "integer"), ("decimal", "float"), ("integer", "float"), ("integer", "integer")):
        lens = lens_between(_spec(left, **bounds), _spec(right))  # type: ignore[arg-type]
        one, ten = (float(edge) if right == "float" else edge for edge in (1, 10))
        assert (_to_dynamics(lens, one), _to_dynamics(lens, ten)) == (1, 10)
        assert isinstance(_to_dynamics(lens, one - 1), Unfit)
        assert isinstance(_to_dynamics(lens, ten + 1), Unfit)
    text = lens_between(_spec("decimal", precision=2, **bounds), _spec("text", length=4))
    assert (text.to_dynamics("1.25"), text.to_dynamics("10")) == (Decimal("1.25"), Decimal(10))
    assert [isinstance(text.to_dynamics(value), Unfit) for value in ("1.255", "0.99", "10.01")] == [True] * 3
    assert (text.to_marketo(Decimal("9.25")), isinstance(text.to_marketo(Decimal("10.25")), Unfit)) == ("9.25", True)


def test_only_a_text_area_is_measured_in_bytes() -> None:
    """A text of thirty thousand characters, two bytes each, fits into no area."""
    long = "ä" * 15_001
    assert lens_between(_spec("memo"), _spec("text")).to_marketo(long) == long
    assert isinstance(lens_between(_spec("memo"), _spec("memo")).to_marketo(long), Unfit)


@pytest.mark.parametrize(
    ("kind", "says"),
    [("image", r"Leave it out: .+\."), ("reference", r"Leave it out: Marketo keeps it for itself\.")],
)
def test_what_fits_into_no_field_is_to_be_left_out(kind: FieldType, says: str) -> None:
    """And it is said why."""
    with pytest.raises(TypeMismatchError, match=says):
        lens_between(_spec(kind), _spec("text"))
