"""Rows as records: by key and by value; a feed's pages are `feed`'s.

A column that shows nothing may be empty, or hidden from our user meanwhile: Dynamics tells no
difference. So where one is blank in all rows of an answer, our rights are asked after it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Final

from mkdyn.adapters.dynamics import requests
from mkdyn.adapters.dynamics.batch import Part
from mkdyn.adapters.dynamics.catalog import Catalog
from mkdyn.adapters.dynamics.client import Client
from mkdyn.adapters.dynamics.links import target_of
from mkdyn.adapters.dynamics.odata import in_pieces, literal_of
from mkdyn.adapters.dynamics.responses import Rows, blank, misfits, page_of, record_of, time_of, unreadable
from mkdyn.adapters.dynamics.table import Column, Table
from mkdyn.adapters.http.abreast import abreast
from mkdyn.adapters.http.shapes import Json
from mkdyn.domain.fields import FieldSpec
from mkdyn.domain.records import Record, is_guid
from mkdyn.domain.types import TEXTS
from mkdyn.errors import FieldError

#: Rows asked for at once by key or value: well below Dynamics' 500 conditions, and the length of an address.
_CONDITIONS_MAX: Final = 200
_LENGTH_MAX: Final = 16_000


class Reader:
    """Reads rows.

    Args:
        client: Asks.
        catalog: Knows the tables.
        origin: Scheme and host of the organisation: no link is followed elsewhere.
    """

    def __init__(self, client: Client, catalog: Catalog, *, origin: str) -> None:
        self._client = client
        self._catalog = catalog
        self._origin = origin

    async def by_keys(self, object: str, keys: Collection[str], fields: Collection[str]) -> Mapping[str, Record]:
        """See `Connector.read`."""
        table = await self._catalog.table(object, fields)
        guids = dict.fromkeys(key.lower() for key in keys if is_guid(key))
        columns = [table.columns[name] for name in dict.fromkeys(fields)]
        records = await self._search(table, columns, table.columns[table.key], list(guids))
        return {record.key: record for record in records}

    async def by_values(
        self, object: str, field: str, values: Collection[str], fields: Collection[str]
    ) -> Sequence[Record]:
        """See `Connector.find`."""
        names = dict.fromkeys([*fields, field])
        table = await self._catalog.table(object, names)
        where = table.columns[field]
        literals = [literal_of(where.spec.type, value) for value in dict.fromkeys(values)]
        wanted = [literal for literal in dict.fromkeys(literals) if literal is not None]
        found = await self._search(table, [table.columns[name] for name in names], where, wanted, private=True)
        if where.spec.type not in TEXTS:
            return found
        # Dynamics takes some letters for others, and percent signs for anything.
        folded = {value.casefold() for value in values}
        return [record for record in found if str(record.values.get(field)).casefold() in folded]

    async def there(self, object: str, keys: Collection[str]) -> Collection[str]:
        """Return those of some keys whose rows our user sees, of a table of which nothing else is known."""
        entity_set, key = await self._catalog.address(object)
        column = Column(spec=FieldSpec(name=key, type="guid"))
        table = Table(name=object, schema_name=object, entity_set=entity_set, key=key, columns={key: column})
        return {record.key for record in await self._search(table, [column], column, list(keys))}

    async def _search(
        self,
        table: Table,
        columns: Sequence[Column],
        where: Column,
        literals: Sequence[str],
        *,
        private: bool = False,
    ) -> Sequence[Record]:
        """Return the rows in which a column is one of the literals, each once; private ones stand in no address."""
        pieces = in_pieces(where.wire_name, literals, conditions_max=_CONDITIONS_MAX, length_max=_LENGTH_MAX)
        asked = [
            partial(self._all, table, requests.rows(table, columns, where, piece), private=private) for piece in pieces
        ]
        rows = [row for found in await abreast(asked) for row in found]
        records = await self.records(table, columns, rows)
        return list({record.key: record for record in records}.values())

    async def _all(self, table: Table, part: Part, *, private: bool) -> Sequence[Json]:
        rows: list[Json] = []
        seen: set[str] = set()
        while True:
            page, _ = await self.page(table, part, private=private)
            rows += page.rows
            if page.following is None:
                return rows
            part = self.next(page.following, part, seen)

    async def page(self, table: Table, part: Part, *, private: bool = False) -> tuple[Rows, datetime | None]:
        """Ask for a page; return it, with Dynamics' own time where it tells that."""
        try:
            ask = self._client.ask_privately if private else self._client.ask
            answer = await ask(part, about=table.name)
        except FieldError:
            self._catalog.forget(table.name)
            raise
        return page_of(answer), time_of(answer.headers)

    def next(self, link: str, part: Part, seen: set[str]) -> Part:
        """Return the request that follows a link.

        Args:
            link: What the page gave.
            part: The request for that page.
            seen: The links that were followed before; this one is added.

        Raises:
            UnreachableError: It was followed before, or leads to another host.
        """
        if link in seen:
            raise unreadable("its pages go round in a circle")
        seen.add(link)
        return requests.following(target_of(link, self._origin), part.headers)

    async def records(self, table: Table, columns: Sequence[Column], rows: Sequence[Json]) -> Sequence[Record]:
        """Read rows, without the columns that can't be vouched for."""
        if misfits(columns, rows):
            fresh = await self._catalog.fresh(table.name)
            columns = (
                []
                if fresh is None
                else [fresh.columns[column.name] for column in columns if column.name in fresh.columns]
            )
        shown = [column for column in columns if column.shows]
        if rows and blank(shown, rows):
            hidden = (await self._catalog.rights(table.name)).unreadable
            shown = [column for column in shown if column.name not in hidden]
        return [record_of(table, shown, row) for row in rows]
