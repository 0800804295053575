"""Writes: grouped by what Marketo does with them, answered record by record, in order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final, assert_never

import attrs

from mkdyn.adapters.http import Request
from mkdyn.adapters.http.abreast import abreast
from mkdyn.adapters.http.shapes import Json
from mkdyn.adapters.marketo.catalog import Catalog, Described, no_object
from mkdyn.adapters.marketo.client import Client
from mkdyn.adapters.marketo.codes import FEWER, GONE, ONE_OF_MANY, treatment
from mkdyn.adapters.marketo.crossover import BODY_MAX
from mkdyn.adapters.marketo.files import File
from mkdyn.adapters.marketo.importing import Importer
from mkdyn.adapters.marketo.requests import BATCH_MAX, PERSON, deleted, key_of, upserted
from mkdyn.adapters.marketo.responses import RefusedError, reason_of
from mkdyn.adapters.marketo.values import sent
from mkdyn.domain.keys import parted
from mkdyn.domain.outcomes import Applied, Create, Delete, Outcome, Rejected, Stale, Unknown, Update, Write
from mkdyn.errors import TransientError, UnreachableError

#: What Marketo says of a record that it took.
_DONE: Final = ("created", "updated", "deleted")


@attrs.frozen
class _Group:
    """Writes that one call can carry: what Marketo does with them, and the field it looks them up by."""

    action: str
    by: str


@attrs.frozen
class _Work:
    """Writes that go together: as a file, or in a call."""

    file: File | None
    places: Sequence[int]


class Writer:
    """Writes one instance's records."""

    def __init__(self, client: Client, catalog: Catalog, importer: Importer | None = None) -> None:
        self._client = client
        self._catalog = catalog
        self._importer = importer
        self._most = BATCH_MAX

    async def write(self, object: str, writes: Sequence[Write]) -> Sequence[Outcome]:
        """See `Connector.write`; three hundred a call, several calls at once, and one key never in two of them.

        Updates of persons go in files, where files are wanted and save something. Where one call of several is refused
        for now, nobody may repeat the others: their outcomes stand, and of the rest it is Unknown.
        """
        described = await self._catalog.known(object)
        outcomes: dict[int, Outcome] = {}
        groups: defaultdict[_Group, list[int]] = defaultdict(list)
        for place, write in enumerate(writes):
            groups[_group(object, write)].append(place)
        for group, places in groups.items():
            for part in _apart(writes, places):
                files, left = self._files(object, group, writes, part, described)
                works = [_Work(file, list(file.places.values())) for file in files]
                works += [_Work(None, left[at : at + self._most]) for at in range(0, len(left), self._most)]
                found = await abreast(partial(self._work, object, group, writes, work) for work in works)
                failed = [item for item in found if isinstance(item, TransientError)]
                for work, item in zip(works, found, strict=True):
                    if not isinstance(item, TransientError):
                        outcomes |= dict(zip(work.places, item, strict=True))
                if failed and not outcomes:
                    raise failed[0]
                if failed:
                    return [outcomes.get(place, Unknown(reason=failed[0].what)) for place in range(len(writes))]
        return [outcomes[place] for place in range(len(writes))]

    def _files(
        self, object: str, group: _Group, writes: Sequence[Write], places: Sequence[int], described: Described
    ) -> tuple[Sequence[File], Sequence[int]]:
        """Return the files, and the places of what goes by calls: whatever is no update of persons, for one."""
        if self._importer is None or object != PERSON or group.action != "updateOnly":
            return (), places
        return self._importer.filed(writes, places, described.fields)

    async def _work(
        self, object: str, group: _Group, writes: Sequence[Write], work: _Work
    ) -> Sequence[Outcome] | TransientError:
        sent = [writes[place] for place in work.places]
        if work.file is None or self._importer is None:
            return await self._attempt(object, group, sent)
        try:
            carried = await self._importer.carry(work.file)
        except TransientError as error:
            return error
        if isinstance(carried, Unknown):
            return [carried] * len(sent)
        again = [place for place in work.places if place in carried]
        outcomes: dict[int, Outcome] = {place: Applied(key=writes[place].key) for place in work.places}
        calls = [again[at : at + self._most] for at in range(0, len(again), self._most)]
        found = await abreast(
            partial(self._attempt, object, group, [writes[place] for place in call]) for call in calls
        )
        for call, item in zip(calls, found, strict=True):
            answers = [Unknown(reason=item.what)] * len(call) if isinstance(item, TransientError) else item
            outcomes |= dict(zip(call, answers, strict=True))
        return [outcomes[place] for place in work.places]

    async def _attempt(self, object: str, group: _Group, writes: Sequence[Write]) -> Sequence[Outcome] | TransientError:
        """Send writes; what is refused for now is returned, since other calls beside it may have been carried out."""
        try:
            return await self._send(object, group, writes)
        except TransientError as error:
            return error

    async def _send(self, object: str, group: _Group, writes: Sequence[Write]) -> Sequence[Outcome]:
        request = _request(object, group, writes, (await self._catalog.known(object)).compound)
        if len(writes) > self._most or (len(writes) > 1 and len(request.body or b"") > BODY_MAX):
            return await self._halves(object, group, writes)
        try:
            # What is written to a known key, or deleted, is the same when it is written twice; a lookup may be a race.
            answer = await self._client.ask(request, repeatable=False)
        except UnreachableError as error:
            self._learn(len(writes), error.__cause__)
            return [Unknown(reason=error.what) for _ in writes]
        except RefusedError as error:
            self._learn(len(writes), error)
            if error.code in ONE_OF_MANY and len(writes) > 1:
                return await self._halves(object, group, writes)
            return [_skipped(object, group, write, error.code) for write in writes]
        self._most = min(self._most + 1, BATCH_MAX)
        if len(answer.result) != len(writes):
            return [Unknown(reason="Marketo's answer has another number of records.") for _ in writes]
        return [_outcome(object, group, write, item) for write, item in zip(writes, answer.result, strict=True)]

    async def _halves(self, object: str, group: _Group, writes: Sequence[Write]) -> Sequence[Outcome]:
        middle = len(writes) // 2
        first = await self._send(object, group, writes[:middle])
        try:
            return [*first, *await self._send(object, group, writes[middle:])]
        except TransientError as error:
            return [*first, *(Unknown(reason=error.what) for _ in writes[middle:])]

    def _learn(self, size: int, error: BaseException | None) -> None:
        """Send fewer at once, where that many were too many."""
        if isinstance(error, RefusedError) and error.code in FEWER:
            self._most = max(size // 2, 1)


def _request(object: str, group: _Group, writes: Sequence[Write], compound: Sequence[str]) -> Request:
    keys = [_key(object, group.by, write.key, compound) for write in writes]
    if group.action == "delete":
        return deleted(object, keys)
    records = [_record(write, key) for write, key in zip(writes, keys, strict=True)]
    return upserted(object, group.action, group.by, records)


def _group(object: str, write: Write) -> _Group:
    match write:
        case Create(by=by):
            return _Group("createOrUpdate", by or key_of(object))
        case Update():
            return _Group("updateOnly", key_of(object))
        case Delete():
            return _Group("delete", key_of(object))
        case _:
            assert_never(write)


def _apart(writes: Sequence[Write], places: Sequence[int]) -> list[list[int]]:
    """Return the places in as many calls as one key is written to: Marketo takes a key once a call."""
    parts: list[list[int]] = []
    times: dict[str, int] = {}
    for place in places:
        key = writes[place].key.casefold()  # so does Marketo compare
        nth = times[key] = times.get(key, -1) + 1
        if nth == len(parts):
            parts.append([])
        parts[nth].append(place)
    return parts


def _key(object: str, by: str, key: str, compound: Sequence[str]) -> Mapping[str, object]:
    if compound:
        return parted(key, compound)
    return {by: int(key) if object == PERSON and by == "id" and key.isdecimal() else key}


def _record(write: Write, key: Mapping[str, object]) -> Mapping[str, object]:
    assert not isinstance(write, Delete)
    return {**{name: sent(value) for name, value in write.values.items()}, **key}


def _outcome(object: str, group: _Group, write: Write, item: Json) -> Outcome:
    status = item.get("status")
    if status in _DONE:
        key = str(item["id"]) if object == PERSON and "id" in item else write.key
        return Applied(key=key, found=isinstance(write, Create) and status == "updated")
    return _skipped(object, group, write, *reason_of(item))


def _skipped(object: str, group: _Group, write: Write, code: str, field: str = "") -> Outcome:
    """Return what a record comes to that Marketo does not take.

    Raises:
        UnknownEntityError: It is the object that is not there.
    """
    if code in GONE and group.action == "delete":
        return Applied(key=write.key)
    if code in GONE and group.action == "updateOnly":
        return Stale(gone=True)
    if treatment(code) == "object" and code not in GONE:
        raise no_object(object)
    message = _MESSAGES.get(code, "Marketo does not take it.")
    if not field and code == _NO_FIT and isinstance(write, Update) and write.values.get(_COMPANY, "") is None:
        field = _COMPANY  # nobody can leave a company, only change it: the one refusal that need not name its field
    return Rejected(code=code or "skipped", message=message, field=field or None)


_NO_FIT: Final = "1003"
_COMPANY: Final = "externalCompanyId"


#: Our own sentences: Marketo's hold the value.
_MESSAGES: Final[Mapping[str, str]] = {
    "413": "It is too large for one call.",
    "701": "A field that every record needs is empty.",
    "1003": "A value does not fit its field.",
    "1006": "There is no such field.",
    "1007": "Several persons have this key.",
    "1008": "The record is in a partition that the API user may not reach.",
    "1018": "The native CRM sync is on, so it can't be written.",
    "1021": "A company's fields can't be written through a person.",
    "1022": "It is in use, so it can't be deleted.",
    "718": "It names a sales person that is not there.",
}
