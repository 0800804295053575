"""Values as Marketo's JSON writes them, and the names it has for types."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Final

from mkdyn.domain.fields import FieldSpec
from mkdyn.domain.types import FRACTIONAL, TEXTS, WHOLE, FieldType
from mkdyn.domain.values import FieldValue

#: Marketo's name of each type of field.
DATA_TYPES: Final[Mapping[FieldType, str]] = {
    "text": "string", "memo": "text", "email": "email", "phone": "phone", "url": "url",
    "integer": "integer", "score": "score", "percent": "percent", "float": "float", "currency": "currency",
    "boolean": "boolean", "date": "date", "datetime": "datetime", "reference": "reference",
}  # fmt: skip
FIELD_TYPES: Final[Mapping[str, FieldType]] = {name: kind for kind, name in DATA_TYPES.items()}

_BOOLEANS: Final = {"true": True, "false": False}


def shown(value: FieldValue) -> str | int | float | bool | None:
    """Return a value as an answer shows it: times in UTC and whole seconds."""
    match value:
        case datetime():
            return instant(value)
        case date():
            return value.isoformat()
        case Decimal():
            return float(value)
        case _:
            return value


def instant(moment: datetime) -> str:
    """Return a moment as an answer shows it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def read(spec: FieldSpec, sent: object) -> FieldValue:
    """Return what was sent as a value of its field.

    Raises:
        TypeError: It is none, by its type.
        ValueError: It is none.
    """
    if sent is None or sent == "":
        return None
    return _reader(spec.type)(sent)


def _reader(kind: FieldType) -> Callable[[object], FieldValue]:
    if kind in TEXTS or kind == "reference":
        return _text
    if kind in WHOLE:
        return _whole
    if kind in FRACTIONAL:
        return _number
    return _OTHERS[kind]


def _text(sent: object) -> str:
    if not isinstance(sent, str):
        raise TypeError
    return sent


def _whole(sent: object) -> int:
    if isinstance(sent, str):
        return int(sent)
    if not isinstance(sent, int) or isinstance(sent, bool):
        raise TypeError
    return sent


def _number(sent: object) -> float:
    if not isinstance(sent, str | int | float) or isinstance(sent, bool):
        raise TypeError
    return float(sent)


def _boolean(sent: object) -> bool:
    found = _BOOLEANS.get(sent.casefold()) if isinstance(sent, str) else sent
    if not isinstance(found, bool):
        raise TypeError
    return found


def _date(sent: object) -> date:
    return date.fromisoformat(_text(sent))


def moment(sent: object) -> datetime:
    """Return a date and time; without a zone it is in UTC, a date alone is where it begins.

    Raises:
        TypeError: It is no text.
        ValueError: It is none.
    """
    found = datetime.fromisoformat(_text(sent))
    return found if found.tzinfo else found.replace(tzinfo=UTC)


_OTHERS: Final[Mapping[FieldType, Callable[[object], FieldValue]]] = {
    "boolean": _boolean,
    "date": _date,
    "datetime": moment,
}
