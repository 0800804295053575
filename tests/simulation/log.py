"""Everything that anybody ever changed in either system: the truth that the promises are checked against."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import contextmanager
from typing import TypeAlias

import attrs

from mkdyn.domain import FieldValue
from mkdyn.domain.systems import System

#: One field of one record: system, object, key, field.
Place: TypeAlias = tuple[System, str, str, str]


@attrs.frozen(kw_only=True)
class Change:
    """One field that took another value.

    Attributes:
        number: Its place in the log.
        place: Which field.
        old: What it showed.
        new: What it shows now.
        ours: Whether we wrote it; else it was somebody's own hand.
        other: Our writes: the key of the counterpart whose value this is.
        run: The number of our runs that had begun by then.
        running: Whether a run was going on.
        told: The newest collision in the journal when the run, or the step, began.
        late: Whether Marketo's feed was late.
    """

    number: int
    place: Place
    old: FieldValue
    new: FieldValue
    ours: bool
    other: str | None
    run: int
    running: bool
    told: int
    late: bool


@attrs.frozen(kw_only=True)
class Making:
    """A record that was made.

    Attributes:
        number: How many changes there were before it.
        system: Where.
        object: The system's name of its kind.
        key: Its key.
        ours: Whether we made it.
        other: Our creates: the key of the record it was made for.
    """

    number: int
    system: System
    object: str
    key: str
    ours: bool
    other: str | None


@attrs.define
class Log:
    """Who changed what, in order.

    Attributes:
        changes: Every change.
        makings: Every new record.
        deletions: Which records people deleted, and how many changes there were before.
        ours: Whether a write of ours is being carried out.
        other: For which record of the other system.
        run: How many runs have begun.
        running: Whether one is going on.
        told: The newest collision in the journal when the run, or the step, began.
        late: Whether Marketo's feed is late.
    """

    changes: list[Change] = attrs.field(factory=list[Change])
    makings: list[Making] = attrs.field(factory=list[Making])
    deletions: list[tuple[int, System, str, str]] = attrs.field(factory=list[tuple[int, System, str, str]])
    ours: bool = False
    other: str | None = None
    run: int = 0
    running: bool = False
    told: int = 0
    late: bool = False

    @contextmanager
    def writing(self, other: str | None) -> Generator[None]:
        """Take what happens inside as our own write, made for a record of the other system."""
        self.ours, self.other = True, other
        try:
            yield
        finally:
            self.ours, self.other = False, None

    def made(self, system: System, object: str, key: str) -> None:
        """Note a new record."""
        self.makings.append(
            Making(
                number=len(self.changes), system=system, object=object, key=key, ours=self.ours, other=self.other
            )
        )  # fmt: skip

    def changed(self, place: Place, old: FieldValue, new: FieldValue) -> None:
        """Note another value."""
        self.changes.append(
            Change(
                number=len(self.changes), place=place, old=old, new=new, ours=self.ours, other=self.other,
                run=self.run, running=self.running, told=self.told, late=self.late,
            )
        )  # fmt: skip

    def values_of(self, place: Place) -> Iterable[FieldValue]:
        """Return what a field has shown, oldest first."""
        return [change.new for change in self.changes if change.place == place]
