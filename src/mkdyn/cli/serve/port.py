"""Put a server on a port of this machine, and say how to reach it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any

import typer
import uvicorn

from mkdyn.errors import ConfigError
from mkdyn.testing.servers.loopback import HOST, config, listen


def serve_on(
    port: int,
    app: Any,  # noqa: ANN401 - any ASGI application
    told: Mapping[str, str],
    *,
    prefix: str,
    addresses: Sequence[str] = ("URL",),
) -> None:
    """Serve an application until somebody stops it, and print its URL and *told* as the settings of a client.

    Args:
        port: Where; 0 is a free port.
        app: The application.
        told: Settings besides the URL.
        prefix: What each setting's name begins with.
        addresses: The settings that hold the URL.

    Raises:
        ConfigError: The port is taken.
    """
    try:
        listener = listen(port)
    except OSError as error:
        raise ConfigError(f"Port {port} can't be used: {error.strerror}.", what_to_do="Give --port another.") from error
    with closing(listener):
        url = f"http://{HOST}:{listener.getsockname()[1]}"
        for name, value in {**dict.fromkeys(addresses, url), **told}.items():
            typer.echo(f"{prefix}{name}={value}")
        uvicorn.Server(config(app)).run(sockets=[listener])
