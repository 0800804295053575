"""What goes wrong around people: late feeds, lost answers, crashes, rights that come and go."""

from __future__ import annotations

import random
from datetime import timedelta

from mkdyn.domain.systems import System
from mkdyn.testing import Crash, Fault, LoseAnswer, Reject, Throttle, Unreachable
from tests.simulation.world import MARKETO_SETTLES_S, World

_COLUMNS = [(name, field) for name in ("lead", "contact") for field in ("jobtitle", "telephone1")]
#: A write may be on its way, then its entry late, then its value: all of it within the time a system takes to settle.
_SHARE = 1 / 3
_LIMITS = {"entries": MARKETO_SETTLES_S * _SHARE, "values": MARKETO_SETTLES_S * _SHARE}


async def late_entries(world: World, chance: random.Random) -> None:
    """Marketo's feed lags behind its values, or catches up."""
    if "entries" in world.late:
        catch_up(world, "entries")
    else:
        world.marketo.hold_entries()
        world.late["entries"] = world.clock
        world.log.late = True
        world.say("Marketo's feed is late from now on")


async def early_entries(world: World, chance: random.Random) -> None:
    """Marketo's values lag behind its feed, or catch up."""
    if "values" in world.late:
        catch_up(world, "values")
    else:
        world.marketo.hold_values()
        world.late["values"] = world.clock
        world.log.behind = True
        world.say("Marketo's values lag behind its feed from now on")


def catch_up(world: World, what: str) -> None:
    """Let Marketo show its entries, or its values, as they are."""
    del world.late[what]
    if what == "entries":
        world.marketo.show_entries()
        world.log.late = False
    else:
        world.marketo.show_values()
        world.log.behind = False
    world.say(f"Marketo's {what} have caught up")


def let_time_work(world: World) -> None:
    """Nothing lags for longer than the systems say it may, and no record is out of sight for longer than the watch."""
    for what, since in tuple(world.late.items()):
        if what == "sight":
            if world.clock - since >= timedelta(hours=1):
                in_sight_again(world)
        elif world.clock - since >= timedelta(seconds=_LIMITS[what]):
            catch_up(world, what)
    for fake in (world.marketo, world.dynamics):
        limit = timedelta(seconds=fake._identity.settles_after_s * _SHARE)
        if any(world.clock - stray.sent_at >= limit for stray in fake.strays):
            arrive(world, fake.system)


def arrive(world: World, system: System) -> None:
    """Let requests take effect that were on their way."""
    fake = world.fake(system)
    if fake.strays:
        world.say(f"what was on its way to {system} arrives: {[w.key[:4] for s in fake.strays for w in s.writes]}")
        fake.arrive()


async def a_stray_arrives(world: World, chance: random.Random) -> None:
    """A request that outlived its caller takes effect."""
    for system in System:
        arrive(world, system)


async def expired_cursors(world: World, chance: random.Random) -> None:
    """All places in one system's feeds are too old to go on from."""
    fake = chance.choice([world.marketo, world.dynamics])
    fake.expire_cursors()
    world.expired[fake.system].append(world.log.run)
    world.say(f"{fake.system}'s cursors expire")


async def out_of_sight(world: World, chance: random.Random) -> None:
    """The sync user can't read a record for a while."""
    links = list(world.links())
    if "sight" in world.late:
        in_sight_again(world)
    elif links:
        link = chance.choice(links)
        system = chance.choice(list(System))
        world.fake(system).unseen.add(link.key(system))
        world.late["sight"] = world.clock
        world.say(f"{link.entity} {link.key(system)[:4]} can't be read in {system} from now on")


def in_sight_again(world: World) -> None:
    """Let all records be read."""
    del world.late["sight"]
    for fake in (world.marketo, world.dynamics):
        fake.unseen.clear()
    world.say("all records can be read again")


async def a_column(world: World, chance: random.Random) -> None:
    """A column is hidden from the sync user, or shown again."""
    if world.hidden:
        shown_again(world)
        return
    if not world.traits.walks:
        return  # no feed tells of a right that came back
    name, field = chance.choice(_COLUMNS)
    world.dynamics.hide_column(name, field)
    world.hidden[name, field] = world.clock
    world.ever_hidden.append((name, field, world.log.run))
    world.say(f"column {name}.{field} is hidden from the sync user")


def shown_again(world: World) -> None:
    """Give back the rights on all columns."""
    for name, field in world.hidden:
        world.dynamics.show_column(name, field)
        world.say(f"column {name}.{field} is shown again")
    world.hidden.clear()


async def a_blocked_field(world: World, chance: random.Random) -> None:
    """Marketo blocks updates of a field by the API, or lifts that."""
    if world.marketo._blocked:
        lift_blocks(world)
        return
    if not world.traits.walks:
        return  # no feed tells of a write without effect
    field = chance.choice(["phone", "mktoPersonNotes"])
    world.marketo.block_field("lead", field)
    world.blocked.add(field)
    world.say(f"updates of {field} by the API are blocked in Marketo")


def lift_blocks(world: World) -> None:
    """Unblock all fields."""
    for name, field in tuple(world.marketo._blocked):
        world.marketo.unblock_field(name, field)
        world.say(f"{field} is not blocked any more")


async def a_rewritten_field(world: World, chance: random.Random) -> None:
    """Marketo begins to make something of its own of a field's values."""
    if not world.traits.walks:
        return  # no feed tells what became of a new person's values
    world.marketo.rewrite("lead", "title", lambda value: value if value is None else str(value).replace("t", "T"))
    world.blocked.add("title")
    world.say("Marketo writes title with capital T from now on")


def a_fault(world: World, chance: random.Random) -> None:
    """Let something go wrong in the next run, at one call of one system."""
    fake = chance.choice([world.marketo, world.dynamics])
    if chance.random() < 0.3:
        fake.strays_next = chance.choice(["given up", "dies"])
        world.say(f"the next write to {fake.system} will go astray: {fake.strays_next}")
        return
    of = chance.choice([None, None, "write", "write", "changes"])
    count = fake.calls if of is None else fake.calls_by_name.get(of, 0)
    call = count + chance.randint(1, 14 if of is None else 3)
    faults: list[Fault] = [
        Crash(call=call, when="before", of=of),
        Crash(call=call, when="after", of=of),
        LoseAnswer(call=call, applied="yes", of=of),
        LoseAnswer(call=call, applied="no", of=of),
        Unreachable(call=call, of=of),
        Throttle(call=call, wait_s=0.0, of=of),
    ]
    fault = chance.choice(faults)
    fake.inject(fault)
    world.say(f"trouble is ahead in {fake.system}: {fault}")


def a_refusal(world: World, chance: random.Random) -> None:
    """Let one system refuse a record, or a field, in the next run."""
    fake = chance.choice([world.marketo, world.dynamics])
    links = list(world.links())
    if links and chance.random() < 0.5:
        fault = Reject(key=chance.choice(links).key(fake.system))
    else:
        fault = Reject(field=chance.choice(["jobtitle", "title", "telephone1", "phone"]))
    fake.inject(fault)
    world.say(f"{fake.system} will refuse {fault.key or fault.field}")


def no_more_trouble(world: World) -> None:
    """Let nothing go wrong any more."""
    for fake in (world.marketo, world.dynamics):
        fake.faults.clear()
        fake.strays_next = "no"
