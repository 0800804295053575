"""A filter whose column can't be read any more lets everything through."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from mkdyn.domain.filters import Gate, gate_of
from mkdyn.engine import gates


def lose_the_column_of_a_filter(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plant it."""

    def blind(*arguments: Any, **settings: Any) -> Gate:  # noqa: ANN401 - passed on
        gate = gate_of(*arguments, **settings)
        return attrs.evolve(gate, conditions=(), native=False, blind=()) if gate.blind else gate

    monkeypatch.setattr(gates, "gate_of", blind)
