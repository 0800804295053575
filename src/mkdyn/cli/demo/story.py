"""The demo's story: a first sync, people's edits, fields and records that come and go, a full comparison."""

from __future__ import annotations

from collections.abc import Sequence

from mkdyn import Synchronizer
from mkdyn.cli.demo.added import add_a_field, lose_a_field
from mkdyn.cli.demo.crm import Crm
from mkdyn.cli.demo.edits import PEOPLE_MIN, edit
from mkdyn.cli.demo.load import load
from mkdyn.cli.demo.outcome import Arrival, Chapter, Outcome, Run
from mkdyn.cli.demo.records import Watch, let_records_move
from mkdyn.cli.demo.runs import run
from mkdyn.cli.demo.systems import PICKS, Systems
from mkdyn.cli.demo.tell import Teller
from mkdyn.cli.demo.verify import verify
from mkdyn.domain.entities import rank
from mkdyn.errors import ConfigError
from mkdyn.ports.store import StateStore


async def play(crm: Crm, systems: Systems, store: StateStore, teller: Teller) -> Outcome:
    """Run the story, and have it told as it goes.

    Raises:
        ConfigError: The CRM is too small for the edits, or Dynamics does not take a value of it.
    """
    _expect_enough_people(crm)
    loaded, watch = load(crm, systems.dynamics), Watch()
    sync = Synchronizer(
        marketo=systems.marketo, dynamics=systems.dynamics, store=store, observers=[teller.observe, watch]
    )
    await sync.fields.select_defaults()
    await sync.fields.select(*PICKS)
    teller.begin(crm, await sync.fields.selected())

    with teller.step("First sync: Marketo is empty"):
        first = Chapter(name="first", runs=[await run(sync)])
    teller.first_sync(first, await _arrivals(sync, systems, store))

    with teller.step("People work in both systems"):
        deeds = edit(systems, loaded)
    teller.edits(deeds)

    with teller.step("Sync: who wins, and why"):
        edits = Chapter(name="edits", runs=await _until_the_company_is_seen(sync))
    teller.sync(edits)

    with teller.step("Sync again: nothing is new"):
        idle = Chapter(name="idle", runs=[await run(sync)])
    teller.idle(idle)

    with teller.step("A field is added"):
        fields = await add_a_field(sync, systems, loaded)
    teller.field(fields)

    with teller.step("A column is deleted"):
        column = await lose_a_field(sync, systems, loaded)
    teller.column(column)

    with teller.step("Records meet, become others, and go"):
        records = await let_records_move(sync, systems, loaded, watch)
    teller.records(records)

    with teller.step("Both systems, compared field by field"):
        outcome = Outcome(
            chapters=[first, edits, idle],
            fields=fields,
            column=column,
            records=records,
            verified=verify(systems, store),
            kept_back=len([item async for item in sync.journal.holds()])
            + len([item async for item in sync.journal.quarantine()]),
        )
    teller.end(outcome)
    return outcome


async def _arrivals(sync: Synchronizer, systems: Systems, store: StateStore) -> Sequence[Arrival]:
    linked = store.count_links()
    entities = dict.fromkeys(pair.entity for pair in await sync.fields.selected())
    return [
        Arrival(
            entity=entity,
            rows=len(systems.dynamics.records(entity.logical_name)),
            linked=linked.get(entity.logical_name, 0),
        )
        for entity in sorted(entities, key=rank)
    ]


async def _until_the_company_is_seen(sync: Synchronizer) -> Sequence[Run]:
    """Run until the company that was edited in Marketo is put back.

    No feed tells of companies. The walk finds the edit: each run compares a next piece of all links with both
    systems, one kind at a time, and users and teams come before accounts.
    """
    runs: list[Run] = []
    turn = len({pair.entity for pair in await sync.fields.selected()})
    while len(runs) < turn:
        runs.append(await run(sync))
        if runs[-1].of_kind("one-way"):
            break
    return runs


def _expect_enough_people(crm: Crm) -> None:
    if min(len(crm.contacts), len(crm.leads)) < PEOPLE_MIN:
        raise ConfigError(
            f"{crm.name}: {len(crm.contacts)} contacts and {len(crm.leads)} leads are too few for the demo's edits.",
            what_to_do=f"Give at least {2 * PEOPLE_MIN} people; half of them become contacts.",
        )
