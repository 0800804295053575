"""Which fields are eligible, and which pairs a selection comes to (M4, M5, M6)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

import attrs

from mkdyn.domain.directions import Direction, direction_of
from mkdyn.domain.entities import AnyEntity, Entity
from mkdyn.domain.fields import FieldPair, FieldSpec, Nature, NewField, new_field
from mkdyn.domain.systems import System
from mkdyn.domain.types import NEVER


@attrs.frozen
class Eligible:
    """The field can be synced in its entity's direction."""

    def __str__(self) -> str:
        return "eligible"


@attrs.frozen
class EligibleToMarketo:
    """The field can be read but not written in Dynamics, and why."""

    reason: str

    def __str__(self) -> str:
        return str(Direction.TO_MARKETO)


@attrs.frozen(repr=False)
class NotEligible:
    """The field can't be synced, and why."""

    reason: str

    def __repr__(self) -> str:
        return f"NotEligible({self.reason!r})"

    def __str__(self) -> str:
        return "not eligible"


Eligibility: TypeAlias = Eligible | EligibleToMarketo | NotEligible


_BARRED: Final[Mapping[Nature, str]] = {
    "part": "part of another field, which can be selected itself",
    "virtual": "Dynamics keeps no value of its own for it",
    "system": "Dynamics keeps it for itself",
}
_COMPUTED: Final[Mapping[Nature, str]] = {"calculated": "calculated by Dynamics", "rolled-up": "rolled up by Dynamics"}


def eligibility(field: FieldSpec) -> Eligibility:
    """Decide whether a Dynamics field can be synced, as this user sees it (M5)."""
    if field.nature in _BARRED:
        return NotEligible(_BARRED[field.nature])
    secured = "secured; " if field.secured else ""
    if not field.readable:
        return NotEligible(f"{secured}the sync user may not read it")
    if field.masked:
        return NotEligible(f"{secured}the sync user is shown masks of its values")
    if field.type in NEVER:
        return NotEligible(NEVER[field.type])
    if field.nature in _COMPUTED:
        return EligibleToMarketo(_COMPUTED[field.nature])
    if not field.writable:
        return EligibleToMarketo(f"{secured}the sync user may not write it")
    return Eligible()


@attrs.frozen
class Pick:
    """A field to sync.

    Attributes:
        entity: Whose field.
        dynamics: Its name in Dynamics.
        marketo: Its Marketo field: a name, or a field to create; by default the standard mapping's.
        direction: Narrower than the entity's own, if given.
        authority: The system that wins this field's collisions, whatever the policy says.
        line: Where it stands in the file it was read from, for messages.
    """

    entity: AnyEntity
    dynamics: str
    marketo: str | NewField | None = attrs.field(default=None, kw_only=True)
    direction: Direction | None = attrs.field(default=None, kw_only=True)
    authority: System | None = attrs.field(default=None, kw_only=True)
    line: int | None = attrs.field(default=None, kw_only=True, eq=False, repr=False)


@attrs.frozen(kw_only=True)
class Candidate:
    """A Dynamics field that could be selected, or why it can't.

    Attributes:
        entity: Whose field.
        field: The field as Dynamics describes it.
        eligibility: Whether it can be synced.
        marketo: Its counterpart by the standard mapping, if it has one.
    """

    entity: AnyEntity
    field: FieldSpec
    eligibility: Eligibility
    marketo: str | None = None

    @property
    def eligible(self) -> bool:
        """Whether it can be synced, if only one way."""
        return not isinstance(self.eligibility, NotEligible)

    def pick(self, *, direction: Direction | None = None, authority: System | None = None) -> Pick:
        """Return the pick of this field: with its standard counterpart, or a Marketo field named by its label.

        Args:
            direction: Narrower than the entity's own, if given.
            authority: The system that wins this field's collisions, whatever the policy says.
        """
        new: NewField | None = None
        if self.marketo is None and isinstance(self.entity, Entity):  # a custom entity's fields have names of their own
            new = new_field(self.field.label or self.field.name, self.field.name)
        return Pick(self.entity, self.field.name, marketo=new, direction=direction, authority=authority)

    def __str__(self) -> str:
        if isinstance(self.eligibility, Eligible):
            way, why = str(direction_of(self.entity)), ""
        else:
            way, why = str(self.eligibility), self.eligibility.reason
        name = f"{self.entity}.{self.field.name}"
        return f"{name:<19} {self.field.shape:<11} {way:<25} {self.marketo or '-':<8} {why}".rstrip()


#: Fields by name, by entity (Dynamics) or by object (Marketo).
DynamicsSchema: TypeAlias = Mapping[AnyEntity, Mapping[str, FieldSpec]]
MarketoSchema: TypeAlias = Mapping[str, Mapping[str, FieldSpec]]


@attrs.frozen(kw_only=True)
class FieldChanges:
    """What a selection changed.

    Attributes:
        added: Pairs that are new.
        removed: Pairs that are gone.
        unchanged: Pairs that stay as they were.
        created: Marketo fields to create first, by object.
    """

    added: tuple[FieldPair, ...] = ()
    removed: tuple[FieldPair, ...] = ()
    unchanged: tuple[FieldPair, ...] = ()
    created: tuple[tuple[str, NewField], ...] = ()

    def __str__(self) -> str:
        return f"{len(self.added)} added · {len(self.removed)} removed · {len(self.unchanged)} unchanged"
