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
from typing import ClassVar, Literal, Protocol, TypeAlias, runtime_checkable

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
        batch_max: The most writes one `write` takes.
        rows_per_call: How many of them one call over the line takes; None for all.
        settles_after_s: How long after it was sent a write may still take effect, and its feed entry still appear.
    """

    organization: str
    user: str
    batch_max: int = 300
    settles_after_s: float = 0.0
    rows_per_call: int | None = None


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
    A read that gets no answer raises: it never looks as if nothing were there. An object that
    is not there is an `UnknownEntityError` for `changes`, `read`, `find` and `write`, and a field
    that is not there an `UnknownFieldError` for the first three: it never looks empty.

    Values are of the types of `FieldValue`, each as its field's type says: a decimal is a
    `Decimal` or a float; a choice, a state or a status is its number, several choices are their
    numbers with commas between them (`"1,9"`); a lookup, an owner or a customer is a GUID in
    lower case; a date and time has a zone, but for a wall clock's, which has none; a day is a
    `date`. Texts come back letter for letter.
    """

    async def identify(self) -> Identity:
        """Say which organisation this is, and as which user: the same each time. One call."""
        ...

    async def check(self, needs: Mapping[str, Collection[str]], /) -> Sequence[Problem]:
        """Find every right or field that is missing, all at once; write nothing.

        A field that this user may create in Marketo is not missing.

        Args:
            needs: Per object, the fields that will be used.
        """
        ...

    async def describe(self, object: str, /) -> Sequence[FieldSpec]:
        """Return the object's fields as this user sees them; nothing for an object there is not.

        Each is there once, with its type and its limits. What the system fills by itself, and
        what this user may not write, is not writable; what this user may not read is not
        readable, or left out. Where this user is shown masks of the values, the field is masked.
        """
        ...

    def changes(
        self, object: str, /, *, fields: Collection[str], since: Cursor | None
    ) -> AbstractAsyncContextManager[Pages]:
        """Read the object's feed, oldest first; it may be left early, and read again.

        Everybody's changes are in it, ours too. A change may be reported more than once; it is
        never skipped, whatever was committed late, or while the feed was being read. A page may
        bring no cursor, but the feed's last one does; reading again from any of them skips
        nothing that came after its page.

        Dynamics' pages hold records with all of *fields* (less what can't be seen) and a version,
        and deleted keys; with *since* None they hold every record there is, and no deletions. A
        table whose deletions Dynamics does not tell has none: its cursors expire from time to time.
        Marketo's hold entries and deleted keys; with *since* None the feed begins now, and its
        first page has a cursor. An entry has an id, the same each time it is reported, the time
        when it happened, and each field's old and new text as evidence; what is repeated from
        a cursor is no older than its `repeats_from`. A deletion comes after the changes of its
        page: what a feed tells last of a record is how it is. Of a person that was merged into
        another one, the page says whom.

        Args:
            object: The object's name. In Marketo only persons have a feed.
            fields: The fields whose changes are wanted.
            since: Where to go on. Dynamics' cursors belong to their set of fields, and have expired
                for any other; Marketo's go on with other fields, or have expired, too.

        Raises:
            CursorExpiredError: The feed can't be resumed there.
        """
        ...

    async def read(self, object: str, keys: Collection[str], /, *, fields: Collection[str]) -> Mapping[str, Record]:
        """Return the records that can be read, by key, as they are now; others are left out.

        The values hold *fields* and no others. A field that this user can't see is left out of
        them, and so is a masked one: a mask is no value. An empty one is None. Any number of
        keys is taken, none too.
        """
        ...

    async def find(
        self, object: str, field: str, values: Collection[str], /, *, fields: Collection[str]
    ) -> Sequence[Record]:
        """Return every record whose *field* is one of *values*, without regard to case.

        The values hold *fields* and *field*. A value is looked for letter by letter: nothing in
        it is a wildcard. Any number of values is taken, none too.
        """
        ...

    async def write(self, object: str, writes: Sequence[Write], /) -> Sequence[Outcome]:
        """Attempt every write, at most `batch_max` of them; one outcome each, in order.

        A Create answers Applied with the record's key. A Create whose key exists answers Applied
        with `found`, and makes no second record; one that finds several is Rejected. An Update
        writes its values and no others, None too, and never creates: a record that is not there
        is Stale, and gone. An Update or Delete with another version than the row's is Stale. A
        Delete of what is gone is Applied. Nothing is written of a record that is Stale or
        Rejected; a value too long for its field is refused, not cut, and so is a field that is
        not there, not passed over. One refused record never stops the others. What was written
        is read from then on, unless the system itself lags behind. A call whose answer is lost
        returns Unknown for each of its writes, or raises UnreachableError; both mean that nobody
        knows.
        """
        ...

    async def aclose(self) -> None:
        """Let go of connections. It may be called twice; a closed connector is not used again otherwise."""
        ...


class MarketoConnector(Connector, Protocol):
    """Marketo Engage.

    A record with a key of several fields is known by the list of their values in JSON, in the order in which Marketo
    names them. So is a role in an opportunity, object `opportunityRole`: opportunity, person, and what it is called.
    """

    system: ClassVar[Literal[System.MARKETO]]

    async def create_field(self, object: str, field: NewField, /) -> FieldSpec:
        """Create a field, and a custom object that is not there yet; one that exists as asked is returned.

        It is described, and can be written, from then on.

        Raises:
            FieldError: There is one of another type, or Marketo takes no such field: the name, the
                label, the object or the number of fields. Nothing is created then.
        """
        ...

    async def merge(self, winner: str, losers: Sequence[str], /) -> Outcome:
        """Merge persons into the winner; its empty fields are filled from theirs. There is no way back.

        The losers are gone afterwards, and told as deleted, with the winner; losers that are gone
        already are passed over. A winner that is not there is Stale, and gone: nothing is merged.
        """
        ...


class DynamicsConnector(Connector, Protocol):
    """Dynamics 365 (Dataverse). It has no way to create a field (M4).

    A GUID is taken in any case, and answered in lower case. Every row has a version, which
    moves with every change; an Applied write tells the new one. A Create that finds its row
    leaves it as it is. A write of a field that this user may not write is Rejected.
    """

    system: ClassVar[Literal[System.DYNAMICS]]


@runtime_checkable
class SchemaStamped(Protocol):
    """A connector that can say cheaply whether its fields are still what they were. Not every one can."""

    async def schema_stamp(self, objects: Collection[str], /) -> str:
        """Return a text that changes whenever `describe` would answer otherwise for one of these objects. One call.

        It stays the same while nobody changes a column or a right.
        """
        ...
