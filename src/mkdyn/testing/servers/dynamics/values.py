"""Values as they travel: what a column shows in JSON, and what is taken for one."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Final

from mkdyn.domain.fields import FieldSpec
from mkdyn.domain.types import CHOICES, DECIMALS, REFERENCES, TEXTS
from mkdyn.domain.values import FieldValue
from mkdyn.testing._checks import is_guid

#: What the two kinds of floating numbers are called.
_EDM: Final = {
    "integer": "Int32", "bigint": "Int64", "boolean": "Boolean", "decimal": "Decimal", "money": "Decimal",
    "float": "Double", "date": "Date", "datetime": "DateTimeOffset", "user-date": "DateTimeOffset",
    "wall-clock": "DateTimeOffset", "guid": "Guid", "lookup": "Guid", "owner": "Guid", "customer": "Guid",
    "choice": "Int32", "state": "Int32", "status": "Int32",
}  # fmt: skip
_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,7})?)?(Z|[+-]\d\d:\d\d)?")
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")
#: No earlier day fits a column.
_EARLIEST: Final = datetime(1753, 1, 1, tzinfo=UTC)
_MONEY: Final = Decimal("0.0001")


class LiteralError(ValueError):
    """A value is none of its column's type."""


def edm_type(spec: FieldSpec) -> str:
    """Return the type of a column as OData calls it."""
    return f"Edm.{_EDM.get(spec.type, 'String')}"


def shown(spec: FieldSpec, value: FieldValue) -> object:
    """Return a stored value as an answer shows it."""
    match value:
        case datetime():
            moment = value if value.tzinfo is None else value.astimezone(UTC).replace(tzinfo=None)
            return f"{moment.isoformat(timespec='milliseconds' if moment.microsecond else 'seconds')}Z"
        case date():
            return value.isoformat()
        case int() | float() | Decimal() if spec.type == "money":
            return Decimal(str(value)).quantize(_MONEY)
        case _:
            return value


def taken(spec: FieldSpec, value: object) -> FieldValue:
    """Return a value as the fake takes it, from what was sent.

    Raises:
        LiteralError: It is of another type.
    """
    if value is None:
        return None
    reader = next((read for kinds, read in _READERS if spec.type in kinds), None)
    found = None if reader is None else reader(spec, value)
    if found is None:
        raise _wrong(spec, value)
    return found


def _text(_spec: FieldSpec, value: object) -> FieldValue:
    return value if isinstance(value, str) else None


def _flag(_spec: FieldSpec, value: object) -> FieldValue:
    return value if isinstance(value, bool) else None


def _whole(_spec: FieldSpec, value: object) -> FieldValue:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _decimal(spec: FieldSpec, value: object) -> FieldValue:
    if not isinstance(value, int | Decimal) or isinstance(value, bool):
        return None
    return float(value) if spec.type == "float" else Decimal(value)


def _guid(_spec: FieldSpec, value: object) -> FieldValue:
    return value.lower() if isinstance(value, str) and is_guid(value) else None


def _moment(spec: FieldSpec, text: object) -> FieldValue:
    if not isinstance(text, str) or _INSTANT.fullmatch(text) is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise _wrong(spec, text) from error
    found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    if found < _EARLIEST:
        raise LiteralError("A validation error occurred. CrmDateTime is less than minimum value supported.")
    return found.replace(tzinfo=None) if spec.type == "wall-clock" else found


def _day(spec: FieldSpec, text: object) -> FieldValue:
    if not isinstance(text, str) or _DAY.fullmatch(text) is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise _wrong(spec, text) from error


def _wrong(spec: FieldSpec, value: object) -> LiteralError:
    return LiteralError(f"Cannot convert the literal '{value}' to the expected type '{edm_type(spec)}'.")


#: What reads the values of which types; it returns None for what is none of them.
_READERS: Final[Sequence[tuple[Collection[str], Callable[[FieldSpec, object], FieldValue]]]] = (
    ({*TEXTS, "choices"}, _text),
    (("boolean",), _flag),
    ({*CHOICES, "integer", "bigint"}, _whole),
    (DECIMALS, _decimal),
    ({*REFERENCES, "guid"}, _guid),
    (("date",), _day),
    (("datetime", "user-date", "wall-clock"), _moment),
)
