"""Three-way merge of one linked record, field by field.

A change is a difference from the baseline, never a timestamp. Per field, from what
both systems showed when they last agreed and what they show now, comes one of: rest,
agreement, a value to carry over, a collision with its winner, or a hold. Pure: same
arguments, same answer; a value that is MISSING decides nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any, Final, NamedTuple, TypeAlias

import attrs

from mkdyn.domain.collisions import Ask, Collision, Policy, Resolution, ResolutionKind, Win, resolve, system_of_record
from mkdyn.domain.directions import Direction
from mkdyn.domain.edits import Way, carry_edit, way_of
from mkdyn.domain.fields import FieldPair, PairState
from mkdyn.domain.holds import Hold, Wake
from mkdyn.domain.merged import Merged, agreed_on
from mkdyn.domain.records import Agreed, Baseline, Twofold
from mkdyn.domain.systems import System
from mkdyn.domain.values import MISSING, FieldValue, Missing, Shown, Unfit, Values, same

_NOWHERE: Final[Mapping[str, FieldValue]] = {}


class _Row(NamedTuple):
    """A pair as a merge reads it, with everything looked up once."""

    key: str
    dynamics: str
    marketo: str
    way: Way | None
    pair: FieldPair


#: One field of a record: what both systems showed when they agreed, what Dynamics shows, what Marketo shows.
_Field: TypeAlias = tuple[_Row, Agreed | Missing, Shown, Shown]


class Merger:
    """The merge of one entity's records, with its pairs and policy looked up once."""

    def __init__(self, pairs: Iterable[FieldPair], *, policy: Policy = system_of_record) -> None:
        self.pairs: tuple[FieldPair, ...] = tuple(pairs)
        self._policy = policy
        self._rows = [_Row(pair.key, pair.dynamics, pair.marketo, way_of(pair), pair) for pair in self.pairs]
        self._baseline_of = _reading([row.key for row in self._rows])
        self._dynamics_of = _reading([row.dynamics for row in self._rows])
        self._marketo_of = _reading([row.marketo for row in self._rows])

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
            overwritten: Per Marketo field that shows our own write, an edit that it replaced in that instant.
            key: The Dynamics GUID, for reports.
        """
        merged = Merged()
        certain = not (doubtful or overwritten)
        for row, was, d, m in self._fields(_NOWHERE if baseline is None else baseline, dynamics, marketo):
            if certain:  # then most fields are at rest, and most others edited in one system: decided here
                if type(was) is str:  # no text equals a truth value or a number
                    if d == was == m:
                        continue
                elif type(was) is Twofold:
                    was_d, was_m = was.dynamics, was.marketo
                    if d == was_d and m == was_m and type(d) is type(was_d) and type(m) is type(was_m):
                        continue
                elif d == was == m and type(d) is type(was) is type(m):
                    continue
                if row.way is not None and carry_edit(merged, row.way, was, d, m):
                    continue
            _merge_field(
                merged, row.pair, was, d, m, self._policy,
                in_doubt=row.key in doubtful, lost=overwritten.get(row.marketo, MISSING), key=key,
            )  # fmt: skip
        return merged

    def _fields(self, known: Baseline, dynamics: Values, marketo: Values) -> Iterable[_Field]:
        """Return every field with its three values: read in one go if all are there, else one by one."""
        if type(known) is type(dynamics) is type(marketo) is dict:  # others may answer for names they don't have
            try:
                were, ds, ms = self._baseline_of(known), self._dynamics_of(dynamics), self._marketo_of(marketo)
            except KeyError:  # a field is new, or can't be read
                pass
            else:
                return zip(self._rows, were, ds, ms)  # noqa: B905 - saying `strict` takes as long as all the rest
        return [  # one by one
            (row, known.get(row.key, MISSING), dynamics.get(row.dynamics, MISSING), marketo.get(row.marketo, MISSING))
            for row in self._rows
        ]


def _reading(names: Sequence[str]) -> Callable[[Mapping[str, Any]], Iterable[Any]]:
    """Return what reads all of these at once; it raises `KeyError` if one is not there."""
    if not names:
        return lambda _: ()
    return itemgetter(*names, names[0])  # one too many, since of a single name it would make no tuple


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


def _merge_field(
    merged: Merged,
    pair: FieldPair,
    was: Agreed | Missing,
    d: Shown,
    m: Shown,
    policy: Policy,
    *,
    in_doubt: bool,
    lost: Shown,
    key: str,
) -> None:
    known = was is not MISSING
    was_d, was_m = (was.dynamics, was.marketo) if isinstance(was, Twofold) else (was, was)
    d_changed = d is not MISSING and (in_doubt or not same(d, was_d))
    m_changed = m is not MISSING and (in_doubt or not same(m, was_m))
    if not (isinstance(lost, Missing) or isinstance(m, Missing)) and _put_right(
        merged, pair, was_d, d, m, policy, lost=lost, key=key
    ):
        return
    if not (d_changed or m_changed):
        return
    if isinstance(d, Missing) or isinstance(m, Missing):
        if known:
            merged.holds.append(_unreadable(pair, System.DYNAMICS if d is MISSING else System.MARKETO, key))
        return
    if pair.lens.agree(d, m):
        merged.agreed[pair.key] = agreed_on(d, m)
        return
    decision = _Decision(merged, pair, was_d, d, m, key, shows=m)
    if pair.state is PairState.BACKFILLING and (not known or same(m, was_m)):
        decision.carry(System.DYNAMICS)
    elif pair.direction is not Direction.BOTH:
        decision.carry_one_way(d_changed=d_changed, m_changed=m_changed, known=known)
    elif pair.state is PairState.BACKFILLING:
        return  # refreshed already, and edited in Marketo since: the edit waits until both ways are open
    elif known and not (d_changed and m_changed):
        decision.carry(System.DYNAMICS if d_changed else System.MARKETO)
    elif known:
        decision.collide(policy, "collision")
    else:
        decision.meet(policy)


def _put_right(
    merged: Merged,
    pair: FieldPair,
    was: Shown,
    d: Shown,
    m: FieldValue,
    policy: Policy,
    *,
    lost: FieldValue,
    key: str,
) -> bool:
    """Decide on an edit that our write replaced while Marketo still shows that write; whether there is any need.

    The edit is what a person last entered there, so it is merged in place of what Marketo shows.
    """
    if isinstance(d, Missing):
        merged.to_marketo[pair.marketo] = lost
        merged.holds.append(_unreadable(pair, System.DYNAMICS, key))
        return True
    if pair.lens.agree(d, lost):
        if not pair.lens.agree(d, m):  # Dynamics has it already: only Marketo is to get it back
            merged.to_marketo[pair.marketo] = lost
            merged.awaited[pair.key] = agreed_on(d, lost)
        return not pair.lens.agree(d, m)
    if pair.state is PairState.BACKFILLING and pair.direction is Direction.BOTH:
        merged.to_marketo[pair.marketo] = lost  # it waits there until both ways are open
        if pair.lens.agree(d, m):
            merged.agreed[pair.key] = agreed_on(d, m)
    else:
        _Decision(merged, pair, was, d, lost, key, shows=m).collide(policy, "overwritten")
    return True


def _unreadable(pair: FieldPair, system: System, key: str) -> Hold:
    return Hold(
        entity=pair.entity, key=key, field=pair.dynamics, code="unreadable", wake=Wake.SCHEMA,
        reason=f"{system} does not show it to the sync user any more. Grant read access to it, or deselect it.",
    )  # fmt: skip


@attrs.define(repr=False)
class _Decision:
    """One field of which a system's value must give way; *shows* is what Marketo shows, if not *m*."""

    merged: Merged
    pair: FieldPair
    was: Shown
    d: FieldValue
    m: FieldValue
    key: str
    shows: FieldValue = attrs.field(kw_only=True)

    def carry(self, winner: System) -> bool:
        """Write the winner's value to the other system, or hold it there; whether it fits."""
        lens, merged, pair = self.pair.lens, self.merged, self.pair
        if winner is System.DYNAMICS:
            if lens.agree(self.d, self.shows):  # our own write, over an edit that gives way
                merged.agreed[pair.key] = agreed_on(self.d, self.shows)
                return True
            there = lens.to_marketo(self.d)
            if isinstance(there, Unfit):
                return self._hold(there, winner)
            merged.to_marketo[pair.marketo] = there
            merged.awaited[pair.key] = agreed_on(self.d, there)
            return True
        self._put_back()
        there = lens.to_dynamics(self.m)
        if isinstance(there, Unfit):
            return self._hold(there, winner)
        merged.to_dynamics[pair.dynamics] = there
        merged.awaited[pair.key] = agreed_on(there, self.m)
        return True

    def _put_back(self) -> None:
        if not same(self.m, self.shows):
            self.merged.to_marketo[self.pair.marketo] = self.m

    def _hold(self, unfit: Unfit, where: System) -> bool:
        field = self.pair.marketo if where is System.MARKETO else self.pair.dynamics
        self.merged.holds.append(
            Hold(entity=self.pair.entity, key=self.key, field=self.pair.dynamics, code=unfit.code,
                 reason=f"{unfit.reason} Change {field} in {where}.")
        )  # fmt: skip
        return False

    def carry_one_way(self, *, d_changed: bool, m_changed: bool, known: bool) -> None:
        """Let the pair's source stand, and report what the other system showed of its own."""
        verdict = self._by_direction()
        if verdict.system is System.DYNAMICS:
            intruded, empty = m_changed, self._is_empty(self.m, self.pair.lens.marketo_default)
        else:
            intruded, empty = d_changed, self._is_empty(self.d, self.pair.lens.dynamics_default)
        if self.carry(verdict.system) and intruded and (known or not empty):
            self._report(verdict, "one-way")

    def collide(self, policy: Policy, kind: ResolutionKind) -> None:
        """Ask who wins, carry the winner's value, report both."""
        if self.pair.direction is Direction.BOTH:
            verdict = resolve(self._collision(), policy=policy, authority=self.pair.authority)
        else:
            verdict = self._by_direction()
        if isinstance(verdict, Ask):
            self._put_back()
            self.merged.holds.append(
                Hold(entity=self.pair.entity, key=self.key, field=self.pair.dynamics, code="ask",
                     reason=f"{verdict.because}. Both systems keep their value until someone decides.",
                     wake=Wake.PERSON)
            )  # fmt: skip
        elif self.carry(verdict.system) or kind == "overwritten":
            self._report(verdict, kind)

    def meet(self, policy: Policy) -> None:
        """Merge without a baseline: an empty side is filled, a default counts as empty."""
        d_empty = self._is_empty(self.d, self.pair.lens.dynamics_default)
        m_empty = self._is_empty(self.m, self.pair.lens.marketo_default)
        if d_empty != m_empty:
            self.carry(System.MARKETO if d_empty else System.DYNAMICS)
        else:
            self.collide(policy, "first-sight")

    @staticmethod
    def _is_empty(value: FieldValue, default: FieldValue) -> bool:
        return value is None or value == "" or same(value, default)

    def _by_direction(self) -> Win:
        source = System.DYNAMICS if self.pair.direction is Direction.TO_MARKETO else System.MARKETO
        return Win(source, because=f"the field syncs {self.pair.direction}")

    def _collision(self) -> Collision:
        return Collision(
            entity=self.pair.entity, field=self.pair.dynamics, was=self.was, marketo=self.m, dynamics=self.d
        )

    def _report(self, verdict: Win, kind: ResolutionKind) -> None:
        self.merged.resolutions.append(
            Resolution(collision=self._collision(), verdict=verdict, key=self.key, kind=kind)
        )
