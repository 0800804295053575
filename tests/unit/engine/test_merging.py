"""Two records become one in Dynamics: so do their persons."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from mkdyn import Entity, Rules
from mkdyn.domain import Guards, Link, LinkState
from mkdyn.errors import GuardError
from mkdyn.ports import RecordsMerged
from mkdyn.testing import Crash, Crashed, LoseAnswer
from tests.unit.engine.world import World

pytestmark = pytest.mark.anyio


async def _world(names: Sequence[str] = ("A", "B"), *, entity: Entity = Entity.CONTACT) -> tuple[World, list[Link]]:
    world = await World.of(entity)
    keys = [world.dynamics.create(entity.logical_name, lastname=name) for name in names]
    await world.rest()
    return world, [world.link(entity, key) for key in keys]


@pytest.mark.parametrize("entity", [Entity.LEAD, Entity.CONTACT])
async def test_the_persons_of_merged_rows_become_one(entity: Entity) -> None:
    """The winner's person stays, the loser's link is over."""
    world, [winner, loser] = await _world(entity=entity)
    world.dynamics.merge_rows(entity.logical_name, winner.dynamics, loser.dynamics)
    plan = await world.sync.plan()
    assert [str(write) for write in plan.operations] == [f"merge {entity} 2 into 1 in Marketo (merged in Dynamics)"]
    report = await world.sync.apply(plan)
    assert [record.key for record in world.marketo.records("lead")] == [winner.marketo]
    assert world.link(entity, loser.dynamics).state is LinkState.TOMBSTONE
    assert [event.facts() for event in world.events if isinstance(event, RecordsMerged)] == [
        {"run_id": report.id, "system": "marketo", "winner": "1", "loser": "2"}
    ]
    report = await world.rest()
    assert (report.ended, report.operations.total) == ("done", 0)


async def test_what_a_merge_fills_in_is_no_edit() -> None:
    """The winner has no phone in Dynamics, so it has none in Marketo either; and nothing is written to Dynamics."""
    world, [winner, loser] = await _world()
    world.dynamics.edit("contact", loser.dynamics, telephone1="1", jobtitle="Engineer")
    await world.rest()
    world.dynamics.merge_rows("contact", winner.dynamics, loser.dynamics, jobtitle="Engineer")
    await world.rest()
    winner = world.link(Entity.CONTACT, winner.dynamics)
    assert (world.row(winner)["telephone1"], world.row(winner)["jobtitle"]) == (None, "Engineer")
    assert (world.person(winner)["phone"], world.person(winner)["title"]) == (None, "Engineer")


async def test_an_edit_of_the_winner_survives_a_merge() -> None:
    """Both persons were edited in Marketo before."""
    world, [winner, loser] = await _world()
    world.marketo.edit("lead", winner.marketo, title="CTO")
    world.dynamics.merge_rows("contact", winner.dynamics, loser.dynamics, telephone1="2")
    await world.rest()
    winner = world.link(Entity.CONTACT, winner.dynamics)
    assert (world.row(winner)["jobtitle"], world.person(winner)["phone"]) == ("CTO", "2")


async def test_a_chain_of_merges_is_followed_to_its_end() -> None:
    """A into B, and B into C, in one window."""
    world, [first, second, third] = await _world("ABC")
    world.dynamics.merge_rows("contact", second.dynamics, first.dynamics)
    world.dynamics.merge_rows("contact", third.dynamics, second.dynamics)
    await world.rest()
    assert [record.key for record in world.marketo.records("lead")] == [third.marketo]


async def test_the_person_of_a_loser_goes_to_a_winner_that_has_none() -> None:
    """The winner is new; nobody is created for it."""
    world, [loser] = await _world("A")
    winner = world.dynamics.create("contact", lastname="B", jobtitle="CTO")
    world.dynamics.merge_rows("contact", winner, loser.dynamics)
    report = await world.rest()
    link = world.link(Entity.CONTACT, winner)
    assert (report.ended, link.marketo, world.person(link)["title"]) == ("done", loser.marketo, "CTO")
    assert len(world.marketo.records("lead")) == 1


async def test_of_two_losers_one_gives_its_person_and_the_other_is_merged_into_it() -> None:
    """The winner is new."""
    world, [first, second] = await _world()
    winner = world.dynamics.create("contact", lastname="C")
    for loser in (first, second):
        world.dynamics.merge_rows("contact", winner, loser.dynamics)
    await world.rest()
    assert world.link(Entity.CONTACT, winner).state is LinkState.LIVE
    assert len(world.marketo.records("lead")) == 1


async def test_the_person_goes_to_a_winner_that_nobody_touched() -> None:
    """It was set aside as ambiguous before; the loser's row alone tells of the merge."""
    world, [loser] = await _world("A")
    for _ in range(2):
        world.marketo.create("lead", lastName="B", email="b@example.com")
    winner = world.dynamics.create("contact", lastname="B", emailaddress1="b@example.com")
    assert [item.key for item in (await world.rest()).quarantined] == [winner]
    world.dynamics.merge_rows("contact", winner, loser.dynamics)
    await world.rest()
    assert world.link(Entity.CONTACT, winner).marketo == loser.marketo


async def test_a_row_that_was_merged_before_we_came_is_nobody() -> None:
    """No person is made for it."""
    world = await World.of(Entity.CONTACT)
    winner, loser = (world.dynamics.create("contact", lastname=name) for name in "AB")
    world.dynamics.merge_rows("contact", winner, loser)
    assert (await world.rest()).ended == "done"
    assert len(world.marketo.records("lead")) == 1


async def test_merges_in_a_circle_merge_nobody() -> None:
    """Nobody can say who stays."""
    world, [first, second] = await _world()
    world.dynamics.edit("contact", first.dynamics, masterid=second.dynamics)
    world.dynamics.edit("contact", second.dynamics, masterid=first.dynamics)
    await world.rest()
    assert len(world.marketo.records("lead")) == 2


async def test_the_company_of_a_merged_account_is_deleted() -> None:
    """Companies can't be merged; Dynamics gives the loser's people to the winner."""
    world = await World.of(Entity.ACCOUNT)
    winner, loser = (world.dynamics.create("account", name=name) for name in "AB")
    await world.rest()
    world.dynamics.merge_rows("account", winner, loser)
    await world.rest()
    assert [record.key for record in world.marketo.records("company")] == [winner]


async def test_a_merged_account_is_looked_at_again_once_its_winner_is_restored() -> None:
    """Its company could not be deleted while it had people; then the winner was gone for a while, and nobody told more."""
    world = await World.of(Entity.ACCOUNT, Entity.CONTACT, rules=Rules(walk_links=0))
    winner, loser = (world.dynamics.create("account", name=name) for name in "AB")
    key = world.dynamics.create("contact", lastname="A", parentcustomerid=loser)
    await world.rest()
    world.dynamics.merge_rows("account", winner, loser)
    world.dynamics.edit("contact", key, parentcustomerid=loser)
    await world.rest()
    world.dynamics.delete("account", winner)
    await world.rest()
    world.dynamics.edit("account", loser, telephone1="1")
    await world.rest()
    assert sorted(link.dynamics for link in world.live(Entity.ACCOUNT)) == [loser]
    world.dynamics.edit("contact", key, parentcustomerid=None)
    world.dynamics.restore("account", winner)
    await world.rest(5)
    assert [link.dynamics for link in world.live(Entity.ACCOUNT)] == [winner]


async def test_many_merges_trip_the_guard_of_deletions() -> None:
    """There is no way back."""
    world = await World.of(Entity.CONTACT, rules=Rules(guards=Guards(records_min=1)))
    keys = [world.dynamics.create("contact", lastname=name) for name in "ABCD"]
    await world.rest()
    for loser in keys[1:]:
        world.dynamics.merge_rows("contact", keys[0], loser)
    with pytest.raises(GuardError, match="deletes 3 of 4 contacts"):
        await world.run()
    assert len(world.marketo.records("lead")) == 4


async def test_a_lead_that_is_qualified_into_a_contact_with_a_person_is_merged() -> None:
    """Contact and lead each had one."""
    world = await World.of(Entity.LEAD, Entity.CONTACT)
    contact = await world.linked(Entity.CONTACT, lastname="A", emailaddress1="a@example.com")
    lead = await world.linked(Entity.LEAD, lastname="B", emailaddress1="b@example.com", telephone1="1")
    world.dynamics.qualify(lead.dynamics, into=contact.dynamics)
    await world.rest()
    assert [record.key for record in world.marketo.records("lead")] == [contact.marketo]
    contact = world.link(Entity.CONTACT, contact.dynamics)
    person = world.person(contact)
    assert (person["dynamicsId"], person["dynamicsContactId"], person["phone"]) == (None, contact.dynamics, None)


async def test_a_winner_whose_person_is_gone_keeps_the_loser_for_another_run() -> None:
    """Marketo does not merge into somebody who was deleted."""
    world, [winner, loser] = await _world()
    world.dynamics.merge_rows("contact", winner.dynamics, loser.dynamics)
    world.marketo.hold_entries()
    world.marketo.delete("lead", winner.marketo)
    await world.run()
    assert [record.key for record in world.marketo.records("lead")] == [loser.marketo]
    world.marketo.show_entries()
    await world.rest()
    assert world.link(Entity.CONTACT, winner.dynamics).marketo == loser.marketo


@pytest.mark.parametrize("applied", ["yes", "no"])
async def test_a_merge_without_an_answer_is_looked_for(applied: str) -> None:
    """The loser is gone, or it is merged again."""
    world, [winner, loser] = await _world()
    world.dynamics.merge_rows("contact", winner.dynamics, loser.dynamics)
    world.marketo.faults.append(LoseAnswer(call=1, applied=applied, of="merge"))  # type: ignore[arg-type]
    await world.rest()
    assert [record.key for record in world.marketo.records("lead")] == [winner.marketo]
    assert world.link(Entity.CONTACT, loser.dynamics).state is LinkState.TOMBSTONE


@pytest.mark.parametrize("call", range(1, 17))
async def test_a_crash_at_any_call_of_a_merge_ends_as_none_would(call: int) -> None:
    """One person, with what the winner shows."""
    world, [winner, loser] = await _world()
    world.dynamics.edit("contact", loser.dynamics, telephone1="1")
    await world.rest()
    world.dynamics.merge_rows("contact", winner.dynamics, loser.dynamics, jobtitle="CTO")
    fake = world.marketo if call % 2 else world.dynamics
    fake.faults.append(Crash(call=fake.calls + call // 2))
    try:
        await world.run()
    except Crashed:
        world.restart()
    fake.faults.clear()
    await world.rest()
    assert [record.key for record in world.marketo.records("lead")] == [winner.marketo]
    winner = world.link(Entity.CONTACT, winner.dynamics)
    assert (world.person(winner)["phone"], world.person(winner)["title"]) == (None, "CTO")
    assert world.row(winner)["telephone1"] is None


# -- in Marketo


async def test_a_link_follows_the_person_that_its_own_was_merged_into() -> None:
    """The winner had no row."""
    world, [link] = await _world("A")
    winner = world.marketo.create("lead", lastName="B", title="CTO")
    await world.marketo.merge(winner, [link.marketo])
    report = await world.rest()
    link = world.link(Entity.CONTACT, link.dynamics)
    assert (report.ended, link.marketo, world.row(link)["jobtitle"]) == ("done", winner, "CTO")
    assert world.person(link)["dynamicsContactId"] == link.dynamics


async def test_a_chain_of_merges_in_marketo_is_followed_to_its_end() -> None:
    """A into B, and B into C, in one window."""
    world, [link] = await _world("A")
    second, third = (world.marketo.create("lead", lastName=name) for name in "BC")
    await world.marketo.merge(second, [link.marketo])
    await world.marketo.merge(third, [second])
    await world.rest()
    assert world.link(Entity.CONTACT, link.dynamics).marketo == third


async def test_of_two_rows_whose_persons_were_merged_one_is_set_aside() -> None:
    """Both are named; merging them in Dynamics settles it."""
    world, [winner, loser] = await _world()
    await world.marketo.merge(winner.marketo, [loser.marketo])
    report = await world.run()
    assert [str(item) for item in report.quarantined] == [
        (
            f"quarantined: contact {loser.dynamics[:4]}… (merged-in-marketo): person 2 was merged into 1 in Marketo, "
            f"which stands for contact {winner.dynamics[:4]}…. Merge the two in Dynamics, too."
        )
    ]
    world.dynamics.merge_rows("contact", winner.dynamics, loser.dynamics)
    report = await world.rest()
    assert (report.ended, len(world.marketo.records("lead"))) == ("done", 1)


async def test_a_person_merged_into_one_that_was_deleted_then_is_deleted() -> None:
    """Nobody is left to follow."""
    world, [link] = await _world("A")
    winner = world.marketo.create("lead", lastName="B")
    await world.marketo.merge(winner, [link.marketo])
    world.marketo.delete("lead", winner)
    await world.rest()
    assert world.link(Entity.CONTACT, link.dynamics).state is LinkState.TOMBSTONE


async def test_an_edit_in_dynamics_reaches_the_winner() -> None:
    """Both happened in one window."""
    world, [link] = await _world("A")
    winner = world.marketo.create("lead", lastName="A")
    await world.marketo.merge(winner, [link.marketo])
    world.dynamics.edit("contact", link.dynamics, jobtitle="VP")
    world.marketo.edit("lead", winner, phone="1")
    await world.rest()
    link = world.link(Entity.CONTACT, link.dynamics)
    assert (world.person(link)["title"], world.row(link)["telephone1"]) == ("VP", "1")


async def test_what_the_loser_of_a_merge_showed_before_it_is_the_winner_s_to_show() -> None:
    """It was edited and merged in one window; Marketo's winner keeps what it had."""
    world, [link] = await _world("A")
    winner = world.marketo.create("lead", lastName="B", title="CTO")
    world.marketo.edit("lead", link.marketo, title="CEO")
    await world.marketo.merge(winner, [link.marketo])
    report = await world.rest()
    link = world.link(Entity.CONTACT, link.dynamics)
    assert (report.ended, link.marketo, world.row(link)["jobtitle"]) == ("done", winner, "CTO")


async def test_an_edit_that_goes_with_the_loser_is_reported() -> None:
    """Marketo's winner keeps its own title, and takes the phone; the plan that found it may be carried out, or not."""
    world, [link] = await _world("A")
    winner = world.marketo.create("lead", lastName="B", title="CTO")
    world.marketo.edit("lead", link.marketo, title="VP", phone="1")
    await world.marketo.merge(winner, [link.marketo])
    report = await world.sync.apply(await world.sync.plan())
    told = [(item.kind, item.collision.field, item.collision.marketo) for item in report.collisions]
    assert told == [("merged", "jobtitle", "VP")]
    assert str(report.collisions[0]) == (
        f"collision: contact {link.dynamics[:4]}… jobtitle: Dynamics won, "
        f"person {link.marketo} was merged into {winner} before Dynamics had that."
    )
    await world.rest()
    link = world.link(Entity.CONTACT, link.dynamics)
    assert (world.row(link)["jobtitle"], world.row(link)["telephone1"]) == ("CTO", "1")


async def test_an_edit_of_a_person_whose_row_was_merged_is_reported() -> None:
    """The winner's row decides what its person shows."""
    world, [winner, loser] = await _world()
    world.marketo.edit("lead", loser.marketo, title="VP")
    world.dynamics.merge_rows("contact", winner.dynamics, loser.dynamics)
    report = await world.run()
    told = [(item.kind, item.collision.field, item.collision.marketo, item.key) for item in report.collisions]
    assert told == [("merged", "jobtitle", "VP", loser.dynamics)]
    assert "its row was merged into" in str(report.collisions[0])


async def test_a_plan_shows_where_a_person_goes_and_moves_nothing() -> None:
    """The winner is new: the loser's person is to be its person, once the plan is carried out."""
    world, [loser] = await _world("A")
    winner = world.dynamics.create("contact", lastname="W")
    world.dynamics.merge_rows("contact", winner, loser.dynamics)
    plan = await world.sync.plan()
    assert world.link(Entity.CONTACT, loser.dynamics).state is LinkState.LIVE
    assert not [event for event in world.events if isinstance(event, RecordsMerged)]
    await world.sync.apply(plan)
    await world.rest()
    assert world.link(Entity.CONTACT, winner).marketo == loser.marketo


async def test_rows_that_were_merged_before_anybody_knew_them_are_one() -> None:
    """The winner is a new row like any other."""
    world, _ = await _world("A")
    winner, loser = (world.dynamics.create("contact", lastname=name) for name in "WL")
    world.dynamics.merge_rows("contact", winner, loser)
    report = await world.rest()
    assert (report.ended, len(world.live(Entity.CONTACT))) == ("done", 2)
    assert world.link(Entity.CONTACT, winner).origin == "created"
