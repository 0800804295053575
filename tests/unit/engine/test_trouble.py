"""Refusals, lost answers, throttling, crashes: nothing is lost, nothing is made twice."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Collection, Generator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from itertools import count

import attrs
import pytest

from mkdyn import Entity, Pick, Rules, System
from mkdyn.domain import Cursor, Entry, Link
from mkdyn.errors import BudgetSpentError, ThrottledError, TransientError, UnreachableError
from mkdyn.ports import Pages
from mkdyn.testing import Crash, Crashed, FakeDynamics, FakeMarketo, LoseAnswer, Reject, Throttle, Unreachable
from tests.unit.engine.world import World

pytestmark = pytest.mark.anyio


async def test_a_refused_field_is_held_and_the_rest_is_sent_again() -> None:
    """One bad value never stops its record's others; its hold goes when the value is mended."""
    world = await World.of(Entity.LEAD)
    link = await world.linked(Entity.LEAD, lastname="Lovelace", emailaddress1="ada@example.com")
    world.dynamics.edit("lead", link.dynamics, emailaddress1="ada@example..com", jobtitle="CTO")
    report = await world.run()
    assert world.person(link)["title"] == "CTO"
    [hold] = report.holds
    assert (hold.field, hold.code) == ("emailaddress1", "1003")
    assert "ada@example..com" not in str(hold)
    world.dynamics.edit("lead", link.dynamics, emailaddress1="countess@example.com")
    report = await world.run()
    assert world.person(link)["email"] == "countess@example.com"
    assert [item async for item in world.sync.journal.holds()] == []


async def test_a_record_whose_only_field_is_refused_is_not_sent_again() -> None:
    """Nothing is left to send; the hold says why, and an edit wakes it."""
    world = await World.of(Entity.LEAD)
    link = await world.linked(Entity.LEAD, lastname="Lovelace", emailaddress1="ada@example.com")
    world.dynamics.edit("lead", link.dynamics, emailaddress1="a@example..com")
    report = await world.run()
    assert report.holds.total == 1
    assert not (await world.rest()).operations
    world.marketo.edit("lead", link.marketo, email="new@example.com")
    report = await world.rest()
    assert world.row(link)["emailaddress1"] == "new@example.com"


async def test_a_row_that_is_refused_holds_what_was_sent_and_the_others_go_on() -> None:
    """The vendor's code and sentence are kept; an edit, a release and a date wake it."""
    world = await World.of(Entity.LEAD)
    bad, good = [await world.linked(Entity.LEAD, lastname=name) for name in ("A", "B")]
    fault = Reject(key=bad.dynamics, code="0x80040265", message="A plug-in said no.")
    world.dynamics.inject(fault)
    for link in (bad, good):
        world.marketo.edit("lead", link.marketo, title="CTO")
    report = await world.run()
    [item] = report.holds
    assert (item.key, item.field, item.code, report.quarantined.total) == (bad.dynamics, "jobtitle", "0x80040265", 0)
    assert item.reason == (
        "Dynamics refused to update it: A plug-in said no. It is tried again when the row changes, or after 2026-01-08."
    )
    assert (world.row(good)["jobtitle"], world.row(bad)["jobtitle"]) == ("CTO", None)
    assert not (await world.rest()).operations
    world.dynamics.faults.clear()
    await world.sync.journal.release(item)
    await world.rest()
    assert world.row(bad)["jobtitle"] == "CTO"


async def test_a_hold_on_a_value_that_does_not_fit_hides_no_edit_of_the_other_system() -> None:
    """A text too long for Dynamics waits in Marketo; an edit in Dynamics then is a collision, not a victory."""
    world = await World.of(Entity.LEAD)
    link = await world.linked(Entity.LEAD, lastname="Lovelace", description="short")
    world.marketo.edit("lead", link.marketo, mktoPersonNotes="x" * 2_001)
    report = await world.run()
    assert [hold.code for hold in report.holds] == ["too-long"]
    world.dynamics.edit("lead", link.dynamics, jobtitle="CTO")
    await world.run()
    assert world.person(link)["title"] == "CTO"
    world.dynamics.edit("lead", link.dynamics, description="other")
    await world.run()
    assert str(world.person(link)["mktoPersonNotes"]) == "x" * 2_001
    world.marketo.edit("lead", link.marketo, mktoPersonNotes="fits")
    await world.rest()
    assert world.row(link)["description"] == world.person(link)["mktoPersonNotes"] == "fits"


@pytest.mark.parametrize("applied", ["yes", "no"])
@pytest.mark.parametrize("system", list(System))
async def test_a_lost_answer_is_settled_before_anything_is_written_again(system: System, applied: str) -> None:
    """Whether the write arrived is read back; either way the edit ends on both systems, once."""
    world = await World.of(Entity.LEAD)
    link = await world.linked(Entity.LEAD, lastname="Lovelace", jobtitle="Engineer")
    fault = LoseAnswer(call=world.next_call(system, "write"), of="write", applied=applied)  # type: ignore[arg-type]  # a parameter of this test
    if system is System.MARKETO:
        world.marketo.inject(fault)
        world.dynamics.edit("lead", link.dynamics, jobtitle="CTO")
    else:
        world.dynamics.inject(fault)
        world.marketo.edit("lead", link.marketo, title="CTO")
    await world.rest()
    assert world.row(link)["jobtitle"] == world.person(link)["title"] == "CTO"
    assert not (await world.rest()).operations


@pytest.mark.parametrize("applied", ["yes", "no"])
async def test_a_lost_answer_never_makes_a_second_person(applied: str) -> None:
    """A create is looked for under its GUID before it is sent again."""
    world = await World.of(Entity.LEAD)
    world.marketo.inject(LoseAnswer(call=1, of="write", applied=applied))  # type: ignore[arg-type]  # this test's
    row = world.dynamics.create("lead", lastname="Lovelace")
    await world.rest()
    assert len(world.marketo.records("lead")) == 1
    assert world.link(Entity.LEAD, row)


@pytest.mark.parametrize("applied", ["yes", "no"])
async def test_a_lost_answer_to_a_deletion_is_settled(applied: str) -> None:
    """What is gone is gone; what is not is deleted again."""
    world = await World.of(Entity.OPPORTUNITY)
    link = await world.linked(Entity.OPPORTUNITY, name="Deal")
    call = world.next_call(System.MARKETO, "write")
    world.marketo.inject(LoseAnswer(call=call, of="write", applied=applied))  # type: ignore[arg-type]  # this test's
    world.dynamics.delete("opportunity", link.dynamics)
    await world.rest()
    assert not world.marketo.records("opportunity")


async def test_nothing_is_decided_about_a_record_whose_write_may_still_take_effect() -> None:
    """Within the system's own time limit it is left alone, and said so; afterwards it is decided anew."""
    marketo = FakeMarketo(settles_after_s=3_600)
    world = await World.of(Entity.LEAD, marketo=marketo)
    link = await world.linked(Entity.LEAD, lastname="Lovelace", jobtitle="Engineer")
    marketo.inject(LoseAnswer(call=world.next_call(System.MARKETO, "write"), of="write", applied="no"))
    world.dynamics.edit("lead", link.dynamics, jobtitle="CTO")
    report = await world.run()
    assert report.warnings == ("update of a lead in Marketo: its answer was lost, asked again later",)
    assert report.ended == "warnings"
    marketo.faults.clear()
    world.dynamics.edit("lead", link.dynamics, jobtitle="VP")
    report = await world.run()
    assert world.person(link)["title"] == "Engineer"
    await world.run(minutes=90)
    assert world.person(link)["title"] == "VP"


async def test_in_doubt_both_values_are_reported() -> None:
    """A write whose answer is lost, and another value in its place: somebody's edit, or never written."""
    world = await World.of(Entity.CONTACT)
    link = await world.linked(Entity.CONTACT, lastname="Lovelace", jobtitle="Engineer")
    world.dynamics.inject(Crash(call=world.next_call(System.DYNAMICS, "write"), of="write", when="after"))
    world.marketo.edit("lead", link.marketo, title="CTO")
    with pytest.raises(Crashed):
        await world.run()
    world.dynamics.faults.clear()
    world.dynamics.edit("contact", link.dynamics, jobtitle="VP")
    world.restart()
    await world.rest()
    found = [item async for item in world.sync.journal.collisions()]
    assert [(item.collision.marketo, item.collision.dynamics) for item in found] == [("CTO", "VP")]
    assert world.person(link)["title"] == world.row(link)["jobtitle"] == "VP"


@pytest.mark.parametrize("kept", range(1, 12))
async def test_a_doubt_is_kept_wherever_the_next_run_dies(kept: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The write never left, somebody edited the field meanwhile, and the run that settles it dies, too."""
    world = await World.of(Entity.LEAD)
    link = await world.linked(Entity.LEAD, lastname="Lovelace")
    world.marketo.inject(Crash(call=world.next_call(System.MARKETO, "write"), of="write", when="before"))
    world.dynamics.edit("lead", link.dynamics, telephone1="1")
    with pytest.raises(Crashed):
        await world.run()
    world.marketo.faults.clear()
    world.marketo.edit("lead", link.marketo, phone="2")
    world.restart()
    with monkeypatch.context() as mortal:
        mortal.setattr(world.store, "transaction", _dying_after(world.store.transaction, kept))
        with pytest.raises(Crashed):
            await world.run()
    world.restart()
    await world.rest()
    found = [item async for item in world.sync.journal.collisions()]
    assert {(item.collision.marketo, item.collision.dynamics) for item in found} == {("2", "1")}
    assert world.person(link)["phone"] == world.row(link)["telephone1"] == "2"


def _dying_after(
    transaction: Callable[[], AbstractContextManager[None]], kept: int
) -> Callable[[], AbstractContextManager[None]]:
    """Return transactions that end the process after so many of them were kept."""
    numbers = count(1)

    @contextmanager
    def mortal() -> Generator[None]:
        with transaction():
            yield
        if next(numbers) == kept:
            raise Crashed

    return mortal


async def test_two_over_one_a_crash_and_somebody_puts_one_back() -> None:
    """A lagging baseline alone is not harmless: without settling, our own 2 would look like the edit."""
    world = await World.of(Entity.LEAD)
    link = await world.linked(Entity.LEAD, lastname="Lovelace", jobtitle="1")
    world.marketo.inject(Crash(call=world.next_call(System.MARKETO, "write"), of="write", when="after"))
    world.dynamics.edit("lead", link.dynamics, jobtitle="2")
    with pytest.raises(Crashed):
        await world.run()
    world.marketo.faults.clear()
    assert world.person(link)["title"] == "2"
    world.marketo.edit("lead", link.marketo, title="1")
    world.restart()
    await world.rest()
    assert world.row(link)["jobtitle"] == world.person(link)["title"] == "1"


async def test_a_write_to_a_row_that_moved_is_decided_again() -> None:
    """Somebody edits the row between our reading and our writing: both edits survive, by the mission's rule."""
    world = await World.of(Entity.CONTACT)
    link = await world.linked(Entity.CONTACT, lastname="Lovelace", jobtitle="Engineer")
    edits = iter(["VP"])

    def meddle(call: str) -> None:
        if call == "write contact" and (title := next(edits, None)):
            world.dynamics.edit("contact", link.dynamics, jobtitle=title)

    world.dynamics.between(meddle)
    world.marketo.edit("lead", link.marketo, title="CTO", city="London")
    report = await world.run()
    assert world.person(link)["title"] == world.row(link)["jobtitle"] == "VP"
    assert world.row(link)["address1_city"] == "London"
    assert [item.collision.marketo for item in report.collisions] == ["CTO"]
    assert [operation.state for operation in report.operations].count("stale") == 1


async def test_entries_of_one_second_count_in_the_order_of_the_feed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Their ids have none: an edit and our write over it, a moment later, are not taken for the other way round."""
    world = await World.of(Entity.CONTACT)
    link = await world.linked(Entity.CONTACT, lastname="Lovelace", jobtitle="Engineer")
    changes = world.marketo.changes

    def as_marketo_tells(entry: Entry) -> Entry:
        return attrs.evolve(entry, id=f"{10**12 - int(entry.id)}", at=entry.at.replace(microsecond=0))

    @asynccontextmanager
    async def on_the_wire(object: str, /, *, fields: Collection[str], since: Cursor | None) -> AsyncGenerator[Pages]:
        async with changes(object, fields=fields, since=since) as pages:
            yield (attrs.evolve(page, entries=[*map(as_marketo_tells, page.entries)]) async for page in pages)

    monkeypatch.setattr(world.marketo, "changes", on_the_wire)
    edits = iter(["theirs"])

    def meddle(call: str) -> None:
        if call == "write lead" and (title := next(edits, None)):
            world.marketo.edit("lead", link.marketo, title=title)

    world.marketo.between(meddle)
    world.dynamics.edit("contact", link.dynamics, jobtitle="ours")
    await world.run()
    report = await world.run()
    assert [(item.kind, item.collision.marketo) for item in report.collisions] == [("overwritten", "theirs")]


@pytest.mark.parametrize(("entity", "stands"), [(Entity.LEAD, "theirs"), (Entity.CONTACT, "ours")])
async def test_an_edit_made_in_the_instant_of_our_write_is_found_by_its_evidence(entity: Entity, stands: str) -> None:
    """Marketo has no versions: what our write replaced shows in the feed, is reported, and put back for leads."""
    world = await World.of(Entity.LEAD, Entity.CONTACT)
    link = await world.linked(entity, lastname="Lovelace", jobtitle="Engineer")
    edits = iter(["theirs"])

    def meddle(call: str) -> None:
        if call == "write lead" and (title := next(edits, None)):
            world.marketo.edit("lead", link.marketo, title=title)

    world.marketo.between(meddle)
    world.dynamics.edit(entity.logical_name, link.dynamics, jobtitle="ours")
    await world.run()
    assert world.person(link)["title"] == "ours"
    report = await world.run()
    assert [(item.kind, item.collision.marketo) for item in report.collisions] == [("overwritten", "theirs")]
    await world.rest()
    assert world.person(link)["title"] == world.row(link)["jobtitle"] == stands
    assert not (await world.rest()).operations


async def test_throttling_is_waited_out() -> None:
    """A call that was refused before anything was done is repeated after the time the system asks for."""
    world = await World.of(Entity.LEAD)
    world.dynamics.create("lead", lastname="Lovelace")
    world.marketo.inject(Throttle(call=1, of="write", wait_s=0.01))
    world.dynamics.inject(Throttle(call=1, of="identify", wait_s=0.01))
    report = await world.run()
    assert (report.ended, len(world.marketo.records("lead"))) == ("done", 1)


@pytest.mark.parametrize("name", ["write", "read"])
async def test_endless_throttling_pauses_the_run(name: str) -> None:
    """After some patience the run ends paused, nothing is lost, and the next run goes on."""
    world = await World.of(Entity.LEAD)
    link = await world.linked(Entity.LEAD, lastname="Lovelace")
    first = world.next_call(System.MARKETO, name)
    for call in range(first, first + 6):
        world.marketo.inject(Throttle(call=call, of=name, wait_s=0.0))  # type: ignore[arg-type]  # this test's
    world.dynamics.edit("lead", link.dynamics, jobtitle="CTO")
    if name == "read":
        with pytest.raises(ThrottledError):
            await world.run()
    else:
        report = await world.run()
        assert (report.ended, report.exit_code) == ("paused", 3)
        assert str(report).startswith(f"run {report.id} paused after ")
    world.marketo.faults.clear()
    await world.rest()
    assert world.person(link)["title"] == "CTO"


class Spent(FakeMarketo):
    """A Marketo whose daily calls are used up at some point."""

    spent_at: str = ""

    async def write(self, object: str, writes, /):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201, D102
        if self.spent_at == "write":
            raise BudgetSpentError("The day's calls are used up.")
        return await super().write(object, writes)

    def changes(self, object: str, /, *, fields, since):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201, D102
        if self.spent_at == "changes":
            raise BudgetSpentError("The day's calls are used up.")
        return super().changes(object, fields=fields, since=since)


@pytest.mark.parametrize("where", ["write", "changes"])
async def test_a_spent_budget_pauses_the_run_cleanly(where: str) -> None:
    """The run says so; the next one goes on where it stood."""
    marketo = Spent()
    world = await World.of(Entity.LEAD, marketo=marketo)
    link = await world.linked(Entity.LEAD, lastname="Lovelace")
    world.dynamics.edit("lead", link.dynamics, jobtitle="CTO")
    marketo.spent_at = where
    report = await world.run()
    assert report.ended == "paused"
    marketo.spent_at = ""
    await world.rest()
    assert world.person(link)["title"] == "CTO"


async def test_an_unreachable_system_pauses_the_writes() -> None:
    """No answer to the read before a write: the plan's rest waits for the next run."""
    world = await World.of(Entity.LEAD)
    link = await world.linked(Entity.LEAD, lastname="Lovelace")
    world.dynamics.edit("lead", link.dynamics, jobtitle="CTO")
    the_read_before_the_write = world.next_call(System.MARKETO, "read") + 1  # the walk reads, too
    world.marketo.inject(Unreachable(call=the_read_before_the_write, of="read"))
    report = await world.run()
    assert report.ended == "paused"
    await world.rest()
    assert world.person(link)["title"] == "CTO"


async def test_a_feed_that_fails_stops_alone() -> None:
    """The other feeds go on; the failing one is told and goes on where it stood."""
    world = await World.of(Entity.LEAD, Entity.ACCOUNT)
    await world.run()
    world.dynamics.create("lead", lastname="Lovelace")
    world.dynamics.create("account", name="Acme")
    world.dynamics.inject(Unreachable(call=world.next_call(System.DYNAMICS, "changes"), of="changes"))
    report = await world.run()
    assert "feed_failed" in [event.name for event in world.events]
    assert report.ended == "warnings"
    assert len(world.marketo.records("lead")) == 1
    await world.run()
    assert len(world.marketo.records("company")) == 1


async def _edited_world() -> tuple[World, Link]:
    world = await World.of(Entity.LEAD, Entity.CONTACT)
    link = await world.linked(Entity.CONTACT, lastname="Lovelace", jobtitle="Engineer")
    await world.edit_both(
        link, marketo={"title": "CTO", "city": "London"}, dynamics={"jobtitle": "VP", "telephone1": "1"}
    )
    world.dynamics.create("lead", lastname="Byron", emailaddress1="byron@example.com")
    promoted = world.marketo.create("lead", lastName="Somerville", email="mary@example.com")
    await world.sync.promote(int(promoted), to=Entity.LEAD)
    return world, link


def _state(world: World) -> object:
    return (
        sorted(
            (item.values["lastName"], item.values["title"], item.values["city"])
            for item in world.marketo.records("lead")
        ),
        sorted((item.values["lastname"], item.values["jobtitle"]) for item in world.dynamics.records("lead")),
        sorted((item.values["lastname"], item.values["telephone1"]) for item in world.dynamics.records("contact")),
    )


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_crash_at_any_call_ends_where_no_crash_would(when: str) -> None:
    """Each call of the run in turn is the last thing the process does; a restart ends in the same state."""
    undisturbed, _ = await _edited_world()
    await undisturbed.rest()
    calls = 0
    for fake in ("marketo", "dynamics"):
        for call in range(1, 40):
            world, _ = await _edited_world()
            system: FakeMarketo | FakeDynamics = getattr(world, fake)
            system.inject(Crash(call=system.calls + call, when=when))  # type: ignore[arg-type]  # a parameter
            try:
                await world.run()
            except Crashed:
                calls += 1
            else:
                break
            system.faults.clear()
            world.restart()
            await world.rest()
            assert _state(world) == _state(undisturbed), f"{fake} call {call}"
            assert not (await world.sync.plan()).operations
    assert calls > 12


async def test_a_run_ends_at_its_deadline_and_the_next_goes_on() -> None:
    """Out of time is no error: what was sent is kept, the rest comes with the next run."""
    world = await World.of(Entity.LEAD, marketo=FakeMarketo(batch_max=2))
    for number in range(6):
        world.dynamics.create("lead", lastname=str(number))
    report = await world.sync.run(deadline_s=0.0)
    assert (report.ended, report.exit_code) == ("out-of-time", 3)
    assert str(report).startswith(f"run {report.id} out of time after ")
    assert len(world.marketo.records("lead")) == 2
    await world.run()
    assert len(world.marketo.records("lead")) == 6


async def test_an_unreachable_system_is_a_transient_error() -> None:
    """If a system does not even say who it is, there is no run."""
    world = await World.of(Entity.LEAD)
    world.marketo.inject(Unreachable(call=1, of="identify"))
    with pytest.raises(UnreachableError) as caught:
        await world.run()
    assert isinstance(caught.value, TransientError)


class FullError(RuntimeError):
    """Stands for a store that fails."""


async def test_an_error_inside_concurrent_phases_is_raised_as_itself() -> None:
    """`except MkdynError` finds it: no exception group gets out."""
    world = await World.of(Entity.LEAD)
    world.dynamics.create("lead", lastname="Lovelace")

    def meddle(call: str) -> None:
        if call.startswith("changes"):
            raise FullError

    world.dynamics.between(meddle)
    with pytest.raises(FullError):
        await world.run()
    [row] = [row async for row in world.sync.journal.runs()]
    assert (row.ended, row.facts) == ("failed", {"error": "FullError"})


async def test_a_row_that_is_read_only_goes_on_to_marketo() -> None:
    """What is entered in Marketo waits, field by field, and follows by itself once the row is open again."""
    world = await World.of(Entity.LEAD)
    link = await world.linked(Entity.LEAD, lastname="Lovelace")
    world.dynamics.edit("lead", link.dynamics, statecode=2)
    world.marketo.edit("lead", link.marketo, title="CTO", phone="1")
    report = await world.rest()
    assert {(hold.field, hold.code) for hold in report.holds} == {
        ("jobtitle", "read-only"),
        ("telephone1", "read-only"),
    }
    assert (report.quarantined.total, world.person(link)["leadStatus"]) == (0, "Disqualified")
    assert not (await world.rest()).operations
    world.dynamics.edit("lead", link.dynamics, statecode=0)
    report = await world.rest()
    assert (report.ended, world.row(link)["jobtitle"], world.row(link)["telephone1"]) == ("done", "CTO", "1")


async def test_a_right_that_is_given_back_is_noticed_in_time() -> None:
    """No feed tells of it: what was refused is tried again when the watch time has passed."""
    world = await World.of(Entity.LEAD, rules=Rules(walk_links=0))
    link = await world.linked(Entity.LEAD, lastname="Lovelace")
    world.dynamics.inject(Reject(key=link.dynamics, code="0x80048306", message="No access to this row."))
    world.marketo.edit("lead", link.marketo, title="CTO")
    await world.rest()
    world.dynamics.faults.clear()
    assert (await world.run(minutes=60 * 24 * 6)).holds.total == 1
    report = await world.run(minutes=60 * 24)
    assert (report.ended, world.row(link)["jobtitle"]) == ("done", "CTO")


async def test_a_row_that_is_read_only_when_it_is_met_is_linked_once_it_is_not() -> None:
    """What Marketo has to give is refused, and there is nothing else to write: nothing is linked yet."""
    world = await World.with_picks(Pick(Entity.LEAD, "lastname"), Pick(Entity.LEAD, "jobtitle"))
    row = world.dynamics.create("lead", lastname="Lovelace", statecode=2)
    world.marketo.create("lead", lastName="Lovelace", title="CTO", dynamicsId=row)
    assert [hold.code for hold in (await world.rest()).holds] == ["read-only"]
    assert [hold.code for hold in (await world.run(minutes=60 * 24 * 8)).holds] == ["read-only"]
    assert not world.live(Entity.LEAD)
    world.dynamics.edit("lead", row, statecode=0)
    assert ((await world.rest()).ended, world.row(world.link(Entity.LEAD, row))["jobtitle"]) == ("done", "CTO")


async def test_a_person_that_is_refused_as_a_whole_is_set_aside() -> None:
    """The walk leaves it alone, and others go on; an edit wakes it."""
    world = await World.of(Entity.LEAD)
    bad, good = [await world.linked(Entity.LEAD, lastname=name) for name in ("A", "B")]
    world.marketo.inject(Reject(key=bad.marketo, code="1007", message="Several persons match."))
    for link in (bad, good):
        world.dynamics.edit("lead", link.dynamics, jobtitle="CTO")
    report = await world.run()
    assert [(item.key, item.code) for item in report.quarantined] == [(bad.dynamics, "1007")]
    assert (world.person(good)["title"], world.person(bad)["title"]) == ("CTO", None)
    assert not (await world.rest()).operations
    world.marketo.faults.clear()
    world.dynamics.edit("lead", bad.dynamics, jobtitle="CEO")
    assert ((await world.rest()).ended, world.person(bad)["title"]) == ("done", "CEO")


async def test_a_refused_create_is_set_aside_and_tried_again_when_released() -> None:
    """Nothing is linked to a record that was never made."""
    world = await World.of(Entity.LEAD)
    row = world.dynamics.create("lead", lastname="Lovelace")
    world.marketo.inject(Reject(key=row, code="1008", message="No access to the partition."))
    report = await world.run()
    [item] = report.quarantined
    assert item.reason == "Marketo refused to create it: No access to the partition."
    assert not (await world.rest()).operations
    world.marketo.faults.clear()
    await world.sync.journal.release(item)
    await world.run()
    assert world.link(Entity.LEAD, row)


async def test_a_write_that_was_not_answered_at_all_is_settled() -> None:
    """A call that ends in an error may have arrived all the same: it is read back."""
    world = await World.of(Entity.LEAD)
    link = await world.linked(Entity.LEAD, lastname="Lovelace")
    world.marketo.edit("lead", link.marketo, title="CTO")
    world.dynamics.inject(Unreachable(call=world.next_call(System.DYNAMICS, "write"), of="write"))
    await world.rest()
    assert world.row(link)["jobtitle"] == "CTO"


async def test_throttling_before_a_write_pauses_the_run() -> None:
    """The read before a write is refused again and again: what is planned waits."""
    world = await World.of(Entity.LEAD, rules=Rules(walk_links=0))
    link = await world.linked(Entity.LEAD, lastname="Lovelace")
    world.dynamics.edit("lead", link.dynamics, jobtitle="CTO")
    first = world.next_call(System.MARKETO, "read")
    for call in range(first, first + 6):
        world.marketo.inject(Throttle(call=call, of="read", wait_s=0.0))
    report = await world.run()
    assert report.ended == "paused"
    await world.rest()
    assert world.person(link)["title"] == "CTO"


async def test_a_refused_value_is_not_sent_again_until_it_is_edited() -> None:
    """Another field's edit takes the record along, not the value that was refused."""
    world = await World.of(Entity.LEAD, rules=Rules(walk_links=0))
    link = await world.linked(Entity.LEAD, lastname="Lovelace")
    world.dynamics.edit("lead", link.dynamics, emailaddress1="a@example..com")
    await world.run()
    world.dynamics.edit("lead", link.dynamics, jobtitle="CTO")
    report = await world.run()
    assert [list(operation.after) for operation in report.operations] == [["title"]]
    assert [hold.field for hold in report.holds] == ["emailaddress1"]


async def test_a_row_that_is_gone_before_its_answer_is_settled() -> None:
    """There is nothing left to write to; the deletion is followed."""
    world = await World.of(Entity.LEAD)
    link = await world.linked(Entity.LEAD, lastname="Lovelace")
    world.marketo.edit("lead", link.marketo, title="CTO")
    world.dynamics.inject(Crash(call=world.next_call(System.DYNAMICS, "write"), of="write", when="before"))
    with pytest.raises(Crashed):
        await world.run()
    world.dynamics.faults.clear()
    world.dynamics.delete("lead", link.dynamics)
    world.restart()
    report = await world.rest()
    assert world.person(link)["dynamicsDeleted"] is True
    assert not report.operations
