"""Who may write to whom (M1, M2), and where a field may be created (M4)."""

from __future__ import annotations

import enum

from mkdyn.domain.entities import AnyEntity, is_person
from mkdyn.domain.systems import System
from mkdyn.errors import OneWayError


class Direction(enum.Enum):
    """Which way a field's values travel."""

    BOTH = "both"
    TO_MARKETO = "to_marketo"
    TO_DYNAMICS = "to_dynamics"

    def writes(self, system: System) -> bool:
        """Whether values may be written to *system*."""
        if self is Direction.BOTH:
            return True
        return (self is Direction.TO_MARKETO) == (system is System.MARKETO)

    def __repr__(self) -> str:
        return f"Direction.{self.name}"

    def __str__(self) -> str:
        return _WORDS[self]


_WORDS = {
    Direction.BOTH: "both ways",
    Direction.TO_MARKETO: "Dynamics → Marketo only",
    Direction.TO_DYNAMICS: "Marketo → Dynamics only",
}


def direction_of(entity: AnyEntity) -> Direction:
    """Return the widest direction the mission allows for *entity*."""
    return Direction.BOTH if is_person(entity) else Direction.TO_MARKETO


def may_create_field(system: System) -> bool:
    """Whether mkdyn may create a field in *system*: never in Dynamics."""
    return system is System.MARKETO


def narrowed(entity: AnyEntity, field: str, asked: Direction | None) -> Direction:
    """Return the direction of one field: the entity's, or a narrower one asked for.

    Raises:
        OneWayError: *asked* is wider than the entity's own direction.
    """
    widest = direction_of(entity)
    if asked is None or asked is widest or widest is Direction.BOTH:
        return asked or widest
    raise OneWayError(f"{entity}.{field}: {entity.plural} sync {widest}.", what_to_do="Leave direction out.")
