"""The tables of lifecycles, cell by cell, as the engine carries them out: one world for each, one record for each cell."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import cache
from itertools import product
from typing import Final, TypeAlias

import anyio
import attrs
import pytest

from mkdyn import Entity, Guards, Pick, Rules
from mkdyn.domain import LinkState, Passage
from mkdyn.domain.fields import FieldSpec
from mkdyn.domain.filters import NATIVE
from mkdyn.domain.lifecycle import AT_GATE, FOLLOW, PART, RETIRE
from mkdyn.domain.lifecycle.parting import Deleted
from mkdyn.domain.lifecycle.succession import Heir, Left, Standing
from mkdyn.domain.systems import System
from mkdyn.testing import FakeDynamics
from tests.unit.engine.world import World

#: What became of a link: its state, its person, and what its row and that show.
Effect: TypeAlias = tuple[object, ...]

_STATES: Final = {str(state): state for state in LinkState}
_STANDINGS: Final[tuple[Standing, ...]] = ("no link", "live", "suspended", "frozen", "tombstone")


async def _world(*, gone: System = System.DYNAMICS) -> World:
    dynamics = FakeDynamics()
    for table in ("lead", "contact"):
        dynamics.add_column(table, FieldSpec(name=NATIVE, type="boolean", label="Sync to Mkto"))
    world = World(dynamics=dynamics, rules=Rules(guards=Guards(records_min=10_000)))
    picks = [Pick(entity, name) for entity in (Entity.LEAD, Entity.CONTACT) for name in ("lastname", "jobtitle")]
    await world.sync.fields.select(*picks)
    return world


def _put(world: World, entity: Entity, row: str, state: LinkState, gone: System | None) -> None:
    """Bring a link into a state."""
    link = world.link(entity, row)
    there = state in (LinkState.LIVE, LinkState.FROZEN)
    with world.store.transaction():
        world.store.put_links(
            [attrs.evolve(link, state=state, gone=None if there else gone, since=None if there else world.clock)]
        )


def _effect(world: World, entity: Entity, row: str, person: str) -> Effect:
    """Return the state of a row's link, whether it is still this person's, and what that shows."""
    link = world.store.links([entity.logical_name], System.DYNAMICS, [row]).get(row)
    record = world.marketo.record("lead", person)
    shown = None if record is None else (record.values["title"], record.values["dynamicsDeleted"])
    return (None if link is None else link.state, link is not None and link.marketo == person, shown)


def played(build: Callable[[], Awaitable[dict[tuple[object, ...], Effect]]]) -> dict[tuple[object, ...], Effect]:
    """Return what became of every cell of a table."""
    return anyio.run(build)


# -- a linked row at the filter ----------------------------------------------------------------------


@cache
def at_the_gate() -> dict[tuple[object, ...], Effect]:
    """Edit a row for each state of its link, in the filter, out of it, and where its column can't be read."""

    async def build() -> dict[tuple[object, ...], Effect]:
        found: dict[tuple[object, ...], Effect] = {}
        for passages in (("in", "out"), ("unknown",)):
            world = await _world()
            rows = {cell: world.dynamics.create("contact", lastname="A") for cell in product(LinkState, passages)}
            await world.rest(2)
            persons = {row: world.link(Entity.CONTACT, row).marketo for row in rows.values()}
            for (state, passage), row in rows.items():
                _put(world, Entity.CONTACT, row, state, System.DYNAMICS)
                world.dynamics.edit("contact", row, jobtitle="new", **{NATIVE: passage != "out"})
            if passages == ("unknown",):
                world.dynamics.hide_column("contact", NATIVE)
            await world.run()
            found |= {cell: _effect(world, Entity.CONTACT, row, persons[row]) for cell, row in rows.items()}
        return found

    return played(build)


@pytest.mark.parametrize("passage", ["in", "out", "unknown"])
@pytest.mark.parametrize("state", LinkState, ids=str)
def test_a_linked_row_at_the_filter(state: LinkState, passage: Passage) -> None:
    """What goes on, or is back, is merged; the rest is left as it is."""
    expected = {
        "go on": (LinkState.LIVE, True, ("new", False)),
        "return": (LinkState.LIVE, True, ("new", False)),
        "leave": (LinkState.FROZEN, True, (None, False)),
        "rest": (state, True, (None, False)),
    }
    assert at_the_gate()[state, passage] == expected[AT_GATE(state, passage)]


# -- a deletion --------------------------------------------------------------------------------------


@cache
def deleted() -> dict[tuple[object, ...], Effect]:
    """Delete a row, its person, or both, for each state of their link."""

    async def build() -> dict[tuple[object, ...], Effect]:
        world = await _world()
        wheres = ("Dynamics", "Marketo", "both")
        cells = [*product(LinkState, (False,), wheres), *product((LinkState.FROZEN,), (True,), wheres)]
        rows = {cell: world.dynamics.create("contact", lastname="A") for cell in cells}
        await world.rest(2)
        persons = {row: world.link(Entity.CONTACT, row).marketo for row in rows.values()}
        for (state, ours, where), row in rows.items():
            _put(world, Entity.CONTACT, row, state, System.DYNAMICS)
            if ours:
                link = attrs.evolve(world.link(Entity.CONTACT, row), gone=System.MARKETO)
                with world.store.transaction():
                    world.store.put_links([link])
            if where != "Marketo":
                world.dynamics.delete("contact", row)
            if where != "Dynamics":
                world.marketo.delete("lead", persons[row])
        await world.run()
        return {cell: _effect(world, Entity.CONTACT, row, persons[row]) for cell, row in rows.items()}

    return played(build)


@pytest.mark.parametrize("where", ["Dynamics", "Marketo", "both"])
@pytest.mark.parametrize("ours", [False, True])
@pytest.mark.parametrize("state", LinkState, ids=str)
def test_a_deletion(state: LinkState, ours: bool, where: Deleted) -> None:
    """A person that is parted from is flagged; only a link that is out of the filter can be without one by our hand."""
    if ours and state is not LinkState.FROZEN:
        ours = False
    left = None if where != "Dynamics" else (None, PART(state, ours, where) == "part")
    expected = {
        "rest": (state, True, left),
        "bury": (LinkState.TOMBSTONE, True, left),
        "part": (LinkState.TOMBSTONE, True, left),
    }
    assert deleted()[state, ours, where] == expected[PART(state, ours, where)]


# -- a person merged into another --------------------------------------------------------------------


@cache
def followed() -> dict[tuple[object, ...], Effect]:
    """Merge two persons in Marketo, for each state of their links; *nobody*: who is left is deleted, too."""

    async def build() -> dict[tuple[object, ...], Effect]:
        world = await _world()

        def met(standing: str) -> str | None:
            return None if standing in ("no link", "nobody") else world.dynamics.create("contact", lastname="A")

        cells = list(product(_STANDINGS, ("nobody", *_STANDINGS)))
        rows = {cell: (met(cell[0]), met(cell[1])) for cell in cells}
        await world.rest(2)
        found: dict[tuple[object, ...], Effect] = {}
        merged: dict[tuple[object, ...], tuple[str, str]] = {}
        for cell, both in rows.items():
            keys = []
            for standing, row in zip(cell, both, strict=True):
                if row is None:
                    keys.append(world.marketo.create("lead", lastName="A"))
                    continue
                keys.append(world.link(Entity.CONTACT, row).marketo)
                _put(world, Entity.CONTACT, row, _STATES[standing], System.DYNAMICS)
            merged[cell] = keys[0], keys[1]
        for cell, (loser, winner) in merged.items():
            await world.marketo.merge(winner, [loser])
            if cell[1] == "nobody":
                world.marketo.delete("lead", winner)
        report = await world.run()
        aside = {item.key for item in report.quarantined}
        for cell, (row, _) in rows.items():
            link = None if row is None else world.link(Entity.CONTACT, row)
            found[cell] = (
                (None, None, False)
                if link is None
                else (link.state, merged[cell].index(link.marketo), link.dynamics in aside)
            )
        return found

    return played(build)


@pytest.mark.parametrize("left", ["nobody", *_STANDINGS])
@pytest.mark.parametrize("loser", _STANDINGS)
def test_a_person_merged_into_another(loser: Standing, left: Left) -> None:
    """The link's state, whose person it has (the loser's: 0), and whether its row is set aside."""
    asked = FOLLOW(loser, left, False)
    if loser == "no link":
        expected: Effect = (None, None, False)
    elif asked == "follow":
        expected = (LinkState.FROZEN if loser == "frozen" else LinkState.LIVE, 1, False)
    else:
        expected = (LinkState.TOMBSTONE, 0, asked == "set aside")
    assert followed()[loser, left] == expected


# -- a qualified lead --------------------------------------------------------------------------------


@cache
def retired() -> dict[tuple[object, ...], Effect]:
    """Qualify a lead into a contact, for each state of their links; *gone*: the contact is deleted by then."""

    async def build() -> dict[tuple[object, ...], Effect]:
        world = await _world()
        heirs: tuple[Heir, ...] = ("nobody", "gone", "out of the filter", *_STANDINGS)
        rows: dict[tuple[object, ...], tuple[str, str]] = {}
        for lead, heir in product(_STANDINGS, heirs):
            keeps_out = {NATIVE: False if heir in ("out of the filter", "no link") else None}
            first = world.dynamics.create("lead", lastname="A", **{NATIVE: False if lead == "no link" else None})
            rows[lead, heir] = first, world.dynamics.create("contact", lastname="B", **keeps_out)
        await world.rest(2)
        persons = {
            row: world.link(Entity.LEAD, row).marketo for (lead, _), (row, _) in rows.items() if lead != "no link"
        }
        for (lead, heir), (row, contact) in rows.items():
            if lead != "no link":
                _put(world, Entity.LEAD, row, _STATES[str(lead)], System.DYNAMICS)
            if heir in _STATES:
                gone = System.MARKETO if heir == "suspended" else System.DYNAMICS
                _put(world, Entity.CONTACT, contact, _STATES[str(heir)], gone)
            if heir == "nobody":
                world.dynamics.edit("lead", row, statecode=1)
            else:
                world.dynamics.qualify(row, into=contact)
            if heir == "gone":
                world.dynamics.delete("contact", contact)
            if heir == "no link":
                world.dynamics.edit("contact", contact, **{NATIVE: True})
            world.dynamics.edit("lead", row, jobtitle="new", **{NATIVE: True})
        await world.run()
        found: dict[tuple[object, ...], Effect] = {}
        for cell, (row, contact) in rows.items():
            mine = world.store.links(["lead"], System.DYNAMICS, [row]).get(row)
            theirs = world.store.links(["contact"], System.DYNAMICS, [contact]).get(contact)
            person = persons.get(row)
            found[cell] = (
                mine is not None and mine.state is LinkState.LIVE,
                person is not None and theirs is not None and theirs.marketo == person,
                person is not None and world.marketo.record("lead", person) is not None,
            )
        return found

    return played(build)


@pytest.mark.parametrize("heir", ["nobody", "gone", "out of the filter", *_STANDINGS])
@pytest.mark.parametrize("lead", _STANDINGS)
def test_a_qualified_lead(lead: Standing, heir: Heir) -> None:
    """Whether its link lives, whether its contact has its person, and whether that is there."""
    asked = RETIRE(lead, heir, False, False)
    there = lead != "no link"
    expected = {
        "go on": (True, False, there),
        "rest": (False, False, there),
        "move": (False, True, True),
        "merge": (False, False, False),
        "wait": (lead == "live", False, True),
    }
    assert retired()[lead, heir] == expected[asked]
