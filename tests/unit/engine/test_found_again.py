"""What once went wrong with records that are gone and back."""

from __future__ import annotations

import pytest

from mkdyn import Entity
from tests.unit.engine.world import World

pytestmark = pytest.mark.anyio


async def test_a_company_that_was_cleared_while_its_account_was_away_is_told() -> None:
    """Marketo had kept the company, because it was in use; the restored account wrote over it without a word."""
    world = await World.of(Entity.ACCOUNT, Entity.CONTACT)
    account = world.dynamics.create("account", name="Acme")
    await world.rest()
    world.dynamics.create("contact", lastname="A", parentcustomerid=account)
    await world.rest()
    world.dynamics.delete("account", account)
    await world.rest()
    world.marketo.edit("company", account, company=None)
    world.dynamics.restore("account", account)
    report = await world.run()
    assert [(found.collision.field, found.collision.marketo) for found in report.collisions] == [("name", None)]
    await world.rest()
    record = world.marketo.record("company", account)
    assert record is not None
    assert record.values["company"] == "Acme"
