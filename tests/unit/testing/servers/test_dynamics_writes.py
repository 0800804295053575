"""Writes on Dynamics' wire, raw: one row, batches, many rows, what Dynamics does by itself."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest

from mkdyn.domain import FieldSpec
from mkdyn.testing import FakeDynamics, Reject
from mkdyn.testing.servers.dynamics import Quirks, ServerLimits

from .calling_dynamics import API, Caller, calling, refusal_of

pytestmark = pytest.mark.anyio

GUID = "9c3f0b1e-6a52-4c1d-8f0e-5b7a9d2c4e11"
OTHER = "51c0d0a4-0c3f-4a0e-8f3a-6f5f1c9d7a01"
BACK = "return=representation"


def values_of(fake: FakeDynamics, table: str, key: str, *names: str) -> list[object]:
    """What an administrator sees."""
    record = fake.record(table, key)
    assert record is not None
    return [record.values[name] for name in names]


# -- one row ---------------------------------------------------------------------------------------------


async def test_create() -> None:
    """With or without a GUID of ours; the answer is an address, or the row; its state is the first one."""
    async with calling() as caller:
        answer = await caller.call("POST", "leads", {"lastname": "A", "leadid": GUID, "statecode": 1})
        assert (answer.status_code, answer.content) == (204, b"")
        assert answer.headers["odata-entityid"] == f"{API}/leads({GUID})"
        assert values_of(caller.fake, "lead", GUID, "lastname", "statecode") == ["A", 0]
        answer = await caller.call("POST", "leads?$select=lastname", {"lastname": "B"}, Prefer=BACK)
        assert answer.status_code == 201
        assert "odata-entityid" not in answer.headers
        assert answer.headers["preference-applied"] == BACK
        assert answer.json()["lastname"] == "B"
        assert await caller.refused("POST", "leads", {"lastname": "A", "leadid": GUID}) == (412, "0x80040237")
        assert await caller.refused("POST", "leads", {"firstname": "A"}) == (400, "0x80040203")
        assert await caller.refused("POST", "leads", {"lastname": "A", "leadid": "x"}) == (400, "0x80048d19")
        assert caller.fake.writes_by_object["lead"] == 3


@pytest.mark.parametrize(
    ("headers", "there", "missing"),
    [
        ({}, (204, ""), (204, "")),
        ({"If_None_Match": "null"}, (204, ""), (204, "")),
        ({"If_Match": "*"}, (204, ""), (404, "0x80040217")),
        ({"If_None_Match": "*"}, (412, "0x80040237"), (204, "")),
        ({"If_Match": 'W/"1"'}, (204, ""), (404, "0x80040217")),
        ({"If_Match": 'W/"7"'}, (412, "0x80060882"), (404, "0x80040217")),
        ({"Prefer": BACK}, (200, ""), (201, "")),
        ({"Prefer": BACK, "If_Match": "*"}, (200, ""), (404, "0x80040217")),
    ],
)
async def test_patch(headers: dict[str, str], there: tuple[int, str], missing: tuple[int, str]) -> None:
    """The conditions decide between an update, a creation and a refusal."""
    async with calling() as caller:
        caller.fake.create("lead", lastname="A", leadid=GUID)
        for key, (status, code) in ((GUID, there), (OTHER, missing)):
            answer = await caller.call(
                "PATCH", f"leads({key})?$select=jobtitle", {"lastname": "B", "jobtitle": "x"}, **headers
            )
            assert answer.status_code == status
            if status >= 400:
                assert refusal_of(answer) == (status, code)
                continue
            assert values_of(caller.fake, "lead", key, "lastname", "jobtitle") == ["B", "x"]
            if "Prefer" in headers:
                assert answer.headers["etag"] == answer.json()["@odata.etag"]
                assert answer.json()["jobtitle"] == "x"
                assert "odata-entityid" not in answer.headers
            else:
                assert answer.headers["odata-entityid"] == f"{API}/leads({key})"
        stale = await caller.refused("PATCH", f"leads({GUID})", {"statuscode": 4}, If_Match='W/"7"')
        assert stale == (412, "0x80060882"), "a version is looked at before anything else"
        there_now = caller.fake.record("lead", GUID)
        assert (there_now is not None and there_now.values["lastname"]) == ("A" if there[0] >= 400 else "B")
        assert (caller.fake.record("lead", OTHER) is None) == (missing[0] >= 400)


async def test_a_version_moves_though_nothing_changes() -> None:
    """Every accepted write gives the row a new one."""
    async with calling() as caller:
        caller.fake.create("lead", lastname="A", leadid=GUID)
        etags = []
        for _ in range(2):
            await caller.call("PATCH", f"leads({GUID})", {"lastname": "A"})
            etags.append((await caller.get(f"leads({GUID})"))["@odata.etag"])
        assert len(set(etags)) == 2


async def test_delete() -> None:
    """Of what is there, with the version it has."""
    async with calling() as caller:
        caller.fake.create("lead", lastname="A", leadid=GUID)
        assert await caller.refused("DELETE", f"leads({GUID})", If_Match='W/"7"') == (412, "0x80060882")
        assert (await caller.call("DELETE", f"leads({GUID})", If_Match='W/"1"')).status_code == 204
        assert await caller.refused("DELETE", f"leads({GUID})") == (404, "0x80040217")
        assert caller.fake.record("lead", GUID) is None


async def test_quirks_of_versions() -> None:
    """A table without them says so; the codes that the documentation shows empty may be empty."""
    async with calling(quirks=Quirks(unversioned=frozenset({"lead"}), codes="empty")) as caller:
        caller.fake.create("lead", lastname="A", leadid=GUID)
        for method, body in (("PATCH", {"lastname": "B"}), ("DELETE", None)):
            assert await caller.refused(method, f"leads({GUID})", body, If_Match='W/"1"') == (400, "0x8006088d")
        assert await caller.refused("PATCH", f"leads({OTHER})", {"lastname": "B"}, If_Match="*") == (404, "")
        assert await caller.refused("PATCH", f"leads({GUID})", {"lastname": "B"}, If_None_Match="*") == (412, "")


async def test_lookups() -> None:
    """Are set and cleared by the names of navigation, letter for letter; what they name has to be there."""
    fake = FakeDynamics()
    fake.add_column("contact", FieldSpec(name="new_sponsorid", type="lookup", targets=("account",)))
    fake.create("account", name="Oak", accountid=OTHER)
    person = fake.create("contact", lastname="B")
    fake.create("contact", lastname="A", contactid=GUID)
    boss = fake.create("systemuser", lastname="Boss")
    path = f"contacts({GUID})"
    async with calling(fake) as caller:
        for address in (f"/accounts({OTHER})", f"accounts({OTHER.upper()})", f"{API}/accounts({OTHER})"):
            body = {"parentcustomerid_account@odata.bind": address, "new_Sponsorid@odata.bind": address}
            assert (await caller.call("PATCH", path, body)).status_code == 204
            assert values_of(fake, "contact", GUID, "parentcustomerid", "new_sponsorid") == [OTHER, OTHER]
            for clearing in ("parentcustomerid_account@odata.bind", "parentcustomerid_contact"):
                await caller.call("PATCH", path, {clearing: None})
                assert values_of(fake, "contact", GUID, "parentcustomerid") == [None]
        body = {
            "parentcustomerid_contact@odata.bind": f"/contacts({person})",
            "ownerid@odata.bind": f"/systemusers({boss})",
        }
        await caller.call("PATCH", path, body)
        assert values_of(fake, "contact", GUID, "parentcustomerid", "ownerid") == [person, boss]
        assert (await caller.call("DELETE", f"{path}/ownerid/$ref")).status_code == 204
        assert (
            await caller.call("PUT", f"{path}/new_Sponsorid/$ref", {"@odata.id": f"{API}/accounts({OTHER})"})
        ).status_code == 204
        assert values_of(fake, "contact", GUID, "ownerid", "new_sponsorid") == [None, OTHER]
        for name, value, refused in (
            ("new_sponsorid@odata.bind", f"/accounts({OTHER})", (400, "0x80048d19")),
            ("parentcustomerid@odata.bind", f"/accounts({OTHER})", (400, "0x80048d19")),
            ("parentcustomerid_account@odata.bind", f"/contacts({person})", (400, "0x80048d19")),
            ("parentcustomerid_account@odata.bind", 5, (400, "0x80048d19")),
            ("parentcustomerid_account@odata.bind", f"/accounts({GUID})", (404, "0x80040217")),
            ("parentcustomerid_account@odata.bind", f"/accounts({OTHER})/name", (400, "0x8006088a")),
            ("parentcustomerid_account", {"name": "new"}, (400, "0x80048d19")),
            ("_parentcustomerid_value", OTHER, (400, "0x80048d19")),
        ):
            assert await caller.refused("PATCH", path, {name: value}) == refused


async def test_one_column() -> None:
    """Is written and cleared by an address of its own."""
    async with calling() as caller:
        caller.fake.create("lead", lastname="A", leadid=GUID)
        assert (await caller.call("PUT", f"leads({GUID})/jobtitle", {"value": "x"})).status_code == 204
        assert values_of(caller.fake, "lead", GUID, "jobtitle") == ["x"]
        assert (await caller.call("DELETE", f"leads({GUID})/jobtitle")).status_code == 204
        assert values_of(caller.fake, "lead", GUID, "jobtitle") == [None]


TYPES = (
    FieldSpec(name="new_decimal", type="decimal", precision=2, minimum=0, maximum=100), FieldSpec(name="new_float", type="float", precision=2),
    FieldSpec(name="new_big", type="bigint"), FieldSpec(name="new_at", type="datetime"), FieldSpec(name="new_wall", type="wall-clock"),
    FieldSpec(name="new_day", type="date"), FieldSpec(name="new_many", type="choices", choices={1: "A", 2: "B"}),
    FieldSpec(name="new_guid", type="guid"), FieldSpec(name="new_served", type="text", writable=False), FieldSpec(name="new_file", type="file"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("column", "sent", "kept"),
    [
        ("new_decimal", 47.639, Decimal("47.64")), ("new_decimal", 5, Decimal(5)), ("new_float", 1.239, 1.24),
        ("new_big", 2**53 + 1, 2**53 + 1), ("new_day", "2026-07-14", date(2026, 7, 14)),
        ("new_at", "2026-07-14T06:30:00+02:00", datetime(2026, 7, 14, 4, 30, tzinfo=UTC)),
        ("new_at", "2026-07-14T06:30", datetime(2026, 7, 14, 6, 30, tzinfo=UTC)),
        ("new_wall", "2026-07-14T06:30:00Z", datetime(2026, 7, 14, 6, 30)),  # noqa: DTZ001 - a wall has no zone
        ("new_many", "2,1", "1,2"), ("new_guid", GUID.upper(), GUID), ("donotphone", True, True), ("leadqualitycode", 2, 2),
        ("jobtitle", "", None), ("jobtitle", None, None), ("new_served", "x", None), ("numberofemployees", 3, 3),
    ],
)  # fmt: skip
async def test_values_that_are_taken(column: str, sent: object, kept: object) -> None:
    """Rounded without a word where they are too precise, passed over where nobody may write them."""
    fake = FakeDynamics()
    for spec in TYPES:
        fake.add_column("lead", spec)
    fake.create("lead", lastname="A", leadid=GUID)
    async with calling(fake) as caller:
        body = {column: sent, "x@odata.type": "passed over", "@odata.etag": "passed over"}
        answer = await caller.call("PATCH", f"leads({GUID})", body)
        assert answer.status_code == 204, answer.text
        assert values_of(fake, "lead", GUID, column) == [kept]


@pytest.mark.parametrize(
    ("column", "sent", "refused"),
    [
        *[(column, sent, (400, "0x80048d19")) for column, sent in (
            ("new_decimal", "5"), ("new_decimal", True), ("new_big", 1.5), ("numberofemployees", True), ("new_day", "2026-07-14T00:00:00Z"),
            ("new_day", "2026-13-14"), ("new_day", 5), ("new_at", "2026-07-14"), ("new_at", "2026-07-14T06:30:00+02:00Z"), ("new_at", 5),
            ("new_at", "2026-13-14T06:30:00Z"), ("new_at", "1752-12-31T00:00:00Z"), ("new_guid", "x"), ("donotphone", 1),
            ("leadqualitycode", "Warm"), ("jobtitle", 5), ("nothing", "x"), ("parentaccountid", OTHER), ("new_file", "x"),
        )],
        ("jobtitle", "x" * 101, (400, "0x80044331")), ("numberofemployees", -1, (400, "0x8004432f")),
        ("new_decimal", 101, (400, "0x80044330")), ("leadqualitycode", 99, (400, "0x8004431a")),
        ("statuscode", 3, (400, "0x80048408")), ("statuscode", 99, (400, "0x8004431a")),
    ],
)  # fmt: skip
async def test_values_that_are_refused(column: str, sent: object, refused: tuple[int, str]) -> None:
    """With the code of what is wrong, and the column's name; nothing is written."""
    fake = FakeDynamics()
    for spec in TYPES:
        fake.add_column("lead", spec)
    fake.create("lead", lastname="A", leadid=GUID)
    async with calling(fake) as caller:
        answer = await caller.call("PATCH", f"leads({GUID})", {"firstname": "B", column: sent})
        assert refusal_of(answer) == refused
        assert values_of(fake, "lead", GUID, "firstname") == [None]
        message = answer.json()["error"]["message"]
        if refused[1] == "0x80044331":
            assert message == (
                "A validation error occurred.  The length of the 'jobtitle' attribute of the 'lead' entity "
                "exceeded the maximum allowed length of '100'."
            )
        elif refused[1] in ("0x8004432f", "0x8004431a"):
            assert f"'{column}' on record of type 'lead' is outside the valid range" in message


async def test_bodies_that_are_none() -> None:
    """No JSON, no object, another content type."""
    async with calling() as caller:
        for content, kind in ((b"{", "application/json"), (b"[]", "application/json"), (b"{}", "text/plain")):
            headers = {"Authorization": "Bearer T", "Content-Type": kind}
            answer = await caller.http.post("/api/data/v9.2/leads", content=content, headers=headers)
            assert refusal_of(answer) == (400, "0x80048d19")


async def test_states() -> None:
    """A status belongs to a state; a state brings its own status; what is closed takes nothing but a state."""
    async with calling() as caller:
        caller.fake.create("lead", lastname="A", leadid=GUID)
        assert (await caller.call("PATCH", f"leads({GUID})", {"statuscode": 2})).status_code == 204
        assert (await caller.call("PATCH", f"leads({GUID})", {"statecode": 2, "statuscode": 5})).status_code == 204
        assert await caller.refused("PATCH", f"leads({GUID})", {"jobtitle": "x"}) == (400, "0x80040203")
        assert (await caller.call("PATCH", f"leads({GUID})", {"statecode": 0})).status_code == 204
        assert values_of(caller.fake, "lead", GUID, "statecode", "statuscode") == [0, 1]
        assert await caller.refused("POST", "leads", {"lastname": "B", "statuscode": 4}) == (400, "0x80048408")


async def test_what_this_user_may_not_write() -> None:
    """The whole request is refused, by the code of what it is."""
    async with calling() as caller:
        caller.fake.create("lead", lastname="A", leadid=GUID)
        caller.fake.protect_column("lead", "jobtitle")
        body = {"lastname": "B", "jobtitle": "x"}
        assert await caller.refused("PATCH", f"leads({GUID})", body) == (403, "0x8004f507")
        assert await caller.refused("POST", "leads", body) == (403, "0x8004f502")
        assert values_of(caller.fake, "lead", GUID, "lastname") == ["A"]


async def test_what_the_fake_refuses() -> None:
    """Its faults come true on the wire, and blame a column where they name one."""
    async with calling() as caller:
        caller.fake.create("lead", lastname="A", leadid=GUID)
        caller.fake.inject(Reject(key=GUID, field="jobtitle", code="0x80040265", message="Credit limit"))
        answer = await caller.call("PATCH", f"leads({GUID})", {"jobtitle": "x"})
        assert refusal_of(answer) == (400, "0x80040265")
        assert answer.json()["error"]["message"] == "Credit limit (attribute 'jobtitle')"
        caller.fake.inject(Reject(code="0x80040265", message="No more"))
        answer = await caller.call("DELETE", f"leads({GUID})")
        assert answer.json()["error"]["message"] == "No more"


async def test_a_plug_in_rewrites() -> None:
    """What is read after a write may not be what was written."""
    async with calling() as caller:
        fake = caller.fake
        caller.server.plug_in(lambda table, key: fake.edit(table, key, jobtitle="Rewritten"))
        answer = await caller.call("PATCH", f"leads({GUID})", {"lastname": "A", "jobtitle": "x"}, Prefer=BACK)
        assert answer.json()["jobtitle"] == "Rewritten"


async def test_duplicate_detection() -> None:
    """A published rule refuses a duplicate where the request wants to know; the status is one of two."""
    for status in (412, 500):
        async with calling(quirks=Quirks(duplicate_status=500 if status == 500 else 412)) as caller:
            caller.server.detect_duplicates("lead", "emailaddress1")
            body = {"lastname": "A", "emailaddress1": "A@x.test"}
            headers = {"MSCRM.SuppressDuplicateDetection": "false", "Authorization": "Bearer T"}
            for wanted in (204, status):
                answer = await caller.http.post("/api/data/v9.2/leads", json=body, headers=headers)
                assert answer.status_code == wanted
            assert refusal_of(answer) == (status, "0x80040333")
            assert (await caller.call("POST", "leads", body)).status_code == 204
            answer = await caller.http.post("/api/data/v9.2/leads", json={"lastname": "B"}, headers=headers)
            assert answer.status_code == 204


# -- alternate keys ---------------------------------------------------------------------------------------


async def keyed() -> tuple[FakeDynamics, str]:
    """An organisation whose leads have a number of their own."""
    fake = FakeDynamics()
    fake.add_column("lead", FieldSpec(name="mk_id", type="text", length=20))
    fake.add_column("lead", FieldSpec(name="mk_number", type="integer"))
    return fake, fake.create("lead", lastname="A", mk_id="a1", mk_number=1)


async def test_alternate_keys() -> None:
    """A row is found, written and made by one; the key's columns in a body are passed over, or win where it is new."""
    fake, key = await keyed()
    async with calling(fake) as caller:
        caller.server.add_key("lead", "mk_key", "mk_id")
        caller.server.add_key("lead", "mk_both", "mk_id", "mk_number")
        caller.server.add_key("lead", "mk_account", "parentaccountid")
        assert (await caller.get("leads(mk_id='A1')"))["leadid"] == key
        assert (await caller.get("leads(mk_id='a1',mk_number=1)"))["leadid"] == key
        answer = await caller.call("PATCH", "leads(mk_id='a1')", {"lastname": "B", "mk_id": "changed"})
        assert answer.headers["odata-entityid"] == f"{API}/leads(mk_id='a1')"
        assert values_of(fake, "lead", key, "lastname", "mk_id") == ["B", "a1"]
        await caller.call("PATCH", "leads(mk_id='n1')", {"lastname": "New"})
        assert fake.key_of("lead", mk_id="n1")
        await caller.call("PATCH", "leads(mk_id='n2')", {"lastname": "New", "mk_id": "n3"})
        assert fake.key_of("lead", mk_id="n3")
        assert await caller.refused("GET", "leads(mk_id='none')") == (404, "0x80060891")
        assert await caller.refused("PATCH", "leads(mk_id='none')", {"lastname": "B"}, If_Match="*") == (
            404,
            "0x80060891",
        )
        assert await caller.refused("GET", f"leads(_parentaccountid_value={GUID})") == (404, "0x80060891")
        for forbidden in ("a%2Fb", "a%2Bb@x", "a%26b", "a:b", "a%25"):
            assert await caller.refused("GET", f"leads(mk_id='{forbidden}')") == (400, "0x8006088a")
        assert await caller.refused("GET", "leads(mk_id=5)") == (400, "0x8006088a")
        assert await caller.refused("GET", "leads(mk_number=1)") == (400, "0x80060890")
        assert await caller.refused("POST", "leads", {"lastname": "C", "mk_id": "A1"}) == (412, "0x80060892")
        assert await caller.refused("PATCH", f"leads({key})", {"mk_id": "n1"}) == (412, "0x80060892")
        assert (await caller.call("PATCH", f"leads({key})", {"mk_id": "a1"})).status_code == 204
        fake.create("lead", lastname="D", mk_id="a1", mk_number=1)
        assert await caller.refused("GET", "leads(mk_id='a1')") == (400, "0x8006089d")


# -- many rows ---------------------------------------------------------------------------------------------

TYPE = {"@odata.type": "Microsoft.Dynamics.CRM.lead"}


async def bulk(caller: Caller, action: str, *targets: dict[str, Any]) -> httpx.Response:
    """Send a bulk action; every item has its type."""
    return await caller.call(
        "POST", f"leads/Microsoft.Dynamics.CRM.{action}", {"Targets": [{**TYPE, **target} for target in targets]}
    )


async def test_create_multiple() -> None:
    """The ids come back in order; one bad row, and nothing was made."""
    async with calling() as caller:
        answer = await bulk(caller, "CreateMultiple", {"lastname": "A"}, {"lastname": "B", "leadid": GUID})
        assert answer.status_code == 200
        ids = answer.json()["Ids"]
        assert ids[1] == GUID
        assert values_of(caller.fake, "lead", ids[0], "lastname") == ["A"]
        link = (await caller.get("leads", Prefer="odata.track-changes"))["@odata.deltaLink"]
        refused = await bulk(caller, "CreateMultiple", {"lastname": "C"}, {"lastname": "D", "jobtitle": "x" * 101})
        assert refusal_of(refused) == (400, "0x80044331")
        assert len(caller.fake.records("lead")) == 2
        assert await caller.rows(link) == []


async def test_update_multiple() -> None:
    """Only the first of several items for one row counts; what is missing undoes everything, versions too."""
    async with calling() as caller:
        for key, name in ((GUID, "A"), (OTHER, "B")):
            caller.fake.create("lead", lastname=name, leadid=key)
        answer = await bulk(
            caller, "UpdateMultiple", {"leadid": GUID, "lastname": "A2"}, {"leadid": GUID.upper(), "lastname": "A3"}
        )
        assert (answer.status_code, answer.content) == (204, b"")
        assert values_of(caller.fake, "lead", GUID, "lastname") == ["A2"]
        before, link = (
            caller.fake.records("lead"),
            (await caller.get("leads", Prefer="odata.track-changes"))["@odata.deltaLink"],
        )
        refused = await bulk(
            caller, "UpdateMultiple", {"leadid": GUID, "lastname": "X"}, {"leadid": OTHER, "jobtitle": "x" * 101}
        )
        assert refusal_of(refused) == (400, "0x80044331")
        assert caller.fake.records("lead") == before
        assert await caller.rows(link) == []
        refused = await bulk(caller, "UpdateMultiple", {"leadid": GUID, "lastname": "X"}, {"leadid": GUID[:-1] + "2"})
        assert refusal_of(refused) == (404, "0x80040217")
        assert caller.fake.records("lead") == before


async def test_upsert_multiple() -> None:
    """By GUID or by alternate key; the key's columns in a body are fatal where the row is new."""
    fake, key = await keyed()
    async with calling(fake) as caller:
        caller.server.add_key("lead", "mk_key", "mk_id")
        answer = await bulk(
            caller, "UpsertMultiple", {"@odata.id": "leads(mk_id='a1')", "mk_id": "a1", "lastname": "A2"},
            {"@odata.id": "leads(mk_id='n1')", "lastname": "New"}, {"leadid": GUID, "lastname": "G"},
        )  # fmt: skip
        assert (answer.status_code, answer.content) == (204, b"")
        assert values_of(fake, "lead", key, "lastname") == ["A2"]
        assert fake.key_of("lead", mk_id="n1")
        assert values_of(fake, "lead", GUID, "lastname") == ["G"]
        for targets in (
            [{"@odata.id": "leads(mk_id='n9')", "mk_id": "n9", "lastname": "x"}],
            [{"leadid": GUID, "lastname": "x"}, {"leadid": GUID, "lastname": "y"}],
        ):
            assert refusal_of(await bulk(caller, "UpsertMultiple", *targets)) == (400, "0x80040216")
        wrong = await bulk(caller, "UpsertMultiple", {"@odata.id": f"accounts({GUID})", "lastname": "x"})
        assert refusal_of(wrong) == (400, "0x80048d19")


async def test_bulk_actions_that_are_refused() -> None:
    """Not there, not on this table, or without what they need."""
    async with calling() as caller:
        assert refusal_of(await bulk(caller, "DeleteMultiple", {"leadid": GUID})) == (400, "0x80040216")
        assert refusal_of(await bulk(caller, "ReadMultiple", {"leadid": GUID})) == (404, "0x8006088a")
        assert refusal_of(await bulk(caller, "UpdateMultiple", {"lastname": "x"})) == (400, "0x80048d19")
        users = "systemusers/Microsoft.Dynamics.CRM.CreateMultiple"
        assert await caller.refused("POST", users, {"Targets": []}) == (404, "0x8006088a")
        for body in ({}, {"Targets": [{"lastname": "A"}]}):
            path = "leads/Microsoft.Dynamics.CRM.CreateMultiple"
            assert await caller.refused("POST", path, body) == (400, "0x80048d19")


# -- what Dynamics does by itself --------------------------------------------------------------------------


async def test_qualify_a_lead() -> None:
    """It is closed, and becomes what is asked for; the answer shows that."""
    fake = FakeDynamics()
    fake.create("lead", lastname="Oak", firstname="Kim", companyname="Oak Supplies", subject="Timber", leadid=GUID)
    path = f"leads({GUID})/Microsoft.Dynamics.CRM.QualifyLead"
    body = {"CreateAccount": True, "CreateContact": True, "CreateOpportunity": True, "Status": 3}
    async with calling(fake) as caller:
        for wrong, code in (({**body, "Status": 4}, "0x80048408"), ({"Status": 3}, "0x80040203")):
            assert await caller.refused("POST", path, wrong) == (400, code)
        account, contact, opportunity = (await caller.call("POST", path, body)).json()["value"]
        assert (account["name"], contact["fullname"], opportunity["name"]) == ("Oak Supplies", "Kim Oak", "Timber")
        assert contact["_parentcustomerid_value"] == account["accountid"]
        assert contact["_originatingleadid_value"] == GUID
        assert opportunity["_parentcontactid_value"] == contact["contactid"]
        assert values_of(fake, "lead", GUID, "statecode", "statuscode") == [1, 3]
        assert await caller.refused("POST", path, body) == (400, "0x80040519")
        fake.create("lead", lastname="Ash", leadid=OTHER)
        body = {"CreateAccount": False, "CreateContact": False, "CreateOpportunity": False, "Status": 3}
        assert (await caller.call("POST", path.replace(GUID, OTHER), body)).json()["value"] == []


async def test_qualifying_is_done_as_a_whole() -> None:
    """What can't be made undoes the rest."""
    fake = FakeDynamics()
    fake.create("lead", lastname="Oak", leadid=GUID)
    fake.protect_column("contact", "lastname")
    async with calling(fake) as caller:
        body = {"CreateAccount": True, "CreateContact": True, "CreateOpportunity": False, "Status": 3}
        path = f"leads({GUID})/Microsoft.Dynamics.CRM.QualifyLead"
        assert await caller.refused("POST", path, body) == (403, "0x8004f502")
        assert not fake.records("account")
        assert values_of(fake, "lead", GUID, "statecode") == [0]


async def test_merge() -> None:
    """The loser is deactivated, and says into whom; the winner may be given values."""
    fake = FakeDynamics()
    person = {"@odata.type": "Microsoft.Dynamics.CRM.contact"}
    for key, name in ((GUID, "A"), (OTHER, "B")):
        fake.create("contact", lastname=name, contactid=key)
    body: dict[str, Any] = {
        "Target": {**person, "contactid": GUID}, "Subordinate": {**person, "contactid": OTHER},
        "UpdateContent": {**person, "jobtitle": "Buyer"}, "PerformParentingChecks": False,
    }  # fmt: skip
    async with calling(fake) as caller:
        assert (await caller.call("POST", "Merge", body)).status_code == 204
        assert values_of(fake, "contact", GUID, "jobtitle", "statecode") == ["Buyer", 0]
        assert values_of(fake, "contact", OTHER, "statecode", "statuscode", "merged", "masterid") == [1, 2, True, GUID]
        for target, refused in (
            (None, (400, "0x80048d19")), ({}, (400, "0x80048d19")), (person, (400, "0x80048d19")),
            ({**person, "contactid": OTHER}, (400, "0x80040203")), ({**person, "contactid": OTHER[:-1] + "2"}, (404, "0x80040217")),
        ):  # fmt: skip
            assert await caller.refused("POST", "Merge", {**body, "Target": target}) == refused
        account = {"@odata.type": "Microsoft.Dynamics.CRM.account"}
        for number in (1, 2):
            fake.create("account", name="x", accountid=OTHER[:-1] + str(number))
        accounts = {
            "Target": {**account, "accountid": OTHER},
            "Subordinate": {**account, "accountid": OTHER[:-1] + "2"},
        }
        assert (await caller.call("POST", "Merge", accounts)).status_code == 204
        assert values_of(fake, "account", OTHER[:-1] + "2", "statecode") == [1]


@pytest.mark.parametrize(("action", "status", "state"), [("WinOpportunity", 3, 1), ("LoseOpportunity", -1, 2)])
async def test_close_an_opportunity(action: str, status: int, state: int) -> None:
    """It is won or lost, today; once."""
    fake = FakeDynamics()
    key = fake.create("opportunity", name="Timber")
    closing = {"subject": "Done", "opportunityid@odata.bind": f"/opportunities({key})"}
    body = {"Status": status, "OpportunityClose": closing}
    async with calling(fake) as caller:
        assert await caller.refused("POST", action, {"Status": status}) == (400, "0x80048d19")
        assert (await caller.call("POST", action, body)).status_code == 204
        assert values_of(fake, "opportunity", key, "statecode", "actualclosedate") == [state, date(2026, 1, 1)]
        assert await caller.refused("POST", action, body) == (400, "0x80048408")


# -- batches -----------------------------------------------------------------------------------------------


def part(method: str, path: str, body: str = "", number: int | None = None, **headers: str) -> str:
    """One operation of a batch."""
    own = {"Content-Type": "application/http", "Content-Transfer-Encoding": "binary"}
    own |= {} if number is None else {"Content-ID": str(number)}
    inner = {name.replace("_", "-"): value for name, value in headers.items()}
    inner |= {"Content-Type": "application/json; type=entry"} if body else {}
    target = path if path.startswith(("https:", "$")) else f"/api/data/v9.2/{path}"
    lines = [f"{name}: {value}" for name, value in own.items()]
    return "\r\n".join([*lines, "", f"{method} {target} HTTP/1.1", *(f"{n}: {v}" for n, v in inner.items()), "", body])


def changes(*parts: str) -> str:
    """A set of operations."""
    return 'Content-Type: multipart/mixed; boundary="set"\r\n\r\n' + enclosed("set", parts)


def enclosed(boundary: str, parts: tuple[str, ...]) -> str:
    """Parts between boundaries."""
    return "".join(f"--{boundary}\r\n{each}\r\n" for each in parts) + f"--{boundary}--\r\n"


async def batched(caller: Caller, *parts: str, **headers: str) -> httpx.Response:
    """Send a batch."""
    given = {"Authorization": "Bearer T", "Content-Type": 'multipart/mixed; boundary="all"', **headers}
    return await caller.http.post("/api/data/v9.2/$batch", content=enclosed("all", parts).encode(), headers=given)


def statuses(answer: httpx.Response) -> list[int]:
    """The status of each part, those in sets too."""
    return [int(line.split()[1]) for line in answer.text.split("\r\n") if line.startswith("HTTP/1.1 ")]


async def test_a_batch() -> None:
    """In order, each with its own answer; it stops at the first refusal, or does not."""
    fake = FakeDynamics()
    fake.create("lead", lastname="A", leadid=GUID)
    parts = (
        part("GET", f"leads({GUID})?$select=lastname", Accept="application/json"),
        part("PATCH", f"leads({GUID})", '{"lastname":"B"}', If_Match='W/"1"'),
        part("PATCH", f"leads({GUID})", '{"lastname":"C"}', If_Match='W/"1"'),
        part("PATCH", f"{API}/leads({OTHER})", '{"lastname":"D"}'),
        part("DELETE", f"leads({GUID})"),
    )
    async with calling(fake) as caller:
        answer = await batched(caller, *parts)
        assert answer.status_code == 412
        assert answer.headers["content-type"].startswith("multipart/mixed; boundary=batchresponse_")
        assert statuses(answer) == [200, 204, 412]
        assert '"lastname":"A"' in answer.text
        assert values_of(fake, "lead", GUID, "lastname") == ["B"]
        answer = await batched(caller, *parts[2:], Prefer="odata.continue-on-error")
        assert answer.status_code == 200
        assert statuses(answer) == [412, 204, 204]
        assert f"OData-EntityId: {API}/leads({OTHER})\r\nLocation: {API}/leads({OTHER})" in answer.text
        assert [record.key for record in fake.records("lead")] == [OTHER]


async def test_a_set_of_changes() -> None:
    """All of it, with references to what it made; or nothing, and one refusal for all."""
    fake = FakeDynamics()
    fake.create("contact", lastname="A", contactid=GUID)
    first = part("POST", "accounts", '{"name":"Oak"}', 1)
    second = part("PATCH", f"contacts({GUID})", '{"parentcustomerid_account@odata.bind":"$1"}', 2)
    async with calling(fake) as caller:
        third = part("PATCH", "$1", '{"name":"Oak 2"}', 3)
        answer = await batched(caller, changes(first, second, third))
        assert (answer.status_code, statuses(answer)) == (200, [204, 204, 204])
        assert "Content-ID: 2" in answer.text
        account = fake.key_of("account", name="Oak 2")
        assert values_of(fake, "contact", GUID, "parentcustomerid") == [account]
        before = [fake.records("account"), fake.records("contact")]
        link = (await caller.get("contacts", Prefer="odata.track-changes"))["@odata.deltaLink"]
        gone = part("DELETE", f"contacts({GUID})", number=4)
        for wrong, code in (
            (part("PATCH", f"accounts({account})", '{"nothing":"x"}', 5), "0x80048d19"),
            (part("GET", "accounts", number=5), "0x80048d19"),
            (part("POST", "accounts", '{"name":"x"}'), "0x80060888"),
            (part("POST", "accounts", '{"name":"x"}', 1), "0x80060888"),
            (part("PATCH", "$9", '{"name":"x"}', 5), "0x80060888"),
        ):
            answer = await batched(
                caller, changes(first, second, gone, wrong), part("GET", "accounts"), Prefer="odata.continue-on-error"
            )
            assert answer.status_code == 200
            assert len(statuses(answer)) == 2
            assert statuses(answer)[0] == 400
            assert f'"code":"{code}"' in answer.text
            assert [fake.records("account"), fake.records("contact")] == before
        assert await caller.rows(link) == []
        with pytest.raises(LookupError):
            fake.restore("contact", GUID)


async def test_a_long_set_that_is_undone() -> None:
    """However much of the log was cleared up meanwhile, what had changed before is told."""
    async with calling() as caller:
        caller.fake.create("lead", lastname="A", leadid=GUID)
        link = (await caller.get("leads?$select=lastname", Prefer="odata.track-changes"))["@odata.deltaLink"]
        for number in range(20):
            caller.fake.edit("lead", GUID, jobtitle=str(number))
        writes = [part("PATCH", f"leads({GUID})", '{"lastname":"B"}', number) for number in range(999)]
        answer = await batched(caller, changes(*writes, part("DELETE", f"leads({OTHER})", number=999)))
        assert statuses(answer) == [404]
        assert [(row["leadid"], row["lastname"]) for row in await caller.rows(link)] == [(GUID, "A")]


async def test_many_rows_in_a_set_of_changes() -> None:
    """Are part of it: what is refused later undoes them, too."""
    many = '{"Targets":[{"@odata.type":"Microsoft.Dynamics.CRM.lead","lastname":"A"}]}'
    path = "leads/Microsoft.Dynamics.CRM.CreateMultiple"
    async with calling() as caller:
        answer = await batched(caller, changes(part("POST", path, many, 1), part("POST", path, "{}", 2)))
        assert statuses(answer) == [400]
        assert not caller.fake.records("lead")
        answer = await batched(caller, changes(part("POST", path, many, 1), part("POST", path, many, 2)))
        assert statuses(answer) == [200, 200]
        assert len(caller.fake.records("lead")) == 2


async def test_batches_that_are_refused() -> None:
    """As a whole, in plain JSON: no end, no boundary, no CRLF, too many, a batch in a batch."""
    async with calling(limits=ServerLimits(batch_operations=2, batch_url_characters=100)) as caller:
        good = part("GET", "leads")
        for content, kind in (
            (enclosed("all", (good,)).replace("--all--", ""), "multipart/mixed; boundary=all"),
            (enclosed("all", (good,)).replace("\r\n", "\n"), "multipart/mixed; boundary=all"),
            (enclosed("all", (good,)), "multipart/mixed"), (enclosed("all", (good,)), "application/json"),
            (enclosed("all", ("nothing",)), "multipart/mixed; boundary=all"),
        ):  # fmt: skip
            headers = {"Authorization": "Bearer T", "Content-Type": kind}
            answer = await caller.http.post("/api/data/v9.2/$batch", content=content.encode(), headers=headers)
            assert refusal_of(answer) == (400, "0x80048d19")
        assert refusal_of(await batched(caller, changes(good, good), good)) == (400, "0x8006088a")
        assert statuses(await batched(caller, part("POST", "$batch", "x"))) == [400]
        assert statuses(await batched(caller, good.replace("HTTP/1.1", ""))) == [400]
        assert statuses(await batched(caller, good.replace("application/http", "text/plain"))) == [400]
        assert statuses(await batched(caller, part("GET", "leads?$filter=" + "x" * 100))) == [414]
        assert statuses(await batched(caller, part("GET", "leads").replace("\r\n\r\nGET", "\r\n\r\nGET"))) == [200]


def deletion(table: str, *keys: str, field: str = "leadid", operator: str = "In", more: int = 0) -> dict[str, object]:
    """The rows of these keys, or of others, as `BulkDelete` takes them."""
    values = [{"Value": key, "Type": "System.Guid"} for key in keys]
    conditions = [{"AttributeName": field, "Operator": operator, "Values": values}] * (1 + more)
    return {"EntityName": table, "Criteria": {"Conditions": conditions}}


async def test_a_job_deletes_rows_by_their_keys() -> None:
    """It is done at once, and passes over what is gone already; what it can't do is refused, and nothing deleted."""
    async with calling() as caller:
        keys = [caller.fake.create("lead", lastname=name) for name in "ABC"]
        for queries, refused in (
            ([], 400), ("x", 400), ([{"EntityName": "lead"}], 400), ([deletion("nowhere", *keys)], 400), (["x"], 400),
            ([deletion("lead", "A", field="lastname")], 501), ([deletion("lead", *keys, operator="NotIn")], 501),
            ([deletion("lead", *keys, more=1)], 501), ([deletion("lead", *keys), deletion("lead", "A", field="lastname")], 501),
        ):  # fmt: skip
            answer = await caller.call("POST", "BulkDelete", {"QuerySet": queries})
            assert answer.status_code == refused
        assert len(caller.fake.records("lead")) == 3
        answer = await caller.call(
            "POST", "BulkDelete", {"QuerySet": [deletion("lead", keys[0].upper(), keys[1], "x")]}
        )
        assert (answer.status_code, list(answer.json())) == (200, ["@odata.context", "JobId"])
        assert [row.key for row in caller.fake.records("lead")] == keys[2:]
