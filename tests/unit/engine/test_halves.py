"""Decisions that write to both systems, or write what no baseline follows: none of it is forgotten half-way."""

from __future__ import annotations

import pytest

from mkdyn import Entity, Pick, Rules, System
from mkdyn.testing import FakeDynamics, FakeMarketo, LoseAnswer, Reject
from tests.unit.engine.world import World

pytestmark = pytest.mark.anyio


async def test_the_half_of_a_decision_that_time_left_unsent_is_decided_again() -> None:
    """The other half had cleared the row, which was all that was observed of the record."""
    world = await World.of(Entity.LEAD, rules=Rules(walk_links=0), dynamics=FakeDynamics(batch_max=1))
    first, link = [await world.linked(Entity.LEAD, lastname=name, jobtitle="1") for name in ("A", "B")]
    world.dynamics.edit("lead", link.dynamics, statecode=2)
    await world.rest()
    world.marketo.edit("lead", link.marketo, title="2")
    assert (await world.rest()).holds.total == 1  # nobody can write to a lead that is not open
    await world.edit_both(first, marketo={"title": "2"}, dynamics={"description": "2"})
    world.dynamics.edit("lead", link.dynamics, statecode=0)
    report = await world.sync.run(deadline_s=0.0)
    assert (report.ended, world.person(link)["leadStatus"]) == ("out-of-time", "Open")
    assert world.row(link)["jobtitle"] == "1"
    await world.rest()
    assert world.row(link)["jobtitle"] == "2"


async def test_an_edit_that_is_put_back_while_its_field_is_refreshed_comes_over_afterwards() -> None:
    """It was hit by the refresh, put back into Marketo to wait there, and nobody looked again."""
    world = World(rules=Rules(walk_links=0), marketo=FakeMarketo(batch_max=1))
    await world.sync.fields.select(Pick(Entity.CONTACT, "lastname"))
    link = await world.linked(Entity.CONTACT, lastname="A", jobtitle="D")
    world.dynamics.create("contact", lastname="B")
    await world.sync.fields.select(Pick(Entity.CONTACT, "jobtitle"))
    edits = ["M"]

    def meddle(call: str) -> None:
        if call == "write lead" and edits and world.store.unsettled(after=0, limit=1)[0].key == link.marketo:
            world.marketo.edit("lead", link.marketo, title=edits.pop())

    world.marketo.between(meddle)
    world.marketo.inject(LoseAnswer(call=world.next_call(System.MARKETO, "write") + 1, of="write", applied="no"))
    await world.run()
    assert (edits, world.person(link)["title"]) == ([], "D")
    await world.rest(5)
    assert world.row(link)["jobtitle"] == world.person(link)["title"] == "M"


async def test_a_write_that_may_never_have_arrived_has_no_answer_of_marketos_later_on() -> None:
    """Its text was refused, as was the next one; what Marketo had all along passed for a blocked field."""
    world = await World.of(Entity.CONTACT, rules=Rules(walk_links=0), marketo=FakeMarketo(settles_after_s=600))
    link = await world.linked(Entity.CONTACT, lastname="A", emailaddress1="a@example.com", jobtitle="1")
    world.dynamics.edit("contact", link.dynamics, emailaddress1="a@example..com", jobtitle="2")
    world.marketo.inject(LoseAnswer(call=world.next_call(System.MARKETO, "write"), of="write", applied="no"))
    await world.run()
    world.marketo.edit("lead", link.marketo, title="2")
    await world.rest(5)
    world.marketo.edit("lead", link.marketo, firstName="B")
    held = {(hold.field, hold.code) for _ in range(5) for hold in (await world.run()).holds}
    assert held == {("emailaddress1", "1003")}


@pytest.mark.parametrize("beside", [{}, {"description": "new"}], ids=["alone", "with another field"])
async def test_an_edit_that_marketo_will_not_take_back_is_still_known_to_dynamics(beside: dict[str, str]) -> None:
    """Marketo refused to have it put back, and with that it was forgotten: Dynamics' half was stale, and decided anew."""
    world = await World.of(Entity.LEAD, rules=Rules(walk_links=0))
    link = await world.linked(Entity.LEAD, lastname="A", jobtitle="1")

    world.meddle(System.MARKETO, "write lead", "lead", link.marketo, title="theirs")
    world.dynamics.edit("lead", link.dynamics, jobtitle="ours")
    await world.run()
    world.marketo.inject(Reject(field="title"))
    world.meddle(System.DYNAMICS, "write lead", "lead", link.dynamics, jobtitle="newest")
    world.dynamics.edit("lead", link.dynamics, **beside)
    report = await world.rest()
    told = {(item.collision.marketo, item.collision.dynamics) async for item in world.sync.journal.collisions()}
    assert ("theirs", "newest") in told
    assert [hold.field for hold in report.holds] == ["jobtitle"]
    assert world.row(link)["description"] == world.person(link)["mktoPersonNotes"] == beside.get("description")
