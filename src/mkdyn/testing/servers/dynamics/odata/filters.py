"""What a filter says, as a tree; `str` writes it as OData does."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Literal, TypeAlias
from uuid import UUID

import attrs

#: What a literal can be.
Constant: TypeAlias = bool | int | Decimal | str | date | datetime | UUID | None
Comparison: TypeAlias = Literal["eq", "ne", "gt", "ge", "lt", "le"]
TextFunction: TypeAlias = Literal["contains", "startswith", "endswith"]

NAMESPACE = "Microsoft.Dynamics.CRM."


@attrs.frozen
class Name:
    """A property, or a path to one: `lastname`, `parentaccountid/name`."""

    parts: tuple[str, ...]

    def __str__(self) -> str:
        return "/".join(self.parts)


@attrs.frozen
class Literally:
    """A value, written out; `enum` is the type of an enumeration's member."""

    value: Constant
    enum: str | None = None

    def __str__(self) -> str:
        text = _constant(self.value)
        return text if self.enum is None else f"{NAMESPACE}{self.enum}{text}"


@attrs.frozen
class Alias:
    """A parameter that stands elsewhere in the query: `@p1`."""

    name: str

    def __str__(self) -> str:
        return f"@{self.name}"


@attrs.frozen
class Comparing:
    """`left eq right`."""

    operator: Comparison
    left: Operand
    right: Operand

    def __str__(self) -> str:
        return f"{self.left} {self.operator} {self.right}"


@attrs.frozen
class TextTest:
    """`contains(left,right)`."""

    function: TextFunction
    left: Operand
    right: Operand

    def __str__(self) -> str:
        return f"{self.function}({self.left},{self.right})"


@attrs.frozen
class Calling:
    """One of Dataverse's own functions: `Microsoft.Dynamics.CRM.In(PropertyName='x',PropertyValues=['a','b'])`.

    Attributes:
        function: Its name, without the namespace.
        name: The property it is about.
        values: The values it is given.
        several: Whether they were given as a list.
    """

    function: str
    name: Name
    values: tuple[str, ...] = ()
    several: bool = True

    def __str__(self) -> str:
        given = ""
        if self.several:
            given = f",PropertyValues=[{','.join(map(_quoted, self.values))}]"
        elif self.values:
            given = f",PropertyValue={_constant(self.values[0])}"
        return f"{NAMESPACE}{self.function}(PropertyName='{self.name}'{given})"


@attrs.frozen
class Not:
    """`not (…)`."""

    condition: Condition

    def __str__(self) -> str:
        return f"not ({self.condition})"


@attrs.frozen
class Both:
    """`… and …`, of two or more."""

    conditions: tuple[Condition, ...]

    def __str__(self) -> str:
        return " and ".join(f"({condition})" for condition in self.conditions)


@attrs.frozen
class Either:
    """`… or …`, of two or more."""

    conditions: tuple[Condition, ...]

    def __str__(self) -> str:
        return " or ".join(f"({condition})" for condition in self.conditions)


Operand: TypeAlias = Name | Literally | Alias
Condition: TypeAlias = Comparing | TextTest | Calling | Not | Both | Either | Name


def leaves(condition: Condition) -> Iterator[Comparing | TextTest | Calling | Name]:
    """Yield the conditions that hold no others."""
    match condition:
        case Not(condition=inner):
            yield from leaves(inner)
        case Both(conditions=inner) | Either(conditions=inner):
            for one in inner:
                yield from leaves(one)
        case _:
            yield condition


def names(condition: Condition) -> Sequence[Name]:
    """Return every property that a filter names."""
    return [name for leaf in leaves(condition) for name in _named(leaf)]


def _named(leaf: Comparing | TextTest | Calling | Name) -> list[Name]:
    if isinstance(leaf, Name):
        return [leaf]
    operands = (leaf.name,) if isinstance(leaf, Calling) else (leaf.left, leaf.right)
    return [operand for operand in operands if isinstance(operand, Name)]


def _constant(value: Constant) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            return "'" + value.replace("'", "''") + "'"
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
        case date():
            return value.isoformat()
        case Decimal():
            return f"{value:f}"
        case _:
            return str(value)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
