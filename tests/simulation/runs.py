"""Our side of a history: runs, plans, selections, restarts."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from datetime import timedelta

from mkdyn import Key, Pick
from mkdyn.domain.entities import PERSON
from mkdyn.domain.systems import System
from mkdyn.errors import MkdynError, PlanMovedError
from mkdyn.testing import Crashed
from tests.simulation.people import an_edit_somewhere, edit_link
from tests.simulation.trouble import a_fault, a_refusal, let_time_work, no_more_trouble
from tests.simulation.values import KEPT
from tests.simulation.world import LATER_PICKS, World


def meddle(world: World, chance: random.Random, call: str) -> None:
    """Let people act just before a call of ours: most likely on what is being written."""
    if not world.meddling or chance.random() >= world.meddling:
        return
    verb, _, name = call.partition(" ")
    open_writes = [item for item in world.store.unsettled(after=0, limit=100) if item.state == "sent" and item.link]
    aimed = [item for item in open_writes if world.object_of(item.entity, item.system) == name]
    if verb == "write" and aimed and chance.random() < 0.7:
        operation = chance.choice(aimed)
        link = world.store.links(
            [operation.entity.logical_name], operation.system, [operation.key]
        ).get(operation.key)  # fmt: skip
        pairs = [
            pair
            for pair in world.pairs_of(operation.entity.logical_name)
            if {pair.dynamics, pair.marketo} & operation.after.keys() and pair.dynamics not in KEPT
        ]
        keyed = operation.entity.marketo_object != PERSON and not world.traits.walks
        if link is not None and pairs and not (keyed and operation.system is System.MARKETO):
            edit_link(world, chance, link, operation.system, chance.choice(pairs), f"before {call}: ")
            return
    an_edit_somewhere(world, chance, f"before {call}: ")


async def live(world: World, call: Callable[[], Awaitable[object]], *, minutes: float) -> None:
    """Let time go by, then do something of ours; say how it went."""
    world.clock += timedelta(minutes=minutes)
    let_time_work(world)
    log = world.log
    log.run, log.running, log.told = log.run + 1, True, world.told()
    try:
        report = await world.doing(call)
    except Crashed as crash:
        world.say(f"run: the process dies {crash}")
        world.restart()
    except PlanMovedError:
        world.say("there is nothing left to apply")
    except MkdynError as error:
        if not world.tolerates(error):
            world.broken("promise 8", f"a run ended with {error!r}")
        world.say(f"run: {type(error).__name__}")
    else:
        world.say(str(report))
    finally:
        log.running = False
        log.linked |= {(link.entity, link.dynamics, link.marketo) for link in world.links()}
        log.settle({(item.system, item.key) for item in world.store.unsettled(after=0, limit=1_000)})
        world.meddling = 0.0


def _minutes(chance: random.Random) -> float:
    return chance.choice([1.0, 5.0, 5.0, 11.0, 35.0])


async def a_run(world: World, chance: random.Random) -> None:
    """We run; people may act meanwhile."""
    world.meddling = chance.choice([0.0, 0.0, 0.3])
    await live(world, world.sync.run, minutes=_minutes(chance))


async def several_runs(world: World, chance: random.Random) -> None:
    """We run a few times, and nobody does anything."""
    for _ in range(chance.randint(2, 3)):
        await live(world, world.sync.run, minutes=_minutes(chance))


async def a_troubled_run(world: World, chance: random.Random) -> None:
    """We run, and a call goes wrong."""
    a_fault(world, chance)
    await a_run(world, chance)
    no_more_trouble(world)


async def a_refused_run(world: World, chance: random.Random) -> None:
    """We run, and a system refuses something."""
    a_refusal(world, chance)
    await a_run(world, chance)
    no_more_trouble(world)


async def a_short_run(world: World, chance: random.Random) -> None:
    """We run against a deadline; each call takes a second."""
    seconds = float(chance.randint(0, 12))
    world.say(f"a run with {seconds:g} s to go")
    world.meddling = chance.choice([0.0, 0.3])
    await live(world, lambda: world.sync.run(deadline_s=seconds), minutes=_minutes(chance))


async def a_run_by_key(world: World, chance: random.Random) -> None:
    """We run for some records only."""
    rows = [Key.dynamics(row.key) for name in ("lead", "contact", "account") for row in world.dynamics.records(name)]
    keys = [*rows, *(Key.marketo(person.key) for person in world.marketo.records(PERSON))]
    if keys:
        chosen = chance.sample(keys, min(len(keys), 2))
        world.say(f"a run for {', '.join(str(key)[:13] for key in chosen)} alone")
        world.meddling = chance.choice([0.0, 0.3])
        await live(world, lambda: world.sync.run(keys=chosen), minutes=_minutes(chance))


async def a_plan(world: World, chance: random.Random) -> None:
    """We plan; nothing is sent, people go on, and later the plan is carried out, or not."""
    plans: list[int] = []

    async def plan() -> object:
        found = await world.sync.plan()
        plans.append(found.id)
        return found

    await live(world, plan, minutes=1)
    for _ in range(chance.randint(0, 2)):
        an_edit_somewhere(world, chance, "after the plan: ")
    if chance.random() < 0.2:
        await live(world, world.sync.run, minutes=1)
    for number in plans:
        moved = chance.choice(["leave", "replan"])
        if chance.random() < 0.3:
            a_fault(world, chance)
        world.say(f"plan {number} is applied; what has moved: {moved}")
        world.meddling = chance.choice([0.0, 0.3])
        await live(world, lambda number=number, moved=moved: world.sync.apply(number, moved=moved), minutes=2)  # type: ignore[misc]  # bound early
    no_more_trouble(world)


async def a_selection(world: World, chance: random.Random) -> None:
    """A further field is selected, or one of those is deselected."""
    pick = chance.choice(LATER_PICKS)
    there = {(item.pair.entity, item.pair.dynamics) for item in world.selected if item.until is None}
    if (pick.entity, pick.dynamics) in there:
        changes = await world.sync.fields.deselect(Pick(pick.entity, pick.dynamics))
        world.say(f"{pick.entity}.{pick.dynamics} is deselected")
    else:
        changes = await world.sync.fields.select(pick)
        world.say(f"{pick.entity}.{pick.dynamics} is selected")
    world.note_selected(changes.added, changes.removed, first=False)


async def a_restart(world: World, chance: random.Random) -> None:
    """Our process ends between two runs."""
    world.restart()
    world.say("the process starts anew")


async def a_release(world: World, chance: random.Random) -> None:
    """Somebody has a record tried again that was set aside."""
    found = [item async for item in world.sync.journal.quarantine()]
    if found:
        item = chance.choice(found)
        await world.sync.journal.release(item)
        world.say(f"{item.entity} {item.key[:4]} is released")
