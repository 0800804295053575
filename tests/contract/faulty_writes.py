"""Faults of writes."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Final

import attrs

from mkdyn.domain import (
    Applied,
    Create,
    Delete,
    Outcome,
    Rejected,
    Stale,
    System,
    Unknown,
    Update,
    Write,
)

from .faulty import TEXTS, Fake, Faulty, writes


class _AnswersAnotherKey(Faulty):
    breaks = "a Create makes the record of its key"
    others = True  # nothing that follows finds its record

    def answered(self, object: str, write: Write, outcome: Outcome) -> Outcome:
        return Applied(key=f"{outcome.key}0") if isinstance(outcome, Applied) and isinstance(write, Create) else outcome


class _MakesTwo(Faulty):
    breaks = "a Create sent twice makes one record"
    others = True  # after a lost answer, too

    def answered(self, object: str, write: Write, outcome: Outcome) -> Outcome:
        if isinstance(outcome, Applied) and outcome.found and isinstance(write, Create) and object != "company":
            self.fake.create(object, **write.values)
        return outcome


class _NeverSaysFound(Faulty):
    breaks = "a Create sent twice makes one record"
    others = True

    def answered(self, object: str, write: Write, outcome: Outcome) -> Outcome:
        return attrs.evolve(outcome, found=False) if isinstance(outcome, Applied) else outcome


class _AlwaysSaysFound(Faulty):
    breaks = "a Create sent twice makes one record"

    def answered(self, object: str, write: Write, outcome: Outcome) -> Outcome:
        made = isinstance(outcome, Applied) and isinstance(write, Create)
        return attrs.evolve(outcome, found=True) if made else outcome


class _WritesMore(Faulty):
    breaks = "an Update writes its fields and no others"

    def sent(self, object: str, write: Write) -> Write:
        name = TEXTS[self.fake.system][0]
        if not isinstance(write, Update) or object == "company" or len(write.values) != 1 or write.key.isupper():
            return write
        return writes(write, {name: "Nobody", **write.values})


class _IgnoresNone(Faulty):
    breaks = "None clears a field"
    others = True  # nothing is told of it either

    def sent(self, object: str, write: Write) -> Write:
        if isinstance(write, Delete):
            return write
        return writes(write, {name: value for name, value in write.values.items() if value is not None})


class _UpdateCreates(Faulty):
    breaks = "an Update never creates"

    def answered(self, object: str, write: Write, outcome: Outcome) -> Outcome:
        if not isinstance(outcome, Stale) or not isinstance(write, Update) or len(write.values) < 2:
            return outcome
        key = (
            {}
            if object == "lead" and self.fake.system is System.MARKETO
            else {_key_field(self.fake, object): write.key}
        )
        return Applied(key=self.fake.create(object, **{**write.values, **key}))


def _key_field(fake: Fake, object: str) -> str:
    return "externalCompanyId" if fake.system is System.MARKETO else f"{object}id"


class _GoneIsOnlyStale(Faulty):
    breaks = "an Update never creates"
    others = True  # nor is a merge into a person that is gone

    def answered(self, object: str, write: Write, outcome: Outcome) -> Outcome:
        return Stale() if isinstance(outcome, Stale) else outcome

    async def merge(self, winner: str, losers: Sequence[str], /) -> Outcome:
        return self.answered("lead", Delete(key=winner), await self.fake.merge(winner, losers))


class _GoneCantBeDeleted(Faulty):
    breaks = "a Delete deletes its record, and is Applied once more when it is gone"

    def __init__(self, fake: Fake) -> None:
        super().__init__(fake)
        self.gone: set[str] = set()

    def sent(self, object: str, write: Write) -> Write:
        if isinstance(write, Delete) and self.fake.record(object, write.key) is None:
            self.gone.add(write.key)
        return write

    def answered(self, object: str, write: Write, outcome: Outcome) -> Outcome:
        refused = isinstance(outcome, Applied) and isinstance(write, Delete) and write.key in self.gone
        return Rejected(code="404", message="There is none.") if refused else outcome


class _DeletesNothing(Faulty):
    breaks = "a Delete deletes its record, and is Applied once more when it is gone"
    others = True  # no deletion is told either

    def sent(self, object: str, write: Write) -> Write:
        return attrs.evolve(write, key="0" * 9) if isinstance(write, Delete) else write

    def answered(self, object: str, write: Write, outcome: Outcome) -> Outcome:
        return Applied(key=write.key.lower()) if isinstance(write, Delete) else outcome


class _AnswersByKind(Faulty):
    breaks = "outcomes stand in the order of their writes"

    async def write(self, object: str, sent: Sequence[Write], /) -> Sequence[Outcome]:
        ordered = sorted(sent, key=lambda write: type(write).__name__)
        return await self.fake.write(object, ordered)


class _TakesLess(Faulty):
    breaks = "a call takes as many writes as the connector says"

    async def write(self, object: str, sent: Sequence[Write], /) -> Sequence[Outcome]:
        if len(sent) >= (await self.fake.identify()).batch_max:
            raise ValueError(len(sent))
        return await self.fake.write(object, sent)


class _ForgetsTheLast(Faulty):
    breaks = "a call takes as many writes as the connector says"

    async def write(self, object: str, sent: Sequence[Write], /) -> Sequence[Outcome]:
        return await self.fake.write(object, sent[:99])


class _StopsAtTheBad(Faulty):
    breaks = "one bad record loses only itself"

    async def write(self, object: str, sent: Sequence[Write], /) -> Sequence[Outcome]:
        outcomes: list[Outcome] = []
        for write in sent:
            stopped = next((outcome for outcome in outcomes if isinstance(outcome, Rejected)), None)
            outcomes.append(stopped or (await self.fake.write(object, [write]))[0])
        return outcomes


class _WritesTheRest(Faulty):
    breaks = "nothing is written of a record that is refused"
    others = True  # nor where a field is not there

    def answered(self, object: str, write: Write, outcome: Outcome) -> Outcome:
        if isinstance(outcome, Rejected) and isinstance(write, Update):
            rest = {name: value for name, value in write.values.items() if name != outcome.field}
            with suppress(ValueError, LookupError):
                self.fake.edit(object, write.key, **rest)
        return outcome


class _Cuts(Faulty):
    breaks = "nothing is written of a record that is refused"
    others = True  # then nothing is refused

    def sent(self, object: str, write: Write) -> Write:
        if isinstance(write, Delete):
            return write
        return writes(write, {name: v[:100] if isinstance(v, str) else v for name, v in write.values.items()})


class _PassesOverUnknown(Faulty):
    breaks = "a write of a field that is not there is refused"

    def sent(self, object: str, write: Write) -> Write:
        there = self.fake._tables[object].specs if object in self.fake._tables else {}
        if isinstance(write, Delete) or not there:
            return write
        return writes(write, {name: value for name, value in write.values.items() if name in there})


class _BlamesAnother(Faulty):
    breaks = "a refusal blames the right field, and tells no value"

    def answered(self, object: str, write: Write, outcome: Outcome) -> Outcome:
        if not isinstance(outcome, Rejected) or not isinstance(write, Update):
            return outcome
        return attrs.evolve(outcome, field=next(iter(write.values)))


class _TellsValues(Faulty):
    breaks = "a refusal blames the right field, and tells no value"

    def answered(self, object: str, write: Write, outcome: Outcome) -> Outcome:
        if not isinstance(outcome, Rejected) or not isinstance(write, Update):
            return outcome
        return attrs.evolve(outcome, message=f"{write.values} is bad")


class _HopesForTheBest(Faulty):
    breaks = "a write whose answer is lost is Unknown"
    others = True  # nor is a lost Create

    def answered(self, object: str, write: Write, outcome: Outcome) -> Outcome:
        return Applied(key=write.key) if isinstance(outcome, Unknown) else outcome


class _CreatesAnewWhenLost(Faulty):
    breaks = "a Create repeated after its answer was lost makes one record"

    def __init__(self, fake: Fake) -> None:
        super().__init__(fake)
        self.lost: set[str] = set()

    def answered(self, object: str, write: Write, outcome: Outcome) -> Outcome:
        if isinstance(outcome, Unknown):
            self.lost.add(write.key)
        elif write.key in self.lost and isinstance(write, Create) and object != "company":
            self.fake.create(object, **write.values)
        return outcome


WRITE_FAULTS: Final[tuple[type[Faulty], ...]] = (
    _AnswersAnotherKey,
    _MakesTwo,
    _NeverSaysFound,
    _AlwaysSaysFound,
    _WritesMore,
    _IgnoresNone,
    _UpdateCreates,
    _GoneIsOnlyStale,
    _GoneCantBeDeleted,
    _DeletesNothing,
    _AnswersByKind,
    _TakesLess,
    _ForgetsTheLast,
    _StopsAtTheBad,
    _WritesTheRest,
    _Cuts,
    _PassesOverUnknown,
    _BlamesAnother,
    _TellsValues,
    _HopesForTheBest,
    _CreatesAnewWhenLost,
)
