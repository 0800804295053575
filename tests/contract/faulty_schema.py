"""Faults of what a connector says of itself and its system."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final

import attrs

from mkdyn.domain import (
    FieldSpec,
)
from mkdyn.ports import Identity, Problem

from .faulty import Faulty


class _AnotherEachTime(Faulty):
    breaks = "a connector tells the same organisation each time"
    _times = 0

    async def identify(self) -> Identity:
        self._times += 1
        return attrs.evolve(await self.fake.identify(), organization=f"instance {self._times}")


class _NeverContent(Faulty):
    breaks = "check is content with fields that are there, and writes nothing"

    async def check(self, needs: Mapping[str, Collection[str]], /) -> Sequence[Problem]:
        named = [Problem(what=f"{object}.{field}.", remedy="?") for object in needs for field in needs[object]]
        return [*await self.fake.check(needs), *named, *(Problem(what=f"{object}?", remedy="?") for object in needs)]


class _TellsFieldsTwice(Faulty):
    breaks = "describe tells each field once, with its type"
    others = True  # so is a new field

    async def describe(self, object: str, /) -> Sequence[FieldSpec]:
        return [*await self.fake.describe(object)] * 2


class _CallsEverythingText(Faulty):
    breaks = "describe tells each field once, with its type"
    others = True  # so is a new field

    def spec(self, spec: FieldSpec) -> FieldSpec:
        return attrs.evolve(spec, type="text")


class _DescribesTheNearest(Faulty):
    breaks = "describe has nothing to tell of an object that is not there"

    async def describe(self, object: str, /) -> Sequence[FieldSpec]:
        return await self.fake.describe(object) or await self.fake.describe("lead")


class _CallsEverythingWritable(Faulty):
    breaks = "describe tells what only the system writes"
    others = True  # what is protected, too

    def spec(self, spec: FieldSpec) -> FieldSpec:
        return attrs.evolve(spec, writable=True)


class _ClosedForGood(Faulty):
    breaks = "a connector may be closed twice"
    _closed = False

    async def aclose(self) -> None:
        if self._closed:
            message = "it is closed"
            raise RuntimeError(message)
        self._closed = True


SCHEMA_FAULTS: Final[tuple[type[Faulty], ...]] = (
    _AnotherEachTime,
    _NeverContent,
    _TellsFieldsTwice,
    _CallsEverythingText,
    _DescribesTheNearest,
    _CallsEverythingWritable,
    _ClosedForGood,
)
