"""Whether a value fits a field, by what the field's description says alone."""

from __future__ import annotations

import math
import re
from datetime import date, datetime
from decimal import Decimal
from typing import Final, Literal, TypeAlias

from mkdyn.domain.fields import FieldSpec
from mkdyn.domain.types import CHOICES, DECIMALS, FRACTIONAL, REFERENCES, TEXTS, WHOLE
from mkdyn.domain.values import FieldValue

#: Why a value does not fit.
Misfit: TypeAlias = Literal["wrong type", "too long", "out of range", "too early", "no such choice"]

_GUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def is_guid(text: str) -> bool:
    """Whether *text* has a GUID's shape, in any case."""
    return _GUID.fullmatch(text) is not None


def misfit(spec: FieldSpec, value: FieldValue) -> Misfit | None:
    """Say why *value* does not fit the field, if it does not; an empty one always fits."""
    if value is None:
        return None
    match spec.type:
        case kind if kind in TEXTS:
            if not isinstance(value, str):
                return "wrong type"
            return "too long" if spec.length is not None and len(value) > spec.length else None
        case kind if kind in WHOLE or kind == "bigint":
            return _out_of_range(spec, value) if _is_whole(value) else "wrong type"
        case kind if kind in CHOICES or kind == "choices":
            return _no_choice(spec, value)
        case kind if kind in DECIMALS or kind in FRACTIONAL:
            return _out_of_range(spec, value)
        case kind if kind in REFERENCES or kind == "guid":
            return None if isinstance(value, str) and is_guid(value) else "wrong type"
        case _:
            return None if _is_kind(spec.type, value) else "wrong type"


def _no_choice(spec: FieldSpec, value: FieldValue) -> Misfit | None:
    if spec.type == "choices":
        numbers = value.split(",") if isinstance(value, str) else [""]
    else:
        numbers = [str(value)] if _is_whole(value) else [""]
    if not all(number.isdecimal() for number in numbers):
        return "wrong type"
    return None if all(int(number) in spec.choices for number in numbers) else "no such choice"


def _is_whole(value: FieldValue) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_kind(kind: str, value: FieldValue) -> bool:
    match kind:
        case "boolean":
            return isinstance(value, bool)
        case "datetime" | "user-date":
            return isinstance(value, datetime) and value.tzinfo is not None
        case "wall-clock":
            return isinstance(value, datetime) and value.tzinfo is None
        case "date":
            return isinstance(value, date) and not isinstance(value, datetime)
        case _:
            return False


def _out_of_range(spec: FieldSpec, value: FieldValue) -> Misfit | None:
    if not isinstance(value, int | float | Decimal) or isinstance(value, bool):
        return "wrong type"
    if not math.isfinite(value):
        return "out of range"
    low = spec.minimum is not None and value < spec.minimum
    high = spec.maximum is not None and value > spec.maximum
    return "out of range" if low or high else None
