"""What objects and fields there are, asked when it is needed and kept until it is contradicted."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final

import anyio
import attrs

from mkdyn.adapters.http.shapes import Json, as_list, as_objects, inside
from mkdyn.adapters.marketo.client import Client
from mkdyn.adapters.marketo.codes import treatment
from mkdyn.adapters.marketo.requests import PERSON, asking, key_of, path_of
from mkdyn.adapters.marketo.responses import RefusedError
from mkdyn.adapters.marketo.values import type_of
from mkdyn.domain.fields import FieldSpec
from mkdyn.domain.names import nearest
from mkdyn.errors import UnknownEntityError, UnknownFieldError

#: Fields of persons that a describe calls writable, and that the system manages or a company has all the same
#: (source: Adobe, "List of standard fields"; a recorded describe).
_MANAGED: Final = frozenset(
    {
        "company", "site", "billingStreet", "billingCity", "billingState", "billingCountry", "billingPostalCode",
        "website", "mainPhone", "annualRevenue", "numberOfEmployees", "industry", "sicCode", "mktoCompanyNotes",
        "id", "isAnonymous", "anonymousIP", "cookies", "urgency", "priority", "relativeScore", "relativeUrgency",
        "leadPartitionId", "leadRevenueCycleModelId", "leadRevenueStageId", "acquisitionProgramId",
        "mktoAcquisitionDate", "createdAt", "updatedAt", "ecids", "mktoName", "contactCompany", "leadPerson",
        "personTimeZone",
    }
)  # fmt: skip


@attrs.frozen(kw_only=True)
class Described:
    """An object's fields.

    Attributes:
        fields: By name.
        by_id: The names by Marketo's number of the field; persons only.
        by_label: The names by label, as its feed may call them.
        compound: The fields that are a record's key together; none where it is one field.
    """

    fields: Mapping[str, FieldSpec]
    by_id: Mapping[str, str]
    by_label: Mapping[str, str]
    compound: Sequence[str] = ()


class Catalog:
    """The objects of one instance."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._known: dict[str, Described] = {}
        self._looking = anyio.Lock()

    async def fresh(self, object: str) -> Described | None:
        """Ask for an object's fields; None if it is not there."""
        self._known.pop(object, None)
        try:
            answer = await self._client.ask(asking(f"{path_of(object)}/describe"))
        except RefusedError as error:
            if treatment(error.code) == "object":
                return None
            raise
        items, compound = answer.result, tuple[str, ...]()
        if object != PERSON:
            compound = _compound(object, items[0]) if items else ()
            items = () if not items else as_objects(items[0].get("fields")) or ()
        specs = [spec for item in items if (spec := _spec(object, item, compound)) is not None]
        if not specs:
            return None
        found = Described(
            fields={spec.name: spec for spec in specs},
            by_id={spec.id: spec.name for spec in specs if spec.id is not None},
            by_label={spec.label: spec.name for spec in reversed(specs)},
            compound=compound,
        )
        self._known[object] = found
        return found

    async def known(self, object: str, fields: Collection[str] = ()) -> Described:
        """Return an object that has some fields.

        Raises:
            UnknownEntityError: There is no such object.
            UnknownFieldError: It has no such field.
        """
        found = self._known.get(object)
        if found is None or any(name not in found.fields for name in fields):
            async with self._looking:  # whoever else waits for the same need not ask
                newer = self._known.get(object)
                found = newer if newer is not None and newer is not found else await self.fresh(object)
        if found is None:
            raise no_object(object)
        lacking = next((name for name in fields if name not in found.fields), None)
        if lacking is not None:
            near = nearest(lacking, found.fields)
            hint = f"; nearest: {near}" if near else ""
            raise UnknownFieldError(
                f"Marketo {object}.{lacking} is not there{hint}.", what_to_do="Check the selected fields.", nearest=near
            )
        return found

    def forget(self, object: str) -> None:
        """Have an object asked for anew when it is needed."""
        self._known.pop(object, None)


def _compound(object: str, about: Json) -> tuple[str, ...]:
    """Return the fields that are a record's key together, unless it can be found by one that is its key for us."""
    names = tuple(str(name) for name in as_list(about.get("dedupeFields")))
    alone = [key_of(object)] in as_list(about.get("searchableFields"))
    return names if len(names) > 1 and not alone else ()


def _spec(object: str, item: Json, compound: Collection[str]) -> FieldSpec | None:
    """Return a field as the engine sees it; None of one that the API does not have."""
    rest = inside(item, "rest")
    name = str(rest.get("name") or "") if object == PERSON else str(item.get("name") or "")
    if not name:
        return None
    if object == PERSON:
        writable = not rest.get("readOnly") and name not in _MANAGED
    else:
        writable = bool(item.get("updateable")) or name == key_of(object) or name in compound
    kind = type_of(str(item.get("dataType", "")))
    length = item.get("length")
    return FieldSpec(
        name=name,
        type=kind,
        label=str(item.get("displayName") or name),
        length=length if isinstance(length, int) else None,
        writable=writable,
        default=False if kind == "boolean" else None,
        id=str(item["id"]) if object == PERSON and "id" in item else None,
        api_created=bool(item.get("isApiCreated")),
    )


def no_object(object: str) -> UnknownEntityError:
    """Return the error of an object that is not there."""
    return UnknownEntityError(
        f"Marketo has no object {object}, or the API user may not read it.",
        what_to_do="Check the name, or give the API user's role that permission.",
    )
