"""Records by their keys, or by a field: three hundred a call, several calls at once."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Final, TypeVar

from attrs import evolve

from mkdyn.adapters.http.abreast import abreast
from mkdyn.adapters.http.shapes import Json
from mkdyn.adapters.marketo.catalog import Catalog, Described, no_object
from mkdyn.adapters.marketo.client import Client
from mkdyn.adapters.marketo.codes import treatment
from mkdyn.adapters.marketo.keys import key_in
from mkdyn.adapters.marketo.requests import BATCH_MAX, found_by, found_by_keys, key_of
from mkdyn.adapters.marketo.responses import RefusedError, unreadable
from mkdyn.adapters.marketo.values import value_of
from mkdyn.domain.keys import parted
from mkdyn.domain.records import Record, make_record

T = TypeVar("T")

#: What Marketo answers where more than a thousand persons match.
_TOO_MANY: Final = "1003"
#: What it answers where a field is not there, or not to be looked up by.
_NO_FIELD: Final = ("1006", "1011")


class Reader:
    """Reads one instance's records."""

    def __init__(self, client: Client, catalog: Catalog) -> None:
        self._client = client
        self._catalog = catalog

    async def read(self, object: str, keys: Collection[str], fields: Collection[str]) -> Mapping[str, Record]:
        """See `Connector.read`."""
        described = await self._catalog.known(object, fields)
        if described.compound:
            return await self._read_compound(object, keys, fields, described)
        wanted, specs = [key for key in dict.fromkeys(keys) if key and "," not in key], described
        pieces = await abreast(
            partial(self._page_through, object, key_of(object), part, tuple(fields), specs) for part in _parts(wanted)
        )
        return {record.key: record for records in pieces for record in records}

    async def find(self, object: str, field: str, values: Collection[str], fields: Collection[str]) -> Sequence[Record]:
        """See `Connector.find`; a value with a comma in it is found by nothing, since Marketo takes it for two."""
        shown = tuple(dict.fromkeys([*fields, field]))
        specs = await self._catalog.known(object, shown)
        wanted = [value for value in dict.fromkeys(values) if value and "," not in value]
        pieces = await abreast(
            partial(self._page_through, object, field, part, shown, specs) for part in _parts(wanted)
        )
        return [record for records in pieces for record in records]

    async def _read_compound(
        self, object: str, keys: Collection[str], fields: Collection[str], described: Described
    ) -> Mapping[str, Record]:
        """Read records by keys of several fields: Marketo compares them without regard to case, and so do we."""
        wanted = {key: parted(key, described.compound) for key in dict.fromkeys(keys)}
        asked = list(dict.fromkeys([*fields, *described.compound]))
        told = {_folded(tuple(parts.values())): key for key, parts in wanted.items()}
        pieces = await abreast(
            partial(self._page_through_keys, object, part, asked, tuple(fields), described)
            for part in _parts(list(wanted.values()))
        )
        found = {_folded(json.loads(record.key)): record for records in pieces for record in records}
        return {told[key]: evolve(record, key=told[key]) for key, record in found.items() if key in told}

    async def _page_through_keys(
        self,
        object: str,
        keys: Sequence[Mapping[str, object]],
        asked: Sequence[str],
        fields: Sequence[str],
        described: Described,
    ) -> list[Record]:
        records, token = list[Record](), None
        while True:
            try:
                answer = await self._client.ask(found_by_keys(object, keys, asked, token))
            except RefusedError as error:
                await self._contradicted(object, asked, error)
                raise
            records += [_record(item, key_of(object), fields, described) for item in answer.result]
            token = answer.next_token
            if token is None or not answer.more:
                return records

    async def _page_through(
        self, object: str, field: str, values: Sequence[str], fields: Sequence[str], specs: Described
    ) -> list[Record]:
        key, records, token = key_of(object), list[Record](), None
        asked = list(dict.fromkeys([*fields, field, *(specs.compound or (key,))]))
        while True:
            try:
                answer = await self._client.ask(found_by(object, field, values, asked, token))
            except RefusedError as error:
                if error.code != _TOO_MANY or len(values) == 1:
                    await self._contradicted(object, asked, error)
                    raise
                middle = len(values) // 2  # too many match: fewer values at a time
                halves = (values[:middle], values[middle:])
                found = [await self._page_through(object, field, half, fields, specs) for half in halves]
                return [record for half in found for record in half]
            records += [_record(item, key, fields, specs) for item in answer.result]
            token = answer.next_token
            if token is None or not answer.more:
                return records

    async def _contradicted(self, object: str, fields: Collection[str], error: RefusedError) -> None:
        """Look again at what there is, where Marketo refuses to show what was there.

        Raises:
            UnknownEntityError: The object is gone.
            UnknownFieldError: A field is.
        """
        if treatment(error.code) == "object":
            self._catalog.forget(object)
            raise no_object(object) from None
        if error.code in _NO_FIELD:
            self._catalog.forget(object)
            await self._catalog.known(object, fields)


def _record(item: Json, key: str, fields: Sequence[str], described: Described) -> Record:
    found, specs = key_in(item, key, described.compound), described.fields
    if found is None:
        raise unreadable("a record has no key")
    try:
        values = {name: value_of(specs[name], item.get(name)) for name in fields}
    except (ValueError, ArithmeticError):
        raise unreadable("a value is none of its field's type") from None
    return make_record(key=found, values=values)


def _folded(values: Iterable[object]) -> tuple[str, ...]:
    return tuple(str(value).casefold() for value in values)


def _parts(values: Sequence[T]) -> Iterator[Sequence[T]]:
    return (values[start : start + BATCH_MAX] for start in range(0, len(values), BATCH_MAX))
