"""Values and types as Marketo's JSON has them.

Source: Adobe, "Field types", and recorded answers: times come in UTC and whole seconds, in several spellings.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Final

from mkdyn.domain.fields import FieldSpec
from mkdyn.domain.types import FieldType
from mkdyn.domain.values import FieldValue

#: What Marketo calls each type that its fields can be of.
DATA_TYPES: Final[Mapping[FieldType, str]] = {
    "text": "string", "memo": "text", "email": "email", "phone": "phone", "url": "url",
    "integer": "integer", "score": "score", "percent": "percent", "float": "float", "currency": "currency",
    "boolean": "boolean", "date": "date", "datetime": "datetime", "reference": "reference",
}  # fmt: skip
_TYPES: Final[Mapping[str, FieldType]] = {
    **{name: kind for kind, name in DATA_TYPES.items()},
    "textarea": "memo",
    "link": "reference",
}
_ZONE: Final = re.compile(r"(Z?[+-]\d{2}):?(\d{2})$")


def type_of(data_type: str) -> FieldType:
    """Return a field's type by Marketo's name of it."""
    return _TYPES.get(data_type, "unsupported")


def sent(value: FieldValue) -> str | int | float | bool | None:
    """Return a value as a write sends it: times in UTC, and nothing for nothing."""
    match value:
        case "":
            return None
        case datetime():
            value = value if value.tzinfo else value.replace(tzinfo=UTC)
            return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        case date():
            return value.isoformat()
        case Decimal():
            return float(value)
        case _:
            return value


def moment(text: str) -> datetime:
    """Read a date and time; one without a zone is in UTC.

    Raises:
        ValueError: It is none.
    """
    found = datetime.fromisoformat(_ZONE.sub(lambda zone: f"{zone[1].lstrip('Z')}:{zone[2]}", text))
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def value_of(spec: FieldSpec, found: object) -> FieldValue:
    """Return what an answer shows of a field; what is not there is empty.

    Raises:
        ValueError: It is no value of the field's type.
    """
    if found is None:
        return False if spec.type == "boolean" else None
    match spec.type:
        case "datetime":
            return moment(str(found))
        case "date":
            return date.fromisoformat(str(found)[:10])
        case "float" | "currency":
            return float(str(found))
        case "integer" | "score" | "percent":
            number = Decimal(str(found))
            return int(number) if number == int(number) else number
        case "boolean":
            return found is True or str(found).casefold() == "true"
        case _:
            return found if isinstance(found, str) else str(found)
