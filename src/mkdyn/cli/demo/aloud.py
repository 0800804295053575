"""Tell the demo to a person: with live progress on a terminal, in plain lines elsewhere.

Nothing is hidden here: the data is the demo's own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from mkdyn.cli.demo.added import DELETED_PICK
from mkdyn.cli.demo.edits import Deed
from mkdyn.cli.demo.outcome import Arrival, Chapter, FieldsTold, Matched, Outcome, RecordsTold, Run
from mkdyn.cli.demo.progress import LiveProgress
from mkdyn.domain import Entity, FieldPair, Resolution, System
from mkdyn.domain.counts import duration
from mkdyn.engine.report import Report
from mkdyn.ports.observer import Event

#: How many collisions, holds, quarantined records or warnings are told; the state has all.
_HANDFUL: Final = 6
_INDENT: Final = 3
_NARROWEST: Final = 20
#: What became of records, where people use more than one word for it.
_WORDS: Final[Mapping[str, str]] = {
    "merged_in_dynamics": "merged in Dynamics",
    "merged_in_marketo": "merged in Marketo",
    "left_filter": "left the filter",
    "came_back": "came back",
}


class Aloud:
    """Tells a person; see `Teller` for what each method is told."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._steps = 0
        self._progress: LiveProgress | None = None

    def observe(self, event: Event, /) -> None:
        """See `Teller`."""
        if self._progress is not None:
            self._progress.show(event)

    def begin(self, name: str, selected: Sequence[FieldPair], /) -> None:
        """See `Teller`."""
        self._say(Text.assemble(("mkdyn demo", "bold"), f" · {name}"), indent=0)
        self._say(
            f"Two systems of this demo's own. Dynamics has the data; {len(selected)} fields are selected to sync. "
            "Leads and contacts sync both ways, everything else from Dynamics to Marketo.",
            indent=0,
        )

    @contextmanager
    def step(self, title: str, /) -> Generator[None]:
        """See `Teller`."""
        self._steps += 1
        self._console.print()
        self._say(Text(f"{self._steps}  {title}", style="bold cyan"), indent=0)
        if not self._console.is_terminal:
            yield
            return
        with LiveProgress(self._console) as self._progress:
            yield
        self._progress = None

    def first_sync(self, chapter: Chapter, arrivals: Sequence[Arrival], /) -> None:
        """See `Teller`."""
        self._runs(chapter)
        for report in chapter.reports:
            if report.matches is not None and report.matches.linked:
                self._say(Text(f"matched: {report.matches}", style="bold"))
        self._console.print()
        table = _table("", "in Dynamics", "in Marketo")
        for arrival in arrivals:
            name = arrival.entity.plural if isinstance(arrival.entity, Entity) else str(arrival.entity)
            table.add_row(name, f"{arrival.rows:,}", f"{arrival.linked:,}", f"as {arrival.entity.marketo_object}")
        self._show(table)
        self._kept_back(chapter.runs)

    def edits(self, deeds: Sequence[Deed], /) -> None:
        """See `Teller`."""
        for deed in deeds:
            self._say(f"{deed.count:>3}  {deed.what}", hanging=5)

    def sync(self, chapter: Chapter, /) -> None:
        """See `Teller`."""
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
        self._kept_back(chapter.runs)

    def idle(self, chapter: Chapter, /) -> None:
        """See `Teller`."""
        self._runs(chapter)
        self._kept_back(chapter.runs)

    def field(self, told: FieldsTold, /) -> None:
        """See `Teller`."""
        pair = told.pair
        self._say(
            f"Dynamics has a new column, {pair.entity}.{pair.dynamics}. It is selected, and a Marketo field is made for "
            f"it: {pair.marketo}. Until it is filled there, nothing goes back to Dynamics."
        )
        for refresh in told.refreshes:
            since = "all" if refresh.since is None else f"only those changed since {refresh.since}"
            self._say(f"· {pair.entity.plural}, {since}; the pair is {refresh.before}", hanging=2)
            self._say(str(refresh.plan), indent=_INDENT + 2)
            self._say(str(refresh.run.report), indent=_INDENT + 2)
            self._kept_back([refresh.run])
        self._say("The other way round there is no such thing:")
        for message in told.refused:
            self._say(Text.assemble(("refused: ", "bold yellow"), message))

    def column(self, chapter: Chapter, /) -> None:
        """See `Teller`."""
        gone = f"{DELETED_PICK.entity}.{DELETED_PICK.dynamics}"
        self._say(
            f"{gone} is deleted in Dynamics, while an account is edited there and a customer tier in Marketo: that one "
            "goes both ways now."
        )
        self._runs(chapter)
        self._kept_back(chapter.runs)
        after = chapter.reports[-1]
        self._say(f"Then {gone} is deselected: run {after.id} ended {after.ended}, its values stay in Marketo.")

    def matched(self, matched: Matched, /) -> None:
        """See `Teller`."""
        self._say(
            "New people come in both systems. What if the state were lost now? A new one that knows nothing plans a "
            "first match of both, and nothing is sent:"
        )
        self._say(Text(f"lead, contact: {matched.report}", style="bold"))
        self._say(f"· by e-mail: {', '.join(matched.by_key)}", hanging=2)
        for sentence in matched.ambiguous:
            self._say(f"· {sentence}", hanging=2)
        self._say("Who is in Marketo only is left alone. The demo goes on with the state that it has.")

    def records(self, told: RecordsTold, /) -> None:
        """See `Teller`."""
        self._say(
            "In Dynamics a lead is qualified, two contacts are merged, a contact and an opportunity are deleted, and "
            "new_synctomkto of a contact is No for a while; in Marketo a person is merged into another one, and one is "
            "asked for in Dynamics."
        )
        self._runs(told.chapter)
        self._kept_back(told.chapter.runs)
        for happening in told.happenings:
            self._say(f"· {happening.text}", hanging=2)

    def end(self, outcome: Outcome, /) -> None:
        """See `Teller`."""
        verified = outcome.verified
        seen = Counter(happening.what for happening in outcome.records.happenings)
        self._say(
            f"Seen on the way: {', '.join(f'{count:,} {_WORDS.get(what, what)}' for what, count in seen.items())}."
        )
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

    def _kept_back(self, runs: Sequence[Run]) -> None:
        """Name what was held, set aside or warned of; the first of each."""
        for item in dict.fromkeys(item for run in runs for item in _troubles(run.report)):
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
