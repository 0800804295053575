"""What is kept of backfills between runs: which plan refreshes a pair, and which columns runs need not read anew."""

from __future__ import annotations

from mkdyn.domain.fields import FieldPair
from mkdyn.domain.systems import System
from mkdyn.engine.feeds import feed_name
from mkdyn.ports.store import StateStore

#: How a plan's planning may have ended, so that what it holds is all of it.
_COMPLETE = frozenset({"planned", "begun", "stopped", "done", "warnings", "paused", "out-of-time"})
_OPEN = ("planned", "sent", "unknown")


def backfill_mark(pair: FieldPair) -> str:
    """Return the name under which it is kept which plan refreshes a pair, and of which days."""
    return f"backfill:{pair.entity.logical_name}:{pair.dynamics}"


def interrupted_mark(pair: FieldPair) -> str:
    """Return the name under which it is kept that a pair was set aside before it was refreshed."""
    return f"interrupted:{pair.entity.logical_name}:{pair.dynamics}"


def apart_mark(entity: str) -> str:
    """Return the name under which it is kept which of a table's columns were refreshed by plans of their own."""
    return f"{feed_name(System.DYNAMICS, entity)}:apart"


def refreshed_apart(store: StateStore, entity: str) -> frozenset[str]:
    """Return the columns of a table that were refreshed by plans of their own, since its feed was begun anew."""
    mark = store.cursor(apart_mark(entity))
    return frozenset() if mark is None else frozenset(mark.token.split(","))


def is_carried_out(store: StateStore, plan: int) -> bool:
    """Whether a backfill's plan is complete, and nothing of it is left to send or to settle."""
    row = store.run(plan)
    if row is None or row.ended not in _COMPLETE:
        return False
    return not any(count and name.rsplit(":", 1)[-1] in _OPEN for name, count in store.totals(plan).items())
