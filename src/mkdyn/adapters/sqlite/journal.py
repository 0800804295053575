"""Runs and their operations: the plan, and afterwards the journal."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from mkdyn.adapters.sqlite.columns import instant, listed, plain, time_or_none, value_or_none, written
from mkdyn.adapters.sqlite.database import Row, Tables
from mkdyn.adapters.sqlite.operations import numbered, operation_from, standing_row, writing_row
from mkdyn.domain.plan import Operation, OperationState, Purpose
from mkdyn.domain.systems import System
from mkdyn.domain.values import from_json
from mkdyn.ports.store import Answer, RunEnd, RunRow

_START: Final = "INSERT INTO run (purpose, started_at, facts) VALUES (?, ?, '{}')"
_END: Final = "UPDATE run SET ended_at = ?, ended = ?, facts = ? WHERE id = ?"
_RUN: Final = "SELECT id, purpose, started_at, ended_at, ended, facts FROM run WHERE id = ?"
_RUNS: Final = "SELECT id, purpose, started_at, ended_at, ended, facts FROM run WHERE id > ? ORDER BY id LIMIT ?"

_COLUMNS: Final = (
    "operation.id, run, system, kind, key, state, sent_at, detail, "
    "link, entity, custom, other, before, after, awaited, version, attempt, because, step"
)

_ADD: Final = "INSERT INTO operation (id, run, system, kind, key, state, sent_at, detail) VALUES"

_ADD_WRITING: Final = """
    INSERT OR REPLACE INTO writing (
        operation, link, entity, custom, other, before, after, awaited, version, attempt, because, step
    ) VALUES
"""

_OPERATIONS: Final = (
    f"SELECT {_COLUMNS} FROM operation JOIN writing ON writing.operation = operation.id "  # noqa: S608 - constants only
    "WHERE run = ?1 AND id > ?2 AND (?3 IS NULL OR system = ?3) "
    "AND (?4 = '[]' OR state IN (SELECT value FROM json_each(?4))) ORDER BY id LIMIT ?5"
)

# The index by run answers most of it; what is not at hand is read by its number then.
_PLANNED: Final = """
    SELECT id FROM operation
    WHERE run = ?1 AND id > ?2 AND (?3 IS NULL OR system = ?3) AND state = 'planned' ORDER BY id LIMIT ?4
"""

_NUMBERED: Final = (
    f"SELECT {_COLUMNS} FROM operation JOIN writing ON writing.operation = operation.id "  # noqa: S608 - constants only
    "WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id"
)

# What is open is found in an index of its own: few rows, however long the journal. The first condition is word for
# word that of the index.
_UNSETTLED: Final = (
    f"SELECT {_COLUMNS} FROM operation INDEXED BY open_operation "  # noqa: S608 - constants only
    "JOIN writing ON writing.operation = operation.id "
    "WHERE state IN ('planned', 'sent', 'unknown') AND state IN ('sent', 'unknown') AND id > ? ORDER BY id LIMIT ?"
)

_IN_FLIGHT: Final = """
    SELECT DISTINCT operation.key
    FROM (SELECT value AS asked FROM json_each(?2)) CROSS JOIN operation INDEXED BY open_operation ON operation.key = asked
    WHERE state IN ('planned', 'sent', 'unknown') AND state IN ('sent', 'unknown') AND system = ?1
"""

_DROP: Final = """
    UPDATE operation SET state = 'dropped'
    WHERE state IN ('planned', 'sent', 'unknown') AND state = 'planned'
        AND CASE
            WHEN ?1 IS NULL THEN NOT EXISTS (SELECT 1 FROM run WHERE run.id = operation.run AND purpose = 'backfill')
            ELSE run = ?1
        END
"""

_ON: Final = (
    f"SELECT {_COLUMNS} FROM (SELECT value AS asked FROM json_each(?3)) "  # noqa: S608 - constants only
    "CROSS JOIN operation INDEXED BY operation_by_key ON operation.key = asked "
    "JOIN writing ON writing.operation = operation.id WHERE run = ?1 AND system = ?2 ORDER BY operation.id"
)

_SENT: Final = "UPDATE operation SET state = 'sent', sent_at = ? WHERE id IN (SELECT value FROM json_each(?))"
_ANSWER: Final = "UPDATE operation SET state = ?, detail = ? WHERE id IN (SELECT value FROM json_each(?))"
_REVISE: Final = "UPDATE operation SET system = ?, kind = ?, key = ?, state = ?, detail = ? WHERE id = ?"

_COUNT_FINDINGS: Final = """
    SELECT
        (SELECT count(*) FROM collision WHERE run = ?1),
        (SELECT count(*) FROM hold WHERE (field = '') = 0),
        (SELECT count(*) FROM hold WHERE (field = '') = 1)
"""

_PLACES: Final = "SELECT system || ':' || kind || ':' || state FROM operation WHERE run = ?"


class JournalTables(Tables):
    """The tables `run`, `operation` and `writing`."""

    def start_run(self, purpose: Purpose, at: datetime, /) -> int:
        """Begin a plan or run; its number is larger than any before."""
        self._database.write(_START, (purpose, instant(at)))
        return self._database.last_number("run")

    def end_run(self, run: int, at: datetime, ended: RunEnd, facts: Mapping[str, object], /) -> None:
        """Say how a plan or run ended; said again, the last word counts."""
        self._database.write(_END, (instant(at), ended, written(dict(facts)), run))

    def run(self, run: int, /) -> RunRow | None:
        """Return one plan or run, or None."""
        found = self._database.read(_run_from, _RUN, (run,))
        return found[0] if found else None

    def runs(self, *, after: int, limit: int) -> Sequence[RunRow]:
        """Return the next plans and runs with numbers above *after*."""
        return self._database.read(_run_from, _RUNS, (after, limit))

    def add_operations(self, run: int, operations: Sequence[Operation], /) -> Sequence[int]:
        """Keep planned operations; return their ids, which rise in this order."""
        first = self._database.last_number("operation") + 1
        planned = [numbered(operation, id, run) for id, operation in enumerate(operations, first)]
        self._database.insert_many(_ADD, [(item.id, run, *standing_row(item)) for item in planned])
        self._database.insert_many(_ADD_WRITING, [(item.id, *writing_row(item)) for item in planned])
        for item in planned:
            if item.state == "planned":
                self._database.recent.operations.keep(item.id, item)
        return [item.id for item in planned]

    def operations(
        self,
        run: int,
        /,
        *,
        after: int,
        limit: int,
        system: System | None = None,
        states: Collection[OperationState] = (),
    ) -> Sequence[Operation]:
        """Return a run's next operations with ids above *after*; all systems and states where none is named."""
        if list(states) == ["planned"]:
            return self._planned(run, after, limit, system)
        parameters = (run, after, value_or_none(system), listed(states), limit)
        return self._database.read(operation_from, _OPERATIONS, parameters)

    def _planned(self, run: int, after: int, limit: int, system: System | None) -> Sequence[Operation]:
        """Return operations that are still planned: this run has written most of them itself, just so."""
        at_hand = self._database.recent.operations
        ids = [id for (id,) in self._database.rows(_PLANNED, (run, after, value_or_none(system), limit))]
        unread = [id for id in ids if id not in at_hand]
        if not unread:
            return [at_hand[id] for id in ids]
        read = self._database.read(operation_from, _NUMBERED, (listed(unread),))
        found = [*(at_hand[id] for id in ids if id in at_hand), *read]
        return sorted(found, key=lambda operation: operation.id)

    def operations_on(self, run: int, system: System, keys: Collection[str], /) -> Mapping[str, Operation]:
        """Return a run's newest operation on each of these records, by key, whatever its state."""
        found = self._database.read(operation_from, _ON, (run, system.value, listed(keys)))
        return {operation.key: operation for operation in found}  # in order of id: the newest stays

    def mark_sent(self, operations: Collection[int], at: datetime, /) -> None:
        """Mark operations as sent, before they are."""
        self._database.write(_SENT, (instant(at), listed(operations)))
        self._forget(operations)

    def answer(self, answers: Iterable[Answer], /) -> None:
        """Record what became of operations."""
        alike: dict[tuple[OperationState, str], list[int]] = {}
        for answer in {answer.operation: answer for answer in answers}.values():  # of several, the last counts
            alike.setdefault((answer.state, answer.detail), []).append(answer.operation)
        for (state, detail), operations in alike.items():
            self._database.write(_ANSWER, (state, plain(detail), listed(operations)))
            self._forget(operations)

    def revise(self, operation: Operation, /) -> None:
        """Replace an operation, by its id: what it writes, what it remembers, and its state."""
        standing = (operation.system.value, operation.kind, operation.key, operation.state, plain(operation.detail))
        self._database.write(_REVISE, (*standing, operation.id))
        self._database.insert_many(_ADD_WRITING, [(operation.id, *writing_row(operation))])
        self._forget([operation.id])

    def _forget(self, operations: Iterable[int]) -> None:
        """Keep no operation at hand that is not as it was planned."""
        for id in operations:
            self._database.recent.operations.pop(id, None)

    def unsettled(self, *, after: int, limit: int) -> Sequence[Operation]:
        """Return the next operations of any run that are sent or unknown."""
        return self._database.read(operation_from, _UNSETTLED, (after, limit))

    def in_flight(self, system: System, keys: Collection[str], /) -> set[str]:
        """Return those of *keys* on *system* for which an operation of any run is sent or unknown."""
        return {key for (key,) in self._database.rows(_IN_FLIGHT, (system.value, listed(keys)))}

    def drop_planned(self, run: int | None = None, /) -> None:
        """Mark operations that are still planned as dropped: one run's, or all but those of backfills."""
        self._database.write(_DROP, (run,))
        self._database.recent.operations.clear()

    def totals(self, run: int, /) -> Mapping[str, int]:
        """Count a run's `collisions`, its operations as `SYSTEM:KIND:STATE`, and the `holds` and `quarantined` that stand."""
        [(collisions, holds, quarantined)] = self._database.rows(_COUNT_FINDINGS, (run,))
        found = {"collisions": collisions, "holds": holds, "quarantined": quarantined}
        return {**found, **self._database.counted(_PLACES, (run,))}


def _run_from(row: Row) -> RunRow:
    """Return the plan or run of a whole row."""
    id, purpose, started_at, ended_at, ended, facts = row
    return RunRow(
        id=id,
        purpose=purpose,
        started_at=datetime.fromisoformat(started_at),
        ended_at=time_or_none(ended_at),
        ended=ended,
        facts=from_json(facts),
    )
