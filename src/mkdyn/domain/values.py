"""What a field can hold, that silence is not emptiness, and lenses between two types.

A lens carries a value from one system's type into the other's. Laws, tested with
Hypothesis: what was carried over agrees; carried there, back and there again, it is
what it was the first time; what does not fit is `Unfit`, never cut or rounded silently.
Only Marketo shows less of some values that fit (whole seconds, the digits of a float); such
a value agrees with the one it stands for, and the baseline keeps both.
"""

from __future__ import annotations

import enum
import json
import math
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from hashlib import blake2s
from typing import Any, Final, Literal, TypeAlias

import attrs

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


@attrs.frozen
class Unfit:
    """A value that the other system cannot hold.

    Attributes:
        code: A stable word for the reason, as in `too-long`.
        reason: A sentence about the value that does not show it.
    """

    code: str
    reason: str


Carry: TypeAlias = Callable[[FieldValue], "FieldValue | Unfit"]


@attrs.frozen(kw_only=True)
class Lens:
    """How one field's values look in the other system.

    Attributes:
        name: The two kinds it stands between, as in `decimal-float`.
        to_marketo: Carries a Dynamics value over.
        to_dynamics: Carries a Marketo value over.
        dynamics_default: What Dynamics shows where nobody entered anything, besides None.
        marketo_default: The same for Marketo.
    """

    name: str
    to_marketo: Carry = attrs.field(repr=False)
    to_dynamics: Carry = attrs.field(repr=False)
    dynamics_default: FieldValue = None
    marketo_default: FieldValue = None

    def agree(self, dynamics: FieldValue, marketo: FieldValue) -> bool:
        """Whether the two are one value, or one of them carried over is the other."""
        return same(dynamics, marketo) or self.to_marketo(dynamics) == marketo or self.to_dynamics(marketo) == dynamics


def _as_is(value: FieldValue) -> FieldValue:
    return value


#: For pure use, without two describes: any value, unchanged.
IDENTITY: Final = Lens(name="identity", to_marketo=_as_is, to_dynamics=_as_is)


def _carrying(kind: type | tuple[type, ...], convert: Callable[[Any], FieldValue | Unfit], word: str) -> Carry:
    """Return a carrier: empty stays empty, another type is unfit, the rest is converted."""

    def carry(value: FieldValue) -> FieldValue | Unfit:
        if type(value) is not kind:
            if value is None:
                return None
            if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
                return Unfit("wrong-type", f"it is no {word}.")
        return convert(value)

    return carry


def text_lens(*, dynamics_length: int | None = None, marketo_length: int | None = None) -> Lens:
    """Return the lens between two texts; empty text is an empty field. Lengths are in characters."""

    def fitting(limit: int | None, system: str) -> Carry:
        def convert(value: str) -> FieldValue | Unfit:
            if limit is not None and len(value) > limit:
                return Unfit("too-long", f"{len(value):,} characters, {system} takes {limit:,}.")
            return value or None

        return _carrying(str, convert, "text")

    return Lens(
        name="text",
        to_marketo=fitting(marketo_length, "Marketo"),
        to_dynamics=fitting(dynamics_length, "Dynamics"),
    )


def integer_lens(*, minimum: int = -(2**31), maximum: int = 2**31 - 1) -> Lens:
    """Return the lens between two whole numbers; *minimum* and *maximum* are Dynamics'."""
    return Lens(
        name="integer",
        to_marketo=_carrying(int, _ranged(-(2**31), 2**31 - 1, "Marketo"), "whole number"),
        to_dynamics=_carrying(int, _ranged(minimum, maximum, "Dynamics"), "whole number"),
    )


def _ranged(minimum: Decimal | float, maximum: Decimal | float, system: str) -> Callable[[Any], FieldValue | Unfit]:
    def convert(value: Any) -> FieldValue | Unfit:  # noqa: ANN401 - a number of the carrier's kind
        if not minimum <= value <= maximum:
            return Unfit("out-of-range", f"{system} takes {minimum:,} to {maximum:,}.")
        result: FieldValue = value
        return result

    return convert


def decimal_lens(*, precision: int = 10, minimum: float = -1e11, maximum: float = 1e11) -> Lens:
    """Return the lens between Dynamics' decimals (*precision* places) and Marketo's floats."""
    ranged = _ranged(Decimal(str(minimum)), Decimal(str(maximum)), "Dynamics")  # decimals compare slowly with floats
    place = Decimal(1).scaleb(-precision)

    def to_marketo(value: Decimal | float) -> FieldValue | Unfit:
        try:
            carried = float(value)
        except OverflowError:
            carried = math.inf
        return (
            carried if math.isfinite(carried) else Unfit("out-of-range", "it is no finite number that Marketo takes.")
        )

    def to_dynamics(value: Decimal | float) -> FieldValue | Unfit:
        exact = Decimal(str(value))
        try:
            rounded = exact.quantize(place)
        except InvalidOperation:
            return Unfit("out-of-range", "it is no finite number that Dynamics takes.")
        if rounded != exact:
            return Unfit("too-precise", f"Dynamics keeps {precision} decimal places.")
        return ranged(exact)

    return Lens(
        name="decimal-float",
        to_marketo=_carrying((int, float, Decimal), to_marketo, "number"),
        to_dynamics=_carrying((int, float, Decimal), to_dynamics, "number"),
    )


def boolean_lens(*, dynamics_default: bool = False) -> Lens:
    """Return the lens between two booleans; Marketo shows an empty one as false.

    Source: recorded traffic, a null written to a Marketo boolean reads back as false.
    """
    carried = _carrying(bool, bool, "yes or no")

    def to_marketo(value: FieldValue) -> FieldValue | Unfit:
        return False if value is None else carried(value)

    return Lens(
        name="boolean",
        to_marketo=to_marketo,
        to_dynamics=carried,
        dynamics_default=dynamics_default,
        marketo_default=False,
    )


def datetime_lens() -> Lens:
    """Return the lens between two instants; Marketo keeps whole seconds, in UTC."""

    def aware(value: datetime) -> FieldValue | Unfit:
        if value.tzinfo is None:
            return Unfit("no-time-zone", "the time has no zone.")
        try:
            return value.astimezone(UTC)
        except OverflowError:  # the first or last day of the calendar, in another zone
            return Unfit("out-of-range", "the calendar has no such day.")

    def whole(value: datetime) -> FieldValue | Unfit:
        found = aware(value)
        return found.replace(microsecond=0) if isinstance(found, datetime) and found.microsecond else found

    return Lens(
        name="datetime",
        to_marketo=_carrying(datetime, whole, "date and time"),
        to_dynamics=_carrying(datetime, aware, "date and time"),
    )


def date_lens() -> Lens:
    """Return the lens between two calendar days."""

    def day(value: date) -> FieldValue | Unfit:
        return Unfit("wrong-type", "it has a time of day.") if isinstance(value, datetime) else value

    carry = _carrying(date, day, "date")
    return Lens(name="date", to_marketo=carry, to_dynamics=carry)


def choice_lens(choices: Mapping[int, str]) -> Lens:
    """Return the lens between a choice's number in Dynamics and its label in Marketo."""
    numbers: dict[str, list[int]] = {}
    for choice, text in choices.items():
        numbers.setdefault(text.casefold(), []).append(choice)

    def label(value: int) -> FieldValue | Unfit:
        return choices.get(value) or Unfit("no-label", "the choice has no label.")

    def number(value: str) -> FieldValue | Unfit:
        if not value:
            return None
        meant = numbers.get(value.casefold(), [])
        if len(meant) > 1:  # labels that differ by case, or not at all
            meant = [choice for choice in meant if choices[choice] == value]
        return meant[0] if len(meant) == 1 else Unfit("no-choice", "Dynamics has no one choice of that label.")

    return Lens(
        name="choice-label",
        to_marketo=_carrying(int, label, "choice"),
        to_dynamics=_carrying(str, number, "label"),
    )


def reference_lens() -> Lens:
    """Return the lens between a lookup's GUID and the external key we gave its target in Marketo."""

    def key(value: str) -> FieldValue:
        return value.lower() or None

    carry = _carrying(str, key, "reference")
    return Lens(name="reference", to_marketo=carry, to_dynamics=carry)


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
