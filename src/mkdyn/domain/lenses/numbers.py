"""Lenses between numbers, and between booleans."""

from __future__ import annotations

import math
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from mkdyn.domain.lenses.lens import Convert, Lens, Unfit, carrying
from mkdyn.domain.values import FieldValue

#: Marketo's whole numbers have 32 bits, its floats 53 bits of digits.
WHOLE_MIN: Final = -(2**31)
WHOLE_MAX: Final = 2**31 - 1
EXACT_MAX: Final = 2**53


def in_range(minimum: Decimal | float, maximum: Decimal | float, system: str) -> Convert:
    """Return what refuses a number out of range, and returns the others as they are."""

    def convert(value: Any) -> FieldValue | Unfit:  # noqa: ANN401 - a number of the carrier's kind
        if not minimum <= value <= maximum:
            return Unfit("out-of-range", f"{system} takes {minimum:,} to {maximum:,}.")
        result: FieldValue = value
        return result

    return convert


def decimals_in_range(minimum: float, maximum: float) -> Convert:
    """Return what refuses a decimal that Dynamics does not take; decimals compare slowly with floats."""
    return in_range(Decimal(str(minimum)), Decimal(str(maximum)), "Dynamics")


def integer_lens(*, minimum: int = WHOLE_MIN, maximum: int = WHOLE_MAX) -> Lens:
    """Return the lens between two whole numbers; *minimum* and *maximum* are Dynamics'."""
    return Lens(
        name="integer",
        to_marketo=carrying(int, in_range(WHOLE_MIN, WHOLE_MAX, "Marketo"), "whole number"),
        to_dynamics=carrying(int, in_range(minimum, maximum, "Dynamics"), "whole number"),
        holds="numbers out of range",
    )


def integer_float_lens(*, minimum: int = WHOLE_MIN, maximum: int = WHOLE_MAX) -> Lens:
    """Return the lens between Dynamics' whole numbers and Marketo's floats."""
    exact, ranged = in_range(-EXACT_MAX, EXACT_MAX, "Marketo"), in_range(minimum, maximum, "Dynamics")

    def to_marketo(value: int) -> FieldValue | Unfit:
        found = exact(value)
        return float(value) if not isinstance(found, Unfit) else found

    return Lens(
        name="integer-float",
        to_marketo=carrying(int, to_marketo, "whole number"),
        to_dynamics=carrying((int, float, Decimal), _whole(ranged), "number"),
        holds="fractions, numbers out of range",
    )


def decimal_integer_lens(*, minimum: float = -1e11, maximum: float = 1e11) -> Lens:
    """Return the lens between Dynamics' decimals and Marketo's whole numbers."""
    ranged = in_range(minimum, maximum, "Dynamics")

    def to_dynamics(value: int) -> FieldValue | Unfit:
        found = ranged(value)
        return Decimal(value) if not isinstance(found, Unfit) else found

    return Lens(
        name="decimal-integer",
        to_marketo=carrying((int, float, Decimal), _whole(in_range(WHOLE_MIN, WHOLE_MAX, "Marketo")), "number"),
        to_dynamics=carrying(int, to_dynamics, "whole number"),
        holds="fractions, numbers out of range",
    )


def _whole(ranged: Convert) -> Convert:
    def convert(value: Decimal | float) -> FieldValue | Unfit:
        if not math.isfinite(value) or value != int(value):
            return Unfit("not-whole", "it is no whole number.")
        return ranged(int(value))

    return convert


def decimal_lens(*, precision: int = 10, minimum: float = -1e11, maximum: float = 1e11) -> Lens:
    """Return the lens between Dynamics' decimals (*precision* places) and Marketo's floats."""
    ranged, place = decimals_in_range(minimum, maximum), Decimal(1).scaleb(-precision)

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
        to_marketo=carrying((int, float, Decimal), to_marketo, "number"),
        to_dynamics=carrying((int, float, Decimal), to_dynamics, "number"),
        loses="digits beyond a float's 15",
        holds="more decimal places than Dynamics keeps, numbers out of range",
    )


def boolean_lens(*, dynamics_default: bool = False) -> Lens:
    """Return the lens between two booleans; Marketo shows an empty one as false.

    Source: recorded traffic, a null written to a Marketo boolean reads back as false.
    """
    carried = carrying(bool, bool, "yes or no")

    def to_marketo(value: FieldValue) -> FieldValue | Unfit:
        return False if value is None else carried(value)

    return Lens(
        name="boolean",
        to_marketo=to_marketo,
        to_dynamics=carried,
        dynamics_default=dynamics_default,
        marketo_default=False,
        loses="an empty one, shown as false",
    )
