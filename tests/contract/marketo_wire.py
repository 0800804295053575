"""Benches on Marketo's wire: our connector, the server in front of the fake, and the fake's hands."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import httpx

from mkdyn import MarketoBulk, MarketoLimits, RestMarketo
from mkdyn.adapters.http.retries import Retries
from mkdyn.testing import FakeMarketo
from mkdyn.testing.contracts import FakeMarketoBench
from mkdyn.testing.servers.in_process import InProcess
from mkdyn.testing.servers.marketo import Drop, MarketoServer, Quirks, ServerLimits

URL = "https://123-abc-456.mktorest.com"
#: Checks make many calls, and no clock goes by.
PATIENT = ServerLimits(calls_per_window=100_000, job_s=0.0)
FAST = MarketoLimits(share=1.0, calls_per_20_s=100_000)
#: Every update that a file can carry goes in one, a feed of some pages comes in one, and both are done at once.
FILED = MarketoBulk(rows_min=1, job_s=0.001, poll_s=0.001, batch_max=1)


class WireBench(FakeMarketoBench):
    """The fake's hands, and our connector on the wire in front of it."""

    def __init__(self, server: MarketoServer, connector: RestMarketo) -> None:
        super().__init__(server.fake, connector=connector)
        self.server = server

    async def expire_cursors(self) -> None:
        """Places are times, so they expire as time goes by."""
        self.fake.expire_cursors()
        self.fake.advance(91 * 86_400)

    @asynccontextmanager
    async def unanswered(self, *, applied: bool) -> AsyncGenerator[None]:
        """See `LosesAnswers`: the line breaks."""
        fault = Drop(applied="yes" if applied else "no")
        self.server.faults.append(fault)
        try:
            yield
        finally:
            self.server.faults.remove(fault)


@asynccontextmanager
async def in_process(
    server: MarketoServer | None = None, *, bulk: MarketoBulk | None = None
) -> AsyncGenerator[WireBench]:
    """A bench in this process: small pages, so that feeds have several."""
    server = server or MarketoServer(
        FakeMarketo(empty_pages="sometimes"), limits=PATIENT, quirks=Quirks(block_entries=3)
    )
    async with httpx.AsyncClient(transport=InProcess(server)) as client, _bench(URL, server, client, bulk) as bench:
        yield bench


@asynccontextmanager
async def on_a_port(url: str, server: MarketoServer) -> AsyncGenerator[WireBench]:
    """A bench on a port, where that server is; it fills with the records of other checks."""
    async with httpx.AsyncClient() as client, _bench(url, server, client) as bench:
        yield bench


@asynccontextmanager
async def _bench(
    url: str, server: MarketoServer, client: httpx.AsyncClient, bulk: MarketoBulk | None = None
) -> AsyncGenerator[WireBench]:
    connector = RestMarketo(
        url,
        client_id="mkdyn",
        client_secret="secret",
        limits=FAST,
        client=client,
        overlap_s=10.0,
        retries=Retries(tries_max=2, base_s=0.0),
        bulk=bulk,
    )
    try:
        yield WireBench(server, connector)
    finally:
        await connector.aclose()
