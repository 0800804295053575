"""What is on both systems already is found, not made again; what is unclear is set aside."""

from __future__ import annotations

import pytest

from mkdyn import Entity, Guard, Pick, Rules, System
from mkdyn.domain import LinkState, Quarantined
from mkdyn.errors import GuardError
from tests.unit.engine.world import World

pytestmark = pytest.mark.anyio


async def test_one_row_and_one_person_with_an_e_mail_are_linked_and_the_empty_side_is_filled() -> None:
    """They meet by e-mail, whatever its case; an opt-out on either side survives; a difference is reported."""
    world = await World.of(Entity.LEAD)
    row = world.dynamics.create(
        "lead", lastname="Lovelace", emailaddress1="Ada@Example.com ", jobtitle="VP", telephone1="1"
    )
    person = world.marketo.create(
        "lead", email="ada@example.com", title="CTO", city="London", unsubscribed=True, lastName="Lovelace"
    )
    report = await world.run()
    link = world.link(Entity.LEAD, row)
    assert (link.marketo, link.origin) == (person, "matched")
    assert len(world.marketo.records("lead")) == 1
    assert world.person(link)["dynamicsId"] == row
    assert world.row(link)["address1_city"] == "London"
    assert world.row(link)["donotbulkemail"] is True
    assert world.person(link)["phone"] == "1"
    assert world.row(link)["jobtitle"] == "CTO"
    assert {item.kind for item in report.collisions} == {"first-sight"}
    assert report.matches is not None
    assert str(report.matches) == "1 linked · 0 ambiguous, set aside · 0 only in Dynamics, to create"
    assert not (await world.rest()).operations


async def test_a_row_meets_the_person_that_carries_its_guid() -> None:
    """After a lost state file, everything finds itself again by GUID, without a write."""
    world = await World.of(Entity.LEAD, Entity.ACCOUNT)
    link = await world.linked(Entity.LEAD, lastname="Lovelace")
    account = await world.linked(Entity.ACCOUNT, name="Acme")
    again = World(marketo=world.marketo, dynamics=world.dynamics)
    await again.sync.fields.select_defaults(Entity.LEAD, Entity.ACCOUNT)
    plan = await again.sync.plan()
    assert not plan.operations
    report = await again.run()
    assert not report.operations
    assert again.link(Entity.LEAD, link.dynamics).marketo == link.marketo
    assert again.link(Entity.ACCOUNT, account.dynamics).marketo == account.marketo
    again.dynamics.edit("lead", link.dynamics, jobtitle="CTO")
    await again.run()
    assert again.person(link)["title"] == "CTO"


@pytest.mark.parametrize("rows_first", ["rows", "persons"])
async def test_several_persons_with_one_e_mail_are_ambiguous(rows_first: str) -> None:
    """The row is set aside with all candidates named, in any order of arrival; it is not created."""
    world = await World.of(Entity.LEAD)

    def persons() -> None:
        for _ in range(2):
            world.marketo.create("lead", email="ada@example.com")

    if rows_first == "persons":
        persons()
    row = world.dynamics.create("lead", lastname="Lovelace", emailaddress1="ada@example.com")
    if rows_first == "rows":
        persons()
    report = await world.run()
    [item] = report.quarantined
    assert item.code == "ambiguous-match"
    assert item.reason == "persons 1, 2 share its e-mail. Merge them, or set dynamicsId on one."
    assert len(world.marketo.records("lead")) == 2
    world.marketo.edit("lead", "2", dynamicsId=row)
    await world.sync.journal.release(item)
    await world.run()
    assert world.link(Entity.LEAD, row).marketo == "2"
    assert [found async for found in world.sync.journal.quarantine()] == []


async def test_several_rows_that_claim_one_person_are_ambiguous() -> None:
    """Neither gets the person, and none is created; each names the other."""
    world = await World.of(Entity.CONTACT)
    world.marketo.create("lead", email="ada@example.com")
    rows = [
        world.dynamics.create("contact", lastname=name, emailaddress1="ada@example.com") for name in ("Ada", "Augusta")
    ]
    report = await world.run()
    assert {item.key for item in report.quarantined} == set(rows)
    assert all("and so do" in item.reason for item in report.quarantined)
    assert len(world.marketo.records("lead")) == 1


async def test_several_rows_with_one_e_mail_and_no_person_get_a_person_each() -> None:
    """Nobody is merged into somebody else; a row added later gets its own person, too."""
    world = await World.of(Entity.LEAD)
    for name in ("Ada", "Augusta"):
        world.dynamics.create("lead", lastname=name, emailaddress1="info@example.com")
    await world.rest()
    world.dynamics.create("lead", lastname="Byron", emailaddress1="info@example.com")
    report = await world.run()
    assert report.ended == "done"
    assert [person.values["lastName"] for person in world.marketo.records("lead")] == ["Ada", "Augusta", "Byron"]


async def test_a_contact_goes_before_a_lead() -> None:
    """One person that could be either becomes the contact; the lead is set aside, not duplicated."""
    world = await World.of(Entity.LEAD, Entity.CONTACT)
    world.marketo.create("lead", email="ada@example.com")
    lead = world.dynamics.create("lead", lastname="Lovelace", emailaddress1="ada@example.com")
    contact = world.dynamics.create("contact", lastname="Lovelace", emailaddress1="ada@example.com")
    report = await world.run()
    assert world.link(Entity.CONTACT, contact).marketo == "1"
    assert [item.key for item in report.quarantined] == [lead]
    assert len(world.marketo.records("lead")) == 1


async def test_a_person_that_carries_another_rows_guid_is_not_taken() -> None:
    """A copied or stale key is never overwritten by a match on e-mail."""
    world = await World.of(Entity.LEAD)
    world.marketo.create("lead", email="ada@example.com", dynamicsId="00000000-0000-4000-8000-000000000000")
    world.dynamics.create("lead", lastname="Lovelace", emailaddress1="ada@example.com")
    report = await world.run()
    assert [item.code for item in report.quarantined] == ["ambiguous-match"]


async def test_a_changed_guid_on_a_person_is_put_right() -> None:
    """The link is the truth; what somebody writes into the key field is reverted and reported."""
    world = await World.of(Entity.LEAD)
    link = await world.linked(Entity.LEAD, lastname="Lovelace")
    world.marketo.edit("lead", link.marketo, dynamicsId="oops")
    report = await world.run()
    assert world.person(link)["dynamicsId"] == link.dynamics
    assert [item.kind for item in report.collisions] == ["one-way"]


async def test_two_populated_systems_are_shown_before_they_are_merged() -> None:
    """run() refuses a first match of many records; the plan lists it, and may be accepted."""
    world = await World.of(Entity.LEAD)
    for number in range(60):
        world.dynamics.create("lead", lastname=f"L{number}", emailaddress1=f"p{number}@example.com")
        world.marketo.create("lead", email=f"p{number}@example.com")
    with pytest.raises(GuardError, match=r"matches 60 leads for the first time|matches 60 leads") as caught:
        await world.run()
    assert not [link for link in world.live(Entity.LEAD) if link.state is LinkState.LIVE]
    report = await world.sync.apply(caught.value.plan, accept={Guard.FIRST_MATCH})
    assert report.ended == "done"
    assert len(world.live(Entity.LEAD)) == 60
    assert not (await world.rest()).operations


async def test_matching_can_be_turned_off() -> None:
    """Without match keys, every row gets a person of its own."""
    world = await World.of(Entity.LEAD, rules=Rules(match_on={}))
    world.marketo.create("lead", email="ada@example.com")
    world.dynamics.create("lead", lastname="Lovelace", emailaddress1="ada@example.com")
    report = await world.run()
    assert report.counts[System.MARKETO].create == 1


async def test_a_match_whose_person_moves_before_it_is_written_is_decided_again() -> None:
    """Somebody edits the person between the match and the write: the edit is found, and nothing is lost."""
    world = await World.of(Entity.LEAD)
    row = world.dynamics.create("lead", lastname="Lovelace", emailaddress1="ada@example.com", jobtitle="VP")
    person = world.marketo.create("lead", email="ada@example.com", lastName="Lovelace")
    edits = iter(["CTO"])

    def meddle(call: str) -> None:
        if call == "read lead" and (title := next(edits, None)):
            world.marketo.edit("lead", person, title=title)

    world.marketo.between(meddle)
    report = await world.run()
    link = world.link(Entity.LEAD, row)
    assert world.row(link)["jobtitle"] == world.person(link)["title"] == "CTO"
    assert [item.collision.dynamics for item in report.collisions] == ["VP"]


async def test_a_value_that_does_not_fit_is_held_and_the_rest_is_created() -> None:
    """A text that Marketo can't hold is kept back with its reason; when it is shortened, it comes over."""
    world = await World.with_picks(
        Pick(Entity.LEAD, "lastname"), Pick(Entity.LEAD, "description", marketo="department")
    )
    row = world.dynamics.create("lead", lastname="Lovelace", description="x" * 300)
    report = await world.run()
    link = world.link(Entity.LEAD, row)
    assert (world.person(link)["lastName"], world.person(link)["department"]) == ("Lovelace", None)
    assert [hold.reason for hold in report.holds] == [
        "300 characters, Marketo takes 255. Change description in Dynamics."
    ]
    assert not (await world.rest()).operations
    world.dynamics.edit("lead", row, description="short")
    report = await world.run()
    assert world.person(link)["department"] == "short"
    assert report.holds.total == 0


async def test_a_match_with_a_value_that_does_not_fit_is_linked_all_the_same() -> None:
    """The field waits; the rest of the two records is merged."""
    world = await World.with_picks(
        Pick(Entity.LEAD, "lastname"),
        Pick(Entity.LEAD, "emailaddress1"),
        Pick(Entity.LEAD, "description", marketo="department"),
    )
    row = world.dynamics.create("lead", lastname="L", emailaddress1="ada@example.com", description="x" * 300)
    world.marketo.create("lead", email="ada@example.com", lastName="L")
    report = await world.run()
    assert world.link(Entity.LEAD, row).marketo == "1"
    assert [hold.field for hold in report.holds] == ["description"]


async def test_without_access_to_a_field_nothing_of_it_is_created() -> None:
    """What Dynamics does not show is no empty value."""
    world = await World.of(Entity.LEAD)
    world.dynamics.hide_column("lead", "jobtitle")
    row = world.dynamics.create("lead", lastname="Lovelace")
    await world.run()
    assert world.person(world.link(Entity.LEAD, row))["lastName"] == "Lovelace"


async def test_a_row_that_is_gone_before_it_is_decided_is_forgotten() -> None:
    """Created and deleted between two runs, or before the plan: nothing is made of it."""
    world = await World.of(Entity.LEAD)
    row = world.dynamics.create("lead", lastname="Lovelace")
    await world.sync.plan()
    world.dynamics.delete("lead", row)
    report = await world.run()
    assert not report.operations
    assert not world.marketo.records("lead")


async def test_a_row_asked_for_by_key_and_gone_is_forgotten() -> None:
    """A released record that was deleted meanwhile is dealt with."""
    world = await World.of(Entity.LEAD)
    for _ in range(2):
        world.marketo.create("lead", email="ada@example.com")
    row = world.dynamics.create("lead", lastname="Lovelace", emailaddress1="ada@example.com")
    [item] = (await world.run()).quarantined
    await world.sync.journal.release(item)
    world.dynamics.delete("lead", row)
    assert (await world.rest()).ended == "done"


async def test_releasing_what_does_not_exist_does_nothing() -> None:
    """A key that no system knows is looked for once, and forgotten."""
    world = await World.of(Entity.LEAD)
    nobody = "00000000-0000-4000-8000-000000000000"
    await world.sync.journal.release(Quarantined(entity=Entity.LEAD, key=nobody, code="x", reason="x"))
    assert (await world.run()).ended == "done"
    assert not world.store.observed(System.DYNAMICS, "lead", [nobody])


async def test_a_person_that_is_linked_already_is_not_shared() -> None:
    """A second row with the e-mail of a matched person is set aside; its rival is linked, and no rival."""
    world = await World.of(Entity.LEAD)
    world.marketo.create("lead", email="ada@example.com")
    first = world.dynamics.create("lead", lastname="Ada", emailaddress1="ada@example.com")
    await world.rest()
    second = world.dynamics.create("lead", lastname="Augusta", emailaddress1="ada@example.com")
    report = await world.run()
    assert world.link(Entity.LEAD, first).marketo == "1"
    [item] = report.quarantined
    assert (item.key, item.reason) == (second, "person 1 shares its e-mail. Merge them, or set dynamicsId on one.")


@pytest.mark.parametrize("how", ["merged", "deleted"])
async def test_a_doubt_is_settled_when_one_of_the_persons_is_gone(how: str) -> None:
    """The message says to merge them; it was set aside for ever."""
    world = await World.of(Entity.CONTACT)
    persons = [world.marketo.create("lead", lastName="A", email="a@example.com") for _ in range(2)]
    row = world.dynamics.create("contact", lastname="A", emailaddress1="a@example.com")
    assert (await world.rest()).quarantined.total == 1
    if how == "merged":
        await world.marketo.merge(persons[0], persons[1:])
    else:
        world.marketo.delete("lead", persons[1])
    report = await world.rest()
    assert (report.quarantined.total, world.link(Entity.CONTACT, row).marketo) == (0, persons[0])
