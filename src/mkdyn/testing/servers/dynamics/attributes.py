"""Columns as the metadata tell them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from mkdyn.domain.fields import FieldSpec
from mkdyn.domain.types import CHOICES, DECIMALS, REFERENCES, TEXTS
from mkdyn.testing._tables import Table
from mkdyn.testing.servers.dynamics.names import primary_name, schema_name
from mkdyn.testing.servers.dynamics.world import Organization
from mkdyn.testing.servers.dynamics.writes import state_of

TYPE: Final = "Microsoft.Dynamics.CRM."
_ENGLISH: Final = 1033

#: Of each type: what the metadata's class is called, `AttributeType`, `AttributeTypeName`.
_KINDS: Final[Mapping[str, tuple[str, str, str]]] = {
    "text": ("String", "String", "StringType"),
    "email": ("String", "String", "StringType"),
    "phone": ("String", "String", "StringType"),
    "url": ("String", "String", "StringType"),
    "memo": ("Memo", "Memo", "MemoType"),
    "integer": ("Integer", "Integer", "IntegerType"),
    "bigint": ("BigInt", "BigInt", "BigIntType"),
    "decimal": ("Decimal", "Decimal", "DecimalType"),
    "float": ("Double", "Double", "DoubleType"),
    "money": ("Money", "Money", "MoneyType"),
    "boolean": ("Boolean", "Boolean", "BooleanType"),
    "choice": ("Picklist", "Picklist", "PicklistType"),
    "choices": ("MultiSelectPicklist", "Virtual", "MultiSelectPicklistType"),
    "state": ("State", "State", "StateType"),
    "status": ("Status", "Status", "StatusType"),
    "datetime": ("DateTime", "DateTime", "DateTimeType"),
    "user-date": ("DateTime", "DateTime", "DateTimeType"),
    "wall-clock": ("DateTime", "DateTime", "DateTimeType"),
    "date": ("DateTime", "DateTime", "DateTimeType"),
    "lookup": ("Lookup", "Lookup", "LookupType"),
    "owner": ("Lookup", "Owner", "OwnerType"),
    "customer": ("Lookup", "Customer", "CustomerType"),
    "guid": ("UniqueIdentifier", "Uniqueidentifier", "UniqueidentifierType"),
    "image": ("Image", "Virtual", "ImageType"),
    "file": ("File", "Virtual", "FileType"),
}
_UNSUPPORTED: Final = ("EntityName", "EntityName", "EntityNameType")
#: Every class of metadata that one can ask for.
CASTS: Final = frozenset({kind for kind, _, _ in _KINDS.values()} | {"EntityName", "ManagedProperty"})

_FORMATS: Final = {"email": "Email", "phone": "Phone", "url": "Url"}
_SOURCES: Final = {"calculated": 1, "rolled-up": 2}
_BEHAVIORS: Final = {"date": "DateOnly", "wall-clock": "TimeZoneIndependent"}


def attributes(organization: Organization, table: Table) -> list[dict[str, object]]:
    """Return all columns of a table, with the shadows that lookups and choices cast."""
    found: list[dict[str, object]] = []
    for spec in table.specs.values():
        original = organization.backstage.secured.get((table.name, spec.name), spec)
        found.append({**_common(organization, table, original, spec.secured), **_typed(original)})
        shadow = f"{spec.name}name"
        if (spec.type in REFERENCES or spec.type in CHOICES) and shadow not in table.specs:
            found.append(_shadow(organization, table, spec, shadow))
    return found


def _common(organization: Organization, table: Table, spec: FieldSpec, secured: bool) -> dict[str, object]:
    metadata_class, kind, name = _KINDS.get(spec.type, _UNSUPPORTED)
    own_key, choice_of_state = spec.name == table.key_field, spec.type == "state"
    securable = not (own_key or spec.type in REFERENCES or spec.type in ("state", "status", "bigint"))
    return {
        "@odata.type": f"#{TYPE}{metadata_class}AttributeMetadata",
        "LogicalName": spec.name,
        "SchemaName": schema_name(spec.name),
        "EntityLogicalName": table.name,
        "MetadataId": spec.id,
        "HasChanged": None,
        "AttributeOf": None,
        "AttributeType": kind,
        "AttributeTypeName": {"Value": name},
        "DisplayName": label(organization, spec.label),
        "Description": label(organization, ""),
        "RequiredLevel": _required("ApplicationRequired" if spec.required else "None"),
        "IsValidForCreate": (spec.writable or own_key) and not choice_of_state,
        "IsValidForUpdate": spec.writable,
        "IsValidForRead": True,
        "IsSecured": secured,
        "CanBeSecuredForRead": securable,
        "CanBeSecuredForCreate": securable,
        "CanBeSecuredForUpdate": securable,
        "IsPrimaryId": own_key,
        "IsPrimaryName": spec.name == primary_name(table),
        "IsCustomAttribute": "_" in spec.name,
        "IsLogical": False,
        "SourceType": _SOURCES.get(spec.nature, 0),
    }


def _required(level: str) -> dict[str, object]:
    name = "canmodifyrequirementlevelsettings"
    return {"Value": level, "CanBeChanged": True, "ManagedPropertyLogicalName": name}


def _shadow(organization: Organization, table: Table, spec: FieldSpec, name: str) -> dict[str, object]:
    """Return the column that shows the name of what another one refers to; no answer has it."""
    text = spec.type in REFERENCES
    kind = _KINDS["text"] if text else ("", "Virtual", "VirtualType")
    own = FieldSpec(name=name, type="text", writable=False, id=organization.lasting(table.name, name))
    return {
        **_common(organization, table, own, secured=False),
        "@odata.type": f"#{TYPE}{kind[0]}AttributeMetadata",
        "AttributeOf": spec.name,
        "AttributeType": kind[1],
        "AttributeTypeName": {"Value": kind[2]},
        "SourceType": None,
        **({"MaxLength": 100, "FormatName": {"Value": "Text"}, "Format": "Text"} if text else {}),
    }


def _typed(spec: FieldSpec) -> dict[str, object]:
    match spec.type:
        case "memo":
            return {"MaxLength": spec.length, "Format": "TextArea"}
        case kind if kind in TEXTS:
            form = _FORMATS.get(kind, "Text")
            return {"MaxLength": spec.length, "FormatName": {"Value": form}, "Format": form, "AutoNumberFormat": ""}
        case kind if kind in DECIMALS:
            source = {"PrecisionSource": 0, "IsBaseCurrency": False} if kind == "money" else {}
            return {**_bounds(spec), "Precision": spec.precision, **source}
        case "date" | "datetime" | "user-date" | "wall-clock":
            day = spec.type in ("date", "user-date")
            behavior = _BEHAVIORS.get(spec.type, "UserLocal")
            return {"Format": "DateOnly" if day else "DateAndTime", "DateTimeBehavior": {"Value": behavior}}
        case kind if kind in REFERENCES:
            return {"Targets": list(spec.targets)}
        case kind if kind in CHOICES or kind in ("choices", "boolean"):
            return _default(spec)
        case "integer" | "bigint":
            return {**_bounds(spec), "Format": "None"}
        case _:
            return {}


def _default(spec: FieldSpec) -> dict[str, object]:
    if spec.type == "boolean":
        return {"DefaultValue": bool(spec.default)}
    return {"DefaultFormValue": spec.default if isinstance(spec.default, int) else -1}


def _bounds(spec: FieldSpec) -> dict[str, object]:
    return {"MinValue": spec.minimum, "MaxValue": spec.maximum}


def option_set(organization: Organization, table: Table, name: str) -> dict[str, object] | None:
    """Return the choices of a column; None where it is not made of any, or only of another's."""
    spec = table.specs.get(name)
    if spec is None:
        return None
    own = {"MetadataId": organization.lasting(table.name, name, "options"), "Name": f"{table.name}_{name}"}
    if spec.type == "boolean":
        words = {0: "No", 1: "Yes"} | dict(spec.choices)
        return {
            **own,
            "TrueOption": _option(organization, spec, 1, words[1]),
            "FalseOption": _option(organization, spec, 0, words[0]),
        }
    if spec.type not in CHOICES and spec.type != "choices":
        return None
    options = [
        {**_option(organization, spec, value, text), **_of_state(table, spec, value)}
        for value, text in spec.choices.items()
    ]
    return {**own, "IsGlobal": False, "OptionSetType": "Picklist", "Options": options}


def _option(organization: Organization, spec: FieldSpec, value: int, text: str) -> dict[str, object]:
    translated = {language: labels[value] for language, labels in spec.translations.items() if value in labels}
    return {
        "Value": value,
        "Label": label(organization, text, translated),
        "Color": None,
        "IsManaged": True,
        "MetadataId": None,
        "HasChanged": None,
    }


def _of_state(table: Table, spec: FieldSpec, value: int) -> dict[str, object]:
    match spec.type:
        case "status":
            return {"State": state_of(table.name, value)}
        case "state":
            first = next(
                (each for each in table.specs["statuscode"].choices if state_of(table.name, each) == value), None
            )
            return {"DefaultStatus": first}
        case _:
            return {}


def label(organization: Organization, text: str, translated: Mapping[int, str] | None = None) -> dict[str, object]:
    """Return a text that people see, in every language there is."""
    every = dict(translated or {}) or ({_ENGLISH: text} if text else {})
    return {
        "LocalizedLabels": list(_localized(organization, every)),
        "UserLocalizedLabel": next(_localized(organization, {_ENGLISH: text}), None) if text else None,
    }


def _localized(organization: Organization, labels: Mapping[int, str]) -> Iterator[dict[str, object]]:
    for language, text in labels.items():
        lasting = organization.lasting("label", str(language), text)
        yield {"Label": text, "LanguageCode": language, "IsManaged": True, "MetadataId": lasting, "HasChanged": None}
