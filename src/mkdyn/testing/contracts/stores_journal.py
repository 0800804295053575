"""What every state store promises of runs and operations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Final

import attrs

from mkdyn.domain.entities import Entity
from mkdyn.domain.plan import Operation, Step
from mkdyn.domain.records import Agreed, LinkState, Twofold
from mkdyn.domain.systems import System
from mkdyn.ports.store import Answer, RunRow, StateStore
from mkdyn.testing.contracts.promises import MakeStore, StoreCheck, expect, promises
from mkdyn.testing.contracts.samples import GUIDS, HOUR, NINE, NINE_ABROAD, VALUES, VISIT, exactly

_UPDATE: Final = Operation(entity=Entity.LEAD, system=System.MARKETO, kind="update", key="100")


def _start(store: StateStore) -> int:
    with store.transaction():
        return store.start_run("run", NINE)


def _add(store: StateStore, run: int, *operations: Operation) -> Sequence[Operation]:
    with store.transaction():
        ids = store.add_operations(run, operations)
    return [attrs.evolve(operation, id=id, run=run) for operation, id in zip(operations, ids, strict=True)]


def _on(*keys: str) -> list[Operation]:
    return [attrs.evolve(_UPDATE, key=key) for key in keys]


def _all(store: StateStore, run: int) -> list[Operation]:
    return list(store.operations(run, after=0, limit=99))


def _keys(operations: Sequence[Operation]) -> str:
    return "".join(operation.key for operation in operations)


@promises("Runs get rising numbers, and end with the last word said.")
def _runs(make_store: MakeStore) -> None:
    with closing(make_store()) as store:
        expect(store.run(1), None, "run() of a new state")
        with store.transaction():
            first = store.start_run("backfill", NINE_ABROAD)
            second = store.start_run("run", NINE)
        expect(0 < first < second, True, "numbers rise")
        begun = RunRow(id=first, purpose="backfill", started_at=NINE)
        expect(store.run(first), begun, "run() of one that is going on")
        facts = {"fetched": 3, "guards": ["clears"], "matches": {"linked": 1}, "note": "ä", "share": 0.5, "none": None}
        with store.transaction():
            store.end_run(first, NINE, "planned", {"fetched": 1})
            store.end_run(first, NINE + HOUR, "warnings", facts)
        ended = attrs.evolve(begun, ended_at=NINE + HOUR, ended="warnings", facts=facts)
        expect(store.run(first), ended, "run() of one that ended twice")
        expect(store.run(second), RunRow(id=second, purpose="run", started_at=NINE), "run() of the other")


@promises("runs() returns plans and runs in order of number, page by page.")
def _run_pages(make_store: MakeStore) -> None:
    with closing(make_store()) as store:
        numbers = [_start(store) for _ in range(3)]
        expect([row.id for row in store.runs(after=0, limit=2)], numbers[:2], "the first page")
        expect([row.id for row in store.runs(after=numbers[1], limit=2)], numbers[2:], "the next page")


@promises("An operation comes back as it was, its values with their types.")
def _operation_whole(make_store: MakeStore) -> None:
    baseline: Mapping[str, Agreed] = {"two": Twofold(None, False), "one": 1}
    step = Step(
        agreed=baseline,
        clears=((System.DYNAMICS, "lead", GUIDS[0], 7), (System.MARKETO, "lead", "100", 8)),
        state=LinkState.TOMBSTONE,
        gone=System.DYNAMICS,
        origin="created",
        covers=True,
    )
    whole = Operation(
        link=5,
        entity=VISIT,
        system=System.DYNAMICS,
        kind="create",
        key=GUIDS[0],
        other="100",
        before=VALUES,
        after=VALUES,
        awaited=baseline,
        version='W/"7"',
        attempt=2,
        because="new in Märketo",
        detail="as a system said: \ud83d",
        step=step,
    )
    with closing(make_store()) as store:
        run = _start(store)
        added = _add(store, run, whole, _UPDATE)
        expect(0 < added[0].id < added[1].id, True, "add_operations() gives rising ids")
        found = _all(store, run)
        expect([attrs.evolve(operation, detail="") for operation in found], _undetailed(added), "operations()")
        expect(exactly(found[0].after), exactly(VALUES), "the values and their types")


def _undetailed(operations: Sequence[Operation]) -> list[Operation]:
    """A system's sentence may have lost half a character."""
    return [attrs.evolve(operation, detail="") for operation in operations]


@promises("operations() returns a run's operations of the system and states asked for, in order of id, page by page.")
def _operation_pages(make_store: MakeStore) -> None:
    with closing(make_store()) as store:
        run, other = _start(store), _start(store)
        [a, b] = _add(store, run, *_on("a", "b"))
        _add(store, other, *_on("x"))
        [c, d] = _add(store, run, attrs.evolve(_UPDATE, key="c", system=System.DYNAMICS), *_on("d"))
        with store.transaction():
            store.answer([Answer(operation=b.id, state="applied"), Answer(operation=c.id, state="rejected")])
        expect(_keys(store.operations(run, after=0, limit=3)), "abc", "the first page")
        expect(_keys(store.operations(run, after=c.id, limit=3)), "d", "the next page")
        expect(_keys(store.operations(run, after=0, limit=9, system=System.MARKETO)), "abd", "those in Marketo")
        expect(_keys(store.operations(run, after=0, limit=9, states=["planned"])), "ad", "those planned")
        several = store.operations(run, after=a.id, limit=9, system=System.MARKETO, states=("planned", "applied"))
        expect(_keys(several), "bd", "those in Marketo, planned or applied, after the first")
        expect([found.id for found in several], [b.id, d.id], "their ids")


@promises("operations_on() returns a run's newest operation on each record, whatever its state.")
def _newest(make_store: MakeStore) -> None:
    with closing(make_store()) as store:
        run, other = _start(store), _start(store)
        _add(store, run, *_on("a", "a", "b"), attrs.evolve(_UPDATE, key="a", system=System.DYNAMICS))
        _add(store, other, *_on("a", "c"))
        with store.transaction():
            store.drop_planned(run)
        first, second, third, _ = _all(store, run)
        expect(first.id < second.id, True, "ids rise")
        found = store.operations_on(run, System.MARKETO, ["a", "b", "c", "none"])
        expect(dict(found), {"a": second, "b": third}, "operations_on()")


@promises("mark_sent() and answer() say where operations stand.")
def _standing(make_store: MakeStore) -> None:
    with closing(make_store()) as store:
        run = _start(store)
        a, b, c = _add(store, run, *_on("a", "b", "c"))
        with store.transaction():
            store.mark_sent({a.id, b.id}, NINE)
        sent = [attrs.evolve(operation, state="sent", sent_at=NINE) for operation in (a, b)]
        expect(_all(store, run), [*sent, c], "operations() after two were sent")
        with store.transaction():
            store.answer(iter([Answer(operation=a.id, state="rejected", detail="1006: field “x” not found")]))
            store.answer([Answer(operation=b.id, state="unknown", detail="no answer")])
            store.mark_sent([b.id], NINE + HOUR)
        rejected = attrs.evolve(sent[0], state="rejected", detail="1006: field “x” not found")
        found = _all(store, run)
        expect(found[0], rejected, "the one that was answered")
        expect((found[1].state, found[1].sent_at), ("sent", NINE + HOUR), "the one that was sent again")


@promises("revise() replaces what an operation writes and remembers, and its state.")
def _revised(make_store: MakeStore) -> None:
    with closing(make_store()) as store:
        run = _start(store)
        a, b = _add(store, run, attrs.evolve(_UPDATE, before={"x": 1, "y": 2}, after={"x": 3, "y": 4}), *_on("b"))
        with store.transaction():
            store.mark_sent([a.id], NINE)
            store.answer([Answer(operation=a.id, state="rejected")])
        revised = attrs.evolve(
            a,
            link=3,
            before={"y": 2},
            after={"y": 4},
            awaited={"y": Twofold(4, "4")},
            because="without x",
            version="v",
            step=Step(agreed={"z": None}, clears=((System.MARKETO, "lead", "100", 9),)),
            state="planned",
        )
        with store.transaction():
            store.revise(revised)
        found = _all(store, run)
        expect(attrs.evolve(found[0], sent_at=None), revised, "the operation that was revised")
        expect(found[1], b, "the other")


@promises("unsettled() and in_flight() find what is sent or unknown in any run.")
def _in_flight(make_store: MakeStore) -> None:
    with closing(make_store()) as store:
        first, second = _start(store), _start(store)
        a, b, _, d = _add(store, first, *_on("a", "b", "c", "d"))
        e, f = _add(store, second, attrs.evolve(_UPDATE, key="e", system=System.DYNAMICS), *_on("f"))
        expect(list(store.unsettled(after=0, limit=9)), [], "unsettled() while all is planned")
        with store.transaction():
            store.mark_sent([a.id, b.id, d.id, e.id, f.id], NINE)
            store.answer([Answer(operation=a.id, state="unknown"), Answer(operation=b.id, state="applied")])
        expect(_keys(store.unsettled(after=0, limit=2)), "ad", "the first page of unsettled()")
        expect(_keys(store.unsettled(after=d.id, limit=9)), "ef", "the next page of unsettled()")
        keys = ["a", "b", "c", "d", "e", "f", "none"]
        expect(store.in_flight(System.MARKETO, keys), {"a", "d", "f"}, "in_flight() in Marketo")
        expect(store.in_flight(System.DYNAMICS, {"a", "e"}), {"e"}, "in_flight() in Dynamics")
        many = {str(number) for number in range(40_000)}
        expect(store.in_flight(System.MARKETO, many), set[str](), "in_flight() of 40,000 other keys")


@promises("drop_planned() drops what is still planned, of one run or of all but backfills.")
def _dropped(make_store: MakeStore) -> None:
    with closing(make_store()) as store:
        first, second = _start(store), _start(store)
        a, _ = _add(store, first, *_on("a", "b"))
        _add(store, second, *_on("c"))
        with store.transaction():
            store.mark_sent([a.id], NINE)
            store.drop_planned(first)
        states = [operation.state for run in (first, second) for operation in _all(store, run)]
        expect(states, ["sent", "dropped", "planned"], "states after dropping the first run's")
        with store.transaction():
            store.drop_planned()
        expect([operation.state for operation in _all(store, second)], ["dropped"], "states after dropping all")
        expect([operation.state for operation in _all(store, first)], ["sent", "dropped"], "the first run's then")
        with store.transaction():
            backfill = store.start_run("backfill", NINE)
        _add(store, backfill, *_on("d"))
        with store.transaction():
            store.drop_planned()
        expect([operation.state for operation in _all(store, backfill)], ["planned"], "a backfill's after dropping all")
        with store.transaction():
            store.drop_planned(backfill)
        expect([operation.state for operation in _all(store, backfill)], ["dropped"], "a backfill's after dropping it")


JOURNAL_CHECKS: Final[tuple[StoreCheck, ...]] = (
    _runs,
    _run_pages,
    _operation_whole,
    _operation_pages,
    _newest,
    _standing,
    _revised,
    _in_flight,
    _dropped,
)
