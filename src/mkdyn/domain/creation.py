"""Which fields Marketo creates when its API is asked to, and what it refuses; a field made so can't be deleted by it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import attrs

from mkdyn.domain.entities import PERSON, AnyEntity, CustomEntity, Entity
from mkdyn.domain.fields import MARKETO_NAME, FieldSpec, NewField
from mkdyn.domain.lenses.matrix import counterpart_type
from mkdyn.domain.types import CREATABLE, CREATABLE_IN_CUSTOM, MARKETO_LENGTH, TEXTS
from mkdyn.errors import FieldError, TypeMismatchError

#: How many of a person's fields the API creates in one instance, ever (source: Adobe, "Leads", field limits).
CREATED_MAX: Final = 100
#: How many fields a custom object has at the most (source: Adobe, "Custom objects").
CUSTOM_FIELDS_MAX: Final = 50
#: Objects of Marketo's own beside persons; no limit of theirs is published.
_STANDARD: Final = frozenset(entity.marketo_object for entity in (Entity.ACCOUNT, Entity.OPPORTUNITY, Entity.USER))


def completed(new: NewField, entity: AnyEntity, name: str, dynamics: FieldSpec | None) -> NewField:
    """Return the field to create with its name, and a type that Marketo creates and that holds the Dynamics field.

    Args:
        new: What is asked for.
        entity: Whose field.
        name: The Dynamics field's name.
        dynamics: The Dynamics field; None where there is none, and the type asked for is all there is to look at.

    Raises:
        TypeMismatchError: Marketo creates no field of the type asked for.
    """
    creatable = CREATABLE_IN_CUSTOM if isinstance(entity, CustomEntity) or entity is Entity.TEAM else CREATABLE
    kind = new.type or (None if dynamics is None else counterpart_type(dynamics, creatable))
    if kind not in creatable and kind is not None:
        raise TypeMismatchError(
            f"{entity}.{name}: Marketo creates no field of type {kind} there.",
            what_to_do=f"Take one of {', '.join(sorted(creatable))}, or create the field in Marketo and name it.",
        )
    return attrs.evolve(new, name=new.api_name, type=kind)


def as_spec(new: NewField, dynamics: FieldSpec) -> FieldSpec:
    """Return the field to create as Marketo will describe it."""
    kind = new.type or dynamics.type
    return FieldSpec(name=new.api_name, type=kind, label=new.label, length=MARKETO_LENGTH if kind in TEXTS else None)


def is_field_name(name: str) -> bool:
    """Whether Marketo takes it as a field's name: a letter, then letters, digits and underscores."""
    return MARKETO_NAME.fullmatch(name) is not None


def refusals(
    created: Iterable[tuple[str, NewField]], marketo: Mapping[str, Mapping[str, FieldSpec]]
) -> Sequence[FieldError]:
    """Return why Marketo would refuse fields, so that none of them is created before all can be.

    Args:
        created: The fields to create, each with its object.
        marketo: Fields as Marketo describes them, by object.
    """
    by_object: dict[str, list[NewField]] = {}
    for name, new in created:
        by_object.setdefault(name, []).append(new)
    return [
        fault
        for name, fields in by_object.items()
        for fault in _refused(name, fields, tuple(marketo.get(name, {}).values()))
    ]


def _refused(object: str, fields: Sequence[NewField], there: Sequence[FieldSpec]) -> Iterable[FieldError]:
    kinds: dict[str, NewField] = {}
    labels = {spec.label.casefold(): spec.name for spec in there}
    for new in fields:
        yield from _refused_alone(object, new, kinds.setdefault(new.api_name, new), labels)
    if object not in _STANDARD:
        yield from _too_many(object, len(kinds), there)


def _refused_alone(object: str, new: NewField, twin: NewField, labels: dict[str, str]) -> Iterable[FieldError]:
    name = new.api_name
    if not is_field_name(name):
        yield FieldError(
            f"{name!r} is no name for a Marketo field.", what_to_do="Start with a letter; use a-z, 0-9, _."
        )
    if new.type != twin.type:
        yield TypeMismatchError(
            f"{object}.{name} would be created twice, as {twin.type} and as {new.type}.",
            what_to_do="Give one of them another name, or both the same type.",
        )
    holder = labels.setdefault(new.label.casefold(), name)
    if holder != name:
        yield FieldError(
            f"{object}.{name}: {holder} has the label {new.label!r} already, and Marketo takes it once.",
            what_to_do=f"Choose another label, or pick {holder}.",
        )


def _too_many(object: str, asked: int, there: Sequence[FieldSpec]) -> Iterable[FieldError]:
    if object == PERSON:
        used, limit = sum(spec.api_created for spec in there), CREATED_MAX
        what = f"Marketo's API creates {limit} fields of persons and no more"
    else:
        used, limit = sum(spec.writable for spec in there) or 1, CUSTOM_FIELDS_MAX  # a new one has its key
        what = f"Marketo's object {object} has {limit} fields at the most"
    if used + asked > limit:
        yield FieldError(
            f"{what}: {used} are there, {asked} asked for.",
            what_to_do="Pick fewer, or create fields in Marketo yourself and name them.",
        )
