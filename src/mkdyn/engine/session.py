"""What one run works with: both systems, the store, the rules, and what it has counted so far."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

import anyio
import attrs

from mkdyn.domain.counts import MatchReport, Meeting
from mkdyn.domain.entities import AnyEntity
from mkdyn.domain.guards import Breach, Guard, Tally, breaches
from mkdyn.domain.plan import Purpose
from mkdyn.domain.records import Key, Record
from mkdyn.domain.rules import Rules
from mkdyn.domain.schema import SchemaChange
from mkdyn.domain.systems import System
from mkdyn.engine.kinds import Kind
from mkdyn.engine.patience import Patient
from mkdyn.ports.connectors import DynamicsConnector, Identity, MarketoConnector
from mkdyn.ports.observer import Event, Observer
from mkdyn.ports.store import StateStore

#: How many observations are decided, or links compared, at a time: four full calls where Marketo shows 300 persons.
CHUNK = 1_200
#: How many rows of each kind a match report names.
MATCHES_NAMED_MAX = 20


@attrs.frozen
class Winner:
    """The row that another one was merged into in the end; without a record, it can't be read."""

    key: str
    record: Record | None


@attrs.frozen
class Named:
    """A row that a reference names, and that Marketo knows or is about to.

    Attributes:
        table: Logical name of its table.
        linked: Whether it is linked; else it is being decided, or on its way.
    """

    table: str
    linked: bool


@attrs.define(kw_only=True, eq=False)
class Session:
    """One run, while it goes.

    Attributes:
        id: The run's number, or the plan's.
        purpose: What it is for.
        marketo: Marketo, counted.
        dynamics: Dynamics, counted.
        identities: Who they said they are.
        store: The memory.
        rules: The settings.
        kinds: The selected entities, in dependency order.
        observers: Who is told.
        now: The wall clock.
        started_at: When the run began, by that clock.
        sends: Whether it may write; a plan may not.
        limited: Whether it may only send what the plan of its number holds.
        keys: The records to look at, where not all.
        accepted: Guards that a person let through.
        stop_at: When to stop at the next batch boundary, by the event loop's clock.
        observed: How many changes the feeds brought.
        reuses: Whether it goes on with the writes of an earlier plan, where they are still right.
        left: How many planned writes had moved, and were left.
        unheard: Whether Marketo's feed was not read to its end, so that edits may be unknown.
        fewer: Whether persons are gone that no link knew: who could not be told from them may be clear now.
        again: Whether something was found that another round should decide.
        paused: Why it stopped early, if it did.
        schema_changes: What the systems describe otherwise than before.
        warnings: What a person should know, without people's data.
        tallies: What the plan does, for the guards.
        matched: How many records met their counterparts for the first time, were ambiguous, were new.
        matched_first: The first of them.
        heirs: The contacts that qualified leads name, each with its lead; None until somebody asks in this round.
        given: Key fields and GUIDs that persons were given by the word of Marketo's feed, once somebody asked in this round.
        winners: By table, what losers of merges were merged into, once somebody asked in this round.
        targets: What is known of the rows that the records being decided name.
        moves: How many links moved to other records, by why.
        claims: Persons that will be linked by a planned write to Dynamics alone, each with its row.
        linked_before: How many links each entity had when the run began.
        emptied: How many planned writes empty a field.
        put_off: Rows whose persons are to be merged, but not yet: somebody edited one of the two.
        confirmable_since: Our writes to Marketo sent before this would have been confirmed by its feed by now.
    """

    id: int
    purpose: Purpose
    marketo: Patient[MarketoConnector]
    dynamics: Patient[DynamicsConnector]
    identities: Mapping[System, Identity]
    store: StateStore
    rules: Rules
    kinds: Sequence[Kind]
    observers: Sequence[Observer]
    now: Callable[[], datetime]
    started_at: datetime
    sends: bool
    limited: bool = False
    reuses: bool = False
    keys: frozenset[Key] | None = None
    accepted: frozenset[Guard] = frozenset()
    stop_at: float | None = None
    began: float = attrs.field(factory=anyio.current_time)
    observed: int = 0
    left: int = 0
    unheard: bool = False
    fewer: bool = False
    again: bool = False
    paused: str | None = None
    schema_changes: list[SchemaChange] = attrs.field(factory=list[SchemaChange])
    warnings: list[str] = attrs.field(factory=list[str])
    tallies: dict[tuple[AnyEntity, System], Tally] = attrs.field(factory=dict[tuple[AnyEntity, System], Tally])
    matched: Counter[Meeting] = attrs.field(factory=Counter[Meeting])
    matched_first: dict[Meeting, list[str]] = attrs.field(factory=dict[Meeting, list[str]])
    heirs: dict[str, str] | None = None
    given: set[tuple[str, str]] | None = None
    winners: dict[str, Mapping[str, Winner]] = attrs.field(factory=dict[str, Mapping[str, Winner]])
    targets: dict[str, Named | None] = attrs.field(factory=dict[str, "Named | None"])
    moves: Counter[str] = attrs.field(factory=Counter[str])
    claims: dict[str, str] = attrs.field(factory=dict[str, str])
    linked_before: Mapping[str, int] = attrs.field(factory=dict[str, int])
    emptied: int = 0
    put_off: set[str] = attrs.field(factory=set[str])
    confirmable_since: datetime | None = None

    def connector(self, system: System) -> Patient[MarketoConnector] | Patient[DynamicsConnector]:
        """Return one of the two systems."""
        return self.marketo if system is System.MARKETO else self.dynamics

    @property
    def persons(self) -> Sequence[Kind]:
        """The selected entities whose records are persons, contacts first."""
        return [kind for kind in self.kinds if kind.person]

    def tally(self, entity: AnyEntity, system: System) -> Tally:
        """Return the count to add to."""
        return self.tallies.setdefault((entity, system), Tally())

    def breaches(self) -> Sequence[Breach]:
        """Return the guards that what was planned trips."""
        links = {kind.entity: self.linked_before.get(kind.name, 0) for kind in self.kinds}
        return breaches(self.tallies, links, self.rules.guards)

    def match_report(self) -> MatchReport | None:
        """Return what a first match found, or None where nothing met."""
        counts, samples = self.matched, self.matched_first
        if counts.keys() <= {"to_create"}:
            return None
        return MatchReport(
            by_id=counts["by_id"],
            by_key=counts["by_key"],
            ambiguous=counts["ambiguous"],
            to_create=counts["to_create"],
            samples=samples,
        )

    def met(self, how: Meeting, row: str) -> None:
        """Count a row that met Marketo for the first time; name the first of them."""
        self.matched[how] += 1
        named = self.matched_first.setdefault(how, [])
        if len(named) < MATCHES_NAMED_MAX:
            named.append(row)

    def count_left(self) -> None:
        """Note how many of the plan's writes have moved since, and are left."""
        if not self.limited:
            return
        totals = self.store.totals(self.id)
        self.left = sum(value for name, value in totals.items() if name.endswith(":dropped"))
        if self.left:
            self.warn(f"{self.left:,} of the plan's writes have moved since and were left: plan again")

    def out_of_time(self) -> bool:
        """Whether the deadline has passed."""
        return self.stop_at is not None and anyio.current_time() >= self.stop_at

    def warn(self, text: str) -> None:
        """Note something for the report, once."""
        if text not in self.warnings:
            self.warnings.append(text)

    def tell(self, event: Event) -> None:
        """Tell the observers; one that fails becomes a warning, and the others are told."""
        for observer in self.observers:
            try:
                observer(event)
            except Exception as error:  # noqa: BLE001 - somebody else's code must not stop a run
                self.warn(f"observer {getattr(observer, '__name__', type(observer).__name__)}: {type(error).__name__}")
