"""What Dynamics says of a table, in many answers, as one `Table`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Final

import attrs

from mkdyn.adapters.dynamics.table import VERBS, Column, Table, Verb
from mkdyn.adapters.http.shapes import Json, as_object, inside, listed
from mkdyn.domain.fields import FieldSpec, Nature
from mkdyn.domain.types import DECIMALS, REFERENCES, TEXTS, FieldType

_TYPES: Final[Mapping[str, FieldType]] = {
    "StringType": "text",
    "MemoType": "memo",
    "IntegerType": "integer",
    "BigIntType": "bigint",
    "DecimalType": "decimal",
    "DoubleType": "float",
    "MoneyType": "money",
    "BooleanType": "boolean",
    "PicklistType": "choice",
    "MultiSelectPicklistType": "choices",
    "StateType": "state",
    "StatusType": "status",
    "DateTimeType": "datetime",
    "LookupType": "lookup",
    "OwnerType": "owner",
    "CustomerType": "customer",
    "UniqueidentifierType": "guid",
    "ImageType": "image",
    "FileType": "file",
}
_FORMATS: Final[Mapping[str, FieldType]] = {"Email": "email", "Phone": "phone", "Url": "url"}
_NATURES: Final[Mapping[int, Nature]] = {1: "calculated", 2: "rolled-up"}
#: Types of columns that are no columns of their own.
_VIRTUAL: Final = ("VirtualType", "EntityNameType", "ManagedPropertyType", "CalendarRulesType")
_ALLOWED: Final = 4
#: Who says how many digits an amount has after its point, where its column doesn't (source: Microsoft,
#: "MoneyAttributeMetadata.PrecisionSource").
OF_ORGANIZATION: Final = 1
OF_CURRENCY: Final = 2


@attrs.frozen(kw_only=True)
class Rights:
    """What this user may do with secured columns.

    Attributes:
        secured: The secured columns' names, by their ids.
        granted: By a column's id, what is granted: any of CanRead, CanCreate, CanUpdate.
    """

    secured: Mapping[str, str]
    granted: Mapping[str, frozenset[str]]

    def may(self, what: str, column_id: str | None) -> bool:
        """Whether something may be done with a secured column."""
        return what in self.granted.get((column_id or "").lower(), ())

    @property
    def unreadable(self) -> frozenset[str]:
        """The names of the columns that this user may not read."""
        return frozenset(name for key, name in self.secured.items() if not self.may("CanRead", key))


@attrs.frozen(kw_only=True)
class Told:
    """Everything that was told of a table.

    Attributes:
        entity: Its definition.
        attributes: Its columns, what is common to all types.
        typed: The columns again, each with what its type has beside that.
        relationships: Where its lookups lead to.
        sources: The columns once more, with where their values come from; nothing if that is not told.
        privileges: Those that there are on the table; nothing if that is not told.
        held: Those that this user has, on all tables.
        rights: The secured columns.
        digits: How many digits an amount has after its point, by who says so: the organisation, or the row's currency
            (then those of the finest one there is); nothing if that is not told.
        masked: Columns that show something else than they hold.
    """

    entity: Json
    attributes: Sequence[Json]
    typed: Sequence[Json]
    relationships: Sequence[Json]
    sources: Sequence[Json] = ()
    privileges: Sequence[Json] = ()
    held: Sequence[Json] = ()
    rights: Rights
    digits: Mapping[int, int] = attrs.field(factory=dict[int, int])
    masked: frozenset[str] = frozenset()


def rights_of(secured: Iterable[Json], granted: Iterable[Json]) -> Rights:
    """Read the secured columns, and what is granted on them."""
    return Rights(
        secured={str(item["MetadataId"]).lower(): str(item["LogicalName"]) for item in secured},
        granted={
            str(item["AttributeId"]).lower(): frozenset(
                what for what in ("CanRead", "CanCreate", "CanUpdate") if item.get(what) == _ALLOWED
            )
            for item in granted
        },
    )


def table_of(told: Told) -> Table:
    """Put together what was told of a table."""
    privileges = _privileges(told)
    typed = {str(item["LogicalName"]): item for item in told.typed}
    sources = {str(item["LogicalName"]): item.get("SourceType") for item in told.sources}
    binds: dict[str, dict[str, str]] = {}
    for item in told.relationships:
        name = item["ReferencingEntityNavigationPropertyName"]
        binds.setdefault(str(item["ReferencingAttribute"]), {})[str(item["ReferencedEntity"])] = str(name)
    columns: dict[str, Column] = {}
    for item in told.attributes:
        name = str(item["LogicalName"])
        whole = {**item, **typed.get(name, {})}
        columns[name] = _column(whole, told, privileges, binds.get(name, {}), sources.get(name))
    return Table(
        name=str(told.entity["LogicalName"]),
        schema_name=str(told.entity["SchemaName"]),
        entity_set=str(told.entity["EntitySetName"]),
        key=str(told.entity["PrimaryIdAttribute"]),
        columns=columns,
        tracked=bool(told.entity.get("ChangeTrackingEnabled")),
        locks=bool(told.entity.get("IsOptimisticConcurrencyEnabled", True)),
        privileges=privileges,
    )


def _privileges(told: Told) -> Mapping[Verb, str]:
    """Return how far each of this user's privileges on the table reaches."""
    reach = {str(item["PrivilegeName"]).lower(): str(item["Depth"]) for item in told.held}
    schema = str(told.entity["SchemaName"])
    # Users are the one table whose privileges bear another name.
    word = "User" if told.entity["LogicalName"] == "systemuser" else schema
    names: dict[Verb, str] = {verb: f"prv{verb}{word}" for verb in VERBS}
    own = {item.get("PrivilegeType"): str(item["Name"]) for item in told.privileges}
    names |= {verb: own[verb] for verb in VERBS if verb in own}
    return {verb: reach[name.lower()] for verb, name in names.items() if name.lower() in reach}


def _column(
    item: Json, told: Told, privileges: Mapping[Verb, str], binds: Mapping[str, str], source: int | None
) -> Column:
    spec = _spec(item, source, told.digits)
    secured, rights = bool(item.get("IsSecured")), told.rights
    shown, masked = bool(item.get("IsValidForRead", True)), spec.name in told.masked
    readable = shown and "Read" in privileges and (not secured or rights.may("CanRead", spec.id))
    creatable = bool(item.get("IsValidForCreate")) and (not secured or rights.may("CanCreate", spec.id))
    updatable = bool(item.get("IsValidForUpdate")) and (not secured or rights.may("CanUpdate", spec.id))
    return Column(
        spec=attrs.evolve(
            spec, readable=readable, writable=updatable and "Write" in privileges, secured=secured, masked=masked
        ),
        creatable=creatable,
        updatable=updatable,
        securable=bool(item.get("CanBeSecuredForRead", True)),
        shows=shown and not masked,
        binds=binds,
    )


def _spec(item: Json, source: int | None, digits: Mapping[int, int]) -> FieldSpec:
    kind = _type(item)
    choices, translations = _choices(item) if kind != "boolean" else ({}, {})
    return FieldSpec(
        name=str(item["LogicalName"]),
        type=kind,
        label=_label(item.get("DisplayName")),
        length=item.get("MaxLength") if kind in TEXTS else None,
        precision=_precision(item, digits) if kind in DECIMALS else None,
        minimum=_bound(item.get("MinValue")),
        maximum=_bound(item.get("MaxValue")),
        choices=choices,
        translations=translations,
        default=item.get("DefaultValue") if kind == "boolean" else None,
        required=_value(item.get("RequiredLevel")) in ("SystemRequired", "ApplicationRequired"),
        nature=_nature(item, source),
        targets=tuple(item.get("Targets") or ()) if kind in REFERENCES else (),
        id=str(item["MetadataId"]).lower(),
    )


def _precision(item: Json, digits: Mapping[int, int]) -> int | None:
    """Return how many digits there are after the point; None where nobody tells."""
    own: int | None = item.get("Precision")
    elsewhere = item.get("PrecisionSource") or 0
    return digits.get(elsewhere) if elsewhere else own


def _type(item: Json) -> FieldType:
    kind: FieldType = _TYPES.get(str(_value(item.get("AttributeTypeName"))), "unsupported")
    if kind == "text":
        return _FORMATS.get(str(_value(item.get("FormatName"))), "text")
    if kind != "datetime":
        return kind
    match _value(item.get("DateTimeBehavior")):
        case "DateOnly":
            return "date"
        case "TimeZoneIndependent":
            return "wall-clock"
        case _ if item.get("Format") == "DateOnly":
            return "user-date"
        case _:
            return "datetime"


def _nature(item: Json, source: int | None) -> Nature:
    if item.get("AttributeOf"):
        return "part"
    if _value(item.get("AttributeTypeName")) in _VIRTUAL:
        return "virtual"
    return _NATURES.get(source or 0, "entered")


def _value(wrapped: object) -> object:
    """Return what a managed property or a name of a type holds: they come as `{"Value": …}`."""
    found = as_object(wrapped)
    return wrapped if found is None else found.get("Value")


def _bound(value: object) -> float | None:
    return float(value) if isinstance(value, int | float | Decimal) else None


def _label(label: object) -> str:
    return str(inside(label, "UserLocalizedLabel").get("Label") or "")


def _choices(item: Json) -> tuple[dict[int, str], dict[int, dict[int, str]]]:
    """Return a choice's labels in this user's language, and in every language."""
    options = listed(inside(item, "OptionSet") or inside(item, "GlobalOptionSet"), "Options")
    own: dict[int, str] = {}
    every: dict[int, dict[int, str]] = {}
    for option in options:
        number, label = int(option["Value"]), inside(option, "Label")
        own[number] = _label(label)
        for translated in listed(label, "LocalizedLabels"):
            every.setdefault(int(translated["LanguageCode"]), {})[number] = str(translated["Label"])
    return own, every
