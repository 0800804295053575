"""A server on a port of this machine, in a thread of its own, as long as it is needed.

with loopback(MarketoServer(fake)) as url:
    ...
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import attrs
import uvicorn

HOST: Final = "127.0.0.1"
_STOPPING_S: Final = 10.0
#: Longer than any address that a vendor takes: that one is too long, the application says.
_HEAD_BYTES: Final = 200_000


@attrs.frozen(kw_only=True)
class Certificate:
    """What a server on https shows.

    Attributes:
        chain: The file with its certificate, and those it follows from.
        key: The file with its private key.
    """

    chain: Path
    key: Path

    def check(self) -> None:
        """Read both files.

        Raises:
            OSError: One is not there, or is none, or they don't belong together.
        """
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(self.chain, self.key)


def config(app: Any, certificate: Certificate | None = None) -> uvicorn.Config:  # noqa: ANN401 - uvicorn takes any ASGI application
    """Return how an application is served: it makes its own headers, and logs nothing that people may see."""
    return uvicorn.Config(
        app,
        log_level="critical",
        access_log=False,
        date_header=False,
        server_header=False,
        lifespan="off",
        h11_max_incomplete_event_size=_HEAD_BYTES,
        ssl_certfile=None if certificate is None else certificate.chain,
        ssl_keyfile=None if certificate is None else certificate.key,
    )


def listen(port: int) -> socket.socket:
    """Return a socket on a port of this machine; 0 is a free one.

    Raises:
        OSError: The port is taken.
    """
    # named as TCP, so that asyncio lets small answers go at once; else each waits 40 ms for an acknowledgement
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except OSError:
        listener.close()
        raise
    listener.listen(128)
    return listener


def address(listener: socket.socket, certificate: Certificate | None = None) -> str:
    """Return the URL of what is served there."""
    return f"{'http' if certificate is None else 'https'}://{HOST}:{listener.getsockname()[1]}"


@contextmanager
def loopback(
    app: Any,  # noqa: ANN401 - uvicorn takes any ASGI application
    *,
    port: int = 0,
    certificate: Certificate | None = None,
) -> Generator[str]:
    """Serve an application; the URL.

    Args:
        app: An ASGI application.
        port: Where; 0 is a free port.
        certificate: What it shows on https; without one, it is on http.

    Raises:
        OSError: The port is taken.
    """
    server = uvicorn.Server(config(app, certificate))
    with listen(port) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            yield address(listener, certificate)
        finally:
            server.should_exit = True
            thread.join(_STOPPING_S)
