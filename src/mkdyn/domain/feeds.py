"""Changes as a system reports them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

import attrs

from mkdyn.domain.making import maker
from mkdyn.domain.records import Record


@attrs.frozen(kw_only=True)
class Cursor:
    """A place in a feed from which it can be resumed.

    Attributes:
        token: The system's own, opaque.
        at: The system's time at that place.
        repeats_from: Entries older than this will not be reported again from here on.
    """

    token: str
    at: datetime
    repeats_from: datetime | None = None


@attrs.frozen(kw_only=True)
class Evidence:
    """Old and new text of one field in a feed entry: proof of an edit, never a source of what a field holds now."""

    field: str
    old: str | None = attrs.field(repr=False)
    new: str | None = attrs.field(repr=False)


make_evidence: Callable[..., Evidence] = maker(Evidence)


@attrs.frozen(kw_only=True)
class Entry:
    """One entry of Marketo's feed: which record, and which of its fields changed.

    Attributes:
        id: The entry's own identity; a feed may repeat it.
        key: The record it is about.
        at: When it happened, by the system's clock.
        evidence: One for each field that changed; none for a record that is new.
    """

    id: str
    key: str
    at: datetime
    evidence: Sequence[Evidence] = ()


make_entry: Callable[..., Entry] = maker(Entry)


@attrs.frozen(kw_only=True)
class Page:
    """A piece of a feed.

    Attributes:
        records: Records as they are now (Dynamics).
        entries: What changed, without current values (Marketo); of one moment, in the order in which it happened.
        deleted: Keys of records that were deleted.
        merged: Of deleted persons that were merged into others (Marketo), whom each was merged into.
        cursor: Where to go on after this page; a page may bring none.
    """

    records: Sequence[Record] = ()
    entries: Sequence[Entry] = ()
    deleted: Sequence[str] = ()
    merged: Mapping[str, str] = attrs.field(factory=dict[str, str])
    cursor: Cursor | None = None
