"""The organisation as the interface sees it: tables by their sets, keys, rights."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2s
from typing import TypeAlias

import attrs

from mkdyn.domain.fields import FieldSpec
from mkdyn.domain.outcomes import Applied, Outcome, Write
from mkdyn.testing._dynamics_backstage import Backstage
from mkdyn.testing._tables import Table
from mkdyn.testing.servers.dynamics.names import (
    Navigation,
    columns_by_property,
    entity_set,
    lasting_id,
    navigations,
    privileges,
)
from mkdyn.testing.servers.dynamics.question import BAD_REQUEST, PRIVILEGE_DENIED, RefusedError
from mkdyn.testing.servers.dynamics.settings import Quirks, ServerLimits

#: Runs after a row was written; it is told the table and the row's key.
PlugIn: TypeAlias = Callable[[str, str], None]


@attrs.frozen
class View:
    """A table as the interface shows it, as it is now.

    Attributes:
        table: The table.
        columns: Its columns, by the names they have in answers.
        navigations: Its lookups' targets, by the names they have in requests.
        hidden: Columns that this user may not read.
    """

    table: Table
    columns: Mapping[str, FieldSpec]
    navigations: Mapping[str, Navigation]
    hidden: frozenset[str]

    @property
    def entity_set(self) -> str:
        """What its rows are called in addresses."""
        return entity_set(self.table.name)


@attrs.frozen
class AlternateKey:
    """A key that somebody has made of a table's columns."""

    name: str
    columns: tuple[str, ...]


class Organization:
    """One organisation, behind its interface.

    Args:
        backstage: The fake's insides.
        limits: What requests may be.
        quirks: What is undocumented.

    Attributes:
        backstage: The fake's insides.
        limits: What requests may be.
        quirks: What is undocumented.
        keys: The alternate keys, by table.
        duplicate_rules: Columns by which a new row is a duplicate of another, by table.
        plug_ins: What runs after each row that was written; it is told the table and the key, and may write too.
    """

    def __init__(self, backstage: Backstage, limits: ServerLimits, quirks: Quirks) -> None:
        self.backstage = backstage
        self.limits = limits
        self.quirks = quirks
        self.keys: dict[str, list[AlternateKey]] = {}
        self.duplicate_rules: dict[str, tuple[str, ...]] = {}
        self.plug_ins: list[PlugIn] = []

    @property
    def tables(self) -> Mapping[str, Table]:
        """The tables, by name."""
        return self.backstage.tables

    @property
    def user_id(self) -> str:
        """The GUID of the user who asks."""
        return self.lasting("user", self.backstage.identity.user)

    def lasting(self, *names: str) -> str:
        """Return the GUID of something that has no row."""
        return lasting_id(self.backstage.identity.organization, *names)

    def view(self, name: str) -> View:
        """Return a table as it is shown."""
        table = self.tables[name]
        hidden = frozenset(spec.name for spec in table.specs.values() if not spec.readable)
        return View(table, columns_by_property(table), {each.name: each for each in navigations(table)}, hidden)

    def view_of_set(self, name: str) -> View:
        """Return the table whose rows have this name in addresses.

        Raises:
            RefusedError: There is none.
        """
        for table in self.tables:
            if entity_set(table) == name:
                return self.view(table)
        raise not_found(name)

    def require_read(self, table: str) -> None:
        """Refuse to read a table that this user may not read.

        Raises:
            RefusedError: It may not.
        """
        if table in self.backstage.hidden:
            name = privileges(table)[1]
            raise RefusedError(
                403,
                PRIVILEGE_DENIED,
                f"Principal user (Id={self.user_id}, type=8, roleCount=1) is missing {name} privilege "
                f"(Id={self.lasting('privilege', name)}) on OTC=4 for entity '{table}'.",
            )

    def held_privileges(self) -> Sequence[str]:
        """Return the names of this user's rights on all tables."""
        return [
            name
            for table in sorted(self.tables)
            for name in privileges(table)
            if not (name.startswith("prvRead") and table in self.backstage.hidden)
        ]

    def attempt(self, table: Table, write: Write) -> Outcome:
        """Carry out one write, and count it."""
        self.backstage.writes_by_object[table.name] += 1
        outcome = self.backstage.calls.rejection_of(write) or self.backstage.attempt(table, write)
        if isinstance(outcome, Applied):
            for plug_in in tuple(self.plug_ins):
                plug_in(table.name, outcome.key)
        return outcome

    def metadata_version(self) -> str:
        """Return a number that moves with every change of a table or a column."""
        specs = [(name, *map(repr, table.specs.values())) for name, table in sorted(self.tables.items())]
        return str(int.from_bytes(blake2s(repr(specs).encode(), digest_size=6).digest()))


def not_found(name: str) -> RefusedError:
    """Return what is said of an address that leads nowhere."""
    return RefusedError(404, BAD_REQUEST, f"Resource not found for the segment '{name}'.")
