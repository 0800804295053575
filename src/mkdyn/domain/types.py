"""The types of both systems' fields, in one vocabulary, and which lens stands between two of them.

Sources: Dataverse's column types (Microsoft Learn, "Column data types", and the attribute
metadata's `AttributeTypeName`), Marketo's `dataType` (Adobe, "Field types", and recorded
describes). What both call by different names has one name here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

#: What a field holds.
FieldType: TypeAlias = Literal[
    "text",  # String of format Text; Marketo's string
    "memo",  # Memo; Marketo's text area
    "email",
    "phone",
    "url",
    "integer",
    "bigint",
    "decimal",
    "float",  # Double; Marketo's float
    "money",
    "currency",
    "percent",
    "score",
    "boolean",  # two options
    "choice",  # Picklist
    "choices",  # MultiSelectPicklist
    "state",
    "status",
    "datetime",  # an instant: user-local
    "wall-clock",  # a date and time of day, the same for everybody: TimeZoneIndependent
    "date",
    "user-date",  # a day stored as the instant it begins where the user is: user-local, format DateOnly
    "lookup",
    "owner",
    "customer",
    "guid",
    "reference",
    "image",
    "file",
    "unsupported",
]

#: Every type of a Dynamics column.
DYNAMICS_TYPES: Final[tuple[FieldType, ...]] = (
    "text", "memo", "email", "phone", "url", "guid",
    "integer", "bigint", "decimal", "float", "money",
    "boolean", "choice", "state", "status", "choices",
    "datetime", "wall-clock", "date", "user-date",
    "lookup", "owner", "customer",
    "image", "file", "unsupported",
)  # fmt: skip

#: Every type of a Marketo field.
MARKETO_TYPES: Final[tuple[FieldType, ...]] = (
    "text", "memo", "email", "phone", "url",
    "integer", "score", "percent", "float", "currency",
    "boolean", "datetime", "date",
    "reference", "unsupported",
)  # fmt: skip

#: Types that never sync, and why.
NEVER: Final[Mapping[FieldType, str]] = {
    "image": "images can't be synced",
    "file": "files can't be synced",
    "unsupported": "its type can't be synced",
}

TEXTS: Final = frozenset[FieldType]({"text", "memo", "email", "phone", "url"})
WHOLE: Final = frozenset[FieldType]({"integer", "score", "percent"})
FRACTIONAL: Final = frozenset[FieldType]({"float", "currency"})
DECIMALS: Final = frozenset[FieldType]({"decimal", "float", "money"})
CHOICES: Final = frozenset[FieldType]({"choice", "state", "status"})
REFERENCES: Final = frozenset[FieldType]({"lookup", "owner", "customer"})

#: What Marketo creates as a field of a person (source: Adobe, "Create Lead Field"): no text area among it.
CREATABLE: Final = frozenset[FieldType](
    {"text", "email", "phone", "url", "integer", "score", "percent", "float", "currency", "boolean", "datetime", "date"}
)
#: The same for custom objects (source: Adobe, "Custom object types", field data types).
CREATABLE_IN_CUSTOM: Final = frozenset[FieldType](
    {"text", "memo", "email", "phone", "integer", "float", "currency", "boolean", "datetime", "date"}
)
#: The length of Marketo's texts where nothing else is said.
MARKETO_LENGTH: Final = 255
