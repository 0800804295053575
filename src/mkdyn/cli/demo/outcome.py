"""What the demo found out, for people and as JSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Literal, TypeAlias

import attrs

from mkdyn.cli.demo.verify import Verified
from mkdyn.domain import AnyEntity, Counts, Entity, FieldPair, PairState, Plan, Resolution, ResolutionKind, System
from mkdyn.domain.counts import MatchReport
from mkdyn.engine.report import Report


@attrs.frozen(kw_only=True)
class Arrival:
    """How much of an entity is on both sides.

    Attributes:
        entity: Which.
        rows: How many there are in Dynamics.
        linked: How many of them have their counterpart in Marketo.
    """

    entity: AnyEntity
    rows: int
    linked: int


@attrs.frozen
class Run:
    """One run.

    Attributes:
        report: What it said.
        resolutions: Every value that gave way in it; a report has only the first.
    """

    report: Report
    resolutions: Sequence[Resolution]

    def of_kind(self, kind: ResolutionKind) -> Sequence[Resolution]:
        """Return the values that gave way for one kind of reason."""
        return [resolution for resolution in self.resolutions if resolution.kind == kind]


@attrs.frozen(kw_only=True)
class Chapter:
    """One step's run, or the runs it took.

    Attributes:
        name: What the JSON calls it.
        runs: The runs.
    """

    name: str
    runs: Sequence[Run]

    @property
    def reports(self) -> Sequence[Report]:
        """What each run said."""
        return [run.report for run in self.runs]

    @property
    def seconds(self) -> float:
        """How long it took."""
        return sum(report.seconds for report in self.reports)

    @property
    def observed(self) -> int:
        """How many changes were looked at."""
        return sum(report.observed for report in self.reports)

    @property
    def held(self) -> int:
        """How many fields were kept back."""
        return sum(report.holds.total for report in self.reports)

    @property
    def quarantined(self) -> int:
        """How many records were set aside."""
        return sum(report.quarantined.total for report in self.reports)

    def of_kind(self, kind: ResolutionKind) -> Sequence[Resolution]:
        """Return the values that gave way for one kind of reason; what a run decides that was cut off, the next does too."""
        return list(dict.fromkeys(resolution for run in self.runs for resolution in run.of_kind(kind)))

    def counts(self, system: System) -> Counts:
        """Return the writes applied in a system."""
        found = [report.counts[system] for report in self.reports]
        return Counts(
            create=sum(counts.create for counts in found),
            update=sum(counts.update for counts in found),
            delete=sum(counts.delete for counts in found),
        )

    def calls(self, system: System) -> int:
        """Return the calls of a system's connector."""
        return sum(report.calls[system] for report in self.reports)

    def collisions(self) -> Mapping[tuple[AnyEntity, System], int]:
        """Count the fields that both systems had changed, by entity and winner."""
        return Counter((item.collision.entity, item.winner) for item in self.of_kind("collision"))

    def to_data(self) -> Mapping[str, object]:
        """Return the figures as plain data."""
        collisions = self.collisions()
        return {
            "name": self.name,
            "seconds": round(self.seconds, 3),
            "observed": self.observed,
            "operations": {system.value: attrs.asdict(self.counts(system)) for system in System},
            "collisions": {
                entity.logical_name: {system.value: collisions.get((entity, system), 0) for system in System}
                for entity in (Entity.LEAD, Entity.CONTACT)
            },
            "held": self.held,
            "quarantined": self.quarantined,
            "calls": {system.value: self.calls(system) for system in System},
        }


@attrs.frozen(kw_only=True)
class Refresh:
    """One backfill.

    Attributes:
        since: From which day on, by when a record was last changed; None for all records.
        before: The pair's state before it.
        plan: What it was to do.
        run: What it did.
    """

    since: date | None
    before: PairState
    plan: Plan
    run: Run


@attrs.frozen(kw_only=True)
class FieldsTold:
    """What became of a field that was added.

    Attributes:
        pair: The pair, in the end.
        refreshes: Its backfills.
        refused: What was asked for and can't be, and why.
    """

    pair: FieldPair
    refreshes: Sequence[Refresh]
    refused: Sequence[str]


@attrs.frozen(kw_only=True)
class Matched:
    """What a state that knows nothing would make of two populated systems.

    Attributes:
        report: How many records it would link, set aside, create.
        by_key: Who would be linked by their e-mail address.
        ambiguous: Who would be set aside, and why; a sentence each.
    """

    report: MatchReport
    by_key: Sequence[str]
    ambiguous: Sequence[str]


#: What can become of a record; the JSON's words.
What: TypeAlias = Literal[
    "matched",
    "ambiguous",
    "promoted",
    "converted",
    "merged_in_dynamics",
    "merged_in_marketo",
    "left_filter",
    "came_back",
    "flagged",
    "deleted",
]


@attrs.frozen
class Happening:
    """What became of one record.

    Attributes:
        what: In a word.
        text: In a sentence.
    """

    what: What
    text: str


@attrs.frozen(kw_only=True)
class RecordsTold:
    """What became of records that did not just change.

    Attributes:
        chapter: The runs it took.
        happenings: One of each record.
    """

    chapter: Chapter
    happenings: Sequence[Happening]


@attrs.frozen(kw_only=True)
class Outcome:
    """The whole demo.

    Attributes:
        chapters: Its first runs: first, edits, idle.
        fields: A field that was added.
        column: A column that was deleted.
        matched: What a first match of both would find.
        records: Records that became others, or went.
        verified: The comparison at the end.
        kept_back: How many fields and records are still held or set aside.
    """

    chapters: Sequence[Chapter]
    fields: FieldsTold
    column: Chapter
    matched: Matched
    records: RecordsTold
    verified: Verified
    kept_back: int

    @property
    def exit_code(self) -> int:
        """0 where both systems agree on everything, else 1."""
        return 0 if self.verified.agreed and not self.kept_back else 1

    def to_json(self) -> str:
        """Return the figures as one JSON object."""
        verified = self.verified
        return json.dumps(
            {
                "runs": [chapter.to_data() for chapter in self.chapters],
                "refused": list(self.fields.refused),
                "field": {
                    "name": f"{self.fields.pair.entity}.{self.fields.pair.dynamics}",
                    "state": self.fields.pair.state.value,
                    "backfills": [_refresh_as_data(refresh) for refresh in self.fields.refreshes],
                },
                "column": {
                    "runs": [report.ended for report in self.column.reports],
                    "warnings": [warning for report in self.column.reports for warning in report.warnings],
                },
                "matches": {
                    "by_id": self.matched.report.by_id,
                    "by_key": self.matched.report.by_key,
                    "ambiguous": self.matched.report.ambiguous,
                    "to_create": self.matched.report.to_create,
                },
                "records": Counter(happening.what for happening in self.records.happenings),
                "verified": {
                    "pairs_compared": verified.pairs_compared,
                    "differences": verified.differences,
                    "duplicates": verified.duplicates,
                },
            },
            indent=2,
        )


def _refresh_as_data(refresh: Refresh) -> Mapping[str, object]:
    return {
        "since": None if refresh.since is None else refresh.since.isoformat(),
        "planned": refresh.plan.counts[System.MARKETO].update,
        "updated": refresh.run.report.counts[System.MARKETO].update,
    }
