"""Three-way merge of many linked records, most of whose fields are at rest or edited in one system.

`mkdyn.domain.merge` decides every case of a field. The usual ones are decided here as well, in the same way
and without a detour: where the time goes, docs/explanation/performance.md says.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any, Final, TypeAlias

import attrs

from mkdyn.domain.collisions import Policy, system_of_record
from mkdyn.domain.directions import Direction
from mkdyn.domain.fields import FieldPair, PairState
from mkdyn.domain.lenses.lens import Carry, Unfit
from mkdyn.domain.merge import merge_field
from mkdyn.domain.merged import Merged, agreed_on
from mkdyn.domain.records import Agreed, Baseline, Twofold
from mkdyn.domain.values import MISSING, FieldValue, Missing, Shown, Values, same

_NOWHERE: Final[Mapping[str, FieldValue]] = {}


@attrs.frozen(eq=False)
class _Row:
    """A pair as a merge reads it, with everything looked up once.

    Attributes:
        key: The name of its baseline.
        dynamics: The field in Dynamics.
        marketo: The field in Marketo.
        to_dynamics: Carries a Marketo value over.
        to_marketo: Carries a Dynamics value over.
        open: Whether an edit is carried to the other system, whichever it was made in.
        pair: The pair itself.
    """

    key: str
    dynamics: str
    marketo: str
    to_dynamics: Carry
    to_marketo: Carry
    open: bool
    pair: FieldPair


#: A field of one record: what both systems showed when they agreed, what Dynamics shows, what Marketo shows.
_Field: TypeAlias = tuple[_Row, Any, Any, Any]


class Merger:
    """The merge of one entity's records, with its pairs and policy looked up once."""

    def __init__(self, pairs: Iterable[FieldPair], *, policy: Policy = system_of_record) -> None:
        self.pairs: tuple[FieldPair, ...] = tuple(pairs)
        self._policy = policy
        self._rows = [_row(pair) for pair in self.pairs]
        self._baseline_of = _reader([row.key for row in self._rows])
        self._dynamics_of = _reader([row.dynamics for row in self._rows])
        self._marketo_of = _reader([row.marketo for row in self._rows])

    def __call__(
        self,
        *,
        baseline: Baseline | None,
        marketo: Values,
        dynamics: Values,
        doubtful: Collection[str] = (),
        overwritten: Mapping[str, FieldValue] = _NOWHERE,
        key: str = "",
    ) -> Merged:
        """Merge one record.

        Args:
            baseline: Per pair key, what both showed when they last agreed; None if they never did.
            marketo: What Marketo shows.
            dynamics: What Dynamics shows.
            doubtful: Pair keys of which nobody knows whether our last write arrived: taken as changed on both.
            overwritten: Per Marketo field, an edit that our own write replaced in the instant it was made.
            key: The Dynamics GUID, for reports.
        """
        known: Baseline = _NOWHERE if baseline is None else baseline
        # Only a dict is read at once: another mapping may answer for names that it does not have.
        if doubtful or overwritten or not type(known) is type(dynamics) is type(marketo) is dict:
            return self._careful(known, dynamics, marketo, doubtful, overwritten, key)
        try:
            fields: Iterable[_Field] = zip(  # noqa: B905 - saying `strict` takes as long as all the rest of it
                self._rows, self._baseline_of(known), self._dynamics_of(dynamics), self._marketo_of(marketo)
            )
        except KeyError:  # a field is new, or can't be read any more
            return self._careful(known, dynamics, marketo, doubtful, overwritten, key)
        merged = Merged()
        for row, was, d, m in fields:
            if type(was) is str:
                if d == was == m:  # no text equals a number or a truth value
                    continue
            elif d is was is m:  # empty, or a truth value
                continue
            elif type(was) is Twofold:
                was_d, was_m = was.dynamics, was.marketo
                if d == was_d and m == was_m and type(d) is type(was_d) and type(m) is type(was_m):
                    continue
            elif d == was == m and type(d) is type(was) is type(m):
                continue
            if not (row.open and _carry_edit(merged, row, was, d, m)):
                merge_field(merged, row.pair, was, d, m, self._policy, in_doubt=False, lost=MISSING, key=key)
        return merged

    def _careful(
        self,
        known: Baseline,
        dynamics: Values,
        marketo: Values,
        doubtful: Collection[str],
        overwritten: Mapping[str, FieldValue],
        key: str,
    ) -> Merged:
        """Merge a record field by field, whatever is or isn't there."""
        merged = Merged()
        for row in self._rows:
            was: Agreed | Missing = known.get(row.key, MISSING)
            d: Shown = dynamics.get(row.dynamics, MISSING)
            m: Shown = marketo.get(row.marketo, MISSING)
            in_doubt, lost = row.key in doubtful, overwritten.get(row.marketo, MISSING)
            if d == was == m and type(d) is type(was) is type(m) and not in_doubt and lost is MISSING:
                continue
            merge_field(merged, row.pair, was, d, m, self._policy, in_doubt=in_doubt, lost=lost, key=key)
        return merged


def merge(
    pairs: Iterable[FieldPair],
    *,
    baseline: Baseline | None,
    marketo: Values,
    dynamics: Values,
    policy: Policy = system_of_record,
) -> Merged:
    """Merge one record of the given pairs; see `Merger` for many records of one entity."""
    return Merger(pairs, policy=policy)(baseline=baseline, marketo=marketo, dynamics=dynamics)


def _reader(names: Sequence[str]) -> Callable[[Mapping[str, Any]], Iterable[Any]]:
    """Return what reads all of these at once; it raises `KeyError` if one is not there."""
    if not names:
        return lambda _: ()
    return itemgetter(*names, names[0])  # one too many: of a single name it would make no tuple


def _row(pair: FieldPair) -> _Row:
    lens, is_open = pair.lens, pair.state is PairState.ACTIVE and pair.direction is Direction.BOTH
    return _Row(
        pair.key, pair.dynamics, pair.marketo, lens.to_dynamics, lens.to_marketo, is_open, pair
    )  # fmt: skip


def _carry_edit(merged: Merged, row: _Row, was: Agreed, d: FieldValue, m: FieldValue) -> bool:
    """Decide a field that one system edited; whether that is what happened to it.

    An edit that does not fit, or that the other system shows already, is none of the usual cases.
    """
    was_d, was_m = (was.dynamics, was.marketo) if isinstance(was, Twofold) else (was, was)
    if d != was_d and m == was_m and (type(m) is type(was_m) or same(m, was_m)):
        there = row.to_marketo(d)
        if isinstance(there, Unfit) or there == m or (there is not d and same(d, m)) or row.to_dynamics(m) == d:
            return False
        merged.to_marketo[row.marketo] = there
        merged.awaited[row.key] = d if there is d else agreed_on(d, there)
        return True
    if m != was_m and d == was_d and (type(d) is type(was_d) or same(d, was_d)):
        there = row.to_dynamics(m)
        if isinstance(there, Unfit) or there == d or (there is not m and same(d, m)) or row.to_marketo(d) == m:
            return False
        merged.to_dynamics[row.dynamics] = there
        merged.awaited[row.key] = m if there is m else agreed_on(there, m)
        return True
    return False
