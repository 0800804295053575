"""The guards: which plans look like an accident, and what they say."""

from __future__ import annotations

import attrs
import pytest
from hypothesis import given, strategies as st

from mkdyn.domain import AnyEntity, Breach, Entity, Guard, Guards, System
from mkdyn.domain.guards import Tally, breaches

from .worlds import ENTITIES, LAW, SUBSCRIPTION

OPPORTUNITIES = (Entity.OPPORTUNITY, System.MARKETO)
LEADS = (Entity.LEAD, System.DYNAMICS)


def found(entity: AnyEntity, system: System, tally: Tally, links: int, guards: Guards = Guards()) -> list[str]:  # noqa: B008 - frozen
    """Return what the guards say of one entity's writes to one system."""
    return [f"{breach.guard}: {breach}" for breach in breaches({(entity, system): tally}, {entity: links}, guards)]


@pytest.mark.parametrize(
    ("entity", "system", "tally", "links", "text"),
    [
        (
            *OPPORTUNITIES,
            Tally(deletes=412),
            8_800,
            "deletes: deletes 412 of 8,800 opportunities (4.7 %; the guard stops at 2 %)",
        ),
        (
            Entity.LEAD,
            System.MARKETO,
            Tally(deletes=412),
            8_800,
            "deletes: deletes 412 of 8,800 leads in Marketo (4.7 %; the guard stops at 2 %)",
        ),
        (
            *LEADS,
            Tally(overwrites=300),
            1_000,
            "overwrites: overwrites values of 300 of 1,000 leads in Dynamics (30.0 %; the guard stops at 20 %)",
        ),
        (
            *LEADS,
            Tally(creates=2_001),
            1_000,
            "creates: creates 2,001 leads in Dynamics where 1,000 are linked (the guard stops at 2 times that)",
        ),
        (
            Entity.CONTACT,
            System.MARKETO,
            Tally(emptied={"title": 201, "phone": 200}),
            1_000,
            "emptied: empties title on 201 of 1,000 contacts in Marketo (20.1 %; the guard stops at 20 %)",
        ),
        (
            *OPPORTUNITIES,
            Tally(emptied={"amount": 201}),
            1_000,
            "emptied: empties amount on 201 of 1,000 opportunities (20.1 %; the guard stops at 20 %)",
        ),
        (
            Entity.CONTACT,
            System.DYNAMICS,
            Tally(matches=5_650),
            0,
            (
                "first-match: matches 5,650 contacts of Dynamics for the first time: "
                "read the matches before they are merged"
            ),
        ),
        (
            Entity.ACCOUNT,
            System.DYNAMICS,
            Tally(gone=999),
            1_000,
            "gone: finds 999 of 1,000 accounts gone from Dynamics (99.9 %; the guard stops at 20 %)",
        ),
        (
            SUBSCRIPTION,
            System.MARKETO,
            Tally(deletes=60),
            100,
            "deletes: deletes 60 of 100 custom entities (60.0 %; the guard stops at 2 %)",
        ),
    ],
)
def test_what_a_guard_says(entity: AnyEntity, system: System, tally: Tally, links: int, text: str) -> None:
    """What it found, of how many, and where it stops; the system, where it could be either."""
    assert found(entity, system, tally, links) == [text]


@pytest.mark.parametrize(
    ("tally", "links", "trips"),
    [
        (Tally(deletes=49), 100, False),
        (Tally(deletes=50), 100, True),
        (Tally(deletes=50), 2_500, False),
        (Tally(deletes=51), 2_500, True),
        (Tally(overwrites=50), 250, False),
        (Tally(overwrites=51), 250, True),
        (Tally(creates=10_000), 0, False),
        (Tally(creates=10_000), 10, True),
        (Tally(creates=20), 10, False),
        (Tally(emptied={"a": 30, "b": 30}), 100, False),
        (Tally(emptied={"a": 50}), 100, True),
        (Tally(matches=50), 0, False),
        (Tally(matches=51), 0, True),
        (Tally(gone=50), 100, True),
        (Tally(updates=100_000), 10, False),
    ],
)
def test_where_a_guard_stops(tally: Tally, links: int, trips: bool) -> None:
    """Above its share, and from `records_min` records on; a first match from one more."""
    assert bool(found(*LEADS, tally, links)) is trips


def test_a_first_match_is_stopped_for_itself() -> None:
    """What it overwrites is measured by the links that it makes, so one word from a person is enough."""
    found = breaches(
        {
            (Entity.LEAD, System.MARKETO): Tally(matches=5_650, creates=20_000, overwrites=88),
            (Entity.LEAD, System.DYNAMICS): Tally(updates=311, overwrites=60),
        },
        {},
        Guards(),
    )
    assert [(breach.guard, breach.count, breach.links, breach.limit) for breach in found] == [
        (Guard.FIRST_MATCH, 5_650, 5_650, 0.0)
    ]


def test_a_first_match_that_overwrites_much_is_stopped_for_both() -> None:
    """The share counts."""
    tally = Tally(matches=1_000, overwrites=500)
    assert found(Entity.LEAD, System.MARKETO, tally, 0) == [
        "overwrites: overwrites values of 500 of 1,000 leads in Marketo (50.0 %; the guard stops at 20 %)",
        "first-match: matches 1,000 leads of Marketo for the first time: read the matches before they are merged",
    ]


def test_limits_are_settings() -> None:
    """As the user writes them, and shown as written."""
    guards = Guards(deletes_share_max=0.075, creates_share_max=0.5, records_min=1)
    tally = Tally(deletes=8, creates=51)
    assert found(*OPPORTUNITIES, tally, 100, guards) == [
        "deletes: deletes 8 of 100 opportunities (8.0 %; the guard stops at 7.5 %)",
        "creates: creates 51 opportunities where 100 are linked (the guard stops at 0.5 times that)",
    ]


counts = st.integers(0, 120)
tallies = st.builds(
    Tally,
    creates=counts,
    updates=counts,
    overwrites=counts,
    deletes=counts,
    matches=counts,
    gone=counts,
    emptied=st.dictionaries(st.sampled_from(["title", "phone"]), counts),
)
plans = st.dictionaries(st.tuples(st.sampled_from(ENTITIES), st.sampled_from(System)), tallies, max_size=4)
linked = st.dictionaries(st.sampled_from(ENTITIES), st.integers(0, 3_000))


@LAW
@given(plans, linked)
def test_small_counts_never_trip_a_guard(
    plan: dict[tuple[AnyEntity, System], Tally], links: dict[AnyEntity, int]
) -> None:
    """Whatever share they are; and every breach is of something that was counted."""
    for breach in breaches(plan, links, Guards()):
        assert breach.count >= Guards().records_min
        tally = plan[breach.entity, breach.system]
        counted = tally.emptied if breach.field else attrs.asdict(tally)
        assert breach.count in counted.values()
    assert breaches(plan, links, Guards(records_min=1_000)) == []


@LAW
@given(plans, linked)
def test_looser_limits_trip_fewer_guards(
    plan: dict[tuple[AnyEntity, System], Tally], links: dict[AnyEntity, int]
) -> None:
    """What passes by strict limits passes by loose ones."""

    def tripped(guards: Guards) -> set[tuple[Guard, AnyEntity, System, str | None]]:
        return {(item.guard, item.entity, item.system, item.field) for item in breaches(plan, links, guards)}

    loose = Guards(deletes_share_max=0.5, overwrites_share_max=0.5, emptied_share_max=0.5, gone_share_max=0.5)
    assert tripped(loose) <= tripped(Guards())


def test_a_guard_is_accepted_by_its_name() -> None:
    """In code, on the command line, in a plan."""
    assert [str(guard) for guard in Guard] == ["deletes", "overwrites", "creates", "emptied", "first-match", "gone"]
    assert repr(Guard.FIRST_MATCH) == "Guard.FIRST_MATCH"


def test_a_share_of_nothing_can_be_said() -> None:
    """An entity without links has no share; the text comes all the same."""
    breach = Breach(guard=Guard.DELETES, entity=Entity.TEAM, system=System.MARKETO, count=50, links=0, limit=0.02)
    assert str(breach) == "deletes 50 of 0 teams (5000.0 %; the guard stops at 2 %)"
