"""The usual change: one system's edit of a field that goes both ways.

`mkdyn.domain.merge` decides everything; most of what it is asked is decided here, sooner.
"""

from __future__ import annotations

from typing import NamedTuple

from mkdyn.domain.directions import Direction
from mkdyn.domain.fields import FieldPair, PairState
from mkdyn.domain.merged import Merged, agreed_on
from mkdyn.domain.records import Agreed, Twofold
from mkdyn.domain.values import MISSING, Carry, Missing, Shown, Unfit, same


class Way(NamedTuple):
    """How an edit of one field gets to the other system, with everything looked up once."""

    key: str
    dynamics: str
    marketo: str
    to_dynamics: Carry
    to_marketo: Carry


def way_of(pair: FieldPair) -> Way | None:
    """Return the way of an edit, if the pair lets each system's edits pass."""
    if pair.state is not PairState.ACTIVE or pair.direction is not Direction.BOTH:
        return None
    return Way(pair.key, pair.dynamics, pair.marketo, pair.lens.to_dynamics, pair.lens.to_marketo)


def carry_edit(merged: Merged, way: Way, was: Agreed | Missing, d: Shown, m: Shown) -> bool:
    """Decide a field that one system edited, or none; whether that is what happened to it.

    An edit that does not fit, or that the other system shows already, is left to the merge, like all the rest.
    """
    if was is MISSING or d is MISSING or m is MISSING:
        return False
    key, in_dynamics, in_marketo, to_dynamics, to_marketo = way
    if type(was) is Twofold:
        was_d, was_m = was.dynamics, was.marketo
    else:
        was_d = was_m = was  # type: ignore[assignment]
    if m == was_m and (type(m) is type(was_m) or same(m, was_m)):
        if d == was_d:
            return same(d, was_d)
        there = to_marketo(d)
        if isinstance(there, Unfit) or there == m or (d is not there and d == m) or to_dynamics(m) == d:
            return False
        merged.to_marketo[in_marketo] = there
        merged.awaited[key] = d if d is there else agreed_on(d, there)
        return True
    if d == was_d and m != was_m and (type(d) is type(was_d) or same(d, was_d)):
        there = to_dynamics(m)
        if isinstance(there, Unfit) or there == d or (m is not there and d == m) or to_marketo(d) == m:
            return False
        merged.to_dynamics[in_dynamics] = there
        merged.awaited[key] = m if m is there else agreed_on(there, m)
        return True
    return False
