"""A connector may keep its promises in more than one way; no check asks for more than was promised."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Sequence
from contextlib import aclosing

import attrs
import pytest

from mkdyn.domain import Cursor, FieldSpec, Outcome, Page, Unknown, Write
from mkdyn.errors import CursorExpiredError, UnreachableError
from mkdyn.testing.contracts import FakeDynamicsBench, FakeMarketoBench

from .complaints import DYNAMICS, MARKETO, complaint
from .faulty import Fake, Faulty

pytestmark = pytest.mark.anyio


class _RaisesWhenLost(Faulty):
    """Says nothing of single writes."""

    async def write(self, object: str, writes: Sequence[Write], /) -> Sequence[Outcome]:
        outcomes = await self.fake.write(object, writes)
        if outcomes and all(isinstance(outcome, Unknown) for outcome in outcomes):
            message = "no answer came"
            raise UnreachableError(message)
        return [*outcomes]


class _CursorsHaveFields(Faulty):
    """Marketo's cursors belong to their fields, too."""

    def __init__(self, fake: Fake) -> None:
        super().__init__(fake)
        self.fields_of: dict[str, frozenset[str]] = {}

    async def pages(self, object: str, fields: Collection[str], since: Cursor | None) -> AsyncGenerator[Page]:
        if since is not None and self.fields_of[since.token] != frozenset(fields):
            message = "the cursor is one of other fields"
            raise CursorExpiredError(message)
        async with aclosing(super().pages(object, fields, since)) as pages:
            async for page in pages:
                if page.cursor is not None:
                    self.fields_of[page.cursor.token] = frozenset(fields)
                yield page


class _RepeatsItself(Faulty):
    """Tells everything twice."""

    async def pages(self, object: str, fields: Collection[str], since: Cursor | None) -> AsyncGenerator[Page]:
        async with aclosing(super().pages(object, fields, since)) as pages:
            async for page in pages:
                yield page
                yield page


class _FewCursors(Faulty):
    """Brings a cursor with the last page only; Marketo's first feed has but one page."""

    async def pages(self, object: str, fields: Collection[str], since: Cursor | None) -> AsyncGenerator[Page]:
        last: Page | None = None
        async with aclosing(super().pages(object, fields, since)) as pages:
            async for page in pages:
                if last is not None:
                    yield attrs.evolve(last, cursor=None)
                last = page
        if last is not None:
            yield last


class _LeavesOutWhatIsServed(Faulty):
    """Describes no time that only the system writes."""

    async def describe(self, object: str, /) -> Sequence[FieldSpec]:
        return [spec for spec in await self.fake.describe(object) if spec.type != "datetime" or spec.writable]


class _LeavesOutWhatIsHidden(Faulty):
    """Describes no field that can't be seen."""

    async def describe(self, object: str, /) -> Sequence[FieldSpec]:
        return [spec for spec in await self.fake.describe(object) if spec.readable]


WAYS = (
    _RaisesWhenLost,
    _CursorsHaveFields,
    _RepeatsItself,
    _FewCursors,
    _LeavesOutWhatIsServed,
    _LeavesOutWhatIsHidden,
)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__.strip("_"))
async def test_what_is_allowed_breaks_no_promise(way: type[Faulty]) -> None:
    """Of neither system."""
    marketo, dynamics = FakeMarketoBench().fake, FakeDynamicsBench().fake
    said = {
        **{name: await complaint(MARKETO[name], FakeMarketoBench(marketo, connector=way(marketo))) for name in MARKETO},
        **{
            f"{name}, in Dynamics": await complaint(
                DYNAMICS[name], FakeDynamicsBench(dynamics, connector=way(dynamics))
            )
            for name in DYNAMICS
        },
    }
    assert {name: complaint for name, complaint in said.items() if complaint is not None} == {}
