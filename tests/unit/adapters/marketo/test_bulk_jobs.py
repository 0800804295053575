"""What is asked while a file is under way, and what becomes of each of its rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import anyio
import httpx
import pytest

from mkdyn import MarketoBulk
from mkdyn.adapters.http.retries import Retries
from mkdyn.adapters.marketo import files
from mkdyn.domain.outcomes import Applied, Outcome, Rejected, Stale, Unknown, Update
from mkdyn.errors import CheckError, ThrottledError
from mkdyn.testing.faults import Reject
from mkdyn.testing.servers.marketo import Drop, Fail, MarketoServer, Refuse, ServerLimits, Service, WireFault
from mkdyn.testing.servers.marketo.settings import PERMISSIONS

from .instance import Answer, Instance, refusal, sent, served, success
from .people import ALWAYS, people, titled, titles

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend(jumping: tuple[str, dict[str, Any]]) -> tuple[str, dict[str, Any]]:
    """Waits pass at once."""
    return jumping


async def test_rows_that_failed_are_sent_by_calls_which_say_why() -> None:
    """Somebody gone, somebody refused; everybody else is written."""
    fake, keys = people(5)
    fake.faults.append(Reject(key=keys[3], field="title", code="1003", message="Invalid value for field 'title'"))
    fake.delete("lead", keys[1])
    async with served(fake=fake, bulk=ALWAYS) as (connector, server):
        found = await connector.write("lead", titled(keys))
    assert found[1] == Stale(gone=True)
    assert found[3] == Rejected(code="1003", message="A value does not fit its field.", field="title")
    assert [found[place] for place in (0, 2, 4)] == [Applied(key=keys[place]) for place in (0, 2, 4)]
    assert (server.arrivals["bulk.leads.failures"], server.arrivals["leads.sync"]) == (1, 1)


async def test_what_marketo_takes_for_no_address_is_imported_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be stricter than we are; the rest of the row is written by then."""
    monkeypatch.setattr(files, "is_email", lambda _: True)
    fake, [key, other] = people(2)
    writes = [
        Update(key=id, values={"email": mail, "title": "CTO"}) for id, mail in ((key, "none"), (other, "a@b.example"))
    ]
    async with served(fake=fake, bulk=ALWAYS) as (connector, server):
        rejected = Rejected(code="1003", message="A value does not fit its field.", field="email")
        assert await connector.write("lead", writes) == [rejected, Applied(key=other)]
    shown = {record.key: (record.values["email"], record.values["title"]) for record in fake.records("lead")}
    assert shown == {key: (None, "CTO"), other: ("a@b.example", "CTO")}
    assert (server.arrivals["bulk.leads.warnings"], server.arrivals["leads.sync"]) == (1, 1)


JOB = {"batchId": 5, "status": "Complete", "numOfLeadsProcessed": 2, "numOfRowsFailed": 0, "numOfRowsWithWarning": 0}
WRITES = titled(["7", "8"])


def importing(instance: Instance, *states: Answer, **lists: Answer) -> None:
    """Have an instance import."""
    instance.on("bulk/v1/leads", success({"batchId": 5, "importId": "5", "status": "Queued"}))
    instance.on("bulk/v1/leads/batch/5", *states)
    for name, answer in lists.items():
        instance.on(f"bulk/v1/leads/batch/5/{name}", answer)
    instance.on(
        "leads", lambda request: success(*({"id": row["id"], "status": "updated"} for row in sent(request)["input"]))
    )


def listing(text: str, status: int = 200) -> httpx.Response:
    """A file."""
    return httpx.Response(status, text=text, headers={"content-type": "text/csv"})


async def test_a_row_that_there_is_a_warning_of_is_sent_by_a_call() -> None:
    """It was imported without the value that is none: the call names its field, so that it is held."""
    instance = Instance()
    warned = listing("id,title,Import Warning Reason\n8,CTO,Invalid email address in field Title\n")
    importing(instance, success({**JOB, "numOfRowsWithWarning": 1}), warnings=warned)
    reason = {"code": "1003", "message": "Invalid value for field 'title' and value 'CTO'"}
    instance.on("leads", success({"status": "skipped", "reasons": [reason]}))
    found = await instance.connector(bulk=ALWAYS).write("lead", WRITES)
    assert found == [Applied(key="7"), Rejected(code="1003", message="A value does not fit its field.", field="title")]
    [request] = instance.asked("leads")
    assert sent(request)["input"] == [{"title": "CTO", "id": 8}]


async def test_what_calls_do_not_answer_of_rows_that_failed_is_unknown() -> None:
    """The others are written."""
    instance = Instance()
    failed = listing("id,title,Import Failure Reason\n8,CTO,Lead not found\n")
    importing(instance, success({**JOB, "numOfLeadsProcessed": 1, "numOfRowsFailed": 1}), failures=failed)
    instance.on("leads", refusal("607"))
    carried, lost = await instance.connector(bulk=ALWAYS).write("lead", WRITES)
    assert carried == Applied(key="7")
    assert isinstance(lost, Unknown)


@pytest.mark.parametrize("code", ["1016", "1003", "612", "413"])
async def test_a_file_that_is_not_taken_goes_by_calls(instance: Instance, code: str) -> None:
    """The queue is full, or this instance has none."""
    importing(instance)
    instance.on("bulk/v1/leads", refusal(code))
    assert await instance.connector(bulk=ALWAYS).write("lead", WRITES) == [Applied(key="7"), Applied(key="8")]
    assert (len(instance.asked("bulk/v1/leads")), len(instance.asked("leads"))) == (1, 1)


async def test_a_job_that_failed_goes_by_calls(instance: Instance) -> None:
    """It is over, so nothing can arrive any more, and the same values once more change nothing."""
    importing(instance, success({"batchId": 5, "status": "Importing"}), success({"batchId": 5, "status": "Failed"}))
    assert await instance.connector(bulk=ALWAYS).write("lead", WRITES) == [Applied(key="7"), Applied(key="8")]
    assert len(instance.asked("leads")) == 1


async def test_a_file_without_an_answer_is_handed_in_once() -> None:
    """Nobody knows whether it is imported; it is, here."""
    fake, keys = people(3)
    server = MarketoServer(fake, faults=[Drop(of="bulk.leads", applied="yes")])
    async with served(server=server, bulk=ALWAYS) as (connector, _):
        found = await connector.write("lead", titled(keys))
        assert [type(outcome) for outcome in found] == [Unknown] * 3
        await anyio.sleep(60)
        await connector.identify()
    assert (server.arrivals["bulk.leads"], titles(fake)) == (1, {"CTO"})


async def test_a_file_that_is_refused_for_now_is_not_done() -> None:
    """All of it may be tried again later."""
    fake, keys = people(3)
    async with served(Refuse(of="bulk.leads", code="606"), fake=fake, bulk=ALWAYS) as (connector, server):
        with pytest.raises(ThrottledError):
            await connector.write("lead", titled(keys))
    assert server.arrivals["leads.sync"] == 0


async def test_a_right_that_is_missing_is_told() -> None:
    """As calls would tell it."""
    fake, keys = people(3)
    server = MarketoServer(fake, services=[Service(permissions=PERMISSIONS - {"Read-Write Lead"})])
    async with served(server=server, bulk=ALWAYS) as (connector, _):
        with pytest.raises(CheckError, match="permission"):
            await connector.write("lead", titled(keys))


async def test_a_look_without_an_answer_is_taken_again() -> None:
    """The job goes on without us."""
    fake, keys = people(3)
    faults: list[WireFault] = [Fail(of="bulk.leads.status", call=1), Refuse(of="bulk.leads.status", call=2, code="606")]
    server = MarketoServer(fake, faults=faults)
    async with served(server=server, bulk=ALWAYS, retries=Retries(tries_max=1)) as (connector, _):
        assert await connector.write("lead", titled(keys)) == [Applied(key=key) for key in keys]


async def test_what_is_not_done_in_time_is_unknown() -> None:
    """It may still be done."""
    fake, keys = people(3)
    server = MarketoServer(fake, limits=ServerLimits(job_s=700))
    async with served(server=server, bulk=MarketoBulk(rows_min=1, deadline_s=600)) as (connector, _):
        found = await connector.write("lead", titled(keys))
        assert {type(outcome) for outcome in found} == {Unknown}
        await anyio.sleep(100)
        await connector.identify()
    assert (server.arrivals["bulk.leads.status"], titles(fake)) == (10, {"CTO"})


FAILED = {**JOB, "numOfLeadsProcessed": 1, "numOfRowsFailed": 1}


@pytest.mark.parametrize(
    ("state", "lists"),
    [
        (refusal("607"), {}),
        (refusal("1013"), {}),
        (success({**JOB, "numOfLeadsProcessed": 1}), {}),
        (success({"batchId": 5, "status": "Complete"}), {}),
        (success(FAILED), {"failures": listing("File not found", 404)}),
        (success(FAILED), {"failures": listing("")}),
        (success(FAILED), {"failures": listing("id,title\n9,CTO\n")}),
        (success(FAILED), {"failures": listing("id,title\n7,CTO\n8,CTO\n")}),
        (success(FAILED), {"failures": listing("title\nCTO\n")}),
        (success(FAILED), {"failures": listing("<html>canary</html>")}),
        (success(FAILED), {"failures": httpx.Response(200, content=b"id\n\xff\n")}),
        (success(FAILED), {"failures": success()}),
        (success(FAILED), {"failures": refusal("1003")}),
        (success(FAILED), {"failures": refusal("702")}),
        (success(FAILED), {"failures": httpx.ReadTimeout("canary")}),
        (success({**JOB, "numOfRowsWithWarning": 1}), {"warnings": listing("", 404)}),
        (success({**JOB, "numOfRowsWithWarning": 1}), {"warnings": listing("id,title\n")}),
    ],
)  # fmt: skip
async def test_where_nobody_knows_which_rows_were_carried_all_are_unknown(
    instance: Instance, state: Answer, lists: Mapping[str, Answer]
) -> None:
    """They are read back; nothing is sent a second time."""
    importing(instance, state, **lists)
    found = await instance.connector(bulk=ALWAYS).write("lead", WRITES)
    assert [type(outcome) for outcome in found] == [Unknown, Unknown]
    assert "canary" not in str(found)
    assert instance.asked("leads") == []


async def test_when_the_day_s_calls_are_spent_nobody_looks_again(instance: Instance) -> None:
    """There are none left to look with."""
    importing(instance, refusal("607"))
    await instance.connector(bulk=ALWAYS).write("lead", WRITES)
    assert len(instance.asked("bulk/v1/leads/batch/5")) == 1


async def test_a_list_is_fetched_again_where_a_gateway_answers(instance: Instance) -> None:
    """Its page is no list."""
    importing(instance, success(FAILED))
    failed = listing("id,title,Import Failure Reason\n8,CTO,Lead not found\n")
    instance.on("bulk/v1/leads/batch/5/failures", listing("<html>busy</html>"), failed)
    instance.on("leads", success({"status": "skipped", "reasons": [{"code": "1004", "message": "Lead not found"}]}))
    assert await instance.connector(bulk=ALWAYS).write("lead", WRITES) == [Applied(key="7"), Stale(gone=True)]


async def test_an_import_without_a_number_is_unknown(instance: Instance) -> None:
    """It can't be asked for."""
    importing(instance)
    for answer in (success(), success({"status": "Queued"})):
        instance.on("bulk/v1/leads", answer)
        found: Sequence[Outcome] = await instance.connector(bulk=ALWAYS).write("lead", WRITES)
        assert [type(outcome) for outcome in found] == [Unknown, Unknown]
