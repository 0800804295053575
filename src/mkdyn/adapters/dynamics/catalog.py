"""What tables there are, asked when it is needed and kept until it is contradicted."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import attrs

from mkdyn.adapters.dynamics import requests
from mkdyn.adapters.dynamics.batch import Answer
from mkdyn.adapters.dynamics.client import Client
from mkdyn.adapters.dynamics.metadata import OF_CURRENCY, OF_ORGANIZATION, Rights, Told, rights_of, table_of
from mkdyn.adapters.dynamics.odata import is_name
from mkdyn.adapters.dynamics.refusals import failure
from mkdyn.adapters.dynamics.responses import error_of, items_of, json_of, unreadable
from mkdyn.adapters.dynamics.table import Table
from mkdyn.adapters.http.shapes import Json, listed
from mkdyn.domain.names import nearest
from mkdyn.domain.records import is_guid
from mkdyn.errors import UnknownEntityError, UnknownFieldError

_OK = 200
_NOT_FOUND = 404


@attrs.frozen(kw_only=True)
class Me:
    """Who we are.

    Attributes:
        organization: The organisation's id.
        user: Our user's id.
    """

    organization: str
    user: str


class Catalog:
    """The tables of one organisation, as our user sees them."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._me: Me | None = None
        self._tables: dict[str, Table] = {}
        self._sets: dict[str, tuple[str, str]] = {}

    async def me(self) -> Me:
        """Return who we are; asked once."""
        if self._me is None:
            found = json_of(await self._client.ask(requests.who_am_i()))
            ids = [str(found.get(name, "")).lower() for name in ("OrganizationId", "UserId")]
            if not all(map(is_guid, ids)):
                raise unreadable("it does not say who we are")
            self._me = Me(organization=ids[0], user=ids[1])
        return self._me

    async def table(self, name: str, fields: Collection[str] = ()) -> Table:
        """Return a table with some columns.

        Raises:
            UnknownEntityError: There is no such table.
            UnknownFieldError: It has no such column.
        """
        table = self._tables.get(name)
        if table is None or any(not _has(table, field) for field in fields):
            table = await self.fresh(name)
        if table is None:
            raise UnknownEntityError(
                f"Dynamics has no table {name}.", what_to_do="Check the name, or have the table published."
            )
        lacking = next((field for field in fields if not _has(table, field)), None)
        if lacking is not None:
            near = nearest(lacking, table.columns)
            hint = f"; nearest: {near}" if near else ""
            raise UnknownFieldError(
                f"Dynamics {name}.{lacking} is not there{hint}.", what_to_do="Check the selected fields.", nearest=near
            )
        return table

    async def fresh(self, name: str) -> Table | None:
        """Ask for a table and all its columns, in one request; None if it is not there."""
        self.forget(name)
        if not is_name(name):
            return None
        parts = requests.told_of(name, (await self.me()).user)
        answers = dict(zip(parts, await self._client.ask_all(list(parts.values())), strict=True))
        if answers["entity"].status == _NOT_FOUND:
            return None
        table = table_of(_told(name, answers))
        self._tables[name] = table
        self._sets[name] = (table.entity_set, table.key)
        return table

    async def address(self, name: str) -> tuple[str, str]:
        """Return a table's entity set and key column."""
        if name not in self._sets:
            found = json_of(await self._client.ask(requests.definition(name), about=name))
            self._sets[name] = (str(found["EntitySetName"]), str(found["PrimaryIdAttribute"]))
        return self._sets[name]

    async def rights(self, name: str) -> Rights:
        """Ask what our user may do with a table's secured columns, as it is now; in one request."""
        parts = requests.rights_on(name, (await self.me()).user)
        secured, granted = await self._client.ask_all([parts["secured"], parts["granted"]])
        return rights_of(_items(name, secured), _items(name, granted, "AttributePrivileges"))

    def forget(self, name: str) -> None:
        """Have a table asked for anew when it is needed: it is not what it was."""
        self._tables.pop(name, None)


def _has(table: Table, field: str) -> bool:
    column = table.columns.get(field)
    return column is not None and column.on_the_wire


def _told(name: str, answers: Mapping[str, Answer]) -> Told:
    typed = [item for key, answer in answers.items() if key.startswith("typed:") for item in _items(name, answer)]
    masked = _if_told(answers["masked"])
    return Told(
        entity=json_of(_good(name, answers["entity"])),
        attributes=_items(name, answers["attributes"]),
        typed=typed,
        relationships=_items(name, answers["relationships"]),
        sources=_if_told(answers["sources"]),
        privileges=_if_told(answers["privileges"], "Privileges"),
        held=_items(name, answers["held"], "RolePrivileges"),
        rights=rights_of(_items(name, answers["secured"]), _items(name, answers["granted"], "AttributePrivileges")),
        digits=_digits(_if_told(answers["organization"]), _if_told(answers["currencies"])),
        masked=frozenset(str(item.get("attributelogicalname")) for item in masked),
    )


def _digits(organization: Sequence[Json], currencies: Sequence[Json]) -> Mapping[int, int]:
    """Return how many digits amounts have where not the column says it: by Dynamics' number for who does."""
    by_organization = [item.get("pricingdecimalprecision") for item in organization]
    by_currency = [item.get("currencyprecision") for item in currencies]
    told = {OF_ORGANIZATION: by_organization, OF_CURRENCY: by_currency}
    return {source: max(numbers) for source, found in told.items() if (numbers := [n for n in found if n is not None])}


def _good(name: str, answer: Answer) -> Answer:
    if answer.status != _OK:
        raise failure(error_of(answer), name)
    return answer


def _items(name: str, answer: Answer, under: str = "value") -> Sequence[Json]:
    return items_of(_good(name, answer), under)


def _if_told(answer: Answer, under: str = "value") -> Sequence[Json]:
    """Return what an organisation may not tell: it lacks the table, or our user the right to ask."""
    return listed(json_of(answer), under) if answer.status == _OK else ()
