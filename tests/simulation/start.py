"""Where a history begins: both systems hold one state, perturbed, and have met."""

from __future__ import annotations

import random

from mkdyn import Entity
from mkdyn.domain import FieldValue
from mkdyn.domain.entities import PERSON, PERSONS
from tests.simulation.runs import live
from tests.simulation.world import TICKET, World

#: One field in both systems.
_FIELDS = (
    ("emailaddress1", "email"),
    ("jobtitle", "title"),
    ("telephone1", "phone"),
    ("description", "mktoPersonNotes"),
)


async def populate(world: World, chance: random.Random) -> None:
    """Fill both systems, select the fields, and let the two meet."""
    accounts = _companies(world, chance)
    for _ in range(chance.randint(4, 7)):
        _somebody(world, chance, accounts)
    changes = await world.sync.fields.select(*world.picks)
    world.note_selected(changes.added, (), first=True)
    for _ in range(2):
        await live(world, world.sync.run, minutes=5)


def _companies(world: World, chance: random.Random) -> list[str]:
    """Add accounts, and what else goes one way."""
    accounts = [
        world.dynamics.create("account", name=world.fresh("company"), telephone1=world.fresh("p")) for _ in range(2)
    ]
    if world.traits.extras:
        world.dynamics.create("systemuser", lastname=world.fresh("user"), title=world.fresh("t"))
        world.dynamics.create("team", name=world.fresh("team"))
        world.dynamics.create("opportunity", name=world.fresh("deal"), parentaccountid=chance.choice(accounts))
        world.dynamics.create(TICKET.logical_name, new_name=world.fresh("ticket"))
    return accounts


def _somebody(world: World, chance: random.Random, accounts: list[str]) -> None:
    """Add somebody: to both systems, to one, or to one twice; what differs was edited since."""
    fate = chance.random()
    rows = 0 if fate < 0.12 else 2 if fate < 0.18 else 1
    persons = 0 if 0.18 <= fate < 0.30 else 2 if 0.30 <= fate < 0.36 else 1
    name = world.fresh("name")
    state = {field: world.fresh("b") for field, _ in _FIELDS}
    state["emailaddress1"] = f"{world.fresh('m')}@example.com"
    keys: list[tuple[Entity, str]] = []
    for _ in range(rows):
        entity = chance.choice(PERSONS)
        values: dict[str, FieldValue] = {"lastname": name, **_perturbed(world, chance, state)}
        if entity is Entity.CONTACT and chance.random() < 0.5:
            values["parentcustomerid"] = chance.choice(accounts)
        keys.append((entity, world.dynamics.create(entity.logical_name, **values)))
        world.say(f"{entity} {keys[-1][1][:4]} ({name}) is in Dynamics")
    for _ in range(persons):
        shown = _perturbed(world, chance, state)
        values = {"lastName": name, **{marketo: shown[dynamics] for dynamics, marketo in _FIELDS}}
        if keys and chance.random() < 0.3:
            entity, key = chance.choice(keys)
            values["dynamicsId" if entity is Entity.LEAD else "dynamicsContactId"] = key
        world.say(f"person {world.marketo.create(PERSON, **values)} ({name}) is in Marketo")


def _perturbed(world: World, chance: random.Random, state: dict[str, str]) -> dict[str, FieldValue]:
    """Return the state with some fields edited, or emptied; an e-mail address mostly stays."""
    found: dict[str, FieldValue] = dict(state)
    for field in state:
        fate = chance.random() * (3 if field == "emailaddress1" else 1)
        if fate < 0.15:
            found[field] = None
        elif fate < 0.4 and field != "emailaddress1":
            found[field] = world.fresh("v")
    return found
