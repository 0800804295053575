"""What one pick comes to: a pair of fields, or everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import ParamSpec, TypeVar, assert_never

import attrs

from mkdyn.domain.creation import as_spec, completed
from mkdyn.domain.directions import Direction, direction_of, narrowed
from mkdyn.domain.entities import ENTITY_NAMES, AnyEntity, CustomEntity
from mkdyn.domain.fields import MARKETO_NAME, FieldPair, FieldSpec, NewField
from mkdyn.domain.lenses.matrix import lens_between
from mkdyn.domain.mapping import standard_row
from mkdyn.domain.names import nearest, nearest_hint
from mkdyn.domain.registry import DynamicsSchema, Eligible, MarketoSchema, NotEligible, Pick, eligibility
from mkdyn.domain.systems import System
from mkdyn.errors import (
    FieldCreationError,
    FieldError,
    NotEligibleError,
    OneWayError,
    UnknownEntityError,
    UnknownFieldError,
)

P = ParamSpec("P")
T = TypeVar("T")


@attrs.frozen(kw_only=True)
class Pairing:
    """What one pick comes to.

    Attributes:
        target: Its Marketo field as it is or will be, if it was found.
        new: The same, where it is to be created first.
        pair: The pair; None where something is wrong with it.
        faults: What is wrong with it.
    """

    target: FieldSpec | None = None
    new: NewField | None = None
    pair: FieldPair | None = None
    faults: tuple[FieldError, ...] = ()


def paired(pick: Pick, dynamics: DynamicsSchema, marketo: MarketoSchema, reserved: Collection[str]) -> Pairing:
    """Find a pick's two fields, its direction and its lens.

    A program that asks for a field Dynamics does not have is told that and nothing else (M4); of a file, everything
    that is wrong is told at once.
    """
    faults: list[FieldError] = []
    ours = _noted(faults, _dynamics_field, pick, dynamics)
    if ours is None and (pick.line is None or not dynamics.get(pick.entity)):
        return Pairing(faults=tuple(faults))
    asked = _noted(faults, narrowed, pick.entity, pick.dynamics, _asked(pick))
    found = _noted(faults, _marketo_field, pick, ours, marketo, reserved)
    if found is None:
        return Pairing(faults=tuple(faults))
    target, new = found
    pair = None if ours is None else _fitted(pick, ours, target, asked, faults)
    return Pairing(target=target, new=new, pair=pair, faults=tuple(faults))


def _noted(faults: list[FieldError], find: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | None:
    """Return what is found; where that is a fault, note it and go on."""
    try:
        return find(*args, **kwargs)
    except FieldError as fault:
        faults.append(fault)
        return None


def _fitted(
    pick: Pick, ours: FieldSpec, target: FieldSpec, asked: Direction | None, faults: list[FieldError]
) -> FieldPair | None:
    """Return the pair of two fields, unless their rights or types forbid it."""
    lens = _noted(faults, lens_between, ours, target)
    direction = None if asked is None else _noted(faults, _direction, pick, asked, ours, target)
    if direction is None or lens is None:
        return None
    return FieldPair(pick.entity, pick.dynamics, target.name, direction=direction, authority=pick.authority, lens=lens)


def _dynamics_field(pick: Pick, dynamics: DynamicsSchema) -> FieldSpec:
    fields = dynamics.get(pick.entity)
    if not fields:
        raise unknown_table(pick.entity)
    spec = fields.get(pick.dynamics)
    if spec is None:
        where = f"{pick.entity}.{pick.dynamics}"
        near = nearest(pick.dynamics, fields)
        if pick.marketo is not None or pick.direction is Direction.TO_DYNAMICS:
            raise FieldCreationError(
                f"{where} is not in Dynamics{f' (nearest: {near})' if near else ''}, "
                "and no field can be created in Dynamics from Marketo.",
                what_to_do="Create the column in Dynamics, publish it, let the sync user read it, then select it.",
                nearest=near,
            )
        raise UnknownFieldError(
            f"{where} is not in Dynamics{f'; nearest: {near}' if near else ''}.",
            nearest=near,
            what_to_do="" if near else "See which there are: fields.candidates.",
        )
    verdict = eligibility(spec)
    if isinstance(verdict, NotEligible):
        raise NotEligibleError(
            f"{pick.entity}.{pick.dynamics} is not eligible: {verdict.reason}.",
            what_to_do=_way_out(spec),
        )
    return spec


def _way_out(spec: FieldSpec) -> str:
    if not spec.readable:
        return "Let the sync user read it, or leave it out."
    return "Let the sync user read it unmasked, or leave it out." if spec.masked else "Leave it out."


def unknown_table(entity: AnyEntity) -> UnknownEntityError:
    """Return the error of an entity that Dynamics describes no field of."""
    others = [name for name, known in ENTITY_NAMES.items() if known is not entity]
    hint = nearest_hint(entity.logical_name, others)
    return UnknownEntityError(
        f"Dynamics has no table {entity.logical_name}, or the sync user can't see it{hint}.",
        what_to_do="Check the name, or give the sync user's role Read on it.",
    )


def _marketo_field(
    pick: Pick, ours: FieldSpec | None, marketo: MarketoSchema, reserved: Collection[str]
) -> tuple[FieldSpec, NewField | None] | None:
    """Return the Marketo field, and the field to create if it is not there yet; None where *ours* would decide it."""
    fields = marketo.get(pick.entity.marketo_object, {})
    wanted = _wanted(pick, ours)
    if wanted is None:
        return None
    name = wanted if isinstance(wanted, str) else wanted.api_name
    if name in reserved:
        raise FieldError(
            f"{pick.entity}.{pick.dynamics}: mkdyn keeps {name} for itself.", what_to_do="Choose another field."
        )
    if name in fields:
        return fields[name], None
    if isinstance(wanted, NewField):
        new = completed(wanted, pick.entity, pick.dynamics, ours)
        return None if ours is None else (as_spec(new, ours), new)
    near = nearest(name, fields)
    raise UnknownFieldError(
        f"{pick.entity.marketo_object}.{name} is not in Marketo{f'; nearest: {near}' if near else ''}.",
        what_to_do="Name another one, or have one created.",
        nearest=near,
    )


def _wanted(pick: Pick, ours: FieldSpec | None) -> str | NewField | None:
    """Return the Marketo field's name, or the field that is to be there; None where *ours* would decide it."""
    match pick.marketo:
        case str() as name:
            return name
        case NewField() as new:
            if not MARKETO_NAME.fullmatch(new.api_name):
                made = (
                    f"no API name can be made of {new.label!r}" if new.name is None else f"{new.name!r} is no API name"
                )
                raise FieldError(
                    f"{pick.entity}.{pick.dynamics}: {made}.",
                    what_to_do="Give the new field a name, too: a letter first; then letters, digits and _.",
                )
            return new
        case None:
            return None if ours is None else _counterpart(pick, ours)
        case _:
            assert_never(pick.marketo)


def _counterpart(pick: Pick, ours: FieldSpec) -> str | NewField:
    """Return the standard counterpart, or a custom entity's own."""
    row = standard_row(pick.entity, pick.dynamics)
    if row is not None:
        return row.marketo if row.label is None else NewField(row.label, name=row.marketo)
    if isinstance(pick.entity, CustomEntity):  # its custom object is ours to shape
        return NewField(ours.label or ours.name, name=ours.name)
    raise UnknownFieldError(
        f"{pick.entity}.{pick.dynamics} has no standard counterpart in Marketo.",
        what_to_do="Name one, or have one created.",
    )


def _asked(pick: Pick) -> Direction | None:
    """Return the direction that the pick or the standard mapping asks for."""
    return pick.direction or getattr(standard_row(pick.entity, pick.dynamics), "direction", None)


def _direction(pick: Pick, direction: Direction, spec: FieldSpec, target: FieldSpec) -> Direction:
    """Return the pair's direction, narrowed by what can be written."""
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
    if open_otherwise and _asked(pick) is None:
        return other
    raise OneWayError(
        f"{pick.entity}.{pick.dynamics}: the sync user can't write it in {system}.",
        what_to_do=(
            f"It can sync {other}: choose that direction."
            if open_otherwise and pick.direction is not None
            else "Let it write there, or leave it out."
        ),
    )
