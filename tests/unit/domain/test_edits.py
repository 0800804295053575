"""The usual change, decided without detours: what is decided there, and what is left to the merge."""

from __future__ import annotations

import pytest

from mkdyn.domain import MISSING, Direction, Entity, FieldPair, FieldValue, Lens, Merged, PairState, Shown, Twofold
from mkdyn.domain.edits import Way, carry_edit, way_of
from mkdyn.domain.values import boolean_lens, reference_lens, text_lens

from .worlds import GUID

UPPER = GUID.upper()


def text() -> Lens:
    """A lens that carries a text over as it is, if it fits."""
    return text_lens(dynamics_length=10, marketo_length=10)


def way(lens: Lens) -> Way:
    """Return the way of a field that goes both ways."""
    found = way_of(FieldPair(Entity.LEAD, "jobtitle", "title", lens=lens))
    assert found is not None
    return found


@pytest.mark.parametrize("direction", Direction, ids=str)
@pytest.mark.parametrize("state", PairState, ids=str)
def test_an_edit_has_a_way_where_either_system_may_edit(direction: Direction, state: PairState) -> None:
    """Not while a pair is refreshed, set aside or one-way: then the merge decides who may write."""
    found = way_of(FieldPair(Entity.LEAD, "jobtitle", "title", direction=direction, state=state))
    assert (found is not None) is (direction is Direction.BOTH and state is PairState.ACTIVE)


def decided() -> list[tuple[Lens, FieldValue | Twofold, FieldValue, FieldValue, Merged]]:
    """A lens, what both showed when they agreed, what Dynamics and Marketo show, and what is to be done."""
    return [
        (text(), "old", "old", "old", Merged()),
        (text(), "old", "new", "old", Merged(to_marketo={"title": "new"}, awaited={"jobtitle": "new"})),
        (text(), "old", "old", "new", Merged(to_dynamics={"jobtitle": "new"}, awaited={"jobtitle": "new"})),
        (text(), "old", None, "old", Merged(to_marketo={"title": None}, awaited={"jobtitle": None})),
        (text(), "old", "", "old", Merged(to_marketo={"title": None}, awaited={"jobtitle": Twofold("", None)})),
        (text(), "old", "old", "", Merged(to_dynamics={"jobtitle": None}, awaited={"jobtitle": Twofold(None, "")})),
        (
            boolean_lens(),
            Twofold(None, False),
            True,
            False,
            Merged(to_marketo={"title": True}, awaited={"jobtitle": True}),
        ),
        (
            boolean_lens(),
            Twofold(None, False),
            None,
            True,
            Merged(to_dynamics={"jobtitle": True}, awaited={"jobtitle": True}),
        ),
        (
            reference_lens(),
            Twofold(UPPER, GUID),
            "",
            GUID,
            Merged(to_marketo={"title": None}, awaited={"jobtitle": Twofold("", None)}),
        ),
        (text(), Twofold(1, "a"), 1.0, "b", Merged(to_dynamics={"jobtitle": "b"}, awaited={"jobtitle": "b"})),
        (text(), 1, 1, 1.0, Merged()),
        (text(), 1, 1.0, 1, Merged()),
    ]


@pytest.mark.parametrize("place", range(len(decided())))
def test_an_edit_of_one_system_is_carried_over(place: int) -> None:
    """And so is none, to nowhere: equal numbers of different types are no edit."""
    lens, was, d, m, expected = decided()[place]
    merged = Merged()
    assert carry_edit(merged, way(lens), was, d, m)
    assert merged == expected


def left() -> list[tuple[Lens, FieldValue | Twofold, Shown, Shown]]:
    """A lens, what both showed when they agreed, and what Dynamics and Marketo show now."""
    return [
        (text(), "old", "a", "b"),  # both edited it
        (text(), "old", "a", "a"),
        (text(), "old", "far too long for it", "old"),  # it does not fit
        (text(), "old", "old", "far too long for it"),
        (text(), "old", MISSING, "old"),  # nobody can see it
        (text(), "old", "old", MISSING),
        (text(), 1, True, 1),  # a truth value is no number
        (text(), 1, 1, True),
        (text(), 0, 1, False),
        (text(), 0, False, 1),
        # the other system shows it already, in each of the ways two values can agree
        (reference_lens(), Twofold("", GUID), UPPER, GUID),
        (reference_lens(), Twofold("", UPPER), GUID, UPPER),
        (reference_lens(), Twofold("", UPPER), UPPER, UPPER),
        (reference_lens(), Twofold(UPPER, ""), UPPER, GUID),
        (reference_lens(), Twofold(GUID, ""), GUID, UPPER),
        (reference_lens(), Twofold(UPPER, ""), UPPER, UPPER),
    ]


@pytest.mark.parametrize("place", range(len(left())))
def test_all_else_is_left_to_the_merge(place: int) -> None:
    """Untouched: where both were edited, where an edit does not fit, where they agree already."""
    lens, was, d, m = left()[place]
    merged = Merged()
    assert not carry_edit(merged, way(lens), was, d, m)
    assert merged == Merged()
