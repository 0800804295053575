"""A connector as a run uses it: every call counted, a plain "slow down" waited out."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Generic, TypeVar

import anyio

from mkdyn.domain.feeds import Cursor, Page
from mkdyn.domain.fields import FieldSpec
from mkdyn.domain.outcomes import Outcome, Write
from mkdyn.domain.records import Record
from mkdyn.errors import ThrottledError
from mkdyn.ports.connectors import Connector, Identity, MarketoConnector, Pages, SchemaStamped

ConnectorT = TypeVar("ConnectorT", bound=Connector)
T = TypeVar("T")

#: How often one call is repeated after "slow down" before the run pauses.
TRIES_MAX = 5
#: Seconds to wait where the system does not say how long.
WAIT_S = 30.0


class Patient(Generic[ConnectorT]):
    """Calls one connector for a run.

    A throttled call was refused before anything was done, so it is safe to repeat, writes
    included; nothing else is repeated here.

    Attributes:
        calls: How many calls were made; a page of a feed is one.
    """

    def __init__(self, connector: ConnectorT) -> None:
        self.connector = connector
        self.calls: int = 0

    async def identify(self) -> Identity:
        """See `Connector.identify`."""
        return await self._patiently(self.connector.identify)

    async def describe(self, object: str, /) -> Sequence[FieldSpec]:
        """See `Connector.describe`."""
        return await self._patiently(lambda: self.connector.describe(object))

    async def schema_stamp(self, objects: Collection[str], /) -> str | None:
        """See `SchemaStamped.schema_stamp`; None, and no call, where the connector can't say."""
        connector = self.connector
        if not isinstance(connector, SchemaStamped):
            return None
        return await self._patiently(lambda: connector.schema_stamp(objects))

    @asynccontextmanager
    async def changes(self, object: str, /, *, fields: Collection[str], since: Cursor | None) -> AsyncGenerator[Pages]:
        """See `Connector.changes`."""
        async with (
            self.connector.changes(object, fields=fields, since=since) as pages,
            aclosing(self._counted(pages)) as counted,
        ):
            yield counted

    async def _counted(self, pages: Pages) -> AsyncGenerator[Page]:
        async for page in pages:
            self.calls += 1
            yield page

    async def read(self, object: str, keys: Collection[str], /, *, fields: Collection[str]) -> Mapping[str, Record]:
        """See `Connector.read`; no keys, no call."""
        if not keys:
            return {}
        return await self._patiently(lambda: self.connector.read(object, keys, fields=fields))

    async def find(
        self, object: str, field: str, values: Collection[str], /, *, fields: Collection[str]
    ) -> Sequence[Record]:
        """See `Connector.find`."""
        return await self._patiently(lambda: self.connector.find(object, field, values, fields=fields))

    async def write(self, object: str, writes: Sequence[Write], /) -> Sequence[Outcome]:
        """See `Connector.write`."""
        return await self._patiently(lambda: self.connector.write(object, writes))

    async def merge(self: Patient[MarketoConnector], winner: str, losers: Sequence[str], /) -> Outcome:
        """See `MarketoConnector.merge`."""
        return await self._patiently(lambda: self.connector.merge(winner, losers))

    async def _patiently(self, call: Callable[[], Awaitable[T]]) -> T:
        tries = 0
        while True:
            self.calls += 1
            tries += 1
            try:
                return await call()
            except ThrottledError as error:
                if tries > TRIES_MAX:
                    raise
                await anyio.sleep(WAIT_S if error.retry_after_s is None else error.retry_after_s)
