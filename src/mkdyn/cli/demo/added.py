"""A field is added to a live sync, and another one goes: the demo's story of fields."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final

from mkdyn import Synchronizer
from mkdyn.cli.demo.load import Loaded
from mkdyn.cli.demo.outcome import Chapter, FieldsTold, Refresh
from mkdyn.cli.demo.runs import run, run_of
from mkdyn.cli.demo.systems import REFUSED_PICK, Systems
from mkdyn.domain import Entity, FieldSpec, NewField, Pick
from mkdyn.domain.fields import FieldPair
from mkdyn.errors import FieldCreationError

#: How many contacts have a tier from the start, and how many get one later.
EARLY: Final = 24
LATE: Final = 8
_MONTH_S: Final = 30 * 24 * 60 * 60.0
_TIERS: Final = ("gold", "silver", "bronze")

#: What Dynamics is given, and how it is selected.
TIER: Final = FieldSpec(name="new_tier", type="text", length=40, label="Tier")
TIER_PICK: Final = Pick(Entity.CONTACT, TIER.name, marketo=NewField("Customer tier"))
#: What somebody deletes.
DELETED_PICK: Final = Pick(Entity.ACCOUNT, "new_sector")


async def add_a_field(sync: Synchronizer, systems: Systems, loaded: Loaded) -> FieldsTold:
    """Publish a column and select it; refresh it for the records of some days, then for all."""
    since = _publish(systems, loaded)
    await sync.fields.select(TIER_PICK)
    refreshes = [await _refresh(sync, since), await _refresh(sync, None)]
    return FieldsTold(pair=await _pair(sync), refreshes=refreshes, refused=await ask_for_a_field(sync))


def _publish(systems: Systems, loaded: Loaded) -> date:
    """Fill a new column, month by month; return the day of the later ones."""
    dynamics = systems.dynamics
    dynamics.advance(_MONTH_S)
    dynamics.add_column("contact", TIER)
    for n, contact in enumerate(loaded.contacts[:EARLY]):
        dynamics.edit("contact", contact, new_tier=_TIERS[n % len(_TIERS)])
    dynamics.advance(_MONTH_S)
    for contact in loaded.contacts[EARLY : EARLY + LATE]:
        dynamics.edit("contact", contact, new_tier="prospect")
    return dynamics.time.date()


async def _refresh(sync: Synchronizer, since: date | None) -> Refresh:
    before = await _pair(sync)
    plan = await sync.plan_backfill(TIER_PICK, since=since)
    report = await sync.apply(plan)
    return Refresh(since=since, before=before.state, plan=plan, run=await run_of(sync, report))


async def _pair(sync: Synchronizer) -> FieldPair:
    return next(pair for pair in await sync.fields.selected() if pair.dynamics == TIER.name)


async def ask_for_a_field(sync: Synchronizer) -> Sequence[str]:
    """Ask for a field that Dynamics does not have; return what was refused."""
    try:
        await sync.fields.select(REFUSED_PICK)
    except FieldCreationError as refusal:
        return [str(refusal)]
    return []


async def lose_a_field(sync: Synchronizer, systems: Systems, loaded: Loaded) -> Chapter:
    """Delete a selected column while people go on working; then give its pair up."""
    tiered = systems.marketo.key_of("lead", dynamicsContactId=loaded.contacts[0])
    systems.dynamics.drop_column("account", DELETED_PICK.dynamics)
    systems.dynamics.edit("account", loaded.accounts[0], numberofemployees=2_000)
    systems.marketo.edit("lead", tiered, customerTier="platinum")
    first = await run(sync)
    await sync.fields.deselect(DELETED_PICK)
    return Chapter(name="column", runs=[first, await run(sync)])
