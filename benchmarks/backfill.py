"""A field added over many linked records: refreshed with ten interruptions, while people go on working.

The records of both systems are generated (`benchmarks.backfill_world`), and every write is checked to be one that is
due, so a write of another field ends the benchmark. A tenth of the records is measured beside it, in a process of its
own: what the peak of memory grows by is the price of the others.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import anyio
import attrs

from benchmarks.asked import Asked, Found
from benchmarks.backfill_world import TIER, TIER_PICK, TITLE, TieredWorld
from benchmarks.generated import GeneratedDynamics, GeneratedMarketo
from benchmarks.memory import in_process, peak
from benchmarks.workload import Workload
from mkdyn import Guards, Rules, SqliteStore, Synchronizer, System
from mkdyn.domain.fields import PairState
from mkdyn.domain.outcomes import Outcome, Update, Write
from mkdyn.ports.connectors import Identity
from mkdyn.testing import Crashed

_FIELDS_MIN: Final = 5  # the e-mail address, the job title, the tier, and two of the workload's
_INTERRUPTIONS: Final = 10
_PAGES_MIN: Final = 20
_PAGE_MAX: Final = 300
_RUNS_MAX: Final = 10
_TRIES: Final = 1_000


def measure(asked: Asked) -> Found:
    """Return what the backfill wrote, how long it took, and both peaks in mebibytes.

    Raises:
        subprocess.CalledProcessError: A process failed, or something was written that was not due.
    """
    fields, records = max(asked.fields, _FIELDS_MIN), max(asked.records, 10 * _PAGES_MIN)
    tenth = in_process("benchmarks.backfill", records // 10, fields)
    whole = in_process("benchmarks.backfill", records, fields)
    return {
        "name": "backfill",
        **whole,
        "mebibytes_tenth": tenth["mebibytes"],
        "difference": round(whole["mebibytes"] - tenth["mebibytes"], 1),
    }


class InterruptedMarketo(GeneratedMarketo):
    """Marketo, at some pages of whose refreshes our process dies.

    Attributes:
        interrupted: The records of the pages at which it died.
        deaths: How often it did.
        refreshing: Whether what is written now is the backfill's.
    """

    def __init__(self, world: TieredWorld, chance: random.Random) -> None:
        super().__init__(world)
        size = min(_PAGE_MAX, world.records // _PAGES_MIN)
        self._identity = Identity(organization="GEN-ERA-TED", user="sync", batch_max=size)
        pages = range(1, world.records // size)
        self._deadly, self._page, self._chance = set(chance.sample(pages, _INTERRUPTIONS)), 0, chance
        self.interrupted: set[int] = set()
        self.deaths, self.refreshing = 0, False

    async def write(self, object: str, writes: Sequence[Write], /) -> Sequence[Outcome]:
        """See `Connector.write`; the process dies before the page took effect, or after."""
        self._page += self.refreshing
        if not self.refreshing or self._page not in self._deadly:
            return await super().write(object, writes)
        self.deaths += 1
        self.interrupted.update(int(write.key) for write in writes if isinstance(write, Update))
        if self._chance.random() < 1 / 2:
            await super().write(object, writes)
        raise Crashed


@attrs.frozen
class _Edit:
    """One field of one record, and what it is to show in both systems in the end.

    Attributes:
        number: Whose.
        names: The field.
        value: What somebody wrote.
        stands: Whether that is what remains; otherwise it is in the journal, as a collision that Dynamics won.
    """

    number: int
    names: Mapping[System, str]
    value: str
    stands: bool


class _People:
    """Those who work in both systems, each time that the backfill was interrupted."""

    def __init__(self, world: TieredWorld, chance: random.Random) -> None:
        self._world, self._chance = world, chance
        self.edits: list[_Edit] = []

    def work(self) -> None:
        """Edit the new field and another one, in both systems, of records that were refreshed and that were not."""
        for system in System:
            self._edit(system, TITLE, refreshed=None)
            for refreshed in (True, False):
                self._edit(system, TIER, refreshed=refreshed)

    def _edit(self, system: System, names: Mapping[System, str], *, refreshed: bool | None) -> None:
        world, taken = self._world, {edit.number for edit in self.edits}
        for number in self._chance.sample(range(world.records), min(world.records, _TRIES)):
            if number not in taken and refreshed in (None, number in world.refreshed):
                value = f"{system} {len(self.edits)}"
                # a contact's two tiers never agreed before it was refreshed: Dynamics is the system of record
                stands = system is System.DYNAMICS or refreshed is not False
                world.edit(system, number, names, value)
                self.edits.append(_Edit(number, names, value, stands))
                return

    async def expect_their_work(self, sync: Synchronizer) -> None:
        """See that no edit is lost.

        Raises:
            RuntimeError: One is, or the two systems differ in it.
        """
        lost = {item.collision.marketo async for item in sync.journal.collisions()}
        for edit in self.edits:
            shown = {self._world.values(system, edit.number)[edit.names[system]] for system in System}
            if len(shown) != 1 or (edit.value in shown) is not edit.stands or (edit.value in lost) is edit.stands:
                raise RuntimeError(f"{edit}: both systems show {shown}")


def _alone(records: int, fields: int) -> Found:
    """Measure this process."""
    with tempfile.TemporaryDirectory() as folder:
        return anyio.run(_measure, records, fields, Path(folder) / "state.db")


async def _measure(records: int, fields: int, path: Path) -> Found:
    chance = random.Random(records)  # the same interruptions and edits each time
    world = TieredWorld(records=records, workload=Workload(records, fields - 3, touched=0), heads=0, chiefs=0)
    marketo, dynamics, people = InterruptedMarketo(world, chance), GeneratedDynamics(world), _People(world, chance)

    def opened() -> Synchronizer:
        rules = Rules(guards=Guards(overwrites_share_max=1.0))
        return Synchronizer(marketo=marketo, dynamics=dynamics, store=SqliteStore(path), rules=rules)

    async with opened() as sync:
        await sync.fields.select(*world.picks())
        first = await _until_rest(sync)
        first_mebibytes = peak()
        await sync.fields.select(TIER_PICK)
        start = time.perf_counter()
        plan = await sync.plan_backfill(TIER_PICK)
        planned = time.perf_counter() - start
    seconds, beside = planned, 0
    while True:
        start = time.perf_counter()
        marketo.refreshing = True
        finished = await _refreshes(opened())
        marketo.refreshing = False
        seconds += time.perf_counter() - start
        if finished:
            break
        people.work()
        if marketo.deaths % 2:  # every other time it is resumed at once
            async with opened() as sync:
                beside += sum(counts.total for counts in (await sync.run()).counts.values())
    async with opened() as sync:
        await _until_rest(sync)
        await people.expect_their_work(sync)
        [state] = [pair.state for pair in await sync.fields.selected() if pair.dynamics == TIER[System.DYNAMICS]]
    twice = len(world.twice)
    done = (plan.counts[System.MARKETO].update, world.refreshed.count, marketo.deaths, state)
    if done != (records, records, _INTERRUPTIONS, PairState.ACTIVE) or not world.twice <= marketo.interrupted:
        raise RuntimeError(f"{done}, {twice} twice: that is not what was to be done")
    return {
        "records": records,
        "fields": fields,
        "touched": records,
        "seconds": round(seconds, 3),
        "touched_per_s": round(records / seconds),
        "plan_seconds": round(planned, 3),
        "first_seconds": round(first, 3),
        "interruptions": marketo.deaths,
        "written_twice": twice,
        "edits": len(people.edits),
        "edits_that_gave_way": sum(not edit.stands for edit in people.edits),
        "written_beside": beside,
        "first_mebibytes": first_mebibytes,
        "mebibytes": peak(),
    }


async def _refreshes(sync: Synchronizer) -> bool:
    """Backfill, or go on with it; return whether it came to its end."""
    async with sync:
        try:
            await sync.backfill(TIER_PICK)
        except Crashed:
            return False
    return True


async def _until_rest(sync: Synchronizer) -> float:
    """Run until nothing is left to do; return how long that took.

    Raises:
        RuntimeError: It takes too many runs, or something is held or set aside.
    """
    start = time.perf_counter()
    for _ in range(_RUNS_MAX):
        report = await sync.run()
        if report.ended == "done" and not report.operations.total and not report.observed:
            return time.perf_counter() - start
    raise RuntimeError(f"{report} is not the end")


if __name__ == "__main__":
    print(json.dumps(_alone(*map(int, sys.argv[1:]))))
