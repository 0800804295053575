"""What has been planned and done, complete, where a report is an excerpt."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from typing import TypeVar

from mkdyn.domain.collisions import Resolution
from mkdyn.domain.entities import PERSON
from mkdyn.domain.holds import Hold, Quarantined
from mkdyn.domain.plan import Operation
from mkdyn.domain.systems import System
from mkdyn.engine.feeds import joined
from mkdyn.engine.report import Report
from mkdyn.ports.store import Observation, RunRow, StateStore

T = TypeVar("T")

_PAGE = 1_000


class Journal:
    """Reads the state, page by page; every method may be used while a run goes on."""

    def __init__(self, store: StateStore) -> None:
        self._store = store

    async def runs(self) -> AsyncIterator[RunRow]:
        """Go through all plans and runs, oldest first."""
        after = 0
        while rows := self._store.runs(after=after, limit=_PAGE):
            after = rows[-1].id
            for row in rows:
                yield row

    async def operations(self, run: Report | int, /) -> AsyncIterator[Operation]:
        """Go through the writes of one plan or run, in the order of the plan."""
        number, after = run if isinstance(run, int) else run.id, 0
        while operations := self._store.operations(number, after=after, limit=_PAGE):
            after = operations[-1].id
            for operation in operations:
                yield operation

    def collisions(self, run: Report | int | None = None, /) -> AsyncIterator[Resolution]:
        """Go through the values that gave way, in one run or in all."""
        return _all(self._store.resolutions, run)

    def holds(self, run: Report | int | None = None, /) -> AsyncIterator[Hold]:
        """Go through the fields kept back: those that a run found, or all that stand."""
        return _all(self._store.holds, run)

    def quarantine(self, run: Report | int | None = None, /) -> AsyncIterator[Quarantined]:
        """Go through the records set aside: those that a run found, or all that stand."""
        return _all(self._store.quarantine, run)

    async def release(self, *items: Hold | Quarantined) -> None:
        """Try fields that are held, and records that are set aside, again in the next run."""
        with self._store.transaction():
            self._store.release(
                (item.entity, item.key, item.field if isinstance(item, Hold) else None) for item in items
            )
            again = [found for item in items for found in self._again(item)]
            self._store.observe(joined(self._store, again))

    def _again(self, item: Hold | Quarantined) -> list[Observation]:
        """Return what has a record looked at again: on both sides, or a person without a row."""
        name = item.entity.logical_name
        if item.key.isdigit():
            return [Observation(system=System.MARKETO, object=PERSON, key=item.key, wanted=name)]
        links = self._store.links([name], System.DYNAMICS, [item.key]).values()
        return [
            Observation(system=System.DYNAMICS, object=name, key=item.key),
            *(
                Observation(system=System.MARKETO, object=item.entity.marketo_object, key=link.marketo)
                for link in links
            ),
        ]


async def _all(read: Callable[..., Sequence[tuple[int, T]]], run: Report | int | None) -> AsyncIterator[T]:
    number = run.id if isinstance(run, Report) else run
    after = 0
    while page := read(number, after=after, limit=_PAGE):
        after = page[-1][0]
        for _, item in page:
            yield item
