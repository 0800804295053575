"""Servers of other processes, as the command line names them."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

import attrs

from mkdyn.cli.demo.systems import SERVED_ORGANIZATIONS
from mkdyn.domain import System
from mkdyn.errors import ConfigError

_SERVE: Final = "Start it by mkdyn serve, and give the URL that it prints, as in http://127.0.0.1:8701."


@attrs.frozen(kw_only=True)
class Addresses:
    """Where both systems are served, and what to prove oneself with there.

    Attributes:
        marketo_url: Where Marketo is.
        marketo_client_id: What to ask for a token with there.
        marketo_client_secret: The same.
        dynamics_url: Where Dynamics is, and where its tokens come from.
        dynamics_tenant_id: The tenant.
        dynamics_client_id: What to ask for a token with there.
        dynamics_client_secret: The same.
    """

    marketo_url: str
    marketo_client_id: str
    marketo_client_secret: str = attrs.field(repr=False)
    dynamics_url: str
    dynamics_tenant_id: str
    dynamics_client_id: str
    dynamics_client_secret: str = attrs.field(repr=False)


def addresses_of(
    *,
    marketo_url: str | None,
    marketo_client_id: str,
    marketo_client_secret: str | None,
    dynamics_url: str | None,
    dynamics_tenant_id: str,
    dynamics_client_id: str,
    dynamics_client_secret: str | None,
) -> Addresses | None:
    """Return what the command line says; None where it names no server.

    Raises:
        ConfigError: One is missing, is none of this machine's, or its secret is not known.
    """
    if marketo_url is None and dynamics_url is None:
        return None
    return Addresses(
        marketo_url=_address("--marketo-url", marketo_url),
        marketo_client_id=marketo_client_id,
        marketo_client_secret=_secret(System.MARKETO, marketo_client_secret),
        dynamics_url=_address("--dynamics-url", dynamics_url),
        dynamics_tenant_id=dynamics_tenant_id,
        dynamics_client_id=dynamics_client_id,
        dynamics_client_secret=_secret(System.DYNAMICS, dynamics_client_secret),
    )


def _address(option: str, url: str | None) -> str:
    if url is None:
        raise ConfigError(f"{option} is missing: both systems are served, or none.", what_to_do=_SERVE)
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme != "http" or parts.hostname not in SERVED_ORGANIZATIONS[System.MARKETO] or port is None:
        raise ConfigError(
            f"{option} {url}: it is no server of this machine, and the demo changes and deletes records.",
            what_to_do=_SERVE,
        )
    return f"http://{parts.netloc.rpartition('@')[2]}"


def _secret(system: System, secret: str | None) -> str:
    if not secret:
        name = system.value
        raise ConfigError(
            f"{system}'s client secret is not known.",
            what_to_do=f"Set {name.upper()}_CLIENT_SECRET to what mkdyn serve {name} printed, or give "
            f"--{name}-client-secret.",
        )
    return secret
