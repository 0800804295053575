"""What a connector promises of writes."""

from __future__ import annotations

from typing import Final

from mkdyn.domain.outcomes import Applied, Create, Delete, Rejected, Stale, Unknown, Update, Write
from mkdyn.errors import UnreachableError
from mkdyn.testing.contracts.benches import Bench, LosesAnswers, lacks
from mkdyn.testing.contracts.checks import SharedCheck, broken, must, of_both
from mkdyn.testing.contracts.probing import applied, keys_found, make, shown, some, write_one
from mkdyn.testing.contracts.subjects import Subject, token


@of_both(
    "a Create makes the record of its key",
    "Connector.write",
    "a Create answers Applied with the record's key.",
)
async def _created(bench: Bench, subject: Subject) -> None:
    creation, key = await make(bench, subject, {subject.text: (text := token())})
    if subject.by is None:
        must(key == creation.key, f"a Create of {subject.object} {creation.key} answered the key {key}")
    found = await shown(bench, subject, key, subject.text)
    must(found == text, f"a new {subject.object} was given the {subject.text} {text!r} and has {found!r}")


@of_both(
    "a Create sent twice makes one record",
    "Connector.write",
    "a Create whose key exists answers Applied with found, and makes no second record.",
)
async def _created_twice(bench: Bench, subject: Subject) -> None:
    address = f"{token()}@example.com"
    creation = subject.creation({subject.email: address})
    first = await applied(bench, subject, creation)
    second = await applied(bench, subject, creation)
    records = len(await keys_found(bench, subject, subject.email, address))
    must(records == 1, f"{_count(records)} of one {subject.object}")
    must(second.key == first.key, f"the {subject.object} {first.key} was found under the key {second.key}")
    must(not first.found, f"the Create that made the {subject.object} says that it found it")
    must(second.found, f"the Create that found the {subject.object} does not say so")


def _count(records: int) -> str:
    return {0: "no record exists", 2: "two records exist"}.get(records, f"{records} records exist")


@of_both(
    "an Update writes its fields and no others",
    "Connector.write",
    "an Update writes its values and no others.",
)
async def _updated(bench: Bench, subject: Subject) -> None:
    key = await bench.create(subject.object, subject.entered(**{subject.name: (name := token())}))
    outcome = await applied(bench, subject, Update(key=key, values={subject.text: (text := token())}))
    must(outcome.key == key, f"an Update of {subject.object} {key} answered the key {outcome.key}")
    found = await shown(bench, subject, key, subject.text)
    must(found == text, f"an Update of {subject.text} to {text!r} left {found!r}")
    kept = await shown(bench, subject, key, subject.name)
    must(kept == name, f"an Update of {subject.text} made {kept!r} of {subject.name}")


@of_both(
    "None clears a field",
    "Connector.write",
    "an Update writes its values, None too.",
)
async def _cleared(bench: Bench, subject: Subject) -> None:
    key = await bench.create(subject.object, subject.entered(**{subject.text: token()}))
    await applied(bench, subject, Update(key=key, values={subject.text: None}))
    found = await shown(bench, subject, key, subject.text)
    must(found is None, f"an Update of {subject.text} to None left {found!r}")


@of_both(
    "an Update never creates",
    "Connector.write",
    "an Update never creates: a record that is not there is Stale, and gone.",
)
async def _never_created(bench: Bench, subject: Subject) -> None:
    [deleted] = await some(bench, subject, 1)
    await bench.delete(subject.object, deleted)
    for key in (deleted, *subject.unknown_keys(1)):
        address = f"{token()}@example.com"
        values = {subject.name: address, subject.email: address}
        outcome = await write_one(bench, subject, Update(key=key, values=values))
        made = len(await keys_found(bench, subject, subject.email, address))
        must(not made, f"an Update of a {subject.object} that is not there made {made}")
        gone = isinstance(outcome, Stale) and outcome.gone
        must(gone, f"an Update of a {subject.object} that is not there was answered {outcome!r}")


@of_both(
    "a Delete deletes its record, and is Applied once more when it is gone",
    "Connector.write",
    "a Delete of what is gone is Applied.",
)
async def _deleted(bench: Bench, subject: Subject) -> None:
    key, other = await some(bench, subject, 2)
    await applied(bench, subject, Delete(key=key))
    must(
        await bench.record(subject.object, key, [subject.name]) is None, f"the deleted {subject.object} is still there"
    )
    await applied(bench, subject, Delete(key=key))
    await applied(bench, subject, Delete(key=subject.unknown_keys(1)[0]))
    must(await bench.record(subject.object, other, [subject.name]), f"another {subject.object} is gone, too")


@of_both(
    "outcomes stand in the order of their writes",
    "Connector.write",
    "one outcome each, in order.",
)
async def _in_order(bench: Bench, subject: Subject) -> None:
    await _room(bench, 5)
    first, second, third = await some(bench, subject, 3)
    unknown, creation = subject.unknown_keys(1)[0], subject.creation({})
    writes: list[Write] = [
        Update(key=third, values={subject.text: "3"}),
        Update(key=unknown, values={subject.text: "0"}),
        creation,
        Delete(key=second),
        Update(key=first, values={subject.text: "1"}),
    ]
    outcomes = await bench.connector.write(subject.object, writes)
    said = [(type(outcome).__name__, getattr(outcome, "key", None)) for outcome in outcomes]
    made = said[2][1] if len(said) == len(writes) else None
    wanted = [third, None, made, second, first]
    must([key for _, key in said] == wanted, f"{len(writes)} writes were answered {said}")
    must(made not in {None, first, second, third}, f"a Create was answered with the key {made}")
    must(said[1][0] == "Stale", f"an Update of what is not there was answered {said[1][0]}, in its place")


@of_both(
    "a call takes as many writes as the connector says",
    "Connector.write",
    "attempt every write, at most batch_max of them.",
)
async def _full_batch(bench: Bench, subject: Subject) -> None:
    size = (await bench.connector.identify()).batch_max
    keys = await some(bench, subject, 2)
    unknown = subject.unknown_keys(max(size - 2, 0))
    writes = [Update(key=key, values={subject.text: "x"}) for key in (keys[0], *unknown, keys[1])][:size]
    outcomes = await bench.connector.write(subject.object, writes)
    must(len(outcomes) == len(writes), f"{len(writes)} writes were answered by {len(outcomes)} outcomes")
    for write, outcome in zip(writes, outcomes, strict=True):
        right = isinstance(outcome, Applied if write.key in keys else Stale)
        must(right, f"in a call of {size} writes, {write!r} was answered {outcome!r}")
        if write.key in keys:
            must(await shown(bench, subject, write.key, subject.text) == "x", f"of {size} writes, one had no effect")


async def _room(bench: Bench, size: int) -> None:
    """Pass over a connector whose calls are too small."""
    if (await bench.connector.identify()).batch_max < size:
        lacks(f"calls of {size} writes")


# -- refusals ------------------------------------------------------------------------------------------


async def _too_long(bench: Bench, subject: Subject) -> str:
    """Return a text that the subject's text field does not hold."""
    specs = {spec.name: spec for spec in await bench.connector.describe(subject.object)}
    length = specs[subject.text].length
    if length is None:
        lacks(f"length of {subject.object}.{subject.text}")
    return "x" * (length + 1)


@of_both(
    "one bad record loses only itself",
    "Connector.write",
    "one refused record never stops the others.",
)
async def _only_itself(bench: Bench, subject: Subject) -> None:
    await _room(bench, 3)
    first, bad, last = keys = await some(bench, subject, 3)
    texts = {first: "1", bad: await _too_long(bench, subject), last: "3"}
    writes = [Update(key=key, values={subject.text: texts[key]}) for key in keys]
    outcomes = await bench.connector.write(subject.object, writes)
    kinds = [type(outcome) for outcome in outcomes]
    must(kinds == [Applied, Rejected, Applied], f"a bad record between two good ones was answered {outcomes!r}")
    for key in (first, last):
        must(
            await shown(bench, subject, key, subject.text) == texts[key],
            "a good record beside a bad one is not written",
        )


@of_both(
    "nothing is written of a record that is refused",
    "Connector.write",
    "nothing is written of a record that is Rejected; a value too long for its field is refused, not bench.",
)
async def _nothing_of_it(bench: Bench, subject: Subject) -> None:
    long = await _too_long(bench, subject)
    key = await bench.create(subject.object, subject.entered(**{subject.name: (name := token())}))
    outcome = await write_one(bench, subject, Update(key=key, values={subject.name: token(), subject.text: long}))
    must(isinstance(outcome, Rejected), f"a text of {len(long)} characters was answered {outcome!r}")
    found = [await shown(bench, subject, key, field) for field in (subject.name, subject.text)]
    must(found == [name, None], f"an Update that was refused left {found!r}")
    creation = subject.creation({subject.email: (address := f"{token()}@example.com"), subject.text: long})
    outcome = await write_one(bench, subject, creation)
    made = await keys_found(bench, subject, subject.email, address)
    must(isinstance(outcome, Rejected) and not made, f"a Create that must be refused was answered {outcome!r}")


@of_both(
    "a write of a field that is not there is refused",
    "Connector.write",
    "a field that is not there is refused, not passed over.",
)
async def _no_such_field(bench: Bench, subject: Subject) -> None:
    [key] = await some(bench, subject, 1)
    outcome = await write_one(bench, subject, Update(key=key, values={subject.text: token(), token(): "x"}))
    must(isinstance(outcome, Rejected), f"an Update of a field that is not there was answered {outcome!r}")
    found = await shown(bench, subject, key, subject.text)
    must(found is None, f"an Update of a field that is not there wrote {found!r} into another")


@of_both(
    "a refusal blames the right field, and tells no value",
    "Rejected",
    "the field to blame, if the system says; the system's sentence, without values.",
)
async def _blamed(bench: Bench, subject: Subject) -> None:
    [key] = await some(bench, subject, 1)
    secret, long = token(), await _too_long(bench, subject)
    values = {subject.name: secret, subject.text: long}
    outcome = await write_one(bench, subject, Update(key=key, values=values))
    if not isinstance(outcome, Rejected):
        broken(f"a text of {len(long)} characters was answered {outcome!r}")
    must(outcome.field in (subject.text, None), f"{subject.text} is too long, and {outcome.field} is blamed")
    told = secret in outcome.message or long in outcome.message
    must(
        outcome.code and not told, f"the code is {outcome.code!r}, and the sentence tells {'a' if told else 'no'} value"
    )


# -- lost answers --------------------------------------------------------------------------------------


async def _send_unanswered(bench: Bench, subject: Subject, write: Write, *, applied: bool) -> None:
    if not isinstance(bench, LosesAnswers):
        lacks("lost answers (LosesAnswers)")
    try:
        async with bench.unanswered(applied=applied):
            outcomes = await bench.connector.write(subject.object, [write])
    except UnreachableError:
        return
    unknown = len(outcomes) == 1 and isinstance(outcomes[0], Unknown)
    must(unknown, f"a {type(write).__name__} whose answer was lost was answered {outcomes!r}")


@of_both(
    "a write whose answer is lost is Unknown",
    "Connector.write",
    "a call whose answer is lost returns Unknown for each of its writes, or raises UnreachableError.",
)
async def _unanswered(bench: Bench, subject: Subject) -> None:
    [key] = await some(bench, subject, 1)
    for done in (True, False):
        writes: tuple[Write, ...] = (
            Update(key=key, values={subject.text: token()}),
            subject.creation({}),
            Delete(key=subject.unknown_keys(1)[0]),
        )
        for write in writes:
            await _send_unanswered(bench, subject, write, applied=done)


@of_both(
    "a Create repeated after its answer was lost makes one record",
    "Connector.write",
    "a Create whose key exists makes no second record.",
)
async def _repeated(bench: Bench, subject: Subject) -> None:
    for done in (True, False):
        address = f"{token()}@example.com"
        creation: Create = subject.creation({subject.email: address})
        await _send_unanswered(bench, subject, creation, applied=done)
        await applied(bench, subject, creation)
        records = len(await keys_found(bench, subject, subject.email, address))
        must(records == 1, f"{_count(records)} of one {subject.object}")


WRITE_CHECKS: Final[tuple[SharedCheck, ...]] = (
    _created,
    _created_twice,
    _updated,
    _cleared,
    _never_created,
    _deleted,
    _in_order,
    _full_batch,
    _only_itself,
    _nothing_of_it,
    _no_such_field,
    _blamed,
    _unanswered,
    _repeated,
)
