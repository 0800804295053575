"""Writes many rows of one table, all of them or none."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias, cast

from mkdyn.testing._tables import Row
from mkdyn.testing.servers.dynamics.keys import Named, referred
from mkdyn.testing.servers.dynamics.payloads import values_of, wrong_payload
from mkdyn.testing.servers.dynamics.question import (
    BAD_REQUEST,
    NO_SUCH_RECORD,
    UNEXPECTED,
    Answer,
    Object,
    Question,
    RefusedError,
)
from mkdyn.testing.servers.dynamics.world import Organization, View
from mkdyn.testing.servers.dynamics.writes import create, update

_TYPE: Final = "Microsoft.Dynamics.CRM."
#: Tables that take no bulk writes.
UNSUPPORTED: Final = frozenset({"connection", "systemuser", "team"})
#: Writes rows; returns what is answered.
Bulk: TypeAlias = Callable[[Organization, View, Question, Sequence[Object]], Answer]


def bulk(organization: Organization, view: View, question: Question, action: str) -> Answer:
    """Carry out a bulk action, as a whole.

    Raises:
        RefusedError: There is no such action, or one row is refused; then nothing was written.
    """
    if action == "DeleteMultiple":
        raise RefusedError(400, UNEXPECTED, "DeleteMultiple has not yet been implemented.")
    write = _ACTIONS.get(action)
    if write is None or view.table.name in UNSUPPORTED:
        raise RefusedError(404, BAD_REQUEST, f"Resource not found for the segment '{_TYPE}{action}'.")
    targets: Any = question.json().get("Targets")
    if not isinstance(targets, list):
        raise wrong_payload(view, "The parameter 'Targets' is missing.")
    rows = cast("list[Object]", targets)
    for row in rows:
        if str(row.get("@odata.type", "")).lstrip("#") != f"{_TYPE}{view.table.name}":
            raise wrong_payload(view, "A type annotation '@odata.type' is missing, or of another table.")
    with organization.backstage.undoing.transaction():
        return write(organization, view, question, rows)


def _create(organization: Organization, view: View, question: Question, rows: Sequence[Object]) -> Answer:
    made = [create(organization, view, values_of(organization, view, question, row), question.headers) for row in rows]
    context = f"{question.root}/$metadata#{_TYPE}CreateMultipleResponse"
    return Answer(body={"@odata.context": context, "Ids": [row.key for row in made]}, rows=len(rows))


def _update(organization: Organization, view: View, question: Question, rows: Sequence[Object]) -> Answer:
    first: dict[str, Object] = {}
    for row in rows:
        first.setdefault(_key(view, row), row)  # of one row, only the first item is carried out
    missing = [key for key in first if key not in view.table.rows]
    if missing:
        name = view.table.name.capitalize()
        raise RefusedError(404, NO_SUCH_RECORD, f"{name} With Ids = {', '.join(missing)} Do Not Exist")
    for key, row in first.items():
        update(organization, view, view.table.rows[key], values_of(organization, view, question, row), None)
    return Answer(status=204, rows=len(rows))


def _upsert(organization: Organization, view: View, question: Question, rows: Sequence[Object]) -> Answer:
    named = [_named(organization, view, question, row) for row in rows]
    seen: list[tuple[str | None, Mapping[str, object]]] = []
    for each in named:
        identity = (each.row.key if each.row else each.guid, dict(each.values))
        if identity in seen:
            raise RefusedError(400, UNEXPECTED, "An item with the same key has already been added.")
        seen.append(identity)
    for each, item in zip(named, rows, strict=True):
        _upsert_one(organization, view, question, each, item)
    return Answer(status=204, rows=len(rows))


def _upsert_one(organization: Organization, view: View, question: Question, named: Named, item: Object) -> None:
    values = values_of(organization, view, question, item)
    row: Row | None = named.row
    if row is not None:
        kept = {name: value for name, value in values.items() if name not in named.values}
        update(organization, view, row, kept, None)
        return
    if not named.values.keys().isdisjoint(values):
        raise RefusedError(400, UNEXPECTED, "An item with the same key has already been added.")
    key = {} if named.guid is None else {view.table.key_field: named.guid}
    create(organization, view, {**named.values, **values, **key}, question.headers)


def _named(organization: Organization, view: View, question: Question, row: Object) -> Named:
    address = row.get("@odata.id")
    found = referred(
        organization,
        question,
        f"{view.entity_set}({_key(view, row)})" if address is None else str(address),
    )
    if found.view.table is not view.table:
        raise wrong_payload(view, "An item is of another table.")
    return found


def _key(view: View, row: Object) -> str:
    key = row.get(view.table.key_field)
    if not isinstance(key, str):
        raise wrong_payload(view, f"The primary key '{view.table.key_field}' is missing.")
    return key.lower()


_ACTIONS: Final[Mapping[str, Bulk]] = {
    "CreateMultiple": _create,
    "UpdateMultiple": _update,
    "UpsertMultiple": _upsert,
}
