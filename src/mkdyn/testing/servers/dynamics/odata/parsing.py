"""Reads the text of a filter."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Final, cast, get_args
from uuid import UUID

import attrs

from mkdyn.testing.servers.dynamics.odata.filters import (
    NAMESPACE,
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

#: How deep conditions may lie in one another.
_DEPTH_MAX: Final = 50

_TOKEN: Final = re.compile(
    r"""\s*(?:
    (?P<text>'(?:[^']|'')*')
    | (?P<json>"(?:[^"\\]|\\.)*")
    | (?P<guid>[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b)
    | (?P<instant>\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,7})?)?(?:Z|[+-]\d\d:\d\d)?)
    | (?P<day>\d{4}-\d\d-\d\d)
    | (?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)
    | (?P<alias>@\w+)
    | (?P<word>[A-Za-z_][\w.]*(?:/[A-Za-z_][\w.]*)*)
    | (?P<mark>[()\[\],=])
    )""",
    re.VERBOSE | re.ASCII,
)
_WORDS: Final[dict[str, Constant]] = {"null": None, "true": True, "false": False}


class FilterError(ValueError):
    """The text is no filter."""


@attrs.frozen
class _Token:
    """A word of the text, and where it stands."""

    kind: str
    text: str
    place: int


def parsed(text: str) -> Condition:
    """Read a filter.

    Raises:
        FilterError: The text is none; the message says where.
    """
    reader = _Reader(list(_tokens(text)))
    condition = reader.condition(0)
    reader.expect_end()
    return condition


def constant(text: str) -> Constant:
    """Read a literal that stands alone.

    Raises:
        FilterError: The text is none.
    """
    reader = _Reader(list(_tokens(text)))
    operand = reader.operand()
    reader.expect_end()
    if not isinstance(operand, Literally):
        raise FilterError(f"Unrecognized literal '{text}'.")
    return operand.value


def _tokens(text: str) -> Iterator[_Token]:
    place, end = 0, len(text.rstrip())
    while place < end:
        match = _TOKEN.match(text, place)
        if match is None or match.lastgroup is None:
            raise FilterError(f"Syntax error at position {place} in '{text}'.")
        yield _Token(match.lastgroup, match[match.lastgroup], match.start(match.lastgroup))
        place = match.end()
    yield _Token("end", "", end)


class _Reader:
    """A filter being read, token by token."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._place = 0

    def condition(self, depth: int) -> Condition:
        """Read conditions joined by `or`."""
        if depth > _DEPTH_MAX:
            raise FilterError("The filter's conditions lie too deep in one another.")
        found = self._joined("or", lambda: self._conjunction(depth))
        return found[0] if len(found) == 1 else Either(found)

    def _conjunction(self, depth: int) -> Condition:
        found = self._joined("and", lambda: self._negation(depth))
        return found[0] if len(found) == 1 else Both(found)

    def _joined(self, word: str, read: Callable[[], Condition]) -> tuple[Condition, ...]:
        found = [read()]
        while self._takes("word", word):
            found.append(read())
        return tuple(found)

    def _negation(self, depth: int) -> Condition:
        if self._takes("word", "not"):
            if depth >= _DEPTH_MAX:
                raise FilterError("The filter's conditions lie too deep in one another.")
            inner = self._negation(depth + 1)
            if isinstance(inner, Calling):
                raise FilterError(f"The 'not' operator cannot negate '{NAMESPACE}{inner.function}'.")
            return Not(inner)
        if self._takes("mark", "("):
            inner = self.condition(depth + 1)
            self._expect(")")
            return inner
        return self._leaf()

    def _leaf(self) -> Condition:
        here, after = self._here, self._tokens[min(self._place + 1, len(self._tokens) - 1)]
        if here.kind == "word" and after.text == "(":
            return self._function()
        left = self.operand()
        if self._here.kind == "word" and self._here.text in get_args(Comparison):
            operator = cast("Comparison", self._take().text)
            return Comparing(operator, left, self.operand())
        if isinstance(left, Name):
            return left
        raise self._wrong()

    def _function(self) -> Condition:
        name = self._take().text
        self._expect("(")
        if name in get_args(TextFunction):
            left = self.operand()
            self._expect(",")
            right = self.operand()
            self._expect(")")
            return TextTest(cast("TextFunction", name), left, right)
        if not name.startswith(NAMESPACE):
            raise FilterError(f"An unknown function with name '{name}' was found.")
        return self._calling(name.removeprefix(NAMESPACE))

    def _calling(self, function: str) -> Calling:
        self._argument("PropertyName")
        name, values, several = self._take_text(), tuple[str, ...](), False
        if self._takes("mark", ","):
            several = self._here.text == "PropertyValues"
            self._argument("PropertyValues" if several else "PropertyValue")
            values = self._list() if several else (self._value(),)
        self._expect(")")
        return Calling(function, Name(tuple(name.split("/"))), values, several)

    def _argument(self, name: str) -> None:
        if not self._takes("word", name):
            raise self._wrong()
        self._expect("=")

    def _list(self) -> tuple[str, ...]:
        self._expect("[")
        values: list[str] = []
        while not self._takes("mark", "]"):
            if values:
                self._expect(",")
            values.append(self._value())
        return tuple(values)

    def _value(self) -> str:
        """Read one of a function's values: they are texts, or written as one."""
        if self._here.kind == "json":
            return self._json(self._take())
        if self._here.kind in ("number", "guid", "instant", "day"):
            return self._take().text
        return self._take_text()

    def operand(self) -> Operand:
        """Read a property, a parameter or a literal."""
        token = self._take()
        match token.kind:
            case "word" if token.text in _WORDS:
                return Literally(_WORDS[token.text])
            case "word" if self._here.kind == "text" and token.text.startswith(NAMESPACE):
                return Literally(self._take_text(), enum=token.text.removeprefix(NAMESPACE))
            case "word":
                return Name(tuple(token.text.split("/")))
            case "alias":
                return Alias(token.text[1:])
            case "text":
                return Literally(_unquoted(token.text))
            case "guid":
                return Literally(UUID(token.text))
            case "number":
                whole = token.text.lstrip("-").isdecimal()
                return Literally(int(token.text) if whole else Decimal(token.text))
            case "instant" | "day":
                return Literally(self._moment(token))
            case _:
                self._place -= 1
                raise self._wrong()

    def _moment(self, token: _Token) -> date:
        try:
            if token.kind == "day":
                return date.fromisoformat(token.text)
            moment = datetime.fromisoformat(token.text)
        except ValueError as error:
            raise FilterError(f"Unrecognized 'Edm.DateTimeOffset' literal '{token.text}'.") from error
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)

    def _json(self, token: _Token) -> str:
        try:
            return str(json.loads(token.text))
        except ValueError as error:
            raise FilterError(f"Invalid JSON at position {token.place}.") from error

    # -- one token at a time

    @property
    def _here(self) -> _Token:
        return self._tokens[self._place]

    def _take(self) -> _Token:
        token = self._here
        if token.kind == "end":
            raise self._wrong()
        self._place += 1
        return token

    def _take_text(self) -> str:
        if self._here.kind != "text":
            raise self._wrong()
        return _unquoted(self._take().text)

    def _takes(self, kind: str, text: str) -> bool:
        there = (self._here.kind, self._here.text) == (kind, text)
        self._place += there
        return there

    def _expect(self, mark: str) -> None:
        if not self._takes("mark", mark):
            raise self._wrong()

    def expect_end(self) -> None:
        """Refuse what stands behind a whole filter."""
        if self._here.kind != "end":
            raise self._wrong()

    def _wrong(self) -> FilterError:
        return FilterError(f"Syntax error at position {self._here.place}: unexpected '{self._here.text}'.")


def _unquoted(text: str) -> str:
    return text[1:-1].replace("''", "'")
