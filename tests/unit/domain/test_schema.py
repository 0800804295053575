"""What has changed in a description, and what that does to the selected pairs."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from mkdyn.domain import Direction, Entity, FieldPair, FieldSpec, FieldType, PairState
from mkdyn.domain.lenses.matrix import Reading
from mkdyn.domain.schema import STALE, compared, standing
from mkdyn.domain.systems import System


def spec(type: FieldType = "text", **facts: Any) -> FieldSpec:  # noqa: ANN401 - of each fact's own type
    """Return a field."""
    return attrs.evolve(FieldSpec(name="new_x", type=type, id="1", label="X"), **facts)


RATING = spec("choice", choices={1: "Hot", 2: "Cold"}, translations={1031: {1: "Heiß"}})
PAIR = FieldPair(Entity.LEAD, "new_x", "x")


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [
        ([], [spec()], ["Dynamics lead.new_x is new"]),
        ([spec()], [], ["Dynamics lead.new_x is not there any more"]),
        ([spec()], [spec(id="2")], ["Dynamics lead.new_x was deleted and made anew"]),
        ([spec()], [spec("memo")], ["Dynamics lead.new_x has another type: text, now memo"]),
        (
            [spec(length=10)],
            [spec(length=20)],
            ["Dynamics lead.new_x has another length, precision or range: text(10), now text(20)"],
        ),
        (
            [spec("decimal", precision=2)],
            [spec("decimal", precision=3)],
            ["Dynamics lead.new_x has another length, precision or range"],
        ),
        ([RATING], [attrs.evolve(RATING, choices={1: "Hot"})], ["Dynamics lead.new_x has other choices or labels"]),
        ([RATING], [attrs.evolve(RATING, translations={})], ["Dynamics lead.new_x has other choices or labels"]),
        ([spec()], [spec(label="Y")], ["Dynamics lead.new_x has another label: X, now Y"]),
        (
            [spec()],
            [spec(readable=False, writable=False)],
            ["Dynamics lead.new_x can't be read any more", "Dynamics lead.new_x can't be written any more"],
        ),
        (
            [spec(readable=False, writable=False)],
            [spec()],
            ["Dynamics lead.new_x can be read now", "Dynamics lead.new_x can be written now"],
        ),
        ([spec()], [spec(masked=True)], ["Dynamics lead.new_x is shown masked now"]),
        ([spec(masked=True)], [spec()], ["Dynamics lead.new_x is not shown masked any more"]),
        ([spec()], [spec()], []),
        ([spec(id=None)], [spec()], []),
    ],
)
def test_what_is_different_is_told_in_words(before: list[FieldSpec], after: list[FieldSpec], text: list[str]) -> None:
    """Field by field; what is the same is no change."""
    assert [str(change) for change in compared(System.DYNAMICS, "lead", before, after)] == text


def test_changes_come_in_order_of_name() -> None:
    """Whatever order a system describes its fields in."""
    found = compared(System.MARKETO, "lead", [spec(name="b")], [spec(name="c"), spec(name="a")])
    assert [(change.field, change.kind) for change in found] == [("a", "added"), ("b", "removed"), ("c", "added")]


@pytest.mark.parametrize(
    ("dynamics", "marketo", "state", "reason", "system"),
    [
        (None, spec(), PairState.MISSING, "new_x in Dynamics is not there any more", System.DYNAMICS),
        (spec(), None, PairState.MISSING, "new_x in Marketo is not there any more", System.MARKETO),
        (
            spec(id="2"), spec(), PairState.MISSING,
            "new_x in Dynamics was deleted and made anew; select it again", System.DYNAMICS,
        ),
        (spec(readable=False), spec(), PairState.BLOCKED, "the sync user may not read it", System.DYNAMICS),
        (
            spec(readable=False, secured=True), spec(), PairState.BLOCKED,
            "secured; the sync user may not read it", System.DYNAMICS,
        ),
        (
            spec(masked=True), spec(), PairState.BLOCKED,
            "the sync user is shown masks of its values", System.DYNAMICS,
        ),
        (spec(writable=False), spec(), PairState.BLOCKED, "the sync user may not write it", System.DYNAMICS),
        (spec(), spec(readable=False), PairState.BLOCKED, "new_x can't be read in Marketo any more", System.MARKETO),
        (spec(), spec(writable=False), PairState.BLOCKED, "new_x can't be written in Marketo any more", System.MARKETO),
        (
            spec("boolean"), spec(), PairState.BLOCKED,
            "boolean in Dynamics does not fit text in Marketo", System.DYNAMICS,
        ),
    ],
)  # fmt: skip
def test_a_pair_that_can_t_sync_is_set_aside(
    dynamics: FieldSpec | None, marketo: FieldSpec | None, state: PairState, reason: str, system: System
) -> None:
    """Missing if a field is not there, blocked if it can't be used; and why."""
    found = standing(PAIR, (spec(), spec()), (dynamics, marketo))
    assert (found.state, found.reason, found.system) == (state, reason, system)
    assert (found.returned, found.wakes) == (False, False)


def test_a_field_that_was_made_anew_is_named_as_it_was_selected() -> None:
    """Each by its own id, in its own system."""
    ours, theirs = spec(id="1"), attrs.evolve(spec(id="2"), name="newX")
    again = attrs.evolve(theirs, id="3")
    found = standing(PAIR, (ours, theirs), (ours, again))
    assert found.reason == "newX in Marketo was deleted and made anew; select it again"
    assert found.system is System.MARKETO
    found = standing(PAIR, (ours, theirs), (attrs.evolve(ours, id="3"), theirs))
    assert found.reason == "new_x in Dynamics was deleted and made anew; select it again"
    assert (
        standing(PAIR, (ours, attrs.evolve(theirs, id=None)), (attrs.evolve(ours, id=None), theirs)).state
        is PairState.ACTIVE
    )


def test_a_narrowed_pair_asks_only_for_what_it_needs() -> None:
    """A field that can't be written is no obstacle where nobody writes it."""
    to_marketo = attrs.evolve(PAIR, direction=Direction.TO_MARKETO)
    to_dynamics = attrs.evolve(PAIR, direction=Direction.TO_DYNAMICS)
    same = (spec(), spec())
    assert standing(to_marketo, same, (spec(writable=False), spec())).state is PairState.ACTIVE
    assert standing(to_dynamics, same, (spec(), spec(writable=False))).state is PairState.ACTIVE


@pytest.mark.parametrize("state", [PairState.MISSING, PairState.BLOCKED])
def test_a_pair_comes_back(state: PairState) -> None:
    """When both fields can be used again."""
    away = attrs.evolve(PAIR, state=state, reason="away")
    found = standing(away, (spec(), spec()), (spec(), spec()))
    assert (found.state, found.reason, found.returned) == (PairState.ACTIVE, "", True)


@pytest.mark.parametrize("state", [PairState.ACTIVE, PairState.BACKFILLING])
def test_a_pair_at_rest_stays_as_it_is(state: PairState) -> None:
    """With what stands in its reason."""
    pair = attrs.evolve(PAIR, state=state, reason=STALE)
    found = standing(pair, (spec(), spec()), (spec(), spec()))
    assert (found.state, found.reason, found.returned, found.wakes) == (state, STALE, False, False)


@pytest.mark.parametrize(
    ("was", "now", "wakes", "reason"),
    [
        (spec(length=10), spec(length=20), True, ""),
        (RATING, attrs.evolve(RATING, choices={1: "Hot", 2: "Cold", 3: "Warm"}), True, ""),
        (RATING, attrs.evolve(RATING, choices={1: "Very hot", 2: "Cold"}), True, STALE),
        (RATING, attrs.evolve(RATING, choices={1: "Cold", 2: "Hot"}), True, STALE),
        (RATING, attrs.evolve(RATING, choices={1: "Hot"}), True, STALE),
        (spec("decimal", precision=2), spec("decimal", precision=1), True, STALE),
        (spec("integer"), spec("decimal"), True, STALE),
        (spec(label="X"), spec(label="Y"), False, ""),
    ],
)
def test_another_shape_wakes_holds_and_may_ask_for_a_backfill(
    was: FieldSpec, now: FieldSpec, wakes: bool, reason: str
) -> None:
    """What did not fit may fit; what is stored may look different, and nobody edited it."""
    pair = attrs.evolve(PAIR, direction=Direction.TO_MARKETO)
    target = spec("float") if was.type in ("decimal", "integer") else spec()
    found = standing(pair, (was, target), (now, target))
    assert (found.state, found.wakes, found.reason) == (PairState.ACTIVE, wakes, reason)


def test_only_the_labels_in_use_count() -> None:
    """A label in a language that nobody chose may change as it likes."""
    after = attrs.evolve(RATING, translations={1031: {1: "Brennend"}})
    assert standing(PAIR, (RATING, spec()), (after, spec())).reason == ""
    assert standing(PAIR, (RATING, spec()), (after, spec()), Reading(language=1031)).reason == STALE
    assert standing(PAIR, (after, spec()), (after, spec()), Reading(language=1031)).reason == ""
