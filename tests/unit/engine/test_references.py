"""References to records that are not in Marketo yet."""

from __future__ import annotations

import pytest

from mkdyn import Entity
from mkdyn.domain import System
from mkdyn.domain.holds import Wake
from mkdyn.testing import LoseAnswer, Reject
from tests.unit.engine.world import World

pytestmark = pytest.mark.anyio


async def _contact_of_a_company_that_is_refused() -> tuple[World, str, str]:
    """Return a contact whose account Marketo refuses for now."""
    world = await World.of(Entity.ACCOUNT, Entity.CONTACT)
    account = world.dynamics.create("account", name="Acme")
    world.marketo.inject(Reject(key=account, code="1006", message="Not now"))
    contact = world.dynamics.create("contact", lastname="Lovelace", parentcustomerid=account)
    return world, account, contact


async def test_a_reference_waits_for_its_target_and_no_longer() -> None:
    """The person is created without its company; once that is linked, it follows by itself."""
    world, account, contact = await _contact_of_a_company_that_is_refused()
    report = await world.rest()
    [hold] = report.holds
    assert (hold.field, hold.wake, hold.awaits) == ("parentcustomerid", Wake.LINK, account)
    assert "It is sent again when that record is linked." in hold.reason
    link = world.link(Entity.CONTACT, contact)
    assert world.person(link)["externalCompanyId"] is None
    world.marketo.faults.clear()
    world.dynamics.edit("account", account, name="Acme Ltd")
    report = await world.rest()
    assert (report.ended, world.person(link)["externalCompanyId"]) == ("done", account)


async def test_a_target_whose_create_was_lost_on_the_way_is_waited_for() -> None:
    """Nobody edits anything."""
    world = await World.of(Entity.ACCOUNT, Entity.CONTACT)
    account = world.dynamics.create("account", name="Acme")
    contact = world.dynamics.create("contact", lastname="Lovelace", parentcustomerid=account)
    world.marketo.inject(LoseAnswer(call=world.next_call(System.MARKETO, "write"), of="write", applied="no"))
    await world.rest(6)
    await world.run(minutes=60)
    report = await world.rest()
    assert (report.ended, world.person(world.link(Entity.CONTACT, contact))["externalCompanyId"]) == ("done", account)


async def test_a_reference_that_waits_costs_no_write() -> None:
    """It is not sent again while its target is not there; another edit of the record is."""
    world, account, contact = await _contact_of_a_company_that_is_refused()
    await world.rest()
    writes = world.marketo.calls_by_name["write"]
    await world.rest()
    assert world.marketo.calls_by_name["write"] == writes
    world.dynamics.edit("contact", contact, jobtitle="CTO")
    report = await world.rest()
    link = world.link(Entity.CONTACT, contact)
    assert (world.person(link)["title"], world.person(link)["externalCompanyId"]) == ("CTO", None)
    assert [hold.awaits for hold in report.holds] == [account]


async def test_a_reference_to_a_linked_record_is_refused_for_another_reason() -> None:
    """No link helps it: an edit does."""
    world = await World.of(Entity.ACCOUNT, Entity.CONTACT)
    account = world.dynamics.create("account", name="Acme")
    await world.rest()
    world.marketo.inject(Reject(field="externalCompanyId", code="1003", message="Not so"))
    world.dynamics.create("contact", lastname="Lovelace", parentcustomerid=account)
    report = await world.rest()
    assert [(hold.wake, hold.awaits) for hold in report.holds] == [(Wake.EDIT, "")]
    assert "Change it in Dynamics." in report.holds[0].reason
