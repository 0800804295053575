"""Keys, links, and what is kept back of a record."""

from __future__ import annotations

import pytest

from mkdyn.domain import Entity, Hold, Key, Link, LinkState, Quarantined, Rules, System, Wake
from mkdyn.domain.records import Moved, is_guid, short

from .worlds import GUID


def test_a_key_is_a_system_s_word_for_a_record() -> None:
    """Numbers become texts, GUIDs lower case."""
    assert Key.marketo(1042) == Key.marketo("1042") == Key(System.MARKETO, "1042")
    assert Key.dynamics(GUID.upper()) == Key(System.DYNAMICS, GUID)
    assert str(Key.marketo(1042)) == "marketo:1042"
    assert repr(Key.dynamics("AB")) == "Key.dynamics('ab')"
    assert {Key.marketo(1): "one"}[Key.marketo(1)] == "one"


def test_a_link_has_two_keys() -> None:
    """One in each system."""
    link = Link(entity="lead", dynamics=GUID, marketo="1042")
    assert (link.key(System.DYNAMICS), link.key(System.MARKETO)) == (GUID, "1042")
    assert (link.state, link.origin, link.baseline, link.echoes) == (LinkState.LIVE, "matched", {}, {})


def test_a_baseline_of_which_some_has_moved() -> None:
    """It is the one with the other on top."""
    moved = Moved({"jobtitle": "Clerk", "telephone1": None}, {"jobtitle": "Head", "mobilephone": "1"})
    assert dict(moved) == {"jobtitle": "Head", "telephone1": None, "mobilephone": "1"}
    assert len(moved) == 3
    assert "emailaddress1" not in moved


@pytest.mark.parametrize(
    ("key", "shown"), [(GUID, "7b1e…"), ("1042", "1042"), ("a" * 36, "a" * 36), (GUID + "0", GUID + "0"), ("", "")]
)
def test_guids_are_shown_short(key: str, shown: str) -> None:
    """Other keys as they are."""
    assert short(key) == shown


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        (GUID, True),
        (GUID.upper(), True),
        (GUID.replace("-", ""), False),
        (GUID[1:], False),
        (f"{GUID}0", False),
        (f"{{{GUID}}}", False),
        (GUID.replace("f", "g"), False),
        ("1042", False),
        ("", False),
    ],
)
def test_what_can_be_a_guid(text: str, *, is_one: bool) -> None:
    """Hexadecimal digits in any case, eight, four, four, four and twelve of them; nothing before or after."""
    assert is_guid(text) is is_one


def test_what_is_kept_back_says_why() -> None:
    """And wakes for an edit, unless it says otherwise."""
    hold = Hold(entity=Entity.CONTACT, key=GUID, field="jobtitle", code="too-long", reason="Too long.")
    assert str(hold) == "held: contact 7b1e… jobtitle (too-long): Too long."
    aside = Quarantined(entity=Entity.LEAD, key="88", code="1007", reason="Two records have this e-mail.")
    assert str(aside) == "quarantined: lead 88 (1007): Two records have this e-mail."
    assert (hold.wake, aside.wake, hold.attempts, aside.attempts) == (Wake.EDIT, Wake.EDIT, 1, 1)


def test_words_for_people_and_for_programmers() -> None:
    """States and wakes."""
    assert [str(state) for state in LinkState] == ["live", "suspended", "frozen", "tombstone"]
    assert repr(LinkState.LIVE) == "LinkState.LIVE"
    assert repr(Wake.PERSON) == "Wake.PERSON"


def test_the_default_rules_are_the_mission_s() -> None:
    """Flag, stay deleted, delete; match by e-mail; a key field for each kind of person."""
    rules = Rules()
    assert rules.match_on == {Entity.LEAD: ["emailaddress1"], Entity.CONTACT: ["emailaddress1"]}
    assert (rules.person_deleted_in_dynamics, rules.person_deleted_in_marketo) == ("flag", "stay_deleted")
    assert rules.other_deleted_in_dynamics == "delete"
    assert rules.key_field_of(Entity.LEAD) == "dynamicsId"
    assert rules.key_field_of(Entity.CONTACT) == "dynamicsContactId"
    assert Rules() == Rules()
