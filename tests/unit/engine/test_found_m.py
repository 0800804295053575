"""What random histories found: writes that arrive late, and what is remembered of them."""

from __future__ import annotations

import attrs
import pytest

from mkdyn import Entity, Filter, Pick, Rules, where
from mkdyn.domain.records import Echo
from mkdyn.domain.systems import System
from mkdyn.ports.store import Observation
from mkdyn.testing import Crash, Crashed, FakeMarketo, LoseAnswer, Reject, Unreachable
from tests.unit.engine.world import World

pytestmark = pytest.mark.anyio


async def test_what_was_heard_before_a_write_is_not_taken_for_it() -> None:
    """An edit is put back, late, over another one: the entry of the first was taken for that write."""
    world = await World.of(Entity.LEAD, marketo=FakeMarketo(settles_after_s=1200))
    link = await world.linked(Entity.LEAD, lastname="A", jobtitle="1")

    world.dynamics.edit("lead", link.dynamics, jobtitle="ours")
    world.meddle(System.MARKETO, "write lead", "lead", link.marketo, title="first")
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


async def test_what_arrives_after_all_is_looked_at() -> None:
    """What was decided since stood on its not having arrived: its entry is news."""
    rules = Rules(walk_links=0)
    world = await World.of(Entity.CONTACT, rules=rules, marketo=FakeMarketo(settles_after_s=1200))
    link = await world.linked(Entity.CONTACT, lastname="A", jobtitle="1")
    world.dynamics.edit("contact", link.dynamics, jobtitle="2")
    world.marketo.inject(Crash(call=world.next_call(System.MARKETO, "write"), when="before", of="write"))
    with pytest.raises(Crashed):
        await world.run()
    world.restart(rules)
    world.marketo.edit("lead", link.marketo, title="3")
    await world.run()
    assert world.person(link)["title"] == "2"  # written again
    world.marketo.edit("lead", link.marketo, title="1")
    await world.run()
    assert world.row(link)["jobtitle"] == "1"
    world.marketo.edit("lead", link.marketo, title="2")  # now the first one arrives
    await world.rest()
    assert world.row(link)["jobtitle"] == world.person(link)["title"]


async def test_an_edit_that_we_replaced_is_told_whatever_becomes_of_the_write_that_answers_it() -> None:
    """The other half of the decision took the proof of it along."""
    world = await World.of(Entity.CONTACT)
    link = await world.linked(Entity.CONTACT, lastname="A", jobtitle="1")

    world.dynamics.edit("contact", link.dynamics, jobtitle="ours")
    world.meddle(System.MARKETO, "write lead", "lead", link.marketo, title="theirs")
    await world.run()
    world.dynamics.edit("contact", link.dynamics, jobtitle="newer")
    world.marketo.edit("lead", link.marketo, phone="5")
    world.marketo.inject(LoseAnswer(call=world.next_call(System.MARKETO, "write"), of="write", applied="no"))
    await world.run()
    assert world.row(link)["telephone1"] == "5"
    await world.rest(4)
    assert (world.row(link)["jobtitle"], world.person(link)["title"]) == ("newer", "newer")
    told = [(item.kind, item.collision.marketo) async for item in world.sync.journal.collisions()]
    assert ("overwritten", "theirs") in told


@pytest.mark.parametrize("system", list(System))
async def test_a_field_deleted_while_its_write_is_open_stops_nothing(system: System) -> None:
    """It was read to see whether the write had arrived, and every run ended there."""
    world = await World.of(Entity.LEAD)
    link = await world.linked(Entity.LEAD, lastname="A", jobtitle="1")
    fake = world.marketo if system is System.MARKETO else world.dynamics
    fake.inject(Crash(call=world.next_call(system, "write"), of="write"))
    await world.edit_both(
        link,
        marketo={"title": "2"} if system is System.DYNAMICS else {},
        dynamics={"jobtitle": "2"} if system is System.MARKETO else {},
    )
    with pytest.raises(Crashed):
        await world.run()
    world.restart()
    if system is System.MARKETO:
        world.marketo.drop_field("lead", "title")
    else:
        world.dynamics.drop_column("lead", "jobtitle")
    world.dynamics.edit("lead", link.dynamics, telephone1="1")
    await world.rest()
    assert world.person(link)["phone"] == "1"
    assert not world.store.unsettled(after=0, limit=1)


async def test_what_a_lost_create_gave_to_a_field_set_aside_is_remembered() -> None:
    """Emptied meanwhile, it looked as if nobody had ever filled it."""
    world = await World.of(Entity.LEAD)
    await world.run()
    row = world.dynamics.create("lead", lastname="A", jobtitle="1")
    world.marketo.inject(Crash(call=world.next_call(System.MARKETO, "write"), of="write"))
    with pytest.raises(Crashed):
        await world.run()
    world.restart()
    world.dynamics.hide_column("lead", "jobtitle")
    await world.rest()
    link = world.link(Entity.LEAD, row)
    world.marketo.edit("lead", link.marketo, title=None)
    world.dynamics.edit("lead", row, jobtitle="2")
    await world.rest()
    world.dynamics.show_column("lead", "jobtitle")
    await world.rest()
    told = [
        (item.collision.was, item.collision.marketo, item.collision.dynamics)
        async for item in world.sync.journal.collisions()
    ]
    assert told == [("1", None, "2")]


async def test_what_is_put_back_after_a_late_arrival_is_an_edit() -> None:
    """The baseline had never heard of that write: it looked as if nobody had been there."""
    world = await World.of(Entity.LEAD, marketo=FakeMarketo(settles_after_s=1200))
    link = await world.linked(Entity.LEAD, lastname="A", jobtitle="1")
    world.dynamics.edit("lead", link.dynamics, jobtitle="2")
    world.marketo.inject(Crash(call=world.next_call(System.MARKETO, "write"), when="before", of="write"))
    with pytest.raises(Crashed):
        await world.run()
    world.restart()
    world.marketo.edit("lead", link.marketo, title="3")
    world.dynamics.inject(Reject(key=link.dynamics))
    await world.run()
    world.dynamics.faults.clear()
    assert (world.row(link)["jobtitle"], world.person(link)["title"]) == ("2", "3")
    for value in ("2", "1"):  # now it arrives, and somebody puts back what stood there
        world.marketo.edit("lead", link.marketo, title=value)
    await world.rest()
    told = [(item.collision.marketo, item.collision.dynamics) async for item in world.sync.journal.collisions()]
    assert told[-1] == ("1", "2")
    assert (world.row(link)["jobtitle"], world.person(link)["title"]) == ("1", "1")


async def test_a_doubt_outlives_the_time_in_which_its_column_is_hidden() -> None:
    """The doubt went with the observation; what had never been agreed on counted as agreed when the column was back."""
    world = await World.of(Entity.LEAD)
    link = await world.linked(Entity.LEAD, lastname="A", telephone1="2")
    with world.store.transaction():  # as after a write to both, of which nobody has seen yet what became
        world.store.put_links([attrs.evolve(link, baseline={**link.baseline, "telephone1": "1"}, version=None)])
        world.store.observe(
            [Observation(system=System.MARKETO, object="lead", key=link.marketo, doubtful=("telephone1",))]
        )
    world.dynamics.hide_column("lead", "telephone1")
    world.dynamics.edit("lead", link.dynamics, telephone1="1")
    await world.rest()
    world.dynamics.show_column("lead", "telephone1")
    await world.rest()
    told = [(item.collision.marketo, item.collision.dynamics) async for item in world.sync.journal.collisions()]
    assert (told, world.row(link)["telephone1"]) == ([("2", "1")], "2")


async def test_what_was_emptied_is_not_filled_again_for_a_doubt_about_it() -> None:
    """Marketo may never have heard of it; the column was hidden meanwhile, and nothing seemed agreed on when it was back."""
    world = await World.of(Entity.LEAD)
    link = await world.linked(Entity.LEAD, lastname="A", telephone1="1")
    world.dynamics.edit("lead", link.dynamics, telephone1=None)
    with world.store.transaction():  # as after such a write was given up, of which nobody has seen yet what became
        echo = Echo(before="1", after=None, at=world.clock, sure=False)
        world.store.put_links([attrs.evolve(link, echoes={"phone": (echo,)}, version=None)])
        world.store.observe(
            [Observation(system=System.DYNAMICS, object="lead", key=link.dynamics, doubtful=("telephone1",))]
        )
    world.dynamics.hide_column("lead", "telephone1")
    await world.rest()
    world.dynamics.show_column("lead", "telephone1")
    await world.rest()
    told = [(item.collision.marketo, item.collision.dynamics) async for item in world.sync.journal.collisions()]
    assert (told, world.row(link)["telephone1"], world.person(link)["phone"]) == ([("1", None)], "1", "1")


async def test_a_write_that_arrives_after_its_row_was_deleted_tells_of_the_edit_that_it_replaces() -> None:
    """The person of a deleted row is not synced any more, so nobody put the edit back, and nobody said so."""
    world = await World.of(Entity.LEAD, marketo=FakeMarketo(settles_after_s=1200))
    link = await world.linked(Entity.LEAD, lastname="A", jobtitle="1")
    world.dynamics.edit("lead", link.dynamics, jobtitle="2")
    world.marketo.inject(Crash(call=world.next_call(System.MARKETO, "write"), when="before", of="write"))
    with pytest.raises(Crashed):
        await world.run()
    world.restart()
    world.marketo.edit("lead", link.marketo, title="3")
    await world.rest(5)
    world.dynamics.delete("lead", link.dynamics)
    await world.rest()
    world.marketo.edit("lead", link.marketo, title="2")  # now it arrives
    await world.rest()
    told = [
        (item.kind, item.collision.was, item.collision.marketo, item.collision.dynamics)
        async for item in world.sync.journal.collisions()
    ]
    assert told[-1] == ("overwritten", "3", "3", "2")


async def test_what_is_held_stays_so_until_it_is_written() -> None:
    """A plan tried it again, and was dropped: the hold was gone, and with it the edit that waited."""
    world = await World.of(Entity.LEAD, rules=Rules(walk_links=0))
    link = await world.linked(Entity.LEAD, lastname="A")
    world.dynamics.edit("lead", link.dynamics, statecode=2)
    await world.rest()
    world.marketo.edit("lead", link.marketo, title="VP")
    assert [hold.field for hold in (await world.rest()).holds] == ["jobtitle"]
    world.dynamics.edit("lead", link.dynamics, telephone1="1")
    assert (await world.sync.plan()).operations.total == 2
    report = await world.rest()
    assert ([hold.field for hold in report.holds], world.person(link)["phone"]) == (["jobtitle"], "1")
    world.dynamics.edit("lead", link.dynamics, statecode=0)
    report = await world.rest()
    assert (report.ended, list(report.holds), world.row(link)["jobtitle"]) == ("done", [], "VP")


@pytest.mark.parametrize("rests", ["deleted", "filtered"])
async def test_an_edit_that_marketo_does_not_show_yet_is_no_news_when_its_row_is_back(rests: str) -> None:
    """Its entry had been dealt with when the record was set aside; the old value was agreed upon again."""
    rules = Rules(walk_links=0, filters=[Filter(Entity.CONTACT, keep=where("description").equals("in"))])
    world = await World.of(Entity.CONTACT, rules=rules, marketo=FakeMarketo(settles_after_s=1200))
    link = await world.linked(Entity.CONTACT, lastname="A", jobtitle="1", description="in")
    await world.rest()
    world.marketo.hold_values()
    world.marketo.edit("lead", link.marketo, title="2")
    if rests == "deleted":
        world.dynamics.delete("contact", link.dynamics)
    else:
        world.dynamics.edit("contact", link.dynamics, description="out")
    await world.run()
    if rests == "deleted":
        world.dynamics.restore("contact", link.dynamics)
    else:
        world.dynamics.edit("contact", link.dynamics, description="in")
    await world.run()
    world.marketo.show_values()
    await world.rest(5)
    assert world.row(link)["jobtitle"] == world.person(link)["title"] == "2"


async def test_an_edit_of_dynamics_is_not_forgotten_over_one_that_waits_in_marketo() -> None:
    """One was put back into Marketo until its refresh ends; the row's version counted as agreed on meanwhile."""
    world = await World.with_picks(Pick(Entity.CONTACT, "lastname"))
    world.restart(Rules(walk_links=0))
    link = await world.linked(Entity.CONTACT, lastname="A", jobtitle="1")
    await world.sync.fields.select(Pick(Entity.CONTACT, "jobtitle"))

    world.meddle(System.MARKETO, "write lead", "lead", link.marketo, title="M")
    world.dynamics.inject(Unreachable(call=world.next_call(System.DYNAMICS, "changes") + 1, of="changes"))
    await world.run()
    world.dynamics.edit("contact", link.dynamics, jobtitle="D")
    await world.rest(5)
    told = [(item.collision.marketo, item.collision.dynamics) async for item in world.sync.journal.collisions()]
    assert told == [("M", "D")]
    assert world.row(link)["jobtitle"] == world.person(link)["title"] == "D"


async def test_what_is_taken_back_because_our_own_write_seems_to_be_late_is_told() -> None:
    """Somebody had entered what an earlier write of ours had in it, which may never have arrived: it looks the same."""
    world = await World.of(Entity.CONTACT, rules=Rules(walk_links=0), marketo=FakeMarketo(settles_after_s=1200))
    link = await world.linked(Entity.CONTACT, lastname="A", jobtitle="1")
    world.dynamics.edit("contact", link.dynamics, jobtitle="2")
    world.marketo.inject(Crash(call=world.next_call(System.MARKETO, "write"), when="before", of="write"))
    with pytest.raises(Crashed):
        await world.run()
    world.restart()
    world.marketo.edit("lead", link.marketo, title="3")
    await world.rest(3)
    world.dynamics.edit("contact", link.dynamics, jobtitle=None)
    await world.run()
    assert world.person(link)["title"] is None
    world.marketo.edit("lead", link.marketo, title="2")
    await world.rest()
    told = [(item.kind, item.collision.marketo, item.winner) async for item in world.sync.journal.collisions()]
    assert told[-1] == ("overwritten", "2", System.DYNAMICS)
    assert world.person(link)["title"] is None
