"""Persons on the wire: read, found, written, deleted, merged, described."""

from __future__ import annotations

import pytest
from anyio import create_task_group

from mkdyn.domain import FieldSpec
from mkdyn.testing import FakeMarketo, Reject
from mkdyn.testing.servers.marketo import MarketoServer, Quirks

from .calling import Caller, error_of, reasons_of

pytestmark = pytest.mark.anyio

ADA = "ada@example.com"


def people(fake: FakeMarketo, count: int, **values: str) -> list[int]:
    """Somebody adds persons; their ids."""
    return [int(fake.create("lead", lastName=f"Nr {number}", **values)) for number in range(count)]


# -- reads ---------------------------------------------------------------------------------------------


async def test_one_person(caller: Caller) -> None:
    """The default fields, or those asked for and the id; an empty field is null, an empty boolean false."""
    key = caller.fake.create("lead", firstName="Ada", email=ADA)
    [row] = (await caller.get(f"lead/{key}"))["result"]
    assert row == {
        "id": int(key), "email": ADA, "firstName": "Ada", "lastName": None,
        "createdAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-01T00:00:00Z",
    }  # fmt: skip
    [row] = (await caller.get(f"lead/{key}", fields="title,doNotCall"))["result"]
    assert row == {"id": int(key), "title": None, "doNotCall": False}
    assert await caller.refused("lead/99") == ("1004", "Lead '99' not found")
    assert await caller.refused(f"lead/{key}", fields="colour") == ("1006", "Field 'colour' not found")


async def test_persons_by_filter(caller: Caller) -> None:
    """By ids in commas, or by an address in any case; what fits one page says nothing of pages."""
    first, second = people(caller.fake, 2, email=ADA)
    by_id = await caller.get("leads", filterType="id", filterValues=f"{second},{first},99,no", fields="email")
    assert by_id["result"] == [{"id": second, "email": ADA}, {"id": first, "email": ADA}]
    assert set(by_id) == {"requestId", "success", "result"}
    by_email = await caller.get("leads", filterType="email", filterValues="ADA@Example.com", fields="id")
    assert by_email["result"] == [{"id": first}, {"id": second}]
    nobody = await caller.get("leads", filterType="email", filterValues="x@example.com")
    assert nobody["result"] == []
    assert set(nobody) == {"requestId", "success", "result"}


async def test_repeated_parameters_and_a_form(caller: Caller) -> None:
    """A long query goes as a form; `_method` stands in it, or in the query; values may be repeated."""
    first, second = people(caller.fake, 2)
    form = {"filterType": "id", "filterValues": [str(first), str(second)], "fields": "lastName"}
    for query, more in (({"_method": "GET"}, {}), ({}, {"_method": "GET"})):
        answer = (await caller.call("POST", "leads", params=query, data={**form, **more})).json()
        assert [row["id"] for row in answer["result"]] == [first, second]


async def test_pages_of_persons(caller: Caller) -> None:
    """More than a page: a token, and more; the last page says that it is the last."""
    ids = people(caller.fake, 5, email=ADA)
    asked = {"filterType": "email", "filterValues": ADA, "fields": "id", "batchSize": "2"}
    found, token, pages = list[int](), "", list[bool]()
    while not pages or pages[-1]:
        answer = await caller.get("leads", **asked, **({"nextPageToken": token} if token else {}))
        found += [row["id"] for row in answer["result"]]
        pages.append(answer["moreResult"])
        token = answer.get("nextPageToken", "")
    assert found == ids
    assert pages == [True, True, False]
    assert await caller.refused("leads", **asked, nextPageToken="x") == ("1003", "Invalid paging token")
    assert await caller.refused("leads", **{**asked, "batchSize": "none"}) == (
        "1001",
        "Invalid value 'none'. Required of type 'Integer'",
    )


async def test_what_can_not_be_filtered_by(caller: Caller) -> None:
    """A field that is not there, or not searchable; no values, too many, and too many matches."""
    assert (await caller.refused("leads", filterType="colour", filterValues="x"))[0] == "1006"
    assert (await caller.refused("leads", filterType="firstName", filterValues="x"))[0] == "1011"
    assert (await caller.refused("leads", filterType="email"))[0] == "1002"
    assert (await caller.refused("leads", filterValues="x"))[0] == "1002"
    many = ",".join(str(number) for number in range(301))
    assert (await caller.refused("leads", filterType="id", filterValues=many))[0] == "1003"
    people(caller.fake, 1_001, email=ADA)
    assert await caller.refused("leads", filterType="email", filterValues=ADA) == (
        "1003",
        "Too many results match the filter",
    )


async def test_custom_fields_are_searchable(caller: Caller) -> None:
    """Texts, addresses and whole numbers that somebody made; a date is not."""
    caller.fake.add_field("lead", FieldSpec(name="member", type="integer"))
    caller.fake.add_field("lead", FieldSpec(name="joined", type="date"))
    key = caller.fake.create("lead", lastName="L", member=7)
    answer = await caller.get("leads", filterType="member", filterValues="7", fields="member")
    assert answer["result"] == [{"id": int(key), "member": 7}]
    assert (await caller.refused("leads", filterType="joined", filterValues="2026-01-01"))[0] == "1011"


# -- writes --------------------------------------------------------------------------------------------


async def test_created_or_updated(caller: Caller) -> None:
    """By address: made, found in any case, ambiguous; each in its place."""
    ada = {"email": ADA, "firstName": "Ada"}
    made = await caller.post("leads", {"input": [ada]})
    [row] = made["result"]
    assert row["status"] == "created"
    again = await caller.post("leads", {"input": [{"email": ADA.upper(), "firstName": "A."}, {"firstName": "?"}]})
    assert reasons_of(again) == ["updated", "1003"]
    assert again["result"][0]["id"] == row["id"]
    assert "id" not in again["result"][1]
    caller.fake.create("lead", email=ADA)
    twice = await caller.post("leads", {"input": [ada]})
    assert twice["result"] == [
        {"status": "skipped", "reasons": [{"code": "1007", "message": "Multiple lead match lookup criteria"}]}
    ]


@pytest.mark.parametrize(
    ("action", "said"),
    [
        ("createOrUpdate", ["updated", "created"]),
        ("createOnly", ["1005", "created"]),
        ("updateOnly", ["updated", "1004"]),
        ("createDuplicate", ["created", "created"]),
    ],
)
async def test_actions(caller: Caller, action: str, said: list[str]) -> None:
    """Each action, of a person who is there and of one who is not."""
    caller.fake.create("lead", dynamicsId="there")
    body = {"action": action, "lookupField": "dynamicsId", "input": [{"dynamicsId": "there"}, {"dynamicsId": "not"}]}
    assert reasons_of(await caller.post("leads", body)) == said


async def test_updated_by_id(caller: Caller) -> None:
    """The address may change then; a missing name is left alone, null clears, null makes a boolean false."""
    key = caller.fake.create("lead", email=ADA, title="CTO", firstName="Ada", doNotCall=True)
    record = {"id": int(key), "email": "new@example.com", "title": None, "doNotCall": None}
    body = {"action": "updateOnly", "lookupField": "id", "input": [record, {"id": 99, "title": "x"}]}
    assert reasons_of(await caller.post("leads", body)) == ["updated", "1004"]
    found = caller.fake.record("lead", key)
    assert found is not None
    shown = {name: found.values[name] for name in ("email", "title", "firstName", "doNotCall")}
    assert shown == {"email": "new@example.com", "title": None, "firstName": "Ada", "doNotCall": False}


async def test_an_id_is_marketos_to_choose(caller: Caller) -> None:
    """Nobody creates by id, and a record that brings one is skipped."""
    by_id = {"lookupField": "id", "input": [{"id": 7}]}
    assert (await caller.refused_post("leads", by_id))[0] == "1003"
    assert reasons_of(await caller.post("leads", {"input": [{"id": 7, "email": ADA}]})) == ["1003"]


@pytest.mark.parametrize(
    ("field", "bad", "good", "read"),
    [
        ("leadScore", 14.1, "14", 14),
        ("leadScore", True, 14, 14),
        ("amount", "14c", "34.66", 34.66),
        ("amount", [1], 34, 34.0),
        ("doNotCall", "other", "True", True),
        ("dateOfBirth", "10.12.1815", "1815-12-10", "1815-12-10"),
        ("emailSuspendedAt", "x", "2020-08-30T07:49:48.123+02:00", "2020-08-30T05:49:48Z"),
        ("emailSuspendedAt", 5, "2020-08-30", "2020-08-30T00:00:00Z"),
        ("title", 5, "", None),
        ("title", "x" * 256, "CTO", "CTO"),
        ("email", "bademail", ADA, ADA),
    ],
)
async def test_values(caller: Caller, field: str, bad: object, good: object, read: object) -> None:
    """A bad value is named with its field, and loses the whole record and no other; a good one reads as it is stored."""
    caller.fake.add_field("lead", FieldSpec(name="amount", type="currency"))
    records = [{"dynamicsId": "1", field: bad}, {"dynamicsId": "2", field: good}]
    answer = await caller.post("leads", {"lookupField": "dynamicsId", "input": records})
    [skipped, made] = answer["result"]
    assert skipped["reasons"] == [{"code": "1003", "message": f"Invalid value for field '{field}' and value '{bad}'"}]
    [row] = (await caller.get(f"lead/{made['id']}", fields=field))["result"]
    assert row == {"id": made["id"], field: read}
    assert len(caller.fake.records("lead")) == 1


async def test_fields_that_are_not_written(caller: Caller) -> None:
    """One that is not there, one of the company, one that the system fills, and one that is blocked."""
    caller.fake.block_field("lead", "title")
    records = [{"email": ADA, name: "x"} for name in ("colour", "company", "mktoName", "title")]
    answer = await caller.post("leads", {"action": "createDuplicate", "input": records})
    assert reasons_of(answer) == ["1006", "1021", "1003", "created"]
    assert answer["result"][2]["reasons"][0]["message"] == "Field 'mktoName' is read-only"
    assert caller.fake.records("lead")[0].values["title"] is None


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "1002"),
        ({"input": []}, "1002"),
        ({"input": {"email": ADA}}, "1002"),
        ({"input": ["x"]}, "1003"),
        ({"input": [{"email": ADA}] * 301}, "1003"),
        ({"input": [{"email": ADA}], "action": "replace"}, "1003"),
        ({"input": [{"email": ADA}], "action": 5}, "1003"),
        ({"input": [{"email": ADA}], "lookupField": "crmContactId"}, "1006"),
        ({"input": [{"email": ADA}], "lookupField": "firstName"}, "1011"),
    ],
)
async def test_writes_that_are_refused_altogether(caller: Caller, body: dict[str, object], code: str) -> None:
    """Nothing of such a call is written."""
    assert (await caller.refused_post("leads", body))[0] == code
    assert not caller.fake.records("lead")


async def test_a_lookup_field_that_is_not_there_is_named(caller: Caller) -> None:
    """As it was seen on the wire."""
    refusal = await caller.refused_post("leads", {"lookupField": "crmContactId", "input": [{"crmContactId": "x"}]})
    assert refusal == ("1006", "Lookup field 'crmContactId' not found")


async def test_the_fakes_refusals_are_on_the_wire(caller: Caller) -> None:
    """What `Reject` refuses is skipped, in writes and deletes; writes are counted as the fake counts them."""
    key = caller.fake.create("lead", email=ADA)
    caller.fake.inject(Reject(key=key, code="1008", message="No access"))
    body = {"action": "updateOnly", "lookupField": "id", "input": [{"id": int(key), "title": "x"}]}
    assert reasons_of(await caller.post("leads", body)) == ["1008"]
    deleted = await caller.post("leads/delete", {"input": [{"id": int(key)}]})
    assert deleted["result"] == [
        {"id": int(key), "status": "skipped", "reasons": [{"code": "1008", "message": "No access"}]}
    ]
    assert caller.fake.writes_by_object["lead"] == 2


async def test_overlapping_creates_can_make_two() -> None:
    """Where the instance has that race: two calls at once with one key; one after the other make one."""
    caller = Caller(MarketoServer(quirks=Quirks(races="duplicates"), latency_s=0.01))
    body = {"input": [{"email": ADA}]}
    statuses: list[str] = []

    async def send() -> None:
        statuses.extend(reasons_of(await caller.post("leads", body)))

    await caller.sign_in()
    async with create_task_group() as tasks:
        tasks.start_soon(send)
        tasks.start_soon(send)
    assert statuses == ["created", "created"]
    caller.fake.delete("lead", caller.fake.records("lead")[0].key)
    assert reasons_of(await caller.post("leads", body)) == ["updated"]


# -- deletes and merges --------------------------------------------------------------------------------


async def test_deleted(caller: Caller) -> None:
    """By the body or by the query; also in the two ways of old clients."""
    first, second, third, fourth = people(caller.fake, 4)
    answer = await caller.post("leads/delete", {"input": [{"id": first}, {"id": 999}]})
    assert answer["result"] == [
        {"id": first, "status": "deleted"},
        {"id": 999, "status": "skipped", "reasons": [{"code": "1004", "message": "Lead not found"}]},
    ]
    assert reasons_of((await caller.call("POST", "leads/delete", params={"id": f"{second},x"})).json()) == [
        "deleted",
        "1004",
    ]
    assert reasons_of((await caller.call("DELETE", "leads", params={"id": str(third)})).json()) == ["deleted"]
    old = await caller.post("leads", {"input": [{"id": fourth}]}, _method="DELETE")
    assert reasons_of(old) == ["deleted"]
    assert not caller.fake.records("lead")
    assert error_of((await caller.call("POST", "leads/delete")).json())[0] == "1002"
    many = ",".join(str(number) for number in range(301))
    assert error_of((await caller.call("POST", "leads/delete", params={"id": many})).json())[0] == "1003"


async def test_merged(caller: Caller) -> None:
    """The answer has no result; who is gone, or merged into themselves, is an error, and nothing is merged."""
    winner, loser = caller.fake.create("lead", firstName="Ada"), caller.fake.create("lead", title="CTO")
    gone = caller.fake.create("lead", title="x")
    caller.fake.delete("lead", gone)

    async def merge(into: str, **parameters: str) -> dict[str, object]:
        answer: dict[str, object] = (await caller.call("POST", f"leads/{into}/merge", params=parameters)).json()
        return answer

    assert error_of(await merge(winner)) == ("1002", "Missing value for required parameter 'leadId'")
    assert error_of(await merge(winner, leadIds=f"{loser},{gone}")) == ("1004", f"Lead '{gone}' not found")
    assert error_of(await merge(gone, leadId=loser)) == ("1004", f"Lead '{gone}' not found")
    assert error_of(await merge(winner, leadId=winner))[0] == "1003"
    assert error_of(await merge(winner, leadIds=",".join(["1"] * 26)))[0] == "1080"
    assert len(caller.fake.records("lead")) == 2
    assert set(await merge(winner, leadIds=loser)) == {"requestId", "success"}
    [left] = caller.fake.records("lead")
    assert (left.key, left.values["firstName"], left.values["title"]) == (winner, "Ada", "CTO")


# -- fields --------------------------------------------------------------------------------------------


async def test_described(caller: Caller) -> None:
    """Each field with its number, type and length; some that the system fills are called writable, as in real ones."""
    fields = {field["rest"]["name"]: field for field in (await caller.get("leads/describe"))["result"]}
    email = fields["email"]
    assert email == {
        "id": email["id"], "displayName": "Email", "dataType": "email", "length": 255,
        "rest": {"name": "email", "readOnly": False}, "soap": {"name": "Email", "readOnly": False},
    }  # fmt: skip
    assert len({field["id"] for field in fields.values()}) == len(fields)
    assert [fields[name]["rest"]["readOnly"] for name in ("id", "company", "createdAt", "mktoName")] == [
        False, False, True, True,
    ]  # fmt: skip
    assert "length" not in fields["address"]


async def test_described_anew(caller: Caller) -> None:
    """The newer describe has no numbers, and tells what can be looked up by."""
    [about] = (await caller.get("leads/describe2"))["result"]
    assert about["name"] == "API Lead"
    assert about["searchableFields"][:2] == [["id"], ["email"]]
    assert ["dynamicsId"] in about["searchableFields"]
    assert {"name": "title", "displayName": "Title", "dataType": "string", "length": 255, "updateable": True,
            "crmManaged": False} in about["fields"]  # fmt: skip


async def test_a_field_made_anew_has_another_number(caller: Caller) -> None:
    """Its name is the same, and it is another field."""

    async def number() -> int:
        fields = (await caller.get("leads/describe"))["result"]
        [found] = [field["id"] for field in fields if field["rest"]["name"] == "tier"]
        return int(found)

    caller.fake.add_field("lead", FieldSpec(name="tier", type="text"))
    first = await number()
    caller.fake.add_field("lead", FieldSpec(name="tier", type="text", length=20))
    assert await number() == first
    caller.fake.drop_field("lead", "tier")
    caller.fake.add_field("lead", FieldSpec(name="tier", type="text"))
    assert await number() != first


async def test_fields_of_the_schema(caller: Caller) -> None:
    """Page by page, or one; companies and opportunities have theirs."""
    page = await caller.get("leads/schema/fields", batchSize="2")
    assert len(page["result"]) == 2
    assert page["moreResult"] is True
    [field] = (await caller.get("leads/schema/fields/dynamicsId"))["result"]
    assert field == {
        "name": "dynamicsId", "displayName": "Dynamics Id", "dataType": "string", "length": 255, "description": "",
        "isHidden": False,
        "isHtmlEncodingInEmail": True, "isSensitive": False, "isCustom": True, "isApiCreated": True,
    }  # fmt: skip
    [field] = (await caller.get("companies/schema/fields/company"))["result"]
    assert not field["isCustom"]
    assert (await caller.refused("opportunities/schema/fields/colour"))[0] == "1006"


async def test_fields_are_created(caller: Caller) -> None:
    """A score is called an integer afterwards, unless the instance calls it a score."""
    sent = [
        {"name": "tier", "displayName": "Tier", "dataType": "string"},
        {"name": "warmth", "displayName": "Warmth", "dataType": "score"},
    ]
    answer = await caller.post("leads/schema/fields", {"input": sent})
    assert answer["result"] == [{"name": "tier", "status": "created"}, {"name": "warmth", "status": "created"}]
    key = caller.fake.create("lead", tier="gold", warmth=5)
    [row] = (await caller.get(f"lead/{key}", fields="tier,warmth"))["result"]
    assert row == {"id": int(key), "tier": "gold", "warmth": 5}
    [field] = (await caller.get("leads/schema/fields/warmth"))["result"]
    assert field["dataType"] == "integer"
    other = Caller(MarketoServer(caller.fake, quirks=Quirks(scores="score")))
    [field] = (await other.get("leads/schema/fields/warmth"))["result"]
    assert field["dataType"] == "score"


@pytest.mark.parametrize(
    ("field", "code"),
    [
        ({"name": "Title", "displayName": "Title 2", "dataType": "string"}, "1017"),
        ({"name": "2nd", "displayName": "Second", "dataType": "string"}, "1003"),
        ({"name": "third", "displayName": "", "dataType": "string"}, "1003"),
        ({"name": "story", "displayName": "Story", "dataType": "text"}, "1003"),
        ({"displayName": "Nameless", "dataType": "string"}, "1003"),
    ],
)
async def test_fields_that_are_not_created(caller: Caller, field: dict[str, str], code: str) -> None:
    """Nor is any other of the same call."""
    good = {"name": "tier", "displayName": "Tier", "dataType": "string"}
    assert (await caller.refused_post("leads/schema/fields", {"input": [good, field]}))[0] == code
    assert "tier" not in caller.server.instance.world.leads.specs


async def test_nobody_creates_fields_who_may_not() -> None:
    """The fake's own user is without that permission."""
    caller = Caller(MarketoServer(FakeMarketo(may_create_fields="no")))
    field = {"name": "tier", "displayName": "Tier", "dataType": "string"}
    assert await caller.refused_post("leads/schema/fields", {"input": [field]}) == ("603", "Access denied")
