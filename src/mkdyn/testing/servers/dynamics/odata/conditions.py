"""Which rows a filter is true of."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final, TypeAlias, assert_never
from uuid import UUID

from mkdyn.testing.servers.dynamics.odata.filters import (
    Alias,
    Both,
    Calling,
    Comparing,
    Comparison,
    Condition,
    Constant,
    Either,
    Literally,
    Name,
    Not,
    Operand,
    TextFunction,
    TextTest,
)
from mkdyn.testing.servers.dynamics.odata.parsing import FilterError

#: Returns what a property of a row shows.
Look: TypeAlias = Callable[[Name], object]
#: Says whether a filter is true of a row.
Test: TypeAlias = Callable[[Look], bool]

_COMPARES: Final[Mapping[Comparison, Callable[[Any, Any], bool]]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}
_LIKE: Final = re.compile(r"\[\^?[^\]]+\]|%|_|.", re.DOTALL)


def compiled(condition: Condition, aliases: Mapping[str, Constant]) -> Test:
    """Return what tells whether a filter is true of a row.

    Raises:
        FilterError: It calls a function that this server does not know.
    """
    match condition:
        case Both(conditions=inner):
            tests = [compiled(one, aliases) for one in inner]
            return lambda look: all(test(look) for test in tests)
        case Either(conditions=inner):
            tests = [compiled(one, aliases) for one in inner]
            return lambda look: any(test(look) for test in tests)
        case Not(condition=one):
            test = compiled(one, aliases)
            return lambda look: not test(look)
        case Name():
            return lambda look: look(condition) is True
        case Comparing():
            return _comparing(condition, aliases)
        case TextTest():
            return _text_test(condition, aliases)
        case Calling():
            return _calling(condition)
        case _:
            assert_never(condition)


def comparable(value: object) -> Any:  # noqa: ANN401 - whatever compares with its like
    """Return a value as it is compared: texts and ids without regard to case, moments in UTC."""
    match value:
        case str():
            return value.casefold()
        case UUID():
            return str(value)
        case datetime():
            return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
        case float():
            return Decimal(repr(value))
        case _:
            return value


def _operand(operand: Operand, aliases: Mapping[str, Constant]) -> Callable[[Look], object]:
    if isinstance(operand, Name):
        return lambda look: comparable(look(operand))
    value = comparable(aliases.get(operand.name) if isinstance(operand, Alias) else operand.value)
    return lambda _look: value


def _comparing(condition: Comparing, aliases: Mapping[str, Constant]) -> Test:
    left, right = _operand(condition.left, aliases), _operand(condition.right, aliases)
    compares, orders = _COMPARES[condition.operator], condition.operator not in ("eq", "ne")

    def test(look: Look) -> bool:
        one, other = _alike(left(look), right(look))
        if orders and (one is None or other is None):
            return False
        return compares(one, other)

    return test


def _alike(one: object, other: object) -> tuple[Any, Any]:
    """Return two values so that they compare: a day, where the other is an instant, is its midnight."""
    if isinstance(one, datetime) != isinstance(other, datetime):
        return _instant(one), _instant(other)
    return one, other


def _instant(value: object) -> object:
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime.combine(value, time(), UTC)
    return value


def _text_test(condition: TextTest, aliases: Mapping[str, Constant]) -> Test:
    left, right = _operand(condition.left, aliases), _operand(condition.right, aliases)

    def test(look: Look) -> bool:
        text, wanted = left(look), right(look)
        if not isinstance(text, str) or not isinstance(wanted, str):
            return False
        return _pattern(condition.function, wanted).fullmatch(text) is not None

    return test


@lru_cache(maxsize=1000)
def _pattern(function: TextFunction, wanted: str) -> re.Pattern[str]:
    """Return a text's pattern as SQL's LIKE reads it: `%`, `_` and `[…]` stand for others."""
    body = "".join(map(_like, _LIKE.findall(wanted)))
    before, after = "" if function == "startswith" else ".*", "" if function == "endswith" else ".*"
    return re.compile(f"{before}{body}{after}", re.DOTALL)


def _like(piece: str) -> str:
    match piece:
        case "%":
            return ".*"
        case "_":
            return "."
        case _ if len(piece) > 1:
            negated = piece.startswith("[^")
            return f"[{'^' if negated else ''}{re.escape(piece[1 + negated : -1])}]"
        case _:
            return re.escape(piece)


def _calling(condition: Calling) -> Test:
    name, wanted = condition.name, frozenset(value.casefold() for value in condition.values)
    match condition.function:
        case "In":
            return lambda look: _as_text(look(name)) in wanted
        case "NotIn":
            return lambda look: _as_text(look(name)) not in wanted
        case "ContainValues":
            return lambda look: not wanted.isdisjoint(_choices(look(name)))
        case "DoesNotContainValues":
            return lambda look: wanted.isdisjoint(_choices(look(name)))
        case "OnOrAfter" | "OnOrBefore" | "On":
            return _by_day(condition)
        case _:
            raise FilterError(f"The function '{condition.function}' is not supported by this server.")


def _by_day(condition: Calling) -> Test:
    try:
        wanted = date.fromisoformat("".join(condition.values)[:10])
    except ValueError as error:
        raise FilterError(f"'{condition.function}' takes a date.") from error

    def test(look: Look) -> bool:
        value = comparable(look(condition.name))
        day = value.date() if isinstance(value, datetime) else value
        if not isinstance(day, date):
            return False
        match condition.function:
            case "OnOrAfter":
                return day >= wanted
            case "OnOrBefore":
                return day <= wanted
            case _:
                return day == wanted

    return test


def _as_text(value: object) -> str | None:
    match comparable(value):
        case None:
            return None
        case bool() as flag:
            return "1" if flag else "0"
        case datetime() as moment:
            return moment.isoformat().replace("+00:00", "z").casefold()
        case plain:
            return str(plain)


def _choices(value: object) -> set[str]:
    return set(value.split(",")) if isinstance(value, str) else set()


def literals(condition: Condition, aliases: Mapping[str, Constant]) -> Mapping[Name, frozenset[str]]:
    """Return what texts a property must be one of for the filter to be true; nothing where it does not say."""
    match condition:
        case Calling(function="In", name=name, values=values):
            return {name: frozenset(values)}
        case Comparing(operator="eq", left=Name() as name, right=Literally() | Alias() as right):
            value = aliases.get(right.name) if isinstance(right, Alias) else right.value
            return {name: frozenset([str(value)])} if isinstance(value, str | UUID) else {}
        case Both(conditions=inner):
            return {name: texts for one in inner for name, texts in literals(one, aliases).items()}
        case Either(conditions=inner):
            sets = [literals(one, aliases) for one in inner]
            common = set(sets[0]).intersection(*sets[1:])
            return {name: frozenset[str]().union(*(one[name] for one in sets)) for name in common}
        case _:
            return {}
