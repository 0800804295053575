"""A run brings both systems to agreement, by the mission's rules."""

from __future__ import annotations

import pytest

from mkdyn import (
    Ask,
    Collision,
    CustomEntity,
    Direction,
    Entity,
    Guard,
    Guards,
    Key,
    Pick,
    Rules,
    Synchronizer,
    System,
    Verdict,
    Win,
)
from mkdyn.domain import FieldSpec
from mkdyn.errors import (
    GuardError,
    NothingSelectedError,
    OtherOrganizationError,
    PlanMovedError,
    PolicyError,
    RunInProgressError,
)
from mkdyn.ports import RunFinished, RunStarted
from mkdyn.testing import FakeDynamics, FakeMarketo
from tests.unit.engine.world import World

pytestmark = pytest.mark.anyio


async def test_a_new_row_becomes_a_person_and_the_second_run_rests() -> None:
    """A Dynamics lead is created in Marketo once; nothing is planned after that, for a handful of calls."""
    world = await World.of(Entity.LEAD)
    ada = world.dynamics.create("lead", lastname="Lovelace", jobtitle="Engineer", donotbulkemail=True)
    report = await world.run()
    assert report.counts[System.MARKETO].create == 1
    assert (report.ended, report.exit_code, report.ok) == ("done", 0, True)
    person = world.person(world.link(Entity.LEAD, ada))
    assert (person["lastName"], person["title"], person["unsubscribed"]) == ("Lovelace", "Engineer", True)
    assert person["dynamicsId"] == ada
    await world.run()
    report = await world.run()
    assert not report.operations
    assert report.observed == 0
    assert sum(report.calls.values()) <= 7


@pytest.mark.parametrize(
    ("entity", "winner", "title"), [(Entity.LEAD, System.MARKETO, "CTO"), (Entity.CONTACT, System.DYNAMICS, "VP")]
)
async def test_a_collision_has_its_winner_and_other_edits_survive(entity: Entity, winner: System, title: str) -> None:
    """Marketo wins for leads, Dynamics for contacts, per field (M3); both values are reported."""
    world = await World.of(Entity.LEAD, Entity.CONTACT)
    link = await world.linked(entity, lastname="Lovelace", jobtitle="Engineer")
    await world.edit_both(
        link, marketo={"title": "CTO", "city": "London"}, dynamics={"jobtitle": "VP", "telephone1": "1"}
    )
    report = await world.run()
    [collision] = report.collisions
    assert collision.winner is winner
    assert (collision.collision.marketo, collision.collision.dynamics) == ("CTO", "VP")
    assert world.person(link)["title"] == world.row(link)["jobtitle"] == title
    assert world.person(link)["phone"] == "1"
    assert world.row(link)["address1_city"] == "London"
    assert not (await world.sync.plan()).operations


async def test_the_same_new_value_on_both_systems_is_agreement() -> None:
    """Converged edits are no collision, and nothing is written."""
    world = await World.of(Entity.LEAD)
    link = await world.linked(Entity.LEAD, lastname="Lovelace")
    await world.edit_both(link, marketo={"title": "CTO"}, dynamics={"jobtitle": "CTO"})
    report = await world.run()
    assert not report.operations
    assert not report.collisions
    world.dynamics.edit("lead", link.dynamics, jobtitle=None)
    await world.run()
    assert world.person(link)["title"] is None


async def test_a_marketo_edit_of_a_company_is_reverted_and_reported() -> None:
    """One-way entities are Dynamics' alone (M2): the walk finds the edit, both values are in the report."""
    world = await World.of(Entity.ACCOUNT)
    link = await world.linked(Entity.ACCOUNT, name="Acme", telephone1="1")
    world.marketo.edit("company", link.marketo, mainPhone="666")
    report = await world.rest(2)
    runs = [item async for item in world.sync.journal.collisions()]
    assert [(item.kind, item.collision.marketo, item.winner) for item in runs] == [("one-way", "666", System.DYNAMICS)]
    company = world.marketo.record("company", link.marketo)
    assert company is not None
    assert company.values["mainPhone"] == "1"
    assert world.dynamics.writes_by_object["account"] == 0
    assert not report.operations


async def test_all_seven_kinds_of_entities_come_over() -> None:
    """Users, teams, accounts, opportunities and a custom entity are created in Marketo, references included."""
    world = await World.of()
    product = CustomEntity("new_product")
    world.dynamics.add_table("new_product", [FieldSpec(name="new_name", type="text", length=100)])
    await world.sync.fields.select(Pick(product, "new_name"))
    world.dynamics.create("new_product", new_name="GTX")
    user = world.dynamics.create("systemuser", firstname="Grace", lastname="Hopper")
    world.dynamics.create("team", name="Central")
    account = world.dynamics.create("account", name="Acme", ownerid=user)
    contact = world.dynamics.create("contact", lastname="Lovelace", parentcustomerid=account, ownerid=user)
    world.dynamics.create("opportunity", name="Deal", parentaccountid=account, ownerid=user)
    report = await world.run()
    assert (report.ended, report.counts[System.MARKETO].create) == ("done", 6)
    person = world.person(world.link(Entity.CONTACT, contact))
    assert (person["externalCompanyId"], person["externalSalesPersonId"]) == (account, user)
    assert [record.values["new_name"] for record in world.marketo.records("new_product_c")] == ["GTX"]
    assert not (await world.rest()).operations


async def test_nothing_selected_is_an_error() -> None:
    """Nothing syncs that was not selected (M6)."""
    with pytest.raises(NothingSelectedError, match="No field is selected"):
        await World().sync.run()


async def test_a_state_of_other_organisations_is_refused() -> None:
    """One memory serves one pair of systems; nothing is sent to another."""
    world = await World.of(Entity.LEAD)
    await world.run()
    world.dynamics = FakeDynamics(organization="other.crm4")
    world.restart()
    with pytest.raises(OtherOrganizationError, match=r"belongs to Dynamics acme\.crm4.*speaks to other\.crm4"):
        await world.run()


async def test_one_run_at_a_time() -> None:
    """A second run on the same memory is told who holds it."""
    world = await World.of(Entity.LEAD)
    with (
        world.store.exclusive("a run (host etl-3, pid 811, since 09:00:04)"),
        pytest.raises(RunInProgressError, match="etl-3, pid 811"),
    ):
        await world.run()
    await world.run()


async def test_a_policy_that_answers_nothing_is_an_error_and_loses_nothing() -> None:
    """The message names the policy and the field; with a good policy the edit is still there."""

    def our_policy(collision: Collision) -> Verdict:
        return None  # type: ignore[return-value]  # what a forgotten return does

    world = await World.of(Entity.CONTACT)
    link = await world.linked(Entity.CONTACT, lastname="Lovelace", jobtitle="Engineer")
    await world.edit_both(link, marketo={"title": "CTO"}, dynamics={"jobtitle": "VP"})
    world.restart(Rules(policy=our_policy))
    with pytest.raises(PolicyError, match=r"our_policy answered None for contact\.jobtitle\. Answer Win"):
        await world.run()
    world.restart()
    [collision] = (await world.run()).collisions
    assert collision.collision.marketo == "CTO"


async def test_a_policy_may_ask_and_the_field_is_held() -> None:
    """Each system keeps its value until somebody decides; other fields sync."""

    def ask(collision: Collision) -> Verdict:
        if collision.field == "jobtitle":
            return Ask(because="titles need a person")
        return Win(System.DYNAMICS, because="of this test")

    world = await World.of(Entity.CONTACT, rules=Rules(policy=ask))
    link = await world.linked(Entity.CONTACT, lastname="Lovelace", jobtitle="Engineer", telephone1="1")
    await world.edit_both(link, marketo={"title": "CTO", "phone": "2"}, dynamics={"jobtitle": "VP", "telephone1": "3"})
    report = await world.run()
    assert (world.person(link)["title"], world.row(link)["jobtitle"]) == ("CTO", "VP")
    assert world.person(link)["phone"] == "3"
    assert [hold.code for hold in report.holds] == ["ask"]
    assert (report.ended, report.exit_code) == ("warnings", 1)
    assert [hold.field async for hold in world.sync.journal.holds()] == ["jobtitle"]


async def test_a_narrowed_pair_is_reverted_on_its_receiving_end() -> None:
    """A field that only goes Dynamics → Marketo is put back when somebody edits it in Marketo."""
    world = await World.with_picks(
        Pick(Entity.LEAD, "jobtitle", direction=Direction.TO_MARKETO), Pick(Entity.LEAD, "lastname")
    )
    link = await world.linked(Entity.LEAD, lastname="Lovelace", jobtitle="Engineer")
    world.marketo.edit("lead", link.marketo, title="CTO")
    report = await world.run()
    assert [item.kind for item in report.collisions] == ["one-way"]
    assert world.person(link)["title"] == world.row(link)["jobtitle"] == "Engineer"


async def test_a_score_only_goes_to_dynamics_and_starts_with_its_first_value() -> None:
    """Marketo → Dynamics only: what Dynamics had stands until Marketo has a value of its own."""
    world = await World.of(Entity.CONTACT)
    link = await world.linked(Entity.CONTACT, lastname="Lovelace", mkt_leadscore=5)
    assert (world.person(link)["leadScore"], world.row(link)["mkt_leadscore"]) == (None, 5)
    world.marketo.edit("lead", link.marketo, leadScore=80)
    await world.run()
    assert world.row(link)["mkt_leadscore"] == 80
    world.dynamics.edit("contact", link.dynamics, mkt_leadscore=1)
    report = await world.run()
    assert world.row(link)["mkt_leadscore"] == 80
    assert [item.kind for item in report.collisions] == ["one-way"]


async def test_a_plan_sends_nothing_and_is_carried_out_as_read() -> None:
    """What a plan says is what apply() does; its number becomes the run's."""
    world = await World.of(Entity.LEAD)
    ada = world.dynamics.create("lead", lastname="Lovelace")
    plan = await world.sync.plan()
    assert str(plan) == f"plan {plan.id}: to Marketo 1 · to Dynamics 0 · 0 collisions · 0 held · 0 quarantined"
    assert not world.marketo.records("lead")
    report = await world.sync.apply(plan)
    assert (report.id, report.counts[System.MARKETO].create, report.ended) == (plan.id, 1, "done")
    assert world.person(world.link(Entity.LEAD, ada))["lastName"] == "Lovelace"
    with pytest.raises(PlanMovedError, match="nothing left to apply"):
        await world.sync.apply(plan.id)
    with pytest.raises(PlanMovedError, match="There is no plan 99"):
        await world.sync.apply(99)


async def test_what_has_moved_since_the_plan_is_left_and_listed() -> None:
    """A write whose record changed after the plan is not sent; the next run decides it."""
    world = await World.of(Entity.LEAD)
    still, moving = [await world.linked(Entity.LEAD, lastname=name, jobtitle="a") for name in ("A", "B")]
    world.dynamics.edit("lead", still.dynamics, jobtitle="b")
    world.dynamics.edit("lead", moving.dynamics, jobtitle="b")
    plan = await world.sync.plan()
    world.dynamics.edit("lead", moving.dynamics, jobtitle="c")
    world.dynamics.create("lead", lastname="Later")
    report = await world.sync.apply(plan)
    assert (world.person(still)["title"], world.person(moving)["title"]) == ("b", "a")
    assert report.warnings == ("1 of the plan's writes have moved since and were left: plan again",)
    assert report.ended == "warnings"
    await world.run()
    assert world.person(moving)["title"] == "c"
    assert len(world.marketo.records("lead")) == 3


async def test_what_has_moved_may_be_planned_again() -> None:
    """apply(moved="replan") is a run under the plan's number."""
    world = await World.of(Entity.LEAD)
    link = await world.linked(Entity.LEAD, lastname="A", jobtitle="a")
    world.dynamics.edit("lead", link.dynamics, jobtitle="b")
    plan = await world.sync.plan()
    world.dynamics.edit("lead", link.dynamics, jobtitle="c")
    report = await world.sync.apply(plan, moved="replan")
    assert world.person(link)["title"] == "c"
    assert not report.warnings


async def test_a_plan_shows_collisions_once_when_it_is_applied() -> None:
    """The journal holds a collision of a plan once, though plan and run both decide it."""
    world = await World.of(Entity.LEAD)
    link = await world.linked(Entity.LEAD, lastname="A", jobtitle="a")
    await world.edit_both(link, marketo={"title": "m"}, dynamics={"jobtitle": "d"})
    plan = await world.sync.plan()
    assert plan.collisions.total == 1
    report = await world.sync.apply(plan)
    assert report.collisions.total == 1
    assert world.row(link)["jobtitle"] == "m"


async def test_a_guard_stops_a_plan_before_anything_is_sent() -> None:
    """A plan that looks like an accident is refused with its number; a person may let it through."""
    rules = Rules(guards=Guards(deletes_share_max=0.1, records_min=3))
    world = await World.of(Entity.OPPORTUNITY, rules=rules)
    keys = [world.dynamics.create("opportunity", name=f"Deal {number}") for number in range(10)]
    await world.rest()
    for key in keys[:4]:
        world.dynamics.delete("opportunity", key)
    with pytest.raises(GuardError, match=r"deletes 4 of 10 opportunities \(40\.0 %") as caught:
        await world.run()
    assert "sync.apply(" in caught.value.what_to_do
    assert [str(breach.guard) for breach in caught.value.breaches] == ["deletes"]  # type: ignore[attr-defined]
    assert len(world.marketo.records("opportunity")) == 10
    report = await world.sync.apply(caught.value.plan, accept={Guard.DELETES})
    assert report.counts[System.MARKETO].delete == 4
    assert len(world.marketo.records("opportunity")) == 6


async def test_overwriting_or_emptying_many_records_is_guarded() -> None:
    """Each guard names itself."""
    rules = Rules(guards=Guards(records_min=3))
    world = await World.of(Entity.LEAD, rules=rules)
    links = [await world.linked(Entity.LEAD, lastname=str(number), jobtitle="a") for number in range(4)]
    for link in links:
        world.dynamics.edit("lead", link.dynamics, jobtitle=None)
    plan = await world.sync.plan()
    assert {breach.guard for breach in plan.breaches} == {Guard.OVERWRITES, Guard.EMPTIED}
    assert str(plan).endswith("guard: overwrites, emptied")
    with pytest.raises(GuardError):
        await world.sync.apply(plan, accept={Guard.OVERWRITES})
    report = await world.sync.apply(plan, accept={Guard.OVERWRITES, Guard.EMPTIED})
    assert report.counts[System.MARKETO].update == 4


async def test_some_records_now() -> None:
    """run(keys=…) looks at these records only, given by either system's key."""
    world = await World.of(Entity.LEAD, Entity.ACCOUNT)
    one, other, third = [await world.linked(Entity.LEAD, lastname=name) for name in ("A", "B", "C")]
    for link in (one, other, third):
        world.dynamics.edit("lead", link.dynamics, jobtitle="new")
    report = await world.sync.run(keys=[Key.dynamics(one.dynamics.upper()), Key.marketo(other.marketo)])
    assert report.counts[System.MARKETO].update == 2
    assert [world.person(link)["title"] for link in (one, other, third)] == ["new", "new", None]
    world.marketo.edit("lead", one.marketo, city="Paris")
    await world.sync.run(keys=[Key.dynamics(one.dynamics)])
    assert world.row(one)["address1_city"] == "Paris"
    new = world.dynamics.create("lead", lastname="D")
    await world.sync.run(keys=[Key.dynamics(new)])
    assert world.link(Entity.LEAD, new)
    await world.run()
    assert world.person(third)["title"] == "new"


async def test_observers_are_told_and_a_failing_one_is_a_warning() -> None:
    """An observer that raises becomes a warning in the report; the others are told."""

    def failing(event: object) -> None:
        raise RuntimeError

    world = await World.of(Entity.LEAD, observers=(failing,))
    world.dynamics.create("lead", lastname="Lovelace")
    report = await world.run()
    assert report.warnings == ("observer failing: RuntimeError",)
    names = [event.name for event in world.events]
    assert names[0] == RunStarted.name
    assert names[-1] == RunFinished.name
    assert {"page_gathered", "planned", "batch_written"} <= set(names)
    finished = world.events[-1]
    assert finished.level == "warning"
    assert finished.facts()["to_marketo"] == 1
    assert all("Lovelace" not in repr(event) for event in world.events)


async def test_the_synchronizer_says_whom_it_keeps_in_agreement() -> None:
    """Its repr shows the systems and the state, no secret, nobody's data."""
    world = await World.of(Entity.LEAD)
    assert repr(world.sync).startswith("<Synchronizer Marketo ↔ Dynamics, memory, ")
    await world.run()
    assert repr(world.sync).startswith("<Synchronizer 123-ABC-456 ↔ acme.crm4, memory, ")


async def test_leaving_the_synchronizer_closes_what_it_was_given() -> None:
    """The connectors and the store are closed, also after an error."""
    closed: list[str] = []

    class Watched(FakeMarketo):
        async def aclose(self) -> None:
            closed.append("marketo")
            await super().aclose()

    world = World(marketo=Watched())

    async def used() -> None:
        async with world.sync as sync:
            assert isinstance(sync, Synchronizer)
            await sync.run()

    with pytest.raises(NothingSelectedError):
        await used()
    assert closed == ["marketo"]
