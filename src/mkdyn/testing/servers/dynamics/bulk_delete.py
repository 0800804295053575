"""Deletes the rows that a query finds, as a job."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, cast
from uuid import uuid4

from mkdyn.domain.outcomes import Delete
from mkdyn.testing.servers.dynamics.question import BAD_PAYLOAD, BAD_QUERY, Answer, Question, RefusedError
from mkdyn.testing.servers.dynamics.world import Organization

_OPERATORS: Final = ("In", "Equal")


def bulk_delete(organization: Organization, question: Question) -> Answer:
    """Delete rows by their keys; the job is done when its number is told, and passes over what can't be deleted.

    Raises:
        RefusedError: A query is none, or looks for other things than keys; then nothing is deleted.
    """
    given: object = question.json().get("QuerySet")
    if not isinstance(given, list) or not given:
        raise RefusedError(400, BAD_PAYLOAD, "The parameter 'QuerySet' is missing.")
    wanted = [_wanted(organization, query) for query in cast("list[object]", given)]
    for table, keys in wanted:
        for key in keys:
            organization.attempt(organization.tables[table], Delete(key=key))
    context = f"{question.root}/$metadata#Microsoft.Dynamics.CRM.BulkDeleteResponse"
    return Answer(body={"@odata.context": context, "JobId": str(uuid4())}, rows=sum(len(keys) for _, keys in wanted))


def _wanted(organization: Organization, query: Any) -> tuple[str, Sequence[str]]:  # noqa: ANN401 - JSON
    """Return whose rows one query finds, and their keys."""
    try:
        name, conditions = query["EntityName"], query["Criteria"]["Conditions"]
        table = organization.tables[name]
        [condition] = conditions
        by_key = condition["AttributeName"] == table.key_field and condition["Operator"] in _OPERATORS
        keys = [str(value["Value"]).lower() for value in condition["Values"]]
    except (KeyError, TypeError) as error:
        raise RefusedError(400, BAD_PAYLOAD, "A query of 'QuerySet' is none.") from error
    except ValueError as error:
        raise RefusedError(501, BAD_QUERY, "This server deletes by one condition only.") from error
    if not by_key:
        raise RefusedError(501, BAD_QUERY, "This server deletes by keys only.")
    return name, [key for key in keys if key in table.rows]
