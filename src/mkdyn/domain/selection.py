"""Which pairs a selection comes to, or why it is refused: all of the picks or none (M4, M6, M7)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from difflib import get_close_matches
from typing import assert_never

import attrs

from mkdyn.domain.creation import as_spec, completed, refusals
from mkdyn.domain.directions import Direction, direction_of, narrowed
from mkdyn.domain.entities import AnyEntity, CustomEntity, Entity
from mkdyn.domain.fields import FieldPair, FieldSpec, NewField, PairState
from mkdyn.domain.lenses.matrix import lens_between
from mkdyn.domain.mapping import STANDARD_MAPPING, standard_row
from mkdyn.domain.registry import DynamicsSchema, Eligible, FieldChanges, MarketoSchema, NotEligible, Pick, eligibility
from mkdyn.domain.systems import System
from mkdyn.errors import (
    FieldCreationError,
    FieldError,
    NotEligibleError,
    OneWayError,
    UnknownEntityError,
    UnknownFieldError,
)


def defaults(
    entities: Iterable[Entity], dynamics: DynamicsSchema, marketo: MarketoSchema, selected: Collection[AnyEntity]
) -> Sequence[Pick]:
    """Return the standard mapping's picks, where both systems have the field and a selection would take it.

    A reference is picked only if what it refers to is synced, too.
    """
    entities = tuple(entities)
    there = {*selected, *entities}
    picks: list[Pick] = []
    for entity in entities:
        for row in STANDARD_MAPPING[entity]:
            if row.refers_to is not None and row.refers_to not in there:
                continue
            pick = Pick(entity, row.dynamics, marketo=row.marketo, direction=row.direction)  # none is created
            with suppress(FieldError):
                _pair(pick, dynamics, marketo, ())
                picks.append(pick)
    return picks


def selection(
    picks: Sequence[Pick],
    *,
    dynamics: DynamicsSchema,
    marketo: MarketoSchema,
    current: Sequence[FieldPair],
    reserved: Collection[str] = (),
) -> FieldChanges:
    """Turn picks into pairs, all of them or none.

    Args:
        picks: What is asked for; one that is selected as asked already stays unchanged.
        dynamics: Fields as Dynamics describes them.
        marketo: Fields as Marketo describes them.
        current: The pairs selected now.
        reserved: Marketo fields that mkdyn keeps for itself.

    Raises:
        FieldError: One or more picks are refused; nothing is selected.
    """
    now = {(pair.entity, pair.dynamics): pair for pair in current}
    moving = {(pick.entity, pick.dynamics) for pick in picks}
    taken = {
        (pair.entity, pair.marketo): pair.dynamics for pair in current if (pair.entity, pair.dynamics) not in moving
    }
    picked: dict[tuple[AnyEntity, str], FieldPair] = {}
    added: list[FieldPair] = []
    removed: list[FieldPair] = []
    unchanged: list[FieldPair] = []
    created: list[tuple[str, NewField]] = []
    faults: list[FieldError] = []
    for pick in picks:
        try:
            pair, new = _pair(pick, dynamics, marketo, reserved)
            holder = taken.setdefault((pair.entity, pair.marketo), pair.dynamics)
            if holder != pair.dynamics:
                raise FieldError(  # noqa: TRY301 - collected below with the others
                    f"{pick.entity}.{pick.dynamics}: {pair.marketo} is fed by {holder} already.",
                    what_to_do="Deselect that one, or choose another Marketo field.",
                )
            twin = picked.setdefault((pair.entity, pair.dynamics), pair)
            if not _same_choice(twin, pair):
                raise FieldError(  # noqa: TRY301 - collected below with the others
                    f"{pick.entity}.{pick.dynamics} is picked twice, in two ways.", what_to_do="Keep one of the picks."
                )
        except FieldError as fault:
            fault.line = pick.line
            faults.append(fault)
            continue
        if twin is not pair:
            continue
        before = now.get((pair.entity, pair.dynamics))
        if before is not None and before.state.syncs and _same_choice(before, pair):
            unchanged.append(before)
            continue
        added.append(pair)
        removed += [before] if before is not None else []
        if new is not None:
            created.append((pick.entity.marketo_object, new))
    faults += refusals(created, marketo)
    if faults:
        raise FieldError.of(tuple(faults), len(picks))
    return FieldChanges(added=tuple(added), removed=tuple(removed), unchanged=tuple(unchanged), created=tuple(created))


def replacement(
    picks: Sequence[Pick],
    *,
    dynamics: DynamicsSchema,
    marketo: MarketoSchema,
    current: Sequence[FieldPair],
    reserved: Collection[str] = (),
) -> FieldChanges:
    """Turn picks into the whole selection: what is not picked is removed; see `selection`.

    Raises:
        FieldError: One or more picks are refused; nothing changes.
    """
    wanted = {(pick.entity, pick.dynamics) for pick in picks}
    kept = [pair for pair in current if (pair.entity, pair.dynamics) in wanted]
    dropped = [pair for pair in current if (pair.entity, pair.dynamics) not in wanted]
    changes = selection(picks, dynamics=dynamics, marketo=marketo, current=kept, reserved=reserved)
    return attrs.evolve(changes, removed=(*changes.removed, *dropped))


def _same_choice(before: FieldPair, after: FieldPair) -> bool:
    return (before.marketo, before.direction, before.authority) == (after.marketo, after.direction, after.authority)


def _pair(
    pick: Pick, dynamics: DynamicsSchema, marketo: MarketoSchema, reserved: Collection[str]
) -> tuple[FieldPair, NewField | None]:
    spec = _dynamics_field(pick, dynamics)
    name, new = _target(pick, spec, marketo)
    if name in reserved:
        raise FieldError(
            f"{pick.entity}.{pick.dynamics}: mkdyn keeps {name} for itself.", what_to_do="Choose another field."
        )
    target = marketo.get(pick.entity.marketo_object, {}).get(name) if new is None else as_spec(new, spec)
    if target is None:
        near = nearest(name, marketo.get(pick.entity.marketo_object, {}))
        hint = f"; nearest: {near}" if near else ""
        raise UnknownFieldError(
            f"{pick.entity.marketo_object}.{name} is not in Marketo{hint}.",
            what_to_do="Name another one, or have it created: marketo=NewField(…).",
            nearest=near,
        )
    pair = FieldPair(
        pick.entity,
        pick.dynamics,
        name,
        direction=_direction(pick, spec, target),
        authority=pick.authority,
        lens=lens_between(spec, target),
    )
    return pair, new


def _dynamics_field(pick: Pick, dynamics: DynamicsSchema) -> FieldSpec:
    fields = dynamics.get(pick.entity)
    if not fields:
        raise UnknownEntityError(
            f"Dynamics has no table {pick.entity.logical_name}, or the sync user can't see it.",
            what_to_do="Check the name, or give the sync user's role Read on it.",
        )
    spec = fields.get(pick.dynamics)
    if spec is None:
        where = f"{pick.entity}.{pick.dynamics}"
        if pick.marketo is not None or pick.direction is Direction.TO_DYNAMICS:
            raise FieldCreationError(
                f"{where} is not in Dynamics, and no field can be created in Dynamics from Marketo.",
                what_to_do="Create the column in Dynamics, publish it, let the sync user read it, then select it.",
            )
        near = nearest(pick.dynamics, fields)
        raise UnknownFieldError(f"{where} is not in Dynamics{f'; nearest: {near}' if near else ''}.", nearest=near)
    verdict = eligibility(spec)
    if isinstance(verdict, NotEligible):
        raise NotEligibleError(
            f"{pick.entity}.{pick.dynamics} is not eligible: {verdict.reason}.",
            what_to_do=(
                "Let the sync user read it, or leave it out."
                if not spec.readable
                else "Let the sync user read it unmasked, or leave it out."
                if spec.masked
                else "Leave it out."
            ),
        )
    return spec


def _target(pick: Pick, spec: FieldSpec, marketo: MarketoSchema) -> tuple[str, NewField | None]:
    """Return the Marketo field's name, and the field to create if it is not there yet."""
    match pick.marketo:
        case str() as name:
            return name, None
        case NewField() as new:
            if not new.api_name:
                raise FieldError(
                    f"{pick.entity}.{pick.dynamics}: no API name can be made of the new field's label.",
                    what_to_do="Give one: NewField('…', name='…').",
                )
            there = new.api_name in marketo.get(pick.entity.marketo_object, {})
            return new.api_name, None if there else completed(new, pick.entity, spec)
        case None:
            row = standard_row(pick.entity, pick.dynamics)
            if row is not None:
                if row.label is None or row.marketo in marketo.get(pick.entity.marketo_object, {}):
                    return row.marketo, None
                return row.marketo, completed(NewField(row.label, name=row.marketo), pick.entity, spec)
            if isinstance(pick.entity, CustomEntity):  # its custom object is ours to shape
                new = NewField(spec.label or spec.name, name=spec.name)
                there = spec.name in marketo.get(pick.entity.marketo_object, {})
                return spec.name, None if there else completed(new, pick.entity, spec)
            raise UnknownFieldError(
                f"{pick.entity}.{pick.dynamics} has no standard counterpart in Marketo.",
                what_to_do="Name one: Pick(…, marketo='…'), or have one created: Pick(…, marketo=NewField('…')).",
            )
        case _:
            assert_never(pick.marketo)


def _direction(pick: Pick, spec: FieldSpec, target: FieldSpec) -> Direction:
    """Return the pair's direction: the entity's, narrowed by the pick and by what can be written."""
    asked = pick.direction or getattr(standard_row(pick.entity, pick.dynamics), "direction", None)
    direction = narrowed(pick.entity, pick.dynamics, asked)
    can = {
        System.DYNAMICS: isinstance(eligibility(spec), Eligible),
        System.MARKETO: target.writable,
    }
    barred = [system for system in System if direction.writes(system) and not can[system]]
    if not barred:
        return direction
    system = barred[0]
    other = Direction.TO_MARKETO if system is System.DYNAMICS else Direction.TO_DYNAMICS
    open_otherwise = can[system.other] and direction_of(pick.entity) is Direction.BOTH
    if open_otherwise and asked is None:
        return other
    raise OneWayError(
        f"{pick.entity}.{pick.dynamics}: the sync user can't write it in {system}.",
        what_to_do=(
            f"It can sync {other}: choose that direction."
            if open_otherwise and pick.direction is not None
            else "Let it write there, or leave it out."
        ),
    )


def nearest(name: str, names: Iterable[str]) -> str | None:
    """Return the most similar of *names*, or None."""
    return next(iter(get_close_matches(name, list(names))), None)


def reselected(pair: FieldPair, times: int, *, populated: bool, before: FieldPair | None = None) -> FieldPair:
    """Return a selected pair as it starts: with a baseline of its own, and a backfill if records are linked.

    Args:
        pair: What was selected.
        times: How often the field has been selected before.
        populated: Whether the entity has links already.
        before: The pair it replaces, if any; with the same Marketo field it goes on where it was, if it was syncing.
    """
    if before is not None and before.marketo == pair.marketo and before.state.syncs:
        return attrs.evolve(pair, selection=before.selection, state=before.state, late=before.late)
    backfill = populated and pair.direction.writes(System.MARKETO)
    return attrs.evolve(pair, selection=times + 1, state=PairState.BACKFILLING if backfill else PairState.ACTIVE)
