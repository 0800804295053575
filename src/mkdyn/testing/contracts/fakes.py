"""Benches on the fakes: the fake itself as the connector, or something of yours in front of it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final, Literal

from mkdyn.domain.fields import FieldSpec
from mkdyn.domain.values import Values
from mkdyn.ports.connectors import DynamicsConnector, MarketoConnector
from mkdyn.testing.contracts.benches import DynamicsBench, MarketoBench
from mkdyn.testing.dynamics import FakeDynamics
from mkdyn.testing.faults import LoseAnswer
from mkdyn.testing.marketo import FakeMarketo

#: More calls than one check makes while answers are lost.
_CALLS: Final = 100


class _Hands:
    """What both fakes' benches do."""

    def __init__(self, fake: FakeMarketo | FakeDynamics) -> None:
        self._fake = fake

    async def create(self, object: str, values: Values, /) -> str:
        """See `Bench`."""
        return self._fake.create(object, **values)

    async def edit(self, object: str, key: str, values: Values, /) -> None:
        """See `Bench`."""
        self._fake.edit(object, key, **values)

    async def delete(self, object: str, key: str, /) -> None:
        """See `Bench`."""
        self._fake.delete(object, key)

    async def record(self, object: str, key: str, fields: Collection[str], /) -> Values | None:
        """See `Bench`."""
        record = self._fake.record(object, key)
        return None if record is None else {name: record.values[name] for name in fields}

    async def expire_cursors(self) -> None:
        """See `ExpiresCursors`."""
        self._fake.expire_cursors()

    @asynccontextmanager
    async def unanswered(self, *, applied: bool) -> AsyncGenerator[None]:
        """See `LosesAnswers`."""
        faults, before = self._fake.faults, list(self._fake.faults)
        took: Literal["yes", "no"] = "yes" if applied else "no"
        faults += [LoseAnswer(call=self._fake.calls + number, applied=took) for number in range(1, _CALLS)]
        try:
            yield
        finally:
            faults[:] = before


class FakeMarketoBench(_Hands):
    """A fake Marketo with every ability that a bench can have.

    Args:
        fake: The instance; by default a new one, whose feed has small pages and repeats some of it.
        connector: What to check, where that is not the fake itself: a wrapper around it.
    """

    def __init__(self, fake: FakeMarketo | None = None, /, *, connector: MarketoConnector | None = None) -> None:
        self.fake: FakeMarketo = fake or FakeMarketo(page_size=3, empty_pages="sometimes", overlap_s=0.003)
        self.connector: MarketoConnector = connector or self.fake
        super().__init__(self.fake)

    @asynccontextmanager
    async def entries_held(self) -> AsyncGenerator[None]:
        """See `HoldsEntries`."""
        self.fake.hold_entries()
        try:
            yield
        finally:
            self.fake.show_entries()

    @asynccontextmanager
    async def new_fields(self) -> AsyncGenerator[None]:
        """See `MakesFields`; they stay."""
        yield

    async def merge(self, winner: str, losers: Sequence[str], /) -> None:
        """See `MergesPersons`."""
        await self.fake.merge(winner, losers)


class FakeDynamicsBench(_Hands):
    """A fake Dynamics with every ability that a bench can have.

    Args:
        fake: The organisation; by default a new one, whose feed has small pages.
        connector: What to check, where that is not the fake itself: a wrapper around it.
    """

    def __init__(self, fake: FakeDynamics | None = None, /, *, connector: DynamicsConnector | None = None) -> None:
        self.fake: FakeDynamics = fake or FakeDynamics(page_size=3)
        self.connector: DynamicsConnector = connector or self.fake
        super().__init__(self.fake)

    @asynccontextmanager
    async def hidden(self, object: str, field: str, /) -> AsyncGenerator[None]:
        """See `HidesFields`."""
        self.fake.hide_column(object, field)
        try:
            yield
        finally:
            self.fake.show_column(object, field)

    @asynccontextmanager
    async def protected(self, object: str, field: str, /) -> AsyncGenerator[None]:
        """See `ProtectsFields`."""
        self.fake.protect_column(object, field)
        try:
            yield
        finally:
            self.fake.show_column(object, field)

    @asynccontextmanager
    async def masked(self, object: str, field: str, /) -> AsyncGenerator[None]:
        """See `MasksFields`."""
        self.fake.mask_column(object, field)
        try:
            yield
        finally:
            self.fake.show_column(object, field)

    @asynccontextmanager
    async def new_column(self, object: str, column: FieldSpec, /) -> AsyncGenerator[None]:
        """See `MakesColumns`."""
        self.fake.add_column(object, column)
        try:
            yield
        finally:
            self.fake.drop_column(object, column.name)

    async def restore(self, object: str, key: str, /) -> None:
        """See `RestoresRecords`."""
        self.fake.restore(object, key)


if TYPE_CHECKING:
    _marketo: type[MarketoBench] = FakeMarketoBench
    _dynamics: type[DynamicsBench] = FakeDynamicsBench
