"""Companies, opportunities, roles, sales persons and custom objects on the wire."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Literal

import pytest

from mkdyn.domain import FieldSpec
from mkdyn.testing import Reject
from mkdyn.testing.servers.marketo import MarketoServer, Quirks

from .calling import Caller, error_of, reasons_of

pytestmark = pytest.mark.anyio

CONTOSO = {"externalCompanyId": "C1", "company": "Contoso"}


def upsert(*records: dict[str, object], **more: str) -> dict[str, Any]:
    """The body of a sync."""
    return {"input": list(records), **more}


async def test_companies(caller: Caller) -> None:
    """Made, found by key, number and name, changed, deleted; each answer has its place and the number."""
    made = await caller.post("companies", upsert(CONTOSO, {"externalCompanyId": "c1"}, {"company": "x"}))
    assert reasons_of(made) == ["created", "1036", "1003"]
    assert [row["seq"] for row in made["result"]] == [0, 1, 2]
    id = made["result"][0]["id"]
    changed = await caller.post("companies", upsert({"externalCompanyId": "C1", "industry": "IT"}))
    assert changed["result"] == [{"seq": 0, "status": "updated", "id": id}]
    for by, value in (
        ("dedupeFields", "c1"),
        ("externalCompanyId", "C1"),
        ("idField", str(id)),
        ("company", "contoso"),
    ):
        found = await caller.get("companies", filterType=by, filterValues=value, fields="industry")
        assert found["result"] == [{"seq": 0, "id": id, "industry": "IT"}]
    [row] = (await caller.get("companies", filterType="id", filterValues=str(id)))["result"]
    assert set(row) == {"seq", "id", "externalCompanyId", "createdAt", "updatedAt"}
    gone = await caller.post("companies/delete", upsert({"externalCompanyId": "C1"}, {"externalCompanyId": "C1"}, {}))
    assert reasons_of(gone) == ["deleted", "1013", "1013"]
    assert gone["result"][0] == {"seq": 0, "id": id, "status": "deleted"}


@pytest.mark.parametrize(
    ("action", "said"),
    [
        ("createOrUpdate", ["updated", "created"]),
        ("createOnly", ["1017", "created"]),
        ("updateOnly", ["updated", "1013"]),
    ],
)
async def test_actions(caller: Caller, action: str, said: list[str]) -> None:
    """Each action, of a company that is there and of one that is not."""
    caller.fake.create("company", **CONTOSO)
    body = upsert(CONTOSO, {"externalCompanyId": "C2", "company": "x"}, action=action)
    assert reasons_of(await caller.post("companies", body)) == said


async def test_by_number(caller: Caller) -> None:
    """Only what is there is changed by its number; deleted, too."""
    caller.fake.create("company", **CONTOSO)
    found = await caller.get("companies", filterType="company", filterValues="Contoso")
    id = found["result"][0]["id"]
    body = upsert({"id": id, "company": "C."}, dedupeBy="idField")
    assert (await caller.refused_post("companies", body))[0] == "1003"
    assert reasons_of(await caller.post("companies", {**body, "action": "updateOnly"})) == ["updated"]
    assert caller.fake.records("company")[0].values["company"] == "C."
    assert reasons_of(await caller.post("companies/delete", upsert({"id": id}, deleteBy="idField"))) == ["deleted"]


async def test_bad_values_and_faults(caller: Caller) -> None:
    """One bad record loses only itself; what the fake refuses is refused here, too."""
    bad = {"externalCompanyId": "C2", "numberOfEmployees": "many"}
    answer = await caller.post("companies", upsert(CONTOSO, bad, {"externalCompanyId": "C3", "colour": "red"}))
    assert reasons_of(answer) == ["created", "1003", "1006"]
    caller.fake.inject(Reject(key="C1", code="1008"))
    assert reasons_of(await caller.post("companies", upsert(CONTOSO))) == ["1008"]
    assert reasons_of(await caller.post("companies/delete", upsert(CONTOSO))) == ["1008"]


async def test_objects_are_described(caller: Caller) -> None:
    """What is the key, what they are found by, and each field."""
    [about] = (await caller.get("companies/describe"))["result"]
    fields = {field["name"]: field for field in about.pop("fields")}
    assert about == {
        "name": "Company", "displayName": "Company", "description": "Company object",
        "createdAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-01T00:00:00Z", "idField": "id",
        "dedupeFields": ["externalCompanyId"], "searchableFields": [["externalCompanyId"], ["id"], ["company"]],
        "relationships": [],
    }  # fmt: skip
    assert fields["externalCompanyId"] == {
        "name": "externalCompanyId", "displayName": "External Company Id", "dataType": "string", "length": 100,
        "updateable": False, "crmManaged": False,
    }  # fmt: skip
    assert [fields[name]["updateable"] for name in ("company", "id")] == [True, False]
    assert "length" not in fields["annualRevenue"]


async def test_queries_that_are_refused(caller: Caller) -> None:
    """Nothing to look by, nothing to look for, too much, and fields that can't be searched or are not there."""
    many = ",".join(str(number) for number in range(301))
    for parameters, code in (
        ({}, "1002"),
        ({"filterType": "company"}, "1002"),
        ({"filterType": "industry", "filterValues": "IT"}, "1011"),
        ({"filterType": "company", "filterValues": many}, "1003"),
        ({"filterType": "company", "filterValues": "x", "fields": "colour"}, "1006"),
    ):
        assert (await caller.refused("companies", **parameters))[0] == code
    assert (await caller.refused_post("companies", upsert(CONTOSO, action="replace")))[0] == "1003"


async def test_opportunities(caller: Caller) -> None:
    """They need a name and a sales person who is there; their number is a GUID; custom fields are searchable."""
    caller.fake.add_field("opportunity", FieldSpec(name="region", type="text"))
    caller.fake.add_field("opportunity", FieldSpec(name="signed", type="date"))
    answer = await caller.post(
        "opportunities",
        upsert(
            {"externalOpportunityId": "O1", "name": "Renewal", "amount": 1604.47, "region": "EMEA"},
            {"externalOpportunityId": "O2"},
            {"externalOpportunityId": "O3", "name": "x", "externalSalesPersonId": "nobody"},
        ),
    )
    assert reasons_of(answer) == ["created", "701", "718"]
    guid = answer["result"][0]["marketoGUID"]
    form = {"filterType": "idField", "filterValues": guid, "fields": "name,amount"}
    found = (await caller.call("POST", "opportunities", params={"_method": "GET"}, data=form)).json()
    assert found["result"] == [{"seq": 0, "marketoGUID": guid, "name": "Renewal", "amount": 1604.47}]
    by_region = await caller.get("opportunities", filterType="region", filterValues="EMEA")
    assert by_region["result"][0]["marketoGUID"] == guid
    assert (await caller.refused("opportunities", filterType="signed", filterValues="2026-01-01"))[0] == "1011"


async def test_sales_persons(caller: Caller) -> None:
    """All their fields are shown where none is asked for; who has customers is not deleted."""
    olga = {"externalSalesPersonId": "S1", "email": "olga@example.com"}
    assert reasons_of(await caller.post("salespersons", upsert(olga))) == ["created"]
    [row] = (await caller.get("salespersons", filterType="email", filterValues="olga@example.com"))["result"]
    assert {"firstName", "email", "department"} < set(row)
    caller.fake.create("lead", externalSalesPersonId="S1")
    assert reasons_of(await caller.post("salespersons/delete", upsert(olga))) == ["1022"]


async def test_roles(caller: Caller) -> None:
    """Their key has three parts, and both ends must be there; they are found by each end, or by whole keys."""
    lead = int(caller.fake.create("lead", lastName="x"))
    caller.fake.create("opportunity", externalOpportunityId="O1", name="Renewal")
    role = {"externalOpportunityId": "O1", "leadId": lead, "role": "Decision Maker"}
    answer = await caller.post(
        "opportunities/roles",
        upsert(
            {**role, "isPrimary": True}, {**role, "leadId": 99}, {**role, "externalOpportunityId": "O2"}, {"role": "x"}
        ),
    )
    assert reasons_of(answer) == ["created", "1004", "1013", "1003"]
    assert reasons_of(await caller.post("opportunities/roles", upsert({**role, "isPrimary": False}))) == ["updated"]
    guid = answer["result"][0]["marketoGUID"]
    by_key = {"filterType": "dedupeFields", "fields": ["role", "isPrimary"], "input": [role]}
    found = await caller.post("opportunities/roles", by_key, _method="GET")
    wanted = [{"seq": 0, "marketoGUID": guid, "role": "Decision Maker", "isPrimary": False}]
    assert found["result"] == wanted
    by_lead = await caller.get(
        "opportunities/roles", filterType="leadId", filterValues=str(lead), fields="role,isPrimary"
    )
    assert by_lead["result"] == wanted
    other = {**by_key, "input": [{**role, "role": "Champion"}], "batchSize": 10}
    assert (await caller.post("opportunities/roles", other, _method="GET"))["result"] == []
    part = {**by_key, "input": [{"role": "Champion"}]}
    assert (await caller.refused_post("opportunities/roles", part, _method="GET"))[0] == "1003"
    assert (await caller.refused("opportunities/roles", filterType="dedupeFields", filterValues="O1"))[0] == "1011"
    assert reasons_of(await caller.post("opportunities/roles/delete", upsert(role))) == ["deleted"]


@pytest.mark.parametrize(("native_sync", "reads"), [("read-only", True), ("refused", False)])
async def test_a_native_sync_takes_them_over(native_sync: Literal["read-only", "refused"], reads: bool) -> None:
    """Nobody else writes then, and perhaps nobody reads; custom objects and persons are free."""
    caller = Caller(MarketoServer(quirks=Quirks(native_sync=native_sync)))
    caller.fake.create("company", **CONTOSO)
    assert await caller.refused_post("companies", upsert(CONTOSO)) == ("1018", "CRM Enabled")
    assert (await caller.refused_post("companies/delete", upsert(CONTOSO)))[0] == "1018"
    if reads:
        found = await caller.get("companies", filterType="company", filterValues="Contoso")
        assert len(found["result"]) == 1
        assert (await caller.get("companies/describe"))["success"]
    else:
        assert (await caller.refused("companies", filterType="company", filterValues="Contoso"))[0] == "1018"
        assert (await caller.refused("companies/describe"))[0] == "1018"
    assert reasons_of(await caller.post("customobjects/dynamicsTeam_c", upsert({"dynamicsId": "T1"}))) == ["created"]
    assert reasons_of(await caller.post("leads", upsert({"email": "a@example.com"}))) == ["created"]


async def test_numbers_are_json_numbers(caller: Caller) -> None:
    """Whatever Marketo makes of them."""
    caller.fake.rewrite("company", "annualRevenue", lambda _: Decimal("1.50"))
    await caller.post("companies", upsert({**CONTOSO, "annualRevenue": 1}))
    found = await caller.get("companies", filterType="company", filterValues="Contoso", fields="annualRevenue")
    assert found["result"][0]["annualRevenue"] == 1.5


# -- custom objects ------------------------------------------------------------------------------------


async def test_custom_objects(caller: Caller) -> None:
    """Those of the fake are keyed by the Dynamics id; they are listed, described, written, found, deleted."""
    path = "customobjects/dynamicsTeam_c"
    assert [kind["name"] for kind in (await caller.get("customobjects"))["result"]] == ["dynamicsTeam_c"]
    assert (await caller.get("customobjects", names="car_c"))["result"] == []
    [about] = (await caller.get(f"{path}/describe"))["result"]
    assert (about["idField"], about["dedupeFields"]) == ("marketoGUID", ["dynamicsId"])
    made = await caller.post(path, upsert({"dynamicsId": "T1", "name": "Harbour"}))
    guid = made["result"][0]["marketoGUID"]
    found = await caller.get(path, filterType="dynamicsId", filterValues="T1", fields="name")
    assert found["result"] == [{"seq": 0, "marketoGUID": guid, "name": "Harbour"}]
    assert reasons_of(await caller.post(f"{path}/delete", upsert({"marketoGUID": guid}, deleteBy="idField"))) == [
        "deleted"
    ]


async def test_a_custom_object_that_is_not_there(caller: Caller) -> None:
    """Is no path; Marketo's own objects are none of these."""
    for name in ("car_c", "lead"):
        refused = await caller.refused(f"customobjects/{name}", filterType="idField", filterValues="x")
        assert refused == ("610", "Requested resource not found")


async def test_a_custom_object_is_made(caller: Caller) -> None:
    """Drafted, given fields, approved; then it can be used, and takes more fields, but no more keys."""
    path = "customobjects/schema"
    car = {"apiName": "car_c", "displayName": "Car", "action": "createOnly"}
    assert (await caller.post(path, car))["result"] == []
    assert (await caller.refused_post(path, car))[0] == "1017"
    fields = [
        {"name": "vin", "displayName": "VIN", "dataType": "string", "isDedupeField": True},
        {"name": "owner", "displayName": "Owner", "dataType": "link", "relatedTo": {"name": "lead", "field": "id"}},
        {"name": "maker", "displayName": "Maker", "dataType": "link", "relatedTo": {"name": "maker_c", "field": "id"}},
    ]
    assert (await caller.refused(f"{path}/car_c/describe"))[0] == "1013"
    assert (await caller.refused("customobjects/car_c/describe"))[0] == "610"
    assert (await caller.post(f"{path}/car_c/addField", {"input": fields}))["result"] == []
    assert (await caller.refused_post(f"{path}/car_c/addField", {"input": fields}))[0] == "1017"
    for _ in range(2):
        assert (await caller.call("POST", f"{path}/car_c/approve")).json()["result"] == []
    [about] = (await caller.get(f"{path}/car_c/describe"))["result"]
    assert (about["dedupeFields"], about["apiName"], about["state"]) == (["vin"], "car_c", "approved")
    assert [kind["apiName"] for kind in (await caller.get(path))["result"]] == ["dynamicsTeam_c", "car_c"]
    assert {field["name"]: field["dataType"] for field in about["fields"]} == {
        "marketoGUID": "string", "createdAt": "datetime", "updatedAt": "datetime", "vin": "string",
        "owner": "integer", "maker": "string",
    }  # fmt: skip
    later = [{"name": "colour", "displayName": "Colour", "dataType": "string"}]
    assert (await caller.post(f"{path}/car_c/addField", {"input": later}))["success"]
    assert (await caller.refused_post(f"{path}/car_c/addField", {"input": [{**fields[0], "name": "vin2"}]}))[
        0
    ] == "1003"
    assert reasons_of(await caller.post("customobjects/car_c", upsert({"vin": "V1", "colour": "red"}))) == ["created"]
    assert caller.fake.record("car_c", "V1") is not None
    assert (await caller.post(path, {**car, "action": "createOrUpdate"}))["success"]


async def test_a_custom_object_with_two_keys(caller: Caller) -> None:
    """One pair is one record."""
    await caller.post("customobjects/schema", {"apiName": "seat_c", "displayName": "Seat"})
    fields = [
        {"name": name, "displayName": name, "dataType": "string", "isDedupeField": True} for name in ("hall", "number")
    ]
    await caller.post("customobjects/schema/seat_c/addField", {"input": fields})
    await caller.call("POST", "customobjects/schema/seat_c/approve")
    seats = [{"hall": "A", "number": "1"}, {"hall": "A", "number": "2"}, {"hall": "a", "number": "1"}]
    answer = await caller.post("customobjects/seat_c", upsert(*seats))
    assert reasons_of(answer) == ["created", "created", "1036"]
    assert reasons_of(await caller.post("customobjects/seat_c", upsert(seats[1]))) == ["updated"]
    asked = {"filterType": "dedupeFields", "fields": ["number"], "input": seats[1:2]}
    found = await caller.post("customobjects/seat_c", asked, _method="GET")
    guid = answer["result"][1]["marketoGUID"]
    assert found["result"] == [{"seq": 0, "marketoGUID": guid, "number": "2"}]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"displayName": "Car"}, "1003"),
        ({"apiName": "2_c", "displayName": "Car"}, "1003"),
        ({"apiName": "car_c"}, "1003"),
        ({"apiName": "car_c", "displayName": "Car", "action": "updateOnly"}, "1013"),
    ],
)
async def test_types_that_are_refused(caller: Caller, body: dict[str, str], code: str) -> None:
    """Without a name or a label, or to be changed and not there."""
    assert (await caller.refused_post("customobjects/schema", body))[0] == code


async def test_types_have_their_limits(caller: Caller) -> None:
    """Ten types, fifty fields, one to three keys; and what a field may be."""
    add, approve = "customobjects/schema/car_c/addField", "customobjects/schema/car_c/approve"
    assert (await caller.refused_post(add, {"input": [{"name": "x"}]}))[0] == "1013"
    assert error_of((await caller.call("POST", approve)).json())[0] == "1013"
    await caller.post("customobjects/schema", {"apiName": "car_c", "displayName": "Car"})
    assert error_of((await caller.call("POST", approve)).json())[0] == "1003"
    for field in (
        {"displayName": "X", "dataType": "string"},
        {"name": "x", "dataType": "string"},
        {"name": "x", "displayName": "X", "dataType": "score"},
        {"name": "x", "displayName": "X"},
    ):
        assert (await caller.refused_post(add, {"input": [field]}))[0] == "1003"
    many = [{"name": f"f{number}", "displayName": "F", "dataType": "string"} for number in range(51)]
    assert (await caller.refused_post(add, {"input": many}))[0] == "1003"
    for number in range(8):
        assert (await caller.post("customobjects/schema", {"apiName": f"o{number}_c", "displayName": "O"}))["success"]
    assert (await caller.refused_post("customobjects/schema", {"apiName": "o9_c", "displayName": "O"}))[0] == "1003"
