"""What the checks of a connector work on: the connector, and another person's hands in its system.

A bench is small where the system is near. The hands are what somebody else can do there, in
any way that is not the connector; the checks tell their own records from everybody else's, so
the system need not be empty. What only some systems can do is a protocol of its own: a bench
that has its method has the ability, and the checks that need one which is not there are
skipped, by `unittest.SkipTest`, which every test runner knows.
"""

from __future__ import annotations

import unittest
from collections.abc import Collection, Sequence
from contextlib import AbstractAsyncContextManager
from typing import NoReturn, Protocol, runtime_checkable

from mkdyn.domain.fields import FieldSpec
from mkdyn.domain.values import Values
from mkdyn.ports.connectors import Connector, DynamicsConnector, MarketoConnector


class NotOnThisBench(unittest.SkipTest):
    """A check needs what the bench does not lend."""


class Bench(Protocol):
    """What both systems' benches have. The fields are those the checks name; objects and keys are the connector's."""

    @property
    def connector(self) -> Connector:
        """The connector under test; the same one each time."""
        ...

    async def create(self, object: str, values: Values, /) -> str:
        """Somebody else adds a record; return its key. A second one of the same values is a second record."""
        ...

    async def edit(self, object: str, key: str, values: Values, /) -> None:
        """Somebody else changes these fields of a record."""
        ...

    async def delete(self, object: str, key: str, /) -> None:
        """Somebody else deletes a record."""
        ...

    async def record(self, object: str, key: str, fields: Collection[str], /) -> Values | None:
        """Return what somebody else sees of a record's text fields, an empty one as None; None if it is not there."""
        ...


class MarketoBench(Bench, Protocol):
    """A Marketo connector, and another person's hands in that instance."""

    @property
    def connector(self) -> MarketoConnector:
        """The connector under test; the same one each time."""
        ...


class DynamicsBench(Bench, Protocol):
    """A Dynamics connector, and another person's hands in that organisation."""

    @property
    def connector(self) -> DynamicsConnector:
        """The connector under test; the same one each time."""
        ...


# -- what some benches lend beside -------------------------------------------------------------------


@runtime_checkable
class CatchesUp(Protocol):
    """A system whose feed or whose reads lag behind what was done."""

    async def catch_up(self) -> None:
        """Wait until reads and the feed show everything that was done so far."""
        ...


@runtime_checkable
class ExpiresCursors(Protocol):
    """Cursors can be made to expire."""

    async def expire_cursors(self) -> None:
        """Let every cursor there is expire."""
        ...


@runtime_checkable
class LosesAnswers(Protocol):
    """The line to the system can be cut behind a call."""

    def unanswered(self, *, applied: bool) -> AbstractAsyncContextManager[None]:
        """While it is open, no call of the connector gets an answer.

        Args:
            applied: Whether what is written takes effect all the same.
        """
        ...


@runtime_checkable
class HidesFields(Protocol):
    """A field can be hidden from the connector's user (Dynamics)."""

    def hidden(self, object: str, field: str, /) -> AbstractAsyncContextManager[None]:
        """While it is open, the connector's user may neither read nor write the field."""
        ...


@runtime_checkable
class MasksFields(Protocol):
    """A field's values can be masked for the connector's user (Dynamics)."""

    def masked(self, object: str, field: str, /) -> AbstractAsyncContextManager[None]:
        """While it is open, the connector's user is shown masks of the field's values."""
        ...


@runtime_checkable
class MakesColumns(Protocol):
    """Columns may be created to try them (Dynamics)."""

    def new_column(self, object: str, column: FieldSpec, /) -> AbstractAsyncContextManager[None]:
        """While it is open, the table has such a column, and the connector's user every right on it."""
        ...


@runtime_checkable
class ProtectsFields(Protocol):
    """A field can be protected from the connector's user (Dynamics)."""

    def protected(self, object: str, field: str, /) -> AbstractAsyncContextManager[None]:
        """While it is open, the connector's user may read, but not write the field."""
        ...


@runtime_checkable
class RestoresRecords(Protocol):
    """What was deleted can be brought back (Dynamics)."""

    async def restore(self, object: str, key: str, /) -> None:
        """Somebody else takes a deleted record out of the recycle bin."""
        ...


@runtime_checkable
class HoldsEntries(Protocol):
    """Entries of the feed can be made late (Marketo)."""

    def entries_held(self) -> AbstractAsyncContextManager[None]:
        """While it is open, entries of what happens can't be seen; then they show up at their own place."""
        ...


@runtime_checkable
class MakesFields(Protocol):
    """Fields and custom objects may be created to try it (Marketo)."""

    def new_fields(self) -> AbstractAsyncContextManager[None]:
        """While it is open, a check makes some, all named `mkdyn…`; then they may be taken away."""
        ...


@runtime_checkable
class MergesPersons(Protocol):
    """Somebody else can merge persons (Marketo)."""

    async def merge(self, winner: str, losers: Sequence[str], /) -> None:
        """Somebody else merges persons into the winner."""
        ...


def lacks(what: str) -> NoReturn:
    """Say what a check needs and the bench does not lend.

    Raises:
        NotOnThisBench: Always.
    """
    raise NotOnThisBench(f"no {what} here")


async def catch_up(bench: Bench) -> None:
    """Wait until what was done can be seen, where that takes time."""
    if isinstance(bench, CatchesUp):
        await bench.catch_up()
