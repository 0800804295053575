"""What random histories found to go wrong, each as plainly as it can be said."""

from __future__ import annotations

import pytest

from mkdyn import Entity, Pick, Promotion, Rules, System, where
from mkdyn.domain import LinkState
from mkdyn.testing import Crash, Crashed, FakeMarketo, LoseAnswer, Unreachable
from tests.unit.engine.world import World

pytestmark = pytest.mark.anyio


async def test_a_create_whose_answer_was_lost_made_nobody_who_shows_something_else() -> None:
    """It never arrived, its key was copied to somebody else, and who that was passed for an edit of what we made."""
    world = await World.of(Entity.CONTACT, rules=Rules(walk_links=0), marketo=FakeMarketo(settles_after_s=1200))
    await world.run()
    person = world.marketo.create("lead", lastName="theirs", phone="1")
    contact = world.dynamics.create("contact", lastname="ours", telephone1="1", jobtitle="VP")
    world.marketo.inject(LoseAnswer(call=world.next_call(System.MARKETO, "write"), of="write", applied="no"))
    await world.run()
    world.marketo.edit("lead", person, dynamicsContactId=contact)
    await world.rest(6)
    found = [(item.collision.marketo, item.collision.dynamics) async for item in world.sync.journal.collisions()]
    link = world.link(Entity.CONTACT, contact)
    assert found == [("theirs", "ours")]
    assert (link.marketo, world.person(link)["lastName"], world.person(link)["title"]) == (person, "ours", "VP")
    assert world.row(link)["lastname"] == "ours"


async def test_an_edit_of_somebody_whose_create_was_not_answered_is_an_edit() -> None:
    """Marketo's feed shows what stood there before: the value that we had given it."""
    rules = Rules(walk_links=0, promote=[Promotion(to=Entity.LEAD, when=where("leadScore").at_least(80))])
    world = await World.of(Entity.CONTACT, rules=rules, marketo=FakeMarketo(settles_after_s=1200))
    await world.run()
    contact = world.dynamics.create("contact", lastname="A", jobtitle="1")
    world.marketo.inject(Crash(call=world.next_call(System.MARKETO, "write"), when="after", of="write"))
    with pytest.raises(Crashed):
        await world.run()
    world.marketo.faults.clear()
    world.marketo.edit("lead", "1", title="2")
    world.restart(rules)
    await world.rest()
    assert [item async for item in world.sync.journal.collisions()] == []
    assert world.row(world.link(Entity.CONTACT, contact))["jobtitle"] == "2"


async def test_a_restored_row_whose_person_goes_to_another_in_the_same_plan_is_set_aside() -> None:
    """Two links could not be kept, and every run failed."""
    world = await World.of(Entity.LEAD, Entity.CONTACT, rules=Rules(walk_links=0))
    link = await world.linked(Entity.LEAD, lastname="A")
    world.dynamics.delete("lead", link.dynamics)
    await world.rest()
    world.dynamics.restore("lead", link.dynamics)
    contact = world.dynamics.create("contact", lastname="B")
    world.marketo.edit("lead", link.marketo, dynamicsContactId=contact)
    report = await world.rest()
    assert world.link(Entity.CONTACT, contact).marketo == link.marketo
    assert [item.key for item in report.quarantined] == [link.dynamics]
    assert world.link(Entity.LEAD, link.dynamics).state is LinkState.TOMBSTONE


async def test_a_restored_row_hides_no_edit_of_a_person_that_is_another_s_by_now() -> None:
    """The row was set aside, and with it what the feed had told of the person."""
    world = await World.of(Entity.CONTACT, rules=Rules(walk_links=0))
    link = await world.linked(Entity.CONTACT, lastname="A", jobtitle="1")
    world.dynamics.delete("contact", link.dynamics)
    await world.rest()
    await world.sync.promote(int(link.marketo), to=Entity.CONTACT)
    await world.rest()
    [living] = world.live(Entity.CONTACT)
    world.dynamics.restore("contact", link.dynamics)
    world.marketo.edit("lead", link.marketo, title="2")
    await world.rest()
    assert living.marketo == link.marketo
    assert world.row(living)["jobtitle"] == "2"


async def test_an_edit_that_is_put_back_is_no_proof_that_it_was() -> None:
    """The feed named the edit; then the write that was to put it back never arrived."""
    world = await World.of(Entity.LEAD, rules=Rules(walk_links=0), marketo=FakeMarketo(settles_after_s=60))
    link = await world.linked(Entity.LEAD, lastname="A", jobtitle="1")
    world.dynamics.edit("lead", link.dynamics, jobtitle="ours")

    def meddle(call: str) -> None:
        if call == "write lead":
            world.marketo.between_calls.clear()
            world.marketo.edit("lead", link.marketo, title="older")
            world.marketo.edit("lead", link.marketo, title="theirs")

    world.marketo.between(meddle)
    await world.run()
    assert world.person(link)["title"] == "ours"
    world.marketo.inject(LoseAnswer(call=world.next_call(System.MARKETO, "write"), of="write", applied="no"))
    await world.run()
    world.dynamics.edit("lead", link.dynamics, telephone1="5")
    await world.rest(6)
    assert world.person(link)["title"] == world.row(link)["jobtitle"] == "theirs"


async def test_a_restored_row_gets_its_person_back_once_nobody_else_has_it() -> None:
    """It was set aside for the row that the person had been promoted to, and stayed so when that was deleted."""
    world = await World.of(Entity.CONTACT, rules=Rules(walk_links=0))
    link = await world.linked(Entity.CONTACT, lastname="A", jobtitle="1")
    world.dynamics.delete("contact", link.dynamics)
    await world.rest()
    await world.sync.promote(int(link.marketo), to=Entity.CONTACT)
    await world.rest()
    [living] = world.live(Entity.CONTACT)
    world.dynamics.restore("contact", link.dynamics)
    assert [item.key for item in (await world.rest()).quarantined] == [link.dynamics]
    world.dynamics.delete("contact", living.dynamics)
    world.marketo.edit("lead", link.marketo, title="2")
    report = await world.rest()
    assert report.quarantined.total == 0
    assert [item.dynamics for item in world.live(Entity.CONTACT)] == [link.dynamics]
    assert world.row(link)["jobtitle"] == world.person(link)["title"] == "2"


async def test_an_edit_that_a_refresh_replaced_waits_where_it_is_put_back() -> None:
    """It was put back into Marketo, and nobody looked at it again once the field went both ways."""
    world = await World.with_picks(Pick(Entity.LEAD, "lastname"))
    world.restart(Rules(walk_links=0))
    link = await world.linked(Entity.LEAD, lastname="A", jobtitle="D")
    await world.sync.fields.select(Pick(Entity.LEAD, "jobtitle"))

    world.meddle(System.MARKETO, "write lead", "lead", link.marketo, title="M")
    world.dynamics.inject(Unreachable(call=world.next_call(System.DYNAMICS, "changes") + 1, of="changes"))
    await world.run()
    await world.rest(5)
    assert world.row(link)["jobtitle"] == world.person(link)["title"] == "M"


async def test_evidence_at_hand_can_be_read_after_the_feed_was_lost() -> None:
    """A person waits, its evidence with it; what our own write replaced was no longer known for that."""
    world = await World.of(Entity.LEAD, rules=Rules(walk_links=0), marketo=FakeMarketo(settles_after_s=1200))
    link = await world.linked(Entity.LEAD, lastname="A", jobtitle="1")
    world.dynamics.edit("lead", link.dynamics, jobtitle="ours")

    world.meddle(System.MARKETO, "write lead", "lead", link.marketo, title="theirs")
    await world.run()
    world.marketo.hold_values()
    world.marketo.edit("lead", link.marketo, phone="5")  # its entry is there, its value is not: too early
    await world.run()
    world.marketo.expire_cursors()
    world.marketo.show_values()
    await world.rest(6)
    assert world.row(link)["jobtitle"] == world.person(link)["title"] == "theirs"
    assert world.row(link)["telephone1"] == "5"


async def test_an_edit_that_was_put_back_is_looked_at_until_its_other_half_arrives() -> None:
    """Marketo had its half, the other one never arrived, and the row showed nothing new."""
    world = await World.of(Entity.LEAD, rules=Rules(walk_links=0))
    link = await world.linked(Entity.LEAD, lastname="A", jobtitle="1")
    world.dynamics.edit("lead", link.dynamics, jobtitle="ours")

    world.meddle(System.MARKETO, "write lead", "lead", link.marketo, title="theirs")
    await world.run()
    world.dynamics.inject(LoseAnswer(call=world.next_call(System.DYNAMICS, "write"), of="write", applied="no"))
    await world.rest(4)
    assert world.row(link)["jobtitle"] == world.person(link)["title"] == "theirs"


async def test_what_was_held_is_looked_at_until_it_is_written() -> None:
    """The row was its old self again, a write that had been refused before never arrived, and nobody looked again."""
    world = await World.of(Entity.LEAD, rules=Rules(walk_links=0))
    link = await world.linked(Entity.LEAD, lastname="A", jobtitle="1")
    world.dynamics.edit("lead", link.dynamics, statecode=2)
    await world.rest()
    await world.edit_both(link, marketo={"title": "M"}, dynamics={"jobtitle": "D"})
    assert (await world.rest()).holds.total == 1
    world.dynamics.edit("lead", link.dynamics, jobtitle="1", statecode=0)
    world.dynamics.inject(LoseAnswer(call=world.next_call(System.DYNAMICS, "write"), of="write", applied="no"))
    await world.rest(4)
    assert world.row(link)["jobtitle"] == world.person(link)["title"] == "M"


async def test_a_write_in_doubt_has_no_answer_later_either() -> None:
    """The doubt was dealt with, the edit was held as too long, and passed for what Marketo had made of our write."""
    world = await World.of(Entity.LEAD, rules=Rules(walk_links=0), marketo=FakeMarketo(settles_after_s=1200))
    link = await world.linked(Entity.LEAD, lastname="A", jobtitle="1")
    world.dynamics.edit("lead", link.dynamics, jobtitle="2")
    world.marketo.inject(LoseAnswer(call=world.next_call(System.MARKETO, "write"), of="write", applied="no"))
    await world.run()
    long = "x" * 200
    world.marketo.edit("lead", link.marketo, title=long)
    await world.rest(6)
    world.dynamics.edit("lead", link.dynamics, jobtitle="3")
    report = await world.rest(6)
    assert [hold.code for hold in report.holds] == ["too-long"]
    assert (world.person(link)["title"], world.row(link)["jobtitle"]) == (long, "3")


async def test_a_feed_that_was_not_read_proves_nothing_however_long_it_takes() -> None:
    """An edit came after our write, and the feed could not be read: it passed for what Marketo had made of the write."""
    world = await World.of(Entity.CONTACT, rules=Rules(walk_links=0), marketo=FakeMarketo(settles_after_s=60))
    link = await world.linked(Entity.CONTACT, lastname="A", jobtitle="1")
    world.dynamics.edit("contact", link.dynamics, jobtitle="2")
    await world.run()
    await world.edit_both(link, marketo={"title": "M"}, dynamics={"jobtitle": "D"})
    call = world.next_call(System.MARKETO, "changes")
    for fault in (Unreachable(call=call + count, of="changes") for count in range(3)):
        world.marketo.inject(fault)
    await world.rest(3)
    assert (world.person(link)["title"], world.row(link)["jobtitle"]) == ("M", "D")
    report = await world.rest()
    found = [(item.collision.marketo, item.collision.dynamics) async for item in world.sync.journal.collisions()]
    assert found == [("M", "D")]
    assert report.holds.total == 0
    assert world.person(link)["title"] == "D"


async def test_what_one_half_replaced_is_told_though_the_other_never_arrived() -> None:
    """An edit was put right in Dynamics; Marketo's half was lost, and the report with it."""
    world = await World.of(Entity.LEAD, rules=Rules(walk_links=0), marketo=FakeMarketo(settles_after_s=60))
    link = await world.linked(Entity.LEAD, lastname="A", jobtitle="1")
    world.dynamics.edit("lead", link.dynamics, jobtitle="ours")

    world.meddle(System.MARKETO, "write lead", "lead", link.marketo, title="theirs")
    await world.run()
    world.dynamics.edit("lead", link.dynamics, jobtitle="newer")
    world.marketo.inject(LoseAnswer(call=world.next_call(System.MARKETO, "write"), of="write", applied="no"))
    await world.rest(6)
    found = {(item.collision.marketo, item.collision.dynamics) async for item in world.sync.journal.collisions()}
    assert ("theirs", "newer") in found
    assert world.row(link)["jobtitle"] == world.person(link)["title"] == "theirs"


async def test_what_an_applied_plan_found_to_collide_is_told_though_its_process_died() -> None:
    """Nothing had to be written for it, so nothing but its report knew, and the plan passed for never carried out."""
    world = await World.of(Entity.CONTACT)
    link = await world.linked(Entity.CONTACT, lastname="A", jobtitle="1")
    other = await world.linked(Entity.CONTACT, lastname="B", jobtitle="1")
    world.dynamics.edit("contact", link.dynamics, jobtitle="ours")

    world.meddle(System.MARKETO, "write lead", "lead", link.marketo, title="theirs")
    await world.run()
    world.dynamics.edit("contact", other.dynamics, jobtitle="2")
    plan = await world.sync.plan()
    world.marketo.inject(Crash(call=world.next_call(System.MARKETO, "write"), when="before", of="write"))
    with pytest.raises(Crashed):
        await world.sync.apply(plan)
    world.restart()
    await world.rest()
    told = [(item.collision.dynamics, item.collision.marketo) async for item in world.sync.journal.collisions()]
    assert told == [("ours", "theirs")]
