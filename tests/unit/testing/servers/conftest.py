"""What the tests of the servers may ask for."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from mkdyn.testing import FakeMarketo
from mkdyn.testing.servers.marketo import MarketoServer

from .calling import Caller


@pytest.fixture
def fake() -> FakeMarketo:
    """A new instance."""
    return FakeMarketo()


@pytest.fixture
async def caller(fake: FakeMarketo) -> AsyncIterator[Caller]:
    """Somebody who may do everything there."""
    caller = Caller(MarketoServer(fake))
    async with caller.http:
        yield caller
