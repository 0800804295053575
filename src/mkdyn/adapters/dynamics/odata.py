"""OData's names, literals and escapes: whatever a value holds, it stays a value.

A query is put together of names that match `NAME` and of literals made here, and is
percent-encoded as a whole, once. Keys in addresses are GUIDs and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Final
from urllib.parse import quote

from mkdyn.domain.records import is_guid
from mkdyn.domain.types import CHOICES, DECIMALS, REFERENCES, TEXTS, FieldType

#: A logical name, an entity set, a navigation property.
NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}", re.ASCII)

#: Left as they are in a query; everything else is percent-encoded.
_SAFE: Final = "(),"

_WHOLE: Final = re.compile(r"[+-]?[0-9]{1,19}", re.ASCII)


def is_name(text: str) -> bool:
    """Whether *text* can be a name in Dynamics; any other is not there, and is never sent."""
    return NAME.fullmatch(text) is not None


def text_literal(text: str) -> str:
    """Return a text between single quotes, its own quotes doubled."""
    return "'" + text.replace("'", "''") + "'"


def moment(value: datetime) -> str:
    """Return a point in time as Dynamics writes it: UTC, or the digits on the wall where there is no zone."""
    instant = value if value.tzinfo is None else value.astimezone(UTC).replace(tzinfo=None)
    return instant.isoformat() + "Z"


def literal_of(kind: FieldType, text: str) -> str | None:
    """Return the literal that looks for *text* in a column of a type, or None if no such column can hold it."""
    if kind in TEXTS or kind == "choices":
        return text_literal(text)
    if kind in REFERENCES or kind == "guid":
        return text.lower() if is_guid(text) else None
    if kind in CHOICES or kind in ("integer", "bigint"):
        return str(int(text)) if _WHOLE.fullmatch(text) else None
    if kind in DECIMALS:
        return _number(text)
    if kind == "boolean":
        return text.casefold() if text.casefold() in ("true", "false") else None
    return _day_or_moment(kind, text)


def _number(text: str) -> str | None:
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    return format(value, "f") if value.is_finite() and abs(value.adjusted()) < 28 else None  # noqa: PLR2004 - .NET's


def _day_or_moment(kind: FieldType, text: str) -> str | None:
    try:
        match kind:
            case "date":
                return date.fromisoformat(text).isoformat()
            case "datetime" | "user-date" | "wall-clock":
                return moment(datetime.fromisoformat(text))
            case _:
                return None
    except ValueError:
        return None


def any_of(name: str, literals: Iterable[str]) -> str:
    """Return the condition that a property is one of some literals."""
    return " or ".join(f"{name} eq {literal}" for literal in literals)


def query(*options: tuple[str, str]) -> str:
    """Return a query of options and their texts, percent-encoded."""
    return "&".join(f"{name}={quote(text, safe=_SAFE)}" for name, text in options)


def select(properties: Iterable[str]) -> tuple[str, str]:
    """Return the option that selects properties."""
    return "$select", ",".join(properties)


def row_path(entity_set: str, key: str) -> str:
    """Return the address of one row.

    Raises:
        ValueError: The key is no GUID, or the set's name none.
    """
    if not is_guid(key) or not is_name(entity_set):
        raise ValueError("no row has such an address")
    return f"{entity_set}({key.lower()})"


def in_pieces(name: str, literals: Sequence[str], *, conditions_max: int, length_max: int) -> Iterable[Sequence[str]]:
    """Divide literals so that each piece's condition keeps the vendor's limits; one that is too long is alone.

    Args:
        name: The property they are compared with.
        literals: What is looked for.
        conditions_max: The most conditions in one query.
        length_max: The most characters of one encoded condition.
    """
    piece: list[str] = []
    length = 0
    for literal in literals:
        size = len(quote(f"{name} eq {literal} or ", safe=_SAFE))
        if piece and (len(piece) >= conditions_max or length + size > length_max):
            yield piece
            piece, length = [], 0
        piece.append(literal)
        length += size
    if piece:
        yield piece
