"""Fixtures for pytest: `pytest_plugins = ["mkdyn.testing.pytest_plugin"]` in your conftest.

The only module of mkdyn that imports pytest.
"""

from __future__ import annotations

import pytest

from mkdyn.testing.scenario import Scenario


@pytest.fixture
def scenario() -> Scenario:
    """Lend two fake systems in agreement, with the standard mapping selected."""
    return Scenario()
