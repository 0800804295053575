"""Lenses: how one field's values look in the other system.

Laws, tested with Hypothesis for every pair of types: what was carried over agrees; carried
there, back and there again, it is what it was the first time; what does not fit is `Unfit`,
never cut or rounded silently. Only Marketo shows less of some values that fit (whole seconds,
the digits of a float); such a value agrees with the one it stands for, and the baseline keeps both.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias

import attrs

from mkdyn.domain.values import FieldValue, same


@attrs.frozen
class Unfit:
    """A value that the other system cannot hold.

    Attributes:
        code: A stable word for the reason, as in `too-long`.
        reason: A sentence about the value that does not show it.
    """

    code: str
    reason: str


Carry: TypeAlias = Callable[[FieldValue], FieldValue | Unfit]
#: Converts a value of the carrier's kind.
Convert: TypeAlias = Callable[[Any], FieldValue | Unfit]


@attrs.frozen(kw_only=True)
class Lens:
    """How one field's values look in the other system.

    Attributes:
        name: The two kinds it stands between, as in `decimal-float`.
        to_marketo: Carries a Dynamics value over.
        to_dynamics: Carries a Marketo value over.
        dynamics_default: What Dynamics shows where nobody entered anything, besides None.
        marketo_default: The same for Marketo.
        loses: What Marketo shows less of, in a few words; empty if it shows all of what fits.
        holds: Which values don't fit and are held, in a few words; empty if all fit.
    """

    name: str
    to_marketo: Carry = attrs.field(repr=False)
    to_dynamics: Carry = attrs.field(repr=False)
    dynamics_default: FieldValue = None
    marketo_default: FieldValue = None
    loses: str = attrs.field(default="", repr=False)
    holds: str = attrs.field(default="", repr=False)

    def agree(self, dynamics: FieldValue, marketo: FieldValue) -> bool:
        """Whether the two are one value, or one of them carried over is the other."""
        return same(dynamics, marketo) or self.to_marketo(dynamics) == marketo or self.to_dynamics(marketo) == dynamics


def _as_is(value: FieldValue) -> FieldValue:
    return value


#: For pure use, without two describes: any value, unchanged.
IDENTITY: Final = Lens(name="identity", to_marketo=_as_is, to_dynamics=_as_is)


def carrying(kind: type | tuple[type, ...], convert: Convert, word: str) -> Carry:
    """Return a carrier: empty stays empty, another type is unfit, the rest is converted."""

    def carry(value: FieldValue) -> FieldValue | Unfit:
        if type(value) is not kind:
            if value is None:
                return None
            if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
                return Unfit("wrong-type", f"it is no {word}.")
        return convert(value)

    return carry
