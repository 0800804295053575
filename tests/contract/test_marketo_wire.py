"""`RestMarketo` keeps every promise of a connector over the wire: in process, and on a port."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mkdyn.testing import FakeMarketo
from mkdyn.testing.contracts import MARKETO_CHECKS, MarketoCheck
from mkdyn.testing.servers.loopback import loopback
from mkdyn.testing.servers.marketo import MarketoServer, Quirks

from .complaints import complaint
from .marketo_wire import FILED, PATIENT, in_process, on_a_port

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def port() -> Iterator[tuple[str, MarketoServer]]:
    """A server on a port, for all checks: they tell their own records from everybody else's."""
    server = MarketoServer(FakeMarketo(empty_pages="sometimes"), limits=PATIENT, quirks=Quirks(block_entries=200))
    with loopback(server) as url:
        yield url, server


@pytest.mark.parametrize("check", MARKETO_CHECKS, ids=str)
async def test_in_process(check: MarketoCheck) -> None:
    """The promise is kept; a check that is skipped would be no check."""
    async with in_process() as bench:
        assert await complaint(check, bench) is None


@pytest.mark.parametrize("check", MARKETO_CHECKS, ids=str)
async def test_with_files(check: MarketoCheck) -> None:
    """The same, where updates go in files."""
    async with in_process(bulk=FILED) as bench:
        assert await complaint(check, bench) is None


@pytest.mark.parametrize("check", MARKETO_CHECKS, ids=str)
async def test_on_a_port(check: MarketoCheck, port: tuple[str, MarketoServer]) -> None:
    """The same, through sockets."""
    async with on_a_port(*port) as bench:
        assert await complaint(check, bench) is None
