"""Faults of types, stamps and masks: in one system's values only."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import ClassVar, Final

import attrs

from mkdyn.domain import FieldSpec, FieldValue, NewField, Record
from mkdyn.domain.types import FieldType
from mkdyn.ports import Problem
from mkdyn.testing import FakeDynamics

from .faulty import Fake, Faulty, shows


class _MistypesColumns(Faulty):
    """Shows values of the columns of some types otherwise."""

    breaks = "a value of each type of column comes back as what it is"
    kinds: ClassVar[tuple[FieldType, ...]]
    made: Callable[[FieldValue], FieldValue]

    def record(self, record: Record) -> Record:
        specs = self.fake._tables["lead"].specs
        values = {
            name: type(self).made(value) if value is not None and self.concerns(specs.get(name)) else value
            for name, value in record.values.items()
        }
        return shows(record, values)

    def concerns(self, spec: FieldSpec | None) -> bool:
        return spec is not None and spec.name.startswith("new_mkdyn") and spec.type in self.kinds


class _ChoicesAreLabels(_MistypesColumns):
    kinds = ("choice",)
    made = "number {}".format


class _SeveralChoicesWithBlanks(_MistypesColumns):
    kinds = ("choices",)

    @staticmethod
    def made(value: FieldValue) -> FieldValue:
        return str(value).replace(",", "; ")


class _MoneyIsRounded(_MistypesColumns):
    kinds = ("money", "decimal", "float")

    @staticmethod
    def made(value: FieldValue) -> FieldValue:
        return float(round(float(str(value))))


class _BigOnesAreFloats(_MistypesColumns):
    kinds = ("bigint",)

    @staticmethod
    def made(value: FieldValue) -> FieldValue:
        return int(float(str(value)))


class _WallClocksHaveAZone(_MistypesColumns):
    kinds = ("wall-clock",)

    @staticmethod
    def made(value: FieldValue) -> FieldValue:
        return value.replace(tzinfo=UTC) if isinstance(value, datetime) else value


class _DaysBeginAtMidnight(_MistypesColumns):
    kinds = ("date",)

    @staticmethod
    def made(value: FieldValue) -> FieldValue:
        return datetime(value.year, value.month, value.day, tzinfo=UTC) if isinstance(value, date) else value


class _UserDaysAreDays(_MistypesColumns):
    kinds = ("user-date",)

    @staticmethod
    def made(value: FieldValue) -> FieldValue:
        return value.date() if isinstance(value, datetime) else value


class _LookupsInCapitals(_MistypesColumns):
    kinds = ("lookup", "customer")
    made = str.upper  # type: ignore[assignment]  # of the texts alone


class _DescribesNoChoices(Faulty):
    breaks = "a value of each type of column comes back as what it is"

    def spec(self, spec: FieldSpec) -> FieldSpec:
        return attrs.evolve(spec, choices={}) if spec.name.startswith("new_mkdyn") else spec


class _LeavesOutNewColumns(Faulty):
    breaks = "a value of each type of column comes back as what it is"

    def record(self, record: Record) -> Record:
        return shows(record, {name: value for name, value in record.values.items() if not name.startswith("new_")})


class _StatesAreTexts(Faulty):
    breaks = "a state and a status are numbers, whose labels are described"

    def record(self, record: Record) -> Record:
        states = ("statecode", "statuscode")
        return shows(record, {name: str(value) if name in states else value for name, value in record.values.items()})


class _StatusesHaveNoLabels(Faulty):
    breaks = "a state and a status are numbers, whose labels are described"

    def spec(self, spec: FieldSpec) -> FieldSpec:
        return attrs.evolve(spec, choices={}) if spec.type == "status" else spec


class _StatesAreChoices(Faulty):
    breaks = "a state and a status are numbers, whose labels are described"

    def spec(self, spec: FieldSpec) -> FieldSpec:
        return attrs.evolve(spec, type="choice") if spec.type == "state" else spec


# -- stamps and masks ----------------------------------------------------------------------------------


class _StampsEachCall(Faulty):
    breaks = "a schema stamp stays while no column changes"

    async def schema_stamp(self, objects: Collection[str], /) -> str:
        return f"{await self.fake.schema_stamp(objects)} {self.fake.calls}"


class _StampsRecords(Faulty):
    breaks = "a schema stamp stays while no column changes"

    async def schema_stamp(self, objects: Collection[str], /) -> str:
        return f"{await self.fake.schema_stamp(objects)} {self.fake._version}"


class _StampStandsStill(Faulty):
    breaks = "a schema stamp changes with what describe answers"

    async def schema_stamp(self, objects: Collection[str], /) -> str:
        return "1"


class _StampsNames(Faulty):
    breaks = "a schema stamp changes with what describe answers"

    async def schema_stamp(self, objects: Collection[str], /) -> str:
        return ",".join([spec.name for name in sorted(objects) for spec in await self.fake.describe(name)])


class _StampsTheFirst(Faulty):
    breaks = "a schema stamp changes with what describe answers"

    async def schema_stamp(self, objects: Collection[str], /) -> str:
        stamp: str = await self.fake.schema_stamp(sorted(objects)[:1])
        return stamp


class _ShowsMasks(Faulty):
    breaks = "a mask is described, and never shown as a value"

    def __init__(self, fake: Fake) -> None:
        super().__init__(fake)
        assert isinstance(fake, FakeDynamics)
        fake._masked_shows = "mask"


class _DescribesNoMask(Faulty):
    breaks = "a mask is described, and never shown as a value"

    def spec(self, spec: FieldSpec) -> FieldSpec:
        return attrs.evolve(spec, masked=False)


class _ChecksNoMask(Faulty):
    breaks = "a mask is described, and never shown as a value"

    async def check(self, needs: Mapping[str, Collection[str]], /) -> Sequence[Problem]:
        return [problem for problem in await self.fake.check(needs) if "masks" not in problem.what]


# -- Marketo -------------------------------------------------------------------------------------------


class _MistypesCreated(Faulty):
    """Shows values of created fields of some types otherwise."""

    breaks = "a value of each type that Marketo creates comes back as what it is"
    kinds: ClassVar[tuple[FieldType, ...]]

    def __init__(self, fake: Fake) -> None:
        super().__init__(fake)
        self.concerned: set[str] = set()

    async def create_field(self, object: str, field: NewField, /) -> FieldSpec:
        made: FieldSpec = await self.fake.create_field(object, field)
        if made.type in self.kinds:
            self.concerned.add(made.name)
        return made

    def record(self, record: Record) -> Record:
        values = {
            name: self.made(value) if name in self.concerned and value is not None else value
            for name, value in record.values.items()
        }
        return shows(record, values)

    def made(self, value: FieldValue) -> FieldValue:
        return str(value)


class _ScoresAreTexts(_MistypesCreated):
    kinds = ("score", "percent")


class _PercentsAreFractions(_MistypesCreated):
    kinds = ("percent",)

    def made(self, value: FieldValue) -> FieldValue:
        return float(str(value)) / 100


class _CurrenciesAreTexts(_MistypesCreated):
    kinds = ("currency", "float")


class _TimesAsTheyWere(_MistypesCreated):
    kinds = ("datetime",)

    def made(self, value: FieldValue) -> FieldValue:
        return value.replace(tzinfo=None) if isinstance(value, datetime) else value


class _EverythingIsAString(Faulty):
    breaks = "a value of each type that Marketo creates comes back as what it is"
    others = True  # of every new field

    async def create_field(self, object: str, field: NewField, /) -> FieldSpec:
        made: FieldSpec = await self.fake.create_field(object, attrs.evolve(field, type="text"))
        return made


COLUMN_FAULTS: Final[tuple[type[Faulty], ...]] = (
    _ChoicesAreLabels,
    _SeveralChoicesWithBlanks,
    _MoneyIsRounded,
    _BigOnesAreFloats,
    _WallClocksHaveAZone,
    _DaysBeginAtMidnight,
    _UserDaysAreDays,
    _LookupsInCapitals,
    _DescribesNoChoices,
    _LeavesOutNewColumns,
    _StatesAreTexts,
    _StatusesHaveNoLabels,
    _StatesAreChoices,
    _StampsEachCall,
    _StampsRecords,
    _StampStandsStill,
    _StampsNames,
    _StampsTheFirst,
    _ShowsMasks,
    _DescribesNoMask,
    _ChecksNoMask,
)
CREATED_FAULTS: Final[tuple[type[Faulty], ...]] = (
    _ScoresAreTexts,
    _PercentsAreFractions,
    _CurrenciesAreTexts,
    _TimesAsTheyWere,
    _EverythingIsAString,
)
