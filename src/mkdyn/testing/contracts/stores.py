"""What every state store promises: all or nothing, one run at a time, and nothing forgotten."""

from __future__ import annotations

from contextlib import closing, suppress
from typing import Final

from mkdyn.domain.systems import System
from mkdyn.errors import RunInProgressError
from mkdyn.ports.store import Observation, StateStore
from mkdyn.testing.contracts.promises import MakeStore, StoreCheck, expect, expect_error, promises
from mkdyn.testing.contracts.stores_feeds import FEED_CHECKS
from mkdyn.testing.contracts.stores_findings import FINDING_CHECKS
from mkdyn.testing.contracts.stores_journal import JOURNAL_CHECKS
from mkdyn.testing.contracts.stores_links import LINK_CHECKS


class _CrashError(Exception):
    """Raised in the middle of a transaction."""


class _Interrupt(BaseException):
    """The same, and nobody's `except Exception` sees it."""


def _fail(error: type[BaseException]) -> None:
    raise error


def _write_something(store: StateStore) -> None:
    store.set_organization(System.MARKETO, "AAA-001-ZZZ")
    store.observe([Observation(system=System.MARKETO, object="lead", key="7")])


def _expect_nothing(store: StateStore, where: str) -> None:
    expect(store.organization(System.MARKETO), None, where)
    expect(store.observations(System.MARKETO, "lead", after=0, limit=9), [], where)


@promises("A store has a short name for messages.")
def _named(make_store: MakeStore) -> None:
    with closing(make_store()) as store:
        expect(bool(store.name) and store.name.isprintable(), True, f"name is {store.name!r}")


@promises("transaction() keeps nothing of what was written when it fails.")
def _all_or_nothing(make_store: MakeStore) -> None:
    with closing(make_store()) as store:
        for error in (_CrashError, _Interrupt):
            try:
                with store.transaction():
                    _write_something(store)
                    _fail(error)
            except error:
                _expect_nothing(store, f"after {error.__name__} in a transaction")
        with store.transaction():
            _write_something(store)
        expect(store.organization(System.MARKETO), "AAA-001-ZZZ", "after a transaction that succeeded")


@promises("What a transaction kept is there when the state is opened again, and what it did not keep is not.")
def _durable(make_store: MakeStore) -> None:
    with closing(make_store()) as store:
        _expect_nothing(store, "a state opened for the first time")
        with store.transaction():
            _write_something(store)
        written = store.observations(System.MARKETO, "lead", after=0, limit=9)
        with suppress(_CrashError), store.transaction():
            store.set_organization(System.MARKETO, "BBB-002-YYY")
            _fail(_CrashError)
    with closing(make_store()) as store:
        expect(store.organization(System.MARKETO), "AAA-001-ZZZ", "organization() after opening again")
        expect(store.observations(System.MARKETO, "lead", after=0, limit=9), written, "observations() then")


def _refused(store: StateStore, where: str) -> str:
    def hold() -> None:
        with store.exclusive("one run too many"):
            pass

    return expect_error(RunInProgressError, hold, where)


@promises("exclusive() lets one run at a time hold the state, and tells the others who does.")
def _one_at_a_time(make_store: MakeStore) -> None:
    with closing(make_store()) as first, closing(make_store()) as second:
        with first.exclusive("run started at 09:00:04 (host etl-3, pid 811)"):
            for store, whose in ((second, "another store's"), (first, "the holder's own")):
                message = _refused(store, f"{whose} exclusive()")
                named = "run started at 09:00:04 (host etl-3, pid 811)" in message and first.name in message
                expect(named, True, f"holder and state named in {message!r}")
            with second.transaction():
                _write_something(second)
        with second.exclusive("a later run"):
            message = _refused(first, "exclusive()")
            expect("a later run" in message, True, f"the present holder named in {message!r}")


@promises("exclusive() lets go when the run fails.")
def _lets_go(make_store: MakeStore) -> None:
    with closing(make_store()) as store:
        for error in (_CrashError, _Interrupt):
            with suppress(error), store.exclusive("a run that fails"):
                _fail(error)
        with store.exclusive("the next run"):
            pass


@promises("The organisations a state belongs to are remembered, one for each system.")
def _organizations(make_store: MakeStore) -> None:
    with closing(make_store()) as store:
        expect([store.organization(system) for system in System], [None, None], "organization() of a new state")
        with store.transaction():
            store.set_organization(System.MARKETO, "AAA-001-ZZZ")
            store.set_organization(System.DYNAMICS, "acme.crm")
        found = [store.organization(System.MARKETO), store.organization(System.DYNAMICS)]
        expect(found, ["AAA-001-ZZZ", "acme.crm"], "organization()")


#: Every promise of `mkdyn.ports.StateStore`.
STORE_CHECKS: Final[tuple[StoreCheck, ...]] = (
    _named,
    _all_or_nothing,
    _durable,
    _one_at_a_time,
    _lets_go,
    _organizations,
    *FEED_CHECKS,
    *LINK_CHECKS,
    *JOURNAL_CHECKS,
    *FINDING_CHECKS,
)
