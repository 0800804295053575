"""What stands behind a fake Marketo's connector, for the server that shows it on the wire."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import Protocol

import attrs

from mkdyn.domain.outcomes import Applied, Outcome, Rejected, Write
from mkdyn.domain.records import Record
from mkdyn.domain.values import Values
from mkdyn.ports.connectors import Identity
from mkdyn.testing._calls import Calls
from mkdyn.testing._feed import ActivityLog
from mkdyn.testing._tables import Row, Table


class Read(Protocol):
    """Yields the records that can be read, as reads show them."""

    def __call__(self, table: Table, keys: Collection[str], fields: Collection[str], /) -> Iterable[Record]: ...


class Find(Protocol):
    """Returns the records whose field reads as one of the values, without regard to case."""

    def __call__(
        self, table: Table, field: str, values: Collection[str], fields: Collection[str], /
    ) -> Sequence[Record]: ...


class Add(Protocol):
    """Makes a record, whoever may have the same values."""

    def __call__(self, table: Table, values: Values, /) -> Applied | Rejected: ...


class Change(Protocol):
    """Changes a record that is there."""

    def __call__(self, table: Table, row: Row, values: Values, /, *, found: bool) -> Applied | Rejected: ...


class Attempt(Protocol):
    """Carries out one write as the connector means it."""

    def __call__(self, table: Table, write: Write, /) -> Outcome: ...


class Merge(Protocol):
    """Merges persons into the winner."""

    def __call__(self, winner: str, losers: Sequence[str], /) -> Outcome: ...


@attrs.frozen(kw_only=True)
class Backstage:
    """One instance's insides, as they are now and while they change.

    Attributes:
        identity: Which instance this is, and who its connector is.
        tables: Its objects; a new one may be put in.
        log: What happened to persons.
        calls: The calls, their faults, and the instance's clock.
        writes_by_object: How many records were written through the API.
        may_create_fields: Whether the connector's user may create fields.
        read: Reads by key.
        find: Reads by value.
        add: Makes a record.
        update: Changes one.
        attempt: Carries out a write.
        merge: Merges persons.
    """

    identity: Identity
    tables: dict[str, Table]
    log: ActivityLog
    calls: Calls
    writes_by_object: Counter[str]
    may_create_fields: bool
    read: Read
    find: Find
    add: Add
    update: Change
    attempt: Attempt
    merge: Merge
