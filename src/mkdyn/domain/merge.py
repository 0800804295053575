"""Three-way merge of one field of a linked record.

A change is a difference from the baseline, never a timestamp. Per field, from what
both systems showed when they last agreed and what they show now, comes one of: rest,
agreement, a value to carry over, a collision with its winner, or a hold. Pure: same
arguments, same answer; a value that is MISSING decides nothing.
"""

from __future__ import annotations

import attrs

from mkdyn.domain.collisions import Ask, Collision, Policy, Resolution, ResolutionKind, Win, resolve
from mkdyn.domain.directions import Direction
from mkdyn.domain.fields import FieldPair, PairState
from mkdyn.domain.holds import Hold, Wake
from mkdyn.domain.lenses.lens import Unfit
from mkdyn.domain.merged import Merged, agreed_on
from mkdyn.domain.records import NOBODYS, Agreed, Twofold
from mkdyn.domain.systems import System
from mkdyn.domain.values import MISSING, FieldValue, Missing, Shown, same


def merge_field(
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
    """Note in *merged* what a field asks for.

    Args:
        merged: What the record's merge asks for so far.
        pair: The field.
        was: What both systems showed when they last agreed.
        d: What Dynamics shows.
        m: What Marketo shows.
        policy: Decides a collision.
        in_doubt: Whether nobody knows if our last write arrived: then both count as changed.
        lost: An edit in Marketo that our own write replaced in the instant it was made.
        key: The Dynamics GUID, for reports.
    """
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
    elif pair.late and not in_doubt:
        decision.catch_up()
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
        decision = _Decision(merged, pair, was, d, lost, key, shows=m)
        if pair.direction is Direction.BOTH and isinstance(was, Missing) and decision.fills():
            decision.carry(System.MARKETO)  # they never agreed: that Dynamics has nothing is no clear
        else:
            decision.collide(policy, "overwritten")
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

    def fills(self) -> bool:
        """Whether Marketo's value is one where Dynamics has none."""
        d_empty = self._is_empty(self.d, self.pair.lens.dynamics_default)
        return d_empty and not self._is_empty(self.m, self.pair.lens.marketo_default)

    def catch_up(self) -> None:
        """Let Dynamics' value stand where a backfill passed the record by; Marketo's, if Dynamics has none."""
        self.carry(System.MARKETO if self._is_empty(self.d, self.pair.lens.dynamics_default) else System.DYNAMICS)

    @staticmethod
    def _is_empty(value: FieldValue, default: FieldValue) -> bool:
        return value is None or value == "" or same(value, default)

    def _by_direction(self) -> Win:
        source = System.DYNAMICS if self.pair.direction is Direction.TO_MARKETO else System.MARKETO
        return Win(source, because=f"the field syncs {self.pair.direction}")

    def _collision(self) -> Collision:
        was: Shown = None if self.was == NOBODYS else self.was
        return Collision(entity=self.pair.entity, field=self.pair.dynamics, was=was, marketo=self.m, dynamics=self.d)

    def _report(self, verdict: Win, kind: ResolutionKind) -> None:
        self.merged.resolutions.append(
            Resolution(collision=self._collision(), verdict=verdict, key=self.key, kind=kind)
        )
