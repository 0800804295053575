"""What Marketo's feed proves: our own writes, other people's edits, and what Marketo made of a write."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import attrs
import pytest
from hypothesis import given, strategies as st

from mkdyn.domain import MISSING, Echo, Evidence, FieldValue, Shown
from mkdyn.domain.evidence import (
    Echoes,
    Refusal,
    confirmed_of,
    explained,
    given_up_at,
    heard_of,
    not_explained,
    prove,
    reads_as,
    refused,
    still_due,
    value_like,
)

from .worlds import LAW

WRITE = Echo(before="old", after="ours")
AGAIN = Echo(before="ours", after="again")


def told(old: str | None, new: str | None, field: str = "title") -> Evidence:
    """One entry's word on one field."""
    return Evidence(field=field, old=old, new=new)


def waiting(*echoes: Echo) -> Echoes:
    """Our writes of `title` that nothing has confirmed."""
    return {"title": echoes}


def test_our_own_write_is_no_edit() -> None:
    """An entry that says just what we wrote needs no further look."""
    proof = prove([told("old", "ours")], waiting(WRITE))
    assert (proof.edited, proof.overwritten, proof.lost, proof.echoes) == (set(), {}, set(), {})
    assert proof.standing == {"title": "ours"}
    assert proof.confirmed


def test_what_earlier_writes_explain_proves_nothing_of_a_later_one() -> None:
    """Each explains one entry, and none after a later write was heard of."""
    ours, theirs, phone = told("old", "ours"), told("ours", "theirs"), told("x", "y", field="phone")
    assert not_explained([ours, theirs, phone], waiting(WRITE)) == [theirs, phone]
    assert not_explained([ours, theirs, ours], waiting(WRITE)) == [theirs, ours]
    assert not_explained([told("ours", "again"), ours], waiting(WRITE, AGAIN)) == [ours]
    assert not_explained([ours], {}) == [ours]
    assert not_explained([], waiting(WRITE)) == []


def test_of_writes_that_may_not_have_arrived_the_oldest_is_told_of() -> None:
    """Where the entry continues none of them: not a later one, though that did arrive."""
    lost, sure = Echo(before="a", after="ours", sure=False), Echo(before="b", after="ours")
    assert prove([told("c", "ours")], waiting(lost, sure)).echoes == {"title": (sure,)}


def test_the_last_write_tells_when_it_was_given_up() -> None:
    """Whatever was sent before it."""
    sent = [datetime(2026, 1, day, tzinfo=UTC) for day in (1, 2, 3)]
    echoes = [Echo(before=before, after="x", at=at, sure=False) for before, at in zip("abc", sent, strict=True)]
    assert given_up_at("title", "c", waiting(*echoes)) == sent[2]
    assert given_up_at("title", "b", waiting(*echoes)) is None


def test_anything_else_is_an_edit() -> None:
    """Somebody else changed the field; our own write is still to come."""
    proof = prove([told("old", "theirs"), told("x", "y", field="phone")], waiting(WRITE))
    assert proof.edited == {"title", "phone"}
    assert proof.echoes == {"title": (WRITE,)}
    assert not proof.confirmed


def test_a_write_that_replaced_an_edit_says_so() -> None:
    """Its old text is not what we had read: that was somebody's edit, made in that instant."""
    proof = prove([told("old", "theirs"), told("theirs", "ours")], waiting(WRITE))
    assert proof.edited == {"title"}
    assert proof.overwritten == {"title": "theirs"}
    assert proof.echoes == {}


def test_an_edit_to_empty_is_an_edit() -> None:
    """What our write replaced may have been nothing at all."""
    assert prove([told("", "ours")], waiting(WRITE)).overwritten == {"title": None}
    assert prove([told(None, "ours")], waiting(WRITE)).overwritten == {"title": None}


def test_a_replaced_edit_that_cannot_be_read_back_is_lost_and_said_to_be() -> None:
    """The feed's text is no value of the field's type: it is named, not guessed."""
    proof = prove([told("many", "7")], {"score": (), "title": (Echo(before=5, after=7),)})
    assert (proof.overwritten, proof.lost) == ({}, {"title"})


def test_a_replaced_edit_of_an_empty_field_is_read_as_what_we_wrote() -> None:
    """The field was empty before, so the type is that of our own value."""
    assert prove([told("6", "7")], waiting(Echo(before=None, after=7))).overwritten == {"title": 6}


def test_an_edit_since_our_write_is_the_one_that_counts() -> None:
    """Somebody of the same system came after us: what we replaced was replaced there."""
    proof = prove([told("theirs", "ours"), told("ours", "newest")], waiting(WRITE))
    assert (proof.edited, proof.overwritten, proof.standing) == ({"title"}, {}, {})


def test_a_replaced_edit_of_a_field_that_we_emptied_is_read_as_what_stood_there() -> None:
    """Our own value has no type then; the one before it has."""
    assert prove([told("6", "")], waiting(Echo(before=5, after=None))).overwritten == {"title": 6}


LONG = "long " * 60


@pytest.mark.parametrize(
    ("old", "overwritten"),
    [
        (LONG, {}),
        (LONG[:299], {}),
        (LONG[:255], {}),
        (LONG[:254], {"title": LONG[:254]}),
        (f"{LONG[:255]}.", {"title": f"{LONG[:255]}."}),
        ("." * 255, {"title": "." * 255}),
        (f"{LONG}, longer", {"title": f"{LONG}, longer"}),
        (None, {"title": None}),
    ],
    ids=lambda value: str(len(value)) if isinstance(value, str) else None,
)
def test_a_text_that_the_feed_cuts_is_no_edit(old: str | None, overwritten: dict[str, FieldValue]) -> None:
    """The feed keeps at least 255 characters: what begins as the old text did, and is that long, is the old text."""
    proof = prove([told(old, "ours")], waiting(Echo(before=LONG, after="ours")))
    assert (proof.overwritten, proof.lost, proof.confirmed) == (overwritten, set(), True)


def test_writes_are_confirmed_in_their_order() -> None:
    """The confirmed one, and those before it, wait no longer; a repeated value is the older write."""
    assert prove([told("old", "ours")], waiting(WRITE, AGAIN)).echoes == {"title": (AGAIN,)}
    assert prove([told("ours", "again")], waiting(WRITE, AGAIN)).echoes == {}
    both = prove([told("old", "ours"), told("ours", "again")], waiting(WRITE, AGAIN))
    assert (both.echoes, both.edited, both.overwritten) == ({}, set(), {})


def test_the_link_s_own_echoes_are_left_alone() -> None:
    """A proof is a new thing: what it was made of stays as it was."""
    echoes = waiting(WRITE)
    prove([told("old", "ours")], echoes)
    assert echoes == {"title": (WRITE,)}


TEXTS: list[tuple[str | None, FieldValue, bool]] = [
    (None, None, True),
    ("", None, True),
    ("x", None, False),
    (None, "x", False),
    (None, "", False),
    ("x", "x", True),
    ("", "", True),
    ("X", "x", False),
    ("true", True, True),
    ("1", True, True),
    ("Yes", True, True),
    ("false", True, False),
    ("0", False, True),
    (None, False, True),
    ("", False, True),
    ("maybe", False, False),
    ("80", 80, True),
    ("80.0", 80, True),
    ("80.5", 80, False),
    ("eighty", 80, False),
    ("Infinity", 80, False),
    (None, 80, False),
    ("", 80, False),
    ("0.10", 0.1, True),
    ("0.2", 0.1, False),
    ("0.10", Decimal("0.1"), True),
    ("2026-01-02", date(2026, 1, 2), True),
    ("02/01/2026", date(2026, 1, 2), False),
    ("2026-01-02T03:04:05Z", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), True),
    ("2026-01-02 03:04:05", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), True),
    ("2026-01-02T04:04:05+01:00", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), True),
    ("yesterday", datetime(2026, 1, 2, tzinfo=UTC), False),
]


@pytest.mark.parametrize(("text", "value", "stands"), TEXTS)
def test_what_a_text_stands_for(text: str | None, value: FieldValue, stands: bool) -> None:
    """The feed has texts only; a text stands for a value if it reads as that value."""
    assert reads_as(text, value) is stands


@pytest.mark.parametrize(
    ("text", "example", "value"),
    [
        ("theirs", "x", "theirs"),
        ("theirs", None, "theirs"),
        ("", "x", None),
        (None, 5, None),
        ("NO", True, False),
        ("maybe", True, MISSING),
        (None, True, False),
        ("80", 5, 80),
        ("80.5", 5, MISSING),
        ("1e999999", Decimal(5), Decimal("1e999999")),
        ("many", 0.5, MISSING),
        ("0.25", 0.5, 0.25),
        ("many", Decimal(5), MISSING),
        ("2026-01-02", date(2025, 1, 1), date(2026, 1, 2)),
        ("2026-01-02T03:04:05", datetime(2025, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
    ],
)
def test_a_text_read_as_a_value(text: str | None, example: FieldValue, value: Shown) -> None:
    """It becomes a value of the example's type, or is missing: never something else."""
    found = value_like(text, example)
    assert found == value
    assert type(found) is type(value)


@LAW
@given(st.one_of(st.text(), st.integers(), st.booleans(), st.decimals(allow_nan=False, allow_infinity=False)))
def test_every_value_reads_as_itself(value: FieldValue) -> None:
    """The plainest text of a value stands for it, and is read back as it."""
    assert reads_as(str(value), value)
    assert value_like(str(value), value) == (value or None if isinstance(value, str) else value)


@pytest.mark.parametrize(
    ("shown", "echoes", "evidence", "verdict"),
    [
        ("ours", (WRITE,), [], None),
        ("old", (), [], None),
        ("old", (WRITE,), [], "blocked"),
        ("OURS", (WRITE,), [], "rewritten"),
        ("OURS", (WRITE,), [told("old", "OURS")], "rewritten"),
        ("theirs", (WRITE,), [told("ours", "theirs")], None),
        ("theirs", (WRITE,), [told("old", "ours"), told("ours", "theirs")], None),
        ("old", (WRITE,), [told("old", "ours"), told("ours", "old")], None),
        ("old", (WRITE,), [told("x", "y", field="phone")], "blocked"),
        ("ours", (WRITE, AGAIN), [], "blocked"),
    ],
)
def test_what_marketo_makes_of_a_write(
    shown: FieldValue, echoes: tuple[Echo, ...], evidence: list[Evidence], verdict: Refusal | None
) -> None:
    """Blocked, where what stood before shows again; rewritten, where something else does; else somebody's edit."""
    assert refused("title", shown, waiting(*echoes), evidence) == verdict


def test_a_field_we_never_wrote_is_nobody_s_answer() -> None:
    """Whatever it shows."""
    assert refused("phone", "x", waiting(WRITE), []) is None


@pytest.mark.parametrize(
    ("shown", "echoes", "evidence", "clear"),
    [
        ("anything", (), [], True),
        ("ours", (WRITE,), [], True),
        ("old", (WRITE,), [], False),
        ("ours", (WRITE, AGAIN), [], False),
        ("again", (WRITE, AGAIN), [], True),
        ("theirs", (), [told("old", "theirs")], True),
        ("old", (), [told("old", "theirs")], False),
        ("old", (WRITE,), [told("old", "theirs"), told("theirs", "old")], True),
        ("ours", (WRITE,), [told("ours", "theirs")], False),
        ("ours", (WRITE,), [told("x", "y", field="phone")], True),
    ],
)
def test_what_explains_a_value(
    shown: FieldValue, echoes: tuple[Echo, ...], evidence: list[Evidence], clear: bool
) -> None:
    """The feed's last word on the field does, or else our own last write; a field without either needs nothing."""
    assert explained("title", shown, waiting(*echoes), evidence) is clear


def test_writes_past_confirming_are_not_due_for_the_fields_a_new_entry_names() -> None:
    """An entry that looks like an old write of ours is somebody's edit; other fields keep their echoes."""
    old = Echo(before="a", after="b", at=datetime(2026, 1, 1, tzinfo=UTC))
    new = Echo(before="b", after="c", at=datetime(2026, 1, 3, tzinfo=UTC))
    echoes = {"title": (old, new), "phone": (old,), "city": (old,)}
    since = datetime(2026, 1, 2, tzinfo=UTC)
    assert still_due(echoes, ["title", "city"], since) == {"title": (new,), "phone": (old,)}
    assert still_due(echoes, ["title"], None) == echoes
    assert still_due(echoes, ["title"], old.at) == echoes


def test_an_entry_is_of_the_write_that_arrived_where_another_like_it_may_not_have() -> None:
    """The one in doubt took the entry of the other, and an edit seemed to be hit."""
    lost, sent = attrs.evolve(WRITE, sure=False), Echo(before="theirs", after="ours")
    proof = prove([told("theirs", "ours")], waiting(lost, sent))
    assert (proof.echoes, proof.overwritten, proof.arrived) == (waiting(lost), {}, {})
    first = prove([told("old", "ours")], waiting(lost, sent))
    assert (first.echoes, first.arrived) == (waiting(sent), {"title": "ours"})
    assert prove([told("hit", "ours")], waiting(lost, sent)).overwritten == {"title": "hit"}


def test_what_may_never_have_arrived_may_arrive_after_a_later_write() -> None:
    """It was not awaited any more, and the edit that it replaced was lost."""
    lost, sent = Echo(before="a", after="ours", sure=False), Echo(before="b", after="ours")
    proof = prove([told("b", "ours"), told("ours", "theirs"), told("theirs", "ours")], waiting(lost, sent, AGAIN))
    assert (proof.overwritten, proof.echoes, proof.arrived) == ({"title": "theirs"}, waiting(AGAIN), {"title": "ours"})
    assert confirmed_of(waiting(lost, sent, AGAIN), {"title": (lost, AGAIN)}) == {"title": [1]}


def test_an_edit_back_to_what_our_write_knew_is_replaced_by_it_all_the_same() -> None:
    """Somebody entered the old value again, and then our write arrived: as if nobody had been there."""
    ours = Echo(before="old", after="ours")
    proof = prove([told("old", "theirs"), told("theirs", "old"), told("old", "ours")], waiting(ours))
    assert (proof.overwritten, proof.echoes) == ({"title": "old"}, {})


def test_what_a_field_shows_is_no_answer_to_a_write_that_may_never_have_arrived() -> None:
    """It may be what stood there all along."""
    assert refused("title", "old", waiting(attrs.evolve(WRITE, sure=False)), []) is None
    assert refused("title", "old", waiting(WRITE), []) == "blocked"


def test_what_is_needed_to_read_evidence_at_hand_is_still_due() -> None:
    """A write that evidence confirms is kept, however old; the one after it is not."""
    first = Echo(before="a", after="b", at=datetime(2026, 1, 1, tzinfo=UTC))
    second = Echo(before="b", after="c", at=datetime(2026, 1, 1, tzinfo=UTC))
    echoes = {"title": (first, second), "phone": (first,)}
    since = datetime(2026, 1, 2, tzinfo=UTC)
    heard = [told("a", "b"), told("x", "y", "phone"), told("x", "y", "city")]
    assert heard_of(echoes, heard) == {"title": (first,)}
    assert heard_of(echoes, [told("a", "c")]) == {"title": (first, second)}
    assert heard_of(echoes, ()) == {}
    assert still_due(echoes, ["title", "phone"], since, heard=heard) == {"title": (first,)}
    assert still_due(echoes, ["phone"], since, heard=heard) == {"title": (first, second)}


def test_of_two_writes_after_an_edit_the_first_one_replaced_it() -> None:
    """The second one replaced the first."""
    first, second = Echo(before="old", after="ours"), Echo(before="ours", after="again")
    told_of = [told("old", "theirs"), told("theirs", "ours"), told("ours", "again")]
    assert prove(told_of, waiting(first, second)).overwritten == {"title": "theirs"}


def test_what_arrived_is_what_we_wrote_last() -> None:
    """A later write of which we know is what the baseline follows."""
    lost, sent = Echo(before="a", after="b", sure=False), Echo(before="b", after="c")
    assert prove([told("a", "b"), told("b", "c")], waiting(lost, sent)).arrived == {}
    assert prove([told("a", "c"), told("c", "b")], waiting(lost, sent)).arrived == {"title": "b"}


def test_what_replaces_our_own_write_hides_no_edit_before_that() -> None:
    """A write that was given up arrived late, over a later one of ours that had replaced an edit."""
    late, ours = Echo(before="a", after="late", sure=False), Echo(before="b", after="ours")
    proof = prove([told("b", "edit"), told("edit", "ours"), told("ours", "late")], waiting(late, ours))
    assert (proof.overwritten, proof.arrived, proof.echoes) == ({"title": "edit"}, {"title": "late"}, {})


def test_of_two_writes_that_may_be_told_of_the_sure_one_is() -> None:
    """The one that was given up is awaited still."""
    late, ours = Echo(before="a", after="b", sure=False), Echo(before="a", after="b")
    proof = prove([told("a", "b")], waiting(late, ours))
    assert (proof.echoes, proof.arrived) == (waiting(late), {})


def test_a_write_is_given_up_where_what_it_found_shows_still() -> None:
    """Of the last one, and of one that may never have arrived alone."""
    at = datetime(2026, 1, 1, tzinfo=UTC)
    sure = Echo(before="a", after="b", at=at)
    echoes = {"title": (sure, Echo(before="b", after="c", at=at, sure=False)), "phone": (sure,)}
    shown = [value for value in ("a", "b", "c") if given_up_at("title", value, echoes)]
    assert (shown, given_up_at("title", "b", echoes)) == (["b"], at)
    assert (given_up_at("phone", "a", echoes), given_up_at("city", "a", echoes)) == (None, None)


def test_all_that_arrived_late_is_told() -> None:
    """Of one field after another, writes in doubt among sure ones."""
    unsure = Echo(before="a", after="b", sure=False)
    echoes = {"title": (unsure,), "phone": (unsure,), "city": (Echo(before="a", after="b"),)}
    proof = prove([told("a", "b"), told("a", "b", "phone"), told("a", "b", "city")], echoes)
    assert (proof.arrived, proof.confirmed, proof.echoes) == ({"title": "b", "phone": "b"}, True, {})
    assert prove([told("x", "y")], {}).confirmed is False
