"""What is missing in Marketo before a run, and who can put it right."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from mkdyn.adapters.marketo.catalog import Catalog
from mkdyn.adapters.marketo.client import Client
from mkdyn.adapters.marketo.requests import PERSON, asking, is_custom
from mkdyn.adapters.marketo.responses import RefusedError
from mkdyn.domain.fields import FieldSpec
from mkdyn.domain.names import nearest
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
    if described is not None and not lacking:
        return []
    if (object == PERSON or is_custom(object)) and await _may_create(client, object):
        return []
    if described is None:
        return [
            Problem(
                what=f"Marketo {object} is not there, or the API user may not read it.",
                remedy="Check the name, or give the API user's role that permission.",
            )
        ]
    return [_problem(object, field, nearest(field, there)) for field in lacking]


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
