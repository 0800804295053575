"""Reads by key, by value, and the feed: what is asked, and what is made of the answers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

import attrs
import pytest

from mkdyn import RestDynamics
from mkdyn.adapters.dynamics.batch import Answer, Part
from mkdyn.domain.feeds import Cursor, Page
from mkdyn.errors import CheckError, CursorExpiredError, UnknownEntityError, UnknownFieldError, UnreachableError

from .organisation import API, COLUMNS, URL, Organisation, column, guid, listed, refusal, reply, row

pytestmark = pytest.mark.anyio

AT = datetime(2026, 7, 14, 6, 30, tzinfo=UTC)
NEXT, LATER = "@odata.nextLink", "@odata.deltaLink"


def gone(number: int) -> dict[str, str]:
    """A deletion."""
    return {"@odata.context": f"{API}/$metadata#leads/$deletedEntity", "id": guid(number), "reason": "deleted"}


def link(place: object) -> str:
    """A link to later changes."""
    return f"{API}/leads?$select=lastname&$deltatoken={place}%2107%2f14%2f2026%2006%3a30%3a12"


async def read_feed(connector: RestDynamics, since: Cursor | None, fields: Sequence[str] = ("lastname",)) -> list[Page]:
    """Every page of the feed."""
    async with connector.changes("lead", fields=fields, since=since) as pages:
        return [page async for page in pages]


# -- by key and value ------------------------------------------------------------------------------------------


async def test_values_are_of_their_types(organisation: Organisation) -> None:
    """A lookup is its GUID in lower case; a field that rows don't show is left out, an empty one is None."""
    wire = row(
        1, 7, lastname="Oak", revenue=12.5, donotphone=False, quality=2, _customerid_value=guid(9).upper(),
        day="2026-07-14", wall="2026-07-14T06:30:00Z", createdon="2026-07-14T06:30:00Z", score=None,
    )  # fmt: skip
    organisation.on(r"GET leads\?", listed(wire))
    fields = [
        "lastname",
        "revenue",
        "donotphone",
        "quality",
        "customerid",
        "day",
        "wall",
        "createdon",
        "score",
        "rating",
    ]
    found = await organisation.connector().read("lead", [guid(1).upper(), guid(2), "no GUID"], fields=fields)
    assert {key: (record.key, record.version) for key, record in found.items()} == {guid(1): (guid(1), 'W/"7"')}
    assert found[guid(1)].values == {
        "lastname": "Oak", "revenue": Decimal("12.5"), "donotphone": False, "quality": 2, "customerid": guid(9),
        "day": date(2026, 7, 14), "wall": datetime(2026, 7, 14, 6, 30), "createdon": AT, "score": None,  # noqa: DTZ001
    }  # fmt: skip


async def test_any_number_of_keys_is_asked_for_in_pieces(organisation: Organisation) -> None:
    """Each question keeps below Dynamics' limits; what comes on further pages is read, too."""
    second = f"{API}/leads?page=2&x=%253c"

    def found(part: Part) -> Answer:
        condition = parse_qs(urlsplit(part.target).query)["$filter"][0]
        numbers = [int(word[:8], 16) for word in condition.split() if "-" in word]
        assert len(numbers) <= 200
        first = row(numbers[0], lastname="x")
        return listed(first) if len(numbers) < 200 else listed(first, **{NEXT: second})

    organisation.on(r"GET leads\?\$select", found)
    organisation.on(r"GET leads\?page=2", listed(row(9999, lastname="y")))
    keys = [guid(number) for number in range(1, 451)]
    records = await organisation.connector().read("lead", keys, fields=["lastname"])
    assert sorted(records) == sorted([guid(1), guid(201), guid(401), guid(9999)])
    asked = organisation.asked(r"GET leads\?page=2")
    assert {part.target for part in asked} == {"/api/data/v9.2/leads?page=2&x=%253c"}
    assert asked[0].headers["prefer"] == "odata.maxpagesize=5000"


async def test_find_asks_letter_by_letter_and_looks_again(organisation: Organisation) -> None:
    """Quotes are doubled; what Dynamics takes for the same and is not, is left out."""
    organisation.on(
        r"GET leads\?", listed(row(1, lastname="o'brien"), row(2, lastname="O''Brien"), row(3, lastname=None))
    )
    found = await organisation.connector().find("lead", "lastname", ["O'Brien", "%"], fields=["jobtitle"])
    assert [record.key for record in found] == [guid(1)]
    [asked] = organisation.asked(r"GET leads\?")
    assert parse_qs(urlsplit(asked.target).query) == {
        "$select": ["jobtitle,lastname"],
        "$filter": ["lastname eq 'O''Brien' or lastname eq '%'"],
    }


async def test_what_no_column_of_the_type_holds_is_not_asked_for(organisation: Organisation) -> None:
    """No number is found that is none, and nothing is sent."""
    connector = organisation.connector()
    assert not await connector.find("lead", "score", ["many", "' or 1 eq 1"], fields=[])
    assert not await connector.read("lead", ["' or 1 eq 1"], fields=["lastname"])
    assert not organisation.asked(r"GET leads\?")
    organisation.on(r"GET leads\?", listed(row(1, score=7)))
    assert [record.values for record in await connector.find("lead", "score", ["7"], fields=[])] == [{"score": 7}]


async def test_what_is_not_there_is_refused_by_name(organisation: Organisation) -> None:
    """A table, a column, or a column that only stands for another."""
    connector = organisation.connector()
    with pytest.raises(UnknownEntityError, match="Dynamics has no table new_thing"):
        await connector.read("new_thing", [guid(1)], fields=["lastname"])
    with pytest.raises(UnknownEntityError, match="no table lead'"):
        await connector.read("lead'", [guid(1)], fields=["lastname"])
    with pytest.raises(UnknownFieldError, match=r"Dynamics lead\.lastnam is not there; nearest: lastname") as refused:
        await read_feed(connector, None, ["lastnam"])
    assert refused.value.nearest == "lastname"
    with pytest.raises(UnknownFieldError, match=r"lead\.owneridname is not there"):
        await connector.find("lead", "owneridname", ["x"], fields=[])


async def test_a_column_that_is_gone_is_asked_for_anew(organisation: Organisation) -> None:
    """What is known of a table is kept until Dynamics contradicts it."""
    organisation.on(r"GET leads\?", refusal(400, "0x80060888", "Could not find a property named 'jobtitle'."))
    connector = organisation.connector()
    with pytest.raises(UnknownFieldError, match="A column is not there"):
        await connector.read("lead", [guid(1)], fields=["jobtitle"])
    fewer = [item for item in COLUMNS if item["LogicalName"] != "jobtitle"]
    organisation.on(r"GET EntityDefinitions\(LogicalName='lead'\)/Attributes\?.*IsValidForRead", listed(*fewer))
    with pytest.raises(UnknownFieldError, match=r"lead\.jobtitle is not there"):
        await connector.read("lead", [guid(1)], fields=["jobtitle"])


# -- what can't be vouched for -----------------------------------------------------------------------------------


@pytest.mark.parametrize("shown", [{}, {"jobtitle": None}])
async def test_a_hidden_column_is_left_out(organisation: Organisation, shown: dict[str, None]) -> None:
    """Whether Dynamics shows null or nothing of it: rights are asked after the values were read."""
    connector = organisation.connector()
    await connector.describe("lead")
    organisation.on(r"GET leads\?", listed(row(1, lastname="Oak", **shown)))
    organisation.secure("jobtitle")
    found = await connector.read("lead", [guid(1)], fields=["lastname", "jobtitle"])
    assert found[guid(1)].values == {"lastname": "Oak"}
    organisation.grant(jobtitle=["CanRead"])
    found = await connector.read("lead", [guid(1)], fields=["lastname", "jobtitle"])
    assert found[guid(1)].values == {"lastname": "Oak", **shown}


async def test_rights_are_asked_only_where_something_is_blank(organisation: Organisation) -> None:
    """A column that shows something in a row is not hidden."""
    organisation.on(r"GET leads\?", listed(row(1, jobtitle="Buyer"), row(2, jobtitle=None)))
    connector = organisation.connector()
    before = len(organisation.asked("IsSecured eq true"))
    found = await connector.read("lead", [guid(1), guid(2)], fields=["jobtitle"])
    assert [record.values for record in found.values()] == [{"jobtitle": "Buyer"}, {"jobtitle": None}]
    assert len(organisation.asked("IsSecured eq true")) == before + 1  # with the table itself


async def test_a_masked_column_is_left_out(organisation: Organisation) -> None:
    """What it shows is no value of anybody."""
    organisation.on(r"GET attributemaskingrules", listed({"attributelogicalname": "jobtitle"}))
    organisation.on(r"GET leads\?", listed(row(1, lastname="Oak", jobtitle="####")))
    found = await organisation.connector().read("lead", [guid(1)], fields=["lastname", "jobtitle"])
    assert found[guid(1)].values == {"lastname": "Oak"}


async def test_a_column_that_has_become_another_is_read_as_that(organisation: Organisation) -> None:
    """Deleted and made anew with another type; what fits neither is left out."""
    organisation.on(r"GET leads\?", listed(row(1, lastname="Oak", score="many", jobtitle=True)))
    connector = organisation.connector()
    await connector.describe("lead")
    others = [column("score", "String", 205) if item["LogicalName"] == "score" else item for item in COLUMNS]
    organisation.on(r"GET EntityDefinitions\(LogicalName='lead'\)/Attributes\?.*IsValidForRead", listed(*others))
    found = await connector.read("lead", [guid(1)], fields=["lastname", "score", "jobtitle"])
    assert found[guid(1)].values == {"lastname": "Oak", "score": "many"}
    await connector.describe("lead")
    organisation.on(r"GET EntityDefinitions\(LogicalName='lead'\)\?", refusal(404))
    found = await connector.read("lead", [guid(1)], fields=["lastname", "jobtitle"])
    assert found[guid(1)].values == {}


# -- the feed ----------------------------------------------------------------------------------------------------


async def test_a_feed_from_its_start(organisation: Organisation) -> None:
    """Every row, page by page; the last page has a cursor, with Dynamics' own time."""
    second = f"{API}/leads?$select=lastname&$skiptoken=%3Ccookie%20pagingcookie=%22%253ccookie%2520%22%3E"
    organisation.on(r"GET leads\?\$select=lastname$", listed(row(1, lastname="Oak"), **{NEXT: second}))
    organisation.on(r"GET leads\?.*skiptoken", listed(row(2, lastname="Elm"), **{LATER: link(7)}))
    first, last = await read_feed(organisation.connector(page_size=1), None)
    assert ([record.key for record in first.records], first.cursor) == ([guid(1)], None)
    assert [record.key for record in last.records] == [guid(2)]
    assert last.cursor is not None
    assert last.cursor.at == AT
    pages = organisation.asked(r"GET leads\?")
    assert [part.target for part in pages] == ["/api/data/v9.2/leads?$select=lastname", second.removeprefix(URL)]
    assert {part.headers["prefer"] for part in pages} == {"odata.track-changes,odata.maxpagesize=1"}


async def test_a_feed_goes_on_from_its_cursor(organisation: Organisation) -> None:
    """By the link, letter for letter; deletions come with their page, and nothing is told where nothing changed."""
    organisation.on(r"GET leads\?\$select=lastname$", listed(**{LATER: link(7)}))
    organisation.on(r"GET leads\?.*deltatoken=7", listed(row(1, lastname="Elm"), gone(2), **{LATER: link(8)}))
    organisation.on(r"GET leads\?.*deltatoken=8", listed(**{LATER: link(9)}))
    connector = organisation.connector()
    [start] = await read_feed(connector, None)
    [changed] = await read_feed(connector, start.cursor)
    assert ([record.key for record in changed.records], changed.deleted) == ([guid(1)], [guid(2)])
    assert organisation.asked("deltatoken=7")[0].target == link(7).removeprefix(URL)
    [nothing] = await read_feed(connector, changed.cursor)
    assert (nothing.records, nothing.deleted) == ([], [])
    assert nothing.cursor is not None
    assert nothing.cursor != changed.cursor


async def test_a_row_made_again_is_no_deletion(organisation: Organisation) -> None:
    """Dynamics tells deletions after all rows; a row that was told before is looked up."""
    organisation.on(r"GET leads\?\$select=lastname$", listed(**{LATER: link(7)}))
    again = f"{API}/leads?page=2"
    organisation.on(r"GET leads\?.*deltatoken=7", listed(row(1, lastname="a"), row(2, lastname="b"), **{NEXT: again}))
    organisation.on(r"GET leads\?page=2", listed(gone(1), gone(2), gone(3), **{LATER: link(8)}))
    organisation.on(r"GET leads\?\$select=leadid&", listed(row(2)))
    connector = organisation.connector()
    [start] = await read_feed(connector, None)
    _, last = await read_feed(connector, start.cursor)
    assert last.deleted == [guid(1), guid(3)]


async def test_a_page_that_fails_stops_the_feed_behind_the_one_before(organisation: Organisation) -> None:
    """What could be read is told first, though the next page was asked for meanwhile."""
    organisation.on(r"GET leads\?\$select=lastname$", listed(row(1, lastname="Oak"), **{NEXT: f"{API}/leads?page=2"}))
    organisation.on(r"GET leads\?page=2", refusal(503))
    async with organisation.connector().changes("lead", fields=["lastname"], since=None) as pages:
        first = await anext(pages)
        with pytest.raises(UnreachableError, match="503"):
            await anext(pages)
    assert [record.key for record in first.records] == [guid(1)]


@pytest.mark.parametrize("fields", [["lastname", "jobtitle"], []])
async def test_a_cursor_of_other_fields_has_expired(organisation: Organisation, fields: list[str]) -> None:
    """So has another table's, and one that is none of ours; nothing is asked."""
    organisation.on(r"GET leads\?", listed(**{LATER: link(7)}))
    connector = organisation.connector()
    [start] = await read_feed(connector, None)
    assert start.cursor is not None
    asked = len(organisation.asked("GET leads"))
    for token in (start.cursor.token, "", "7 /api/data/v9.2/leads", start.cursor.token.replace("/api/data", "/other")):
        with pytest.raises(CursorExpiredError):
            await read_feed(connector, attrs.evolve(start.cursor, token=token), fields)
    assert len(organisation.asked("GET leads")) == asked
    await read_feed(connector, start.cursor)


async def test_a_cursor_that_dynamics_does_not_know_any_more_has_expired(organisation: Organisation) -> None:
    """After some days the changes are not kept."""
    organisation.on(r"GET leads\?\$select=lastname$", listed(**{LATER: link(7)}))
    organisation.on(r"GET leads\?.*deltatoken", refusal(400, "0x80044352", "Version stamp has expired."))
    connector = organisation.connector()
    [start] = await read_feed(connector, None)
    with pytest.raises(CursorExpiredError, match="not kept any more"):
        await read_feed(connector, start.cursor)


async def test_a_table_without_tracking_is_said_to_be_so(organisation: Organisation) -> None:
    """Whether Dynamics says so itself, or leaves the link out."""
    connector = organisation.connector()
    organisation.on(r"GET leads\?", listed(row(1, lastname="Oak")))
    with pytest.raises(CheckError, match="changes are not tracked"):
        await read_feed(connector, None)
    organisation.on(r"GET leads\?", refusal(400, "0x80072491"))
    with pytest.raises(CheckError, match="Switch on Track changes"):
        await read_feed(connector, None)


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/api/data/v9.2/leads?page=2",
        "http://acme.crm4.dynamics.com/api/data/v9.2/leads?page=2",
        "https://acme.crm4.dynamics.com:444/api/data/v9.2/leads?page=2",
        "https://acme.crm4.dynamics.com@evil.example/leads",
        "https://acme.crm4.dynamics.com\\@evil.example/leads",
        "https://acme.crm4.dynamics.com/leads\r\nEvil: yes",
        "https://acme.crm4.dynamics.com:port/leads",
        "//evil.example/leads",
        "/api/data/v9.2/leads?page=2",
        "",
        7,
    ],
)
async def test_a_foreign_link_is_not_followed(organisation: Organisation, target: object) -> None:
    """Our token goes to the organisation and nowhere else."""
    for calls, kind in enumerate((NEXT, LATER), start=1):
        organisation.on(r"GET leads\?", listed(row(1, lastname="Oak"), **{kind: target}))
        with pytest.raises(UnreachableError, match=r"a link|link is no text"):
            await read_feed(organisation.connector(), None)
        assert len(organisation.asked("GET leads")) == calls


async def test_pages_that_go_round_are_left(organisation: Organisation) -> None:
    """A link that was followed before leads nowhere."""
    organisation.on(r"GET leads\?", listed(row(1, lastname="Oak"), **{NEXT: f"{API}/leads?page=2"}))
    with pytest.raises(UnreachableError, match="go round in a circle"):
        await organisation.connector().read("lead", [guid(1)], fields=["lastname"])
    with pytest.raises(UnreachableError, match="go round in a circle"):
        await read_feed(organisation.connector(), None)


@pytest.mark.parametrize(
    "answer",
    [
        Answer(status=200, body=b"<html>Sign in</html>"),
        Answer(status=200, body=b'{"value":[{"leadid":"'),
        Answer(status=200, body=b"[1]"),
        Answer(status=200, body=b"[" * 100_000),
        reply({}),
        reply({"value": [1]}),
        reply({"value": {}}),
        listed({"lastname": "Oak"}),
        listed({"leadid": "7", "lastname": "Oak"}),
        listed({**gone(1), "id": "7"}),
    ],
)
async def test_what_is_no_answer_is_none(organisation: Organisation, answer: Answer) -> None:
    """A read that gets no answer raises: it never looks as if nothing were there."""
    organisation.on(r"GET leads\?", answer)
    with pytest.raises(UnreachableError, match="Dynamics' answer can't be read"):
        await organisation.connector().read("lead", [guid(1)], fields=["lastname"])


@pytest.mark.parametrize("token", ["7%2107%2f14%2f2026%2006%3a30%3a00", "whatever", None])
async def test_an_answer_without_a_time(organisation: Organisation, token: str | None) -> None:
    """The link has one, where it has the form that Dynamics gives it; else the last cursor's is kept, or there is none."""
    target = f"{API}/leads?x=1" if token is None else f"{API}/leads?$deltatoken={token}"
    organisation.on(r"GET leads\?\$select=lastname$", listed(**{LATER: link(7)}))
    organisation.on(r"GET leads\?(x|.*deltatoken)", reply({"value": [], LATER: target}, date=""))
    connector = organisation.connector()
    [start] = await read_feed(connector, None)
    [page] = await read_feed(connector, start.cursor)
    assert page.cursor is not None
    assert page.cursor.at == AT
    organisation.on(r"GET leads\?\$select=lastname$", reply({"value": [], LATER: target}, date="soon"))
    if token is None or token == "whatever":
        with pytest.raises(UnreachableError, match="when it was given"):
            await read_feed(connector, None)
    else:
        [page] = await read_feed(connector, None)
        assert page.cursor is not None
        assert page.cursor.at == AT
