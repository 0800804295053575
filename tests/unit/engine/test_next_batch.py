"""The next batch for Dynamics is marked as sent with the answers to the last: nothing else changes by that."""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterable
from contextlib import contextmanager
from datetime import datetime

import pytest

from mkdyn import Entity, Rules, System
from mkdyn.ports.store import Answer
from mkdyn.testing import FakeDynamics, MemoryStore
from tests.unit.engine.world import World

pytestmark = pytest.mark.anyio


class Watched(MemoryStore):
    """A store that notes what became of operations, transaction by transaction."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[list[str]] = []

    @contextmanager
    def transaction(self) -> Generator[None]:
        """Begin another note."""
        self.kept.append([])
        with super().transaction():
            yield

    def answer(self, answers: Iterable[Answer], /) -> None:
        """Note answers."""
        found = list(answers)
        self.kept[-1].append(f"{len(found)} answered")
        super().answer(found)

    def mark_sent(self, operations: Collection[int], at: datetime, /) -> None:
        """Note what is about to leave."""
        self.kept[-1].append(f"{len(operations)} sent")
        super().mark_sent(operations, at)


async def _edited() -> tuple[World, Watched]:
    """Five persons that were edited, for a system that takes two rows at once."""
    store = Watched()
    world = await World.of(
        Entity.LEAD, rules=Rules(walk_links=0), dynamics=FakeDynamics(batch_max=2), store=store
    )  # fmt: skip
    links = [await world.linked(Entity.LEAD, lastname=str(number), jobtitle="1") for number in range(5)]
    for link in links:
        world.marketo.edit("lead", link.marketo, title="2")
    store.kept.clear()
    return world, store


async def test_the_next_batch_is_marked_with_the_answers_to_the_last() -> None:
    """Each write finds its own batch marked, and no other."""
    world, store = await _edited()
    marked: list[int] = []

    def look(call: str) -> None:
        if call == "write lead":
            marked.append(len(store.unsettled(after=0, limit=9)))

    world.dynamics.between(look)
    await world.run()
    assert marked == [2, 2, 1]
    assert [notes for notes in store.kept if notes] == [
        ["2 sent"],
        ["2 answered", "2 sent"],
        ["2 answered", "1 sent"],
        ["1 answered"],
    ]


async def test_a_run_that_is_out_of_time_marks_nothing_more() -> None:
    """What has not left is planned as before, and the next run sends it."""
    world, store = await _edited()
    report = await world.sync.run(deadline_s=0.0)
    assert report.ended == "out-of-time"
    assert not store.unsettled(after=0, limit=9)
    assert report.counts[System.DYNAMICS].total == 2
    assert (await world.run()).counts[System.DYNAMICS].total == 3
