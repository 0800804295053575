"""Systems, entities and directions: who is who, and who may write to whom."""

from __future__ import annotations

import random

import pytest

from mkdyn.domain import (
    AnyEntity,
    CustomEntity,
    Direction,
    Entity,
    FieldPair,
    System,
    direction_of,
    is_person,
    may_create_field,
)
from mkdyn.domain.directions import narrowed
from mkdyn.domain.entities import rank
from mkdyn.domain.systems import System as SystemItself
from mkdyn.errors import OneWayError

from .worlds import ENTITIES, ONE_WAY, PERSONS, SUBSCRIPTION

INVOICE = CustomEntity("new_invoice", parent=SUBSCRIPTION, via="new_subscriptionid")
EVENT = CustomEntity("new_event")


def test_two_systems() -> None:
    """Each is the other's other; their names are words for people."""
    assert [system.other for system in System] == [System.DYNAMICS, System.MARKETO]
    assert [str(system) for system in System] == ["Marketo", "Dynamics"]
    assert [repr(system) for system in System] == ["System.MARKETO", "System.DYNAMICS"]
    assert SystemItself is System


@pytest.mark.parametrize(
    ("entity", "logical_name", "marketo_object", "text", "plural"),
    [
        (Entity.LEAD, "lead", "lead", "lead", "leads"),
        (Entity.CONTACT, "contact", "lead", "contact", "contacts"),
        (Entity.ACCOUNT, "account", "company", "account", "accounts"),
        (Entity.USER, "systemuser", "salesperson", "user", "users"),
        (Entity.OPPORTUNITY, "opportunity", "opportunity", "opportunity", "opportunities"),
        (Entity.TEAM, "team", "dynamicsTeam_c", "team", "teams"),
        (EVENT, "new_event", "new_event_c", "new_event", "custom entities"),
        (CustomEntity("new_x", marketo="x_c"), "new_x", "x_c", "new_x", "custom entities"),
    ],
    ids=repr,
)
def test_what_an_entity_is_called(
    entity: AnyEntity, logical_name: str, marketo_object: str, text: str, plural: str
) -> None:
    """In Dynamics, in Marketo, and by people."""
    assert (entity.logical_name, entity.marketo_object) == (logical_name, marketo_object)
    assert (str(entity), entity.plural) == (text, plural)


def test_entities_show_as_they_are_written() -> None:
    """A repr is what one types."""
    assert repr(Entity.USER) == "Entity.USER"
    assert repr(EVENT) == "CustomEntity('new_event')"
    assert CustomEntity("new_event") == EVENT


def test_persons() -> None:
    """Leads and contacts are persons in Marketo, nothing else is."""
    assert [entity for entity in ENTITIES if is_person(entity)] == list(PERSONS)


def test_leads_and_contacts_sync_both_ways_all_else_to_marketo() -> None:
    """M1 and M2."""
    assert [direction_of(entity) for entity in PERSONS] == [Direction.BOTH] * 2
    assert [direction_of(entity) for entity in ONE_WAY] == [Direction.TO_MARKETO] * len(ONE_WAY)


def test_a_field_can_be_created_in_marketo_alone() -> None:
    """M4."""
    assert may_create_field(System.MARKETO)
    assert not may_create_field(System.DYNAMICS)


def test_what_a_direction_writes() -> None:
    """Both ways writes both systems, the others one each."""
    written = {direction: [system for system in System if direction.writes(system)] for direction in Direction}
    assert written == {
        Direction.BOTH: [System.MARKETO, System.DYNAMICS],
        Direction.TO_MARKETO: [System.MARKETO],
        Direction.TO_DYNAMICS: [System.DYNAMICS],
    }
    assert [str(direction) for direction in Direction] == [
        "both ways",
        "Dynamics → Marketo only",
        "Marketo → Dynamics only",
    ]
    assert repr(Direction.TO_MARKETO) == "Direction.TO_MARKETO"


@pytest.mark.parametrize("entity", PERSONS, ids=str)
def test_a_person_s_field_may_be_narrowed(entity: AnyEntity) -> None:
    """To either direction; without a wish it goes both ways."""
    assert [narrowed(entity, "x", asked) for asked in (None, *Direction)] == [Direction.BOTH, *Direction]


@pytest.mark.parametrize("entity", ONE_WAY, ids=str)
def test_a_one_way_entity_can_be_asked_for_its_own_direction_only(entity: AnyEntity) -> None:
    """Asking for more is an error, at the latest where the pair is made."""
    assert narrowed(entity, "x", None) is narrowed(entity, "x", Direction.TO_MARKETO) is Direction.TO_MARKETO
    for wider in (Direction.BOTH, Direction.TO_DYNAMICS):
        with pytest.raises(OneWayError, match="sync Dynamics → Marketo only"):
            narrowed(entity, "x", wider)
        with pytest.raises(OneWayError, match=rf"^{entity}\.x: "):
            FieldPair(entity, "x", "y", direction=wider)


@pytest.mark.parametrize(
    ("entity", "field", "text"),
    [
        (
            INVOICE,
            "new_paidon",
            "new_invoice.new_paidon: custom entities sync Dynamics → Marketo only. Leave direction out.",
        ),
        (
            Entity.OPPORTUNITY,
            "name",
            "opportunity.name: opportunities sync Dynamics → Marketo only. Leave direction out.",
        ),
    ],
    ids=str,
)
def test_the_error_says_whose_direction_it_is(entity: AnyEntity, field: str, text: str) -> None:
    """And what to do."""
    with pytest.raises(OneWayError) as caught:
        narrowed(entity, field, Direction.BOTH)
    assert str(caught.value) == text
    assert caught.value.what_to_do == "Leave direction out."


def test_what_others_refer_to_comes_first() -> None:
    """User, team, account, contact, lead, opportunity; custom entities last, each next to its parent."""
    order: list[AnyEntity] = [
        Entity.USER,
        Entity.TEAM,
        Entity.ACCOUNT,
        Entity.CONTACT,
        Entity.LEAD,
        Entity.OPPORTUNITY,
        SUBSCRIPTION,
        INVOICE,
        CustomEntity("new_line", parent=INVOICE, via="new_invoiceid"),
    ]
    assert [rank(entity) for entity in order] == list(range(len(order)))
    assert rank(EVENT) == rank(SUBSCRIPTION)
    for seed in range(20):
        assert sorted(random.Random(seed).sample(order, len(order)), key=rank) == order
