"""What random histories found: writes of which one half, or the answer, was lost."""

from __future__ import annotations

import pytest

from mkdyn import Entity
from mkdyn.domain.systems import System
from mkdyn.testing import Crash, Crashed, LoseAnswer, Reject
from tests.unit.engine.world import World

pytestmark = pytest.mark.anyio


async def test_an_edit_that_was_not_put_back_for_a_crash_is_no_answer_of_marketos() -> None:
    """Its row's half had dealt with the evidence: what the person showed was held as what Marketo made of our write."""
    world = await World.of(Entity.LEAD)
    link = await world.linked(Entity.LEAD, lastname="A")
    world.marketo.edit("lead", link.marketo, leadStatus="theirs")
    world.marketo.hold_entries()
    await world.run()
    world.marketo.lose_entries()  # its own entry never came
    world.marketo.edit("lead", link.marketo, leadStatus="again", phone="2")
    world.dynamics.inject(Crash(call=world.next_call(System.DYNAMICS, "write"), of="write", when="after"))
    world.marketo.inject(Crash(call=world.next_call(System.MARKETO, "write"), of="write", when="before"))
    with pytest.raises(Crashed):
        await world.run()
    for fake in (world.marketo, world.dynamics):
        fake.faults.clear()
    world.restart()
    report = await world.rest()
    assert (world.person(link)["leadStatus"], world.row(link)["telephone1"]) == ("Open", "2")
    assert [hold.code for hold in report.holds] == []


async def test_a_write_whose_answer_was_lost_is_what_both_agreed_on_once_the_feed_tells_of_it() -> None:
    """Somebody edited the person after it. The row did not take that edit, and then was emptied: that counted for nothing."""
    world = await World.of(Entity.LEAD)
    link = await world.linked(Entity.LEAD, lastname="A")
    world.dynamics.edit("lead", link.dynamics, jobtitle="1")
    world.marketo.inject(LoseAnswer(call=world.next_call(System.MARKETO, "write"), of="write"))
    world.dynamics.inject(Reject(key=link.dynamics, field="jobtitle"))

    def follow(_call: str) -> None:
        if world.person(link)["title"] == "1":
            world.marketo.edit("lead", link.marketo, title="2")

    world.marketo.between(follow)
    await world.rest()
    world.dynamics.edit("lead", link.dynamics, jobtitle=None)
    world.dynamics.faults.clear()
    report = await world.run()
    told = [(item.collision.was, item.collision.marketo, item.collision.dynamics) for item in report.collisions]
    assert told == [("1", "2", None)]
