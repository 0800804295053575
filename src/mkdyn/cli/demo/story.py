"""The demo's story: a first sync, people's edits, fields and records that come and go, a full comparison."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any

import attrs

from mkdyn import Guard, Synchronizer
from mkdyn.cli.demo.added import add_a_field, lose_a_field
from mkdyn.cli.demo.edits import DEEDS, PEOPLE_MIN, edit
from mkdyn.cli.demo.hands import Hands
from mkdyn.cli.demo.load import Loaded
from mkdyn.cli.demo.matched import ONLY_THERE, meet
from mkdyn.cli.demo.outcome import Arrival, Outcome, Run
from mkdyn.cli.demo.records import let_records_move
from mkdyn.cli.demo.runs import Course
from mkdyn.cli.demo.state import Memory
from mkdyn.cli.demo.systems import PICKS, Connectors
from mkdyn.cli.demo.tell import Teller
from mkdyn.cli.demo.verify import verify
from mkdyn.domain import AnyEntity
from mkdyn.domain.entities import rank
from mkdyn.errors import ConfigError, GuardError


@attrs.frozen(kw_only=True)
class Stage:
    """Where the story plays.

    Attributes:
        name: What to call the data.
        hands: People in both systems.
        connectors: What the sync speaks to both by.
        load: Sees to it that Dynamics has the data.
    """

    name: str
    hands: Hands
    connectors: Connectors
    load: Callable[[], Awaitable[Loaded]]


async def play(stage: Stage, memory: Memory, teller: Teller) -> Outcome:
    """Run the story, and have it told as it goes; what of it is done is told, and not done again.

    Args:
        stage: Where.
        memory: What is remembered of it.
        teller: Who tells it.

    Raises:
        ConfigError: The CRM is too small for the edits, or Dynamics does not take a value of it.
    """
    sync = Synchronizer(
        marketo=stage.connectors.marketo,
        dynamics=stage.connectors.dynamics,
        store=memory.store,
        observers=[teller.observe],
    )
    course = Course(sync=sync, store=memory.store, notes=memory.notes)
    return await _Story(stage=stage, course=course, teller=teller).told()


@attrs.frozen(kw_only=True)
class _Story:
    """The story under way; each method is a step, or what one does."""

    stage: Stage
    course: Course
    teller: Teller

    async def told(self) -> Outcome:
        """Tell all of it."""
        course, hands, teller, sync = self.course, self.stage.hands, self.teller, self.course.sync
        loaded = Loaded(**await course.once("loaded", self._load))
        strangers: Sequence[str] = await course.once("strangers", self._strangers)
        await course.once("selected", self._select)
        teller.begin(self.stage.name, await sync.fields.selected())

        with teller.step("First sync: both systems have people" if strangers else "First sync: Marketo is empty"):
            first = await course.chapter("first", self._first)
            arrivals = [
                Arrival(entity=entity, rows=rows, linked=linked)
                for entity, (rows, linked) in zip(
                    await entities_of(self.course.sync), await course.once("arrived", self._arrived), strict=True
                )
            ]
        teller.first_sync(first, arrivals)

        with teller.step("People work in both systems"):
            await course.once("edited", partial(edit, hands, loaded))
        teller.edits(DEEDS)

        with teller.step("Sync: who wins, and why"):
            edits = await course.chapter("edits", partial(until_the_company_is_seen, course))
        teller.sync(edits)

        with teller.step("Sync again: nothing is new"):
            idle = await course.chapter("idle", self._run)
        teller.idle(idle)

        with teller.step("A field is added"):
            fields = await add_a_field(course, hands, loaded)
        teller.field(fields)

        with teller.step("A column is deleted"):
            column = await lose_a_field(course, hands, loaded)
        teller.column(column)

        with teller.step("Two populated systems are matched"):
            matched = await meet(course, hands, self.stage.connectors)
        teller.matched(matched)

        with teller.step("Records meet, become others, and go"):
            records = await let_records_move(course, hands, loaded)
        teller.records(records)

        with teller.step("Both systems, compared field by field"):
            [lena] = (await hands.marketo.persons("email", [ONLY_THERE.email])).values()
            outcome = Outcome(
                chapters=[first, edits, idle],
                fields=fields,
                column=column,
                matched=matched,
                records=records,
                verified=await verify(hands, course.store, strangers={*strangers, *lena}),
                kept_back=len([item async for item in sync.journal.holds()])
                + len([item async for item in sync.journal.quarantine()]),
            )
        teller.end(outcome)
        return outcome

    async def _load(self) -> Mapping[str, Any]:
        loaded = await self.stage.load()
        if min(len(loaded.contacts), len(loaded.leads)) < PEOPLE_MIN:
            raise ConfigError(
                f"{self.stage.name}: {len(loaded.contacts)} contacts and {len(loaded.leads)} leads are too few for the "
                "demo's edits.",
                what_to_do=f"Give at least {2 * PEOPLE_MIN} people; half of them become contacts.",
            )
        return attrs.asdict(loaded)

    async def _strangers(self) -> Sequence[str]:
        return list(await self.stage.hands.marketo.listed("lead"))

    async def _select(self) -> None:
        await self.course.sync.fields.select_defaults()
        await self.course.sync.fields.select(*PICKS)

    async def _run(self, _earlier: Sequence[Run]) -> None:
        await self.course.run()

    async def _first(self, _earlier: Sequence[Run]) -> None:
        """Run; where both systems have people, the guard stops at so many matches, and somebody lets them through."""
        try:
            await self.course.run()
        except GuardError as stop:  # any other guard stops the plan again
            await self.course.told(await self.course.sync.apply(stop.plan, accept={Guard.FIRST_MATCH}))
            await self.course.run()

    async def _arrived(self) -> Sequence[Sequence[int]]:
        linked = self.course.store.count_links()
        return [
            (len(await self.stage.hands.dynamics.rows(entity.logical_name, ())), linked.get(entity.logical_name, 0))
            for entity in await entities_of(self.course.sync)
        ]


async def entities_of(sync: Synchronizer) -> Sequence[AnyEntity]:
    """Return what has a selected field, in the order in which it is synced."""
    return sorted(dict.fromkeys(pair.entity for pair in await sync.fields.selected()), key=rank)


async def until_the_company_is_seen(course: Course, earlier: Sequence[Run]) -> Sequence[Run]:
    """Run until the company that was edited in Marketo is put back; return all runs it took.

    No feed tells of companies. The walk finds the edit: each run compares a next piece of all links with both
    systems, one kind at a time, and users and teams come before accounts.

    Args:
        course: The demo.
        earlier: The runs that a demo had which was cut off; the company may be put back since.
    """
    runs = list(earlier)
    for _ in await entities_of(course.sync):
        runs.append(await course.run())
        if any(run.of_kind("one-way") for run in runs):
            break
    return runs
