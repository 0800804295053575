"""Marketo's own answers to our writes are told from people's edits."""

from __future__ import annotations

import pytest

from mkdyn import Entity, Pick
from mkdyn.testing import FakeMarketo, Reject
from tests.unit.engine.world import World

pytestmark = pytest.mark.anyio


async def test_a_blocked_field_is_held_and_never_taken_for_an_edit() -> None:
    """Marketo answers "updated" and keeps its own value: what shows again is no edit of anybody."""
    world = await World.of(Entity.LEAD)
    link = await world.linked(Entity.LEAD, lastname="Lovelace", jobtitle="Engineer")
    world.marketo.block_field("lead", "title")
    world.dynamics.edit("lead", link.dynamics, jobtitle="CTO", telephone1="1")
    await world.run()
    report = await world.run()
    assert world.row(link)["jobtitle"] == "CTO"
    [hold] = report.holds
    assert (hold.code, hold.field) == ("blocked", "jobtitle")
    assert "Engineer" not in str(hold)
    world.marketo.unblock_field("lead", "title")
    world.marketo.edit("lead", link.marketo, title="CEO")
    await world.rest()
    assert world.row(link)["jobtitle"] == world.person(link)["title"] == "CEO"
    assert [item async for item in world.sync.journal.holds()] == []


async def test_a_rewritten_value_is_held_and_not_carried_back() -> None:
    """Marketo stores something else than we wrote: its rendering is no edit."""
    world = await World.of(Entity.LEAD)
    link = await world.linked(Entity.LEAD, lastname="Lovelace", jobtitle="Engineer")
    world.marketo.rewrite("lead", "title", lambda value: str(value).upper())
    world.dynamics.edit("lead", link.dynamics, jobtitle="cto")
    report = await world.rest()
    assert (world.row(link)["jobtitle"], world.person(link)["title"]) == ("cto", "CTO")
    assert [hold.code async for hold in world.sync.journal.holds()] == ["rewritten"]
    assert not report.operations


async def test_what_marketo_made_of_a_value_is_held_again_once_an_edit_over_it_is_undone() -> None:
    """Dynamics had refused that edit; the hold of it went, and the two differed ever after without a reason."""
    world = await World.of(Entity.LEAD)
    link = await world.linked(Entity.LEAD, lastname="Lovelace", jobtitle="Engineer")
    world.marketo.rewrite("lead", "title", lambda value: str(value).upper())
    world.dynamics.edit("lead", link.dynamics, jobtitle="cto")
    await world.rest()
    world.dynamics.inject(Reject(key=link.dynamics, field="jobtitle"))
    world.marketo.edit("lead", link.marketo, title="VP")
    await world.rest()
    assert [hold.code async for hold in world.sync.journal.holds()] == ["rejected"]
    world.marketo.edit("lead", link.marketo, title="CTO")
    await world.rest()
    assert [hold.code async for hold in world.sync.journal.holds()] == ["rewritten"]


async def test_our_own_writes_coming_back_cost_no_read() -> None:
    """An entry that says just what we wrote is dropped where it is read."""
    world = await World.of(Entity.LEAD)
    link = await world.linked(Entity.LEAD, lastname="Lovelace")
    world.dynamics.edit("lead", link.dynamics, jobtitle="CTO")
    await world.run()
    reads = world.marketo.calls_by_name["read"]
    report = await world.run()
    assert report.observed == 0
    assert world.marketo.calls_by_name["read"] == reads + 1  # the walk's


async def test_several_writes_of_one_field_are_each_recognised() -> None:
    """Two writes before the first comes back: both are ours, as long as Marketo's feed may take."""
    world = await World.of(Entity.LEAD, marketo=FakeMarketo(settles_after_s=3_600))
    link = await world.linked(Entity.LEAD, lastname="Lovelace")
    world.marketo.hold_entries()
    for title in ("a", "b", "c"):
        world.dynamics.edit("lead", link.dynamics, jobtitle=title)
        await world.run()
    world.marketo.show_entries()
    report = await world.run()
    assert (report.observed, report.collisions.total) == (0, 0)
    assert not (await world.rest()).operations


async def test_an_overwritten_edit_that_can_not_be_read_back_is_held() -> None:
    """The feed's text is no value of the field's type: nothing is invented, a person is told."""
    world = await World.of(Entity.CONTACT)
    link = await world.linked(Entity.CONTACT, lastname="Lovelace", donotbulkemail=False)
    edits = iter([True])

    def meddle(call: str) -> None:
        if call == "write lead" and next(edits, None):
            world.marketo.edit("lead", link.marketo, unsubscribed=True)
            world.marketo.edit("lead", link.marketo, unsubscribed=False)

    world.marketo.between(meddle)
    world.dynamics.edit("contact", link.dynamics, jobtitle="CTO")
    await world.rest()
    assert world.row(link)["donotbulkemail"] is False


async def test_a_field_deselected_before_its_echo_comes_back_is_forgotten() -> None:
    """An unconfirmed write of a field that does not sync any more decides nothing."""
    world = await World.of(Entity.LEAD, marketo=FakeMarketo(settles_after_s=3_600))
    link = await world.linked(Entity.LEAD, lastname="Lovelace")
    world.marketo.hold_entries()
    world.dynamics.edit("lead", link.dynamics, jobtitle="CTO")
    await world.run()
    await world.sync.fields.deselect(Pick(Entity.LEAD, "jobtitle"))
    world.marketo.show_entries()
    world.marketo.hold_entries(link.marketo)
    world.marketo.edit("lead", link.marketo, city="London")
    world.marketo.show_entries()
    await world.rest()
    assert world.row(link)["address1_city"] == "London"
