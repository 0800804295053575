"""Tell the demo: with live progress on a terminal, in plain lines elsewhere, or not at all.

Nothing is hidden here: the data is the demo's own.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from types import TracebackType
from typing import TYPE_CHECKING, Final, Protocol, Self

from rich.console import Console
from rich.padding import Padding
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn
from rich.table import Table
from rich.text import Text

from mkdyn.cli.demo.crm import Crm
from mkdyn.cli.demo.edits import Deed
from mkdyn.cli.demo.outcome import Arrival, Chapter, Outcome
from mkdyn.domain import Entity, FieldPair, Resolution, System
from mkdyn.domain.counts import duration
from mkdyn.engine.report import Report
from mkdyn.ports.observer import BatchWritten, Event, PageGathered

#: How many collisions, holds, quarantined records or warnings are told; the state has all.
_HANDFUL: Final = 6
_INDENT: Final = 3
_NARROWEST: Final = 20


class Teller(Protocol):
    """Is told the story, step by step."""

    def observe(self, event: Event, /) -> None:
        """Hear what a run does."""
        ...

    def begin(self, crm: Crm, selected: Sequence[FieldPair], /) -> None:
        """Introduce the two systems."""
        ...

    def step(self, title: str, /) -> AbstractContextManager[None]:
        """Head a step, and show its progress while it goes."""
        ...

    def first_sync(self, chapter: Chapter, arrivals: Sequence[Arrival], /) -> None:
        """Tell what the first sync made."""
        ...

    def edits(self, deeds: Sequence[Deed], refused: Sequence[str], /) -> None:
        """Tell what people did, and what was refused."""
        ...

    def sync(self, chapter: Chapter, /) -> None:
        """Tell who won, and why."""
        ...

    def idle(self, chapter: Chapter, /) -> None:
        """Tell that nothing was to do."""
        ...

    def end(self, outcome: Outcome, /) -> None:
        """Tell what the comparison found."""
        ...


class Silence:
    """Tells nothing: stdout belongs to the JSON."""

    def observe(self, event: Event, /) -> None:
        """See `Teller`."""

    def begin(self, crm: Crm, selected: Sequence[FieldPair], /) -> None:
        """See `Teller`."""

    def step(self, _title: str, /) -> AbstractContextManager[None]:
        """See `Teller`."""
        return nullcontext()

    def first_sync(self, chapter: Chapter, arrivals: Sequence[Arrival], /) -> None:
        """See `Teller`."""

    def edits(self, deeds: Sequence[Deed], refused: Sequence[str], /) -> None:
        """See `Teller`."""

    def sync(self, chapter: Chapter, /) -> None:
        """See `Teller`."""

    def idle(self, chapter: Chapter, /) -> None:
        """See `Teller`."""

    def end(self, outcome: Outcome, /) -> None:
        """See `Teller`."""


def teller(console: Console | None = None) -> Teller:
    """Return one that speaks to stdout, or to the given console."""
    return _Aloud(Console(highlight=False) if console is None else console)


class _Aloud:
    """Tells a person."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._steps = 0
        self._progress: _Progress | None = None

    def observe(self, event: Event, /) -> None:
        if self._progress is not None:
            self._progress.show(event)

    def begin(self, crm: Crm, selected: Sequence[FieldPair], /) -> None:
        self._say(Text.assemble(("mkdyn demo", "bold"), f" · {crm.name}"), indent=0)
        self._say(
            f"Two systems in memory. Dynamics has everything, Marketo is empty; {len(selected)} fields are selected to "
            "sync. Leads and contacts sync both ways, everything else from Dynamics to Marketo.",
            indent=0,
        )

    @contextmanager
    def step(self, title: str, /) -> Generator[None]:
        self._steps += 1
        self._console.print()
        self._say(Text(f"{self._steps}  {title}", style="bold cyan"), indent=0)
        if not self._console.is_terminal:
            yield
            return
        with _Progress(self._console) as self._progress:
            yield
        self._progress = None

    def first_sync(self, chapter: Chapter, arrivals: Sequence[Arrival], /) -> None:
        self._runs(chapter)
        self._console.print()
        table = _table("", "in Dynamics", "in Marketo")
        for arrival in arrivals:
            name = arrival.entity.plural if isinstance(arrival.entity, Entity) else str(arrival.entity)
            table.add_row(name, f"{arrival.rows:,}", f"{arrival.linked:,}", f"as {arrival.entity.marketo_object}")
        self._show(table)
        self._kept_back(chapter)

    def edits(self, deeds: Sequence[Deed], refused: Sequence[str], /) -> None:
        for deed in deeds:
            self._say(f"{deed.count:>3}  {deed.what}", hanging=5)
        for message in refused:
            self._say(Text.assemble(("refused: ", "bold yellow"), message))

    def sync(self, chapter: Chapter, /) -> None:
        self._runs(chapter)
        self._console.print()
        counted = chapter.collisions()
        table = _table("changed in both", *(f"{system} won" for system in System))
        for entity in (Entity.LEAD, Entity.CONTACT):
            table.add_row(entity.plural, *(f"{counted.get((entity, system), 0):,}" for system in System))
        self._show(table)
        self._say("The value that lost is kept in the state. A handful:")
        for resolution in _handful(chapter.of_kind("collision")):
            self._resolution(resolution)
        put_back = chapter.of_kind("one-way")
        if put_back:
            self._say("Edited in Marketo where it only receives, and put back:")
            for resolution in put_back[:_HANDFUL]:
                self._resolution(resolution)
            self._say(
                "No feed tells of companies. Each run compares a next piece of all links with both systems: "
                f"run {chapter.reports[-1].id} came to this one."
            )
        self._kept_back(chapter)

    def idle(self, chapter: Chapter, /) -> None:
        self._runs(chapter)
        self._kept_back(chapter)

    def end(self, outcome: Outcome, /) -> None:
        verified = outcome.verified
        self._say(
            f"{verified.records:,} pairs of records, {verified.pairs_compared:,} pairs of values: "
            f"{verified.differences:,} differences, {verified.duplicates:,} duplicates"
        )
        if outcome.exit_code == 0:
            self._say(Text("Both systems agree.", style="bold green"))
        else:
            self._say(Text(f"They do not agree yet; {outcome.kept_back:,} kept back.", style="bold red"))

    def _runs(self, chapter: Chapter) -> None:
        table = _table("", "time", *(f"→ {system}" for system in System), "collided", "put back", "held", "set aside")
        for run in chapter.runs:
            report = run.report
            table.add_row(
                f"run {report.id}",
                duration(report.seconds),
                *(f"{report.counts[system].total:,}" for system in System),
                f"{len(run.of_kind('collision')):,}",
                f"{len(run.of_kind('one-way')):,}",
                f"{report.holds.total:,}",
                f"{report.quarantined.total:,}",
            )
        self._show(table)
        calls = " and ".join(f"{chapter.calls(system):,} to {system}" for system in System)
        self._say(Text(f"Changes looked at: {chapter.observed:,}. Calls: {calls}.", style="dim"))

    def _kept_back(self, chapter: Chapter) -> None:
        """Name what was held, set aside or warned of; the first of each."""
        for report in chapter.reports:
            for item in _troubles(report):
                self._say(Text(item, style="yellow"))

    def _resolution(self, resolution: Resolution) -> None:
        what, _, values = resolution.text(values="shown").partition(": ")
        won, _, rest = values.partition(" over ")
        self._say(Text.assemble("· ", (what, "bold"), ": ", (won, "green"), f" over {rest}"), hanging=2)

    def _say(self, text: str | Text, *, indent: int = _INDENT, hanging: int = 0) -> None:
        """Print one paragraph: wrapped at the terminal's width, or as one line where there is none."""
        line = Text(text) if isinstance(text, str) else text
        if not self._console.is_terminal:
            self._console.print(Text(" " * indent).append_text(line), soft_wrap=True)
            return
        rows = line.wrap(self._console, max(self._console.width - indent - hanging, _NARROWEST))
        for place, row in enumerate(rows):
            row.rstrip()
            self._console.print(Text(" " * (indent + (hanging if place else 0))).append_text(row), soft_wrap=True)

    def _show(self, table: Table) -> None:
        self._console.print(Padding(table, (0, 0, 0, _INDENT), expand=False))


class _Progress:
    """What the runs of one step do, live; it leaves no trace."""

    def __init__(self, console: Console) -> None:
        self._bars = Progress(
            TextColumn(" "),
            SpinnerColumn(),
            TextColumn("{task.description:<19}"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[counted]}"),
            console=console,
            transient=True,
        )
        self._tasks: dict[str, TaskID] = {}
        self._read: dict[System, int] = dict.fromkeys(System, 0)

    def show(self, event: Event) -> None:
        """Move the bar that an event is about."""
        match event:
            case PageGathered(system=system, changes=changes):
                self._read[system] += changes
                self._move(f"read from {system}", f"{self._read[system]:,}", done=None, total=None)
            case BatchWritten(system=system, done=done, total=total):
                self._move(f"written to {system}", f"{done:,} of {total:,}", done=done, total=total)
            case _:
                pass

    def _move(self, name: str, counted: str, *, done: int | None, total: int | None) -> None:
        if name not in self._tasks:
            self._tasks[name] = self._bars.add_task(name, total=total, counted=counted)
        self._bars.update(self._tasks[name], completed=done, total=total, counted=counted)

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()


def _table(first: str, *others: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column(first, overflow="fold")
    for other in others:
        table.add_column(other, justify="right", overflow="fold")
    return table


def _handful(collisions: Sequence[Resolution]) -> Sequence[Resolution]:
    """Return a few, of each entity the same number."""
    entities = dict.fromkeys(item.collision.entity for item in collisions)
    share = _HANDFUL // max(len(entities), 1)
    return [
        item for entity in entities for item in [item for item in collisions if item.collision.entity is entity][:share]
    ]


def _troubles(report: Report) -> Sequence[str]:
    return [
        *(str(hold) for hold in report.holds[:_HANDFUL]),
        *(str(item) for item in report.quarantined[:_HANDFUL]),
        *(f"warning: {warning}" for warning in report.warnings[:_HANDFUL]),
    ]


if TYPE_CHECKING:
    _silent: type[Teller] = Silence
    _aloud: type[Teller] = _Aloud
