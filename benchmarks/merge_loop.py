"""The merge that somebody would write for one entity by hand: one tight loop, and nothing else.

It is what `mkdyn`'s merge is compared with, so it is as fast as plain Python lets it be. It knows
all about its columns: that most values look the same in both systems, and are compared many at a
time inside the interpreter; that choices and amounts of money do not; that nothing is missing and
everything fits; that Marketo wins a collision of leads. No function is called for a field at rest,
and for a changed one only the type's own (`float`, `Decimal`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import compress
from operator import itemgetter, ne
from typing import Any, NamedTuple, TypeAlias

from mkdyn.domain import Twofold

#: Writes to Marketo and to Dynamics; baselines that move, two values as a tuple; collisions that Marketo won,
#: as field, value before, Marketo's value and Dynamics' value.
Result: TypeAlias = tuple[dict[str, Any], dict[str, Any], dict[str, Any], list[tuple[str, Any, Any, Any]]]
#: Baseline, Marketo, Dynamics.
Sides: TypeAlias = tuple[Mapping[str, Any], Mapping[str, Any], Mapping[str, Any]]


class Columns(NamedTuple):
    """Names of fields, each as in the baseline, in Marketo and in Dynamics.

    Attributes:
        plain: Fields that look the same in both systems; two at least.
        choices: A number in Dynamics and a label in Marketo, with the labels by number and the numbers by label.
        money: A decimal in Dynamics and a float in Marketo.
    """

    plain: Sequence[tuple[str, str, str]]
    choices: Sequence[tuple[str, str, str, Mapping[Any, Any], Mapping[Any, Any]]]
    money: Sequence[tuple[str, str, str]]


def merge_all(records: Iterable[Sides], columns: Columns) -> list[Result]:  # noqa: C901, PLR0912, PLR0915 - one loop
    """Merge every record."""
    results: list[Result] = []
    plain, choices, money = columns
    keys, marketo_names, dynamics_names = zip(*plain, strict=True)
    get_was, get_marketo, get_dynamics = itemgetter(*keys), itemgetter(*marketo_names), itemgetter(*dynamics_names)
    places = range(len(plain))
    for was, marketo, dynamics in records:
        to_marketo: dict[str, Any] = {}
        to_dynamics: dict[str, Any] = {}
        moved: dict[str, Any] = {}
        collisions: list[tuple[str, Any, Any, Any]] = []
        ws, ms, ds = get_was(was), get_marketo(marketo), get_dynamics(dynamics)
        if ds != ws:
            for place in compress(places, map(ne, ds, ws)):
                d, m = ds[place], ms[place]
                if m == d:
                    moved[keys[place]] = d
                elif m == ws[place]:
                    to_marketo[marketo_names[place]] = moved[keys[place]] = d
                else:
                    to_dynamics[dynamics_names[place]] = moved[keys[place]] = m
                    collisions.append((dynamics_names[place], ws[place], m, d))
        if ms != ws:
            for place in compress(places, map(ne, ms, ws)):
                if ds[place] == ws[place]:
                    to_dynamics[dynamics_names[place]] = moved[keys[place]] = ms[place]
        for key, in_marketo, in_dynamics, labels, numbers in choices:
            w, m, d = was[key], marketo[in_marketo], dynamics[in_dynamics]
            if type(w) is Twofold:
                was_d, was_m = w.dynamics, w.marketo
            else:
                was_d = was_m = w
            if d == was_d:
                if m == was_m:
                    continue
                there = numbers[m]
                to_dynamics[in_dynamics] = there
                moved[key] = m if there == m else (there, m)
                continue
            there = labels[d]
            if there == m:
                moved[key] = m if d == m else (d, m)
            elif m == was_m:
                to_marketo[in_marketo] = there
                moved[key] = d if there == d else (d, there)
            else:
                there = numbers[m]
                to_dynamics[in_dynamics] = there
                moved[key] = m if there == m else (there, m)
                collisions.append((in_dynamics, was_d, m, d))
        for key, in_marketo, in_dynamics in money:
            w, m, d = was[key], marketo[in_marketo], dynamics[in_dynamics]
            if type(w) is Twofold:
                was_d, was_m = w.dynamics, w.marketo
            else:
                was_d = was_m = w
            if d == was_d:
                if m == was_m:
                    continue
                there = None if m is None else Decimal(str(m))
                to_dynamics[in_dynamics] = there
                moved[key] = there if there == m else (there, m)
                continue
            there = None if d is None else float(d)
            if there == m:
                moved[key] = d if d == m else (d, m)
            elif m == was_m:
                to_marketo[in_marketo] = there
                moved[key] = d if there == d else (d, there)
            else:
                there = None if m is None else Decimal(str(m))
                to_dynamics[in_dynamics] = there
                moved[key] = there if there == m else (there, m)
                collisions.append((in_dynamics, was_d, m, d))
        results.append((to_marketo, to_dynamics, moved, collisions))
    return results
