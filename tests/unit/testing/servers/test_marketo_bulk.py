"""Bulk imports and extracts on the wire: jobs, queues, files."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from typing import Any

import attrs
import httpx
import pytest

from mkdyn.domain import FieldSpec
from mkdyn.testing import FakeMarketo
from mkdyn.testing.servers.marketo import MarketoServer, Quirks, ServerLimits

from .calling import Caller, error_of

pytestmark = pytest.mark.anyio

TODAY = {"startAt": "2026-01-01T00:00:00Z", "endAt": "2026-01-02T00:00:00Z"}


@attrs.define
class Seconds:
    """A clock that the test turns."""

    now: float = 1_000.0

    def read(self) -> float:
        """What it shows."""
        return self.now


class Bulk(Caller):
    """Somebody who uses the bulk interfaces, and waits for jobs."""

    def __init__(self, quirks: Quirks | None = None, **limits: int) -> None:
        self.seconds = Seconds()
        limits = {"calls_per_window": 1_000, **limits}
        settings: Any = {"limits": ServerLimits(**limits), "quirks": quirks, "clock": self.seconds.read}
        super().__init__(MarketoServer(FakeMarketo(), **settings))

    async def bulk(self, method: str, path: str, **how: Any) -> httpx.Response:  # noqa: ANN401 - as httpx takes it
        """Call with a token; *path* is without `/bulk/v1/` and `.json`."""
        if not self.token:
            await self.sign_in()
        headers = {"Authorization": f"Bearer {self.token}", **how.pop("headers", {})}
        return await self.http.request(method, f"/bulk/v1/{path}.json", headers=headers, **how)

    async def send(self, path: str, text: str, **parameters: str) -> dict[str, Any]:
        """Send a file."""
        sent = {"file": ("people.csv", text.encode(), "text/csv")}
        answer: dict[str, Any] = (await self.bulk("POST", path, files=sent, params=parameters)).json()
        return answer

    async def status(self, path: str) -> dict[str, Any]:
        """How far a job is."""
        [told] = (await self.bulk("GET", path)).json()["result"]
        assert isinstance(told, dict)
        return told


# -- imports -------------------------------------------------------------------------------------------


async def test_persons_are_imported() -> None:
    """Queued, running, complete; only then they are there. What failed, and warnings, are in files of their own."""
    bulk = Bulk()
    text = (
        "email,lastName,leadScore,fax,colour\n"
        "ada@example.com,Lovelace,85,1,\n"
        "bob@example.com,B,abc,,\n"
        "bademail,C,3,,\n"
        "eve@example.com,E,,,red\n"
        "joe@example.com,J,,,,too,many\n"
        "sue@example.com,S\n"
    )
    sent = await bulk.send("leads", text, lookupField="lastName")
    assert error_of(sent)[0] == "1003"
    bulk.fake.add_field("lead", FieldSpec(name="code", type="text"))
    text = "code," + text.replace("\n", "\n1,", 2).replace("\nbademail", "\n3,bademail").replace("\n1,bob", "\n2,bob")
    text = text.replace("\neve", "\n4,eve").replace("\njoe", "\n5,joe").replace("\nsue", "\n6,sue")
    sent = await bulk.send("leads", text, lookupField="code")
    [job] = sent["result"]
    assert job == {"batchId": 1001, "importId": "1001", "status": "Queued"}
    assert await bulk.status("leads/batch/1001") == {"batchId": 1001, "importId": "1001", "status": "Importing"}
    assert not bulk.fake.records("lead")
    assert (await bulk.bulk("GET", "leads/batch/1001/failures")).status_code == 404
    bulk.seconds.now += 5
    assert await bulk.status("leads/batch/1001") == {
        "batchId": 1001, "importId": "1001", "status": "Complete", "numOfLeadsProcessed": 4, "numOfRowsFailed": 2,
        "numOfRowsWithWarning": 1,
        "message": "Import completed with errors, 4 records imported (4 members), 2 failed",
    }  # fmt: skip
    failures = await bulk.bulk("GET", "leads/batch/1001/failures")
    assert failures.headers["content-type"].startswith("text/csv")
    assert failures.text == (
        "code,email,lastName,leadScore,fax,colour,Import Failure Reason\n"
        "2,bob@example.com,B,abc,,,Invalid value for field 'leadScore' and value 'abc'\n"
        "4,eve@example.com,E,,,red,Field 'colour' not found\n"
    )
    warnings = (await bulk.bulk("GET", "leads/batch/1001/warnings")).text
    assert warnings.splitlines()[1] == "3,bademail,C,3,,,Invalid email address in field Email"
    shown = [
        (row.values["email"], row.values["lastName"], row.values["leadScore"]) for row in bulk.fake.records("lead")
    ]
    assert shown == [
        ("ada@example.com", "Lovelace", 85), (None, "C", 3), ("joe@example.com", "J", None), ("sue@example.com", "S", None),
    ]  # fmt: skip


async def test_an_import_by_id_only_updates() -> None:
    """An empty cell leaves its field alone; other delimiters are taken."""
    bulk = Bulk()
    key = bulk.fake.create("lead", lastName="L", title="VP")
    await bulk.send("leads", f"id;lastName;title\n{key};;CTO\n99;X;Y\n", lookupField="id", format="ssv")
    bulk.seconds.now += 5
    told = await bulk.status("leads/batch/1001")
    assert (told["numOfLeadsProcessed"], told["numOfRowsFailed"]) == (1, 1)
    [row] = bulk.fake.records("lead")
    assert (row.values["lastName"], row.values["title"]) == ("L", "CTO")


async def test_custom_objects_are_imported() -> None:
    """Their answers name the object."""
    bulk = Bulk()
    path = "customobjects/dynamicsTeam_c/import"
    [job] = (await bulk.send(path, "dynamicsId,name\nT1,Harbour\n"))["result"]
    assert job == {"batchId": 1001, "status": "Queued", "objectApiName": "dynamicsTeam_c"}
    bulk.seconds.now += 5
    told = await bulk.status(f"{path}/1001/status")
    assert told == {
        "batchId": 1001, "status": "Complete", "operation": "import", "objectApiName": "dynamicsTeam_c",
        "numOfObjectsProcessed": 1, "numOfRowsFailed": 0, "numOfRowsWithWarning": 0, "importTime": "5 second(s)",
        "message": "Import succeeded, 1 records imported (1 members), 0 failed",
    }  # fmt: skip
    assert (await bulk.bulk("GET", f"{path}/1001/failures")).text == "File not found"
    assert bulk.fake.record("dynamicsTeam_c", "T1") is not None
    await bulk.send(path, "dynamicsId,name\n,Nobody\nT2,Quay\n")
    bulk.seconds.now += 5
    assert (await bulk.status(f"{path}/1002/status"))["numOfRowsFailed"] == 1
    assert "Missing value for dynamicsId" in (await bulk.bulk("GET", f"{path}/1002/failures")).text
    assert error_of((await bulk.bulk("GET", "leads/batch/1001")).json()) == ("1013", "Job '1001' not found")
    assert error_of(await bulk.send("customobjects/car_c/import", "vin\n1\n"))[0] == "610"


async def test_imports_that_are_refused() -> None:
    """No file, an empty one, another format, another content type, a body that is no multipart, one too large."""
    bulk = Bulk(import_bytes=1_000)
    assert error_of(await bulk.send("leads", "email\n"))[0] == "1003"
    assert error_of(await bulk.send("leads", "email\nx\n", format="xls"))[0] == "1003"
    other = {"other": ("people.csv", b"email\nx\n", "text/csv")}
    assert error_of((await bulk.bulk("POST", "leads", files=other)).json())[0] == "1002"
    assert error_of((await bulk.bulk("POST", "leads", json={})).json())[0] == "612"
    broken = {"Content-Type": "multipart/form-data; boundary=x"}
    assert error_of((await bulk.bulk("POST", "leads", content=b"?", headers=broken)).json())[0] == "613"
    large = {"file": ("people.csv", b"x" * 1_001, "text/csv")}
    assert (await bulk.bulk("POST", "leads", files=large)).status_code == 413


async def test_a_queue_of_imports() -> None:
    """Two run, eight wait; the eleventh is refused, and the first two make room."""
    bulk = Bulk()
    for number in range(10):
        assert (await bulk.send("leads", f"email\np{number}@example.com\n"))["success"]
    assert error_of(await bulk.send("leads", "email\nx@example.com\n")) == (
        "1016",
        "There are 10 imports currently being processed. Please try again later",
    )
    states = [(await bulk.status(f"leads/batch/{1001 + number}"))["status"] for number in range(3)]
    assert states == ["Importing", "Importing", "Queued"]
    bulk.seconds.now += 5
    assert (await bulk.send("leads", "email\nx@example.com\n"))["success"]
    assert len(bulk.fake.records("lead")) == 2
    bulk.seconds.now += 100
    assert (await bulk.status("leads/batch/1011"))["status"] == "Complete"
    assert len(bulk.fake.records("lead")) == 11


# -- extracts ------------------------------------------------------------------------------------------


async def make(bulk: Bulk, path: str, **body: object) -> str:
    """Make a job; its id."""
    [job] = (await bulk.bulk("POST", f"{path}/export/create", json=body)).json()["result"]
    assert job["status"] == "Created"
    return str(job["exportId"])


async def extract(bulk: Bulk, path: str, **body: object) -> list[dict[str, str]]:
    """Extract, and wait for it; the rows."""
    id = await make(bulk, path, **body)
    assert (await bulk.bulk("POST", f"{path}/export/{id}/enqueue")).json()["result"][0]["status"] == "Queued"
    bulk.seconds.now += 100
    return list(csv.DictReader(io.StringIO((await bulk.bulk("GET", f"{path}/export/{id}/file")).text)))


async def test_persons_are_extracted() -> None:
    """Made, queued, running, complete, with a checksum; the file is not there before. Empty is `null`."""
    bulk = Bulk()
    key = bulk.fake.create("lead", email="ada@example.com")
    fields = ["id", "email", "title", "doNotCall", "createdAt"]
    headers = {"email": "E-mail"}
    id = await make(bulk, "leads", fields=fields, columnHeaderNames=headers, filter={"createdAt": TODAY})
    path = f"leads/export/{id}"
    queued = (await bulk.bulk("POST", f"{path}/enqueue")).json()["result"][0]
    assert queued == {
        "exportId": id, "format": "CSV", "status": "Queued", "createdAt": TODAY["startAt"], "queuedAt": TODAY["startAt"],
    }  # fmt: skip
    assert error_of((await bulk.bulk("POST", f"{path}/enqueue")).json()) == ("1029", "Job already queued")
    assert (await bulk.status(f"{path}/status"))["status"] == "Processing"
    assert (await bulk.bulk("GET", f"{path}/file")).status_code == 404
    bulk.seconds.now += 5
    told = await bulk.status(f"{path}/status")
    file = await bulk.bulk("GET", f"{path}/file")
    assert file.text == f"id,E-mail,title,doNotCall,createdAt\n{key},ada@example.com,null,false,2026-01-01T00:00:00Z\n"
    assert (told["status"], told["numberOfRecords"], told["fileSize"]) == ("Completed", 1, len(file.content))
    assert told["fileChecksum"] == f"sha256:{hashlib.sha256(file.content).hexdigest()}"
    listed = (await bulk.bulk("GET", "leads/export")).json()["result"]
    assert listed == [told]


async def test_a_file_in_ranges() -> None:
    """A part is 206, one beyond the end 416; what is no range is passed over."""
    bulk = Bulk()
    id = await make(bulk, "leads", fields=["id"], filter={"createdAt": TODAY})
    await bulk.bulk("POST", f"leads/export/{id}/enqueue")
    bulk.seconds.now += 5

    async def part(asked: str) -> httpx.Response:
        return await bulk.bulk("GET", f"leads/export/{id}/file", headers={"Range": asked})

    answer = await part("bytes=1-1")
    assert (answer.status_code, answer.content, answer.headers["content-range"]) == (206, b"d", "bytes 1-1/3")
    assert (await part("bytes=0-")).content == b"id\n"
    assert (await part("bytes=3-")).status_code == 416
    assert (await part("lines=1-2")).status_code == 200
    assert (await bulk.bulk("GET", f"leads/export/{id}/status", headers={"Range": "bytes=0-1"})).status_code == 200


async def test_persons_changed_since() -> None:
    """Any field counts, though what a person shows as its last update is of standard fields only."""
    bulk = Bulk()
    bulk.fake.add_field("lead", FieldSpec(name="tier", type="text"))
    keys = [bulk.fake.create("lead", lastName=str(number)) for number in range(2)]
    bulk.fake.advance(2 * 86_400)
    bulk.fake.edit("lead", keys[1], tier="gold")
    later = {"startAt": "2026-01-02T12:00:00Z", "endAt": "2026-01-04T00:00:00Z"}
    rows = await extract(bulk, "leads", fields=["id", "tier"], filter={"updatedAt": later})
    assert rows == [{"id": keys[1], "tier": "gold"}]
    other = Bulk(Quirks(extracts_by_update=False))
    body = {"fields": ["id"], "filter": {"updatedAt": later}}
    assert error_of((await other.bulk("POST", "leads/export/create", json=body)).json())[0] == "1035"


async def test_activities_are_extracted() -> None:
    """Of some types, or of all but deletions; attributes are JSON in one column."""
    bulk = Bulk()
    key, gone = bulk.fake.create("lead", title="VP"), bulk.fake.create("lead", title="x")
    bulk.fake.edit("lead", key, title="CTO")
    bulk.fake.delete("lead", gone)
    [row] = await extract(bulk, "activities", filter={"createdAt": TODAY, "activityTypeIds": [13]})
    assert (row["leadId"], row["activityTypeId"], row["campaignId"]) == (key, "13", "null")
    assert json.loads(row["attributes"])["New Value"] == "CTO"
    rows = await extract(bulk, "activities", fields=["leadId", "activityTypeId"], filter={"createdAt": TODAY})
    assert [row["activityTypeId"] for row in rows] == ["12", "12", "13"]
    body = {"filter": {"createdAt": TODAY, "activityTypeIds": [37]}}
    assert error_of((await bulk.bulk("POST", "activities/export/create", json=body)).json())[0] == "1003"


async def test_custom_objects_are_extracted() -> None:
    """By when they were changed."""
    bulk = Bulk()
    bulk.fake.create("dynamicsTeam_c", dynamicsId="T1", name="Harbour")
    path = "customobjects/dynamicsTeam_c"
    rows = await extract(bulk, path, fields=["dynamicsId", "name"], filter={"updatedAt": TODAY})
    assert rows == [{"dynamicsId": "T1", "name": "Harbour"}]
    yesterday = {"startAt": "2025-12-01T00:00:00Z", "endAt": "2025-12-31T00:00:00Z"}
    assert not await extract(bulk, path, fields=["name"], filter={"updatedAt": yesterday})


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"fields": ["id"]}, "1002"),
        ({"filter": {"createdAt": TODAY}}, "1002"),
        ({"fields": ["id", "colour"], "filter": {"createdAt": TODAY}}, "1003"),
        ({"fields": ["id"], "filter": {"createdAt": TODAY, "updatedAt": TODAY}}, "1003"),
        ({"fields": ["id"], "filter": {"smartListId": 1}}, "1003"),
        ({"fields": ["id"], "filter": {"createdAt": {"startAt": "x", "endAt": "y"}}}, "1001"),
        ({"fields": ["id"], "filter": {"createdAt": "today"}}, "1001"),
        ({"fields": ["id"], "filter": {"createdAt": {**TODAY, "endAt": "2026-02-02T00:00:00Z"}}}, "1003"),
    ],
)
async def test_extracts_that_are_refused(body: dict[str, object], code: str) -> None:
    """Without fields or a filter, with unknown ones, with two filters, with no time or too much of it."""
    assert error_of((await Bulk().bulk("POST", "leads/export/create", json=body)).json())[0] == code


async def test_a_queue_of_extracts() -> None:
    """It has its room, and a day its bytes; a job that was given up makes room, and one that is done stays done."""
    bulk = Bulk(jobs_waiting=1, extract_bytes_per_day=3)
    ids = [await make(bulk, "leads", fields=["id"], filter={"createdAt": TODAY}) for _ in range(4)]

    async def act(id: str, what: str) -> dict[str, Any]:
        answer: dict[str, Any] = (await bulk.bulk("POST", f"leads/export/{id}/{what}")).json()
        return answer

    assert (await act(ids[0], "enqueue"))["success"]
    assert error_of(await act(ids[1], "enqueue")) == ("1029", "Too many jobs in queue")
    assert (await act(ids[0], "cancel"))["result"][0]["status"] == "Cancelled"
    assert (await act(ids[1], "enqueue"))["success"]
    bulk.seconds.now += 100
    assert (await act(ids[1], "cancel"))["result"][0]["status"] == "Completed"
    assert error_of(await act(ids[2], "enqueue")) == ("1029", "Export daily quota exceeded")
    assert (await bulk.bulk("GET", f"leads/export/{ids[0]}/file")).status_code == 404
