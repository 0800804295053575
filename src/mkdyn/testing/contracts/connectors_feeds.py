"""What both systems' feeds promise."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from typing import Final

from mkdyn.domain.feeds import Cursor, Page
from mkdyn.domain.outcomes import Delete, Update
from mkdyn.errors import CursorExpiredError
from mkdyn.testing.contracts.benches import Bench, ExpiresCursors, catch_up, lacks
from mkdyn.testing.contracts.checks import SharedCheck, broken, must, of_both
from mkdyn.testing.contracts.probing import (
    applied,
    begin,
    edited,
    is_gone,
    last_cursor,
    make,
    names,
    read_feed,
    read_one,
    some,
    tells,
    untold,
)
from mkdyn.testing.contracts.subjects import Subject, token

#: Enough for more than one page where pages are small.
_SEVERAL: Final = 5


class _LeftError(Exception):
    """Raised while a feed is read."""


@of_both(
    "another person's changes are told",
    "Connector.changes",
    "everybody's changes are in it.",
    which="first",
)
async def _by_others(bench: Bench, subject: Subject) -> None:
    [key] = await some(bench, subject, 1)
    since = await begin(bench, subject, subject.fields)
    texts = await edited(bench, subject, [key])
    [new] = await some(bench, subject, 1)
    pages = await read_feed(bench, subject, subject.fields, since)
    must(not untold(pages, subject, texts), f"an edit of {subject.text} by somebody else is not told")
    must(names(pages, new), f"a {subject.object} that somebody added is not told")


@of_both(
    "our own changes are told",
    "Connector.changes",
    "everybody's changes are in it, ours too.",
    which="first",
)
async def _by_us(bench: Bench, subject: Subject) -> None:
    [key] = await some(bench, subject, 1)
    since = await begin(bench, subject, subject.fields)
    await applied(bench, subject, Update(key=key, values={subject.text: (text := token())}))
    _, new = await make(bench, subject)
    pages = await read_feed(bench, subject, subject.fields, since)
    must(tells(pages, key, subject.text, text), f"our Update of {subject.text} is not told")
    must(names(pages, new), f"the {subject.object} that we created is not told")


@of_both(
    "a deletion is told, and is the last that is told",
    "Connector.changes",
    "a deletion comes after the changes of its page: what a feed tells last of a record is how it is.",
    which="first",
)
async def _deletions(bench: Bench, subject: Subject) -> None:
    keys = await some(bench, subject, 2)
    since = await begin(bench, subject, subject.fields)
    await edited(bench, subject, keys)
    await bench.delete(subject.object, keys[0])
    await applied(bench, subject, Delete(key=keys[1]))
    pages = await read_feed(bench, subject, subject.fields, since)
    for key, whose in zip(keys, ("somebody else", "us"), strict=True):
        must(is_gone(pages, key), f"the deletion of a {subject.object} by {whose} is not told, or not last")


@of_both(
    "a feed goes on from each of its cursors, and skips nothing",
    "Connector.changes",
    "reading again from any of its cursors skips nothing that came after its page.",
    which="first",
)
async def _each_cursor(bench: Bench, subject: Subject) -> None:
    keys = await some(bench, subject, _SEVERAL)
    since = await begin(bench, subject, subject.fields)
    texts = await edited(bench, subject, keys)
    pages = await read_feed(bench, subject, subject.fields, since)
    missing = untold(pages, subject, texts)
    must(not missing, f"{len(missing)} of {len(texts)} edits are not told")
    [later] = await some(bench, subject, 1)
    for place, page in enumerate(pages):
        if page.cursor is None:
            continue
        again = await read_feed(bench, subject, subject.fields, page.cursor)
        left = {key: text for key, text in texts.items() if key in untold(pages[: place + 1], subject, texts)}
        missing = untold(again, subject, left)
        must(not missing, f"from the cursor of page {place + 1}, {len(missing)} edits are skipped")
        must(names(again, later), f"from the cursor of page {place + 1}, what came after the last page is skipped")


@of_both(
    "a feed read to its end brings a cursor",
    "Connector.changes",
    "a page may bring no cursor, but the feed's last one does.",
    which="first",
)
async def _last_has_cursor(bench: Bench, subject: Subject) -> None:
    since = await begin(bench, subject, subject.fields)
    for _ in range(2):
        await some(bench, subject, _SEVERAL)
        pages = await read_feed(bench, subject, subject.fields, since)
        must(pages and pages[-1].cursor is not None, "the last page of a feed brought no cursor")
        since = last_cursor(pages, since)
        must(since.at.tzinfo is not None, f"the time of a cursor has no zone: {since.at}")


@of_both(
    "what happens while a feed is read is told, then or from its cursor",
    "Connector.changes",
    "a change is never skipped, whatever was committed while the feed was being read.",
    which="first",
)
async def _meanwhile(bench: Bench, subject: Subject) -> None:
    keys = await some(bench, subject, _SEVERAL)
    since = await begin(bench, subject, subject.fields)
    await edited(bench, subject, keys)
    await catch_up(bench)
    texts: dict[str, str] = {}
    pages: list[Page] = []
    async with bench.connector.changes(subject.object, fields=subject.fields, since=since) as feed:
        async for page in feed:
            pages.append(page)
            turn = len(pages)
            if turn <= _SEVERAL:
                texts |= await edited(bench, subject, [keys[turn - 1]])
                _, new = await make(bench, subject)
                await applied(bench, subject, Update(key=new, values={subject.text: (text := token())}))
                texts[new] = text
    pages += await read_feed(bench, subject, subject.fields, last_cursor(pages, since))
    missing = untold(pages, subject, texts)
    must(not missing, f"{len(missing)} of {len(texts)} changes made between the pages are told by no page")


@of_both(
    "a feed that was left early can be read again",
    "Connector.changes",
    "it may be left early, and read again.",
    which="first",
)
async def _left_early(bench: Bench, subject: Subject) -> None:
    keys = await some(bench, subject, _SEVERAL)
    since = await begin(bench, subject, subject.fields)
    texts = await edited(bench, subject, keys)
    await catch_up(bench)
    async with bench.connector.changes(subject.object, fields=subject.fields, since=since) as feed:
        async for _ in feed:
            break
    with suppress(_LeftError):
        async with bench.connector.changes(subject.object, fields=subject.fields, since=since) as feed:
            async for _ in feed:
                raise _LeftError
    async with bench.connector.changes(subject.object, fields=subject.fields, since=since):
        pass
    await read_one(bench, subject, keys[0], [subject.text])
    pages = await read_feed(bench, subject, subject.fields, since)
    missing = untold(pages, subject, texts)
    must(not missing, f"after the feed was left early, {len(missing)} of {len(texts)} edits are not told")


@of_both(
    "a cursor that has expired is said to be so",
    "Connector.changes",
    "CursorExpiredError: the feed can't be resumed there.",
    which="first",
)
async def _expired(bench: Bench, subject: Subject) -> None:
    if not isinstance(bench, ExpiresCursors):
        lacks("expiring cursors (ExpiresCursors)")
    since = await begin(bench, subject, subject.fields)
    await bench.expire_cursors()
    await expect_expired(bench, subject, subject.fields, since)
    await begin(bench, subject, subject.fields)


async def expect_expired(bench: Bench, subject: Subject, fields: Collection[str], since: Cursor) -> None:
    """Read from a cursor that has expired."""
    try:
        pages = await read_feed(bench, subject, fields, since)
    except CursorExpiredError:
        return
    broken(f"from a cursor that has expired, {len(pages)} pages were read")


FEED_CHECKS: Final[tuple[SharedCheck, ...]] = (
    _by_others,
    _by_us,
    _deletions,
    _each_cursor,
    _last_has_cursor,
    _meanwhile,
    _left_early,
    _expired,
)
