"""The standard mapping."""

from __future__ import annotations

import pytest

from mkdyn.domain import CustomEntity, Direction, Entity, NewField, direction_of
from mkdyn.domain.directions import narrowed
from mkdyn.domain.mapping import STANDARD_MAPPING, standard_row


@pytest.mark.parametrize("entity", Entity, ids=str)
def test_every_field_is_mapped_once(entity: Entity) -> None:
    """No Dynamics field has two counterparts, no Marketo field is fed twice."""
    rows = STANDARD_MAPPING[entity]
    assert len({row.dynamics for row in rows}) == len({row.marketo for row in rows}) == len(rows) > 0
    assert all(standard_row(entity, row.dynamics) is row for row in rows)


@pytest.mark.parametrize("entity", Entity, ids=str)
def test_no_row_goes_wider_than_its_entity(entity: Entity) -> None:
    """Narrower it may."""
    for row in STANDARD_MAPPING[entity]:
        assert narrowed(entity, row.dynamics, row.direction) in {row.direction, direction_of(entity)}


@pytest.mark.parametrize("entity", [Entity.LEAD, Entity.CONTACT], ids=str)
def test_what_dynamics_alone_decides(entity: Entity) -> None:
    """State and references go Dynamics → Marketo only, for persons too."""
    for row in STANDARD_MAPPING[entity]:
        if row.refers_to is not None or row.dynamics == "statecode":
            assert row.direction is Direction.TO_MARKETO


def test_what_is_not_mapped_has_no_row() -> None:
    """Nor has any field of a custom entity."""
    assert standard_row(Entity.LEAD, "new_tier") is None
    assert standard_row(CustomEntity("new_x"), "name") is None


def test_a_field_of_ours_is_called_as_its_label_makes_it() -> None:
    """Marketo makes a name of a label, and would make this one."""
    rows = [row for entity in Entity for row in STANDARD_MAPPING[entity] if row.label is not None]
    assert {NewField(row.label).api_name: row.marketo for row in rows} == {row.marketo: row.marketo for row in rows}
