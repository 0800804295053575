"""What a connector promises of the values of each type, in fields that are made for the check."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, Final
from uuid import uuid4

import attrs

from mkdyn.domain.fields import FieldSpec, NewField
from mkdyn.domain.outcomes import Update
from mkdyn.domain.types import FieldType
from mkdyn.domain.values import FieldValue
from mkdyn.testing.contracts.benches import DynamicsBench, MakesColumns, MakesFields, MarketoBench, catch_up, lacks
from mkdyn.testing.contracts.checks import DynamicsCheck, MarketoCheck, must, of_dynamics, of_marketo
from mkdyn.testing.contracts.probing import applied, make, read_one, some
from mkdyn.testing.contracts.subjects import DYNAMICS_SUBJECTS, PERSON, Subject, token

_CHOICES: Final = {1: "Cold", 2: "Warm", 3: "Hot"}
_GUID: Final = str(uuid4())
_ABROAD: Final = datetime(2026, 3, 2, 9, 30, tzinfo=timezone(timedelta(hours=5)))


def _number(value: FieldValue) -> FieldValue:
    """Return a number as a decimal, whichever type it came as."""
    return Decimal(str(value)) if type(value) in (float, Decimal) else value


def _instant(value: FieldValue) -> FieldValue:
    """Return a date and time that has a zone in UTC, so that its digits can be compared, too."""
    return value.astimezone(UTC) if isinstance(value, datetime) and value.tzinfo is not None else value


def _sorted(value: FieldValue) -> FieldValue:
    return ",".join(sorted(value.split(","))) if isinstance(value, str) else value


def _as_it_is(value: FieldValue) -> FieldValue:
    return value


@attrs.frozen
class _Sample:
    """A value to write into a field of some type, and how it is read."""

    kind: FieldType
    written: FieldValue
    read: FieldValue
    seen: Callable[[FieldValue], FieldValue] = _as_it_is
    facts: dict[str, Any] = attrs.field(factory=dict[str, Any], kw_only=True)

    def is_read_as(self, value: FieldValue) -> bool:
        """Whether a value is this one, in its type."""
        found = self.seen(value)
        return type(found) is type(self.read) and found == self.read


_IN_DYNAMICS: Final = (
    _Sample("memo", "two\nlines", "two\nlines", facts={"length": 2000}),
    _Sample("phone", "+44 20 7946", "+44 20 7946", facts={"length": 50}),
    _Sample("url", "https://example.com/?q=1", "https://example.com/?q=1", facts={"length": 200}),
    _Sample("guid", _GUID.upper(), _GUID),
    _Sample("integer", -7, -7, facts={"minimum": -100, "maximum": 100}),
    _Sample("bigint", 2**53 + 1, 2**53 + 1),
    _Sample("decimal", Decimal("0.25"), Decimal("0.25"), _number, facts={"precision": 2}),
    _Sample("float", 0.25, Decimal("0.25"), _number, facts={"precision": 2}),
    _Sample("money", Decimal("1204.50"), Decimal("1204.50"), _number, facts={"precision": 2}),
    _Sample("boolean", True, True, facts={"default": False}),
    _Sample("choice", 2, 2, facts={"choices": _CHOICES}),
    _Sample("choices", "3,1", "1,3", _sorted, facts={"choices": _CHOICES}),
    _Sample("datetime", _ABROAD, _ABROAD.astimezone(UTC), _instant),
    _Sample("wall-clock", _ABROAD.replace(tzinfo=None), _ABROAD.replace(tzinfo=None)),
    _Sample("date", date(1815, 12, 10), date(1815, 12, 10)),
    _Sample("user-date", _ABROAD, _ABROAD.astimezone(UTC), _instant),
)
_IN_MARKETO: Final = (
    _Sample("text", "gold", "gold"),
    _Sample("email", "ada@example.com", "ada@example.com"),
    _Sample("phone", "+44 20 7946", "+44 20 7946"),
    _Sample("url", "https://example.com/?q=1", "https://example.com/?q=1"),
    _Sample("integer", -7, -7),
    _Sample("score", 85, 85),
    _Sample("percent", 50, 50),
    _Sample("float", 0.25, Decimal("0.25"), _number),
    _Sample("currency", 1204.5, Decimal("1204.5"), _number),
    _Sample("boolean", True, True),
    _Sample("datetime", _ABROAD, _ABROAD.astimezone(UTC), _instant),
    _Sample("date", date(1815, 12, 10), date(1815, 12, 10)),
)


@of_dynamics(
    "a value of each type of column comes back as what it is",
    "Connector",
    "values are of the types of FieldValue, each as its field's type says.",
)
async def _columns(bench: DynamicsBench, subject: Subject) -> None:
    if not isinstance(bench, MakesColumns):
        lacks("new columns (MakesColumns)")
    target = await bench.create("contact", DYNAMICS_SUBJECTS[1].entered())
    lookups = [
        _Sample(kind, target.upper(), target, facts={"targets": ("account", "contact")})
        for kind in ("lookup", "customer")
    ]
    async with AsyncExitStack() as stack:
        for sample in (*_IN_DYNAMICS, *lookups):
            asked = attrs.evolve(FieldSpec(name=f"new_{token()}", type=sample.kind), **sample.facts)
            await stack.enter_async_context(bench.new_column(subject.object, asked))
            await catch_up(bench)
            [spec] = [spec for spec in await bench.connector.describe(subject.object) if spec.name == asked.name]
            found = (spec.type, dict(spec.choices))
            must(found == (asked.type, dict(asked.choices)), f"a column of type {asked.type} is described as {found}")
            _, key = await make(bench, subject, {asked.name: sample.written})
            values = (await read_one(bench, subject, key, [asked.name])).values
            must(asked.name in values, f"a {sample.kind} was written, and left out when read")
            read = values[asked.name]
            must(
                sample.is_read_as(read),
                f"a {sample.kind}: {sample.written!r} was read as {read!r}, and is {sample.read!r}",
            )


@of_dynamics(
    "a state and a status are numbers, whose labels are described",
    "Connector",
    "values are of the types of FieldValue, each as its field's type says: a state is its number.",
)
async def _states(bench: DynamicsBench, subject: Subject) -> None:
    specs = {spec.name: spec for spec in await bench.connector.describe(subject.object)}
    columns: dict[str, FieldType] = {"statecode": "state", "statuscode": "status"}
    if not specs.keys() >= columns.keys():
        lacks(f"{subject.object} with a {' and a '.join(columns)}")
    _, key = await make(bench, subject)
    values = (await read_one(bench, subject, key, list(columns))).values
    for name, kind in columns.items():
        must(specs[name].type == kind, f"{subject.object}.{name} is described as a {specs[name].type}")
        must(type(values.get(name)) is int, f"the {name} of a new {subject.object} was read as {values.get(name)!r}")
        must(
            values[name] in specs[name].choices, f"the {name} of a new {subject.object}, {values[name]!r}, has no label"
        )


@of_marketo(
    "a value of each type that Marketo creates comes back as what it is",
    "Connector",
    "values are of the types of FieldValue, each as its field's type says.",
)
async def _created(bench: MarketoBench) -> None:
    if not isinstance(bench, MakesFields):
        lacks("new fields (MakesFields)")
    async with bench.new_fields():
        [key] = await some(bench, PERSON, 1)
        for sample in _IN_MARKETO:
            made = await bench.connector.create_field(PERSON.object, NewField(token(), type=sample.kind))
            # A describe may call a score a whole number (source: a recorded describe).
            alike = {sample.kind, "integer"} if sample.kind == "score" else {sample.kind}
            must(made.type in alike, f"a {sample.kind} was asked for, and a {made.type} was made")
            await applied(bench, PERSON, Update(key=key, values={made.name: sample.written}))
            values = (await read_one(bench, PERSON, key, [made.name])).values
            must(made.name in values, f"a {sample.kind} was written, and left out when read")
            read = values[made.name]
            must(
                sample.is_read_as(read),
                f"a {sample.kind}: {sample.written!r} was read as {read!r}, and is {sample.read!r}",
            )


DYNAMICS_TYPE_CHECKS: Final[tuple[DynamicsCheck, ...]] = (_columns, _states)
MARKETO_TYPE_CHECKS: Final[tuple[MarketoCheck, ...]] = (_created,)
