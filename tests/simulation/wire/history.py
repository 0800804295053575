"""One random history on the wire, decided by its seed and the system alone."""

from __future__ import annotations

import asyncio
import random
import selectors
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from mkdyn.domain.systems import System
from tests.simulation import runs, trouble
from tests.simulation.history import come_to_rest
from tests.simulation.promises import check_all
from tests.simulation.start import populate
from tests.simulation.steps import HANDS, OURS, TROUBLE, Step
from tests.simulation.trouble import no_more_trouble
from tests.simulation.wire.world import WireWorld
from tests.simulation.world import Traits, World

#: How long a history is.
LENGTH: Final = 20
_LONG: Final = timedelta(days=15)


class LeapingLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock leaps to the next thing to do: nobody waits, and each time it goes the same way."""

    def __init__(self) -> None:
        self.now = 0.0
        super().__init__(_Leaping(self))

    def time(self) -> float:
        """Return the loop's time, in seconds."""
        return self.now


class _Leaping(selectors.SelectSelector):
    def __init__(self, loop: LeapingLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is not None and timeout > 0:
            self._loop.now += timeout
            timeout = 0
        return super().select(timeout)


async def bad_weather(world: World, chance: random.Random) -> None:
    """We run, once or a few times, while much goes wrong on the line."""
    assert isinstance(world, WireWorld)
    world.weather.likely = chance.choice([0.05, 0.2, 0.5])
    before = dict(world.weather.happened)
    step = chance.choice([runs.a_run, runs.a_run, runs.several_runs, runs.a_plan, runs.a_short_run, runs.a_run_by_key])
    await step(world, chance)
    world.weather.likely = 0.0
    no_more_trouble(world)
    came = {kind: count - before.get(kind, 0) for kind, count in world.weather.happened.items()}
    world.say(f"on the line went wrong: {', '.join(f'{kind} {count}' for kind, count in came.items() if count)}")


async def strays_arrive(world: World, chance: random.Random) -> None:
    """Requests that outlived their callers take effect."""
    assert isinstance(world, WireWorld)
    if world.line.strays:
        world.say(f"{len(world.line.strays)} requests that went astray arrive")
        await world.line.arrive()


async def expired_cursors(world: World, chance: random.Random) -> None:
    """All places in a feed are too old to go on from; Marketo's on the wire are times, so two weeks go by."""
    assert isinstance(world, WireWorld)
    system = chance.choice(list(System))
    if system is System.DYNAMICS:
        world.expire_delta_tokens()
    elif world.system is System.DYNAMICS:
        world.marketo.expire_cursors()
        world.expired[System.MARKETO].append(world.log.run)
        world.say("Marketo's cursors expire")
    else:
        await strays_arrive(world, chance)
        world.clock += _LONG
        for each in System:
            world.expired[each].append(world.log.run)
        world.say("two weeks go by")


_ELSE: Final[Sequence[tuple[Step, float]]] = tuple(
    (step, weight) for step, weight in TROUBLE
    if step not in (trouble.expired_cursors, trouble.out_of_sight)
)  # fmt: skip
_QUIET: Final = tuple((step, weight / 3) for step, weight in OURS)
STEPS: Final = (
    *HANDS, *_QUIET, *_ELSE, (bad_weather, 24.0), (strays_arrive, 1.0), (expired_cursors, 0.4),
)  # fmt: skip


async def _play(system: System, seed: int, length: int, *, files: bool) -> WireWorld:
    chance = random.Random(f"{system} {seed}")
    name = f"{system} on the wire{' and in files' if files else ''}, seed {seed}"
    world = WireWorld(system, name, Traits.drawn(chance), chance, files=files)
    try:
        steps, weights = zip(*STEPS, strict=True)
        await populate(world, chance)
        for step in chance.choices(steps, weights, k=length):
            await step(world, chance)
        await strays_arrive(world, chance)
        if world.weather.spent_until is not None:
            world.clock = max(world.clock, world.weather.spent_until)
        await come_to_rest(world)
        await check_all(world)
    finally:
        world.close()
    return world


def live_through(system: System, seed: int, *, length: int = LENGTH, files: bool = False) -> WireWorld:
    """Live through one history.

    Args:
        system: Which system is on the wire.
        seed: Decides it.
        length: How long it is.
        files: Whether updates of persons go to Marketo in files.

    Raises:
        ViolationError: A promise was broken.
    """
    random.seed(seed)  # how long a connector waits before it tries again is the one chance that is not the world's
    with asyncio.Runner(loop_factory=LeapingLoop) as runner:
        return runner.run(_play(system, seed, length, files=files))
