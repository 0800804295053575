"""The merge, case by case: what the design says of it, as plain examples."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from itertools import product

import attrs
import pytest

from mkdyn.domain import (
    MISSING,
    AnyEntity,
    Ask,
    Baseline,
    Collision,
    Direction,
    Entity,
    FieldPair,
    FieldValue,
    Hold,
    Merged,
    Merger,
    PairState,
    Policy,
    Resolution,
    System,
    Twofold,
    Verdict,
    Wake,
    Win,
    merge,
    system_of_record,
)
from mkdyn.domain.lenses.numbers import boolean_lens
from mkdyn.domain.lenses.texts import text_lens
from mkdyn.domain.merged import agreed_on
from mkdyn.domain.records import NOBODYS

from .worlds import GUID, ONE_WAY, marketo_wins, nobody_wins

LEAD = FieldPair(Entity.LEAD, "jobtitle", "title", lens=text_lens(dynamics_length=10, marketo_length=10))
CONTACT = attrs.evolve(LEAD, entity=Entity.CONTACT)
ACCOUNT = FieldPair(Entity.ACCOUNT, "name", "company", lens=text_lens(dynamics_length=10, marketo_length=10))


def settle(
    pair: FieldPair,
    *,
    was: FieldValue | Twofold = "old",
    d: FieldValue = "old",
    m: FieldValue = "old",
    lost: FieldValue | None = None,
    policy: Policy = system_of_record,
    never: bool = False,
) -> Merged:
    """Merge one field; *lost* is an edit our write replaced, *never* says that they never agreed."""
    baseline: Baseline = {} if never else {pair.key: was}
    overwritten: Mapping[str, FieldValue] = {} if lost is None else {pair.marketo: lost}
    return Merger([pair], policy=policy)(
        baseline=baseline, marketo={pair.marketo: m}, dynamics={pair.dynamics: d}, overwritten=overwritten, key=GUID
    )


def only(merged: Merged) -> Resolution:
    """Return the one value that gave way."""
    [resolution] = merged.resolutions
    return resolution


def held(merged: Merged) -> Hold:
    """Return the one field kept back."""
    [hold] = merged.holds
    return hold


@pytest.mark.parametrize(("pair", "winner"), [(LEAD, System.MARKETO), (CONTACT, System.DYNAMICS)])
def test_the_same_field_changed_on_both(pair: FieldPair, winner: System) -> None:
    """Marketo wins for leads, Dynamics for contacts; both values are kept, and what was before."""
    merged = settle(pair, d="from sales", m="marketing")
    assert merged.to_dynamics == ({"jobtitle": "marketing"} if winner is System.MARKETO else {})
    assert merged.to_marketo == ({"title": "from sales"} if winner is System.DYNAMICS else {})
    resolution = only(merged)
    assert (resolution.winner, resolution.kind, resolution.key) == (winner, "collision", GUID)
    assert resolution.collision == Collision(
        entity=pair.entity, field="jobtitle", was="old", marketo="marketing", dynamics="from sales"
    )


def test_other_edits_of_both_sides_survive_a_collision() -> None:
    """A collision is of one field: the others of either edit are carried over."""
    phone, town = FieldPair(Entity.LEAD, "telephone1", "phone"), FieldPair(Entity.LEAD, "address1_city", "city")
    merged = merge(
        [LEAD, phone, town],
        baseline={"jobtitle": "old", "telephone1": None, "address1_city": "Rome"},
        marketo={"title": "CTO", "phone": None, "city": "Oslo"},
        dynamics={"jobtitle": "VP", "telephone1": "+44", "address1_city": "Rome"},
    )
    assert merged.to_dynamics == {"jobtitle": "CTO", "address1_city": "Oslo"}
    assert merged.to_marketo == {"phone": "+44"}
    assert [item.collision.field for item in merged.resolutions] == ["jobtitle"]


def test_authority_goes_before_the_policy() -> None:
    """A field's own authority wins, whatever the policy says."""
    merged = settle(attrs.evolve(LEAD, authority=System.DYNAMICS), d="a", m="b", policy=marketo_wins)
    assert merged.to_marketo == {"title": "a"}
    assert only(merged).verdict.because == "Dynamics has authority over jobtitle"


@pytest.mark.parametrize("entity", ONE_WAY, ids=str)
def test_marketo_edits_of_one_way_entities_are_reverted_and_reported(entity: AnyEntity) -> None:
    """Dynamics always wins, nobody is asked, even by a policy or an authority that says otherwise."""
    pair = FieldPair(entity, "name", "name", authority=System.MARKETO)
    merged = settle(pair, m="edited", policy=nobody_wins)
    assert (merged.to_marketo, merged.to_dynamics) == ({"name": "old"}, {})
    assert (only(merged).winner, only(merged).kind) == (System.DYNAMICS, "one-way")
    assert only(merged).verdict.because == "the field syncs Dynamics → Marketo only"


def test_a_narrowed_pair_has_its_own_source() -> None:
    """Marketo → Dynamics only: what Dynamics shows of its own is replaced and reported."""
    score = FieldPair(Entity.CONTACT, "mkt_leadscore", "leadScore", direction=Direction.TO_DYNAMICS)
    merged = settle(score, was=10, d=99, m=10)
    assert (merged.to_marketo, merged.to_dynamics) == ({}, {"mkt_leadscore": 10})
    assert (only(merged).winner, only(merged).kind) == (System.MARKETO, "one-way")
    assert only(merged).value(System.DYNAMICS) == 99


@pytest.mark.parametrize(
    ("gives_way", "reported"), [(None, False), ("", False), (False, True), (0, True), ("edited", True)]
)
def test_only_what_somebody_entered_is_reported_on_first_sight(gives_way: FieldValue, reported: bool) -> None:
    """A field that goes one way is filled silently; a value that gives way is reported, zero included."""
    pair = FieldPair(Entity.ACCOUNT, "name", "company")
    assert bool(settle(pair, d="name", m=gives_way, never=True).resolutions) is reported
    score = FieldPair(Entity.CONTACT, "new_score", "score", direction=Direction.TO_DYNAMICS)
    assert bool(settle(score, d=gives_way, m="80", never=True).resolutions) is reported


def test_a_default_that_gives_way_on_first_sight_is_not_reported() -> None:
    """Nobody entered the false that Marketo shows for an empty boolean."""
    pair = FieldPair(Entity.ACCOUNT, "new_key", "key", lens=boolean_lens())
    assert settle(pair, d=True, m=False, never=True).resolutions == []
    assert only(settle(pair, d=False, m=True, never=True)).kind == "one-way"
    back = FieldPair(Entity.CONTACT, "new_key", "key", lens=boolean_lens(), direction=Direction.TO_DYNAMICS)
    assert settle(back, d=False, m=True, never=True).resolutions == []


def test_converged_edits_are_agreement() -> None:
    """Both changed to the same value: the baseline moves, nothing is written or reported."""
    assert settle(LEAD, d="new", m="new") == Merged(agreed={"jobtitle": "new"})


def test_our_own_write_coming_back_is_no_change() -> None:
    """What Marketo shows of a value is remembered with it, so it is no edit."""
    pair = FieldPair(Entity.LEAD, "donotphone", "doNotCall", lens=boolean_lens())
    merged = settle(pair, was=True, d=None, m=True)
    assert merged.to_marketo == {"doNotCall": False}
    assert merged.awaited == {"donotphone": Twofold(None, False)}
    assert not settle(pair, was=Twofold(None, False), d=None, m=False)


def test_silence_is_not_emptiness() -> None:
    """An emptied field is carried over; a field that is not shown is not."""
    assert settle(LEAD, d=None).to_marketo == {"title": None}
    silent = merge([LEAD], baseline={"jobtitle": "old"}, marketo={"title": "old"}, dynamics={})
    assert not silent


@pytest.mark.parametrize(("silent", "where"), [("dynamics", "Dynamics"), ("marketo", "Marketo")])
def test_an_edit_against_a_field_that_cannot_be_seen_is_held(silent: str, where: str) -> None:
    """The other side's value is unknown, so nothing is written over it."""
    shown: dict[str, dict[str, FieldValue]] = {"dynamics": {"jobtitle": "new"}, "marketo": {"title": "new"}}
    shown[silent] = {}
    merged = Merger([LEAD])(baseline={"jobtitle": "old"}, key=GUID, **shown)
    assert (merged.to_marketo, merged.to_dynamics) == ({}, {})
    assert (held(merged).code, held(merged).wake) == ("unreadable", Wake.SCHEMA)
    assert str(held(merged)) == (
        f"held: lead 7b1e… jobtitle (unreadable): {where} does not show it to the sync user any more. "
        "Grant read access to it, or deselect it."
    )


def test_a_first_sight_of_one_side_alone_is_no_matter() -> None:
    """Where they never agreed, a field that one side does not show is left alone."""
    assert not merge([LEAD], baseline=None, marketo={}, dynamics={"jobtitle": "new"})


@pytest.mark.parametrize(
    ("d", "m", "to_marketo", "to_dynamics"),
    [
        ("VP", None, {"title": "VP"}, {}),
        (None, "CTO", {}, {"jobtitle": "CTO"}),
        ("VP", "", {"title": "VP"}, {}),
        ("", "CTO", {}, {"jobtitle": "CTO"}),
        (None, None, {}, {}),
        ("", None, {}, {}),
    ],
)
def test_first_sight_fills_the_empty_side(
    d: FieldValue, m: FieldValue, to_marketo: dict[str, FieldValue], to_dynamics: dict[str, FieldValue]
) -> None:
    """What one side entered fills the other, for leads and contacts alike, and is no collision."""
    for pair in (LEAD, CONTACT):
        merged = settle(pair, d=d, m=m, never=True)
        assert (merged.to_marketo, merged.to_dynamics, merged.resolutions) == (to_marketo, to_dynamics, [])


@pytest.mark.parametrize("entity", [Entity.LEAD, Entity.CONTACT])
def test_an_opt_out_survives_the_first_sight(entity: Entity) -> None:
    """A boolean that shows its default counts as empty: nobody entered it, on either side."""
    pair = FieldPair(entity, "donotbulkemail", "unsubscribed", lens=boolean_lens())
    assert settle(pair, d=False, m=True, never=True).to_dynamics == {"donotbulkemail": True}
    assert settle(pair, d=True, m=False, never=True).to_marketo == {"unsubscribed": True}
    assert settle(pair, d=None, m=True, never=True).to_dynamics == {"donotbulkemail": True}
    allowed = attrs.evolve(pair, lens=boolean_lens(dynamics_default=True))
    assert settle(allowed, d=True, m=False, never=True).resolutions != []  # two defaults: nobody entered either
    assert only(settle(allowed, d=False, m=True, never=True)).kind == "first-sight"


def test_two_values_on_first_sight_are_decided_by_policy() -> None:
    """Both entered something: the policy decides, and both are reported, with nothing before."""
    resolution = only(settle(LEAD, d="VP", m="CTO", never=True))
    assert (resolution.kind, resolution.winner, resolution.collision.was) == ("first-sight", System.MARKETO, MISSING)


@pytest.mark.parametrize("pair", [LEAD, CONTACT])
def test_a_doubtful_field_is_taken_as_changed_on_both(pair: FieldPair) -> None:
    """Nobody knows whether our last write arrived: both values are in the report."""
    merged = Merger([pair])(
        baseline={"jobtitle": "old"}, marketo={"title": "old"}, dynamics={"jobtitle": "new"}, doubtful={"jobtitle"}
    )
    assert {only(merged).value(system) for system in System} == {"old", "new"}
    agreeing = Merger([pair])(
        baseline={"jobtitle": "old"}, marketo={"title": "old"}, dynamics={"jobtitle": "old"}, doubtful={"jobtitle"}
    )
    assert agreeing == Merged(agreed={"jobtitle": "old"})


def test_a_value_that_does_not_fit_is_held() -> None:
    """It is not cut, the baseline stays, and the reason says where to put it right."""
    merged = settle(LEAD, m="far too long for it")
    assert merged == Merged(holds=[held(merged)])
    assert str(held(merged)) == (
        "held: lead 7b1e… jobtitle (too-long): 19 characters, Dynamics takes 10. Change title in Marketo."
    )
    assert held(settle(LEAD, d="far too long for it")).reason == (
        "19 characters, Marketo takes 10. Change jobtitle in Dynamics."
    )


@pytest.mark.parametrize("pair", [LEAD, ACCOUNT])
def test_a_winner_that_does_not_fit_wins_nothing(pair: FieldPair) -> None:
    """Each side keeps its own value, so there is nothing to report as lost."""
    long = "far too long for it"
    merged = settle(pair, m=long, d="new") if pair is LEAD else settle(pair, m="new", d=long)
    assert held(merged).code == "too-long"
    assert merged == Merged(holds=merged.holds)


def test_an_ask_is_a_hold() -> None:
    """Each system keeps its value until a person decides."""
    merged = settle(CONTACT, d="a", m="b", policy=lambda _: Ask(because="consent needs a person"))
    assert merged == Merged(holds=[held(merged)])
    assert held(merged).wake is Wake.PERSON
    assert str(held(merged)) == (
        "held: contact 7b1e… jobtitle (ask): consent needs a person. "
        "Both systems keep their value until someone decides."
    )


def test_an_edit_our_write_replaced_is_put_back_where_marketo_wins() -> None:
    """We wrote `old` over `edit` in the instant it was made: Marketo gets it back, Dynamics gets it too."""
    merged = settle(LEAD, lost="edit")
    assert (merged.to_marketo, merged.to_dynamics) == ({"title": "edit"}, {"jobtitle": "edit"})
    assert merged.awaited == {"jobtitle": "edit"}
    assert (only(merged).kind, only(merged).winner, only(merged).key) == ("overwritten", System.MARKETO, GUID)


def test_an_edit_our_write_replaced_is_reported_where_dynamics_wins() -> None:
    """Our write stands: there is nothing to send, and both values are in the report."""
    merged = settle(CONTACT, lost="edit")
    assert (merged.to_marketo, merged.to_dynamics) == ({}, {})
    assert only(merged).text(values="shown") == (
        "contact jobtitle: 'old' (Dynamics) over 'edit' (Marketo); was 'old'. "
        "Dynamics is the system of record for contacts."
    )


def test_a_later_edit_in_dynamics_goes_on_beside_an_overwritten_one() -> None:
    """Dynamics changed again meanwhile: that edit is carried over now, not with some later look."""
    merged = settle(CONTACT, d="newer", lost="edit")
    assert merged.to_marketo == {"title": "newer"}
    assert only(merged).value(System.MARKETO) == "edit"
    too_long = settle(CONTACT, d="far too long for it", lost="edit")
    assert held(too_long).code == "too-long"
    assert only(too_long).value(System.MARKETO) == "edit"


def test_an_overwritten_edit_that_does_not_fit_is_put_back_and_held() -> None:
    """Marketo wins, but Dynamics can't hold it: Marketo has it back, so it is not lost."""
    merged = settle(LEAD, lost="far too long for it")
    assert (merged.to_marketo, merged.to_dynamics) == ({"title": "far too long for it"}, {})
    assert held(merged).code == "too-long"
    assert merged.awaited == {}
    assert only(merged).kind == "overwritten"


def test_an_overwritten_edit_that_nobody_may_decide_is_put_back() -> None:
    """Both systems keep their value, and Marketo's is the edit."""
    merged = settle(LEAD, lost="edit", policy=nobody_wins)
    assert (merged.to_marketo, merged.to_dynamics) == ({"title": "edit"}, {})
    assert held(merged).code == "ask"


def test_an_overwritten_edit_never_leaves_its_direction() -> None:
    """A lead's pair that goes to Marketo only is not written in Dynamics, though Marketo wins for leads."""
    merged = settle(attrs.evolve(LEAD, direction=Direction.TO_MARKETO), lost="edit")
    assert (merged.to_marketo, merged.to_dynamics) == ({}, {})
    assert (only(merged).winner, only(merged).kind) == (System.DYNAMICS, "overwritten")
    assert only(settle(ACCOUNT, lost="edit")).winner is System.DYNAMICS


def test_an_overwritten_edit_that_dynamics_shares_is_agreement() -> None:
    """Dynamics came to the same value: it is carried over as any edit, and nobody lost anything."""
    put_back = Merged(to_marketo={"title": "same"}, awaited={"jobtitle": "same"})
    assert settle(LEAD, d="same", lost="same") == put_back
    assert settle(LEAD, d="same", m="ours", lost="same") == put_back  # and the baseline lags behind our write
    assert settle(LEAD, d="same", m="same", lost="same") == Merged(agreed={"jobtitle": "same"})


@pytest.mark.parametrize("pair", [LEAD, CONTACT])
def test_a_baseline_that_lags_hides_no_overwritten_edit(pair: FieldPair) -> None:
    """Marketo shows our write, though its answer never came: the edit beneath it counts all the same."""
    merged = settle(pair, d="ours", m="ours", lost="edit")
    assert only(merged).kind == "overwritten"
    assert merged.to_marketo == ({"title": "edit"} if pair is LEAD else {})
    assert merged.agreed == ({} if pair is LEAD else {"jobtitle": "ours"})


def test_an_overwritten_edit_of_a_field_that_dynamics_never_had_fills_it() -> None:
    """A contact goes on with its lead's person, say: that it has nothing there is no clear."""
    filled = Merged(
        to_marketo={"title": "edit"}, to_dynamics={"jobtitle": "edit"}, awaited={"jobtitle": "edit"}
    )  # fmt: skip
    assert settle(CONTACT, d=None, m="ours", lost="edit", never=True) == filled
    assert only(settle(CONTACT, d="theirs", m="ours", lost="edit", never=True)).winner is System.DYNAMICS
    assert only(settle(CONTACT, was="ours", d=None, m="ours", lost="edit")).winner is System.DYNAMICS
    one_way = attrs.evolve(CONTACT, direction=Direction.TO_MARKETO)
    assert only(settle(one_way, d=None, m="ours", lost="edit", never=True)).winner is System.DYNAMICS


@pytest.mark.parametrize(("d", "lost", "there"), [(False, True, {"donotbulkemail": True}), (None, False, {})])
def test_a_flag_at_its_default_is_empty_for_an_overwritten_edit(
    d: bool | None, lost: bool, there: Mapping[str, FieldValue]
) -> None:
    """They never agreed: an opt-out fills what Dynamics shows by default, and what Marketo shows by default fills nothing."""
    pair = FieldPair(Entity.CONTACT, "donotbulkemail", "unsubscribed", lens=boolean_lens())
    merged = settle(pair, d=d, m=not lost, lost=lost, never=True)
    assert merged.to_dynamics == there


@pytest.mark.parametrize("ours", ["old", "ours"])
def test_an_overwritten_edit_against_a_field_that_cannot_be_seen_is_put_back(ours: str) -> None:
    """Without Dynamics' value nobody can decide: the edit goes back where it was made, and the field is held once."""
    merged = Merger([LEAD])(
        baseline={"jobtitle": "old"}, marketo={"title": ours}, dynamics={}, overwritten={"title": "edit"}, key=GUID
    )
    assert (merged.to_marketo, merged.to_dynamics) == ({"title": "edit"}, {})
    assert str(held(merged)).startswith(
        "held: lead 7b1e… jobtitle (unreadable): Dynamics does not show it to the sync user any more."
    )
    silent = Merger([LEAD])(baseline={"jobtitle": "old"}, marketo={}, dynamics={}, overwritten={"title": "edit"})
    assert not silent


@pytest.mark.parametrize("pair", [LEAD, CONTACT, ACCOUNT])
def test_a_pair_being_backfilled_is_refreshed_from_dynamics(pair: FieldPair) -> None:
    """Dynamics → Marketo, empty values too, and nothing of it is reported."""
    new = attrs.evolve(pair, state=PairState.BACKFILLING)
    merged = settle(new, d=None, m="before", never=True)
    assert merged == Merged(to_marketo={pair.marketo: None}, awaited={pair.dynamics: None})
    assert settle(new, d="a", m="b", never=True).to_marketo == {pair.marketo: "a"}
    assert settle(new, d="newer").to_marketo == {pair.marketo: "newer"}


@pytest.mark.parametrize("d", ["old", "newer"])
def test_an_edit_of_a_refreshed_record_waits_for_the_end_of_the_backfill(d: str) -> None:
    """A Marketo edit made since is neither overwritten nor carried over yet; once both ways are open, it is merged."""
    new = attrs.evolve(LEAD, state=PairState.BACKFILLING)
    assert not settle(new, d=d, m="edit")
    assert settle(attrs.evolve(new, state=PairState.ACTIVE), d=d, m="edit").to_dynamics == {"jobtitle": "edit"}


def test_an_edit_that_a_backfill_overwrote_is_put_back_to_wait() -> None:
    """Our refresh hit it in the instant it was made."""
    new = attrs.evolve(LEAD, state=PairState.BACKFILLING)
    assert settle(new, lost="edit") == Merged(to_marketo={"title": "edit"}, agreed={"jobtitle": "old"})
    lagging = settle(new, d="ours", m="ours", lost="edit")
    assert lagging == Merged(to_marketo={"title": "edit"}, agreed={"jobtitle": "ours"})
    assert settle(new, d="newer", lost="edit") == Merged(to_marketo={"title": "edit"})
    one_way = attrs.evolve(ACCOUNT, state=PairState.BACKFILLING)
    assert only(settle(one_way, lost="edit")).kind == "overwritten"


def test_a_one_way_edit_is_reverted_during_a_backfill_too() -> None:
    """There is nothing to wait for: the pair never goes both ways."""
    merged = settle(attrs.evolve(ACCOUNT, state=PairState.BACKFILLING), m="edit")
    assert merged.to_marketo == {"company": "old"}
    assert only(merged).kind == "one-way"


def test_a_baseline_belongs_to_one_selection() -> None:
    """Selected anew, a field starts without what the systems agreed on before."""
    again = attrs.evolve(LEAD, selection=2)
    merged = merge([again], baseline={"jobtitle": "old"}, marketo={"title": "old"}, dynamics={"jobtitle": None})
    assert merged.to_dynamics == {"jobtitle": "old"}
    assert merged.awaited == {"jobtitle#2": "old"}


def test_one_is_not_true() -> None:
    """Types count: a number that became a boolean is a change, and no agreement of types."""
    pair = FieldPair(Entity.LEAD, "new_flag", "flag")
    assert settle(pair, was=1, d=1, m=True) == Merged(agreed={"new_flag": Twofold(1, True)})
    assert agreed_on("same", "same") == "same"


def test_a_policy_is_given_the_collision() -> None:
    """It sees both values, each in its system's type, and the one before."""
    seen: list[Collision] = []

    def policy(collision: Collision, /) -> Verdict:
        seen.append(collision)
        return Win(System.DYNAMICS, because="sales owns it")

    merged = settle(LEAD, was=Twofold("old", "OLD"), d="a", m="b", policy=policy)
    assert seen == [Collision(entity=Entity.LEAD, field="jobtitle", was="old", marketo="b", dynamics="a")]
    assert only(merged).verdict.because == "sales owns it"


@pytest.mark.parametrize(
    ("d", "m", "written", "told"),
    [
        (None, "in", {"title": None}, []),
        ("in", "in", {}, []),
        ("mine", "in", {"title": "mine"}, []),
        ("in", "edit", {"title": "in"}, [(None, "edit", "in")]),
        (None, "edit", {"title": None}, [(None, "edit", None)]),
    ],
)
def test_what_a_merge_of_persons_filled_in_is_written_over(
    d: FieldValue,
    m: FieldValue,
    written: Mapping[str, FieldValue],
    told: list[tuple[FieldValue, FieldValue, FieldValue]],
) -> None:
    """Whatever Dynamics shows stands, even where its row has just that by now; an edit against it is reported."""
    merged = settle(CONTACT, was=Twofold(NOBODYS, "in"), d=d, m=m)
    assert (merged.to_marketo, merged.to_dynamics) == (written, {})
    collisions = [item.collision for item in merged.resolutions]
    assert [(item.was, item.marketo, item.dynamics) for item in collisions] == told


def test_a_merger_is_the_merge_of_many_records() -> None:
    """The function and the class come to the same; an empty outcome is false."""
    both = merge([LEAD], baseline=None, marketo={"title": "b"}, dynamics={"jobtitle": "a"}, policy=marketo_wins)
    assert both == Merger(iter([LEAD]), policy=marketo_wins)(
        baseline=None, marketo={"title": "b"}, dynamics={"jobtitle": "a"}
    )
    assert only(both).key == ""
    assert Merger([LEAD, CONTACT]).pairs == (LEAD, CONTACT)


def test_a_merge_of_no_fields_is_at_rest() -> None:
    """As before the first selection."""
    assert not Merger([])(baseline={}, marketo={"title": "a"}, dynamics={"jobtitle": "b"})


@pytest.mark.parametrize("answering", list(product([False, True], repeat=3)), ids=str)
def test_a_mapping_that_answers_for_any_name_is_not_believed(answering: tuple[bool, bool, bool]) -> None:
    """A name that is not in it is silence, whatever it would make up, and whether or not the others know it."""

    def mapping(place: int, **values: FieldValue) -> dict[str, FieldValue]:
        if not answering[place]:
            return values
        del values[("address1_city", "city", "address1_city")[place]]
        return defaultdict(lambda: f"made up {place}", values)

    baseline = mapping(0, jobtitle="old", address1_city="here")
    marketo = mapping(1, title="old", city="there")
    dynamics = mapping(2, jobtitle="new", address1_city="elsewhere")
    merger = Merger([LEAD, FieldPair(Entity.LEAD, "address1_city", "city")])
    merged = merger(baseline=baseline, marketo=marketo, dynamics=dynamics)
    assert merged == merger(baseline=dict(baseline), marketo=dict(marketo), dynamics=dict(dynamics))
    assert (merged.to_marketo["title"], merged.awaited["jobtitle"]) == ("new", "new")


def test_each_thing_that_a_merge_asks_for_is_something() -> None:
    """Even one alone; what is awaited only goes with a write."""
    collided = settle(LEAD, d="a", m="b")
    assert Merged(to_marketo={"title": None})
    assert Merged(to_dynamics={"jobtitle": None})
    assert Merged(agreed={"jobtitle": None})
    assert Merged(resolutions=collided.resolutions)
    assert Merged(holds=settle(LEAD, m="far too long for it").holds)
    assert not Merged(awaited=collided.awaited)
    assert not Merged()
