"""`RestDynamics` keeps every promise of a connector over the wire: in process, and on a port."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mkdyn.testing import FakeDynamics
from mkdyn.testing.contracts import DYNAMICS_CHECKS, DynamicsCheck
from mkdyn.testing.servers.dynamics import DynamicsServer
from mkdyn.testing.servers.loopback import loopback

from .complaints import complaint
from .dynamics_wire import in_process, on_a_port

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def port() -> Iterator[tuple[str, FakeDynamics]]:
    """A server on a port, for all checks: they tell their own records from everybody else's."""
    fake = FakeDynamics()
    with loopback(DynamicsServer(fake)) as url:
        yield url, fake


@pytest.mark.parametrize("check", DYNAMICS_CHECKS, ids=str)
async def test_in_process(check: DynamicsCheck) -> None:
    """The promise is kept; a check that is skipped would be no check."""
    async with in_process() as bench:
        assert await complaint(check, bench) is None


@pytest.mark.parametrize("check", DYNAMICS_CHECKS, ids=str)
async def test_on_a_port(check: DynamicsCheck, port: tuple[str, FakeDynamics]) -> None:
    """The same, through sockets."""
    url, fake = port
    async with on_a_port(url, fake) as bench:
        assert await complaint(check, bench) is None
