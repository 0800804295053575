"""Which pairs are backfilled, and for which records (M7)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime

import attrs

from mkdyn.domain.directions import Direction
from mkdyn.domain.fields import FieldPair, PairState
from mkdyn.domain.registry import Pick
from mkdyn.domain.values import Shown
from mkdyn.errors import FieldError, NotEligibleError, UnknownFieldError


@attrs.frozen
class Span:
    """Days, in UTC.

    Attributes:
        since: The first day, or None.
        until: The day after the last, or None.
    """

    since: date | None = None
    until: date | None = None

    @property
    def bounded(self) -> bool:
        """Whether it leaves any day out."""
        return self.since is not None or self.until is not None

    def covers(self, *moments: Shown) -> bool:
        """Whether one of the moments lies in it: a record's creation, or its last change."""
        days = [
            moment.astimezone(UTC).date() if isinstance(moment, datetime) else moment
            for moment in moments
            if isinstance(moment, date)
        ]
        return not self.bounded or any(
            (self.since is None or self.since <= day) and (self.until is None or day < self.until) for day in days
        )

    def __str__(self) -> str:
        return f"{self.since or ''}..{self.until or ''}"


def to_backfill(picks: Sequence[Pick], selected: Collection[FieldPair]) -> Sequence[FieldPair]:
    """Return the pairs to backfill: those picked, or else all that are selected and not refreshed yet.

    Raises:
        FieldError: One or more can't be; or nothing waits for it.
    """
    if not picks:
        waiting = [pair for pair in selected if pair.state is PairState.BACKFILLING]
        if not waiting:
            raise FieldError(
                "No field waits for its backfill.", what_to_do="To refresh one again, name it: sync.backfill(Pick(…))."
            )
        return waiting
    by_name = {(pair.entity, pair.dynamics): pair for pair in selected}
    faults = [fault for pick in picks if (fault := _fault(pick, by_name.get((pick.entity, pick.dynamics)))) is not None]
    if faults:
        raise FieldError.of(tuple(faults), f"{len(faults)} of {len(picks)} picks refused, none refreshed")
    return [by_name[name] for name in dict.fromkeys((pick.entity, pick.dynamics) for pick in picks)]


def _fault(pick: Pick, pair: FieldPair | None) -> FieldError | None:
    where = f"{pick.entity}.{pick.dynamics}"
    if pair is None:
        return UnknownFieldError(
            f"{where} is not selected.", what_to_do="Select it first: sync.fields.select(Pick(…))."
        )
    if not pair.state.syncs:
        return NotEligibleError(
            f"{where} is {pair.state}: {pair.reason}.", what_to_do="It goes on when both systems show it again."
        )
    if pair.direction is Direction.TO_DYNAMICS:
        return NotEligibleError(
            f"{where} syncs Marketo → Dynamics only: there is nothing to refresh in Marketo.",
            what_to_do="Leave it out.",
        )
    return None
