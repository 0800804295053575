"""The feed of persons: what activities say, who was merged and deleted, and where it goes on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import pytest

from mkdyn.domain.feeds import Cursor, Evidence, Page
from mkdyn.errors import CursorExpiredError, TransientError, UnknownEntityError, UnreachableError
from mkdyn.testing import FakeMarketo
from mkdyn.testing.servers.marketo import MarketoServer, Quirks, Repeat

from .instance import FIELDS, Instance, Json, field, refusal, served, success

pytestmark = pytest.mark.anyio

#: What `success` says the time is.
NOW = datetime.fromtimestamp(0x19B4ECD9AC0 / 1000, UTC)
SINCE = Cursor(token=f"{(NOW - timedelta(hours=1)).isoformat()}|{(NOW - timedelta(hours=1)).isoformat()}", at=NOW)


@pytest.fixture
def anyio_backend(jumping: tuple[str, dict[str, Any]]) -> tuple[str, dict[str, Any]]:
    """Waits pass at once."""
    return jumping


def activity(id: int, kind: int, lead: int, *, ago_s: int = 600, **more: object) -> Json:
    """An activity."""
    at = NOW - timedelta(seconds=ago_s)
    return {
        "marketoGUID": f"g{id}", "id": 1, "leadId": lead, "activityDate": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "activityTypeId": kind, **more,
    }  # fmt: skip


def changed(id: int, lead: int, number: int, old: object, new: object, *, kind: int = 13, ago_s: int = 600) -> Json:
    """A changed field."""
    told = [{"name": "Old Value", "value": old}, {"name": "New Value", "value": new}]
    label = next((item["displayName"] for item in FIELDS if item["id"] == number), "Gone")
    return activity(
        id, kind, lead, ago_s=ago_s, primaryAttributeValueId=number, primaryAttributeValue=label, attributes=told
    )


def logged(instance: Instance, *pages: Json, deleted: Json | None = None) -> None:
    """Have the log hold these pages, and deletions."""
    instance.on("activities/pagingtoken", success(nextPageToken="T="))
    instance.on("activities", *pages)
    instance.on("activities/deletedleads", deleted or success(nextPageToken="D=", moreResult=False))


async def told(instance: Instance, *fields: str, since: Cursor | None = SINCE, **settings: object) -> list[Page]:
    """What the feed tells."""
    connector = instance.connector(**settings)
    async with connector.changes("lead", fields=fields or ("title", "amount"), since=since) as pages:
        return [page async for page in pages]


async def test_what_activities_say(instance: Instance) -> None:
    """New persons, fields by their number, scores, merges; entries by their GUID, and other fields' changes left out."""
    logged(
        instance,
        success(
            activity(1, 12, 7),
            changed(2, 7, 3, "VP", "CTO"),
            changed(3, 7, 7, None, 34.66, kind=22),
            changed(4, 7, 6, "1", "2"),
            changed(5, 7, 99, "1", "2"),
            activity(6, 32, 7, attributes=[{"name": "Merge IDs", "value": "[8, 9,7]"}]),
            activity(7, 1, 7),
            nextPageToken="U=",
            moreResult=False,
        ),
        deleted=success(activity(8, 37, 10), activity(9, 37, 8), nextPageToken="D=", moreResult=False),
    )
    first, last = await told(instance)
    assert [(entry.id, entry.key, tuple(entry.evidence)) for entry in first.entries] == [
        ("g1", "7", ()),
        ("g2", "7", (Evidence(field="title", old="VP", new="CTO"),)),
        ("g3", "7", (Evidence(field="amount", old=None, new="34.66"),)),
    ]
    assert first.entries[0].at == NOW - timedelta(seconds=600)
    assert (first.deleted, first.merged) == (["8", "9"], {"8": "7", "9": "7"})
    assert (last.entries, last.deleted) == ((), ["10", "8"])


async def test_a_field_is_known_by_its_label_too(instance: Instance) -> None:
    """Where an activity has another number of it; and an id stands in for a GUID that is not there."""
    one = {**changed(2, 7, 3, "VP", "CTO"), "primaryAttributeValueId": 777, "marketoGUID": None, "id": 55}
    logged(instance, success(one, moreResult=False))
    [entry] = (await told(instance))[0].entries
    assert (entry.id, entry.evidence[0].field) == ("55", "title")


async def test_pages_without_anything(instance: Instance) -> None:
    """The log is searched block by block: there may be no `result`, and still more."""
    empty = {"requestId": "x", "success": True, "nextPageToken": "U=", "moreResult": True}
    logged(
        instance,
        empty,
        {**empty, "nextPageToken": "V="},
        success(changed(2, 7, 3, "VP", "CTO"), nextPageToken="W=", moreResult=True),
        success(nextPageToken="X=", moreResult=False),
    )
    pages = await told(instance)
    assert [len(page.entries) for page in pages] == [0, 0, 1, 0, 0]
    asked = [request.url.params["nextPageToken"] for request in instance.asked("activities")]
    assert asked == ["T=", "U=", "V=", "W="]


async def test_where_it_goes_on(instance: Instance) -> None:
    """Each reading goes back by the overlap from what was told last, never behind where it began."""
    logged(
        instance,
        success(changed(2, 7, 3, "a", "b", ago_s=3_590), nextPageToken="U=", moreResult=True),
        success(changed(3, 7, 3, "b", "c", ago_s=1_000), nextPageToken="V=", moreResult=False),
    )
    pages = await told(instance, overlap_s=300.0)
    places = [page.cursor.token.partition("|") for page in pages if page.cursor is not None]
    at = [[(NOW - datetime.fromisoformat(half)).total_seconds() for half in (one, other)] for one, _, other in places]
    assert at == [[3_600, 3_600], [1_300, 3_600], [300, 300]]
    assert [page.cursor.at for page in pages if page.cursor is not None] == [NOW] * 3
    repeats = [
        (NOW - page.cursor.repeats_from).total_seconds() for page in pages if page.cursor and page.cursor.repeats_from
    ]
    assert repeats == [3_601, 3_601, 301]
    begins = [request.url.params["sinceDatetime"] for request in instance.asked("activities/pagingtoken")]
    assert begins == [(NOW - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")]  # one for both feeds


@pytest.mark.parametrize(
    "cursor",
    [
        Cursor(token="nonsense", at=NOW),
        Cursor(token="", at=NOW),
        Cursor(token=SINCE.token.replace("|", " "), at=NOW),
        Cursor(token=f"{(NOW - timedelta(days=14)).isoformat()}|{NOW.isoformat()}", at=NOW),
        Cursor(token=f"{NOW.isoformat()}|{(NOW - timedelta(days=14)).isoformat()}", at=NOW),
    ],
)
async def test_a_place_that_is_gone(instance: Instance, cursor: Cursor) -> None:
    """Deletions are kept for fourteen days; after that only a full read goes on."""
    logged(instance, success(moreResult=False))
    with pytest.raises(CursorExpiredError):
        await told(instance, since=cursor)
    assert not instance.asked("activities")


@pytest.mark.parametrize(
    "broken",
    [
        {"leadId": None},
        {"marketoGUID": None, "id": None},
        {"activityDate": "yesterday"},
        {"activityDate": None},
    ],
    ids=str,
)
async def test_an_activity_that_can_not_be_read_is_not_passed_over(instance: Instance, broken: Json) -> None:
    """Nothing may be skipped."""
    logged(instance, success({**changed(2, 7, 3, "a", "b"), **broken}, moreResult=False))
    with pytest.raises(UnreachableError, match="can't be read"):
        await told(instance)


@pytest.mark.parametrize("path", ["activities", "activities/deletedleads"])
async def test_a_feed_that_breaks_off_is_read_again(instance: Instance, path: str) -> None:
    """A place that Marketo does not know any more is made anew of its time."""
    logged(instance, success(moreResult=False))
    instance.on(path, success(nextPageToken="U=", moreResult=True), refusal("1003"))
    with pytest.raises(UnreachableError, match="breaks off"):
        await told(instance)


async def test_a_feed_that_stands_still_is_left() -> None:
    """The same page again and again is no progress."""
    fake = FakeMarketo()
    faults, quirks = [Repeat(of="activities.query")], Quirks(block_entries=1)
    async with served(server=MarketoServer(fake, faults=faults, quirks=quirks)) as (connector, _):
        async with connector.changes("lead", fields=["title"], since=None) as pages:
            [begin] = [page async for page in pages]
        for number in range(5):
            fake.create("lead", lastName=str(number))
        async with connector.changes("lead", fields=["title"], since=begin.cursor) as pages:
            with pytest.raises(UnreachableError, match="stands still"):
                _ = [page async for page in pages]


async def test_a_backlog_is_read_at_several_places_and_resumed_at_any() -> None:
    """Each change is told once and in order; from the cursor of any page on, all that came after it is told.

    So is every deletion, from the cursor of every page but the last.
    """
    fake = FakeMarketo()
    async with served(server=MarketoServer(fake, quirks=Quirks(block_entries=5))) as (connector, _):
        async with connector.changes("lead", fields=["title"], since=None) as pages:
            [begin] = [page async for page in pages]
        key, told = fake.create("lead", lastName="a"), list[list[Page]]()
        others = [fake.create("lead", lastName=str(number)) for number in range(4)]
        for number in range(400):
            fake.advance(60)
            fake.edit("lead", key, title=str(number))
            if number % 100 == 0:
                fake.delete("lead", others[number // 100])
        since = begin.cursor
        for left_at in (0, 30, 77, -1, None):
            async with connector.changes("lead", fields=["title"], since=since) as pages:
                told.append([page async for page in pages])
            since = None if left_at is None else told[0][left_at].cursor
    news = [[[item.new for entry in page.entries for item in entry.evidence] for page in found] for found in told]
    flat = [[new for page in found for new in page] for found in news]
    assert flat[0] == [str(number) for number in range(400)]
    assert set(flat[1]) >= {new for page in news[0][1:] for new in page}
    assert set(flat[2]) >= {new for page in news[0][31:] for new in page}
    assert len(flat[2]) < 300
    assert [[key for page in found for key in page.deleted] for found in told] == [others, others, others, others, []]


async def test_deletions_are_looked_for_beside_the_changes() -> None:
    """They take calls, and no time of their own; a feed that was read to its end begins anew with one token."""
    fake = FakeMarketo()
    server = MarketoServer(fake, quirks=Quirks(block_entries=10), latency_s=1.0)
    async with served(server=server) as (connector, _):
        async with connector.changes("lead", fields=["title"], since=None) as pages:
            [begin] = [page async for page in pages]
        key = fake.create("lead", lastName="a")
        for number in range(150):
            fake.advance(1)
            fake.edit("lead", key, title=str(number))
        server.arrivals.clear()
        began = anyio.current_time()
        async with connector.changes("lead", fields=["title"], since=begin.cursor) as pages:
            assert sum(len(page.entries) for page in [page async for page in pages]) == 151
    assert server.arrivals == {
        "activities.token": 1, "activities.query": 16, "activities.deleted": 16,
    }  # fmt: skip
    assert anyio.current_time() - began == pytest.approx(1 + 1 + 16, abs=1.0)


async def test_a_time_without_a_token_is_at_the_end(instance: Instance) -> None:
    """Marketo may give none to read on with: neither changes nor deletions are asked for."""
    logged(instance)
    instance.on("activities/pagingtoken", success())
    [page] = await told(instance)
    assert (list(page.entries), list(page.deleted)) == ([], [])
    assert instance.asked("activities") == instance.asked("activities/deletedleads") == []


async def test_a_clock_that_is_not_told(instance: Instance) -> None:
    """Without Marketo's time there is no place to go on from."""
    for id in ("", "a#", "a#zz", "a#ffffffffffffffff"):
        instance.on("stats/usage", {**success(), "requestId": id})
        instance.on("activities/pagingtoken", {**success(nextPageToken="T="), "requestId": id})
        for since in (None, SINCE):
            with pytest.raises(TransientError, match="what time it is"):
                await told(instance, since=since)


async def test_only_persons_have_a_feed(instance: Instance) -> None:
    """Nothing is asked for another object."""
    with pytest.raises(UnknownEntityError, match="no feed of company"):
        async with instance.connector().changes("company", fields=["company"], since=None):
            pass
    assert not instance.seen


async def test_a_field_that_is_made_later_is_told(instance: Instance) -> None:
    """The fields are described anew when one is asked for that was not there."""
    logged(instance, success(changed(2, 7, 50, "a", "b"), moreResult=False))
    connector = instance.connector()
    await connector.describe("lead")
    instance.on("leads/describe", success(*FIELDS, field(50, "tier", "string")))
    async with connector.changes("lead", fields=["tier"], since=SINCE) as pages:
        [first, _] = [page async for page in pages]
    assert [item.field for entry in first.entries for item in entry.evidence] == ["tier"]


@pytest.mark.parametrize(
    "quirks",
    [Quirks(merged="told"), Quirks(activity_ids="left out"), Quirks(scores="score")],
    ids=["merged are told as deleted", "no ids", "scores"],
)
async def test_what_instances_differ_in(quirks: Quirks) -> None:
    """A merge, a deletion, a score by people's hands: all are told."""
    fake = FakeMarketo()
    async with served(server=MarketoServer(fake, quirks=quirks)) as (connector, _):
        winner, loser, other = (fake.create("lead", lastName=name) for name in "abc")
        async with connector.changes("lead", fields=["leadScore"], since=None) as pages:
            [begin] = [page async for page in pages]
        fake.edit("lead", winner, leadScore=7)
        await fake.merge(winner, [loser])
        fake.delete("lead", other)
        async with connector.changes("lead", fields=["leadScore"], since=begin.cursor) as pages:
            found = [page async for page in pages]
    gone = {key for page in found for key in page.deleted}
    assert {loser, other} <= gone
    assert winner not in gone
    assert {key: whom for page in found for key, whom in page.merged.items()} == {loser: winner}
    scores = [item.new for page in found for entry in page.entries for item in entry.evidence]
    assert scores == ["7"]
