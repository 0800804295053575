"""Custom object types: listed, drafted, given fields, approved."""

from __future__ import annotations

from typing import Any, Final

from mkdyn.domain.fields import FieldSpec
from mkdyn.domain.types import CREATABLE_IN_CUSTOM, FieldType
from mkdyn.testing._marketo_rules import INVALID
from mkdyn.testing._schemas_marketo import OBJECTS, created_spec
from mkdyn.testing._tables import Table
from mkdyn.testing.servers.marketo.lead_fields import is_field_name
from mkdyn.testing.servers.marketo.objects import described
from mkdyn.testing.servers.marketo.question import Answer, Object, Question, RefusedError
from mkdyn.testing.servers.marketo.shapes import custom
from mkdyn.testing.servers.marketo.values import FIELD_TYPES
from mkdyn.testing.servers.marketo.world import Draft, World

_NOT_FOUND: Final = "1013"
_EXISTS: Final = "1017"
_BUILT_IN: Final = frozenset(OBJECTS) - {"dynamicsTeam_c"}
_DEDUPE_MAX: Final = 3
_TYPES_MAX: Final = 10
_FIELDS_MAX: Final = 50
_LATER_MAX: Final = 20
#: What a link field holds, by the object it points to.
_LINKS: Final[dict[str, FieldType]] = {"lead": "integer", "company": "integer"}


def names(world: World) -> list[str]:
    """Return the names of the custom objects there are."""
    return [name for name in world.backstage.tables if name not in _BUILT_IN]


def list_types(world: World, question: Question) -> Answer:
    """The types there are."""
    return Answer(result=[described(world, custom(name), fields=False) for name in _wanted(world, question)])


def list_schemas(world: World, question: Question) -> Answer:
    """The types there are, each with its fields, and the name and the state that only this part of the API tells."""
    return Answer(result=[{**described(world, custom(name)), **_state(name)} for name in _wanted(world, question)])


def _wanted(world: World, question: Question) -> list[str]:
    wanted = question.texts("names")
    return [name for name in names(world) if not wanted or name in wanted]


def _state(name: str) -> Object:
    return {"apiName": name, "pluralName": name, "state": "approved", "version": "approved"}


def describe_type(world: World, question: Question) -> Answer:
    """One type."""
    name = question.path["name"]
    if name not in names(world):
        raise RefusedError(_NOT_FOUND, "Object not found")
    return Answer(result=[{**described(world, custom(name)), **_state(name)}])


def create(world: World, question: Question) -> Answer:
    """Begin a type; it can be used when it is approved."""
    body: Object = question.body or {}
    action = question.choice("action", "createOrUpdate", "createOnly", "updateOnly")
    name, label = body.get("apiName"), body.get("displayName")
    if not isinstance(name, str) or not is_field_name(name):
        raise RefusedError(INVALID, f"Invalid value for field 'apiName' and value '{name}'")
    if not isinstance(label, str) or not label:
        raise RefusedError(INVALID, "Invalid value for field 'displayName'")
    there = name in world.drafts or name in world.backstage.tables
    if there and action == "createOnly":
        raise RefusedError(_EXISTS, "Object already exists")
    if not there and action == "updateOnly":
        raise RefusedError(_NOT_FOUND, "Object not found")
    if not there and len(names(world)) + len(world.drafts) >= _TYPES_MAX:
        raise RefusedError(INVALID, f"No more than {_TYPES_MAX} custom object types are allowed")
    if not there:
        world.drafts[name] = Draft(label=label)
    return Answer(result=[])


def add_fields(world: World, question: Question) -> Answer:
    """Give a type fields; an approved one takes no more keys and links."""
    name, draft = question.path["name"], world.drafts.get(question.path["name"])
    if draft is None and name not in names(world):
        raise RefusedError(_NOT_FOUND, "Object not found")
    new = [_field(sent) for sent in question.records(world.quirks.too_many_code)]
    table = world.backstage.tables.get(name)
    there = {} if draft is None and table is None else draft.fields if draft else table.specs if table else {}
    for spec, sent in new:
        if spec.name in there:
            raise RefusedError(_EXISTS, f"Field '{spec.name}' already exists")
        if draft is None and (sent.get("isDedupeField") or sent.get("dataType") == "link"):
            raise RefusedError(INVALID, "An approved object takes no more dedupe and link fields")
    if len(there) + len(new) > _FIELDS_MAX:
        raise RefusedError(INVALID, f"No more than {_FIELDS_MAX} fields are allowed")
    for spec, sent in new:
        if draft is None:
            assert table is not None
            table.define(spec)
        else:
            draft.fields[spec.name] = spec
            draft.dedupe += [spec.name] if sent.get("isDedupeField") else []
    return Answer(result=[])


def _field(sent: Object) -> tuple[FieldSpec, Object]:
    name, label, kind = sent.get("name"), sent.get("displayName"), sent.get("dataType")
    if not isinstance(name, str) or not is_field_name(name):
        raise RefusedError(INVALID, f"Invalid value for field 'name' and value '{name}'")
    if not isinstance(label, str) or not label:
        raise RefusedError(INVALID, "Invalid value for field 'displayName'")
    related: Any = sent.get("relatedTo") or {}
    linked = _LINKS.get(str(related.get("name")).casefold(), "text") if kind == "link" else None
    found = linked or FIELD_TYPES.get(str(kind))
    if found not in CREATABLE_IN_CUSTOM:
        raise RefusedError(INVALID, f"Invalid value for field 'dataType' and value '{kind}'")
    return created_spec(name, label, found), sent


def approve(world: World, question: Question) -> Answer:
    """Make a draft an object that can be used; one that is approved already stays as it is."""
    name, draft = question.path["name"], world.drafts.get(question.path["name"])
    if draft is None:
        if name not in names(world):
            raise RefusedError(_NOT_FOUND, "Object not found")
        return Answer(result=[])
    if not 0 < len(draft.dedupe) <= _DEDUPE_MAX:
        raise RefusedError(INVALID, f"An object needs 1 to {_DEDUPE_MAX} dedupe fields")
    key = draft.dedupe[0] if len(draft.dedupe) == 1 else "marketoGUID"
    served = (
        FieldSpec(name="marketoGUID", type="text", label="Marketo GUID", length=36, writable=False),
        FieldSpec(name="createdAt", type="datetime", label="Created At", writable=False),
        FieldSpec(name="updatedAt", type="datetime", label="Updated At", writable=False),
    )
    world.backstage.tables[name] = Table(name, key, (*served, *draft.fields.values()), empty_boolean=False)
    world.dedupe[name] = tuple(draft.dedupe)
    del world.drafts[name]
    return Answer(result=[])
