"""A backfill is a plan, is carried out in pieces, and touches nothing else."""

from __future__ import annotations

from datetime import UTC, date, datetime
from weakref import WeakKeyDictionary

import attrs
import pytest

from mkdyn import Entity, Guards, NewField, Pick, Rules
from mkdyn.domain import FieldSpec, Link, PairState, System
from mkdyn.errors import FieldError, GuardError, NotEligibleError, PlanMovedError, UnknownFieldError
from mkdyn.ports import BackfillProgressed
from mkdyn.testing import Crash, Crashed, FakeDynamics, FakeMarketo, Throttle, Unreachable
from tests.unit.engine.world import World

pytestmark = pytest.mark.anyio

TIER = Pick(Entity.CONTACT, "new_tier", marketo=NewField("Customer tier"))
JULY = datetime(2026, 7, 1, tzinfo=UTC)
EASY = Rules(guards=Guards(records_min=10_000))


#: Dynamics' own clock in each world.
CLOCKS: WeakKeyDictionary[World, list[datetime]] = WeakKeyDictionary()


async def _world(
    count: int = 5, *, rules: Rules = EASY, marketo: FakeMarketo | None = None
) -> tuple[World, list[Link]]:
    """Return contacts that are linked, with a column that nobody selected yet."""
    world_clock = [datetime(2026, 1, 1, tzinfo=UTC)]
    dynamics = FakeDynamics(now=lambda: world_clock[0])
    dynamics.add_column("contact", FieldSpec(name="new_tier", type="text", length=40, label="Tier"))
    world = World(rules=rules, marketo=marketo, dynamics=dynamics)
    CLOCKS[world] = world_clock
    await world.sync.fields.select(Pick(Entity.CONTACT, "lastname"), Pick(Entity.CONTACT, "jobtitle"))
    keys = [
        world.dynamics.create("contact", lastname=f"A{number}", new_tier=f"tier {number}") for number in range(count)
    ]
    await world.rest()
    await world.sync.fields.select(TIER)
    return world, [world.link(Entity.CONTACT, key) for key in keys]


def _tiers(world: World, links: list[Link]) -> list[object]:
    return [world.person(link)["customerTier"] for link in links]


async def _state(world: World) -> PairState:
    return next(pair.state for pair in await world.sync.fields.selected() if pair.dynamics == "new_tier")


async def test_a_backfill_refreshes_its_field_and_no_other() -> None:
    """The row's job title was edited, too: that is for the next run."""
    world, links = await _world()
    world.dynamics.edit("contact", links[0].dynamics, jobtitle="later")
    plan = await world.sync.plan_backfill(TIER)
    assert (plan.purpose, plan.counts[System.MARKETO].update) == ("backfill", 5)
    assert _tiers(world, links) == [None] * 5
    report = await world.sync.apply(plan)
    assert _tiers(world, links) == [f"tier {number}" for number in range(5)]
    assert world.person(links[0])["title"] is None
    assert (report.purpose, await _state(world)) == ("backfill", PairState.ACTIVE)
    assert str(report).endswith(" · 0 quarantined · contact.new_tier is active")
    assert '"activated": ["contact.new_tier"]' in report.to_json()
    report = await world.run()
    assert "active" not in report.text()
    assert (report.counts[System.MARKETO].total, world.person(links[0])["title"]) == (1, "later")
    world.marketo.edit("lead", links[1].marketo, customerTier="theirs")
    await world.rest()
    assert world.row(links[1])["new_tier"] == "theirs"


async def test_what_is_empty_in_dynamics_becomes_empty() -> None:
    """And the plan counts it."""
    world, links = await _world(2)
    await world.sync.backfill(TIER)
    world.dynamics.edit("contact", links[0].dynamics, new_tier=None)
    plan = await world.sync.plan_backfill(TIER)
    assert ", of which 1 become empty" in str(plan)
    assert plan.estimate is not None
    assert plan.estimate.calls == 2
    await world.sync.apply(plan)
    assert _tiers(world, links) == [None, "tier 1"]


async def test_an_estimate_counts_the_calls_on_the_line() -> None:
    """One batch may go out in several of them."""
    world, _ = await _world(5)
    world.marketo._identity = attrs.evolve(world.marketo._identity, rows_per_call=2)
    plan = await world.sync.plan_backfill(TIER)
    assert plan.estimate is not None
    assert plan.estimate.calls == 2 * 3


async def test_days_leave_others_alone() -> None:
    """Records outside are not written, neither by the backfill nor by the runs after it."""
    world, links = await _world(3)
    CLOCKS[world][0] = JULY
    world.dynamics.edit("contact", links[2].dynamics, new_tier="new")
    plan = await world.sync.plan_backfill(TIER, since=date(2026, 7, 1), until=date(2026, 7, 2))
    assert plan.operations.total == 1
    await world.sync.apply(plan)
    assert await _state(world) is PairState.ACTIVE
    await world.rest(4)
    assert _tiers(world, links) == [None, None, "new"]
    world.dynamics.edit("contact", links[0].dynamics, jobtitle="B")
    world.marketo.edit("lead", links[1].marketo, customerTier="theirs")
    await world.rest()
    assert _tiers(world, links) == ["tier 0", "tier 1", "new"]
    assert [item.collision.marketo async for item in world.sync.journal.collisions()] == ["theirs"]


async def test_an_interrupted_backfill_goes_on_where_it_stopped() -> None:
    """Each record is written once, those included whose write had left and never arrived."""
    world, links = await _world(6, marketo=FakeMarketo(batch_max=1))
    plan = await world.sync.plan_backfill(TIER)
    for _ in range(2):
        world.marketo.inject(Crash(call=world.next_call(System.MARKETO, "write") + 1, of="write"))
        with pytest.raises(Crashed):
            await world.sync.apply(plan)
        world.marketo.faults.clear()
        world.restart(EASY)
        assert await _state(world) is PairState.BACKFILLING
    report = await world.sync.backfill(TIER)
    assert report.id == plan.id
    assert _tiers(world, links) == [f"tier {number}" for number in range(6)]
    written = [
        operation.key async for operation in world.sync.journal.operations(plan.id) if operation.state == "applied"
    ]
    assert sorted(written) == sorted({link.marketo for link in links})
    assert await _state(world) is PairState.ACTIVE
    with pytest.raises(PlanMovedError):
        await world.sync.apply(plan)


async def test_runs_in_between_leave_the_backfill_its_work() -> None:
    """They sync everything else, and what is edited meanwhile; the plan stays."""
    world, links = await _world(4)
    plan = await world.sync.plan_backfill(TIER)
    world.dynamics.edit("contact", links[0].dynamics, jobtitle="B", new_tier="edited")
    world.marketo.edit("lead", links[1].marketo, customerTier="theirs")
    await world.rest()
    assert (world.person(links[0])["title"], _tiers(world, links)[2:]) == ("B", [None, None])
    assert await _state(world) is PairState.BACKFILLING
    await world.sync.apply(plan)
    await world.rest()
    assert _tiers(world, links) == ["edited", "tier 1", "tier 2", "tier 3"]
    assert [item.collision.marketo async for item in world.sync.journal.collisions()] == ["theirs"]


async def test_progress_is_told_with_an_estimate() -> None:
    """A batch at a time."""
    world, _ = await _world(5, marketo=FakeMarketo(batch_max=2))
    await world.sync.backfill()
    told = [(event.done, event.total) for event in world.events if isinstance(event, BackfillProgressed)]
    assert told == [(2, 5), (4, 5), (5, 5)]


async def test_a_drifted_field_is_repaired_the_same_way() -> None:
    """Marketo's value was changed, and no feed told of it."""
    world, links = await _world(2)
    await world.sync.backfill()
    await world.rest()
    world.marketo.edit("lead", links[0].marketo, customerTier="drifted")
    world.marketo.expire_cursors()
    world.restart(Rules(guards=Guards(records_min=10_000), walk_links=0))
    plan = await world.sync.plan_backfill(TIER)
    assert plan.operations.total == 1
    await world.sync.apply(plan)
    assert (_tiers(world, links)[0], await _state(world)) == ("tier 0", PairState.ACTIVE)


async def test_what_cannot_be_backfilled_is_refused_with_its_reason() -> None:
    """All of it at once."""
    world, _ = await _world(1)
    with pytest.raises(UnknownFieldError, match=r"contact\.description is not selected"):
        await world.sync.backfill(Pick(Entity.CONTACT, "description"))
    await world.sync.backfill()
    with pytest.raises(FieldError, match="No field waits for its backfill"):
        await world.sync.backfill()
    await world.sync.fields.select(Pick(Entity.CONTACT, "mkt_leadscore"))
    with pytest.raises(NotEligibleError, match="Marketo → Dynamics only"):
        await world.sync.plan_backfill(Pick(Entity.CONTACT, "mkt_leadscore"))


async def test_a_backfill_that_overwrites_much_asks_first() -> None:
    """Nothing is sent; a person may accept it, and then it goes on."""
    world, links = await _world(4, rules=Rules(guards=Guards(records_min=1)))
    for link in links:
        world.marketo.edit("lead", link.marketo, customerTier="old")
    world.marketo.expire_cursors()
    with pytest.raises(GuardError) as caught:
        await world.sync.backfill(TIER)
    assert _tiers(world, links) == ["old"] * 4
    await world.sync.apply(caught.value.plan, accept={breach.guard for breach in caught.value.breaches})
    assert _tiers(world, links) == [f"tier {number}" for number in range(4)]


@pytest.mark.parametrize("fault", [Unreachable, Throttle])
async def test_a_feed_that_cannot_be_read_pauses_a_backfill(fault: type[Unreachable | Throttle]) -> None:
    """An edit may be unknown that it would replace."""
    world, links = await _world(2)
    plan = await world.sync.plan_backfill(TIER)
    world.marketo.inject(fault(call=world.next_call(System.MARKETO, "changes"), of="changes"))
    assert (await world.sync.apply(plan)).ended == "paused"
    world.marketo.faults.clear()
    assert (await world.sync.apply(plan)).ended == "done"
    assert _tiers(world, links) == ["tier 0", "tier 1"]


async def test_a_field_that_was_hidden_while_it_was_refreshed_is_refreshed_when_it_is_back() -> None:
    """It came back active, half refreshed."""
    world, links = await _world(2)
    world.dynamics.hide_column("contact", "new_tier")
    await world.rest()
    assert (await _state(world), _tiers(world, links)) == (PairState.BLOCKED, [None, None])
    world.marketo.edit("lead", links[0].marketo, customerTier="stale")
    world.marketo.expire_cursors()
    world.dynamics.show_column("contact", "new_tier")
    await world.run()
    assert _tiers(world, links) == ["tier 0", "tier 1"]
    await world.run()
    assert await _state(world) is PairState.ACTIVE


async def test_a_run_says_which_pairs_it_made_active() -> None:
    """The first few by name; it refreshed them on its own."""
    world, links = await _world(2)
    names = ("firstname", "telephone1", "mobilephone", "description")
    await world.sync.fields.select(*(Pick(Entity.CONTACT, name) for name in names[:2]))
    report = await world.rest(1)
    assert str(report).endswith(" · contact.new_tier, contact.firstname, contact.telephone1 are active")
    await world.sync.backfill(TIER)
    await world.sync.fields.deselect(TIER)
    await world.sync.fields.select(TIER, *(Pick(Entity.CONTACT, name) for name in (*names[2:], "address1_city")))
    report = await world.rest(1)
    assert str(report).endswith(" · contact.new_tier, contact.mobilephone, contact.description and 1 more are active")
    assert _tiers(world, links) == ["tier 0", "tier 1"]
