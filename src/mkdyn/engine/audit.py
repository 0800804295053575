"""Audit: compare every linked record of both systems with what they last agreed on, whatever the feeds say.

Link by link, a page at a time, so that it takes no more memory for ten million records. What differs is observed, so
that it is decided like any edit: the audit's plan holds the repair, and so would the next run.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence

import attrs

from mkdyn.domain.entities import AnyEntity
from mkdyn.domain.plan import Plan
from mkdyn.domain.records import Link, Record, short
from mkdyn.domain.systems import System
from mkdyn.engine.feeds import observe
from mkdyn.engine.kinds import Kind
from mkdyn.engine.session import CHUNK, Session
from mkdyn.engine.walk import drifted, waiting_fields
from mkdyn.ports.store import Observation

#: How many records of one drift are named.
SAMPLES_MAX = 20


@attrs.frozen(kw_only=True)
class Drift:
    """One field, or the whole record, that one system shows otherwise than the two last agreed.

    Attributes:
        entity: Whose records.
        system: Where they show something else.
        field: The field, in that system's name; empty where the record can't be read at all.
        count: On how many records.
        samples: The keys of the first of them, in that system.
    """

    entity: AnyEntity
    system: System
    field: str
    count: int
    samples: Sequence[str]

    def __str__(self) -> str:
        what = f"{self.field} differs" if self.field else "not there"
        keys = ", ".join(map(short, self.samples[:3])) + (", …" if self.count > len(self.samples[:3]) else "")
        return f"{self.entity.plural} in {self.system}: {what} on {self.count:,} ({keys})"


@attrs.frozen(kw_only=True)
class AuditReport:
    """What an audit found.

    Attributes:
        compared: How many linked records were compared, by logical name.
        differing: On how many of them something differs, by logical name.
        drifts: What differs, by entity, system and field.
        plan: The repair, stored and not sent: `sync.apply(report.plan)` carries it out.
    """

    compared: Mapping[str, int]
    differing: Mapping[str, int]
    drifts: Sequence[Drift]
    plan: Plan

    @property
    def ok(self) -> bool:
        """Whether everything is as agreed."""
        return not self.drifts

    def to_json(self) -> str:
        """Return counts and keys as one JSON object; no values."""
        return json.dumps(
            {
                "compared": dict(self.compared),
                "differing": dict(self.differing),
                "drifts": [
                    {
                        "entity": drift.entity.logical_name,
                        "system": drift.system.value,
                        "field": drift.field,
                        "count": drift.count,
                        "samples": list(drift.samples),
                    }
                    for drift in self.drifts
                ],
                "plan": self.plan.id,
            }
        )

    def __str__(self) -> str:
        head = f"audit: {sum(self.compared.values()):,} compared · {sum(self.differing.values()):,} differ"
        if self.ok:
            return head
        return "\n".join([head, *map(str, self.drifts), f"repair: {self.plan}"])


@attrs.define(eq=False)
class Tally:
    """What an audit has found so far."""

    compared: dict[str, int] = attrs.field(factory=dict[str, int])
    differing: dict[str, int] = attrs.field(factory=dict[str, int])
    _counts: dict[tuple[AnyEntity, System, str], int] = attrs.field(factory=dict[tuple[AnyEntity, System, str], int])
    _samples: dict[tuple[AnyEntity, System, str], list[str]] = attrs.field(
        factory=dict[tuple[AnyEntity, System, str], list[str]]
    )

    def note(self, entity: AnyEntity, system: System, field: str, key: str) -> None:
        """Count a field of a record."""
        place = (entity, system, field)
        self._counts[place] = self._counts.get(place, 0) + 1
        samples = self._samples.setdefault(place, [])
        if len(samples) < SAMPLES_MAX:
            samples.append(key)

    def drifts(self) -> Sequence[Drift]:
        """Return what was counted, the most frequent first."""
        found = [
            Drift(entity=entity, system=system, field=field, count=count, samples=self._samples[entity, system, field])
            for (entity, system, field), count in self._counts.items()
        ]
        return sorted(found, key=lambda drift: (-drift.count, drift.entity.logical_name, drift.field))


async def compare_all(session: Session) -> Tally:
    """Compare every live link with both systems; observe what differs."""
    tally = Tally()
    for kind in session.kinds:
        after = 0
        while links := session.store.links_after(kind.name, after, CHUNK):
            after = links[-1].id
            tally.compared[kind.name] = tally.compared.get(kind.name, 0) + len(links)
            differing = [await _compare(session, kind, system, links, tally) for system in System]
            count = len(set[int]().union(*differing))
            tally.differing[kind.name] = tally.differing.get(kind.name, 0) + count
    return tally


async def _compare(session: Session, kind: Kind, system: System, links: Sequence[Link], tally: Tally) -> set[int]:
    """Compare one page of links with one system; return the numbers of those that differ there.

    What a feed has told of is left to it: that is news, and no drift.
    """
    name, keys = kind.object_in(system), [link.key(system) for link in links]
    told = session.store.observed(system, name, keys)
    found = await session.connector(system).read(name, keys, fields=kind.read_in(system))
    kept_back = session.store.kept_back([link.dynamics for link in links])
    differing: dict[int, Observation] = {}
    for link in links:
        key = link.key(system)
        if key in told:
            continue
        waiting = waiting_fields(kind, system, kept_back.get(link.dynamics, ()))
        fields = _drift(kind, link, system, found.get(key), waiting)
        for field in fields:
            tally.note(kind.entity, system, field, key)
        if fields:
            differing[link.id] = Observation(system=system, object=name, key=key, record=found.get(key))
    with session.store.transaction():
        observe(session, differing.values())
    return set(differing)


def _drift(kind: Kind, link: Link, system: System, record: Record | None, waiting: Collection[str]) -> list[str]:
    """Return the fields that differ; of a record that can't be read, the empty name."""
    if record is None:
        return [""]
    return list(drifted(kind, link, system, record, waiting))
