"""What people enter: mostly what nobody ever entered, sometimes what stood there before."""

from __future__ import annotations

import random

from mkdyn.domain import FieldPair, FieldValue
from mkdyn.domain.systems import System
from tests.simulation.log import Place
from tests.simulation.world import World

#: Longer than Dynamics takes of a job title or a phone number, and than Marketo takes of an account's text.
_TOO_LONG = 260
#: What people don't edit: it is how a history names its records, or ours to keep.
KEPT = frozenset({"lastname", "lastName", "leadid", "contactid"})


def value_for(
    world: World, chance: random.Random, pair: FieldPair, system: System, place: Place, other: Place
) -> FieldValue:
    """Return what somebody enters in a field; *other* is its counterpart."""
    if pair.lens.name == "boolean":
        return chance.random() < 0.5
    if pair.dynamics == "mkt_leadscore":
        world.counter += 1
        return chance.choice([None, world.counter % 60, world.counter % 60])
    if pair.dynamics == "statecode":
        return chance.choice([0, 0, 2]) if system is System.DYNAMICS else world.fresh("status")
    if pair.lens.name == "reference":
        return _reference(world, chance, pair)
    return _text(world, chance, pair, system, place, other)


def _reference(world: World, chance: random.Random, pair: FieldPair) -> FieldValue:
    """Return a reference to some account that both systems have."""
    accounts = [row.key for row in world.dynamics.records("account")]
    there = [key for key in accounts if world.marketo.record("company", key) is not None]
    return chance.choice([*there, None]) if there else None


def _text(
    world: World, chance: random.Random, pair: FieldPair, system: System, place: Place, other: Place
) -> FieldValue:
    fate = chance.random()
    former = [value for value in world.log.values_of(place) if value is None or isinstance(value, str)]
    if fate < 0.18 and former:
        return chance.choice(former)
    if fate < 0.26:
        shown = world.log.values_of(other)
        return next((value for value in reversed(list(shown)) if value is None or isinstance(value, str)), None)
    if fate < 0.34:
        return None
    if pair.dynamics == "emailaddress1":
        return email(world, chance, system)
    if fate < 0.37 and system is System.MARKETO and pair.dynamics == "jobtitle":
        return world.fresh("long").ljust(150, "x")
    return world.fresh("v")


def email(world: World, chance: random.Random, system: System) -> str:
    """Return an address: a new one, somebody else's, or one that Marketo does not take, as the lens knows or not."""
    fate = chance.random()
    if fate < 0.15:
        known = [row.values["emailaddress1"] for name in ("lead", "contact") for row in world.dynamics.records(name)]
        shared = [value for value in known if isinstance(value, str) and _is_taken(value, system)]
        if shared:
            return chance.choice(shared)
    if fate < 0.19 and system is System.DYNAMICS:
        return world.fresh("no address ")
    if fate < 0.22 and system is System.DYNAMICS:
        return f"{world.fresh('m')}@example..com"
    return f"{world.fresh('m')}@example.com"


def _is_taken(address: str, system: System) -> bool:
    """Whether a system takes an address: no form of Marketo's takes the faulty one of `email`."""
    return "@" in address and (system is System.DYNAMICS or ".." not in address)
