"""The durable memory of one pair of organisations.

Plain and synchronous: transactions are short and never wait for a network. Everything
between entering and leaving `transaction()` is kept together or not at all, a crash of the
process included. Methods that write are called inside one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Literal, Protocol, TypeAlias

import attrs

from mkdyn.domain.collisions import Resolution
from mkdyn.domain.entities import AnyEntity
from mkdyn.domain.feeds import Cursor, Evidence
from mkdyn.domain.fields import FieldPair, FieldSpec
from mkdyn.domain.holds import Hold, Quarantined
from mkdyn.domain.making import changer, maker
from mkdyn.domain.plan import Operation, OperationState, Purpose
from mkdyn.domain.records import Link, LinkState, Record
from mkdyn.domain.systems import System

#: How a run ended; None while it is going on, or where its process died. A plan that is being carried out, or whose
#: process died then, is `begun`.
RunEnd: TypeAlias = Literal["planned", "begun", "done", "warnings", "stopped", "paused", "out-of-time", "failed"]


@attrs.frozen(kw_only=True)
class Observation:
    """One record that must be looked at. The store keeps one for each record.

    Attributes:
        system: Where it was seen.
        object: The system's name of its kind.
        key: The system's key of it.
        version: Given by the store, larger than any before: a later observation of the record has another.
        record: What the system showed, or None: then it must be read. A store may forget it in a crash.
        deleted: Whether the system says it is gone.
        evidence: What the feed says of its fields, oldest first (Marketo).
        wanted: Logical name of the entity somebody asked it to be promoted to.
        doubtful: Pairs of which nobody knows whether our last write arrived.
        seen_at: When the newest evidence came, by our clock.
    """

    system: System
    object: str
    key: str
    version: int = 0
    record: Record | None = None
    deleted: bool = False
    evidence: tuple[Evidence, ...] = ()
    wanted: str | None = None
    doubtful: tuple[str, ...] = ()
    seen_at: datetime | None = None


make_observation: Callable[..., Observation] = maker(Observation)
change_observation: Callable[..., Observation] = changer(Observation)


@attrs.frozen(kw_only=True)
class RunRow:
    """A plan or run as the store knows it.

    Attributes:
        id: Its number.
        purpose: What it is for.
        started_at: When it began.
        ended_at: When it ended, or None.
        ended: How it ended, or None.
        facts: Counts the engine keeps with it, plain JSON.
    """

    id: int
    purpose: Purpose
    started_at: datetime
    ended_at: datetime | None = None
    ended: RunEnd | None = None
    facts: Mapping[str, object] = attrs.field(factory=dict[str, object])


@attrs.frozen(kw_only=True)
class Description:
    """How a system describes an object's fields.

    Attributes:
        at: When it was asked, by our clock.
        fields: What it said.
    """

    at: datetime
    fields: Sequence[FieldSpec]


@attrs.frozen(kw_only=True)
class SelectedPair:
    """A selected pair with what both systems said of its fields when it was selected, or last looked at.

    Attributes:
        pair: The pair; its lens follows from the two specs.
        dynamics: The Dynamics field.
        marketo: The Marketo field.
    """

    pair: FieldPair
    dynamics: FieldSpec
    marketo: FieldSpec

    def spec_in(self, system: System) -> FieldSpec:
        """Return what *system* said of its field."""
        return self.dynamics if system is System.DYNAMICS else self.marketo


@attrs.frozen(kw_only=True)
class Answer:
    """What became of one operation.

    Attributes:
        operation: Its number.
        state: How it stands now.
        detail: The system's code and sentence, if any.
    """

    operation: int
    state: OperationState
    detail: str = ""


make_answer: Callable[..., Answer] = maker(Answer)


class StateStore(Protocol):
    """What a sync remembers between runs, and across a crash."""

    @property
    def name(self) -> str:
        """A short name for messages, as in `acme.db`."""
        ...

    def transaction(self) -> AbstractContextManager[None]:
        """Keep all that is written inside, or nothing; not nested, never held across an `await`.

        Raises:
            StateFileError: It can't be written.
        """
        ...

    def exclusive(self, holder: str, /) -> AbstractContextManager[None]:
        """Let one run at a time hold the state; a process that dies lets go.

        Args:
            holder: Who we are, for the message others get.

        Raises:
            RunInProgressError: Another run holds it.
        """
        ...

    def close(self) -> None:
        """Let go of the file. A closed store is not used again."""
        ...

    # -- whose state it is ---------------------------------------------------------

    def organization(self, system: System, /) -> str | None:
        """Return the organisation this state belongs to, or None while it belongs to none."""
        ...

    def set_organization(self, system: System, organization: str, /) -> None:
        """Remember whose state this is."""
        ...

    # -- feeds -----------------------------------------------------------------------

    def cursor(self, feed: str, /) -> Cursor | None:
        """Return where to go on, or None for a feed that was never read."""
        ...

    def set_cursor(self, feed: str, cursor: Cursor | None, /) -> None:
        """Remember where to go on; None forgets the feed."""
        ...

    def new_entries(self, feed: str, ids: Sequence[str], /) -> set[str]:
        """Return those of *ids* that have not been marked seen."""
        ...

    def mark_seen(self, feed: str, entries: Iterable[tuple[str, datetime]], /) -> None:
        """Remember entries by id and time; a repeated id is no error."""
        ...

    def forget_seen(self, feed: str, before: datetime | None, /) -> None:
        """Forget entries older than *before*, or all of the feed's."""
        ...

    # -- observations ----------------------------------------------------------------

    def observe(self, observations: Iterable[Observation], /) -> None:
        """Keep observations, each under a new version; one of the same record is replaced."""
        ...

    def observations(self, system: System, object: str, /, *, after: int, limit: int) -> Sequence[Observation]:
        """Return the next observations with versions above *after*, in order of version."""
        ...

    def observed(self, system: System, object: str, keys: Collection[str], /) -> Mapping[str, Observation]:
        """Return the observations of these records, by key."""
        ...

    def clear(self, observations: Iterable[tuple[System, str, str, int]], /) -> None:
        """Forget observations (system, object, key, version) up to that version, and no later one."""
        ...

    # -- links -------------------------------------------------------------------------

    def links(self, entities: Collection[str], system: System, keys: Collection[str], /) -> Mapping[str, Link]:
        """Return the links of these records by that system's key: the living one (live, suspended or frozen), else the newest tombstone.

        Args:
            entities: Logical names; leads and contacts are looked up together for a Marketo person.
            system: Whose keys these are.
            keys: The keys.
        """
        ...

    def versions(self, entity: str, rows: Collection[str], /) -> Mapping[str, str]:
        """Return the Dynamics versions that the baselines of these rows' live links cover, by row.

        A row without a live link, or whose link covers no version, is not named.

        Args:
            entity: Logical name.
            rows: GUIDs.
        """
        ...

    def put_links(self, links: Sequence[Link], /) -> Sequence[Link]:
        """Insert links with id 0, replace the others; return them with their ids.

        A record is in at most one living link.
        """
        ...

    def links_after(
        self, entity: str, after: int, limit: int, /, *, states: Collection[LinkState] = (LinkState.LIVE,)
    ) -> Sequence[Link]:
        """Return the entity's next links with ids above *after*, in order of id."""
        ...

    def count_links(self) -> Mapping[str, int]:
        """Return how many live links each entity has, by logical name."""
        ...

    # -- fields ------------------------------------------------------------------------

    def description(self, system: System, object: str, /) -> Description | None:
        """Return how a system described an object's fields when it was last asked, or None."""
        ...

    def describe(self, system: System, object: str, description: Description, /) -> None:
        """Remember how a system describes an object's fields."""
        ...

    def pairs(self) -> Sequence[SelectedPair]:
        """Return the selected pairs, in the order of their selection."""
        ...

    def put_pairs(self, pairs: Iterable[SelectedPair], /) -> None:
        """Keep pairs; one of the same entity and Dynamics field is replaced."""
        ...

    def remove_pairs(self, pairs: Iterable[tuple[AnyEntity, str]], /) -> None:
        """Forget pairs by entity and Dynamics field; how often they were selected is remembered."""
        ...

    def selections(self, entity: AnyEntity, field: str, /) -> int:
        """Return how often a Dynamics field has been selected, now or before."""
        ...

    # -- runs, plan, journal -------------------------------------------------------------

    def start_run(self, purpose: Purpose, at: datetime, /) -> int:
        """Begin a plan or run; its number is larger than any before."""
        ...

    def end_run(self, run: int, at: datetime, ended: RunEnd, facts: Mapping[str, object], /) -> None:
        """Say how a plan or run ended; said again, the last word counts."""
        ...

    def run(self, run: int, /) -> RunRow | None:
        """Return one plan or run, or None."""
        ...

    def runs(self, *, after: int, limit: int) -> Sequence[RunRow]:
        """Return the next plans and runs with numbers above *after*."""
        ...

    def add_operations(self, run: int, operations: Sequence[Operation], /) -> Sequence[int]:
        """Keep planned operations; return their ids, which rise in this order."""
        ...

    def operations(
        self,
        run: int,
        /,
        *,
        after: int,
        limit: int,
        system: System | None = None,
        states: Collection[OperationState] = (),
    ) -> Sequence[Operation]:
        """Return a run's next operations with ids above *after*; all systems and states where none is named."""
        ...

    def operations_on(self, run: int, system: System, keys: Collection[str], /) -> Mapping[str, Operation]:
        """Return a run's newest operation on each of these records, by key, whatever its state."""
        ...

    def mark_sent(self, operations: Collection[int], at: datetime, /) -> None:
        """Mark operations as sent, before they are."""
        ...

    def answer(self, answers: Iterable[Answer], /) -> None:
        """Record what became of operations."""
        ...

    def revise(self, operation: Operation, /) -> None:
        """Replace an operation, by its id: what it writes, what it remembers, and its state."""
        ...

    def unsettled(self, *, after: int, limit: int) -> Sequence[Operation]:
        """Return the next operations of any run that are sent or unknown."""
        ...

    def in_flight(self, system: System, keys: Collection[str], /) -> set[str]:
        """Return those of *keys* on *system* for which an operation of any run is sent or unknown."""
        ...

    def drop_planned(self, run: int | None = None, /) -> None:
        """Mark operations that are still planned as dropped: one run's, or all but those of backfills.

        A backfill's plan outlives the runs that come between.
        """
        ...

    def add_resolutions(self, run: int, resolutions: Iterable[Resolution], /) -> None:
        """Keep collisions; one that the run has already, values and all, is kept once."""
        ...

    def drop_resolutions(self, numbers: Iterable[int], /) -> None:
        """Forget collisions, by their numbers: they are decided anew."""
        ...

    def resolutions(self, run: int | None, /, *, after: int, limit: int) -> Sequence[tuple[int, Resolution]]:
        """Return the next collisions, of one plan or run, or of all runs, each with its number."""
        ...

    def resolutions_of(self, run: int, entity: AnyEntity, key: str, /) -> Sequence[tuple[int, Resolution]]:
        """Return a run's collisions of one record, by its Dynamics GUID, each with its number."""
        ...

    def hold(self, run: int, items: Iterable[Hold | Quarantined], /) -> None:
        """Keep holds and quarantined records; one of the same entity, key and field is replaced, its attempts counted."""
        ...

    def release(self, items: Iterable[tuple[AnyEntity, str, str | None]], /) -> None:
        """Forget holds (entity, key, field) and quarantined records (entity, key, None)."""
        ...

    def release_record(self, records: Iterable[tuple[AnyEntity, str]], /) -> None:
        """Forget every hold of these records, and their quarantine."""
        ...

    def kept_back(self, keys: Collection[str], /) -> Mapping[str, Sequence[Hold | Quarantined]]:
        """Return what stands of these records, by key; records on which nothing stands are left out."""
        ...

    def holds(self, run: int | None, /, *, after: int, limit: int) -> Sequence[tuple[int, Hold]]:
        """Return the next holds, those a run found or all that stand, each with its number."""
        ...

    def quarantine(self, run: int | None, /, *, after: int, limit: int) -> Sequence[tuple[int, Quarantined]]:
        """Return the next quarantined records, those a run found or all that stand, each with its number."""
        ...

    def totals(self, run: int, /) -> Mapping[str, int]:
        """Count a run's `collisions`, its operations as `SYSTEM:KIND:STATE`, and the `holds` and `quarantined` that stand."""
        ...
