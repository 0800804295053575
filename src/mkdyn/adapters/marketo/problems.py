"""What is missing in Marketo before a run, and who can put it right."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from mkdyn.adapters.http import Request
from mkdyn.adapters.marketo.catalog import Catalog
from mkdyn.adapters.marketo.client import Client
from mkdyn.adapters.marketo.requests import PERSON, asking, is_custom, key_of, place_at, upserted
from mkdyn.adapters.marketo.responses import NATIVE_SYNC, ForbiddenError, RefusedError
from mkdyn.domain.entities import Entity
from mkdyn.domain.fields import FieldSpec
from mkdyn.domain.names import nearest
from mkdyn.domain.roles import ROLE
from mkdyn.errors import CheckError
from mkdyn.ports.connectors import Problem


async def problems_of(client: Client, catalog: Catalog, object: str, fields: Collection[str]) -> Sequence[Problem]:
    """Find what is missing of an object: rights, itself, or fields. What our user may create is not missing."""
    try:
        described = await catalog.fresh(object)
    except CheckError as error:
        return [Problem(what=f"Marketo {object}: {problem}", remedy="Then check again.") for problem in error.problems]
    there = dict[str, FieldSpec]() if described is None else described.fields
    lacking = sorted(set(fields) - there.keys())
    rights = [] if described is None else await _rights(client, object)
    if described is not None and not lacking:
        return rights
    if (object == PERSON or is_custom(object)) and await _may_create(client, object):
        return rights
    if described is None:
        return [
            Problem(
                what=f"Marketo {object} is not there, or the API user may not read it.",
                remedy="Check the name, or give the API user's role that permission.",
            )
        ]
    return [*(_problem(object, field, nearest(field, there)) for field in lacking), *rights]


async def _rights(client: Client, object: str) -> list[Problem]:
    """Find the rights that our user lacks on an object that it may read; nothing is written by asking.

    A write of no record is refused for having none: who may not write is refused before (source: none, it is what a
    gateway does; where Marketo looks at the record first, a lacking right is found by the first write).
    """
    asked = [(upserted(object, "updateOnly", key_of(object), []), "write it", _WRITING.get(object, _WRITING_CUSTOM))]
    if object == PERSON:
        asked.append((place_at(_SOME_TIME), "read its activities", "Read-Only Activity"))
    return [
        problem
        for request, words, permission in asked
        if (problem := await _refused(client, request, object, words, permission)) is not None
    ]


async def _refused(client: Client, request: Request, object: str, words: str, permission: str) -> Problem | None:
    try:
        await client.ask(request)
    except ForbiddenError as error:
        if error.code == NATIVE_SYNC:
            return Problem(
                what=f"Marketo {object}: the native CRM sync is on, so nobody else may write it ({error.code}).",
                remedy="Switch the native sync off, or deselect all that is no person.",
            )
        return Problem(
            what=f"Marketo {object}: the API user may not {words} ({error.code}).",
            remedy=f"Give its role the API permission {permission}.",
        )
    except RefusedError:
        pass  # it was let in, and told that it brings nothing
    return None


#: The permissions that writing takes (source: Adobe, "Custom services", API permissions).
_WRITING: Final = {
    PERSON: "Read-Write Lead",
    Entity.ACCOUNT.marketo_object: "Read-Write Company",
    Entity.OPPORTUNITY.marketo_object: "Read-Write Named Opportunity",
    ROLE: "Read-Write Named Opportunity",
    Entity.USER.marketo_object: "Read-Write Sales Person",
}
_WRITING_CUSTOM: Final = "Read-Write Custom Object"
#: Where in the log does not matter.
_SOME_TIME: Final = "2026-01-01T00:00:00Z"


def _problem(object: str, field: str, near: str | None) -> Problem:
    return Problem(
        what=f"Marketo {object}.{field} is not there{f'; nearest: {near}' if near else ''}.",
        remedy="Create it in Marketo, or let the API user's role create fields; or deselect it.",
    )


async def _may_create(client: Client, object: str) -> bool:
    """Whether our user may create fields: listing them for change takes the same permission."""
    request = asking("leads/schema/fields", batchSize="1") if object == PERSON else asking("customobjects/schema")
    try:
        await client.ask(request)
    except (CheckError, RefusedError):
        return False
    return True
