"""What the check of the first promise lets pass, as the limits say; and that it is no more than that."""

from __future__ import annotations

import random

import attrs
import pytest

from mkdyn import Entity, Pick
from mkdyn.domain import Link
from mkdyn.domain.systems import System
from tests.simulation.edits import check_no_edit_is_lost
from tests.simulation.history import born, played
from tests.simulation.runs import live
from tests.simulation.start import populate
from tests.simulation.world import ViolationError, World


async def _met() -> World:
    chance = random.Random(1)
    world = born("a small world", chance, walks=False, extras=False, on_disk=False, batch_max=300, page_size=300)
    await populate(world, chance)
    return world


async def _run(world: World, times: int = 1) -> None:
    for _ in range(times):
        await live(world, world.sync.run, minutes=1)


def _contact(world: World) -> Link:
    return next(link for link in world.links() if link.entity == "contact")


def test_an_edit_goes_with_its_record() -> None:
    """A company edited in Marketo is deleted with its account, and made anew when that is restored."""

    async def play() -> None:
        world = await _met()
        company = next(link for link in world.links() if link.entity == "account")
        world.marketo.edit("company", company.marketo, company="edited")
        await _run(world)
        world.dynamics.delete("account", company.dynamics)
        await _run(world)
        assert world.marketo.record("company", company.marketo) is None
        world.dynamics.restore("account", company.dynamics)
        await _run(world)
        assert world.marketo.record("company", company.marketo) is not None
        check_no_edit_is_lost(world)
        world.log.makings.clear()
        with pytest.raises(ViolationError, match="an edit is lost"):
            check_no_edit_is_lost(world)

    played(play)


def test_who_enters_in_marketo_what_we_write_in_that_instant_is_not_told_from_us() -> None:
    """The feed has one entry, which proves our write."""

    async def play() -> None:
        world = await _met()
        link = _contact(world)
        world.dynamics.edit("contact", link.dynamics, jobtitle="same")

        def meddle(call: str) -> None:
            if call == "write lead":
                world.marketo.between_calls.remove(meddle)
                world.dynamics.edit("contact", link.dynamics, jobtitle="newer")
                world.marketo.edit("lead", link.marketo, title="same")

        world.marketo.between(meddle)
        await _run(world, 3)
        check_no_edit_is_lost(world)
        world.log.sendings.clear()
        with pytest.raises(ViolationError, match="an edit is lost"):
            check_no_edit_is_lost(world)

    played(play)


@pytest.mark.parametrize("fate", ["given up", "dies"])
def test_who_enters_in_dynamics_what_a_lost_write_carried_is_not_told_from_us(fate: str) -> None:
    """The row shows our value: it counts as written, and what Marketo shows by then as newer."""

    async def play() -> None:
        world = await _met()
        link = _contact(world)
        world.marketo.edit("lead", link.marketo, title="same")
        world.dynamics.strays_next = fate  # type: ignore[assignment]  # it is one of the two
        await _run(world)
        world.marketo.edit("lead", link.marketo, title="newer")
        world.dynamics.edit("contact", link.dynamics, jobtitle="same")
        world.dynamics.arrive()
        await _run(world, 3)
        assert world.dynamics.record("contact", link.dynamics).values["jobtitle"] == "newer"  # type: ignore[union-attr]  # it is there
        check_no_edit_is_lost(world)
        world.log.sendings.clear()
        with pytest.raises(ViolationError, match="an edit is lost"):
            check_no_edit_is_lost(world)

    played(play)


def test_a_late_arrival_is_told_by_when_it_was_sent() -> None:
    """Somebody enters what is on its way, and edits it before that arrives: the feed shows the same entries either way."""

    async def play() -> None:
        world = await _met()
        link = _contact(world)
        world.dynamics.edit("contact", link.dynamics, jobtitle="same")
        world.marketo.strays_next = "given up"
        await _run(world)
        world.marketo.edit("lead", link.marketo, title="same")
        await _run(world, 3)
        world.marketo.edit("lead", link.marketo, title="newer")
        world.marketo.arrive()
        await _run(world, 2)
        [late] = [item for item in world.log.changes if item.ours and item.old == "newer"]
        assert (late.place[0], late.sent, late.run) == (System.MARKETO, 3, 6)
        check_no_edit_is_lost(world)
        world.log.changes[late.number] = attrs.evolve(late, sent=late.run)
        with pytest.raises(ViolationError, match="an edit is lost"):
            check_no_edit_is_lost(world)

    played(play)


def test_a_company_has_no_feed_that_tells_of_an_edit_before_a_late_arrival() -> None:
    """It was edited while our write was on its way: no trace of that is left; before that, it would be reported."""

    async def play() -> None:
        world = await _met()
        company = next(link for link in world.links() if link.entity == "account")
        world.dynamics.edit("account", company.dynamics, name="ours")
        world.marketo.strays_next = "given up"
        await _run(world)
        world.marketo.edit("company", company.marketo, company="theirs")
        world.marketo.arrive()
        check_no_edit_is_lost(world)
        late = world.log.changes[-1]
        world.log.changes[-1] = attrs.evolve(late, sent=late.sent + 1)
        with pytest.raises(ViolationError, match="an edit is lost"):
            check_no_edit_is_lost(world)

    played(play)


def test_what_a_deselected_field_was_told_is_not_heard() -> None:
    """Somebody edits it in the instant of our write, and before the feed is read nobody wants to know any more."""

    async def play() -> None:
        world = await _met()
        link = _contact(world)
        world.dynamics.edit("contact", link.dynamics, jobtitle="ours")

        def meddle(call: str) -> None:
            if call == "write lead":
                world.marketo.between_calls.remove(meddle)
                world.marketo.edit("lead", link.marketo, title="theirs")

        world.marketo.between(meddle)
        await _run(world)
        changes = await world.sync.fields.deselect(Pick(Entity.CONTACT, "jobtitle"), Pick(Entity.LEAD, "jobtitle"))
        world.note_selected((), changes.removed, first=False)
        await _run(world, 2)
        check_no_edit_is_lost(world)
        gone = [item for item in world.selected if item.until is not None]
        [deselected] = [item for item in gone if item.pair.entity is Entity.CONTACT]
        deselected.until = None
        with pytest.raises(ViolationError, match="an edit is lost"):
            check_no_edit_is_lost(world)

    played(play)


def test_who_puts_back_what_we_carried_over_meanwhile_has_changed_nothing() -> None:
    """Changed while our write of the value before was on its way, and changed back before the next run."""

    async def play() -> None:
        world = await _met()
        link = _contact(world)
        world.dynamics.edit("contact", link.dynamics, jobtitle="carried")

        def meddle(call: str) -> None:
            if call == "write lead":
                world.marketo.between_calls.remove(meddle)
                world.dynamics.edit("contact", link.dynamics, jobtitle="other")

        world.marketo.between(meddle)
        await _run(world)
        world.marketo.edit("lead", link.marketo, title="newer")
        world.dynamics.edit("contact", link.dynamics, jobtitle="carried")
        await _run(world, 2)
        assert world.dynamics.record("contact", link.dynamics).values["jobtitle"] == "newer"  # type: ignore[union-attr]  # it is there
        check_no_edit_is_lost(world)
        [ours] = [item for item in world.log.changes if item.ours and item.new == "newer"]
        [back] = [item for item in world.log.changes if item.old == "other" and item.new == "carried"]
        world.log.changes[ours.number] = attrs.evolve(ours, old="third")
        world.log.changes[back.number] = attrs.evolve(back, new="third")
        with pytest.raises(ViolationError, match="an edit is lost"):
            check_no_edit_is_lost(world)

    played(play)
