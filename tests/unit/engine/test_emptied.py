"""A system that is emptied by accident: the guard stops, nothing is sent, and nothing is forgotten."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import pytest

from mkdyn import Entity, Guard, Pick, Rules
from mkdyn.domain import Link, LinkState, Record
from mkdyn.errors import GuardError
from mkdyn.testing import FakeMarketo
from tests.unit.engine.world import World

pytestmark = pytest.mark.anyio


class EmptyMarketo(FakeMarketo):
    """An instance whose companies can't be seen for a while."""

    shows = True

    async def read(self, object: str, keys: Collection[str], /, *, fields: Collection[str]) -> Mapping[str, Record]:
        """See `Connector.read`."""
        found = await super().read(object, keys, fields=fields)
        return found if self.shows else {}


async def _accounts(count: int, marketo: FakeMarketo | None = None) -> World:
    world = World(marketo=marketo, rules=Rules(walk_links=count))
    await world.sync.fields.select(Pick(Entity.ACCOUNT, "name"))
    for number in range(count):
        world.dynamics.create("account", name=str(number))
    await world.run()
    return world


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_ten_thousand_accounts_that_are_gone_stop_the_run() -> None:
    """Nothing is sent; that they were linked is written down here, for making them takes longer than the test."""
    world = await _accounts(0)
    rows = [world.dynamics.create("account", name=str(number)) for number in range(10_000)]
    with world.store.transaction():
        world.store.put_links([Link(entity="account", dynamics=row, marketo=row) for row in rows])
    for row in rows:
        world.dynamics.delete("account", row)
    with pytest.raises(GuardError, match=r"deletes 10,000 of 10,000 accounts \(100.0 %; .*Nothing was sent"):
        await world.run()
    assert (world.marketo.calls_by_name["write"], len(world.live(Entity.ACCOUNT))) == (0, 10_000)


async def test_accounts_that_are_gone_stop_every_run_until_they_are_back() -> None:
    """Once they are restored, it goes on as if nothing had been."""
    world = await _accounts(60)
    writes, gone = world.marketo.calls_by_name["write"], [row.key for row in world.dynamics.records("account")]
    for row in gone:
        world.dynamics.delete("account", row)
    for _ in range(2):
        with pytest.raises(GuardError, match="deletes 60 of 60 accounts"):
            await world.run()
    for row in gone:
        world.dynamics.restore("account", row)
    assert ((await world.run()).ended, world.marketo.calls_by_name["write"]) == ("done", writes)
    assert len(world.live(Entity.ACCOUNT)) == 60


async def test_a_system_that_shows_nothing_stops_every_run_until_it_does() -> None:
    """What was found gone is looked for again at once, not when the walk comes by."""
    marketo = EmptyMarketo()
    world = await _accounts(60, marketo)
    marketo.shows = False
    for _ in range(3):
        with pytest.raises(GuardError, match=r"finds 60 of 60 accounts gone from Marketo \(100.0 %"):
            await world.run()
    assert [breach.guard for breach in (await world.sync.plan()).breaches] == [Guard.GONE]
    marketo.shows = True
    world.restart(Rules(walk_links=1))
    assert (await world.run()).ended == "done"
    assert len(world.live(Entity.ACCOUNT)) == 60


async def test_what_is_gone_for_good_is_accepted_once() -> None:
    """The runs after that go on with the others."""
    marketo = EmptyMarketo()
    world = await _accounts(60, marketo)
    marketo.shows = False
    with pytest.raises(GuardError):
        await world.run()
    await world.sync.apply(await world.sync.plan(), accept={Guard.GONE})
    assert (await world.run()).ended == "warnings"
    assert not world.live(Entity.ACCOUNT)
    links = world.store.links_after("account", 0, 100, states=(LinkState.SUSPENDED,))
    assert len(links) == 60
