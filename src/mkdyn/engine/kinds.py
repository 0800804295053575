"""The selected entities as a run works with them: pairs, merger, columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import attrs

from mkdyn.domain.directions import Direction
from mkdyn.domain.entities import AnyEntity, Entity, is_person, rank
from mkdyn.domain.fields import FieldPair, PairState
from mkdyn.domain.filters import Gate
from mkdyn.domain.lenses.matrix import lens_between
from mkdyn.domain.lifecycle import named_by
from mkdyn.domain.merger import Merger
from mkdyn.domain.records import Baseline, Link, Record, Twofold
from mkdyn.domain.rules import Rules
from mkdyn.domain.systems import System
from mkdyn.domain.types import REFERENCES
from mkdyn.domain.values import FieldValue
from mkdyn.ports.store import SelectedPair


@attrs.frozen(eq=False, kw_only=True)
class Kind:
    """One entity with its selected pairs.

    Attributes:
        entity: Which.
        pairs: The pairs that sync, a person's GUID among them: it is kept in a Marketo field of ours,
            and what anybody else writes there is put right like any one-way field.
        merger: The merge of its records.
        first_merger: The merge of two records that meet for the first time: no backfill passed them by.
        required: Dynamics fields that a new row needs.
        rules: The settings.
        backfilling: Those of the pairs that are carried over from Dynamics first.
        strange: Marketo fields that keep the GUIDs of what its persons were before: a contact's may have been a lead's.
        gate: What its rows must pass.
        references: Dynamics columns that name another row.
        telling: Dynamics columns that are read beside those of the pairs: they say what became of a row.
        name: Logical name of the Dynamics table.
        object: Name of the Marketo object.
        person: Whether its records are persons in Marketo.
        late: Those of the pairs that a backfill may have passed some records by.
    """

    entity: AnyEntity
    pairs: Sequence[FieldPair]
    merger: Merger
    first_merger: Merger
    required: Sequence[str]
    rules: Rules
    strange: Sequence[str] = ()
    references: frozenset[str] = frozenset()
    gate: Gate = attrs.field(factory=Gate)
    telling: Sequence[str] = ()
    keys: frozenset[str] = attrs.field(
        init=False, default=attrs.Factory(lambda self: frozenset(pair.key for pair in self.pairs), takes_self=True)
    )
    dynamics_fields: tuple[str, ...] = attrs.field(
        init=False,
        default=attrs.Factory(lambda self: tuple(sorted({pair.dynamics for pair in self.pairs})), takes_self=True),
    )
    read_fields: tuple[str, ...] = attrs.field(
        init=False,
        default=attrs.Factory(
            lambda self: tuple(sorted({*self.dynamics_fields, *self.telling, *self.gate.fields})), takes_self=True
        ),
    )
    marketo_fields: tuple[str, ...] = attrs.field(
        init=False,
        default=attrs.Factory(lambda self: tuple(sorted({pair.marketo for pair in self.pairs})), takes_self=True),
    )
    by_marketo: Mapping[str, FieldPair] = attrs.field(
        init=False,
        default=attrs.Factory(lambda self: {pair.marketo: pair for pair in self.pairs}, takes_self=True),
    )
    by_dynamics: Mapping[str, FieldPair] = attrs.field(
        init=False,
        default=attrs.Factory(lambda self: {pair.dynamics: pair for pair in self.pairs}, takes_self=True),
    )
    backfilling: Sequence[FieldPair] = attrs.field(
        init=False,
        default=attrs.Factory(
            lambda self: [pair for pair in self.pairs if pair.state is PairState.BACKFILLING], takes_self=True
        ),
    )
    refers: Mapping[str, tuple[FieldPair, AnyEntity]] = attrs.field(
        init=False,
        default=attrs.Factory(
            lambda self: {pair.marketo: (pair, named) for pair in self.pairs if (named := named_by(pair)) is not None},
            takes_self=True,
        ),
    )
    name: str = attrs.field(init=False, default=attrs.Factory(lambda self: self.entity.logical_name, takes_self=True))
    object: str = attrs.field(
        init=False, default=attrs.Factory(lambda self: self.entity.marketo_object, takes_self=True)
    )
    person: bool = attrs.field(init=False, default=attrs.Factory(lambda self: is_person(self.entity), takes_self=True))
    late: Sequence[FieldPair] = attrs.field(
        init=False, default=attrs.Factory(lambda self: [pair for pair in self.pairs if pair.late], takes_self=True)
    )
    _whole: frozenset[str] = attrs.field(
        init=False, default=attrs.Factory(lambda self: frozenset(self.dynamics_fields), takes_self=True)
    )
    _names: Mapping[System, Mapping[str, str]] = attrs.field(
        init=False,
        default=attrs.Factory(
            lambda self: {
                System.DYNAMICS: {pair.key: pair.dynamics for pair in self.pairs},
                System.MARKETO: {pair.key: pair.marketo for pair in self.pairs},
            },
            takes_self=True,
        ),
    )

    @property
    def key_field(self) -> str | None:
        """The Marketo field that keeps the GUID of its records, if they are persons."""
        return self.rules.key_field_of(self.entity) if is_person(self.entity) else None

    def object_in(self, system: System) -> str:
        """Return what *system* calls the kind."""
        return self.name if system is System.DYNAMICS else self.object

    def fields_in(self, system: System) -> tuple[str, ...]:
        """Return the fields that sync, in *system*'s names."""
        return self.dynamics_fields if system is System.DYNAMICS else self.marketo_fields

    def read_in(self, system: System) -> tuple[str, ...]:
        """Return the fields to read in *system*: those that sync, and what says what became of a record."""
        return self.read_fields if system is System.DYNAMICS else (*self.marketo_fields, *self.strange)

    def shown_whole(self, row: Record) -> bool:
        """Whether a row shows every field that syncs; else its version does not vouch for what is hidden."""
        return self._whole <= row.values.keys()

    def agreeing(self, baseline: Baseline) -> Baseline:
        """Return the baselines that say one thing of both systems; others stem from what was held."""
        apart = {
            pair.key
            for pair in self.pairs
            if isinstance(was := baseline.get(pair.key), Twofold)
            and not (was.filled_in or pair.lens.agree(was.dynamics, was.marketo))
        }
        return {key: was for key, was in baseline.items() if key not in apart}

    def as_agreed(self, link: Link, system: System) -> dict[str, FieldValue]:
        """Return what *system* showed when the link's records last agreed; fields that never did are left out."""
        shown: dict[str, FieldValue] = {}
        names, in_dynamics = self._names[system], system is System.DYNAMICS
        for key, was in link.baseline.items():
            name = names.get(key)
            if name is None:
                continue
            if isinstance(was, Twofold):
                was = was.dynamics if in_dynamics else was.marketo  # noqa: PLW2901 - what one of them showed
            shown[name] = was
        if in_dynamics and self.person:
            shown[primary_key(self.entity)] = link.dynamics
        return shown


def primary_key(entity: AnyEntity) -> str:
    """Return the name of the table's GUID column."""
    return f"{entity.logical_name}id"


def pairs_of(kind: Kind, selected: Iterable[SelectedPair]) -> Sequence[FieldPair]:
    """Return a kind's pairs, and those that are set aside for now: what was agreed on of them still holds."""
    aside = [item for item in selected if item.pair.entity == kind.entity and item.pair.key not in kind.keys]
    return [*kind.pairs, *(_with_lens(item, kind.rules) for item in aside)]


def _with_lens(item: SelectedPair, rules: Rules) -> FieldPair:
    return attrs.evolve(item.pair, lens=lens_between(item.dynamics, item.marketo, rules.reading))


def kinds_of(selected: Iterable[SelectedPair], rules: Rules) -> Sequence[Kind]:
    """Return the selected entities in dependency order; pairs that are missing or blocked do not sync."""
    by_entity: dict[AnyEntity, list[SelectedPair]] = {}
    for item in selected:
        if item.pair.state.syncs:
            by_entity.setdefault(item.pair.entity, []).append(item)
    kinds: list[Kind] = []
    for entity in sorted(by_entity, key=rank):
        pairs = [_with_lens(item, rules) for item in by_entity[entity]]
        if is_person(entity):
            pairs.append(
                FieldPair(entity, primary_key(entity), rules.key_field_of(entity), direction=Direction.TO_MARKETO)
            )
        merger = Merger(pairs, policy=rules.policy)
        early = [attrs.evolve(pair, late=False) for pair in pairs]
        kinds.append(
            Kind(
                entity=entity,
                pairs=pairs,
                merger=merger,
                first_merger=Merger(early, policy=rules.policy) if early != pairs else merger,
                required=[item.dynamics.name for item in by_entity[entity] if item.dynamics.required],
                rules=rules,
                references=frozenset(
                    item.pair.dynamics for item in by_entity[entity] if item.dynamics.type in REFERENCES
                ),
                strange=[rules.key_field] if entity is Entity.CONTACT and Entity.LEAD in by_entity else [],
            )
        )
    return kinds
