"""What random histories found where leads are qualified, records merged, and a filter left and entered."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import attrs
import pytest

from mkdyn import Entity, Pick, Rules
from mkdyn.domain import Direction, Link, LinkState
from mkdyn.domain.fields import FieldSpec
from mkdyn.domain.filters import NATIVE
from mkdyn.domain.records import Record
from mkdyn.domain.systems import System
from mkdyn.testing import FakeDynamics, Reject
from mkdyn.testing._tables import Table
from tests.unit.engine.world import World

pytestmark = pytest.mark.anyio


class HidingDynamics(FakeDynamics):
    """Dynamics, with rows that the sync user can't read for a while."""

    unseen: Collection[str] = ()

    def _read(self, table: Table, keys: Collection[str], fields: Collection[str]) -> Iterable[Record]:
        return [record for record in super()._read(table, keys, fields) if record.key not in self.unseen]


async def _filtered(*entities: Entity, rules: Rules | None = None) -> World:
    """Return a world whose tables have the native sync's column."""
    dynamics = FakeDynamics()
    for entity in entities:
        dynamics.add_column(entity.logical_name, FieldSpec(name=NATIVE, type="boolean", label="Sync to Mkto"))
    return await World.of(*entities, rules=rules, dynamics=dynamics)


def _persons(world: World) -> list[str]:
    return [person.key for person in world.marketo.records("lead")]


async def test_an_opt_out_survives_a_merge_into_a_row_without_a_person() -> None:
    """The winner shows the default, which nobody entered; its empty fields are no clears either."""
    world = await World.of(Entity.CONTACT)
    loser = await world.linked(Entity.CONTACT, lastname="A", jobtitle="VP", donotbulkemail=True)
    winner = world.dynamics.create("contact", lastname="B")
    world.dynamics.merge_rows("contact", winner, loser.dynamics)
    await world.rest()
    link = world.link(Entity.CONTACT, winner)
    assert (world.row(link)["donotbulkemail"], world.row(link)["jobtitle"]) == (True, "VP")
    assert (world.person(link)["unsubscribed"], world.person(link)["lastName"]) == (True, "B")


async def test_an_opt_out_survives_a_merge_in_marketo() -> None:
    """The person that is left shows the default, which nobody entered."""
    world = await World.of(Entity.LEAD)
    link = await world.linked(Entity.LEAD, lastname="A", donotbulkemail=True)
    winner = world.marketo.create("lead", lastName="A")
    await world.marketo.merge(winner, [link.marketo])
    await world.rest()
    link = world.link(Entity.LEAD, link.dynamics)
    assert (link.marketo, world.row(link)["donotbulkemail"], world.person(link)["unsubscribed"]) == (winner, True, True)


async def _two(entity: Entity, loser: dict[str, str], winner: dict[str, str]) -> tuple[World, Link, Link]:
    world = await World.of(entity)
    keys = [world.dynamics.create(entity.logical_name, lastname="A", **values) for values in (loser, winner)]
    await world.rest()
    first, second = (world.link(entity, key) for key in keys)
    return world, first, second


async def test_what_a_merge_filled_in_was_overwritten_by_nobody() -> None:
    """Marketo wins for leads: its entry for what it filled in was taken for an edit that our write had replaced."""
    world, loser, winner = await _two(Entity.LEAD, {"telephone1": "1"}, {})
    world.dynamics.merge_rows("lead", winner.dynamics, loser.dynamics)
    report = await world.rest()
    assert (world.row(winner)["telephone1"], world.person(winner)["phone"]) == (None, None)
    assert [item.collision.field for item in report.collisions] == []


async def test_what_somebody_emptied_before_a_merge_is_not_filled_in() -> None:
    """It was, before we had heard of it, and the loser's value came to Dynamics as if it were an edit."""
    world, loser, winner = await _two(Entity.CONTACT, {"jobtitle": "CTO"}, {"jobtitle": "VP"})
    world.marketo.hold_entries()
    world.marketo.edit("lead", winner.marketo, title=None)
    world.dynamics.merge_rows("contact", winner.dynamics, loser.dynamics)
    await world.run()
    world.marketo.show_entries()
    await world.rest()
    assert (world.row(winner)["jobtitle"], world.person(winner)["title"]) == (None, None)
    assert _persons(world) == [winner.marketo]


async def test_what_was_written_beside_a_merge_counts_before_it() -> None:
    """The winner is emptied by the same batch: what Marketo fills in after that is no edit."""
    world, loser, winner = await _two(Entity.CONTACT, {"jobtitle": "CTO"}, {"jobtitle": "VP"})
    world.dynamics.edit("contact", winner.dynamics, jobtitle=None)
    world.dynamics.merge_rows("contact", winner.dynamics, loser.dynamics)
    await world.rest()
    assert (world.row(winner)["jobtitle"], world.person(winner)["title"]) == (None, None)


async def test_a_promotion_does_not_link_a_row_that_the_filter_keeps_out() -> None:
    """It shares the person's e-mail: nobody is linked, and no second row is made."""
    world = await _filtered(Entity.LEAD)
    await world.run()
    row = world.dynamics.create("lead", lastname="A", emailaddress1="a@example.com", **{NATIVE: False})
    person = world.marketo.create("lead", lastName="A", email="a@example.com")
    await world.sync.promote(int(person), to=Entity.LEAD)
    report = await world.rest()
    assert [(item.key, item.code) for item in report.quarantined] == [(person, "ambiguous-match")]
    assert ([record.key for record in world.dynamics.records("lead")], world.live(Entity.LEAD)) == ([row], [])


async def test_a_person_whose_row_was_deleted_goes_to_the_row_whose_guid_it_was_given() -> None:
    """A create went to it by that key, and wrote over what it showed without a word."""
    world = await World.of(Entity.LEAD)
    gone = await world.linked(Entity.LEAD, lastname="A", jobtitle="VP")
    world.dynamics.delete("lead", gone.dynamics)
    await world.rest()
    row = world.dynamics.create("lead", lastname="A", jobtitle="CTO")
    world.marketo.edit("lead", gone.marketo, dynamicsId=row)
    report = await world.run()
    assert world.link(Entity.LEAD, row).marketo == gone.marketo
    assert [item.collision.field for item in report.collisions] == ["jobtitle"]


async def test_a_row_that_was_merged_is_nobody_though_its_winner_is_deleted() -> None:
    """Its person went to the winner; touched afterwards, it got another one."""
    world = await World.of(Entity.CONTACT)
    loser = await world.linked(Entity.CONTACT, lastname="A")
    winner = world.dynamics.create("contact", lastname="B")
    world.dynamics.merge_rows("contact", winner, loser.dynamics)
    await world.rest()
    world.dynamics.delete("contact", winner)
    world.dynamics.edit("contact", loser.dynamics, jobtitle="VP")
    await world.rest()
    assert _persons(world) == [loser.marketo]


async def test_two_losers_of_a_winner_whose_person_was_deleted() -> None:
    """One gives its person, the other is merged into that; both were to be the winner's, and the run ended."""
    world = await World.of(Entity.CONTACT)
    keys = [world.dynamics.create("contact", lastname=name) for name in "ABC"]
    await world.rest()
    first, second, winner = (world.link(Entity.CONTACT, key) for key in keys)
    world.marketo.delete("lead", winner.marketo)
    await world.rest()
    for loser in (first, second):
        world.dynamics.merge_rows("contact", winner.dynamics, loser.dynamics)
    await world.rest(5)
    assert _persons(world) == [world.link(Entity.CONTACT, winner.dynamics).marketo]


async def test_two_leads_of_a_contact_whose_person_was_deleted() -> None:
    """The same, of leads that were qualified into it."""
    world = await World.of(Entity.LEAD, Entity.CONTACT)
    contact = await world.linked(Entity.CONTACT, lastname="C")
    leads = [await world.linked(Entity.LEAD, lastname=name) for name in "AB"]
    world.marketo.delete("lead", contact.marketo)
    await world.rest()
    for lead in leads:
        world.dynamics.qualify(lead.dynamics, into=contact.dynamics)
    await world.rest(5)
    assert _persons(world) == [world.link(Entity.CONTACT, contact.dynamics).marketo]


async def test_a_lead_that_is_opened_again_keeps_the_person_that_was_made_for_it() -> None:
    """Its contact was out of the filter until now: it is somebody else."""
    world = await _filtered(Entity.LEAD, Entity.CONTACT)
    lead = await world.linked(Entity.LEAD, lastname="A")
    contact = world.dynamics.qualify(lead.dynamics)
    world.dynamics.edit("contact", contact, **{NATIVE: False})
    await world.rest()
    world.dynamics.edit("lead", lead.dynamics, statecode=0)
    await world.rest()
    world.dynamics.edit("contact", contact, **{NATIVE: True})
    await world.rest()
    assert world.link(Entity.LEAD, lead.dynamics).marketo == lead.marketo
    assert world.link(Entity.CONTACT, contact).marketo != lead.marketo


async def test_a_qualified_lead_is_nobody_though_its_contact_is_deleted() -> None:
    """Touched afterwards, it got another person, beside the one that stood for both."""
    world = await World.of(Entity.LEAD, Entity.CONTACT)
    lead = await world.linked(Entity.LEAD, lastname="A")
    contact = world.dynamics.qualify(lead.dynamics)
    await world.rest()
    world.dynamics.delete("contact", contact)
    world.dynamics.edit("lead", lead.dynamics, jobtitle="VP")
    await world.rest()
    assert _persons(world) == [lead.marketo]


async def test_a_link_that_is_out_of_the_filter_follows_a_merge_and_stays_out() -> None:
    """Merged in Marketo, it lived again, and Dynamics' row was written."""
    world = await _filtered(Entity.LEAD)
    link = await world.linked(Entity.LEAD, lastname="A")
    world.dynamics.edit("lead", link.dynamics, **{NATIVE: False})
    await world.rest()
    winner = world.marketo.create("lead", lastName="B")
    await world.marketo.merge(winner, [link.marketo])
    await world.rest()
    link = world.link(Entity.LEAD, link.dynamics)
    assert (link.state, link.marketo, world.row(link)["lastname"]) == (LinkState.FROZEN, winner, "A")


async def test_a_contact_that_is_made_anew_is_met_before_its_lead_moves_to_it() -> None:
    """Back in the filter, it gets a person; in the same run its lead's link moved to it, and took that one's baseline."""
    world = await _filtered(Entity.LEAD, Entity.CONTACT, rules=Rules(leaves_filter="delete"))
    lead = await world.linked(Entity.LEAD, lastname="A", jobtitle="VP")
    contact = await world.linked(Entity.CONTACT, lastname="C", jobtitle="CTO")
    world.dynamics.edit("contact", contact.dynamics, **{NATIVE: False})
    await world.rest()
    world.dynamics.qualify(lead.dynamics, into=contact.dynamics)
    world.dynamics.edit("contact", contact.dynamics, **{NATIVE: True})
    await world.rest(5)
    link = world.link(Entity.CONTACT, contact.dynamics)
    assert (world.row(link)["lastname"], world.person(link)["title"]) == ("C", "CTO")
    assert _persons(world) == [link.marketo]


async def test_a_merged_account_that_is_released_stays_merged() -> None:
    """Its company is in use, so it was set aside; released, its link lived again, for nobody had read its row."""
    world = await World.of(Entity.ACCOUNT, Entity.CONTACT)
    winner, loser = (world.dynamics.create("account", name=name) for name in "AB")
    await world.linked(Entity.CONTACT, lastname="C", parentcustomerid=loser)
    world.dynamics.merge_rows("account", winner, loser)
    report = await world.rest()
    await world.sync.journal.release(report.quarantined[0])
    await world.rest()
    assert world.link(Entity.ACCOUNT, loser).state is LinkState.SUSPENDED
    assert not (await world.rest()).operations


async def test_a_winner_that_can_not_be_read_is_waited_for() -> None:
    """The loser was taken for a row like any other, and never looked at again."""
    dynamics = HidingDynamics()
    world = await World.of(Entity.ACCOUNT, dynamics=dynamics)
    winner, loser = (dynamics.create("account", name=name) for name in "AB")
    await world.rest()
    dynamics.merge_rows("account", winner, loser)
    dynamics.unseen = [winner]
    await world.run()
    assert len(world.marketo.records("company")) == 2
    dynamics.unseen = ()
    await world.rest()
    assert [record.key for record in world.marketo.records("company")] == [winner]


async def test_a_row_that_is_back_lives_though_its_write_is_refused() -> None:
    """The way back through the filter ends with the write; refused for one field, the link rested for ever."""
    world = await _filtered(Entity.CONTACT)
    link = await world.linked(Entity.CONTACT, lastname="A")
    world.dynamics.edit("contact", link.dynamics, **{NATIVE: False})
    await world.rest()
    world.marketo.inject(Reject(field="title", code="1003"))
    world.dynamics.edit("contact", link.dynamics, jobtitle="VP", **{NATIVE: True})
    await world.rest()
    assert world.link(Entity.CONTACT, link.dynamics).state is LinkState.LIVE


async def test_a_column_that_is_hidden_while_its_lead_is_qualified_loses_no_edit() -> None:
    """What both had agreed on of it was forgotten, and the contact's copy replaced what was entered in Marketo."""
    world = await World.of(Entity.LEAD, Entity.CONTACT)
    lead = await world.linked(Entity.LEAD, lastname="A", jobtitle="VP")
    world.dynamics.hide_column("lead", "jobtitle")
    world.marketo.edit("lead", lead.marketo, title="CTO")
    contact = world.dynamics.qualify(lead.dynamics)
    await world.rest()
    link = world.link(Entity.CONTACT, contact)
    assert (world.row(link)["jobtitle"], world.person(link)["title"]) == ("CTO", "CTO")


@pytest.mark.parametrize("by", ["qualified", "merged"])
async def test_a_column_that_is_hidden_while_its_contact_takes_over_loses_no_edit(by: str) -> None:
    """As the lead's: once it was shown again, nothing seemed agreed on, and what the contact had copied counted."""
    world = await World.of(Entity.LEAD, Entity.CONTACT)
    entity = Entity.LEAD if by == "qualified" else Entity.CONTACT
    link = await world.linked(entity, lastname="A", jobtitle="VP")
    world.dynamics.hide_column("contact", "jobtitle")
    world.marketo.edit("lead", link.marketo, title="CTO")
    if by == "qualified":
        contact = world.dynamics.qualify(link.dynamics)
    else:
        contact = world.dynamics.create("contact", lastname="A")
        world.dynamics.merge_rows("contact", contact, link.dynamics, jobtitle="VP")
    await world.rest()
    world.dynamics.show_column("contact", "jobtitle")
    await world.rest()
    link = world.link(Entity.CONTACT, contact)
    assert (world.row(link)["jobtitle"], world.person(link)["title"]) == ("CTO", "CTO")


async def _replaced(world: World, link: Link) -> None:
    """Let our write of a lead's status replace an edit that was made in that instant."""

    def between(call: str) -> None:
        if call == "write lead" and world.person(link)["leadStatus"] == "A":
            world.marketo.edit("lead", link.marketo, leadStatus="B")

    world.marketo.between(between)
    world.marketo.edit("lead", link.marketo, leadStatus="A")
    await world.run()
    assert world.person(link)["leadStatus"] == "Open"


async def test_an_edit_that_was_replaced_is_told_though_its_lead_leaves_the_filter() -> None:
    """What the feed proved of it was laid aside with the record."""
    world = await _filtered(Entity.LEAD)
    link = await world.linked(Entity.LEAD, lastname="A")
    await _replaced(world, link)
    world.dynamics.edit("lead", link.dynamics, **{NATIVE: False})
    report = await world.run()
    assert [(item.collision.field, item.collision.marketo) for item in report.collisions] == [("statecode", "B")]


async def test_an_edit_that_was_replaced_is_told_though_contacts_lack_the_field() -> None:
    """The lead is a contact by the time the feed tells of it."""
    of_leads = (Pick(Entity.LEAD, "lastname"), Pick(Entity.LEAD, "statecode", direction=Direction.TO_MARKETO))
    world = await World.with_picks(*of_leads, Pick(Entity.CONTACT, "lastname"))
    lead = await world.linked(Entity.LEAD, lastname="A")
    await _replaced(world, lead)
    contact = world.dynamics.qualify(lead.dynamics)
    report = await world.run()
    told = [(item.key, item.collision.field, item.collision.marketo) for item in report.collisions]
    assert told == [(contact, "statecode", "B")]


async def test_a_contact_whose_person_was_deleted_is_not_given_one_by_a_lead_without_one() -> None:
    """Both persons were deleted in Marketo; the lead's link took the place of the contact's, which then got a new one."""
    world = await World.of(Entity.LEAD, Entity.CONTACT)
    lead, contact = [await world.linked(entity, lastname="A") for entity in (Entity.LEAD, Entity.CONTACT)]
    states = [(lead, LinkState.FROZEN), (contact, LinkState.TOMBSTONE)]
    for link, _ in states:
        world.marketo.delete("lead", link.marketo)
    await world.rest()
    with world.store.transaction():
        world.store.put_links([attrs.evolve(link, state=state, gone=System.MARKETO) for link, state in states])
    world.dynamics.qualify(lead.dynamics, into=contact.dynamics)
    await world.rest()
    assert _persons(world) == []


async def test_an_edit_made_before_a_record_left_the_filter_is_no_answer_to_our_write() -> None:
    """The feed's word was laid aside as the record left: on its way back, the edit was taken for a blocked field."""
    world = await _filtered(Entity.CONTACT)
    link = await world.linked(Entity.CONTACT, lastname="A", donotbulkemail=False)
    world.dynamics.edit("contact", link.dynamics, donotbulkemail=True)
    await world.run()  # writes it, and no run has heard of that yet
    world.marketo.edit("lead", link.marketo, unsubscribed=False)
    world.dynamics.edit("contact", link.dynamics, **{NATIVE: False})
    await world.rest()
    world.dynamics.edit("contact", link.dynamics, **{NATIVE: True})
    report = await world.rest()
    assert [hold.code for hold in report.holds] == []
    assert (world.row(link)["donotbulkemail"], world.person(link)["unsubscribed"]) == (False, False)
