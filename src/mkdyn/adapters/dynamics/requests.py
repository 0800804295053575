"""Every request the connector can make, as values; nothing here sends one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from mkdyn.adapters.dynamics.batch import Part
from mkdyn.adapters.dynamics.odata import any_of, is_name, moment, query, row_path, select, text_literal
from mkdyn.adapters.dynamics.table import Column, Table
from mkdyn.adapters.dynamics.values import body_of
from mkdyn.domain.values import FieldValue

#: Where the interface begins, at each organisation's address.
ROOT: Final = "/api/data/v9.2/"
#: The most rows that Dynamics puts into a page.
PAGE_MAX: Final = 5_000

_TYPE: Final = "Microsoft.Dynamics.CRM."
_READ: Final[Mapping[str, str]] = {"Accept": "application/json", "If-None-Match": "null"}
#: Rights and metadata as they are now, not as a cache has them.
_FRESH: Final[Mapping[str, str]] = {**_READ, "Consistency": "Strong"}
_WRITE: Final[Mapping[str, str]] = {"Accept": "application/json", "Content-Type": "application/json"}

_ENTITY: Final = (
    "LogicalName", "SchemaName", "EntitySetName", "PrimaryIdAttribute",
    "ChangeTrackingEnabled", "IsOptimisticConcurrencyEnabled",
)  # fmt: skip
_ATTRIBUTE: Final = (
    "LogicalName", "MetadataId", "AttributeTypeName", "AttributeOf", "DisplayName", "RequiredLevel",
    "IsValidForCreate", "IsValidForUpdate", "IsValidForRead", "IsSecured", "CanBeSecuredForRead",
)  # fmt: skip
_RELATIONSHIP: Final = ("ReferencingAttribute", "ReferencedEntity", "ReferencingEntityNavigationPropertyName")
#: What columns of a type have beside what all have.
_TYPED: Final[Mapping[str, tuple[str, ...]]] = {
    "String": ("MaxLength", "FormatName"),
    "Memo": ("MaxLength",),
    "Integer": ("MinValue", "MaxValue"),
    "BigInt": ("MinValue", "MaxValue"),
    "Decimal": ("MinValue", "MaxValue", "Precision"),
    "Double": ("MinValue", "MaxValue", "Precision"),
    "Money": ("MinValue", "MaxValue", "Precision", "PrecisionSource"),
    "Boolean": ("DefaultValue",),
    "DateTime": ("Format", "DateTimeBehavior"),
    "Lookup": ("Targets",),
}
_CHOICES: Final = ("Picklist", "MultiSelectPicklist", "State", "Status")
_OPTIONS: Final = ("$expand", "OptionSet($select=Options),GlobalOptionSet($select=Options)")


def _get(path: str, *options: tuple[str, str], headers: Mapping[str, str] = _READ) -> Part:
    return Part(method="GET", target=f"{ROOT}{path}" + (f"?{query(*options)}" if options else ""), headers=headers)


# -- who, and what there is ------------------------------------------------------------------------------------


def who_am_i() -> Part:
    """Ask which organisation this is, and as which user."""
    return _get("WhoAmI")


def definition(name: str) -> Part:
    """Ask what a table is called in addresses."""
    return _get(_definition(name), select(_ENTITY), headers=_FRESH)


def told_of(name: str, user: str) -> Mapping[str, Part]:
    """Return everything that is asked of one table; what `typed:` begins goes together."""
    attributes = f"{_definition(name)}/Attributes"
    typed = {
        f"typed:{kind}": _get(
            f"{attributes}/{_TYPE}{kind}AttributeMetadata", select(("LogicalName", *extra)), headers=_FRESH
        )
        for kind, extra in _TYPED.items()
    }
    choices = {
        f"typed:{kind}": _get(
            f"{attributes}/{_TYPE}{kind}AttributeMetadata", select(["LogicalName"]), _OPTIONS, headers=_FRESH
        )
        for kind in _CHOICES
    }
    return {
        "entity": definition(name),
        "attributes": _get(attributes, select(_ATTRIBUTE), headers=_FRESH),
        "relationships": _get(f"{_definition(name)}/ManyToOneRelationships", select(_RELATIONSHIP), headers=_FRESH),
        **rights_on(name, user),
        "held": held_by(user),
        "privileges": _get(_definition(name), select(["LogicalName", "Privileges"]), headers=_FRESH),
        "sources": _get(attributes, select(["LogicalName", "SourceType"]), headers=_FRESH),
        "currencies": _get("transactioncurrencies", select(["isocurrencycode", "currencyprecision"]), headers=_FRESH),
        "organization": _get("organizations", select(["pricingdecimalprecision"]), headers=_FRESH),
        "masked": _get(
            "attributemaskingrules",
            select(["attributelogicalname"]),
            ("$filter", f"entityname eq {text_literal(name)}"),
            headers=_FRESH,
        ),
        **typed,
        **choices,
    }


def rights_on(name: str, user: str) -> Mapping[str, Part]:
    """Return what is asked of a table's secured columns."""
    return {
        "secured": _get(
            f"{_definition(name)}/Attributes",
            select(["LogicalName", "MetadataId"]),
            ("$filter", "IsSecured eq true"),
            headers=_FRESH,
        ),
        "granted": granted_to(user),
    }


def granted_to(user: str) -> Part:
    """Ask what this user may do with secured columns, on all tables."""
    return _get(f"{row_path('systemusers', user)}/{_TYPE}RetrievePrincipalAttributePrivileges()", headers=_FRESH)


def held_by(user: str) -> Part:
    """Ask for this user's privileges, on all tables."""
    return _get(f"{row_path('systemusers', user)}/{_TYPE}RetrieveUserPrivileges", headers=_FRESH)


def metadata_version() -> Part:
    """Ask for a row of no interest: with it comes a text that moves whenever any table or column changes."""
    annotated = {**_FRESH, "Prefer": f'odata.include-annotations="{_TYPE}globalmetadataversion"'}
    return _get("organizations", select(["organizationid"]), headers=annotated)


def stamp(user: str) -> Sequence[Part]:
    """Return what is asked to learn whether anything about the tables has changed; the version goes first."""
    masks = _get("attributemaskingrules", select(["entityname", "attributelogicalname"]), headers=_FRESH)
    return [metadata_version(), granted_to(user), held_by(user), masks]


def _definition(name: str) -> str:
    if not is_name(name):
        raise ValueError("no table has such a name")
    return f"EntityDefinitions(LogicalName='{name}')"


# -- rows ------------------------------------------------------------------------------------------------------


def _selected(table: Table, columns: Sequence[Column]) -> tuple[str, str]:
    return select([column.wire_name for column in columns] or [table.key])


def first_page(table: Table, columns: Sequence[Column], *, size: int) -> Part:
    """Ask for every row, and a link to what changes after."""
    return _get(table.entity_set, _selected(table, columns), headers=tracked(size))


def tracked(size: int) -> Mapping[str, str]:
    """Return the headers of a feed's pages, the following ones, too."""
    return {**_READ, "Prefer": f"odata.track-changes,odata.maxpagesize={size}"}


def every_row(table: Table, columns: Sequence[Column], *, size: int) -> Part:
    """Ask for every row of a table whose changes are not tracked."""
    return _get(table.entity_set, _selected(table, columns), headers=paged(size))


def changed_rows(table: Table, columns: Sequence[Column], changed: str, since: datetime, *, size: int) -> Part:
    """Ask for the rows of such a table that were changed since then, those that were changed first at first."""
    return _get(
        table.entity_set,
        _selected(table, columns),
        ("$filter", f"{changed} ge {moment(since)}"),
        ("$orderby", f"{changed} asc,{table.key} asc"),
        headers=paged(size),
    )


def rows(table: Table, columns: Sequence[Column], where: Column, literals: Sequence[str]) -> Part:
    """Ask for the rows in which a column is one of some literals."""
    condition = any_of(where.wire_name, literals)
    return _get(table.entity_set, _selected(table, columns), ("$filter", condition), headers=paged())


def paged(size: int = PAGE_MAX) -> Mapping[str, str]:
    """Return the headers of a query's pages, the following ones, too."""
    return {**_READ, "Prefer": f"odata.maxpagesize={size}"}


def following(target: str, headers: Mapping[str, str]) -> Part:
    """Follow a link, letter for letter."""
    return Part(method="GET", target=target, headers=headers)


# -- writes ----------------------------------------------------------------------------------------------------


def create(table: Table, key: str, values: Mapping[str, FieldValue]) -> Part:
    """Make the row of this GUID; where it is there already, nothing is written."""
    return _patch(table, key, values, {"If-None-Match": "*"})


def create_together(table: Table, rows: Sequence[tuple[str, bytes]]) -> Part:
    """Make rows of these GUIDs, from what `body_of` wrote of each: all of them, or none."""
    kind = f'"@odata.type":"{_TYPE}{table.name}","{table.key}":'.encode()
    targets = b",".join(
        b"{" + kind + f'"{key.lower()}"'.encode() + (b"," + body[1:] if len(body) > len(b"{}") else b"}")
        for key, body in rows
    )
    return Part(
        method="POST",
        target=f"{ROOT}{table.entity_set}/{_TYPE}CreateMultiple",
        headers=_WRITE,
        body=b'{"Targets":[' + targets + b"]}",
    )


def update(table: Table, key: str, values: Mapping[str, FieldValue], version: str | None) -> Part:
    """Write to a row that is there, and where a version is given, is still what it was."""
    return _patch(table, key, values, {"If-Match": version or "*"})


def _patch(table: Table, key: str, values: Mapping[str, FieldValue], condition: Mapping[str, str]) -> Part:
    """Write; the answer tells the row's new version."""
    return Part(
        method="PATCH",
        target=f"{ROOT}{row_path(table.entity_set, key)}?{query(select([table.key]))}",
        headers={**_WRITE, "Prefer": "return=representation", **condition},
        body=body_of(values),
    )


def delete(table: Table, key: str, version: str | None) -> Part:
    """Delete a row, where a version is given if it is still what it was."""
    return Part(
        method="DELETE",
        target=ROOT + row_path(table.entity_set, key),
        headers={"Accept": "application/json", **({} if version is None else {"If-Match": version})},
    )
