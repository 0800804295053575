"""What once went wrong with records that are gone and back."""

from __future__ import annotations

import pytest

from mkdyn import Entity, System
from mkdyn.testing import Crash, Crashed, FakeMarketo
from tests.unit.engine.world import World

pytestmark = pytest.mark.anyio


async def test_a_company_that_was_cleared_while_its_account_was_away_is_told() -> None:
    """Marketo had kept the company, because it was in use; the restored account wrote over it without a word."""
    world = await World.of(Entity.ACCOUNT, Entity.CONTACT)
    account = world.dynamics.create("account", name="Acme")
    await world.rest()
    world.dynamics.create("contact", lastname="A", parentcustomerid=account)
    await world.rest()
    world.dynamics.delete("account", account)
    await world.rest()
    world.marketo.edit("company", account, company=None)
    world.dynamics.restore("account", account)
    report = await world.run()
    assert [(found.collision.field, found.collision.marketo) for found in report.collisions] == [("name", None)]
    await world.rest()
    record = world.marketo.record("company", account)
    assert record is not None
    assert record.values["company"] == "Acme"


async def test_a_write_that_was_lost_with_its_column_is_written_when_that_is_back() -> None:
    """Nobody could read whether it had arrived, so it counted as arrived, and Dynamics' old value seemed an edit."""
    world = await World.of(Entity.LEAD)
    link = await world.linked(Entity.LEAD, lastname="A", jobtitle="Engineer")
    world.marketo.edit("lead", link.marketo, title="CTO")
    world.dynamics.faults.append(Crash(call=world.next_call(System.DYNAMICS, "write"), when="before", of="write"))
    with pytest.raises(Crashed):
        await world.run()
    world.restart()
    world.dynamics.hide_column("lead", "jobtitle")
    world.dynamics.edit("lead", link.dynamics, telephone1="1")
    await world.rest()
    world.dynamics.show_column("lead", "jobtitle")
    await world.rest()
    assert (world.row(link)["jobtitle"], world.person(link)["title"]) == ("CTO", "CTO")


async def test_a_row_that_goes_to_one_person_is_not_planned_for_another() -> None:
    """One carried its GUID, the other its e-mail and a request: both were to be written to it in one plan."""
    world = await World.of(Entity.LEAD)
    await world.run()
    row = world.dynamics.create("lead", lastname="A", emailaddress1="a@example.com")
    carrier = world.marketo.create("lead", lastName="B", email="b@example.com", dynamicsId=row, title="CTO")
    other = world.marketo.create("lead", lastName="C", email="a@example.com")
    await world.sync.promote(int(other), to=Entity.LEAD)
    plan = await world.sync.plan()
    assert [write.other for write in plan.operations if write.system is System.DYNAMICS] == [carrier]
    await world.rest()
    assert world.link(Entity.LEAD, row).marketo == carrier


async def test_a_row_whose_guid_a_person_was_just_given_is_created_nowhere() -> None:
    """Marketo did not show it yet, though its feed told: the create found that person, and wrote over its name."""
    world = await World.of(Entity.LEAD, Entity.CONTACT, marketo=FakeMarketo(settles_after_s=600))
    link = await world.linked(Entity.CONTACT, lastname="A")
    await world.run(minutes=30)
    world.marketo.hold_values()
    row = world.dynamics.create("lead", lastname="B")
    world.marketo.edit("lead", link.marketo, dynamicsId=row)
    await world.run()
    world.marketo.show_values()
    assert world.person(link)["lastName"] == "A"
    report = await world.rest(5)
    assert (world.person(link)["lastName"], [item.key for item in report.quarantined]) == ("A", [row])
