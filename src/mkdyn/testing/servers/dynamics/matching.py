"""Which of a table's rows a query wants, and in what order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from typing import Any, Final
from uuid import UUID

import attrs

from mkdyn.domain.fields import FieldSpec
from mkdyn.domain.types import CHOICES, DECIMALS, REFERENCES, TEXTS
from mkdyn.testing._tables import Row
from mkdyn.testing.servers.dynamics.odata.conditions import Test, comparable, compiled, literals
from mkdyn.testing.servers.dynamics.odata.filters import (
    Alias,
    Calling,
    Comparing,
    Condition,
    Constant,
    Name,
    leaves,
    names,
)
from mkdyn.testing.servers.dynamics.odata.parsing import FilterError
from mkdyn.testing.servers.dynamics.options import Options, Ordering
from mkdyn.testing.servers.dynamics.question import BAD_QUERY, RefusedError
from mkdyn.testing.servers.dynamics.rows import column, no_property
from mkdyn.testing.servers.dynamics.values import edm_type
from mkdyn.testing.servers.dynamics.world import Organization, View

_OPERATIONS: Final = {
    "eq": "Equal",
    "ne": "NotEqual",
    "gt": "GreaterThan",
    "ge": "GreaterThanOrEqual",
    "lt": "LessThan",
    "le": "LessThanOrEqual",
}
#: Steps of the longest path that a filter may take.
_PATH_MAX: Final = 2

Look = Callable[[Row, Name], object]


@attrs.frozen
class Wanted:
    """A filter, bound to a table.

    Attributes:
        view: The table.
        test: Says whether a row is wanted.
        keys: The only rows that can be; None for any.
        among: A column, and the only texts it can hold; None for any.
    """

    view: View
    look: Look
    test: Test | None
    among: tuple[FieldSpec, frozenset[str]] | None

    def rows(self) -> Iterable[Row]:
        """Yield the rows that are wanted."""
        for row in self._candidates():
            if self.test is None or self.test(partial(self.look, row)):
                yield row

    def _candidates(self) -> Iterable[Row]:
        table = self.view.table
        if self.among is None:
            return list(table.rows.values())
        spec, texts = self.among
        if spec.name == table.key_field:
            return [table.rows[key] for key in sorted(map(str.lower, texts)) if key in table.rows]
        return list(table.matching(spec.name, sorted(texts)))


def wanted(organization: Organization, view: View, options: Options) -> Wanted:
    """Bind a query's filter to its table.

    Raises:
        RefusedError: It names what is not there, or compares what can't be compared.
    """
    look = _looker(organization, view)
    condition = options.filter
    if condition is None:
        return Wanted(view, look, None, None)
    specs = {name: _bound(organization, view, name) for name in names(condition)}
    _check_types(condition, specs, options.aliases)
    try:
        test = compiled(condition, options.aliases)
    except FilterError as error:
        raise RefusedError(400, BAD_QUERY, str(error)) from error
    return Wanted(view, look, test, _among(view, condition, specs, options.aliases))


def _among(
    view: View, condition: Condition, specs: Mapping[Name, FieldSpec], aliases: Mapping[str, Constant]
) -> tuple[FieldSpec, frozenset[str]] | None:
    """Return a column of which a filter names all texts that it may hold: the key above all."""
    found = [
        (specs[name], texts)
        for name, texts in literals(condition, aliases).items()
        if len(name.parts) == 1 and (specs[name].type in TEXTS or specs[name].name == view.table.key_field)
    ]
    readable = [(spec, texts) for spec, texts in found if spec.name not in view.hidden]
    return min(readable, key=lambda each: each[0].name != view.table.key_field, default=None)


def _bound(organization: Organization, view: View, name: Name) -> FieldSpec:
    """Return the column that a filter names, of this table or of one it refers to."""
    if len(name.parts) == 1:
        by_column = view.table.specs.get(name.parts[0])  # Dataverse's own functions name columns so
        return view.columns.get(name.parts[0]) or by_column or column(view, name.parts[0])
    navigation = view.navigations.get(name.parts[0])
    if navigation is None or navigation.target is None or len(name.parts) > _PATH_MAX:
        raise no_property(view, str(name))
    organization.require_read(navigation.target)
    return column(organization.view(navigation.target), name.parts[1])


def _looker(organization: Organization, view: View) -> Look:
    targets: dict[str, View] = {}

    def look(row: Row, name: Name) -> object:
        if len(name.parts) == 1:
            return _value(view, row, name.parts[0])
        navigation = view.navigations[name.parts[0]]
        target = targets.setdefault(name.parts[0], organization.view(str(navigation.target)))
        other = target.table.rows.get(str(row.values.get(navigation.column)))
        return None if other is None else _value(target, other, name.parts[1])

    return look


def _value(view: View, row: Row, name: str) -> object:
    spec = view.columns.get(name) or view.table.specs[name]
    return None if spec.name in view.hidden else row.values.get(spec.name)


def _check_types(condition: Condition, specs: Mapping[Name, FieldSpec], aliases: Mapping[str, Constant]) -> None:
    for leaf in leaves(condition):
        if isinstance(leaf, Calling | Name) or not isinstance(leaf, Comparing) or not isinstance(leaf.left, Name):
            continue
        if isinstance(leaf.right, Name):
            continue
        value = aliases.get(leaf.right.name) if isinstance(leaf.right, Alias) else leaf.right.value
        if not _fits(specs[leaf.left], value):
            found, kind = edm_type(specs[leaf.left]), _OPERATIONS[leaf.operator]
            message = (
                "A binary operator with incompatible types was detected. Found operand types "
                f"'{found}' and '{_edm_of(value)}' for operator kind '{kind}'."
            )
            raise RefusedError(400, BAD_QUERY, message)


def _fits(spec: FieldSpec, value: Constant) -> bool:
    kind = spec.type
    match value:
        case None:
            return True
        case bool():
            return kind == "boolean"
        case int():
            return kind in CHOICES or kind in ("integer", "bigint") or kind in DECIMALS
        case Decimal():
            return kind in DECIMALS or kind in ("integer", "bigint")
        case UUID():
            return kind == "guid" or kind in REFERENCES
        case date():
            return kind in ("date", "datetime", "user-date", "wall-clock")
        case _:
            return kind in TEXTS or kind in ("choices", "guid") or kind in REFERENCES


def _edm_of(value: Constant) -> str:
    match value:
        case bool():
            return "Edm.Boolean"
        case int():
            return "Edm.Int32"
        case Decimal():
            return "Edm.Decimal"
        case UUID():
            return "Edm.Guid"
        case datetime():
            return "Edm.DateTimeOffset"
        case date():
            return "Edm.Date"
        case _:
            return "Edm.String"


# -- order -----------------------------------------------------------------------------------------------


@attrs.frozen
class Order:
    """An order of a table's rows, the key last.

    Attributes:
        view: The table.
        terms: Columns, and whether each is in descending order.
    """

    view: View
    terms: Sequence[tuple[FieldSpec, bool]]

    def sorted(self, rows: Iterable[Row]) -> list[Row]:
        """Return rows in this order."""
        found = sorted(rows, key=lambda row: row.key)
        for spec, descending in reversed(self.terms):
            found.sort(key=partial(self._rank, spec), reverse=descending)
        return found

    def ranks(self, row: Row) -> list[Any]:
        """Return where a row stands."""
        return [self._rank(spec, row) for spec, _ in self.terms]

    def is_after(self, row: Row, ranks: Sequence[Any], key: str) -> bool:
        """Whether a row comes after a place."""
        for mine, other, (_, descending) in zip(self.ranks(row), ranks, self.terms, strict=True):
            if mine != other:
                return bool(mine > other) != descending
        return row.key > key

    def _rank(self, spec: FieldSpec, row: Row) -> tuple[bool, Any]:
        return rank(None if spec.name in self.view.hidden else row.values.get(spec.name))


def order_of(view: View, terms: Sequence[Ordering]) -> Order:
    """Bind a query's order to its table.

    Raises:
        RefusedError: It names what is not there.
    """
    return Order(view, [(column(view, term.name), term.descending) for term in terms])


def rank(value: object) -> tuple[bool, Any]:
    """Return where a value stands among its like: an empty one first."""
    return (False, 0) if value is None else (True, comparable(value))
