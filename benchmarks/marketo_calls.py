"""How many calls to Marketo a whole run takes for each changed person, one field each.

From Dynamics to Marketo a person is read just before the write, and written; from Marketo to Dynamics its change is
told, and it is read. Each is a call for 300 persons, so 2/300 are the least. A run takes a few more, whatever changed:
it asks who it is, for a paging token, and for changes and deletions of which there may be none.
"""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Final

import anyio
import attrs
import httpx

from benchmarks.marketo_world import BATCH, CALLS_PER_S, breaches_of, connector_to, server_of
from benchmarks.virtual import Case
from mkdyn import Entity, Pick, Rules, Synchronizer
from mkdyn.domain.guards import Guards
from mkdyn.testing import FakeDynamics, MemoryStore
from mkdyn.testing.servers.in_process import InProcess
from mkdyn.testing.servers.marketo import MarketoServer

_FIELDS: Final = ("lastname", "emailaddress1", "jobtitle")
#: Longer than the feed goes back.
_LATER_S: Final = 1_000


@attrs.frozen(eq=False)
class _World:
    """Both systems in agreement, and what keeps them so.

    Attributes:
        server: Marketo.
        dynamics: Dynamics.
        rows: Its rows, each linked to a person.
        sync: What keeps them in agreement.
    """

    server: MarketoServer
    dynamics: FakeDynamics
    rows: Sequence[str]
    sync: Synchronizer


async def from_dynamics(records: int) -> Case:
    """Change each person in Dynamics, and let a run bring that to Marketo."""
    async with _in_agreement(records) as world:
        for row in world.rows:
            world.dynamics.edit("contact", row, jobtitle="changed")
        case = await _run(world, "a run from Dynamics")
        assert all(person.values["title"] == "changed" for person in world.server.fake.records("lead"))
    return case


async def from_marketo(records: int) -> Case:
    """Change each person in Marketo, one a second, and let a run bring that to Dynamics."""
    async with _in_agreement(records) as world:
        for person in world.server.fake.records("lead"):
            world.server.fake.advance(1)
            world.server.fake.edit("lead", person.key, title="changed")
        case = await _run(world, "a run from Marketo")
        assert all(row.values["jobtitle"] == "changed" for row in world.dynamics.records("contact"))
    return case


async def _run(world: _World, name: str) -> Case:
    world.server.arrivals.clear()
    began = anyio.current_time()
    await world.sync.run()
    return Case(
        name=name,
        records=len(world.rows),
        seconds=anyio.current_time() - began,
        ceiling_per_s=CALLS_PER_S / 2 * BATCH,
        calls=world.server.arrivals.total(),
        minimum_calls=2 * math.ceil(len(world.rows) / BATCH),
        breaches=breaches_of(world.server),
    )


@asynccontextmanager
async def _in_agreement(records: int) -> AsyncGenerator[_World]:
    """Link as many persons, and let time pass until the feed tells of none of that."""
    server, dynamics = server_of(0), FakeDynamics()
    rows = [dynamics.create("contact", lastname=f"Person {number}") for number in range(records)]
    guards = Guards(overwrites_share_max=1.0, records_min=10 * records)
    async with httpx.AsyncClient(transport=InProcess(server)) as client:
        sync = Synchronizer(
            marketo=connector_to(client),
            dynamics=dynamics,
            store=MemoryStore(),
            rules=Rules(walk_links=0, guards=guards),
        )
        await sync.set_up()
        await sync.fields.select(*(Pick(Entity.CONTACT, field) for field in _FIELDS))
        for _ in range(3):  # it is written, told, and told no more
            await sync.run()
            server.fake.advance(_LATER_S)
        yield _World(server, dynamics, rows, sync)
