"""The contact of an opportunity, by REST."""

from __future__ import annotations

from typing import Any

import pytest

from mkdyn import Entity
from mkdyn.testing import FakeMarketo
from tests.unit.engine.world import World

from .instance import served

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend(jumping: tuple[str, dict[str, Any]]) -> tuple[str, dict[str, Any]]:
    """Waits pass at once."""
    return jumping


async def test_roles_are_written_by_rest() -> None:
    """Made, passed on and removed, in Marketo's own words."""
    fake = FakeMarketo()
    async with served(fake=fake) as (connector, _):
        world = await World.of(Entity.CONTACT, Entity.OPPORTUNITY, marketo=connector)
        first, second = (world.dynamics.create("contact", lastname=name) for name in ("Lovelace", "Babbage"))
        deal = world.dynamics.create("opportunity", name="Engine", parentcontactid=first)
        for contact in (first, second, None):
            world.dynamics.edit("opportunity", deal, parentcontactid=contact)
            report = await world.rest()
            people = [] if contact is None else [int(world.link(Entity.CONTACT, contact).marketo)]
            assert (report.ended, [role.values["leadId"] for role in fake.records("opportunityRole")]) == (
                "done",
                people,
            )
