"""What random histories found where persons are merged: nobody looked at what the one that goes shows by then."""

from __future__ import annotations

import pytest

from mkdyn import Entity, Filter, Pick, Rules, where
from mkdyn.domain.holds import Quarantined
from mkdyn.domain.records import Link, LinkState
from mkdyn.domain.systems import System
from mkdyn.testing import Crash, Crashed, FakeMarketo, LoseAnswer
from tests.unit.engine.world import HidingMarketo, World

pytestmark = pytest.mark.anyio


def _persons(world: World) -> list[str]:
    return [person.key for person in world.marketo.records("lead")]


async def _two(world: World, loser: dict[str, str], winner: dict[str, str]) -> tuple[Link, Link]:
    keys = [world.dynamics.create("contact", **values) for values in (loser, winner)]
    await world.rest()
    first, second = (world.link(Entity.CONTACT, key) for key in keys)
    return first, second


async def test_a_person_that_is_not_shown_is_merged_once_it_is() -> None:
    """What it would fill in was not known, and was taken for an edit."""
    marketo = HidingMarketo()
    world = await World.of(Entity.CONTACT, marketo=marketo)
    loser, winner = await _two(world, {"lastname": "A", "telephone1": "1"}, {"lastname": "B"})
    world.dynamics.merge_rows("contact", winner.dynamics, loser.dynamics)
    marketo.unseen = [loser.marketo]
    await world.run()
    assert _persons(world) == [loser.marketo, winner.marketo]
    marketo.unseen = ()
    await world.rest()
    assert (_persons(world), world.row(winner)["telephone1"]) == ([winner.marketo], None)


async def test_no_person_is_merged_into_one_that_is_not_shown() -> None:
    """Marketo gave it the key of the loser's row, which nobody saw: once reopened, the row was written over it."""
    marketo = HidingMarketo()
    world = await World.of(Entity.CONTACT, marketo=marketo)
    loser, winner = await _two(world, {"lastname": "A"}, {"lastname": "B"})
    world.dynamics.merge_rows("contact", winner.dynamics, loser.dynamics)
    marketo.unseen = [winner.marketo]
    await world.rest()
    assert _persons(world) == [loser.marketo, winner.marketo]
    marketo.unseen = ()
    await world.rest()
    assert _persons(world) == [winner.marketo]


async def test_an_edit_of_a_person_that_is_about_to_be_merged_is_reported() -> None:
    """Marketo filled it in where the other person had nothing, and it came to the winner's row as if entered there."""
    world = await World.of(Entity.CONTACT)
    loser, winner = await _two(world, {"lastname": "A"}, {"lastname": "B"})
    world.dynamics.merge_rows("contact", winner.dynamics, loser.dynamics, jobtitle="CTO")
    calls: list[str] = []

    def between(call: str) -> None:
        if call == "write lead" and call not in calls:
            world.marketo.edit("lead", loser.marketo, phone="1")
        calls.append(call)

    world.marketo.between(between)
    report = await world.run()
    assert [(item.key, item.collision.marketo) for item in report.collisions] == [(loser.dynamics, "1")]
    await world.rest()
    assert "write lead" in calls
    assert (_persons(world), world.row(winner)["telephone1"]) == ([winner.marketo], None)


async def test_what_a_row_took_over_stands_against_an_edit_of_its_person() -> None:
    """Marketo had filled in just that, so the row's value counted as unchanged, and the edit was written over it."""
    world = await World.of(Entity.CONTACT)
    loser, winner = await _two(world, {"lastname": "A", "telephone1": "1"}, {"lastname": "B"})
    world.dynamics.merge_rows("contact", winner.dynamics, loser.dynamics)

    def between(_: str) -> None:
        if _persons(world) == [winner.marketo] and world.row(winner)["telephone1"] is None:
            world.dynamics.edit("contact", winner.dynamics, telephone1="1")
            world.marketo.edit("lead", winner.marketo, phone="2")

    world.marketo.between(between)
    reports = [await world.run() for _ in range(3)]
    assert {item.collision.marketo for report in reports for item in report.collisions} == {"2"}
    assert (world.row(winner)["telephone1"], world.person(winner)["phone"]) == ("1", "1")


async def test_an_earlier_write_of_the_same_value_proves_nothing_of_a_later_one() -> None:
    """Its entry counted as that of the other, which had never arrived: what Marketo had filled in was taken for an edit."""
    world = await World.of(Entity.CONTACT, marketo=FakeMarketo(settles_after_s=60))
    loser, winner = await _two(world, {"lastname": "A", "telephone1": "5"}, {"lastname": "B", "telephone1": "1"})
    world.dynamics.edit("contact", winner.dynamics, telephone1=None)
    world.dynamics.merge_rows("contact", winner.dynamics, loser.dynamics)
    second = world.next_call(System.MARKETO, "write") + 1
    world.marketo.inject(LoseAnswer(call=second, of="write", applied="no"))
    await world.run()
    world.marketo.edit("lead", winner.marketo, title="CTO")
    await world.rest(4)
    assert (world.row(winner)["telephone1"], world.person(winner)["phone"]) == (None, None)


async def test_what_only_contacts_have_is_filled_in_by_no_lead() -> None:
    """The lead's person shows it, though leads don't sync it: merged, it came to the contact as if entered there."""
    picks = (Pick(Entity.LEAD, "lastname"), Pick(Entity.CONTACT, "lastname"), Pick(Entity.CONTACT, "jobtitle"))
    world = await World.with_picks(*picks)
    lead = await world.linked(Entity.LEAD, lastname="A")
    contact = await world.linked(Entity.CONTACT, lastname="C")
    world.marketo.edit("lead", lead.marketo, title="VP")
    await world.rest()
    world.dynamics.qualify(lead.dynamics, into=contact.dynamics)
    await world.rest()
    assert _persons(world) == [contact.marketo]
    assert (world.row(contact)["jobtitle"], world.person(contact)["title"]) == (None, None)


async def test_what_was_missing_is_so_no_more_once_both_are_gone() -> None:
    """Its person could not be told of it, for somebody had deleted that: the row was named for ever."""
    world = await World.of(Entity.CONTACT)
    link, _ = await _two(world, {"lastname": "A"}, {"lastname": "B"})
    missing = Quarantined(entity=Entity.CONTACT, key=link.dynamics, code="missing", reason="Dynamics does not show it.")
    with world.store.transaction():
        world.store.hold(1, [missing])
    world.dynamics.delete("contact", link.dynamics)
    plan = await world.sync.plan()
    world.marketo.delete("lead", link.marketo)
    await world.sync.apply(plan)
    assert world.link(Entity.CONTACT, link.dynamics).state is LinkState.TOMBSTONE
    assert world.store.kept_back([link.dynamics]) == {}


async def test_a_lead_that_is_opened_again_gets_a_person_once_its_own_was_merged() -> None:
    """It was looked for: the row was named as one whose person Marketo does not show, for ever."""
    world = await World.of(Entity.LEAD, Entity.CONTACT)
    contact = await world.linked(Entity.CONTACT, lastname="C")
    lead = await world.linked(Entity.LEAD, lastname="A")
    world.dynamics.qualify(lead.dynamics, into=contact.dynamics)
    await world.rest()
    world.dynamics.edit("lead", lead.dynamics, statecode=0)
    report = await world.rest()
    again = world.link(Entity.LEAD, lead.dynamics)
    assert _persons(world) == [contact.marketo, again.marketo]
    assert (again.state, list(report.quarantined)) == (LinkState.LIVE, [])


async def test_nobody_is_written_over_who_bears_the_guid_of_a_lead_that_is_reopened() -> None:
    """A merge had given it to the contact's person: the create found that one by it."""
    world = await World.of(Entity.LEAD, Entity.CONTACT)
    contact = await world.linked(Entity.CONTACT, lastname="C")
    lead = (await world.linked(Entity.LEAD, lastname="L")).dynamics
    world.dynamics.qualify(lead, into=contact.dynamics)
    await world.rest()
    world.dynamics.edit("lead", lead, statecode=0)
    world.marketo.edit("lead", contact.marketo, dynamicsId=lead)
    written: list[object] = []

    def between(_: str) -> None:
        written.append(world.person(contact)["lastName"])

    world.marketo.between(between)
    await world.run(minutes=30)
    await world.rest()
    assert set(written) == {"C"}
    again = world.link(Entity.LEAD, lead)
    assert (_persons(world), again.state) == ([contact.marketo, again.marketo], LinkState.LIVE)


async def test_a_merge_waits_for_no_person_that_was_deleted_with_the_filter() -> None:
    """Nobody would ever tell that it is gone; a field selected since never went both ways."""
    rules = Rules(filters=[Filter(Entity.CONTACT, keep=where("jobtitle").is_one_of("CTO"))], leaves_filter="delete")
    world = await World.of(Entity.CONTACT, rules=rules)
    loser, winner = await _two(world, {"lastname": "A", "jobtitle": "CTO"}, {"lastname": "B", "jobtitle": "CTO"})
    world.dynamics.edit("contact", loser.dynamics, jobtitle="VP")
    await world.rest()
    assert _persons(world) == [winner.marketo]
    world.dynamics.edit("contact", loser.dynamics, jobtitle="CTO")
    world.dynamics.merge_rows("contact", winner.dynamics, loser.dynamics)
    await world.rest()
    assert world.link(Entity.CONTACT, loser.dynamics).state is LinkState.TOMBSTONE
    assert list(world.store.observations(System.DYNAMICS, "contact", after=0, limit=9)) == []


async def test_a_merge_waits_the_watch_time_for_a_person_that_is_gone() -> None:
    """Nobody told that it was deleted: then it counts as that, and the row as nobody's."""
    marketo = HidingMarketo()
    world = await World.of(Entity.CONTACT, marketo=marketo)
    loser, winner = await _two(world, {"lastname": "A"}, {"lastname": "B"})
    marketo.unseen = [loser.marketo]
    world.dynamics.merge_rows("contact", winner.dynamics, loser.dynamics)
    await world.rest()
    assert world.link(Entity.CONTACT, loser.dynamics).state is LinkState.SUSPENDED
    await world.run(minutes=8 * 24 * 60)
    await world.rest()
    assert world.link(Entity.CONTACT, loser.dynamics).state is LinkState.TOMBSTONE


async def test_what_a_merge_fills_in_of_a_field_that_is_held_is_no_edit() -> None:
    """Marketo takes no such address, so there never was any; filled in, it replaced the one in Dynamics."""
    world = await World.of(Entity.LEAD)
    loser = await world.linked(Entity.LEAD, lastname="A", emailaddress1="a@example.com")
    winner = await world.linked(Entity.LEAD, lastname="B", emailaddress1="no address")
    world.dynamics.merge_rows("lead", winner.dynamics, loser.dynamics)
    await world.rest()
    assert _persons(world) == [winner.marketo]
    assert world.row(winner)["emailaddress1"] == "no address"
    assert [hold.field for hold in world.store.kept_back([winner.dynamics])[winner.dynamics]] == ["emailaddress1"]


async def test_what_a_merge_filled_in_is_no_edit_where_values_lag() -> None:
    """The person showed what it had before the merge; what came to show was taken for news."""
    world = await World.of(Entity.CONTACT, marketo=FakeMarketo(settles_after_s=600))
    loser, winner = [
        await world.linked(Entity.CONTACT, lastname=name, jobtitle=title) for name, title in (("A", "VP"), ("B", None))
    ]
    world.marketo.hold_values()
    world.dynamics.merge_rows("contact", winner.dynamics, loser.dynamics)
    await world.run()
    world.dynamics.edit("contact", winner.dynamics, description="1")
    await world.run()
    world.marketo.show_values()
    await world.rest(5)
    assert (world.row(winner)["jobtitle"], world.person(winner)["title"]) == (None, None)


@pytest.mark.parametrize(
    ("moment", "stands", "collided"), [(4, "VP", True), (5, "VP", True), (7, "CFO", False), (9, "CFO", False)]
)
async def test_an_edit_of_the_winner_of_a_merge_is_lost_at_no_moment(moment: int, stands: str, collided: bool) -> None:
    """Its row took the same field over from the loser's; the edit was taken for what the merge, or our write, had left.

    Our fifth call looks at what is written next, the sixth writes the title, the eighth merges.
    """
    world = await World.of(Entity.CONTACT)
    loser, winner = [
        await world.linked(Entity.CONTACT, lastname=name, jobtitle=title) for name, title in (("A", "VP"), ("B", None))
    ]
    world.dynamics.merge_rows("contact", winner.dynamics, loser.dynamics, jobtitle="VP")
    calls: list[str] = []

    def edit(call: str) -> None:
        calls.append(call)
        if len(calls) == moment:
            world.marketo.edit("lead", winner.marketo, title="CFO")

    world.marketo.between(edit)
    await world.run()
    assert moment < 6 or (calls[5], calls[7]) == ("write lead", "merge lead")
    report = await world.rest()
    assert (world.row(winner)["jobtitle"], world.person(winner)["title"], len(report.holds)) == (stands, stands, 0)
    told = {item.collision.marketo async for item in world.sync.journal.collisions()}
    assert told == ({"CFO"} if collided else set())


async def test_a_write_that_arrives_after_its_person_was_merged_away_brings_the_link_not_back() -> None:
    """Its answer was lost; meanwhile the winner stood for another row already, and this one was set aside."""
    world = await World.of(Entity.LEAD)
    loser, winner = [await world.linked(Entity.LEAD, lastname=name) for name in "AB"]
    world.marketo.edit("lead", loser.marketo, title="CTO")
    world.dynamics.inject(Crash(call=world.next_call(System.DYNAMICS, "write"), of="write"))
    with pytest.raises(Crashed):
        await world.run()
    world.dynamics.faults.clear()
    world.restart()
    await world.marketo.merge(winner.marketo, [loser.marketo])
    report = await world.rest()
    link = world.store.links(["lead"], System.DYNAMICS, [loser.dynamics])[loser.dynamics]
    assert (link.state, [item.key for item in report.quarantined]) == (LinkState.TOMBSTONE, [loser.dynamics])


async def test_a_merge_does_not_wait_for_an_edit_that_waits_for_a_refresh() -> None:
    """The refresh waits until nothing is left to decide, the merge among it: neither ever came."""
    world = await World.of(Entity.CONTACT, marketo=FakeMarketo(settles_after_s=1200))
    city = Pick(Entity.CONTACT, "address1_city")
    await world.sync.fields.deselect(city)
    loser, winner = await _two(world, {"lastname": "A"}, {"lastname": "B"})
    other = await world.linked(Entity.CONTACT, lastname="C")
    await world.sync.fields.select(city)
    world.dynamics.edit("contact", other.dynamics, jobtitle="CTO")
    world.marketo.inject(LoseAnswer(call=world.next_call(System.MARKETO, "write"), of="write", applied="no"))
    await world.run()  # every row is read, and a write is open
    world.dynamics.merge_rows("contact", winner.dynamics, loser.dynamics)
    for person, value in ((loser, "Bath"), (winner, "York")):
        world.marketo.edit("lead", person.marketo, city=value)
    await world.run()
    await world.run(minutes=60)
    report = await world.rest()
    assert len(_persons(world)) == 2
    assert (report.operations.total, world.person(winner)["city"], world.row(winner)["address1_city"]) == (
        0,
        "York",
        "York",
    )


async def test_an_edit_that_marketo_does_not_show_yet_of_a_person_about_to_be_merged_is_reported() -> None:
    """Its feed told already. Marketo filled the edit in, and it came to the winner's row as if entered there."""
    world = await World.of(Entity.CONTACT, marketo=FakeMarketo(settles_after_s=600))
    loser, winner = await _two(world, {"lastname": "A", "jobtitle": "VP"}, {"lastname": "B"})
    world.marketo.hold_values()
    world.marketo.edit("lead", loser.marketo, title="CFO")
    world.dynamics.merge_rows("contact", winner.dynamics, loser.dynamics)
    await world.run()
    assert _persons(world) == [loser.marketo, winner.marketo]
    world.marketo.show_values()
    await world.rest(5)
    told = [(item.key, item.collision.marketo) async for item in world.sync.journal.collisions()]
    assert (_persons(world), told) == ([winner.marketo], [(loser.dynamics, "CFO")])
    assert (world.row(winner)["jobtitle"], world.person(winner)["title"]) == (None, None)
