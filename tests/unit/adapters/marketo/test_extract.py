"""A long feed comes as a file, where that saves calls; and as pages, wherever the file can't be had."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import attrs
import httpx
import pytest

from mkdyn import MarketoBulk, MarketoLimits
from mkdyn.adapters.http.retries import Retries
from mkdyn.adapters.marketo.bulk import terms_of
from mkdyn.adapters.marketo.crossover import extract_saves
from mkdyn.domain.feeds import Cursor, Entry, Page
from mkdyn.errors import BudgetSpentError, UnreachableError
from mkdyn.testing.servers.marketo import MarketoServer, Quirks, Refuse, ServerLimits

from .instance import Answer, Instance, Json, refusal, served, success
from .test_bulk_jobs import listing
from .test_feed import NOW, SINCE, changed, logged

pytestmark = pytest.mark.anyio

#: Four calls for a file.
FILES = MarketoBulk(job_s=60)
#: A log that takes many answers to search.
SMALL = Quirks(block_entries=30)


@pytest.fixture
def anyio_backend(jumping: tuple[str, dict[str, Any]]) -> tuple[str, dict[str, Any]]:
    """Waits pass at once."""
    return jumping


async def backlog(server: MarketoServer, edits: int, *, hours: float = 10.0) -> Cursor:
    """Have people edit persons, evenly; return the place where that began."""
    fake = server.fake
    keys = [fake.create("lead", lastName=f"Person {number}") for number in range(10)]
    fake.advance(3_600)
    async with (
        served(server=server) as (connector, _),
        connector.changes("lead", fields=["title"], since=None) as pages,
    ):
        cursor = [page async for page in pages][-1].cursor
    assert cursor is not None
    for number in range(edits):
        fake.advance(hours * 3_600 / edits)
        fake.edit("lead", keys[number % 10], title=f'title {number // 10}, "{number}"')
    fake.edit("lead", keys[0], title=None)
    await fake.merge(keys[1], [keys[2]])
    fake.delete("lead", keys[3])
    fake.advance(3_600)
    server.arrivals.clear()
    return cursor


async def read(server: MarketoServer, since: Cursor, bulk: MarketoBulk | None) -> list[Page]:
    """Read the feed from a place."""
    async with (
        served(server=server, bulk=bulk) as (connector, _),
        connector.changes("lead", fields=["title"], since=since) as pages,
    ):
        return [page async for page in pages]


def entries(pages: Sequence[Page]) -> list[Entry]:
    """What they tell, each once."""
    return list({entry.id: entry for page in pages for entry in page.entries}.values())


async def test_a_file_tells_what_pages_tell() -> None:
    """After a few pages, in fewer calls; what is left after the file, and deletions, come as ever."""
    server = MarketoServer(quirks=SMALL)
    since = await backlog(server, 600)
    plain = await read(server, since, None)
    by_pages = server.arrivals.total()
    server.arrivals.clear()
    found = await read(server, since, FILES)
    assert entries(found) == entries(plain)
    assert len(entries(plain)) == 601
    assert [page.merged for page in found if page.merged] == [page.merged for page in plain if page.merged]
    assert [list(page.deleted) for page in found][-1] == [list(page.deleted) for page in plain][-1]
    assert server.arrivals["bulk.activities.export.file"] == 1
    assert server.arrivals["activities.query"] <= 5
    assert server.arrivals.total() < by_pages - 10
    for page in found[::7]:  # wherever it is left, it goes on
        assert page.cursor is not None
        rest = entries([page, *await read(server, page.cursor, FILES)])
        assert {entry.id for entry in rest} >= {entry.id for entry in entries(found[found.index(page) :])}


async def test_a_short_feed_comes_as_pages() -> None:
    """Two pages are left when the rate is known."""
    server = MarketoServer(quirks=SMALL)
    since = await backlog(server, 150)
    assert len(entries(await read(server, since, FILES))) == 151
    assert server.arrivals["bulk.activities.export.create"] == 0


async def test_what_is_too_much_for_one_file_comes_as_several(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is held in memory."""
    monkeypatch.setattr("mkdyn.adapters.marketo.extracting._PAGES_MAX", 6)
    server = MarketoServer(quirks=SMALL)
    since = await backlog(server, 600)
    assert len(entries(await read(server, since, FILES))) == 601
    assert server.arrivals["bulk.activities.export.file"] == 2


@pytest.mark.parametrize("call", ["create", "enqueue", "status", "file"])
async def test_where_a_file_is_refused_pages_go_on(call: str) -> None:
    """The queue is full, or the day's extracts are used up; it is tried once."""
    server = MarketoServer(quirks=SMALL)
    since = await backlog(server, 600)
    server.faults.append(Refuse(of=f"bulk.activities.export.{call}", code="1029"))
    assert len(entries(await read(server, since, FILES))) == 601
    assert (server.arrivals[f"bulk.activities.export.{call}"], server.arrivals["bulk.activities.export.create"]) == (
        1,
        1,
    )


async def test_a_file_that_is_not_there_in_time_is_given_up() -> None:
    """Pages go on, and it takes nobody's turn."""
    server = MarketoServer(quirks=SMALL, limits=ServerLimits(job_s=700))
    since = await backlog(server, 600)
    assert len(entries(await read(server, since, attrs.evolve(FILES, deadline_s=600)))) == 601
    assert server.arrivals["bulk.activities.export.status"] == 10
    assert server.arrivals["bulk.activities.export.cancel"] == 1
    assert [job.state for job in server.instance.world.extracts.jobs.values()] == ["cancelled"]


async def test_a_file_that_can_t_be_cancelled_stays_where_it_is() -> None:
    """Pages go on all the same."""
    server = MarketoServer(quirks=SMALL, limits=ServerLimits(job_s=700))
    since = await backlog(server, 600)
    server.faults.append(Refuse(of="bulk.activities.export.cancel", code="1013"))
    assert len(entries(await read(server, since, attrs.evolve(FILES, deadline_s=60)))) == 601
    assert server.arrivals["bulk.activities.export.cancel"] == 1


HEAD = "marketoGUID,leadId,activityDate,activityTypeId,primaryAttributeValueId,primaryAttributeValue,attributes\n"
LINE = 'g9,7,2026-01-01T00:00:00Z,13,3,Title,"{""Old Value"":null,""New Value"":""C\0TO""}"\n'
DONE = {"exportId": "x", "status": "Completed", "numberOfRecords": 1}
FILE = "bulk/v1/activities/export/x/file"


def asked(instance: Instance, state: Json, file: Answer) -> None:
    """Have a long log, whose extract ends so."""
    rows = [changed(number, 7, 3, None, str(number), ago_s=3_600 - 100 * number) for number in (1, 2, 3)]
    pages = [success(row, nextPageToken=f"{row['marketoGUID']}=", moreResult=True) for row in rows]
    logged(instance, *pages, success(nextPageToken="Z=", moreResult=False))
    instance.on("bulk/v1/activities/export/create", success({"exportId": "x", "status": "Created"}))
    instance.on("bulk/v1/activities/export/x/enqueue", success({"exportId": "x", "status": "Queued"}))
    instance.on("bulk/v1/activities/export/x/status", success(state))
    instance.on(FILE, file)


async def told(instance: Instance) -> list[str]:
    """The entries that are told."""
    connector = instance.connector(bulk=FILES)
    async with connector.changes("lead", fields=["title"], since=SINCE) as pages:
        return [entry.id async for page in pages for entry in page.entries]


async def test_what_is_asked_for(instance: Instance) -> None:
    """The same kinds as by pages, from where those ended, until a little while ago; a word for nothing is nothing."""
    asked(instance, DONE, listing(HEAD + LINE))
    assert await told(instance) == ["g1", "g2", "g3", "g9"]
    [request] = instance.asked("bulk/v1/activities/export/create")
    start, end = NOW - timedelta(seconds=3_300), NOW - timedelta(seconds=300)
    assert httpx.Response(200, content=request.content).json() == {
        "fields": HEAD.strip().split(","), "format": "CSV",
        "filter": {"createdAt": {"startAt": f"{start:%Y-%m-%dT%H:%M:%SZ}", "endAt": f"{end:%Y-%m-%dT%H:%M:%SZ}"},
                   "activityTypeIds": [12, 13, 22, 32]},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("state", "file"),
    [
        ({**DONE, "status": "Failed"}, listing(HEAD + LINE)),
        ({**DONE, "status": "Cancelled"}, listing(HEAD + LINE)),
        (DONE, listing("", 404)),
        (DONE, listing(HEAD)),
        (DONE, listing("leadId\n7\n")),
        (DONE, listing(HEAD + LINE.replace("2026-01-01", "yesterday"))),
        (DONE, listing(HEAD + LINE.replace(",13,", ",null,"))),
        (DONE, listing(HEAD + "g9,7\n")),
        (DONE, listing(HEAD + LINE.replace('"{', '"'))),
        (DONE, listing(HEAD + "x" * 200_000)),
    ],
)  # fmt: skip
async def test_what_is_no_whole_file_is_none(instance: Instance, state: Json, file: Answer) -> None:
    """Pages go on, and nothing is told by halves."""
    asked(instance, state, file)
    assert await told(instance) == ["g1", "g2", "g3"]
    assert len(instance.asked("activities/pagingtoken")) == 2  # one of them for deletions: they go on where they were


DIGEST = hashlib.sha256((HEAD + LINE).encode()).hexdigest()


@pytest.mark.parametrize("checksum", [f"sha256:{DIGEST}", f"sha256:{DIGEST.upper()}", "md5:0", None])
async def test_a_file_is_fetched_once_where_its_checksum_fits(instance: Instance, checksum: str | None) -> None:
    """So it is where Marketo tells none that can be reckoned."""
    asked(instance, {**DONE, "fileChecksum": checksum}, listing(HEAD + LINE))
    assert await told(instance) == ["g1", "g2", "g3", "g9"]
    assert len(instance.asked(FILE)) == 1


async def test_a_file_with_another_checksum_is_fetched_again(instance: Instance) -> None:
    """As many rows are no proof that it arrived as it was written."""
    asked(instance, {**DONE, "fileChecksum": f"sha256:{DIGEST}"}, listing(HEAD + LINE))
    instance.on(FILE, listing(HEAD + LINE.replace("TO", "EO")), listing(HEAD + LINE))
    assert await told(instance) == ["g1", "g2", "g3", "g9"]
    assert len(instance.asked(FILE)) == 2


async def test_a_file_that_never_has_its_checksum_is_none(instance: Instance) -> None:
    """Pages go on, after some tries."""
    asked(instance, {**DONE, "fileChecksum": f"sha256:{DIGEST}"}, listing(HEAD + LINE.replace("TO", "EO")))
    assert await told(instance) == ["g1", "g2", "g3"]
    assert len(instance.asked(FILE)) == Retries().tries_max


async def test_a_time_in_which_nothing_happened_has_no_file(instance: Instance) -> None:
    """Pages go on at its end."""
    asked(instance, {**DONE, "numberOfRecords": 0}, listing("", 404))
    assert await told(instance) == ["g1", "g2", "g3"]
    begun = [request.url.params["sinceDatetime"] for request in instance.asked("activities/pagingtoken")]
    assert begun[1] == f"{NOW - timedelta(seconds=300):%Y-%m-%dT%H:%M:%SZ}"


async def test_where_the_feed_is_at_its_end_nothing_is_extracted(instance: Instance) -> None:
    """However many pages there would be at this rate."""
    asked(instance, DONE, listing(HEAD + LINE))
    rows = [changed(number, 7, 3, None, str(number), ago_s=3_600 - 100 * number) for number in (1, 2, 3)]
    pages = [success(row, nextPageToken=f"{row['marketoGUID']}=", moreResult=row is not rows[-1]) for row in rows]
    logged(instance, *pages)
    assert await told(instance) == ["g1", "g2", "g3"]
    assert instance.asked("bulk/v1/activities/export/create") == []


async def test_a_row_of_nobody_is_no_answer(instance: Instance) -> None:
    """As on a page."""
    asked(instance, DONE, listing(HEAD + LINE.replace("g9,7", "g9,null")))
    with pytest.raises(UnreachableError, match="no person"):
        await told(instance)


async def test_an_extract_without_a_number_is_none(instance: Instance) -> None:
    """It can't be queued."""
    asked(instance, DONE, listing(""))
    for answer in (success(), success({"status": "Created"})):
        instance.on("bulk/v1/activities/export/create", answer)
        assert await told(instance) == ["g1", "g2", "g3"]
        asked(instance, DONE, listing(""))


async def test_when_the_day_s_calls_are_spent_the_feed_ends(instance: Instance) -> None:
    """Pages would be refused, too."""
    asked(instance, DONE, listing(""))
    instance.on("bulk/v1/activities/export/create", refusal("607"))
    with pytest.raises(BudgetSpentError):
        await told(instance)


def test_when_an_extract_saves() -> None:
    """Calls, or time: pages come as fast as calls may."""
    terms = terms_of(FILES, MarketoLimits(share=1.0))
    assert [extract_saves(terms, pages) for pages in (4, 4.1)] == [False, True]
    assert [extract_saves(attrs.evolve(terms, aim="time"), pages) for pages in (300, 301)] == [False, True]
