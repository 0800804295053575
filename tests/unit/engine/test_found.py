"""What once went wrong, each as plainly as it can be said."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import attrs
import pytest

from mkdyn import Entity, Key, Pick, Promotion, Rules, System, where
from mkdyn.domain import LinkState, PairState, Quarantined, Record
from mkdyn.errors import UnreachableError
from mkdyn.testing import Crash, Crashed, FakeDynamics, FakeMarketo, LoseAnswer, Reject, Unreachable
from tests.unit.engine.world import World

pytestmark = pytest.mark.anyio


async def test_a_person_that_is_matched_is_not_promoted_in_the_same_run() -> None:
    """A contact and a promotion rule meant one person: two links could not be kept, and every run failed."""
    rules = Rules(promote=[Promotion(to=Entity.LEAD, when=where("leadScore").at_least(80))])
    world = await World.of(Entity.LEAD, Entity.CONTACT, rules=rules)
    await world.run()
    world.marketo.create("lead", lastName="A", email="a@example.com", leadScore=90)
    contact = world.dynamics.create("contact", lastname="A", emailaddress1="a@example.com")
    await world.rest()
    assert world.link(Entity.CONTACT, contact).marketo == "1"
    assert not world.dynamics.records("lead")


async def test_a_person_with_the_guids_of_a_lead_and_a_contact_goes_to_the_contact() -> None:
    """Both claimed it in one plan."""
    world = await World.of(Entity.LEAD, Entity.CONTACT)
    rows = {
        entity: world.dynamics.create(entity.logical_name, lastname="A", jobtitle=str(entity))
        for entity in (Entity.LEAD, Entity.CONTACT)
    }
    world.marketo.create("lead", dynamicsId=rows[Entity.LEAD], dynamicsContactId=rows[Entity.CONTACT])
    report = await world.rest()
    assert world.link(Entity.CONTACT, rows[Entity.CONTACT]).marketo == "1"
    assert [item.key for item in report.quarantined] == [rows[Entity.LEAD]]


async def test_two_rows_that_claim_one_person_by_different_keys_do_not_both_get_it() -> None:
    """One shares its e-mail, the other its phone."""
    world = await World.of(Entity.CONTACT, rules=Rules(match_on={Entity.CONTACT: ["emailaddress1", "telephone1"]}))
    world.marketo.create("lead", lastName="A", email="a@example.com", phone="1")
    first = world.dynamics.create("contact", lastname="A", emailaddress1="a@example.com", telephone1="2")
    second = world.dynamics.create("contact", lastname="B", emailaddress1="b@example.com", telephone1="1")
    report = await world.rest()
    assert world.link(Entity.CONTACT, first).marketo == "1"
    assert [item.key for item in report.quarantined] == [second]


async def test_setting_the_guid_on_one_candidate_settles_a_doubt() -> None:
    """The message says to do that, so it must be enough."""
    world = await World.of(Entity.CONTACT)
    person = world.marketo.create("lead", lastName="A", email="a@example.com")
    world.marketo.create("lead", lastName="A", email="a@example.com")
    row = world.dynamics.create("contact", lastname="A", emailaddress1="a@example.com")
    await world.rest()
    world.marketo.edit("lead", person, dynamicsContactId=row)
    report = await world.rest()
    assert world.link(Entity.CONTACT, row).marketo == person
    assert report.quarantined.total == 0


async def test_a_restored_account_is_made_again_in_marketo() -> None:
    """We deleted its company, so nobody else will bring it back."""
    world = await World.of(Entity.ACCOUNT)
    link = await world.linked(Entity.ACCOUNT, name="Acme")
    world.dynamics.delete("account", link.dynamics)
    await world.rest()
    assert not world.marketo.records("company")
    world.dynamics.restore("account", link.dynamics)
    await world.rest()
    assert [company.values["company"] for company in world.marketo.records("company")] == ["Acme"]


async def test_a_doubt_outlives_the_feed_naming_the_row_again() -> None:
    """A lost answer, the old value put back at once: both values are reported, whichever stands."""
    world = await World.of(Entity.CONTACT)
    link = await world.linked(Entity.CONTACT, lastname="A", jobtitle="1")
    world.marketo.edit("lead", link.marketo, title="2")
    world.dynamics.inject(LoseAnswer(call=world.next_call(System.DYNAMICS, "write"), of="write"))

    def put_back(call: str) -> None:
        if call == "read contact" and world.row(link)["jobtitle"] == "2":
            world.dynamics.between_calls.clear()
            world.dynamics.edit("contact", link.dynamics, jobtitle="1")

    world.dynamics.between(put_back)
    await world.rest()
    found = [(item.collision.marketo, item.collision.dynamics) async for item in world.sync.journal.collisions()]
    assert found == [("2", "1")]
    assert world.row(link)["jobtitle"] == world.person(link)["title"] == "1"


@pytest.mark.parametrize("by_key", ["by key", "by feed"])
async def test_evidence_that_waits_for_a_run_that_works_is_not_lost(by_key: str) -> None:
    """A run that ends after gathering leaves the evidence of an overwritten edit to the next."""
    world = await World.of(Entity.CONTACT)
    link = await world.linked(Entity.CONTACT, lastname="A", jobtitle="1")
    world.dynamics.edit("contact", link.dynamics, jobtitle="ours")

    world.meddle(System.MARKETO, "write lead", "lead", link.marketo, title="theirs")
    await world.run()
    world.marketo.inject(Unreachable(call=world.next_call(System.MARKETO, "read"), of="read"))
    with pytest.raises(UnreachableError):
        await world.run()
    if by_key == "by key":
        await world.sync.run(keys=[Key.marketo(link.marketo)])
    await world.rest()
    found = [(item.kind, item.collision.marketo) async for item in world.sync.journal.collisions()]
    assert found == [("overwritten", "theirs")]


async def test_a_pair_stays_in_backfill_until_every_row_was_read() -> None:
    """The feed broke off half-way: the rest still gets Dynamics' values, not Marketo's."""
    world = World(dynamics=FakeDynamics(page_size=2))
    await world.sync.fields.select(Pick(Entity.LEAD, "lastname"))
    links = [await world.linked(Entity.LEAD, lastname=str(number), jobtitle=f"D{number}") for number in range(5)]
    for link in links:
        world.marketo.edit("lead", link.marketo, title="stale")
    await world.rest()
    await world.sync.fields.select(Pick(Entity.LEAD, "jobtitle"))
    call = world.next_call(System.DYNAMICS, "changes") + 1
    world.dynamics.inject(Unreachable(call=call, of="changes"))
    await world.run()
    assert [pair.state for pair in await world.sync.fields.selected()] == [PairState.ACTIVE, PairState.BACKFILLING]
    await world.rest()
    assert [world.person(link)["title"] for link in links] == [f"D{number}" for number in range(5)]


async def test_a_deselected_field_with_an_unconfirmed_write_is_no_error() -> None:
    """An observation read before, an echo of a field that is not selected any more: every run failed."""
    world = await World.with_picks(*(Pick(Entity.CONTACT, name) for name in ("lastname", "jobtitle", "telephone1")))
    link = await world.linked(Entity.CONTACT, lastname="A", jobtitle="1", telephone1="5")
    world.marketo.block_field("lead", "title")
    world.dynamics.edit("contact", link.dynamics, jobtitle="2")
    await world.run()
    world.dynamics.inject(Crash(call=world.next_call(System.DYNAMICS, "read"), of="read"))
    world.dynamics.edit("contact", link.dynamics, telephone1="6")
    with pytest.raises(Crashed):
        await world.run()
    await world.sync.fields.deselect(Pick(Entity.CONTACT, "jobtitle"))
    world.restart()
    await world.rest()
    assert world.person(link)["phone"] == "6"


async def test_collisions_of_plans_that_were_never_carried_out_are_not_in_the_journal() -> None:
    """A plan shows them; the journal tells what happened."""
    world = await World.of(Entity.CONTACT)
    link = await world.linked(Entity.CONTACT, lastname="A", jobtitle="1")
    await world.edit_both(link, marketo={"title": "M"}, dynamics={"jobtitle": "D"})
    assert (await world.sync.plan()).collisions.total == 1
    plan = await world.sync.plan()
    world.dynamics.edit("contact", link.dynamics, jobtitle="E")
    report = await world.sync.apply(plan)
    assert [item.collision.dynamics for item in report.collisions] == ["E"]
    world.dynamics.edit("contact", link.dynamics, jobtitle="M")
    await world.rest()
    found = [item.collision.dynamics async for item in world.sync.journal.collisions()]
    assert "D" not in found


async def test_a_replanned_plan_lists_each_write_once() -> None:
    """Nothing had moved: it ends as done, with one write."""
    world = await World.of(Entity.LEAD)
    world.dynamics.create("lead", lastname="A")
    report = await world.sync.apply(await world.sync.plan(), moved="replan")
    assert (report.ended, report.operations.total) == ("done", 1)


async def test_an_edit_made_while_its_row_was_deleted_comes_over_when_it_is_restored() -> None:
    """A revived link is read on both systems, walk or no walk."""
    world = await World.of(Entity.LEAD, rules=Rules(walk_links=0))
    link = await world.linked(Entity.LEAD, lastname="A", jobtitle="1")
    world.dynamics.delete("lead", link.dynamics)
    await world.rest()
    world.marketo.edit("lead", link.marketo, title="X")
    await world.rest()
    world.dynamics.restore("lead", link.dynamics)
    await world.rest()
    assert world.row(link)["jobtitle"] == "X"


async def test_a_first_run_by_key_begins_marketos_feed() -> None:
    """Else an edit between it and the next run would be told by nobody."""
    world = await World.of(Entity.CONTACT, rules=Rules(walk_links=0), marketo=FakeMarketo())
    row = world.dynamics.create("contact", lastname="A", jobtitle="1")
    await world.sync.run(keys=[Key.dynamics(row)])
    link = world.link(Entity.CONTACT, row)
    world.marketo.edit("lead", link.marketo, title="X")
    await world.rest()
    assert world.row(link)["jobtitle"] == "X"


async def test_two_claims_that_only_write_to_dynamics_do_not_stop_every_run() -> None:
    """Nothing had to be written to the person, so nobody saw that it was claimed twice."""
    world = await World.with_picks(
        *(Pick(entity, name) for entity in (Entity.LEAD, Entity.CONTACT) for name in ("lastname", "jobtitle"))
    )
    await world.run()
    contact = world.dynamics.create("contact", lastname="A")
    lead = world.dynamics.create("lead", lastname="A")
    world.marketo.create("lead", lastName="A", title="T", dynamicsContactId=contact, dynamicsId=lead)
    report = await world.rest()
    assert world.link(Entity.CONTACT, contact).marketo == "1"
    assert [item.key for item in report.quarantined] == [lead]
    assert not (await world.rest()).operations


async def test_a_refused_flag_is_not_sent_again_and_again() -> None:
    """The row is gone, whatever Marketo says of the flag: the link is buried, and the refusal stands."""
    world = await World.of(Entity.CONTACT)
    link = await world.linked(Entity.CONTACT, lastname="A")
    world.marketo.inject(Reject(field="dynamicsDeleted", code="1003", message="No."))
    world.dynamics.delete("contact", link.dynamics)
    report = await world.rest()
    assert report.quarantined.total == 1
    assert not (await world.rest()).operations


async def test_a_request_does_not_replace_what_the_feed_said() -> None:
    """A deletion that a plan gathered is still followed after somebody asks for the person."""
    world = await World.of(Entity.LEAD)
    link = await world.linked(Entity.LEAD, lastname="A")
    world.marketo.hold_values()
    world.marketo.delete("lead", link.marketo)
    await world.sync.plan()
    await world.sync.promote(int(link.marketo), to=Entity.LEAD)  # its values lag behind the feed
    world.marketo.show_values()
    await world.rest()
    assert world.link(Entity.LEAD, link.dynamics).state is LinkState.TOMBSTONE


@pytest.mark.parametrize("then", ["run", "apply"])
async def test_collisions_of_a_plan_that_died_half_way_stay_in_the_journal(then: str) -> None:
    """What was carried out is told, though the run never ended."""
    world = await World.of(Entity.CONTACT, marketo=FakeMarketo(batch_max=1))
    links = [await world.linked(Entity.CONTACT, lastname=name, jobtitle="1") for name in ("A", "B")]
    for link in links:
        await world.edit_both(link, marketo={"title": "M"}, dynamics={"jobtitle": "D"})
    plan = await world.sync.plan()
    world.marketo.inject(Crash(call=world.next_call(System.MARKETO, "write") + 1, of="write"))
    with pytest.raises(Crashed):
        await world.sync.apply(plan)
    world.marketo.faults.clear()
    world.restart()
    if then == "apply":
        await world.sync.apply(plan)
    await world.rest()
    told = {item.key async for item in world.sync.journal.collisions()}
    assert told == {link.dynamics for link in links}


async def test_a_key_field_with_anything_but_a_guid_asks_dynamics_nothing() -> None:
    """A junk value of the right length would have been looked for as a row."""
    world = await World.of(Entity.CONTACT, rules=Rules(walk_links=0))
    await world.run()
    person = world.marketo.create("lead", lastName="A")
    world.marketo.edit("lead", person, dynamicsContactId="x" * 36)
    report = await world.run()
    assert report.observed == 0


# -- found by the simulation ---------------------------------------------------------------------------


async def test_an_edit_of_a_hidden_column_is_found_when_it_is_shown_again() -> None:
    """The row's version had been taken as known, though it did not show the column."""
    world = await World.of(Entity.CONTACT)
    link = await world.linked(Entity.CONTACT, lastname="A", jobtitle="1")
    world.dynamics.hide_column("contact", "jobtitle")
    world.dynamics.edit("contact", link.dynamics, jobtitle="2", telephone1="5")
    await world.rest()
    world.dynamics.show_column("contact", "jobtitle")
    await world.rest()
    assert (world.person(link)["title"], world.person(link)["phone"]) == ("2", "5")


async def test_a_hold_outlives_an_edit_of_another_field() -> None:
    """Marketo was taken at its baseline's word, though it was held for showing something else."""
    world = await World.of(Entity.ACCOUNT, Entity.CONTACT, rules=Rules(walk_links=0))
    company = world.dynamics.create("account", name="Acme")
    link = await world.linked(Entity.CONTACT, lastname="A")
    world.marketo.edit("lead", link.marketo, externalCompanyId=company)
    assert (await world.rest()).holds.total == 1  # a person can't leave its company
    world.dynamics.edit("contact", link.dynamics, jobtitle="2")
    assert (await world.rest()).holds.total == 1


async def test_a_record_set_aside_stays_so_when_its_other_side_is_edited() -> None:
    """A closed lead takes no edit of Marketo's, and goes on giving its own."""
    world = await World.of(Entity.LEAD, rules=Rules(walk_links=0))
    link = await world.linked(Entity.LEAD, lastname="A", jobtitle="1", statecode=2)
    world.marketo.edit("lead", link.marketo, title="2")
    assert (await world.rest()).holds.total == 1
    world.dynamics.edit("lead", link.dynamics, telephone1="5")
    assert (await world.rest()).holds.total == 1
    assert (world.row(link)["jobtitle"], world.person(link)["phone"]) == ("1", "5")


async def test_a_restored_row_does_not_take_its_person_back_from_another() -> None:
    """The person had been promoted anew meanwhile: two links could not be kept, and every run failed."""
    world = await World.of(Entity.LEAD)
    link = await world.linked(Entity.LEAD, lastname="A")
    world.dynamics.delete("lead", link.dynamics)
    await world.rest()
    await world.sync.promote(int(link.marketo), to=Entity.LEAD)
    await world.rest()
    world.dynamics.restore("lead", link.dynamics)
    report = await world.rest()
    assert [(item.key, item.code) for item in report.quarantined] == [(link.dynamics, "ambiguous-match")]
    [live] = world.live(Entity.LEAD)
    assert (live.marketo, live.dynamics == link.dynamics) == (link.marketo, False)


async def test_two_restored_rows_of_one_person_do_not_both_take_it_back() -> None:
    """In one run, too, a person goes to one of them."""
    world = await World.of(Entity.LEAD)
    first = await world.linked(Entity.LEAD, lastname="A")
    world.dynamics.delete("lead", first.dynamics)
    await world.rest()
    await world.sync.promote(int(first.marketo), to=Entity.LEAD)
    await world.rest()
    [second] = world.live(Entity.LEAD)
    world.dynamics.delete("lead", second.dynamics)
    await world.rest()
    for link in (first, second):
        world.dynamics.restore("lead", link.dynamics)
    report = await world.rest()
    assert len(world.live(Entity.LEAD)) == report.quarantined.total == 1


async def test_a_missing_record_that_turns_out_deleted_is_not_missing_any_more() -> None:
    """Its quarantine stood for ever."""
    world = await World.of(Entity.LEAD, rules=Rules(watch_days=0.0))
    link = await world.linked(Entity.LEAD, lastname="A")
    world.marketo.hold_entries()
    world.marketo.delete("lead", link.marketo)
    world.dynamics.edit("lead", link.dynamics, jobtitle="2")
    assert (await world.run()).quarantined.total == 1
    assert (await world.rest()).quarantined.total == 0
    assert world.link(Entity.LEAD, link.dynamics).state is LinkState.TOMBSTONE


async def test_a_value_older_than_our_confirmed_write_is_no_edit() -> None:
    """The feed had told of our write, the values had not caught up: what stood there before looked like an edit."""
    world = await World.of(Entity.LEAD, marketo=FakeMarketo(settles_after_s=1200))
    link = await world.linked(Entity.LEAD, lastname="A", jobtitle="1")
    world.marketo.hold_values()
    world.dynamics.edit("lead", link.dynamics, jobtitle="2")
    await world.run()
    world.dynamics.edit("lead", link.dynamics, jobtitle="3")
    await world.run()
    assert world.row(link)["jobtitle"] == "3"
    world.marketo.show_values()
    for _ in range(5):
        await world.run()
    assert (world.row(link)["jobtitle"], world.person(link)["title"]) == ("3", "3")
    assert [item async for item in world.sync.journal.collisions()] == []


async def test_a_refresh_waits_until_marketos_feed_was_heard() -> None:
    """An edit made after the selection survives it, though the feed could not be read at once."""
    world = await World.with_picks(Pick(Entity.LEAD, "lastname"))
    link = await world.linked(Entity.LEAD, lastname="A", jobtitle="D")
    await world.sync.fields.select(Pick(Entity.LEAD, "jobtitle"))
    world.marketo.edit("lead", link.marketo, title="M")
    world.marketo.inject(Unreachable(call=world.next_call(System.MARKETO, "changes"), of="changes"))
    await world.run()
    assert world.person(link)["title"] == "M"
    await world.rest()
    assert world.row(link)["jobtitle"] == world.person(link)["title"] == "M"


async def test_an_edit_hit_while_another_is_put_back_is_reported_too() -> None:
    """What we put back is our own write as well, though it moves no baseline while Dynamics refuses the edit."""
    world = await World.of(Entity.LEAD)
    link = await world.linked(Entity.LEAD, lastname="A", jobtitle="1", statecode=2)
    edits = ["first", "second"]

    def meddle(call: str) -> None:
        if call == "write lead" and edits:
            world.marketo.edit("lead", link.marketo, title=edits.pop(0))

    world.dynamics.edit("lead", link.dynamics, jobtitle="ours")
    world.marketo.between(meddle)
    await world.rest(4)
    found = {item.collision.marketo async for item in world.sync.journal.collisions() if item.kind == "overwritten"}
    assert found == {"first", "second"}
    assert world.person(link)["title"] == "second"


async def test_evidence_of_a_record_out_of_sight_is_kept() -> None:
    """An edit that our write hit, a person that can't be read for a while: it is reported when it is seen again."""
    world = await World.of(Entity.CONTACT)
    link = await world.linked(Entity.CONTACT, lastname="A", jobtitle="1")
    world.dynamics.edit("contact", link.dynamics, jobtitle="ours")

    world.meddle(System.MARKETO, "write lead", "lead", link.marketo, title="theirs")
    await world.run()
    read = world.marketo.read

    async def blind(object: str, keys: Collection[str], /, *, fields: Collection[str]) -> Mapping[str, Record]:
        return {} if object == "lead" else await read(object, keys, fields=fields)

    world.marketo.read = blind  # type: ignore[method-assign]  # the sync user has lost its rights for a while
    await world.run()
    assert world.link(Entity.CONTACT, link.dynamics).state is LinkState.SUSPENDED
    world.marketo.read = read  # type: ignore[method-assign]
    await world.rest()
    found = [(item.kind, item.collision.marketo) async for item in world.sync.journal.collisions()]
    assert found == [("overwritten", "theirs")]


async def test_the_flag_of_a_deleted_row_is_read_back() -> None:
    """A crash before it was written: settle did not read that field, and took it as written."""
    world = await World.of(Entity.CONTACT)
    link = await world.linked(Entity.CONTACT, lastname="A")
    world.dynamics.delete("contact", link.dynamics)
    world.marketo.inject(Crash(call=world.next_call(System.MARKETO, "write"), of="write", when="before"))
    with pytest.raises(Crashed):
        await world.run()
    world.restart()
    await world.rest()
    assert world.person(link)["dynamicsDeleted"] is True


async def test_a_person_whose_create_is_open_is_matched_with_nobody_else() -> None:
    """Nobody knows whether its row is there: another row with its e-mail waits until that is settled."""
    world = await World.of(Entity.LEAD, Entity.CONTACT, dynamics=FakeDynamics(settles_after_s=1200))
    await world.run()
    person = world.marketo.create("lead", lastName="A", email="a@example.com")
    await world.sync.promote(int(person), to=Entity.LEAD)
    world.dynamics.inject(LoseAnswer(call=world.next_call(System.DYNAMICS, "write"), of="write", applied="no"))
    await world.run()
    contact = world.dynamics.create("contact", lastname="A", emailaddress1="a@example.com")
    report = await world.run()
    assert [item.key for item in report.quarantined] == [contact]
    assert not world.live(Entity.CONTACT)
    for _ in range(5):
        await world.run()
    [link] = world.live(Entity.LEAD)
    assert link.marketo == person


async def test_a_row_whose_first_merge_is_open_is_not_promoted_into() -> None:
    """Another person shares its e-mail by now; the row waits for the answer."""
    world = await World.of(Entity.LEAD, marketo=FakeMarketo(settles_after_s=1200))
    await world.run()
    row = world.dynamics.create("lead", lastname="A", emailaddress1="a@example.com")
    world.marketo.inject(LoseAnswer(call=world.next_call(System.MARKETO, "write"), of="write", applied="no"))
    await world.run()
    person = world.marketo.create("lead", lastName="A", email="a@example.com")
    await world.sync.promote(int(person), to=Entity.LEAD)
    await world.run()
    assert not world.live(Entity.LEAD)
    for _ in range(5):
        await world.run()
    assert [link.dynamics for link in world.live(Entity.LEAD)] == [row]


async def test_a_run_by_key_looks_at_a_person_that_is_not_linked() -> None:
    """The rule that promotes it was passed over."""
    rules = Rules(promote=[Promotion(to=Entity.LEAD, when=where("leadScore").at_least(80))])
    world = await World.of(Entity.LEAD, rules=rules)
    await world.run()
    person = world.marketo.create("lead", lastName="A", leadScore=90)
    await world.sync.run(keys=[Key.marketo(person)])
    assert [link.marketo for link in world.live(Entity.LEAD)] == [person]


async def test_a_record_released_keeps_what_the_feed_said_of_it() -> None:
    """A deletion that a plan gathered is followed, though somebody has the row tried again."""
    world = await World.of(Entity.LEAD)
    link = await world.linked(Entity.LEAD, lastname="A")
    world.dynamics.delete("lead", link.dynamics)
    await world.sync.plan()
    await world.sync.journal.release(Quarantined(entity=Entity.LEAD, key=link.dynamics, code="x", reason="x"))
    await world.rest()
    assert world.link(Entity.LEAD, link.dynamics).state is LinkState.TOMBSTONE


async def test_an_edit_that_an_expired_feed_would_have_told_is_no_rendering_of_ours() -> None:
    """Our write was never confirmed, the feed is lost: what shows now is somebody's edit."""
    world = await World.of(Entity.CONTACT)
    link = await world.linked(Entity.CONTACT, lastname="A", jobtitle="1")
    world.dynamics.edit("contact", link.dynamics, jobtitle="2")
    await world.run()
    world.marketo.edit("lead", link.marketo, title="3")
    world.marketo.expire_cursors()
    report = await world.rest()
    assert report.holds.total == 0
    assert world.row(link)["jobtitle"] == "3"


async def test_an_open_write_to_a_record_out_of_sight_stays_in_doubt() -> None:
    """Its answer was lost and the person can't be read: later, both values are reported."""
    world = await World.of(Entity.CONTACT)
    link = await world.linked(Entity.CONTACT, lastname="A", jobtitle="1")
    world.dynamics.edit("contact", link.dynamics, jobtitle="2")
    world.marketo.inject(LoseAnswer(call=world.next_call(System.MARKETO, "write"), of="write"))
    read = world.marketo.read

    async def blind(object: str, keys: Collection[str], /, *, fields: Collection[str]) -> Mapping[str, Record]:
        wrote = world.marketo.calls_by_name.get("write", 0) > 1
        return {} if object == "lead" and wrote else await read(object, keys, fields=fields)

    world.marketo.read = blind  # type: ignore[method-assign]  # the sync user has lost its rights for a while
    await world.run()
    world.dynamics.edit("contact", link.dynamics, jobtitle="1")
    await world.run()
    world.marketo.read = read  # type: ignore[method-assign]
    await world.rest()
    found = [(item.collision.marketo, item.collision.dynamics) async for item in world.sync.journal.collisions()]
    assert found == [("2", "1")]
    assert world.row(link)["jobtitle"] == world.person(link)["title"] == "1"


async def test_what_was_carried_out_is_told_though_its_other_half_had_moved() -> None:
    """The row was decided again from what it showed before our write, was stale, and its report was dropped."""
    world = await World.of(Entity.CONTACT)
    link = await world.linked(Entity.CONTACT, lastname="A", jobtitle="1", telephone1="5")
    world.dynamics.edit("contact", link.dynamics, mkt_leadscore=55, telephone1="6")
    edits = ["7"]

    def meddle(call: str) -> None:
        if call == "read lead" and edits and world.store.operations(4, after=0, limit=1):
            world.marketo.edit("lead", link.marketo, phone=edits.pop())

    run = len([row async for row in world.sync.journal.runs()])
    assert run == 3
    world.marketo.between(meddle)
    await world.rest()
    found = {item.collision.field async for item in world.sync.journal.collisions()}
    assert found >= {"mkt_leadscore"}


async def test_a_deleted_row_whose_person_is_gone_unheard_is_at_rest() -> None:
    """There was nobody left to flag, and every run tried again."""
    world = await World.of(Entity.CONTACT, rules=Rules(walk_links=0))
    link = await world.linked(Entity.CONTACT, lastname="A")
    world.marketo.hold_entries()
    world.marketo.delete("lead", link.marketo)
    world.marketo.lose_entries()
    world.dynamics.delete("contact", link.dynamics)
    await world.run()
    assert not (await world.run()).operations
    assert world.link(Entity.CONTACT, link.dynamics).state is LinkState.TOMBSTONE


async def test_what_a_lost_feed_told_is_looked_for_until_values_have_caught_up() -> None:
    """The links were compared at once, with values older than the edit, and never again."""
    world = await World.of(Entity.CONTACT, rules=Rules(walk_links=0), marketo=FakeMarketo(settles_after_s=1200))
    link = await world.linked(Entity.CONTACT, lastname="A", jobtitle="1")
    world.marketo.hold_values()
    world.marketo.edit("lead", link.marketo, title="2")
    world.marketo.expire_cursors()
    await world.run()
    world.marketo.show_values()
    for _ in range(10):
        await world.run()
    assert world.row(link)["jobtitle"] == "2"


async def test_a_half_that_was_never_sent_is_decided_again() -> None:
    """One edit to carry to Dynamics, one to revert in Marketo; time was up between the two, and no walk goes by."""
    world = await World.of(Entity.LEAD, rules=Rules(walk_links=0), marketo=FakeMarketo(batch_max=1))
    first, link = [await world.linked(Entity.LEAD, lastname=name, jobtitle="1") for name in ("A", "B")]
    world.dynamics.edit("lead", first.dynamics, jobtitle="2")
    world.marketo.edit("lead", link.marketo, title="2", leadStatus="Nonsense")
    report = await world.sync.run(deadline_s=0.0)
    assert (report.ended, world.row(link)["jobtitle"]) == ("out-of-time", "2")
    assert world.person(link)["leadStatus"] == "Nonsense"
    await world.rest()
    assert world.person(link)["leadStatus"] == "Open"


async def test_a_missing_row_that_turns_out_deleted_is_not_missing_any_more() -> None:
    """Its quarantine stood for ever, though its person was flagged."""
    world = await World.of(Entity.LEAD, rules=Rules(walk_links=0))
    link = await world.linked(Entity.LEAD, lastname="A", jobtitle="1")
    world.dynamics.delete("lead", link.dynamics)
    world.dynamics.inject(Unreachable(call=world.next_call(System.DYNAMICS, "changes"), of="changes"))
    await world.sync.run(keys=[Key.marketo(link.marketo)])
    world.marketo.edit("lead", link.marketo, title="2")
    await world.run()
    world.dynamics.expire_cursors()
    report = await world.rest()
    assert (report.quarantined.total, world.person(link)["dynamicsDeleted"]) == (0, True)


async def test_an_edit_of_a_field_just_refreshed_waits_until_it_goes_both_ways() -> None:
    """Both had agreed in the run before: the edit was left alone by the merge, and forgotten."""
    world = await World.with_picks(Pick(Entity.LEAD, "lastname"))
    world.restart(Rules(walk_links=0))
    link = await world.linked(Entity.LEAD, lastname="A")
    await world.sync.fields.select(Pick(Entity.LEAD, "jobtitle"))
    world.dynamics.create("lead", lastname="B")
    world.marketo.inject(LoseAnswer(call=world.next_call(System.MARKETO, "write"), of="write", applied="no"))
    await world.run()
    world.marketo.edit("lead", link.marketo, title="M")
    await world.rest(5)
    assert world.row(link)["jobtitle"] == "M"


async def test_what_was_held_is_no_agreement_when_its_row_is_restored() -> None:
    """The hold had gone with the row, and what Marketo had made of our write passed for agreed."""
    world = await World.of(Entity.CONTACT, rules=Rules(walk_links=0))
    link = await world.linked(Entity.CONTACT, lastname="A", jobtitle="1")
    meddling = [True]
    world.marketo.rewrite("lead", "title", lambda value: "rewritten" if meddling else value)
    world.dynamics.edit("contact", link.dynamics, jobtitle="2")
    assert (await world.rest()).holds.total == 1
    meddling.clear()
    world.dynamics.delete("contact", link.dynamics)
    await world.rest()
    world.dynamics.restore("contact", link.dynamics)
    await world.rest()
    assert world.row(link)["jobtitle"] == world.person(link)["title"] == "2"


async def test_a_record_released_is_read_on_both_sides() -> None:
    """The edit that was refused is Marketo's: looking at the row alone, nothing was left to do."""
    world = await World.of(Entity.LEAD, rules=Rules(walk_links=0))
    link = await world.linked(Entity.LEAD, lastname="A", jobtitle="1", statecode=2)
    world.marketo.edit("lead", link.marketo, title="2")
    [item] = (await world.rest()).holds
    await world.sync.journal.release(item)
    assert (await world.rest()).holds.total == 1


async def test_a_create_that_finds_a_linked_person_sets_its_row_aside() -> None:
    """The key had been copied to somebody else's person, unseen as yet: every run failed."""
    world = await World.of(Entity.LEAD, Entity.CONTACT)
    link = await world.linked(Entity.CONTACT, lastname="A")
    lead = world.dynamics.create("lead", lastname="B")
    world.marketo.hold_values()
    world.marketo.edit("lead", link.marketo, dynamicsId=lead)
    await world.run()
    world.marketo.show_values()
    report = await world.rest()
    assert [item.key for item in report.quarantined] == [lead]


async def test_who_is_back_is_read_until_it_is_written() -> None:
    """A run dies before it writes to a person whose row was restored: the next one looks at the person again."""
    world = await World.of(Entity.LEAD, rules=Rules(walk_links=0))
    link = await world.linked(Entity.LEAD, lastname="Lovelace", jobtitle="Engineer")
    world.marketo.edit("lead", link.marketo, leadStatus="somebody's own")
    world.dynamics.delete("lead", link.dynamics)
    await world.rest()
    world.dynamics.restore("lead", link.dynamics)
    fault = Crash(call=world.next_call(System.MARKETO, "write"), when="before", of="write")
    world.marketo.inject(fault)
    with pytest.raises(Crashed):
        await world.run()
    world.marketo.faults.remove(fault)
    world.dynamics.edit("lead", link.dynamics, jobtitle="CTO")
    world.restart(Rules(walk_links=0))
    await world.rest()
    person = world.person(link)
    assert (person["leadStatus"], person["title"], person["dynamicsDeleted"]) == ("Open", "CTO", False)


async def test_an_edit_put_back_in_one_system_is_not_taken_back_there() -> None:
    """Marketo's half of putting an edit right was stale: what its feed proved is still known to the next round."""
    world = await World.of(Entity.LEAD, rules=Rules(walk_links=0))
    link = await world.linked(Entity.LEAD, lastname="Lovelace", description="before")
    edits = iter([("write lead", {"mktoPersonNotes": "theirs"}), ("read lead", {"email": "ada@example.com"})])
    due = [next(edits)]

    def meddle(call: str) -> None:
        if due and due[0][0] == call:
            world.marketo.edit("lead", link.marketo, **due.pop()[1])

    world.marketo.between(meddle)
    world.dynamics.edit("lead", link.dynamics, description="ours")
    await world.run()
    due.append(next(edits))
    await world.rest()
    assert world.person(link)["mktoPersonNotes"] == world.row(link)["description"] == "theirs"
    assert world.row(link)["emailaddress1"] == "ada@example.com"


async def test_a_write_in_doubt_has_no_answer_of_marketos() -> None:
    """It never arrived, and somebody's edit in its place passed for what Marketo had made of it."""
    world = await World.of(Entity.LEAD, marketo=FakeMarketo(settles_after_s=1200))
    link = await world.linked(Entity.LEAD, lastname="A", jobtitle="1")
    world.dynamics.edit("lead", link.dynamics, jobtitle="2")
    world.marketo.inject(LoseAnswer(call=world.next_call(System.MARKETO, "write"), of="write", applied="no"))
    await world.run()
    world.marketo.edit("lead", link.marketo, title="3")
    for _ in range(6):
        report = await world.run()
    assert report.holds.total == 0
    assert world.row(link)["jobtitle"] == world.person(link)["title"] == "3"


async def test_an_edit_since_the_one_that_we_hit_is_what_counts() -> None:
    """Marketo shows neither our write nor the edit that it replaced: somebody came after us, unheard yet."""
    world = await World.of(Entity.LEAD, rules=Rules(walk_links=0))
    link = await world.linked(Entity.LEAD, lastname="A", jobtitle="1")
    world.dynamics.edit("lead", link.dynamics, jobtitle="ours")

    world.meddle(System.MARKETO, "write lead", "lead", link.marketo, title="theirs")
    await world.run()
    world.marketo.hold_entries()
    world.marketo.edit("lead", link.marketo, title="newest")
    await world.run()
    world.marketo.show_entries()
    await world.rest()
    assert world.row(link)["jobtitle"] == world.person(link)["title"] == "newest"


async def test_a_value_that_marketo_does_not_show_explains_nothing() -> None:
    """A field without a value in the answer is passed over, also where Marketo takes its time to settle."""

    class Terse(FakeMarketo):
        async def read(self, object: str, keys: Collection[str], /, *, fields: Collection[str]) -> Mapping[str, Record]:
            found = await super().read(object, keys, fields=fields)
            return {
                key: attrs.evolve(record, values={name: item for name, item in record.values.items() if name != "city"})
                for key, record in found.items()
            }

    world = await World.of(Entity.LEAD, marketo=Terse(settles_after_s=60))
    link = await world.linked(Entity.LEAD, lastname="A", jobtitle="1")
    world.marketo.edit("lead", link.marketo, title="2")
    await world.rest()
    assert world.row(link)["jobtitle"] == "2"


async def test_an_edit_found_while_its_field_is_refreshed_is_found_again() -> None:
    """No feed told of it: it was read by chance, waited for both ways to be open, and was forgotten."""
    world = World(dynamics=FakeDynamics(settles_after_s=86400), marketo=FakeMarketo())
    world.restart(Rules(walk_links=0))
    await world.sync.fields.select(*(Pick(Entity.LEAD, name) for name in ("lastname", "emailaddress1")))
    held, other = [
        await world.linked(Entity.LEAD, lastname=name, emailaddress1=f"{name}@example.com") for name in ("a", "b")
    ]
    world.dynamics.edit("lead", held.dynamics, emailaddress1="a@example..com")
    world.marketo.edit("lead", other.marketo, lastName="c")
    world.dynamics.inject(LoseAnswer(call=world.next_call(System.DYNAMICS, "write"), of="write", applied="no"))
    await world.sync.fields.select(Pick(Entity.LEAD, "jobtitle"))
    await world.rest()
    world.marketo.hold_entries()
    world.marketo.edit("lead", held.marketo, title="M")
    world.marketo.lose_entries()
    world.dynamics.edit("lead", held.dynamics, lastname="d")
    await world.rest()
    assert world.row(held)["jobtitle"] is None  # an open write keeps the refresh from ending
    await world.run(minutes=2 * 24 * 60)
    await world.rest()
    assert world.row(held)["jobtitle"] == "M"


async def test_a_create_whose_answer_was_lost_takes_nobody_else_s_person() -> None:
    """It never arrived, and what is found in its place is linked: the row is set aside, and no run stops."""
    world = await World.of(Entity.LEAD, Entity.CONTACT, rules=Rules(walk_links=0))
    link = await world.linked(Entity.LEAD, lastname="A")
    contact = world.dynamics.create("contact", lastname="B")
    world.marketo.inject(LoseAnswer(call=world.next_call(System.MARKETO, "write"), of="write", applied="no"))

    world.meddle(System.MARKETO, "write lead", "lead", link.marketo, dynamicsContactId=contact)
    await world.rest()
    assert world.link(Entity.LEAD, link.dynamics).state is LinkState.LIVE
    assert contact in {item.key async for item in world.sync.journal.quarantine()}
