"""Promise 8: one bad record or field never stops the others; a page that can't be read stops its own feed only."""

from __future__ import annotations

import random

import pytest

from mkdyn.domain.systems import System
from mkdyn.errors import UnreachableError
from mkdyn.testing import Reject
from tests.simulation.history import born, played
from tests.simulation.people import an_edit
from tests.simulation.runs import live
from tests.simulation.start import populate
from tests.simulation.world import World

_TURN = 10
#: Why a field may be held that nobody was told to refuse.
_OWN = {"1003", "bad-email", "too-long", "read-only"}


def _differing(world: World) -> set[tuple[str, str]]:
    """Return the linked fields on which the two systems do not agree: row and Dynamics field."""
    found: set[tuple[str, str]] = set()
    for link in world.links():
        for pair in world.pairs_of(link.entity):
            row = world.dynamics.record(link.entity, link.dynamics)
            person = world.marketo.record(pair.entity.marketo_object, link.marketo)
            assert row is not None
            assert person is not None
            if not pair.lens.agree(row.values[pair.dynamics], person.values[pair.marketo]):
                found.add((link.dynamics, pair.dynamics))
    return found


async def _edited(seed: int) -> tuple[World, random.Random]:
    chance = random.Random(seed)
    world = born(f"seed {seed}", chance, walks=True, batch_max=2)
    await populate(world, chance)
    return world, chance


async def _go_on(world: World, chance: random.Random) -> None:
    for _ in range(30):
        await an_edit(world, chance)
    for _ in range(_TURN):
        await live(world, world.sync.run, minutes=20)


@pytest.mark.parametrize("seed", range(8))
def test_a_refused_record_stops_no_other(seed: int) -> None:
    """While a system refuses one record, or one field, every other comes to agreement."""

    async def play() -> None:
        world, chance = await _edited(seed)
        fake = chance.choice([world.marketo, world.dynamics])
        bad = chance.choice([link for link in world.links() if link.entity in ("lead", "contact")])
        field = None
        if chance.random() < 0.5:
            pair = chance.choice([pair for pair in world.pairs_of(bad.entity) if pair.dynamics == "jobtitle"])
            field = pair.dynamics if fake.system is System.DYNAMICS else pair.marketo
        fake.inject(Reject(key=bad.key(fake.system), field=field, code="rejected"))
        await _go_on(world, chance)
        aside = {item.key for _, item in world.store.quarantine(None, after=0, limit=1_000)}
        held = {(hold.key, hold.field) for _, hold in world.store.holds(None, after=0, limit=1_000)}
        for row, name in _differing(world):
            assert row in aside or (row, name) in held, (row, name)
            codes = [hold.code for _, hold in world.store.holds(None, after=0, limit=1_000) if hold.key == row]
            assert row == bad.dynamics or set(codes) & _OWN or row in aside
            if field is not None and row == bad.dynamics:
                assert name == "jobtitle" or (row, name) in held

    played(play)


@pytest.mark.parametrize("seed", range(4))
def test_an_unreadable_feed_stops_alone(seed: int) -> None:
    """Leads' feed can't be read: contacts come to agreement all the same, and leads once it can."""

    async def play() -> None:
        world, chance = await _edited(seed)

        def unreadable(call: str) -> None:
            if call == "changes lead":
                raise UnreachableError("This page can't be read.")

        world.dynamics.between(unreadable)
        await _go_on(world, chance)
        leads = {link.dynamics for link in world.links() if link.entity == "lead"}
        held = {(hold.key, hold.field) for _, hold in world.store.holds(None, after=0, limit=1_000)}
        aside = {item.key for _, item in world.store.quarantine(None, after=0, limit=1_000)}
        assert {place for place in _differing(world) - held if place[0] not in leads | aside} == set()
        world.dynamics.between_calls.remove(unreadable)
        for _ in range(3):
            await live(world, world.sync.run, minutes=20)
        held = {(hold.key, hold.field) for _, hold in world.store.holds(None, after=0, limit=1_000)}
        aside = {item.key for _, item in world.store.quarantine(None, after=0, limit=1_000)}
        assert {place for place in _differing(world) - held if place[0] not in aside} == set()

    played(play)
