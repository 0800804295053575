"""Somebody edits each row in Dynamics between our reading and our writing of it: no edit is lost, on the wire either.

MKDYN_CONCURRENT_EDITS=1000 makes it as many as the promise is told; the default is a tenth.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Mapping
from itertools import chain

import httpx

from mkdyn import ClientCredentials, Entity, Pick, RestDynamics, Rules, Synchronizer
from mkdyn.domain import Guards, Link
from mkdyn.domain.entities import PERSONS
from mkdyn.domain.systems import System
from mkdyn.testing import FakeDynamics, FakeMarketo, MemoryStore
from mkdyn.testing.servers.dynamics import DynamicsServer
from mkdyn.testing.servers.in_process import InProcess
from tests.simulation.wire.history import LeapingLoop

EDITS = int(os.environ.get("MKDYN_CONCURRENT_EDITS", "100"))
URL = "https://acme.crm4.dynamics.com"
#: Dynamics' columns, and Marketo's fields.
FIELDS = {"lastname": "lastName", "jobtitle": "title", "telephone1": "phone"}


class _Office:
    """Two systems in agreement, Dynamics over its wire; and somebody who edits what is being written."""

    def __init__(self, client: httpx.AsyncClient, dynamics: FakeDynamics) -> None:
        self.chance = random.Random(7)
        self.marketo, self.dynamics, self.store = FakeMarketo(), dynamics, MemoryStore()
        credentials = ClientCredentials(tenant="acme", client_id="mkdyn", client_secret="secret", login_url=URL)
        self.sync = Synchronizer(
            marketo=self.marketo,
            dynamics=RestDynamics(URL, token=credentials, client=client),
            store=self.store,
            rules=Rules(guards=Guards(records_min=10 * EDITS)),
        )
        self.edited: dict[str, str] = {}

    async def populate(self) -> None:
        """Make the records, and let both systems meet."""
        await self.sync.fields.select(*(Pick(entity, name) for entity in PERSONS for name in FIELDS))
        for number in range(EDITS):
            name = self.chance.choice(PERSONS).logical_name
            self.dynamics.create(name, lastname=f"A{number}", jobtitle=f"t{number}", telephone1=f"p{number}")
        await self.sync.run()
        assert not (await self.sync.plan()).operations.total

    def links(self) -> Mapping[str, Link]:
        """Return the links, by the rows' GUIDs."""
        names = [entity.logical_name for entity in PERSONS]
        return {link.dynamics: link for link in chain(*(self.store.links_after(name, 0, EDITS) for name in names))}

    def meddle(self, call: str) -> None:
        """Edit each row that is being written, once: the same field, or another."""
        for item in self.store.unsettled(after=0, limit=2 * EDITS) if call.startswith("write") else ():
            if item.system is System.DYNAMICS and item.state == "sent" and item.key not in self.edited:
                field = self.edited[item.key] = self.chance.choice(["jobtitle", "telephone1"])
                self.dynamics.edit(item.entity.logical_name, item.key, **{field: f"theirs{item.key[:6]}"})


async def _play() -> None:
    dynamics = FakeDynamics()
    async with httpx.AsyncClient(transport=InProcess(DynamicsServer(dynamics))) as client:
        office = _Office(client, dynamics)
        await office.populate()
        links = office.links()
        assert len(links) == EDITS
        for link in links.values():
            office.marketo.edit("lead", link.marketo, title=f"ours{link.dynamics[:6]}")
        dynamics.between(office.meddle)
        report = await office.sync.run()
        assert len(office.edited) == EDITS
        assert len(office.store.operations(report.id, after=0, limit=10 * EDITS, states=["stale"])) == EDITS
        for _ in range(2):
            await office.sync.run()
        found = office.store.resolutions(None, after=0, limit=10 * EDITS)
        told = {(item.key, item.collision.field): item.collision for _, item in found}
        assert not (await office.sync.plan()).operations.total
    for row, link in links.items():
        ours, theirs, field = f"ours{row[:6]}", f"theirs{row[:6]}", office.edited[row]
        shown, person = dynamics.record(link.entity, row), office.marketo.record("lead", link.marketo)
        assert shown is not None
        assert person is not None
        title = ours if field == "telephone1" or link.entity == Entity.LEAD.logical_name else theirs
        assert (shown.values["jobtitle"], person.values["title"]) == (title, title)
        if field == "telephone1":
            assert (shown.values["telephone1"], person.values["phone"]) == (theirs, theirs)
        else:
            collision = told[row, "jobtitle"]
            assert (collision.dynamics, collision.marketo) == (theirs, ours)
    assert len(told) == list(office.edited.values()).count("jobtitle")


def test_every_concurrent_edit_is_stale_and_survives() -> None:
    """Each of our writes meets another version, and is decided again: Marketo's for leads, Dynamics' for contacts."""
    with asyncio.Runner(loop_factory=LeapingLoop) as runner:
        runner.run(_play())
