"""What every state store promises of feeds and observations."""

from __future__ import annotations

from contextlib import closing
from typing import Final

import attrs

from mkdyn.domain.feeds import Cursor, Evidence
from mkdyn.domain.records import Record
from mkdyn.domain.systems import System
from mkdyn.ports.store import Observation, StateStore
from mkdyn.testing.contracts.promises import MakeStore, StoreCheck, expect, promises
from mkdyn.testing.contracts.samples import HOUR, NINE, NINE_ABROAD, VALUES, exactly

_PLACE: Final = "place=1"


@promises("A feed's cursor is remembered until it is replaced or forgotten.")
def _cursors(make_store: MakeStore) -> None:
    bare = Cursor(token=_PLACE, at=NINE)
    whole = Cursor(token=f"{_PLACE}&more=ä", at=NINE_ABROAD, repeats_from=NINE - HOUR)
    with closing(make_store()) as store:
        expect(store.cursor("lead"), None, "cursor() of a feed never read")
        with store.transaction():
            store.set_cursor("lead", bare)
            store.set_cursor("contact", whole)
        expect([store.cursor("lead"), store.cursor("contact")], [bare, whole], "cursor()")
        with store.transaction():
            store.set_cursor("lead", whole)
            store.set_cursor("contact", None)
            store.set_cursor("account", None)
        expect([store.cursor("lead"), store.cursor("contact")], [whole, None], "cursor() replaced, and forgotten")


@promises("new_entries() returns the entries of a feed that have not been marked seen.")
def _seen(make_store: MakeStore) -> None:
    with closing(make_store()) as store:
        expect(store.new_entries("lead", []), set[str](), "new_entries() of none")
        expect(store.new_entries("lead", ["1", "2", "2"]), {"1", "2"}, "new_entries() before any was seen")
        with store.transaction():
            store.mark_seen("lead", [("1", NINE), ("1", NINE), ("3", NINE)])
            store.mark_seen("lead", iter([("1", NINE)]))
        expect(store.new_entries("lead", ["1", "2", "3"]), {"2"}, "new_entries() after 1 and 3 were seen")
        expect(store.new_entries("contact", ["1"]), {"1"}, "new_entries() of another feed")


@promises("forget_seen() forgets the entries older than a time, or all of a feed.")
def _forgotten(make_store: MakeStore) -> None:
    ids = ["old", "in time", "new"]
    with closing(make_store()) as store:
        with store.transaction():
            for feed in ("lead", "contact"):
                store.mark_seen(feed, zip(ids, (NINE - HOUR, NINE_ABROAD, NINE + HOUR), strict=True))
            store.forget_seen("lead", NINE)
        expect(store.new_entries("lead", ids), {"old"}, "new_entries() after the old ones were forgotten")
        expect(store.new_entries("contact", ids), set[str](), "new_entries() of another feed then")
        with store.transaction():
            store.forget_seen("lead", None)
        expect(store.new_entries("lead", ids), set(ids), "new_entries() after all were forgotten")
        expect(store.new_entries("contact", ids), set[str](), "new_entries() of another feed then")


_ROW: Final = Observation(system=System.DYNAMICS, object="lead", key="g-1")
_PERSON: Final = Observation(system=System.MARKETO, object="lead", key="g-1")


def _all(store: StateStore, system: System = System.DYNAMICS) -> list[Observation]:
    return list(store.observations(system, "lead", after=0, limit=99))


@promises("An observation comes back as it was, its values with their types.")
def _observation_whole(make_store: MakeStore) -> None:
    record = Record(key="g-1", values=VALUES, version='W/"7"')
    evidence = (Evidence(field="email", old=None, new="a@b.example"), Evidence(field="email", old="ä", new=""))
    whole = attrs.evolve(
        _ROW,
        record=record,
        deleted=True,
        evidence=evidence,
        wanted="contact",
        doubtful=("firstname", "email#2"),
        seen_at=NINE_ABROAD,
    )
    with closing(make_store()) as store:
        with store.transaction():
            store.observe([whole, _PERSON])
        [found], [bare] = _all(store), _all(store, System.MARKETO)
        expect(attrs.evolve(found, version=0), whole, "an observation with everything")
        shown = found.record or Record(key="", values={})
        expect(exactly(shown.values), exactly(VALUES), "its values and their types")
        expect(attrs.evolve(bare, version=0), _PERSON, "an observation with nothing but its key")


@promises("One observation is kept for each record, each under a version larger than any before.")
def _versions(make_store: MakeStore) -> None:
    with closing(make_store()) as store:
        with store.transaction():
            store.observe([_ROW, attrs.evolve(_ROW, key="g-2")])
        [first, second] = _all(store)
        expect(0 < first.version < second.version, True, "versions rise from 1 on")
        with store.transaction():
            store.observe(iter([attrs.evolve(_ROW, deleted=True, version=1)]))
        [other, again] = _all(store)
        expect((other, again.key, again.deleted), (second, "g-1", True), "the record observed again, and the other")
        expect(again.version > second.version, True, "it has a newer version")
        with store.transaction():
            store.clear((found.system, found.object, found.key, found.version) for found in (other, again))
            store.observe([_ROW])
        expect([found.version > again.version for found in _all(store)], [True], "a cleared version is not given again")


@promises("observations() returns those of one system and object, in order of version, page by page.")
def _pages(make_store: MakeStore) -> None:
    with closing(make_store()) as store:
        with store.transaction():
            store.observe(attrs.evolve(_ROW, key=key) for key in ("c", "b", "a"))
            store.observe([_PERSON, attrs.evolve(_ROW, object="contact", key="d")])
        pages: list[str] = []
        after = 0
        while page := store.observations(System.DYNAMICS, "lead", after=after, limit=2):
            pages.append("".join(found.key for found in page))
            after = page[-1].version
        expect(pages, ["cb", "a"], "observations() with limit=2")


@promises("observed() returns the observations of the records asked for, by key.")
def _observed(make_store: MakeStore) -> None:
    with closing(make_store()) as store:
        with store.transaction():
            store.observe(
                [_ROW, _PERSON, attrs.evolve(_ROW, key="g-2"), attrs.evolve(_ROW, object="contact", key="g-3")]
            )
        [wanted, _] = _all(store)
        found = store.observed(System.DYNAMICS, "lead", ["g-1", "g-3", "none"])
        expect(dict(found), {"g-1": wanted}, "observed()")
        expect(dict(store.observed(System.DYNAMICS, "lead", [])), {}, "observed() of no keys")
        many = {f"g-{number}" for number in range(40_000)}
        expect(set(store.observed(System.DYNAMICS, "lead", many)), {"g-1", "g-2"}, "observed() of 40,000 keys")


@promises("clear() forgets an observation up to a version, and no later one.")
def _cleared(make_store: MakeStore) -> None:
    with closing(make_store()) as store:
        with store.transaction():
            store.observe([_ROW, attrs.evolve(_ROW, key="g-2"), _PERSON])
        [reconciled, other] = _all(store)
        with store.transaction():
            store.observe([attrs.evolve(_ROW, deleted=True)])
            store.clear([(System.DYNAMICS, "lead", "g-1", reconciled.version)])
        expect([found.key for found in _all(store)], ["g-2", "g-1"], "a record observed again since then")
        with store.transaction():
            store.clear([(System.DYNAMICS, "lead", "g-2", other.version)])
            store.clear([(System.DYNAMICS, "lead", "none", other.version)])
        expect([found.key for found in _all(store)], ["g-1"], "a record not observed since then")
        expect([found.key for found in _all(store, System.MARKETO)], ["g-1"], "the other system's record")


FEED_CHECKS: Final[tuple[StoreCheck, ...]] = (
    _cursors,
    _seen,
    _forgotten,
    _observation_whole,
    _versions,
    _pages,
    _observed,
    _cleared,
)
