"""Marketo's feed of persons: what its activities say, and who was deleted.

Sources: Adobe, "Activities" and its retention policy. Changes of fields, of scores by flow steps, new persons and
merges are activities; deletions have a feed of their own, which keeps them for fourteen days. A place in the feed is
a pair of times: an activity may show up late, so each reading goes back by the overlap, and what is repeated is known
by its id.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Collection, Iterator, Mapping
from contextlib import aclosing
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import attrs

from mkdyn.adapters.http.abreast import abreast
from mkdyn.adapters.http.shapes import Json, listed
from mkdyn.adapters.marketo.catalog import Catalog, Described
from mkdyn.adapters.marketo.client import Client
from mkdyn.adapters.marketo.deletions import Deletions
from mkdyn.adapters.marketo.extracting import Extractor
from mkdyn.adapters.marketo.requests import BATCH_MAX, PERSON, asking, place_at, written
from mkdyn.adapters.marketo.responses import NOTHING, Envelope, RefusedError, unreadable
from mkdyn.adapters.marketo.values import moment
from mkdyn.adapters.marketo.windows import Beside, in_windows
from mkdyn.domain.feeds import Cursor, Entry, Evidence, Page
from mkdyn.errors import CursorExpiredError, UnreachableError

#: Activity types: a new person, a changed field, a score changed by a flow step, a merge.
_NEW: Final = 12
_CHANGED: Final = (13, 22)
_MERGED: Final = 32
_KINDS: Final = (_NEW, *_CHANGED, _MERGED)
_TYPES: Final = ",".join(map(str, _KINDS))
#: How long Marketo keeps deletions, less a day.
_KEPT: Final = timedelta(days=13)
_DIGITS: Final = re.compile(r"\d+")


@attrs.frozen
class Place:
    """A place in the feed.

    Attributes:
        changes: Activities were read up to here.
        deletions: Deletions were.
    """

    changes: datetime
    deletions: datetime

    @classmethod
    def of(cls, cursor: Cursor) -> Place:
        """Return the place of a cursor.

        Raises:
            CursorExpiredError: It is no cursor of this feed.
        """
        changes, _, deletions = cursor.token.partition("|")
        try:
            return cls(datetime.fromisoformat(changes), datetime.fromisoformat(deletions))
        except ValueError:
            raise expired("that is no place in it") from None

    def cursor(self, at: datetime) -> Cursor:
        """Return the cursor of this place."""
        oldest = min(self.changes, self.deletions)
        # Marketo's times are whole seconds.
        return Cursor(
            token=f"{self.changes.isoformat()}|{self.deletions.isoformat()}",
            at=at,
            repeats_from=oldest - timedelta(seconds=1),
        )


class Feed:
    """Reads one instance's feed of persons."""

    def __init__(
        self, client: Client, catalog: Catalog, *, overlap_s: float, extractor: Extractor | None = None
    ) -> None:
        self._client = client
        self._extractor = extractor
        self._catalog = catalog
        self._overlap = timedelta(seconds=overlap_s)

    async def pages(self, fields: Collection[str], since: Cursor | None) -> AsyncGenerator[Page]:
        """Yield the feed's pages; see `Connector.changes`."""
        described = await self._catalog.known(PERSON, fields)
        if since is None:
            now = _time_of(await self._client.usage())
            yield Page(cursor=Place(now, now).cursor(now))
            return
        place, wanted = Place.of(since), frozenset(fields)
        # Where files may be made, deletions are read after minutes of waiting: then from a token of their own.
        beside = [place.deletions] if self._extractor is None else []
        begins = await self._begins({place.changes, *beside})
        now = min(map(_time_of, begins.values()))
        end = now - self._overlap
        if now - min(place.changes, place.deletions) > _KEPT:
            raise expired("Marketo keeps deletions for fourteen days")
        # They are told last, and the cursor moves past them only then: a merge is told before who is gone by it.
        known = {at: begins[at] for at in beside}
        deletions = Deletions(self._activities("activities/deletedleads", known, place.deletions))
        async with (
            aclosing(deletions),
            aclosing(self._changes(place.changes, end, begins, deletions.take)) as answers,
        ):
            async for answer in answers:
                entries, merged, last = _read(answer, described, wanted)
                reached = place.changes if last is None else max(place.changes, min(last, now) - self._overlap)
                place = attrs.evolve(place, changes=reached)
                yield Page(entries=entries, deleted=list(merged), merged=merged, cursor=place.cursor(now))
            await deletions.take_all()
        done = Place(max(place.changes, end), max(place.deletions, end))
        yield Page(deleted=deletions.keys, cursor=done.cursor(now))

    async def _changes(
        self, since: datetime, end: datetime, begins: Mapping[datetime, Envelope], beside: Beside
    ) -> AsyncGenerator[Envelope]:
        """Yield what there is, oldest first: pages, and what is left up to an end as a file, where one saves something.

        Where files may be made, pages are read at one place: read ahead, they would be calls that a file saves.

        Args:
            since: Where it begins.
            end: Up to where it is settled.
            begins: Answers with the tokens of times.
            beside: Makes another call, where calls are made at once.
        """
        extractor, at = self._extractor, since
        stream = partial(self._activities, "activities", begins, activityTypeIds=_TYPES)
        if extractor is None:
            async with aclosing(in_windows(stream, _when, since, end, beside)) as answers:
                async for answer in answers:
                    yield answer
            return
        while True:
            found, reached, pages, until = None, at, 0, at
            async with aclosing(stream(at)) as answers:
                async for answer in answers:
                    yield answer
                    reached = max([reached, *(_head(item)[2] for item in answer.result)])
                    pages += 1
                    if extractor is not None and answer.more and (to := extractor.until(pages, at, reached, end)):
                        found, until = await extractor.activities(reached, to, _KINDS), to
                        if found is not None:
                            break
                        extractor = None  # it would fail again
            if found is None:
                return
            for start in range(0, len(found), BATCH_MAX):
                yield attrs.evolve(NOTHING, result=found[start : start + BATCH_MAX], more=True)
            at = until

    async def _begins(self, times: Collection[datetime]) -> Mapping[datetime, Envelope]:
        """Return answers with the tokens of some times; changes and deletions can be read from the same."""
        answers = await abreast(partial(self._client.ask, place_at(written(time))) for time in times)
        return dict(zip(times, answers, strict=True))

    async def _activities(
        self, path: str, begins: Mapping[datetime, Envelope], since: datetime, **query: str
    ) -> AsyncGenerator[Envelope]:
        first = begins.get(since) or await self._client.ask(place_at(written(since)))
        token = first.next_token
        while token is not None:
            try:
                answer = await self._client.ask(asking(path, nextPageToken=token, **query))
            except RefusedError as error:  # its place can't be found any more; a new one is made of the time
                raise UnreachableError(
                    f"Marketo's feed breaks off ({error.code}).", what_to_do="Read it again."
                ) from None
            if answer.more and answer.next_token == token:
                raise unreadable("its feed stands still")
            yield answer
            token = answer.next_token if answer.more else None


def _time_of(answer: Envelope) -> datetime:
    if answer.at is None:
        raise unreadable("it does not say what time it is")
    return answer.at


def _read(
    answer: Envelope, described: Described, wanted: Collection[str]
) -> tuple[list[Entry], Mapping[str, str], datetime | None]:
    """Return what a page of activities says: changes, who was merged into whom, and how far it goes."""
    entries: list[Entry] = []
    merged: dict[str, str] = {}
    last: datetime | None = None
    for item in answer.result:
        id, key, at = _head(item)
        kind = item.get("activityTypeId")
        last = at if last is None else max(last, at)
        told = {str(each.get("name")): each.get("value") for each in listed(item, "attributes")}
        if kind == _MERGED:
            merged |= {loser: key for loser in _DIGITS.findall(str(told.get("Merge IDs", ""))) if loser != key}
            continue
        name = None if kind == _NEW else _field_of(item, described)
        if kind == _NEW or (kind in _CHANGED and name in wanted):
            evidence = () if name is None else tuple(_evidence(name, told))
            entries.append(Entry(id=id, key=key, at=at, evidence=evidence))
    return entries, merged, last


def _head(item: Json) -> tuple[str, str, datetime]:
    """Return an activity's id, person and time."""
    id = item.get("marketoGUID") or item.get("id")
    if id is None or item.get("leadId") is None:
        raise unreadable("an activity has no id, or no person")
    try:
        return str(id), str(item["leadId"]), moment(str(item.get("activityDate")))
    except ValueError:
        raise unreadable("an activity has no time") from None


def _when(item: Json) -> tuple[str, datetime]:
    """Return an activity's id and time."""
    id, _, at = _head(item)
    return id, at


def _field_of(item: Json, described: Described) -> str | None:
    """Return the field that an activity is about: by Marketo's number of it, or by its label."""
    number, label = str(item.get("primaryAttributeValueId", "")), str(item.get("primaryAttributeValue", ""))
    return described.by_id.get(number) or described.by_label.get(label)


def _evidence(name: str, told: Mapping[str, object]) -> Iterator[Evidence]:
    old, new = told.get("Old Value"), told.get("New Value")
    yield Evidence(field=name, old=None if old is None else str(old), new=None if new is None else str(new))


def expired(why: str) -> CursorExpiredError:
    """Return the error of a place that the feed can't be resumed at."""
    return CursorExpiredError(f"Marketo's feed can't be resumed there: {why}.", what_to_do="Start it anew.")
