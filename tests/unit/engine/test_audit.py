"""An audit compares every linked record with what both systems last agreed on."""

from __future__ import annotations

import json
import os

import pytest

from mkdyn import Entity, Rules
from mkdyn.domain import Guard, System
from mkdyn.engine.audit import SAMPLES_MAX, Tally
from tests.unit.engine.world import World

pytestmark = pytest.mark.anyio

#: No walk: what no feed tells of is found by the audit alone.
STILL = Rules(walk_links=0)
ACCOUNTS = int(os.environ.get("MKDYN_ACCOUNTS", "1000"))


async def test_an_audit_finds_exactly_the_companies_that_somebody_edited_and_its_plan_repairs_them() -> None:
    """Marketo has no feed of companies. MKDYN_ACCOUNTS=10000 makes it large."""
    world = await World.of(Entity.ACCOUNT, rules=STILL)
    keys = [world.dynamics.create("account", name=f"Account {number}") for number in range(ACCOUNTS)]
    await world.rest()
    edited = keys[::100]
    for number, key in enumerate(edited):
        world.marketo.edit("company", key, website=f"https://{number}.example.com")
    assert (await world.run()).operations.total == 0
    report = await world.sync.audit()
    [drift] = report.drifts
    assert (drift.entity, drift.system, drift.field, drift.count) == (
        Entity.ACCOUNT, System.MARKETO, "website", len(edited),
    )  # fmt: skip
    assert (report.ok, report.compared, report.differing) == (False, {"account": ACCOUNTS}, {"account": len(edited)})
    assert {write.key for write in world.store.operations(report.plan.id, after=0, limit=1_000)} == set(edited)
    assert report.plan.operations.total == len(edited)
    await world.sync.apply(report.plan, accept=set(Guard))
    assert all(record.values["website"] is None for record in world.marketo.records("company"))
    assert (await world.sync.audit()).ok


async def test_an_audit_writes_nothing() -> None:
    """It reads."""
    world = await World.of(Entity.ACCOUNT, rules=STILL)
    key = world.dynamics.create("account", name="A")
    await world.rest()
    world.marketo.edit("company", key, website="https://example.com")
    writes = world.marketo.calls_by_name["write"], world.dynamics.calls_by_name["write"]
    report = await world.sync.audit()
    assert (world.marketo.calls_by_name["write"], world.dynamics.calls_by_name["write"]) == writes
    assert str(report) == (
        f"audit: 1 compared · 1 differ\naccounts in Marketo: website differs on 1 ({key[:4]}…)\nrepair: {report.plan}"
    )
    assert json.loads(report.to_json()) == {
        "compared": {"account": 1},
        "differing": {"account": 1},
        "drifts": [{"entity": "account", "system": "marketo", "field": "website", "count": 1, "samples": [key]}],
        "plan": report.plan.id,
    }


async def test_an_edit_that_a_feed_tells_of_is_no_drift() -> None:
    """It is news, and the plan has it."""
    world = await World.of(Entity.LEAD, rules=STILL)
    link = await world.linked(Entity.LEAD, lastname="A")
    await world.edit_both(link, marketo={"title": "CTO"}, dynamics={"telephone1": "1"})
    report = await world.sync.audit()
    assert (report.ok, report.plan.operations.total) == (True, 2)


async def test_a_record_that_nobody_shows_is_named() -> None:
    """Absence proves nothing, so it is no repair."""
    world = await World.of(Entity.ACCOUNT, rules=STILL)
    keys = [world.dynamics.create("account", name=name) for name in "AB"]
    await world.rest()
    world.marketo.delete("company", keys[0])
    report = await world.sync.audit()
    assert [str(drift) for drift in report.drifts] == [f"accounts in Marketo: not there on 1 ({keys[0][:4]}…)"]
    assert report.plan.operations.total == 0


async def test_what_is_held_is_no_drift() -> None:
    """Everybody knows of it already."""
    world = await World.of(Entity.LEAD, rules=STILL)
    link = await world.linked(Entity.LEAD, lastname="A")
    world.marketo.edit("lead", link.marketo, title="x" * 101)
    assert (await world.rest()).holds.total == 1
    assert (await world.sync.audit()).ok


async def test_an_audit_of_nothing_is_content() -> None:
    """There are no links yet."""
    world = await World.of(Entity.LEAD)
    report = await world.sync.audit()
    assert (report.ok, str(report)) == (True, "audit: 0 compared · 0 differ")


def test_a_field_that_differs_on_many_records_names_the_first_of_them() -> None:
    """The most frequent field comes first."""
    tally = Tally()
    tally.note(Entity.CONTACT, System.MARKETO, "title", "0")
    for number in range(SAMPLES_MAX + 1):
        tally.note(Entity.CONTACT, System.MARKETO, "phone", str(number))
    [phone, title] = tally.drifts()
    assert (phone.field, phone.count, phone.samples) == ("phone", SAMPLES_MAX + 1, [*map(str, range(SAMPLES_MAX))])
    assert (title.count, title.samples) == (1, ["0"])
