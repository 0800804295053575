"""What a field can hold, that silence is not emptiness, and how values are written down."""

from __future__ import annotations

import enum
import json
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from hashlib import blake2s
from typing import Any, Final, Literal, TypeAlias

FieldValue: TypeAlias = str | int | float | bool | Decimal | date | datetime | None
Values: TypeAlias = Mapping[str, FieldValue]


class Missing(enum.Enum):
    """The system did not mention the field, or what it showed can't be vouched for.

    `None` is different: it means the field is empty.
    """

    MISSING = "missing"

    def __repr__(self) -> str:
        return self.name


MISSING: Final = Missing.MISSING
Shown: TypeAlias = FieldValue | Literal[Missing.MISSING]


def same(left: Shown, right: Shown) -> bool:
    """Whether two values are one and the same, types included (1 is not true)."""
    if type(left) is type(right):
        return left == right
    # Equal numbers of two types have one hash, and are compared with each other far more slowly.
    return hash(left) == hash(right) and left == right and isinstance(left, bool) == isinstance(right, bool)


_FINGERPRINT_BYTES: Final = 8

#: No field's name starts with a dollar sign, so a tag is never mistaken for a record's values.
_KINDS: Final[Mapping[str, Callable[[str], FieldValue]]] = {
    "$decimal": Decimal,
    "$datetime": datetime.fromisoformat,
    "$date": date.fromisoformat,
}


#: How a value is tagged that JSON has no type for. A datetime is a date, too, so it goes first.
_TAGS: Final[Mapping[type, Callable[[Any], dict[str, str]]]] = {
    Decimal: lambda value: {"$decimal": str(value)},
    datetime: lambda value: {"$datetime": value.isoformat()},
    date: lambda value: {"$date": value.isoformat()},
}


def _tagged(value: object) -> dict[str, str]:
    tag = _TAGS.get(type(value)) or next((tag for kind, tag in _TAGS.items() if isinstance(value, kind)), None)
    if tag is None:
        message = f"a {type(value).__name__} is no field value"
        raise TypeError(message)
    return tag(value)


def _untagged(found: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON is untyped
    if len(found) == 1:
        [(kind, text)] = found.items()
        make = _KINDS.get(kind)
        if make is not None and isinstance(text, str):
            return make(text)
    return found


# Values hold no containers, so nothing is circular.
_ENCODE: Final = json.JSONEncoder(
    default=_tagged, ensure_ascii=False, check_circular=False, separators=(",", ":")
).encode
_DECODE: Final = json.JSONDecoder(object_hook=_untagged).raw_decode


def to_json(value: object) -> str:
    """Write field values, and lists and objects of them, as JSON that `from_json` reads back."""
    return _ENCODE(value)


def fingerprint(value: FieldValue) -> str:
    """Return a short text that stands for a value without showing it: the same value, the same text."""
    return blake2s(to_json(value).encode(errors="surrogatepass"), digest_size=_FINGERPRINT_BYTES).hexdigest()


def from_json(text: str) -> Any:  # noqa: ANN401 - JSON is untyped
    """Read what `to_json` wrote.

    Raises:
        ValueError: It did not write this.
    """
    found, end = _DECODE(text)
    if end != len(text):
        message = "there is more than one value"
        raise ValueError(message)
    return found
