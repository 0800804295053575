"""Faults of reads by key and by value."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar, Final

from mkdyn.domain import (
    FieldValue,
    Record,
)
from mkdyn.errors import UnknownEntityError, UnreachableError

from .faulty import Fake, Faulty, shows


class _ReadsThreeHundred(Faulty):
    breaks = "read takes a thousand keys and leaves out what is not there"

    async def read(self, object: str, keys: Collection[str], /, *, fields: Collection[str]) -> Mapping[str, Record]:
        return await super().read(object, [*keys][:300], fields=fields)


class _EveryKeyHasARecord(Faulty):
    breaks = "read takes a thousand keys and leaves out what is not there"

    async def read(self, object: str, keys: Collection[str], /, *, fields: Collection[str]) -> Mapping[str, Record]:
        found = await super().read(object, keys, fields=fields)
        return {key: Record(key=key, values=dict.fromkeys(fields)) for key in keys if key.lower() not in found} | found


class _NoKeysIsAll(Faulty):
    breaks = "asked for nothing, a connector answers nothing"

    async def read(self, object: str, keys: Collection[str], /, *, fields: Collection[str]) -> Mapping[str, Record]:
        wanted = keys or [record.key for record in self.fake.records(object)]
        return await super().read(object, wanted, fields=fields)


class _EmptyText(Faulty):
    breaks = "an empty field is None"

    def record(self, record: Record) -> Record:
        return shows(record, {name: "" if value is None else value for name, value in record.values.items()})


class _LeavesOutEmptyFields(Faulty):
    breaks = "an empty field is None"
    others = True  # where a record with an empty field is read

    def record(self, record: Record) -> Record:
        return shows(record, {name: value for name, value in record.values.items() if value is not None})


class _FindsWithoutItsField(Faulty):
    breaks = "a record holds the fields asked for and no others"

    async def find(
        self, object: str, field: str, values: Collection[str], /, *, fields: Collection[str]
    ) -> Sequence[Record]:
        found = await super().find(object, field, values, fields=fields)
        return [
            shows(record, {name: record.values[name] for name in fields if name in record.values}) for record in found
        ]


class _ReadsOnce(Faulty):
    breaks = "a read shows what was written a moment ago"
    others = True  # versions, too

    def __init__(self, fake: Fake) -> None:
        super().__init__(fake)
        self.known: dict[str, Record] = {}

    def record(self, record: Record) -> Record:
        return self.known.setdefault(f"{record.key} {sorted(record.values)}", record)


class _PlainLetters(Faulty):
    breaks = "a text comes back letter for letter"

    def record(self, record: Record) -> Record:
        plain = {
            name: value.encode("ascii", "replace").decode() if isinstance(value, str) else value
            for name, value in record.values.items()
        }
        return shows(record, plain)


class _Mistypes(Faulty):
    breaks = "a value comes back in the type of its field"
    kind: ClassVar[type]

    def record(self, record: Record) -> Record:
        return shows(record, {name: self.mistyped(value) for name, value in record.values.items()})

    def mistyped(self, value: FieldValue) -> FieldValue:
        return str(value) if type(value) is self.kind else value


class _NumbersAreTexts(_Mistypes):
    others = True  # a new field's, too
    kind = int


class _TimesHaveNoZone(_Mistypes):
    others = True  # a new field's, too

    def mistyped(self, value: FieldValue) -> FieldValue:
        return value.replace(tzinfo=None) if isinstance(value, datetime) else value


class _DaysAreTexts(_Mistypes):
    others = True  # a new field's, too
    kind = date


class _YesIsOne(_Mistypes):
    others = True  # a new field's, too

    def mistyped(self, value: FieldValue) -> FieldValue:
        return int(value) if isinstance(value, bool) else value


class _MoneyIsText(_Mistypes):
    others = True  # a new field's, too

    def mistyped(self, value: FieldValue) -> FieldValue:
        return str(value) if isinstance(value, float | Decimal) else value


class _LeavesOutFlags(Faulty):
    breaks = "a value comes back in the type of its field"
    others = True  # a new field's, too

    def record(self, record: Record) -> Record:
        return shows(record, {name: value for name, value in record.values.items() if not isinstance(value, bool)})


class _RegardsCase(Faulty):
    breaks = "find looks without regard to case"

    async def find(
        self, object: str, field: str, values: Collection[str], /, *, fields: Collection[str]
    ) -> Sequence[Record]:
        found = await super().find(object, field, values, fields=fields)
        return [record for record in found if record.values[field] in values]


class _FindsThreeHundred(Faulty):
    breaks = "find takes a thousand values"

    async def find(
        self, object: str, field: str, values: Collection[str], /, *, fields: Collection[str]
    ) -> Sequence[Record]:
        return await super().find(object, field, [*values][:300], fields=fields)


class _FindsOneOfEach(Faulty):
    breaks = "find returns every record that has the value"

    async def find(
        self, object: str, field: str, values: Collection[str], /, *, fields: Collection[str]
    ) -> Sequence[Record]:
        found = await super().find(object, field, values, fields=fields)
        return [*{str(record.values[field]).casefold(): record for record in found}.values()]


class _HasWildcards(Faulty):
    breaks = "find takes every letter as it is"

    async def find(
        self, object: str, field: str, values: Collection[str], /, *, fields: Collection[str]
    ) -> Sequence[Record]:
        starts = tuple(value.rstrip("%").casefold() for value in values if value.endswith("%"))
        held = [str(record.values[field]) for record in self.fake.records(object)] if starts else []
        alike = [value for value in held if value.casefold().startswith(starts)]
        return await super().find(object, field, [*values, *alike], fields=fields)


class _CutsAtQuotes(Faulty):
    breaks = "find takes every letter as it is"

    async def find(
        self, object: str, field: str, values: Collection[str], /, *, fields: Collection[str]
    ) -> Sequence[Record]:
        return await super().find(object, field, [value.partition("'")[0] for value in values], fields=fields)


class _NothingAnywhere(Faulty):
    breaks = "an object that is not there is refused by name"

    async def read(self, object: str, keys: Collection[str], /, *, fields: Collection[str]) -> Mapping[str, Record]:
        try:
            return await super().read(object, keys, fields=fields)
        except UnknownEntityError:
            return {}


class _UnknownIsEmpty(Faulty):
    breaks = "a field that is not there is refused by name, and never looks empty"

    async def read(self, object: str, keys: Collection[str], /, *, fields: Collection[str]) -> Mapping[str, Record]:
        there = {spec.name for spec in await self.fake.describe(object)} or set(fields)
        found = await super().read(object, keys, fields=[name for name in fields if name in there])
        nothing = dict.fromkeys(set(fields) - there)
        return {key: shows(record, {**record.values, **nothing}) for key, record in found.items()}


class _NoAnswerIsNothing(Faulty):
    breaks = "a read that gets no answer raises"

    async def read(self, object: str, keys: Collection[str], /, *, fields: Collection[str]) -> Mapping[str, Record]:
        try:
            return await super().read(object, keys, fields=fields)
        except UnreachableError:
            return {}


READ_FAULTS: Final[tuple[type[Faulty], ...]] = (
    _ReadsThreeHundred,
    _EveryKeyHasARecord,
    _NoKeysIsAll,
    _EmptyText,
    _LeavesOutEmptyFields,
    _FindsWithoutItsField,
    _ReadsOnce,
    _PlainLetters,
    _NumbersAreTexts,
    _TimesHaveNoZone,
    _DaysAreTexts,
    _YesIsOne,
    _MoneyIsText,
    _LeavesOutFlags,
    _RegardsCase,
    _FindsThreeHundred,
    _FindsOneOfEach,
    _HasWildcards,
    _CutsAtQuotes,
    _NothingAnywhere,
    _UnknownIsEmpty,
    _NoAnswerIsNothing,
)
