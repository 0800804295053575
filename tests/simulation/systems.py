"""The two fakes, with what a simulation needs beside: a log of all changes, strays, records out of sight."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

import attrs
from anyio.lowlevel import checkpoint

from mkdyn.domain import FieldValue
from mkdyn.domain.outcomes import Create, Outcome, Unknown, Write
from mkdyn.domain.records import Record
from mkdyn.domain.systems import System
from mkdyn.domain.values import same
from mkdyn.testing import Crashed, FakeDynamics, FakeMarketo
from mkdyn.testing._system import FakeSystem
from mkdyn.testing._tables import Row, Table
from tests.simulation.log import Log

#: Says for which record of the other system each record of a batch is written.
Others = Callable[[System, Collection[str]], Mapping[str, str]]


@attrs.frozen(kw_only=True)
class Stray:
    """A request that outlives its caller: sent, given up, and carried out later.

    Attributes:
        object: What it writes to.
        writes: What it writes.
        others: For which records of the other system.
        sent_at: When it was sent.
        run: By which run.
    """

    object: str
    writes: Sequence[Write]
    others: Mapping[str, str]
    sent_at: datetime
    run: int


class _Watched(FakeSystem):
    """A fake that logs every change, whoever makes it.

    Attributes:
        log: Where to.
        others: Who our writes are for.
        strays_next: What becomes of the next write: it goes astray, and its caller gives up or dies.
        strays: Requests that are still on their way.
        unseen: Keys of records that the sync user can't read for now.
        clock: The world's.
    """

    system: System

    def watch(self, log: Log, others: Others, clock: Callable[[], datetime]) -> None:
        """Begin to log."""
        self.log, self.others, self.clock = log, others, clock
        self.strays_next: Literal["no", "given up", "dies"] = "no"
        self.strays: list[Stray] = []
        self.unseen: set[str] = set()
        self._written_for: Mapping[str, str] = {}
        self._sent: int | None = None

    async def write(self, object: str, writes: Sequence[Write], /) -> Sequence[Outcome]:
        """See `Connector.write`; a stray is carried out later."""
        keys = {write.key for write in writes}
        written_for = {write.key: write.key for write in writes if isinstance(write, Create) and write.by}
        self._written_for = {**self.others(self.system, keys), **written_for}
        sendings = self.log.sending(self.system, object, writes)
        if self.strays_next == "no":
            outcomes = await super().write(object, writes)
            lost = {write.key for write, outcome in zip(writes, outcomes, strict=True) if isinstance(outcome, Unknown)}
            for sending in sendings:
                sending.answered = None if sending.place[2] in lost else len(self.log.changes)
            return outcomes
        await checkpoint()
        how, self.strays_next = self.strays_next, "no"
        self.strays.append(
            Stray(
                object=object, writes=writes, others=self._written_for, sent_at=self.clock(), run=self.log.run
            )
        )  # fmt: skip
        self.writes_by_object[object] += len(writes)
        if how == "dies":
            raise Crashed(f"while a write of {object} was on its way")
        return [Unknown(reason="No answer came.")] * len(writes)

    def arrive(self) -> None:
        """Carry out what was on its way."""
        strays, self.strays = self.strays, []
        for stray in strays:
            self._written_for, self._sent = stray.others, stray.run
            for write in stray.writes:
                self._attempt(self._tables[stray.object], write)
        self._sent = None

    def _attempt(self, table: Table, write: Write) -> Outcome:
        with self.log.writing(self._written_for.get(write.key), self.log.run if self._sent is None else self._sent):
            return super()._attempt(table, write)  # type: ignore[safe-super]  # the fake's own comes next

    def _insert(self, table: Table, key: Any, values: dict[str, FieldValue], at: datetime) -> Any:  # noqa: ANN401 - each fake has its own
        there = set(table.rows)
        made = super()._insert(table, key, values, at)  # type: ignore[misc]  # the fake's own comes next
        [new] = table.rows.keys() - there
        self.log.made(self.system, table.name, new)
        for name, value in table.rows[new].values.items():
            if value is not None and value is not False:
                self.log.changed((self.system, table.name, new, name), table.empty(name), value)
        return made

    def _change(self, table: Table, row: Row, values: dict[str, FieldValue], at: datetime) -> None:
        before = {name: table.value(row, name) for name in values}
        super()._change(table, row, values, at)  # type: ignore[misc]  # the fake's own comes next
        for name, old in before.items():
            new = table.value(row, name)
            if not same(old, new):
                self.log.changed((self.system, table.name, row.key, name), old, new)

    def _remove(self, table: Table, row: Any, *when: datetime, **how: str) -> None:  # noqa: ANN401 - each fake has its own
        key = row if isinstance(row, str) else row.key
        self.log.removals.append((len(self.log.changes), self.system, table.name, key))
        super()._remove(table, row, *when, **how)  # type: ignore[misc]  # the fake's own comes next

    def _read(self, table: Table, keys: Collection[str], fields: Collection[str]) -> Iterable[Record]:
        found = super()._read(table, keys, fields)  # type: ignore[safe-super]  # the fake's own comes next
        return [record for record in found if record.key not in self.unseen]


class WatchedMarketo(_Watched, FakeMarketo):  # type: ignore[misc]  # the mixin's `system` is either
    """Marketo, watched."""

    def merge_by_hand(self, winner: str, loser: str) -> None:
        """Let somebody merge two persons; what Marketo fills in is what that somebody saw and took."""
        with self._log.by_people():
            super()._merge(winner, [loser])

    def _merge(self, winner: str, losers: Sequence[str]) -> Outcome:
        self.log.filling = True
        try:
            with self.log.writing(None, self.log.run):
                return super()._merge(winner, losers)
        finally:
            self.log.filling = False


class WatchedDynamics(_Watched, FakeDynamics):  # type: ignore[misc]  # the mixin's `system` is either
    """Dynamics, watched."""
