"""Tables whose changes are not tracked: rows by the time of their change, and a sweep for what that can't tell."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import attrs
import httpx
import pytest

from mkdyn import ClientCredentials, Entity, Pick, Polling, RestDynamics
from mkdyn.adapters.dynamics.table import VERBS
from mkdyn.domain.feeds import Cursor, Page
from mkdyn.errors import ConfigError, CursorExpiredError, UnreachableError
from mkdyn.testing import FakeDynamics
from mkdyn.testing.servers.dynamics import DynamicsServer, Quirks
from mkdyn.testing.servers.in_process import InProcess
from tests.unit.engine.world import World

from .organisation import URL, Organisation, listed, row

pytestmark = pytest.mark.anyio

LEADS = Polling(tables=["lead"], overlap_s=60, sweep_every_s=3600)


@asynccontextmanager
async def connected(
    fake: FakeDynamics, polling: Polling = LEADS, untracked: str = "lead"
) -> AsyncGenerator[RestDynamics]:
    """A connector to a Dynamics of which one table is not tracked."""
    server = DynamicsServer(fake, quirks=Quirks(untracked=frozenset({untracked})))
    credentials = ClientCredentials(tenant="acme", client_id="mkdyn", client_secret="secret", login_url=URL)
    async with httpx.AsyncClient(transport=InProcess(server)) as client:
        yield RestDynamics(URL, token=credentials, client=client, polling=polling, page_size=2)


async def read(connector: RestDynamics, since: Cursor | None, *fields: str) -> list[Page]:
    """Every page of the feed of leads."""
    async with connector.changes("lead", fields=fields or ("lastname",), since=since) as pages:
        return [page async for page in pages]


def names(pages: Sequence[Page]) -> list[object]:
    """The last names in pages."""
    return [record.values["lastname"] for page in pages for record in page.records]


async def test_what_was_changed_is_read_and_what_changed_shortly_before() -> None:
    """All at first, in pages; then those that changed since the last reading began, less the overlap."""
    fake = FakeDynamics(now=lambda: clock)
    clock = datetime(2026, 7, 14, 6, 30, tzinfo=UTC)
    keys = [fake.create("lead", lastname=name) for name in "ABCDE"]
    async with connected(fake) as connector:
        clock += timedelta(minutes=10)
        pages = await read(connector, None)
        assert (sorted(map(str, names(pages))), [len(page.records) for page in pages]) == (list("ABCDE"), [2, 2, 1])
        assert [page.cursor is not None for page in pages] == [False, False, True]
        clock += timedelta(minutes=1)
        fake.edit("lead", keys[3], lastname="d")
        clock += timedelta(seconds=30)
        for key in keys[:2]:
            fake.edit("lead", key, lastname="x")
        pages = await read(connector, pages[-1].cursor)
        assert names(pages) == ["d", "x", "x"]
        clock += timedelta(seconds=40)
        assert len(names(await read(connector, pages[-1].cursor))) == 3  # from a minute before that reading, again
        clock += timedelta(minutes=5)
        last = await read(connector, pages[-1].cursor)
        later = await read(connector, last[-1].cursor)
        assert (names(later), later[-1].cursor is not None) == ([], True)


async def test_all_rows_are_due_again_after_some_time() -> None:
    """A deletion is not told; so the place expires, and whoever reads all rows learns of it."""
    fake = FakeDynamics(now=lambda: clock)
    clock = datetime(2026, 7, 14, 6, 30, tzinfo=UTC)
    key = fake.create("lead", lastname="A")
    async with connected(fake) as connector:
        [start] = await read(connector, None)
        fake.delete("lead", key)
        clock += timedelta(minutes=59)
        [page] = await read(connector, start.cursor)
        assert (page.records, page.deleted) == ([], [])
        clock += timedelta(minutes=1)
        with pytest.raises(CursorExpiredError, match="due to be read again"):
            await read(connector, page.cursor)
        assert names(await read(connector, None)) == []


async def test_places_of_other_feeds_are_none() -> None:
    """Neither of other columns, nor of the time when the table was tracked."""
    fake = FakeDynamics()
    fake.create("lead", lastname="A")
    async with connected(fake, untracked="team") as connector, connected(fake, Polling(), "team") as before:
        [start] = await read(connector, None)
        with pytest.raises(CursorExpiredError):
            await read(connector, start.cursor, "jobtitle")
        [tracked] = await read(before, None)
        with pytest.raises(CursorExpiredError, match="a feed that was tracked"):
            await read(connector, tracked.cursor)


async def test_dynamics_must_say_what_time_it_is(organisation: Organisation) -> None:
    """Or nobody would know from when on to read next."""
    organisation.on(r"GET leads\?", attrs.evolve(listed(row(1, lastname="Oak")), headers={"date": "some day"}))
    with pytest.raises(UnreachableError, match="does not say when"):
        await read(organisation.connector(polling=LEADS), None)


async def test_such_a_table_needs_the_time_of_each_change() -> None:
    """And nobody asks for tracking; of a right that does not reach every row, nothing can be found out."""
    fake = FakeDynamics()
    async with connected(fake) as connector:
        assert not await connector.check({"lead": ["lastname"]})
        fake.hide_column("lead", "modifiedon")
        [problem] = await connector.check({"lead": ["lastname"]})
        assert "lead.modifiedon" in problem.what
    async with connected(fake, Polling()) as connector:
        [problem] = await connector.check({"lead": ["lastname"]})
        assert problem.what == "Dynamics lead: changes are not tracked."
        assert problem.remedy.endswith("where that can't be had, name it in Polling.")


async def test_a_right_that_may_not_reach_every_row(organisation: Organisation) -> None:
    """What reaches further by a team's role can't be found out: such a table has no feed to ask."""
    organisation.may(*VERBS, depth="Basic")
    found = await organisation.connector(polling=LEADS).check({"lead": ["lastname"]})
    assert any("sees some of the rows only" in problem.what for problem in found)


@pytest.mark.parametrize("name", ["overlap_s", "sweep_every_s"])
def test_no_time_is_less_than_nothing(name: str) -> None:
    """It says which."""
    with pytest.raises(ConfigError, match=name):
        Polling(**{name: -1.0})
    with pytest.raises(ConfigError, match=name):
        Polling(**{name: float("nan")})


async def test_a_table_without_tracking_syncs_as_others_do() -> None:
    """Edits both ways at once; what is deleted in Dynamics is found at the next sweep."""
    world = World()
    fake = FakeDynamics(now=lambda: world.clock)
    async with connected(fake, Polling(tables=["lead"], sweep_every_s=3600)) as connector:
        world = World(dynamics=connector, marketo=world.marketo)  # type: ignore[arg-type]  # any connector is one
        await world.sync.fields.select(*(Pick(Entity.LEAD, name) for name in ("lastname", "jobtitle")))
        rows = [fake.create("lead", lastname=name) for name in "AB"]
        await world.run()
        links = [world.link(Entity.LEAD, key) for key in rows]
        fake.edit("lead", rows[0], jobtitle="CTO")
        world.marketo.edit("lead", links[1].marketo, title="VP")
        await world.rest()
        assert [world.person(link)["title"] for link in links] == ["CTO", "VP"]
        record = fake.record("lead", rows[1])
        assert record is not None
        assert record.values["jobtitle"] == "VP"
        assert not (await world.rest()).operations
        fake.delete("lead", rows[0])
        await world.run()
        assert world.person(links[0])["dynamicsDeleted"] is False
        await world.run(minutes=60)
        await world.rest()
        assert [world.person(link)["dynamicsDeleted"] for link in links] == [True, False]
