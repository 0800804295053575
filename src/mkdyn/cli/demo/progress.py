"""Show what a step's runs are doing, on a terminal."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn

from mkdyn.domain import System
from mkdyn.ports.observer import BatchWritten, Event, PageGathered


class LiveProgress:
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
