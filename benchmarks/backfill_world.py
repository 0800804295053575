"""Two generated systems in which a field is added to linked records, and people go on working meanwhile.

A record's tier follows from its number, like everything else of it. What is kept is a bit for each record whose tier
arrived in Marketo, an entry of Marketo's feed for it, and the few edits that people make.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import attrs

from benchmarks.world import Bits, Log, World, instant
from mkdyn import Entity, Pick, System
from mkdyn.domain import FieldSpec, FieldValue
from mkdyn.domain.feeds import Entry, Evidence

#: The field that is added, and the one that is edited beside it, in each system.
TIER: Final = {System.DYNAMICS: "new_tier", System.MARKETO: "customerTier"}
TITLE: Final = {System.DYNAMICS: "jobtitle", System.MARKETO: "title"}
TIER_PICK: Final = Pick(Entity.CONTACT, TIER[System.DYNAMICS], marketo=TIER[System.MARKETO])


def tier(number: int) -> str:
    """Return the tier that a record has in Dynamics from the start."""
    return f"tier {number % 97}"


@attrs.define(kw_only=True, eq=False)
class TieredWorld(World):
    """What both systems have in common.

    Attributes:
        refreshed: Whose tier was written to Marketo.
        twice: Whose tier was written to Marketo more than once, nobody having edited it.
        edited_values: What edits, and writes of what was edited, left in each system, by number and field.
        changes: How often rows of edited records changed in Dynamics.
    """

    refreshed: Bits = attrs.field(init=False)
    twice: set[int] = attrs.field(factory=set[int], init=False)
    edited_values: Mapping[System, dict[int, dict[str, FieldValue]]] = attrs.field(init=False)
    changes: array[int] = attrs.field(init=False, factory=lambda: array("I"))
    _told: array[int] = attrs.field(init=False, factory=lambda: array("I"))
    _evidence: dict[int, tuple[Evidence, ...]] = attrs.field(init=False, factory=dict[int, tuple[Evidence, ...]])

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        self.refreshed = Bits(self.records)
        self.edited_values = {system: {} for system in System}

    # What it shows

    def times_changed(self, number: int) -> int:
        """See `World`."""
        return self.changes.count(number)

    def log(self, system: System) -> Log:
        """See `World`."""
        return _Log(self, system)

    def specs(self, system: System) -> Mapping[str, FieldSpec]:
        """See `World`; the tier is there from the start, and nobody has selected it yet."""
        return {**super().specs(system), TIER[system]: FieldSpec(name=TIER[system], type="text", length=100)}

    def values(self, system: System, number: int) -> dict[str, FieldValue]:
        """See `World`."""
        found = super().values(system, number)
        found[TIER[system]] = tier(number) if system is System.DYNAMICS or number in self.refreshed else None
        return {**found, **self.edited_values[system].get(number, {})}

    # What people do

    def edit(self, system: System, number: int, names: Mapping[System, str], value: FieldValue) -> None:
        """Let somebody change a field of a record, by both its names, in one system."""
        self._put(system, number, {names[system]: value})

    # What we do

    def take(self, system: System, number: int, values: Mapping[str, FieldValue]) -> None:
        """Take a write of ours: a tier that is due, or what was edited in the other system.

        A plan that is gone on with writes the tier that it was made with, if Marketo has none: a run brings the later
        one.

        Raises:
            ValueError: It is another one.
        """
        touched = any(number in edits for edits in self.edited_values.values())
        if not touched and system is System.MARKETO and values == {TIER[system]: tier(number)}:
            if number in self.refreshed:
                self.twice.add(number)
            self.refreshed.add(number)
            self._told.append(number)
            return
        here, there = self.values(system, number), self.values(system.other, number)
        due = {names[system]: there[names[system.other]] for names in (TIER, TITLE)}
        stale = system is System.MARKETO and here[TIER[system]] is None and values == {TIER[system]: tier(number)}
        if not touched or not (stale or values.items() <= due.items()):
            raise ValueError(f"{system}: {dict(values)} is not what is to be written to record {number}")
        self._put(system, number, values)
        if system is System.MARKETO and TIER[system] in values:
            self.refreshed.add(number)

    def _put(self, system: System, number: int, values: Mapping[str, FieldValue]) -> None:
        before = self.values(system, number)
        self.edited_values[system].setdefault(number, {}).update(values)
        if system is System.DYNAMICS:
            self.changes.append(number)
            return
        self._evidence[len(self._told)] = tuple(
            Evidence(field=name, old=_text(before[name]), new=_text(value)) for name, value in values.items()
        )
        self._told.append(number)

    # What Marketo's feed tells: who was created, then what changed

    def told(self, place: int) -> tuple[int, Sequence[Evidence]]:
        """Return whom an entry after the creations is about, and what it says."""
        number = self._told[place]
        plain = (Evidence(field=TIER[System.MARKETO], old=None, new=tier(number)),)
        return number, self._evidence.get(place, plain)

    def count_told(self) -> int:
        """Return how many entries there are after the creations."""
        return len(self._told)


def _text(value: FieldValue) -> str | None:
    return None if value is None else str(value)


class _Log(Log):
    """One system's feed, as it grows: in Marketo all creations first, in Dynamics the rows that were changed."""

    def __init__(self, world: TieredWorld, system: System) -> None:
        self._tiered, self._of = world, system

    @property
    def end(self) -> int:
        """See `Log`."""
        world = self._tiered
        if self._of is System.DYNAMICS:
            return len(world.changes)
        return world.records + world.count_told() if world.created.count == world.records else 0

    def number(self, place: int) -> int:
        """See `Log`."""
        world = self._tiered
        if self._of is System.DYNAMICS:
            return world.changes[place]
        return place if place < world.records else world.told(place - world.records)[0]

    def entries(self, start: int, end: int) -> Sequence[Entry]:
        """See `Log`."""
        return [
            Entry(id=f"{place:012d}", key=str(self.number(place)), at=instant(place), evidence=tuple(self._said(place)))
            for place in range(start, end)
        ]

    def _said(self, place: int) -> Iterable[Evidence]:
        records = self._tiered.records
        return () if place < records else self._tiered.told(place - records)[1]
