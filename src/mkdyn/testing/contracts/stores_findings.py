"""What every state store promises of collisions, holds and totals."""

from __future__ import annotations

from contextlib import closing
from typing import Final

import attrs

from mkdyn.domain.collisions import Collision, Resolution, Win
from mkdyn.domain.entities import Entity
from mkdyn.domain.holds import Hold, Quarantined, Wake
from mkdyn.domain.plan import Operation
from mkdyn.domain.systems import System
from mkdyn.domain.values import MISSING, FieldValue, Shown
from mkdyn.ports.store import Answer, StateStore
from mkdyn.testing.contracts.promises import MakeStore, StoreCheck, expect, promises
from mkdyn.testing.contracts.samples import GUIDS, NINE, VALUES, VISIT


def _start(store: StateStore) -> int:
    with store.transaction():
        return store.start_run("run", NINE)


def _resolution(field: str, marketo: FieldValue = "M", *, was: Shown = "W", row: int = 0) -> Resolution:
    collision = Collision(entity=Entity.LEAD, field=field, was=was, marketo=marketo, dynamics="D")
    verdict = Win(System.MARKETO, because="Marketo is the system of record for leads")
    return Resolution(collision=collision, verdict=verdict, key=GUIDS[row])


def _resolved(store: StateStore, run: int | None) -> list[Resolution]:
    return [found for _, found in store.resolutions(run, after=0, limit=99)]


@promises("A collision comes back with both values, the one before, the winner and the reason.")
def _collision_whole(make_store: MakeStore) -> None:
    with closing(make_store()) as store:
        run = _start(store)
        unseen, emptied = _resolution("unseen", was=MISSING), _resolution("emptied", was=None)
        own = Collision(
            entity=VISIT, field="new_level", was=VALUES["decimal"], marketo=VALUES["instant"], dynamics=VALUES["day"]
        )
        verdict = Win(System.DYNAMICS, because="custom entities sync Dynamics → Marketo only")
        one_way = Resolution(collision=own, verdict=verdict, key=GUIDS[1], kind="one-way")
        with store.transaction():
            store.add_resolutions(run, iter([unseen, emptied, one_way]))
        expect(_resolved(store, run), [unseen, emptied, one_way], "resolutions()")
        expect(_resolved(store, run)[0].collision.was, MISSING, "what was never agreed")
        expect(_resolved(store, run)[1].collision.was, None, "what was agreed to be empty")


@promises("A collision that a run has already, values and all, is kept once; the numbers lead from page to page.")
def _collisions(make_store: MakeStore) -> None:
    one, other, row = _resolution("a"), _resolution("b"), _resolution("a", row=1)
    later = _resolution("b", "M, edited meanwhile")
    with closing(make_store()) as store:
        first, second = _start(store), _start(store)
        with store.transaction():
            store.add_resolutions(first, [one, other, row, one])
            store.add_resolutions(second, [one])
            store.add_resolutions(first, [later, one])
        expect(_resolved(store, first), [one, other, row, later], "resolutions() of the first run")
        expect(_resolved(store, second), [one], "resolutions() of the second")
        expect(len(_resolved(store, None)), 5, "how many resolutions() of all runs")
        for run, count in ((first, 4), (None, 5)):
            page = store.resolutions(run, after=0, limit=3)
            rest = store.resolutions(run, after=page[-1][0], limit=9)
            expect((len(page), len(rest)), (3, count - 3), "the sizes of two pages")
            numbers = [number for number, _ in (*page, *rest)]
            expect(numbers, sorted(set(numbers)), "numbers rise from page to page")


@promises("resolutions_of() returns a run's collisions of one record, and drop_resolutions() forgets those numbered.")
def _dropped(make_store: MakeStore) -> None:
    with closing(make_store()) as store:
        first, second = _start(store), _start(store)
        kept = [_resolution("b"), _resolution("a", row=1)]
        with store.transaction():
            store.add_resolutions(first, [_resolution("a"), _resolution("a", "M, edited meanwhile"), *kept])
            store.add_resolutions(second, [_resolution("a")])
            found = store.resolutions_of(first, Entity.LEAD, GUIDS[0])
            store.drop_resolutions(number for number, item in found if item.collision.field == "a")
        edited = [_resolution("a"), _resolution("a", "M, edited meanwhile"), kept[0]]
        expect([item for _, item in found], edited, "resolutions_of() that run and record")
        expect(store.resolutions_of(first, Entity.CONTACT, GUIDS[0]), [], "resolutions_of() another entity")
        expect(_resolved(store, first), kept, "resolutions() of that run")
        expect(_resolved(store, second), [_resolution("a")], "resolutions() of the other")


_HOLD: Final = Hold(
    entity=Entity.LEAD, key=GUIDS[0], field="email", code="too-long", reason="Zu lang: 300 Zeichen.", refused="f00d"
)
_DATED: Final = Hold(
    entity=VISIT,
    key="42",
    field="new_level",
    code="no-label",
    reason="Add a label.",
    wake=Wake.DATE,
    until=NINE,
    awaits=GUIDS[1],
)
_RECORD: Final = Quarantined(
    entity=Entity.LEAD, key=GUIDS[0], code="ambiguous", reason="Two people.", wake=Wake.LINK, until=NINE, attempts=2
)


def _held(store: StateStore, run: int | None) -> list[Hold]:
    return [found for _, found in store.holds(run, after=0, limit=99)]


def _set_aside(store: StateStore, run: int | None) -> list[Quarantined]:
    return [found for _, found in store.quarantine(run, after=0, limit=99)]


@promises("Holds and quarantined records come back as they were, apart from each other.")
def _hold_whole(make_store: MakeStore) -> None:
    with closing(make_store()) as store:
        run = _start(store)
        with store.transaction():
            store.hold(run, (item for item in (_HOLD, _RECORD, _DATED)))
        for which in (run, None):
            expect(_held(store, which), [_HOLD, _DATED], "holds()")
            expect(_set_aside(store, which), [_RECORD], "quarantine()")
        found = store.kept_back([GUIDS[0], "42", "nobody"])
        expect(found, {GUIDS[0]: [_HOLD, _RECORD], "42": [_DATED]}, "kept_back()")


@promises("A hold found again is replaced, its attempts counted; it belongs to the run that found it last.")
def _attempts(make_store: MakeStore) -> None:
    with closing(make_store()) as store:
        first, second = _start(store), _start(store)
        with store.transaction():
            store.hold(first, [_HOLD, _DATED, _RECORD])
            store.hold(second, [attrs.evolve(_HOLD, code="no-label", wake=Wake.SCHEMA), _RECORD])
        again = attrs.evolve(_HOLD, code="no-label", wake=Wake.SCHEMA, attempts=2)
        expect(_held(store, second), [again], "holds() of the second run")
        expect(_held(store, first), [_DATED], "holds() of the first")
        expect(len(_held(store, None)), 2, "how many holds() stand")
        expect(_set_aside(store, second), [attrs.evolve(_RECORD, attempts=3)], "quarantine() of the second run")
        expect(_set_aside(store, first), [], "quarantine() of the first")


@promises("holds() and quarantine() return what stands in order of number, page by page.")
def _hold_pages(make_store: MakeStore) -> None:
    with closing(make_store()) as store:
        run = _start(store)
        with store.transaction():
            for guid in GUIDS[:3]:
                store.hold(run, [attrs.evolve(_HOLD, key=guid), attrs.evolve(_RECORD, key=guid)])
        for which in (run, None):
            [(_, one), (last, two)] = store.holds(which, after=0, limit=2)
            [(_, three)] = store.holds(which, after=last, limit=2)
            expect([one.key, two.key, three.key], list(GUIDS[:3]), "the keys of holds()")
            [(last, first)] = store.quarantine(which, after=0, limit=1)
            rest = [found.key for _, found in store.quarantine(which, after=last, limit=9)]
            expect([first.key, *rest], list(GUIDS[:3]), "the keys of quarantine()")


@promises("release() forgets the holds named, and release_record() all of a record's.")
def _released(make_store: MakeStore) -> None:
    phone, contact = attrs.evolve(_HOLD, field="telephone1"), attrs.evolve(_HOLD, entity=Entity.CONTACT)
    with closing(make_store()) as store:
        run = _start(store)
        with store.transaction():
            store.hold(run, [_HOLD, phone, contact, _RECORD, _DATED])
            store.release([(Entity.LEAD, GUIDS[0], "email"), (VISIT, "42", None)])
        expect(_held(store, None), [phone, contact, _DATED], "holds() after one was released")
        expect(_set_aside(store, None), [_RECORD], "quarantine() then")
        with store.transaction():
            store.release([(Entity.LEAD, GUIDS[0], None)])
        expect(_held(store, None), [phone, contact, _DATED], "holds() after a record was released from quarantine")
        expect(_set_aside(store, None), [], "quarantine() then")
        with store.transaction():
            store.hold(run, [_RECORD])
            store.release_record(iter([(Entity.LEAD, GUIDS[0])]))
        expect(
            (_held(store, None), _set_aside(store, None)),
            ([contact, _DATED], list[Quarantined]()),
            "what release_record() leaves",
        )
        with store.transaction():
            store.hold(run, [_HOLD])
        expect(_held(store, None)[-1].attempts, 1, "the attempts of a hold that was released before")


@promises("totals() counts a run's collisions and operations, and the holds and quarantined records that stand.")
def _totals(make_store: MakeStore) -> None:
    update = Operation(entity=Entity.LEAD, system=System.MARKETO, kind="update", key="100")
    create = attrs.evolve(update, system=System.DYNAMICS, kind="create")
    with closing(make_store()) as store:
        run, other = _start(store), _start(store)
        nothing = {"collisions": 0, "holds": 0, "quarantined": 0}
        expect(dict(store.totals(run)), nothing, "totals() of a run that did nothing")
        with store.transaction():
            first, *_ = store.add_operations(run, [update, update, update, create])
            store.answer([Answer(operation=first, state="applied")])
            store.add_resolutions(run, [_resolution("a"), _resolution("b")])
            store.hold(run, [_HOLD, _DATED, _RECORD])
        counted = {
            "collisions": 2,
            "holds": 2,
            "quarantined": 1,
            "marketo:update:applied": 1,
            "marketo:update:planned": 2,
            "dynamics:create:planned": 1,
        }
        expect(dict(store.totals(run)), counted, "totals()")
        standing = {"collisions": 0, "holds": 2, "quarantined": 1}
        expect(dict(store.totals(other)), standing, "totals() of the other run")


FINDING_CHECKS: Final[tuple[StoreCheck, ...]] = (
    _collision_whole,
    _collisions,
    _dropped,
    _hold_whole,
    _attempts,
    _hold_pages,
    _released,
    _totals,
)
