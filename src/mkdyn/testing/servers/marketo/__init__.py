"""Marketo's REST API on the wire, in front of `FakeMarketo`: what is asked, by whom, and how often, is checked.

    server = MarketoServer(fake)                      # an ASGI application
    async with httpx.AsyncClient(transport=InProcess(server), base_url="https://123-abc-456.mktorest.com") as client:
        ...

or on a port, by `mkdyn serve marketo` or `mkdyn.testing.servers.loopback`. It speaks to any Marketo client.
"""

from mkdyn.testing.servers.faults import Drop as Drop, Fail as Fail, Garble as Garble, Slow as Slow
from mkdyn.testing.servers.marketo.app import MarketoServer as MarketoServer
from mkdyn.testing.servers.marketo.faults import (
    Refuse as Refuse,
    Repeat as Repeat,
    RepeatRows as RepeatRows,
    WireFault as WireFault,
)
from mkdyn.testing.servers.marketo.settings import (
    Quirks as Quirks,
    ServerLimits as ServerLimits,
    Service as Service,
)
