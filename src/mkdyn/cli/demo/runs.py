"""Run, and keep what the demo tells of it."""

from __future__ import annotations

from mkdyn import Report, Synchronizer
from mkdyn.cli.demo.outcome import Run


async def run(sync: Synchronizer) -> Run:
    """Run once."""
    return await run_of(sync, await sync.run())


async def run_of(sync: Synchronizer, report: Report) -> Run:
    """Return what there is to tell of a run that is over."""
    return Run(report, [item async for item in sync.journal.collisions(report)])
