"""Faults that both systems' feeds can have."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection
from typing import Final

import attrs

from mkdyn.domain import (
    Applied,
    Cursor,
    Outcome,
    Page,
    Record,
    Write,
)
from mkdyn.errors import CursorExpiredError

from .faulty import Fake, Faulty, all_of


class _KnowsItsOwn(Faulty):
    def __init__(self, fake: Fake) -> None:
        super().__init__(fake)
        self.own: set[str] = set()

    def answered(self, object: str, write: Write, outcome: Outcome) -> Outcome:
        if isinstance(outcome, Applied):
            self.own.add(outcome.key)
        return outcome

    def told(self, page: Page, *, own: bool) -> Page:
        records = [record for record in page.records if (record.key in self.own) == own]
        entries = [entry for entry in page.entries if (entry.key in self.own) == own]
        return attrs.evolve(page, records=records, entries=entries)


class _TellsOnlyOurs(_KnowsItsOwn):
    breaks = "another person's changes are told"
    others = True  # nearly all that is told is another person's

    def page(self, object: str, page: Page) -> Page:
        return self.told(page, own=True)


class _TellsOnlyTheirs(_KnowsItsOwn):
    breaks = "our own changes are told"
    others = True

    def page(self, object: str, page: Page) -> Page:
        return self.told(page, own=False)


class _ForgetsDeletions(Faulty):
    breaks = "a deletion is told, and is the last that is told"
    others = True  # merges, too

    def page(self, object: str, page: Page) -> Page:
        return attrs.evolve(page, deleted=())


class _DeletesFirst(Faulty):
    breaks = "a deletion is told, and is the last that is told"
    others = True  # merges, too

    async def pages(self, object: str, fields: Collection[str], since: Cursor | None) -> AsyncGenerator[Page]:
        async with self.fake.changes(object, fields=fields, since=since) as found:
            pages = await all_of(found)
        yield Page(deleted=[key for page in pages for key in page.deleted], cursor=since)
        for page in pages:
            yield attrs.evolve(page, deleted=())
        deleted = {key for page in pages for key in page.deleted}
        for page in pages:  # and its changes are repeated afterwards
            records = [Record(key=key, values={}, version="0") for key in deleted if not page.entries]
            entries = [entry for entry in page.entries if entry.key in deleted]
            yield Page(records=records, entries=entries, cursor=page.cursor)


class _OneCursorForAll(Faulty):
    breaks = "a feed goes on from each of its cursors, and skips nothing"

    async def pages(self, object: str, fields: Collection[str], since: Cursor | None) -> AsyncGenerator[Page]:
        async with self.fake.changes(object, fields=fields, since=since) as found:
            pages = await all_of(found)
        for page in pages:
            yield attrs.evolve(page, cursor=pages[-1].cursor)


class _NoCursorLater(Faulty):
    breaks = "a feed read to its end brings a cursor"

    async def pages(self, object: str, fields: Collection[str], since: Cursor | None) -> AsyncGenerator[Page]:
        async for page in super().pages(object, fields, since):
            yield page if since is None else attrs.evolve(page, cursor=None)


class _NeverACursor(Faulty):
    breaks = "a feed read to its end brings a cursor"
    others = True  # then no feed goes on

    def page(self, object: str, page: Page) -> Page:
        return attrs.evolve(page, cursor=None)


class _CursorOfTheEnd(Faulty):
    breaks = "what happens while a feed is read is told, then or from its cursor"

    async def pages(self, object: str, fields: Collection[str], since: Cursor | None) -> AsyncGenerator[Page]:
        async with self.fake.changes(object, fields=fields, since=since) as found:
            pages = await all_of(found)
        for page in pages[:-1]:
            yield page
        last = pages[-1].cursor
        async with self.fake.changes(object, fields=fields, since=last) as found:
            yield attrs.evolve(pages[-1], cursor=(await all_of(found))[-1].cursor)


class _OneReaderAtATime(Faulty):
    breaks = "a feed that was left early can be read again"
    _read_on = False

    async def pages(self, object: str, fields: Collection[str], since: Cursor | None) -> AsyncGenerator[Page]:
        if self._read_on:
            message = "the feed is being read"
            raise RuntimeError(message)
        self._read_on = True
        try:
            async for page in super().pages(object, fields, since):
                yield page
        except CursorExpiredError:
            self._read_on = False
            raise
        self._read_on = False


class _BeginsAnew(Faulty):
    breaks = "a cursor that has expired is said to be so"
    others = True  # so does a cursor of other fields

    async def pages(self, object: str, fields: Collection[str], since: Cursor | None) -> AsyncGenerator[Page]:
        try:
            async for page in super().pages(object, fields, since):
                yield page
        except CursorExpiredError:
            async for page in super().pages(object, fields, None):
                yield page


FEED_FAULTS: Final[tuple[type[Faulty], ...]] = (
    _TellsOnlyOurs,
    _TellsOnlyTheirs,
    _ForgetsDeletions,
    _DeletesFirst,
    _OneCursorForAll,
    _NoCursorLater,
    _NeverACursor,
    _CursorOfTheEnd,
    _OneReaderAtATime,
    _BeginsAnew,
)
