"""Who tells the demo: somebody who speaks, or nobody."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Protocol

from rich.console import Console

from mkdyn.cli.demo.aloud import Aloud
from mkdyn.cli.demo.edits import Deed
from mkdyn.cli.demo.outcome import Arrival, Chapter, FieldsTold, Matched, Outcome, RecordsTold
from mkdyn.domain import FieldPair
from mkdyn.ports.observer import Event


class Teller(Protocol):
    """Is told the story, step by step."""

    def observe(self, event: Event, /) -> None:
        """Hear what a run does."""
        ...

    def begin(self, name: str, selected: Sequence[FieldPair], /) -> None:
        """Introduce the two systems."""
        ...

    def step(self, title: str, /) -> AbstractContextManager[None]:
        """Head a step, and show its progress while it goes."""
        ...

    def first_sync(self, chapter: Chapter, arrivals: Sequence[Arrival], /) -> None:
        """Tell what the first sync made."""
        ...

    def edits(self, deeds: Sequence[Deed], /) -> None:
        """Tell what people did."""
        ...

    def sync(self, chapter: Chapter, /) -> None:
        """Tell who won, and why."""
        ...

    def idle(self, chapter: Chapter, /) -> None:
        """Tell that nothing was to do."""
        ...

    def field(self, told: FieldsTold, /) -> None:
        """Tell how a field was added, and which one can't be."""
        ...

    def column(self, chapter: Chapter, /) -> None:
        """Tell what a deleted column did, and what not."""
        ...

    def matched(self, matched: Matched, /) -> None:
        """Tell what a first match of both systems would find."""
        ...

    def records(self, told: RecordsTold, /) -> None:
        """Tell what became of records."""
        ...

    def end(self, outcome: Outcome, /) -> None:
        """Tell what the comparison found."""
        ...


class Silence:
    """Tells nothing: stdout belongs to the JSON."""

    def observe(self, event: Event, /) -> None:
        """See `Teller`."""

    def begin(self, name: str, selected: Sequence[FieldPair], /) -> None:
        """See `Teller`."""

    def step(self, _title: str, /) -> AbstractContextManager[None]:
        """See `Teller`."""
        return nullcontext()

    def first_sync(self, chapter: Chapter, arrivals: Sequence[Arrival], /) -> None:
        """See `Teller`."""

    def edits(self, deeds: Sequence[Deed], /) -> None:
        """See `Teller`."""

    def sync(self, chapter: Chapter, /) -> None:
        """See `Teller`."""

    def idle(self, chapter: Chapter, /) -> None:
        """See `Teller`."""

    def field(self, told: FieldsTold, /) -> None:
        """See `Teller`."""

    def column(self, chapter: Chapter, /) -> None:
        """See `Teller`."""

    def matched(self, matched: Matched, /) -> None:
        """See `Teller`."""

    def records(self, told: RecordsTold, /) -> None:
        """See `Teller`."""

    def end(self, outcome: Outcome, /) -> None:
        """See `Teller`."""


def teller(console: Console | None = None) -> Teller:
    """Return one that speaks to stdout, or to the given console."""
    return Aloud(Console(highlight=False) if console is None else console)


if TYPE_CHECKING:
    _silent: type[Teller] = Silence
    _aloud: type[Teller] = Aloud
