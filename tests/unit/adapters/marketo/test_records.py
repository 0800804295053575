"""Records read, found, written, deleted and merged: what is asked, in which words, and what comes of the answers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import httpx
import pytest

from mkdyn.domain.outcomes import Applied, Create, Delete, Rejected, Stale, Unknown, Update
from mkdyn.domain.values import FieldValue
from mkdyn.errors import SetupError, UnknownEntityError, UnknownFieldError, UnreachableError
from mkdyn.testing import FakeMarketo
from mkdyn.testing.servers.marketo import MarketoServer, Quirks

from .instance import Instance, form, refusal, sent, served, success

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend(jumping: tuple[str, dict[str, Any]]) -> tuple[str, dict[str, Any]]:
    """Waits pass at once."""
    return jumping


# -- read ------------------------------------------------------------------------------------------------------


async def test_people_s_data_is_never_in_an_address(instance: Instance) -> None:
    """What somebody is looked for by is sent as a form, on every page."""
    more = {"nextPageToken": "P==", "moreResult": True}
    instance.on("leads", success({"id": 7, "title": None}, **more), success({"id": 8, "title": "VP"}, moreResult=False))
    found = await instance.connector().find("lead", "email", ["a+b@x.example", "c@x.example"], fields=["title"])
    assert [(record.key, dict(record.values)) for record in found] == [
        ("7", {"title": None, "email": None}),
        ("8", {"title": "VP", "email": None}),
    ]
    calls = instance.asked("leads")
    assert [request.url.query for request in calls] == [b"_method=GET"] * 2
    assert form(calls[0]) == {
        "filterType": "email", "filterValues": "a+b@x.example,c@x.example", "fields": "title,email,id",
        "batchSize": "300",
    }  # fmt: skip
    assert form(calls[1]) == {**form(calls[0]), "nextPageToken": "P=="}


async def test_three_hundred_go_in_a_call(instance: Instance) -> None:
    """Each key once; what can be none is not asked for."""
    instance.on("leads", success())
    keys = [*(str(number) for number in range(650)), "1", "", "1,2"]
    assert await instance.connector().read("lead", keys, fields=["title"]) == {}
    assert sorted(len(form(request)["filterValues"].split(",")) for request in instance.asked("leads")) == [
        50,
        300,
        300,
    ]


async def test_too_many_matches_are_asked_for_in_parts() -> None:
    """A call answers a thousand persons, a value may have many."""
    fake = FakeMarketo()
    for number in range(1_500):
        fake.create("lead", lastName="x", email=f"{number // 600}@x.example")
    async with served(fake=fake) as (connector, _):
        values = [f"{number}@x.example" for number in range(3)]
        assert len(await connector.find("lead", "email", values, fields=["lastName"])) == 1_500
        for _ in range(500):
            fake.create("lead", lastName="x", email="0@x.example")
        with pytest.raises(SetupError, match="1003"):
            await connector.find("lead", "email", values, fields=["lastName"])


@pytest.mark.parametrize(
    ("field", "shown", "value"),
    [
        ("seen", "2020-08-30T05:49:48Z", datetime(2020, 8, 30, 5, 49, 48, tzinfo=UTC)),
        ("seen", "2020-08-30T05:49:48+0000", datetime(2020, 8, 30, 5, 49, 48, tzinfo=UTC)),
        ("seen", "2020-08-29T21:49:48-08:00", datetime(2020, 8, 30, 5, 49, 48, tzinfo=UTC)),
        ("seen", "2020-08-30T05:49:48Z+0000", datetime(2020, 8, 30, 5, 49, 48, tzinfo=UTC)),
        ("seen", "2014-11-13 12:43:04", datetime(2014, 11, 13, 12, 43, 4, tzinfo=UTC)),
        ("born", "1990-12-10", date(1990, 12, 10)),
        ("amount", 34.66, 34.66),
        ("amount", "34.66", 34.66),
        ("share", 99, 99),
        ("share", 12.5, Decimal("12.5")),
        ("id", 7, 7),
        ("hasAgreed", True, True),
        ("hasAgreed", "false", False),
        ("hasAgreed", None, False),
        ("title", None, None),
        ("title", "", ""),
        ("title", 12, "12"),
        ("strange", None, None),
    ],
)
async def test_values_come_as_their_field_s_type(
    instance: Instance, field: str, shown: object, value: FieldValue
) -> None:
    """In whichever spelling Marketo has them."""
    instance.on("leads", success({"id": 7, field: shown}))
    found = (await instance.connector().read("lead", ["7"], fields=[field]))["7"].values[field]
    assert (found, type(found)) == (value, type(value))
    assert not isinstance(found, datetime) or found.tzinfo is not None


@pytest.mark.parametrize(
    "shown",
    [{"title": "x"}, {"id": 7, "seen": "yesterday"}, {"id": 7, "share": "many"}, {"id": 7, "share": float("inf")},
     {"id": 7, "born": 7}, {"id": 7, "amount": "x"}],
    ids=str,
)  # fmt: skip
async def test_what_is_no_value_is_no_answer(instance: Instance, shown: Mapping[str, object]) -> None:
    """It never looks empty."""
    instance.on("leads", success(shown) if shown.get("share") != float("inf") else httpx.Response(
        200, content=b'{"success":true,"result":[{"id":7,"share":Infinity}]}'
    ))  # fmt: skip
    names = [name for name in shown if name != "id"]
    with pytest.raises(UnreachableError, match="can't be read"):
        await instance.connector().read("lead", ["7"], fields=names)


async def test_a_field_that_can_not_be_looked_up_by() -> None:
    """It is there, so it is a matter of settings."""
    async with served() as (connector, _):
        with pytest.raises(SetupError, match="1011") as raised:
            await connector.find("lead", "firstName", ["Ada"], fields=["lastName"])
        assert not isinstance(raised.value, UnknownFieldError)


@pytest.mark.parametrize("code", ["610", "1013"])
async def test_an_object_that_went(instance: Instance, code: str) -> None:
    """It is not there, whatever was known of it."""
    described = {"name": "x_c", "fields": [{"name": "dynamicsId", "displayName": "", "dataType": "string"}]}
    instance.on("customobjects/x_c/describe", success(described))
    instance.on("customobjects/x_c", refusal(code))
    connector = instance.connector()
    with pytest.raises(UnknownEntityError, match="x_c"):
        await connector.read("x_c", ["a"], fields=["dynamicsId"])
    instance.on("customobjects/x_c", refusal("610"))
    with pytest.raises(UnknownEntityError, match="x_c"):
        await connector.write("x_c", [Update(key="a", values={})])


# -- write -----------------------------------------------------------------------------------------------------


async def test_what_a_write_says(instance: Instance) -> None:
    """A Create looks its record up, an Update and a Delete have its id; answers are told apart by their place."""
    instance.on("leads", success({"id": 9, "status": "created"}), success({"id": 7, "status": "updated"}))
    instance.on("leads/delete", success({"id": 8, "status": "deleted"}))
    writes = [
        Delete(key="8"),
        Update(key="7", values={"title": "", "email": None, "hasAgreed": True}),
        Create(key="guid", by="keyed", values={"title": "CTO"}),
    ]
    found = await instance.connector().write("lead", writes)
    assert found == [Applied(key="8"), Applied(key="9"), Applied(key="7")] or found == [
        Applied(key="8"),
        Applied(key="9"),
        Applied(key="7", found=True),
    ]
    told = [sent(request) for request in instance.asked("leads")]
    assert told == [
        {
            "action": "updateOnly",
            "lookupField": "id",
            "input": [{"title": None, "email": None, "hasAgreed": True, "id": 7}],
        },
        {"action": "createOrUpdate", "lookupField": "keyed", "input": [{"title": "CTO", "keyed": "guid"}]},
    ]
    assert sent(instance.asked("leads/delete")[0]) == {"input": [{"id": 8}]}


@pytest.mark.parametrize(
    ("value", "wire"),
    [
        (datetime(2026, 3, 2, 9, 30, tzinfo=timezone(timedelta(hours=5))), "2026-03-02T04:30:00Z"),
        (datetime(2026, 3, 2, 9, 30), "2026-03-02T09:30:00Z"),  # noqa: DTZ001 - what a wall shows
        (date(1815, 12, 10), "1815-12-10"),
        (Decimal("34.66"), 34.66),
        (7, 7),
        (False, False),
        (None, None),
        ("", None),
        ("Žoë “陳”", "Žoë “陳”"),
    ],
)
async def test_values_as_marketo_takes_them(instance: Instance, value: FieldValue, wire: object) -> None:
    """Times in UTC, and nothing for nothing."""
    instance.on("leads", success({"id": 7, "status": "updated"}))
    await instance.connector().write("lead", [Update(key="7", values={"title": value})])
    [request] = instance.asked("leads")
    assert sent(request)["input"] == [{"title": wire, "id": 7}]


async def test_one_key_goes_once_in_a_call(instance: Instance) -> None:
    """In their order, and without regard to case, as Marketo compares."""
    instance.on("leads", success({"id": 1, "status": "created"}, {"id": 2, "status": "created"}), success(
        {"id": 1, "status": "updated"}
    ))  # fmt: skip
    writes = [
        Create(key=key, by="email", values={"title": key}) for key in ("A@x.example", "b@x.example", "a@X.example")
    ]
    found = await instance.connector().write("lead", writes)
    assert found == [Applied(key="1"), Applied(key="2"), Applied(key="1", found=True)]
    calls = [[record["title"] for record in sent(request)["input"]] for request in instance.asked("leads")]
    assert calls == [["A@x.example", "b@x.example"], ["a@X.example"]]


async def test_objects_with_keys_of_their_own() -> None:
    """Companies, opportunities, sales persons, custom objects: made, found, changed, deleted by the key they were given."""
    async with served() as (connector, server):
        for object, name in (("company", "company"), ("opportunity", "name"), ("salesperson", "firstName"),
                             ("dynamicsTeam_c", "name")):  # fmt: skip
            specs = {spec.name for spec in await connector.describe(object)}
            assert name in specs
            create = Create(key="k-1", values={name: "A"})
            assert await connector.write(object, [create]) == [Applied(key="k-1")]
            assert await connector.write(object, [create]) == [Applied(key="k-1", found=True)]
            assert await connector.write(object, [Update(key="k-1", values={name: "B"})]) == [Applied(key="k-1")]
            assert await connector.write(object, [Update(key="k-2", values={name: "B"})]) == [Stale(gone=True)]
            found = await connector.read(object, ["k-1", "k-2"], fields=[name])
            assert {key: dict(record.values) for key, record in found.items()} == {"k-1": {name: "B"}}
            assert await connector.write(object, [Delete(key="k-1"), Delete(key="k-2")]) == [
                Applied(key="k-1"),
                Applied(key="k-2"),
            ]
        assert not server.instance.codes


async def test_a_native_sync_is_named() -> None:
    """What it makes read-only is read, and a write says why not."""
    async with served(server=MarketoServer(FakeMarketo(), quirks=Quirks(native_sync="read-only"))) as (connector, _):
        assert await connector.read("company", ["x"], fields=["company"]) == {}
        with pytest.raises(SetupError, match="native CRM sync"):
            await connector.write("company", [Create(key="x", values={"company": "A"})])


# -- merge -----------------------------------------------------------------------------------------------------


async def test_a_merge(instance: Instance) -> None:
    """Who is gone is passed over; nobody is merged into somebody who is gone; each answer is told."""
    instance.on("leads", success({"id": 1}, {"id": 2}, {"id": 3}))
    instance.on("leads/1/merge", {"requestId": "x", "success": True})
    connector = instance.connector()
    assert await connector.merge("1", ["2", "2", "3", "4"]) == Applied(key="1")
    [request] = instance.asked("leads/1/merge")
    assert (request.method, dict(request.url.params)) == ("POST", {"leadIds": "2,3"})
    assert await connector.merge("1", ["4"]) == Applied(key="1")
    assert await connector.merge("9", ["1"]) == Stale(gone=True)
    assert isinstance(await connector.merge("1", [str(number) for number in range(2, 30)]), Rejected)
    assert len(instance.asked("leads/1/merge")) == 1
    instance.on("leads/1/merge", refusal("712"))
    assert await connector.merge("1", ["2"]) == Rejected(code="712", message="Marketo does not merge them.")
    instance.on("leads/1/merge", httpx.ReadTimeout("canary"))
    lost = await connector.merge("1", ["2"])
    assert isinstance(lost, Unknown)
    assert "canary" not in lost.reason
