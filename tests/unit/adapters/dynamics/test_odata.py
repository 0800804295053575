"""Whatever a value holds, it stays a value: literals, addresses and queries."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given, strategies as st

from mkdyn.adapters.dynamics import requests
from mkdyn.adapters.dynamics.odata import any_of, in_pieces, is_name, literal_of, moment, query, row_path, text_literal
from mkdyn.adapters.dynamics.table import Column, Table
from mkdyn.domain.fields import FieldSpec
from mkdyn.domain.types import DYNAMICS_TYPES, FieldType

GUID = "9c3f0b1e-6a52-4c1d-8f0e-5b7a9d2c4e11"

#: What query languages make something else of.
NASTY = [
    "'",
    "''",
    "' or 1 eq 1 or a eq '",
    "&$filter=",
    "#",
    "%27",
    "\r\n--batch",
    "a/b",
    "\\'",
    "%",
    "+",
    "\x00",
    "É“”🐝",
]
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40) | st.sampled_from(NASTY)

TOKEN = re.compile(r"'(?:[^']|'')*'|[^' ]+| ")


def tokens(expression: str) -> list[str]:
    """An OData expression's words, texts among them as they were written."""
    found = TOKEN.findall(expression)
    assert "".join(found) == expression  # every quote is closed
    return [token for token in found if token != " "]


def table(*columns: tuple[str, FieldType]) -> Table:
    """A table of leads."""
    specs = {name: Column(spec=FieldSpec(name=name, type=kind)) for name, kind in columns}
    return Table(name="lead", schema_name="Lead", entity_set="leads", key="leadid", columns=specs)


@given(st.lists(texts, min_size=1, max_size=5))
def test_no_text_leaves_its_quotes(values: list[str]) -> None:
    """A condition on any texts has just as many words as there are texts, and holds them letter for letter."""
    words = tokens(any_of("lastname", map(text_literal, values)))
    assert words[0::4] == ["lastname"] * len(values)
    assert words[1::4] == ["eq"] * len(values)
    assert [word[1:-1].replace("''", "'") for word in words[2::4]] == values
    assert words[3::4] == ["or"] * (len(values) - 1)


@given(st.lists(texts, min_size=1, max_size=5))
def test_no_text_leaves_its_option(values: list[str]) -> None:
    """The address of a query has the options it was given, whatever the texts hold, and nothing to break a line."""
    leads = table(("lastname", "text"))
    where = leads.columns["lastname"]
    part = requests.rows(leads, [where], where, [text_literal(value) for value in values])
    assert part.target.isascii()
    assert not re.search(r"[\s\x00-\x1f]", part.target)
    address = urlsplit(part.target)
    assert (address.path, address.fragment) == ("/api/data/v9.2/leads", "")
    options = dict(parse_qsl(address.query, keep_blank_values=True, strict_parsing=True))
    assert options == {"$select": "lastname", "$filter": any_of("lastname", map(text_literal, values))}


@given(st.sampled_from(DYNAMICS_TYPES), texts)
def test_a_literal_is_of_its_type_or_there_is_none(kind: FieldType, text: str) -> None:
    """Nothing but a text between quotes, a GUID, a number, a boolean or a time gets into a condition."""
    literal = literal_of(kind, text)
    if literal is None:
        return
    quoted = len(tokens(literal)) == 1 and literal[0] == literal[-1] == "'"
    assert quoted or re.fullmatch(r"[0-9a-f-]{36}|-?[0-9.]+|true|false|[0-9-]{10}(T[0-9:.]+Z)?", literal, re.ASCII)


@pytest.mark.parametrize(
    ("kind", "text", "literal"),
    [
        ("text", "O'Brien", "'O''Brien'"),
        ("email", "ann+news@example.com", "'ann+news@example.com'"),
        ("lookup", GUID.upper(), GUID),
        ("guid", "7", None),
        ("integer", "+42", "42"),
        ("integer", "4.2", None),
        ("choice", "-1", "-1"),
        ("choices", "1,9", "'1,9'"),
        ("decimal", "1E+2", "100"),
        ("money", "1999.950", "1999.950"),
        ("money", "NaN", None),
        ("money", "1e99", None),
        ("money", "a lot", None),
        ("boolean", "True", "true"),
        ("boolean", "yes", None),
        ("date", "2026-07-14", "2026-07-14"),
        ("date", "tomorrow", None),
        ("datetime", "2026-07-14T08:30:00+02:00", "2026-07-14T06:30:00Z"),
        ("wall-clock", "2026-07-14T08:30:00", "2026-07-14T08:30:00Z"),
        ("image", "x", None),
    ],
)
def test_literals(kind: FieldType, text: str, literal: str | None) -> None:
    """Each type has its own way to be written; what no column of the type holds has none."""
    assert literal_of(kind, text) == literal


def test_moments() -> None:
    """An instant is told in UTC, a time of day as its digits."""
    abroad = datetime(2026, 7, 14, 2, 30, tzinfo=timezone(timedelta(hours=-4)))
    assert moment(abroad) == moment(abroad.astimezone(UTC)) == moment(datetime(2026, 7, 14, 6, 30))  # noqa: DTZ001
    assert moment(abroad) == "2026-07-14T06:30:00Z"
    assert literal_of("date", date(2026, 7, 14).isoformat()) == "2026-07-14"


@given(texts)
def test_only_names_are_names(text: str) -> None:
    """A name is letters, digits and underscores: nothing in it needs an escape."""
    assert is_name(text) == bool(re.fullmatch(r"[A-Za-z_]\w{0,127}", text, re.ASCII))
    assert is_name("mk_Thing")
    assert not is_name("lead\n")


@given(texts)
def test_only_guids_are_addresses(text: str) -> None:
    """No other key ever gets into an address."""
    with pytest.raises(ValueError, match="no row has such an address"):
        row_path("leads", text)
    with pytest.raises(ValueError, match="no row has such an address"):
        row_path("leads/", GUID)
    with pytest.raises(ValueError, match="no table has such a name"):
        requests.definition(f"lead'{text}")
    assert row_path("leads", GUID.upper()) == f"leads({GUID})"


def test_a_query_is_encoded_once() -> None:
    """What is encoded is the text, not the option's name; two options stay two."""
    assert query(("$filter", "a eq 'x & y'"), ("$select", "a,b")) == "$filter=a%20eq%20%27x%20%26%20y%27&$select=a,b"


@given(st.lists(texts, max_size=30), st.integers(1, 7), st.integers(50, 400))
def test_pieces_keep_the_limits(values: list[str], conditions_max: int, length_max: int) -> None:
    """Every literal is in one piece, in order; a piece keeps both limits, unless one literal alone breaks them."""
    literals = [text_literal(value) for value in values]
    pieces = list(in_pieces("lastname", literals, conditions_max=conditions_max, length_max=length_max))
    assert [literal for piece in pieces for literal in piece] == literals
    for piece in pieces:
        assert 1 <= len(piece) <= conditions_max
        encoded = query(("", any_of("lastname", piece)))
        assert len(encoded) <= length_max or len(piece) == 1
