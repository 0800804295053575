"""Persons: read, found, written, deleted, merged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from mkdyn.domain.outcomes import Applied, Create, Delete, Rejected, Update
from mkdyn.domain.records import Record
from mkdyn.domain.values import FieldValue
from mkdyn.testing._marketo_rules import INVALID, NOT_FOUND, SEVERAL, TOO_MANY_TO_MERGE
from mkdyn.testing._tables import Row, as_text
from mkdyn.testing.servers.marketo.paging import paged
from mkdyn.testing.servers.marketo.question import BATCH_MAX, Answer, Object, Question, RefusedError, skipped
from mkdyn.testing.servers.marketo.values import shown
from mkdyn.testing.servers.marketo.world import NOT_SEARCHABLE, UNKNOWN_FIELD, World, reason

_DEFAULT: Final = ("id", "email", "updatedAt", "createdAt", "firstName", "lastName")
#: Standard fields that persons can be looked up by, as far as the fake has them.
_SEARCHABLE: Final = ("id", "email", "cookies", "leadPartitionId")
_SEARCHABLE_TYPES: Final = frozenset({"text", "email", "integer", "score"})
_MATCHES_MAX: Final = 1_000
_MERGE_MAX: Final = 25
_EXISTS: Final = "1005"
_NO_LEAD: Final = "Lead not found"


def searchable(world: World) -> list[str]:
    """Return the fields that persons can be looked up by."""
    table = world.leads
    custom = (
        spec.name
        for spec in table.specs.values()
        if world.is_custom(table, spec.name) and spec.type in _SEARCHABLE_TYPES
    )
    return [*_SEARCHABLE, *custom]


def get(world: World, question: Question) -> Answer:
    """One person, by id."""
    fields = world.fields(world.leads, question.texts("fields"), _DEFAULT)
    found = list(world.backstage.read(world.leads, [question.path["id"]], fields))
    if not found:
        raise RefusedError(NOT_FOUND, f"Lead '{question.path['id']}' not found")
    return Answer(result=_shown(found))


def by_filter(world: World, question: Question) -> Answer:
    """The persons whose field has one of some values."""
    field, values = question.required("filterType"), question.texts("filterValues")
    if field not in world.leads.specs:
        raise RefusedError(UNKNOWN_FIELD, f"Filter field '{field}' not found")
    if field not in searchable(world):
        raise RefusedError(NOT_SEARCHABLE, f"Field '{field}' is not searchable")
    if not values:
        question.required("filterValues")
    if len(values) > BATCH_MAX:
        raise RefusedError(INVALID, f"No more than {BATCH_MAX} filter values are allowed")
    fields = world.fields(world.leads, question.texts("fields"), _DEFAULT)
    found = (
        list(world.backstage.read(world.leads, list(dict.fromkeys(values)), fields))
        if field == "id"
        else world.backstage.find(world.leads, field, values, fields)
    )
    if len(found) > _MATCHES_MAX:
        raise RefusedError(INVALID, "Too many results match the filter")
    return paged(question, found, _shown)


def _shown(records: Iterable[Record]) -> list[Object]:
    return [
        {"id": int(record.key), **{name: shown(value) for name, value in record.values.items() if name != "id"}}
        for record in records
    ]


# -- writes --------------------------------------------------------------------------------------------


def sync(world: World, question: Question) -> Answer:
    """Create or update persons; each is answered in its place."""
    action = question.choice("action", "createOrUpdate", "createOnly", "updateOnly", "createDuplicate")
    sent = question.records(world.quirks.too_many_code)
    field = (question.body or {}).get("lookupField") or "email"
    if field not in world.leads.specs:
        raise RefusedError(UNKNOWN_FIELD, f"Lookup field '{field}' not found")
    if field not in searchable(world):
        raise RefusedError(NOT_SEARCHABLE, f"Field '{field}' is not allowed as lookup field")
    if field == "id" and action != "updateOnly":
        raise RefusedError(INVALID, f"Field 'id' is not allowed with action '{action}'")
    return Answer(result=[synced(world, record, action, str(field)) for record in sent])


def synced(world: World, sent: Object, action: str, field: str) -> Object:
    """Create or update one person; what is said of it."""
    if "id" in sent and action != "updateOnly":
        return skipped(INVALID, f"Invalid value for field 'id' and value '{sent['id']}'")
    key = sent.get(field)
    if key in (None, "") and action != "createDuplicate":
        return skipped(INVALID, f"Missing value for lookup field '{field}'")
    values = world.values(world.leads, sent, without=("id",))
    if isinstance(values, Rejected):
        return skipped(values.code, reason(values, sent))
    found: Sequence[Row] = (
        [] if action == "createDuplicate" else _found(world, field, key if field == "id" else values[field])
    )
    if len(found) > 1:
        return skipped(SEVERAL, "Multiple lead match lookup criteria")
    if found and action == "createOnly":
        return skipped(_EXISTS, "Lead already exists")
    if not found and action == "updateOnly":
        return skipped(NOT_FOUND, _NO_LEAD)
    outcome = _changed(world, found[0], values) if found else _made(world, field, values)
    if isinstance(outcome, Rejected):
        return skipped(outcome.code, reason(outcome, sent))
    return {"id": int(outcome.key), "status": "updated" if found else "created"}


def _found(world: World, field: str, key: FieldValue) -> Sequence[Row]:
    text = as_text(key) or ""
    if field == "id":
        row = world.leads.rows.get(text)
        return [] if row is None else [row]
    if world.in_making[f"{field}={text.casefold()}"]:
        return []
    return list(world.leads.matching(field, [text]))


def _changed(world: World, row: Row, values: dict[str, FieldValue]) -> Applied | Rejected:
    return world.write(world.leads, Update(key=row.key, values=values), world.update(world.leads, row, values))


def _made(world: World, field: str, values: dict[str, FieldValue]) -> Applied | Rejected:
    key = as_text(values.get(field)) or ""
    outcome = world.write(world.leads, Create(key=key, values=values, by=field), world.add(world.leads, values))
    if world.quirks.races == "duplicates" and isinstance(outcome, Applied):
        name = f"{field}={key.casefold()}"
        world.in_making[name] += 1
        world.when_done.append(lambda: world.in_making.subtract([name]))
    return outcome


def delete(world: World, question: Question) -> Answer:
    """Delete persons, by the ids of the body, or of the query where there is no body."""
    if question.body is None:
        ids: list[object] = [*question.texts("id")]
        if not ids:
            question.required("id")
        if len(ids) > BATCH_MAX:
            raise RefusedError(world.quirks.too_many_code, f"Number of ids exceeds {BATCH_MAX}")
    else:
        ids = [record.get("id") for record in question.records(world.quirks.too_many_code)]
    return Answer(result=[_deleted(world, str(id)) for id in ids])


def _deleted(world: World, key: str) -> Object:
    shown_id: Mapping[str, object] = {"id": int(key)} if key.isdecimal() else {}
    if key not in world.leads.rows:
        return {**shown_id, **skipped(NOT_FOUND, _NO_LEAD)}
    write = Delete(key=key)
    outcome = world.write(world.leads, write, lambda: world.backstage.attempt(world.leads, write))
    if isinstance(outcome, Rejected):
        return {**shown_id, **skipped(outcome.code, outcome.message)}
    return {**shown_id, "status": "deleted"}


def merge(world: World, question: Question) -> Answer:
    """Merge persons into the winner; a loser that is gone is an error, and nothing is merged."""
    winner, losers = question.path["id"], question.texts("leadIds") or question.texts("leadId")
    if not losers:
        question.required("leadId")
    if len(losers) > _MERGE_MAX:
        raise RefusedError(TOO_MANY_TO_MERGE, f"No more than {_MERGE_MAX} leads can be merged at once")
    for key in (winner, *losers):
        if key not in world.leads.rows:
            raise RefusedError(NOT_FOUND, f"Lead '{key}' not found")
    outcome = world.backstage.merge(winner, losers)
    if isinstance(outcome, Rejected):
        raise RefusedError(outcome.code, outcome.message)
    return Answer()
