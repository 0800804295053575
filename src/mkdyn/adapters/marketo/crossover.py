"""Calls or files: what each of them costs for a number of updates, and from how many on files save. Plain arithmetic.

A call carries three hundred records at the most. A file carries as many as fit in ten megabytes, and costs what its job
does, however many they are: the call that hands it in, one for each look at how far it is, and one each for the rows
that failed and those there is a warning of. So a file saves calls from the row on that fills more calls than that. It
saves time only if its job takes less than those calls would.

What fills no file, or no more of one than calls do as well, goes by calls: so more rows never save less.
"""

from __future__ import annotations

import math
from typing import Final, Literal, TypeAlias

import attrs

from mkdyn.adapters.marketo.requests import BATCH_MAX

#: What files are to save.
Aim: TypeAlias = Literal["calls", "time"]

#: The most bytes of a call: Marketo takes a million (source: Adobe, "Error codes", 413).
BODY_MAX: Final = 950_000
#: Calls of a job besides those that ask how far it is: an import is handed in, and two files may be fetched; an extract
#: is made, queued and fetched.
_AROUND: Final = 3


@attrs.frozen(kw_only=True)
class Terms:
    """What calls and files cost.

    Attributes:
        aim: What files are to save.
        job_s: Seconds that a job is taken to need, waiting for its turn included.
        poll_s: Seconds between two looks at how far it is.
        jobs: How many jobs run at once.
        file_bytes: The most bytes of a file.
        calls_per_s: How many calls a second Marketo answers us.
        rows_min: The fewest rows that go in files, whatever is saved; None to have that computed.
    """

    aim: Aim
    job_s: float
    poll_s: float
    jobs: int
    file_bytes: int
    calls_per_s: float
    rows_min: int | None = None

    @property
    def job_calls(self) -> int:
        """How many calls a file costs."""
        return _AROUND + math.ceil(self.job_s / self.poll_s)


@attrs.frozen
class Cost:
    """What one way comes to: calls, and seconds until the last row is written."""

    calls: int
    seconds: float

    def __add__(self, other: Cost) -> Cost:
        """Return what both come to, one after the other."""
        return Cost(self.calls + other.calls, self.seconds + other.seconds)


def by_calls(terms: Terms, rows: int, row_bytes: int) -> Cost:
    """Return what it costs to write rows by calls.

    Args:
        terms: What calls and files cost.
        rows: How many.
        row_bytes: The bytes of each.
    """
    calls = math.ceil(rows / _rows_per_call(row_bytes))
    return Cost(calls, calls / terms.calls_per_s)


def by_files(terms: Terms, rows: int, row_bytes: int) -> Cost:
    """Return what it costs to write rows by files; a row that fits in none has one of its own."""
    files = math.ceil(rows / max(rows_per_file(terms, row_bytes), 1))
    return Cost(files * terms.job_calls, math.ceil(files / terms.jobs) * terms.job_s)


def at_best(terms: Terms, rows: int, row_bytes: int) -> Cost:
    """Return what it costs where files carry what they save with, and calls the rest, one after the other."""
    filed = rows_in_files(terms, rows, row_bytes)
    return by_files(terms, filed, row_bytes) + by_calls(terms, rows - filed, row_bytes)


def rows_in_files(terms: Terms, rows: int, row_bytes: int) -> int:
    """Return how many of the rows are to go in files: none, all, or all but the last file's."""
    if terms.rows_min is not None:
        return rows if rows >= terms.rows_min else 0
    portion = _portion(terms, row_bytes)
    if portion == 0:
        return 0
    rest = rows % portion
    full = rows - rest if _saves(terms, portion, row_bytes) else 0
    return full + (rest if _saves(terms, rest, row_bytes) else 0)


def crossover(terms: Terms, row_bytes: int) -> int | None:
    """Return the fewest rows that go in files, or None where no number of them does."""
    if terms.rows_min is not None:
        return terms.rows_min
    calls = terms.job_calls if terms.aim == "calls" else math.floor(terms.job_s * terms.calls_per_s)
    rows = calls * _rows_per_call(row_bytes) + 1
    return rows if rows <= _portion(terms, row_bytes) else None


def rows_per_file(terms: Terms, row_bytes: int) -> int:
    """Return how many rows fill a file: as many as fill whole calls, so that what one file saves the next saves, too."""
    per_call = _rows_per_call(row_bytes)
    return terms.file_bytes // row_bytes // per_call * per_call


def extract_saves(terms: Terms, pages: float) -> bool:
    """Return whether an extract saves something where so many pages are left of a feed.

    It is made, queued, looked at and fetched; the pages would come as fast as calls may.
    """
    return terms.job_calls < pages if terms.aim == "calls" else terms.job_s < pages / terms.calls_per_s


def _portion(terms: Terms, row_bytes: int) -> int:
    """Return how many rows are decided on at once: a file's, or those of all the files that run at once."""
    return rows_per_file(terms, row_bytes) * (1 if terms.aim == "calls" else terms.jobs)


def _saves(terms: Terms, rows: int, row_bytes: int) -> bool:
    calls, files = by_calls(terms, rows, row_bytes), by_files(terms, rows, row_bytes)
    return files.calls < calls.calls if terms.aim == "calls" else files.seconds < calls.seconds


def _rows_per_call(row_bytes: int) -> int:
    return max(min(BATCH_MAX, BODY_MAX // row_bytes), 1)
