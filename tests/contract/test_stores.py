"""Every store of ours keeps every promise of the port, and a store that breaks one is found out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import attrs
import pytest

from mkdyn.adapters.sqlite import SqliteStore
from mkdyn.adapters.sqlite.store import in_progress
from mkdyn.domain.entities import AnyEntity
from mkdyn.domain.holds import Hold, Quarantined
from mkdyn.domain.plan import Operation
from mkdyn.domain.records import Link, LinkState
from mkdyn.domain.systems import System
from mkdyn.domain.values import Values
from mkdyn.errors import ConfigError
from mkdyn.ports.store import Observation, StateStore
from mkdyn.testing.contracts import STORE_CHECKS, ContractBroken, StoreCheck
from mkdyn.testing.memory_store import MemoryStore


@pytest.mark.parametrize("check", STORE_CHECKS, ids=str)
def test_sqlite_store(check: StoreCheck, tmp_path: Path) -> None:
    """The store in a file keeps the promise."""
    check(lambda: SqliteStore(tmp_path / "state.db", patience_s=0))


@pytest.mark.parametrize("check", STORE_CHECKS, ids=str)
def test_memory_store(check: StoreCheck) -> None:
    """The store in memory keeps the promise, closed and used again in between."""
    store = MemoryStore()
    check(lambda: store)


def test_promises_are_sentences() -> None:
    """Every check says what is promised, in a sentence of its own."""
    promises = [str(check) for check in STORE_CHECKS]
    assert len(set(promises)) == len(promises)
    assert all(promise[0].isupper() or promise[0].islower() for promise in promises)
    assert all(promise.endswith(".") for promise in promises)


class _KeepsHalf(MemoryStore):
    @contextmanager
    def transaction(self) -> Generator[None]:
        failed: list[Exception] = []
        with super().transaction():
            try:
                yield
            except Exception as error:  # noqa: BLE001 - what goes wrong
                failed.append(error)
        if failed:
            raise failed[0]


class _ForgetsWhose(MemoryStore):
    def organization(self, system: System, /) -> str | None:
        return None


class _LetsEverybodyIn(MemoryStore):
    @contextmanager
    def exclusive(self, holder: str, /) -> Generator[None]:
        yield


class _RefusesOtherwise(MemoryStore):
    @contextmanager
    def exclusive(self, holder: str, /) -> Generator[None]:
        if self._holder is not None:
            message = "busy"
            raise ConfigError(message)
        with super().exclusive(holder):
            yield


class _NeverLetsGo(MemoryStore):
    @contextmanager
    def exclusive(self, holder: str, /) -> Generator[None]:
        if self._holder is not None:
            raise in_progress(self.name, self._holder)
        self._holder = holder
        yield
        self._holder = None  # not after an error


class _Nameless(MemoryStore):
    @property
    def name(self) -> str:
        return ""


class _ClearsTooMuch(MemoryStore):
    def clear(self, observations: Iterable[tuple[System, str, str, int]], /) -> None:
        super().clear((system, object, key, version + 99) for system, object, key, version in observations)


class _KeepsOldVersions(MemoryStore):
    def observe(self, observations: Iterable[Observation], /) -> None:
        for found in observations:
            if found.key not in self.observed(found.system, found.object, [found.key]):
                super().observe([found])


class _PrefersTheDead(MemoryStore):
    def links(self, entities: Collection[str], system: System, keys: Collection[str], /) -> Mapping[str, Link]:
        dead = [link for name in entities for link in self.links_after(name, 0, 99, states=[LinkState.TOMBSTONE])]
        found = {link.key(system): link for link in dead if link.key(system) in keys}
        return {**super().links(entities, system, keys), **found}


class _VouchesForTheSuspended(MemoryStore):
    def versions(self, entity: str, rows: Collection[str], /) -> Mapping[str, str]:
        links = self.links([entity], System.DYNAMICS, rows).values()
        return {link.dynamics: link.version for link in links if link.version is not None}


class _CountsNoAttempts(MemoryStore):
    def hold(self, run: int, items: Iterable[Hold | Quarantined], /) -> None:
        kept = list(items)
        self.release((item.entity, item.key, item.field if isinstance(item, Hold) else None) for item in kept)
        super().hold(run, kept)


class _ReleasesOneOnly(MemoryStore):
    def release_record(self, records: Iterable[tuple[AnyEntity, str]], /) -> None:
        self.release((entity, key, None) for entity, key in records)


class _RoundsNumbers(MemoryStore):
    def add_operations(self, run: int, operations: Sequence[Operation], /) -> Sequence[int]:
        return super().add_operations(run, [attrs.evolve(item, after=_rounded(item)) for item in operations])


def _rounded(operation: Operation) -> Values:
    return {name: float(value) if isinstance(value, Decimal) else value for name, value in operation.after.items()}


class _FailsAtOnce(MemoryStore):
    def totals(self, run: int, /) -> Mapping[str, int]:
        raise NotImplementedError


_LINKS = "links() returns the living link of a record, else its newest tombstone."


@pytest.mark.parametrize(
    ("broken", "promise"),
    [
        (_KeepsHalf, "transaction() keeps nothing of what was written when it fails."),
        (_Nameless, "A store has a short name for messages."),
        (_ForgetsWhose, "The organisations a state belongs to are remembered, one for each system."),
        (_LetsEverybodyIn, "exclusive() lets one run at a time hold the state, and tells the others who does."),
        (_RefusesOtherwise, "exclusive() lets one run at a time hold the state, and tells the others who does."),
        (_NeverLetsGo, "exclusive() lets go when the run fails."),
        (_ClearsTooMuch, "clear() forgets an observation up to a version, and no later one."),
        (_KeepsOldVersions, "One observation is kept for each record, each under a version larger than any before."),
        (_PrefersTheDead, _LINKS),
        (_VouchesForTheSuspended, "versions() returns what the baselines of live links cover, by row."),
        (
            _CountsNoAttempts,
            "A hold found again is replaced, its attempts counted; it belongs to the run that found it last.",
        ),
        (_ReleasesOneOnly, "release() forgets the holds named, and release_record() all of a record's."),
        (_RoundsNumbers, "An operation comes back as it was, its values with their types."),
        (
            _FailsAtOnce,
            "totals() counts a run's collisions and operations, and the holds and quarantined records that stand.",
        ),
    ],
    ids=lambda found: found.__name__.strip("_") if isinstance(found, type) else "",
)
def test_a_broken_promise_is_named(broken: Callable[[], StateStore], promise: str) -> None:
    """The check of a promise that a store breaks fails, and its message begins with the promise."""
    assert promise in failing(broken)


def failing(broken: Callable[[], StateStore]) -> set[str]:
    """The promises that a kind of store breaks."""
    found: set[str] = set()
    for check in STORE_CHECKS:
        store = broken()
        message = complaint(check, store)
        if message:
            assert message.startswith(f"{check.promise} ")
            found.add(check.promise)
    return found


def complaint(check: StoreCheck, store: StateStore) -> str:
    """What a check says of a store; nothing, if the promise is kept."""
    try:
        check(lambda: store)
    except ContractBroken as broken:
        return str(broken)
    return ""


def test_only_the_broken_promise_is_named() -> None:
    """A store that breaks one promise fails one check."""
    for broken in (_ClearsTooMuch, _FailsAtOnce, _CountsNoAttempts, _Nameless):
        assert len(failing(broken)) == 1
    assert failing(MemoryStore) == set()
