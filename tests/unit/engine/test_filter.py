"""Which rows sync at all: in, out, and back in."""

from __future__ import annotations

import pytest

from mkdyn import Entity, Filter, Rules, System, where
from mkdyn.domain import FieldSpec, Link, LinkState
from mkdyn.domain.rules import LeavesFilter
from mkdyn.errors import ConfigError
from mkdyn.ports import FilterPassed
from mkdyn.testing import FakeMarketo
from tests.unit.engine.world import HidingMarketo, World

pytestmark = pytest.mark.anyio

REGION = FieldSpec(name="new_region", type="text", length=40, label="Region")
NATIVE = FieldSpec(name="new_synctomkto", type="boolean", label="Sync to Marketo")
EMEA = Rules(filters=[Filter(Entity.CONTACT, keep=where("new_region").is_one_of("EMEA", "UK"))])


async def _world(rules: Rules | None = EMEA, marketo: FakeMarketo | None = None) -> World:
    world = World(rules=rules, marketo=marketo)
    for table in ("lead", "contact", "account"):
        world.dynamics.add_column(table, REGION)
    await world.sync.fields.select_defaults(Entity.LEAD, Entity.CONTACT, Entity.ACCOUNT)
    return world


async def test_only_rows_that_pass_are_created() -> None:
    """An empty field meets nothing."""
    world = await _world()
    keys = [
        world.dynamics.create("contact", lastname=str(region), new_region=region) for region in ("EMEA", "US", None)
    ]
    report = await world.rest()
    assert report.ended == "done"
    assert [link.dynamics for link in world.live(Entity.CONTACT)] == keys[:1]
    assert len(world.marketo.records("lead")) == 1


async def test_a_row_that_leaves_the_filter_rests_and_is_merged_when_it_comes_back() -> None:
    """What was edited meanwhile in either system is decided then."""
    world = await _world()
    link = await world.linked(Entity.CONTACT, lastname="A", jobtitle="Engineer", new_region="EMEA")
    world.dynamics.edit("contact", link.dynamics, new_region="US", jobtitle="VP", telephone1="1")
    await world.rest()
    world.marketo.edit("lead", link.marketo, title="CTO", city="Paris")
    await world.rest()
    assert world.link(Entity.CONTACT, link.dynamics).state is LinkState.FROZEN
    assert (world.person(link)["phone"], world.row(link)["address1_city"]) == (None, None)
    world.dynamics.edit("contact", link.dynamics, new_region="UK")
    report = await world.run()
    assert [(item.collision.marketo, item.collision.dynamics) for item in report.collisions] == [("CTO", "VP")]
    await world.rest()
    assert world.link(Entity.CONTACT, link.dynamics).state is LinkState.LIVE
    assert (world.person(link)["title"], world.person(link)["phone"]) == ("VP", "1")
    assert world.row(link)["address1_city"] == "Paris"
    assert [event.inward for event in world.events if isinstance(event, FilterPassed)] == [False, True]


@pytest.mark.parametrize("leaves", ["freeze", "flag"])
async def test_what_marketo_blocked_is_decided_anew_when_its_row_is_back(leaves: LeavesFilter) -> None:
    """The hold went with the row; the two differed ever after, and no report said why."""
    world = await _world(Rules(filters=EMEA.filters, leaves_filter=leaves))
    link = await world.linked(Entity.CONTACT, lastname="A", jobtitle="VP", new_region="EMEA")
    world.marketo.block_field("lead", "title")
    world.dynamics.edit("contact", link.dynamics, jobtitle="CTO")
    await world.rest()
    world.dynamics.edit("contact", link.dynamics, new_region="US")
    assert (await world.rest()).holds.total == 0
    world.marketo.unblock_field("lead", "title")
    world.dynamics.edit("contact", link.dynamics, new_region="UK")
    await world.rest()
    assert (world.person(link)["title"], world.row(link)["jobtitle"]) == ("CTO", "CTO")


async def test_a_person_that_was_missing_when_its_row_left_is_not_made_anew() -> None:
    """Somebody had deleted it, and the feed that would have told was lost; our deletion of nobody counted as ours."""
    world = await _world(Rules(filters=EMEA.filters, leaves_filter="delete"))
    link = await world.linked(Entity.CONTACT, lastname="A", new_region="EMEA")
    world.marketo.delete("lead", link.marketo)
    world.marketo.expire_cursors()
    world.dynamics.edit("contact", link.dynamics, jobtitle="CTO")
    await world.rest()
    assert world.link(Entity.CONTACT, link.dynamics).state is LinkState.SUSPENDED
    world.dynamics.edit("contact", link.dynamics, new_region="US")
    await world.rest()
    world.dynamics.edit("contact", link.dynamics, new_region="UK")
    report = await world.rest()
    assert world.marketo.records("lead") == []
    assert [item.code for item in report.quarantined] == ["missing"]


async def test_a_qualified_lead_waits_for_its_contact_to_be_back() -> None:
    """Marketo did not show yet what its feed told of the contact's person: by then, the lead had gone on by itself."""
    marketo = FakeMarketo(settles_after_s=600)
    world = await _world(Rules(filters=EMEA.filters, walk_links=0), marketo)
    contact = await world.linked(Entity.CONTACT, lastname="C", new_region="EMEA")
    lead = await world.linked(Entity.LEAD, lastname="L", new_region="EMEA")
    world.dynamics.edit("contact", contact.dynamics, new_region="US")
    await world.rest(5)
    world.dynamics.qualify(lead.dynamics, into=contact.dynamics)
    await world.rest(5)
    world.dynamics.edit("contact", contact.dynamics, new_region="UK")
    marketo.hold_values()
    marketo.edit("lead", contact.marketo, title="CTO")
    await world.run()
    assert world.link(Entity.CONTACT, contact.dynamics).state is LinkState.FROZEN
    marketo.show_values()
    for _ in range(6):
        await world.run(minutes=11)
    assert [link.dynamics for link in world.live(Entity.CONTACT)] == [contact.dynamics]
    assert world.live(Entity.LEAD) == []


async def test_a_contact_that_enters_the_filter_takes_over_the_lead_that_was_qualified_into_it() -> None:
    """It had never synced, and the lead had gone on: the contact was given a person of its own."""
    world = await _world()
    lead = await world.linked(Entity.LEAD, lastname="L")
    contact = world.dynamics.create("contact", lastname="C", new_region="US")
    world.dynamics.qualify(lead.dynamics, into=contact)
    await world.rest()
    assert [link.marketo for link in world.live(Entity.LEAD)] == [lead.marketo]
    world.dynamics.edit("contact", contact, new_region="UK")
    await world.rest()
    assert [(link.dynamics, link.marketo) for link in world.live(Entity.CONTACT)] == [(contact, lead.marketo)]
    assert world.live(Entity.LEAD) == []


async def test_who_stands_for_a_qualified_lead_is_found_past_a_contact_that_was_merged() -> None:
    """The filter kept that one out, so the lead had a person of its own, beside that of the contact in the end."""
    world = await _world()
    lead = await world.linked(Entity.LEAD, lastname="L")
    winner = await world.linked(Entity.CONTACT, lastname="C", new_region="EMEA")
    world.dynamics.merge_rows("contact", winner.dynamics, world.dynamics.qualify(lead.dynamics))
    await world.rest()
    assert [person.key for person in world.marketo.records("lead")] == [winner.marketo]
    assert world.live(Entity.LEAD) == []


async def test_a_contact_goes_on_for_a_lead_that_was_out_of_the_filter() -> None:
    """What the lead's person showed by then was taken for Marketo's answer to a write from before that, and held."""
    world = await _world(Rules(filters=[Filter(Entity.LEAD, keep=where("new_region").is_one_of("EMEA"))]))
    lead = await world.linked(Entity.LEAD, lastname="L", new_region="EMEA")
    world.dynamics.edit("lead", lead.dynamics, jobtitle="CTO")
    await world.run()
    assert world.person(lead)["title"] == "CTO"
    world.dynamics.edit("lead", lead.dynamics, new_region="US")
    world.marketo.edit("lead", lead.marketo, title=None)
    await world.rest()
    assert world.link(Entity.LEAD, lead.dynamics).state is LinkState.FROZEN
    contact = world.dynamics.qualify(lead.dynamics)
    report = await world.rest()
    assert (list(report.holds), world.link(Entity.CONTACT, contact).marketo) == ([], lead.marketo)
    assert (world.person(lead)["title"], world.dynamics.record("contact", contact).values["jobtitle"]) == (None, None)


async def test_a_row_is_back_although_all_that_changed_of_it_is_held() -> None:
    """Nothing was to be written: the link rested on, and the two differed ever after."""
    world = await _world()
    link = await world.linked(Entity.CONTACT, lastname="A", emailaddress1="a@example.com", new_region="EMEA")
    world.dynamics.edit("contact", link.dynamics, emailaddress1="no address")
    await world.rest()
    world.dynamics.edit("contact", link.dynamics, new_region="US")
    await world.rest()
    world.dynamics.edit("contact", link.dynamics, new_region="UK")
    report = await world.rest()
    assert world.link(Entity.CONTACT, link.dynamics).state is LinkState.LIVE
    assert [(hold.field, hold.code) for hold in report.holds] == [("emailaddress1", "bad-email")]


async def test_a_row_that_leaves_when_its_person_cannot_be_seen_has_left() -> None:
    """Nobody was there to be flagged, and that was tried in every run."""
    marketo = HidingMarketo()
    world = await _world(Rules(filters=EMEA.filters, leaves_filter="flag", walk_links=0), marketo=marketo)
    link = await world.linked(Entity.CONTACT, lastname="A", new_region="EMEA")
    marketo.unseen = [link.marketo]
    world.dynamics.edit("contact", link.dynamics, new_region="US")
    await world.run()
    assert world.link(Entity.CONTACT, link.dynamics).state is LinkState.FROZEN
    assert (await world.run()).ended == "done"
    marketo.unseen = ()
    world.dynamics.edit("contact", link.dynamics, new_region="UK", jobtitle="CTO")
    await world.rest()
    assert (world.person(link)["title"], len(world.marketo.records("lead"))) == ("CTO", 1)


async def test_a_person_can_be_flagged_when_its_row_leaves() -> None:
    """And is not any more when it is back."""
    world = await _world(Rules(filters=EMEA.filters, leaves_filter="flag"))
    link = await world.linked(Entity.CONTACT, lastname="A", new_region="EMEA")
    world.dynamics.edit("contact", link.dynamics, new_region="US")
    await world.rest()
    assert world.person(link)["dynamicsDeleted"] is True
    world.dynamics.edit("contact", link.dynamics, new_region="EMEA")
    assert (await world.rest()).ended == "done"
    assert world.person(link)["dynamicsDeleted"] is False


async def test_a_person_can_be_deleted_when_its_row_leaves() -> None:
    """It is made anew when the row is back."""
    world = await _world(Rules(filters=EMEA.filters, leaves_filter="delete"))
    link = await world.linked(Entity.CONTACT, lastname="A", new_region="EMEA")
    world.dynamics.edit("contact", link.dynamics, new_region="US")
    await world.rest()
    assert not world.marketo.records("lead")
    world.dynamics.edit("contact", link.dynamics, new_region="EMEA")
    assert (await world.rest()).ended == "done"
    assert world.link(Entity.CONTACT, link.dynamics).state is LinkState.LIVE
    assert len(world.marketo.records("lead")) == 1


@pytest.mark.parametrize(("answer", "syncs"), [(True, True), (None, True), (False, False)])
async def test_of_the_native_column_only_an_explicit_no_excludes(answer: bool | None, syncs: bool) -> None:
    """Empty syncs."""
    world = World()
    world.dynamics.add_column("account", NATIVE)
    await world.sync.fields.select_defaults(Entity.ACCOUNT)
    world.dynamics.create("account", name="A", new_synctomkto=answer)
    await world.rest()
    assert len(world.marketo.records("company")) == syncs


async def test_the_native_column_can_be_switched_off() -> None:
    """It may mean something else there."""
    world = World(rules=Rules(native_filter=False))
    world.dynamics.add_column("account", NATIVE)
    await world.sync.fields.select_defaults(Entity.ACCOUNT)
    world.dynamics.create("account", name="A", new_synctomkto=False)
    await world.rest()
    assert len(world.marketo.records("company")) == 1


async def test_a_filter_column_that_cannot_be_read_any_more_lets_nothing_through() -> None:
    """What syncs goes on, and what is new waits until the column is back."""
    world = await _world()
    link = await world.linked(Entity.CONTACT, lastname="A", new_region="EMEA")
    world.dynamics.hide_column("contact", "new_region")
    world.dynamics.create("contact", lastname="B", new_region="EMEA")
    world.dynamics.edit("contact", link.dynamics, jobtitle="CTO")
    report = await world.run()
    assert report.ended == "warnings"
    assert any("the filter of contacts can't be applied: new_region" in warning for warning in report.warnings)
    assert (len(world.marketo.records("lead")), world.person(link)["title"]) == (1, "CTO")
    world.dynamics.show_column("contact", "new_region")
    assert (await world.rest()).ended == "done"
    assert len(world.marketo.records("lead")) == 2


async def test_another_filter_on_the_same_column_is_asked_of_all_rows() -> None:
    """Nobody edited them."""
    world = await _world()
    inside = await world.linked(Entity.CONTACT, lastname="A", new_region="EMEA")
    outside = world.dynamics.create("contact", lastname="B", new_region="US")
    await world.rest()
    world.restart(Rules(filters=[Filter(Entity.CONTACT, keep=where("new_region").equals("US"))]))
    await world.rest()
    assert world.link(Entity.CONTACT, inside.dynamics).state is LinkState.FROZEN
    assert world.link(Entity.CONTACT, outside).state is LinkState.LIVE
    world.restart(Rules())
    assert (await world.rest()).ended == "done"
    assert len(world.live(Entity.CONTACT)) == 2


async def test_a_frozen_row_that_is_deleted_is_parted_from() -> None:
    """As any other."""
    world = await _world()
    link = await world.linked(Entity.CONTACT, lastname="A", new_region="EMEA")
    world.dynamics.edit("contact", link.dynamics, new_region="US")
    await world.rest()
    world.dynamics.delete("contact", link.dynamics)
    await world.rest()
    assert world.link(Entity.CONTACT, link.dynamics).state is LinkState.TOMBSTONE
    assert world.person(link)["dynamicsDeleted"] is True


async def test_a_row_that_stays_out_makes_nobody_ambiguous() -> None:
    """It shares an e-mail with one that passes."""
    world = await _world()
    person = world.marketo.create("lead", lastName="A", email="a@example.com")
    world.dynamics.create("contact", lastname="A", emailaddress1="a@example.com", new_region="US")
    inside = world.dynamics.create("contact", lastname="A", emailaddress1="a@example.com", new_region="EMEA")
    assert (await world.rest()).ended == "done"
    assert world.link(Entity.CONTACT, inside).marketo == person


def _people(world: World) -> list[str]:
    return [record.key for record in world.marketo.records("lead")]


async def _qualified(lead: str, contact: str) -> tuple[World, Link | None, str]:
    rules = Rules(
        filters=[Filter(entity, keep=where("new_region").equals("EMEA")) for entity in (Entity.LEAD, Entity.CONTACT)]
    )
    world = await _world(rules)
    key = world.dynamics.create("lead", lastname="A", new_region=lead)
    await world.rest()
    heir = world.dynamics.qualify(key)
    world.dynamics.edit("contact", heir, new_region=contact)
    world.dynamics.edit("lead", key, subject="Qualified")
    before = world.store.links(["lead"], System.DYNAMICS, [key]).get(key)
    await world.rest()
    return world, before, heir


@pytest.mark.parametrize(
    ("lead", "contact", "people", "contacts"),
    [("US", "US", 0, 0), ("EMEA", "EMEA", 1, 1), ("US", "EMEA", 1, 1), ("EMEA", "US", 1, 0)],
)
async def test_of_a_qualified_lead_the_contact_must_pass(lead: str, contact: str, people: int, contacts: int) -> None:
    """The table that Adobe publishes for the native filter."""
    world, before, heir = await _qualified(lead, contact)
    assert (len(_people(world)), len(world.live(Entity.CONTACT))) == (people, contacts)
    if before is not None and contacts:
        assert world.link(Entity.CONTACT, heir).marketo == before.marketo
    if before is not None and not contacts:
        assert world.link(Entity.LEAD, before.dynamics).state is LinkState.LIVE


@pytest.mark.parametrize(
    ("loser", "winner", "people", "live"),
    [("EMEA", "EMEA", 1, 1), ("US", "US", 0, 0), ("US", "EMEA", 1, 1), ("EMEA", "US", 1, 0)],
)
async def test_of_merged_rows_the_winner_alone_decides(loser: str, winner: str, people: int, live: int) -> None:
    """The table that Adobe publishes for the native filter."""
    world = await _world()
    stays, goes = (world.dynamics.create("contact", lastname=region, new_region=region) for region in (winner, loser))
    await world.rest()
    world.dynamics.merge_rows("contact", stays, goes)
    assert (await world.rest()).operations.total == 0
    assert (len(_people(world)), len(world.live(Entity.CONTACT))) == (people, live)


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        (where("new_regoin").equals("EMEA"), "names new_regoin, which Dynamics does not have; nearest: new_region"),
        (where("new_region").at_least(3), r"compares new_region \(text\(40\)\) with 3: it holds a str"),
        (where("donotemail").equals("no"), r"compares donotemail \(boolean\) with 'no': it holds a bool"),
        (where("createdon").at_least("2026"), r"compares createdon \(datetime\) with '2026': it holds a datetime"),
        (where("mkt_leadscore").equals(True), r"compares mkt_leadscore \(integer\) with True: it holds a number"),
    ],
)
async def test_a_filter_that_cannot_work_is_refused_before_anything_is_read(condition: object, words: str) -> None:
    """With the way out."""
    world = await _world(Rules(filters=[Filter(Entity.CONTACT, keep=condition)]))  # type: ignore[arg-type]
    world.dynamics.create("contact", lastname="A", new_region="EMEA")
    with pytest.raises(ConfigError, match=words):
        await world.run()
    assert not world.marketo.records("lead")


async def test_a_plan_tells_nobody_that_a_row_left() -> None:
    """Nothing has happened yet."""
    world = await _world()
    link = await world.linked(Entity.CONTACT, lastname="A", new_region="EMEA")
    world.dynamics.edit("contact", link.dynamics, new_region="US")
    before = len(world.events)
    await world.sync.plan()
    assert "filter_passed" not in [event.name for event in world.events[before:]]
    report = await world.run()
    assert report.moves == {"out of the filter": 1}


@pytest.mark.parametrize("gone", ["the filter kept it out", "its person was deleted"])
async def test_a_contact_stands_for_a_qualified_lead_once_it_is_back(gone: str) -> None:
    """The lead kept its own person: that its contact was back, nobody told of it."""
    world = await _world(Rules(filters=EMEA.filters, walk_links=0))
    contact = await world.linked(Entity.CONTACT, lastname="C", new_region="EMEA")
    lead = await world.linked(Entity.LEAD, lastname="L", new_region="EMEA")
    if gone == "its person was deleted":
        world.marketo.delete("lead", contact.marketo)
    world.dynamics.edit("contact", contact.dynamics, new_region="US")
    await world.rest()
    world.dynamics.qualify(lead.dynamics, into=contact.dynamics)
    await world.rest()
    assert [link.marketo for link in world.live(Entity.LEAD)] == [lead.marketo]
    world.dynamics.edit("contact", contact.dynamics, new_region="UK")
    await world.rest(5)
    [person] = [person.key for person in world.marketo.records("lead")]
    assert [(link.dynamics, link.marketo) for link in world.live(Entity.CONTACT)] == [(contact.dynamics, person)]
    assert world.live(Entity.LEAD) == []
