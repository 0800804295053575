"""Filters: which rows of Dynamics sync at all. Pure.

A filter is a condition on a row's columns. Dynamics' own is a column named `new_synctomkto`: only an explicit No
keeps a row out, a missing or empty one lets it through (https://github.com/AdobeDocs/marketo.en, sync-filter).
A filter whose column can't be read any more lets nobody in, and puts nobody out.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Final, Literal, TypeAlias

import attrs

from mkdyn.domain.conditions import Comparison, Condition
from mkdyn.domain.entities import AnyEntity
from mkdyn.domain.fields import FieldSpec
from mkdyn.domain.names import nearest
from mkdyn.domain.values import FieldValue, Values
from mkdyn.errors import ConfigError

#: The column of the native sync's filter.
NATIVE: Final = "new_synctomkto"

#: Whether a row passes: yes, no, or nobody can say.
Passage: TypeAlias = Literal["in", "out", "unknown"]


@attrs.frozen
class Filter:
    """Which rows of one entity sync.

    Attributes:
        entity: Whose rows.
        keep: A condition on Dynamics columns; a row that does not meet it stays out.
    """

    entity: AnyEntity
    keep: Condition = attrs.field(kw_only=True)


def _fields_of(gate: Gate) -> frozenset[str]:
    named = frozenset(name for condition in gate.conditions for name in condition.fields)
    return (named | _own(gate.native)) - frozenset(gate.blind)


def _own(native: bool) -> frozenset[str]:
    return frozenset({NATIVE}) if native else frozenset[str]()


@attrs.frozen(kw_only=True)
class Gate:
    """What the rows of one entity must pass.

    Attributes:
        conditions: All of them must be met.
        native: Whether the table has the native sync's column.
        blind: Columns that can't be read any more: as long as there are any, nobody can say who passes.
        fields: The columns it looks at, those that can be read.
    """

    conditions: Sequence[Condition] = ()
    native: bool = False
    blind: Sequence[str] = ()

    fields: frozenset[str] = attrs.field(init=False, eq=False, default=attrs.Factory(_fields_of, takes_self=True))

    def passes(self, row: Values) -> Passage:
        """Say whether a row passes; one that does not show a column that counts can't be judged."""
        if self.blind:
            return "unknown"
        if not self.fields:
            return "in"
        if not self.fields <= row.keys():
            return "unknown"
        if self.native and row[NATIVE] is False:
            return "out"
        return "in" if all(condition(row) for condition in self.conditions) else "out"

    def __str__(self) -> str:
        words = [repr(condition) for condition in self.conditions]
        return " & ".join([*words, *([NATIVE] if self.native else [])])


def gate_of(
    entity: AnyEntity,
    filters: Iterable[Filter],
    columns: Mapping[str, FieldSpec],
    *,
    known: Collection[str],
    native: bool,
) -> Gate:
    """Return what an entity's rows must pass now.

    Args:
        entity: Which.
        filters: The configured ones, of any entity.
        columns: The table's columns, as this user sees them.
        known: The columns that the gate looked at before: one that is not there any more makes it blind.
        native: Whether the native sync's column counts.

    Raises:
        ConfigError: A filter names a column that never was there, or compares it with what it can't hold.
    """
    conditions = [found.keep for found in filters if found.entity == entity]
    named = {name for condition in conditions for name in condition.fields}
    faults = [_unknown(entity, name, columns) for name in sorted(named) if name not in columns and name not in known]
    faults += [
        fault
        for condition in conditions
        for test in condition.tests
        if test.field in columns and (fault := _misfit(entity, test, columns[test.field]))
    ]
    if faults:
        raise ConfigError(" ".join(faults), what_to_do="Nothing was read or sent. Put the filter right.")
    own = columns.get(NATIVE)
    has_own = native and (NATIVE in known if own is None else own.type == "boolean")
    wanted = named | _own(has_own)
    blind = sorted(name for name in wanted if name not in columns or not columns[name].readable)
    return Gate(conditions=conditions, native=has_own, blind=blind)


def _unknown(entity: AnyEntity, name: str, columns: Collection[str]) -> str:
    near = nearest(name, columns)
    hint = f"; nearest: {near}" if near else ""
    return f"The filter of {entity.plural} names {name}, which Dynamics does not have{hint}."


def _misfit(entity: AnyEntity, test: Comparison, column: FieldSpec) -> str | None:
    """Say what is wrong with a comparison, or None."""
    kinds = _kinds_of(column)
    wrong = [value for value in test.values if value is not None and not _is_one_of(value, kinds)]
    if not wrong:
        return None
    kind = "number" if int in kinds else kinds[0].__name__
    return (
        f"The filter of {entity.plural} compares {column.name} ({column.shape}) with {wrong[0]!r}: it holds a {kind}."
    )


def _kinds_of(column: FieldSpec) -> tuple[type, ...]:
    match column.type:
        case "boolean":
            return (bool,)
        case "date":
            return (date,)
        case "datetime" | "wall-clock" | "user-date":
            return (datetime,)
        case "integer" | "bigint" | "decimal" | "float" | "money" | "choice" | "state" | "status":
            return (int, float, Decimal)
        case _:
            return (str,)


def _is_one_of(value: FieldValue, kinds: tuple[type, ...]) -> bool:
    if isinstance(value, bool | datetime):  # each is another kind's subclass
        return type(value) in kinds
    return isinstance(value, kinds)
