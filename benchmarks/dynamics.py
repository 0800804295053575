"""How near `RestDynamics` comes to what service protection allows, by a server that keeps it at 50 ms a written row.

Time is virtual, so a figure says nothing of the machine. In any five minutes a user may have Dynamics work for 1,200
seconds: 80 rows a second. Pages are read one after the other, since each names the next: that is their ceiling.
"""

from __future__ import annotations

import math
import time
from functools import partial
from typing import Final

import anyio
import httpx

from benchmarks.asked import Asked, Found
from benchmarks.virtual import Case, in_virtual_time
from mkdyn import ClientCredentials, RestDynamics
from mkdyn.domain.outcomes import Applied, Update
from mkdyn.testing import FakeDynamics
from mkdyn.testing.servers.dynamics import Application, DynamicsServer, ServerLimits, Work
from mkdyn.testing.servers.in_process import InProcess

_URL: Final = "https://acme.crm4.dynamics.com"
_WRITE_ROW_S: Final = 0.05
_WRITTEN_PER_S: Final = 1_200 / 300 / _WRITE_ROW_S
_READ_ROW_S: Final = 0.0002
_PAGE: Final = 5_000
_BATCH_MAX: Final = 1_000
_MINUTE_S: Final = 60.0
#: How many rows are read for each that is written.
_READ_EACH: Final = 10
_REFUSED: Final = 429


def measure(asked: Asked) -> Found:
    """Return what each case came to; `seconds` and `touched_per_s` are this machine's, of all of them."""
    began = time.perf_counter()
    updates, late = in_virtual_time(partial(_updates, asked.records))
    rows = in_virtual_time(partial(_rows, asked.records * _READ_EACH))
    seconds = time.perf_counter() - began
    return {
        "name": "dynamics",
        "records": asked.records,
        "fields": 1,
        "touched": asked.records,
        "seconds": round(seconds, 1),
        "touched_per_s": round((updates.records + rows.records) / seconds, 1),
        "cases": [{**updates.found(), "breaches_after_a_minute": late}, rows.found()],
    }


class _Line(InProcess):
    """The way to the server, on which answers are counted.

    Attributes:
        refused: When each request was refused for the limits.
        answers: How many there were.
    """

    def __init__(self, server: DynamicsServer) -> None:
        super().__init__(server)
        self.refused: list[float] = []
        self.answers = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await super().handle_async_request(request)
        self.answers += 1
        if response.status_code == _REFUSED:
            self.refused.append(anyio.current_time())
        return response


def _connector(line: httpx.AsyncClient) -> RestDynamics:
    ours = Application()
    token = ClientCredentials(
        tenant="acme.example", client_id=ours.client_id, client_secret=ours.client_secret, login_url=_URL
    )
    return RestDynamics(_URL, token=token, client=line)


async def _updates(records: int) -> tuple[Case, int]:
    """Write rows, each with the version it was seen at; also return how many requests were refused late."""
    fake = FakeDynamics()
    keys = [fake.create("lead", lastname=f"Row {number}") for number in range(records)]
    shown = await fake.read("lead", keys, fields=["lastname"])
    line = _Line(DynamicsServer(fake, work=Work(write_row_s=_WRITE_ROW_S), limits=ServerLimits(parallelism=52)))
    async with httpx.AsyncClient(transport=line) as client:
        connector = _connector(client)
        size = (await connector.identify()).batch_max
        await connector.describe("lead")
        line.answers, began = 0, anyio.current_time()
        for start in range(0, records, size):
            part = keys[start : start + size]
            outcomes = await connector.write(
                "lead", [Update(key=key, values={"jobtitle": "CTO"}, version=shown[key].version) for key in part]
            )
            assert all(isinstance(outcome, Applied) for outcome in outcomes), "an update was not carried out"
        seconds = anyio.current_time() - began
    case = Case(
        name="updates",
        records=records,
        seconds=seconds,
        ceiling_per_s=_WRITTEN_PER_S,
        calls=line.answers,
        minimum_calls=math.ceil(records / _BATCH_MAX),
        breaches=len(line.refused),
    )
    return case, sum(at - began > _MINUTE_S for at in line.refused)


async def _rows(records: int) -> Case:
    """Read a whole table, page by page, as a first sync does."""
    fake = FakeDynamics()
    for number in range(records):
        fake.create("lead", lastname=f"Row {number}")
    line = _Line(DynamicsServer(fake, work=Work(read_row_s=_READ_ROW_S)))
    async with httpx.AsyncClient(transport=line) as client:
        connector = _connector(client)
        await connector.describe("lead")
        line.answers, began, seen = 0, anyio.current_time(), 0
        async with connector.changes("lead", fields=["lastname"], since=None) as pages:
            async for page in pages:
                seen += len(page.records)
        seconds = anyio.current_time() - began
    assert seen == records, "a row was not told, or told twice"
    return Case(
        name="rows",
        records=records,
        seconds=seconds,
        ceiling_per_s=1 / _READ_ROW_S,
        calls=line.answers,
        minimum_calls=math.ceil(records / _PAGE),
        breaches=len(line.refused),
    )
