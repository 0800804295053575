"""The seven kinds of things a sync knows: six by name, the seventh yours."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, TypeGuard

import attrs


class Entity(enum.Enum):
    """A kind of record with a standard counterpart in Marketo.

    The value is Dynamics' logical name of the table.
    """

    LEAD = "lead"
    CONTACT = "contact"
    ACCOUNT = "account"
    USER = "systemuser"
    OPPORTUNITY = "opportunity"
    TEAM = "team"

    if not TYPE_CHECKING:  # whose word for it would be ambiguous
        __hash__ = object.__hash__  # see System

    @property
    def logical_name(self) -> str:
        """Dynamics' name of the table."""
        return self._value_  # not `value`, which takes a while to come to the same

    @property
    def marketo_object(self) -> str:
        """Marketo's name of the object; teams are a custom object there."""
        return _MARKETO_OBJECTS[self]

    @property
    def plural(self) -> str:
        """The word for several of them, in messages."""
        return "opportunities" if self is Entity.OPPORTUNITY else f"{self}s"

    def __repr__(self) -> str:
        return f"Entity.{self.name}"

    def __str__(self) -> str:
        return self.name.lower()


_MARKETO_OBJECTS: Final = {
    Entity.LEAD: "lead",
    Entity.CONTACT: "lead",
    Entity.ACCOUNT: "company",
    Entity.USER: "salesperson",
    Entity.OPPORTUNITY: "opportunity",
    Entity.TEAM: "dynamicsTeam_c",
}


@attrs.frozen(repr=False)
class CustomEntity:
    """A Dynamics table of your own, synced one way into a Marketo custom object.

    Attributes:
        logical_name: Dynamics' name of the table, as in `new_subscription`.
        parent: The entity whose records it belongs to, if any.
        via: The lookup column that names the parent.
        marketo: API name of the custom object; by default the logical name with `_c`.
    """

    logical_name: str
    parent: AnyEntity | None = attrs.field(default=None, kw_only=True)
    via: str | None = attrs.field(default=None, kw_only=True)
    marketo: str | None = attrs.field(default=None, kw_only=True)

    @property
    def marketo_object(self) -> str:
        """API name of the custom object in Marketo."""
        return self.marketo or f"{self.logical_name}_c"

    @property
    def plural(self) -> str:
        """The word for several of them, in messages."""
        return "custom entities"

    def __repr__(self) -> str:
        return f"CustomEntity({self.logical_name!r})"

    def __str__(self) -> str:
        return self.logical_name


AnyEntity: TypeAlias = Entity | CustomEntity
PersonEntity: TypeAlias = Literal[Entity.LEAD, Entity.CONTACT]

#: Each entity by Dynamics' name of its table, and by the word people use.
ENTITY_NAMES: Final[Mapping[str, Entity]] = {
    **{entity.logical_name: entity for entity in Entity},
    **{str(entity): entity for entity in Entity},
}

#: Marketo's object of leads and contacts alike.
PERSON: Final = Entity.LEAD.marketo_object

#: Contacts before leads: where one person could be either, the contact goes first.
PERSONS: Final[tuple[PersonEntity, ...]] = (Entity.CONTACT, Entity.LEAD)

#: What others refer to comes first; custom entities come last, parents before children.
_ORDER: Final = (Entity.USER, Entity.TEAM, Entity.ACCOUNT, Entity.CONTACT, Entity.LEAD, Entity.OPPORTUNITY)


def is_person(entity: AnyEntity) -> TypeGuard[PersonEntity]:
    """Whether a record of it is a person in Marketo."""
    return entity is Entity.LEAD or entity is Entity.CONTACT


def rank(entity: AnyEntity) -> int:
    """Return its place in dependency order: a record refers only to lower ranks."""
    if isinstance(entity, Entity):
        return _ORDER.index(entity)
    return rank(entity.parent) + 1 if isinstance(entity.parent, CustomEntity) else len(_ORDER)
