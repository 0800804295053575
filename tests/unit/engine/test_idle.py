"""A run with nothing to do costs the same, however much is linked."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from mkdyn import CustomEntity, Entity, NewField, Pick, Rules, SqliteStore, Synchronizer
from mkdyn.domain import FieldSpec
from mkdyn.testing import FakeDynamics, FakeMarketo

SUBSCRIPTION = CustomEntity("new_subscription")
NAMES = {"account": "name", "team": "name", "opportunity": "name", "new_subscription": "new_name"}


async def cost(path: Path, records: int) -> tuple[int, dict[str, int]]:
    """Link so many records of each entity; return the steps of SQLite's machine, and the calls, that an idle run takes."""
    marketo, dynamics, store = FakeMarketo(), FakeDynamics(), SqliteStore(path)
    dynamics.add_table("new_subscription", [FieldSpec(name="new_name", type="text", length=100)])
    for table in ("systemuser", "team", "account", "contact", "lead", "opportunity", "new_subscription"):
        for number in range(records):
            dynamics.create(table, **{NAMES.get(table, "lastname"): f"Somebody {number}"})
    steps = 0

    def step() -> int:
        nonlocal steps
        steps += 1
        return 0

    async with Synchronizer(marketo=marketo, dynamics=dynamics, store=store, rules=Rules(walk_links=10)) as sync:
        await sync.fields.select_defaults(*Entity)
        await sync.fields.select(Pick(SUBSCRIPTION, "new_name", marketo=NewField("Name")))
        assert (await sync.run()).operations.total == 7 * records
        await sync.run()
        store._database.connection.set_progress_handler(step, 1)
        report = await sync.run()
        assert report.ended == "done"
        assert (report.operations.total, report.observed) == (0, 0)
    return steps, {system.value: calls for system, calls in report.calls.items()}


def test_an_idle_run_costs_the_same_however_much_is_linked(tmp_path: Path) -> None:
    """With ten times the links it makes the same calls, and SQLite takes the same steps to answer it."""
    steps, calls = anyio.run(cost, tmp_path / "few.db", 30)
    more_steps, more_calls = anyio.run(cost, tmp_path / "many.db", 300)
    assert calls == more_calls == {"marketo": 3, "dynamics": 10}
    assert steps > 0
    assert more_steps == pytest.approx(steps, rel=0.01)
