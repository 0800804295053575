"""What a run tells when it is over, and how a stored plan is read back."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final, TypeVar

import attrs

from mkdyn.domain.collisions import Resolution, ValueDisplay
from mkdyn.domain.counts import Counts, Estimate, MatchReport, duration, summary
from mkdyn.domain.fields import FieldPair
from mkdyn.domain.guards import Breach
from mkdyn.domain.holds import Hold, Quarantined
from mkdyn.domain.plan import (
    EXCERPT_MAX,
    Excerpt,
    Operation,
    OperationState,
    Plan,
    Purpose,
    excerpts_as_data,
    findings_as_text,
)
from mkdyn.domain.schema import SchemaChange
from mkdyn.domain.systems import System
from mkdyn.ports.store import RunEnd, StateStore

T = TypeVar("T")

#: How many pairs that were activated are named on the line that a report begins with.
_NAMED_MAX: Final = 3


@attrs.frozen(kw_only=True, repr=False)
class Report:
    """What a run did.

    Attributes:
        id: The run's number, and its plan's.
        purpose: What it was for.
        ended: `done`; `warnings` (something was held, set aside, missing or left over); `paused` and
            `out-of-time` (stopped at a batch boundary, the next run goes on).
        seconds: How long it took.
        calls: Calls of each connector; a page of a feed is one.
        observed: How many changes were looked at.
        counts: Writes applied, by system and kind.
        operations: The writes, whatever became of them.
        collisions: Every value that gave way.
        holds: Fields kept back that stand now, whichever run found them.
        quarantined: Records set aside that stand now.
        matches: What a first match found, or None where nothing was matched.
        schema_changes: Which fields the systems describe otherwise than before.
        activated: Pairs whose backfill came to its end in it: they go both ways now, where they may.
        warnings: What else a person should know.
    """

    id: int
    purpose: Purpose = "run"
    ended: RunEnd
    seconds: float
    calls: Mapping[System, int]
    observed: int
    counts: Mapping[System, Counts]
    operations: Excerpt[Operation]
    collisions: Excerpt[Resolution]
    holds: Excerpt[Hold]
    quarantined: Excerpt[Quarantined]
    matches: MatchReport | None = None
    schema_changes: Sequence[SchemaChange] = ()
    activated: Sequence[FieldPair] = ()
    warnings: Sequence[str] = ()

    @property
    def ok(self) -> bool:
        """Whether all is in agreement."""
        return self.ended == "done"

    @property
    def exit_code(self) -> int:
        """The command line's word for how it ended: 0 in agreement, 1 with warnings, 3 try later."""
        return {"done": 0, "warnings": 1}.get(self.ended, 3)

    def text(self, *, values: ValueDisplay = "hidden") -> str:
        """Say all of it, a line each; values only where asked for."""
        lines = [str(self)]
        lines += findings_as_text(self.collisions, self.holds, self.quarantined, values)
        lines += [f"schema: {change}" for change in self.schema_changes]
        lines += [f"warning: {warning}" for warning in self.warnings]
        return "\n".join(lines)

    def to_json(self) -> str:
        """Return the counts and the excerpts, values included, as one JSON object."""
        return json.dumps(
            {
                "id": self.id,
                "purpose": self.purpose,
                "ended": self.ended,
                "seconds": self.seconds,
                "calls": {system.value: count for system, count in self.calls.items()},
                "observed": self.observed,
                **excerpts_as_data(self.counts, self.operations, self.collisions, self.holds, self.quarantined),
                "schema_changes": [str(change) for change in self.schema_changes],
                "activated": _names(self.activated),
                "warnings": list(self.warnings),
            },
            default=str,
            ensure_ascii=False,
        )

    def __str__(self) -> str:
        kind = "" if self.purpose == "run" else f" ({self.purpose})"
        ended = {"paused": "paused after", "out-of-time": "out of time after"}.get(self.ended, "done in")
        counted = summary(self.counts, self.collisions.total, self.holds.total, self.quarantined.total)
        return f"run {self.id}{kind} {ended} {duration(self.seconds)} · {counted}{_said(self.activated)}"

    def __repr__(self) -> str:
        return f"<{self}>"


def _names(pairs: Sequence[FieldPair]) -> Sequence[str]:
    return [f"{pair.entity}.{pair.dynamics}" for pair in pairs]


def _said(activated: Sequence[FieldPair]) -> str:
    """Say which pairs became active, as the end of a line."""
    names = _names(activated[:_NAMED_MAX])
    others = len(activated) - len(names)
    named = ", ".join(names) + (f" and {others:,} more" if others else "")
    return f" · {named} {'is' if len(activated) == 1 else 'are'} active" if activated else ""


class Excerpts:
    """The first of what a stored plan or run holds, and how many there are.

    Attributes:
        totals: The store's counts.
        operations: The writes.
        collisions: Every value that gives way.
        holds: Fields kept back that stand.
        quarantined: Records set aside that stand.
    """

    def __init__(self, store: StateStore, run: int) -> None:
        self.totals: Mapping[str, int] = store.totals(run)
        writes = sum(value for name, value in self.totals.items() if ":" in name)
        self.operations: Excerpt[Operation] = Excerpt(store.operations(run, after=0, limit=EXCERPT_MAX), writes)
        self.collisions: Excerpt[Resolution] = self._of(partial(store.resolutions, run), "collisions")
        self.holds: Excerpt[Hold] = self._of(partial(store.holds, None), "holds")
        self.quarantined: Excerpt[Quarantined] = self._of(partial(store.quarantine, None), "quarantined")

    def _of(self, read: Callable[..., Sequence[tuple[int, T]]], name: str) -> Excerpt[T]:
        return Excerpt([item for _, item in read(after=0, limit=EXCERPT_MAX)], self.totals[name])


def read_plan(
    store: StateStore,
    id: int,
    purpose: Purpose,
    matches: MatchReport | None,
    breaches: Sequence[Breach],
    *,
    emptied: int = 0,
    estimate: Estimate | None = None,
) -> Plan:
    """Return a stored plan, with the first of what it holds."""
    found = Excerpts(store, id)
    return Plan(
        id=id,
        purpose=purpose,
        counts=count(found.totals, states=None),
        operations=found.operations,
        collisions=found.collisions,
        holds=found.holds,
        quarantined=found.quarantined,
        matches=matches,
        breaches=breaches,
        emptied=emptied,
        estimate=estimate,
    )


def count(totals: Mapping[str, int], *, states: Sequence[OperationState] | None) -> Mapping[System, Counts]:
    """Return how many writes there are of each kind, in the given states or in all."""
    found = {system: {"create": 0, "update": 0, "delete": 0} for system in System}
    for name, value in totals.items():
        if ":" not in name:
            continue
        system, kind, state = name.split(":")
        if states is None or state in states:
            found[System(system)][kind] += value
    return {system: Counts(**kinds) for system, kinds in found.items()}
