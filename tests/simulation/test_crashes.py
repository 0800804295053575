"""Promise 6: a crash at any call, then a restart, ends where no crash would, if nobody edits in between."""

from __future__ import annotations

import random

import pytest

from mkdyn.domain import FieldValue
from mkdyn.domain.entities import PERSON
from mkdyn.domain.systems import System
from mkdyn.testing import Crash
from tests.simulation import people
from tests.simulation.history import born, played
from tests.simulation.runs import live
from tests.simulation.start import populate
from tests.simulation.world import World

#: What people do before the run that crashes.
_HANDS = (
    people.an_edit, people.an_edit, people.an_edit_on_both, people.a_row, people.a_person, people.a_promotion,
    people.a_deletion,
)  # fmt: skip
_OURS = frozenset({"dynamicsId", "dynamicsContactId", "createdAt", "updatedAt", "id"})
#: When it was is no matter, only what.
_SERVED = frozenset({"createdon", "modifiedon"})


async def _ended(seed: int, crash: tuple[System, int] | None) -> tuple[World, int]:
    """Live through a history with a crash in its last run, or without one; return how many calls that run made."""
    chance = random.Random(seed)
    world = born(f"seed {seed}", chance, walks=True, batch_max=chance.choice([2, 300]))
    await populate(world, chance)
    for step in chance.choices(_HANDS, k=12):
        await step(world, chance)
    before = world.marketo.calls + world.dynamics.calls
    if crash is not None:
        system, call = crash
        fake = world.fake(system)
        when = chance.choice(["before", "after"])
        fake.inject(Crash(call=fake.calls + call, when=when))  # type: ignore[arg-type]  # one of the two
    await live(world, world.sync.run, minutes=5)
    calls = world.marketo.calls + world.dynamics.calls - before
    for _ in range(14):
        await live(world, world.sync.run, minutes=20)
    return world, calls


def _ending(world: World) -> dict[str, list[dict[str, FieldValue]]]:
    """Return what both systems hold in the end, told by people's names: Marketo numbers persons as they come."""
    names = {person.key: str(person.values["lastName"]) for person in world.marketo.records(PERSON)}
    persons = [
        {
            name: value
            for name, value in person.values.items()
            if name not in _OURS - {"dynamicsId", "dynamicsContactId"}
        }
        for person in world.marketo.records(PERSON)
    ]
    found = {PERSON: persons, "company": [_without(row.values) for row in world.marketo.records("company")]}
    for table in ("lead", "contact", "account"):
        found[f"dynamics {table}"] = [_without(row.values) for row in world.dynamics.records(table)]
    found["links"] = [
        {"row": link.dynamics, "person": names.get(link.marketo), "state": str(link.state)} for link in world.links()
    ]
    return {name: sorted(rows, key=repr) for name, rows in found.items()}


def _without(values: object) -> dict[str, FieldValue]:
    return {name: value for name, value in dict(values).items() if name not in _OURS | _SERVED}  # type: ignore[call-overload]  # a mapping


@pytest.mark.parametrize("seed", range(6))
def test_a_crash_at_any_call_ends_where_no_crash_would(seed: int) -> None:
    """The same people's hands, the same end, whichever call the process died at."""
    chance = random.Random(seed)

    async def compare() -> None:
        undisturbed, calls = await _ended(seed, None)
        for _ in range(3):
            crash = (chance.choice(list(System)), chance.randint(1, max(calls // 2, 1)))
            crashed, _ = await _ended(seed, crash)
            assert _ending(crashed) == _ending(undisturbed), f"seed {seed}, crash at {crash}"

    played(compare)
