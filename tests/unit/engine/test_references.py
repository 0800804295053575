"""References to records that are not in Marketo yet."""

from __future__ import annotations

import attrs
import pytest

from mkdyn import CustomEntity, Entity, Filter, Pick, Rules, where
from mkdyn.domain import FieldSpec, LinkState, System
from mkdyn.domain.holds import Wake
from mkdyn.errors import HierarchyError
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


async def test_a_reference_to_what_is_not_linked_is_not_even_sent() -> None:
    """A company that does not pass the filter: the person is written once, and nothing is refused."""
    rules = Rules(filters=[Filter(Entity.ACCOUNT, keep=where("name").is_not("Acme"))])
    world = await World.of(Entity.ACCOUNT, Entity.CONTACT, rules=rules)
    account = world.dynamics.create("account", name="Acme")
    contact = world.dynamics.create("contact", lastname="Lovelace", parentcustomerid=account)
    report = await world.rest()
    [hold] = report.holds
    assert (hold.code, hold.field, hold.wake, hold.awaits) == (
        "not-there-yet", "parentcustomerid", Wake.LINK, account
    )  # fmt: skip
    assert hold.reason == f"the account {account[:4]}… that it names is not linked. It is sent when that is."
    assert world.marketo.writes_by_object["lead"] == 1
    world.dynamics.edit("account", account, name="Acme Ltd")
    report = await world.rest()
    assert (report.ended, world.person(world.link(Entity.CONTACT, contact))["externalCompanyId"]) == ("done", account)


async def test_an_owner_that_is_a_team_is_no_sales_person() -> None:
    """Marketo's field names sales persons alone: it is emptied, and filled again for the next user."""
    world = await World.of(Entity.USER, Entity.TEAM, Entity.LEAD)
    user = world.dynamics.create("systemuser", lastname="Hopper")
    team = world.dynamics.create("team", name="Central")
    ours = world.dynamics.create("lead", lastname="Lovelace", ownerid=user)
    theirs = world.dynamics.create("lead", lastname="Noether", ownerid=team)
    report = await world.run()
    persons = [world.link(Entity.LEAD, row) for row in (ours, theirs)]
    assert [world.person(link)["externalSalesPersonId"] for link in persons] == [user, None]
    assert report.ended == "done"
    world.dynamics.edit("lead", ours, ownerid=team)
    world.dynamics.edit("lead", theirs, ownerid=user)
    report = await world.run()
    assert [world.person(link)["externalSalesPersonId"] for link in persons] == [None, user]
    assert not (await world.rest()).operations
    world.marketo.edit("lead", persons[0].marketo, externalSalesPersonId=user)
    report = await world.rest()
    assert (report.ended, world.person(persons[0])["externalSalesPersonId"]) == ("done", None)


async def test_a_team_that_owns_a_person_already_there_is_no_news() -> None:
    """Matched on first sight, refreshed, decided anew: nothing is written."""
    world = await World.of(Entity.USER, Entity.TEAM)
    team = world.dynamics.create("team", name="Central")
    await world.sync.fields.select(Pick(Entity.LEAD, "emailaddress1"), Pick(Entity.LEAD, "ownerid"))
    row = world.dynamics.create("lead", lastname="Noether", emailaddress1="e@example.com", ownerid=team)
    world.marketo.create("lead", email="e@example.com", dynamicsId=row)
    report = await world.rest()
    assert (report.ended, world.marketo.writes_by_object["lead"]) == ("done", 0)
    assert (await world.sync.backfill(Pick(Entity.LEAD, "ownerid"))).ended == "done"
    assert world.marketo.writes_by_object["lead"] == 0


async def test_a_customer_that_is_a_person_is_no_company() -> None:
    """A contact may belong to another contact; references that go round in a circle stop nobody."""
    world = await World.of(Entity.ACCOUNT, Entity.CONTACT)
    ada = world.dynamics.create("contact", lastname="Lovelace")
    grace = world.dynamics.create("contact", lastname="Hopper", parentcustomerid=ada)
    world.dynamics.edit("contact", ada, parentcustomerid=grace)
    report = await world.rest()
    assert (report.ended, len(world.live(Entity.CONTACT))) == ("done", 2)


async def test_tables_of_your_own_name_their_parents() -> None:
    """Two levels; whose parent is not there waits for it, and then follows by itself."""
    subscription = CustomEntity("new_subscription", parent=Entity.CONTACT, via="new_contactid")
    invoice = CustomEntity("new_invoice", parent=subscription, via="new_subscriptionid")
    rules = Rules(filters=[Filter(Entity.CONTACT, keep=where("jobtitle").is_not("Nobody"))])
    world = World(rules=rules)
    for table, column, target in (
        ("new_subscription", "new_contactid", "contact"),
        ("new_invoice", "new_subscriptionid", "new_subscription"),
    ):
        lookup = FieldSpec(name=column, type="lookup", targets=(target,))
        world.dynamics.add_table(table, [FieldSpec(name="new_name", type="text", length=100), lookup])
    picks = [Pick(Entity.CONTACT, "jobtitle"), Pick(subscription, "new_name"), Pick(invoice, "new_name")]
    await world.sync.fields.select(*picks)
    ada = world.dynamics.create("contact", lastname="Lovelace", jobtitle="CTO")
    grace = world.dynamics.create("contact", lastname="Hopper", jobtitle="Nobody")
    paper = world.dynamics.create("new_subscription", new_name="Paper", new_contactid=ada)
    bill = world.dynamics.create("new_invoice", new_name="1", new_subscriptionid=paper)
    waits = world.dynamics.create("new_subscription", new_name="Post", new_contactid=grace)
    report = await world.run()

    def named(object: str, key: str, field: str) -> object:
        record = world.marketo.record(object, key)
        assert record is not None
        return record.values[field]

    assert named("new_subscription_c", paper, "new_contactid") == ada
    assert named("new_invoice_c", bill, "new_subscriptionid") == paper
    assert named("new_subscription_c", waits, "new_contactid") is None
    assert [(hold.key, hold.awaits) for hold in report.holds] == [(waits, grace)]
    world.dynamics.edit("contact", grace, jobtitle="Admiral")
    assert (await world.rest()).ended == "done"
    assert named("new_subscription_c", waits, "new_contactid") == grace
    with pytest.raises(HierarchyError, match="new_subscription belongs to contact, which does not sync"):
        await world.sync.fields.deselect(Pick(Entity.CONTACT, "jobtitle"))


async def test_an_edit_of_a_reference_is_put_back_once_its_target_is_there_again() -> None:
    """What Marketo shows is looked at then: it was taken to be as both had agreed."""
    world = await World.of(Entity.ACCOUNT, Entity.CONTACT, rules=Rules(walk_links=0))
    ours, theirs = [await world.linked(Entity.ACCOUNT, name=name) for name in ("Acme", "Other")]
    link = await world.linked(Entity.CONTACT, lastname="Lovelace", parentcustomerid=ours.dynamics)
    for state in (LinkState.TOMBSTONE, LinkState.LIVE):
        with world.store.transaction():
            world.store.put_links([attrs.evolve(ours, state=state)])
        if state is LinkState.TOMBSTONE:
            world.marketo.edit("lead", link.marketo, externalCompanyId=theirs.dynamics)
            assert [hold.awaits for hold in (await world.run()).holds] == [ours.dynamics]
    report = await world.rest()
    assert (world.person(link)["externalCompanyId"], len(report.holds)) == (ours.dynamics, 0)
