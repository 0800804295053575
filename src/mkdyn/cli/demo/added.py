"""A field is added to a live sync, and another one goes: the demo's story of fields."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final

from mkdyn import Plan, Synchronizer
from mkdyn.cli.demo.edits import persons_of
from mkdyn.cli.demo.hands import Hands
from mkdyn.cli.demo.load import Loaded
from mkdyn.cli.demo.outcome import Chapter, FieldsTold, Refresh, Run
from mkdyn.cli.demo.runs import Course
from mkdyn.cli.demo.systems import REFUSED_PICK
from mkdyn.domain import Entity, FieldSpec, NewField, Pick
from mkdyn.domain.fields import FieldPair, PairState
from mkdyn.domain.values import Values
from mkdyn.errors import FieldCreationError

#: How many contacts have a tier from the start, and how many get one later.
EARLY: Final = 24
LATE: Final = 8
_TIERS: Final = ("gold", "silver", "bronze")

#: What Dynamics is given, and how it is selected.
TIER: Final = FieldSpec(name="new_tier", type="text", length=40, label="Tier")
TIER_PICK: Final = Pick(Entity.CONTACT, TIER.name, marketo=NewField("Customer tier"))
#: What somebody deletes.
DELETED_PICK: Final = Pick(Entity.ACCOUNT, "new_sector")


async def add_a_field(course: Course, hands: Hands, loaded: Loaded) -> FieldsTold:
    """Publish a column and select it; refresh it for the records of some days, then for all."""
    sync = course.sync

    async def publish() -> str:
        return (await _publish(hands, loaded)).isoformat()

    async def select() -> None:
        await sync.fields.select(TIER_PICK)

    since = date.fromisoformat(await course.once("column published", publish))
    await course.once("column selected", select)
    refreshes = [await _refresh(course, "recent", since), await _refresh(course, "all", None)]
    return FieldsTold(pair=await _pair(sync), refreshes=refreshes, refused=await ask_for_a_field(sync))


async def _publish(hands: Hands, loaded: Loaded) -> date:
    """Fill a new column, month by month; return the day of the later ones."""
    dynamics = hands.dynamics
    await dynamics.later()
    await dynamics.add_column("contact", TIER)
    early: dict[str, Values] = {
        contact: {TIER.name: _TIERS[n % len(_TIERS)]} for n, contact in enumerate(loaded.contacts[:EARLY])
    }
    await dynamics.edit("contact", early)
    today = await dynamics.later()
    late: dict[str, Values] = {contact: {TIER.name: "prospect"} for contact in loaded.contacts[EARLY : EARLY + LATE]}
    await dynamics.edit("contact", late)
    return today


async def _refresh(course: Course, name: str, since: date | None) -> Refresh:
    """Refresh the column; where that was cut off, go on with its plan."""
    made: list[Plan] = []

    async def plan() -> tuple[int, str]:
        before = (await _pair(course.sync)).state.value
        made.append(await course.sync.plan_backfill(TIER_PICK, since=since))
        return made[0].id, before

    number, before = await course.once(f"refresh of {name} planned", plan)
    shown = made[0] if made else course.plan_of(number)
    run = await course.run_of(number) or await course.told(await course.sync.apply(number))
    return Refresh(since=since, before=PairState(before), plan=shown, run=run)


async def _pair(sync: Synchronizer) -> FieldPair:
    return next(pair for pair in await sync.fields.selected() if pair.dynamics == TIER.name)


async def ask_for_a_field(sync: Synchronizer) -> Sequence[str]:
    """Ask for a field that Dynamics does not have; return what was refused."""
    try:
        await sync.fields.select(REFUSED_PICK)
    except FieldCreationError as refusal:
        return [str(refusal)]
    return []


async def lose_a_field(course: Course, hands: Hands, loaded: Loaded) -> Chapter:
    """Delete a selected column while people go on working; then give its pair up."""

    async def act() -> None:
        tiered = await persons_of(hands, Entity.CONTACT, loaded.contacts[:1])
        await hands.dynamics.drop_column("account", DELETED_PICK.dynamics)
        await hands.dynamics.edit("account", {loaded.accounts[0]: {"numberofemployees": 2_000}})
        await hands.marketo.edit("lead", {tiered[loaded.contacts[0]]: {"customerTier": "platinum"}})

    async def go(_earlier: Sequence[Run]) -> None:
        if any(pair.dynamics == DELETED_PICK.dynamics for pair in await course.sync.fields.selected()):
            await course.run()
            await course.sync.fields.deselect(DELETED_PICK)
        await course.run()

    await course.once("column deleted", act)
    return await course.chapter("column", go)
