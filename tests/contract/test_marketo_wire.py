"""`RestMarketo` keeps every promise of a connector over the wire."""

from __future__ import annotations

import pytest

from mkdyn.testing.contracts import MARKETO_CHECKS, MarketoCheck

from .complaints import complaint
from .marketo_wire import in_process

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("check", MARKETO_CHECKS, ids=str)
async def test_in_process(check: MarketoCheck) -> None:
    """The promise is kept; a check that is skipped would be no check."""
    async with in_process() as bench:
        assert await complaint(check, bench) is None
