"""A change of a one-way field in Marketo is carried to Dynamics, as if the field went both ways."""

from __future__ import annotations

import pytest

from mkdyn.domain.entities import is_person
from mkdyn.domain.merge import _Decision
from mkdyn.domain.systems import System


def write_one_way_entities_in_dynamics(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plant it."""
    carry_one_way = _Decision.carry_one_way

    def both_ways(decision: _Decision, *, d_changed: bool, m_changed: bool, known: bool) -> None:
        if not is_person(decision.pair.entity) and known and m_changed and not d_changed:
            decision.carry(System.MARKETO)
        else:
            carry_one_way(decision, d_changed=d_changed, m_changed=m_changed, known=known)

    monkeypatch.setattr(_Decision, "carry_one_way", both_ways)
