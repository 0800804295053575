"""Tables as the metadata tell them, and what can be asked of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

from mkdyn.testing._tables import Table
from mkdyn.testing.servers.dynamics.addresses import Segment, text_of
from mkdyn.testing.servers.dynamics.attributes import CASTS, TYPE, attributes, label, option_set
from mkdyn.testing.servers.dynamics.columns import changed
from mkdyn.testing.servers.dynamics.functions import inside
from mkdyn.testing.servers.dynamics.names import RIGHTS, entity_set, primary_name, privileges, schema_name
from mkdyn.testing.servers.dynamics.odata.conditions import compiled
from mkdyn.testing.servers.dynamics.odata.parsing import FilterError
from mkdyn.testing.servers.dynamics.options import Options
from mkdyn.testing.servers.dynamics.queries import applied, noted, options_of
from mkdyn.testing.servers.dynamics.question import BAD_QUERY, Answer, Question, RefusedError
from mkdyn.testing.servers.dynamics.world import Organization, not_found

_TYPE_CODES: Final = {"account": 1, "contact": 2, "opportunity": 3, "lead": 4, "systemuser": 8, "team": 9}
_CUSTOM: Final = 10_000
#: What stands in parentheses where an answer is one object, and not a list of them.
Member = dict[str, object]


def definitions(organization: Organization, question: Question, steps: Sequence[Segment]) -> Answer:
    """Answer what is asked of tables and columns.

    Raises:
        RefusedError: There is nothing there, or nothing can be done with it that way.
    """
    if question.method != "GET":
        return changed(organization, question, _table(organization, steps[0]), steps[1:])
    options = options_of(organization, question)
    if not steps[0].called:
        every = [_entity(organization, table) for table in organization.tables.values()]
        return _list(organization, question, options, every, "EntityDefinitions")
    table = _table(organization, steps[0])
    if len(steps) == 1:
        return _one(organization, question, options, _entity(organization, table), "EntityDefinitions")
    return _part(organization, question, options, table, steps[1:])


def _part(
    organization: Organization, question: Question, options: Options, table: Table, steps: Sequence[Segment]
) -> Answer:
    """Answer what is asked of a table's columns, keys or relationships."""
    part, *rest = steps
    context = f"EntityDefinitions('{table.name}')/{part.name}"
    every = _PARTS.get(part.name)
    if every is None:
        raise not_found(part.name)
    members: Sequence[Member] = every(organization, table)
    if rest:
        members = _cast(members, rest[0].name)
        context = f"{context}/{rest[0].name}"
    if not part.called:
        return _list(organization, question, options, members, context, table)
    wanted = text_of(part.named.get("LogicalName", part.alone or "")).lower()
    found = next((each for each in members if wanted in (each["LogicalName"], each["MetadataId"])), None)
    if found is None:
        message = f"Could not find an attribute with specified name '{wanted}' in entity '{table.name}'."
        raise RefusedError(404, "0x80040217", message)
    return _one(organization, question, options, found, context, table)


def _table(organization: Organization, segment: Segment) -> Table:
    wanted = text_of(segment.named.get("LogicalName", segment.alone or "")).lower()
    for table in organization.tables.values():
        if wanted in (table.name, organization.lasting("table", table.name)):
            return table
    message = f"Could not find an entity with specified name '{wanted}'."
    raise RefusedError(404, "0x80040217", message)


def _cast(members: Sequence[Member], name: str) -> Sequence[Member]:
    kind = name.removeprefix(TYPE).removesuffix("AttributeMetadata")
    if kind not in CASTS or not name.startswith(TYPE):
        raise not_found(name)
    return [each for each in members if each["@odata.type"] == f"#{TYPE}{kind}AttributeMetadata"]


def _entity(organization: Organization, table: Table) -> Member:
    name = table.name
    tracked = name not in organization.quirks.untracked
    label_text = schema_name(name)
    return {
        "LogicalName": name,
        "SchemaName": schema_name(name),
        "EntitySetName": entity_set(name),
        "LogicalCollectionName": entity_set(name),
        "DisplayName": label(organization, label_text),
        "PrimaryIdAttribute": table.key_field,
        "PrimaryNameAttribute": primary_name(table),
        "OwnershipType": "BusinessOwned" if name in ("systemuser", "team") else "UserOwned",
        "ChangeTrackingEnabled": tracked,
        "CanChangeTrackingBeEnabled": {"Value": True, "CanBeChanged": True},
        "IsOptimisticConcurrencyEnabled": name not in organization.quirks.unversioned,
        "ObjectTypeCode": _TYPE_CODES.get(name, _CUSTOM + sum(map(ord, name))),
        "TableType": "Standard",
        "IsCustomEntity": "_" in name,
        "IsPrivate": False,
        "MetadataId": organization.lasting("table", name),
        "HasChanged": None,
        "Privileges": [
            {
                "Name": privilege,
                "PrivilegeId": organization.lasting("privilege", privilege),
                "PrivilegeType": right,
                "CanBeBasic": True,
                "CanBeLocal": True,
                "CanBeDeep": True,
                "CanBeGlobal": True,
            }
            for right, privilege in zip(RIGHTS, privileges(name), strict=True)
        ],
    }


def _keys(organization: Organization, table: Table) -> list[Member]:
    return [
        {
            "LogicalName": key.name,
            "SchemaName": schema_name(key.name),
            "EntityLogicalName": table.name,
            "KeyAttributes": list(key.columns),
            "EntityKeyIndexStatus": "Active",
            "MetadataId": organization.lasting("key", table.name, key.name),
        }
        for key in organization.keys.get(table.name, ())
    ]


def _relationships(organization: Organization, table: Table) -> list[Member]:
    found: list[Member] = []
    for navigation in organization.view(table.name).navigations.values():
        target = navigation.target or "owner"
        name = f"{target}_{table.name}_{navigation.column}"
        found.append(
            {
                "LogicalName": name,
                "SchemaName": name,
                "ReferencingEntity": table.name,
                "ReferencingAttribute": navigation.column,
                "ReferencingEntityNavigationPropertyName": navigation.name,
                "ReferencedEntity": target,
                "ReferencedAttribute": f"{target}id",
                "MetadataId": organization.lasting("relationship", name),
                "RelationshipType": "OneToManyRelationship",
            }
        )
    return found


def _referring(organization: Organization, table: Table) -> list[Member]:
    """Return the relationships of the tables that refer to this one."""
    every = (each for other in organization.tables.values() for each in _relationships(organization, other))
    return [each for each in every if each["ReferencedEntity"] == table.name]


def _many_to_many(_organization: Organization, _table: Table) -> list[Member]:
    return []


_PARTS: Final = {
    "Attributes": attributes,
    "Keys": _keys,
    "ManyToOneRelationships": _relationships,
    "OneToManyRelationships": _referring,
    "ManyToManyRelationships": _many_to_many,
}


# -- what of it is shown -----------------------------------------------------------------------------------


def _list(
    organization: Organization,
    question: Question,
    options: Options,
    members: Sequence[Member],
    context: str,
    table: Table | None = None,
) -> Answer:
    if options.filter is not None:
        try:
            test = compiled(options.filter, options.aliases)
        except FilterError as error:
            raise RefusedError(400, BAD_QUERY, str(error)) from error
        members = [each for each in members if test(partial(inside, each))]
    shown = [_shown(organization, options, each, table) for each in members]
    return Answer(
        body={
            "@odata.context": f"{question.root}/$metadata#{context}",
            **noted(organization, question),
            "value": shown,
        },
        headers=applied(question),
    )


def _one(
    organization: Organization,
    question: Question,
    options: Options,
    member: Member,
    context: str,
    table: Table | None = None,
) -> Answer:
    shown = _shown(organization, options, member, table)
    return Answer(body={"@odata.context": f"{question.root}/$metadata#{context}/$entity", **shown})


def _shown(organization: Organization, options: Options, member: Member, table: Table | None) -> Member:
    """Return what is wanted of one object; its id and its type are always there."""
    shown: Member = dict(member)
    if options.select is not None:
        missing = next((name for name in options.select if name not in member), None)
        if missing is not None:
            kind = str(member.get("@odata.type", f"#{TYPE}EntityMetadata")).lstrip("#")
            raise RefusedError(400, BAD_QUERY, f"Could not find a property named '{missing}' on type '{kind}'.")
        kept = {"@odata.type", "MetadataId", *options.select}
        shown = {name: value for name, value in member.items() if name in kept}
    for term in options.expand:
        shown[term.name] = _expanded(organization, member, term.name, term.options, table)
    return shown


def _expanded(organization: Organization, member: Member, name: str, options: Options, table: Table | None) -> object:
    if table is None and name in _PARTS:
        owner = organization.tables[str(member["LogicalName"])]
        return [_shown(organization, options, each, owner) for each in _PARTS[name](organization, owner)]
    if table is None or name not in ("OptionSet", "GlobalOptionSet"):
        raise RefusedError(400, BAD_QUERY, f"Could not find a property named '{name}'.")
    if name == "GlobalOptionSet":
        return None
    found: Mapping[str, Any] | None = option_set(organization, table, str(member["LogicalName"]))
    if found is None or options.select is None:
        return found
    return {key: value for key, value in found.items() if key in {"MetadataId", *options.select}}
