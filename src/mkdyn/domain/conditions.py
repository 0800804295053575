"""Small typed predicates on a record's values: which people to promote, which records to let through."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Final, TypeAlias

import attrs

from mkdyn.domain.values import MISSING, FieldValue, Shown, Values

#: What `at_least` and `at_most` compare.
Ordered: TypeAlias = int | float | Decimal | date | datetime | str


@attrs.frozen(repr=False, eq=False)
class Condition:
    """A predicate on values; made by `where`, joined by `&`, `|` and `~`.

    Attributes:
        fields: The fields it looks at.
    """

    fields: frozenset[str]
    _words: str
    _holds: Callable[[Values], bool]

    def __call__(self, values: Values, /) -> bool:
        """Whether *values* meet it; a field that is not shown meets nothing."""
        return self._holds(values)

    def __and__(self, other: Condition) -> Condition:
        return Condition(
            self.fields | other.fields,
            f"({self._words} & {other._words})",
            lambda values: self(values) and other(values),
        )

    def __or__(self, other: Condition) -> Condition:
        return Condition(
            self.fields | other.fields,
            f"({self._words} | {other._words})",
            lambda values: self(values) or other(values),
        )

    def __invert__(self) -> Condition:
        shown = self.fields
        return Condition(
            shown, f"~{self._words}", lambda values: all(name in values for name in shown) and not self(values)
        )

    def __bool__(self) -> bool:  # never returns; `NoReturn` would make mypy skip the rest of a caller, silently
        message = "a condition is not true or false by itself: join conditions with & | ~, not with and, or, not"
        raise TypeError(message)

    def __repr__(self) -> str:
        return self._words


@attrs.frozen
class Where:
    """A field, about to be compared."""

    name: str

    def equals(self, value: FieldValue, /) -> Condition:
        """The field is *value*."""
        return self._when(f"equals({value!r})", lambda found: found == value)

    def is_not(self, value: FieldValue, /) -> Condition:
        """The field is anything but *value*."""
        return self._when(f"is_not({value!r})", lambda found: found != value)

    def is_one_of(self, *values: FieldValue) -> Condition:
        """The field is one of *values*."""
        return self._when(f"is_one_of({', '.join(map(repr, values))})", lambda found: found in values)

    def at_least(self, value: Ordered, /) -> Condition:
        """The field is *value* or more; an empty field is not."""
        return self._when(f"at_least({value!r})", lambda found: found is not None and _compare(found, value) >= 0)

    def at_most(self, value: Ordered, /) -> Condition:
        """The field is *value* or less; an empty field is not."""
        return self._when(f"at_most({value!r})", lambda found: found is not None and _compare(found, value) <= 0)

    def is_empty(self) -> Condition:
        """The field holds nothing."""
        return self._when("is_empty()", lambda found: found in _EMPTY)

    def _when(self, words: str, holds: Callable[[FieldValue], bool]) -> Condition:
        name = self.name

        def holding(values: Values) -> bool:
            found: Shown = values.get(name, MISSING)
            return found is not MISSING and holds(found)

        return Condition(frozenset({name}), f"where({name!r}).{words}", holding)


_EMPTY: Final = (None, "")


def _compare(found: FieldValue, value: Ordered) -> int:
    try:
        return (found > value) - (found < value)  # type: ignore[operator]  # mixed kinds raise, and say so
    except TypeError as error:
        message = f"a {type(found).__name__} can't be compared with {value!r}"
        raise TypeError(message) from error


def where(name: str, /) -> Where:
    """Start a condition on the field *name*: `where("leadScore").at_least(80)`."""
    return Where(name)
