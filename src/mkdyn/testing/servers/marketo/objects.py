"""Companies, opportunities, roles, sales persons, custom objects: described, found, written, deleted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Final

from mkdyn.domain.outcomes import Create, Delete, Rejected, Update
from mkdyn.domain.records import Record
from mkdyn.domain.values import FieldValue
from mkdyn.testing._marketo_rules import INVALID, RECORD_NOT_FOUND
from mkdyn.testing._tables import Row, Table, as_text
from mkdyn.testing.servers.marketo.paging import paged
from mkdyn.testing.servers.marketo.question import BATCH_MAX, Answer, Object, Question, RefusedError, is_list, skipped
from mkdyn.testing.servers.marketo.shapes import Shape
from mkdyn.testing.servers.marketo.values import instant, shown
from mkdyn.testing.servers.marketo.world import NOT_SEARCHABLE, World, reason

_EXISTS: Final = "1017"
_CRM_ENABLED: Final = "1018"
_TWICE: Final = "1036"
_FOUND_BY: Final = frozenset({"text", "email", "integer"})


def table_of(world: World, shape: Shape) -> Table:
    """Return an object's table."""
    return world.backstage.tables[shape.table]


def dedupe_of(world: World, shape: Shape) -> tuple[str, ...]:
    """Return the fields that together are an object's key."""
    return shape.dedupe or world.dedupe.get(shape.table) or (table_of(world, shape).key_field,)


def _searchable(world: World, shape: Shape) -> list[list[str]]:
    """Return what an object can be found by; a key of several fields is found as one."""
    table = table_of(world, shape)
    own = [[*dedupe_of(world, shape)], [shape.id_field], *([name] for name in shape.searched)]
    custom = (
        [spec.name]
        for spec in table.specs.values()
        if shape.table == "opportunity" and world.is_custom(table, spec.name) and spec.type in _FOUND_BY
    )
    return [*own, *custom]


def allowed(world: World, shape: Shape, *, writing: bool) -> None:
    """Refuse what a native CRM sync makes impossible.

    Raises:
        RefusedError: It is impossible.
    """
    mode = world.quirks.native_sync
    if shape.of_crm and (mode == "refused" or (mode == "read-only" and writing)):
        raise RefusedError(_CRM_ENABLED, "CRM Enabled")


def described(world: World, shape: Shape, *, fields: bool = True) -> Object:
    """Return what a describe says of an object."""
    table, dedupe = table_of(world, shape), dedupe_of(world, shape)
    begun = instant(world.began)
    about: dict[str, object] = {
        "name": shape.name,
        "displayName": shape.name,
        "description": f"{shape.name} object",
        "createdAt": begun,
        "updatedAt": begun,
        "idField": shape.id_field,
        "dedupeFields": [*dedupe],
        "searchableFields": _searchable(world, shape),
        "relationships": [],
    }
    if fields:
        about["fields"] = [
            {
                "name": spec.name,
                "displayName": spec.label,
                "dataType": world.data_type(spec),
                **({} if spec.length is None else {"length": spec.length}),
                "updateable": spec.writable and spec.name not in dedupe,
                "crmManaged": False,
            }
            for spec in table.specs.values()
        ]
    return about


def describe(shape: Shape, world: World, _question: Question) -> Answer:
    """What an object is."""
    allowed(world, shape, writing=False)
    return Answer(result=[described(world, shape)])


# -- reads ---------------------------------------------------------------------------------------------


def query(shape: Shape, world: World, question: Question) -> Answer:
    """The records that have some values in a field, or some keys of several fields."""
    allowed(world, shape, writing=False)
    table, dedupe = table_of(world, shape), dedupe_of(world, shape)
    question = _flattened(question)
    asked = question.required("filterType")
    default = shape.shown or (shape.id_field, *dedupe, "createdAt", "updatedAt")
    fields = list(dict.fromkeys([shape.id_field, *world.fields(table, question.texts("fields"), default)]))
    if asked == "dedupeFields" and question.body is not None and "input" in question.body:
        found = _by_keys(world, table, dedupe, question, fields)
    else:
        aliases = {"idField": shape.id_field, **({"dedupeFields": dedupe[0]} if len(dedupe) == 1 else {})}
        field = aliases.get(asked, asked)
        if [field] not in _searchable(world, shape):
            raise RefusedError(NOT_SEARCHABLE, f"Field '{asked}' is not searchable")
        values = question.texts("filterValues") or [question.required("filterValues")]
        if len(values) > BATCH_MAX:
            raise RefusedError(INVALID, f"No more than {BATCH_MAX} filter values are allowed")
        found = world.backstage.find(table, field, values, fields)
    return paged(question, found, partial(_shown, fields))


def _flattened(question: Question) -> Question:
    """Return a question whose parameters stand in a JSON body as one whose stand in its query."""
    if question.body is None:
        return question
    sent = {name: _as_texts(value) for name, value in question.body.items() if name != "input"}
    return Question(path=question.path, parameters={**question.parameters, **sent}, body=question.body)


def _as_texts(value: object) -> list[str]:
    return [str(part) for part in value] if is_list(value) else [str(value)]


def _by_keys(
    world: World, table: Table, dedupe: Sequence[str], question: Question, fields: Sequence[str]
) -> Sequence[Record]:
    keys = [_key(sent, dedupe) for sent in question.records(INVALID)]
    if any(key is None for key in keys):
        raise RefusedError(INVALID, f"Every element of 'input' needs {', '.join(dedupe)}")
    wanted = {key for key in keys if key is not None}
    found = world.backstage.find(table, dedupe[0], {key[0] for key in wanted}, [*fields, *dedupe])
    return [record for record in found if _key(record.values, dedupe) in wanted]


def _key(values: Mapping[str, FieldValue], dedupe: Sequence[str]) -> tuple[str, ...] | None:
    parts = [as_text(values.get(name)) for name in dedupe]
    return tuple(part.casefold() for part in parts if part) if all(parts) else None


def _shown(fields: Sequence[str], records: Iterable[Record]) -> list[Object]:
    return [
        {"seq": place, **{name: shown(record.values[name]) for name in fields}} for place, record in enumerate(records)
    ]


# -- writes --------------------------------------------------------------------------------------------


def sync(shape: Shape, world: World, question: Question) -> Answer:
    """Create or update records; each is answered in its place."""
    allowed(world, shape, writing=True)
    action = question.choice("action", "createOrUpdate", "createOnly", "updateOnly")
    by_id = question.choice("dedupeBy", "dedupeFields", "idField") == "idField"
    if by_id and action != "updateOnly":
        raise RefusedError(INVALID, f"'idField' is not allowed with action '{action}'")
    keys = (shape.id_field,) if by_id else dedupe_of(world, shape)
    table, seen, result = table_of(world, shape), set[tuple[str, ...]](), list[Object]()
    for place, sent in enumerate(question.records(world.quirks.too_many_code)):
        key = _key(sent, keys)
        if key is None:
            said: Object = skipped(INVALID, f"Missing value for {', '.join(keys)}")
        elif key in seen:
            said = skipped(_TWICE, "Duplicate object found in input")
        else:
            seen.add(key)
            said = synced(world, shape, table, sent, action, keys)
        result.append({"seq": place, **said})
    return Answer(result=result)


def synced(world: World, shape: Shape, table: Table, sent: Object, action: str, keys: Sequence[str]) -> Object:
    """Create or update one record that has its keys; what is said of it."""
    values = world.values(table, sent, without=(shape.id_field,))
    if isinstance(values, Rejected):
        return skipped(values.code, reason(values, sent))
    row = row_of(table, sent, keys)
    if row is not None and action == "createOnly":
        return skipped(_EXISTS, "Object already exists")
    if row is None and action == "updateOnly":
        return skipped(RECORD_NOT_FOUND, "Record not found")
    if row is None:
        write = Create(key=str(values.get(table.key_field)), values=values)
        outcome = world.write(table, write, world.add(table, values))
    else:
        outcome = world.write(table, Update(key=row.key, values=values), world.update(table, row, values))
    if isinstance(outcome, Rejected):
        return skipped(outcome.code, reason(outcome, sent))
    id = shown(table.rows[outcome.key].values.get(shape.id_field))
    return {"status": "created" if row is None else "updated", shape.id_field: id}


def row_of(table: Table, sent: Mapping[str, FieldValue], keys: Sequence[str]) -> Row | None:
    """Return the record that has these keys; texts are compared without regard to case."""
    wanted = _key(sent, keys)
    assert wanted is not None
    return next((row for row in table.matching(keys[0], wanted[:1]) if _key(row.values, keys) == wanted), None)


def delete(shape: Shape, world: World, question: Question) -> Answer:
    """Delete records; each is answered in its place."""
    allowed(world, shape, writing=True)
    by_id = question.choice("deleteBy", "dedupeFields", "idField") == "idField"
    keys = (shape.id_field,) if by_id else dedupe_of(world, shape)
    table = table_of(world, shape)
    sent = question.records(world.quirks.too_many_code)
    return Answer(result=[{"seq": place, **_deleted(world, shape, table, one, keys)} for place, one in enumerate(sent)])


def _deleted(world: World, shape: Shape, table: Table, sent: Object, keys: Sequence[str]) -> Object:
    row = None if _key(sent, keys) is None else row_of(table, sent, keys)
    if row is None:
        return skipped(RECORD_NOT_FOUND, "Record not found")
    id, write = shown(row.values.get(shape.id_field)), Delete(key=row.key)
    outcome = world.write(table, write, lambda: world.backstage.attempt(table, write))
    if isinstance(outcome, Rejected):
        return skipped(outcome.code, outcome.message)
    return {shape.id_field: id, "status": "deleted"}
