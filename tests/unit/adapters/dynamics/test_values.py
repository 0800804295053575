"""Values between the wire and a field: written and read back, each is itself."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given, strategies as st

from mkdyn.adapters.dynamics.values import MisfitError, body_of, read_value, wire_value
from mkdyn.domain.types import CHOICES, DECIMALS, DYNAMICS_TYPES, NEVER, REFERENCES, TEXTS, FieldType
from mkdyn.domain.values import FieldValue, same

GUID = "9c3f0b1e-6a52-4c1d-8f0e-5b7a9d2c4e11"
texts = st.text(st.characters(), min_size=1, max_size=40)
wholes = st.integers(-(2**63), 2**63 - 1)
decimals = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12, places=4)
guids = st.uuids().map(str)

#: What a column of each type can hold, as it is read.
HELD: dict[FieldType, st.SearchStrategy[FieldValue]] = {
    **dict.fromkeys(TEXTS, texts),
    **dict.fromkeys((*REFERENCES, "guid"), guids),
    **dict.fromkeys((*CHOICES, "integer", "bigint"), wholes),
    "choices": st.sets(st.integers(-5, 900_000), min_size=1).map(lambda found: ",".join(map(str, sorted(found)))),
    "boolean": st.booleans(),
    "decimal": decimals,
    "money": decimals,
    "float": st.floats(allow_nan=False, allow_infinity=False),
    "date": st.dates(),
    "datetime": st.datetimes(timezones=st.just(UTC)),
    "user-date": st.datetimes(timezones=st.just(UTC)),
    "wall-clock": st.datetimes(),
}
held = st.sampled_from(sorted(HELD)).flatmap(lambda kind: st.tuples(st.just(kind), HELD[kind]))


def there_and_back(kind: FieldType, value: FieldValue) -> FieldValue:
    """What a row shows that was written with a value."""
    body = json.loads(body_of({"column": wire_value(kind, value)}), parse_float=Decimal)
    return read_value(kind, body["column"])


@given(held)
def test_what_is_written_is_read(pair: tuple[FieldType, FieldValue]) -> None:
    """A value of its column's type comes back as it was, type and all."""
    kind, value = pair
    back = there_and_back(kind, value)
    assert same(back, value), (kind, back, value)


def test_every_type_is_read_but_those_that_never_sync() -> None:
    """No type is forgotten."""
    assert set(HELD) == set(DYNAMICS_TYPES) - set(NEVER)
    for kind in NEVER:
        with pytest.raises(MisfitError):
            read_value(kind, "x")


@given(st.sampled_from(DYNAMICS_TYPES), st.sampled_from(["x", 7, 7.5, True, Decimal("7.5"), date(2026, 7, 14)]))
def test_nothing_is_sent_that_is_not_of_the_type(kind: FieldType, value: FieldValue) -> None:
    """A value of another type is refused before it is sent, with no word of what it was."""
    fits = (
        (isinstance(value, str) and kind in TEXTS)
        or (isinstance(value, bool) and kind == "boolean")
        or (type(value) is int and (kind in DECIMALS or kind in ("integer", "bigint", *CHOICES)))
        or (isinstance(value, float | Decimal) and kind in DECIMALS)
        or (isinstance(value, date) and kind == "date")
    )
    if fits:
        assert wire_value(kind, value) is not None
        return
    with pytest.raises(MisfitError) as refused:
        wire_value(kind, value)
    assert not {"x", "7", "7.5", "2026"} & set(str(refused.value).split())


@pytest.mark.parametrize("kind", sorted(set(DYNAMICS_TYPES) - set(NEVER)))
def test_nothing_is_nothing(kind: FieldType) -> None:
    """Null and an empty text are empty, both ways."""
    assert read_value(kind, None) is None
    assert read_value(kind, "") is None
    assert wire_value(kind, None) is None
    assert wire_value(kind, "") is None


@pytest.mark.parametrize(
    ("kind", "raw", "value"),
    [
        ("lookup", GUID.upper(), GUID),
        ("money", Decimal("20000.0000"), Decimal(20000)),
        ("integer", Decimal("7.0"), 7),
        ("choices", "9,1,1", "1,9"),
        ("datetime", "2026-07-14T08:30:00+02:00", datetime(2026, 7, 14, 6, 30, tzinfo=UTC)),
        ("datetime", "2026-07-14T06:30:00", datetime(2026, 7, 14, 6, 30, tzinfo=UTC)),
        ("wall-clock", "2026-07-14T06:30:00Z", datetime(2026, 7, 14, 6, 30)),  # noqa: DTZ001
    ],
)
def test_what_rows_show(kind: FieldType, raw: object, value: FieldValue) -> None:
    """GUIDs in lower case, times by what the column means, choices in one order."""
    assert same(read_value(kind, raw), value)


@pytest.mark.parametrize(
    ("kind", "raw"),
    [("text", 7), ("integer", "7"), ("integer", True), ("integer", Decimal("7.5")), ("boolean", 1), ("date", "soon"),
     ("choices", "a"), ("decimal", []), ("datetime", "now"), ("guid", {})],
)  # fmt: skip
def test_what_is_not_of_the_type_is_no_value(kind: FieldType, raw: object) -> None:
    """Dynamics keeps no such value in such a column: the column has become another."""
    with pytest.raises(MisfitError):
        read_value(kind, raw)


def test_what_is_sent() -> None:
    """Numbers keep all their digits, times say UTC, GUIDs are in lower case, choices in one order."""
    abroad = datetime(2026, 7, 14, 8, 30, tzinfo=timezone(timedelta(hours=2)))
    values: dict[str, FieldValue] = {
        "revenue": wire_value("money", Decimal("123456789012345678.9012")),
        "on": wire_value("datetime", abroad),
        "day": wire_value("date", date(2026, 7, 14)),
        "id": wire_value("guid", GUID.upper()),
        "colours": wire_value("choices", "9,1"),
        "name": wire_value("text", 'a"\r\né'),
    }
    assert body_of(values) == (
        b'{"revenue":123456789012345678.9012,"on":"2026-07-14T06:30:00Z","day":"2026-07-14",'
        b'"id":"9c3f0b1e-6a52-4c1d-8f0e-5b7a9d2c4e11","colours":"1,9","name":"a\\"\\r\\n\\u00e9"}'
    )


@pytest.mark.parametrize("value", [float("nan"), float("inf"), Decimal("NaN"), Decimal("-Infinity")])
def test_no_number_that_is_none(value: FieldValue) -> None:
    """JSON has no word for it."""
    with pytest.raises(MisfitError):
        wire_value("float", value)
