"""Two populated systems meet: what is clear is linked, what is not is set aside, nothing is made twice.

MKDYN_PEOPLE=10000 makes it as large as a first sync is told to be; the default is a tenth.
"""

from __future__ import annotations

import os
import random

import pytest

from mkdyn import Entity, Guard, Rules
from mkdyn.domain import Guards
from tests.unit.engine.world import World

pytestmark = pytest.mark.anyio

PEOPLE = int(os.environ.get("MKDYN_PEOPLE", "1000"))
#: Of ten thousand: how many e-mails are how often in Dynamics and in Marketo.
SHARES = {(1, 1): 5_650, (1, 2): 200, (1, 3): 50, (2, 1): 100}


async def _populated(seed: int) -> tuple[World, dict[tuple[int, int], int]]:
    """Return two systems with as many people each, added in any order."""
    counts = {often: share * PEOPLE // 10_000 for often, share in SHARES.items()}
    rows: list[str] = []
    persons: list[str] = []
    for (in_dynamics, in_marketo), count in counts.items():
        for number in range(count):
            email = f"{in_dynamics}-{in_marketo}-{number}@example.com"
            rows += [email] * in_dynamics
            persons += [email] * in_marketo
    rows += [f"d-{number}@example.com" for number in range(PEOPLE - len(rows))]
    persons += [f"m-{number}@example.com" for number in range(PEOPLE - len(persons))]
    chance = random.Random(seed)
    chance.shuffle(rows)
    chance.shuffle(persons)
    world = await World.of(Entity.CONTACT, rules=Rules(guards=Guards(creates_share_max=1_000)))
    for email in rows:
        world.dynamics.create("contact", lastname="A", emailaddress1=email.upper())
    for email in persons:
        world.marketo.create("lead", lastName="A", email=email)
    return world, counts


@pytest.mark.parametrize("seed", [1, 2])
async def test_a_first_match_is_what_its_report_says(seed: int) -> None:
    """In any order of arrival."""
    world, counts = await _populated(seed)
    ambiguous = counts[1, 2] + counts[1, 3] + 2 * counts[2, 1]
    only_here = PEOPLE - counts[1, 1] - ambiguous
    plan = await world.sync.plan()
    assert plan.matches is not None
    found = plan.matches
    assert (found.by_id, found.by_key, found.ambiguous, found.to_create) == (0, counts[1, 1], ambiguous, only_here)
    assert {name: len(keys) for name, keys in found.samples.items()} == {
        "by_key": 20, "ambiguous": min(20, ambiguous), "to_create": 20,
    }  # fmt: skip
    await world.sync.apply(plan, accept=set(Guard))
    assert len(world.live(Entity.CONTACT)) == counts[1, 1] + only_here
    assert len(world.marketo.records("lead")) == PEOPLE + only_here
    assert len(world.dynamics.records("contact")) == PEOPLE
    quarantined = [item async for item in world.sync.journal.quarantine()]
    assert len(quarantined) == ambiguous
    by_email: dict[object, list[str]] = {}
    for person in world.marketo.records("lead"):
        record = world.marketo.record("lead", person.key)
        assert record is not None
        by_email.setdefault(record.values["email"], []).append(person.key)
    for item in quarantined:
        row = world.dynamics.record("contact", item.key)
        assert row is not None
        named = by_email[str(row.values["emailaddress1"]).lower()]
        assert all(key in item.reason for key in named)
    assert (await world.rest()).operations.total == 0
