"""Both fakes keep every promise of a connector, and no check is passed over on them."""

from __future__ import annotations

import unittest

import pytest

from mkdyn.testing.contracts import (
    DYNAMICS_CHECKS,
    MARKETO_CHECKS,
    DynamicsCheck,
    FakeDynamicsBench,
    FakeMarketoBench,
    MarketoCheck,
)

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("check", MARKETO_CHECKS, ids=str)
async def test_fake_marketo(check: MarketoCheck) -> None:
    """The fake keeps the promise; a check that is skipped would be no check."""
    try:
        await check(FakeMarketoBench())
    except unittest.SkipTest as missing:
        pytest.fail(f"skipped: {missing}")


@pytest.mark.parametrize("check", DYNAMICS_CHECKS, ids=str)
async def test_fake_dynamics(check: DynamicsCheck) -> None:
    """The fake keeps the promise; a check that is skipped would be no check."""
    try:
        await check(FakeDynamicsBench())
    except unittest.SkipTest as missing:
        pytest.fail(f"skipped: {missing}")
