"""What happens to a backfill while it is planned and carried out: other plans, other kinds, records out of sight."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

import pytest

from mkdyn import Entity, Guards, NewField, Pick, Rules
from mkdyn.domain import FieldSpec, PairState, System
from mkdyn.errors import NotEligibleError
from mkdyn.testing import Crash, Crashed, FakeDynamics
from tests.unit.engine.world import World

pytestmark = pytest.mark.anyio

EASY = Rules(guards=Guards(records_min=10_000), walk_links=0)
TIER = Pick(Entity.CONTACT, "new_tier", marketo=NewField("Tier"))
SIZE = Pick(Entity.ACCOUNT, "new_size", marketo="website")


async def _world(*entities: Entity) -> World:
    """Return a world with columns of somebody's own, and the names of some entities selected."""
    dynamics = FakeDynamics(now=lambda: datetime(2026, 1, 1, tzinfo=UTC))
    dynamics.add_column("contact", FieldSpec(name="new_tier", type="text", length=40, label="Tier"))
    dynamics.add_column("account", FieldSpec(name="new_size", type="text", length=40, label="Size"))
    world = World(rules=EASY, dynamics=dynamics)
    names = {Entity.CONTACT: "lastname", Entity.ACCOUNT: "name"}
    await world.sync.fields.select(*(Pick(entity, names[entity]) for entity in entities))
    return world


async def test_a_field_of_companies_is_refreshed_without_listening_to_persons() -> None:
    """None are synced."""
    world = await _world(Entity.ACCOUNT)
    key = world.dynamics.create("account", name="A", new_size="large")
    await world.rest()
    await world.sync.fields.select(SIZE)
    heard = world.marketo.calls_by_name["changes"]
    await world.sync.backfill(SIZE)
    company = world.marketo.record("company", key)
    assert company is not None
    assert company.values["website"] == "large"
    assert world.marketo.calls_by_name["changes"] == heard


async def test_a_second_plan_of_a_field_takes_the_place_of_the_first() -> None:
    """What the first one had planned is not written any more."""
    world = await _world(Entity.CONTACT, Entity.ACCOUNT)
    link = await world.linked(Entity.CONTACT, lastname="A", new_tier="old")
    await world.sync.fields.select(TIER)
    first = await world.sync.plan_backfill(TIER)
    world.dynamics.edit("contact", link.dynamics, new_tier="new")
    second = await world.sync.plan_backfill(TIER)
    assert [write.state for write in world.store.operations(first.id, after=0, limit=10)] == ["dropped"]
    await world.sync.apply(second)
    assert world.person(link)["tier"] == "new"


async def test_a_person_that_is_out_of_sight_is_left_to_a_run() -> None:
    """Nobody knows what is to be written over."""
    world = await _world(Entity.CONTACT)
    link = await world.linked(Entity.CONTACT, lastname="A", new_tier="gold")
    await world.sync.fields.select(TIER)
    world.marketo.delete("lead", link.marketo)
    plan = await world.sync.plan_backfill(TIER)
    assert plan.operations.total == 0


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_write_of_a_backfill_whose_answer_is_lost_is_written_by_the_end(
    when: Literal["before", "after"],
) -> None:
    """One that never arrived is planned as before, in the same plan, though a run settles it."""
    world = await _world(Entity.CONTACT)
    link = await world.linked(Entity.CONTACT, lastname="A", new_tier="gold")
    await world.sync.fields.select(TIER)
    plan = await world.sync.plan_backfill(TIER)
    call = world.next_call(System.MARKETO, "write")
    world.marketo.inject(Crash(call=call, of="write", when=when))
    with pytest.raises(Crashed):
        await world.sync.apply(plan)
    world.marketo.faults.clear()
    world.restart(EASY)
    await world.run(minutes=60)
    report = await world.sync.backfill(TIER)
    assert (report.id == plan.id) == (when == "before")  # the first plan had nothing left to send where it arrived
    assert world.person(link)["tier"] == "gold"
    [pair] = [pair for pair in await world.sync.fields.selected() if pair.dynamics == "new_tier"]
    assert pair.state is PairState.ACTIVE


async def test_a_field_that_is_gone_cannot_be_refreshed() -> None:
    """The reason says so."""
    world = await _world(Entity.CONTACT)
    await world.linked(Entity.CONTACT, lastname="A")
    await world.sync.fields.select(TIER)
    world.dynamics.drop_column("contact", "new_tier")
    await world.run()
    with pytest.raises(NotEligibleError, match=r"contact\.new_tier is missing: new_tier in Dynamics is not there"):
        await world.sync.backfill(TIER)


async def test_a_plan_that_was_cut_short_does_not_end_a_backfill() -> None:
    """The run after it leaves the field waiting; planned again, it is refreshed."""
    world = await _world(Entity.CONTACT)
    link = await world.linked(Entity.CONTACT, lastname="A", new_tier="gold")
    await world.sync.fields.select(TIER)
    world.dynamics.inject(Crash(call=world.next_call(System.DYNAMICS, "read"), of="read", when="before"))
    with pytest.raises(Crashed):
        await world.sync.plan_backfill(TIER)
    world.dynamics.faults.clear()
    world.restart(EASY)
    await world.run()
    [pair] = [pair for pair in await world.sync.fields.selected() if pair.dynamics == "new_tier"]
    assert (pair.state, world.person(link)["tier"]) == (PairState.BACKFILLING, None)
    await world.sync.backfill(TIER)
    assert world.person(link)["tier"] == "gold"
