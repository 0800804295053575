"""Time that passes when everybody waits."""

from __future__ import annotations

from typing import Any

import pytest
import trio.testing

from .instance import Instance


@pytest.fixture
def jumping() -> tuple[str, dict[str, Any]]:
    """An event loop whose clock jumps to when the next thing happens."""
    return "trio", {"clock": trio.testing.MockClock(autojump_threshold=0)}


@pytest.fixture
def instance() -> Instance:
    """An instance that answers as it is told."""
    return Instance()
