"""Dynamics qualifies a lead: its person follows the contact, with everything anybody edited."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Collection
from contextlib import asynccontextmanager

import pytest

from mkdyn import Entity, Rules, System
from mkdyn.domain import Cursor, LinkState
from mkdyn.ports import LeadConverted
from mkdyn.ports.connectors import Pages
from mkdyn.testing import Crash, Crashed, FakeDynamics, FakeMarketo, LoseAnswer
from tests.unit.engine.world import World

pytestmark = pytest.mark.anyio


class Meddled(FakeDynamics):
    """Dynamics where somebody does something just before a table's feed is read."""

    def __init__(self) -> None:
        super().__init__()
        self.before: dict[str, Callable[[], object]] = {}

    @asynccontextmanager
    async def changes(
        self, object: str, /, *, fields: Collection[str], since: Cursor | None
    ) -> AsyncGenerator[Pages, None]:
        """Let them, then read."""
        self.before.pop(object, lambda: None)()
        async with super().changes(object, fields=fields, since=since) as pages:
            yield pages


async def _world(dynamics: FakeDynamics | None = None) -> World:
    return await World.of(Entity.LEAD, Entity.CONTACT, dynamics=dynamics)


async def _slow_world() -> World:
    """Return a world where what is sent may take its time, and no walk finds what is forgotten."""
    marketo = FakeMarketo(settles_after_s=1200)
    return await World.of(Entity.LEAD, Entity.CONTACT, marketo=marketo, rules=Rules(walk_links=0))


async def test_the_person_of_a_qualified_lead_follows_the_contact() -> None:
    """Same person, no second one, and the GUIDs on it say so."""
    world = await _world()
    lead = await world.linked(Entity.LEAD, lastname="Lovelace", emailaddress1="ada@example.com", jobtitle="Engineer")
    contact = world.dynamics.qualify(lead.dynamics)
    report = await world.run()
    link = world.link(Entity.CONTACT, contact)
    assert (link.marketo, link.id, link.state) == (lead.marketo, lead.id, LinkState.LIVE)
    assert report.counts[System.MARKETO].create == 0
    assert (dict(report.moves), str(report).endswith(" · 1 converted")) == ({"converted": 1}, True)
    assert [event.facts() for event in world.events if isinstance(event, LeadConverted)] == [
        {"run_id": report.id, "lead": lead.dynamics, "contact": contact, "person": lead.marketo}
    ]
    person = world.person(link)
    assert (person["dynamicsId"], person["dynamicsContactId"]) == (None, contact)
    report = await world.rest()
    assert (report.ended, report.operations.total, len(world.marketo.records("lead"))) == ("done", 0, 1)


async def test_no_edit_is_lost_when_both_were_edited_before_a_conversion() -> None:
    """Contact rules decide what both edited; what one edited goes to the other."""
    world = await _world()
    lead = await world.linked(Entity.LEAD, lastname="Lovelace", jobtitle="Engineer", address1_city="London")
    world.marketo.edit("lead", lead.marketo, title="CTO", phone="1")
    world.dynamics.edit("lead", lead.dynamics, jobtitle="VP", address1_city="Paris")
    contact = world.dynamics.qualify(lead.dynamics)
    report = await world.run()
    link = world.link(Entity.CONTACT, contact)
    await world.rest()
    assert [(found.collision.marketo, found.collision.dynamics, found.winner) for found in report.collisions] == [
        ("CTO", "VP", System.DYNAMICS)
    ]
    assert (world.person(link)["title"], world.person(link)["city"]) == ("VP", "Paris")
    assert world.row(link)["telephone1"] == "1"


async def test_a_lead_that_is_seen_before_its_contact_waits_for_it() -> None:
    """It was qualified after the contacts' feed was read and before the leads' was."""
    world = await _world(dynamics := Meddled())
    lead = await world.linked(Entity.LEAD, lastname="Lovelace", jobtitle="Engineer")
    world.marketo.edit("lead", lead.marketo, title="CTO")
    dynamics.before["lead"] = lambda: dynamics.qualify(lead.dynamics)
    await world.run()
    [contact] = world.dynamics.records("contact")
    link = world.link(Entity.CONTACT, contact.key)
    assert link.marketo == lead.marketo
    assert (await world.rest()).operations.total == 0
    assert world.row(link)["jobtitle"] == "CTO"
    assert len(world.marketo.records("lead")) == 1


async def test_a_contact_that_does_not_name_its_lead_is_named_by_the_lead() -> None:
    """It was there before, without a person: the lead's goes to it."""
    world = await _world()
    lead = await world.linked(Entity.LEAD, lastname="Lovelace", emailaddress1="ada@example.com")
    world.dynamics.hide_table("contact")
    contact = world.dynamics.create("contact", lastname="Lovelace", emailaddress1="ada@example.com")
    world.dynamics.qualify(lead.dynamics, into=contact)
    world.dynamics.show_table("contact")
    await world.rest()
    assert world.link(Entity.CONTACT, contact).marketo == lead.marketo
    assert len(world.marketo.records("lead")) == 1


async def test_what_a_new_contact_lacks_is_filled_and_an_opt_out_survives() -> None:
    """A field that is empty in the contact was not cleared by anybody."""
    world = await _world()
    lead = await world.linked(Entity.LEAD, lastname="Lovelace", telephone1="1", donotbulkemail=True)
    contact = world.dynamics.qualify(lead.dynamics)
    world.dynamics.edit("contact", contact, telephone1=None, donotbulkemail=False)
    await world.rest()
    link = world.link(Entity.CONTACT, contact)
    assert (world.row(link)["telephone1"], world.row(link)["donotbulkemail"]) == ("1", True)
    assert (world.person(link)["phone"], world.person(link)["unsubscribed"]) == ("1", True)


async def test_a_lead_that_is_reopened_is_somebody_new() -> None:
    """The contact keeps the person."""
    world = await _world()
    lead = await world.linked(Entity.LEAD, lastname="Lovelace")
    contact = world.dynamics.qualify(lead.dynamics)
    await world.rest()
    world.dynamics.edit("lead", lead.dynamics, statecode=0)
    await world.rest()
    assert world.link(Entity.CONTACT, contact).marketo == lead.marketo
    assert world.link(Entity.LEAD, lead.dynamics).marketo != lead.marketo
    assert len(world.marketo.records("lead")) == 2


async def test_a_lead_that_was_qualified_before_we_came_is_never_created() -> None:
    """Its contact is."""
    world = await _world()
    lead = world.dynamics.create("lead", lastname="Lovelace")
    contact = world.dynamics.qualify(lead)
    report = await world.rest()
    assert (report.ended, len(world.marketo.records("lead"))) == ("done", 1)
    assert world.link(Entity.CONTACT, contact).marketo == "1"
    assert not world.live(Entity.LEAD)


async def test_a_qualified_lead_without_a_contact_stays_a_lead() -> None:
    """It is read-only, and goes on to Marketo."""
    world = await _world()
    lead = await world.linked(Entity.LEAD, lastname="Lovelace")
    world.dynamics.edit("lead", lead.dynamics, statecode=1, jobtitle="Engineer")
    await world.rest()
    assert world.person(world.link(Entity.LEAD, lead.dynamics))["title"] == "Engineer"


async def test_leads_alone_stay_leads() -> None:
    """Nobody selected contacts."""
    world = await World.of(Entity.LEAD)
    lead = await world.linked(Entity.LEAD, lastname="Lovelace")
    world.dynamics.qualify(lead.dynamics)
    assert (await world.rest()).ended == "done"
    assert world.link(Entity.LEAD, lead.dynamics).marketo == lead.marketo


async def test_of_two_contacts_that_name_one_lead_the_first_one_is_its_heir() -> None:
    """The other one is somebody new."""
    world = await _world()
    lead = await world.linked(Entity.LEAD, lastname="Lovelace")
    contact = world.dynamics.qualify(lead.dynamics)
    other = world.dynamics.create("contact", lastname="Byron", originatingleadid=lead.dynamics)
    await world.rest()
    assert world.link(Entity.CONTACT, contact).marketo == lead.marketo
    assert world.link(Entity.CONTACT, other).marketo != lead.marketo


async def test_a_plan_shows_a_conversion_and_changes_nothing() -> None:
    """Applying it does what it says."""
    world = await _world()
    lead = await world.linked(Entity.LEAD, lastname="Lovelace")
    contact = world.dynamics.qualify(lead.dynamics)
    plan = await world.sync.plan()
    assert [(write.kind, write.entity, write.key) for write in plan.operations] == [
        ("update", Entity.CONTACT, lead.marketo)
    ]
    assert world.link(Entity.LEAD, lead.dynamics).marketo == lead.marketo
    await world.sync.apply(plan)
    assert world.link(Entity.CONTACT, contact).marketo == lead.marketo
    assert (await world.rest()).operations.total == 0


async def test_a_lead_with_a_write_under_way_is_converted_once_that_is_settled() -> None:
    """The answer would come back to a link that is somewhere else."""
    world = await _world()
    lead = await world.linked(Entity.LEAD, lastname="Lovelace", jobtitle="Engineer")
    world.dynamics.edit("lead", lead.dynamics, jobtitle="VP")
    call = world.next_call(System.MARKETO, "write")
    world.marketo.faults.append(LoseAnswer(call=call, applied="later", of="write"))
    await world.run(minutes=0)
    contact = world.dynamics.qualify(lead.dynamics)
    world.marketo.edit("lead", lead.marketo, phone="1")
    await world.rest(5)
    link = world.link(Entity.CONTACT, contact)
    assert link.marketo == lead.marketo
    assert (world.person(link)["title"], world.row(link)["telephone1"]) == ("VP", "1")
    assert len(world.marketo.records("lead")) == 1


async def _row_whose_create_is_under_way(world: World, table: str) -> str:
    """Return a row for which a person is on its way."""
    key = world.dynamics.create(table, lastname="Lovelace")
    world.marketo.faults.append(LoseAnswer(call=world.next_call(System.MARKETO, "write"), applied="no", of="write"))
    await world.run(minutes=0)
    return key


@pytest.mark.parametrize("into", ["a new contact", "a known one"])
async def test_a_lead_whose_person_is_on_its_way_is_converted_once_it_is_there(into: str) -> None:
    """Nobody looked at the lead again: its person stayed with it, beside the contact's own."""
    world = await _slow_world()
    known = (await world.linked(Entity.CONTACT, lastname="L")).dynamics if into == "a known one" else None
    key = await _row_whose_create_is_under_way(world, "lead")
    contact = world.dynamics.qualify(key, into=known)
    await world.run(minutes=0)
    world.marketo.create("lead", lastName="Lovelace", dynamicsId=key)  # it arrives
    await world.rest(5)
    assert [link.dynamics for link in [*world.live(Entity.LEAD), *world.live(Entity.CONTACT)]] == [contact]
    assert len(world.marketo.records("lead")) == 1


async def test_a_winner_waits_for_the_person_of_the_loser_that_is_on_its_way() -> None:
    """A second person was made for it, and the first stayed."""
    world = await _slow_world()
    loser = await _row_whose_create_is_under_way(world, "contact")
    winner = world.dynamics.create("contact", lastname="W")
    world.dynamics.merge_rows("contact", winner, loser)
    await world.run(minutes=0)
    world.marketo.create("lead", lastName="Lovelace", dynamicsContactId=loser)  # it arrives
    await world.rest(5)
    assert [link.dynamics for link in world.live(Entity.CONTACT)] == [winner]
    assert [person.values["lastName"] for person in world.marketo.records("lead")] == ["W"]


@pytest.mark.parametrize("call", range(1, 25))
async def test_a_crash_at_any_call_of_a_conversion_ends_as_none_would(call: int) -> None:
    """The link moves once, and the edit arrives."""
    world = await _world()
    lead = await world.linked(Entity.LEAD, lastname="Lovelace", jobtitle="Engineer")
    world.marketo.edit("lead", lead.marketo, title="CTO")
    contact = world.dynamics.qualify(lead.dynamics)
    fake = world.marketo if call % 2 else world.dynamics
    fake.faults.append(Crash(call=fake.calls + call // 2))
    try:
        await world.run()
    except Crashed:
        world.restart()
    fake.faults.clear()
    await world.rest()
    link = world.link(Entity.CONTACT, contact)
    assert link.marketo == lead.marketo
    assert (world.row(link)["jobtitle"], world.person(link)["title"]) == ("CTO", "CTO")
    assert len(world.marketo.records("lead")) == 1
