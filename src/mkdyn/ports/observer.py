"""What an observer is told. Events hold ids and counts, never people's data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal, Protocol, TypeAlias

import attrs

from mkdyn.domain.systems import System

#: Severity, in the words of most logging libraries.
Level: TypeAlias = Literal["debug", "info", "warning", "error"]
Fact: TypeAlias = str | int | float | bool | None


@attrs.frozen(kw_only=True)
class Event:
    """Something happened in a run.

    Attributes:
        run_id: The run's number.
    """

    name: ClassVar[str] = "event"
    run_id: int

    @property
    def level(self) -> Level:
        """How much attention it wants."""
        return "info"

    def facts(self) -> Mapping[str, Fact]:
        """Return ids and counts, ready for a structured log."""
        return {
            field.name: value.value if isinstance(value := getattr(self, field.name), System) else value
            for field in attrs.fields(type(self))
        }


@attrs.frozen(kw_only=True)
class RunStarted(Event):
    """A run holds the state and begins."""

    name = "run_started"


@attrs.frozen(kw_only=True)
class PageGathered(Event):
    """A page of a feed was stored.

    Attributes:
        system: Whose feed.
        object: Which feed.
        changes: How many changes the page held.
        kept: How many of them will be looked at.
    """

    name = "page_gathered"
    system: System
    object: str
    changes: int
    kept: int

    @property
    def level(self) -> Level:
        """Pages are many."""
        return "debug"


@attrs.frozen(kw_only=True)
class FeedFailed(Event):
    """A feed stopped where it stood; the others go on.

    Attributes:
        system: Whose feed.
        object: Which feed.
        reason: The error's class.
    """

    name = "feed_failed"
    system: System
    object: str
    reason: str

    @property
    def level(self) -> Level:
        """Someone should know."""
        return "warning"


@attrs.frozen(kw_only=True)
class CursorExpired(Event):
    """A feed can't be resumed and is read in full.

    Attributes:
        system: Whose feed.
        object: Which feed.
    """

    name = "cursor_expired"
    system: System
    object: str

    @property
    def level(self) -> Level:
        """It costs calls."""
        return "warning"


@attrs.frozen(kw_only=True)
class LeadConverted(Event):
    """A lead was qualified in Dynamics, and its person follows the contact.

    Attributes:
        lead: The lead's GUID.
        contact: The contact's.
        person: The person's id in Marketo.
    """

    name = "lead_converted"
    lead: str
    contact: str
    person: str


@attrs.frozen(kw_only=True)
class RecordsMerged(Event):
    """Two records became one: rows by somebody in Dynamics, persons by somebody in Marketo or by us.

    Attributes:
        system: Where.
        winner: The key of the one that stays.
        loser: The key of the other.
    """

    name = "records_merged"
    system: System
    winner: str
    loser: str


@attrs.frozen(kw_only=True)
class FilterPassed(Event):
    """A linked row left the filter, or came back.

    Attributes:
        object: Its table.
        row: Its GUID.
        inward: Whether it came back.
    """

    name = "filter_passed"
    object: str
    row: str
    inward: bool


@attrs.frozen(kw_only=True)
class SchemaChanged(Event):
    """A system describes a field otherwise than it did.

    Attributes:
        system: Whose field.
        object: The system's name of the object it belongs to.
        field: Its name.
        change: What happened to it, as in `removed`.
    """

    name = "schema_changed"
    system: System
    object: str
    field: str
    change: str


@attrs.frozen(kw_only=True)
class PairMissing(Event):
    """A selected field is not there any more, or can't be used; its pair is set aside.

    Attributes:
        system: Where it is missing.
        object: Whose field.
        field: Its name.
    """

    name = "pair_missing"
    system: System
    object: str
    field: str

    @property
    def level(self) -> Level:
        """Someone should know."""
        return "warning"


@attrs.frozen(kw_only=True)
class Planned(Event):
    """Everything observed is decided, nothing sent.

    Attributes:
        operations: How many writes.
        collisions: How many values give way.
    """

    name = "planned"
    operations: int
    collisions: int


@attrs.frozen(kw_only=True)
class BatchWritten(Event):
    """A batch was answered.

    Attributes:
        system: Where it was written.
        object: Which object.
        operations: How many writes.
        applied: How many of them are done.
        done: How many of the run's writes to that system have been answered so far.
        total: How many there are.
    """

    name = "batch_written"
    system: System
    object: str
    operations: int
    applied: int
    done: int
    total: int

    @property
    def level(self) -> Level:
        """Batches are many."""
        return "debug"


@attrs.frozen(kw_only=True)
class BackfillProgressed(Event):
    """A newly selected field is being refreshed.

    Attributes:
        done: Records refreshed so far.
        total: Records to refresh.
        seconds_left: About how long it will take.
    """

    name = "backfill_progressed"
    done: int
    total: int
    seconds_left: float


@attrs.frozen(kw_only=True)
class RunFinished(Event):
    """A run ended.

    Attributes:
        ended: How: done, warnings, stopped, paused, failed.
        seconds: How long it took.
        to_marketo: Writes applied in Marketo.
        to_dynamics: Writes applied in Dynamics.
        marketo_calls: Calls of the Marketo connector.
        dynamics_calls: Calls of the Dynamics connector.
    """

    name = "run_finished"
    ended: str
    seconds: float
    to_marketo: int
    to_dynamics: int
    marketo_calls: int
    dynamics_calls: int

    @property
    def level(self) -> Level:
        """A run that was not simply done wants attention."""
        return "info" if self.ended == "done" else "warning"


class Observer(Protocol):
    """Is told what happens. A function of one argument is enough."""

    def __call__(self, event: Event, /) -> None:
        """Take note. Must not block; what it raises becomes a warning in the report."""
        ...
