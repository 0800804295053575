"""One system's field, a pair of two, and what may be paired with what."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

import attrs

from mkdyn.domain.directions import Direction, direction_of, narrowed
from mkdyn.domain.entities import AnyEntity
from mkdyn.domain.systems import System
from mkdyn.domain.values import (
    IDENTITY,
    FieldValue,
    Lens,
    boolean_lens,
    choice_lens,
    date_lens,
    datetime_lens,
    decimal_lens,
    integer_lens,
    reference_lens,
    text_lens,
)
from mkdyn.errors import TypeMismatchError

#: What a field holds, in one vocabulary for both systems.
FieldType: TypeAlias = Literal[
    "text", "integer", "decimal", "float", "boolean", "choice", "datetime", "date", "lookup", "guid", "unsupported"
]

_TEXTS: Final = frozenset({"text", "guid"})
_NUMBERS: Final = frozenset({"decimal", "float"})


@attrs.frozen(kw_only=True)
class FieldSpec:
    """One field as one system describes it to this user.

    Attributes:
        name: The system's own name of it.
        type: What it holds.
        label: The name people see.
        length: The most characters a text takes, or None.
        precision: Decimal places of a number, or None.
        minimum: The least number it takes, or None.
        maximum: The greatest number it takes, or None.
        choices: A choice's numbers and labels.
        default: What it shows where nobody entered anything (booleans).
        required: Whether a record needs it to be created.
        readable: Whether this user may read it.
        writable: Whether this user may write it.
        calculated: Whether the system computes it (calculated, rolled up).
        targets: The tables a lookup points to.
        id: The system's lasting identity of the field, if it has one.
    """

    name: str
    type: FieldType
    label: str = ""
    length: int | None = None
    precision: int | None = None
    minimum: float | None = None
    maximum: float | None = None
    choices: Mapping[int, str] = attrs.field(factory=dict[int, str])
    default: FieldValue = None
    required: bool = False
    readable: bool = True
    writable: bool = True
    calculated: bool = False
    targets: tuple[str, ...] = ()
    id: str | None = None

    @property
    def shape(self) -> str:
        """Type and size in a word, as in `text(100)`."""
        return f"{self.type}({self.length})" if self.length is not None else self.type


@attrs.frozen
class NewField:
    """A field to be created in Marketo.

    Attributes:
        label: The name people see.
        name: Its API name; by default made of the label, as Marketo does.
        type: What it holds; by default chosen to fit the Dynamics field.
        length: The most characters a text takes.
    """

    label: str
    name: str | None = attrs.field(default=None, kw_only=True)
    type: FieldType | None = attrs.field(default=None, kw_only=True)
    length: int | None = attrs.field(default=None, kw_only=True)

    @property
    def api_name(self) -> str:
        """The given name, or the label in camel case."""
        if self.name is not None:
            return self.name
        words = "".join(char if char.isascii() and char.isalnum() else " " for char in self.label).split()
        return "".join(word.lower() if place == 0 else word.capitalize() for place, word in enumerate(words))


class PairState(enum.Enum):
    """Where a selected pair is in its life."""

    BACKFILLING = "backfilling"
    ACTIVE = "active"
    MISSING = "missing"

    def __repr__(self) -> str:
        return f"PairState.{self.name}"

    def __str__(self) -> str:
        return self.value


@attrs.frozen
class FieldPair:
    """A Dynamics field and its Marketo field.

    Attributes:
        entity: Whose records have it.
        dynamics: The field's name in Dynamics.
        marketo: The field's name in Marketo.
        direction: Which way values travel.
        authority: The system that wins every collision of this pair, whatever the policy says.
        lens: How values look in the other system.
        state: Where the pair is in its life.
        selection: How often the field has been selected; baselines belong to one selection.

    Raises:
        OneWayError: The direction is wider than the entity's.
    """

    entity: AnyEntity
    dynamics: str
    marketo: str
    direction: Direction = attrs.field(
        default=attrs.Factory(lambda self: direction_of(self.entity), takes_self=True), kw_only=True
    )
    authority: System | None = attrs.field(default=None, kw_only=True)
    lens: Lens = attrs.field(default=IDENTITY, kw_only=True, repr=False)
    state: PairState = attrs.field(default=PairState.ACTIVE, kw_only=True)
    selection: int = attrs.field(default=1, kw_only=True)

    def __attrs_post_init__(self) -> None:
        narrowed(self.entity, self.dynamics, self.direction)  # no pair of a one-way entity writes in Dynamics

    @property
    def key(self) -> str:
        """The name under which this selection's baseline is kept."""
        return self.dynamics if self.selection == 1 else f"{self.dynamics}#{self.selection}"


def lens_between(dynamics: FieldSpec, marketo: FieldSpec) -> Lens:
    """Return the lens between the two fields' types.

    Raises:
        TypeMismatchError: There is none.
    """
    match (dynamics.type, marketo.type):
        case (left, "text") if left in _TEXTS:
            return text_lens(dynamics_length=dynamics.length, marketo_length=marketo.length)
        case ("integer", "integer"):
            return integer_lens(
                minimum=-(2**31) if dynamics.minimum is None else int(dynamics.minimum),
                maximum=2**31 - 1 if dynamics.maximum is None else int(dynamics.maximum),
            )
        case (left, right) if left in _NUMBERS and right in _NUMBERS:
            return decimal_lens(
                precision=10 if dynamics.precision is None else dynamics.precision,
                minimum=-1e11 if dynamics.minimum is None else dynamics.minimum,
                maximum=1e11 if dynamics.maximum is None else dynamics.maximum,
            )
        case ("boolean", "boolean"):
            return boolean_lens(dynamics_default=bool(dynamics.default))
        case ("datetime", "datetime"):
            return datetime_lens()
        case ("date", "date"):
            return date_lens()
        case ("choice", "text"):
            return choice_lens(dynamics.choices)
        case ("lookup", "text"):
            return reference_lens()
        case _:
            raise TypeMismatchError(
                f"{dynamics.name} ({dynamics.shape} in Dynamics) does not fit {marketo.name} "
                f"({marketo.shape} in Marketo).",
                what_to_do=f"Map it to a Marketo field of type {counterpart_type(dynamics)}.",
            )


def counterpart_type(dynamics: FieldSpec) -> FieldType:
    """Return the type that a Marketo field needs to hold *dynamics*."""
    match dynamics.type:
        case "guid" | "choice" | "lookup" | "text":
            return "text"
        case "decimal" | "float":
            return "float"
        case other:
            return other
