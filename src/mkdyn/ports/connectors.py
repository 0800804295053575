"""One system as the engine sees it.

A connector speaks its own system's object and field names; only the registry knows
pairs. Keys are texts: a Marketo person's id, a Dynamics row's GUID in lower case, and for
Marketo's keyed objects (companies, opportunities, sales persons, custom objects) the
external key that mkdyn gave them. The docstrings are the contract;
`mkdyn.testing.contracts` checks it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import ClassVar, Literal, Protocol, TypeAlias

import attrs

from mkdyn.domain.feeds import Cursor, Page
from mkdyn.domain.fields import FieldSpec, NewField
from mkdyn.domain.outcomes import Outcome, Write
from mkdyn.domain.records import Record
from mkdyn.domain.systems import System

#: A feed being read: pages, oldest change first.
Pages: TypeAlias = AsyncIterator[Page]


@attrs.frozen(kw_only=True)
class Identity:
    """Which organisation a connector speaks to, as whom, and how.

    Attributes:
        organization: The instance's lasting id; a state file belongs to one.
        user: Who we are there.
        batch_max: The most writes one call takes.
        settles_after_s: How long after it was sent a write may still take effect, and its feed entry still appear.
    """

    organization: str
    user: str
    batch_max: int = 300
    settles_after_s: float = 0.0


@attrs.frozen(kw_only=True)
class Problem:
    """Something a person must put right in a system.

    Attributes:
        what: What is wrong, and where: the system first.
        remedy: What to do about it.
    """

    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.what} {self.remedy}"


class Connector(Protocol):
    """What both systems have in common.

    Every method may raise `TransientError` (nothing is known to be lost: try again later) and
    `SetupError` (it will not get better by itself). Neither is raised for a single bad record.
    """

    async def identify(self) -> Identity:
        """Say which organisation this is, and as which user. One call."""
        ...

    async def check(self, needs: Mapping[str, Collection[str]], /) -> Sequence[Problem]:
        """Find every right or field that is missing, all at once; write nothing.

        Args:
            needs: Per object, the fields that will be used.
        """
        ...

    async def describe(self, object: str, /) -> Sequence[FieldSpec]:
        """Return the object's fields as this user sees them; nothing for an object there is not."""
        ...

    def changes(
        self, object: str, /, *, fields: Collection[str], since: Cursor | None
    ) -> AbstractAsyncContextManager[Pages]:
        """Read the object's feed, oldest first.

        A change may be reported more than once; it is never skipped, whatever was committed
        late. A page may bring no cursor; where one does, reading again from it repeats nothing
        that must not be repeated and skips nothing that came after the page.

        Dynamics' pages hold records with all of *fields* and a version, and deleted keys; with
        *since* None they hold every record there is, and no deletions. Marketo's hold entries
        with evidence, and deleted keys; with *since* None the feed begins now, and its first
        page has a cursor. A deletion comes after the changes of its page.

        Args:
            object: The object's name.
            fields: The fields whose changes are wanted.
            since: Where to go on; a cursor of another set of fields is not valid.

        Raises:
            CursorExpiredError: The feed can't be resumed there.
        """
        ...

    async def read(self, object: str, keys: Collection[str], /, *, fields: Collection[str]) -> Mapping[str, Record]:
        """Return the records that can be read, by key, as they are now; others are left out.

        A field that this user can't see is left out of the values; an empty one is None.
        Any number of keys is taken.
        """
        ...

    async def find(
        self, object: str, field: str, values: Collection[str], /, *, fields: Collection[str]
    ) -> Sequence[Record]:
        """Return every record whose *field* is one of *values*, without regard to case.

        The values hold *fields* and *field*. Any number of values is taken.
        """
        ...

    async def write(self, object: str, writes: Sequence[Write], /) -> Sequence[Outcome]:
        """Attempt every write, at most `batch_max` of them; one outcome each, in order.

        A Create whose key exists answers Applied with `found`, and makes no second record. An
        Update never creates: a record that is not there is Stale, and gone. An Update or Delete
        with another version than the row's is Stale. A Delete of what is gone is Applied. One
        refused record never stops the others. A call whose answer is lost returns Unknown
        for each of its writes, or raises UnreachableError; both mean that nobody knows.
        """
        ...

    async def aclose(self) -> None:
        """Let go of connections. A closed connector is not used again."""
        ...


class MarketoConnector(Connector, Protocol):
    """Marketo Engage."""

    system: ClassVar[Literal[System.MARKETO]]

    async def create_field(self, object: str, field: NewField, /) -> FieldSpec:
        """Create a field, and a custom object that is not there yet; one that exists as asked is returned."""
        ...

    async def merge(self, winner: str, losers: Sequence[str], /) -> Outcome:
        """Merge persons into the winner; its empty fields are filled from theirs. There is no way back."""
        ...


class DynamicsConnector(Connector, Protocol):
    """Dynamics 365 (Dataverse). It has no way to create a field (M4)."""

    system: ClassVar[Literal[System.DYNAMICS]]
