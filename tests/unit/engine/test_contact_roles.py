"""The contact of an opportunity: a lookup in Dynamics, a record of its own in Marketo."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Literal

import pytest

from mkdyn import Entity, Rules
from mkdyn.domain.keys import joined
from mkdyn.domain.records import LinkState
from mkdyn.domain.systems import System
from mkdyn.engine.roles import WithRoles
from mkdyn.testing import Crash, Crashed, FakeMarketo, LoseAnswer, Reject, Unreachable
from tests.unit.engine.world import World

pytestmark = pytest.mark.anyio

ROLE = "opportunityRole"


def _roles(world: World) -> list[Mapping[str, object]]:
    names = ("externalOpportunityId", "leadId", "role")
    return [{name: role.values[name] for name in names} for role in world.marketo.records(ROLE)]


def _role(opportunity: str, person: str, role: str = "Contact") -> Mapping[str, object]:
    return {"externalOpportunityId": opportunity, "leadId": int(person), "role": role}


async def _world(rules: Rules | None = None) -> World:
    return await World.of(Entity.CONTACT, Entity.OPPORTUNITY, rules=rules)


async def _deal(world: World) -> tuple[str, str, str]:
    """Return an opportunity whose contact is linked, that contact, and its person."""
    contact = world.dynamics.create("contact", lastname="Lovelace")
    deal = world.dynamics.create("opportunity", name="Engine", parentcontactid=contact)
    await world.rest()
    return deal, contact, world.link(Entity.CONTACT, contact).marketo


async def test_the_contact_of_an_opportunity_has_a_role_in_it() -> None:
    """Both are new, and in one run; the next one has nothing to do."""
    world = await _world()
    contact = world.dynamics.create("contact", lastname="Lovelace")
    deal = world.dynamics.create("opportunity", name="Engine", parentcontactid=contact)
    await world.run()
    person = world.link(Entity.CONTACT, contact).marketo
    assert _roles(world) == [_role(deal, person)]
    report = await world.rest()
    assert (report.ended, report.operations.total) == ("done", 0)


async def test_another_contact_takes_the_role_over_and_none_leaves_it_empty() -> None:
    """Other roles are somebody else's."""
    world = await _world()
    deal, contact, person = await _deal(world)
    world.marketo.create(ROLE, externalOpportunityId=deal, leadId=int(person), role="Champion")
    other = await world.linked(Entity.CONTACT, lastname="Babbage")
    world.dynamics.edit("opportunity", deal, parentcontactid=other.dynamics)
    await world.rest()
    champion = _role(deal, person, "Champion")
    assert _roles(world) == [champion, _role(deal, other.marketo)]
    world.dynamics.edit("opportunity", deal, parentcontactid=None)
    await world.rest()
    assert _roles(world) == [champion]
    assert world.dynamics.record("contact", contact) is not None


async def test_a_contact_that_waits_is_waited_for() -> None:
    """The opportunity is there without it; once its person is, the role follows by itself."""
    world = await _world()
    contact = world.dynamics.create("contact", lastname="Lovelace")
    world.marketo.inject(Reject(key=contact, code="1006", message="Not now"))
    deal = world.dynamics.create("opportunity", name="Engine", parentcontactid=contact)
    report = await world.rest()
    [hold] = report.holds
    assert (hold.entity, hold.field, hold.awaits) == (Entity.OPPORTUNITY, "parentcontactid", contact)
    assert (world.marketo.record("opportunity", deal) is not None, _roles(world)) == (True, [])
    world.marketo.faults.clear()
    world.dynamics.edit("contact", contact, lastname="King")
    report = await world.rest()
    assert (report.ended, _roles(world)) == ("done", [_role(deal, world.link(Entity.CONTACT, contact).marketo)])


@pytest.mark.parametrize("applied", ["yes", "no"])
async def test_a_role_whose_answer_is_lost_is_there_once(applied: str) -> None:
    """The opportunity was written before."""
    world = await _world()
    deal, _, _ = await _deal(world)
    other = await world.linked(Entity.CONTACT, lastname="Babbage")
    world.dynamics.edit("opportunity", deal, parentcontactid=other.dynamics)
    call = world.next_call(System.MARKETO, "write") + 1
    world.marketo.inject(LoseAnswer(call=call, of="write", applied=applied))  # type: ignore[arg-type]
    await world.run()
    await world.run(minutes=60)
    report = await world.rest()
    assert (report.ended, _roles(world)) == ("done", [_role(deal, other.marketo)])


async def test_marketo_that_goes_away_between_an_opportunity_and_its_role_is_asked_later() -> None:
    """Nothing is known of the role until then, and no run fails for it."""
    world = await _world()
    deal, _, _ = await _deal(world)
    other = await world.linked(Entity.CONTACT, lastname="Babbage")
    world.dynamics.edit("opportunity", deal, parentcontactid=other.dynamics, name="Analytical engine")
    world.marketo.inject(Unreachable(call=world.next_call(System.MARKETO, "find") + 1, of="find"))  # after the decision
    await world.run()
    opportunity = world.marketo.record("opportunity", deal)
    assert opportunity is not None
    assert opportunity.values["name"] == "Analytical engine"
    await world.run(minutes=60)
    report = await world.rest()
    assert (report.ended, _roles(world)) == ("done", [_role(deal, other.marketo)])


async def test_a_role_that_somebody_removed_is_back_after_the_walk() -> None:
    """No feed tells of it; Dynamics decides."""
    world = await _world(Rules(walk_links=1_000))
    deal, _, person = await _deal(world)
    world.marketo.delete(ROLE, joined([deal, int(person), "Contact"]))
    report = await world.rest(6)
    assert (report.ended, _roles(world)) == ("done", [_role(deal, person)])


async def test_roles_follow_a_person_that_is_merged_into_another() -> None:
    """As Marketo has it; the row's contact is the same, and its person another."""
    world = await _world()
    deal, contact, person = await _deal(world)
    stranger = world.marketo.create("lead", lastName="King")
    await world.marketo.merge(stranger, [person])
    report = await world.rest()
    assert (world.link(Entity.CONTACT, contact).marketo, _roles(world)) == (stranger, [_role(deal, stranger)])
    assert (report.ended, report.operations.total) == ("done", 0)


async def test_an_opportunity_goes_with_its_roles() -> None:
    """Where it is deleted in Dynamics."""
    world = await _world()
    deal, contact, _ = await _deal(world)
    world.dynamics.delete("opportunity", deal)
    await world.rest()
    assert (world.marketo.records("opportunity"), _roles(world)) == ([], [])
    assert world.link(Entity.CONTACT, contact).state is LinkState.LIVE


async def test_an_opportunity_that_marketo_keeps_for_its_roles_is_deleted_after_them() -> None:
    """What Marketo does to a role whose opportunity goes is told nowhere; should it refuse, the role goes first."""
    world = await _world()
    deal, _, _ = await _deal(world)
    world.dynamics.delete("opportunity", deal)
    world.marketo.inject(Reject(key=deal, code="1022", message="Object in use"))

    def relent(call: str) -> None:
        if call == "write opportunityRole":
            world.marketo.faults.clear()

    world.marketo.between(relent)
    report = await world.run()
    assert (report.ended, world.marketo.records("opportunity"), _roles(world)) == ("done", [], [])


async def test_one_that_is_in_use_otherwise_stays_set_aside() -> None:
    """Its contact is not in the way."""
    world = await _world()
    deal, _, _ = await _deal(world)
    world.dynamics.delete("opportunity", deal)
    world.marketo.inject(Reject(key=deal, code="1022", message="Object in use"))
    report = await world.run()
    assert ([item.code for item in report.quarantined], len(world.marketo.records("opportunity"))) == (["1022"], 1)


async def test_a_role_that_marketo_refuses_is_held_and_the_rest_is_written() -> None:
    """The person reading the report sees which field, and of which opportunity."""
    world = await _world()
    deal, _, person = await _deal(world)
    other = await world.linked(Entity.CONTACT, lastname="Babbage")
    world.dynamics.edit("opportunity", deal, parentcontactid=other.dynamics, name="Analytical engine")
    world.marketo.inject(Reject(key=joined([deal, int(other.marketo), "Contact"]), code="1003", message="No"))
    report = await world.rest()
    opportunity = world.marketo.record("opportunity", deal)
    assert opportunity is not None
    assert opportunity.values["name"] == "Analytical engine"
    assert [(hold.key, hold.field) for hold in report.holds] == [(deal, "parentcontactid")]
    assert _roles(world) == [_role(deal, person)]


async def test_where_there_are_no_roles_there_is_no_such_field() -> None:
    """An instance whose native sync is on has none; opportunities sync without."""
    world = World()
    del world.marketo._tables[ROLE]
    await world.sync.fields.select_defaults(Entity.CONTACT, Entity.OPPORTUNITY)
    assert "contactRole" not in {item.pair.marketo for item in world.store.pairs()}
    world.dynamics.create("opportunity", name="Engine")
    report = await world.rest()
    assert (report.ended, len(world.marketo.records("opportunity"))) == ("done", 1)


async def test_what_finds_opportunities_shows_their_contacts() -> None:
    """As a read does; what is not asked for costs nothing."""
    world = await _world()
    deal, contact, _ = await _deal(world)
    marketo = WithRoles(world.marketo, world.store)
    [found] = await marketo.find("opportunity", "name", ["engine"], fields=["contactRole"])
    assert (found.key, found.values) == (deal, {"name": "Engine", "contactRole": contact})
    calls = world.marketo.calls
    [found] = await marketo.find("opportunity", "name", ["engine"], fields=["stage"])
    assert (set(found.values), world.marketo.calls) == ({"name", "stage"}, calls + 1)


async def test_a_check_asks_for_what_a_role_needs() -> None:
    """Whoever may not create fields in Marketo is told of what is missing there, in Marketo's own names."""
    marketo = FakeMarketo(may_create_fields="no")
    world = await World.of(Entity.CONTACT, Entity.OPPORTUNITY, marketo=marketo)
    assert (await world.sync.check()).ok
    marketo.drop_field(ROLE, "role")
    problems = (await world.sync.check()).problems
    assert [problem.remedy for _, problem in problems] == [
        "Give its role that permission, or create opportunityRole field role."
    ]


@pytest.mark.parametrize("call", range(1, 16))
@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_crash_at_any_call_leaves_each_opportunity_one_contact(
    call: int, when: Literal["before", "after"]
) -> None:
    """Between an opportunity and its role, and between the new role and the old one, too."""
    world = await _world()
    deal, _, _ = await _deal(world)
    other = await world.linked(Entity.CONTACT, lastname="Babbage")
    world.dynamics.edit("opportunity", deal, parentcontactid=other.dynamics, name="Analytical engine")
    second = world.dynamics.create("opportunity", name="Difference engine", parentcontactid=other.dynamics)
    world.marketo.inject(Crash(call=world.marketo.calls + call, when=when))
    with suppress(Crashed):
        await world.run()
    world.marketo.faults.clear()
    world.restart()
    await world.run(minutes=60)
    report = await world.rest()
    assert (report.ended, report.operations.total) == ("done", 0)
    assert sorted(str(role["externalOpportunityId"]) for role in _roles(world)) == sorted([deal, second])
    assert {role["leadId"] for role in _roles(world)} == {int(other.marketo)}
