"""What Marketo's feed promises beside what every feed does."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from mkdyn.domain.evidence import reads_as
from mkdyn.domain.feeds import Cursor, Entry, Evidence, Page
from mkdyn.domain.outcomes import Update
from mkdyn.domain.systems import System
from mkdyn.domain.values import FieldValue
from mkdyn.errors import CursorExpiredError
from mkdyn.testing.contracts.benches import HoldsEntries, MarketoBench, lacks
from mkdyn.testing.contracts.checks import MarketoCheck, must, of_marketo
from mkdyn.testing.contracts.probing import (
    applied,
    begin,
    last_cursor,
    read_feed,
    some,
    tells,
)
from mkdyn.testing.contracts.subjects import PERSON, token

_SCORE: Final = "leadScore"
_FIELDS: Final = (*PERSON.fields, _SCORE, "doNotCall")


def _entries(pages: Iterable[Page]) -> list[Entry]:
    return [entry for page in pages for entry in page.entries]


def _evidence(pages: Iterable[Page], key: str, field: str) -> list[Evidence]:
    return [item for entry in _entries(pages) if entry.key == key for item in entry.evidence if item.field == field]


@of_marketo(
    "a Marketo feed begins now, with a cursor on its first page",
    "Connector.changes",
    "with since None Marketo's feed begins now, and its first page has a cursor.",
)
async def _begins_now(bench: MarketoBench) -> None:
    must(bench.connector.system is System.MARKETO, f"its system is {bench.connector.system}")
    [before] = await some(bench, PERSON, 1)
    await bench.edit(PERSON.object, before, {PERSON.text: (text := token())})
    pages = await read_feed(bench, PERSON, _FIELDS, None)
    must(pages and pages[0].cursor is not None, "the first page of a new feed has no cursor")
    must(not tells(pages, before, PERSON.text, text), "a new feed tells what was before")
    [after] = await some(bench, PERSON, 1)
    told = await read_feed(bench, PERSON, _FIELDS, pages[0].cursor if pages else None)
    must(after in {entry.key for entry in _entries(told)}, "what came after the first cursor is not told")
    must(not any(page.records for page in (*pages, *told)), "a page has records, which are Dynamics'")


@of_marketo(
    "an entry tells a field's old and new text",
    "Connector.changes",
    "an entry has each field's old and new text as evidence.",
)
async def _old_and_new(bench: MarketoBench) -> None:
    old, new = token(), token()
    values: dict[str, tuple[FieldValue, FieldValue]] = {PERSON.text: (old, new), "doNotCall": (False, True)}
    for field, (before, after) in values.items():
        key = await bench.create(PERSON.object, PERSON.entered(**{field: before}))
        since = await begin(bench, PERSON, _FIELDS)
        await bench.edit(PERSON.object, key, {field: after})
        found = _evidence(await read_feed(bench, PERSON, _FIELDS, since), key, field)
        right = any(reads_as(item.old, before) and reads_as(item.new, after) for item in found)
        must(right, f"{field} was changed from {before!r} to {after!r}, told as {_texts(found)}")


def _texts(found: Iterable[Evidence]) -> str:
    return ", ".join(f"{item.old!r} → {item.new!r}" for item in found) or "nothing"


@of_marketo(
    "a cleared field is told",
    "Connector.changes",
    "an entry has each field's old and new text as evidence.",
)
async def _cleared(bench: MarketoBench) -> None:
    key = await bench.create(PERSON.object, PERSON.entered(**{PERSON.text: (old := token())}))
    since = await begin(bench, PERSON, _FIELDS)
    await applied(bench, PERSON, Update(key=key, values={PERSON.text: None}))
    found = _evidence(await read_feed(bench, PERSON, _FIELDS, since), key, PERSON.text)
    right = any(item.old == old and not item.new for item in found)
    must(right, f"{PERSON.text} was cleared, told as {_texts(found)}")


@of_marketo(
    "a score that changed is told",
    "Connector.changes",
    "everybody's changes are in it.",
)
async def _scored(bench: MarketoBench) -> None:
    key = await bench.create(PERSON.object, PERSON.entered(**{_SCORE: 5}))
    since = await begin(bench, PERSON, _FIELDS)
    await bench.edit(PERSON.object, key, {_SCORE: 85})
    found = _evidence(await read_feed(bench, PERSON, _FIELDS, since), key, _SCORE)
    right = any(reads_as(item.old, 5) and reads_as(item.new, 85) for item in found)
    must(right, f"a score went from 5 to 85, told as {_texts(found)}")


async def _three_edits(bench: MarketoBench) -> tuple[str, Cursor, list[str]]:
    [key] = await some(bench, PERSON, 1)
    since = await begin(bench, PERSON, _FIELDS)
    texts = [token() for _ in range(3)]
    for text in texts:
        await bench.edit(PERSON.object, key, {PERSON.text: text})
    return key, since, texts


@of_marketo(
    "entries come oldest first, each with its time",
    "Connector.changes",
    "read the object's feed, oldest first; an entry has the time when it happened.",
)
async def _oldest_first(bench: MarketoBench) -> None:
    key, since, texts = await _three_edits(bench)
    found = [entry for entry in _entries(await read_feed(bench, PERSON, _FIELDS, since)) if entry.key == key]
    without = [str(entry.at) for entry in found if entry.at.tzinfo is None]
    must(not without, f"times of entries have no zone: {without}")
    once: dict[str, datetime] = {}
    for entry in found:
        once.setdefault(entry.id, entry.at)  # a feed may repeat what it told
    times = [*once.values()]
    must(times == sorted(times), f"entries came in the order {[str(at) for at in times]}")
    order = [item.new for entry in found for item in entry.evidence if item.new in texts]
    must(list(dict.fromkeys(order)) == texts, f"three edits, one after the other, are told as {order}")


@of_marketo(
    "an entry has an id of its own, the same each time",
    "Connector.changes",
    "an entry has an id, the same each time it is reported.",
)
async def _own_ids(bench: MarketoBench) -> None:
    key, since, texts = await _three_edits(bench)
    seen: list[dict[str, str]] = []
    for _ in range(2):
        entries = [entry for entry in _entries(await read_feed(bench, PERSON, _FIELDS, since)) if entry.key == key]
        seen.append({entry.id: str(item.new) for entry in entries for item in entry.evidence if item.new in texts})
    must(set(seen[0].values()) == set(texts), f"three edits have the entry ids {sorted(seen[0])}")
    must(seen[0] == seen[1], f"read again, the entries {sorted(seen[0])} have the ids {sorted(seen[1])}")


@of_marketo(
    "an entry that shows up late is told",
    "Connector.changes",
    "a change is never skipped, whatever was committed late.",
)
async def _late(bench: MarketoBench) -> None:
    if not isinstance(bench, HoldsEntries):
        lacks("late entries (HoldsEntries)")
    [early, late, between] = await some(bench, PERSON, 3)
    since = await begin(bench, PERSON, _FIELDS)
    texts = {key: token() for key in (early, late, between)}
    await bench.edit(PERSON.object, early, {PERSON.text: texts[early]})
    async with bench.entries_held():
        await bench.edit(PERSON.object, late, {PERSON.text: texts[late]})
        pages = await read_feed(bench, PERSON, _FIELDS, since)
    await bench.edit(PERSON.object, between, {PERSON.text: texts[between]})
    cursor = last_cursor(pages, since)
    for _ in range(2):
        pages += (more := await read_feed(bench, PERSON, _FIELDS, cursor))
        cursor = last_cursor(more, cursor)
    missing = [key for key, text in texts.items() if not tells(pages, key, PERSON.text, text)]
    must(not missing, f"{len(missing)} of 3 edits, of which one showed up late, are not told")


@of_marketo(
    "what is repeated is no older than the cursor says",
    "Connector.changes",
    "what is repeated from a cursor is no older than its repeats_from.",
)
async def _repeats(bench: MarketoBench) -> None:
    _, since, _ = await _three_edits(bench)
    pages = await read_feed(bench, PERSON, _FIELDS, since)
    seen: set[str] = set()
    for page in pages:
        seen |= {entry.id for entry in page.entries}
        if page.cursor is None or page.cursor.repeats_from is None:
            continue
        again = _entries(await read_feed(bench, PERSON, _FIELDS, page.cursor))
        older = [entry for entry in again if entry.id in seen and entry.at < page.cursor.repeats_from]
        must(not older, f"{len(older)} entries are repeated that are older than {page.cursor.repeats_from}")


@of_marketo(
    "a cursor goes on with other fields",
    "Connector.changes",
    "Marketo's cursors go on with other fields, or have expired, too.",
)
async def _other_fields(bench: MarketoBench) -> None:
    [key] = await some(bench, PERSON, 1)
    since = await begin(bench, PERSON, [PERSON.name])
    await bench.edit(PERSON.object, key, {PERSON.text: (text := token())})
    try:
        pages = await read_feed(bench, PERSON, [PERSON.name, PERSON.text], since)
    except CursorExpiredError:
        return
    must(tells(pages, key, PERSON.text, text), f"asked for since then, too, an edit of {PERSON.text} is not told")


ENTRY_CHECKS: Final[tuple[MarketoCheck, ...]] = (
    _begins_now,
    _old_and_new,
    _cleared,
    _scored,
    _oldest_first,
    _own_ids,
    _late,
    _repeats,
    _other_fields,
)
