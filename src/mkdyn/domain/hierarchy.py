"""Tables of your own and the records that theirs belong to: what a selection of them must come to. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from mkdyn.domain.entities import AnyEntity, CustomEntity
from mkdyn.domain.registry import DynamicsSchema, Pick
from mkdyn.domain.types import REFERENCES
from mkdyn.errors import FieldError, HierarchyError

#: How far below a standard entity a table of your own may be.
LEVELS_MAX: Final = 2


def with_parents(picks: Sequence[Pick]) -> Sequence[Pick]:
    """Return picks with the columns that name the parents of their records, where they are not picked themselves."""
    named = {(pick.entity, pick.dynamics) for pick in picks}
    lines: dict[CustomEntity, int | None] = {}
    for pick in picks:
        if isinstance(pick.entity, CustomEntity):
            lines.setdefault(pick.entity, pick.line)
    missing = [
        Pick(entity, entity.via, line=line)
        for entity, line in lines.items()
        if entity.parent is not None and entity.via is not None and (entity, entity.via) not in named
    ]
    return [*picks, *missing]


def hierarchy_faults(
    entities: Iterable[AnyEntity],
    *,
    lines: Mapping[AnyEntity, int | None] | None = None,
    dynamics: DynamicsSchema | None = None,
) -> Sequence[FieldError]:
    """Return what is wrong with the tables of your own among all entities that would sync, and their parents.

    Args:
        entities: Those that would sync.
        lines: Where each stands in the file that it was read from.
        dynamics: Fields as Dynamics describes them, where the columns that name parents are to be judged, too.
    """
    there = set(entities)
    customs = sorted((entity for entity in there if isinstance(entity, CustomEntity)), key=str)
    above = {
        one.logical_name: one.parent.logical_name
        for entity in customs
        for one in _line_of(entity)
        if one.parent is not None
    }
    told: set[str] = set()
    faults: list[FieldError] = []
    for entity in customs:
        fault = (
            _circle(entity.logical_name, above) or _twice(entity, customs) or _misplaced(entity, there, dynamics or {})
        )
        if fault is not None and str(fault) not in told:
            told.add(str(fault))
            fault.line = (lines or {}).get(entity)
            faults.append(fault)
    return faults


def _line_of(entity: AnyEntity | None) -> Iterator[CustomEntity]:
    """Yield a table of your own, and those above it."""
    while isinstance(entity, CustomEntity):
        yield entity
        entity = entity.parent


def _twice(entity: CustomEntity, customs: Iterable[CustomEntity]) -> HierarchyError | None:
    """Return the fault of a table that others, or their children, know with other facts."""
    name = entity.logical_name
    known = {one for other in customs for one in _line_of(other) if one.logical_name == name}
    if known == {entity}:
        return None
    return HierarchyError(
        f"{name} is defined in two ways: its parent, the column that names it and its object must be the same.",
        what_to_do="Define it once, and use that everywhere.",
    )


def _circle(name: str, above: Mapping[str, str]) -> HierarchyError | None:
    """Return the fault of a table that comes to be above itself."""
    passed = [name]
    while (following := above.get(passed[-1])) is not None and following not in passed:
        passed.append(following)
    if following is None:
        return None
    circle = passed[passed.index(following) :]
    start = circle.index(min(circle))  # whichever of them is looked at, it is one circle
    words = " belongs to ".join([*circle[start:], *circle[:start], circle[start]])
    return HierarchyError(
        f"The tables go round in a circle: {words}.",
        what_to_do=f"Give one of them no parent: CustomEntity({circle[start]!r}).",
    )


def _misplaced(entity: CustomEntity, there: set[AnyEntity], dynamics: DynamicsSchema) -> HierarchyError | None:
    """Return what is wrong with a table's parent, or with the column that names it."""
    name, parent = entity.logical_name, entity.parent
    if parent is None:
        return None
    if len(list(_line_of(entity))) > LEVELS_MAX:
        lines = " belongs to ".join(one.logical_name for one in _line_of(entity))
        return HierarchyError(
            f"{lines}: that is more than {LEVELS_MAX} levels.",
            what_to_do=f"Give {name} a parent that is nearer, or none.",
        )
    if entity.via is None:
        return HierarchyError(
            f"{name} belongs to {parent}, but no column says to which one.",
            what_to_do=f"Name the lookup: CustomEntity({name!r}, parent=…, via=…).",
        )
    if parent not in there:
        return HierarchyError(
            f"{name} belongs to {parent}, which does not sync.",
            what_to_do=f"Select a field of {parent}, too, or give {name} no parent.",
        )
    column = dynamics.get(entity, {}).get(entity.via)
    if column is not None and (
        column.type not in REFERENCES or (column.targets and parent.logical_name not in column.targets)
    ):
        names = f"names {', '.join(column.targets)}" if column.targets else f"is a {column.type}"
        return HierarchyError(
            f"{name}.{entity.via} {names}, not {parent}.",
            what_to_do=f"Take the lookup that names the {parent}, or another parent.",
        )
    return None
