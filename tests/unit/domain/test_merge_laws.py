"""The laws of the merge, on records of every kind."""

from __future__ import annotations

import random

import attrs
from hypothesis import given, settings, strategies as st

from mkdyn.domain import (
    Agreed,
    Direction,
    Entity,
    FieldValue,
    Merged,
    Missing,
    PairState,
    Policy,
    Resolution,
    System,
    Twofold,
    Unfit,
    Verdict,
    Win,
)
from mkdyn.domain.values import same

from .worlds import (
    LAW,
    ONE_WAY,
    PERSONS,
    SAMPLES,
    Field,
    Shape,
    World,
    dynamics_wins,
    marketo_wins,
    nobody_wins,
    policies,
    worlds,
)

STATES = (PairState.ACTIVE, PairState.ACTIVE, PairState.BACKFILLING)
ANYTHING = Shape(states=STATES, authorities=(None, *System), doubt=True)
CERTAIN = attrs.evolve(ANYTHING, doubt=False)
TWO_WAY = Shape(entities=PERSONS, directions=[Direction.BOTH], silent=False)


def held(merged: Merged) -> set[str]:
    """Which fields are kept back."""
    return {hold.field for hold in merged.holds}


def reported(merged: Merged, field: Field) -> list[Resolution]:
    """What the merge says of one field."""
    return [item for item in merged.resolutions if item.collision.field == field.pair.dynamics]


def whole(carried: FieldValue | Unfit) -> FieldValue:
    """Return a value that fitted."""
    assert not isinstance(carried, Unfit)
    return carried


def edited(field: Field, system: System) -> bool:
    """Whether *system* shows the field, and not as it was."""
    shown = field.shows(system)
    return not isinstance(shown, Missing) and not same(shown, field.was_in(system))


@LAW
@given(worlds(ANYTHING), policies)
def test_a_merge_that_succeeded_leaves_nothing_to_merge(world: World, policy: Policy) -> None:
    """Applied to both sides, a merge's outcome makes the next merge empty, but for what is held."""
    merged = world.merge(policy)
    again = world.after(merged).merge(policy)
    assert (again.to_marketo, again.to_dynamics, again.agreed, again.awaited, again.resolutions) == ({}, {}, {}, {}, [])
    assert held(again) <= held(merged)


@LAW
@given(worlds(CERTAIN), policies)
def test_a_hold_stands_while_nothing_changes(world: World, policy: Policy) -> None:
    """What is held is held again by the next merge, with the same words, and its baseline stays."""
    merged = world.merge(policy)
    assert world.after(merged).merge(policy).holds == merged.holds
    for field in world.fields:
        if field.pair.dynamics in held(merged):
            assert field.pair.key not in {**merged.agreed, **merged.awaited}


@LAW
@given(worlds(ANYTHING), policies)
def test_no_value_is_invented(world: World, policy: Policy) -> None:
    """Every written value is the other side's, carried by the lens; baselines are what was seen or written."""
    merged = world.merge(policy)
    for field in world.fields:
        pair = field.pair
        d, m = field.dynamics, field.marketo
        if pair.marketo in merged.to_marketo:
            assert not isinstance(d, Missing)
            assert same(merged.to_marketo[pair.marketo], whole(pair.lens.to_marketo(d)))
        if pair.dynamics in merged.to_dynamics:
            assert not isinstance(m, Missing)
            assert same(merged.to_dynamics[pair.dynamics], whole(pair.lens.to_dynamics(m)))
        assert not (pair.marketo in merged.to_marketo and pair.dynamics in merged.to_dynamics)
        written = pair.marketo in merged.to_marketo or pair.dynamics in merged.to_dynamics
        assert (pair.key in merged.awaited) == written
        after = world.after(merged).fields[world.fields.index(field)]
        if pair.key in merged.agreed or pair.key in merged.awaited:
            assert same(after.was_in(System.MARKETO), after.marketo)
            assert same(after.was_in(System.DYNAMICS), after.dynamics)


@LAW
@given(worlds(ANYTHING), policies)
def test_no_edit_is_lost(world: World, policy: Policy) -> None:
    """Every edit is still where it was made, or both values are in the report; and what is not held is on both sides."""
    merged = world.merge(policy)
    after = world.after(merged)
    for field, then in zip(world.fields, after.fields, strict=True):
        for system in System:
            if not edited(field, system):
                continue
            if not same(field.shows(system), then.shows(system)):
                first_refresh = field.pair.state is PairState.BACKFILLING and not field.known
                nobody_entered_it = not field.known and field.is_empty(system)
                [*reports] = reported(merged, field)
                assert (
                    first_refresh
                    or nobody_entered_it
                    or any(same(item.value(one), field.shows(one)) for item in reports for one in System)
                )
                if reports:
                    [report] = reports
                    assert report.winner is system.other
                    assert same(report.collision.marketo, field.marketo)
                    assert same(report.collision.dynamics, field.dynamics)
            elif field.pair.dynamics not in held(merged) and not waits(field):
                d, m = then.dynamics, then.marketo
                assert isinstance(d, Missing) or isinstance(m, Missing) or field.pair.lens.agree(d, m)


def waits(field: Field) -> bool:
    """Whether an edit in Marketo waits for the end of its pair's refresh."""
    state, direction = field.pair.state, field.pair.direction
    return state is PairState.BACKFILLING and direction is Direction.BOTH and field.known


@LAW
@given(worlds(attrs.evolve(ANYTHING, entities=ONE_WAY)), policies)
def test_a_one_way_entity_is_never_written_in_dynamics(world: World, policy: Policy) -> None:
    """Whatever Marketo shows, whoever has authority, whatever the policy says; and nobody is asked."""
    merged = world.merge(policy)
    assert merged.to_dynamics == {}
    assert all(item.winner is System.DYNAMICS for item in merged.resolutions)
    assert all(hold.code != "ask" for hold in merged.holds)


@LAW
@given(worlds(ANYTHING), policies)
def test_a_narrowed_pair_writes_in_its_own_direction_only(world: World, policy: Policy) -> None:
    """A pair that goes one way is written at its end alone, but for its first refresh."""
    merged = world.merge(policy)
    for field in world.fields:
        pair = field.pair
        assert pair.direction.writes(System.DYNAMICS) or pair.dynamics not in merged.to_dynamics
        refresh = pair.state is PairState.BACKFILLING
        assert pair.direction.writes(System.MARKETO) or refresh or pair.marketo not in merged.to_marketo


@LAW
@given(worlds(TWO_WAY))
def test_collisions_are_won_by_the_system_of_record(world: World) -> None:
    """Marketo wins for leads and Dynamics for contacts, field by field; only what changed on both collides."""
    merged = world.merge()
    for field in world.fields:
        winner = System.MARKETO if field.pair.entity is Entity.LEAD else System.DYNAMICS
        both = edited(field, System.MARKETO) and edited(field, System.DYNAMICS)
        for item in reported(merged, field):
            assert item.winner is winner
            assert item.key
            assert not field.known or both
            assert item.kind == ("collision" if field.known else "first-sight")


@LAW
@given(worlds(attrs.evolve(TWO_WAY, known=[True], samples=["identity", "text-unlimited", "date"])))
def test_a_collision_is_per_field(world: World) -> None:
    """A field that one side alone edited gets that edit, whatever collides beside it."""
    merged = world.merge()
    after = world.after(merged)
    for field, then in zip(world.fields, after.fields, strict=True):
        sides = [system for system in System if edited(field, system)]
        if len(sides) == 1:
            [side] = sides
            assert same(then.shows(side), field.shows(side))
            assert not reported(merged, field)
            d, m = then.dynamics, then.marketo
            assert not isinstance(d, Missing)
            assert not isinstance(m, Missing)
            assert field.pair.lens.agree(d, m)


@LAW
@given(worlds(attrs.evolve(ANYTHING, silent=False)), policies)
def test_converged_edits_are_agreement(world: World, policy: Policy) -> None:
    """Two sides that show one value are in agreement, however they came there: nothing is written or reported."""
    merged = world.merge(policy)
    for field in world.fields:
        d, m = field.dynamics, field.marketo
        assert not isinstance(d, Missing)
        assert not isinstance(m, Missing)
        if field.pair.lens.agree(d, m):
            assert field.pair.marketo not in merged.to_marketo
            assert field.pair.dynamics not in merged.to_dynamics
            assert not reported(merged, field)
            assert field.pair.dynamics not in held(merged)


@LAW
@given(worlds(ANYTHING), policies)
def test_silence_decides_nothing(world: World, policy: Policy) -> None:
    """Of a field that one side does not show, nothing is written, reported or remembered; at most it is held."""
    merged = world.merge(policy)
    for field in world.fields:
        if isinstance(field.dynamics, Missing) or isinstance(field.marketo, Missing):
            assert field.pair.marketo not in merged.to_marketo
            assert field.pair.dynamics not in merged.to_dynamics
            assert field.pair.key not in {**merged.agreed, **merged.awaited}
            assert not reported(merged, field)
            changed = any(edited(field, system) for system in System)
            doubted = field.doubtful and field.dynamics is not field.marketo
            assert (field.pair.dynamics in held(merged)) == (field.known and (changed or doubted))


@LAW
@given(worlds(ANYTHING), policies, st.randoms(use_true_random=False))
def test_the_order_of_pairs_does_not_matter(world: World, policy: Policy, chance: random.Random) -> None:
    """Fields are decided one by one: shuffled, they come to the same."""
    shuffled = list(world.fields)
    chance.shuffle(shuffled)
    one, other = world.merge(policy), World(shuffled).merge(policy)
    assert (one.to_marketo, one.to_dynamics, one.agreed, one.awaited) == (
        other.to_marketo,
        other.to_dynamics,
        other.agreed,
        other.awaited,
    )
    assert sorted(map(repr, one.resolutions)) == sorted(map(repr, other.resolutions))
    assert sorted(map(repr, one.holds)) == sorted(map(repr, other.holds))


def _mirror(world: World) -> World:
    def turned(was: Agreed | Missing) -> Agreed | Missing:
        return Twofold(was.marketo, was.dynamics) if isinstance(was, Twofold) else was

    return World(
        [
            attrs.evolve(
                field,
                pair=attrs.evolve(field.pair, authority=field.pair.authority and field.pair.authority.other),
                was=turned(field.was),
                dynamics=field.marketo,
                marketo=field.dynamics,
            )
            for field in world.fields
        ]
    )


SYMMETRIC = Shape(
    entities=PERSONS, directions=[Direction.BOTH], samples=["identity"], authorities=(None, *System), doubt=True
)


@LAW
@given(
    worlds(SYMMETRIC),
    st.sampled_from([(marketo_wins, dynamics_wins), (dynamics_wins, marketo_wins), (nobody_wins, nobody_wins)]),
)
def test_swapping_the_systems_mirrors_the_merge(world: World, policies: tuple[Policy, Policy]) -> None:
    """The merge itself prefers nobody: swapped systems and a swapped policy give the swapped outcome."""
    policy, mirrored_policy = policies
    merged, mirrored = world.merge(policy), _mirror(world).merge(mirrored_policy)
    by_pair = {pair.marketo: pair.dynamics for pair in world.pairs}
    assert {by_pair[name]: value for name, value in merged.to_marketo.items()} == mirrored.to_dynamics
    assert merged.to_dynamics == {by_pair[name]: value for name, value in mirrored.to_marketo.items()}
    assert merged.agreed.keys() == mirrored.agreed.keys()
    assert merged.awaited.keys() == mirrored.awaited.keys()
    assert held(merged) == held(mirrored)
    assert [
        (item.collision.field, item.winner.other, item.collision.dynamics, item.collision.marketo, item.kind)
        for item in merged.resolutions
    ] == [
        (item.collision.field, item.winner, item.collision.marketo, item.collision.dynamics, item.kind)
        for item in mirrored.resolutions
    ]


@LAW
@given(worlds(attrs.evolve(ANYTHING, doubt=False)), policies)
def test_doubt_takes_a_field_as_changed_on_both(world: World, policy: Policy) -> None:
    """Of a doubtful field that disagrees, both values are in the report, or it is held, or it waits."""
    doubted = World([attrs.evolve(field, doubtful=True) for field in world.fields])
    merged = doubted.merge(policy)
    for field in doubted.fields:
        d, m = field.dynamics, field.marketo
        if isinstance(d, Missing) or isinstance(m, Missing) or field.pair.lens.agree(d, m):
            continue
        if field.known and field.pair.state is not PairState.BACKFILLING:
            assert reported(merged, field) or field.pair.dynamics in held(merged)


@st.composite
def _overwritten(draw: st.DrawFn) -> tuple[World, Field, FieldValue]:
    """Draw a record, a field of it on which a write of ours replaced an edit made in that instant, and the edit."""
    world = draw(worlds(attrs.evolve(CERTAIN, known=[True])))
    field = draw(st.sampled_from(world.fields))
    sample = next(sample for sample in SAMPLES.values() if sample.lens is field.pair.lens)
    ours = field.was_in(System.MARKETO)
    if not isinstance(field.dynamics, Missing) and draw(st.booleans()):  # the answer was lost: the baseline lags
        carried = sample.lens.to_marketo(field.dynamics)
        ours = ours if isinstance(carried, Unfit) else carried
    hit = attrs.evolve(field, marketo=ours)
    lost = draw(st.sampled_from([*sample.marketo, None]))
    return World([hit if other is field else other for other in world.fields]), hit, lost


@LAW
@given(_overwritten(), policies)
def test_an_overwritten_edit_is_never_lost(drawn: tuple[World, Field, FieldValue], policy: Policy) -> None:
    """It is put back in Marketo, or it is in the report with the value that stands, or Dynamics says the same."""
    world, field, lost = drawn
    merged = world.merge(policy, overwritten={field.pair.marketo: lost})
    d, reports = field.dynamics, reported(merged, field)
    put_back = field.pair.marketo in merged.to_marketo and same(merged.to_marketo[field.pair.marketo], lost)
    in_report = any(item.kind == "overwritten" and same(item.collision.marketo, lost) for item in reports)
    agrees = not isinstance(d, Missing) and field.pair.lens.agree(d, lost)
    assert put_back or in_report or agrees or same(field.marketo, lost)
    if not field.pair.direction.writes(System.DYNAMICS):
        assert field.pair.dynamics not in merged.to_dynamics
    assert all(same(item.collision.dynamics, d) for item in reports)


@LAW
@given(_overwritten(), st.sampled_from([marketo_wins, dynamics_wins]))
def test_an_overwritten_edit_is_dealt_with_once(drawn: tuple[World, Field, FieldValue], policy: Policy) -> None:
    """Once that merge succeeded, the next one has nothing to say of the field but what is held of it."""
    world, field, lost = drawn
    merged = world.merge(policy, overwritten={field.pair.marketo: lost})
    again = world.after(merged).merge(policy)
    assert not reported(again, field)
    assert field.pair.dynamics not in again.to_dynamics
    assert field.pair.marketo not in again.to_marketo


def test_the_laws_were_tried_on_every_kind_of_decision() -> None:
    """The drawn records lead to writes, agreement, every kind of report and every code of a hold."""
    seen: set[str] = set()

    @settings(LAW, max_examples=500)
    @given(worlds(ANYTHING), policies)
    def look(world: World, policy: Policy) -> None:
        merged = world.merge(policy)
        seen.update(item.kind for item in merged.resolutions)
        seen.update(hold.code for hold in merged.holds)
        seen.update(name for name in ("to_marketo", "to_dynamics", "agreed", "awaited") if getattr(merged, name))

    look()
    assert seen >= {"to_marketo", "to_dynamics", "agreed", "awaited", "collision", "first-sight", "one-way"}
    assert seen >= {"too-long", "ask", "unreadable"}


@LAW
@given(worlds(ANYTHING))
def test_a_policy_is_asked_about_collisions_alone(world: World) -> None:
    """It is asked once for each, of two-way pairs without an authority."""
    asked: list[str] = []

    def policy(collision: object, /) -> Verdict:
        asked.append(getattr(collision, "field", ""))
        return Win(System.MARKETO, because="asked")

    world.merge(policy)
    assert len(asked) == len(set(asked))
    free = {field.pair.dynamics for field in world.fields if field.pair.authority is None}
    assert set(asked) <= free
