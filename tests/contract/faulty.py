"""What stands in front of a fake and breaks a promise; each fault names the check that has to find it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Collection, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Any, ClassVar, TypeAlias

import attrs

from mkdyn.domain import Cursor, Delete, FieldSpec, Outcome, Page, Record, System, Values, Write
from mkdyn.ports import Pages
from mkdyn.testing import FakeDynamics, FakeMarketo

Fake: TypeAlias = FakeMarketo | FakeDynamics

#: Per system: a person's name and text, as the checks use them.
TEXTS = {System.MARKETO: ("lastName", "title"), System.DYNAMICS: ("lastname", "jobtitle")}


class Faulty:
    """A connector in front of a fake; as it is here, it keeps every promise.

    Attributes:
        breaks: The check that fails.
        others: Whether others fail with it, because the fault shows everywhere.
    """

    breaks: ClassVar[str]
    others: ClassVar[bool] = False

    def __init__(self, fake: Fake) -> None:
        self.fake: Any = fake

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the fake has
        return getattr(self.fake, name)

    # what a fault changes

    def spec(self, spec: FieldSpec) -> FieldSpec:
        """A field as it is described."""
        return spec

    def record(self, record: Record) -> Record:
        """A record as it is read and found."""
        return record

    def page(self, object: str, page: Page) -> Page:
        """A page as it is told."""
        return page

    def sent(self, object: str, write: Write) -> Write:
        """A write as it is sent."""
        return write

    def answered(self, object: str, write: Write, outcome: Outcome) -> Outcome:
        """An outcome as it is answered."""
        return outcome

    # the connector

    async def describe(self, object: str, /) -> Sequence[FieldSpec]:
        """See `Connector.describe`."""
        return [self.spec(spec) for spec in await self.fake.describe(object)]

    @asynccontextmanager
    async def changes(self, object: str, /, *, fields: Collection[str], since: Cursor | None) -> AsyncGenerator[Pages]:
        """See `Connector.changes`."""
        async with aclosing(self.pages(object, fields, since)) as pages:
            yield pages

    async def pages(self, object: str, fields: Collection[str], since: Cursor | None) -> AsyncGenerator[Page]:
        """Yield the feed's pages."""
        async with self.fake.changes(object, fields=fields, since=since) as pages:
            async for page in pages:
                yield self.page(object, page)

    async def read(self, object: str, keys: Collection[str], /, *, fields: Collection[str]) -> Mapping[str, Record]:
        """See `Connector.read`."""
        found = await self.fake.read(object, keys, fields=fields)
        return {key: self.record(record) for key, record in found.items()}

    async def find(
        self, object: str, field: str, values: Collection[str], /, *, fields: Collection[str]
    ) -> Sequence[Record]:
        """See `Connector.find`."""
        return [self.record(record) for record in await self.fake.find(object, field, values, fields=fields)]

    async def write(self, object: str, writes: Sequence[Write], /) -> Sequence[Outcome]:
        """See `Connector.write`."""
        outcomes = await self.fake.write(object, [self.sent(object, write) for write in writes])
        return [self.answered(object, write, outcome) for write, outcome in zip(writes, outcomes, strict=True)]


def shows(record: Record, values: Values) -> Record:
    """The record with other values."""
    return attrs.evolve(record, values=values)


def writes(write: Write, values: Values) -> Write:
    """The write with other values, if it has any."""
    return write if isinstance(write, Delete) else attrs.evolve(write, values=values)


async def all_of(pages: AsyncIterator[Page]) -> list[Page]:
    """Every page at once."""
    return [page async for page in pages]
