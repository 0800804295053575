"""The hand-written loop that a whole run is compared with: plain dictionaries, plain SQL, no engine.

It does what the engine keeps in its file for a run: the baseline of every record that was
touched is read, the plan is stored before anything is sent, every batch is marked sent on
the disk before it leaves, and its outcome and the baselines that follow are one transaction.
The tables, their indexes and the durability are the engine's own. All else is left out:
its systems are two dictionaries that refuse nothing and lose nothing; feeds are lists of
keys, so nothing is observed, proved or cleared; no record is read again before it is written,
nothing is held, set aside, guarded or matched, and it can't go on after a crash.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias, TypeVar

import attrs

from mkdyn.adapters.sqlite.files import connect, prepare
from mkdyn.domain.values import from_json, to_json

#: How many records are decided at a time, and the batches in which the two systems take writes.
_CHUNK: Final = 1_000
_BATCH: Final = {"dynamics": 100, "marketo": 300}

_BASELINES: Final = """
    SELECT asked, link.id, dynamics, marketo, baseline
    FROM (SELECT value AS asked FROM json_each(?)) CROSS JOIN link ON link.{system} = asked
    WHERE state IN ('live', 'suspended') AND entity = 'lead'
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

#: One system's values of one record.
Values: TypeAlias = dict[str, Any]
Carry: TypeAlias = Callable[[Any], Any]
T = TypeVar("T")


class Field(NamedTuple):
    """A pair of fields, and how a value that is not empty gets from one to the other; None where it stays as it is."""

    dynamics: str
    marketo: str
    to_marketo: Carry | None = None
    to_dynamics: Carry | None = None


@attrs.define
class Feed:
    """What both systems say has changed: keys."""

    rows: list[str] = attrs.field(factory=list[str])
    persons: list[str] = attrs.field(factory=list[str])
    deleted_rows: list[str] = attrs.field(factory=list[str])
    deleted_persons: list[str] = attrs.field(factory=list[str])


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


@attrs.define
class Plan:
    """What is to be written, and the collisions (run, row, field, was, Marketo's value, Dynamics' value)."""

    to_dynamics: list[Write] = attrs.field(factory=list[Write])
    to_marketo: list[Write] = attrs.field(factory=list[Write])
    collisions: list[Sequence[object]] = attrs.field(factory=list[Sequence[object]])


class Loop:
    """Two systems in dictionaries, and a file.

    Attributes:
        dynamics: The rows, by GUID.
        marketo: The persons, by id.
    """

    def __init__(self, path: Path, fields: Sequence[Field], row_key: Callable[[str], str]) -> None:
        self.dynamics: dict[str, Values] = {}
        self.marketo: dict[str, Values] = {}
        self._fields = fields
        self._row_key = row_key
        self._connection = connect(path, patience_s=0)
        prepare(self._connection)
        self._run = self._links = self._operations = self._persons = 0

    def link(self, keys: Iterable[tuple[str, str]]) -> None:
        """Link rows and persons that agree."""
        with self._transaction():
            self._connection.executemany(_ADD_LINK, (self._link_row(row, person) for row, person in keys))

    def links(self) -> Iterator[tuple[str, str, str, Values]]:
        """Yield every link: the row's key, the person's, its state, and its baselines."""
        for dynamics, marketo, state, baseline in self._connection.execute(
            "SELECT dynamics, marketo, state, baseline FROM link"
        ):
            yield dynamics, marketo, state, from_json(baseline)

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def run(self, feed: Feed) -> None:
        """Bring both systems to agreement, once."""
        self._run += 1
        self._connection.execute(
            "INSERT INTO run (id, purpose, started_at, facts) VALUES (?, 'run', ?, '{}')", (self._run, _now())
        )
        planned: dict[str, list[Write]] = {"dynamics": [], "marketo": []}
        decided: set[int] = set()
        for system, changed, deleted in (
            ("dynamics", feed.rows, feed.deleted_rows),
            ("marketo", feed.persons, feed.deleted_persons),
        ):
            for chunk in _batched(changed, _CHUNK):
                self._decide(system, chunk, planned, decided)
            for chunk in _batched(deleted, _CHUNK):
                self._part(system, chunk, planned)
        for system, writes in planned.items():
            for batch in _batched(writes, _BATCH[system]):
                self._send(system, batch)
        self._connection.execute("UPDATE run SET ended_at = ?, ended = 'done' WHERE id = ?", (_now(), self._run))

    # -- plan

    def _decide(self, system: str, keys: Sequence[str], planned: dict[str, list[Write]], decided: set[int]) -> None:
        """Merge linked records, create the counterparts of the others, and store all that as a plan."""
        plan = Plan()
        strangers = dict.fromkeys(keys)
        found = self._connection.execute(_BASELINES.format(system=system), (json.dumps(keys),))
        for asked, link, row, person, baseline in found:
            del strangers[asked]
            if link not in decided:
                decided.add(link)
                self._merge(link, row, person, from_json(baseline), plan)
        for key in strangers:
            if system == "dynamics":
                self._create_person(key, plan)
            else:
                self._promote(key, plan)
        with self._transaction():
            self._store("dynamics", plan.to_dynamics)
            self._store("marketo", plan.to_marketo)
            self._connection.executemany(_ADD_COLLISION, plan.collisions)
            self._connection.execute(_CURSOR, (system, keys[-1], _now()))
        planned["dynamics"] += plan.to_dynamics
        planned["marketo"] += plan.to_marketo

    def _merge(self, link: int, row: str, person: str, baseline: Values, plan: Plan) -> None:
        """Merge one record, field by field; where both changed, Marketo wins, as for all leads."""
        in_dynamics, in_marketo = self.dynamics[row], self.marketo[person]
        before_d, after_d, awaited_d = Values(), Values(), Values()
        before_m, after_m, awaited_m = Values(), Values(), Values()
        for name, marketo_name, to_marketo, to_dynamics in self._fields:
            was, d, m = baseline[name], in_dynamics[name], in_marketo[marketo_name]
            was_d, was_m = was if type(was) is list else (was, was)
            if d == was_d and m == was_m:
                continue
            if m == was_m:
                there = d if to_marketo is None or d is None else to_marketo(d)
                before_m[marketo_name], after_m[marketo_name], awaited_m[name] = m, there, _both(d, there)
                continue
            there = m if to_dynamics is None or m is None else to_dynamics(m)
            if d == there:
                baseline[name] = _both(d, m)
                continue
            if d != was_d:
                plan.collisions.append((self._run, row, name, to_json(was_d), to_json(m), to_json(d)))
            before_d[name], after_d[name], awaited_d[name] = d, there, _both(there, m)
        if after_d:
            write = Write(self._next(), "update", row, person, link, before_d, after_d, awaited_d, baseline)
            plan.to_dynamics.append(write)
        if after_m:
            write = Write(self._next(), "update", person, row, link, before_m, after_m, awaited_m, baseline)
            plan.to_marketo.append(write)

    def _create_person(self, row: str, plan: Plan) -> None:
        values = self.dynamics[row]
        after: Values = {}
        awaited: Values = {}
        for name, marketo_name, to_m, _ in self._fields:
            d = values[name]
            after[marketo_name] = there = d if to_m is None or d is None else to_m(d)
            awaited[name] = _both(d, there)
        self._links += 1
        plan.to_marketo.append(Write(self._next(), "create", row, row, self._links, {}, after, awaited, {}))

    def _promote(self, person: str, plan: Plan) -> None:
        """Create a row for a person that fits the rule, and give the person its key."""
        values = self.marketo[person]
        if values["lastName"] is None:
            return
        row, after, awaited = self._row_key(person), Values(), Values()
        for name, marketo_name, _, to_d in self._fields:
            m = values[marketo_name]
            after[name] = there = m if to_d is None or m is None else to_d(m)
            awaited[name] = _both(there, m)
        after["leadid"], awaited["leadid"] = row, [row, None]
        self._links += 1
        plan.to_dynamics.append(Write(self._next(), "create", row, person, self._links, {}, after, awaited, {}))
        given = {"dynamicsId": row}
        plan.to_marketo.append(
            Write(
                self._next(), "update", person, row, self._links, {"dynamicsId": None}, given, {"leadid": row}, awaited
            )
        )

    def _part(self, system: str, keys: Sequence[str], planned: dict[str, list[Write]]) -> None:
        """Bury the links of deleted records; a person whose row is gone is flagged."""
        found = self._connection.execute(_BASELINES.format(system=system), (json.dumps(keys),)).fetchall()
        flags = [
            Write(
                self._next(), "flag", person, row, link, {"dynamicsDeleted": False}, {"dynamicsDeleted": True}, {}, {}
            )
            for _, link, row, person, _ in found
            if system == "dynamics"
        ]
        with self._transaction():
            self._store("marketo", flags)
            if system == "marketo":
                self._connection.executemany(_BURIED, ((link,) for _, link, _, _, _ in found))
        planned["marketo"] += flags

    def _store(self, system: str, writes: Sequence[Write]) -> None:
        self._connection.executemany(
            _ADD_OPERATION, ((write.id, self._run, system, write.kind, write.key, "planned") for write in writes)
        )
        self._connection.executemany(
            _ADD_WRITING,
            (
                (id, link, other, to_json(before), to_json(after), to_json(awaited))
                for id, _, _, other, link, before, after, awaited, _ in writes
            ),
        )

    # -- sent, outcome

    def _send(self, system: str, batch: Sequence[Write]) -> None:
        """Mark a batch as sent, write it, and remember the outcome."""
        with self._transaction():
            self._connection.execute(_SENT, (_now(), json.dumps([write.id for write in batch])))
        records = self.dynamics if system == "dynamics" else self.marketo
        made: dict[int, str] = {}
        for write in batch:
            if write.kind != "create":
                records[write.key].update(write.after)
            elif system == "dynamics":
                records[write.key] = dict(write.after)
            else:
                self._persons += 1
                made[write.link] = person = f"new-{self._persons}"
                records[person] = {**write.after, "dynamicsDeleted": False}
        for write in batch:
            write.baseline.update(write.awaited)
        with self._transaction():
            self._connection.executemany(_APPLIED, ((write.id,) for write in batch))
            self._connection.executemany(
                _AGREED, ((to_json(write.baseline), write.link) for write in batch if write.kind == "update")
            )
            self._connection.executemany(
                _ADD_LINK,
                (
                    (write.link, write.other, made[write.link], to_json(write.baseline))
                    if system == "marketo"
                    else (write.link, write.key, write.other, to_json(write.baseline))
                    for write in batch
                    if write.kind == "create"
                ),
            )
            self._connection.executemany(_BURIED, ((write.link,) for write in batch if write.kind == "flag"))

    # -- small things

    def _link_row(self, row: str, person: str) -> Sequence[object]:
        self._links += 1
        in_dynamics, in_marketo = self.dynamics[row], self.marketo[person]
        baseline = {
            field.dynamics: _both(in_dynamics[field.dynamics], in_marketo[field.marketo]) for field in self._fields
        }
        return self._links, row, person, to_json(baseline)

    def _next(self) -> int:
        self._operations += 1
        return self._operations

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        yield
        self._connection.execute("COMMIT")


def _both(dynamics: object, marketo: object) -> object:
    """Return a baseline: one value where both systems show the same."""
    return dynamics if dynamics == marketo else [dynamics, marketo]


def _batched(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (items[start : start + size] for start in range(0, len(items), size))


def _now() -> str:
    return datetime.now(UTC).isoformat()  # noqa: TID251 - a program of its own
