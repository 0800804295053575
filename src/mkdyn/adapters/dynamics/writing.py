"""Writes, in batches at once; what each answer comes to, and what is looked up where it does not say."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from itertools import zip_longest
from typing import Final

import anyio

from mkdyn.adapters.dynamics.batch import Answer, ItemAnswer
from mkdyn.adapters.dynamics.catalog import Catalog
from mkdyn.adapters.dynamics.client import Client
from mkdyn.adapters.dynamics.odata import row_path
from mkdyn.adapters.dynamics.reading import Reader
from mkdyn.adapters.dynamics.refusals import Again, LookUp, Sent, Verdict, verdict
from mkdyn.adapters.dynamics.responses import applied_version, error_of
from mkdyn.adapters.dynamics.table import Column, Table
from mkdyn.adapters.dynamics.writes import Addresses, Ready, can_join, composed, divided, joined, references, rounds
from mkdyn.adapters.http.abreast import abreast
from mkdyn.domain.outcomes import Applied, Outcome, Rejected, Unknown, Write
from mkdyn.domain.records import Record
from mkdyn.errors import TransientError, UnreachableError

_REFUSED: Final = 400
#: How often a write is sent that a busy server did nothing about.
_TRIES_MAX: Final = 3
_NO_ANSWER: Final = Unknown(reason="Dynamics' answer broke off before this write")


class Writer:
    """Writes rows.

    Args:
        client: Asks.
        catalog: Knows the tables.
        reader: Looks rows up.
        rows_per_batch: How many writes go into one request.
        creates_per_call: How many new rows one `CreateMultiple` makes; 1 for each by itself.
    """

    def __init__(
        self, client: Client, catalog: Catalog, reader: Reader, *, rows_per_batch: int, creates_per_call: int = 1
    ) -> None:
        self._client = client
        self._catalog = catalog
        self._reader = reader
        self._rows_per_batch = rows_per_batch
        self._creates_per_call = creates_per_call

    async def write(self, object: str, writes: Sequence[Write]) -> Sequence[Outcome]:
        """See `Connector.write`."""
        table = await self._catalog.table(object)
        if not writes:
            return []
        found = await self._composed(table, writes)
        if any(isinstance(item, Rejected) for item in found):  # the table may have changed since it was asked for
            table = await self._catalog.fresh(object) or table
            found = await self._composed(table, writes)
        outcomes: dict[int, Outcome] = {place: item for place, item in enumerate(found) if isinstance(item, Rejected)}
        lost: list[TransientError] = []
        for turn in rounds(item for item in found if isinstance(item, Ready)):
            outcomes |= await self._sent(table, turn, lost)
        if lost and all(isinstance(outcome, Unknown) for outcome in outcomes.values()):
            raise lost[0]
        return [outcomes[place] for place in range(len(writes))]

    async def _composed(self, table: Table, writes: Sequence[Write]) -> Sequence[Ready | Rejected]:
        addresses = await self._addresses(table, writes)
        return [composed(table, place, write, addresses) for place, write in enumerate(writes)]

    async def _sent(self, table: Table, writes: Sequence[Ready], lost: list[TransientError]) -> dict[int, Outcome]:
        """Send writes of different rows; what a busy server did nothing about is sent again."""
        outcomes: dict[int, Outcome] = {}
        unsure: list[tuple[Sent, LookUp]] = []
        tries = 1
        while True:
            again: list[Ready] = []
            for ready, decided in await self._decided(table, writes, lost):
                match decided:
                    case Again(reason=reason):
                        outcomes[ready.sent.place] = Unknown(reason=reason)
                        again.append(ready)
                    case LookUp():
                        unsure.append((ready.sent, decided))
                    case _:
                        outcomes[ready.sent.place] = decided
            if not again or tries == _TRIES_MAX:
                return outcomes | await self._looked_up(table, unsure)
            await anyio.sleep(tries)
            writes, tries = again, tries + 1

    async def _decided(
        self, table: Table, writes: Sequence[Ready], lost: list[TransientError]
    ) -> Sequence[tuple[Ready, Verdict]]:
        """Send writes once, in batches, and decide what each comes to."""
        together = [ready for ready in writes if self._creates_per_call > 1 and can_join(ready)]
        apart = [ready for ready in writes if not (self._creates_per_call > 1 and can_join(ready))]
        calls = [
            *(
                partial(self._together, table, some, lost)
                for some in divided(together, rows_max=self._creates_per_call)
            ),
            *(partial(self._batch, some, lost) for some in divided(apart, rows_max=self._rows_per_batch)),
        ]
        return [pair for found in await abreast(calls) for pair in found]

    async def _together(
        self, table: Table, writes: Sequence[Ready], lost: list[TransientError]
    ) -> Sequence[tuple[Ready, Verdict]]:
        """Make rows in one call; where one of them is refused, all are, and each is sent by itself."""
        if len(writes) > 1:
            try:
                answers = await self._client.batch([joined(table, writes)], repeatable=False)
            except TransientError as error:
                lost.append(error)
                return [(ready, Unknown(reason=error.what)) for ready in writes]
            if not answers:
                return [(ready, _NO_ANSWER) for ready in writes]
            [answer] = answers
            if isinstance(answer, Answer) and answer.status < _REFUSED:
                return [(ready, Applied(key=ready.sent.write.key.lower())) for ready in writes]
        batches = divided(writes, rows_max=self._rows_per_batch)
        return [pair for batch in batches for pair in await self._batch(batch, lost)]

    async def _batch(self, writes: Sequence[Ready], lost: list[TransientError]) -> Sequence[tuple[Ready, Verdict]]:
        """Send one batch. One that is not answered is lost, and the others go on."""
        try:
            answers = await self._client.batch([ready.item for ready in writes], repeatable=False)
        except TransientError as error:
            lost.append(error)
            return [(ready, Unknown(reason=error.what)) for ready in writes]
        found: list[tuple[Ready, Verdict]] = []
        for ready, answer in zip_longest(writes, answers[: len(writes)]):
            found.append((ready, _NO_ANSWER if answer is None else _decided(ready, answer)))
        return found

    async def _looked_up(self, table: Table, unsure: Sequence[tuple[Sent, LookUp]]) -> dict[int, Outcome]:
        """Look up the rows on which it depends what became of a write."""
        if not unsure:
            return {}
        try:
            there = await self._reader.by_keys(table.name, [sent.write.key for sent, _ in unsure], ())
        except TransientError as error:
            return {sent.place: Unknown(reason=error.what) for sent, _ in unsure}
        return {sent.place: _found(look, there.get(sent.write.key.lower())) for sent, look in unsure}

    # -- lookups ----------------------------------------------------------------------------------------------

    async def _addresses(self, table: Table, writes: Sequence[Write]) -> Addresses:
        """Return where the rows are that lookups are to name: of several tables, in which."""
        wanted: dict[str, dict[str, Column]] = {}
        for column, guid in references(table, writes):
            wanted.setdefault(column.name, {})[guid] = column
        found: dict[tuple[str, str], tuple[str, str]] = {}
        for field, by_guid in wanted.items():
            targets = next(iter(by_guid.values())).spec.targets
            for target in targets:
                entity_set, _ = await self._catalog.address(target)
                there = by_guid if len(targets) == 1 else await self._reader.there(target, by_guid)
                found |= {(field, guid): (f"/{row_path(entity_set, guid)}", target) for guid in there}
        return found


def _decided(ready: Ready, answer: ItemAnswer) -> Verdict:
    """Decide what an answered write comes to; of a change set, the part that failed speaks, else the last."""
    parts = [answer] if isinstance(answer, Answer) else list(answer)
    failed = next((part for part in parts if part.status >= _REFUSED), None)
    if failed is not None:
        return verdict(error_of(failed), ready.sent)
    if not parts:
        return _NO_ANSWER
    version = None
    with suppress(UnreachableError):  # it is done, whatever follows
        version = applied_version(parts[-1])
    return Applied(key=ready.sent.write.key.lower(), version=version)


def _found(look: LookUp, record: Record | None) -> Outcome:
    if record is None:
        return look.missing
    return look.there or Applied(key=record.key, version=record.version, found=True)
