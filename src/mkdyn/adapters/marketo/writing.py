"""Writes: grouped by what Marketo does with them, answered record by record, in order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import attrs

from mkdyn.adapters.http.shapes import Json
from mkdyn.adapters.marketo.catalog import Catalog
from mkdyn.adapters.marketo.client import Client
from mkdyn.adapters.marketo.codes import GONE
from mkdyn.adapters.marketo.requests import PERSON, deleted, key_of, upserted
from mkdyn.adapters.marketo.responses import RefusedError, reason_of
from mkdyn.adapters.marketo.values import sent
from mkdyn.domain.outcomes import Applied, Create, Delete, Outcome, Rejected, Stale, Unknown, Update, Write
from mkdyn.errors import UnknownEntityError, UnreachableError

#: What Marketo says of a record that it took.
_DONE = ("created", "updated", "deleted")


@attrs.frozen
class _Group:
    """Writes that one call can carry: what Marketo does with them, and the field it looks them up by."""

    action: str
    by: str


class Writer:
    """Writes one instance's records."""

    def __init__(self, client: Client, catalog: Catalog) -> None:
        self._client = client
        self._catalog = catalog

    async def write(self, object: str, writes: Sequence[Write]) -> Sequence[Outcome]:
        """See `Connector.write`."""
        await self._catalog.known(object)
        outcomes: dict[int, Outcome] = {}
        groups: defaultdict[_Group, list[int]] = defaultdict(list)
        for place, write in enumerate(writes):
            groups[_group(object, write)].append(place)
        for group, places in groups.items():
            for part in _apart(writes, places):
                found = await self._send(object, group, [writes[place] for place in part])
                outcomes |= dict(zip(part, found, strict=True))
        return [outcomes[place] for place in range(len(writes))]

    async def _send(self, object: str, group: _Group, writes: Sequence[Write]) -> Sequence[Outcome]:
        if group.action == "delete":
            request = deleted(object, [_key(object, group.by, write.key) for write in writes])
        else:
            records = [_record(object, group.by, write) for write in writes]
            request = upserted(object, group.action, group.by, records)
        try:
            # What is written to a known key, or deleted, is the same when it is written twice; a lookup may be a race.
            answer = await self._client.ask(request, repeatable=False)
        except UnreachableError as error:
            return [Unknown(reason=error.what) for _ in writes]
        except RefusedError as error:
            return [_refused(error.code, "") for _ in writes]
        if len(answer.result) != len(writes):
            return [Unknown(reason="Marketo's answer has another number of records.") for _ in writes]
        return [_outcome(object, group, write, item) for write, item in zip(writes, answer.result, strict=True)]


def _group(object: str, write: Write) -> _Group:
    match write:
        case Create(by=by):
            return _Group("createOrUpdate", by or key_of(object))
        case Update():
            return _Group("updateOnly", key_of(object))
        case Delete():
            return _Group("delete", key_of(object))


def _apart(writes: Sequence[Write], places: Sequence[int]) -> list[list[int]]:
    """Return the places in as many calls as one key is written to: Marketo takes a key once a call."""
    parts: list[list[int]] = []
    times: dict[str, int] = {}
    for place in places:
        nth = times[writes[place].key] = times.get(writes[place].key, -1) + 1
        if nth == len(parts):
            parts.append([])
        parts[nth].append(place)
    return parts


def _key(object: str, by: str, key: str) -> str | int:
    return int(key) if object == PERSON and by == "id" and key.isdecimal() else key


def _record(object: str, by: str, write: Write) -> Mapping[str, object]:
    assert not isinstance(write, Delete)
    return {**{name: sent(value) for name, value in write.values.items()}, by: _key(object, by, write.key)}


def _outcome(object: str, group: _Group, write: Write, item: Json) -> Outcome:
    status = item.get("status")
    if status in _DONE:
        key = str(item["id"]) if object == PERSON and "id" in item else write.key
        return Applied(key=key, found=isinstance(write, Create) and status == "updated")
    code, field = reason_of(item)
    if code in GONE and group.action == "delete":
        return Applied(key=write.key)
    if code in GONE and group.action == "updateOnly":
        return Stale(gone=True)
    return _refused(code, field)


def _refused(code: str, field: str) -> Rejected:
    if code == "610":
        raise UnknownEntityError("Marketo has no such object any more.", what_to_do="Check the selected entities.")
    return Rejected(
        code=code or "skipped", message=_MESSAGES.get(code, "Marketo does not take it."), field=field or None
    )


#: Our own sentences: Marketo's hold the value.
_MESSAGES: Mapping[str, str] = {
    "1003": "A value does not fit its field.",
    "1006": "There is no such field.",
    "1007": "Several persons have this key.",
    "1008": "The record is in a partition that the API user may not reach.",
    "1018": "The native CRM sync is on, so it can't be written.",
    "1021": "A company's fields can't be written through a person.",
    "1022": "It is in use, so it can't be deleted.",
    "718": "It names a sales person that is not there.",
}
