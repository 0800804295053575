"""The fields of persons, companies and opportunities: described, listed, created."""

from __future__ import annotations

from mkdyn.domain.fields import FieldSpec
from mkdyn.domain.types import CREATABLE
from mkdyn.testing._marketo_rules import INVALID
from mkdyn.testing._schemas_marketo import created_spec
from mkdyn.testing._tables import Table
from mkdyn.testing.servers.marketo.leads import searchable
from mkdyn.testing.servers.marketo.paging import paged
from mkdyn.testing.servers.marketo.question import Answer, Object, Question, RefusedError
from mkdyn.testing.servers.marketo.values import FIELD_TYPES
from mkdyn.testing.servers.marketo.world import SAID_WRITABLE, UNKNOWN_FIELD, World

_ACCESS_DENIED = "603"
_EXISTS = "1017"


def describe(world: World, _question: Question) -> Answer:
    """Every field, with the number that activities call it by."""
    table = world.leads
    return Answer(
        result=[
            {
                "id": table.numbers[spec.name],
                **_typed(world, spec),
                "rest": {"name": spec.name, "readOnly": not _is_writable(spec)},
                "soap": {"name": spec.name[:1].upper() + spec.name[1:], "readOnly": not _is_writable(spec)},
            }
            for spec in table.specs.values()
        ]
    )


def describe2(world: World, _question: Question) -> Answer:
    """Every field once more, and which ones persons can be looked up by."""
    fields = [
        {"name": spec.name, **_typed(world, spec), "updateable": _is_writable(spec), "crmManaged": False}
        for spec in world.leads.specs.values()
    ]
    return Answer(
        result=[{"name": "API Lead", "searchableFields": [[name] for name in searchable(world)], "fields": fields}]
    )


def _is_writable(spec: FieldSpec) -> bool:
    return spec.writable or spec.name in SAID_WRITABLE


def _typed(world: World, spec: FieldSpec) -> dict[str, object]:
    length = {} if spec.length is None else {"length": spec.length}
    return {"displayName": spec.label, "dataType": world.data_type(spec), **length}


# -- the schema ----------------------------------------------------------------------------------------


def schema(table_name: str, world: World, question: Question) -> Answer:
    """The fields of an object, page by page."""
    table = world.backstage.tables[table_name]
    return paged(question, list(table.specs.values()), lambda specs: [_told(world, table, spec) for spec in specs])


def schema_field(table_name: str, world: World, question: Question) -> Answer:
    """One field."""
    table = world.backstage.tables[table_name]
    spec = table.specs.get(question.path["name"])
    if spec is None:
        raise RefusedError(UNKNOWN_FIELD, f"Field '{question.path['name']}' not found")
    return Answer(result=[_told(world, table, spec)])


def _told(world: World, table: Table, spec: FieldSpec) -> Object:
    custom = world.is_custom(table, spec.name)
    return {
        "name": spec.name,
        **_typed(world, spec),
        "description": "",
        "isHidden": False,
        "isHtmlEncodingInEmail": True,
        "isSensitive": False,
        "isCustom": custom,
        "isApiCreated": custom,
    }


def create(world: World, question: Question) -> Answer:
    """Create fields of persons: all, or none."""
    sent = question.records(world.quirks.too_many_code)
    if not world.backstage.may_create_fields:
        raise RefusedError(_ACCESS_DENIED, "Access denied")
    specs = [_new_field(world, field) for field in sent]
    for spec in specs:
        world.leads.define(spec)
    return Answer(result=[{"name": spec.name, "status": "created"} for spec in specs])


def _new_field(world: World, sent: Object) -> FieldSpec:
    name, label, kind = sent.get("name"), sent.get("displayName"), FIELD_TYPES.get(str(sent.get("dataType")))
    if not isinstance(name, str) or not is_field_name(name):
        raise RefusedError(INVALID, f"Invalid value for field 'name' and value '{name}'")
    if not isinstance(label, str) or not label:
        raise RefusedError(INVALID, "Invalid value for field 'displayName'")
    if kind not in CREATABLE:
        raise RefusedError(INVALID, f"Invalid value for field 'dataType' and value '{sent.get('dataType')}'")
    if any(name.casefold() == there.casefold() for there in world.leads.specs):
        raise RefusedError(_EXISTS, f"Field '{name}' already exists")
    return created_spec(name, label, kind)


def is_field_name(name: str) -> bool:
    """Whether a field may be called that: a letter, then letters, digits and underscores."""
    return name.isascii() and name[:1].isalpha() and name.replace("_", "").isalnum()
