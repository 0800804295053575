"""Bulk extracts: the activities of a time in one file, where reading them page by page would take more calls."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, cast

from mkdyn.adapters.http.shapes import Json
from mkdyn.adapters.marketo.crossover import extract_saves
from mkdyn.adapters.marketo.jobs import Jobs
from mkdyn.adapters.marketo.requests import extract_create, extract_part, extract_step
from mkdyn.adapters.marketo.responses import RefusedError
from mkdyn.adapters.marketo.values import moment
from mkdyn.errors import UnreachableError

#: Of how many pages an estimate is made, at least.
_SAMPLE: Final = 3
#: The most pages' worth of activities of one file, which is held in memory.
_PAGES_MAX: Final = 800
#: What a file has where there is nothing.
_NULL: Final = "null"


class Extractor:
    """Extracts one instance's activities.

    Args:
        jobs: What it is asked.
    """

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs

    def until(self, pages: int, begun: datetime, reached: datetime, end: datetime) -> datetime | None:
        """Return until when activities are to be extracted; None where pages do as well.

        Args:
            pages: How many pages were read.
            begun: Where they began.
            reached: Where they ended.
            end: Where the time ends that is to be read: so many more pages are reckoned with, at this rate.
        """
        if pages < _SAMPLE or reached <= begun or end <= reached:
            return None
        left = pages * (end - reached) / (reached - begun)
        if not extract_saves(self._jobs.terms, min(left, _PAGES_MAX)):
            return None
        return end if left <= _PAGES_MAX else reached + (end - reached) * (_PAGES_MAX / left)

    async def activities(self, start: datetime, end: datetime, kinds: Sequence[int]) -> Sequence[Json] | None:
        """Return the activities of some kinds between two times, oldest first, as pages tell them; None without a file.

        Raises:
            BudgetSpentError: The day's calls are used up.
            ThrottledError: Marketo asks us to slow down, again and again.
            CheckError: Our user lacks a right.
        """
        try:
            return await self._extracted(start, end, kinds)
        except (RefusedError, UnreachableError):  # the queue or the day's quota is full, or something is lost
            return None

    async def _extracted(self, start: datetime, end: datetime, kinds: Sequence[int]) -> Sequence[Json] | None:
        client = self._jobs.client
        made = await client.ask(extract_create(start, end, kinds), repeatable=False)
        job = made.result[0].get("exportId") if made.result else None
        if not isinstance(job, str):
            return None
        await client.ask(extract_step(job, "enqueue"), repeatable=False)
        told = await self._jobs.ended(extract_part(job, "status"))
        if isinstance(told, str):  # nobody waits for it: it is to take no turn, and nothing of the day's megabytes
            await client.ask(extract_step(job, "cancel"))
            return None
        if told.get("status") != "Completed":
            return None
        if told.get("numberOfRecords") == 0:
            return ()
        text = await client.fetch(extract_part(job, "file"), checksum=_sha256_of(told))
        found = None if text is None else _activities_in(text)
        return found if found is not None and len(found) == told.get("numberOfRecords") else None


def _sha256_of(told: Json) -> str | None:
    """Return the checksum of a job's file; None where it has none of that kind."""
    kind, _, digits = str(told.get("fileChecksum", "")).partition(":")
    return digits.lower() if kind == "sha256" else None


def _activities_in(text: str) -> Sequence[Json] | None:
    """Read a file of activities; None where it is none. Those of one second stay in the file's order."""
    try:
        found = [_activity(row) for row in _rows(text)]
        return sorted(found, key=lambda activity: moment(activity["activityDate"]))
    except (csv.Error, KeyError, TypeError, ValueError):
        return None


def _rows(text: str) -> Iterator[Mapping[str, str]]:
    # Nothing but the feed's own texts may be in it, but some hold what no file should (source: a reader of many).
    return csv.DictReader(io.StringIO(text.replace("\0", ""), newline=""))


def _activity(row: Mapping[str, str]) -> Json:
    told = cast("dict[str, Any]", json.loads(row["attributes"])) if row["attributes"] != _NULL else {}
    cells = {name: None if value == _NULL else value for name, value in row.items()}
    return {
        **cells,
        "activityTypeId": int(row["activityTypeId"]),
        "attributes": [{"name": name, "value": value} for name, value in told.items()],
    }
