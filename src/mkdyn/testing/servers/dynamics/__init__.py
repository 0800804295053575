"""Dataverse's Web API on the wire, backed by a `FakeDynamics`; it needs the extra `testing`.

server = DynamicsServer(FakeDynamics())
client = httpx.AsyncClient(transport=httpx.ASGITransport(server), base_url="https://mkdyn.crm.dynamics.com")
"""

from __future__ import annotations

from mkdyn.testing.servers.dynamics.app import DynamicsServer as DynamicsServer
from mkdyn.testing.servers.dynamics.faults import (
    EmptyPage as EmptyPage,
    ForeignLink as ForeignLink,
    HalfBatch as HalfBatch,
    Refuse as Refuse,
    RepeatRows as RepeatRows,
    WireFault as WireFault,
)
from mkdyn.testing.servers.dynamics.settings import (
    Application as Application,
    Quirks as Quirks,
    ServerLimits as ServerLimits,
    Work as Work,
)
from mkdyn.testing.servers.faults import Drop as Drop, Fail as Fail, Garble as Garble, Slow as Slow

__all__ = [
    "Application",
    "Drop",
    "DynamicsServer",
    "EmptyPage",
    "Fail",
    "ForeignLink",
    "Garble",
    "HalfBatch",
    "Quirks",
    "Refuse",
    "RepeatRows",
    "ServerLimits",
    "Slow",
    "WireFault",
    "Work",
]
