"""Feeds that expire, repeat, come late or change their columns lose nothing."""

from __future__ import annotations

import pytest

from mkdyn import Direction, Entity, Pick, Rules, System
from mkdyn.domain import LinkState, PairState
from mkdyn.domain.feeds import Cursor
from mkdyn.errors import CursorExpiredError, UnknownFieldError
from mkdyn.testing import Crash, Crashed, FakeDynamics, FakeMarketo, Unreachable
from tests.unit.engine.world import World

pytestmark = pytest.mark.anyio


async def test_an_expired_delta_is_read_in_full_and_deletions_are_found() -> None:
    """What a complete read did not contain is read by key before it counts as deleted."""
    world = await World.of(Entity.LEAD)
    deleted, edited, same = [await world.linked(Entity.LEAD, lastname=name) for name in ("A", "B", "C")]
    world.dynamics.delete("lead", deleted.dynamics)
    world.dynamics.edit("lead", edited.dynamics, jobtitle="CTO")
    new = world.dynamics.create("lead", lastname="D")
    world.dynamics.expire_cursors()
    report = await world.run()
    assert "cursor_expired" in [event.name for event in world.events]
    assert world.link(Entity.LEAD, deleted.dynamics).state is LinkState.TOMBSTONE
    assert world.person(edited)["title"] == "CTO"
    assert world.person(world.link(Entity.LEAD, new))["lastName"] == "D"
    assert world.link(Entity.LEAD, same.dynamics).state is LinkState.LIVE
    assert report.ended == "done"
    assert not (await world.rest()).operations


@pytest.mark.parametrize("call", range(1, 6))
async def test_a_crash_while_an_expired_delta_is_read_in_full_loses_no_deletion(call: int) -> None:
    """The detour is remembered: the next run finishes it."""
    world = await World.of(Entity.LEAD)
    deleted = await world.linked(Entity.LEAD, lastname="A")
    await world.linked(Entity.LEAD, lastname="B")
    world.dynamics.delete("lead", deleted.dynamics)
    world.dynamics.expire_cursors()
    world.dynamics.inject(Crash(call=world.dynamics.calls + call, when="after"))
    try:
        await world.run()
    except Crashed:
        world.dynamics.faults.clear()
        world.restart()
    await world.rest()
    assert world.link(Entity.LEAD, deleted.dynamics).state is LinkState.TOMBSTONE


async def test_an_expired_marketo_feed_is_made_up_for_by_a_walk() -> None:
    """Edits that no entry tells of any more are found by comparing every link."""
    world = await World.of(Entity.LEAD, Entity.CONTACT, rules=Rules(walk_links=0))
    links = [await world.linked(Entity.LEAD, lastname=str(number)) for number in range(3)]
    world.marketo.edit("lead", links[1].marketo, title="CTO")
    world.marketo.expire_cursors()
    await world.run()
    assert world.row(links[1])["jobtitle"] == "CTO"
    assert not (await world.rest()).operations


async def test_late_entries_are_read_by_overlap_and_once() -> None:
    """An entry that appears behind the cursor is found; one that is repeated is dropped by its id."""
    world = await World.of(Entity.LEAD, marketo=FakeMarketo(overlap_s=30), rules=Rules(walk_links=0))
    link = await world.linked(Entity.LEAD, lastname="Lovelace")
    world.marketo.hold_entries()
    world.marketo.edit("lead", link.marketo, title="CTO")
    await world.run()
    assert world.row(link)["jobtitle"] is None
    world.marketo.show_entries()
    report = await world.run()
    assert world.row(link)["jobtitle"] == "CTO"
    assert report.observed == 1
    report = await world.rest()
    assert report.observed == 0


async def test_entries_may_come_before_their_values() -> None:
    """While Marketo still shows the old value, nothing is decided; then the edit comes over."""
    world = await World.of(Entity.CONTACT, marketo=FakeMarketo(settles_after_s=600))
    link = await world.linked(Entity.CONTACT, lastname="Lovelace", jobtitle="Engineer")
    world.marketo.hold_values()
    world.marketo.edit("lead", link.marketo, title="CTO")
    world.dynamics.edit("contact", link.dynamics, jobtitle="VP")
    report = await world.run()
    assert not report.operations
    world.marketo.show_values()
    report = await world.run()
    assert [(item.collision.marketo, item.collision.dynamics) for item in report.collisions] == [("CTO", "VP")]


async def test_values_that_never_catch_up_are_taken_as_they_are() -> None:
    """After the time Marketo says it takes, what it shows is what it is."""
    world = await World.of(Entity.LEAD, marketo=FakeMarketo(settles_after_s=60))
    link = await world.linked(Entity.LEAD, lastname="Lovelace", jobtitle="Engineer")
    world.marketo.hold_values()
    world.marketo.edit("lead", link.marketo, title="CTO")
    world.dynamics.edit("lead", link.dynamics, telephone1="1")
    await world.run()
    report = await world.run(minutes=30)
    assert [operation.system for operation in report.operations] == [System.MARKETO]


async def test_what_no_feed_tells_is_found_by_the_walk() -> None:
    """An unlogged change of a person comes over within one turn of the walk."""
    world = await World.of(Entity.LEAD)
    link = await world.linked(Entity.LEAD, lastname="Lovelace")
    await world.linked(Entity.LEAD, lastname="Byron")
    world.marketo.edit("lead", link.marketo, title="CTO")
    world.marketo.lose_entries()
    await world.rest()
    assert world.row(link)["jobtitle"] == "CTO"


async def test_the_walk_takes_turns_and_can_be_turned_off() -> None:
    """With a small step it needs several runs; without steps it finds nothing."""
    for step, found in ((1, True), (0, False)):
        world = await World.of(Entity.ACCOUNT, Entity.LEAD, rules=Rules(walk_links=step))
        links = [await world.linked(Entity.ACCOUNT, name=str(number)) for number in range(3)]
        await world.linked(Entity.LEAD, lastname="Lovelace")
        world.marketo.edit("company", links[2].marketo, mainPhone="666")
        await world.rest(6)
        company = world.marketo.record("company", links[2].marketo)
        assert company is not None
        assert (company.values["mainPhone"] is None) is found


async def test_the_walk_starts_over_when_its_entity_is_deselected() -> None:
    """A place in an entity that does not sync any more is no place."""
    world = await World.of(Entity.ACCOUNT, Entity.LEAD)
    await world.linked(Entity.LEAD, lastname="Lovelace")
    await world.rest()
    picks = [
        Pick(pair.entity, pair.dynamics) for pair in await world.sync.fields.selected() if pair.entity is Entity.LEAD
    ]
    await world.sync.fields.deselect(*picks)
    assert (await world.rest()).ended == "done"


async def test_a_field_added_later_is_refreshed_from_dynamics_first() -> None:
    """Quick sync: every record gets Dynamics' value, empty ones included; then it goes both ways (M7)."""
    world = await World.with_picks(Pick(Entity.LEAD, "lastname"))
    full, empty = [await world.linked(Entity.LEAD, lastname=name) for name in ("A", "B")]
    world.dynamics.edit("lead", full.dynamics, jobtitle="CTO")
    world.marketo.edit("lead", empty.marketo, title="stale")
    await world.rest()
    changes = await world.sync.fields.select(Pick(Entity.LEAD, "jobtitle"))
    assert str(changes) == "1 added · 0 removed · 0 unchanged"
    assert [pair.state for pair in changes.added] == [PairState.BACKFILLING]
    await world.run()
    assert (world.person(full)["title"], world.person(empty)["title"]) == ("CTO", None)
    states = [pair.state for pair in await world.sync.fields.selected() if pair.dynamics == "jobtitle"]
    assert states == [PairState.ACTIVE]
    world.marketo.edit("lead", full.marketo, title="CEO")
    await world.rest()
    assert world.row(full)["jobtitle"] == "CEO"


async def test_an_edit_made_since_a_field_was_selected_survives_its_backfill() -> None:
    """The feed names it: it waits until the backfill is done, and goes by the rules then."""
    world = await World.with_picks(Pick(Entity.LEAD, "lastname"))
    link = await world.linked(Entity.LEAD, lastname="Lovelace")
    world.dynamics.edit("lead", link.dynamics, jobtitle="Engineer")
    await world.rest()
    await world.sync.fields.select(Pick(Entity.LEAD, "jobtitle"))
    world.marketo.edit("lead", link.marketo, title="CTO")
    await world.rest()
    assert world.row(link)["jobtitle"] == world.person(link)["title"] == "CTO"


async def test_a_deletion_between_two_selections_is_not_missed() -> None:
    """The feed of the old columns is followed once more after the full read with the new ones."""
    world = await World.with_picks(Pick(Entity.LEAD, "lastname"))
    gone, kept = [await world.linked(Entity.LEAD, lastname=name) for name in ("A", "B")]
    await world.sync.fields.select(Pick(Entity.LEAD, "jobtitle"))
    world.dynamics.delete("lead", gone.dynamics)
    await world.run()
    assert world.link(Entity.LEAD, gone.dynamics).state is LinkState.TOMBSTONE
    assert world.link(Entity.LEAD, kept.dynamics).state is LinkState.LIVE


async def test_a_field_selected_anew_for_another_target_is_refreshed() -> None:
    """The same columns, another Marketo field: every row is read again all the same."""
    world = await World.with_picks(
        Pick(Entity.LEAD, "lastname"), Pick(Entity.LEAD, "jobtitle", direction=Direction.TO_MARKETO)
    )
    link = await world.linked(Entity.LEAD, lastname="Lovelace", jobtitle="CTO")
    await world.sync.fields.select(Pick(Entity.LEAD, "jobtitle", marketo="department"))
    await world.rest()
    assert world.person(link)["department"] == "CTO"


class Expiring(FakeDynamics):
    """A Dynamics whose old cursors are refused, though new ones are good."""

    refuses: str = ""

    def changes(self, object: str, /, *, fields, since):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201, D102
        if since is not None and len(fields) == len(self.refuses.split(",")):
            raise CursorExpiredError("The cursor has expired.")
        return super().changes(object, fields=fields, since=since)


async def test_an_old_feed_that_can_not_be_followed_any_more_is_made_up_for() -> None:
    """If the feed of the old columns has expired, a full read and reads by key find the deletions."""
    dynamics = Expiring()
    world = World(dynamics=dynamics)
    await world.sync.fields.select(Pick(Entity.LEAD, "lastname"))
    gone = await world.linked(Entity.LEAD, lastname="A")
    await world.linked(Entity.LEAD, lastname="B")
    dynamics.refuses = "lastname,leadid"
    await world.sync.fields.select(Pick(Entity.LEAD, "jobtitle"))
    world.dynamics.delete("lead", gone.dynamics)
    await world.rest()
    assert world.link(Entity.LEAD, gone.dynamics).state is LinkState.TOMBSTONE


class Terse(FakeMarketo):
    """A Marketo whose feed gives a cursor with its last page only, and says nothing of repeats."""

    def changes(self, object: str, /, *, fields, since):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201, D102
        outer = super().changes(object, fields=fields, since=since)
        return _Terse(outer)


class _Terse:
    def __init__(self, outer) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
        self._outer = outer

    async def __aenter__(self):  # type: ignore[no-untyped-def]  # noqa: ANN204
        pages = await self._outer.__aenter__()
        self._pages = self._without(pages)
        return self._pages

    async def __aexit__(self, *error: object) -> None:
        await self._pages.aclose()
        await self._outer.__aexit__(*error)

    async def _without(self, pages):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
        from mkdyn.domain.feeds import Page

        async for page in pages:
            yield Page(entries=page.entries, deleted=page.deleted)
            yield Page(cursor=Cursor(token=page.cursor.token, at=page.cursor.at))


@pytest.mark.parametrize("together", [1, 300])
async def test_a_page_may_bring_no_cursor(together: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages without a cursor are kept, alone or with others; the next run goes on from the last one there was."""
    monkeypatch.setattr("mkdyn.engine.entries.CHUNK", together)
    world = await World.of(Entity.LEAD, marketo=Terse())
    await world.run()
    link = await world.linked(Entity.LEAD, lastname="Lovelace")
    world.marketo.edit("lead", link.marketo, title="CTO")
    await world.rest()
    assert world.row(link)["jobtitle"] == "CTO"


async def test_a_deleted_column_stops_nothing_but_itself() -> None:
    """Its pair goes missing, is reported, and everything else goes on."""
    world = await World.of(Entity.LEAD)
    link = await world.linked(Entity.LEAD, lastname="Lovelace", jobtitle="Engineer")
    world.dynamics.drop_column("lead", "jobtitle")
    world.dynamics.edit("lead", link.dynamics, telephone1="1")
    world.marketo.edit("lead", link.marketo, title="CTO", city="London")
    report = await world.run()
    assert report.warnings == (
        "lead.jobtitle is missing: jobtitle in Dynamics is not there any more. It is not synced, everything else is",
    )
    assert (world.person(link)["phone"], world.row(link)["address1_city"]) == ("1", "London")
    states = {pair.dynamics: pair.state for pair in await world.sync.fields.selected()}
    assert states["jobtitle"] is PairState.MISSING
    [event] = [event for event in world.events if event.name == "pair_missing"]
    assert (event.level, event.facts()["field"]) == ("warning", "jobtitle")
    assert (await world.rest()).ended == "warnings"


async def test_a_deleted_marketo_field_stops_nothing_but_itself() -> None:
    """The same on the other system."""
    world = await World.of(Entity.LEAD)
    link = await world.linked(Entity.LEAD, lastname="Lovelace", jobtitle="Engineer")
    world.marketo.drop_field("lead", "title")
    world.dynamics.edit("lead", link.dynamics, telephone1="1", jobtitle="CTO")
    report = await world.run()
    assert report.warnings == (
        "lead.jobtitle is missing: title in Marketo is not there any more. It is not synced, everything else is",
    )
    assert world.person(link)["phone"] == "1"


async def test_a_column_that_is_deleted_and_deselected_is_history() -> None:
    """The old feed can't be followed any more; a full read and reads by key make up for it."""
    world = await World.of(Entity.LEAD)
    kept, gone = [await world.linked(Entity.LEAD, lastname=name) for name in ("A", "B")]
    world.dynamics.drop_column("lead", "jobtitle")
    world.dynamics.delete("lead", gone.dynamics)
    await world.sync.fields.deselect(Pick(Entity.LEAD, "jobtitle"))
    assert (await world.rest()).ended == "done"
    assert world.link(Entity.LEAD, gone.dynamics).state is LinkState.TOMBSTONE
    assert world.link(Entity.LEAD, kept.dynamics).state is LinkState.LIVE


async def test_a_refused_column_that_is_there_is_an_error() -> None:
    """If every selected field is where it was, a system's refusal is not explained away."""

    class Refusing(FakeDynamics):
        def changes(self, object: str, /, *, fields, since):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
            raise UnknownFieldError("lead.jobtitle is not in Dynamics.")

    world = await World.of(Entity.LEAD, dynamics=Refusing())
    with pytest.raises(UnknownFieldError):
        await world.run()


@pytest.mark.parametrize("together", [1, 300])
async def test_what_was_read_before_a_feed_broke_off_is_kept(together: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its pages are small and kept some at a time; those that came count although the next one never did."""
    monkeypatch.setattr("mkdyn.engine.entries.CHUNK", together)
    world = await World.of(Entity.LEAD, rules=Rules(walk_links=0), marketo=FakeMarketo(page_size=2))
    links = [await world.linked(Entity.LEAD, lastname=str(number)) for number in range(4)]
    await world.rest()
    for link in links:
        world.marketo.edit("lead", link.marketo, title="CTO")
    world.marketo.inject(Unreachable(call=world.next_call(System.MARKETO, "changes") + 1, of="changes"))
    report = await world.run()
    assert any("feed of lead stopped" in warning for warning in report.warnings)
    assert [world.row(link)["jobtitle"] for link in links] == ["CTO", "CTO", None, None]
    await world.rest()
    assert [world.row(link)["jobtitle"] for link in links] == ["CTO"] * 4
