"""A merge is decided in one of two ways, quickly or carefully, and both say the same."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime
from decimal import Decimal
from types import MappingProxyType

import attrs
import pytest
from hypothesis import given

from mkdyn.domain import (
    IDENTITY,
    Entity,
    FieldPair,
    FieldValue,
    Lens,
    Merged,
    Merger,
    PairState,
    System,
    Twofold,
    Unfit,
)
from mkdyn.domain.lenses.moments import datetime_lens
from mkdyn.domain.lenses.numbers import boolean_lens, decimal_lens
from mkdyn.domain.lenses.texts import choice_lens, text_lens
from mkdyn.domain.merged import agreed_on
from mkdyn.domain.values import same

from .worlds import GUID, LAW, Shape, World, worlds

#: Weighted towards the usual: pairs that are active, go both ways, and have a baseline.
USUAL = Shape(states=(PairState.ACTIVE, *PairState), authorities=(None, *System), known=(True, True, True, False))
TITLE = FieldPair(Entity.LEAD, "jobtitle", "title", lens=text_lens())
FLAG = FieldPair(Entity.LEAD, "new_flag", "flag", lens=boolean_lens())


def carefully(world: World) -> Merged:
    """Merge a record in mappings that are no dicts: nothing is taken from them at once."""
    return Merger(world.pairs)(
        baseline=MappingProxyType(world.baseline),
        marketo=MappingProxyType(world.shown(System.MARKETO)),
        dynamics=MappingProxyType(world.shown(System.DYNAMICS)),
        key=GUID,
    )


def typed(merged: Merged) -> object:
    """Return all that a merge asks for, so that 1 is not true."""
    values = (merged.to_marketo, merged.to_dynamics, merged.agreed, merged.awaited)
    return [merged, [[(name, type(value), repr(value)) for name, value in found.items()] for found in values]]


@LAW
@given(worlds(USUAL))
def test_both_ways_say_the_same(world: World) -> None:
    """Whatever the fields, and whether or not one of them is silent."""
    assert typed(world.merge()) == typed(carefully(world))


@LAW
@given(worlds(attrs.evolve(USUAL, silent=False, known=(True,))))
def test_both_ways_say_the_same_of_complete_records(world: World) -> None:
    """The quick way is taken throughout."""
    assert typed(world.merge()) == typed(carefully(world))


@pytest.mark.parametrize("was", ["old", None, Twofold("old", "older"), Twofold(1, True)])
@pytest.mark.parametrize("dynamics", ["old", "new", None, "", 1, True])
@pytest.mark.parametrize("marketo", ["old", "older", "new", None, "", 1, True])
def test_both_ways_say_the_same_of_what_no_lens_expects(
    was: FieldValue | Twofold, dynamics: FieldValue, marketo: FieldValue
) -> None:
    """A number or a truth value where texts are expected is decided in no other way."""
    known, in_dynamics, in_marketo = {"jobtitle": was}, {"jobtitle": dynamics}, {"title": marketo}
    merge = Merger([TITLE])
    quick = merge(baseline=known, marketo=in_marketo, dynamics=in_dynamics)
    careful = merge(baseline=MappingProxyType(known), marketo=in_marketo, dynamics=in_dynamics)
    assert typed(quick) == typed(careful)


SECOND = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
INSTANT = SECOND.replace(microsecond=678)
CENTS = Lens(name="cents", to_marketo=str, to_dynamics=str)


@pytest.mark.parametrize(
    ("lens", "was", "dynamics", "marketo"),
    [
        (choice_lens({1: "Cold", 2: "Warm"}), Twofold(2, "cold"), 1, "cold"),  # only carried to Dynamics they agree
        (datetime_lens(), Twofold(INSTANT, None), INSTANT, SECOND),  # only carried to Marketo they agree
        (CENTS, Twofold(4, 5), 5, 5),  # carried nowhere they agree: they are the same
        (CENTS, Twofold(5, 4), 5, 5),
    ],
)
def test_an_edit_that_the_other_system_shows_already_is_agreed_on(
    lens: Lens, was: Twofold, dynamics: FieldValue, marketo: FieldValue
) -> None:
    """One system changed, to what the other one means: nothing is written."""
    pair = attrs.evolve(TITLE, lens=lens)
    merged = Merger([pair])(baseline={"jobtitle": was}, marketo={"title": marketo}, dynamics={"jobtitle": dynamics})
    assert merged == Merged(agreed={"jobtitle": agreed_on(dynamics, marketo)})


@pytest.mark.parametrize(("was", "now"), [(1, True), (0, False), (True, 1), (False, 0), (1.0, True)])
def test_a_truth_value_is_no_number_at_rest(was: FieldValue, now: FieldValue) -> None:
    """What equals the baseline is not at rest if one of the two is a truth value."""
    assert not same(was, now)
    merged = Merger([FLAG])(baseline={"new_flag": was}, marketo={"flag": now}, dynamics={"new_flag": now})
    assert merged == Merged(agreed={"new_flag": now})
    assert type(merged.agreed["new_flag"]) is type(now)


@pytest.mark.parametrize("odd", [System.DYNAMICS, System.MARKETO])
@pytest.mark.parametrize(("was", "now"), [(1, True), (0, False), (True, 1), (False, 0)])
def test_a_truth_value_in_one_system_is_no_number_at_rest(odd: System, was: FieldValue, now: FieldValue) -> None:
    """Where only one of the two shows it, too: they agree, and the baseline keeps both."""
    shown = {system: now if system is odd else was for system in System}
    d, m = shown[System.DYNAMICS], shown[System.MARKETO]
    pair = attrs.evolve(FLAG, lens=IDENTITY)
    merged = Merger([pair])(baseline={"new_flag": was}, marketo={"flag": m}, dynamics={"new_flag": d})
    assert typed(merged) == typed(Merged(agreed={"new_flag": Twofold(d, m)}))


@pytest.mark.parametrize(
    ("was", "dynamics", "marketo"),
    [
        (Twofold(5, "five"), Decimal(5), "five"),
        (Twofold("five", 5), "five", Decimal(5)),
    ],
)
def test_a_number_of_another_type_is_no_edit(was: Twofold, dynamics: FieldValue, marketo: FieldValue) -> None:
    """Nothing is written, even where the baseline is nothing that the lens would carry over."""
    pair = attrs.evolve(TITLE, lens=CENTS)
    assert not Merger([pair])(baseline={"jobtitle": was}, marketo={"title": marketo}, dynamics={"jobtitle": dynamics})


HALF = Decimal("0.5")


@pytest.mark.parametrize(
    ("lens", "was", "dynamics", "marketo"),
    [
        (text_lens(), "old", "new", "old"),
        (text_lens(), "old", "old", "new"),
        (choice_lens({1: "Cold", 2: "Warm"}), Twofold(1, "Cold"), 2, "Cold"),
        (choice_lens({1: "Cold", 2: "Warm"}), Twofold(1, "Cold"), 1, "Warm"),
        (decimal_lens(), HALF, Decimal("0.25"), 0.5),  # what Marketo shows equals the baseline, in its own type
        (decimal_lens(), 0.5, HALF, 0.25),
    ],
)
def test_an_edit_is_carried_over_without_a_detour(
    lens: Lens, was: FieldValue | Twofold, dynamics: FieldValue, marketo: FieldValue
) -> None:
    """The lens is asked once for the edit, and once whether the other system shows it already."""
    asked: list[System] = []

    def to_marketo(value: FieldValue) -> FieldValue | Unfit:
        asked.append(System.MARKETO)
        return lens.to_marketo(value)

    def to_dynamics(value: FieldValue) -> FieldValue | Unfit:
        asked.append(System.DYNAMICS)
        return lens.to_dynamics(value)

    pair = attrs.evolve(TITLE, lens=attrs.evolve(lens, to_marketo=to_marketo, to_dynamics=to_dynamics))
    merged = Merger([pair])(baseline={"jobtitle": was}, marketo={"title": marketo}, dynamics={"jobtitle": dynamics})
    assert merged.to_marketo or merged.to_dynamics
    assert sorted(asked, key=str) == [System.DYNAMICS, System.MARKETO]


def test_an_answer_to_any_name_is_no_value() -> None:
    """A mapping that makes values up is silent where it has none, and stays as it is."""
    nothing: defaultdict[str, FieldValue] = defaultdict(lambda: None)
    merged = Merger([TITLE])(baseline={"jobtitle": "old"}, marketo=nothing, dynamics={"jobtitle": "old"})
    assert merged == Merged()
    assert not nothing


def test_a_record_may_have_no_fields() -> None:
    """Nothing selected, nothing asked for."""
    assert Merger([])(baseline={}, marketo={"title": "new"}, dynamics={}) == Merged()


@pytest.mark.parametrize(
    ("dynamics", "marketo", "doubtful", "written"),
    [
        ("D", "M", (), ({"title": "D"}, {})),
        ("D", None, (), ({"title": "D"}, {})),
        (None, "M", (), ({}, {"jobtitle": "M"})),
        ("", "M", (), ({}, {"jobtitle": "M"})),
        ("D", "M", ("jobtitle",), ({}, {"jobtitle": "M"})),
    ],
)
def test_where_a_backfill_passed_a_record_by(
    dynamics: FieldValue, marketo: FieldValue, doubtful: tuple[str, ...], written: tuple[object, object]
) -> None:
    """Dynamics' value stands, Marketo's where Dynamics has none; in doubt, it is as if they had just met."""
    late = attrs.evolve(TITLE, late=True)
    merged = Merger([late])(
        baseline={}, marketo={"title": marketo}, dynamics={"jobtitle": dynamics}, doubtful=doubtful, key=GUID
    )
    assert (merged.to_marketo, merged.to_dynamics) == written
    assert [item.kind for item in merged.resolutions] == (["first-sight"] if doubtful else [])


def test_a_default_is_no_value_of_dynamics_where_a_backfill_passed_by() -> None:
    """Nobody entered it, so that what somebody chose in Marketo stands."""
    late = attrs.evolve(FLAG, late=True)
    merged = Merger([late])(baseline={}, marketo={"flag": True}, dynamics={"new_flag": False}, key=GUID)
    assert (merged.to_marketo, merged.to_dynamics) == ({}, {"new_flag": True})
