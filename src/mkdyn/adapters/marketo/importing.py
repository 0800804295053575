"""Bulk imports: a file is handed in, waited for, and asked which of its rows it did not carry."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final

import anyio

from mkdyn.adapters.http.shapes import Json
from mkdyn.adapters.marketo.files import File, filed, ids_in
from mkdyn.adapters.marketo.jobs import Jobs
from mkdyn.adapters.marketo.requests import import_file, import_status, imported
from mkdyn.adapters.marketo.responses import RefusedError
from mkdyn.domain.fields import FieldSpec
from mkdyn.domain.outcomes import Unknown, Write
from mkdyn.errors import TransientError, UnreachableError

#: A file of rows, and what a job calls the number of them.
_LISTS: Final = (("failures", "numOfRowsFailed"), ("warnings", "numOfRowsWithWarning"))
_CARRIED: Final = "numOfLeadsProcessed"


class Importer:
    """Imports one instance's persons.

    Args:
        jobs: What it is asked.
    """

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs
        self._turns = anyio.Semaphore(jobs.bulk.jobs)

    def filed(
        self, writes: Sequence[Write], places: Sequence[int], specs: Mapping[str, FieldSpec]
    ) -> tuple[Sequence[File], Sequence[int]]:
        """Return the files that save something, and the places of the updates that are in none of them."""
        return filed(writes, places, specs, self._jobs.terms)

    async def carry(self, file: File) -> Collection[int] | Unknown:
        """Have a file imported; it is handed in once.

        Returns:
            The places of those rows that it did not carry, or that there is a warning of: a call says why. Unknown
            where nobody knows what it carried, or still will.

        Raises:
            MkdynError: Nothing was done.
        """
        async with self._turns:
            try:
                answer = await self._jobs.client.ask(imported(file.content), repeatable=False)
            except UnreachableError as error:
                return Unknown(reason=error.what)
            except RefusedError:  # there is no room in the queue, or no such file is taken
                return file.places.values()
            job = _job_of(answer.result)
            return (
                Unknown(reason="Marketo does not say which import it is.")
                if job is None
                else await self._wait(job, file)
            )

    async def _wait(self, job: str, file: File) -> Collection[int] | Unknown:
        told = await self._jobs.ended(import_status(job))
        if isinstance(told, str):
            return Unknown(reason=told)
        # One that failed is over, so nothing can arrive later.
        return await self._left(job, told, file) if told.get("status") == "Complete" else file.places.values()

    async def _left(self, job: str, told: Json, file: File) -> Collection[int] | Unknown:
        """Return the rows that a job that is done did not carry, or that there is a warning of."""
        left: set[int] = set()
        for name, count in _LISTS:
            expected = told.get(count)
            ids = await self._listed(job, name) if expected else ()
            if ids is None or len(ids) != expected or not file.places.keys() >= set(ids):
                return Unknown(reason=f"Marketo's list of {name} of an import can't be read.")
            left |= {file.places[id] for id in ids}
            if name == "failures" and told.get(_CARRIED) != len(file.places) - len(left):
                return Unknown(reason="Marketo has lost count of an import's rows.")
        return left

    async def _listed(self, job: str, name: str) -> Sequence[str] | None:
        try:
            text = await self._jobs.client.fetch(import_file(job, name))
        except (TransientError, RefusedError):
            return None
        return None if text is None else ids_in(text)


def _job_of(result: Sequence[Json]) -> str | None:
    job = result[0].get("batchId") if result else None
    return str(job) if isinstance(job, int) else None
