"""The file of the hand-written loop: the engine's tables, indexes and durability, written to by plain SQL."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias

from mkdyn.adapters.sqlite.files import connect, prepare
from mkdyn.domain.values import from_json, to_json

_BASELINES: Final = """
    SELECT asked, link.id, dynamics, marketo, baseline
    FROM (SELECT value AS asked FROM json_each(?)) CROSS JOIN link ON link.{system} = asked
    WHERE state IN ('live', 'suspended', 'frozen') AND entity = 'lead'
"""
_ADD_OPERATION: Final = (
    "INSERT INTO operation (id, run, system, kind, key, state, detail) VALUES (?, ?, ?, ?, ?, ?, '')"
)
_ADD_WRITING: Final = """
    INSERT INTO writing (operation, link, entity, other, before, after, awaited, attempt, because, step)
    VALUES (?, ?, 'lead', ?, ?, ?, ?, 0, '', '[]')
"""
_ADD_COLLISION: Final = """
    INSERT INTO collision (run, entity, key, field, was, marketo, dynamics, winner, because, kind)
    VALUES (?, 'lead', ?, ?, ?, ?, ?, 'marketo', '', 'collision')
"""
_ADD_LINK: Final = """
    INSERT INTO link (id, entity, object, dynamics, marketo, state, origin, baseline, echoes, attempt)
    VALUES (?, 'lead', 'lead', ?, ?, 'live', '', ?, '{}', 0)
"""
_SENT: Final = "UPDATE operation SET state = 'sent', sent_at = ? WHERE id IN (SELECT value FROM json_each(?))"
_APPLIED: Final = "UPDATE operation SET state = 'applied' WHERE id = ?"
_AGREED: Final = "UPDATE link SET baseline = ? WHERE id = ?"
_BURIED: Final = "UPDATE link SET state = 'tombstone' WHERE id = ?"
_CURSOR: Final = "INSERT OR REPLACE INTO cursor (feed, token, at) VALUES (?, ?, ?)"
_START: Final = "INSERT INTO run (id, purpose, started_at, facts) VALUES (?, 'run', ?, '{}')"
_END: Final = "UPDATE run SET ended_at = ?, ended = 'done' WHERE id = ?"

#: One system's values of one record, or baselines: two values are a list.
Values: TypeAlias = dict[str, Any]
#: A collision: row, field, what it was, Marketo's value, Dynamics' value.
Collision: TypeAlias = tuple[str, str, object, object, object]


class Write(NamedTuple):
    """A planned write, and what is remembered once it was answered."""

    id: int
    kind: str
    key: str
    other: str
    link: int
    before: Values
    after: Values
    awaited: Values
    baseline: Values


class LoopFile:
    """What the loop keeps, a method for each transaction."""

    def __init__(self, path: Path) -> None:
        self._connection = connect(path, patience_s=0)
        prepare(self._connection)

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def add_links(self, links: Iterable[tuple[int, str, str, Values]]) -> None:
        """Keep links of records that agree: number, row, person, baseline."""
        with self._transaction():
            self._connection.executemany(_ADD_LINK, ((*keys, to_json(baseline)) for *keys, baseline in links))

    def links(self) -> Iterator[tuple[str, str, str, Values]]:
        """Yield every link: row, person, state, baseline."""
        for *keys, baseline in self._connection.execute("SELECT dynamics, marketo, state, baseline FROM link"):
            row, person, state = keys
            yield row, person, state, from_json(baseline)

    def baselines(self, system: str, keys: Sequence[str]) -> Iterator[tuple[str, int, str, str, Values]]:
        """Yield the living links of these records: key, number, row, person, baseline."""
        found = self._connection.execute(_BASELINES.format(system=system), (json.dumps(keys),))
        for asked, link, row, person, baseline in found:
            yield asked, link, row, person, from_json(baseline)

    def start(self, run: int) -> None:
        """Begin a run."""
        self._connection.execute(_START, (run, _now()))

    def end(self, run: int) -> None:
        """End it."""
        self._connection.execute(_END, (_now(), run))

    def plan(
        self,
        run: int,
        writes: Mapping[str, Sequence[Write]],
        collisions: Iterable[Collision],
        buried: Iterable[int],
        cursor: tuple[str, str],
    ) -> None:
        """Keep what is to be written, what collided, which links are over, and where the feed goes on."""
        with self._transaction():
            for system, planned in writes.items():
                self._add_writes(run, system, planned)
            self._connection.executemany(
                _ADD_COLLISION, ((run, row, field, *map(to_json, values)) for row, field, *values in collisions)
            )
            self._connection.executemany(_BURIED, ((link,) for link in buried))
            self._connection.execute(_CURSOR, (*cursor, _now()))

    def _add_writes(self, run: int, system: str, writes: Sequence[Write]) -> None:
        self._connection.executemany(
            _ADD_OPERATION, ((write.id, run, system, write.kind, write.key, "planned") for write in writes)
        )
        self._connection.executemany(
            _ADD_WRITING,
            (
                (id, link, other, to_json(before), to_json(after), to_json(awaited))
                for id, _, _, other, link, before, after, awaited, _ in writes
            ),
        )

    def sent(self, batch: Sequence[Write]) -> None:
        """Mark a batch as sent, before it leaves."""
        with self._transaction():
            self._connection.execute(_SENT, (_now(), json.dumps([write.id for write in batch])))

    def applied(self, batch: Sequence[Write], made: Iterable[tuple[int, str, str, Values]]) -> None:
        """Keep a batch's outcome: baselines that move, links that are made or over."""
        with self._transaction():
            self._connection.executemany(_APPLIED, ((write.id,) for write in batch))
            self._connection.executemany(
                _AGREED, ((to_json(write.baseline), write.link) for write in batch if write.kind == "update")
            )
            self._connection.executemany(_ADD_LINK, ((*keys, to_json(baseline)) for *keys, baseline in made))
            self._connection.executemany(_BURIED, ((write.link,) for write in batch if write.kind == "flag"))

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        yield
        self._connection.execute("COMMIT")


def _now() -> str:
    return datetime.now(UTC).isoformat()  # noqa: TID251 - a program of its own
