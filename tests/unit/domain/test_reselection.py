"""How a selected pair starts: anew, or where the one that it replaces was."""

from __future__ import annotations

import attrs
import pytest

from mkdyn.domain import Direction, Entity, FieldPair, PairState, System
from mkdyn.domain.selection import reselected

BEFORE = FieldPair(Entity.LEAD, "jobtitle", "title", state=PairState.BACKFILLING, selection=2)


def test_the_same_two_fields_go_on_where_they_were() -> None:
    """With the baseline they have, and in the state they were in; what was asked for anew is new."""
    asked = FieldPair(Entity.LEAD, "jobtitle", "title", direction=Direction.TO_MARKETO, authority=System.DYNAMICS)
    for populated in (True, False):
        now = reselected(asked, 7, populated=populated, before=BEFORE)
        assert now == attrs.evolve(asked, state=PairState.BACKFILLING, selection=2)


def test_a_field_whose_backfill_passed_records_by_goes_on_so() -> None:
    """Edits that were made before it came still wait to be caught up with."""
    now = reselected(
        attrs.evolve(BEFORE, authority=System.DYNAMICS), 7, populated=True, before=attrs.evolve(BEFORE, late=True)
    )
    assert (now.late, now.authority) == (True, System.DYNAMICS)


@pytest.mark.parametrize("before", [None, BEFORE], ids=["selected again", "another Marketo field"])
def test_other_fields_start_with_a_baseline_of_their_own(before: FieldPair | None) -> None:
    """The next selection's; the old one's is never taken for theirs."""
    asked = FieldPair(Entity.LEAD, "jobtitle", "role")
    now = reselected(asked, 2, populated=False, before=before)
    assert now == attrs.evolve(asked, selection=3)
    assert now.key == "jobtitle#3"
