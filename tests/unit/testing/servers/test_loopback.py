"""A server on a real port of this machine."""

from __future__ import annotations

import socket

import httpx
import pytest

from mkdyn.testing import FakeMarketo
from mkdyn.testing.servers.loopback import loopback
from mkdyn.testing.servers.marketo import Drop, MarketoServer

from .calling import CREDENTIALS, IDENTITY

PATH = "/rest/v1/leads.json"


def test_on_a_port() -> None:
    """Any client can speak to it; what the fake's people do is seen, and the other way about."""
    fake = FakeMarketo()
    fake.create("lead", email="ada@example.com")
    with loopback(MarketoServer(fake)) as url, httpx.Client(base_url=url) as client:
        token = client.get(IDENTITY, params=CREDENTIALS).json()["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"
        found = client.get(PATH, params={"filterType": "email", "filterValues": "ada@example.com"})
        assert len(found.json()["result"]) == 1
        assert client.post(PATH, json={"input": [{"email": "bob@example.com"}]}).json()["success"]
        assert "uvicorn" not in found.headers.get("server", "")
        assert found.headers.get_list("date") == ["Thu, 01 Jan 2026 00:00:00 GMT"]
    assert len(fake.records("lead")) == 2
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)


def test_a_dropped_answer_on_a_port() -> None:
    """The connection is cut in the middle of the answer, and the next call gets a new one."""
    with loopback(MarketoServer(faults=[Drop(call=1)])) as url, httpx.Client(base_url=url) as client:
        with pytest.raises(httpx.RemoteProtocolError):
            client.get(IDENTITY, params=CREDENTIALS)
        assert client.get(IDENTITY, params=CREDENTIALS).status_code == 200


def test_a_port_that_is_taken() -> None:
    """Is told at once."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(OSError, match="in use"), loopback(MarketoServer(), port=port):
            pass
