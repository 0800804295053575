"""Whether a value fits a field, by what the field's description says alone."""

from __future__ import annotations

import math
import re
from datetime import date, datetime
from decimal import Decimal
from typing import Final, Literal, TypeAlias

from mkdyn.domain.fields import FieldSpec
from mkdyn.domain.values import FieldValue

#: Why a value does not fit.
Misfit: TypeAlias = Literal["wrong type", "too long", "out of range", "no such choice"]

_GUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def is_guid(text: str) -> bool:
    """Whether *text* has a GUID's shape, in any case."""
    return _GUID.fullmatch(text) is not None


def misfit(spec: FieldSpec, value: FieldValue) -> Misfit | None:
    """Say why *value* does not fit the field, if it does not; an empty one always fits."""
    if value is None:
        return None
    match spec.type:
        case "text":
            if not isinstance(value, str):
                return "wrong type"
            return "too long" if spec.length is not None and len(value) > spec.length else None
        case "integer":
            return _out_of_range(spec, value) if _is_whole(value) else "wrong type"
        case "choice":
            return "wrong type" if not _is_whole(value) else None if value in spec.choices else "no such choice"
        case "decimal" | "float":
            return _out_of_range(spec, value)
        case "lookup" | "guid":
            return None if isinstance(value, str) and is_guid(value) else "wrong type"
        case _:
            return None if _is_kind(spec.type, value) else "wrong type"


def _is_whole(value: FieldValue) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_kind(kind: str, value: FieldValue) -> bool:
    match kind:
        case "boolean":
            return isinstance(value, bool)
        case "datetime":
            return isinstance(value, datetime) and value.tzinfo is not None
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
