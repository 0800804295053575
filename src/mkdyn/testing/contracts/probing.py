"""How the checks of connectors read: one record, a whole feed, what a feed tells."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from mkdyn.domain.evidence import reads_as
from mkdyn.domain.feeds import Cursor, Page
from mkdyn.domain.outcomes import Applied, Create, Outcome, Write
from mkdyn.domain.records import Record
from mkdyn.domain.values import FieldValue, Values
from mkdyn.testing.contracts.benches import Bench, catch_up
from mkdyn.testing.contracts.checks import broken, must
from mkdyn.testing.contracts.subjects import Subject, token


async def read_one(bench: Bench, subject: Subject, key: str, fields: Collection[str]) -> Record:
    """Return a record as the connector reads it."""
    await catch_up(bench)
    found = await bench.connector.read(subject.object, [key], fields=fields)
    must(set(found) == {key}, f"read() of one {subject.object} that is there answered {len(found)} records")
    must(found[key].key == key, f"read() gave the {subject.object} {key} the key {found[key].key}")
    return found[key]


async def keys_found(bench: Bench, subject: Subject, field: str, *values: str) -> list[str]:
    """Return the keys of the records that the connector finds."""
    await catch_up(bench)
    return [record.key for record in await bench.connector.find(subject.object, field, values, fields=[subject.text])]


async def shown(bench: Bench, subject: Subject, key: str, field: str) -> FieldValue:
    """Return what somebody else sees in a record's field."""
    values = await bench.record(subject.object, key, [field])
    if values is None:
        broken(f"there is no {subject.object} {key}")
    return values[field]


async def write_one(bench: Bench, subject: Subject, write: Write) -> Outcome:
    """Write one record."""
    outcomes = await bench.connector.write(subject.object, [write])
    must(len(outcomes) == 1, f"one write was answered by {len(outcomes)} outcomes")
    return outcomes[0]


async def applied(bench: Bench, subject: Subject, write: Write) -> Applied:
    """Write one record; the answer has to be Applied."""
    outcome = await write_one(bench, subject, write)
    if not isinstance(outcome, Applied):
        broken(f"a {type(write).__name__} of a {subject.object} was answered {outcome!r}")
    return outcome


async def make(bench: Bench, subject: Subject, values: Values | None = None) -> tuple[Create, str]:
    """Create a record through the connector; return the write and the record's key."""
    creation = subject.creation(values or {})
    return creation, (await applied(bench, subject, creation)).key


async def some(bench: Bench, subject: Subject, count: int) -> list[str]:
    """Have somebody else add records."""
    return [await bench.create(subject.object, subject.entered()) for _ in range(count)]


# -- feeds ---------------------------------------------------------------------------------------------


async def begin(bench: Bench, subject: Subject, fields: Collection[str]) -> Cursor:
    """Return where the feed stands now."""
    await catch_up(bench)
    cursor: Cursor | None = None
    async with bench.connector.changes(subject.object, fields=fields, since=None) as pages:
        async for page in pages:
            cursor = page.cursor or cursor
    if cursor is None:
        broken("a feed read to its end brought no cursor")
    return cursor


async def read_feed(bench: Bench, subject: Subject, fields: Collection[str], since: Cursor | None) -> list[Page]:
    """Return every page there is."""
    await catch_up(bench)
    async with bench.connector.changes(subject.object, fields=fields, since=since) as pages:
        return [page async for page in pages]


def last_cursor(pages: Sequence[Page], before: Cursor) -> Cursor:
    """Return where to go on after these pages."""
    return next((page.cursor for page in reversed(pages) if page.cursor is not None), before)


def tells(pages: Iterable[Page], key: str, field: str, value: FieldValue) -> bool:
    """Whether pages tell that a record's field became *value*: by its values, or by evidence."""
    return any(
        any(record.key == key and record.values.get(field) == value for record in page.records)
        or any(
            entry.key == key and any(item.field == field and reads_as(item.new, value) for item in entry.evidence)
            for entry in page.entries
        )
        for page in pages
    )


def names(pages: Iterable[Page], key: str) -> bool:
    """Whether pages tell of a record at all, as one that is there."""
    return any(
        key in {*(record.key for record in page.records), *(entry.key for entry in page.entries)} for page in pages
    )


def is_gone(pages: Iterable[Page], key: str) -> bool:
    """Whether the last thing that pages tell of a record is its deletion."""
    gone = False
    for page in pages:
        gone = gone and not names([page], key)
        gone = gone or key in page.deleted
    return gone


def merged_into(pages: Iterable[Page], key: str) -> str | None:
    """Return the person into whom pages say that another one was merged."""
    return next((page.merged[key] for page in pages if key in page.merged), None)


async def edited(bench: Bench, subject: Subject, keys: Iterable[str]) -> dict[str, str]:
    """Have somebody else edit each record's text; return what each then holds."""
    texts = {key: token() for key in keys}
    for key, text in texts.items():
        await bench.edit(subject.object, key, {subject.text: text})
    return texts


def untold(pages: Sequence[Page], subject: Subject, texts: dict[str, str]) -> list[str]:
    """Return the records of which pages do not tell the text they got."""
    return [key for key, text in texts.items() if not tells(pages, key, subject.text, text)]
