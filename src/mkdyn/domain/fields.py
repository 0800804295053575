"""One system's field, a pair of two, and what may be paired with what."""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

import attrs

from mkdyn.domain.directions import Direction, direction_of, narrowed
from mkdyn.domain.entities import AnyEntity
from mkdyn.domain.lenses.lens import IDENTITY, Lens
from mkdyn.domain.systems import System
from mkdyn.domain.types import FieldType
from mkdyn.domain.values import FieldValue

#: Where a field's values come from, if not from people: `part` of another column, which shows them, too.
Nature: TypeAlias = Literal["entered", "calculated", "rolled-up", "system", "virtual", "part"]


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
        choices: A choice's numbers and labels, in the language of this user.
        translations: The same in every language there is, by Windows language id.
        default: What it shows where nobody entered anything (booleans).
        required: Whether a record needs it to be created.
        readable: Whether this user may read it.
        writable: Whether this user may write it.
        secured: Whether column security decides who may read and write it.
        masked: Whether this user is shown something else than the values: a mask of them.
        nature: Where its values come from.
        targets: The tables a lookup points to.
        api_created: Whether an API created it (Marketo, which takes so many), where that is known.
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
    translations: Mapping[int, Mapping[int, str]] = attrs.field(factory=dict[int, Mapping[int, str]])
    default: FieldValue = None
    required: bool = False
    readable: bool = True
    writable: bool = True
    secured: bool = False
    masked: bool = False
    nature: Nature = "entered"
    targets: tuple[str, ...] = ()
    api_created: bool = False
    id: str | None = None

    @property
    def shape(self) -> str:
        """Type and size in a word, as in `text(100)`."""
        return f"{self.type}({self.length})" if self.length is not None else self.type

    def labels(self, language: int) -> Mapping[int, str]:
        """Return a choice's labels in a language; where there is none, in the language of this user."""
        return {**self.choices, **self.translations.get(language, {})}


@attrs.frozen
class NewField:
    """A field to be created in Marketo.

    Attributes:
        label: The name people see.
        name: Its API name; by default made of the label, as Marketo does.
        type: What it holds; by default chosen to fit the Dynamics field.
    """

    label: str
    name: str | None = attrs.field(default=None, kw_only=True)
    type: FieldType | None = attrs.field(default=None, kw_only=True)

    @property
    def api_name(self) -> str:
        """The given name, or the label in camel case."""
        if self.name is not None:
            return self.name
        words = "".join(char if char.isascii() and char.isalnum() else " " for char in self.label).split()
        return "".join(word.lower() if place == 0 else word.capitalize() for place, word in enumerate(words))


#: What Marketo takes as the API name of a new field.
MARKETO_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


def new_field(label: str, otherwise: str) -> NewField:
    """Return a new field of that label; where no API name can be made of it, it has the other name."""
    new = NewField(label)
    return new if MARKETO_NAME.fullmatch(new.api_name) else NewField(label, name=otherwise)


class PairState(enum.Enum):
    """Where a selected pair is in its life."""

    BACKFILLING = "backfilling"
    ACTIVE = "active"
    MISSING = "missing"  # one of its fields is not there
    BLOCKED = "blocked"  # both are there, and one can't be used

    @property
    def syncs(self) -> bool:
        """Whether a pair in this state is synced."""
        return self in (PairState.BACKFILLING, PairState.ACTIVE)

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
        reason: Why it does not sync, if it is missing or blocked.
        selection: How often the field has been selected; baselines belong to one selection.
        late: Whether records that were linked before it was selected may have no baseline of it: its backfill was of
            some days only. Dynamics' value stands there, if it has one.

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
    reason: str = attrs.field(default="", kw_only=True)
    selection: int = attrs.field(default=1, kw_only=True)
    late: bool = attrs.field(default=False, kw_only=True)

    def __attrs_post_init__(self) -> None:
        narrowed(self.entity, self.dynamics, self.direction)  # no pair of a one-way entity writes in Dynamics

    @property
    def key(self) -> str:
        """The name under which this selection's baseline is kept."""
        return self.dynamics if self.selection == 1 else f"{self.dynamics}#{self.selection}"

    def object_in(self, system: System) -> str:
        """Return what *system* calls the object that has the field."""
        return self.entity.logical_name if system is System.DYNAMICS else self.entity.marketo_object

    def field_in(self, system: System) -> str:
        """Return what *system* calls the field."""
        return self.dynamics if system is System.DYNAMICS else self.marketo
