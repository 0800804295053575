"""The Marketo that `benchmarks.marketo` measures against: its limits kept, half a second a call."""

from __future__ import annotations

from typing import Final

import httpx

from mkdyn import MarketoBulk, MarketoLimits, RestMarketo
from mkdyn.testing import FakeMarketo
from mkdyn.testing.servers.marketo import MarketoServer, Quirks, ServerLimits, Service

URL: Final = "https://123-abc-456.mktorest.com"
#: How many persons a call takes, or tells of.
BATCH: Final = 300
CALLS_PER_S: Final = 100 / 20
_LATENCY_S: Final = 0.5
_BREACHES: Final = ("606", "607", "615")
#: Another client of the same instance.
_OTHER: Final = Service(client_id="other", client_secret="other", user="other@example.com")  # noqa: S106 - a fake's


def server_of(persons: int, limits: ServerLimits | None = None, quirks: Quirks | None = None) -> MarketoServer:
    """Return a server in front of as many persons."""
    fake = FakeMarketo()
    for number in range(persons):
        fake.create("lead", lastName=f"Person {number}")
    return MarketoServer(fake, services=[Service(), _OTHER], limits=limits, quirks=quirks, latency_s=_LATENCY_S)


def connector_to(client: httpx.AsyncClient, bulk: MarketoBulk | None = None) -> RestMarketo:
    """Return a connector to which all of the quota is given."""
    ours = Service()
    return RestMarketo(
        URL,
        client_id=ours.client_id,
        client_secret=ours.client_secret,
        limits=MarketoLimits(share=1.0),
        client=client,
        bulk=bulk,
    )


def breaches_of(server: MarketoServer) -> int:
    """Return how many calls were refused for the limits."""
    return sum(server.instance.codes[code] for code in _BREACHES)
