"""Deleted, restored, missing: what becomes of a link, by the rules."""

from __future__ import annotations

from datetime import timedelta

import pytest

from mkdyn import Entity, Key, Promotion, Rules, System, where
from mkdyn.domain import LinkState, Record
from mkdyn.testing import Crash, Crashed, FakeDynamics, FakeMarketo
from tests.unit.engine.world import World

pytestmark = pytest.mark.anyio


async def test_the_person_of_a_deleted_row_is_kept_and_flagged() -> None:
    """By default nothing is deleted in Marketo; the flag says what happened."""
    world = await World.of(Entity.LEAD)
    link = await world.linked(Entity.LEAD, lastname="Lovelace")
    world.dynamics.delete("lead", link.dynamics)
    await world.run()
    assert world.person(link)["dynamicsDeleted"] is True
    assert world.link(Entity.LEAD, link.dynamics).state is LinkState.TOMBSTONE
    world.marketo.edit("lead", link.marketo, title="CTO")
    assert not (await world.rest()).operations


@pytest.mark.parametrize(("setting", "there"), [("ignore", True), ("delete", False)])
async def test_the_person_of_a_deleted_row_may_be_ignored_or_deleted(setting: str, there: bool) -> None:
    """The other two settings."""
    rules = Rules(person_deleted_in_dynamics=setting)  # type: ignore[arg-type]  # a parameter of this test
    world = await World.of(Entity.LEAD, rules=rules)
    link = await world.linked(Entity.LEAD, lastname="Lovelace")
    world.dynamics.delete("lead", link.dynamics)
    await world.run()
    record = world.marketo.record("lead", link.marketo)
    assert (record is not None) is there
    assert record is None or record.values["dynamicsDeleted"] is False
    assert not (await world.rest()).operations


async def test_a_restored_row_revives_its_link() -> None:
    """The same person goes on, unflagged, with everything that was entered meanwhile."""
    world = await World.of(Entity.LEAD)
    link = await world.linked(Entity.LEAD, lastname="Lovelace", jobtitle="Engineer")
    world.dynamics.delete("lead", link.dynamics)
    await world.run()
    world.dynamics.restore("lead", link.dynamics)
    world.dynamics.edit("lead", link.dynamics, telephone1="1")
    await world.rest()
    assert world.link(Entity.LEAD, link.dynamics).state is LinkState.LIVE
    assert (world.person(link)["dynamicsDeleted"], world.person(link)["phone"]) == (False, "1")
    assert len(world.marketo.records("lead")) == 1


async def test_a_row_made_anew_for_a_deleted_one_is_somebody_new() -> None:
    """A flagged person is no match for the next row with its e-mail."""
    world = await World.of(Entity.LEAD)
    link = await world.linked(Entity.LEAD, lastname="Lovelace", emailaddress1="ada@example.com")
    world.dynamics.delete("lead", link.dynamics)
    await world.run()
    again = world.dynamics.create("lead", lastname="Lovelace", emailaddress1="ada@example.com")
    await world.rest()
    assert world.link(Entity.LEAD, again).marketo != link.marketo


async def test_a_person_deleted_in_marketo_stays_deleted() -> None:
    """Dynamics is untouched; a later edit there creates nobody, and is reported."""
    world = await World.of(Entity.LEAD)
    link = await world.linked(Entity.LEAD, lastname="Lovelace")
    world.marketo.delete("lead", link.marketo)
    assert not (await world.run()).operations
    world.dynamics.edit("lead", link.dynamics, jobtitle="CTO")
    report = await world.run()
    assert [item.code for item in report.quarantined] == ["deleted-in-marketo"]
    assert not world.marketo.records("lead")
    assert world.dynamics.record("lead", link.dynamics) is not None


async def test_a_person_deleted_in_marketo_may_be_made_again() -> None:
    """With the setting, the next edit in Dynamics creates a new person, as the native sync does."""
    world = await World.of(Entity.LEAD, rules=Rules(person_deleted_in_marketo="recreate"))
    link = await world.linked(Entity.LEAD, lastname="Lovelace")
    world.marketo.delete("lead", link.marketo)
    await world.run()
    world.dynamics.edit("lead", link.dynamics, jobtitle="CTO")
    await world.rest()
    again = world.link(Entity.LEAD, link.dynamics)
    assert again.marketo != link.marketo
    assert world.person(again)["title"] == "CTO"


async def test_both_records_deleted_is_the_end() -> None:
    """Nothing is written, nothing is reported as missing."""
    world = await World.of(Entity.LEAD)
    link = await world.linked(Entity.LEAD, lastname="Lovelace")
    world.marketo.delete("lead", link.marketo)
    world.dynamics.delete("lead", link.dynamics)
    report = await world.run()
    assert (report.ended, report.operations.total) == ("done", 0)
    assert not (await world.rest()).operations


async def test_a_deletion_of_what_is_buried_already_is_dealt_with() -> None:
    """Deleted here today, there tomorrow: the second deletion asks for nothing."""
    world = await World.of(Entity.LEAD)
    link = await world.linked(Entity.LEAD, lastname="Lovelace")
    world.marketo.delete("lead", link.marketo)
    await world.run()
    world.dynamics.delete("lead", link.dynamics)
    report = await world.run()
    assert (report.ended, report.operations.total) == ("done", 0)


@pytest.mark.parametrize("setting", ["delete", "ignore"])
async def test_a_one_way_record_is_deleted_in_marketo_too(setting: str) -> None:
    """Or kept, with the setting; a user's sales person is always kept."""
    rules = Rules(other_deleted_in_dynamics=setting)  # type: ignore[arg-type]  # a parameter of this test
    world = await World.of(Entity.OPPORTUNITY, Entity.USER, rules=rules)
    deal = await world.linked(Entity.OPPORTUNITY, name="Deal")
    user = await world.linked(Entity.USER, firstname="Grace", lastname="Hopper")
    world.dynamics.delete("opportunity", deal.dynamics)
    world.dynamics.delete("systemuser", user.dynamics)
    await world.rest()
    assert len(world.marketo.records("opportunity")) == (0 if setting == "delete" else 1)
    assert len(world.marketo.records("salesperson")) == 1


async def test_an_account_still_in_use_is_not_deleted_in_marketo() -> None:
    """Marketo refuses, the record is set aside with Marketo's code, and nothing else stops."""
    world = await World.of(Entity.ACCOUNT, Entity.CONTACT)
    account = await world.linked(Entity.ACCOUNT, name="Acme")
    await world.linked(Entity.CONTACT, lastname="Lovelace", parentcustomerid=account.dynamics)
    world.dynamics.delete("account", account.dynamics)
    report = await world.run()
    assert [item.code for item in report.quarantined] == ["1022"]
    assert len(world.marketo.records("company")) == 1


class Hiding(FakeMarketo):
    """A Marketo that does not show some persons, though they are there."""

    hidden: frozenset[str] = frozenset()

    async def read(self, object: str, keys, /, *, fields) -> dict[str, Record]:  # type: ignore[no-untyped-def]  # noqa: ANN001, D102
        found = await super().read(object, keys, fields=fields)
        return {key: record for key, record in found.items() if key not in self.hidden}


async def test_absence_proves_nothing() -> None:
    """A person that can't be read is suspended, not deleted; shown again, it goes on where it was."""
    marketo = Hiding()
    world = await World.of(Entity.LEAD, marketo=marketo)
    link = await world.linked(Entity.LEAD, lastname="Lovelace", jobtitle="Engineer")
    marketo.hidden = frozenset({link.marketo})
    world.dynamics.edit("lead", link.dynamics, jobtitle="CTO")
    report = await world.run()
    assert world.link(Entity.LEAD, link.dynamics).state is LinkState.SUSPENDED
    assert [item.code for item in report.quarantined] == ["missing"]
    world.dynamics.edit("lead", link.dynamics, telephone1="1")
    assert [item.code for item in (await world.run()).quarantined] == ["missing"]
    marketo.hidden = frozenset()
    await world.rest()
    assert world.link(Entity.LEAD, link.dynamics).state is LinkState.LIVE
    assert (world.person(link)["title"], world.person(link)["phone"]) == ("CTO", "1")
    assert [item async for item in world.sync.journal.quarantine()] == []


async def test_a_record_that_is_shown_again_is_not_missing_though_its_write_is_refused() -> None:
    """What was kept back stayed so until something was written, and a read-only row takes nothing."""
    marketo = Hiding()
    world = await World.of(Entity.LEAD, rules=Rules(walk_links=0), marketo=marketo)
    link = await world.linked(Entity.LEAD, lastname="A")
    world.dynamics.edit("lead", link.dynamics, statecode=2)
    await world.rest()
    marketo.hidden = frozenset({link.marketo})
    world.marketo.edit("lead", link.marketo, title="VP")
    assert [item.code for item in (await world.run()).quarantined] == ["missing"]
    marketo.hidden = frozenset()
    world.dynamics.edit("lead", link.dynamics, jobtitle="Engineer")
    report = await world.rest()
    assert ([hold.field for hold in report.holds], list(report.quarantined)) == (["jobtitle"], [])


async def test_what_stays_missing_for_the_watch_time_counts_as_deleted() -> None:
    """After the watch time it is read by key once more; only then is the link buried."""
    marketo = Hiding()
    world = await World.of(Entity.LEAD, marketo=marketo)
    link = await world.linked(Entity.LEAD, lastname="Lovelace")
    marketo.hidden = frozenset({link.marketo})
    await world.rest()
    assert world.link(Entity.LEAD, link.dynamics).state is LinkState.SUSPENDED
    world.clock += timedelta(days=8)
    await world.rest()
    assert world.link(Entity.LEAD, link.dynamics).state is LinkState.TOMBSTONE


async def test_a_suspended_record_that_is_deleted_after_all_is_buried() -> None:
    """A reported deletion ends the suspension at once."""
    marketo = Hiding()
    world = await World.of(Entity.LEAD, marketo=marketo)
    link = await world.linked(Entity.LEAD, lastname="Lovelace")
    marketo.hidden = frozenset({link.marketo})
    await world.rest()
    marketo.delete("lead", link.marketo)
    await world.run()
    assert world.link(Entity.LEAD, link.dynamics).state is LinkState.TOMBSTONE


class Secretive(FakeDynamics):
    """A Dynamics that shows no row by key."""

    secretive = False

    async def read(self, object: str, keys, /, *, fields) -> dict[str, Record]:  # type: ignore[no-untyped-def]  # noqa: ANN001, D102
        found = await super().read(object, keys, fields=fields)
        return {} if self.secretive else dict(found)


async def test_a_row_that_can_not_be_read_is_suspended_and_comes_back() -> None:
    """The same for Dynamics: its feed naming the row again revives the link."""
    dynamics = Secretive()
    world = await World.of(Entity.LEAD, dynamics=dynamics)
    link = await world.linked(Entity.LEAD, lastname="Lovelace")
    dynamics.secretive = True
    await world.rest()
    assert world.link(Entity.LEAD, link.dynamics).gone is System.DYNAMICS
    world.marketo.edit("lead", link.marketo, title="CTO")
    assert [item.code for item in (await world.run()).quarantined] == ["missing"]
    dynamics.secretive = False
    world.dynamics.edit("lead", link.dynamics, telephone1="1")
    await world.rest()
    assert (world.row(link)["jobtitle"], world.person(link)["phone"]) == ("CTO", "1")


async def test_a_record_that_is_back_is_read_again_if_its_write_is_lost() -> None:
    """Both sides are read when a suspended link wakes; a run that dies then leaves that to the next one."""
    dynamics = Secretive()
    world = await World.of(Entity.LEAD, dynamics=dynamics, rules=Rules(walk_links=0))
    link = await world.linked(Entity.LEAD, lastname="Lovelace")
    world.dynamics.edit("lead", link.dynamics, jobtitle="CTO")
    await world.rest()
    dynamics.secretive = True
    await world.sync.run(keys=[Key.dynamics(link.dynamics)])
    world.restart(Rules(walk_links=9))
    await world.rest()
    assert world.link(Entity.LEAD, link.dynamics).gone is System.DYNAMICS
    world.restart(Rules(walk_links=0))
    dynamics.secretive = False
    world.dynamics.edit("lead", link.dynamics, telephone1="1")
    world.marketo.inject(Crash(call=world.next_call(System.MARKETO, "write"), when="before", of="write"))
    with pytest.raises(Crashed):
        await world.run()
    world.marketo.faults.clear()
    world.restart(Rules(walk_links=0))
    await world.rest()
    assert (world.person(link)["phone"], world.person(link)["title"]) == ("1", "CTO")


async def test_a_buried_person_is_not_promoted_by_rule_unless_asked() -> None:
    """The feed naming a person whose row was deleted does not bring the row back."""
    rules = Rules(promote=[Promotion(to=Entity.LEAD, when=where("leadScore").at_least(80))])
    world = await World.of(Entity.LEAD, rules=rules)
    await world.run()
    world.marketo.create("lead", lastName="Lovelace", leadScore=90)
    await world.rest()
    [row] = world.dynamics.records("lead")
    world.dynamics.delete("lead", row.key)
    await world.rest()
    [person] = world.marketo.records("lead")
    world.marketo.edit("lead", person.key, title="CTO")
    await world.rest()
    assert not world.dynamics.records("lead")
