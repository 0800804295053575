"""Values between a row on the wire and a field, by the column's type."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Final

from mkdyn.adapters.dynamics.odata import moment
from mkdyn.domain.records import is_guid
from mkdyn.domain.types import CHOICES, DECIMALS, REFERENCES, TEXTS, FieldType
from mkdyn.domain.values import FieldValue


class MisfitError(ValueError):
    """A value is not of its column's type; the message holds no value."""


# -- from a row ----------------------------------------------------------------------------------------------


def read_value(kind: FieldType, raw: object) -> FieldValue:
    """Return what a row shows of a column.

    Args:
        kind: The column's type.
        raw: The JSON, its fractions as Decimals.

    Raises:
        MisfitError: It is none of that type: the column has become another.
    """
    if raw is None or raw == "":
        return None
    try:
        return _READERS[kind](raw)
    except (LookupError, ValueError, ArithmeticError):
        raise MisfitError(f"a row shows something else than a {kind}") from None


def _text(raw: object) -> str:
    if not isinstance(raw, str):
        raise MisfitError("no text")
    return raw


def _guid(raw: object) -> str:
    return _text(raw).lower()


def _boolean(raw: object) -> bool:
    if not isinstance(raw, bool):
        raise MisfitError("no boolean")
    return raw


def _number(raw: object) -> int | Decimal:
    if isinstance(raw, bool) or not isinstance(raw, int | Decimal):
        raise MisfitError("no number")
    return raw


def _whole(raw: object) -> int:
    number = _number(raw)
    if number != int(number):
        raise MisfitError("no whole number")
    return int(number)


def _decimal(raw: object) -> Decimal:
    return Decimal(_number(raw))


def _float(raw: object) -> float:
    return float(_number(raw))


def _numbers(raw: object) -> str:
    """Return a list of choices in one order: Dynamics keeps none."""
    return ",".join(map(str, sorted({int(number) for number in _text(raw).split(",")})))


def _day(raw: object) -> date:
    return date.fromisoformat(_text(raw))


def _instant(raw: object) -> datetime:
    at = datetime.fromisoformat(_text(raw))
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _wall_clock(raw: object) -> datetime:
    return datetime.fromisoformat(_text(raw)).replace(tzinfo=None)  # its Z is no zone: everybody sees these digits


_READERS: Final[Mapping[FieldType, Callable[[object], FieldValue]]] = {
    **dict.fromkeys(TEXTS, _text),
    **dict.fromkeys((*REFERENCES, "guid"), _guid),
    **dict.fromkeys((*CHOICES, "integer", "bigint"), _whole),
    "choices": _numbers,
    "boolean": _boolean,
    "decimal": _decimal,
    "money": _decimal,
    "float": _float,
    "date": _day,
    "datetime": _instant,
    "user-date": _instant,
    "wall-clock": _wall_clock,
}


# -- to a row ------------------------------------------------------------------------------------------------


def wire_value(kind: FieldType, value: FieldValue) -> FieldValue:
    """Return what is written to a column of a type.

    Raises:
        MisfitError: No column of the type takes it.
    """
    if value is None or value == "":
        return None
    if not _fits(kind, value):
        raise MisfitError(f"a {type(value).__name__} is no {kind}")
    match value:
        case datetime():
            return moment(value)
        case date():
            return value.isoformat()
        case str() if kind == "choices":
            return _numbers(value)
        case str() if kind in REFERENCES or kind == "guid":
            return value.lower()
        case _:
            return value


def _fits(kind: FieldType, value: str | float | Decimal | date) -> bool:
    match value:
        case bool():
            return kind == "boolean"
        case int():
            return kind in CHOICES or kind in ("integer", "bigint") or kind in DECIMALS
        case float() | Decimal():
            return kind in DECIMALS and math.isfinite(value)
        case str():
            return kind in TEXTS or _spells(kind, value)
        case datetime():
            return kind == "wall-clock" if value.tzinfo is None else kind in ("datetime", "user-date")
        case _:
            return kind == "date"


def _spells(kind: FieldType, text: str) -> bool:
    if kind in REFERENCES or kind == "guid":
        return is_guid(text)
    return kind == "choices" and all(_is_digits(part) for part in text.split(","))


def _is_digits(text: str) -> bool:
    return text.strip().removeprefix("-").isdecimal()


def body_of(values: Mapping[str, FieldValue]) -> bytes:
    """Write a row as JSON: one line of ASCII, and decimals with all their digits."""
    return ("{" + ",".join(f"{json.dumps(name)}:{_json(value)}" for name, value in values.items()) + "}").encode()


def _json(value: FieldValue) -> str:
    return format(value, "f") if isinstance(value, Decimal) else json.dumps(value)
