"""A whole run over the fakes and a SQLite file, against a hand-written loop that keeps the same in its own file.

Both start with the same linked records and take the same touches, round by round. What is
measured is one `sync.run()`: gather, settle, reconcile, guard, apply, commit, with the file
on the disk, its default durability and the full journal; the fakes' own work is in it. Each
run also meets what the run before it wrote, coming back in the feeds, as every run does. In
the end both have written the same values, and remember the same baselines.
"""

from __future__ import annotations

import gc
import tempfile
import time
from collections.abc import Awaitable, Callable
from cProfile import Profile
from functools import partial
from pathlib import Path
from pstats import Stats
from statistics import median
from typing import Final

import anyio

from benchmarks.asked import Asked, Found
from benchmarks.run_world import World
from benchmarks.workload import Workload
from mkdyn import Synchronizer

_ROUNDS_MAX: Final = 5
_FAKES: Final = "/mkdyn/testing/"


def measure(asked: Asked) -> Found:
    """Return how fast a run takes in what was touched, and how that compares with the loop."""
    with tempfile.TemporaryDirectory() as folder:
        return anyio.run(_measure, asked, Path(folder))


async def _measure(asked: Asked, folder: Path) -> Found:
    touched = sum(Workload(asked.records, asked.fields, touched=asked.touched).counts().values())
    rounds = max(1, min(_ROUNDS_MAX, asked.records // touched - 1))
    # One of the fields is the last name, which the workload does not have; one more round is for the profile.
    work = Workload(asked.records, asked.fields - 1, touched=touched * (rounds + 1))
    world = World(work, folder, rounds=rounds + 1)
    try:
        return {
            "name": "run",
            "records": asked.records,
            "fields": asked.fields,
            "touched": touched,
            "rounds": rounds,
            **await _compare(world, touched, rounds),
        }
    finally:
        world.loop.file.close()
        await world.sync.aclose()


async def _compare(world: World, touched: int, rounds: int) -> Found:
    await world.select()
    first = await _seconds(world.sync.run)
    await world.sync.run()  # reads what the first run wrote coming back
    world.copy()
    engine: list[float] = []
    by_hand: list[float] = []
    for turn in range(rounds):
        feed = world.touch(turn)
        pair: list[tuple[list[float], Callable[[], Awaitable[object] | None]]] = [
            (engine, world.sync.run),
            (by_hand, partial(world.loop.run, feed)),
        ]
        for seconds, run in reversed(pair) if turn % 2 else pair:
            seconds.append(await _seconds(run))
    world.loop.run(world.touch(rounds))
    fakes_share = await _share_of_fakes(world.sync)
    await world.sync.run()
    idle = await _seconds(world.sync.run)
    world.expect_the_same()
    return {
        "seconds": round(median(engine), 4),
        "touched_per_s": round(touched / median(engine)),
        "reference": "baselines, plan, sent and outcomes by hand: dictionaries, and a SQLite file of the same tables",
        "reference_seconds": round(median(by_hand), 4),
        "reference_touched_per_s": round(touched / median(by_hand)),
        "ratio": round(median(by_hand) / median(engine), 3),
        "fakes_share": fakes_share,
        "first_seconds": round(first, 3),
        "idle_seconds": round(idle, 4),
    }


async def _seconds(run: Callable[[], Awaitable[object] | None]) -> float:
    gc.collect()
    gc.freeze()  # the records of four systems live in this process; yours do not
    start = time.perf_counter()
    found = run()
    if found is not None:
        await found
    return time.perf_counter() - start


async def _share_of_fakes(sync: Synchronizer) -> float:
    """Return which share of a run is the fakes' work, by the profiler's count: roughly, since it slows calls down."""
    with Profile() as profile:
        await sync.run()
    within = everything = 0.0
    for (path, _, _), (_, _, own, _, callers) in Stats(profile).stats.items():  # type: ignore[attr-defined]
        everything += own
        if _FAKES in path:
            within += own
        elif path == "~" or path.startswith("<"):  # a function in C, or a generated one, counts for who called it
            within += sum(found[2] for (caller, _, _), found in callers.items() if _FAKES in caller)
    return round(within / everything, 3)
