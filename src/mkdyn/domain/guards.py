"""Refuse a plan that looks like an accident."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence

import attrs

from mkdyn.domain.directions import Direction, direction_of
from mkdyn.domain.entities import AnyEntity
from mkdyn.domain.systems import System


class Guard(enum.Enum):
    """What a plan may be stopped for; `apply(plan, accept={…})` lets one of them through, for that plan."""

    DELETES = "deletes"
    OVERWRITES = "overwrites"
    CREATES = "creates"
    EMPTIED = "emptied"
    FIRST_MATCH = "first-match"
    GONE = "gone"

    def __repr__(self) -> str:
        return f"Guard.{self.name}"

    def __str__(self) -> str:
        return self.value


@attrs.frozen(kw_only=True)
class Guards:
    """How much a plan may do before a person must look at it.

    Attributes:
        deletes_share_max: The largest share of an entity's links a plan may delete or flag.
        overwrites_share_max: The largest share of an entity's links on which a plan may replace values.
        creates_share_max: The most records a plan may create, as a multiple of the entity's links.
        emptied_share_max: The largest share of an entity's links on which a plan may empty one and the same field.
        gone_share_max: The largest share of an entity's links that may be found gone at once.
        records_min: Counts smaller than this never trip a guard.
    """

    deletes_share_max: float = 0.02
    overwrites_share_max: float = 0.20
    creates_share_max: float = 2.0
    emptied_share_max: float = 0.20
    gone_share_max: float = 0.20
    records_min: int = 50


@attrs.define(kw_only=True)
class Tally:
    """What a plan would do to one entity's records in one system, counted while it is made."""

    creates: int = 0
    updates: int = 0
    overwrites: int = 0
    deletes: int = 0
    matches: int = 0
    gone: int = 0
    emptied: dict[str, int] = attrs.field(factory=dict[str, int])


@attrs.frozen(kw_only=True)
class Breach:
    """One guard that a plan trips.

    Attributes:
        guard: Which.
        entity: Whose records.
        system: Where they would be written.
        count: How many records.
        links: How many links the entity has, those included that the plan would make of its matches.
        limit: The share that would be let through.
        field: The field that would be emptied, with `Guard.EMPTIED`.
    """

    guard: Guard
    entity: AnyEntity
    system: System
    count: int
    links: int
    limit: float
    field: str | None = None

    def __str__(self) -> str:
        return _SENTENCES[self.guard].format(
            count=f"{self.count:,}", links=f"{self.links:,}", what=self.entity.plural, system=self.system,
            where="" if direction_of(self.entity) is Direction.TO_MARKETO else f" in {self.system}",
            field=self.field, share=f"{100 * self.count / max(self.links, 1):.1f} %",
            limit=f"{self.limit:g}" if self.guard is Guard.CREATES else f"{100 * self.limit:g} %",
        )  # fmt: skip


_SENTENCES = {
    Guard.DELETES: "deletes {count} of {links} {what}{where} ({share}; the guard stops at {limit})",
    Guard.OVERWRITES: "overwrites values of {count} of {links} {what}{where} ({share}; the guard stops at {limit})",
    Guard.CREATES: "creates {count} {what}{where} where {links} are linked (the guard stops at {limit} times that)",
    Guard.EMPTIED: "empties {field} on {count} of {links} {what}{where} ({share}; the guard stops at {limit})",
    Guard.FIRST_MATCH: "matches {count} {what} of {system} for the first time: read the matches before they are merged",
    Guard.GONE: "finds {count} of {links} {what} gone from {system} ({share}; the guard stops at {limit})",
}


def breaches(
    tallies: Mapping[tuple[AnyEntity, System], Tally], links: Mapping[AnyEntity, int], guards: Guards
) -> Sequence[Breach]:
    """Return every guard the counted plan trips.

    Args:
        tallies: What the plan does, by entity and system.
        links: How many links each entity has before the plan.
        guards: The limits.
    """
    found: list[Breach] = []
    matched: dict[AnyEntity, int] = {}
    for (entity, _), tally in tallies.items():
        matched[entity] = max(matched.get(entity, 0), tally.matches)
    for (entity, system), tally in tallies.items():
        had = links.get(entity, 0) + matched[entity]
        shares: list[tuple[Guard, int, float, str | None]] = [
            (Guard.DELETES, tally.deletes, guards.deletes_share_max, None),
            (Guard.OVERWRITES, tally.overwrites, guards.overwrites_share_max, None),
            (Guard.GONE, tally.gone, guards.gone_share_max, None),
        ]
        if links.get(entity):
            shares.append((Guard.CREATES, tally.creates, guards.creates_share_max, None))
        shares.extend((Guard.EMPTIED, count, guards.emptied_share_max, field) for field, count in tally.emptied.items())
        found.extend(
            Breach(guard=guard, entity=entity, system=system, count=count, links=had, limit=limit, field=field)
            for guard, count, limit, field in shares
            if count >= guards.records_min and count > limit * had
        )
        if tally.matches > guards.records_min:
            found.append(
                Breach(guard=Guard.FIRST_MATCH, entity=entity, system=system, count=tally.matches, links=had, limit=0.0)
            )
    return found
