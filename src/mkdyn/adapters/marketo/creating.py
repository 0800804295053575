"""Fields that are created in Marketo; those of persons, and custom objects with theirs."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from mkdyn.adapters.http import Request
from mkdyn.adapters.marketo.catalog import Catalog
from mkdyn.adapters.marketo.client import Client
from mkdyn.adapters.marketo.codes import ALREADY
from mkdyn.adapters.marketo.requests import CUSTOM_KEY, PERSON, is_custom, telling
from mkdyn.adapters.marketo.responses import RefusedError
from mkdyn.adapters.marketo.values import DATA_TYPES
from mkdyn.domain.fields import FieldSpec, NewField
from mkdyn.errors import FieldError, TypeMismatchError

_SCHEMA = "customobjects/schema"
#: What a field asked for as one type may be described as: scores are whole numbers there.
_SHOWN_AS = {"score": "integer"}


class Creator:
    """Creates one instance's fields."""

    def __init__(self, client: Client, catalog: Catalog) -> None:
        self._client = client
        self._catalog = catalog

    async def create(self, object: str, field: NewField) -> FieldSpec:
        """See `MarketoConnector.create_field`."""
        kind, name = field.type or "text", field.api_name
        described = await self._catalog.fresh(object)
        there = None if described is None else described.fields.get(name)
        if there is not None:
            if there.type not in (kind, _SHOWN_AS.get(kind)):
                raise TypeMismatchError(
                    f"{object}.{name} can't be a field of type {kind}; it is {there.type}.",
                    what_to_do="Choose another name, or another type.",
                )
            return there
        definition = {"name": name, "displayName": field.label, "dataType": DATA_TYPES.get(kind, kind)}
        try:
            if object == PERSON:
                await self._client.ask(telling("leads/schema/fields", {"input": [definition]}), repeatable=False)
            elif is_custom(object):
                await self._in_custom_object(object, definition, new=described is None)
            else:
                raise FieldError(
                    f"Marketo creates no field of {object} by its API.",
                    what_to_do="Create it in Marketo's Field Management, and name it.",
                )
        except RefusedError as error:
            raise FieldError(
                f"Marketo does not create {object}.{name} ({error.code}).",
                what_to_do="Choose another name or type, or create it in Marketo and name it.",
            ) from None
        self._catalog.forget(object)
        return (await self._catalog.known(object, [name])).fields[name]

    async def _in_custom_object(self, object: str, definition: dict[str, str], *, new: bool) -> None:
        place = f"{_SCHEMA}/{quote(object, safe='')}"
        fields: list[dict[str, Any]] = [definition]
        if new:
            await self._tolerating(telling(_SCHEMA, {"action": "createOnly", "apiName": object, "displayName": object}))
            key = {"name": CUSTOM_KEY, "displayName": "Dynamics id", "dataType": "string"}
            fields = [{**key, "isDedupeField": True}, definition]
        await self._tolerating(telling(f"{place}/addField", {"input": fields}))
        await self._client.ask(telling(f"{place}/approve", {}), repeatable=False)

    async def _tolerating(self, request: Request) -> None:
        """Send a request of which it does not matter that it was done before."""
        try:
            await self._client.ask(request, repeatable=False)
        except RefusedError as error:
            if error.code != ALREADY:
                raise
