"""Writes to one row: create, update, upsert, delete."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from uuid import uuid4

from mkdyn.domain.outcomes import Create, Delete, Update
from mkdyn.domain.values import FieldValue
from mkdyn.testing._schemas_dynamics import STATUS_OF_ACTIVE, STATUS_OF_STATE
from mkdyn.testing._tables import Row
from mkdyn.testing.servers.dynamics.keys import Named, matching
from mkdyn.testing.servers.dynamics.options import Options
from mkdyn.testing.servers.dynamics.payloads import values_of
from mkdyn.testing.servers.dynamics.queries import annotated, applied, options_of
from mkdyn.testing.servers.dynamics.question import (
    DUPLICATE_KEY,
    DUPLICATE_RECORD,
    INVALID_STATE,
    Answer,
    Question,
    RefusedError,
)
from mkdyn.testing.servers.dynamics.refusals import done, moved
from mkdyn.testing.servers.dynamics.rows import shape_of
from mkdyn.testing.servers.dynamics.world import Organization, View

_CREATED: Final = 201
_NO_CONCURRENCY: Final = "0x8006088d"
_DUPLICATE_FOUND: Final = "0x80040333"
#: The state that each status belongs to, where it is not the state's own.
_MORE_STATUSES: Final[Mapping[str, Mapping[int, int]]] = {
    "lead": {2: 0, 5: 2, 6: 2, 7: 2},
    "opportunity": {2: 0, 5: 2},
}


def state_of(table: str, status: int) -> int | None:
    """Return the state that a status belongs to."""
    own = {status: state for state, status in STATUS_OF_STATE.get(table, STATUS_OF_ACTIVE).items()}
    return {**own, **_MORE_STATUSES.get(table, {})}.get(status)


def post(organization: Organization, view: View, question: Question) -> Answer:
    """Make a row.

    Raises:
        RefusedError: It is not taken, or is there already.
    """
    values = values_of(organization, view, question, question.json())
    row = create(organization, view, values, question.headers)
    return _told(organization, view, question, row, f"{view.entity_set}({row.key})", created=True)


def patch(organization: Organization, view: View, question: Question, named: Named) -> Answer:
    """Write to a row, or make it, as the conditions say.

    Raises:
        RefusedError: A condition does not hold, or a value is not taken.
    """
    condition, unless = question.headers.get("if-match"), question.headers.get("if-none-match")
    if condition is not None:
        named.there()
    if named.row is not None and unless == "*":
        raise exists()
    values = values_of(organization, view, question, question.json())
    created = named.row is None
    if named.row is None:
        key = {} if named.guid is None else {view.table.key_field: named.guid}
        row = create(organization, view, {**named.values, **values, **key}, question.headers)
    else:
        row = named.row
        kept = {name: value for name, value in values.items() if name not in named.values}
        update(organization, view, row, kept, version_of(organization, view, condition))
    return _told(organization, view, question, row, named.address, created=created)


def delete(organization: Organization, view: View, question: Question, named: Named) -> Answer:
    """Delete a row.

    Raises:
        RefusedError: It is not there, or has another version.
    """
    row = named.there()
    version = version_of(organization, view, question.headers.get("if-match"))
    outcome = organization.attempt(view.table, Delete(key=row.key, version=version))
    done(organization, view, outcome)
    return Answer(status=204, rows=1)


def version_of(organization: Organization, view: View, condition: str | None) -> str | None:
    """Return the version that a row must have; None for any.

    Raises:
        RefusedError: The table has no versions.
    """
    if condition in (None, "*"):
        return None
    if view.table.name in organization.quirks.unversioned:
        message = f"The entity {view.table.name} does not have optimistic concurrency enabled."
        raise RefusedError(400, _NO_CONCURRENCY, message)
    return condition


def create(organization: Organization, view: View, values: Mapping[str, FieldValue], headers: Mapping[str, str]) -> Row:
    """Make a row; its state is always the first one.

    Raises:
        RefusedError: It is not taken, or is there already.
    """
    chosen = values.get(view.table.key_field)
    key = str(uuid4()) if chosen is None else str(chosen).lower()
    if key in view.table.rows:
        raise exists()
    entered = {name: value for name, value in values.items() if name not in (view.table.key_field, "statecode")}
    _check_state(view, entered, 0)
    _check_unique(organization, view, entered, None)
    if headers.get("mscrm.suppressduplicatedetection") == "false":
        _check_duplicates(organization, view, entered)
    outcome = organization.attempt(view.table, Create(key=key, values=entered))
    return view.table.rows[done(organization, view, outcome).key]


def update(
    organization: Organization, view: View, row: Row, values: Mapping[str, FieldValue], version: str | None
) -> None:
    """Write to a row that is there.

    Raises:
        RefusedError: It has another version, or a value is not taken.
    """
    if version not in (None, row.etag):
        raise moved()
    entered = {name: value for name, value in values.items() if name != view.table.key_field}
    state = entered.get("statecode", row.values.get("statecode"))
    _check_state(view, entered, state)
    _check_unique(organization, view, {**_keyed(organization, view, row), **entered}, row)
    outcome = organization.attempt(view.table, Update(key=row.key, values=entered, version=version))
    done(organization, view, outcome)


def exists() -> RefusedError:
    """Return what is said where a row is there already."""
    return RefusedError(412, DUPLICATE_RECORD, "A record with matching key values already exists.")


def _check_state(view: View, values: Mapping[str, FieldValue], state: FieldValue) -> None:
    status = values.get("statuscode")
    if not isinstance(status, int) or status not in view.table.specs["statuscode"].choices:
        return
    if state_of(view.table.name, status) != state:
        message = f"{status} is not a valid status code on {view.table.name} with state code {state}."
        raise RefusedError(400, INVALID_STATE, message)


def _keyed(organization: Organization, view: View, row: Row) -> Mapping[str, FieldValue]:
    columns = {name for key in organization.keys.get(view.table.name, ()) for name in key.columns}
    return {name: row.values.get(name) for name in columns}


def _check_unique(organization: Organization, view: View, values: Mapping[str, FieldValue], row: Row | None) -> None:
    for key in organization.keys.get(view.table.name, ()):
        wanted = {name: values.get(name) for name in key.columns}
        if None not in wanted.values() and any(other is not row for other in matching(view, wanted)):
            message = (
                f"Entity Key {key.name} violated. A record with the same value for "
                f"{', '.join(key.columns)} already exists. A duplicate record cannot be created."
            )
            raise RefusedError(412, DUPLICATE_KEY, message)


def _check_duplicates(organization: Organization, view: View, values: Mapping[str, FieldValue]) -> None:
    columns = organization.duplicate_rules.get(view.table.name, ())
    wanted = {name: values.get(name) for name in columns}
    if wanted and None not in wanted.values() and matching(view, wanted):
        message = "A record was not created or updated because a duplicate of the current record already exists."
        raise RefusedError(organization.quirks.duplicate_status, _DUPLICATE_FOUND, message)


def _told(
    organization: Organization, view: View, question: Question, row: Row, address: str, *, created: bool
) -> Answer:
    whole = f"{question.root}/{address}"
    if question.preferences.get("return") != "representation":
        return Answer(status=204, headers={"OData-EntityId": whole}, rows=1, entity=whole)
    options = options_of(organization, question)
    body = entity(organization, view, question, Options(select=options.select), row)
    headers = {**applied(question), "ETag": row.etag or ""}
    return Answer(status=_CREATED if created else 200, headers=headers, body=body, rows=1, entity=whole)


def entity(
    organization: Organization, view: View, question: Question, options: Options, row: Row
) -> Mapping[str, object]:
    """Return one row as an answer."""
    shape = shape_of(organization, view, options, annotated(question))
    chosen = "" if options.select is None and not shape.expansions else f"({shape.selected})"
    return {
        "@odata.context": f"{question.root}/$metadata#{view.entity_set}{chosen}/$entity",
        **shape.show(row),
    }
