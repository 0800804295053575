"""Run, and keep what the demo tells of it; a demo that goes on finds its earlier runs in the journal."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, cast

import attrs

from mkdyn import Plan, Report, Synchronizer, System
from mkdyn.cli.demo.notes import Notes
from mkdyn.cli.demo.outcome import Chapter, Run
from mkdyn.engine.report import Excerpts, count, read_plan
from mkdyn.ports.store import RunRow, StateStore


@attrs.frozen(kw_only=True)
class Course:
    """A demo under way: what it runs, and what of its story is done.

    Attributes:
        sync: What it shows.
        store: The sync's state.
        notes: What is done.
    """

    sync: Synchronizer
    store: StateStore
    notes: Notes
    _live: dict[int, Run] = attrs.field(factory=dict[int, Run], init=False)

    async def once(self, name: str, act: Callable[[], Awaitable[Any]]) -> Any:  # noqa: ANN401 - what *act* returns
        """Do something, unless it is noted as done; what it came to, as plain JSON.

        A demo that is cut off before the note does it again: what *act* does, it must be able to do twice.
        """
        noted = self.notes.get(name)
        if noted is None:
            noted = {"came to": await act()}
            self.notes.put(name, noted)
        return noted["came to"]

    async def chapter(self, name: str, go: Callable[[Sequence[Run]], Awaitable[object]]) -> Chapter:
        """Return a chapter with all its runs, those of a process that was cut off in it first.

        Args:
            name: What it is called, in the notes and in the JSON.
            go: Runs the sync; it is told which runs the chapter has had.
        """
        first: int = await self.once(f"{name} begins", self._newest)

        async def rest() -> int:
            await go(await self._runs_after(first))
            return await self._newest()

        last: int = await self.once(f"{name} ends", rest)
        return Chapter(name=name, runs=[run for run in await self._runs_after(first) if run.report.id <= last])

    async def run(self) -> Run:
        """Run once."""
        return await self.told(await self.sync.run())

    async def told(self, report: Report) -> Run:
        """Return what there is to tell of a run that is over."""
        run = self._live[report.id] = Run(report, [item async for item in self.sync.journal.collisions(report)])
        return run

    async def run_of(self, plan: int) -> Run | None:
        """Return the run that carried a plan out, or None while none has come to its end."""
        row = self.store.run(plan)
        ended = row is not None and row.ended in ("done", "warnings")
        return await self._told_of(row) if ended and row is not None else None

    def plan_of(self, id: int) -> Plan:
        """Return a plan as it is stored."""
        return read_plan(self.store, id, "backfill", None, ())

    async def _newest(self) -> int:
        return max([row.id async for row in self.sync.journal.runs()], default=0)

    async def _runs_after(self, first: int) -> Sequence[Run]:
        rows = [row async for row in self.sync.journal.runs() if row.id > first]
        return [await self._told_of(row) for row in rows if row.purpose == "run" and row.ended != "planned"]

    async def _told_of(self, row: RunRow) -> Run:
        return self._live.get(row.id) or await self.told(_report_of(self.store, row))


def _report_of(store: StateStore, row: RunRow) -> Report:
    """Return what the journal has of a run; one that was cut off did not say how it went."""
    found = Excerpts(store, row.id)
    calls = cast("Mapping[str, int]", row.facts.get("calls", {}))
    return Report(
        id=row.id,
        purpose=row.purpose,
        ended=row.ended or "paused",
        seconds=float(cast("float", row.facts.get("seconds", 0.0))),
        calls={system: calls.get(system.value, 0) for system in System},
        observed=cast("int", row.facts.get("observed", 0)),
        counts=count(found.totals, states=["applied"]),
        operations=found.operations,
        collisions=found.collisions,
        holds=found.holds,
        quarantined=found.quarantined,
        warnings=tuple(cast("Sequence[str]", row.facts.get("warnings", ()))),
    )
