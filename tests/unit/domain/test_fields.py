"""Fields, pairs of them, and the lens between their types."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, get_args

import attrs
import pytest

from mkdyn.domain import CustomEntity, Direction, Entity, FieldPair, FieldSpec, FieldType, NewField, PairState, Unfit
from mkdyn.domain.fields import counterpart_type, lens_between
from mkdyn.errors import TypeMismatchError

TYPES: tuple[FieldType, ...] = get_args(FieldType)
#: Which Marketo type holds which Dynamics type, and through which lens.
FITTING: dict[tuple[FieldType, FieldType], str] = {
    ("text", "text"): "text",
    ("guid", "text"): "text",
    ("integer", "integer"): "integer",
    ("decimal", "float"): "decimal-float",
    ("decimal", "decimal"): "decimal-float",
    ("float", "float"): "decimal-float",
    ("float", "decimal"): "decimal-float",
    ("boolean", "boolean"): "boolean",
    ("choice", "text"): "choice-label",
    ("datetime", "datetime"): "datetime",
    ("date", "date"): "date",
    ("lookup", "text"): "reference",
}


def spec(type: FieldType, **facts: Any) -> FieldSpec:  # noqa: ANN401 - of each fact's own type
    """Return a field of one type."""
    return attrs.evolve(FieldSpec(name="new_x", type=type), **facts)


@pytest.mark.parametrize("dynamics", TYPES)
@pytest.mark.parametrize("marketo", TYPES)
def test_every_two_types_have_one_lens_or_none(dynamics: FieldType, marketo: FieldType) -> None:
    """What fits has a lens; what does not is refused, and says which type would do."""
    name = FITTING.get((dynamics, marketo))
    if name is not None:
        assert lens_between(spec(dynamics), spec(marketo)).name == name
        return
    with pytest.raises(TypeMismatchError) as caught:
        lens_between(spec(dynamics), FieldSpec(name="x", type=marketo))
    assert str(caught.value) == (
        f"new_x ({dynamics} in Dynamics) does not fit x ({marketo} in Marketo). "
        f"Map it to a Marketo field of type {counterpart_type(spec(dynamics))}."
    )


@pytest.mark.parametrize("type", [type for type in TYPES if type != "unsupported"])
def test_every_type_has_a_counterpart_that_fits(type: FieldType) -> None:
    """A field created in Marketo for a Dynamics field can hold it."""
    counterpart = counterpart_type(spec(type))
    assert lens_between(spec(type), spec(counterpart)).name == FITTING[type, counterpart]


def test_a_lens_knows_the_fields_limits() -> None:
    """Lengths, ranges, precision, choices and defaults are the two specs'."""
    text = lens_between(spec("text", length=3), spec("text", length=2))
    assert text.to_marketo("abc") == Unfit("too-long", "3 characters, Marketo takes 2.")
    assert text.to_dynamics("abcd") == Unfit("too-long", "4 characters, Dynamics takes 3.")
    whole = lens_between(spec("integer", minimum=0, maximum=10), spec("integer"))
    assert whole.to_dynamics(11) == Unfit("out-of-range", "Dynamics takes 0 to 10.")
    assert lens_between(spec("integer"), spec("integer")).to_dynamics(2**31 - 1) == 2**31 - 1
    number = lens_between(spec("decimal", precision=1, minimum=-1, maximum=1), spec("float"))
    assert number.to_dynamics(0.5) == Decimal("0.5")
    assert isinstance(number.to_dynamics(0.25), Unfit)
    assert isinstance(number.to_dynamics(1.5), Unfit)
    assert lens_between(spec("decimal"), spec("float")).to_dynamics(0.25) == Decimal("0.25")
    assert lens_between(spec("choice", choices={1: "Cold"}), spec("text")).to_marketo(1) == "Cold"
    assert lens_between(spec("boolean", default=True), spec("boolean")).dynamics_default is True
    assert lens_between(spec("boolean"), spec("boolean")).dynamics_default is False


def test_a_number_without_limits_of_its_own_has_the_vendor_s() -> None:
    """Dynamics' own bounds of its whole numbers and its decimals, to the last one that fits; ten decimal places."""
    whole = lens_between(spec("integer"), spec("integer"))
    for last in (-(2**31), 2**31 - 1):
        assert whole.to_dynamics(last) == last
    for beyond in (-(2**31) - 1, 2**31):
        assert whole.to_dynamics(beyond) == Unfit("out-of-range", "Dynamics takes -2,147,483,648 to 2,147,483,647.")
    number = lens_between(spec("decimal"), spec("float"))
    for edge in (-(10**11), 10**11):
        assert number.to_dynamics(edge) == edge
        assert number.to_dynamics(edge + edge // 10**11) == Unfit(
            "out-of-range", "Dynamics takes -100,000,000,000.0 to 100,000,000,000.0."
        )
    assert number.to_dynamics(Decimal("0.0000000001")) == Decimal("0.0000000001")
    assert number.to_dynamics(Decimal("0.00000000001")) == Unfit("too-precise", "Dynamics keeps 10 decimal places.")
    assert lens_between(spec("decimal", minimum=-1), spec("float")).to_dynamics(-2) == Unfit(
        "out-of-range", "Dynamics takes -1 to 100,000,000,000.0."
    )


def test_a_shape_is_type_and_size() -> None:
    """As people write it."""
    assert spec("text", length=100).shape == "text(100)"
    assert spec("decimal").shape == "decimal"


@pytest.mark.parametrize(
    ("field", "api_name"),
    [
        (NewField("Customer tier"), "customerTier"),
        (NewField("tier"), "tier"),
        (NewField("  Net   Promoter-Score (2026) "), "netPromoterScore2026"),
        (NewField("Größe"), "grE"),
        (NewField("顧客"), ""),
        (NewField("Customer tier", name="tier_2"), "tier_2"),
    ],
)
def test_a_new_field_is_named_after_its_label(field: NewField, api_name: str) -> None:
    """In camel case, as Marketo does, unless it is given a name."""
    assert field.api_name == api_name


def test_a_pair_goes_its_entity_s_way() -> None:
    """Unless it is narrowed; a new one is active, and the first selection of its field."""
    pair = FieldPair(Entity.LEAD, "jobtitle", "title")
    assert (pair.direction, pair.state, pair.key) == (Direction.BOTH, PairState.ACTIVE, "jobtitle")
    assert FieldPair(CustomEntity("new_x"), "a", "a").direction is Direction.TO_MARKETO
    assert attrs.evolve(pair, selection=3).key == "jobtitle#3"
    assert [str(state) for state in PairState] == ["backfilling", "active", "missing"]
    assert repr(PairState.MISSING) == "PairState.MISSING"
