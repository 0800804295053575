"""Which lens stands between which two types: every Dynamics type against every Marketo type."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, tzinfo
from typing import Final

import attrs

from mkdyn.domain.fields import FieldSpec
from mkdyn.domain.lenses.lens import Lens
from mkdyn.domain.lenses.moments import date_lens, datetime_lens, user_date_lens, wall_clock_lens
from mkdyn.domain.lenses.numbers import (
    WHOLE_MIN,
    boolean_lens,
    decimal_integer_lens,
    decimal_lens,
    integer_float_lens,
    integer_lens,
)
from mkdyn.domain.lenses.texts import (
    choice_lens,
    choice_number_lens,
    choices_lens,
    digits_lens,
    reference_lens,
    text_lens,
)
from mkdyn.domain.types import CHOICES, DECIMALS, FRACTIONAL, MARKETO_TYPES, NEVER, REFERENCES, TEXTS, WHOLE, FieldType
from mkdyn.errors import TypeMismatchError

#: English (United States), the language that the vendors ask a sync user to have.
ENGLISH: Final = 1033
#: What a Marketo text area takes (source: Adobe, "Field types": 30,000 bytes).
TEXT_AREA_BYTES: Final = 30_000

_BIG: Final = 2**63
#: Marketo's plain texts; the others check what is written to them.
_PLAIN: Final = frozenset[FieldType]({"text", "memo"})


@attrs.frozen(kw_only=True)
class Reading:
    """How the values of both systems are read.

    Attributes:
        language: The language whose labels stand for choices, as a Windows language id.
        zone: Where a day begins that Dynamics keeps as an instant.
    """

    language: int = ENGLISH
    zone: tzinfo = attrs.field(default=UTC, repr=False)


DEFAULT_READING: Final = Reading()


def lens_between(dynamics: FieldSpec, marketo: FieldSpec, reading: Reading = DEFAULT_READING) -> Lens:
    """Return the lens between the two fields' types.

    Raises:
        TypeMismatchError: There is none.
    """
    lens = _lens(dynamics, marketo, reading)
    if lens is None:
        counterpart = counterpart_type(dynamics)
        raise TypeMismatchError(
            f"{dynamics.name} ({dynamics.shape} in Dynamics) does not fit {marketo.name} ({marketo.shape} in Marketo).",
            what_to_do=(
                f"Leave it out: {NEVER.get(dynamics.type, 'Marketo keeps it for itself')}."
                if counterpart is None
                else f"Map it to a Marketo field of type {counterpart}."
            ),
        )
    return lens


def _lens(dynamics: FieldSpec, marketo: FieldSpec, reading: Reading) -> Lens | None:
    match dynamics.type:
        case left if left in TEXTS:
            return _text(dynamics, marketo)
        case left if left in REFERENCES or left == "guid":
            return reference_lens() if marketo.type in _PLAIN else None
        case left if left in CHOICES or left == "choices":
            return _choice(dynamics, marketo.type, reading)
        case left if left in WHOLE or left == "bigint" or left in DECIMALS:
            return _number(dynamics, marketo)
        case _:
            return _other(dynamics, marketo.type, reading)


def _text(dynamics: FieldSpec, marketo: FieldSpec) -> Lens | None:
    if marketo.type not in TEXTS:
        return None
    return text_lens(
        dynamics_length=dynamics.length,
        marketo_length=marketo.length,
        marketo_bytes=TEXT_AREA_BYTES if marketo.type == "memo" else None,
        email=marketo.type == "email",
    )


def _other(dynamics: FieldSpec, marketo: FieldType, reading: Reading) -> Lens | None:
    match (dynamics.type, marketo):
        case ("boolean", "boolean"):
            return boolean_lens(dynamics_default=bool(dynamics.default))
        case ("datetime", "datetime"):
            return datetime_lens()
        case ("wall-clock", "datetime"):
            return wall_clock_lens()
        case ("date", "date"):
            return date_lens()
        case ("user-date", "date"):
            return user_date_lens(reading.zone)
        case _:
            return None


def _choice(dynamics: FieldSpec, marketo: FieldType, reading: Reading) -> Lens | None:
    labels = dynamics.labels(reading.language)
    match (dynamics.type, marketo):
        case ("choices", right) if right in _PLAIN:
            return choices_lens(labels)
        case (left, right) if left in CHOICES and right in _PLAIN:
            return choice_lens(labels)
        case (left, right) if left in CHOICES and right in WHOLE:
            return choice_number_lens(labels)
        case _:
            return None


def _number(dynamics: FieldSpec, marketo: FieldSpec) -> Lens | None:
    whole = dynamics.type in ("integer", "bigint")
    bound = (_BIG if dynamics.type == "bigint" else -WHOLE_MIN) if whole else 1e11
    minimum = -bound if dynamics.minimum is None else dynamics.minimum
    maximum = (bound - 1 if whole else bound) if dynamics.maximum is None else dynamics.maximum
    precision = 10 if dynamics.precision is None else dynamics.precision
    match marketo.type:
        case right if right in WHOLE and whole:
            return integer_lens(minimum=int(minimum), maximum=int(maximum))
        case right if right in WHOLE:
            return decimal_integer_lens(minimum=minimum, maximum=maximum)
        case right if right in FRACTIONAL and whole:
            return integer_float_lens(minimum=int(minimum), maximum=int(maximum))
        case right if right in FRACTIONAL:
            return decimal_lens(precision=precision, minimum=minimum, maximum=maximum)
        case right if right in _PLAIN:
            return digits_lens(
                whole=whole, precision=precision, minimum=minimum, maximum=maximum, marketo_length=marketo.length
            )
        case _:
            return None


def counterpart_type(dynamics: FieldSpec, within: Collection[FieldType] = MARKETO_TYPES) -> FieldType | None:
    """Return the type *within* these that holds *dynamics* best, or None if none does.

    What Marketo can't create is a plain text: what does not fit into that is held.
    """
    best = _best(dynamics.type)
    return best if best is None or best in within else "text"  # a GUID, a choice, a lookup: Marketo has none of them


def _best(kind: FieldType) -> FieldType | None:
    match kind:
        case "decimal":
            return "float"
        case "money":
            return "currency"
        case "wall-clock":
            return "datetime"
        case "user-date":
            return "date"
        case "image" | "file" | "unsupported" | "reference":
            return None
        case other:
            return other
