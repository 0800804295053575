"""What random histories found: two persons that go to one row, and what a deletion leaves standing."""

from __future__ import annotations

import pytest

from mkdyn import Entity, Filter, Key, Promotion, Rules, where
from mkdyn.domain.systems import System
from mkdyn.testing import LoseAnswer
from tests.unit.engine.world import World

pytestmark = pytest.mark.anyio

IN = where("jobtitle").is_not("out")


async def test_a_person_is_not_promoted_to_a_row_that_goes_to_another() -> None:
    """One person carries the row's GUID, another shares its e-mail: the plan had both, and wrote both into the row."""
    world = await World.of(
        Entity.LEAD, rules=Rules(promote=[Promotion(to=Entity.LEAD, when=where("leadScore").at_least(80))])
    )
    await world.run()
    row = world.dynamics.create("lead", lastname="A", emailaddress1="a@example.com")
    owner = world.marketo.create("lead", lastName="B", email="b@example.com", dynamicsId=row)
    other = world.marketo.create("lead", lastName="C", email="a@example.com", leadScore=90)
    await world.rest()
    link = world.link(Entity.LEAD, row)
    assert (link.marketo, world.row(link)["lastname"]) == (owner, "B")
    found = world.marketo.record("lead", other)
    assert found is not None
    own = world.link(Entity.LEAD, str(found.values["dynamicsId"]))
    assert (own.marketo, world.row(own)["lastname"]) == (other, "C")
    assert other not in [item.key async for item in world.sync.journal.operations(2)]


async def test_two_persons_with_one_guid_are_not_both_promoted_to_its_row() -> None:
    """Both were asked for at once: each was to be written into the row."""
    world = await World.of(Entity.LEAD)
    await world.run()
    row = world.dynamics.create("lead", lastname="A")
    first, second = (world.marketo.create("lead", lastName=name, dynamicsId=row) for name in "BC")
    await world.rest()
    await world.sync.promote(int(first), int(second), to=Entity.LEAD)
    report = await world.rest()
    link = world.link(Entity.LEAD, row)
    assert (link.marketo, world.row(link)["lastname"]) == (first, "B")
    written = [item.key async for item in world.sync.journal.operations(4)]
    assert second not in written
    assert [item.key for item in report.quarantined] == [second]


async def test_a_restored_account_whose_company_could_not_be_deleted_gets_it_back() -> None:
    """It was made again by its key, over what somebody had entered in Marketo meanwhile, and nobody was told."""
    world = await World.of(Entity.ACCOUNT, Entity.CONTACT)
    account = await world.linked(Entity.ACCOUNT, name="Acme", telephone1="1")
    await world.linked(Entity.CONTACT, lastname="Lovelace", parentcustomerid=account.dynamics)
    world.dynamics.delete("account", account.dynamics)
    report = await world.run()
    assert [item.code for item in report.quarantined] == ["1022"]
    world.marketo.edit("company", account.marketo, company=None)
    world.dynamics.restore("account", account.dynamics)
    report = await world.run()
    assert [(item.collision.field, item.collision.marketo, item.collision.dynamics) for item in report.collisions] == [
        ("name", None, "Acme")
    ]
    await world.rest()
    company = world.marketo.record("company", account.marketo)
    assert company is not None
    assert company.values["company"] == "Acme"
    assert [(link.id, link.marketo) for link in world.live(Entity.ACCOUNT)] == [(account.id, account.marketo)]
    assert [item async for item in world.sync.journal.quarantine()] == []


async def test_what_marketo_blocked_stays_held_when_its_column_is_back() -> None:
    """The hold was lifted with the column, and the difference stood without one."""
    world = await World.of(Entity.CONTACT)
    link = await world.linked(Entity.CONTACT, lastname="A", telephone1="1")
    world.marketo.block_field("lead", "phone")
    world.dynamics.edit("contact", link.dynamics, telephone1=None)
    await world.rest()
    world.dynamics.hide_column("contact", "telephone1")
    await world.rest()
    world.dynamics.show_column("contact", "telephone1")
    report = await world.rest()
    assert [(hold.field, hold.code) for hold in report.holds] == [("telephone1", "blocked")]
    world.dynamics.hide_column("contact", "telephone1")
    await world.rest()
    world.marketo.edit("lead", link.marketo, phone="2")
    world.dynamics.show_column("contact", "telephone1")
    report = await world.rest()
    assert (world.row(link)["telephone1"], report.holds.total) == ("2", 0)


async def test_a_row_whose_person_was_deleted_is_linked_with_the_one_that_is_asked_for() -> None:
    """It names the row, and was written; the link came back to life with the person that was gone."""
    world = await World.of(Entity.LEAD, rules=Rules(walk_links=0))
    link = await world.linked(Entity.LEAD, lastname="A")
    world.marketo.delete("lead", link.marketo)
    await world.rest()
    person = world.marketo.create("lead", lastName="B", title="CTO", dynamicsId=link.dynamics)
    await world.sync.promote(int(person), to=Entity.LEAD)
    await world.rest()
    assert world.link(Entity.LEAD, link.dynamics).marketo == person
    assert (world.row(link)["jobtitle"], world.row(link)["lastname"]) == ("CTO", "B")


async def test_a_qualified_lead_whose_person_was_deleted_gets_none_when_it_alone_is_looked_at() -> None:
    """Its contact is out of the filter; the person that is gone counted as seen, and the lead as somebody new."""
    world = await World.of(Entity.LEAD, Entity.CONTACT, rules=Rules(filters=[Filter(Entity.CONTACT, keep=IN)]))
    link = await world.linked(Entity.LEAD, lastname="A")
    world.marketo.delete("lead", link.marketo)
    await world.run()
    contact = world.dynamics.qualify(link.dynamics)
    world.dynamics.edit("contact", contact, jobtitle="out")
    await world.rest()
    await world.sync.run(keys=[Key.dynamics(link.dynamics)])
    assert world.marketo.records("lead") == []


async def test_what_marketo_blocked_stays_held_while_a_deletion_is_on_its_way() -> None:
    """Its flag never arrived, and the row was restored: the two differed, and no report said why."""
    world = await World.of(Entity.LEAD)
    link = await world.linked(Entity.LEAD, lastname="Lovelace", telephone1="1")
    world.marketo.block_field("lead", "phone")
    world.dynamics.edit("lead", link.dynamics, telephone1="2")
    await world.rest()
    world.dynamics.delete("lead", link.dynamics)
    world.marketo.inject(LoseAnswer(call=world.next_call(System.MARKETO, "write"), of="write", applied="no"))
    await world.run(minutes=0)
    world.dynamics.restore("lead", link.dynamics)
    report = await world.rest()
    assert [(hold.field, hold.code) for hold in report.holds] == [("telephone1", "blocked")]
