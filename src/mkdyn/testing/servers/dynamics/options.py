"""What a query's options ask for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import attrs

from mkdyn.testing.servers.dynamics.odata.filters import Condition, Constant, leaves
from mkdyn.testing.servers.dynamics.odata.parsing import FilterError, constant, parsed
from mkdyn.testing.servers.dynamics.question import BAD_QUERY, TOO_MANY_CONDITIONS, RefusedError

_KNOWN: Final = (
    "$select", "$filter", "$orderby", "$top", "$expand", "$count", "$apply", "$skiptoken", "$deltatoken",
)  # fmt: skip
_INSIDE: Final = ("$select", "$expand", "$filter", "$orderby", "$top")
#: What Dataverse does not do, and what it says of it.
_REFUSED: Final = {
    "$skip": "Skip Clause is not supported in CRM",
    "$search": "The query parameter $search is not supported",
    "$format": "The query parameter $format is not supported",
    "$compute": "The query parameter $compute is not supported",
}
#: What Dataverse does, and this server doesn't: passed over, it would answer another question.
_LACKING: Final = {
    "$apply": "This server does not aggregate.",
    "sql": "This server does not read SQL.",
    "fetchXml": "This server does not read FetchXML.",
    "savedQuery": "This server has no views.",
    "userQuery": "This server has no views.",
}


@attrs.frozen
class Ordering:
    """One term of `$orderby`."""

    name: str
    descending: bool


@attrs.frozen(kw_only=True)
class Expansion:
    """One term of `$expand`, with the options in its parentheses."""

    name: str
    options: Options


@attrs.frozen(kw_only=True)
class Options:
    """The options of a query, read.

    Attributes:
        select: The properties that are wanted; None for all.
        filter: What is true of the wanted rows.
        order: In what order they are wanted.
        top: How many are wanted at most.
        count: Whether their number is wanted, too.
        expand: What is wanted of the rows they refer to.
        aliases: What `@p1` stands for.
        skip_token: Where the page before ended.
        delta_token: From when on changes are wanted.
    """

    select: Sequence[str] | None = None
    filter: Condition | None = None
    order: Sequence[Ordering] = ()
    top: int | None = None
    count: bool = False
    expand: Sequence[Expansion] = ()
    aliases: Mapping[str, Constant] = attrs.field(factory=dict[str, Constant])
    skip_token: str | None = None
    delta_token: str | None = None


def read_options(given: Mapping[str, str], *, conditions_max: int) -> Options:
    """Read the options of a query.

    Raises:
        RefusedError: One is not known, not supported, or not written as it should be.
    """
    for name in given:
        if name in _REFUSED:
            raise RefusedError(400, BAD_QUERY, _REFUSED[name])
        if name.startswith("$") and name not in _KNOWN:
            message = f"The query parameter {name} is not supported"
            raise RefusedError(400, BAD_QUERY, message)
        if name in _LACKING:
            raise RefusedError(501, BAD_QUERY, _LACKING[name])
    return _options(given, conditions_max)


def _options(given: Mapping[str, str], conditions_max: int) -> Options:
    condition = None if "$filter" not in given else _filter(given["$filter"])
    if condition is not None and sum(1 for _ in leaves(condition)) > conditions_max:
        message = f"Number of conditions in query exceeded maximum limit of {conditions_max}."
        raise RefusedError(400, TOO_MANY_CONDITIONS, message)
    return Options(
        select=_listed(given["$select"]) if "$select" in given else None,
        filter=condition,
        order=tuple(map(_ordering, _listed(given.get("$orderby", "")))),
        top=_top(given.get("$top")),
        count=_flag(given.get("$count")),
        expand=tuple(_expansion(term, conditions_max) for term in divided(given.get("$expand", ""), ",")),
        aliases={name[1:]: _constant(text) for name, text in given.items() if name.startswith("@")},
        skip_token=given.get("$skiptoken"),
        delta_token=given.get("$deltatoken"),
    )


def _filter(text: str) -> Condition:
    try:
        return parsed(text)
    except FilterError as error:
        raise RefusedError(400, BAD_QUERY, str(error)) from error


def _constant(text: str) -> Constant:
    try:
        return constant(text)
    except FilterError:
        return text  # a parameter of a function, which reads it itself


def _listed(text: str) -> Sequence[str]:
    return [item for item in map(str.strip, text.split(",")) if item]


def _ordering(term: str) -> Ordering:
    name, *way = term.split()
    if way not in ([], ["asc"], ["desc"]):
        raise RefusedError(400, BAD_QUERY, f"Syntax error in '$orderby': '{term}'.")
    return Ordering(name, descending=way == ["desc"])


def _top(text: str | None) -> int | None:
    if text is None:
        return None
    if not text.isdecimal():
        raise RefusedError(400, BAD_QUERY, f"Invalid value '{text}' for $top query option found.")
    return int(text)


def _flag(text: str | None) -> bool:
    if text not in (None, "true", "false"):
        raise RefusedError(400, BAD_QUERY, f"Invalid value '{text}' for $count query option found.")
    return text == "true"


def _expansion(term: str, conditions_max: int) -> Expansion:
    name, parenthesis, rest = term.partition("(")
    if not parenthesis:
        return Expansion(name=name.strip(), options=Options())
    if not rest.endswith(")"):
        raise RefusedError(400, BAD_QUERY, f"Syntax error in '$expand': '{term}'.")
    given = dict(_pair(option) for option in divided(rest[:-1], ";"))
    return Expansion(name=name.strip(), options=_options(given, conditions_max))


def _pair(option: str) -> tuple[str, str]:
    name, _, value = option.partition("=")
    if name.strip() not in _INSIDE:
        raise RefusedError(400, BAD_QUERY, f"The query parameter {name.strip()} is not supported inside $expand.")
    return name.strip(), value


def divided(text: str, mark: str) -> Sequence[str]:
    """Divide a text at a mark, wherever that stands in no parentheses and no quotes."""
    pieces, depth, quoted = [""], 0, False
    for letter in text:
        quoted ^= letter == "'"
        depth += 0 if quoted else (letter == "(") - (letter == ")")
        if letter == mark and depth == 0 and not quoted:
            pieces.append("")
        else:
            pieces[-1] += letter
    return [piece.strip() for piece in pieces if piece.strip()]
