"""What the commands work on: a demo's state file, and the demo's two systems with the fields that it says they have."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime
from pathlib import Path

import attrs

from mkdyn import Fields, SqliteStore, Synchronizer
from mkdyn.cli.demo.state import is_demo_s
from mkdyn.cli.demo.systems import Systems, new_systems
from mkdyn.domain import AnyEntity, CustomEntity, Entity, FieldChanges, FieldPair, FieldSpec, System
from mkdyn.domain.entities import ENTITY_NAMES
from mkdyn.errors import ConfigError
from mkdyn.ports.store import Description, StateStore


@attrs.frozen
class Desk:
    """A state with its two systems.

    Attributes:
        fields: The fields of both.
        selected: The pairs selected when it was opened.
    """

    fields: Fields
    selected: Sequence[FieldPair]
    _store: StateStore
    _systems: Systems

    def entity(self, name: str) -> AnyEntity:
        """Return an entity by the word people use or by Dynamics' name; one of your own as it is selected."""
        own = {pair.entity.logical_name: pair.entity for pair in self.selected}
        return ENTITY_NAMES.get(name) or own.get(name) or CustomEntity(name)

    def entities(self) -> Sequence[AnyEntity]:
        """Return the six, and those of your own that have a selected field."""
        return list(dict.fromkeys([*Entity, *(pair.entity for pair in self.selected)]))

    async def remember(self, changes: FieldChanges) -> None:
        """Keep what Marketo's fields are now: the demo's Marketo is made anew for each command."""
        now = datetime.now(UTC)  # noqa: TID251 - the system clock itself
        for name in sorted({name for name, _ in changes.created}):
            fields = await self._systems.marketo.describe(name)
            with self._store.transaction():
                self._store.describe(System.MARKETO, name, Description(at=now, fields=fields))


@asynccontextmanager
async def opened(file: Path) -> AsyncGenerator[Desk]:
    """Lend the desk of a state file.

    Raises:
        ConfigError: There is no such file, or no demo has run with it.
        OtherOrganizationError: It is the state of somebody else's sync.
        StateError: It can't be used.
    """
    _expect_there(file)
    with closing(SqliteStore(file)) as store:
        if not is_demo_s(store, file):
            raise ConfigError(
                f"{file}: no sync has run with it yet, so nobody knows whose fields to show.",
                what_to_do="Give --state the file of a demo: mkdyn demo --state FILE makes one.",
            )
        systems = await _as_left(store)
        sync = Synchronizer(marketo=systems.marketo, dynamics=systems.dynamics, store=store)
        yield Desk(sync.fields, await sync.fields.selected(), store, systems)


def _expect_there(file: Path) -> None:
    if not file.exists():
        raise ConfigError(
            f"{file}: there is no such state file.", what_to_do=f"Have one made: mkdyn demo --state {file}"
        )


async def _as_left(store: StateStore) -> Systems:
    """Return the demo's systems, with the fields that both had when the state last heard of them."""
    systems = new_systems()
    dynamics, marketo = systems.dynamics, systems.marketo
    entities = dict.fromkeys([*Entity, *(item.pair.entity for item in store.pairs())])
    for name in dict.fromkeys(entity.logical_name for entity in entities):
        known = store.description(System.DYNAMICS, name)
        if known is not None:
            if not await dynamics.describe(name):
                dynamics.add_table(name, ())
            for column in known.fields:
                dynamics.add_column(name, column)
            for gone in _others(await dynamics.describe(name), known):
                dynamics.drop_column(name, gone)
    for name in dict.fromkeys(entity.marketo_object for entity in entities):
        known = store.description(System.MARKETO, name)
        if known is not None:
            if not await marketo.describe(name):
                marketo.add_object(name)
            for field in known.fields:
                marketo.add_field(name, field)
            for gone in _others(await marketo.describe(name), known):
                marketo.drop_field(name, gone)
    return systems


def _others(there: Sequence[FieldSpec], known: Description) -> Sequence[str]:
    """Return the names of fields that the state does not know of."""
    names = {field.name for field in known.fields}
    return [field.name for field in there if field.name not in names]
