"""How many, how long: what plans and reports begin with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias

import attrs

from mkdyn.domain.systems import System

#: How a record met the other system for the first time.
Meeting: TypeAlias = Literal["by_id", "by_key", "ambiguous", "to_create"]


@attrs.frozen(kw_only=True)
class MatchReport:
    """What a first match of two populated systems found.

    Who is in Marketo only is left alone, and not counted: Marketo has no list of everybody.

    Attributes:
        by_id: Records whose counterpart carries their GUID.
        by_key: Records with exactly one counterpart by a match key.
        ambiguous: Records set aside, because several could be meant.
        to_create: Records that are only in Dynamics.
        samples: The GUIDs of the first of each, under these names.
    """

    by_id: int = 0
    by_key: int = 0
    ambiguous: int = 0
    to_create: int = 0
    samples: Mapping[Meeting, Sequence[str]] = attrs.field(factory=dict[Meeting, Sequence[str]])

    @property
    def linked(self) -> int:
        """Records with exactly one counterpart."""
        return self.by_id + self.by_key

    def __str__(self) -> str:
        how = f" ({self.by_id:,} by id, {self.by_key:,} by key)" if self.by_id else ""
        return (
            f"{self.linked:,} linked{how} · {self.ambiguous:,} ambiguous, set aside · "
            f"{self.to_create:,} only in Dynamics, to create"
        )


@attrs.frozen(kw_only=True)
class Counts:
    """How many writes of each kind, per system."""

    create: int = 0
    update: int = 0
    delete: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.create + self.update + self.delete


@attrs.frozen
class Estimate:
    """About what carrying a plan out costs.

    Attributes:
        calls: Calls of both systems.
        seconds: How long it takes.
    """

    calls: int
    seconds: float

    def __str__(self) -> str:
        return f"{self.calls:,} calls, {duration(self.seconds)}"


def duration(seconds: float) -> str:
    """Say how long something takes: `0.01 s`, `2.1 s`, `1 min 12 s`."""
    if seconds < 1:
        return f"{seconds:.2f} s"
    if seconds < 60:  # noqa: PLR2004 - a minute
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s"


def summary(counts: Mapping[System, Counts], collisions: int, held: int, quarantined: int) -> str:
    """Return the counts that plans and reports begin with."""
    collided = "1 collision" if collisions == 1 else f"{collisions:,} collisions"
    return (
        f"to Marketo {counts[System.MARKETO].total:,} · to Dynamics {counts[System.DYNAMICS].total:,} · "
        f"{collided} · {held:,} held · {quarantined:,} quarantined"
    )
