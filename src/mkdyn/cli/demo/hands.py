"""What people do in both systems, and what they see there: in memory, or over the wire.

Over the wire, all of it may be done twice and comes to the same: a demo that was cut off does its edits again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Final, Protocol

import attrs

from mkdyn.cli.demo.systems import Systems
from mkdyn.domain import FieldSpec
from mkdyn.domain.records import Record
from mkdyn.domain.roles import ROLE, contact_roles
from mkdyn.domain.values import FieldValue, Values
from mkdyn.testing import FakeDynamics, FakeMarketo

_MONTH_S: Final = 30 * 24 * 60 * 60.0


class MarketoHands(Protocol):
    """People in Marketo."""

    async def read(self, object: str, keys: Collection[str], fields: Collection[str], /) -> Mapping[str, Record]:
        """Return those records that are there, by key."""
        ...

    async def persons(self, field: str, values: Collection[str], /) -> Mapping[str, Sequence[str]]:
        """Return the ids of the persons with these texts in a field, oldest first, by the text; others have none."""
        ...

    async def contacts(self, opportunities: Collection[str], /) -> Mapping[str, Sequence[str]]:
        """Return the persons that have the contact's role in opportunities, by opportunity; others have none."""
        ...

    async def listed(self, object: str, /) -> Collection[str]:
        """Return the keys of all records, as far as Marketo lists them."""
        ...

    async def edit(self, object: str, edits: Mapping[str, Values], /) -> None:
        """Change records, by key."""
        ...

    async def add(self, email: str, /, **values: FieldValue) -> str:
        """Add a person, or change the one of that e-mail address; the id."""
        ...

    async def merge(self, winner: str, loser: str, /) -> None:
        """Merge a person into another one."""
        ...


class DynamicsHands(Protocol):
    """People in Dynamics."""

    async def rows(self, table: str, fields: Collection[str], /) -> Sequence[Record]:
        """Return all rows of a table, in any order."""
        ...

    async def create(self, table: str, key: str, /, **values: FieldValue) -> None:
        """Add a row with that GUID; one that is there stays as it is."""
        ...

    async def edit(self, table: str, edits: Mapping[str, Values], /) -> None:
        """Change rows, by GUID."""
        ...

    async def delete(self, table: str, key: str, /) -> None:
        """Delete a row, if it is there."""
        ...

    async def qualify(self, lead: str, /) -> str:
        """Qualify a lead; the contact's GUID."""
        ...

    async def merge(self, table: str, winner: str, loser: str, /) -> None:
        """Merge a row into another one."""
        ...

    async def add_column(self, table: str, column: FieldSpec, /) -> None:
        """Publish a text column, if it is not there."""
        ...

    async def drop_column(self, table: str, column: str, /) -> None:
        """Delete a column, if it is there."""
        ...

    async def later(self) -> date:
        """Let a month go by, where the clock is ours; the day it is then."""
        ...


@attrs.frozen(kw_only=True)
class Hands:
    """People in both."""

    marketo: MarketoHands
    dynamics: DynamicsHands


def in_memory(systems: Systems) -> Hands:
    """Return the hands of two systems in memory."""
    return Hands(marketo=_InMarketo(systems.marketo), dynamics=_InDynamics(systems.dynamics))


@attrs.frozen
class _InMarketo:
    _fake: FakeMarketo

    async def read(self, object: str, keys: Collection[str], _fields: Collection[str], /) -> Mapping[str, Record]:
        found = (self._fake.record(object, key) for key in keys)
        return {record.key: record for record in found if record is not None}

    async def persons(self, field: str, values: Collection[str], /) -> Mapping[str, Sequence[str]]:
        found: dict[str, list[str]] = {value: [] for value in values}
        for person in self._fake.records("lead"):
            found.get(str(person.values[field]), []).append(person.key)
        return found

    async def contacts(self, _opportunities: Collection[str], /) -> Mapping[str, Sequence[str]]:
        return contact_roles(self._fake.records(ROLE))

    async def listed(self, object: str, /) -> Collection[str]:
        return [record.key for record in self._fake.records(object)]

    async def edit(self, object: str, edits: Mapping[str, Values], /) -> None:
        for key, values in edits.items():
            self._fake.edit(object, key, **values)

    async def add(self, email: str, /, **values: FieldValue) -> str:
        return self._fake.create("lead", email=email, **values)

    async def merge(self, winner: str, loser: str, /) -> None:
        await self._fake.merge(winner, [loser])


@attrs.frozen
class _InDynamics:
    _fake: FakeDynamics

    async def rows(self, table: str, _fields: Collection[str], /) -> Sequence[Record]:
        return self._fake.records(table)

    async def create(self, table: str, key: str, /, **values: FieldValue) -> None:
        self._fake.create(table, **{f"{table}id": key}, **values)

    async def edit(self, table: str, edits: Mapping[str, Values], /) -> None:
        for key, values in edits.items():
            self._fake.edit(table, key, **values)

    async def delete(self, table: str, key: str, /) -> None:
        self._fake.delete(table, key)

    async def qualify(self, lead: str, /) -> str:
        return self._fake.qualify(lead)

    async def merge(self, table: str, winner: str, loser: str, /) -> None:
        self._fake.merge_rows(table, winner, loser)

    async def add_column(self, table: str, column: FieldSpec, /) -> None:
        self._fake.add_column(table, column)

    async def drop_column(self, table: str, column: str, /) -> None:
        self._fake.drop_column(table, column)

    async def later(self) -> date:
        self._fake.advance(_MONTH_S)
        return self._fake.time.date()
