"""Operations and plans: printed, saved, counted."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal

import attrs
import pytest

from mkdyn.domain import (
    Breach,
    Collision,
    Counts,
    CustomEntity,
    Entity,
    Estimate,
    Excerpt,
    Guard,
    Hold,
    MatchReport,
    Operation,
    Plan,
    Quarantined,
    Resolution,
    System,
    Win,
)
from mkdyn.domain.counts import duration
from mkdyn.domain.plan import Purpose, Step

from .worlds import GUID

UPDATE = Operation(
    entity=Entity.CONTACT,
    system=System.MARKETO,
    kind="update",
    key="1042",
    before={"title": "CTO"},
    after={"title": "VP", "phone": None},
    because="changed in Dynamics",
)
CREATE = Operation(entity=Entity.LEAD, system=System.DYNAMICS, kind="create", key=GUID, after={"lastname": "Lovelace"})
DELETE = Operation(entity=CustomEntity("new_event"), system=System.MARKETO, kind="delete", key=GUID)
RESOLUTION = Resolution(
    collision=Collision(entity=Entity.CONTACT, field="jobtitle", was="Engineer", marketo="CTO", dynamics="VP"),
    verdict=Win(System.DYNAMICS, because="Dynamics is the system of record for contacts"),
    key=GUID,
)
HOLD = Hold(
    entity=Entity.CONTACT, key=GUID, field="description", code="too-long",
    reason="2,310 characters, Dynamics takes 2,000. Shorten it in Marketo, person 88.",
)  # fmt: skip
QUARANTINED = Quarantined(
    entity=Entity.LEAD, key="93ac4f6a-0c1d-4a55-9d0e-3b8f5a2c9e10", code="ambiguous-match",
    reason="persons 1042, 2077 share its e-mail. Merge them, or set dynamicsId on one.",
)  # fmt: skip
BREACH = Breach(guard=Guard.FIRST_MATCH, entity=Entity.LEAD, system=System.MARKETO, count=60, links=0, limit=0.0)
PLAN = Plan(
    id=1,
    counts={System.MARKETO: Counts(create=4_000, update=5_203, delete=1), System.DYNAMICS: Counts(update=311)},
    operations=Excerpt([UPDATE, CREATE, DELETE], total=9_515),
    collisions=Excerpt([RESOLUTION], total=88),
    holds=Excerpt([HOLD], total=2),
    quarantined=Excerpt([QUARANTINED], total=350),
    matches=MatchReport(by_key=5_650, ambiguous=350, to_create=4_000),
    breaches=[BREACH, BREACH],
)
EMPTY = Plan(
    id=2,
    counts={system: Counts() for system in System},
    operations=Excerpt([], total=0),
    collisions=Excerpt([], total=1),
    holds=Excerpt([], total=0),
    quarantined=Excerpt([], total=0),
)


@pytest.mark.parametrize(
    ("operation", "hidden", "shown"),
    [
        (
            UPDATE,
            "update contact 1042 in Marketo title, phone (changed in Dynamics)",
            "update contact 1042 in Marketo title, phone (changed in Dynamics): title 'CTO' → 'VP', phone None → None",
        ),
        (CREATE, "create lead 7b1e… in Dynamics", "create lead 7b1e… in Dynamics: lastname None → 'Lovelace'"),
        (DELETE, "delete new_event 7b1e… in Marketo", "delete new_event 7b1e… in Marketo"),
    ],
    ids=["update", "create", "delete"],
)
def test_an_operation_in_one_line(operation: Operation, hidden: str, shown: str) -> None:
    """What, of whom, where and why; values only where asked for."""
    assert str(operation) == operation.text() == hidden
    assert operation.text(values="shown") == shown


def test_whether_values_are_shown_is_never_guessed() -> None:
    """A word that is neither of the two shows nothing; the error names it."""
    for item in (UPDATE, RESOLUTION):
        with pytest.raises(AssertionError, match="'all'"):
            item.text(values="all")  # type: ignore[arg-type]  # that is the mistake


@pytest.mark.parametrize(
    ("plan", "text"),
    [
        (
            PLAN,
            "plan 1: to Marketo 9,204 · to Dynamics 311 · 88 collisions · 2 held · 350 quarantined · guard: first-match",
        ),
        (EMPTY, "plan 2: to Marketo 0 · to Dynamics 0 · 1 collision · 0 held · 0 quarantined"),
    ],
)
def test_a_plan_in_one_line(plan: Plan, text: str) -> None:
    """Counts of everything, and each guard it trips, once."""
    assert str(plan) == text
    assert repr(plan) == f"<{text}>"


def test_a_plan_of_a_backfill_in_one_line() -> None:
    """What becomes empty, what is held and what it costs are told where there is something to tell."""
    plan = attrs.evolve(EMPTY, purpose="backfill")
    assert str(plan) == "plan 2 (backfill): to Marketo 0 · to Dynamics 0"
    told = attrs.evolve(
        plan, emptied=1_200, holds=Excerpt[Hold]([], total=3), estimate=Estimate(calls=1_024, seconds=72)
    )
    assert str(told) == (
        "plan 2 (backfill): to Marketo 0, of which 1,200 become empty · to Dynamics 0 · 3 held"
        " · about 1,024 calls, 1 min 12 s"
    )


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.004, "0.00 s"),
        (0.99, "0.99 s"),
        (1.0, "1.0 s"),
        (59.94, "59.9 s"),
        (60.0, "1 min 0 s"),
        (3_671.6, "61 min 12 s"),
    ],
)
def test_a_duration(seconds: float, text: str) -> None:
    """Short ones to the hundredth."""
    assert duration(seconds) == text


def test_a_plan_names_every_guard_it_trips() -> None:
    """In the order in which they were found."""
    gone = attrs.evolve(BREACH, guard=Guard.GONE)
    assert str(attrs.evolve(PLAN, breaches=[BREACH, gone])).endswith(" · guard: first-match, gone")


@pytest.mark.parametrize("purpose", ["backfill", "undo", "repair"])
def test_a_plan_says_what_it_is_for(purpose: Purpose) -> None:
    """Unless it is for an ordinary run."""
    assert str(attrs.evolve(EMPTY, purpose=purpose)).startswith(f"plan 2 ({purpose}): to Marketo 0")


def test_a_plan_in_full() -> None:
    """A line for each thing of its excerpts."""
    assert PLAN.text().splitlines() == [
        str(PLAN),
        str(UPDATE),
        str(CREATE),
        str(DELETE),
        "collision: contact 7b1e… jobtitle: Dynamics won, the system of record for contacts.",
        (
            "held: contact 7b1e… description (too-long): 2,310 characters, Dynamics takes 2,000. "
            "Shorten it in Marketo, person 88."
        ),
        (
            "quarantined: lead 93ac… (ambiguous-match): persons 1042, 2077 share its e-mail. "
            "Merge them, or set dynamicsId on one."
        ),
        *["guard first-match: matches 60 leads of Marketo for the first time: read the matches before they are merged"]
        * 2,
    ]
    shown = PLAN.text(values="shown")
    assert "'Lovelace'" in shown
    assert "'VP' (Dynamics) over 'CTO' (Marketo)" in shown
    assert "Lovelace" not in PLAN.text()


def test_a_plan_as_json() -> None:
    """Counts and excerpts, values included, and nothing JSON doesn't know."""
    revenue = attrs.evolve(UPDATE, after={"revenue": Decimal("1.50"), "at": datetime(2026, 1, 2, tzinfo=UTC)})
    data = json.loads(attrs.evolve(PLAN, operations=Excerpt([revenue], total=9_515)).to_json())
    assert (data["id"], data["purpose"]) == (1, "run")
    assert data["counts"] == {
        "marketo": {"create": 4_000, "update": 5_203, "delete": 1},
        "dynamics": {"create": 0, "update": 311, "delete": 0},
    }
    assert {name: data[name]["total"] for name in ("operations", "collisions", "holds", "quarantined")} == {
        "operations": 9_515,
        "collisions": 88,
        "holds": 2,
        "quarantined": 350,
    }
    assert data["operations"]["first"] == [
        {
            "system": "marketo",
            "entity": "contact",
            "kind": "update",
            "key": "1042",
            "before": {"title": "CTO"},
            "after": {"revenue": "1.50", "at": "2026-01-02 00:00:00+00:00"},
            "because": "changed in Dynamics",
            "state": "planned",
        }
    ]
    assert data["collisions"]["first"] == [
        {
            "entity": "contact",
            "key": GUID,
            "field": "jobtitle",
            "marketo": "CTO",
            "dynamics": "VP",
            "winner": "dynamics",
            "because": "Dynamics is the system of record for contacts",
            "kind": "collision",
        }
    ]
    assert data["holds"]["first"] == [
        {"entity": "contact", "key": GUID, "code": "too-long", "reason": HOLD.reason, "field": "description"}
    ]
    assert data["quarantined"]["first"] == [
        {"entity": "lead", "key": QUARANTINED.key, "code": "ambiguous-match", "reason": QUARANTINED.reason}
    ]
    assert data["breaches"] == [{"guard": "first-match", "text": str(BREACH)}] * 2


def test_json_keeps_letters_as_they_are() -> None:
    """A name is read as it is written, not as a row of escapes."""
    named = attrs.evolve(UPDATE, after={"lastname": "Łukasiewicz"})
    assert '"Łukasiewicz"' in attrs.evolve(PLAN, operations=Excerpt([named], total=1)).to_json()


def test_an_excerpt_is_a_sequence_that_knows_the_rest() -> None:
    """Of what it holds; the journal has them all."""
    excerpt = Excerpt(["a", "b", "c"], total=1_000)
    assert (len(excerpt), excerpt.total, list(excerpt)) == (3, 1_000, ["a", "b", "c"])
    assert (excerpt[0], excerpt[-1], excerpt[1:]) == ("a", "c", ["b", "c"])
    assert "b" in excerpt
    assert excerpt == Excerpt(["a", "b", "c"], total=1_000)
    assert repr(excerpt) == "<Excerpt: 3 of 1000>"
    assert not Excerpt[str]([], total=5)


def test_a_match_report() -> None:
    """What a first match found."""
    assert str(PLAN.matches) == "5,650 linked · 350 ambiguous, set aside · 4,000 only in Dynamics, to create"
    assert Counts(create=1, update=2, delete=3).total == 6
    found = MatchReport(by_id=1_000, by_key=2_000, ambiguous=3, to_create=4)
    assert str(found) == (
        "3,000 linked (1,000 by id, 2,000 by key) · 3 ambiguous, set aside · 4 only in Dynamics, to create"
    )


def test_a_merge_is_said_in_a_line() -> None:
    """Who goes, and into whom."""
    operation = Operation(
        entity=Entity.LEAD, system=System.MARKETO, kind="delete", key="12", other="", because="merged in Dynamics",
        step=Step(into="13"),
    )  # fmt: skip
    assert str(operation) == "merge lead 12 into 13 in Marketo (merged in Dynamics)"


def test_what_a_step_deals_with() -> None:
    """Observations of one system, of the other, or of none."""
    step = Step(clears=[(System.MARKETO, "lead", "1", 2)])
    assert (step.deals_with(System.MARKETO), step.deals_with(System.DYNAMICS)) == (True, False)
    assert Step().deals_with(System.MARKETO) is False
