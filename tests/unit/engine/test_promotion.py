"""A Marketo person becomes a Dynamics lead or contact when somebody asks, or a rule does."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import pytest

from mkdyn import Entity, Promotion, Rules, System, where
from mkdyn.domain import Record
from mkdyn.errors import ConfigError
from mkdyn.testing import FakeMarketo, LoseAnswer
from tests.unit.engine.world import World

pytestmark = pytest.mark.anyio

HOT = Rules(promote=[Promotion(to=Entity.LEAD, when=where("leadScore").at_least(80))])


async def test_nobody_is_promoted_unasked() -> None:
    """A new person of Marketo stays there."""
    world = await World.of(Entity.LEAD)
    await world.run()
    world.marketo.create("lead", email="ada@example.com", lastName="Lovelace")
    assert not (await world.run()).operations
    assert not world.dynamics.records("lead")


@pytest.mark.parametrize("entity", [Entity.LEAD, Entity.CONTACT])
async def test_a_person_is_promoted_on_request(entity: Entity) -> None:
    """It becomes a row with a GUID we chose, and the person learns it in the same run."""
    world = await World.of(Entity.LEAD, Entity.CONTACT)
    person = world.marketo.create("lead", email="ada@example.com", lastName="Lovelace", title="CTO")
    await world.sync.promote(int(person), to=entity)  # type: ignore[arg-type]  # a parameter of this test
    report = await world.run()
    assert (report.counts[System.DYNAMICS].create, report.ended) == (1, "done")
    [row] = world.dynamics.records(entity.logical_name)
    link = world.link(entity, row.key)
    assert (link.marketo, link.origin) == (person, "promoted")
    assert row.values["jobtitle"] == "CTO"
    key_field = "dynamicsId" if entity is Entity.LEAD else "dynamicsContactId"
    assert world.person(link)[key_field] == row.key
    assert world.person(link)["leadStatus"] == ("Open" if entity is Entity.LEAD else "Active")
    assert not (await world.rest()).operations


async def test_a_rule_promotes_whom_it_fits() -> None:
    """Only persons that the condition holds for are promoted, when the feed tells of them."""
    world = await World.of(Entity.LEAD, rules=HOT)
    await world.run()
    cold = world.marketo.create("lead", email="cold@example.com", lastName="Cold", leadScore=10)
    world.marketo.create("lead", email="hot@example.com", lastName="Hot", leadScore=90)
    await world.run()
    assert [row.values["lastname"] for row in world.dynamics.records("lead")] == ["Hot"]
    world.marketo.edit("lead", cold, leadScore=85)
    await world.run()
    assert len(world.dynamics.records("lead")) == 2
    assert not (await world.rest()).operations


async def test_a_row_that_stands_for_the_person_already_is_found() -> None:
    """A promotion looks for a Dynamics record first, by the match keys."""
    world = await World.of(Entity.LEAD, rules=Rules(match_on={Entity.LEAD: ["emailaddress1"]}))
    person = world.marketo.create("lead", email="ada@example.com", lastName="Lovelace")
    await world.run()
    row = world.dynamics.create("lead", lastname="Lovelace", emailaddress1="ADA@example.com")
    await world.sync.promote(int(person), to=Entity.LEAD)
    await world.run()
    assert world.link(Entity.LEAD, row).marketo == person
    assert len(world.dynamics.records("lead")) == 1


async def test_several_rows_with_the_persons_e_mail_set_the_promotion_aside() -> None:
    """Which of them is meant is for a person to say; no row is made."""
    world = await World.of(Entity.LEAD)
    person = world.marketo.create("lead", email="ada@example.com", lastName="Lovelace")
    await world.run()
    for name in ("A", "B"):
        world.dynamics.create("lead", lastname=name, emailaddress1="ada@example.com")
    await world.sync.promote(int(person), to=Entity.LEAD)
    report = await world.run()
    assert {item.code for item in report.quarantined} == {"ambiguous-match"}
    assert len(world.dynamics.records("lead")) == 2
    assert any(item.key == person for item in report.quarantined)


async def test_a_person_that_carries_a_rows_guid_is_linked_to_it() -> None:
    """The GUID in the key field says which row it is."""
    world = await World.of(Entity.LEAD, rules=Rules(match_on={}))
    await world.run()
    row = world.dynamics.create("lead", lastname="Lovelace")
    person = world.marketo.create("lead", lastName="Lovelace", dynamicsId=row)
    await world.sync.promote(int(person), to=Entity.LEAD)
    await world.run()
    assert world.link(Entity.LEAD, row).marketo == person


async def test_what_dynamics_requires_must_be_there() -> None:
    """A person without a last name is set aside with the column's name; filled in, it is promoted."""
    world = await World.of(Entity.LEAD, rules=HOT)
    await world.run()
    person = world.marketo.create("lead", email="ada@example.com", leadScore=90)
    report = await world.run()
    [item] = report.quarantined
    assert (item.code, item.key) == ("required", person)
    assert "Dynamics requires lastname" in item.reason
    world.marketo.edit("lead", person, lastName="Lovelace")
    await world.run()
    assert len(world.dynamics.records("lead")) == 1
    assert [found async for found in world.sync.journal.quarantine()] == []


async def test_a_released_promotion_is_tried_again() -> None:
    """release() brings a person that was set aside before the next plan."""
    world = await World.of(Entity.LEAD)
    person = world.marketo.create("lead", email="ada@example.com")
    await world.sync.promote(int(person), to=Entity.LEAD)
    [item] = (await world.run()).quarantined
    world.marketo.edit("lead", person, lastName="Lovelace")
    await world.sync.journal.release(item)
    await world.run()
    assert len(world.dynamics.records("lead")) == 1


async def test_a_person_that_is_not_there_is_told() -> None:
    """Asking for somebody whom Marketo does not show is a warning, not silence."""
    world = await World.of(Entity.LEAD)
    person = world.marketo.create("lead", lastName="Lovelace")
    await world.sync.promote(int(person), to=Entity.LEAD)
    world.marketo.hold_entries()
    world.marketo.delete("lead", person)
    report = await world.run()
    assert report.warnings == (f"person {person} was to be promoted, but Marketo does not show it",)


async def test_a_person_deleted_before_its_promotion_is_forgotten() -> None:
    """The request ends with the person."""
    world = await World.of(Entity.LEAD, rules=HOT)
    await world.run()
    person = world.marketo.create("lead", email="ada@example.com", lastName="Lovelace", leadScore=90)
    await world.sync.plan()
    world.marketo.delete("lead", person)
    report = await world.run()
    assert not report.operations


@pytest.mark.parametrize("applied", ["yes", "no"])
async def test_a_lost_answer_never_makes_a_second_row(applied: str) -> None:
    """A create whose answer is lost is looked for under its GUID before anything is created again."""
    world = await World.of(Entity.LEAD)
    person = world.marketo.create("lead", email="ada@example.com", lastName="Lovelace")
    await world.sync.promote(int(person), to=Entity.LEAD)
    world.dynamics.inject(LoseAnswer(call=1, of="write", applied=applied))  # type: ignore[arg-type]  # this test's
    await world.rest()
    [row] = world.dynamics.records("lead")
    assert world.link(Entity.LEAD, row.key).marketo == person
    assert not (await world.rest()).operations


async def test_a_person_whose_row_was_deleted_may_be_promoted_again() -> None:
    """It gets a new row, with another GUID."""
    world = await World.of(Entity.LEAD)
    person = world.marketo.create("lead", email="ada@example.com", lastName="Lovelace")
    await world.sync.promote(int(person), to=Entity.LEAD)
    await world.rest()
    [first] = world.dynamics.records("lead")
    world.dynamics.delete("lead", first.key)
    await world.rest()
    await world.sync.promote(int(person), to=Entity.LEAD)
    await world.rest()
    [second] = world.dynamics.records("lead")
    assert second.key != first.key
    assert world.link(Entity.LEAD, second.key).marketo == person


async def test_a_value_that_does_not_fit_is_held_and_the_rest_is_promoted() -> None:
    """The field waits in Marketo; the row is created without it."""
    world = await World.of(Entity.LEAD)
    person = world.marketo.create("lead", lastName="Lovelace", mktoPersonNotes="x" * 2_001)
    await world.sync.promote(int(person), to=Entity.LEAD)
    report = await world.run()
    [row] = world.dynamics.records("lead")
    assert row.values["description"] is None
    assert report.ended == "warnings"
    world.marketo.edit("lead", person, mktoPersonNotes="fits")
    await world.rest()
    assert world.row(world.link(Entity.LEAD, row.key))["description"] == "fits"


async def test_two_persons_that_share_a_row_are_set_aside() -> None:
    """One row, two persons asked for: which of them it is, a person must say."""
    world = await World.of(Entity.LEAD)
    await world.run()
    row = world.dynamics.create("lead", lastname="Lovelace", emailaddress1="ada@example.com")
    persons = [world.marketo.create("lead", email="ada@example.com", lastName=name) for name in ("A", "B")]
    await world.sync.promote(*(int(person) for person in persons), to=Entity.LEAD)
    report = await world.run()
    assert {item.key for item in report.quarantined} == {row, *persons}
    assert len(world.dynamics.records("lead")) == 1


async def test_a_row_that_was_set_aside_is_found_by_a_promotion() -> None:
    """The doubt is gone with one of the two persons: the other, asked for, goes to the row there is."""
    world = await World.of(Entity.LEAD)
    persons = [world.marketo.create("lead", email="ada@example.com", lastName=name) for name in ("A", "B")]
    row = world.dynamics.create("lead", lastname="A", emailaddress1="ada@example.com")
    assert (await world.run()).quarantined.total == 1
    world.marketo.delete("lead", persons[1])
    await world.sync.promote(int(persons[0]), to=Entity.LEAD)
    report = await world.run()
    assert world.link(Entity.LEAD, row).marketo == persons[0]
    assert len(world.dynamics.records("lead")) == 1
    assert report.quarantined.total == 0


async def test_what_marketo_does_not_show_is_left_out_of_a_new_row() -> None:
    """Silence is not emptiness."""

    class Terse(FakeMarketo):
        async def read(self, object: str, keys: Collection[str], /, *, fields: Collection[str]) -> Mapping[str, Record]:
            shown = [name for name in fields if name != "city"]
            return await super().read(object, keys, fields=shown)

    world = await World.of(Entity.LEAD, marketo=Terse())
    key = world.marketo.create("lead", lastName="Lovelace", city="London")
    await world.sync.promote(int(key), to=Entity.LEAD)
    report = await world.run()
    [created] = [operation for operation in report.operations if operation.kind == "create"]
    assert created.after["lastname"] == "Lovelace"
    assert "address1_city" not in created.after


async def test_unknown_persons_are_refused_all_together() -> None:
    """Nobody is promoted, those who are there included; all are named, up to ten."""
    world = await World.of(Entity.LEAD)
    person = int(world.marketo.create("lead", lastName="Lovelace"))
    with pytest.raises(ConfigError, match=r"Marketo shows no person 4711, 4712; nobody was promoted. Check the ids"):
        await world.sync.promote(person, 4711, 4712, to=Entity.LEAD)
    with pytest.raises(ConfigError, match=", 4709 and 3 more; nobody"):
        await world.sync.promote(*range(4700, 4713), to=Entity.LEAD)
    await world.run()
    assert not world.dynamics.records("lead")


async def test_nobody_becomes_what_does_not_sync() -> None:
    """It would never be made, and nobody would be told."""
    world = await World.of(Entity.LEAD)
    person = int(world.marketo.create("lead", lastName="Lovelace"))
    with pytest.raises(ConfigError, match=r"Nobody can become a contact: no field of it is selected. Select some"):
        await world.sync.promote(person, to=Entity.CONTACT)
