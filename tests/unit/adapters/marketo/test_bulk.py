"""Which updates of persons go in files, and what they look like."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import anyio
import httpx
import pytest

from mkdyn import MarketoBulk, MarketoLimits, RestMarketo
from mkdyn.domain.outcomes import Applied, Create, Delete, Stale, Update, Write
from mkdyn.domain.values import FieldValue
from mkdyn.testing.servers.marketo import MarketoServer, ServerLimits

from .instance import FIELDS, Instance, field, refusal, served, success
from .people import ALWAYS, people, titled, titles

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend(jumping: tuple[str, dict[str, Any]]) -> tuple[str, dict[str, Any]]:
    """Waits pass at once."""
    return jumping


async def test_many_updates_are_one_file() -> None:
    """It is handed in, and looked at until it is done; where every row was carried, nothing else is asked."""
    fake, keys = people(1_300)
    server = MarketoServer(fake, limits=ServerLimits(job_s=150))
    async with served(server=server, bulk=MarketoBulk(job_s=60)) as (connector, _):
        assert await connector.write("lead", titled(keys)) == [Applied(key=key) for key in keys]
    assert titles(fake) == {"CTO"}
    assert {name: count for name, count in server.arrivals.items() if "lead" in name} == {
        "leads.describe": 1, "bulk.leads": 1, "bulk.leads.status": 3,
    }  # fmt: skip


@pytest.mark.parametrize(("number", "expected"), [(1_200, 0), (1_201, 1)])
async def test_files_begin_at_the_crossover(number: int, expected: int) -> None:
    """Four calls write twelve hundred persons, and a file that takes a minute costs as many."""
    fake, keys = people(number)
    async with served(fake=fake, bulk=MarketoBulk(job_s=60)) as (connector, server):
        await connector.write("lead", titled(keys))
    assert (server.arrivals["bulk.leads"], server.arrivals["leads.sync"]) == (expected, 0 if expected else 4)


async def test_by_default_there_are_no_files() -> None:
    """Nobody asked for them."""
    fake, keys = people(1_500)
    async with served(fake=fake) as (connector, server):
        await connector.write("lead", titled(keys))
        assert (await connector.identify()).batch_max == 1_500
    assert server.arrivals["bulk.leads"] == 0


async def test_more_is_handed_over_at_once_and_waited_for_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is given up may be worked on until its deadline, and its activities appear after that."""
    for name, value in (("URL", "https://123-abc-456.mktorest.com"), ("CLIENT_ID", "x"), ("CLIENT_SECRET", "y")):
        monkeypatch.setenv(f"MARKETO_{name}", value)
    client = httpx.AsyncClient(transport=httpx.MockTransport(lambda _: httpx.Response(200, json=ANYTHING)))
    connector = RestMarketo.from_env(bulk=MarketoBulk(batch_max=9_000, deadline_s=1_000), client=client)
    identity = await connector.identify()
    assert (identity.batch_max, identity.settles_after_s) == (9_000, 1_600)


#: A token, and an answer.
ANYTHING = {**success(), "access_token": "t", "expires_in": 3_600, "scope": "u"}

VALUES = (
    ("title", "Žoë, “陳” = 1", True),
    ("title", "", False),
    ("title", None, False),
    ("title", " edge", False),
    ("title", "two\nlines", False),
    ("title", "Null", False),
    ("title", "x" * 256, False),
    ("title", 7, False),
    ("title", True, False),
    ("title", date(2026, 3, 2), False),
    ("email", "ada@example.com", True),
    ("email", "no address", False),
    ("note", "text of any length", False),
    ("score", 7, True),
    ("score", "7", False),
    ("amount", Decimal("34.66"), True),
    ("hasAgreed", False, True),
    ("hasAgreed", 1, False),
    ("seen", datetime(2026, 3, 2, 9, 30, tzinfo=UTC), True),
    ("born", date(1815, 12, 10), True),
    ("nosuch", "x", False),
)


@pytest.mark.parametrize(("name", "value", "fits"), VALUES)
async def test_what_a_file_may_not_carry_letter_for_letter_goes_by_calls(
    instance: Instance, name: str, value: FieldValue, fits: bool
) -> None:
    """Nobody says what an import makes of it."""
    instance.on("leads/describe", success(*FIELDS, field(20, "note", "text"), field(21, "score", "score")))
    instance.on("leads", success({"id": 7, "status": "updated"}))
    done = {"batchId": 5, "status": "Complete", "numOfLeadsProcessed": 1, "numOfRowsFailed": 0}
    instance.on("bulk/v1/leads", success({"batchId": 5, "status": "Queued"}))
    instance.on("bulk/v1/leads/batch/5", success({**done, "numOfRowsWithWarning": 0}))
    found = await instance.connector(bulk=ALWAYS).write("lead", [Update(key="7", values={name: value})])
    assert found == [Applied(key="7")]
    assert (len(instance.asked("bulk/v1/leads")), len(instance.asked("leads"))) == ((1, 0) if fits else (0, 1))


async def test_a_file_as_marketo_takes_it(instance: Instance) -> None:
    """Persons are looked up by their ids; texts are what they are, times in UTC."""
    instance.on("bulk/v1/leads", refusal("1016"))
    instance.on("leads", success({"id": 7, "status": "updated"}))
    values: dict[str, FieldValue] = {
        "title": 'Head of "R&D", Žižkov', "share": Decimal("12.5"), "hasAgreed": True,
        "seen": datetime(2026, 3, 2, 9, 30, tzinfo=UTC), "born": date(1815, 12, 10),
    }  # fmt: skip
    await instance.connector(bulk=ALWAYS).write("lead", [Update(key="007", values=values)])
    [request] = instance.asked("bulk/v1/leads")
    assert dict(request.url.params) == {"format": "csv", "lookupField": "id"}
    kind, _, boundary = request.headers["content-type"].partition("; boundary=")
    assert kind == "multipart/form-data"
    head, _, rest = request.content.decode().partition("\r\n\r\n")
    assert head == (
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="persons.csv"\r\nContent-Type: text/csv'
    )
    assert rest == (
        "id,born,hasAgreed,seen,share,title\n"
        '7,1815-12-10,true,2026-03-02T09:30:00Z,12.5,"Head of ""R&D"", Žižkov"\n'
        f"\r\n--{boundary}--\r\n"
    )


async def test_only_updates_of_persons_go_in_files() -> None:
    """A Create needs the id, and a Delete is none; nobody goes by a key that is no number, nor changes an id."""
    fake, [key, other] = people(2)
    writes: list[Write] = [
        Create(key="g", by="dynamicsId", values={"lastName": "New"}),
        Delete(key=other),
        Update(key="none", values={"title": "x"}),
        Update(key=key, values={}),
    ]
    async with served(fake=fake, bulk=ALWAYS) as (connector, server):
        made, *found = await connector.write("lead", writes)
        assert isinstance(made, Applied)
        assert found == [Applied(key=other), Stale(gone=True), Applied(key=key)]
        await connector.write("lead", [Update(key=key, values={"id": 5, "title": "x"})])
        await connector.write("company", [Create(key="7", values={"company": "A"})])
        assert await connector.write("company", [Update(key="7", values={"company": "B"})]) == [Applied(key="7")]
    assert server.arrivals["bulk.leads"] == 0


async def test_one_file_writes_the_same_fields_and_a_person_once() -> None:
    """An empty cell is in none of them, and of two updates of one person the second is the last word."""
    fake, [one, two] = people(2)
    writes = [
        *titled([one, two], "first"),
        Update(key=two, values={"department": "R&D"}),
        *titled([one], "second"),
    ]
    async with served(fake=fake, bulk=ALWAYS) as (connector, server):
        assert await connector.write("lead", writes) == [Applied(key=key) for key in (one, two, two, one)]
    shown = {record.key: (record.values["title"], record.values["department"]) for record in fake.records("lead")}
    assert shown == {one: ("second", None), two: ("first", "R&D")}
    assert server.arrivals["bulk.leads"] == 3


async def test_what_does_not_fill_a_file_goes_by_calls() -> None:
    """Files are cut before they are too large, and each but the last saves something."""
    fake, keys = people(1_000)
    # A row is twenty-six bytes or so; four hundred of them fill a file, and cost two calls.
    bulk = MarketoBulk(job_s=0.1, poll_s=100, file_bytes=400 * 26)
    async with served(fake=fake, bulk=MarketoBulk(rows_min=300, file_bytes=400 * 26)) as (connector, server):
        await connector.write("lead", titled(keys, "x" * 18))
    assert titles(fake) == {"x" * 18}
    assert (server.arrivals["bulk.leads"], server.arrivals["leads.sync"]) == (2, 1)
    async with served(fake=fake, bulk=bulk) as (connector, server):  # four calls each, which save nothing
        await connector.write("lead", titled(keys, "y" * 18))
    assert (server.arrivals["bulk.leads"], server.arrivals["leads.sync"]) == (0, 4)


@pytest.mark.parametrize(("jobs", "begin"), [(2, [0, 0, 40]), (1, [0, 40, 80])])
async def test_as_many_files_are_under_way_as_marketo_works_on(jobs: int, begin: Sequence[int]) -> None:
    """The next one is handed in when one of them is done."""
    fake, keys = people(9)
    bulk = MarketoBulk(rows_min=1, poll_s=20, jobs=jobs, file_bytes=60)
    server = MarketoServer(fake, limits=ServerLimits(job_s=30))
    async with served(server=server, bulk=bulk) as (connector, _):
        began = anyio.current_time()
        await connector.write("lead", titled(keys, "x" * 10))
    starts = [job.starts - began for job in server.instance.world.imports.jobs.values() if job.starts is not None]
    assert starts == pytest.approx(begin)
    assert titles(fake) == {"x" * 10}


@pytest.mark.parametrize(("seconds", "expected"), [(15, 2), (30, 0)])
async def test_to_save_time_files_are_decided_on_together(seconds: int, expected: int) -> None:
    """Four calls, one in ten seconds, against two files at once."""
    fake, keys = people(1_200)
    bulk = MarketoBulk(aim="time", job_s=seconds, poll_s=10, file_bytes=700 * 24)
    slow = MarketoLimits(share=1.0, calls_per_20_s=3)
    async with served(fake=fake, bulk=bulk, limits=slow) as (connector, server):
        await connector.write("lead", titled(keys, "x" * 18))
    assert (server.arrivals["bulk.leads"], server.arrivals["leads.sync"]) == (expected, 0 if expected else 4)
