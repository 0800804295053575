"""Faults that only a Dynamics connector can have."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from typing import Final

import attrs

from mkdyn.domain import (
    Applied,
    Create,
    Cursor,
    Delete,
    FieldSpec,
    Outcome,
    Page,
    Record,
    Stale,
    Update,
    Write,
)
from mkdyn.ports import Problem
from mkdyn.testing import FakeDynamics

from .faulty import Fake, Faulty, shows, writes


class _MakesFields(Faulty):
    breaks = "a Dynamics connector says that it is one, and has no way to create a field"

    async def create_field(self, object: str, field: object) -> None:
        """What there must not be."""


class _NamesTheFirst(Faulty):
    breaks = "check names everything that is missing at once"

    async def check(self, needs: Mapping[str, Collection[str]], /) -> Sequence[Problem]:
        return [*await self.fake.check(needs)][:1]


class _SkipsTheFirst(Faulty):
    breaks = "a feed goes on from each of its cursors, and skips nothing"
    others = True  # nearly everything that is told

    async def pages(self, object: str, fields: Collection[str], since: Cursor | None) -> AsyncGenerator[Page]:
        skipped = since is None
        async for page in super().pages(object, fields, since):
            if not skipped and (page.records or page.entries):
                skipped = True
                yield attrs.evolve(page, records=page.records[1:], entries=page.entries[1:])
            else:
                yield page


class _LeavesOutEmptyColumns(Faulty):
    breaks = "a feed from its start holds every row with its version and all fields asked for, and no deletion"

    def page(self, object: str, page: Page) -> Page:
        records = [
            shows(record, {name: value for name, value in record.values.items() if value is not None})
            for record in page.records
        ]
        return attrs.evolve(page, records=records)


class _FeedsNoVersions(Faulty):
    breaks = "a feed from its start holds every row with its version and all fields asked for, and no deletion"
    others = True  # then no version moves

    def page(self, object: str, page: Page) -> Page:
        return attrs.evolve(page, records=[attrs.evolve(record, version=None) for record in page.records])


class _FeedsOtherVersions(Faulty):
    breaks = "a version moves with every change, and with nothing else"

    def page(self, object: str, page: Page) -> Page:
        records = [attrs.evolve(record, version=f"{record.version} of a feed") for record in page.records]
        return attrs.evolve(page, records=records)


class _VersionsStand(Faulty):
    breaks = "a version moves with every change, and with nothing else"
    others = True  # then nothing is known to be stale

    def record(self, record: Record) -> Record:
        return attrs.evolve(record, version="1")

    def page(self, object: str, page: Page) -> Page:
        return attrs.evolve(page, records=[self.record(record) for record in page.records])


class _KeepsTheVersion(Faulty):
    breaks = "an Applied write tells the version that the row has then"

    def answered(self, object: str, write: Write, outcome: Outcome) -> Outcome:
        return attrs.evolve(outcome, version=None) if isinstance(outcome, Applied) else outcome


class _ReadOnlyVersions(Faulty):
    breaks = "an Applied write tells the version that the row has then"

    def answered(self, object: str, write: Write, outcome: Outcome) -> Outcome:
        return Stale() if isinstance(write, Update) and write.version else outcome


class _OverwritesOthers(Faulty):
    breaks = "an Update of another version is Stale, and writes nothing"

    def sent(self, object: str, write: Write) -> Write:
        return attrs.evolve(write, version=None) if isinstance(write, Update) else write


class _DeletesOthers(Faulty):
    breaks = "a Delete of another version is Stale, and deletes nothing"

    def sent(self, object: str, write: Write) -> Write:
        return attrs.evolve(write, version=None) if isinstance(write, Delete) else write


class _CreateUpdates(Faulty):
    breaks = "a Create that finds its row leaves it as it is"

    def answered(self, object: str, write: Write, outcome: Outcome) -> Outcome:
        if not isinstance(outcome, Applied) or not outcome.found or not isinstance(write, Create):
            return outcome
        self.fake.edit(object, write.key, **write.values)
        return attrs.evolve(outcome, version=self.fake.record(object, write.key).version)


class _RegardsCaseOfKeys(Faulty):
    breaks = "a GUID is taken in any case, and answered in lower case"

    async def read(self, object: str, keys: Collection[str], /, *, fields: Collection[str]) -> Mapping[str, Record]:
        return await super().read(object, [key for key in keys if key == key.lower()], fields=fields)


class _AnswersKeysAsGiven(Faulty):
    breaks = "a GUID is taken in any case, and answered in lower case"

    def answered(self, object: str, write: Write, outcome: Outcome) -> Outcome:
        return attrs.evolve(outcome, key=write.key) if isinstance(outcome, Applied) else outcome


class _TakesEveryCursor(Faulty):
    breaks = "a cursor of other fields has expired"

    async def pages(self, object: str, fields: Collection[str], since: Cursor | None) -> AsyncGenerator[Page]:
        if since is not None:
            place = since.token.rpartition("!")[0]
            since = attrs.evolve(since, token=f"{place}!{','.join(sorted(fields))}")
        async for page in super().pages(object, fields, since):
            yield page


class _OnceDeletedForEver(Faulty):
    breaks = "a row that was deleted and made again is told as a row"
    others = True  # nor does one come back from the recycle bin

    def page(self, object: str, page: Page) -> Page:
        gone = {key for _, key in self.fake._logs[object]._gone}
        again = [record.key for record in page.records if record.key in gone]
        return attrs.evolve(page, deleted=[*page.deleted, *again])


class _NeverTellsOfTheBin(Faulty):
    breaks = "a row that comes back from the recycle bin is told"
    others = True  # nor of a row that was made again

    def page(self, object: str, page: Page) -> Page:
        gone = {key for _, key in self.fake._logs[object]._gone}
        return attrs.evolve(page, records=[record for record in page.records if record.key not in gone])


class _HiddenIsNone(Faulty):
    breaks = "a field that can't be seen is left out, and is not None"

    def __init__(self, fake: Fake) -> None:
        super().__init__(fake)
        assert isinstance(fake, FakeDynamics)
        fake._secured_shows = "null"


class _SeesEverything(Faulty):
    breaks = "describe and check tell what this user may not read"

    def spec(self, spec: FieldSpec) -> FieldSpec:
        return attrs.evolve(spec, readable=True)


class _ChecksNoRights(Faulty):
    breaks = "describe and check tell what this user may not read"

    async def check(self, needs: Mapping[str, Collection[str]], /) -> Sequence[Problem]:
        return [problem for problem in await self.fake.check(needs) if "secured" not in problem.what]


class _PassesOverProtected(Faulty):
    breaks = "a field that this user may not write is not written, and said to be so"

    def sent(self, object: str, write: Write) -> Write:
        if isinstance(write, Delete):
            return write
        secured = {name for table, name in self.fake._secured if table == object}
        return writes(write, {name: value for name, value in write.values.items() if name not in secured})


DYNAMICS_FAULTS: Final[tuple[type[Faulty], ...]] = (
    _MakesFields,
    _NamesTheFirst,
    _SkipsTheFirst,
    _LeavesOutEmptyColumns,
    _FeedsNoVersions,
    _FeedsOtherVersions,
    _VersionsStand,
    _KeepsTheVersion,
    _ReadOnlyVersions,
    _OverwritesOthers,
    _DeletesOthers,
    _CreateUpdates,
    _RegardsCaseOfKeys,
    _AnswersKeysAsGiven,
    _TakesEveryCursor,
    _OnceDeletedForEver,
    _NeverTellsOfTheBin,
    _HiddenIsNone,
    _SeesEverything,
    _ChecksNoRights,
    _PassesOverProtected,
)
