"""What two generated systems show: it follows from a record's number, and from what was written so far.

There is one person for each number: a contact in Dynamics, and a person in Marketo once it was created there. For each
of our writes a bit is kept, so a million records take less than half a mebibyte.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import attrs

from benchmarks.workload import Workload
from mkdyn import Entity, Pick, System
from mkdyn.domain import FieldSpec, FieldValue
from mkdyn.domain.feeds import Entry, Evidence

#: When everything begins, by both systems' clocks.
DAY: Final = datetime(2026, 1, 1, tzinfo=UTC)

#: The field by which persons are matched, and the one that people edit, in each system.
_EMAIL: Final = {System.DYNAMICS: "emailaddress1", System.MARKETO: "email"}
_TITLE: Final = {System.DYNAMICS: "jobtitle", System.MARKETO: "title"}
_GUID_TAIL: Final = "-0000-4000-8000-000000000000"


def guid(number: int) -> str:
    """Return the GUID of the row of a number."""
    return f"{number:08x}{_GUID_TAIL}"


def number_of_row(key: str) -> int:
    """Return the number of the row of a GUID."""
    return int(key.removesuffix(_GUID_TAIL), 16)


def number_of_email(email: str) -> int:
    """Return the number of the person of an e-mail address."""
    return int(email.removeprefix("person").removesuffix("@example.com"))


class Bits:
    """A set of numbers, one bit each."""

    def __init__(self, size: int) -> None:
        self._bits = bytearray(size // 8 + 1)
        self.count = 0

    def add(self, number: int) -> None:
        """Put a number in."""
        self.count += number not in self
        self._bits[number >> 3] |= 1 << (number & 7)

    def __contains__(self, number: int) -> bool:
        return bool(self._bits[number >> 3] >> (number & 7) & 1)


@attrs.define(kw_only=True, eq=False)
class World:
    """What both systems have in common.

    Attributes:
        records: How many persons there are.
        workload: Their fields, beside the e-mail address and the job title.
        heads: How many of the first persons get another job title in Dynamics, once `edited`.
        chiefs: How many of the last persons get another job title in Marketo, once `edited`.
        edited: Whether people have made their edits.
        created: Who is in Marketo.
        carried: In which system the other's edit has arrived, person by person.
    """

    records: int
    workload: Workload
    heads: int
    chiefs: int
    edited: bool = False
    created: Bits = attrs.field(init=False)
    carried: Mapping[System, Bits] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.created = Bits(self.records)
        self.carried = {system: Bits(self.records) for system in System}

    def edited_in(self, system: System) -> range:
        """Return whose job title people change in *system*."""
        return range(self.heads) if system is System.DYNAMICS else range(self.records - self.chiefs, self.records)

    def new_title(self, system: System, number: int) -> str | None:
        """Return the job title that *system* shows since it was edited, there or in the other one."""
        if not self.edited:
            return None
        for where, title in ((System.DYNAMICS, "Head"), (System.MARKETO, "Chief")):
            if number in self.edited_in(where) and (where is system or number in self.carried[system]):
                return f"{title} {number}"
        return None

    def times_changed(self, number: int) -> int:
        """Return how often a row of Dynamics was changed, by anybody."""
        return (self.edited and number in self.edited_in(System.DYNAMICS)) + (number in self.carried[System.DYNAMICS])

    def log(self, system: System) -> Log:
        """Return a system's feed as it is now."""
        return Log(self, system)

    def specs(self, system: System) -> Mapping[str, FieldSpec]:
        """Return the fields of a person that are not keys, as *system* describes them."""
        texts = [FieldSpec(name=name, type="text", length=100) for name in (_EMAIL[system], _TITLE[system])]
        own = self.workload.dynamics_columns() if system is System.DYNAMICS else self.workload.marketo_fields()
        return {spec.name: spec for spec in (*texts, *own)}

    def picks(self) -> Iterable[Pick]:
        """Return the fields as somebody selects them."""
        for names in (_EMAIL, _TITLE):
            yield Pick(Entity.CONTACT, names[System.DYNAMICS], marketo=names[System.MARKETO])
        for pair in self.workload.pairs:
            yield Pick(Entity.CONTACT, pair.dynamics, marketo=pair.marketo)

    def values(self, system: System, number: int) -> dict[str, FieldValue]:
        """Return what *system* shows of a number, the fields that hold keys left out."""
        found = self.workload.dynamics(number) if system is System.DYNAMICS else self.workload.marketo(number)
        found[_EMAIL[system]] = f"person{number}@example.com"
        found[_TITLE[system]] = self.new_title(system, number) or f"Clerk {number % 1000}"
        return found

    def reader(self, system: System, fields: Collection[str]) -> Callable[[int], dict[str, FieldValue]]:
        """Return what makes the values of these fields of a number."""
        wanted = [name for name in self.specs(system) if name in fields]

        def shown(number: int) -> dict[str, FieldValue]:
            values = self.values(system, number)
            return {name: values[name] for name in wanted}

        return shown

    def take(self, system: System, number: int, values: Mapping[str, FieldValue]) -> None:
        """Take a write of ours: the job title that was edited in the other system, and nothing else.

        Raises:
            ValueError: It is another one.
        """
        title = "Head" if system is System.MARKETO else "Chief"
        if number not in self.edited_in(system.other) or values != {_TITLE[system]: f"{title} {number}"}:
            raise ValueError(f"{system}: that is not what is to be written to record {number}")
        self.carried[system].add(number)


class Log:
    """One system's feed: in Marketo who was created, then what people edited, then what we wrote.

    A stretch is there as soon as all of it has happened; runs read feeds before they write.
    """

    def __init__(self, world: World, system: System) -> None:
        self._world, self._system = world, system
        created = world.records if system is System.MARKETO else 0
        edits, writes = world.edited_in(system), world.edited_in(system.other)
        self._starts = (0, created, created + len(edits), created + len(edits) + len(writes))
        self._edits, self._writes = edits, writes

    @property
    def end(self) -> int:
        """Where the log ends now."""
        world = self._world
        if world.created.count < self._starts[1]:
            return 0
        if not world.edited:
            return self._starts[1]
        return self._starts[3 if world.carried[self._system].count == len(self._writes) else 2]

    def number(self, place: int) -> int:
        """Return whom an entry is about."""
        _, edits, writes, _ = self._starts
        if place < edits:
            return place
        return self._edits[place - edits] if place < writes else self._writes[place - writes]

    def entries(self, start: int, end: int) -> Sequence[Entry]:
        """Return a stretch as Marketo tells it."""
        return [
            Entry(
                id=f"{place:012d}",
                key=str(self.number(place)),
                at=instant(place),
                evidence=tuple(self._evidence(place)),
            )
            for place in range(start, end)
        ]

    def _evidence(self, place: int) -> Iterable[Evidence]:
        if place >= self._starts[1]:
            number = self.number(place)
            title = "Chief" if place < self._starts[2] else "Head"
            yield Evidence(field="title", old=f"Clerk {number % 1000}", new=f"{title} {number}")


def instant(place: int) -> datetime:
    """Return when the entry at a place of the log happened."""
    return DAY + timedelta(milliseconds=place)
