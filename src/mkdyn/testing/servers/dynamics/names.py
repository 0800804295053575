"""What tables, lookups and columns are called on the wire."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Final
from uuid import NAMESPACE_URL, uuid5

import attrs

from mkdyn.domain.fields import FieldSpec
from mkdyn.domain.types import REFERENCES
from mkdyn.testing._tables import Table

#: Types of columns that an answer has no property for.
HIDDEN: Final = ("image", "file", "unsupported")
_PRIMARY_NAMES: Final = {"lead": "fullname", "contact": "fullname", "systemuser": "fullname"}
_NAVIGATION: Final = {"slaid": "sla_{table}_sla", "stageid": "stageid_processstage"}


@attrs.frozen
class Navigation:
    """How one target of a lookup is written.

    Attributes:
        name: The navigation property.
        column: The lookup.
        target: The table it leads to; None for an owner, of whatever kind.
    """

    name: str
    column: str
    target: str | None


def entity_set(table: str) -> str:
    """Return what a table's rows are called in addresses."""
    if table.endswith("y") and table[-2:-1] not in "aeiou":
        return f"{table[:-1]}ies"
    return f"{table}es" if table.endswith(("s", "x", "ch", "sh")) else f"{table}s"


@lru_cache(maxsize=10_000)
def lasting_id(organization: str, *names: str) -> str:
    """Return the GUID of something that has no row of its own, the same each time."""
    return str(uuid5(NAMESPACE_URL, "/".join((organization, *names))))


def schema_name(name: str) -> str:
    """Return a name as its maker wrote it: columns of our own keep their capitals."""
    prefix, mark, rest = name.partition("_")
    return f"{prefix}_{rest[:1].upper()}{rest[1:]}" if mark else name[:1].upper() + name[1:]


def primary_name(table: Table) -> str:
    """Return the column that stands for a row where people see it."""
    prefix = table.name.partition("_")[0]
    wanted = (_PRIMARY_NAMES.get(table.name), "name", f"{prefix}_name", table.key_field)
    return next(name for name in wanted if name is not None and name in table.specs)


def navigations(table: Table) -> Iterable[Navigation]:
    """Yield every navigation property of a table's lookups."""
    for spec in table.specs.values():
        if spec.type == "owner":
            yield Navigation(spec.name, spec.name, None)
        elif spec.type in REFERENCES:
            base = schema_name(spec.name) if "_" in spec.name else spec.name
            base = _NAVIGATION.get(spec.name, base).format(table=table.name)
            several = spec.type == "customer" or len(spec.targets) > 1
            for target in spec.targets:
                yield Navigation(f"{base}_{target}" if several else base, spec.name, target)


def property_of(spec: FieldSpec) -> str | None:
    """Return what a column is called in an answer; None where it is not in any."""
    if spec.type in HIDDEN:
        return None
    return f"_{spec.name}_value" if spec.type in REFERENCES else spec.name


def columns_by_property(table: Table) -> Mapping[str, FieldSpec]:
    """Return a table's columns by what they are called in answers."""
    return {name: spec for spec in table.specs.values() if (name := property_of(spec)) is not None}


def privileges(table: str) -> Sequence[str]:
    """Return the names of the rights on a table."""
    short = "User" if table == "systemuser" else table if "_" in table else table.capitalize()
    return [f"prv{right}{short}" for right in RIGHTS]


#: What one can be allowed to do with a table.
RIGHTS: Final = ("Create", "Read", "Write", "Delete", "Append", "AppendTo", "Assign", "Share")
