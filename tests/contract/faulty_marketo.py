"""Faults that only a Marketo connector can have."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Iterable, Sequence
from datetime import timedelta
from typing import Final

import attrs

from mkdyn.domain import (
    Applied,
    Create,
    Cursor,
    Entry,
    FieldSpec,
    NewField,
    Outcome,
    Page,
    Record,
    Rejected,
    Stale,
    Write,
)
from mkdyn.domain.feeds import Evidence
from mkdyn.errors import TypeMismatchError, UnknownEntityError

from .faulty import Fake, Faulty, all_of


class _Entries(Faulty):
    """Tells other entries."""

    def entry(self, entry: Entry) -> Entry:
        return attrs.evolve(entry, evidence=[*self.evidence(entry.evidence)])

    def evidence(self, evidence: Iterable[Evidence]) -> Iterable[Evidence]:
        return evidence

    def page(self, object: str, page: Page) -> Page:
        return attrs.evolve(page, entries=[self.entry(entry) for entry in page.entries])


class _BeginsAtTheBeginning(Faulty):
    breaks = "a Marketo feed begins now, with a cursor on its first page"

    async def pages(self, object: str, fields: Collection[str], since: Cursor | None) -> AsyncGenerator[Page]:
        async with self.fake.changes(object, fields=fields, since=None) as now:
            first = (await all_of(now))[0].cursor
        epoch = first.token.partition("-")[0]
        async for page in super().pages(object, fields, since or attrs.evolve(first, token=f"{epoch}-0")):
            yield page


class _BeginsWithoutACursor(Faulty):
    breaks = "a Marketo feed begins now, with a cursor on its first page"

    async def pages(self, object: str, fields: Collection[str], since: Cursor | None) -> AsyncGenerator[Page]:
        if since is None:
            yield Page()
        async for page in super().pages(object, fields, since):
            yield page


class _HasNoOldText(_Entries):
    breaks = "an entry tells a field's old and new text"
    others = True  # of no field

    def evidence(self, evidence: Iterable[Evidence]) -> Iterable[Evidence]:
        return [attrs.evolve(item, old=None) for item in evidence]


class _NamesFieldsByLabel(_Entries):
    breaks = "an entry tells a field's old and new text"
    others = True  # of no field

    def evidence(self, evidence: Iterable[Evidence]) -> Iterable[Evidence]:
        return [attrs.evolve(item, field=item.field.capitalize()) for item in evidence]


class _FlagsAreWords(_Entries):
    breaks = "an entry tells a field's old and new text"

    def evidence(self, evidence: Iterable[Evidence]) -> Iterable[Evidence]:
        return [attrs.evolve(item, old="off", new="on") if item.field == "doNotCall" else item for item in evidence]


class _ClearedIsNothing(_Entries):
    breaks = "a cleared field is told"

    def evidence(self, evidence: Iterable[Evidence]) -> Iterable[Evidence]:
        return [item for item in evidence if item.new is not None]


class _ScoresAreNothing(_Entries):
    breaks = "a score that changed is told"

    def evidence(self, evidence: Iterable[Evidence]) -> Iterable[Evidence]:
        return [item for item in evidence if item.field != "leadScore"]


class _LatestFirst(Faulty):
    breaks = "entries come oldest first, each with its time"

    def page(self, object: str, page: Page) -> Page:
        return attrs.evolve(page, entries=[*reversed(page.entries)])


class _HasNoZone(_Entries):
    breaks = "entries come oldest first, each with its time"
    others = True  # no such time can be compared

    def entry(self, entry: Entry) -> Entry:
        return attrs.evolve(entry, at=entry.at.replace(tzinfo=None))


class _CountsEntries(Faulty):
    breaks = "an entry has an id of its own, the same each time"

    def __init__(self, fake: Fake) -> None:
        super().__init__(fake)
        self.count = 0

    def page(self, object: str, page: Page) -> Page:
        self.count += 1
        entries = [attrs.evolve(entry, id=f"{self.count} {entry.id}") for entry in page.entries]
        return attrs.evolve(page, entries=entries)


class _NamesEntriesByPerson(_Entries):
    breaks = "an entry has an id of its own, the same each time"

    def entry(self, entry: Entry) -> Entry:
        return attrs.evolve(entry, id=entry.key)


class _CursorsOfTheEnd(Faulty):
    breaks = "an entry that shows up late is told"

    async def pages(self, object: str, fields: Collection[str], since: Cursor | None) -> AsyncGenerator[Page]:
        end = len(self.fake._log._log)
        last: Page | None = None
        async for page in super().pages(object, fields, since):
            if last is not None:
                yield last
            last = page
        assert last is not None
        assert last.cursor is not None
        epoch = last.cursor.token.partition("-")[0]
        yield attrs.evolve(last, cursor=attrs.evolve(last.cursor, token=f"{epoch}-{end}"))


class _RepeatsNothing(Faulty):
    breaks = "what is repeated is no older than the cursor says"

    def page(self, object: str, page: Page) -> Page:
        assert page.cursor is not None
        return attrs.evolve(page, cursor=attrs.evolve(page.cursor, repeats_from=page.cursor.at + timedelta(hours=1)))


class _KeepsItsFields(Faulty):
    breaks = "a cursor goes on with other fields"

    def __init__(self, fake: Fake) -> None:
        super().__init__(fake)
        self.first: Collection[str] | None = None

    async def pages(self, object: str, fields: Collection[str], since: Cursor | None) -> AsyncGenerator[Page]:
        self.first = fields if since is None or self.first is None else self.first
        async for page in super().pages(object, self.first, since):
            yield page


class _ChoosesTheFirst(Faulty):
    breaks = "a Create by a field finds the person that has it, and chooses none of several"

    def answered(self, object: str, write: Write, outcome: Outcome) -> Outcome:
        several = isinstance(outcome, Rejected) and outcome.code == "1007"
        return Applied(key="1", found=True) if several else outcome


class _KnowsNoLookup(Faulty):
    breaks = "a keyed object is created by its key, named or not"

    def sent(self, object: str, write: Write) -> Write:
        own = isinstance(write, Create) and write.by == "externalCompanyId"
        return attrs.evolve(write, by="company") if own else write


class _KnowsRolesByOpportunity(Faulty):
    breaks = "a role is known by its opportunity, its person and its name"

    async def find(
        self, object: str, field: str, values: Collection[str], /, *, fields: Collection[str]
    ) -> Sequence[Record]:
        found = await self.fake.find(object, field, values, fields=fields)
        if object != "opportunityRole":
            return found
        return [attrs.evolve(record, key=str(record.values["externalOpportunityId"])) for record in found]


class _MakesFieldsTwice(Faulty):
    breaks = "a new field can be used at once, and is made once"

    async def create_field(self, object: str, field: NewField, /) -> FieldSpec:
        names = {spec.name for spec in await self.fake.describe(object)}
        again = attrs.evolve(field, name=f"{field.api_name}2") if field.api_name in names else field
        return await self.fake.create_field(object, field if field.api_name == "leadScore" else again)


class _OnlyPromisesFields(Faulty):
    breaks = "a new field can be used at once, and is made once"
    others = True  # nor a new object

    async def create_field(self, object: str, field: NewField, /) -> FieldSpec:
        if field.api_name == "leadScore":
            return await self.fake.create_field(object, field)
        return FieldSpec(name=field.api_name, type=field.type or "text", label=field.label)


class _TakesAnyType(Faulty):
    breaks = "a field of another type is refused, and stays as it is"

    async def create_field(self, object: str, field: NewField, /) -> FieldSpec:
        try:
            return await self.fake.create_field(object, field)
        except TypeMismatchError:
            specs = await self.fake.describe(object)
            return next(spec for spec in specs if spec.name == field.api_name)


class _MakesNoObjects(Faulty):
    breaks = "a custom object that is not there comes with its first field"

    async def create_field(self, object: str, field: NewField, /) -> FieldSpec:
        if not await self.fake.describe(object):
            message = f"there is no {object}"
            raise UnknownEntityError(message)
        return await self.fake.create_field(object, field)


class _FillsNothing(Faulty):
    breaks = "a merged person keeps what it has, and is given what it has not"

    async def merge(self, winner: str, losers: Sequence[str], /) -> Outcome:
        before = self.fake.record("lead", winner)
        outcome: Outcome = await self.fake.merge(winner, losers)
        if before is not None and isinstance(outcome, Applied):
            row = self.fake._tables["lead"].rows[winner]
            self.fake._tables["lead"].change(row, {name: before.values.get(name) for name in row.values})
        return outcome


class _LosersWin(Faulty):
    breaks = "a merged person keeps what it has, and is given what it has not"

    async def merge(self, winner: str, losers: Sequence[str], /) -> Outcome:
        loser = self.fake.record("lead", losers[0])
        outcome: Outcome = await self.fake.merge(winner, losers)
        if loser is not None and isinstance(outcome, Applied):
            self.fake.edit("lead", winner, lastName=loser.values["lastName"])
        return outcome


class _LosersStay(Faulty):
    breaks = "who was merged into another is gone, and told as deleted"

    async def merge(self, winner: str, losers: Sequence[str], /) -> Outcome:
        shown = [self.fake.record("lead", key) for key in losers]
        outcome: Outcome = await self.fake.merge(winner, losers)
        for record in shown:
            if record is not None and isinstance(outcome, Applied):
                self.fake.create("lead", lastName=record.values["lastName"])
                self.fake._tables["lead"].insert(attrs.evolve(self.fake._tables["lead"].rows[winner], key=record.key))
        return outcome


class _MergesOnce(Faulty):
    breaks = "who was merged into another is gone, and told as deleted"

    async def merge(self, winner: str, losers: Sequence[str], /) -> Outcome:
        if any(self.fake.record("lead", key) is None for key in losers):
            return Stale(gone=True)
        return await self.fake.merge(winner, losers)


class _MergesIntoNobody(Faulty):
    breaks = "nobody is merged into a person that is gone"

    async def merge(self, winner: str, losers: Sequence[str], /) -> Outcome:
        if self.fake.record("lead", winner) is None:
            self.fake.delete("lead", losers[0])
            return Stale(gone=True)
        return await self.fake.merge(winner, losers)


class _TellsNobodysMerges(Faulty):
    breaks = "a merge by another person is told"

    def __init__(self, fake: Fake) -> None:
        super().__init__(fake)
        self.ours: set[str] = set()

    async def merge(self, winner: str, losers: Sequence[str], /) -> Outcome:
        self.ours |= {*losers}
        return await self.fake.merge(winner, losers)

    def page(self, object: str, page: Page) -> Page:
        merged = self.fake.calls_by_name["merge"] > 0
        return attrs.evolve(page, deleted=[key for key in page.deleted if not merged or key in self.ours])


class _NamesNoWinner(Faulty):
    breaks = "who was merged into another is gone, and told as deleted"
    others = True

    def page(self, object: str, page: Page) -> Page:
        return attrs.evolve(page, merged={})


MARKETO_FAULTS: Final[tuple[type[Faulty], ...]] = (
    _BeginsAtTheBeginning,
    _BeginsWithoutACursor,
    _HasNoOldText,
    _NamesFieldsByLabel,
    _FlagsAreWords,
    _ClearedIsNothing,
    _ScoresAreNothing,
    _LatestFirst,
    _HasNoZone,
    _CountsEntries,
    _NamesEntriesByPerson,
    _CursorsOfTheEnd,
    _RepeatsNothing,
    _KeepsItsFields,
    _ChoosesTheFirst,
    _KnowsNoLookup,
    _KnowsRolesByOpportunity,
    _MakesFieldsTwice,
    _OnlyPromisesFields,
    _TakesAnyType,
    _MakesNoObjects,
    _FillsNothing,
    _LosersWin,
    _LosersStay,
    _MergesOnce,
    _MergesIntoNobody,
    _TellsNobodysMerges,
    _NamesNoWinner,
)
