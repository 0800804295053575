"""The hand-written loop that a whole run is compared with: plain dictionaries, plain SQL, no engine.

It does what the engine keeps in its file for a run: the baseline of every record that was
touched is read, the plan is stored before anything is sent, every batch is marked sent on
the disk before it leaves, and its outcome and the baselines that follow are one transaction.
The tables, their indexes and the durability are the engine's own. All else is left out:
its systems are two dictionaries that refuse nothing and lose nothing; feeds are lists of
keys, so nothing is observed, proved or cleared, and no write of its own comes back; no
record is read again before it is written, nothing is held, set aside, guarded or matched,
and it can't go on after a crash.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias, TypeVar

import attrs

from benchmarks.run_file import Collision, LoopFile, Values, Write

#: How many records are decided at a time, and the batches in which the two systems take writes.
_CHUNK: Final = 1_000
_BATCH: Final = {"dynamics": 100, "marketo": 300}

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


@attrs.define
class Plan:
    """What is to be done with a chunk of records."""

    to_dynamics: list[Write] = attrs.field(factory=list[Write])
    to_marketo: list[Write] = attrs.field(factory=list[Write])
    collisions: list[Collision] = attrs.field(factory=list[Collision])
    buried: list[int] = attrs.field(factory=list[int])


class Loop:
    """Two systems in dictionaries, and a file.

    Attributes:
        dynamics: The rows, by GUID.
        marketo: The persons, by id.
        file: What is kept.
    """

    def __init__(self, path: Path, fields: Sequence[Field], row_key: Callable[[str], str]) -> None:
        self.dynamics: dict[str, Values] = {}
        self.marketo: dict[str, Values] = {}
        self.file = LoopFile(path)
        self._fields = fields
        self._row_key = row_key
        self._run = self._links = self._operations = self._persons = 0

    def link(self, keys: Iterable[tuple[str, str]]) -> None:
        """Link rows and persons that agree."""
        self.file.add_links((self._next_link(), row, person, self._agreed(row, person)) for row, person in keys)

    def _agreed(self, row: str, person: str) -> Values:
        in_dynamics, in_marketo = self.dynamics[row], self.marketo[person]
        return {field.dynamics: _both(in_dynamics[field.dynamics], in_marketo[field.marketo]) for field in self._fields}

    def run(self, feed: Feed) -> None:
        """Bring both systems to agreement, once."""
        self._run += 1
        self.file.start(self._run)
        planned: dict[str, list[Write]] = {"dynamics": [], "marketo": []}
        decided: set[int] = set()
        for system, decide, keys in (
            ("dynamics", self._decide, feed.rows),
            ("marketo", self._decide, feed.persons),
            ("dynamics", self._part, feed.deleted_rows),
            ("marketo", self._part, feed.deleted_persons),
        ):
            for chunk in _batched(keys, _CHUNK):
                plan = decide(system, chunk, decided)
                writes = {"dynamics": plan.to_dynamics, "marketo": plan.to_marketo}
                self.file.plan(self._run, writes, plan.collisions, plan.buried, (system, chunk[-1]))
                planned["dynamics"] += plan.to_dynamics
                planned["marketo"] += plan.to_marketo
        for batch in _batched(planned["dynamics"], _BATCH["dynamics"]):
            self._send(self.dynamics, batch, self._make_row)
        for batch in _batched(planned["marketo"], _BATCH["marketo"]):
            self._send(self.marketo, batch, self._make_person)
        self.file.end(self._run)

    # -- plan

    def _decide(self, system: str, keys: Sequence[str], decided: set[int]) -> Plan:
        """Merge linked records, and create the counterparts of the others."""
        plan, strangers = Plan(), dict.fromkeys(keys)
        for asked, link, row, person, baseline in self.file.baselines(system, keys):
            del strangers[asked]
            if link not in decided:
                decided.add(link)
                self._merge(link, row, person, baseline, plan)
        for key in strangers:
            if system == "dynamics":
                self._create_person(key, plan)
            else:
                self._promote(key, plan)
        return plan

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
                plan.collisions.append((row, name, was_d, m, d))
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
        link = self._next_link()
        plan.to_marketo.append(Write(self._next(), "create", row, row, link, {}, after, awaited, {}))

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
        link = self._next_link()
        plan.to_dynamics.append(Write(self._next(), "create", row, person, link, {}, after, awaited, {}))
        given = {"dynamicsId": row}
        plan.to_marketo.append(
            Write(self._next(), "update", person, row, link, {"dynamicsId": None}, given, {"leadid": row}, awaited)
        )

    def _part(self, system: str, keys: Sequence[str], decided: set[int]) -> Plan:
        """Bury the links of deleted records; a person whose row is gone is flagged first."""
        plan, before, after = Plan(), {"dynamicsDeleted": False}, {"dynamicsDeleted": True}
        for _, link, row, person, _ in self.file.baselines(system, keys):
            decided.add(link)
            if system == "dynamics":
                plan.to_marketo.append(Write(self._next(), "flag", person, row, link, before, after, {}, {}))
            else:
                plan.buried.append(link)
        return plan

    # -- sent, outcome

    def _send(
        self, records: Mapping[str, Values], batch: Sequence[Write], make: Callable[[Write], tuple[str, str]]
    ) -> None:
        """Mark a batch as sent, write it, and remember the outcome."""
        self.file.sent(batch)
        made: list[tuple[int, str, str, Values]] = []
        for write in batch:
            write.baseline.update(write.awaited)
            if write.kind == "create":
                made.append((write.link, *make(write), write.baseline))
            else:
                records[write.key].update(write.after)
        self.file.applied(batch, made)

    def _make_row(self, write: Write) -> tuple[str, str]:
        self.dynamics[write.key] = dict(write.after)
        return write.key, write.other

    def _make_person(self, write: Write) -> tuple[str, str]:
        self._persons += 1
        person = f"new-{self._persons}"
        self.marketo[person] = {**write.after, "dynamicsDeleted": False}
        return write.other, person

    # -- small things

    def _next(self) -> int:
        self._operations += 1
        return self._operations

    def _next_link(self) -> int:
        self._links += 1
        return self._links


def _both(dynamics: object, marketo: object) -> object:
    """Return a baseline: one value where both systems show the same."""
    return dynamics if dynamics == marketo else [dynamics, marketo]


def _batched(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (items[start : start + size] for start in range(0, len(items), size))
