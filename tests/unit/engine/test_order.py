"""The order of writes: what others refer to first, and deletions last, the other way round."""

from __future__ import annotations

import pytest

from mkdyn import CustomEntity, Entity, Pick
from mkdyn.domain import FieldSpec, LinkState
from mkdyn.domain.holds import Wake
from tests.unit.engine.world import World

pytestmark = pytest.mark.anyio


async def test_a_company_is_deleted_after_its_people_went_to_another() -> None:
    """All in one run; so is an opportunity that names it, and a record of your own that belongs to that."""
    world = await World.of()
    task = CustomEntity("new_task", parent=Entity.OPPORTUNITY, via="new_deal")
    lookup = FieldSpec(name="new_deal", type="lookup", targets=("opportunity",))
    world.dynamics.add_table("new_task", [FieldSpec(name="new_name", type="text", length=100), lookup])
    await world.sync.fields.select(Pick(task, "new_name"))
    old, new = (world.dynamics.create("account", name=name) for name in ("Acme", "Bolt"))
    contact = world.dynamics.create("contact", lastname="Lovelace", parentcustomerid=old)
    deal = world.dynamics.create("opportunity", name="Deal", parentaccountid=old)
    step = world.dynamics.create("new_task", new_name="Call", new_deal=deal)
    await world.rest()
    world.dynamics.edit("contact", contact, parentcustomerid=new)
    for table, row in (("account", old), ("opportunity", deal), ("new_task", step)):
        world.dynamics.delete(table, row)
    report = await world.run()
    assert (report.ended, world.person(world.link(Entity.CONTACT, contact))["externalCompanyId"]) == ("done", new)
    assert [operation.entity for operation in report.operations if operation.kind == "delete"] == [
        Entity.ACCOUNT, Entity.OPPORTUNITY, task
    ]  # fmt: skip
    assert [world.marketo.record(*place) for place in (("company", old), ("opportunity", deal), ("new_task_c", step))] == [
        None, None, None
    ]  # fmt: skip


async def test_a_company_that_is_still_in_use_is_deleted_once_it_is_not() -> None:
    """Marketo refuses; when the watch time has passed, it is tried again."""
    world = await World.of(Entity.ACCOUNT)
    account = world.dynamics.create("account", name="Acme")
    await world.rest()
    person = world.marketo.create("lead", externalCompanyId=account)
    world.dynamics.delete("account", account)
    report = await world.run()
    [kept] = report.quarantined
    assert (kept.code, kept.wake, world.link(Entity.ACCOUNT, account).state) == (
        "1022", Wake.DATE, LinkState.SUSPENDED
    )  # fmt: skip
    assert kept.reason == (
        "Marketo refused to delete it: Object in use. It is tried again after 2026-01-08, or delete it yourself."
    )
    assert not (await world.rest()).operations
    world.marketo.delete("lead", person)
    assert not (await world.run(minutes=60 * 24)).operations
    report = await world.run(minutes=60 * 24 * 7)
    assert (report.ended, world.marketo.record("company", account)) == ("done", None)
    assert world.link(Entity.ACCOUNT, account).state is LinkState.TOMBSTONE


async def test_a_sales_person_stays_for_those_who_name_it() -> None:
    """Its user may be gone in Dynamics: whoever owns its people now is carried over, and nothing is refused."""
    world = await World.of(Entity.USER, Entity.LEAD)
    grace, ada = (world.dynamics.create("systemuser", lastname=name) for name in ("Hopper", "Lovelace"))
    lead = world.dynamics.create("lead", lastname="Noether", ownerid=grace)
    await world.rest()
    world.dynamics.delete("systemuser", grace)
    world.dynamics.edit("lead", lead, ownerid=ada)
    report = await world.rest()
    assert (report.ended, world.person(world.link(Entity.LEAD, lead))["externalSalesPersonId"]) == ("done", ada)
    assert world.marketo.record("salesperson", grace) is not None
