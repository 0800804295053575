"""Small typed predicates on a record's values: which people to promote, which records to let through."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, TypeAlias, cast

import attrs

from mkdyn.domain.values import MISSING, FieldValue, Shown, Values
from mkdyn.errors import ConfigError

#: What `at_least` and `at_most` compare.
Ordered: TypeAlias = int | float | Decimal | date | datetime | str


@attrs.frozen
class Comparison:
    """One comparison of a condition.

    Attributes:
        field: The field.
        values: What it is compared with.
    """

    field: str
    values: tuple[FieldValue, ...]


@attrs.frozen(repr=False, eq=False)
class Condition:
    """A predicate on values; made by `where`, joined by `&`, `|` and `~`.

    Attributes:
        fields: The fields it looks at.
        tests: The comparisons it is made of.
    """

    fields: frozenset[str]
    tests: tuple[Comparison, ...]
    _words: str
    _holds: Callable[[Values], bool]

    def __call__(self, values: Values, /) -> bool:
        """Whether *values* meet it; a field that is not shown meets nothing."""
        return self._holds(values)

    def __and__(self, other: Condition) -> Condition:
        return Condition(
            self.fields | other.fields,
            self.tests + other.tests,
            f"({self._words} & {other._words})",
            lambda values: self(values) and other(values),
        )

    def __or__(self, other: Condition) -> Condition:
        return Condition(
            self.fields | other.fields,
            self.tests + other.tests,
            f"({self._words} | {other._words})",
            lambda values: self(values) or other(values),
        )

    def __invert__(self) -> Condition:
        shown = self.fields
        return Condition(
            shown,
            self.tests,
            f"~{self._words}",
            lambda values: all(name in values for name in shown) and not self(values),
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
        return self._when(f"equals({value!r})", lambda found: found == value, value)

    def is_not(self, value: FieldValue, /) -> Condition:
        """The field is anything but *value*."""
        return self._when(f"is_not({value!r})", lambda found: found != value, value)

    def is_one_of(self, *values: FieldValue) -> Condition:
        """The field is one of *values*."""
        return self._when(f"is_one_of({', '.join(map(repr, values))})", lambda found: found in values, *values)

    def at_least(self, value: Ordered, /) -> Condition:
        """The field is *value* or more; an empty field is not."""
        return self._when(
            f"at_least({value!r})", lambda found: found is not None and _compare(found, value) >= 0, value
        )

    def at_most(self, value: Ordered, /) -> Condition:
        """The field is *value* or less; an empty field is not."""
        return self._when(f"at_most({value!r})", lambda found: found is not None and _compare(found, value) <= 0, value)

    def is_empty(self) -> Condition:
        """The field holds nothing."""
        return self._when("is_empty()", lambda found: found in _EMPTY)

    def _when(self, words: str, holds: Callable[[FieldValue], bool], *values: FieldValue) -> Condition:
        name = self.name

        def holding(values: Values) -> bool:
            found: Shown = values.get(name, MISSING)
            return found is not MISSING and holds(found)

        return Condition(frozenset({name}), (Comparison(name, values),), f"where({name!r}).{words}", holding)


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


#: How each comparison is written in a file, and what it is compared with.
_WORDS: Final = ("equals", "is_not", "is_one_of", "at_least", "at_most", "is_empty")
_JOINING: Final = ("all", "any", "not")


def condition_from(data: object, /) -> Condition:
    """Return a condition written as plain data, as a TOML or JSON file holds it.

    One comparison is `{field = "new_region", is_one_of = ["EMEA", "UK"]}`, with the words of `where`: `equals`,
    `is_not`, `is_one_of`, `at_least`, `at_most`, and `is_empty = true` or `false`. Several are joined by
    `{all = […]}` and `{any = […]}`, and turned round by `{not = …}`.

    Raises:
        ConfigError: It is written otherwise.
    """
    if not isinstance(data, Mapping):
        raise _unreadable(f"{data!r} is no condition.")
    found = cast("Mapping[str, Any]", data)
    joining = [word for word in _JOINING if word in found]
    if len(joining) == 1 and len(found) == 1:
        return _joined(joining[0], found[joining[0]])
    words = [word for word in found if word != "field"]
    name = found.get("field")
    if joining or not isinstance(name, str) or len(words) != 1 or words[0] not in _WORDS:
        raise _unreadable(f"A condition names one field and one of {', '.join(_WORDS)}; here are {', '.join(found)}.")
    return _compared(where(name), words[0], found[words[0]])


def _joined(word: str, parts: object) -> Condition:
    if word == "not":
        return ~condition_from(parts)
    if not isinstance(parts, Sequence) or isinstance(parts, str) or not parts:
        raise _unreadable(f"{word} joins a list of conditions.")
    first, *rest = [condition_from(part) for part in cast("Sequence[object]", parts)]
    for part in rest:
        first = first & part if word == "all" else first | part
    return first


def _compared(field: Where, word: str, value: Any) -> Condition:  # noqa: ANN401 - whatever a file holds
    match word:
        case "is_empty":
            if not isinstance(value, bool):
                raise _unreadable(f"is_empty of {field.name} is true or false.")
            return field.is_empty() if value else ~field.is_empty()
        case "is_one_of":
            if not isinstance(value, Sequence) or isinstance(value, str):
                raise _unreadable(f"is_one_of of {field.name} takes a list.")
            return field.is_one_of(*map(_single, cast("Sequence[object]", value)))
        case _:
            made: Condition = getattr(field, word)(_single(value))
            return made


def _single(value: object) -> FieldValue:
    if isinstance(value, str | int | float | bool | Decimal | date | datetime):
        return value
    raise _unreadable(f"{value!r} is no value to compare a field with.")


def _unreadable(what: str) -> ConfigError:
    return ConfigError(
        what, what_to_do='Write {field = "new_region", is_one_of = ["EMEA"]}, or join such by all, any, not.'
    )
