"""Who passes a filter, and which filters can't work."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from mkdyn import Filter, where
from mkdyn.domain import Entity, FieldSpec, FieldType, FieldValue, Gate
from mkdyn.domain.filters import gate_of
from mkdyn.errors import ConfigError

MOMENTS: tuple[FieldType, ...] = ("datetime", "wall-clock", "user-date")
NUMBERS: tuple[FieldType, ...] = ("integer", "bigint", "decimal", "float", "money", "choice", "state", "status")
EMEA = where("new_region").equals("EMEA")


@pytest.mark.parametrize(
    ("gate", "row", "passage"),
    [
        (Gate(), {}, "in"),
        (Gate(conditions=[EMEA]), {"new_region": "EMEA"}, "in"),
        (Gate(conditions=[EMEA]), {"new_region": "US"}, "out"),
        (Gate(conditions=[EMEA]), {}, "unknown"),
        (Gate(conditions=[EMEA], blind=["new_region"]), {"new_region": "EMEA"}, "unknown"),
        (Gate(native=True, blind=["new_synctomkto"]), {}, "unknown"),
        (Gate(native=True), {"new_synctomkto": False}, "out"),
        (Gate(native=True), {"new_synctomkto": None}, "in"),
    ],
)
def test_who_passes(gate: Gate, row: dict[str, FieldValue], passage: str) -> None:
    """Nobody can say where a column is not shown, or can't be read any more."""
    assert gate.passes(row) == passage


@pytest.mark.parametrize(
    ("type", "fits", "misfits"),
    [
        ("boolean", True, 1),
        ("date", date(2026, 1, 1), datetime(2026, 1, 1, tzinfo=UTC)),
        *((moment, datetime(2026, 1, 1, tzinfo=UTC), date(2026, 1, 1)) for moment in MOMENTS),
        *((number, 1, True) for number in NUMBERS),
        *((number, Decimal(1), "1") for number in NUMBERS),
        ("text", "a", 1),
    ],
)
def test_a_column_is_compared_with_what_it_can_hold(type: FieldType, fits: FieldValue, misfits: FieldValue) -> None:
    """A day is no moment, and a yes no number."""
    columns = {"new_x": FieldSpec(name="new_x", type=type)}

    def gate(value: FieldValue) -> Gate:
        filters = [Filter(Entity.LEAD, keep=where("new_x").equals(value))]
        return gate_of(Entity.LEAD, filters, columns, known=(), native=False)

    assert gate(fits).fields == {"new_x"}
    with pytest.raises(ConfigError, match="compares new_x"):
        gate(misfits)


def spec(name: str, type: FieldType = "text", *, readable: bool = True) -> FieldSpec:
    """Return a column."""
    return FieldSpec(name=name, type=type, readable=readable)


def test_a_filter_that_cannot_work_says_all_that_is_wrong() -> None:
    """Of its own entity; what other entities' filters say does not matter."""
    columns = {"new_region": spec("new_region"), "donotemail": spec("donotemail", "boolean")}
    filters = [
        Filter(Entity.LEAD, keep=where("new_regoin").equals("EMEA") & where("x").is_empty()),
        Filter(Entity.LEAD, keep=where("new_region").equals(1) & where("donotemail").is_one_of(None, "no")),
        Filter(Entity.CONTACT, keep=where("nowhere").is_empty()),
    ]
    with pytest.raises(ConfigError) as caught:
        gate_of(Entity.LEAD, filters, columns, known=(), native=False)
    assert caught.value.what == (
        "The filter of leads names new_regoin, which Dynamics does not have; nearest: new_region. "
        "The filter of leads names x, which Dynamics does not have. "
        "The filter of leads compares new_region (text) with 1: it holds a str. "
        "The filter of leads compares donotemail (boolean) with 'no': it holds a bool."
    )
    assert caught.value.what_to_do == "Nothing was read or sent. Put the filter right."


def test_a_misfit_among_numbers_is_told_so() -> None:
    """They are one kind."""
    with pytest.raises(ConfigError, match="it holds a number"):
        gate_of(
            Entity.LEAD, [Filter(Entity.LEAD, keep=where("n").equals("1"))], {"n": spec("n", "money")},
            known=(), native=False,
        )  # fmt: skip


@pytest.mark.parametrize(
    ("native", "columns", "known", "own"),
    [
        (True, [spec("new_synctomkto", "boolean")], (), True),
        (False, [spec("new_synctomkto", "boolean")], (), False),
        (True, [spec("new_synctomkto", "text")], (), False),
        (True, [], (), False),
        (True, [], ("new_synctomkto",), True),
        (False, [], ("new_synctomkto",), False),
    ],
)
def test_the_native_column_counts_where_it_is_one(
    native: bool, columns: list[FieldSpec], known: tuple[str, ...], own: bool
) -> None:
    """A yes or no, there now or before."""
    gate = gate_of(Entity.LEAD, [], {column.name: column for column in columns}, known=known, native=native)
    assert gate.native == own
    assert (set(gate.fields), gate.blind) == (
        {"new_synctomkto"} if own and columns else set(), ["new_synctomkto"] if own and not columns else [],
    )  # fmt: skip


def test_a_column_that_is_gone_or_hidden_makes_a_gate_blind() -> None:
    """One that was there before; the others still count."""
    keep = where("gone").equals("a") & where("hidden").equals("b") & where("there").equals("c")
    columns = {"hidden": spec("hidden", readable=False), "there": spec("there")}
    gate = gate_of(Entity.LEAD, [Filter(Entity.LEAD, keep=keep)], columns, known=("gone",), native=False)
    assert (gate.blind, gate.fields) == (["gone", "hidden"], {"there"})


def test_a_gate_in_words() -> None:
    """What is kept with the state, to see whether it changed."""
    assert str(Gate()) == ""
    assert str(Gate(conditions=[EMEA, where("b").is_empty()], native=True)) == (
        "where('new_region').equals('EMEA') & where('b').is_empty() & new_synctomkto"
    )
