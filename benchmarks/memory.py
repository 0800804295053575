"""The engine's peak memory over many records, and over a tenth of them: a whole first sync, then a run after edits.

The systems' records are generated (`benchmarks.generated`), so what grows with their number is the engine's and the
store's. Each size has a process of its own: a peak never goes down again.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import anyio

from benchmarks.asked import Asked, Found
from benchmarks.generated import GeneratedDynamics, GeneratedMarketo
from benchmarks.workload import Workload
from benchmarks.world import World
from mkdyn import Guards, Report, Rules, SqliteStore, Synchronizer, System

_FIELDS_MIN = 4  # the e-mail address, the job title, and two of the workload's

#: What `ru_maxrss` counts in: bytes on macOS, kibibytes elsewhere.
_PER_MEBIBYTE = 2**20 if sys.platform == "darwin" else 2**10


def measure(asked: Asked) -> Found:
    """Return both peaks in mebibytes, and how long the whole took.

    Raises:
        subprocess.CalledProcessError: A process failed.
    """
    fields = max(asked.fields, _FIELDS_MIN)
    touched = min(asked.records // 10 if asked.touched is None else asked.touched, asked.records)
    tenth = in_process("benchmarks.memory", max(asked.records // 10, 1), fields, max(touched // 10, 1))
    whole = in_process("benchmarks.memory", asked.records, fields, touched)
    return {
        "name": "memory",
        **whole,
        "mebibytes_tenth": tenth["mebibytes"],
        "first_mebibytes_tenth": tenth["first_mebibytes"],
        "difference": round(whole["mebibytes"] - tenth["mebibytes"], 1),
    }


def in_process(module: str, *sizes: int) -> dict[str, Any]:
    """Return what a module of ours measures in a process of its own.

    Raises:
        subprocess.CalledProcessError: It failed.
    """
    done = subprocess.run(  # noqa: S603 - ourselves
        [sys.executable, "-m", module, *map(str, sizes)], stdout=subprocess.PIPE, check=True
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _alone(records: int, fields: int, touched: int) -> Found:
    """Measure this process."""
    workload = Workload(records, fields - 2, touched=0)
    world = World(records=records, workload=workload, heads=(touched + 1) // 2, chiefs=touched // 2)
    with tempfile.TemporaryDirectory() as folder:
        return anyio.run(_sync, world, Path(folder) / "state.db")


async def _sync(world: World, path: Path) -> Found:
    touched = world.heads + world.chiefs
    rules = Rules(guards=Guards(overwrites_share_max=1.0))
    marketo, dynamics = GeneratedMarketo(world), GeneratedDynamics(world)
    async with Synchronizer(marketo=marketo, dynamics=dynamics, store=SqliteStore(path), rules=rules) as sync:
        await sync.fields.select(*world.picks())
        first_seconds, _ = await _timed(sync, to_marketo=world.records, to_dynamics=0)
        first_mebibytes = peak()
        await _timed(sync, to_marketo=0, to_dynamics=0)
        world.edited = True
        seconds, report = await _timed(sync, to_marketo=world.heads, to_dynamics=world.chiefs)
        await _timed(sync, to_marketo=0, to_dynamics=0)
    return {
        "records": world.records,
        "fields": world.workload.fields + 2,
        "touched": touched,
        "seconds": round(seconds, 3),
        "touched_per_s": round(touched / seconds),
        "writes": sum(counts.total for counts in report.counts.values()),
        "first_seconds": round(first_seconds, 3),
        "first_mebibytes": first_mebibytes,
        "mebibytes": peak(),
    }


async def _timed(sync: Synchronizer, *, to_marketo: int, to_dynamics: int) -> tuple[float, Report]:
    """Run, and see that all is written that should be: a run that does less needs less."""
    start = time.perf_counter()
    report = await sync.run()
    seconds = time.perf_counter() - start
    written = {system: report.counts[system].total for system in System}
    if report.ended != "done" or written != {System.MARKETO: to_marketo, System.DYNAMICS: to_dynamics}:
        raise RuntimeError(f"{report} is not what was to be done")
    return seconds, report


def peak() -> float:
    """Return the most memory this process has had at once, in mebibytes."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _PER_MEBIBYTE, 1)


if __name__ == "__main__":
    print(json.dumps(_alone(*map(int, sys.argv[1:]))))
