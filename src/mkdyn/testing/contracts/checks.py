"""A promise of a connector, and the check that it is kept."""

from __future__ import annotations

import unittest
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, Literal, NoReturn, TypeAlias, TypeVar

import attrs

from mkdyn.testing.contracts.benches import Bench, DynamicsBench, MarketoBench, lacks
from mkdyn.testing.contracts.promises import ContractBroken
from mkdyn.testing.contracts.subjects import DYNAMICS_SUBJECTS, MARKETO_SUBJECTS, Subject

T = TypeVar("T", bound=Bench)

#: Which of a system's objects a check is for: all of them, or the first, which has a feed in both systems.
Which: TypeAlias = Literal["all", "first"]


@attrs.frozen(kw_only=True)
class ConnectorCheck(Generic[T]):
    """One promise of a connector; called with a bench, it returns or raises `ContractBroken`.

    Attributes:
        name: What is so where the promise is kept.
        source: Where it is promised, as in `Connector.write`.
        promise: The promise itself, as the docstring says it.
        run: Tries it.
    """

    name: str
    source: str
    promise: str
    run: Callable[[T], Awaitable[None]] = attrs.field(repr=False)

    async def __call__(self, bench: T, /) -> None:
        """Check it.

        Args:
            bench: The connector, and another person's hands.

        Raises:
            ContractBroken: The promise is not kept; it says what was found, and the promise.
            unittest.SkipTest: The bench lacks what the check needs.
        """
        try:
            await self.run(bench)
        except ContractBroken as broken:
            raise ContractBroken(self._said_of(str(broken))) from None
        except unittest.SkipTest:
            raise
        except Exception as error:
            raise ContractBroken(self._said_of(f"it ended in {type(error).__name__}: {error}")) from error

    def _said_of(self, found: str) -> str:
        return f"{found.rstrip('.')}. {self.source} promises: {self.promise}"

    def __str__(self) -> str:
        return self.name


@attrs.frozen(kw_only=True)
class MarketoCheck(ConnectorCheck[MarketoBench]):
    """One promise of `MarketoConnector`."""


@attrs.frozen(kw_only=True)
class DynamicsCheck(ConnectorCheck[DynamicsBench]):
    """One promise of `DynamicsConnector`."""


@attrs.frozen(kw_only=True)
class SharedCheck:
    """One promise that both systems' connectors make.

    Attributes:
        name: What is so where the promise is kept.
        source: Where it is promised.
        promise: The promise itself.
        run: Tries it on one object.
        which: Which objects it is for.
    """

    name: str
    source: str
    promise: str
    run: Callable[[Bench, Subject], Awaitable[None]]
    which: Which

    def of_marketo(self) -> MarketoCheck:
        """Return it as a promise of Marketo's connectors."""
        run = self._trying(MARKETO_SUBJECTS)
        return MarketoCheck(name=self.name, source=self.source, promise=self.promise, run=run)

    def of_dynamics(self) -> DynamicsCheck:
        """Return it as a promise of Dynamics' connectors."""
        run = self._trying(DYNAMICS_SUBJECTS)
        return DynamicsCheck(name=self.name, source=self.source, promise=self.promise, run=run)

    def _trying(self, subjects: Sequence[Subject]) -> Callable[[Bench], Awaitable[None]]:
        chosen = subjects if self.which == "all" else subjects[:1]

        async def run(bench: Bench) -> None:
            there = [subject for subject in chosen if await bench.connector.describe(subject.object)]
            if not there:
                lacks(" or ".join(subject.object for subject in chosen))
            for subject in there:
                await self.run(bench, subject)

        return run


def of_both(
    name: str, source: str, promise: str, *, which: Which = "all"
) -> Callable[[Callable[[Bench, Subject], Awaitable[None]]], SharedCheck]:
    """Make a check of both systems out of a function that tries one object."""

    def check(run: Callable[[Bench, Subject], Awaitable[None]]) -> SharedCheck:
        return SharedCheck(name=name, source=source, promise=promise, run=run, which=which)

    return check


def of_marketo(
    name: str, source: str, promise: str
) -> Callable[[Callable[[MarketoBench], Awaitable[None]]], MarketoCheck]:
    """Make a check of Marketo's connectors out of a function that tries it."""

    def check(run: Callable[[MarketoBench], Awaitable[None]]) -> MarketoCheck:
        return MarketoCheck(name=name, source=source, promise=promise, run=run)

    return check


def of_dynamics(
    name: str, source: str, promise: str
) -> Callable[[Callable[[DynamicsBench, Subject], Awaitable[None]]], DynamicsCheck]:
    """Make a check of Dynamics' connectors out of a function that tries a lead."""

    def check(run: Callable[[DynamicsBench, Subject], Awaitable[None]]) -> DynamicsCheck:
        async def on_leads(bench: DynamicsBench) -> None:
            await run(bench, DYNAMICS_SUBJECTS[0])

        return DynamicsCheck(name=name, source=source, promise=promise, run=on_leads)

    return check


# -- words for the checks ------------------------------------------------------------------------------


def broken(found: str) -> NoReturn:
    """Say what was found.

    Raises:
        ContractBroken: Always.
    """
    raise ContractBroken(found)


def must(holds: object, found: str) -> None:
    """Say what was found unless something holds.

    Raises:
        ContractBroken: It does not hold.
    """
    if not holds:
        broken(found)
