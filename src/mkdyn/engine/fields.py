"""Which fields sync: what could be selected, what is, and how that changes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime

import attrs

from mkdyn.domain.entities import PERSON, AnyEntity, Entity, is_person
from mkdyn.domain.feeds import Cursor
from mkdyn.domain.fields import FieldPair, FieldSpec, PairState
from mkdyn.domain.hierarchy import hierarchy_faults
from mkdyn.domain.mapping import standard_row
from mkdyn.domain.pairing import unknown_table
from mkdyn.domain.registry import Candidate, DynamicsSchema, FieldChanges, MarketoSchema, Pick, eligibility
from mkdyn.domain.rules import Rules
from mkdyn.domain.selection import defaults, replacement, reselected, selection
from mkdyn.domain.selection_file import file_error, read_selection
from mkdyn.engine.checking import own_fields
from mkdyn.engine.marks import backfill_mark, interrupted_mark
from mkdyn.errors import CheckError, FieldError
from mkdyn.ports.connectors import DynamicsConnector, MarketoConnector
from mkdyn.ports.store import SelectedPair, StateStore


class Fields:
    """The fields of one synchronizer. Nothing syncs that was not selected (M6)."""

    def __init__(
        self,
        *,
        marketo: MarketoConnector,
        dynamics: DynamicsConnector,
        store: StateStore,
        rules: Rules,
        now: Callable[[], datetime],
    ) -> None:
        self._marketo, self._dynamics, self._store, self._rules, self._now = marketo, dynamics, store, rules, now

    async def candidates(self, entity: AnyEntity, /) -> Sequence[Candidate]:
        """Return every Dynamics field of an entity, with its eligibility.

        Raises:
            UnknownEntityError: Dynamics has no such table, or the sync user can't see it.
        """
        specs = await self._dynamics.describe(entity.logical_name)
        if not specs:
            raise unknown_table(entity)
        rows = {spec.name: standard_row(entity, spec.name) for spec in specs}
        return [
            Candidate(
                entity=entity,
                field=spec,
                eligibility=eligibility(spec),
                marketo=row.marketo if (row := rows[spec.name]) is not None else None,
            )
            for spec in sorted(specs, key=lambda spec: spec.name)
        ]

    async def selected(self) -> Sequence[FieldPair]:
        """Return the selected pairs, each with its state."""
        return [item.pair for item in self._store.pairs()]

    async def select(self, *picks: Pick) -> FieldChanges:
        """Select fields: all of them, or none. Selecting one again as it is changes nothing.

        Raises:
            FieldError: One or more picks are refused.
            CheckError: Marketo lacks the fields that mkdyn keeps for itself.
        """
        dynamics, marketo = await self._schemas({pick.entity for pick in picks})
        return await self._select(picks, dynamics, marketo)

    async def replace(self, picks: Collection[Pick] | str, /) -> FieldChanges:
        """Make the selection exactly this, as a deployment does; what stays as it is keeps its baselines.

        Args:
            picks: The picks, or the text of a selection file: then every fault of it is told at once, with its line.

        Raises:
            FieldError: One or more picks are refused, or the file is; nothing changes.
            CheckError: Marketo lacks the fields that mkdyn keeps for itself.
        """
        return await self._keep(*await self._replacement(picks))

    async def diff(self, picks: Collection[Pick] | str, /) -> FieldChanges:
        """Return what `replace` would change; nothing does.

        Args:
            picks: The picks, or the text of a selection file: then every fault of it is told at once, with its line.

        Raises:
            FieldError: One or more picks would be refused, or the file would.
            CheckError: Marketo lacks the fields that mkdyn keeps for itself.
        """
        changes, _, _ = await self._replacement(picks)
        return changes

    async def _replacement(
        self, asked: Collection[Pick] | str
    ) -> tuple[FieldChanges, DynamicsSchema, dict[str, dict[str, FieldSpec]]]:
        """Return what a whole selection would change, and the fields it was judged by."""
        picks, faults = read_selection(asked) if isinstance(asked, str) else (asked, ())
        dynamics, marketo = await self._schemas({pick.entity for pick in picks})
        try:
            changes = self._changes(replacement, picks, dynamics, marketo)
        except FieldError as error:
            if not isinstance(asked, str):
                raise
            raise file_error([*faults, *error.faults]) from None
        if faults:
            raise file_error(faults)
        return changes, dynamics, marketo

    async def select_defaults(self, *entities: Entity) -> FieldChanges:
        """Select the standard mapping of the given entities, or of all six, where both systems have the field."""
        wanted = entities or tuple(Entity)
        dynamics, marketo = await self._schemas(set(wanted))
        there = {item.pair.entity for item in self._store.pairs()}
        return await self._select(defaults(wanted, dynamics, marketo, there), dynamics, marketo)

    async def deselect(self, *picks: Pick) -> FieldChanges:
        """Stop syncing fields; their values stay where they are.

        Raises:
            HierarchyError: The records of a table of yours that goes on belong to an entity that would not.
        """
        names = {(pick.entity, pick.dynamics) for pick in picks}
        current = self._store.pairs()
        removed = tuple(item.pair for item in current if (item.pair.entity, item.pair.dynamics) in names)
        faults = hierarchy_faults(item.pair.entity for item in current if item.pair not in removed)
        if faults:
            raise FieldError.of(tuple(faults), f"{len(faults)} tables would hang in the air, nothing is deselected")
        with self._store.transaction():
            self._store.remove_pairs(names)
            for pair in removed:
                self._forget_marks(pair)
        unchanged = tuple(item.pair for item in current if item.pair not in removed)
        return FieldChanges(removed=removed, unchanged=unchanged)

    def _forget_marks(self, pair: FieldPair) -> None:
        """Forget the backfill of a pair that is selected no more, or anew."""
        self._store.set_cursor(backfill_mark(pair), None)
        self._store.set_cursor(interrupted_mark(pair), None)

    async def _schemas(
        self, entities: Iterable[AnyEntity]
    ) -> tuple[Mapping[AnyEntity, Mapping[str, FieldSpec]], dict[str, dict[str, FieldSpec]]]:
        dynamics: dict[AnyEntity, Mapping[str, FieldSpec]] = {}
        marketo: dict[str, dict[str, FieldSpec]] = {}
        for entity in sorted(entities, key=str):
            dynamics[entity] = {spec.name: spec for spec in await self._dynamics.describe(entity.logical_name)}
            name = entity.marketo_object
            if name not in marketo:
                marketo[name] = {spec.name: spec for spec in await self._marketo.describe(name)}
        self._expect_own_fields(entities, marketo)
        return dynamics, marketo

    def _expect_own_fields(self, entities: Iterable[AnyEntity], marketo: Mapping[str, Mapping[str, FieldSpec]]) -> None:
        if not any(is_person(entity) for entity in entities):
            return
        there = marketo[PERSON]
        lacking = [field.api_name for field in own_fields(self._rules) if field.api_name not in there]
        if lacking:
            raise CheckError(
                tuple(
                    f"Marketo: there is no lead field {name}. Have it created: sync.set_up(), or mkdyn init."
                    for name in lacking
                )
            )

    async def _select(
        self,
        picks: Sequence[Pick],
        dynamics: Mapping[AnyEntity, Mapping[str, FieldSpec]],
        marketo: dict[str, dict[str, FieldSpec]],
    ) -> FieldChanges:
        return await self._keep(self._changes(selection, picks, dynamics, marketo), dynamics, marketo)

    def _changes(
        self,
        decide: Callable[..., FieldChanges],
        picks: Collection[Pick],
        dynamics: DynamicsSchema,
        marketo: MarketoSchema,
    ) -> FieldChanges:
        reserved = {field.api_name for field in own_fields(self._rules)}
        current = [item.pair for item in self._store.pairs()]
        return decide(list(picks), dynamics=dynamics, marketo=marketo, current=current, reserved=reserved)

    async def _keep(
        self, changes: FieldChanges, dynamics: DynamicsSchema, marketo: dict[str, dict[str, FieldSpec]]
    ) -> FieldChanges:
        """Create what Marketo lacks, then store the selection."""
        for object_name, new in changes.created:
            marketo[object_name][new.api_name] = await self._marketo.create_field(object_name, new)
        replaced = {(pair.entity, pair.dynamics): pair for pair in changes.removed}
        added = [self._started(pair, replaced, dynamics, marketo) for pair in changes.added]
        dropped = replaced.keys() - {(pair.entity, pair.dynamics) for pair in changes.added}
        with self._store.transaction():
            self._store.remove_pairs(dropped)
            self._store.put_pairs(added)
            for pair in changes.removed:
                self._forget_marks(pair)
            for item in added:
                if item.pair.state is PairState.BACKFILLING:
                    self._store.set_cursor(
                        f"dynamics:{item.pair.entity.logical_name}:renew", Cursor(token="", at=self._now())
                    )
        return attrs.evolve(changes, added=tuple(item.pair for item in added))

    def _started(
        self,
        pair: FieldPair,
        replaced: Mapping[tuple[AnyEntity, str], FieldPair],
        dynamics: DynamicsSchema,
        marketo: MarketoSchema,
    ) -> SelectedPair:
        """Return a pair as it starts: it is backfilled first where its entity's records are linked already."""
        times = self._store.selections(pair.entity, pair.dynamics)
        populated = bool(self._store.count_links().get(pair.entity.logical_name))
        before = replaced.get((pair.entity, pair.dynamics))
        return SelectedPair(
            pair=reselected(pair, times, populated=populated, before=before),
            dynamics=dynamics[pair.entity][pair.dynamics],
            marketo=marketo[pair.entity.marketo_object][pair.marketo],
        )
