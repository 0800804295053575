"""What random histories found: writes of which one half, or the answer, was lost."""

from __future__ import annotations

from datetime import timedelta

import pytest

from mkdyn import Entity, Pick, Rules
from mkdyn.domain.systems import System
from mkdyn.ports.store import Observation
from mkdyn.testing import Crash, Crashed, FakeMarketo, LoseAnswer, Reject, Unreachable
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


async def test_a_second_write_that_never_left_takes_no_report_of_the_first_along() -> None:
    """Both wrote one field in one run; what the first had replaced was told nowhere once the second was given up."""
    world = await World.of(Entity.LEAD)
    link = await world.linked(Entity.LEAD, lastname="A")
    world.marketo.edit("lead", link.marketo, leadStatus="theirs", phone="2")
    world.meddle(System.DYNAMICS, "write lead", "lead", link.dynamics, statecode=2)
    world.marketo.inject(Crash(call=world.next_call(System.MARKETO, "write") + 1, of="write", when="before"))
    with pytest.raises(Crashed):
        await world.run()
    world.restart()
    await world.rest()
    told = [(item.collision.field, item.collision.marketo) async for item in world.sync.journal.collisions()]
    assert ("statecode", "theirs") in told
    assert world.person(link)["leadStatus"] == "Disqualified"


async def test_what_lagged_when_a_write_was_settled_is_read_anew() -> None:
    """A refresh settled it and decided nothing; a run, much later, took what had been read then for what is shown."""
    world = await World.of(Entity.LEAD, rules=Rules(walk_links=0), marketo=FakeMarketo(settles_after_s=1200))
    city = Pick(Entity.LEAD, "address1_city")
    await world.sync.fields.deselect(city)
    link = await world.linked(Entity.LEAD, lastname="A")
    world.dynamics.edit("lead", link.dynamics, emailaddress1="a@example.com")
    world.marketo.inject(LoseAnswer(call=world.next_call(System.MARKETO, "write"), of="write", applied="no"))
    await world.run()
    world.marketo.hold_values()
    world.marketo.edit("lead", link.marketo, email="a@example.com")  # it arrives
    await world.sync.fields.select(city)
    world.clock += timedelta(minutes=7)
    await world.sync.backfill()
    world.marketo.show_values()
    await world.run(minutes=60)
    await world.rest()
    assert (world.row(link)["emailaddress1"], world.person(link)["email"]) == ("a@example.com", "a@example.com")


async def test_an_edit_beside_a_settled_write_keeps_its_proof() -> None:
    """Its own half was given up, and the settled one took all evidence along: it was held as Marketo's answer."""
    world = await World.of(Entity.LEAD)
    link = await world.linked(Entity.LEAD, lastname="A")
    world.dynamics.edit("lead", link.dynamics, telephone1="1")
    world.marketo.hold_entries()
    await world.run()
    world.marketo.lose_entries()  # the feed never told of our write
    world.marketo.edit("lead", link.marketo, leadStatus="theirs", phone="2")
    world.marketo.inject(LoseAnswer(call=world.next_call(System.MARKETO, "write"), of="write"))
    world.dynamics.inject(Unreachable(call=world.next_call(System.DYNAMICS, "write"), of="write"))
    await world.run()
    report = await world.rest()
    assert (world.row(link)["telephone1"], world.person(link)["phone"], len(report.holds)) == ("2", "2", 0)


async def test_a_write_that_was_given_up_and_undone_by_hand_is_no_edit_of_dynamics_alone() -> None:
    """It had arrived, and somebody took it back: the person looked untouched, and was written again."""
    world = await World.of(Entity.LEAD)
    link = await world.linked(Entity.LEAD, lastname="A", donotbulkemail=False)
    world.dynamics.edit("lead", link.dynamics, donotbulkemail=True)
    world.marketo.inject(LoseAnswer(call=world.next_call(System.MARKETO, "write"), of="write"))

    def undo(_call: str) -> None:
        if world.person(link)["unsubscribed"] is True:
            world.marketo.edit("lead", link.marketo, unsubscribed=False)
            world.marketo.between_calls.remove(undo)

    world.marketo.between(undo)
    await world.rest()
    assert (world.row(link)["donotbulkemail"], world.person(link)["unsubscribed"]) == (False, False)
    told = [item.collision.field async for item in world.sync.journal.collisions()]
    assert told == ["donotbulkemail"]


async def test_what_was_seen_of_a_row_before_our_write_is_not_taken_for_news() -> None:
    """It was noted, and not decided on with what was written: the person lost the edit that the row had just got."""
    world = await World.of(Entity.LEAD)
    link = await world.linked(Entity.LEAD, lastname="A")
    world.marketo.edit("lead", link.marketo, title="2")
    before = Observation(
        system=System.DYNAMICS, object="lead", key=link.dynamics, record=world.dynamics.record("lead", link.dynamics)
    )

    def note(call: str) -> None:
        if call == "write lead":
            with world.store.transaction():
                world.store.observe([before])

    world.dynamics.between(note)
    await world.rest(2)
    assert (world.row(link)["jobtitle"], world.person(link)["title"]) == ("2", "2")


async def test_what_was_put_back_in_marketo_and_refused_by_dynamics_is_no_agreement_while_values_lag() -> None:
    """The person showed what stood there before: both seemed to agree, and the hold was lifted."""
    world = await World.of(Entity.LEAD, marketo=FakeMarketo(settles_after_s=600))
    link = await world.linked(Entity.LEAD, lastname="A")
    world.dynamics.edit("lead", link.dynamics, jobtitle="1")
    world.meddle(System.MARKETO, "write lead", "lead", link.marketo, title="2")
    await world.run(minutes=30)
    world.dynamics.inject(Reject(key=link.dynamics, field="jobtitle"))
    world.marketo.hold_values()
    report = await world.run(minutes=30)
    assert [hold.field for hold in report.holds] == ["jobtitle"]
    report = await world.run()
    assert [hold.field for hold in report.holds] == ["jobtitle"]
    world.marketo.show_values()
    report = await world.rest(5)
    assert (world.row(link)["jobtitle"], world.person(link)["title"]) == ("1", "2")
    assert [hold.field for hold in report.holds] == ["jobtitle"]


async def test_a_doubt_is_over_once_its_field_was_written_anew() -> None:
    """The other half of the decision had the row read once more, and the doubt went along: an edit was put back."""
    world = await World.of(Entity.LEAD)
    link = await world.linked(Entity.LEAD, lastname="A", jobtitle="1")
    world.marketo.edit("lead", link.marketo, title="2")
    world.dynamics.inject(Crash(call=world.next_call(System.DYNAMICS, "write"), of="write", when="before"))
    with pytest.raises(Crashed):
        await world.run()
    world.dynamics.faults.clear()
    world.restart()
    world.dynamics.edit("lead", link.dynamics, telephone1="5")  # so nobody knows whether the title came to be written
    await world.run()
    assert (world.row(link)["jobtitle"], world.person(link)["phone"]) == ("2", "5")
    world.dynamics.edit("lead", link.dynamics, jobtitle="3")
    report = await world.run()
    assert (world.person(link)["title"], list(report.collisions)) == ("3", [])


async def test_what_was_put_back_in_both_systems_is_what_they_agreed_on() -> None:
    """The old value counted as agreed on still: entered in one of the two, it was no edit."""
    world = await World.of(Entity.LEAD)
    link = await world.linked(Entity.LEAD, lastname="A", jobtitle="old")
    world.dynamics.edit("lead", link.dynamics, jobtitle="ours")
    world.meddle(System.MARKETO, "write lead", "lead", link.marketo, title="theirs")
    await world.run()
    report = await world.run()
    assert [str(item.key) for item in report.collisions] == [link.dynamics]
    assert (world.row(link)["jobtitle"], world.person(link)["title"]) == ("theirs", "theirs")
    world.dynamics.edit("lead", link.dynamics, jobtitle="ours")
    report = await world.rest()
    assert (world.row(link)["jobtitle"], world.person(link)["title"]) == ("ours", "ours")
    assert list(report.collisions) == []
