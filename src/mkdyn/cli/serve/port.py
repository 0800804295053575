"""Put a server on a port of this machine, and say how to reach it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any

import typer
import uvicorn

from mkdyn.errors import ConfigError
from mkdyn.testing.servers.loopback import Certificate, address, config, listen


def serve_on(
    port: int,
    app: Any,  # noqa: ANN401 - any ASGI application
    told: Mapping[str, str],
    *,
    prefix: str,
    addresses: Sequence[str] = ("URL",),
    certificate: Certificate | None = None,
) -> None:
    """Serve an application until somebody stops it, and print its URL and *told* as the settings of a client.

    Args:
        port: Where; 0 is a free port.
        app: The application.
        told: Settings besides the URL.
        prefix: What each setting's name begins with.
        addresses: The settings that hold the URL.
        certificate: What it shows on https; without one, it is on http.

    Raises:
        ConfigError: The port is taken, or the certificate is none.
    """
    try:
        if certificate is not None:
            certificate.check()
    except OSError as error:
        raise ConfigError(
            f"The certificate can't be used: {error.strerror or error}.",
            what_to_do="Give two files in the form PEM: the certificate, and its private key.",
        ) from error
    try:
        listener = listen(port)
    except OSError as error:
        raise ConfigError(f"Port {port} can't be used: {error.strerror}.", what_to_do="Give --port another.") from error
    with closing(listener):
        url = address(listener, certificate)
        for name, value in {**dict.fromkeys(addresses, url), **told}.items():
            typer.echo(f"{prefix}{name}={value}")
        uvicorn.Server(config(app, certificate)).run(sockets=[listener])
