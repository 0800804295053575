"""Everything that anybody ever changed in either system: the truth that the promises are checked against."""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterable
from contextlib import contextmanager
from typing import TypeAlias

import attrs

from mkdyn.domain import FieldValue
from mkdyn.domain.outcomes import Update, Write
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
        behind: Whether Marketo's values were.
        sent: The run that sent it, if we wrote it: a request can outlive its caller.
        filled: Whether Marketo filled it in, because we had persons merged: then nobody entered it.
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
    behind: bool
    sent: int
    filled: bool = False


@attrs.define(kw_only=True)
class Sending:
    """A value that we sent to a field of a record, whether or not it arrived.

    Attributes:
        place: Which field.
        value: What we sent.
        run: The run that sent it.
        number: How many changes there were before.
        answered: How many there were when its answer came; None if it never came.
        settled: If it never came: how many there were when the run ended that found out what became of it.
    """

    place: Place
    value: FieldValue
    run: int
    number: int
    answered: int | None = None
    settled: int | None = None


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
        sent: The run that sent it, if we made it.
    """

    number: int
    system: System
    object: str
    key: str
    ours: bool
    other: str | None
    sent: int


@attrs.frozen(kw_only=True)
class Descent:
    """A record that stands for what another one stood for: a lead became a contact, or two records one.

    Attributes:
        number: How many changes there were before it.
        run: How many runs had begun.
        system: Where.
        before: Kind and key of the record that is over.
        after: Those of the record that goes on.
    """

    number: int
    run: int
    system: System
    before: tuple[str, str]
    after: tuple[str, str]


@attrs.define
class Log:
    """Who changed what, in order.

    Attributes:
        changes: Every change.
        makings: Every new record.
        deletions: Which records people deleted, and how many changes there were before.
        removals: The same of whoever deleted them, and of those merged into others.
        sendings: What we sent to records that were there.
        descents: Which records became others.
        bereft: Rows whose person somebody deleted, and how many changes there were before.
        linked: Who was linked after some run: entity, row and person.
        reopenings: Which qualified leads were opened again, and how many changes there were before.
        filling: Whether persons are being merged for us.
        ours: Whether a write of ours is being carried out.
        other: For which record of the other system.
        sent: The run that sent it.
        run: How many runs have begun.
        running: Whether one is going on.
        told: The newest collision in the journal when the run, or the step, began.
        late: Whether Marketo's feed is late.
        behind: Whether Marketo's values are.
    """

    changes: list[Change] = attrs.field(factory=list[Change])
    makings: list[Making] = attrs.field(factory=list[Making])
    deletions: list[tuple[int, System, str, str]] = attrs.field(factory=list[tuple[int, System, str, str]])
    removals: list[tuple[int, System, str, str]] = attrs.field(factory=list[tuple[int, System, str, str]])
    sendings: list[Sending] = attrs.field(factory=list[Sending])
    descents: list[Descent] = attrs.field(factory=list[Descent])
    bereft: list[tuple[int, str]] = attrs.field(factory=list[tuple[int, str]])
    reopenings: list[tuple[int, str]] = attrs.field(factory=list[tuple[int, str]])
    linked: set[tuple[str, str, str]] = attrs.field(factory=set[tuple[str, str, str]])
    filling: bool = False
    ours: bool = False
    other: str | None = None
    sent: int = 0
    run: int = 0
    running: bool = False
    told: int = 0
    late: bool = False
    behind: bool = False

    @contextmanager
    def writing(self, other: str | None, sent: int) -> Generator[None]:
        """Take what happens inside as our own write, made for a record of the other system, sent by that run."""
        self.ours, self.other, self.sent = True, other, sent
        try:
            yield
        finally:
            self.ours, self.other = False, None

    def sending(self, system: System, object: str, writes: Iterable[Write]) -> list[Sending]:
        """Note what we send, and return it: its answer is still to come."""
        sent = [
            Sending(
                place=(system, object, write.key, name), value=value, run=self.run, number=len(self.changes)
            )
            for write in writes if isinstance(write, Update) for name, value in write.values.items()
        ]  # fmt: skip
        self.sendings += sent
        return sent

    def settle(self, unsettled: Collection[tuple[System, str]]) -> None:
        """Note which of the sendings without an answer are settled by now: all but those to these records."""
        for sending in self.sendings:
            lost = sending.answered is None and sending.settled is None
            if lost and (sending.place[0], sending.place[2]) not in unsettled:
                sending.settled = len(self.changes)

    def made(self, system: System, object: str, key: str) -> None:
        """Note a new record."""
        self.makings.append(
            Making(
                number=len(self.changes), system=system, object=object, key=key, ours=self.ours, other=self.other,
                sent=self.sent if self.ours else self.run,
            )
        )  # fmt: skip

    def descended(self, system: System, before: tuple[str, str], after: tuple[str, str]) -> None:
        """Note that a record goes on as another one."""
        self.descents.append(
            Descent(number=len(self.changes), run=self.run, system=system, before=before, after=after)
        )  # fmt: skip

    def changed(self, place: Place, old: FieldValue, new: FieldValue) -> None:
        """Note another value."""
        self.changes.append(
            Change(
                number=len(self.changes), place=place, old=old, new=new, ours=self.ours, other=self.other,
                run=self.run, running=self.running, told=self.told, late=self.late,
                behind=self.behind, sent=self.sent if self.ours else self.run, filled=self.filling,
            )
        )  # fmt: skip

    def values_of(self, place: Place) -> Iterable[FieldValue]:
        """Return what a field has shown, oldest first."""
        return [change.new for change in self.changes if change.place == place]
