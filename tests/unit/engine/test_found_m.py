"""What random histories found: writes that arrive late, and what is remembered of them."""

from __future__ import annotations

import pytest

from mkdyn import Entity
from mkdyn.domain.systems import System
from mkdyn.testing import Crash, Crashed, FakeMarketo
from tests.unit.engine.world import World

pytestmark = pytest.mark.anyio


async def test_what_was_heard_before_a_write_is_not_taken_for_it() -> None:
    """An edit is put back, late, over another one: the entry of the first was taken for that write."""
    world = await World.of(Entity.LEAD, marketo=FakeMarketo(settles_after_s=1200))
    link = await world.linked(Entity.LEAD, lastname="A", jobtitle="1")

    def meddle(call: str) -> None:
        if call == "write lead":
            world.marketo.between_calls.clear()
            world.marketo.edit("lead", link.marketo, title="first")

    world.dynamics.edit("lead", link.dynamics, jobtitle="ours")
    world.marketo.between(meddle)
    await world.run()
    world.marketo.inject(Crash(call=world.next_call(System.MARKETO, "write"), when="before", of="write"))
    with pytest.raises(Crashed):
        await world.run()
    world.restart()
    world.marketo.hold_entries()
    world.marketo.edit("lead", link.marketo, title="second")
    await world.run()
    world.marketo.show_entries()
    world.marketo.edit("lead", link.marketo, title="first")  # as our own write does that arrives now
    await world.rest()
    told = {item.collision.marketo async for item in world.sync.journal.collisions()}
    assert "second" in told
    assert world.person(link)["title"] == world.row(link)["jobtitle"]
