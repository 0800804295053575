"""Who passes a filter, and which filters can't work."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from mkdyn import Filter, where
from mkdyn.domain import Entity, FieldSpec, FieldType, FieldValue, Gate
from mkdyn.domain.filters import gate_of
from mkdyn.errors import ConfigError

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
        ("user-date", datetime(2026, 1, 1, tzinfo=UTC), date(2026, 1, 1)),
        ("choice", 1, True),
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
