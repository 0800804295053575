"""A whole run over the fakes and a SQLite file: many records linked, some of them edited on both systems."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import anyio

from benchmarks.asked import Asked, Found
from mkdyn import Entity, Guards, Report, Rules, SqliteStore, Synchronizer
from mkdyn.testing import FakeDynamics, FakeMarketo


def measure(asked: Asked) -> Found:
    """Return how long the first run, the run after the edits (half on each system) and an idle run took."""
    touched = asked.records // 10 if asked.touched is None else asked.touched
    with tempfile.TemporaryDirectory() as folder:
        return anyio.run(_measure, asked.records, touched, Path(folder) / "state.db")


async def _measure(records: int, touched: int, path: Path) -> Found:
    marketo, dynamics = FakeMarketo(), FakeDynamics()
    keys = [
        dynamics.create("contact", lastname=f"Last {number}", firstname=f"First {number}", jobtitle="Clerk")
        for number in range(records)
    ]
    rules = Rules(guards=Guards(overwrites_share_max=1.0))
    async with Synchronizer(marketo=marketo, dynamics=dynamics, store=SqliteStore(path), rules=rules) as sync:
        await sync.fields.select_defaults(Entity.CONTACT)
        first, _ = await _timed(sync)
        await sync.run()
        people = [record.key for record in marketo.records("lead")]
        for number in range(min(touched, records) // 2):
            dynamics.edit("contact", keys[number], jobtitle=f"Head {number}")
            marketo.edit("lead", people[-1 - number], title=f"Chief {number}")
        seconds, report = await _timed(sync)
        await sync.run()
        idle, last = await _timed(sync)
    return {
        "name": "run",
        "records": records,
        "touched": touched,
        "first_seconds": round(first, 3),
        "seconds": round(seconds, 3),
        "touched_per_s": round(touched / seconds),
        "writes": sum(counts.total for counts in report.counts.values()),
        "idle_seconds": round(idle, 3),
        "idle_calls": sum(last.calls.values()),
    }


async def _timed(sync: Synchronizer) -> tuple[float, Report]:
    start = time.perf_counter()
    report = await sync.run()
    return time.perf_counter() - start, report
