"""What a connector promises of reads by key and by value."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final

from mkdyn.domain.outcomes import Update
from mkdyn.domain.values import FieldValue, Values, same
from mkdyn.errors import TransientError, UnknownEntityError, UnknownFieldError
from mkdyn.testing.contracts.benches import Bench, LosesAnswers, catch_up, lacks
from mkdyn.testing.contracts.checks import SharedCheck, broken, must, of_both
from mkdyn.testing.contracts.probing import applied, keys_found, make, read_feed, read_one, some
from mkdyn.testing.contracts.subjects import ODD, Subject, token

_MANY: Final = 1_000


@of_both(
    "read takes a thousand keys and leaves out what is not there",
    "Connector.read",
    "return the records that can be read, by key; any number of keys is taken.",
)
async def _many_keys(bench: Bench, subject: Subject) -> None:
    first, middle, last = await some(bench, subject, 3)
    unknown = subject.unknown_keys(_MANY)
    half = len(unknown) // 2
    keys = [first, *unknown[:half], middle, *unknown[half:], last]
    await catch_up(bench)
    found = await bench.connector.read(subject.object, keys, fields=[subject.text])
    must(set(found) <= set(keys), f"read() answered a {subject.object} under a key that nobody asked for")
    wanted = {first, middle, last}
    must(set(found) == wanted, f"read() of {len(keys)} keys, of which 3 are there, answered {len(found)} records")


@of_both(
    "asked for nothing, a connector answers nothing",
    "Connector.read",
    "any number of keys is taken, none too (so are values by find, and writes by write).",
)
async def _nothing(bench: Bench, subject: Subject) -> None:
    await some(bench, subject, 1)
    read = await bench.connector.read(subject.object, [], fields=[subject.text])
    found = await bench.connector.find(subject.object, subject.email, [], fields=[subject.text])
    outcomes = await bench.connector.write(subject.object, [])
    must(not read, f"read() of no keys answered {len(read)} records")
    must(not found, f"find() of no values answered {len(found)} records")
    must(not outcomes, f"write() of nothing answered {len(outcomes)} outcomes")


@of_both(
    "an empty field is None",
    "Connector.read",
    "an empty field is None.",
)
async def _empty(bench: Bench, subject: Subject) -> None:
    [key] = await some(bench, subject, 1)
    values = (await read_one(bench, subject, key, [subject.text])).values
    shows = values.get(subject.text, "nothing at all")
    must(shows is None, f"a {subject.object} with an empty {subject.text} was read as {shows!r}")


@of_both(
    "a record holds the fields asked for and no others",
    "Connector.read",
    "the values hold the fields asked for and no others (by find: and the field it looked in).",
)
async def _just_these(bench: Bench, subject: Subject) -> None:
    address = f"{token()}@example.com"
    key = await bench.create(subject.object, subject.entered(**{subject.email: address}))
    read = (await read_one(bench, subject, key, [subject.name, subject.text])).values
    must(set(read) == {subject.name, subject.text}, f"read() of two fields answered {sorted(read)}")
    for record in await bench.connector.find(subject.object, subject.email, [address], fields=[subject.text]):
        wanted = {subject.text, subject.email}
        must(set(record.values) == wanted, f"find() of {sorted(wanted)} answered {sorted(record.values)}")


@of_both(
    "a read shows what was written a moment ago",
    "Connector.read",
    "return the records as they are now; what was written is read from then on.",
)
async def _as_they_are(bench: Bench, subject: Subject) -> None:
    _, key = await make(bench, subject, {subject.text: (text := token())})
    found = (await read_one(bench, subject, key, [subject.text])).values[subject.text]
    must(found == text, f"after our Create of a {subject.object}, {subject.text} was read as {found!r}")
    await applied(bench, subject, Update(key=key, values={subject.text: (text := token())}))
    found = (await read_one(bench, subject, key, [subject.text])).values[subject.text]
    must(found == text, f"after our Update of a {subject.object}, {subject.text} was read as {found!r}")
    await bench.edit(subject.object, key, {subject.text: (text := token())})
    found = (await read_one(bench, subject, key, [subject.text])).values[subject.text]
    must(found == text, f"after somebody's edit of a {subject.object}, {subject.text} was read as {found!r}")


@of_both(
    "a text comes back letter for letter",
    "Connector",
    "texts come back letter for letter.",
)
async def _letter_for_letter(bench: Bench, subject: Subject) -> None:
    _, key = await make(bench, subject, {subject.text: ODD})
    read = (await read_one(bench, subject, key, [subject.text])).values[subject.text]
    must(read == ODD, f"{ODD!r}, written to a {subject.object}, was read as {read!r}")


@of_both(
    "a value comes back in the type of its field",
    "Connector",
    "values are of the types of FieldValue, each as its field's type says.",
)
async def _typed(bench: Bench, subject: Subject) -> None:
    described = {spec.name for spec in await bench.connector.describe(subject.object)}
    written = {name: value for name, value in subject.typed.items() if name in described}
    _, key = await make(bench, subject, written)
    values = (await read_one(bench, subject, key, [*written])).values
    for name, value in written.items():
        must(name in values, f"{subject.object}.{name} was written, and left out when read")
        must(_alike(values[name], value), f"{subject.object}.{name}: {value!r} was read as {values[name]!r}")
    if subject.created in described:
        at = (await read_one(bench, subject, key, [subject.created])).values.get(subject.created)
        aware = isinstance(at, datetime) and at.tzinfo is not None
        must(aware, f"{subject.object}.{subject.created} is no date and time with a zone: {at!r}")


def _alike(read: FieldValue, written: FieldValue) -> bool:
    return type(read) is type(written) and same(read, written)


@of_both(
    "find looks without regard to case",
    "Connector.find",
    "return every record whose field is one of the values, without regard to case.",
)
async def _any_case(bench: Bench, subject: Subject) -> None:
    word = token()
    key = await bench.create(subject.object, subject.entered(**{subject.email: f"{word}@Example.com"}))
    for value in (f"{word}@example.com", f"{word.upper()}@EXAMPLE.COM", f"{word}@Example.com"):
        found = await keys_found(bench, subject, subject.email, value)
        must(found == [key], f"{word}@Example.com, looked for as {value}, was found {len(found)} times")


@of_both(
    "find takes a thousand values",
    "Connector.find",
    "any number of values is taken.",
)
async def _many_values(bench: Bench, subject: Subject) -> None:
    addresses = [f"{token()}@example.com" for _ in range(_MANY)]
    wanted = [
        await bench.create(subject.object, subject.entered(**{subject.email: addresses[place]}))
        for place in (0, _MANY // 2, _MANY - 1)
    ]
    found = await keys_found(bench, subject, subject.email, *addresses)
    must(sorted(found) == sorted(wanted), f"find() of {_MANY} values, of which 3 are there, answered {len(found)}")


@of_both(
    "find returns every record that has the value",
    "Connector.find",
    "return every record whose field is one of the values.",
)
async def _every_one(bench: Bench, subject: Subject) -> None:
    address = f"{token()}@example.com"
    keys = [await bench.create(subject.object, subject.entered(**{subject.email: address})) for _ in range(3)]
    found = await keys_found(bench, subject, subject.email, address)
    must(sorted(found) == sorted(keys), f"3 records have one {subject.email}, and find() answered {len(found)}")


@of_both(
    "find takes every letter as it is",
    "Connector.find",
    "a value is looked for letter by letter: nothing in it is a wildcard.",
)
async def _no_wildcard(bench: Bench, subject: Subject) -> None:
    field = subject.searched
    for end, other_end in ((subject.odd, "x"), ("%", "50"), ("_", "5"), ("*", "xyz")):
        word = token()
        odd, other = f"{word} {end}", f"{word} {other_end}"
        key = await bench.create(subject.object, subject.entered(**{field: odd}))
        await bench.create(subject.object, subject.entered(**{field: other}))
        found = await keys_found(bench, subject, field, odd)
        must(found == [key], f"the {subject.object} whose {field} is {odd!r} was found as {len(found)} records")


@of_both(
    "an object that is not there is refused by name",
    "Connector",
    "an object that is not there is an UnknownEntityError.",
    which="first",
)
async def _no_such_object(bench: Bench, subject: Subject) -> None:
    nowhere, key = token(), subject.unknown_keys(1)[0]
    connector = bench.connector
    values: Values = {subject.text: "x"}
    await _refused(UnknownEntityError, "read()", lambda: connector.read(nowhere, [key], fields=[subject.text]))
    await _refused(
        UnknownEntityError, "find()", lambda: connector.find(nowhere, subject.email, ["x"], fields=[subject.text])
    )
    await _refused(UnknownEntityError, "write()", lambda: connector.write(nowhere, [Update(key=key, values=values)]))


@of_both(
    "a field that is not there is refused by name, and never looks empty",
    "Connector",
    "a field that is not there is an UnknownFieldError: it never looks empty.",
    which="first",
)
async def _no_such_field(bench: Bench, subject: Subject) -> None:
    [key] = await some(bench, subject, 1)
    await catch_up(bench)
    connector, nothing = bench.connector, token()
    await _refused(UnknownFieldError, "read()", lambda: connector.read(subject.object, [key], fields=[nothing]))
    await _refused(
        UnknownFieldError,
        "find()",
        lambda: connector.find(subject.object, subject.email, ["x"], fields=[nothing]),
    )
    await _refused(UnknownFieldError, "changes()", lambda: read_feed(bench, subject, [nothing], None))


@of_both(
    "a read that gets no answer raises",
    "Connector",
    "a read that gets no answer raises: it never looks as if nothing were there.",
)
async def _unanswered_read(bench: Bench, subject: Subject) -> None:
    if not isinstance(bench, LosesAnswers):
        lacks("lost answers (LosesAnswers)")
    [key] = await some(bench, subject, 1)
    connector = bench.connector
    async with bench.unanswered(applied=True):
        await _refused(TransientError, "read()", lambda: connector.read(subject.object, [key], fields=[subject.text]))
        await _refused(
            TransientError,
            "find()",
            lambda: connector.find(subject.object, subject.email, ["x"], fields=[subject.text]),
        )


async def _refused(error: type[Exception], what: str, act: Callable[[], Awaitable[object]]) -> None:
    try:
        answer = await act()
    except error:
        return
    broken(f"{what} answered {answer!r}")


READ_CHECKS: Final[tuple[SharedCheck, ...]] = (
    _many_keys,
    _nothing,
    _empty,
    _just_these,
    _as_they_are,
    _letter_for_letter,
    _typed,
    _any_case,
    _many_values,
    _every_one,
    _no_wildcard,
    _no_such_object,
    _no_such_field,
    _unanswered_read,
)
