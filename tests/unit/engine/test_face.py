"""The face: fields, checks, set-up, the journal, reports, blocking code, the clockwork."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import anyio
import pytest

import mkdyn
from mkdyn import CustomEntity, Entity, NewField, Pick, Rules, Synchronizer, System, blocking
from mkdyn.domain import FieldSpec, PairState
from mkdyn.domain.counts import duration
from mkdyn.errors import (
    CheckError,
    FieldCreationError,
    FieldError,
    NothingSelectedError,
    UnknownEntityError,
    UnknownFieldError,
)
from mkdyn.ports import (
    BackfillProgressed,
    BatchWritten,
    CursorExpired,
    FeedFailed,
    PageGathered,
    PairMissing,
    RunStarted,
)
from mkdyn.testing import FakeDynamics, FakeMarketo, MemoryStore, Unreachable
from tests.unit.engine.world import World


@pytest.mark.anyio
async def test_candidates_are_all_fields_with_their_eligibility() -> None:
    """Every Dynamics field is listed, with its counterpart or the reason why not."""
    world = World()
    world.dynamics.add_column("contact", FieldSpec(name="new_ssn", type="text", length=11))
    world.dynamics.hide_column("contact", "new_ssn")
    lines = {item.field.name: str(item) for item in await world.sync.fields.candidates(Entity.CONTACT)}
    assert lines["jobtitle"].split()[:2] == ["contact.jobtitle", "text(100)"]
    assert lines["jobtitle"].endswith("title")
    assert lines["new_ssn"].endswith("the sync user may not read it")
    with pytest.raises(UnknownEntityError, match="no table new_nothing"):
        await world.sync.fields.candidates(CustomEntity("new_nothing"))


@pytest.mark.anyio
async def test_a_refused_selection_selects_nothing() -> None:
    """Faults come together, each of its own class; M4's message says what to do instead."""
    world = World()
    with pytest.raises(FieldError) as caught:
        await world.sync.fields.select(
            Pick(Entity.CONTACT, "jobtitle"),
            Pick(Entity.CONTACT, "colour", marketo="favouriteColour"),
            Pick(Entity.LEAD, "jobtitel"),
        )
    assert [type(fault) for fault in caught.value.faults] == [FieldCreationError, UnknownFieldError]
    assert "no field can be created in Dynamics from Marketo" in str(caught.value)
    assert await world.sync.fields.selected() == []


@pytest.mark.anyio
async def test_a_new_field_is_created_in_marketo() -> None:
    """NewField makes the counterpart; selecting it again changes nothing."""
    world = World()
    world.dynamics.add_column("contact", FieldSpec(name="new_tier", type="text", length=40))
    pick = Pick(Entity.CONTACT, "new_tier", marketo=NewField("Customer tier"))
    changes = await world.sync.fields.select(Pick(Entity.CONTACT, "lastname"), pick)
    assert [pair.marketo for pair in changes.added] == ["lastName", "customerTier"]
    again = await world.sync.fields.select(pick)
    assert (len(again.added), len(again.unchanged)) == (0, 1)
    row = world.dynamics.create("contact", lastname="Lovelace", new_tier="gold")
    await world.run()
    assert world.person(world.link(Entity.CONTACT, row))["customerTier"] == "gold"


@pytest.mark.anyio
async def test_a_deselected_field_rests_where_it_is() -> None:
    """Its values stay; edits of it do not travel any more."""
    world = await World.of(Entity.LEAD)
    link = await world.linked(Entity.LEAD, lastname="Lovelace", jobtitle="Engineer")
    changes = await world.sync.fields.deselect(Pick(Entity.LEAD, "jobtitle"))
    assert [pair.dynamics for pair in changes.removed] == ["jobtitle"]
    world.marketo.edit("lead", link.marketo, title="CTO")
    await world.rest()
    assert world.row(link)["jobtitle"] == "Engineer"


@pytest.mark.anyio
async def test_an_instance_without_our_fields_is_prepared_by_set_up() -> None:
    """Selecting persons says what is missing; set_up() creates it, and may be repeated."""
    world = World(marketo=FakeMarketo(prepared="no"))
    with pytest.raises(CheckError, match=r"no lead field dynamicsId\. Have it created: sync\.set_up\(\)"):
        await world.sync.fields.select_defaults(Entity.LEAD)
    await world.sync.set_up()
    await world.sync.set_up()
    await world.sync.fields.select_defaults(Entity.LEAD)
    world.dynamics.create("lead", lastname="Lovelace")
    assert (await world.run()).ended == "done"


@pytest.mark.anyio
async def test_check_finds_everything_at_once() -> None:
    """All problems of both systems, each with its remedy; nothing is written."""
    world = await World.of(Entity.CONTACT)
    report = await world.sync.check()
    report.raise_for_problems()
    assert report.ok
    assert str(report).splitlines()[0].startswith("ok   Marketo 123-ABC-456 as ")
    world.dynamics.hide_table("contact")
    report = await world.sync.check()
    assert not report.ok
    assert "bad  Dynamics contact:" in str(report)
    with pytest.raises(CheckError, match="1 problem\n  Dynamics contact: the sync user cannot read the table"):
        report.raise_for_problems()


@pytest.mark.anyio
async def test_the_journal_is_complete() -> None:
    """Runs, operations, collisions: page by page, oldest first."""
    world = await World.of(Entity.LEAD)
    link = await world.linked(Entity.LEAD, lastname="Lovelace", jobtitle="Engineer")
    await world.edit_both(link, marketo={"title": "CTO"}, dynamics={"jobtitle": "VP"})
    report = await world.run()
    runs = [row async for row in world.sync.journal.runs()]
    assert runs[-1].id == report.id
    assert [operation.kind async for operation in world.sync.journal.operations(runs[0].id)] == ["create"]
    [operation] = [operation async for operation in world.sync.journal.operations(report)]
    assert (operation.before, operation.after) == ({"jobtitle": "VP"}, {"jobtitle": "CTO"})
    assert [item.collision.marketo async for item in world.sync.journal.collisions(report)] == ["CTO"]
    data = json.loads(report.to_json())
    assert data["collisions"]["first"][0]["dynamics"] == "VP"
    assert data["counts"]["dynamics"]["update"] == 1
    assert report.text().splitlines()[1].startswith("collision: lead ")
    assert "'CTO' (Marketo) over 'VP' (Dynamics)" in report.text(values="shown")
    assert "CTO" not in repr(report) + str(report) + report.text()


def test_a_report_says_how_long_it_took() -> None:
    """Hundredths below a second, tenths below a minute, then minutes."""
    assert [duration(seconds) for seconds in (0.014, 2.14, 72.4)] == ["0.01 s", "2.1 s", "1 min 12 s"]


def test_wait_runs_enters_and_iterates() -> None:
    """One word for calls, context managers and iterators; errors come as themselves."""

    @asynccontextmanager
    async def entered() -> AsyncGenerator[str]:
        left.append("entered")
        yield "inside"
        left.append("left")

    async def count() -> AsyncIterator[int]:
        for number in range(3):
            yield number

    left: list[str] = []
    sync = Synchronizer(marketo=FakeMarketo(), dynamics=FakeDynamics(), store=MemoryStore())
    with blocking() as wait:
        assert wait.enter(entered()) == "inside"
        assert list(wait.iterate(count())) == [0, 1, 2]
        with pytest.raises(NothingSelectedError):
            wait(sync.run())
        assert left == ["entered"]
    assert left == ["entered", "left"]


def test_ctrl_c_cancels_the_run_and_leaves_the_store_sound() -> None:
    """What runs is cancelled, the interrupt goes on, and the next run works."""
    marketo, dynamics, store = FakeMarketo(), FakeDynamics(), MemoryStore()
    sync = Synchronizer(marketo=marketo, dynamics=dynamics, store=store)
    dynamics.create("lead", lastname="Lovelace")
    main = threading.main_thread().ident
    assert main is not None

    def interrupt(call: str) -> None:
        if call.startswith("write"):
            marketo.between_calls.clear()
            signal.pthread_kill(main, signal.SIGINT)

    with blocking() as wait:
        wait(sync.fields.select_defaults(Entity.LEAD))

        async def forever() -> None:
            marketo.between(interrupt)
            await sync.run()
            await anyio.sleep_forever()

        with pytest.raises(KeyboardInterrupt):
            wait(forever())
        wait(sync.run())
        assert len(marketo.records("lead")) == 1


@pytest.mark.anyio
async def test_run_every_waits_out_what_passes_and_raises_the_rest() -> None:
    """A transient error costs a rest; a set-up error ends it."""
    world = await World.of(Entity.LEAD)
    world.marketo.inject(Unreachable(call=2, of="identify"))
    runs = 0

    def count(call: str) -> None:
        nonlocal runs
        if call.startswith("identify"):
            runs += 1
        if runs == 4:
            scope.cancel()

    world.dynamics.between(count)
    with anyio.CancelScope() as scope:
        await world.sync.run_every(0.001)
    assert runs == 4
    nothing = World()
    with pytest.raises(NothingSelectedError):
        await nothing.sync.run_every(0.001)


def test_the_default_clock_is_the_walls() -> None:
    """Runs are dated by the computer's clock unless another is given."""
    store = MemoryStore()
    sync = Synchronizer(marketo=FakeMarketo(), dynamics=FakeDynamics(), store=store, rules=Rules())
    before = datetime.now(UTC)  # noqa: TID251 - what this test is about
    with blocking("trio") as wait:
        wait(sync.fields.select_defaults(Entity.LEAD))
        wait(sync.run())
        [row] = list(wait.iterate(sync.journal.runs()))
    assert before <= row.started_at <= datetime.now(UTC)  # noqa: TID251 - what this test is about


def test_the_facade_lends_what_it_names() -> None:
    """Every name is there, heavy ones on first use; others are errors."""
    assert sorted(dir(mkdyn)) == sorted(mkdyn.__all__)
    for name in mkdyn.__all__:
        assert getattr(mkdyn, name) is not None
    with pytest.raises(AttributeError, match="has no attribute 'Nothing'"):
        mkdyn.Nothing  # noqa: B018 - the access is the test


def test_events_say_how_much_attention_they_want() -> None:
    """Pages and batches are details, trouble is a warning, the rest is information."""
    about = {"run_id": 1, "system": System.MARKETO, "object": "lead"}
    levels = {
        PageGathered(**about, changes=1, kept=1): "debug",  # type: ignore[arg-type]  # as the keywords say
        BatchWritten(**about, operations=1, applied=1, done=1, total=1): "debug",  # type: ignore[arg-type]
        FeedFailed(**about, reason="UnreachableError"): "warning",  # type: ignore[arg-type]
        CursorExpired(**about): "warning",  # type: ignore[arg-type]
        PairMissing(**about, field="title"): "warning",  # type: ignore[arg-type]
        RunStarted(run_id=1): "info",
        BackfillProgressed(run_id=1, done=1, total=2, seconds_left=1.0): "info",
    }
    for event, level in levels.items():
        assert event.level == level
    assert next(iter(levels)).facts()["system"] == "marketo"


@pytest.mark.anyio
async def test_mapping_a_field_elsewhere_starts_it_anew_and_a_new_authority_does_not() -> None:
    """Baselines belong to one pair of fields; who wins is another matter."""
    world = await World.of(Entity.LEAD)
    await world.linked(Entity.LEAD, lastname="Lovelace", jobtitle="CTO")
    changes = await world.sync.fields.select(Pick(Entity.LEAD, "jobtitle", authority=System.DYNAMICS))
    [pair] = changes.added
    assert (pair.selection, pair.state, pair.authority) == (1, PairState.ACTIVE, System.DYNAMICS)
    changes = await world.sync.fields.select(Pick(Entity.LEAD, "jobtitle", marketo="department"))
    assert [pair.marketo for pair in changes.removed] == ["title"]
    [pair] = changes.added
    assert (pair.selection, pair.state) == (2, PairState.BACKFILLING)
