"""Fields that come, go and change their shape while a sync is live."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Literal

import attrs
import pytest

from mkdyn import Entity, Pick, Rules, SqliteStore
from mkdyn.domain import FieldSpec, NewField, PairState
from mkdyn.errors import FieldError, NotEligibleError
from mkdyn.testing import FakeDynamics, FakeMarketo
from tests.unit.engine.world import World

pytestmark = pytest.mark.anyio

TIER = FieldSpec(name="new_tier", type="text", length=10, label="Tier")
RATING = FieldSpec(name="new_rating", type="choice", choices={1: "Hot", 2: "Cold"}, label="Rating")


async def _with(
    column: FieldSpec, *, dynamics: FakeDynamics | None = None, marketo: FakeMarketo | None = None
) -> World:
    """Return a world with a column of somebody's own selected beside a lead's title."""
    world = World(dynamics=dynamics, marketo=marketo)
    world.dynamics.add_column("lead", column)
    await world.sync.fields.select(
        Pick(Entity.LEAD, "lastname"),
        Pick(Entity.LEAD, "jobtitle"),
        Pick(Entity.LEAD, column.name, marketo=NewField(column.label)),
    )
    return world


async def _state(world: World, field: str) -> tuple[PairState, str]:
    [pair] = [pair for pair in await world.sync.fields.selected() if pair.dynamics == field]
    return pair.state, pair.reason


async def test_a_change_of_schema_is_told_before_anything_is_planned() -> None:
    """To the observers and in the report, once."""
    world = await _with(TIER)
    await world.run()
    world.dynamics.add_column("lead", FieldSpec(name="new_other", type="text"))
    report = await world.run()
    assert [str(change) for change in report.schema_changes] == ["Dynamics lead.new_other is new"]
    assert "schema: Dynamics lead.new_other is new" in report.text()
    assert '"schema_changes": ["Dynamics lead.new_other is new"]' in report.to_json()
    names = [event.name for event in world.events]
    assert names.index("schema_changed") < len(names) - 1 - names[::-1].index("planned")
    [event] = [event for event in world.events if event.name == "schema_changed"]
    assert event.facts()["change"] == "added"
    assert not (await world.run()).schema_changes


async def test_an_unchanged_schema_costs_one_call() -> None:
    """Dynamics says that nothing changed; Marketo's description is a day old at the most."""
    world = await _with(TIER)
    await world.rest()
    before = [fake.calls_by_name["describe"] for fake in (world.marketo, world.dynamics)]
    await world.run()
    assert [fake.calls_by_name["describe"] for fake in (world.marketo, world.dynamics)] == before
    await world.run(minutes=25 * 60)
    assert [fake.calls_by_name["describe"] for fake in (world.marketo, world.dynamics)] == [before[0] + 1, before[1]]


@pytest.mark.parametrize("shows", ["nothing", "null"])
async def test_a_secured_column_is_never_a_clear(shows: Literal["nothing", "null"]) -> None:
    """Its pair is blocked while it can't be read; both edits made meanwhile meet when it can."""
    world = await _with(TIER, dynamics=FakeDynamics(secured_shows=shows))
    link = await world.linked(Entity.LEAD, lastname="Lovelace", new_tier="gold")
    other = await world.linked(Entity.LEAD, lastname="Hopper", new_tier="tin")
    world.dynamics.hide_column("lead", "new_tier")
    world.dynamics.edit("lead", link.dynamics, jobtitle="CTO", new_tier="iron")
    report = await world.rest()
    assert report.ended == "warnings"
    assert await _state(world, "new_tier") == (PairState.BLOCKED, "secured; the sync user may not read it")
    assert (world.person(link)["tier"], world.person(link)["title"]) == ("gold", "CTO")
    world.marketo.edit("lead", other.marketo, tier="silver")
    await world.rest()
    world.dynamics.show_column("lead", "new_tier")
    assert (await world.rest()).ended == "done"
    assert await _state(world, "new_tier") == (PairState.ACTIVE, "")
    assert world.person(link)["tier"] == world.row(link)["new_tier"] == "iron"
    assert world.person(other)["tier"] == world.row(other)["new_tier"] == "silver"


@pytest.mark.parametrize("shows", ["nothing", "mask"])
async def test_a_mask_is_never_taken_for_a_value(shows: Literal["nothing", "mask"]) -> None:
    """The pair is blocked while the column is masked; both edits made meanwhile meet when it is not."""
    world = await _with(attrs.evolve(TIER, length=20), dynamics=FakeDynamics(masked_shows=shows))
    link = await world.linked(Entity.LEAD, lastname="Lovelace", new_tier="gold")
    other = await world.linked(Entity.LEAD, lastname="Hopper", new_tier="tin")
    world.dynamics.mask_column("lead", "new_tier")
    world.dynamics.edit("lead", link.dynamics, jobtitle="CTO", new_tier="iron")
    world.marketo.edit("lead", other.marketo, tier="silver")
    report = await world.rest()
    assert report.ended == "warnings"
    assert await _state(world, "new_tier") == (
        PairState.BLOCKED, "secured; the sync user is shown masks of its values",
    )  # fmt: skip
    assert (world.person(link)["tier"], world.person(link)["title"]) == ("gold", "CTO")
    assert world.row(other)["new_tier"] == "tin"
    world.dynamics.show_column("lead", "new_tier")
    assert (await world.rest()).ended == "done"
    assert await _state(world, "new_tier") == (PairState.ACTIVE, "")
    assert world.person(link)["tier"] == world.row(link)["new_tier"] == "iron"
    assert world.person(other)["tier"] == world.row(other)["new_tier"] == "silver"


async def test_a_column_masked_while_it_is_read_shows_no_value() -> None:
    """Masks are looked for once more after the values."""
    world = await _with(attrs.evolve(TIER, length=20), dynamics=FakeDynamics(masked_shows="mask"))
    link = await world.linked(Entity.LEAD, lastname="Lovelace", new_tier="gold")
    world.dynamics.edit("lead", link.dynamics, jobtitle="CTO")

    def mask(call: str) -> None:
        if call == "changes lead":
            world.dynamics.between_calls.clear()
            world.dynamics.mask_column("lead", "new_tier")

    world.dynamics.between(mask)
    await world.rest()
    assert (world.person(link)["tier"], world.person(link)["title"]) == ("gold", "CTO")


async def test_a_column_that_is_opened_can_be_selected_at_once() -> None:
    """One synchronizer, never started anew: refused while secured, then selected, and backfilled."""
    world = World()
    world.dynamics.add_column("lead", TIER)
    world.dynamics.hide_column("lead", "new_tier")
    await world.sync.fields.select(Pick(Entity.LEAD, "lastname"))
    link = await world.linked(Entity.LEAD, lastname="Lovelace", new_tier="gold")
    pick = Pick(Entity.LEAD, "new_tier", marketo=NewField("Tier"))

    async def verdict() -> str:
        candidates = await world.sync.fields.candidates(Entity.LEAD)
        [found] = [candidate for candidate in candidates if candidate.field.name == "new_tier"]
        return f"{found.eligibility}: {getattr(found.eligibility, 'reason', '')}"

    assert await verdict() == "not eligible: secured; the sync user may not read it"
    with pytest.raises(NotEligibleError, match="secured; the sync user may not read it"):
        await world.sync.fields.select(pick)
    assert "tier" not in world.person(link)
    world.dynamics.show_column("lead", "new_tier")
    assert await verdict() == "eligible: "
    assert len((await world.sync.fields.select(pick)).added) == 1
    assert await _state(world, "new_tier") == (PairState.BACKFILLING, "")
    report = await world.rest()
    assert report.ended == "done"
    assert await _state(world, "new_tier") == (PairState.ACTIVE, "")
    assert world.person(link)["tier"] == "gold"
    world.marketo.edit("lead", link.marketo, tier="iron")
    await world.rest()
    assert world.row(link)["new_tier"] == "iron"


async def test_a_state_with_a_marketo_type_of_another_time_goes_on(tmp_path: Path) -> None:
    """What was kept as `decimal` is read as `float`: nothing is set aside, and nothing changes but what is edited."""
    with closing(SqliteStore(tmp_path / "old.db")) as store:
        world = World(store=store)
        world.dynamics.add_column("lead", FieldSpec(name="new_share", type="decimal", precision=2, label="Share"))
        await world.sync.fields.select(
            Pick(Entity.LEAD, "lastname"), Pick(Entity.LEAD, "new_share", marketo=NewField("Share"))
        )
        link = await world.linked(Entity.LEAD, lastname="Lovelace", new_share=Decimal("0.25"))
        with store.transaction():
            for table, column in (("pair", "marketo_spec"), ("description", "fields")):
                store._database.write(
                    f'UPDATE {table} SET {column} = replace({column}, \'"type":"float"\', \'"type":"decimal"\')'  # noqa: S608
                )
        world.restart()
        world.marketo.edit("lead", link.marketo, share=0.5)
        report = await world.rest()
        assert (report.ended, await _state(world, "new_share")) == ("done", (PairState.ACTIVE, ""))
        assert world.row(link)["new_share"] == Decimal("0.50")


async def test_a_column_hidden_while_it_is_read_is_never_a_clear() -> None:
    """Rights are looked at once more after the values."""
    world = await _with(TIER, dynamics=FakeDynamics(secured_shows="null"))
    link = await world.linked(Entity.LEAD, lastname="Lovelace", new_tier="gold")
    world.dynamics.edit("lead", link.dynamics, jobtitle="CTO")

    def hide(call: str) -> None:
        if call == "changes lead":
            world.dynamics.between_calls.clear()
            world.dynamics.hide_column("lead", "new_tier")

    world.dynamics.between(hide)
    await world.rest()
    assert (world.person(link)["tier"], world.person(link)["title"]) == ("gold", "CTO")


async def test_the_same_column_back_goes_on_with_its_baselines() -> None:
    """It is known by its lasting id; one that was made anew waits to be selected."""
    world = await _with(TIER)
    link = await world.linked(Entity.LEAD, lastname="Lovelace", new_tier="gold")
    [spec] = [spec for spec in await world.dynamics.describe("lead") if spec.name == "new_tier"]
    world.dynamics.drop_column("lead", "new_tier")
    await world.rest()
    assert (await _state(world, "new_tier"))[0] is PairState.MISSING
    world.dynamics.add_column("lead", spec)
    world.dynamics.edit("lead", link.dynamics, new_tier="gold")
    assert (await world.rest()).ended == "done"
    assert (await _state(world, "new_tier"))[0] is PairState.ACTIVE
    world.dynamics.drop_column("lead", "new_tier")
    await world.rest()
    world.dynamics.add_column("lead", attrs.evolve(spec, id="another"))
    await world.rest()
    state, reason = await _state(world, "new_tier")
    assert (state, reason) == (
        PairState.MISSING, "new_tier in Dynamics was deleted and made anew; select it again",
    )  # fmt: skip
    await world.sync.fields.select(Pick(Entity.LEAD, "new_tier", marketo="tier"))
    assert (await world.rest()).ended == "done"
    assert (await _state(world, "new_tier"))[0] is PairState.ACTIVE


async def test_a_longer_field_takes_what_was_held() -> None:
    """A changed schema wakes the holds of its field."""
    world = await _with(attrs.evolve(TIER, length=4))
    link = await world.linked(Entity.LEAD, lastname="Lovelace", new_tier="gold")
    world.marketo.edit("lead", link.marketo, tier="platinum")
    report = await world.rest()
    assert [(hold.field, hold.code) for hold in report.holds] == [("new_tier", "too-long")]
    [spec] = [spec for spec in await world.dynamics.describe("lead") if spec.name == "new_tier"]
    world.dynamics.add_column("lead", attrs.evolve(spec, length=10))
    assert (await world.rest()).ended == "done"
    assert world.row(link)["new_tier"] == "platinum"


async def test_a_renamed_label_is_no_wave_of_edits() -> None:
    """It asks for a backfill; what is edited goes by the new labels."""
    world = await _with(RATING)
    link = await world.linked(Entity.LEAD, lastname="Lovelace", new_rating=1)
    assert world.person(link)["rating"] == "Hot"
    [spec] = [spec for spec in await world.dynamics.describe("lead") if spec.name == "new_rating"]
    world.dynamics.add_column("lead", attrs.evolve(spec, choices={1: "Burning", 2: "Cold"}))
    report = await world.rest()
    assert not report.operations
    assert report.warnings == ("lead.new_rating: its values may look different now: backfill it",)
    world.dynamics.edit("lead", link.dynamics, jobtitle="CTO")
    await world.rest()
    assert world.person(link)["rating"] == "Hot"
    world.dynamics.edit("lead", link.dynamics, new_rating=2)
    await world.rest()
    assert world.person(link)["rating"] == "Cold"


async def test_another_language_of_labels_is_no_wave_of_edits() -> None:
    """It asks for a backfill, too."""
    world = await _with(attrs.evolve(RATING, translations={1031: {1: "Heiß", 2: "Kalt"}}))
    link = await world.linked(Entity.LEAD, lastname="Lovelace", new_rating=1)
    world.restart(Rules(label_language=1031))
    report = await world.rest()
    assert not report.operations
    assert report.warnings == ("lead.new_rating: its values may look different now: backfill it",)
    world.marketo.edit("lead", link.marketo, rating="Kalt")
    await world.rest()
    assert world.row(link)["new_rating"] == 2


async def test_another_time_zone_is_no_wave_of_edits() -> None:
    """Days may begin elsewhere now: a pair of days asks for a backfill, and what is edited goes by the new zone."""
    world = await _with(FieldSpec(name="new_due", type="user-date", label="Due"))
    link = await world.linked(Entity.LEAD, lastname="Lovelace", new_due=datetime(2026, 3, 1, 23, tzinfo=UTC))
    assert world.person(link)["due"] == date(2026, 3, 1)
    world.restart(Rules(time_zone=timezone(timedelta(hours=1))))
    report = await world.rest()
    assert not report.operations
    assert report.warnings == ("lead.new_due: its values may look different now: backfill it",)
    world.marketo.edit("lead", link.marketo, due=date(2026, 3, 5))
    await world.rest()
    assert world.row(link)["new_due"] == datetime(2026, 3, 4, 23, tzinfo=UTC)


async def test_three_deleted_one_retyped_one_hidden_and_all_else_goes_on() -> None:
    """Of forty pairs five are reported, by name, and every other one converges."""
    names = [f"new_f{number:02}" for number in range(39)]
    world = World()
    for name in names:
        world.dynamics.add_column("lead", FieldSpec(name=name, type="text", length=100, label=name))
    await world.sync.fields.select(
        Pick(Entity.LEAD, "lastname"), *(Pick(Entity.LEAD, name, marketo=NewField(name)) for name in names)
    )
    assert len(await world.sync.fields.selected()) == 40
    link = await world.linked(Entity.LEAD, lastname="Lovelace", **dict.fromkeys(names, "before"))
    for name in names[:3]:
        world.dynamics.drop_column("lead", name)
    world.dynamics.add_column("lead", FieldSpec(name=names[3], type="boolean"))
    world.dynamics.hide_column("lead", names[4])
    world.dynamics.edit("lead", link.dynamics, **dict.fromkeys(names[5:20], "d"))
    world.marketo.edit("lead", link.marketo, **{name.replace("_f", "F"): "m" for name in names[20:]})
    report = await world.rest()
    assert (report.ended, report.exit_code) == ("warnings", 1)
    assert [warning.partition(" is ")[0] for warning in report.warnings] == [f"lead.{name}" for name in names[:5]]
    row, person = world.row(link), world.person(link)
    for name in names[5:]:
        assert row[name] == person[name.replace("_f", "F")] == ("d" if name < "new_f20" else "m")
    states = [pair.state for pair in await world.sync.fields.selected() if pair.dynamics in names[:5]]
    assert states == [PairState.MISSING] * 3 + [PairState.BLOCKED] * 2


async def test_a_field_that_was_made_since_the_last_look_is_there() -> None:
    """Marketo's description may be a day old; a field that was created by selecting it is not missing."""
    world = await _with(TIER)
    link = await world.linked(Entity.LEAD, lastname="Lovelace", telephone1="1")
    await world.sync.fields.select(Pick(Entity.LEAD, "telephone1", marketo=NewField("Number")))
    report = await world.rest()
    assert (report.ended, report.warnings) == ("done", ())
    assert await _state(world, "telephone1") == (PairState.ACTIVE, "")
    assert world.person(link)["number"] == "1"


async def test_a_field_selected_while_the_systems_are_asked_waits_for_the_next_run() -> None:
    """Nobody has asked for its object yet: it is not missing."""
    world = await _with(TIER)
    account = World()
    await account.sync.fields.select(Pick(Entity.ACCOUNT, "name"))
    [later] = account.store.pairs()

    def select(call: str) -> None:
        world.marketo.between_calls.clear()
        with world.store.transaction():
            world.store.put_pairs([later])

    world.marketo.between(lambda call: select(call) if call == "describe lead" else None)
    world.dynamics.create("account", name="Acme")
    assert (await world.run()).ended == "done"
    assert not world.marketo.records("company")
    assert (await world.rest()).ended == "done"
    assert len(world.marketo.records("company")) == 1


async def test_a_selection_is_replaced_as_a_whole() -> None:
    """The difference is told first, and changes nothing; what stays keeps its baselines."""
    world = await _with(TIER)
    link = await world.linked(Entity.LEAD, lastname="Lovelace", new_tier="gold", jobtitle="CTO")
    picks = [Pick(Entity.LEAD, "lastname"), Pick(Entity.LEAD, "jobtitle"), Pick(Entity.LEAD, "telephone1")]
    before = await world.sync.fields.selected()
    told = await world.sync.fields.diff(picks)
    assert str(told) == "1 added · 1 removed · 2 unchanged"
    assert await world.sync.fields.selected() == before
    assert str(await world.sync.fields.replace(picks)) == str(told)
    assert {pair.dynamics for pair in await world.sync.fields.selected()} == {"lastname", "jobtitle", "telephone1"}
    world.dynamics.edit("lead", link.dynamics, jobtitle="CEO", new_tier="iron")
    assert not (await world.rest()).collisions
    assert (world.person(link)["title"], world.person(link)["tier"]) == ("CEO", "gold")


async def test_all_pairs_set_aside_is_no_error() -> None:
    """The run says so, and the next one looks again."""
    world = World()
    await world.sync.fields.select(Pick(Entity.ACCOUNT, "name"))
    world.dynamics.hide_column("account", "name")
    assert (await world.run()).ended == "warnings"
    world.dynamics.show_column("account", "name")
    assert (await world.run()).ended == "done"


async def test_no_field_is_created_unless_all_can_be() -> None:
    """One more than Marketo creates: the limit is named, and neither system nor the state has changed."""
    world = World()
    for number in range(96):  # mkdyn's own three are there
        await world.marketo.create_field("lead", NewField(f"Field {number}"))
    for name in ("new_a", "new_b"):
        world.dynamics.add_column("lead", FieldSpec(name=name, type="text", length=10))
    picks = [Pick(Entity.LEAD, name, marketo=NewField(name)) for name in ("new_a", "new_b")]
    before = await world.marketo.describe("lead"), world.marketo.calls_by_name["create_field"]
    with pytest.raises(FieldError) as caught:
        await world.sync.fields.select(*picks)
    assert str(caught.value) == (
        "Marketo's API creates 100 fields of persons and no more: 99 are there, 2 asked for. "
        "Pick fewer, or create fields in Marketo yourself and name them."
    )
    assert (await world.marketo.describe("lead"), world.marketo.calls_by_name["create_field"]) == before
    assert not await world.sync.fields.selected()
    assert len((await world.sync.fields.select(picks[0])).created) == 1
