"""Fixtures for pytest: `pytest_plugins = ["mkdyn.testing.pytest_plugin"]` in your conftest.

The only module of mkdyn that imports pytest.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mkdyn.testing.scenario import Scenario


@pytest.fixture
def scenario() -> Iterator[Scenario]:
    """Lend two fake systems in agreement, with the standard mapping selected."""
    with Scenario() as found:
        yield found
