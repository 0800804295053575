"""Runs with nothing to do, over all six entities and a custom one: the calls they cost, and the time.

Everything is linked by a first sync through the engine, and a second run takes in the entries of our own writes. Then
each idle run opens the state file anew, as a scheduled job does. The walk is on, as it is by default.
"""

from __future__ import annotations

import gc
import statistics
import tempfile
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Final

import anyio

from benchmarks.asked import Asked, Found
from benchmarks.workload import Workload
from mkdyn import CustomEntity, Entity, NewField, Pick, Report, SqliteStore, Synchronizer, System
from mkdyn.domain import AnyEntity, FieldSpec
from mkdyn.domain.entities import PERSONS
from mkdyn.domain.feeds import Cursor
from mkdyn.testing import FakeDynamics, FakeMarketo

_RUNS: Final = 5
_FEWEST: Final = 10  # one of each
_CUSTOM: Final = CustomEntity("new_subscription")
_STANDARD: Final = (Entity.USER, Entity.TEAM, Entity.ACCOUNT, Entity.OPPORTUNITY)

#: How many of a hundred records are of an entity; the others are leads.
_SHARES: Final[Mapping[AnyEntity, int]] = {
    Entity.USER: 1,
    Entity.TEAM: 1,
    Entity.ACCOUNT: 10,
    Entity.OPPORTUNITY: 8,
    _CUSTOM: 10,
    Entity.CONTACT: 40,
}


def measure(asked: Asked) -> Found:
    """Return what an idle run costs: the most calls, and the median of the seconds."""
    with tempfile.TemporaryDirectory() as folder:
        return anyio.run(_measure, max(asked.records, _FEWEST), max(asked.fields, 3), Path(folder) / "state.db")


async def _measure(records: int, fields: int, path: Path) -> Found:
    marketo, dynamics = FakeMarketo(), FakeDynamics()
    workload = Workload(records, fields - 1, touched=0)
    counts = _populate(dynamics, marketo, workload)
    gc.freeze()  # the systems' records are no garbage, and would not be in this process: nobody looks through them
    async with Synchronizer(marketo=marketo, dynamics=dynamics, store=SqliteStore(path)) as sync:
        await sync.fields.select_defaults(*_STANDARD)
        await sync.fields.select(*(pick for entity in PERSONS for pick in _picks(entity, workload)))
        await sync.fields.select(Pick(_CUSTOM, "new_name", marketo=NewField("Name")))
        start = time.perf_counter()
        first = await sync.run()
        first_seconds = time.perf_counter() - start
        drained = await sync.run()
    _expect(first, writes=records)
    _expect(drained, writes=0)
    gc.freeze()
    runs = [await _idle(marketo, dynamics, path) for _ in range(_RUNS)]
    seconds = [found for found, _ in runs]
    worst = max((report for _, report in runs), key=lambda report: sum(report.calls.values()))
    return {
        "name": "idle",
        "records": records,
        "fields": fields,
        "touched": 0,
        "seconds": round(statistics.median(seconds), 3),
        "touched_per_s": 0,
        "calls": sum(worst.calls.values()),
        "calls_by_system": {system.value: calls for system, calls in worst.calls.items()},
        "planned": sum(report.operations.total for _, report in runs),
        "seconds_worst": round(max(seconds), 3),
        "runs": _RUNS,
        "first_seconds": round(first_seconds, 3),
        "records_by_entity": {str(entity): count for entity, count in counts.items()},
    }


def _picks(entity: Entity, workload: Workload) -> Iterable[Pick]:
    """Return a person's fields: the e-mail address, by which persons are matched, and the workload's."""
    yield Pick(entity, "emailaddress1")
    yield from (Pick(entity, pair.dynamics, marketo=pair.marketo) for pair in workload.pairs)


def _populate(dynamics: FakeDynamics, marketo: FakeMarketo, workload: Workload) -> Mapping[AnyEntity, int]:
    """Fill Dynamics, and give both systems the fields there are none of yet; return how many records of what."""
    dynamics.add_table(_CUSTOM.logical_name, [FieldSpec(name="new_name", type="text", length=100)])
    for column in workload.dynamics_columns():
        for entity in PERSONS:
            dynamics.add_column(entity.logical_name, column)
    for field in workload.marketo_fields():
        marketo.add_field("lead", field)
    counts = {entity: max(workload.records * share // 100, 1) for entity, share in _SHARES.items()}
    counts[Entity.LEAD] = workload.records - sum(counts.values())
    users = [dynamics.create("systemuser", lastname=f"User {number}") for number in range(counts[Entity.USER])]
    for number in range(counts[Entity.TEAM]):
        dynamics.create("team", name=f"Team {number}")
    accounts = [
        dynamics.create("account", name=f"Company {number}", numberofemployees=number % 10_000, revenue=Decimal(number))
        for number in range(counts[Entity.ACCOUNT])
    ]
    for number in range(counts[Entity.OPPORTUNITY]):
        account, user = accounts[number % len(accounts)], users[number % len(users)]
        dynamics.create("opportunity", name=f"Order {number}", parentaccountid=account, ownerid=user)
    for number in range(counts[_CUSTOM]):
        dynamics.create(_CUSTOM.logical_name, new_name=f"Subscription {number}")
    number = 0
    for entity in PERSONS:
        for _ in range(counts[entity]):
            number += 1
            name, email = f"Last {number}", f"person{number}@example.com"
            dynamics.create(entity.logical_name, lastname=name, emailaddress1=email, **workload.dynamics(number))
    return counts


def _walk_contacts(path: Path) -> None:
    """Let the walk go on with contacts, which have the most fields to compare."""
    store = SqliteStore(path)
    with store.transaction():
        store.set_cursor("walk", Cursor(token=f"{Entity.CONTACT.logical_name}:0", at=datetime(2026, 1, 1, tzinfo=UTC)))
    store.close()


async def _idle(marketo: FakeMarketo, dynamics: FakeDynamics, path: Path) -> tuple[float, Report]:
    """Run once more, as another process would; the seconds include opening the file."""
    told: dict[System, list[str]] = {System.MARKETO: [], System.DYNAMICS: []}
    marketo.between_calls[:] = [told[System.MARKETO].append]
    dynamics.between_calls[:] = [told[System.DYNAMICS].append]
    _walk_contacts(path)
    async with Synchronizer(marketo=marketo, dynamics=dynamics, store=SqliteStore(path)) as sync:
        start = time.perf_counter()
        report = await sync.run()
        seconds = time.perf_counter() - start
    _expect(report, writes=0)
    walked = [name for names in told.values() for name in names if name.startswith("read")]
    if walked != ["read lead", "read contact"] or report.calls != {name: len(calls) for name, calls in told.items()}:
        raise RuntimeError(
            f"the systems were called otherwise than the run says, or the walk is: {told}, {report.calls}"
        )
    return seconds, report


def _expect(report: Report, *, writes: int) -> None:
    """See that a run ended well and planned just so many writes."""
    if report.ended != "done" or report.operations.total != writes:
        raise RuntimeError(f"{report} is not what was to be done: {writes} writes")
