"""What becomes of records, by people's hands: leads are qualified, rows and persons merged, filters left and entered."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Final

from mkdyn.domain.entities import PERSON, PERSONS
from mkdyn.domain.fields import PairState
from mkdyn.domain.filters import NATIVE
from mkdyn.domain.records import Record
from mkdyn.domain.systems import System
from tests.simulation.people import edit
from tests.simulation.runs import live
from tests.simulation.trouble import shown_again
from tests.simulation.world import LATER_PICKS, World

_OPEN: Final = 0
_QUALIFIED: Final = 1
#: What a winner may take over from the loser.
_TAKEN: Final = ("jobtitle", "telephone1", "emailaddress1", "description")


def active(world: World, table: str) -> Sequence[Record]:
    """Return the rows that are open, and not merged into another."""
    return [
        row
        for row in world.dynamics.records(table)
        if row.values["statecode"] == _OPEN and not row.values.get("masterid")
    ]


async def a_qualification(world: World, chance: random.Random) -> None:
    """A lead becomes a contact: a new one, or one that is there already."""
    leads = active(world, "lead")
    if not leads:
        return
    lead = chance.choice(leads).key
    there = [row.key for row in active(world, "contact")]
    into = chance.choice(there) if there and chance.random() < 0.35 else None
    contact = world.dynamics.qualify(lead, into=into)
    world.log.descended(System.DYNAMICS, ("lead", lead), ("contact", contact))
    world.say(f"lead {lead[:4]} is qualified into {'a new' if into is None else 'the'} contact {contact[:4]}")


async def a_reopening(world: World, chance: random.Random) -> None:
    """A qualified lead is opened again: it is somebody new."""
    leads = [row.key for row in world.dynamics.records("lead") if row.values["statecode"] == _QUALIFIED]
    if leads:
        lead = chance.choice(leads)
        world.dynamics.edit("lead", lead, statecode=_OPEN)
        world.log.reopenings.append((len(world.log.changes), lead))
        world.say(f"lead {lead[:4]} is opened again")


async def a_merge_in_dynamics(world: World, chance: random.Random) -> None:
    """Two rows become one; the winner may take over values of the loser."""
    table = chance.choice(["lead", "contact", "contact", "account"])
    rows = active(world, table)
    if len(rows) < 2:
        return
    winner, loser = chance.sample(rows, 2)
    names = () if table == "account" else _TAKEN
    taken = {name: loser.values[name] for name in names if chance.random() < 0.3}
    if table == "account":
        for referring, field in (("contact", "parentcustomerid"), ("opportunity", "parentaccountid")):
            for row in world.dynamics.records(referring):
                if row.values[field] == loser.key:
                    world.dynamics.edit(referring, row.key, **{field: winner.key})
    world.dynamics.merge_rows(table, winner.key, loser.key, **taken)
    world.log.descended(System.DYNAMICS, (table, loser.key), (table, winner.key))
    world.say(f"{table} {loser.key[:4]} is merged into {winner.key[:4]} in Dynamics; taken over: {', '.join(taken)}")


async def a_merge_in_marketo(world: World, chance: random.Random) -> None:
    """Two persons become one; Marketo fills in what the winner lacks."""
    persons = world.marketo.records(PERSON)
    if len(persons) < 2:
        return
    winner, loser = (person.key for person in chance.sample(list(persons), 2))
    world.log.deletions.append((len(world.log.changes), System.MARKETO, PERSON, loser))
    world.marketo.merge_by_hand(winner, loser)
    world.log.descended(System.MARKETO, (PERSON, loser), (PERSON, winner))
    world.say(f"person {loser} is merged into {winner} in Marketo")


async def at_the_filter(world: World, chance: random.Random) -> None:
    """Somebody says of a lead or contact that it is not to sync, or that it is."""
    table = chance.choice(PERSONS).logical_name
    rows = active(world, table)
    if not rows:
        return
    out = [row for row in rows if row.values[NATIVE] is False]
    row = chance.choice(out if out and chance.random() < 0.6 else rows)
    value = chance.choice([True, None]) if row.values[NATIVE] is False else False
    edit(world, System.DYNAMICS, table, row.key, NATIVE, value)


async def a_filter_column(world: World, chance: random.Random) -> None:
    """The column that the filter looks at is hidden from the sync user, or shown again."""
    if world.hidden:
        shown_again(world)
    elif world.traits.walks:
        table = chance.choice(PERSONS).logical_name
        world.dynamics.hide_column(table, NATIVE)
        world.hidden[table, NATIVE] = world.clock
        world.say(f"the filter's column of {table} is hidden from the sync user")


async def a_backfill(world: World, chance: random.Random) -> None:
    """A field is selected, if none waits already, and refreshed by a plan of its own."""
    selected = {(item.pair.entity, item.pair.dynamics) for item in world.selected if item.until is None}
    new = [pick for pick in LATER_PICKS if (pick.entity, pick.dynamics) not in selected]
    if new:
        pick = chance.choice(new)
        changes = await world.sync.fields.select(pick)
        world.note_selected(changes.added, changes.removed, first=False)
        world.say(f"{pick.entity}.{pick.dynamics} is selected")
    if all(item.pair.state is not PairState.BACKFILLING for item in world.store.pairs()):
        return
    world.meddling = chance.choice([0.0, 0.3])
    await live(world, world.sync.backfill, minutes=chance.choice([1.0, 5.0, 35.0]))
