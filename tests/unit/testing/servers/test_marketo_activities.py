"""The activity log on the wire: tokens, blocks, changes, scores, merges, deletions."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from mkdyn.domain import FieldSpec
from mkdyn.testing import FakeMarketo
from mkdyn.testing.servers.marketo import MarketoServer, Quirks

from .calling import Caller

pytestmark = pytest.mark.anyio

BEGINNING = "2026-01-01T00:00:00Z"
SYNCED = "12,13,22,32,37"


async def token(caller: Caller, since: str = BEGINNING) -> str:
    """A token for a time."""
    answer = await caller.get("activities/pagingtoken", sinceDatetime=since)
    assert set(answer) == {"requestId", "success", "nextPageToken"}
    return str(answer["nextPageToken"])


async def read(caller: Caller, path: str, since: str | None = None, **parameters: str) -> list[dict[str, Any]]:
    """All elements from a token on."""
    answer = await caller.get(path, nextPageToken=since or await token(caller), **parameters)
    found = list(answer.get("result", []))
    while answer["moreResult"]:
        answer = await caller.get(path, nextPageToken=answer["nextPageToken"], **parameters)
        found += answer.get("result", [])
    return found


async def test_changes(caller: Caller) -> None:
    """New persons, and the fields asked for by their REST names, as texts; oldest first, each with its number."""
    key = caller.fake.create("lead", title="VP")
    caller.fake.edit("lead", key, title="CTO", phone="1")
    new, changed = await read(caller, "activities/leadchanges", fields="title")
    number = caller.server.instance.world.leads.numbers["title"]
    assert new == {
        "id": 1, "marketoGUID": "1", "leadId": int(key), "activityDate": BEGINNING, "activityTypeId": 12, "fields": [],
        "attributes": [{"name": "Created Date", "value": "2026-01-01"}, {"name": "Source Type", "value": "User"}],
    }  # fmt: skip
    assert changed == {
        "id": 3, "marketoGUID": "3", "leadId": int(key), "activityDate": BEGINNING, "activityTypeId": 13,
        "fields": [{"id": number, "name": "title", "oldValue": "VP", "newValue": "CTO"}],
        "attributes": [
            {"name": "Reason", "value": "User"}, {"name": "Source", "value": "User"},
            {"name": "Lead ID", "value": int(key)},
        ],
    }  # fmt: skip


async def test_activities_by_type(caller: Caller) -> None:
    """A field is called by its display name and its number; an API's changes say that they are one's."""
    answer = await caller.post("leads", {"input": [{"email": "a@example.com"}]})
    [id] = [row["id"] for row in answer["result"]]
    await caller.post("leads", {"input": [{"email": "a@example.com", "jobTitle": "x"}]})
    await caller.post("leads", {"input": [{"email": "a@example.com", "title": "CTO"}]})
    new, changed = await read(caller, "activities", activityTypeIds="12,13")
    assert new["attributes"][1] == {"name": "Source Type", "value": "Web service API"}
    assert new["primaryAttributeValueId"] == id
    assert changed["primaryAttributeValue"] == "Title"
    assert changed["primaryAttributeValueId"] == caller.server.instance.world.leads.numbers["title"]
    assert changed["attributes"] == [
        {"name": "New Value", "value": "CTO"}, {"name": "Old Value", "value": None},
        {"name": "Reason", "value": "Web service API"}, {"name": "Source", "value": "Web service API"},
    ]  # fmt: skip
    assert not await read(caller, "activities", activityTypeIds="32")


async def test_scores_are_changed_by_flow_steps(caller: Caller) -> None:
    """Then they are no changed values, and not among the changes; written by an API, they are."""
    caller.fake.add_field("lead", FieldSpec(name="warmth", type="score"))
    key = caller.fake.create("lead", email="a@example.com", leadScore=5)
    caller.fake.edit("lead", key, leadScore=85, warmth=3, title="x")
    fields = "leadScore,warmth"
    assert len(await read(caller, "activities/leadchanges", fields=fields)) == 1
    scored, warmed = await read(caller, "activities", activityTypeIds="22")
    assert scored["primaryAttributeValue"] == "Lead Score"
    assert {item["name"]: item["value"] for item in scored["attributes"]} == {
        "Change Value": "+80", "New Value": 85, "Old Value": 5, "Reason": "User", "Score Name": "leadScore",
    }  # fmt: skip
    assert warmed["attributes"][0]["value"] == "+3"
    await caller.post("leads", {"input": [{"email": "a@example.com", "leadScore": 90}]})
    assert (await read(caller, "activities/leadchanges", fields=fields))[-1]["fields"][0]["newValue"] == "90"


async def test_a_field_that_is_gone_is_called_by_its_name(caller: Caller) -> None:
    """Its display name is gone with it."""
    caller.fake.add_field("lead", FieldSpec(name="tier", type="text", label="Tier"))
    key = caller.fake.create("lead", tier="gold")
    caller.fake.edit("lead", key, tier="silver")
    caller.fake.drop_field("lead", "tier")
    [changed] = await read(caller, "activities", activityTypeIds="13")
    assert (changed["primaryAttributeValue"], changed["primaryAttributeValueId"]) == ("tier", 0)


async def test_deleted_and_merged(caller: Caller) -> None:
    """A deletion leaves the name; a merge redirects, and tells no deletion unless the instance does."""
    gone = caller.fake.create("lead", firstName="Ada", lastName="Lovelace")
    winner, loser = caller.fake.create("lead", title="x"), caller.fake.create("lead", phone="1")
    caller.fake.delete("lead", gone)
    await caller.fake.merge(winner, [loser])
    [deleted] = await read(caller, "activities/deletedleads")
    assert deleted == {
        "id": 7, "marketoGUID": "7", "leadId": int(gone), "activityDate": BEGINNING, "activityTypeId": 37,
        "primaryAttributeValueId": int(gone), "primaryAttributeValue": "Ada Lovelace", "attributes": [],
    }  # fmt: skip
    [merged] = await read(caller, "activities", activityTypeIds="32")
    assert merged["leadId"] == merged["primaryAttributeValueId"] == int(winner)
    assert merged["attributes"][0] == {"name": "Merge IDs", "value": f"[{loser}]"}
    other = Caller(MarketoServer(caller.fake, quirks=Quirks(merged="told")))
    assert [row["leadId"] for row in await read(other, "activities/deletedleads")] == [int(gone), int(loser)]
    filled = (await read(caller, "activities/leadchanges", fields="phone"))[-1]
    assert (filled["leadId"], filled["fields"][0]["newValue"]) == (int(winner), "1")


async def test_types(caller: Caller) -> None:
    """They are found by name."""
    found = {kind["name"]: kind["id"] for kind in (await caller.get("activities/types"))["result"]}
    assert found == {
        "New Lead": 12, "Change Data Value": 13, "Change Score": 22, "Merge Leads": 32, "Delete Lead": 37,
    }  # fmt: skip


async def test_blocks(caller: Caller) -> None:
    """A block without a hit has no result, and there is more; a token goes on where the page ended."""
    fake = FakeMarketo()
    other = Caller(MarketoServer(fake, quirks=Quirks(block_entries=3)))
    keys = [fake.create("lead", lastName=str(number)) for number in range(7)]
    fake.edit("lead", keys[0], title="CTO")
    answer = await other.get("activities", activityTypeIds="13", nextPageToken=await token(other))
    assert set(answer) == {"requestId", "success", "nextPageToken", "moreResult"}
    assert answer["moreResult"] is True
    [found] = await read(other, "activities", answer["nextPageToken"], activityTypeIds="13")
    assert found["leadId"] == int(keys[0])
    assert base64.b32decode(answer["nextPageToken"])


async def test_small_pages(caller: Caller) -> None:
    """A page holds what was asked for, however much is in its block."""
    keys = [caller.fake.create("lead", lastName=str(number)) for number in range(5)]
    asked = {"fields": "title", "batchSize": "2"}
    answer = await caller.get("activities/leadchanges", nextPageToken=await token(caller), **asked)
    assert [row["leadId"] for row in answer["result"]] == [int(keys[0]), int(keys[1])]
    rest = await read(caller, "activities/leadchanges", answer["nextPageToken"], **asked)
    assert [row["leadId"] for row in rest] == [int(key) for key in keys[2:]]


async def test_empty_pages(caller: Caller) -> None:
    """Some instances answer every block with nothing first."""
    fake = FakeMarketo(empty_pages="sometimes")
    other = Caller(MarketoServer(fake))
    fake.create("lead", lastName="x")
    first = await other.get("activities/leadchanges", fields="title", nextPageToken=await token(other))
    assert "result" not in first
    assert len(await read(other, "activities/leadchanges", first["nextPageToken"], fields="title")) == 1


async def test_tokens_begin_at_a_time(caller: Caller) -> None:
    """Older entries are not told from there; the last token of a feed goes on with what comes."""
    caller.fake.create("lead", lastName="old")
    caller.fake.advance(3_600)
    key = caller.fake.create("lead", lastName="new")
    [told] = await read(
        caller, "activities/leadchanges", await token(caller, "2026-01-01T01:30:00+01:00"), fields="title"
    )
    assert told["leadId"] == int(key)
    day = await token(caller, "2026-01-02")
    assert not await read(caller, "activities/leadchanges", day, fields="title")
    assert await caller.refused("activities/pagingtoken", sinceDatetime="yesterday") == (
        "1001",
        "Invalid value 'yesterday'. Required of type 'Datetime'",
    )
    assert (await caller.refused("activities/pagingtoken"))[0] == "1002"


async def test_late_entries_are_behind_the_token(caller: Caller) -> None:
    """A token is a place in the log: who wants what shows up late, has to go back."""
    since = await token(caller)
    caller.fake.hold_entries()
    key = caller.fake.create("lead", lastName="late")
    answer = await caller.get("activities/leadchanges", fields="title", nextPageToken=since)
    assert "result" not in answer
    caller.fake.show_entries()
    assert not await read(caller, "activities/leadchanges", answer["nextPageToken"], fields="title")
    assert [row["leadId"] for row in await read(caller, "activities/leadchanges", since, fields="title")] == [int(key)]
    caller.fake.hold_entries()
    caller.fake.edit("lead", key, title="never told")
    caller.fake.lose_entries()
    assert len(await read(caller, "activities/leadchanges", since, fields="title")) == 1


async def test_retention(caller: Caller) -> None:
    """Deletions are kept for 14 days, changes for 90, merges for two years, new persons for ever."""
    key, gone = caller.fake.create("lead", title="VP"), caller.fake.create("lead", title="x")
    caller.fake.edit("lead", key, title="CTO")
    caller.fake.delete("lead", gone)
    await caller.fake.merge(key, [caller.fake.create("lead", phone="1")])

    async def kinds() -> set[int]:
        return {row["activityTypeId"] for row in await read(caller, "activities", activityTypeIds=SYNCED)}

    assert await kinds() == {12, 13, 32, 37}
    caller.fake.advance(15 * 86_400)
    assert await kinds() == {12, 13, 32}
    caller.fake.advance(76 * 86_400)
    assert await kinds() == {12, 32}
    caller.fake.advance(700 * 86_400)
    assert await kinds() == {12}


async def test_activities_of_some_persons(caller: Caller) -> None:
    """Thirty at most."""
    first, second = (caller.fake.create("lead", lastName=str(number)) for number in range(2))
    [told] = await read(caller, "activities/leadchanges", fields="title", leadIds=second)
    assert told["leadId"] == int(second)
    many = ",".join([first] * 31)
    since = await token(caller)
    assert (await caller.refused("activities/leadchanges", fields="title", leadIds=many, nextPageToken=since))[
        0
    ] == "1003"


async def test_ids_can_be_left_out() -> None:
    """The GUID is what is left of a migrated instance's activities."""
    caller = Caller(MarketoServer(quirks=Quirks(activity_ids="left out")))
    caller.fake.create("lead", lastName="x")
    [told] = await read(caller, "activities/leadchanges", fields="title")
    assert "id" not in told
    assert told["marketoGUID"] == "1"


async def test_what_is_refused(caller: Caller) -> None:
    """A token that has expired or is none, types or fields that are not named, too many of them, unknown ones."""
    since = await token(caller)
    changes = "activities/leadchanges"
    assert (await caller.refused(changes, fields="title"))[0] == "1002"
    assert (await caller.refused(changes, nextPageToken=since))[0] == "1002"
    assert await caller.refused(changes, fields="colour", nextPageToken=since) == ("1006", "Field 'colour' not found")
    assert (await caller.refused("activities", nextPageToken=since))[0] == "1002"
    many = ",".join(str(number) for number in range(11))
    assert (await caller.refused("activities", nextPageToken=since, activityTypeIds=many))[0] == "1003"
    assert (await caller.refused(changes, fields="title", nextPageToken="?"))[0] == "1003"
    caller.fake.expire_cursors()
    assert await caller.refused(changes, fields="title", nextPageToken=since) == ("1003", "Invalid paging token")
