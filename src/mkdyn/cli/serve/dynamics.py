"""`mkdyn serve dynamics`: Dynamics' Web API, in front of a Dynamics in memory."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from mkdyn.cli.demo.csv_source import read_crm
from mkdyn.cli.demo.load import load
from mkdyn.cli.demo.systems import new_dynamics
from mkdyn.cli.serve.port import serve_on
from mkdyn.errors import ConfigError
from mkdyn.testing.servers.dynamics import Application, DynamicsServer
from mkdyn.testing.servers.loopback import Certificate

#: Any tenant will do.
_TENANT: Final = "mkdyn-demo"


def serve(
    *,
    port: int,
    data: Path | None,
    client_id: str,
    client_secret: str | None,
    token: str | None,
    certificate: Path | None,
    certificate_key: Path | None,
) -> None:
    """Serve it until somebody stops it.

    Args:
        port: Where; 0 is a free port.
        data: The demo's CSV files, which are loaded into it; without them, it is empty.
        client_id: What to ask for a token with.
        client_secret: The same; without it, one is made up.
        token: A token that is good without anybody asking for it.
        certificate: The file with the certificate that is shown on https; without it, it is served on http.
        certificate_key: The file with its private key.

    Raises:
        ConfigError: The port is taken, or the data or the certificate can't be read.
    """
    if (certificate is None) != (certificate_key is None):
        raise ConfigError("A certificate goes with its key.", what_to_do="Give --certificate and --certificate-key.")
    dynamics = new_dynamics(now=_now)
    if data is not None:
        load(read_crm(data), dynamics)
    application = Application(client_id=client_id, client_secret=client_secret or secrets.token_urlsafe(16))
    server = DynamicsServer(dynamics, applications=[application], tokens=[] if token is None else [token])
    told = {
        "TENANT_ID": _TENANT,
        "CLIENT_ID": application.client_id,
        "CLIENT_SECRET": application.client_secret,
    }
    shown = (
        None if certificate is None or certificate_key is None else Certificate(chain=certificate, key=certificate_key)
    )
    serve_on(port, server, told, prefix="DYNAMICS_", addresses=["URL", "LOGIN_URL"], certificate=shown)


def _now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - the system clock itself: other machines' clocks are near it
