"""What becomes of a link: matching on first sight, deletion, and what is seen again."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import get_args

import pytest
from hypothesis import given, strategies as st

from mkdyn.domain import (
    AnyEntity,
    Direction,
    Entity,
    FieldPair,
    LinkState,
    PairState,
    Passage,
    Rules,
    System,
    Twofold,
    Values,
)
from mkdyn.domain.lenses.numbers import boolean_lens
from mkdyn.domain.lifecycle import (
    AT_GATE,
    SEEN_AGAIN,
    Ambiguous,
    Candidate,
    CreateNew,
    Farewell,
    LinkTo,
    Reawakening,
    converted,
    deleted_in_dynamics,
    edited_since,
    filled_in,
    followed_on,
    match,
)
from mkdyn.domain.records import NOBODYS, Baseline
from mkdyn.domain.rules import OtherDeletedInDynamics, PersonDeletedInDynamics, PersonDeletedInMarketo

from .worlds import ENTITIES, LAW, SUBSCRIPTION

candidates = st.lists(
    st.builds(Candidate, key=st.sampled_from("pqrs"), linked=st.booleans(), ours=st.booleans(), buried=st.booleans()),
    unique_by=lambda candidate: candidate.key,
    max_size=4,
)
rivals = st.lists(st.sampled_from("xyz"), unique=True, max_size=3)


def test_the_guid_finds_a_link_again() -> None:
    """A record that carries the GUID is the counterpart, whatever else shares its e-mail."""
    assert match([Candidate(key="p")], [Candidate(key="q")], ["x"]) == LinkTo(key="p", by="id")
    assert match([Candidate(key="p"), Candidate(key="q", linked=True)], [], []) == LinkTo(key="p", by="id")
    assert match([Candidate(key="p", buried=True)], [Candidate(key="q")], []) == LinkTo(key="p", by="id")


def test_a_copied_guid_is_ambiguous() -> None:
    """Two free records that carry it: neither is taken, and one that is linked is no candidate."""
    two = [Candidate(key="q"), Candidate(key="p")]
    assert match(two, [], []) == Ambiguous(candidates=("p", "q"))
    assert match([*two, Candidate(key="o", linked=True)], [], []) == Ambiguous(candidates=("p", "q"))


def test_one_on_each_side_is_linked() -> None:
    """Exactly one unlinked record on each side."""
    assert match([], [Candidate(key="p")], []) == LinkTo(key="p", by="key")
    assert match([], [Candidate(key="q", buried=True), Candidate(key="p")], []) == LinkTo(key="p", by="key")
    assert match([Candidate(key="q", linked=True)], [Candidate(key="p")], []) == Ambiguous(candidates=("q",))


def test_several_with_one_key_are_ambiguous_and_all_named() -> None:
    """On either side."""
    two = [Candidate(key="q"), Candidate(key="p")]
    assert match([], two, []) == Ambiguous(candidates=("p", "q"))
    assert match([], two[:1], ["y", "x"]) == Ambiguous(candidates=("q",), rivals=("x", "y"))


def test_a_counterpart_of_another_is_ambiguous() -> None:
    """The one there is was linked before: this record may be a duplicate, whatever else is free."""
    assert match([], [Candidate(key="p", linked=True)], []) == Ambiguous(candidates=("p",))
    assert match([], [Candidate(key="q"), Candidate(key="p", linked=True)], []) == Ambiguous(candidates=("p", "q"))


def test_several_with_one_key_and_no_counterpart_get_one_each() -> None:
    """New records that share an e-mail: one person for each of them."""
    assert match([], [], ["x", "y"]) == CreateNew()


@LAW
@given(candidates, candidates, rivals, st.data())
def test_the_order_of_records_does_not_matter(
    by_id: Sequence[Candidate], by_key: Sequence[Candidate], others: Sequence[str], data: st.DataObject
) -> None:
    """Shuffled, the same records come to the same answer."""
    shuffled = [data.draw(st.permutations(items)) for items in (by_id, by_key)]
    assert match(by_id, by_key, others) == match(shuffled[0], shuffled[1], data.draw(st.permutations(others)))


@LAW
@given(candidates, candidates, rivals, st.booleans(), st.booleans())
def test_how_far_an_interrupted_run_came_does_not_matter(
    by_id: Sequence[Candidate], by_key: Sequence[Candidate], others: Sequence[str], linked: bool, buried: bool
) -> None:
    """Counterparts that we created for other records, linked yet or not, change no decision; nor do buried ones."""
    ours = Candidate(key="z", linked=linked, ours=True)
    gone = Candidate(key="y", linked=linked, buried=buried, ours=not buried)
    assert match(by_id, [*by_key, ours], others) == match(by_id, by_key, others)
    assert match(by_id, [gone, *by_key], others) == match(by_id, by_key, others)


@LAW
@given(candidates, candidates, rivals)
def test_a_link_is_made_to_a_free_record_only(
    by_id: Sequence[Candidate], by_key: Sequence[Candidate], others: Sequence[str]
) -> None:
    """Whoever is linked already stays with whom it is linked; nothing is created beside a possible counterpart."""
    match match(by_id, by_key, others):
        case LinkTo(key=key, by="id"):
            assert [item.key for item in by_id if not item.linked] == [key]
        case LinkTo(key=key):
            assert [item for item in by_key if item.key == key and not (item.linked or item.ours or item.buried)]
            assert not others
        case CreateNew():
            assert all(item.ours or item.buried for item in by_key)
            assert not by_id
        case Ambiguous(candidates=keys):
            assert keys
            assert list(keys) == sorted(keys)


@pytest.mark.parametrize("entity", [Entity.LEAD, Entity.CONTACT])
@pytest.mark.parametrize(("setting", "farewell"), [("ignore", "nothing"), ("flag", "flag"), ("delete", "delete")])
def test_a_person_deleted_in_dynamics(entity: Entity, setting: str, farewell: Farewell) -> None:
    """Flagged by default; a setting may ignore or delete them."""
    assert deleted_in_dynamics(entity, Rules()) == "flag"
    rules = Rules(person_deleted_in_dynamics=setting)  # type: ignore[arg-type]  # one of its words
    assert deleted_in_dynamics(entity, rules) == farewell


@pytest.mark.parametrize("entity", [Entity.ACCOUNT, Entity.OPPORTUNITY, Entity.TEAM, SUBSCRIPTION])
def test_another_record_deleted_in_dynamics(entity: AnyEntity) -> None:
    """Deleted in Marketo, too, unless a setting ignores it."""
    assert deleted_in_dynamics(entity, Rules()) == "delete"
    assert deleted_in_dynamics(entity, Rules(other_deleted_in_dynamics="ignore")) == "nothing"


def test_a_user_deleted_in_dynamics_is_kept() -> None:
    """Whatever the settings say."""
    for setting in ("ignore", "delete"):
        assert deleted_in_dynamics(Entity.USER, Rules(other_deleted_in_dynamics=setting)) == "nothing"


def test_every_deletion_has_an_answer() -> None:
    """For every entity, by every setting."""
    persons: list[PersonDeletedInDynamics] = ["ignore", "flag", "delete"]
    others: list[OtherDeletedInDynamics] = ["ignore", "delete"]
    for entity, person, other in product(ENTITIES, persons, others):
        rules = Rules(person_deleted_in_dynamics=person, other_deleted_in_dynamics=other)
        assert deleted_in_dynamics(entity, rules) in get_args(Farewell)


#: state, whose record is gone, who shows one, the setting for persons deleted in Marketo → what to do
SEEN = [
    (LinkState.SUSPENDED, System.MARKETO, System.DYNAMICS, "stay_deleted", "report"),
    (LinkState.SUSPENDED, System.MARKETO, System.DYNAMICS, "recreate", "report"),
    (LinkState.SUSPENDED, System.DYNAMICS, System.MARKETO, "stay_deleted", "report"),
    (LinkState.SUSPENDED, System.DYNAMICS, System.DYNAMICS, "stay_deleted", "revive"),
    (LinkState.SUSPENDED, System.MARKETO, System.MARKETO, "stay_deleted", "revive"),
    (LinkState.TOMBSTONE, System.DYNAMICS, System.DYNAMICS, "stay_deleted", "revive"),
    (LinkState.TOMBSTONE, System.MARKETO, System.MARKETO, "stay_deleted", "revive"),
    (LinkState.TOMBSTONE, System.MARKETO, System.DYNAMICS, "stay_deleted", "report"),
    (LinkState.TOMBSTONE, System.MARKETO, System.DYNAMICS, "recreate", "recreate"),
    (LinkState.TOMBSTONE, System.DYNAMICS, System.MARKETO, "stay_deleted", "rest"),
    (LinkState.TOMBSTONE, System.DYNAMICS, System.MARKETO, "recreate", "rest"),
]


@pytest.mark.parametrize(("state", "gone", "seen", "setting", "answer"), SEEN)
def test_a_record_of_a_buried_link_seen_again(
    state: LinkState, gone: System, seen: System, setting: str, answer: Reawakening
) -> None:
    """What was gone and is back revives its link; the other record's edit is reported, or brings a person back."""
    rules = Rules(person_deleted_in_marketo=setting)  # type: ignore[arg-type]  # one of its words
    assert SEEN_AGAIN(state, gone, seen, rules.person_deleted_in_marketo) == answer


def test_everything_seen_again_has_an_answer() -> None:
    """For every state of a link, whoever is gone, whoever is seen; a live link is merged, and nothing else is."""
    settings: list[PersonDeletedInMarketo] = ["stay_deleted", "recreate"]
    for state, gone, seen, setting in product(LinkState, (None, *System), System, settings):
        answer = SEEN_AGAIN(state, gone, seen, setting)
        assert answer in get_args(Reawakening)
        assert (answer == "merge") == (state is LinkState.LIVE)
        assert answer != "recreate" or (setting == "recreate" and seen is System.DYNAMICS)


@pytest.mark.parametrize(
    ("state", "passage", "answer"),
    [
        (LinkState.LIVE, "in", "go on"),
        (LinkState.LIVE, "out", "leave"),
        (LinkState.LIVE, "unknown", "go on"),
        (LinkState.SUSPENDED, "in", "go on"),
        (LinkState.SUSPENDED, "out", "leave"),
        (LinkState.SUSPENDED, "unknown", "go on"),
        (LinkState.FROZEN, "in", "return"),
        (LinkState.FROZEN, "out", "rest"),
        (LinkState.FROZEN, "unknown", "rest"),
        (LinkState.TOMBSTONE, "in", "go on"),
        (LinkState.TOMBSTONE, "out", "rest"),
        (LinkState.TOMBSTONE, "unknown", "rest"),
    ],
)
def test_what_a_filter_asks_for(state: LinkState, passage: Passage, answer: str) -> None:
    """Every state of a link, whatever the filter says."""
    assert AT_GATE(state, passage) == answer


def test_the_gate_has_an_answer_for_everything() -> None:
    """The table above is whole."""
    assert {(state, passage) for state in LinkState for passage in get_args(Passage) if AT_GATE(state, passage)} == {
        (state, passage) for state in LinkState for passage in ("in", "out", "unknown")
    }


PAIRS = (
    FieldPair(Entity.LEAD, "jobtitle", "title"),
    FieldPair(Entity.LEAD, "telephone1", "phone"),
    FieldPair(Entity.LEAD, "statecode", "status", direction=Direction.TO_MARKETO),
    FieldPair(Entity.LEAD, "companyname", "leadCompany"),
)
HEIRS = (
    FieldPair(Entity.CONTACT, "jobtitle", "title"),
    FieldPair(Entity.CONTACT, "telephone1", "phone"),
    FieldPair(Entity.CONTACT, "statecode", "status", direction=Direction.TO_MARKETO),
    FieldPair(Entity.CONTACT, "department", "department"),
    FieldPair(Entity.CONTACT, "fax", "leadCompany", state=PairState.BACKFILLING),
)
LEAD = {"jobtitle": "Engineer", "telephone1": "1", "statecode": 0, "companyname": "Acme"}


@pytest.mark.parametrize(
    ("contact", "baseline"),
    [
        ({"jobtitle": "Engineer", "telephone1": "1"}, {"jobtitle": "Engineer", "telephone1": "1"}),
        ({"jobtitle": "VP", "telephone1": "1"}, {"jobtitle": "Engineer", "telephone1": "1"}),
        ({"jobtitle": "Engineer", "telephone1": None}, {"jobtitle": "Engineer"}),
        ({"jobtitle": "Engineer", "telephone1": ""}, {"jobtitle": "Engineer"}),
        ({"jobtitle": "Engineer"}, {"jobtitle": "Engineer", "telephone1": "1"}),
    ],
)
def test_a_contact_goes_on_with_what_its_lead_agreed_on(contact: Values, baseline: Baseline) -> None:
    """An empty field is no clear; a field that is not shown is as it was; another value is an edit."""
    assert converted(LEAD, PAIRS, HEIRS, {**contact, "statecode": 0}) == {**baseline, "statecode": Twofold(None, 0)}


def test_a_state_that_the_contact_does_not_show_is_news_all_the_same() -> None:
    """What both agreed on of the lead says nothing of the contact."""
    assert converted(LEAD, PAIRS, HEIRS, {"statecode": None})["statecode"] == Twofold(0, 0)


@pytest.mark.parametrize(
    ("baseline", "loser", "filled"),
    [
        ({"jobtitle": None}, {"title": "CTO"}, {"jobtitle": Twofold(NOBODYS, "CTO")}),
        ({"jobtitle": Twofold("VP", None)}, {"title": "CTO"}, {"jobtitle": Twofold(NOBODYS, "CTO")}),
        ({"jobtitle": "VP"}, {"title": "CTO"}, {}),
        ({"jobtitle": None}, {"title": None}, {}),
        ({"jobtitle": None}, {"title": ""}, {}),
        ({"jobtitle": None}, {}, {}),
        ({}, {"title": "CTO"}, {}),
    ],
)
def test_what_a_merge_fills_in_counts_as_shown_before(baseline: Baseline, loser: Values, filled: Baseline) -> None:
    """So that it is no edit, and Dynamics' value is written over it."""
    assert filled_in(PAIRS[:1], baseline, loser) == filled


@pytest.mark.parametrize(
    ("baseline", "winner", "loser", "fields"),
    [
        ({"jobtitle": "VP"}, {"title": None}, {"title": "CTO"}, {"title"}),
        ({"jobtitle": Twofold(None, "VP")}, {"title": ""}, {"title": "CTO"}, {"title"}),
        ({"jobtitle": "VP"}, {"title": "VP"}, {"title": "CTO"}, set()),
        ({"jobtitle": "VP"}, {"title": None}, {"title": None}, set()),
        ({"jobtitle": None}, {"title": None}, {"title": "CTO"}, set()),
        ({"jobtitle": "VP"}, {}, {"title": "CTO"}, set()),
        ({}, {"title": None}, {"title": "CTO"}, set()),
    ],
)
def test_what_somebody_emptied_would_be_filled_in(
    baseline: Baseline, winner: Values, loser: Values, fields: set[str]
) -> None:
    """Where it showed something when both agreed, shows nothing now, and the loser shows something."""
    assert edited_since(PAIRS[:1], baseline, winner, loser) == fields


def test_what_a_merge_filled_in_is_not_the_contact_s_either() -> None:
    """A lead that is qualified right after: its contact's empty field is written over what Marketo filled in."""
    was = {"jobtitle": Twofold(NOBODYS, "CTO")}
    assert converted(was, PAIRS, HEIRS, {"jobtitle": None}) == was


def test_a_person_s_default_is_nobody_s_entry() -> None:
    """The boolean goes without a baseline, so that an opt-out survives; everything else goes on."""
    flag = FieldPair(Entity.LEAD, "donotbulkemail", "unsubscribed", lens=boolean_lens())
    baseline: Baseline = {"jobtitle": "VP", "donotbulkemail": True}
    assert followed_on(baseline, [*PAIRS, flag]) == {"jobtitle": "VP"}
