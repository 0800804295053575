"""What children ask of both systems, and what they were told: no child can know anything else.

Every write that arrived is remembered, and every answer that was given. An answer that was given may not have been
read before the child died; what was not given is known to nobody.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import datetime
from typing import Any

import attrs

from mkdyn.domain.feeds import Page
from mkdyn.domain.outcomes import Applied, Create, Outcome, Write
from mkdyn.domain.records import Record
from mkdyn.domain.systems import System
from mkdyn.domain.values import FieldValue
from mkdyn.ports.connectors import Pages
from tests.crash.world import Place, World

#: What a field holds.
Fact = tuple[Place, FieldValue]


@attrs.define(kw_only=True, eq=False)
class Attempt:
    """One write of a child.

    Attributes:
        system: Where.
        object: The system's name of the record's kind.
        write: What was asked for.
        life: Which child asked.
        at: When, by our clock.
        outcome: What came of it, or None where the request was lost.
        answered: Whether the answer was given while the child lived.
    """

    system: System
    object: str
    write: Write
    life: int
    at: datetime
    outcome: Outcome | None = None
    answered: bool = False

    @property
    def done(self) -> bool:
        """Whether it changed anything, or found it so."""
        return isinstance(self.outcome, Applied)


@attrs.frozen(kw_only=True)
class Call:
    """A call of a child; what it asks for is described by `mkdyn.ports.connectors`."""

    number: int
    system: str
    method: str
    arguments: Sequence[Any]
    settings: Mapping[str, Any]


@attrs.define(kw_only=True, eq=False)
class Answer:
    """What came of a call: its result or its error, and what the child knows once it has it."""

    result: Any
    shows: Sequence[Fact] = ()
    attempts: Sequence[Attempt] = ()


class Desk:
    """Both systems, as the children reach them.

    Attributes:
        world: Who is behind it.
        life: Which child lives now.
        born: Since when, by our clock.
        attempts: The children's writes.
        confirmed: Per field, the values that children were told of.
        interrupted: Operations that were sent when a child died; the next one found out what became of them.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.life = 0
        self.born = world.now
        self.attempts: list[Attempt] = []
        self.confirmed: defaultdict[Place, set[FieldValue]] = defaultdict(set)
        self.interrupted: set[int] = set()
        self._made: dict[tuple[System, str], list[Fact]] = {}
        self._feeds: list[tuple[System, Pages]] = []
        self._open = AsyncExitStack()

    def bear(self) -> datetime:
        """Let a new child begin; return what its clock says."""
        self.life += 1
        self.born = self.world.later()
        return self.born

    def bury(self) -> None:
        """Let go of what a dead child had open."""
        self.world.wait(self._open.aclose())

    def carry_out(self, call: Call) -> Answer:
        """Do what a child asks for; the answer is not given yet."""
        if call.method == "rest":
            self.world.go_on()
            return Answer(result=self.world.later())
        self.world.pass_by()
        try:
            return self.world.wait(self._done(call))
        except Exception as error:  # noqa: BLE001 - the child's engine decides what it means
            return Answer(result=error)

    def lose(self, call: Call) -> None:
        """Note that a call never arrived."""
        if call.method == "write":
            self._attempted(call)

    def give(self, answer: Answer) -> None:
        """Note that a child may know the answer from now on.

        Whoever is shown a record that was made as asked for knows what it was made with.
        """
        for (system, key, field), value in answer.shows:
            self.confirmed[system, key, field].add(value)
            for place, written in self._made.pop((system, key), ()):
                self.confirmed[place].add(written)
        for attempt in answer.attempts:
            attempt.answered = True

    async def _done(self, call: Call) -> Answer:
        system = System(call.system)
        fake = self.world.fake(system)
        match call.method:
            case "open_changes":
                pages = fake.changes(*call.arguments, **call.settings)
                self._feeds.append((system, await self._open.enter_async_context(pages)))
                return Answer(result=len(self._feeds) - 1)
            case "next_page":
                system, pages = self._feeds[call.arguments[0]]
                page = await anext(pages, None)
                return Answer(result=page, shows=[] if page is None else list(_shown_by(system, page)))
            case "write":
                return await self._written(call)
            case method:
                found = await getattr(fake, method)(*call.arguments, **call.settings)
                records = found.values() if method == "read" else found if method == "find" else ()
                return Answer(result=found, shows=list(_shown(system, records)))

    def _attempted(self, call: Call) -> list[Attempt]:
        object, writes = call.arguments
        attempts = [
            Attempt(system=System(call.system), object=object, write=write, life=self.life, at=self.world.now)
            for write in writes
        ]
        self.attempts += attempts
        return attempts

    async def _written(self, call: Call) -> Answer:
        attempts = self._attempted(call)
        object, writes = call.arguments
        system = System(call.system)
        outcomes = await self.world.fake(system).write(object, writes)
        shows: list[Fact] = []
        for attempt, outcome in zip(attempts, outcomes, strict=True):
            attempt.outcome = outcome
            if isinstance(outcome, Applied):
                self.world.note(system, object, outcome.key)
                told = list(self._confirmed_by(attempt, outcome))
                if isinstance(attempt.write, Create):
                    self._made[system, outcome.key] = told
                shows += told
        return Answer(result=outcomes, shows=shows, attempts=attempts)

    def _confirmed_by(self, attempt: Attempt, outcome: Applied) -> Iterable[Fact]:
        """Yield what is known of a record after a write: what was written, and that a new one is empty else."""
        values: Mapping[str, FieldValue] = getattr(attempt.write, "values", {})
        if outcome.found and attempt.system is System.DYNAMICS:
            return  # it was not written
        if isinstance(attempt.write, Create) and not outcome.found:
            record = self.world.fake(attempt.system).record(attempt.object, outcome.key)
            values = {} if record is None else record.values
        for field, value in values.items():
            yield (attempt.system, outcome.key, field), value


def _shown(system: System, records: Iterable[Record]) -> Iterable[Fact]:
    for record in records:
        for field, value in record.values.items():
            yield (system, record.key, field), value


def _shown_by(system: System, page: Page) -> Iterable[Fact]:
    """Yield what a page proves; Marketo's feed proves that a field held a text, though no longer that it does."""
    yield from _shown(system, page.records)
    for entry in page.entries:
        for item in entry.evidence:
            yield (system, entry.key, item.field), item.new
