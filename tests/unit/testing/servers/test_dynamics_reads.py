"""Rows and pages on Dynamics' wire, raw."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from mkdyn.domain import FieldSpec
from mkdyn.testing import FakeDynamics
from mkdyn.testing.servers.dynamics import Quirks, ServerLimits

from .calling_dynamics import API, calling, refusal_of

pytestmark = pytest.mark.anyio

EVERYTHING = 'odata.include-annotations="*"'


def people(count: int) -> tuple[FakeDynamics, list[str]]:
    """An organisation with some leads: A, B, C, …."""
    fake = FakeDynamics()
    return fake, [fake.create("lead", lastname=chr(65 + number)) for number in range(count)]


async def test_one_row() -> None:
    """The columns that are wanted, the key, the version; empty ones are null, money has four digits."""
    fake = FakeDynamics()
    account = fake.create("account", name="Oak")
    owner = fake.create("team", name="Sales")
    key = fake.create(
        "contact", lastname="Brook", parentcustomerid=account, birthdate=date(1815, 12, 10), ownerid=owner
    )
    async with calling(fake) as caller:
        answer = await caller.call(
            "GET", f"contacts({key})?$select=lastname,jobtitle,_parentcustomerid_value,birthdate"
        )
        assert answer.headers["etag"] == answer.json()["@odata.etag"]
        assert answer.headers["odata-version"] == "4.0"
        assert answer.headers["content-type"] == "application/json; odata.metadata=minimal"
        assert int(answer.headers["x-ms-dop-hint"]) == 4
        assert answer.json() == {
            "@odata.context": f"{API}/$metadata#contacts(lastname,jobtitle,_parentcustomerid_value,birthdate)/$entity",
            "@odata.etag": answer.headers["etag"], "lastname": "Brook", "jobtitle": None,
            "_parentcustomerid_value": account, "birthdate": "1815-12-10", "contactid": key,
        }  # fmt: skip
        every = await caller.get(f"contacts(contactid={key})")
        assert every["@odata.context"] == f"{API}/$metadata#contacts/$entity"
        assert every["_ownerid_value"] == owner
        assert every["createdon"] == "2026-01-01T00:00:00Z"
        assert "ownerid" not in every
        part = await caller.get(f"contacts({key.upper()})/lastname")
        assert part["value"] == "Brook"


async def test_annotations() -> None:
    """Labels, names and tables of what is referred to; only those that are asked for, and none of what is empty."""
    fake = FakeDynamics()
    fake.add_column("lead", FieldSpec(name="new_tastes", type="choices", choices={1: "Tea", 9: "Rum"}))
    fake.add_column("lead", FieldSpec(name="new_score", type="decimal", precision=1))
    fake.add_column("lead", FieldSpec(name="new_seen", type="datetime"))
    fake.add_column("lead", FieldSpec(name="new_day", type="date"))
    account = fake.create("account", name="Oak")
    fake.create(
        "lead", lastname="Oak", leadqualitycode=2, donotphone=True, revenue=Decimal("1204.5"), new_tastes="9,1",
        parentaccountid=account, new_score=Decimal("1000.5"), new_seen=datetime(2026, 7, 2, 14, 5, tzinfo=UTC),
        new_day=date(2026, 7, 2),
    )  # fmt: skip
    async with calling(fake) as caller:
        [row] = await caller.rows("leads", Prefer=EVERYTHING)
        label = "@OData.Community.Display.V1.FormattedValue"
        shown = {name.removesuffix(label): text for name, text in row.items() if name.endswith(label)}
        assert {name: text for name, text in shown.items() if not name.endswith("on")} == {
            "leadqualitycode": "Warm", "donotphone": "Do Not Allow", "donotemail": "Allow", "donotbulkemail": "Allow",
            "donotfax": "Allow", "donotsendmm": "Allow", "merged": "No", "revenue": "$1,204.50", "new_tastes": "Tea; Rum",
            "new_score": "1,000.5", "new_seen": "7/2/2026 2:05 PM", "new_day": "7/2/2026", "_parentaccountid_value": "Oak",
            "statecode": "Open", "statuscode": "New", "preferredcontactmethodcode": "Any",
        }  # fmt: skip
        assert row["revenue"] == 1204.5
        assert row["_transactioncurrencyid_value"]
        assert row["_parentaccountid_value@Microsoft.Dynamics.CRM.lookuplogicalname"] == "account"
        asked = 'odata.include-annotations="Microsoft.Dynamics.CRM.*"'
        [row] = await caller.rows("leads?$select=_parentaccountid_value,leadqualitycode,_masterid_value", Prefer=asked)
        assert [name for name in row if "@" in name[1:]] == [
            "_parentaccountid_value@Microsoft.Dynamics.CRM.lookuplogicalname",
            "_parentaccountid_value@Microsoft.Dynamics.CRM.associatednavigationproperty",
        ]
        fake.delete("account", account)
        [row] = await caller.rows("leads?$select=_parentaccountid_value", Prefer=EVERYTHING)
        assert row["_parentaccountid_value"] == account
        assert not [name for name in row if name.endswith((label, "lookuplogicalname"))]


async def test_money_is_written_digit_by_digit() -> None:
    """However many there are."""
    fake = FakeDynamics()
    fake.create("account", name="Oak", revenue=Decimal("922337203685476.58"))
    async with calling(fake) as caller:
        answer = await caller.call("GET", "accounts?$select=revenue")
        assert '"revenue":922337203685476.5800' in answer.text


async def test_every_type_of_moment() -> None:
    """Instants in UTC, a wall clock's time as it stands on the wall."""
    fake = FakeDynamics()
    fake.add_column("lead", FieldSpec(name="new_wall", type="wall-clock"))
    fake.add_column("lead", FieldSpec(name="new_seen", type="datetime"))
    fake.add_column("lead", FieldSpec(name="new_photo", type="image", writable=False))
    wall = datetime(2026, 7, 2, 14, 5)  # noqa: DTZ001 - a wall has no zone
    fake.create("lead", lastname="Oak", new_wall=wall, new_seen=datetime(2026, 7, 2, 14, 5, 0, 250_000, UTC))
    async with calling(fake) as caller:
        [row] = await caller.rows("leads")
        assert row["new_wall"] == "2026-07-02T14:05:00Z"
        assert row["new_seen"] == "2026-07-02T14:05:00.250Z"
        assert "new_photo" not in row
        assert len(await caller.rows("leads?$filter=new_wall eq 2026-07-02T14:05:00Z")) == 1


async def test_expanded_lookups() -> None:
    """What is wanted of the rows that are referred to; null where there is none; an owner is what all have in common."""
    fake = FakeDynamics()
    boss = fake.create("systemuser", lastname="Boss")
    account = fake.create("account", name="Oak", revenue=5)
    fake.create("contact", lastname="A", parentcustomerid=account, ownerid=boss)
    fake.create("contact", lastname="B")
    async with calling(fake) as caller:
        answer = await caller.get(
            "contacts?$select=lastname&$expand=parentcustomerid_account($select=name;$expand=parentaccountid),ownerid"
            "&$orderby=lastname"
        )
        assert answer["@odata.context"].endswith("#contacts(lastname,parentcustomerid_account(name,parentaccountid("
            + ",".join(name for name in await caller.get(f"accounts({account})") if name[0] != "@" and "currency" not in name)
            + ")),ownerid())")  # fmt: skip
        one, other = answer["value"]
        assert one["parentcustomerid_account"]["name"] == "Oak"
        assert one["parentcustomerid_account"]["parentaccountid"] is None
        assert one["ownerid"] == {"ownerid": boss}
        assert (other["parentcustomerid_account"], other["ownerid"]) == (None, None)
        for wrong in ("parentcustomerid", "parentcustomerid_account($select=nothing)", "parentcustomerid_account($select=name",
                      "parentcustomerid_account($apply=x)", ",".join(["ownerid"] * 16)):  # fmt: skip
            assert await caller.refused("GET", f"contacts?$expand={wrong}") == (400, "0x80060888")
        fake.delete("account", account)
        [one, _] = await caller.rows("contacts?$select=lastname&$expand=parentcustomerid_account&$orderby=lastname")
        assert one["parentcustomerid_account"] is None


async def test_filter_order_top_and_count() -> None:
    """Together; texts regardless of case; a path leads to what is referred to."""
    fake, keys = people(5)
    account = fake.create("account", name="Oak")
    for key in keys[:3]:
        fake.edit("lead", key, parentaccountid=account, numberofemployees=7)
    async with calling(fake) as caller:
        assert await caller.names("leads?$filter=lastname eq 'b'") == ["B"]
        assert await caller.names("leads?$filter=parentaccountid/name eq 'OAK'&$orderby=lastname desc") == [
            "C",
            "B",
            "A",
        ]
        assert await caller.names("leads?$filter=lastname gt 'b'&$orderby=lastname&$top=2") == ["C", "D"]
        assert await caller.names(
            f"leads?$filter=leadid eq {keys[1]} or leadid eq {keys[3].upper()}"
        ) == await caller.names(
            f"leads?$filter=Microsoft.Dynamics.CRM.In(PropertyName='leadid',PropertyValues=['{keys[1]}','{keys[3]}'])"
        )
        assert sorted(await caller.names("leads?$orderby=numberofemployees,lastname desc")) == ["A", "B", "C", "D", "E"]
        assert await caller.names("leads?$orderby=numberofemployees asc,lastname desc") == ["E", "D", "C", "B", "A"]
        counted = await caller.get("leads?$filter=lastname ge @p1&$count=true&$top=1&@p1='c'", Prefer=EVERYTHING)
        assert counted["@odata.count"] == counted["@Microsoft.Dynamics.CRM.totalrecordcount"] == 3
        assert counted["@Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded"] is False
        assert "@odata.nextLink" not in counted
        answer = await caller.call("GET", "leads/$count?$filter=lastname ge 'c'")
        assert answer.content == b"\xef\xbb\xbf3"
        assert answer.headers["content-type"].startswith("text/plain")
        assert (
            await caller.names(
                "leads?$filter=Microsoft.Dynamics.CRM.In(PropertyName='parentaccountid',PropertyValues=['x'])"
            )
            == []
        )
        assert await caller.names("leads?$count=true&$top=0") == []
        assert await caller.names("leads?$filter=lastname eq @p&@p=no literal") == []


async def test_pages_with_an_order() -> None:
    """A page goes on where the one before ended, whatever happened meanwhile; empty values come first."""
    fake, keys = people(7)
    for number, key in enumerate(keys[:5]):
        fake.edit("lead", key, numberofemployees=number // 2, revenue=number)
    for way in (
        "numberofemployees,lastname desc",
        "numberofemployees desc",
        "revenue desc,numberofemployees",
        "lastname",
    ):
        for filters in ("", "&$filter=lastname lt 'z'"):
            async with calling(fake) as caller:
                wanted = await caller.names(f"leads?$orderby={way}{filters}")
                found: list[str] = []
                link = f"leads?$orderby={way}{filters}"
                while link:
                    page = await caller.get(link, Prefer="odata.maxpagesize=2")
                    assert len(page["value"]) <= 2
                    found += [row["lastname"] for row in page["value"]]
                    link = page.get("@odata.nextLink", "")
                assert found == wanted


async def test_pages_are_live() -> None:
    """What is made behind the place of a page is on the next, what is gone is not."""
    fake, _ = people(4)
    async with calling(fake) as caller:
        first = await caller.get("leads?$select=lastname", Prefer="odata.maxpagesize=2")
        [*_, last] = first["value"]
        link = first["@odata.nextLink"]
        assert "%253C" in link
        assert link.startswith(f"{API}/leads?$select=lastname&$skiptoken=%3Ccookie%20pagenumber")
        fake.delete("lead", last["leadid"])
        fake.create("lead", lastname="Z", leadid="ffffffff-0000-4000-8000-000000000000")
        fake.create("lead", lastname="Y", leadid="00000000-0000-4000-8000-000000000000")
        rest = await caller.names(link)
        assert len(rest) == 3
        assert rest[-1] == "Z"
        assert await caller.refused("GET", "leads?$skiptoken=x") == (400, "0x8006088a")


async def test_page_sizes() -> None:
    """The preference is told to be kept; `$top` gives way to it; none is larger than the server's."""
    fake, _ = people(4)
    async with calling(fake, limits=ServerLimits(page_rows=3)) as caller:
        answer = await caller.call("GET", "leads?$select=lastname&$top=1", Prefer="odata.maxpagesize=2")
        assert answer.headers["preference-applied"] == "odata.maxpagesize=2"
        assert len(answer.json()["value"]) == 2
        assert len(await caller.rows("leads", Prefer="odata.maxpagesize=5000")) == 3
        assert len(await caller.rows("leads?$top=9")) == 3
        for wrong in ("0", "x"):
            assert await caller.refused("GET", "leads", Prefer=f"odata.maxpagesize={wrong}") == (400, "0x80060888")


@pytest.mark.parametrize(
    ("query", "refused"),
    [
        ("$select=nothing", (400, "0x80060888")), ("$select=parentaccountid", (400, "0x80060888")),
        ("$filter=nothing eq 'x'", (400, "0x80060888")), ("$filter=nowhere/name eq 'x'", (400, "0x80060888")),
        ("$filter=ownerid/name eq 'x'", (400, "0x80060888")), ("$filter=parentaccountid/nothing eq 'x'", (400, "0x80060888")),
        ("$filter=lastname eq 5", (400, "0x80060888")), ("$filter=numberofemployees eq 'x'", (400, "0x80060888")),
        ("$filter=donotphone eq 1", (400, "0x80060888")), ("$filter=lastname eq true", (400, "0x80060888")),
        ("$filter=lastname eq 2026-01-01", (400, "0x80060888")), ("$filter=lastname eq 2026-01-01T00:00Z", (400, "0x80060888")),
        ("$filter=lastname eq 9c3f0b1e-6a52-4c1d-8f0e-5b7a9d2c4e11", (400, "0x80060888")), ("$filter=lastname eq 1.5", (400, "0x80060888")),
        ("$filter=lastname eq @p&@p=1", (400, "0x80060888")), ("$filter=lastname eq", (400, "0x80060888")),
        ("$filter=Microsoft.Dynamics.CRM.LastXHours(PropertyName='createdon',PropertyValue='2')", (400, "0x80060888")),
        ("$orderby=nothing", (400, "0x80060888")), ("$orderby=lastname up", (400, "0x80060888")), ("$top=x", (400, "0x80060888")),
        ("$count=x", (400, "0x80060888")), ("$skip=1", (400, "0x80060888")), ("$search=x", (400, "0x80060888")),
        ("$format=json", (400, "0x80060888")), ("$unknown=1", (400, "0x80060888")), ("$top=1&$top=2", (400, "0x80060888")),
        ("$apply=aggregate", (501, "0x80060888")), ("sql=SELECT", (501, "0x80060888")), ("fetchXml=<fetch/>", (501, "0x80060888")),
        ("savedQuery=x", (501, "0x80060888")), ("userQuery=x", (501, "0x80060888")),
        ("$filter=" + " or ".join(["lastname eq 'x'"] * 501), (400, "0x8004430c")),
        ("$filter=" + "(" * 30 + "contains(" * 200, (400, "0x80060888")),
    ],
)  # fmt: skip
async def test_queries_that_are_refused(query: str, refused: tuple[int, str]) -> None:
    """With the code and the status of what is wrong."""
    async with calling() as caller:
        assert await caller.refused("GET", f"leads?{query}") == refused


async def test_what_compares() -> None:
    """Columns compare with literals of their kind."""
    async with calling() as caller:
        for query in ("lastname eq null", "numberofemployees gt 5.5", "revenue gt 5", "statecode eq 0", "lastname eq jobtitle",
                      "donotphone eq true", "createdon gt 2026-01-01", "_ownerid_value eq 9c3f0b1e-6a52-4c1d-8f0e-5b7a9d2c4e11",
                      "leadid eq '9c3f0b1e-6a52-4c1d-8f0e-5b7a9d2c4e11'", "contains(lastname,'x')", "'x' eq lastname"):  # fmt: skip
            assert await caller.rows(f"leads?$filter={query}") == []


async def test_addresses_that_lead_nowhere() -> None:
    """Are told apart: no such set, no such row, no such part, no address."""
    missing = "9c3f0b1e-6a52-4c1d-8f0e-5b7a9d2c4e11"
    fake, [key] = people(1)
    async with calling(fake) as caller:
        assert await caller.refused("GET", "lead") == (404, "0x8006088a")
        assert await caller.refused("GET", f"leads({missing})") == (404, "0x80040217")
        assert await caller.refused("GET", f"leads({key})/nothing") == (404, "0x8006088a")
        assert await caller.refused("GET", "leads(x)") == (400, "0x8006088a")
        assert await caller.refused("GET", "leads(x") == (400, "0x8006088a")
        assert await caller.refused("GET", "leads(a='1'b)") == (400, "0x8006088a")
        assert await caller.refused("GET", "leads(lastname='A')") == (400, "0x80060890")
        assert await caller.refused("GET", f"systemusers(systemuserid={missing})") == (400, "0x80060890")
        assert await caller.refused("PUT", "leads") == (405, "0x8006088a")
        assert await caller.refused("PUT", f"leads({key})") == (405, "0x8006088a")
        assert (await caller.get(""))["value"][0] == {"name": "accounts", "kind": "EntitySet", "url": "accounts"}


async def test_reads_on_condition() -> None:
    """A row that has the version is not told again; with what it refers to, or labels, it is."""
    fake, [key] = people(1)
    async with calling(fake, quirks=Quirks(unversioned=frozenset({"contact"}))) as caller:
        etag = (await caller.get(f"leads({key})"))["@odata.etag"]
        same = await caller.call("GET", f"leads({key})", If_None_Match=etag)
        assert (same.status_code, same.content) == (304, b"")
        assert (await caller.call("GET", f"leads({key})", If_None_Match="null")).status_code == 200
        assert (await caller.call("GET", f"leads({key})?$expand=ownerid", If_None_Match=etag)).status_code == 200
        fake.edit("lead", key, jobtitle="x")
        assert (await caller.call("GET", f"leads({key})", If_None_Match=etag)).status_code == 200
        other = fake.create("contact", lastname="C")
        etag = (await caller.get(f"contacts({other})"))["@odata.etag"]
        assert (await caller.call("GET", f"contacts({other})", If_None_Match=etag)).status_code == 200


@pytest.mark.parametrize("shows", ["nothing", "null"])
async def test_what_this_user_may_not_see(shows: str) -> None:
    """A secured column is null or missing, empty to filters and orders; a table is refused."""
    fake = FakeDynamics(secured_shows="null" if shows == "null" else "nothing")
    key = fake.create("lead", lastname="A", jobtitle="Countess", parentaccountid=fake.create("account", name="Oak"))
    fake.hide_column("lead", "jobtitle")
    async with calling(fake) as caller:
        [row] = await caller.rows("leads?$select=lastname,jobtitle")
        assert row.get("jobtitle", "missing") == (None if shows == "null" else "missing")
        assert await caller.rows("leads?$filter=jobtitle eq 'Countess'") == []
        assert len(await caller.rows("leads?$filter=jobtitle eq null&$orderby=jobtitle")) == 1
        assert (await caller.get(f"leads({key})/jobtitle"))["value"] is None
        fake.hide_table("account")
        for path in (
            "accounts",
            "accounts/$count",
            "leads?$expand=parentaccountid",
            "leads?$filter=parentaccountid/name eq 'x'",
        ):
            answer = await caller.call("GET", path)
            assert refusal_of(answer) == (403, "0x80040220")
            assert "prvReadAccount privilege" in answer.json()["error"]["message"]


# -- changes -----------------------------------------------------------------------------------------------

TRACK = "odata.track-changes,odata.maxpagesize=2"


async def test_everything_then_changes() -> None:
    """All rows in pages, a link only with the last; then what was written and deleted, rows first."""
    fake, keys = people(5)
    async with calling(fake) as caller:
        link, found = "leads?$select=lastname", list[str]()
        while "$deltatoken" not in link:
            page = await caller.get(link, Prefer=TRACK)
            assert ("@odata.nextLink" in page) != ("@odata.deltaLink" in page)
            found += [row["leadid"] for row in page["value"]]
            link = page.get("@odata.nextLink") or page["@odata.deltaLink"]
            fake.edit("lead", keys[0], jobtitle="meanwhile")
        assert found == sorted(keys)
        assert "%21" in link
        page = await caller.get(link)
        assert [row["leadid"] for row in page["value"]] == [keys[0]]
        assert page["@odata.context"] == f"{API}/$metadata#leads(lastname)/$delta"
        assert (await caller.rows(page["@odata.deltaLink"])) == []
        link = page["@odata.deltaLink"]
        for key in keys[:3]:
            fake.edit("lead", key, jobtitle="x")
        for key in keys[2:]:
            fake.delete("lead", key)
        count = await caller.call("GET", link.replace("leads?", "leads/$count?"))
        assert count.text.lstrip("\ufeff") == "5"
        told: list[str] = []
        while link:
            page = await caller.get(link, Prefer=TRACK)
            told += [row.get("leadid") or f"{row['reason']} {row['id']}" for row in page["value"]]
            link = page.get("@odata.nextLink", "")
        assert told == [*keys[:2], *(f"deleted {key}" for key in keys[2:])]


async def test_deletions_in_pages_of_their_own() -> None:
    """Each is told once, though rows are edited and made again while they are read."""
    fake, keys = people(6)
    async with calling(fake) as caller:
        link = (await caller.get("leads?$select=lastname", Prefer="odata.track-changes"))["@odata.deltaLink"]
        for key in keys[:5]:
            fake.delete("lead", key)
        first = await caller.get(link, Prefer=TRACK)
        assert [row["id"] for row in first["value"]] == keys[:2]
        fake.restore("lead", keys[3])
        second = await caller.get(first["@odata.nextLink"], Prefer=TRACK)
        assert [row.get("id") or row["leadid"] for row in second["value"]] == [keys[3], keys[2]]
        third = await caller.get(second["@odata.nextLink"], Prefer=TRACK)
        assert [row["id"] for row in third["value"]] == [keys[4]]
        [again] = await caller.rows(third["@odata.deltaLink"])
        assert again["leadid"] == keys[3]


async def test_tokens_expire() -> None:
    """After some days, or when the organisation says so; what is no token is told apart."""
    now = datetime(2026, 7, 1, tzinfo=UTC)
    fake = FakeDynamics(now=lambda: now)
    async with calling(fake, limits=ServerLimits(tracking_days=2)) as caller:
        link = (await caller.get("leads", Prefer="odata.track-changes"))["@odata.deltaLink"]
        assert link.endswith("leads?$deltatoken=0%2107%2f01%2f2026%2000%3a00%3a00")
        fake.advance(timedelta(days=2).total_seconds())
        await caller.get(link)
        fake.advance(1)
        assert await caller.refused("GET", link) == (400, "0x80044352")
        link = (await caller.get("leads", Prefer="odata.track-changes"))["@odata.deltaLink"]
        fake.expire_cursors()
        assert await caller.refused("GET", link) == (400, "0x80044352")
        assert await caller.refused("GET", link.replace("leads?", "leads/$count?")) == (400, "0x80044352")
        assert await caller.refused("GET", "leads?$deltatoken=x") == (400, "0x8006088a")
        link = (await caller.get("leads", Prefer="odata.track-changes"))["@odata.deltaLink"]
        assert await caller.rows(link) == []


@pytest.mark.parametrize("option", ["$filter=lastname eq 'x'", "$orderby=lastname", "$expand=ownerid", "$top=1"])
async def test_what_tracking_does_not_go_with(option: str) -> None:
    """Is refused by name."""
    async with calling() as caller:
        answer = await caller.call("GET", f"leads?{option}", Prefer="odata.track-changes")
        assert refusal_of(answer) == (400, "0x80060888")
        name = option.partition("=")[0]
        assert answer.json()["error"]["message"] == (
            f'The "{name}" query parameter isn\'t supported when Change Tracking is enabled.'
        )


async def test_quirks_of_tracking() -> None:
    """A table that is not tracked is refused, or has no link; annotations may cost the link."""
    untracked = frozenset({"lead"})
    async with calling(quirks=Quirks(untracked=untracked)) as caller:
        assert await caller.refused("GET", "leads", Prefer="odata.track-changes") == (400, "0x80072491")
    async with calling(quirks=Quirks(untracked=untracked, untracked_read="no link")) as caller:
        assert "@odata.deltaLink" not in await caller.get("leads", Prefer="odata.track-changes")
    asked = f"odata.track-changes,{EVERYTHING}"
    async with calling(quirks=Quirks(annotated_tracking="lost")) as caller:
        assert "@odata.deltaLink" not in await caller.get("leads", Prefer=asked)
        assert "@odata.deltaLink" in await caller.get("leads", Prefer="odata.track-changes")
    async with calling() as caller:
        assert "@odata.deltaLink" in await caller.get("leads", Prefer=asked)
