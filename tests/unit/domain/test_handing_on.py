"""What is handed on where another record stands for one of a link's two, and the tables that say when."""

from __future__ import annotations

import pytest

from mkdyn.domain import Direction, Entity, FieldPair, FieldValue, Link, LinkState, System, Twofold, Values
from mkdyn.domain.collisions import Collision, Resolution, Win
from mkdyn.domain.lifecycle import (
    ANY,
    TELLING,
    Table,
    converted,
    edited_since,
    filled_in,
    is_qualified,
    is_reopened,
    left_behind,
    standing,
)
from mkdyn.domain.lifecycle.table import one_of
from mkdyn.domain.records import NOBODYS, Baseline

TITLE = FieldPair(Entity.LEAD, "jobtitle", "title")
PHONE = FieldPair(Entity.LEAD, "telephone1", "phone")
SCORE = FieldPair(Entity.LEAD, "mkt_leadscore", "leadScore", direction=Direction.TO_DYNAMICS)
STATE = FieldPair(Entity.LEAD, "statecode", "status", direction=Direction.TO_MARKETO)
PAIRS = (TITLE, STATE, SCORE, PHONE)


@pytest.mark.parametrize(
    ("lead", "qualified", "reopened"),
    [
        ({"statecode": 0}, False, True),
        ({"statecode": 1}, True, False),
        ({"statecode": 2}, False, True),
        ({"statecode": None}, False, True),
        ({}, False, False),
        ({"statuscode": 0}, False, False),
    ],
)
def test_a_lead_s_state_says_what_became_of_it(lead: Values, qualified: bool, reopened: bool) -> None:
    """A lead that does not show its state was neither qualified nor opened again, as far as anybody knows."""
    assert (is_qualified(lead), is_reopened(lead)) == (qualified, reopened)


def test_what_tells_of_a_row() -> None:
    """Its state, and who stands for it."""
    assert TELLING == {
        Entity.LEAD: ("statecode", "parentcontactid", "masterid"),
        Entity.CONTACT: ("originatingleadid", "masterid"),
        Entity.ACCOUNT: ("masterid",),
    }


def _gone(field: str, was: object, marketo: object, dynamics: object) -> Resolution:
    collision = Collision(entity=Entity.LEAD, field=field, was=was, marketo=marketo, dynamics=dynamics)  # type: ignore[arg-type]
    return Resolution(collision=collision, verdict=Win(System.DYNAMICS, because="merged"), key="g", kind="merged")


@pytest.mark.parametrize(
    ("baseline", "shown", "told"),
    [
        ({"jobtitle": "VP"}, {"title": "CTO"}, [_gone("jobtitle", "VP", "CTO", "VP")]),
        ({"jobtitle": Twofold("VP", "vp")}, {"title": "CTO"}, [_gone("jobtitle", "vp", "CTO", "VP")]),
        ({"jobtitle": Twofold("VP", "vp")}, {"title": "vp"}, []),
        ({"jobtitle": Twofold(NOBODYS, "VP")}, {"title": "CTO"}, [_gone("jobtitle", "VP", "CTO", None)]),
        ({"jobtitle": "VP"}, {"title": "VP"}, []),
        ({"jobtitle": "VP"}, {"title": None}, [_gone("jobtitle", "VP", None, "VP")]),
        ({"jobtitle": None}, {"title": "CTO"}, [_gone("jobtitle", None, "CTO", None)]),
        ({"jobtitle": "VP"}, {}, []),
        ({}, {"title": "CTO"}, []),
        ({"statecode": 0}, {"status": "Lost"}, []),
        ({"mkt_leadscore": 1}, {"leadScore": 2}, [_gone("mkt_leadscore", 1, 2, 1)]),
        (
            {"jobtitle": "VP", "statecode": 0, "telephone1": "1"},
            {"title": "CTO", "status": "Lost", "phone": "2"},
            [_gone("jobtitle", "VP", "CTO", "VP"), _gone("telephone1", "1", "2", "1")],
        ),
        ({"telephone1": "1"}, {"title": "CTO", "phone": "2"}, [_gone("telephone1", "1", "2", "1")]),
        ({"jobtitle": "VP", "telephone1": "1"}, {"phone": "2"}, [_gone("telephone1", "1", "2", "1")]),
    ],
)
def test_edits_that_go_with_a_merged_person_are_told(baseline: Baseline, shown: Values, told: list[Resolution]) -> None:
    """Those that Dynamics would have got and does not have; nobody can say more than what was shown."""
    assert left_behind(Entity.LEAD, PAIRS, baseline, shown, row="g", because="merged") == told


def test_each_field_is_handed_on_by_itself() -> None:
    """One that has nothing to hand on does not end the others."""
    leads = (TITLE, PHONE)
    contacts = tuple(
        FieldPair(Entity.CONTACT, name, marketo)
        for name, marketo in (("x", "y"), ("jobtitle", "title"), ("fax", "phone"))
    )
    was = {"jobtitle": "VP", "telephone1": Twofold("1", "one")}
    assert converted(was, leads, contacts, {"jobtitle": "VP"}) == {"jobtitle": "VP"}
    assert converted(was, leads, contacts, {"jobtitle": "CTO", "fax": "one"}) == {"jobtitle": "VP", "fax": "one"}
    baseline = {"jobtitle": "VP", "telephone1": None}
    filled = {"telephone1": Twofold(NOBODYS, "2")}
    assert filled_in(leads, baseline, {"title": "CTO", "phone": "2"}) == filled
    assert filled_in(PAIRS, {}, {"title": "", "status": "New", "phone": "2"}, held={"telephone1"}) == filled
    shown = {"title": "x", "phone": None}
    assert edited_since(leads, {"jobtitle": "VP", "telephone1": "1"}, shown, {"title": "CTO", "phone": "2"}) == {
        "phone"
    }


def test_a_field_without_a_baseline_ends_no_others() -> None:
    """The next one was emptied."""
    assert edited_since((TITLE, PHONE), {"telephone1": "1"}, {"phone": None}, {"phone": "2"}) == {"phone"}


@pytest.mark.parametrize("was", [None, "", Twofold("VP", None), Twofold("VP", "")])
@pytest.mark.parametrize("nothing", [None, ""])
def test_only_what_was_there_can_be_emptied(was: FieldValue | Twofold, nothing: FieldValue) -> None:
    """And only where there is something that a merge would fill in."""
    assert edited_since([TITLE], {"jobtitle": was}, {"title": nothing}, {"title": "CTO"}) == set()
    assert edited_since([TITLE], {"jobtitle": "VP"}, {"title": None}, {"title": nothing}) == set()
    assert edited_since([TITLE], {"jobtitle": "VP"}, {"title": nothing}, {"title": "CTO"}) == {"title"}


def test_what_was_entered_in_an_empty_field_is_looked_at_before_a_merge() -> None:
    """Nothing is filled in there any more; what never was agreed on is no edit, nor what nobody shows."""
    edited, loser = {"title": "CFO"}, {"title": "CTO"}
    for was in (None, "", Twofold("VP", None)):
        assert edited_since([TITLE], {"jobtitle": was}, edited, loser) == {"title"}
    assert edited_since([TITLE], {"jobtitle": None}, edited, {"title": None}) == set()
    assert edited_since([TITLE], {"jobtitle": "VP"}, edited, loser) == set()
    assert edited_since([TITLE], {}, edited, loser) == edited_since([TITLE], {"jobtitle": None}, {}, loser) == set()


@pytest.mark.parametrize("state", LinkState)
def test_a_record_stands_as_its_link_does(state: LinkState) -> None:
    """Or nobody knows it."""
    assert standing(Link(entity="lead", dynamics="g", marketo="1", state=state)) == state.value
    assert standing(None) == "no link"


def _table(rows: dict[tuple[object, ...], str]) -> Table[str, *tuple[object, ...]]:
    return Table("a question", {"size": ("s", "m", "l"), "late": (False, True)}, rows)


def test_a_table_answers_each_combination() -> None:
    """Whatever stands in a row: a state, one of several, or any."""
    table = _table({("s", ANY): "a", (one_of("m", "l"), True): "b", (one_of("m", "l"), False): "c"})
    assert dict(table.cells) == {
        ("s", False): "a", ("s", True): "a", ("m", True): "b", ("l", True): "b", ("m", False): "c", ("l", False): "c",
    }  # fmt: skip
    assert (table("s", True), table("l", False)) == ("a", "c")


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ({("s", ANY): "a", ("m", ANY): "b"}, r"a question: \('l', False\) has 0 answers"),
        ({(ANY, ANY): "a", ("l", True): "a"}, r"a question: \('l', True\) has 2 answers"),
        ({(ANY, True): "a"}, r"a question: \('s', False\) has 0 answers"),
    ],
)
def test_a_table_with_a_hole_or_two_answers_can_not_be_made(rows: dict[tuple[object, ...], str], says: str) -> None:
    """It says where."""
    with pytest.raises(ValueError, match=says):
        _table(rows)


def test_a_row_of_another_length_can_not_be_made() -> None:
    """It would be compared with a part of the question."""
    with pytest.raises(ValueError, match="argument 2 is longer"):
        _table({("s",): "a", ("m",): "b", ("l",): "c"})
