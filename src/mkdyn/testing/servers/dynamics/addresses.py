"""What an address names: a set, a row of it, a part of that."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote

import attrs

from mkdyn.testing.servers.dynamics.question import BAD_REQUEST, RefusedError

_SEGMENT: Final = re.compile(r"(?P<name>[\w.$]+)(?:\((?P<inside>.*)\))?", re.ASCII | re.DOTALL)
_PAIR: Final = re.compile(r"\s*(?P<name>\w+)\s*=\s*(?P<value>'(?:[^']|'')*'|\[[^\]]*\]|[^,']*)\s*(?:,|$)", re.ASCII)
#: What no key's value may hold, encoded or not.
FORBIDDEN: Final = frozenset("/<>*%&:\\?+#")


@attrs.frozen
class Segment:
    """One step of an address.

    Attributes:
        name: The set, the property or the function.
        called: Whether parentheses stand behind it.
        alone: What stands in them, if it has no name.
        named: What stands in them, by name; still written as literals.
    """

    name: str
    called: bool = False
    alone: str | None = None
    named: Mapping[str, str] = attrs.field(factory=dict[str, str])


def segments(path: str) -> list[Segment]:
    """Return the steps of an address's path.

    Raises:
        RefusedError: It is none.
    """
    return [_segment(step) for step in _steps(unquote(path).strip("/"))]


def _steps(path: str) -> list[str]:
    """Divide at the slashes that stand in no quotes and no parentheses."""
    steps, depth, quoted = [""], 0, False
    for letter in path:
        quoted ^= letter == "'"
        depth += 0 if quoted else (letter == "(") - (letter == ")")
        if letter == "/" and not quoted and depth == 0:
            steps.append("")
        else:
            steps[-1] += letter
    return steps


def _segment(step: str) -> Segment:
    if not step:
        return Segment("")
    match = _SEGMENT.fullmatch(step)
    if match is None:
        raise RefusedError(400, BAD_REQUEST, "Bad Request - Error in query syntax.")
    name, inside = match["name"], match["inside"]
    if inside is None:
        return Segment(name)
    if "=" not in inside.partition("'")[0]:
        return Segment(name, called=True, alone=inside.strip() or None)
    return Segment(name, called=True, named=_named(inside))


def _named(inside: str) -> Mapping[str, str]:
    found: dict[str, str] = {}
    place = 0
    while place < len(inside):
        match = _PAIR.match(inside, place)
        if match is None:
            raise RefusedError(400, BAD_REQUEST, "Bad Request - Error in query syntax.")
        found[match["name"]] = match["value"].strip()
        place = match.end()
    return found


def text_of(literal: str) -> str:
    """Return what a literal in an address says, with or without its quotes."""
    if literal.startswith("'") and literal.endswith("'") and len(literal) > 1:
        return literal[1:-1].replace("''", "'")
    return literal
