"""Fields, pairs of them, and the lens between their types."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from mkdyn.domain import CustomEntity, Direction, Entity, FieldPair, FieldSpec, FieldType, NewField, PairState, System


def spec(type: FieldType, **facts: Any) -> FieldSpec:  # noqa: ANN401 - of each fact's own type
    """Return a field of one type."""
    return attrs.evolve(FieldSpec(name="new_x", type=type), **facts)


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
    assert [str(state) for state in PairState] == ["backfilling", "active", "missing", "blocked"]
    assert repr(PairState.MISSING) == "PairState.MISSING"


def test_a_pair_has_a_place_in_each_system() -> None:
    """An object and a field."""
    pair = FieldPair(Entity.ACCOUNT, "telephone1", "mainPhone")
    assert (pair.object_in(System.DYNAMICS), pair.field_in(System.DYNAMICS)) == ("account", "telephone1")
    assert (pair.object_in(System.MARKETO), pair.field_in(System.MARKETO)) == ("company", "mainPhone")
