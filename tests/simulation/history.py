"""One random history, decided by its seed alone: a populated world, steps, rest, promises."""

from __future__ import annotations

import asyncio
import random
import selectors
from collections.abc import Awaitable, Callable

from tests.simulation.promises import REST_RUNS, REST_RUNS_OF_MERGES, check_all
from tests.simulation.runs import live, meddle
from tests.simulation.start import populate
from tests.simulation.steps import steps_of
from tests.simulation.trouble import in_sight_again, lift_blocks, no_more_trouble, shown_again
from tests.simulation.world import Traits, World

#: How long a history is.
LENGTH = 60


class SteppingLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock stands still, but for what somebody lets go by."""

    def __init__(self) -> None:
        self.now = 0.0
        super().__init__(selectors.SelectSelector())

    def time(self) -> float:
        """Return the loop's time, in seconds."""
        return self.now


def born(name: str, chance: random.Random, **traits: object) -> World:
    """Return an empty world in which people meddle, and calls take time; its traits are drawn, unless given."""
    return peopled(World(name, Traits.drawn(chance) if not traits else Traits(**traits)), chance)  # type: ignore[arg-type]  # a test's own


def peopled(world: World, chance: random.Random) -> World:
    """Let people meddle in a world, and calls take time."""

    def between(call: str) -> None:
        loop = asyncio.get_running_loop()
        if isinstance(loop, SteppingLoop):
            loop.now += 1.0
        meddle(world, chance, call)

    for fake in (world.marketo, world.dynamics):
        fake.between(between)
    return world


async def come_to_rest(world: World) -> None:
    """Let everything that lags catch up, and run until it must be at rest."""
    no_more_trouble(world)
    world.say("all comes to rest")
    for fake in (world.marketo, world.dynamics):
        fake.arrive()
    world.late.pop("entries", None)
    world.late.pop("values", None)
    world.marketo.show_entries()
    world.marketo.show_values()
    if "sight" in world.late:
        in_sight_again(world)
    shown_again(world)
    lift_blocks(world)
    turns = REST_RUNS + (len(world.entities) if world.traits.walks else 0)
    for _ in range(turns + (REST_RUNS_OF_MERGES if world.traits.lifecycles else 0)):
        await live(world, world.sync.run, minutes=20)


class History:
    """One random history."""

    def __init__(self, seed: int, *, lifecycles: bool = False) -> None:
        self.chance = random.Random(seed)
        traits = Traits.drawn(self.chance, lifecycles=lifecycles)
        self.world = peopled(World(f"seed {seed}", traits), self.chance)

    async def play(self, length: int = LENGTH) -> None:
        """Live through *length* random steps, come to rest, and check the promises."""
        steps, weights = zip(*steps_of(self.world), strict=True)
        await populate(self.world, self.chance)
        for step in self.chance.choices(steps, weights, k=length):
            await step(self.world, self.chance)
        await come_to_rest(self.world)
        await check_all(self.world)


def live_through(seed: int, *, length: int = LENGTH, lifecycles: bool = False) -> World:
    """Live through one history, with lifecycles or without.

    Raises:
        ViolationError: A promise was broken.
    """
    history = History(seed, lifecycles=lifecycles)
    try:
        played(lambda: history.play(length))
    finally:
        history.world.close()
    return history.world


def played(call: Callable[[], Awaitable[None]]) -> None:
    """Await *call* on a loop whose clock stands still."""

    async def main() -> None:
        await call()

    with asyncio.Runner(loop_factory=SteppingLoop) as runner:
        runner.run(main())
