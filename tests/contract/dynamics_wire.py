"""Benches on Dynamics' wire: our connector, the server in front of the fake, and the fake's hands."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import httpx

from mkdyn import ClientCredentials, RestDynamics
from mkdyn.testing import FakeDynamics
from mkdyn.testing.contracts import FakeDynamicsBench
from mkdyn.testing.servers.dynamics import DynamicsServer
from mkdyn.testing.servers.in_process import InProcess

URL = "https://acme.crm4.dynamics.com"


def credentials(url: str) -> ClientCredentials:
    """Those of the server's own application, which gives its tokens, too."""
    return ClientCredentials(tenant="acme.example", client_id="mkdyn", client_secret="secret", login_url=url)


@asynccontextmanager
async def in_process(server: DynamicsServer | None = None) -> AsyncGenerator[FakeDynamicsBench]:
    """A bench in this process: small pages, so that feeds have several."""
    server = server or DynamicsServer(FakeDynamics())
    async with httpx.AsyncClient(transport=InProcess(server)) as client:
        connector = RestDynamics(URL, token=credentials(URL), client=client, page_size=3)
        try:
            yield FakeDynamicsBench(server.fake, connector=connector)
        finally:
            await connector.aclose()


@asynccontextmanager
async def on_a_port(url: str, fake: FakeDynamics) -> AsyncGenerator[FakeDynamicsBench]:
    """A bench on a port, in front of that fake, which fills with the records of other checks; rows are made together."""
    async with httpx.AsyncClient() as client:
        connector = RestDynamics(url, token=credentials(url), client=client, page_size=200, creates_per_call=50)
        try:
            yield FakeDynamicsBench(fake, connector=connector)
        finally:
            await connector.aclose()
