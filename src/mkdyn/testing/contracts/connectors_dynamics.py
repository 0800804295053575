"""What a Dynamics connector promises beside what every connector does."""

from __future__ import annotations

from typing import Final

from mkdyn.domain.outcomes import Applied, Create, Delete, Rejected, Stale, Update
from mkdyn.domain.systems import System
from mkdyn.testing.contracts.benches import (
    DynamicsBench,
    HidesFields,
    ProtectsFields,
    RestoresRecords,
    catch_up,
    lacks,
)
from mkdyn.testing.contracts.checks import DynamicsCheck, must, of_dynamics
from mkdyn.testing.contracts.connectors_feeds import expect_expired
from mkdyn.testing.contracts.probing import applied, begin, is_gone, make, read_feed, read_one, shown, some, write_one
from mkdyn.testing.contracts.subjects import Subject, token


@of_dynamics(
    "a Dynamics connector says that it is one, and has no way to create a field",
    "DynamicsConnector",
    "it has no way to create a field.",
)
async def _no_fields(bench: DynamicsBench, _subject: Subject) -> None:
    system = getattr(bench.connector, "system", None)
    must(system is System.DYNAMICS, f"its system is {system}")
    must(not hasattr(bench.connector, "create_field"), "it has a create_field")


@of_dynamics(
    "check names everything that is missing at once",
    "Connector.check",
    "find every right or field that is missing, all at once.",
)
async def _all_missing(bench: DynamicsBench, subject: Subject) -> None:
    field, other, table = token(), token(), token()
    problems = await bench.connector.check({subject.object: [field, subject.text, other], table: [subject.text]})
    told = " ".join(map(str, problems))
    missing = [name for name in (field, other, table) if name not in told]
    must(
        not missing, f"of two fields and a table that are not there, {len(missing)} are not named: {told or 'nothing'}"
    )


# -- feeds and versions ----------------------------------------------------------------------------------


@of_dynamics(
    "a feed from its start holds every row with its version and all fields asked for, and no deletion",
    "Connector.changes",
    "with since None Dynamics' pages hold every record there is, with all of the fields and a version.",
)
async def _from_the_start(bench: DynamicsBench, subject: Subject) -> None:
    *keys, deleted = await some(bench, subject, 6)
    keys.append((await make(bench, subject))[1])
    await bench.delete(subject.object, deleted)
    pages = await read_feed(bench, subject, subject.fields, None)
    rows = {record.key: record for page in pages for record in page.records}
    left_out = [key for key in keys if key not in rows]
    must(not left_out, f"{len(left_out)} of {len(keys)} rows are left out")
    for key in keys:
        must(set(rows[key].values) == set(subject.fields), f"a row has the fields {sorted(rows[key].values)}")
        must(rows[key].version, f"a row has the version {rows[key].version!r}")
    told = {key for page in pages for key in page.deleted}
    must(deleted not in rows and not told, f"{len(told)} deletions are told, or a deleted row is there")
    must(not any(page.entries for page in pages), "a page has entries, which are Marketo's")


@of_dynamics(
    "a version moves with every change, and with nothing else",
    "DynamicsConnector",
    "every row has a version, which moves with every change.",
)
async def _versions_move(bench: DynamicsBench, subject: Subject) -> None:
    _, key = await make(bench, subject)
    seen: list[str | None] = []
    for turn in range(3):
        if turn == 1:
            await bench.edit(subject.object, key, {subject.text: token()})
        elif turn == 2:  # noqa: PLR2004 - the turn after it
            await applied(bench, subject, Update(key=key, values={subject.text: token()}))
        read = [(await read_one(bench, subject, key, [subject.text])).version for _ in range(2)]
        fed = [
            record.version
            for page in await read_feed(bench, subject, subject.fields, None)
            for record in page.records
            if record.key == key
        ]
        must({*read, *fed} == {read[0]}, f"read twice and fed once, a row has the versions {[*read, *fed]}")
        seen.append(read[0])
    must(None not in seen and len(set(seen)) == len(seen), f"made, edited, and edited, a row had the versions {seen}")


@of_dynamics(
    "an Applied write tells the version that the row has then",
    "DynamicsConnector",
    "an Applied write tells the new version.",
)
async def _new_version(bench: DynamicsBench, subject: Subject) -> None:
    creation = subject.creation({})
    for write in (creation, Update(key=creation.key, values={subject.text: token()}), creation):
        told = (await applied(bench, subject, write)).version
        has = (await read_one(bench, subject, creation.key, [subject.text])).version
        must(told == has, f"a {type(write).__name__} told the version {told}, and the row has {has}")
    version = (await read_one(bench, subject, creation.key, [subject.text])).version
    standing = Update(key=creation.key, values={subject.text: (text := token())}, version=version)
    outcome = await write_one(bench, subject, standing)
    must(isinstance(outcome, Applied), f"an Update of the version that stands was answered {outcome!r}")
    must(await shown(bench, subject, creation.key, subject.text) == text, "an Update of that version wrote nothing")


@of_dynamics(
    "an Update of another version is Stale, and writes nothing",
    "Connector.write",
    "an Update or Delete with another version than the row's is Stale.",
)
async def _stale_update(bench: DynamicsBench, subject: Subject) -> None:
    _, key = await make(bench, subject)
    version = (await read_one(bench, subject, key, [subject.text])).version
    await bench.edit(subject.object, key, {subject.text: (text := token())})
    outcome = await write_one(bench, subject, Update(key=key, values={subject.text: token()}, version=version))
    must(outcome == Stale(), f"an Update of a row that has changed since was answered {outcome!r}")
    found = await shown(bench, subject, key, subject.text)
    must(found == text, f"an Update of a row that has changed since made {found!r} of {text!r}")


@of_dynamics(
    "a Delete of another version is Stale, and deletes nothing",
    "Connector.write",
    "an Update or Delete with another version than the row's is Stale.",
)
async def _stale_delete(bench: DynamicsBench, subject: Subject) -> None:
    _, key = await make(bench, subject)
    version = (await read_one(bench, subject, key, [subject.text])).version
    await bench.edit(subject.object, key, {subject.text: token()})
    outcome = await write_one(bench, subject, Delete(key=key, version=version))
    must(outcome == Stale(), f"a Delete of a row that has changed since was answered {outcome!r}")
    there = await bench.record(subject.object, key, [subject.text])
    must(there, "a row that had changed since was deleted")


@of_dynamics(
    "a Create that finds its row leaves it as it is",
    "DynamicsConnector",
    "a Create that finds its row leaves it as it is.",
)
async def _left_alone(bench: DynamicsBench, subject: Subject) -> None:
    creation, key = await make(bench, subject, {subject.text: token()})
    await bench.edit(subject.object, key, {subject.text: (text := token())})
    await applied(bench, subject, creation)
    found = await shown(bench, subject, key, subject.text)
    must(found == text, f"a Create sent again made {found!r} of {text!r}")


@of_dynamics(
    "a GUID is taken in any case, and answered in lower case",
    "DynamicsConnector",
    "a GUID is taken in any case, and answered in lower case.",
)
async def _any_case(bench: DynamicsBench, subject: Subject) -> None:
    lower = subject.unknown_keys(1)[0]
    upper = lower.upper()
    name = token()
    made = await applied(bench, subject, Create(key=upper, values={subject.name: name}))
    again = await applied(bench, subject, Update(key=upper, values={subject.text: token()}))
    await catch_up(bench)
    read = await bench.connector.read(subject.object, [upper], fields=[subject.name])
    found = await bench.connector.find(subject.object, subject.searched, [name], fields=[subject.name])
    pages = await read_feed(bench, subject, subject.fields, None)
    fed = {record.key for page in pages for record in page.records if record.values.get(subject.name) == name}
    answered = {made.key, again.key, *read, *(row.key for row in read.values()), *(row.key for row in found), *fed}
    must(answered == {lower} and read and found and fed, f"{upper} was answered as {sorted(answered)}")
    gone = await applied(bench, subject, Delete(key=upper))
    must(gone.key == lower, f"the deletion of {upper} was answered as {gone.key}")


@of_dynamics(
    "a cursor of other fields has expired",
    "Connector.changes",
    "Dynamics' cursors belong to their set of fields, and have expired for any other.",
)
async def _other_fields(bench: DynamicsBench, subject: Subject) -> None:
    since = await begin(bench, subject, [subject.name])
    await some(bench, subject, 1)
    await expect_expired(bench, subject, [subject.name, subject.text], since)
    await read_feed(bench, subject, [subject.name], since)


@of_dynamics(
    "a row that was deleted and made again is told as a row",
    "Connector.changes",
    "what a feed tells last of a record is how it is.",
)
async def _made_again(bench: DynamicsBench, subject: Subject) -> None:
    creation, key = await make(bench, subject)
    since = await begin(bench, subject, subject.fields)
    await bench.delete(subject.object, key)
    await applied(bench, subject, creation)
    pages = await read_feed(bench, subject, subject.fields, since)
    rows = [record for page in pages for record in page.records if record.key == key]
    must(rows, "a row that was deleted and made again is not told as a row")
    must(not is_gone(pages, key), "a row that was deleted and made again is told as deleted last")


@of_dynamics(
    "a row that comes back from the recycle bin is told",
    "Connector.changes",
    "what a feed tells last of a record is how it is.",
)
async def _restored(bench: DynamicsBench, subject: Subject) -> None:
    if not isinstance(bench, RestoresRecords):
        lacks("recycle bin (RestoresRecords)")
    _, key = await make(bench, subject)
    await bench.delete(subject.object, key)
    since = await begin(bench, subject, subject.fields)
    await bench.restore(subject.object, key)
    pages = await read_feed(bench, subject, subject.fields, since)
    there = any(record.key == key for page in pages for record in page.records)
    must(there and not is_gone(pages, key), "a row that came back from the recycle bin is not told")


# -- rights ----------------------------------------------------------------------------------------------


@of_dynamics(
    "a field that can't be seen is left out, and is not None",
    "Connector.read",
    "a field that this user can't see is left out of the values.",
)
async def _left_out(bench: DynamicsBench, subject: Subject) -> None:
    if not isinstance(bench, HidesFields):
        lacks("hidden fields (HidesFields)")
    name = token()
    key = await bench.create(subject.object, subject.entered(**{subject.name: name, subject.text: token()}))
    fields = [subject.name, subject.text]
    async with bench.hidden(subject.object, subject.text):
        await catch_up(bench)
        read = await bench.connector.read(subject.object, [key], fields=fields)
        found = await bench.connector.find(subject.object, subject.searched, [name], fields=fields)
        pages = await read_feed(bench, subject, fields, None)
    fed = [record for page in pages for record in page.records if record.key == key]
    for how, rows in (("read()", list(read.values())), ("find()", found), ("changes()", fed)):
        shows = [dict(row.values) for row in rows]
        right = shows and all(show == {subject.name: name} for show in shows)
        must(right, f"{how} of a row with a field that can't be seen shows {shows}")


@of_dynamics(
    "describe and check tell what this user may not read",
    "Connector.describe",
    "what this user may not read is not readable, or left out (and check finds every right that is missing).",
)
async def _not_readable(bench: DynamicsBench, subject: Subject) -> None:
    if not isinstance(bench, HidesFields):
        lacks("hidden fields (HidesFields)")
    async with bench.hidden(subject.object, subject.text):
        specs = await bench.connector.describe(subject.object)
        problems = await bench.connector.check({subject.object: [subject.name, subject.text]})
    readable = [spec.name for spec in specs if spec.readable]
    must(subject.text not in readable, f"{subject.text} can't be read, and is described as readable")
    must(subject.name in readable, f"{subject.name} can be read, and is not described so")
    told = " ".join(map(str, problems))
    must(subject.text in told, f"{subject.text} can't be read, and check() says {told or 'nothing'}")


@of_dynamics(
    "a field that this user may not write is not written, and said to be so",
    "DynamicsConnector",
    "a write of a field that this user may not write is Rejected (and describe calls it not writable).",
)
async def _protected(bench: DynamicsBench, subject: Subject) -> None:
    if not isinstance(bench, ProtectsFields):
        lacks("protected fields (ProtectsFields)")
    key = await bench.create(subject.object, subject.entered(**{subject.text: (text := token())}))
    async with bench.protected(subject.object, subject.text):
        specs = await bench.connector.describe(subject.object)
        update = await write_one(bench, subject, Update(key=key, values={subject.text: token()}))
        creation = await write_one(bench, subject, subject.creation({subject.text: token()}))
        read = (await read_one(bench, subject, key, [subject.text])).values
    for outcome in (update, creation):
        must(isinstance(outcome, Rejected), f"a write of a field that may not be written was answered {outcome!r}")
    must(read == {subject.text: text}, f"a field that may be read, not written, was read as {read}")
    writable = [spec.name for spec in specs if spec.writable]
    must(subject.text not in writable, f"{subject.text} can't be written, and is described as writable")


ONLY_DYNAMICS: Final[tuple[DynamicsCheck, ...]] = (
    _no_fields,
    _all_missing,
    _from_the_start,
    _versions_move,
    _new_version,
    _stale_update,
    _stale_delete,
    _left_alone,
    _any_case,
    _other_fields,
    _made_again,
    _restored,
    _left_out,
    _not_readable,
    _protected,
)
