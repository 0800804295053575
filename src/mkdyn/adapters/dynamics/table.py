"""A Dynamics table as the connector knows it: its columns, and how each is called on the wire."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias, get_args

import attrs

from mkdyn.domain.fields import FieldSpec
from mkdyn.domain.types import REFERENCES

#: What a privilege allows to do with a table's rows.
Verb: TypeAlias = Literal["Create", "Read", "Write", "Delete", "Append", "AppendTo"]
VERBS: Final[tuple[Verb, ...]] = get_args(Verb)

#: Natures of columns that are no properties of a row: they can be neither read nor written.
_NO_PROPERTY = ("part", "virtual")


@attrs.frozen(kw_only=True)
class Column:
    """A column.

    Attributes:
        spec: The field as the engine sees it, with what this user may do.
        creatable: Whether a new row takes it.
        updatable: Whether an existing row takes it.
        securable: Whether column security could hide it, now or later.
        shows: Whether rows show what it holds: not a mask, and not nothing.
        binds: By table that it points to, the name under which it is written.
    """

    spec: FieldSpec
    creatable: bool = True
    updatable: bool = True
    securable: bool = True
    shows: bool = True
    binds: Mapping[str, str] = attrs.field(factory=dict[str, str])

    @property
    def name(self) -> str:
        """Its logical name."""
        return self.spec.name

    @property
    def wire_name(self) -> str:
        """Its name in a row: a lookup shows a GUID under a name of its own."""
        return f"_{self.name}_value" if self.spec.type in REFERENCES else self.name

    def bound_to(self, target: str) -> str:
        """Return the name under which a row of *target* is written to this lookup."""
        names = set(self.binds.values())
        shared = names.pop() if len(names) == 1 else self.name  # an owner's name is the same for users and teams
        return self.binds.get(target, self.binds.get("owner", shared))

    @property
    def on_the_wire(self) -> bool:
        """Whether rows show it at all."""
        return self.spec.nature not in _NO_PROPERTY and self.spec.type not in ("image", "file", "unsupported")


@attrs.frozen(kw_only=True)
class Table:
    """A table.

    Attributes:
        name: Its logical name.
        schema_name: The name that its privileges are called after.
        entity_set: What it is called in addresses.
        key: The column with each row's GUID.
        columns: By logical name.
        tracked: Whether its changes are tracked.
        locks: Whether a write can ask for a version.
        privileges: By verb, how far each of this user's privileges on it reaches; one that is missing is not there.
    """

    name: str
    schema_name: str
    entity_set: str
    key: str
    columns: Mapping[str, Column]
    tracked: bool = True
    locks: bool = True
    privileges: Mapping[Verb, str] = attrs.field(factory=dict[Verb, str])
