"""Keys, records, and the links between two records of one real thing."""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import attrs

from mkdyn.domain.making import changer, maker
from mkdyn.domain.systems import System
from mkdyn.domain.values import FieldValue, Values


@attrs.frozen
class Key:
    """What one system calls a record."""

    system: System
    id: str

    @classmethod
    def marketo(cls, id: int | str, /) -> Key:
        """A person's id, or the key of a company, an opportunity, a sales person, a custom object."""
        return cls(System.MARKETO, str(id))

    @classmethod
    def dynamics(cls, guid: str, /) -> Key:
        """A row's GUID, in any case."""
        return cls(System.DYNAMICS, guid.lower())

    def __repr__(self) -> str:
        return f"Key.{self.system.value}({self.id!r})"

    def __str__(self) -> str:
        return f"{self.system.value}:{self.id}"


@attrs.frozen(kw_only=True)
class Record:
    """One record as its own system shows it.

    Attributes:
        key: The system's key of it.
        values: Field values; an absent name is silence, None is empty.
        version: A token that moves with every change of the row (Dynamics' etag), or None.
    """

    key: str
    values: Values = attrs.field(repr=False)
    version: str | None = None


make_record: Callable[..., Record] = maker(Record)


#: What Dynamics counts as having shown of a field that a merge filled in for Marketo's person: whatever it shows is
#: something else, even nothing, or just what was filled in.
NOBODYS: Final = "\x1a"


@attrs.frozen
class Twofold:
    """What the two systems showed when they agreed, where that is not one value."""

    dynamics: FieldValue = attrs.field(repr=False)
    marketo: FieldValue = attrs.field(repr=False)

    @property
    def filled_in(self) -> bool:
        """Whether Marketo filled the field in by merging persons: nobody entered it, and Dynamics never showed it."""
        return self.dynamics == NOBODYS


make_twofold: Callable[..., Twofold] = maker(Twofold)


#: A field's baseline: one value where both systems showed the same, two where the lens is lossy.
Agreed: TypeAlias = FieldValue | Twofold
Baseline: TypeAlias = Mapping[str, Agreed]


@attrs.frozen(eq=False)
class Moved(Mapping[str, Agreed]):
    """A baseline of which some fields have moved; apart, so that a store can tell what has.

    Attributes:
        before: The baseline.
        changes: What lies on top of it.
    """

    before: Baseline = attrs.field(repr=False)
    changes: Baseline = attrs.field(repr=False)

    def __getitem__(self, name: str) -> Agreed:
        return self.changes[name] if name in self.changes else self.before[name]

    def __iter__(self) -> Iterator[str]:
        return iter({**self.before, **self.changes})

    def __len__(self) -> int:
        return len({**self.before, **self.changes})


make_moved: Callable[..., Moved] = maker(Moved)


class LinkState(enum.Enum):
    """What may happen to a link's two records."""

    LIVE = "live"
    SUSPENDED = "suspended"
    FROZEN = "frozen"
    TOMBSTONE = "tombstone"

    if not TYPE_CHECKING:  # whose word for it would be ambiguous
        __hash__ = object.__hash__  # see System

    def __repr__(self) -> str:
        return f"LinkState.{self.name}"

    def __str__(self) -> str:
        return self.value


#: How a link came to be: we created the person, we found it, or we created the Dynamics row.
Origin: TypeAlias = Literal["created", "matched", "promoted"]


@attrs.frozen(kw_only=True)
class Echo:
    """A write of ours to Marketo that no feed entry has confirmed yet.

    Attributes:
        before: What the field showed.
        after: What we wrote.
        at: When it was sent, by our clock.
        sure: Whether it surely arrived; else it may never have, and what the field shows is no answer to it.
    """

    before: FieldValue = attrs.field(repr=False)
    after: FieldValue = attrs.field(repr=False)
    at: datetime | None = None
    sure: bool = True


make_echo: Callable[..., Echo] = maker(Echo)


@attrs.frozen(kw_only=True)
class Link:
    """The pair of keys that denote one real thing, and what both showed when they last agreed.

    Attributes:
        id: The store's number of it; 0 before it is stored.
        entity: Logical name of the Dynamics table.
        dynamics: The row's GUID.
        marketo: The Marketo record's key.
        state: Live, suspended (one side can't be read), frozen (its row does not pass the filter) or tombstone (one
            side was deleted).
        origin: How the link came to be.
        version: The Dynamics version that the baseline covers, or None: then the row is read before it is trusted.
        baseline: Per selected pair, what the systems showed when they last agreed.
        echoes: Per Marketo field, our writes that nothing has confirmed yet, oldest first.
        gone: The system whose record was deleted or can't be read.
        since: When that was noticed.
        attempt: How many Dynamics rows have been created for this person.
    """

    id: int = 0
    entity: str
    dynamics: str
    marketo: str
    state: LinkState = LinkState.LIVE
    origin: Origin = "matched"
    version: str | None = None
    baseline: Baseline = attrs.field(factory=dict[str, Agreed], repr=False)
    echoes: Mapping[str, tuple[Echo, ...]] = attrs.field(factory=dict[str, tuple[Echo, ...]], repr=False)
    gone: System | None = None
    since: datetime | None = None
    attempt: int = 0

    def key(self, system: System) -> str:
        """Return what *system* calls the record."""
        return self.dynamics if system is System.DYNAMICS else self.marketo


make_link: Callable[..., Link] = maker(Link)
change_link: Callable[..., Link] = changer(Link)


_GUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_GUID_SHOWN: Final = 4


def is_guid(text: str) -> bool:
    """Whether *text* can be a Dynamics row's GUID; one that can't would make Dynamics refuse the whole question."""
    return _GUID.fullmatch(text) is not None


def short(key: str) -> str:
    """Return a key as messages show it: GUIDs by their first four digits."""
    return f"{key[:_GUID_SHOWN]}…" if len(key) == 36 and key.count("-") == 4 else key  # noqa: PLR2004 - a GUID's
