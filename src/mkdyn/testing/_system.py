"""What both fakes have in common: calls, faults, a clock, and people who look at records."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from anyio.lowlevel import checkpoint

from mkdyn.domain.feeds import Page
from mkdyn.domain.fields import FieldSpec
from mkdyn.domain.outcomes import Outcome, Unknown, Write
from mkdyn.domain.records import Record
from mkdyn.domain.values import FieldValue
from mkdyn.errors import UnreachableError
from mkdyn.ports.connectors import Identity
from mkdyn.testing._calls import Calls, Hook
from mkdyn.testing._tables import Row, Table, asked_for, known
from mkdyn.testing.faults import Fault


class Paged(Protocol):
    """A feed being read."""

    @property
    def done(self) -> bool:
        """Whether the last page was taken."""
        ...

    def next_page(self) -> Page:
        """Return the next page."""
        ...


class FakeSystem(ABC):
    """One system in memory.

    Attributes:
        writes_by_object: How many records a connector's user wrote, by object; people's edits do not count.
    """

    def __init__(
        self,
        name: str,
        identity: Identity,
        *,
        tables: Iterable[Table],
        faults: Iterable[Fault],
        now: Callable[[], datetime] | None,
    ) -> None:
        self._name = name
        self._identity = identity
        self._tables = {table.name: table for table in tables}
        self._calls = Calls(faults=faults, now=now)
        self.writes_by_object: Counter[str] = Counter()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._identity.organization}, {self.calls} calls>"

    # What a test looks at and turns

    @property
    def calls(self) -> int:
        """How many calls the connector has taken; every page of a feed is one."""
        return self._calls.total

    @property
    def calls_by_name(self) -> Mapping[str, int]:
        """The calls by method."""
        return self._calls.by_name

    @property
    def between_calls(self) -> list[Hook]:
        """What runs before each call takes effect, and is told which, as in `read lead`."""
        return self._calls.between

    @property
    def faults(self) -> list[Fault]:
        """What goes wrong; add and remove at will."""
        return self._calls.faults

    @property
    def time(self) -> datetime:
        """The system's own clock."""
        return self._calls.clock.time

    def between(self, hook: Hook) -> None:
        """Let *hook* run before each call takes effect, so that people can act between any two of ours."""
        self._calls.between.append(hook)

    def inject(self, fault: Fault) -> None:
        """Add a fault; `call=fake.calls + 1` is the next call."""
        self._calls.faults.append(fault)

    def advance(self, seconds: float) -> None:
        """Let time go by on the system's clock."""
        self._calls.clock.advance(seconds)

    # People's hands

    def record(self, object: str, key: str, /) -> Record | None:
        """Return a record with all its fields, as an administrator sees it now."""
        table = known(self._tables, object)
        row = table.rows.get(self._key(key))
        return None if row is None else self._viewer(table)(row)

    def records(self, object: str, /) -> Sequence[Record]:
        """Return all records of an object, oldest first."""
        table = known(self._tables, object)
        return list(map(self._viewer(table), table.rows.values()))

    def key_of(self, object: str, /, **values: FieldValue) -> str:
        """Return the key of the one record with these values.

        Raises:
            LookupError: None has them, or several.
        """
        return known(self._tables, object).key_of(values)

    def _viewer(self, table: Table) -> Callable[[Row], Record]:
        """Return what makes a record of a row as an administrator sees it."""
        return table.viewer(table.specs)

    def _key(self, key: str) -> str:
        return key

    # The connector, as far as it is the same

    async def identify(self) -> Identity:
        """See `Connector.identify`."""
        call = await self._calls.begin("identify")
        await call.end()
        return self._identity

    async def describe(self, object: str, /) -> Sequence[FieldSpec]:
        """See `Connector.describe`."""
        call = await self._calls.begin("describe", object)
        table = self._tables.get(object)
        specs = () if table is None else self._described(table)
        await call.end()
        return specs

    def _described(self, table: Table) -> Sequence[FieldSpec]:
        return tuple(table.specs.values())

    async def read(self, object: str, keys: Collection[str], /, *, fields: Collection[str]) -> Mapping[str, Record]:
        """See `Connector.read`."""
        call = await self._calls.begin("read", object)
        found = {record.key: record for record in self._read(self._asked_for(object, fields), keys, fields)}
        await call.end()
        return found

    async def find(
        self, object: str, field: str, values: Collection[str], /, *, fields: Collection[str]
    ) -> Sequence[Record]:
        """See `Connector.find`."""
        call = await self._calls.begin("find", object)
        wanted = tuple(dict.fromkeys((*fields, field)))
        found = self._find(self._asked_for(object, wanted), field, values, wanted)
        await call.end()
        return found

    async def write(self, object: str, writes: Sequence[Write], /) -> Sequence[Outcome]:
        """See `Connector.write`.

        Raises:
            ValueError: There are more writes than one call takes.
        """
        if len(writes) > self._identity.batch_max:
            raise ValueError(f"{len(writes)} writes in one call; {self._name} takes {self._identity.batch_max}")
        call = await self._calls.begin("write", object)
        table = self._asked_for(object, ())
        outcomes: list[Outcome] = []
        if call.arrives:
            self.writes_by_object[object] += len(writes)
            outcomes = [self._calls.rejection_of(write) or self._attempt(table, write) for write in writes]
        try:
            await call.end()
        except UnreachableError as error:
            return [Unknown(reason=error.what)] * len(writes)
        return outcomes

    async def aclose(self) -> None:
        """See `Connector.aclose`; a fake may be used again."""
        await checkpoint()

    def _asked_for(self, object: str, fields: Collection[str]) -> Table:
        return asked_for(self._tables, object, fields, self._name)

    async def _pages(self, object: str, start: Callable[[], Paged]) -> AsyncGenerator[Page, None]:
        """Yield a feed's pages, each as a call; reading begins when the first arrives."""
        reading: Paged | None = None
        while reading is None or not reading.done:
            call = await self._calls.begin("changes", object)
            reading = reading or start()
            page = reading.next_page()
            await call.end()
            yield page

    @abstractmethod
    def _read(self, table: Table, keys: Collection[str], fields: Collection[str]) -> Iterable[Record]:
        """Yield the records that can be read."""

    @abstractmethod
    def _find(self, table: Table, field: str, values: Collection[str], fields: Collection[str]) -> Sequence[Record]:
        """Return the records found."""

    @abstractmethod
    def _attempt(self, table: Table, write: Write) -> Outcome:
        """Carry out one write."""
