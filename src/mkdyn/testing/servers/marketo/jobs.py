"""Bulk jobs: queued, run two at a time, done after a while; what they do takes effect at their end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Literal, TypeAlias

import attrs

from mkdyn.testing.servers.marketo.question import RefusedError

#: Where a job is. Imports say Importing and Complete, extracts Processing and Completed.
State: TypeAlias = Literal["created", "queued", "running", "done", "cancelled"]


@attrs.define(eq=False, kw_only=True)
class Job:
    """One job.

    Attributes:
        id: What it is called.
        kind: What it is about: the path of its endpoints.
        act: What takes effect at its end.
        created: When it was made, by the instance's clock.
        queued: When it was put into the queue.
        starts: When it runs, in the server's seconds; None before it is queued.
        ends: When it is done.
        state: Where it is.
        rows: How many rows it has carried, or written into its file.
        message: What is said of it at its end.
        files: Its files, by name.
    """

    id: str
    kind: str
    act: Callable[[Job], None] = attrs.field(repr=False)
    created: datetime
    queued: datetime | None = None
    starts: float | None = None
    ends: float | None = None
    state: State = "created"
    rows: int = 0
    message: str = ""
    files: dict[str, bytes] = attrs.field(factory=dict[str, bytes], repr=False)


class Queue:
    """The jobs of one kind of interface: imports, or extracts.

    Args:
        clock: Seconds, as they go by.
        takes_s: How long a job runs.
        slots: How many run at once.
        room: How many may wait and run.
        full: The code and the message where there is no room.

    Attributes:
        jobs: All of them, oldest first.
        takes_s: How long a job runs.
    """

    def __init__(
        self, *, clock: Callable[[], float], takes_s: float, slots: int, room: int, full: tuple[str, str]
    ) -> None:
        self.jobs: dict[str, Job] = {}
        self._clock = clock
        self.takes_s = takes_s
        self._slots = [float("-inf")] * slots
        self._room = room
        self._full = full

    def add(self, job: Job) -> None:
        """Keep a job that is not queued yet."""
        self.jobs[job.id] = job

    def enqueue(self, job: Job, at: datetime) -> None:
        """Queue a job; it runs when a place is free.

        Raises:
            RefusedError: There is no room.
        """
        if len([job for job in self.jobs.values() if job.state in {"queued", "running"}]) >= self._room:
            raise RefusedError(*self._full)
        place = self._slots.index(min(self._slots))
        job.queued, job.state = at, "queued"
        job.starts = max(self._clock(), self._slots[place])
        job.ends = self._slots[place] = job.starts + self.takes_s

    def settle(self) -> None:
        """Let jobs begin and end that should have by now."""
        now = self._clock()
        due = [job for job in self.jobs.values() if job.state in {"queued", "running"} and (job.starts or 0.0) <= now]
        for job in sorted(due, key=lambda job: job.ends or 0.0):
            job.state = "running"
            if job.ends is not None and job.ends <= now:
                job.act(job)
                job.state = "done"

    def of(self, kind: str) -> Sequence[Job]:
        """Return the jobs of one kind."""
        return [job for job in self.jobs.values() if job.kind == kind]

    def named(self, kind: str, id: str, code: str) -> Job:
        """Return one job.

        Raises:
            RefusedError: There is none.
        """
        job = self.jobs.get(id)
        if job is None or job.kind != kind:
            raise RefusedError(code, f"Job '{id}' not found")
        return job
