"""What people do in both systems: each step takes the world and the chance that decides."""

from __future__ import annotations

import random

from mkdyn import Entity
from mkdyn.domain import FieldPair, FieldValue, Link
from mkdyn.domain.entities import PERSON, PERSONS
from mkdyn.domain.lifecycle import is_qualified
from mkdyn.domain.systems import System
from mkdyn.domain.values import same
from mkdyn.errors import ConfigError
from tests.simulation.log import Place
from tests.simulation.values import KEPT, email, value_for
from tests.simulation.world import TICKET, World

# -- edits ----------------------------------------------------------------------------------------


def edit(world: World, system: System, name: str, key: str, field: str, value: FieldValue, *, when: str = "") -> bool:
    """Let somebody enter a value, if the record is there and the form takes it; whether anything changed."""
    fake = world.fake(system)
    record = fake.record(name, key)
    if record is None or same(record.values.get(field), value):
        return False
    try:
        fake.edit(name, key, **{field: value})
    except ValueError:
        return False  # a form refuses it on the spot: nothing was entered
    if (name, field) == ("lead", "statecode") and is_qualified(record.values):
        world.log.reopenings.append((len(world.log.changes), key))
    shown = repr(value) if len(str(value)) < 40 else f"{str(value)[:20]!r}…"
    world.say(f"{when}{name} {key[:4]}.{field} becomes {shown} in {system}")
    return True


def edit_link(world: World, chance: random.Random, link: Link, system: System, pair: FieldPair, when: str = "") -> bool:
    """Let somebody edit one side of a linked field."""
    places: dict[System, Place] = {}
    for one in System:
        field = pair.dynamics if one is System.DYNAMICS else pair.marketo
        places[one] = (one, world.object_of(pair.entity, one), link.key(one), field)
    value = value_for(world, chance, pair, system, places[system], places[system.other])
    return edit(world, *places[system], value, when=when)


def an_edit_somewhere(world: World, chance: random.Random, when: str = "") -> None:
    """Let somebody edit something that is linked."""
    chosen = _some_link(world, chance)
    if chosen is None:
        return
    pairs = [pair for pair in world.pairs_of(chosen.entity) if pair.dynamics not in KEPT]
    if not pairs:
        return
    keyed = chosen.entity not in {entity.logical_name for entity in PERSONS}
    # No feed tells of what people do to Marketo's keyed objects: without a walk, nobody would ever know.
    sides = [System.DYNAMICS] if keyed and not world.traits.walks else list(System)
    edit_link(world, chance, chosen, chance.choice(sides), chance.choice(pairs), when)


def _some_link(world: World, chance: random.Random) -> Link | None:
    """Return a live link, a person's mostly."""
    links = list(world.links())
    persons = [link for link in links if link.entity in ("lead", "contact")]
    if persons and chance.random() < 0.85:
        return chance.choice(persons)
    return chance.choice(links) if links else None


async def an_edit(world: World, chance: random.Random) -> None:
    """Somebody edits a field of a linked record."""
    an_edit_somewhere(world, chance)


async def an_edit_on_both(world: World, chance: random.Random) -> None:
    """Two people edit the same field, one in each system."""
    link = _some_link(world, chance)
    if link is None or link.entity not in ("lead", "contact"):
        return
    pair = chance.choice([pair for pair in world.pairs_of(link.entity) if pair.dynamics not in KEPT])
    for system in chance.sample(list(System), 2):
        edit_link(world, chance, link, system, pair)


async def an_edit_and_back(world: World, chance: random.Random) -> None:
    """Somebody edits a text and another, later or at once, puts back what stood there."""
    link = _some_link(world, chance)
    if link is None or link.entity not in ("lead", "contact"):
        return
    system = chance.choice(list(System))
    dynamics, marketo = chance.choice([("jobtitle", "title"), ("telephone1", "phone")])
    name, field = (link.entity, dynamics) if system is System.DYNAMICS else (PERSON, marketo)
    former = world.log.values_of((system, name, link.key(system), field))
    before = [value for value in former if value is None or isinstance(value, str)][-2:-1]
    if before:
        edit(world, system, name, link.key(system), field, before[0], when="back again: ")


# -- records come and go ----------------------------------------------------------------------------


async def a_row(world: World, chance: random.Random) -> None:
    """A lead or contact appears in Dynamics."""
    entity = chance.choice(PERSONS)
    values: dict[str, FieldValue] = {"lastname": world.fresh("name")}
    if chance.random() < 0.7:
        values["emailaddress1"] = email(world, chance, System.DYNAMICS)
    if chance.random() < 0.5:
        values["jobtitle"] = world.fresh("t")
    key = world.dynamics.create(entity.logical_name, **values)
    world.say(f"{entity} {key[:4]} appears in Dynamics with {', '.join(values)}")


async def a_person(world: World, chance: random.Random) -> None:
    """A person appears in Marketo; some are to be promoted, by rule or by request."""
    score = chance.choice([None, 10, 90])
    values: dict[str, FieldValue] = {"lastName": world.fresh("name"), "leadScore": score}
    if chance.random() < 0.6:
        values["email"] = email(world, chance, System.MARKETO)
    key = world.marketo.create(PERSON, **values)
    world.say(f"person {key} appears in Marketo, score {score}")
    if chance.random() < 0.5:
        await promote(world, chance, key)


async def a_promotion(world: World, chance: random.Random) -> None:
    """Somebody asks for a Dynamics record for a person, linked or not."""
    persons = world.marketo.records(PERSON)
    if persons:
        await promote(world, chance, chance.choice(persons).key)


async def promote(world: World, chance: random.Random, key: str) -> None:
    """Ask for a promotion."""
    to = chance.choice(PERSONS)
    try:
        await world.sync.promote(int(key), to=to)
    except ConfigError:  # Marketo does not show the person yet, or they don't sync
        world.say(f"promotion of person {key} to a {to} is refused")
    else:
        world.say(f"promotion of person {key} to a {to} is asked for")


async def a_one_way_row(world: World, chance: random.Random) -> None:
    """An account, a user, a team, an opportunity or a ticket appears in Dynamics."""
    entity = chance.choice([item for item in world.entities if item not in PERSONS])
    field = {Entity.ACCOUNT: "name", Entity.USER: "lastname", TICKET: "new_name"}.get(entity, "name")
    key = world.dynamics.create(entity.logical_name, **{field: world.fresh("name")})
    world.say(f"{entity} {key[:4]} appears in Dynamics")


async def a_deletion(world: World, chance: random.Random) -> None:
    """Somebody deletes a linked record, in one of the systems."""
    link = _some_link(world, chance)
    if link is None:
        return
    keyed = link.entity not in ("lead", "contact")
    if keyed or chance.random() < 0.6:
        delete_row(world, link.entity, link.dynamics)
    elif world.marketo.record(PERSON, link.marketo) is not None:
        world.marketo.delete(PERSON, link.marketo)
        world.log.deletions.append((len(world.log.changes), System.MARKETO, PERSON, link.marketo))
        world.log.bereft.append((len(world.log.changes), link.dynamics))
        world.say(f"person {link.marketo} is deleted in Marketo")


def delete_row(world: World, name: str, key: str) -> None:
    """Let somebody delete a row; as Dynamics does it, contacts of a deleted account have none afterwards."""
    if world.dynamics.record(name, key) is None:
        return
    for referring, field in (("contact", "parentcustomerid"), ("opportunity", "parentaccountid")):
        for row in world.dynamics.records(referring) if name == "account" else ():
            if row.values[field] == key:
                world.dynamics.edit(referring, row.key, **{field: None})
    world.dynamics.delete(name, key)
    world.log.deletions.append((len(world.log.changes), System.DYNAMICS, name, key))
    world.say(f"{name} {key[:4]} is deleted in Dynamics")


async def a_restoration(world: World, chance: random.Random) -> None:
    """Somebody takes a deleted row out of the recycle bin."""
    gone = [
        (name, key)
        for _, system, name, key in world.log.deletions
        if system is System.DYNAMICS and world.dynamics.record(name, key) is None
    ]
    if gone:
        name, key = chance.choice(gone)
        world.dynamics.restore(name, key)
        world.say(f"{name} {key[:4]} is restored in Dynamics")


async def a_key_by_hand(world: World, chance: random.Random) -> None:
    """Somebody writes a row's GUID on a person, to settle a doubt or by mistake."""
    entity = chance.choice(PERSONS)
    rows, persons = world.dynamics.records(entity.logical_name), world.marketo.records(PERSON)
    if rows and persons:
        field = "dynamicsId" if entity is Entity.LEAD else "dynamicsContactId"
        edit(world, System.MARKETO, PERSON, chance.choice(persons).key, field, chance.choice(rows).key)
