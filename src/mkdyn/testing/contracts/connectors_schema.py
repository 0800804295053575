"""What a connector says of itself and of its system: identify, check, describe, aclose."""

from __future__ import annotations

from collections import Counter
from typing import Final

from mkdyn.testing.contracts.benches import Bench
from mkdyn.testing.contracts.checks import SharedCheck, must, of_both
from mkdyn.testing.contracts.subjects import Subject, token


@of_both(
    "a connector tells the same organisation each time",
    "Connector.identify",
    "say which organisation this is, and as which user: the same each time.",
    which="first",
)
async def _same_organisation(bench: Bench, _subject: Subject) -> None:
    first, second = await bench.connector.identify(), await bench.connector.identify()
    must(first == second, f"first {first!r}, then {second!r}")
    must(first.organization and first.user, f"something is empty in {first!r}")
    must(first.batch_max > 0 and first.settles_after_s >= 0, f"no such limits can be kept: {first!r}")


@of_both(
    "check is content with fields that are there, and writes nothing",
    "Connector.check",
    "find every right or field that is missing, all at once; write nothing.",
)
async def _content(bench: Bench, subject: Subject) -> None:
    problems = await bench.connector.check({subject.object: subject.fields})
    must(not problems, f"fields of {subject.object} that are there are a problem: {problems}")
    before = await bench.connector.describe(subject.object)
    await bench.connector.check({subject.object: [*subject.fields, token()]})
    after = await bench.connector.describe(subject.object)
    names = {spec.name for spec in after} ^ {spec.name for spec in before}
    must(not names, f"after check() {subject.object} has other fields than before: {sorted(names)}")


@of_both(
    "describe tells each field once, with its type",
    "Connector.describe",
    "each field is there once, with its type and its limits.",
)
async def _described(bench: Bench, subject: Subject) -> None:
    specs = await bench.connector.describe(subject.object)
    twice = [name for name, count in Counter(spec.name for spec in specs).items() if count > 1]
    must(not twice, f"{subject.object} has fields that are told twice: {twice}")
    types = {spec.name: spec.type for spec in specs}
    missing = [name for name in subject.fields if name not in types]
    must(not missing, f"{subject.object} lacks {missing}")
    wrong = {name: types[name] for name, wanted in subject.types.items() if types.get(name, wanted) != wanted}
    must(not wrong, f"{subject.object} has fields of another type than {dict(subject.types)}: {wrong}")


@of_both(
    "describe has nothing to tell of an object that is not there",
    "Connector.describe",
    "return nothing for an object there is not.",
    which="first",
)
async def _nothing_described(bench: Bench, _subject: Subject) -> None:
    specs = await bench.connector.describe(token())
    must(not specs, f"an object that is not there has {len(specs)} fields")


@of_both(
    "describe tells what only the system writes",
    "Connector.describe",
    "what the system fills by itself is not writable.",
)
async def _not_writable(bench: Bench, subject: Subject) -> None:
    specs = {spec.name: spec for spec in await bench.connector.describe(subject.object)}
    served = [subject.created, *([] if subject.given else [subject.key_field])]
    writable = [name for name in served if name in specs and specs[name].writable]
    must(not writable, f"{subject.object} has fields that the system fills and that are called writable: {writable}")
    must(specs[subject.text].writable, f"{subject.object}.{subject.text} is called not writable")


@of_both(
    "a connector may be closed twice",
    "Connector.aclose",
    "it may be called twice.",
    which="first",
)
async def _closed_twice(bench: Bench, _subject: Subject) -> None:
    await bench.connector.identify()
    await bench.connector.aclose()
    await bench.connector.aclose()


SCHEMA_CHECKS: Final[tuple[SharedCheck, ...]] = (
    _same_organisation,
    _content,
    _described,
    _nothing_described,
    _not_writable,
    _closed_twice,
)
