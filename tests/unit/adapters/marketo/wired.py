"""An instance on the wire, in this process: the server in front of a fake, and our connector."""

from __future__ import annotations

import httpx

from mkdyn import MarketoLimits, RestMarketo
from mkdyn.testing import FakeMarketo
from mkdyn.testing.servers.in_process import InProcess
from mkdyn.testing.servers.marketo import MarketoServer, Quirks, ServerLimits

URL = "https://123-abc-456.mktorest.com"
SECRET = "canary-of-a-secret"


class Instance:
    """A server with a fake behind it, and a connector that speaks to it."""

    def __init__(self, *, limits: MarketoLimits | None = None, quirks: Quirks | None = None) -> None:
        self.fake = FakeMarketo()
        self.server = MarketoServer(self.fake, limits=ServerLimits(calls_per_window=100), quirks=quirks or Quirks())
        self.client = httpx.AsyncClient(transport=InProcess(self.server))
        self.connector = self.connect(limits=limits or MarketoLimits(share=1.0))

    def connect(self, *, limits: MarketoLimits, secret: str = "secret") -> RestMarketo:  # noqa: S107 - our own
        """Return another connector to the same instance."""
        return RestMarketo(URL, client_id="mkdyn", client_secret=secret, limits=limits, client=self.client)
