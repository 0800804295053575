"""How near `RestMarketo` comes to what Marketo's limits allow, by a server that keeps them at half a second a call.

Time is virtual, so a figure says nothing of the machine: 1,500 persons a second are a hundred calls of three hundred in
any twenty seconds.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from functools import partial
from typing import Final

import anyio
import httpx

from benchmarks.asked import Asked, Found
from benchmarks.marketo_calls import from_dynamics, from_marketo
from benchmarks.marketo_world import BATCH, CALLS_PER_S, URL, breaches_of, connector_to, server_of
from benchmarks.virtual import Case, in_virtual_time
from mkdyn import MarketoBulk
from mkdyn.domain.outcomes import Applied, Update
from mkdyn.testing.servers.in_process import InProcess
from mkdyn.testing.servers.marketo import MarketoServer, Quirks, ServerLimits

_OTHERS_PER_S: Final = 30 / 20
_JOB_S: Final = 300.0
#: How many persons there are: each is written to many times.
_PERSONS_MAX: Final = 30_000


def measure(asked: Asked) -> Found:
    """Return what each case came to; `seconds` and `touched_per_s` are this machine's, of all of them."""
    began = time.perf_counter()
    cases = [
        in_virtual_time(partial(_updates, asked.records)),
        in_virtual_time(partial(_shared_updates, asked.records)),
        in_virtual_time(partial(_backlog, "backlog", Quirks(), max(asked.records // 10, 1))),
        in_virtual_time(
            partial(_backlog, "backlog in small blocks", Quirks(block_entries=BATCH), max(asked.records // 10, 1))
        ),
        in_virtual_time(partial(_filed_updates, min(asked.records, _PERSONS_MAX))),
        in_virtual_time(partial(_filed_backlog, max(asked.records // 10, 1))),
        in_virtual_time(partial(from_dynamics, min(asked.records, _PERSONS_MAX))),
        in_virtual_time(partial(from_marketo, min(asked.records, _PERSONS_MAX))),
    ]
    seconds = time.perf_counter() - began
    return {
        "name": "marketo",
        "records": asked.records,
        "fields": 1,
        "touched": asked.records,
        "seconds": round(seconds, 1),
        "touched_per_s": round(sum(case.records for case in cases) / seconds, 1),
        "cases": [case.found() for case in cases],
    }


async def _write(
    server: MarketoServer, client: httpx.AsyncClient, records: int, bulk: MarketoBulk | None = None
) -> float:
    """Update persons, and see that they are; return how long it took."""
    keys = [record.key for record in server.fake.records("lead")]
    connector, written = connector_to(client, bulk), 0
    await connector.describe("lead")
    began = anyio.current_time()
    while written < records:
        part = keys[: records - written]
        title = f"title {written}"
        outcomes = await connector.write("lead", [Update(key=key, values={"title": title}) for key in part])
        assert all(isinstance(outcome, Applied) for outcome in outcomes), "an update was not carried out"
        shown = {record.key: record.values["title"] for record in server.fake.records("lead")}
        assert all(shown[key] == title for key in part), "an update is lost"
        written += len(part)
    return anyio.current_time() - began


async def _updates(records: int) -> Case:
    server = server_of(min(records, _PERSONS_MAX))
    async with httpx.AsyncClient(transport=InProcess(server)) as client:
        seconds = await _write(server, client, records)
    return Case(
        name="updates",
        records=records,
        seconds=seconds,
        ceiling_per_s=CALLS_PER_S * BATCH,
        calls=server.arrivals["leads.sync"],
        minimum_calls=math.ceil(records / BATCH),
        breaches=breaches_of(server),
    )


async def _filed_updates(records: int) -> Case:
    """Update persons where files are to save calls: reckoned with, and done, in five minutes each."""
    bulk = MarketoBulk(job_s=_JOB_S)
    server = server_of(records, ServerLimits(job_s=_JOB_S))
    async with httpx.AsyncClient(transport=InProcess(server)) as client:
        seconds = await _write(server, client, records, bulk)
    files = server.arrivals["bulk.leads"]
    return Case(
        name="updates in files",
        records=records,
        seconds=seconds,
        ceiling_per_s=round(records / _JOB_S, 1),
        calls=sum(count for call, count in server.arrivals.items() if call == "leads.sync" or call.startswith("bulk.")),
        # Each is handed in, and looked at once; without any, there are only calls.
        minimum_calls=2 * files or math.ceil(records / BATCH),
        breaches=breaches_of(server),
        without_files=math.ceil(records / BATCH),
    )


async def _shared_updates(records: int) -> Case:
    """Write while another client, of whom ours is not told, takes 30 calls of each window."""
    server = server_of(min(records, _PERSONS_MAX))
    sent: list[bool] = []
    async with httpx.AsyncClient(transport=InProcess(server)) as client, anyio.create_task_group() as tasks:
        tasks.start_soon(_another, client, sent)
        seconds = await _write(server, client, records)
        tasks.cancel_scope.cancel()
    refused = sent.count(False)
    return Case(
        name="updates beside another client",
        records=records,
        seconds=seconds,
        ceiling_per_s=(CALLS_PER_S - _OTHERS_PER_S) * BATCH,
        calls=server.arrivals["leads.sync"],
        minimum_calls=math.ceil(records / BATCH),
        breaches=breaches_of(server) - refused,
        shared={"calls": len(sent), "refused": refused},
    )


async def _another(client: httpx.AsyncClient, sent: list[bool]) -> None:
    """Ask for something at an even pace, whatever is answered."""
    asked = {"grant_type": "client_credentials", "client_id": "other", "client_secret": "other"}
    token = (await client.get(f"{URL}/identity/oauth/token", params=asked)).json()["access_token"]

    async def ask() -> None:
        answer = await client.get(f"{URL}/rest/v1/stats/usage.json", headers={"Authorization": f"Bearer {token}"})
        sent.append(bool(answer.json()["success"]))

    async with anyio.create_task_group() as tasks:
        while True:
            tasks.start_soon(ask)
            await anyio.sleep(1 / _OTHERS_PER_S)


async def _backlog(name: str, quirks: Quirks, records: int) -> Case:
    """Read who changed, one a second, and what they show now.

    The server searches its log in blocks, for changes and once more for deletions, of which there are none: that takes
    a call for each block.
    """
    server = server_of(records, quirks=quirks)
    seconds = await _catch_up(server)
    return Case(
        name=name,
        records=records,
        seconds=seconds,
        ceiling_per_s=CALLS_PER_S / 2 * BATCH,
        calls=server.arrivals.total(),
        minimum_calls=2 * math.ceil(records / BATCH),
        breaches=breaches_of(server),
    )


async def _filed_backlog(records: int) -> Case:
    """Read the same where files are to save calls: reckoned with, and done, in five minutes each.

    Who changed is read then; that is as fast as calls may be.
    """
    server = server_of(records, ServerLimits(job_s=_JOB_S))
    seconds = await _catch_up(server, MarketoBulk(job_s=_JOB_S))
    files, reads = server.arrivals["bulk.activities.export.create"], math.ceil(records / BATCH)
    return Case(
        name="backlog in files",
        records=records,
        seconds=seconds,
        ceiling_per_s=round(records / (_JOB_S + reads / CALLS_PER_S), 1),
        calls=server.arrivals.total(),
        # Each is made, queued, looked at once, and fetched; without any, there are only calls.
        minimum_calls=reads + (4 * files or reads),
        breaches=breaches_of(server),
        without_files=2 * reads,
    )


async def _catch_up(server: MarketoServer, bulk: MarketoBulk | None = None) -> float:
    """Have each person change, one a second, and read who did, and what they show; return how long it took."""
    keys = [record.key for record in server.fake.records("lead")]
    async with httpx.AsyncClient(transport=InProcess(server)) as client:
        connector = connector_to(client, bulk)
        async with connector.changes("lead", fields=["title"], since=None) as pages:
            cursor = [page async for page in pages][-1].cursor
        for key in keys:
            server.fake.advance(1)
            server.fake.edit("lead", key, title="changed")
        server.arrivals.clear()
        began = anyio.current_time()
        told, shown = set[str](), 0
        async with anyio.create_task_group() as tasks:

            async def read(part: Sequence[str]) -> None:
                nonlocal shown
                found = await connector.read("lead", part, fields=["title"])
                shown += sum(record.values["title"] == "changed" for record in found.values())

            async with connector.changes("lead", fields=["title"], since=cursor) as pages:
                waiting = list[str]()
                async for page in pages:
                    fresh = {entry.key for entry in page.entries} - told
                    told |= fresh
                    waiting += sorted(fresh)
                    while len(waiting) >= BATCH:
                        tasks.start_soon(read, waiting[:BATCH])
                        del waiting[:BATCH]
                tasks.start_soon(read, waiting)
        seconds = anyio.current_time() - began
    assert shown == len(told) == len(keys), "a change was not told, or not shown"
    return seconds
