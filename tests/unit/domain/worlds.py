"""What the laws are tried on: values, lenses, and records whose two sides stem from one state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Final

import attrs
from hypothesis import settings, strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from mkdyn.domain import (
    IDENTITY,
    MISSING,
    Agreed,
    AnyEntity,
    Ask,
    Collision,
    CustomEntity,
    Direction,
    Entity,
    FieldPair,
    FieldValue,
    Lens,
    Merged,
    Merger,
    Missing,
    PairState,
    Policy,
    Shown,
    System,
    Twofold,
    Unfit,
    Verdict,
    Win,
    system_of_record,
)
from mkdyn.domain.merge import agreed_on
from mkdyn.domain.values import (
    boolean_lens,
    choice_lens,
    date_lens,
    datetime_lens,
    decimal_lens,
    integer_lens,
    reference_lens,
    text_lens,
)

#: Deterministic: the same examples in every run.
LAW: Final = settings(derandomize=True, deadline=None, max_examples=100)

SUBSCRIPTION: Final = CustomEntity("new_subscription", parent=Entity.CONTACT, via="new_contactid")
PERSONS: Final[Sequence[AnyEntity]] = (Entity.LEAD, Entity.CONTACT)
ONE_WAY: Final[Sequence[AnyEntity]] = (
    Entity.ACCOUNT,
    Entity.USER,
    Entity.OPPORTUNITY,
    Entity.TEAM,
    SUBSCRIPTION,
)
ENTITIES: Final[Sequence[AnyEntity]] = (*PERSONS, *ONE_WAY)

GUID: Final = "7b1e4f6a-0c1d-4a55-9d0e-3b8f5a2c9e10"

_LABELS: Final = {1: "Cold", 2: "Warm", 3: "warm", 4: "Open", 5: "Open", 6: ""}
_TEXTS: Final = ("", "a", "b", "abc", "abcd", "abcdef")
_EAST: Final = timezone(timedelta(hours=5, minutes=30))
_MOMENTS: Final = (
    datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    datetime(2026, 1, 2, 8, 34, 5, 678, tzinfo=_EAST),
    datetime(2026, 1, 2, 8, 34, 6, tzinfo=_EAST),
)
_DAYS: Final = (date(2026, 1, 2), date(2026, 1, 3))
_SCALARS: Final = ("a", "b", True, False, 1, 0)


@attrs.frozen(kw_only=True)
class Sample:
    """A lens, and some of what the two systems show through it, besides nothing."""

    lens: Lens
    dynamics: Sequence[FieldValue]
    marketo: Sequence[FieldValue]


SAMPLES: Final[Mapping[str, Sample]] = {
    "identity": Sample(lens=IDENTITY, dynamics=_SCALARS, marketo=_SCALARS),
    "text": Sample(lens=text_lens(dynamics_length=3, marketo_length=5), dynamics=_TEXTS, marketo=_TEXTS),
    "text-unlimited": Sample(lens=text_lens(), dynamics=_TEXTS, marketo=_TEXTS),
    "integer": Sample(
        lens=integer_lens(minimum=0, maximum=100), dynamics=(0, 1, 100, 2**40), marketo=(0, 1, 100, 101, -1)
    ),
    "decimal": Sample(
        lens=decimal_lens(precision=2, minimum=-1000, maximum=1000),
        dynamics=(Decimal(0), Decimal("0.10"), Decimal("0.5"), Decimal("-7.25"), Decimal("1e999")),
        marketo=(0.0, 0.1, 0.5, 0.125, 1000.5),
    ),
    "boolean": Sample(lens=boolean_lens(), dynamics=(True, False), marketo=(True, False)),
    "boolean-true": Sample(lens=boolean_lens(dynamics_default=True), dynamics=(True, False), marketo=(True, False)),
    "datetime": Sample(lens=datetime_lens(), dynamics=_MOMENTS, marketo=[at.replace(microsecond=0) for at in _MOMENTS]),
    "date": Sample(lens=date_lens(), dynamics=_DAYS, marketo=_DAYS),
    "choice": Sample(
        lens=choice_lens(_LABELS),
        dynamics=(1, 2, 3, 4, 5, 6, 7),
        marketo=("Cold", "cold", "Warm", "warm", "WARM", "Open", "Tepid", ""),
    ),
    "reference": Sample(lens=reference_lens(), dynamics=("0a", "0b"), marketo=("0a", "0A", "0b", "0B", "")),
}


@attrs.frozen(kw_only=True)
class Shape:
    """What a drawn world may hold."""

    entities: Sequence[AnyEntity] = ENTITIES
    samples: Sequence[str] = tuple(SAMPLES)
    directions: Sequence[Direction] = tuple(Direction)
    states: Sequence[PairState] = (PairState.ACTIVE,)
    authorities: Sequence[System | None] = (None,)
    known: Sequence[bool] = (True, True, False)
    silent: bool = True
    doubt: bool = False


@attrs.frozen(kw_only=True)
class Field:
    """One field: its pair, what both systems showed when they agreed, and what they show now."""

    pair: FieldPair
    was: Agreed | Missing
    dynamics: Shown
    marketo: Shown
    doubtful: bool = False

    @property
    def known(self) -> bool:
        """Whether the two systems ever agreed on it."""
        return not isinstance(self.was, Missing)

    def was_in(self, system: System) -> Shown:
        """What *system* showed when they agreed."""
        if isinstance(self.was, Twofold):
            return self.was.dynamics if system is System.DYNAMICS else self.was.marketo
        return self.was

    def shows(self, system: System) -> Shown:
        """What *system* shows now."""
        return self.dynamics if system is System.DYNAMICS else self.marketo

    def is_empty(self, system: System) -> bool:
        """Whether nobody entered what *system* shows."""
        lens, value = self.pair.lens, self.shows(system)
        default = lens.dynamics_default if system is System.DYNAMICS else lens.marketo_default
        return value in (None, "") or value is default


@attrs.frozen
class World:
    """One record, as a merge is given it."""

    fields: Sequence[Field]

    @property
    def pairs(self) -> list[FieldPair]:
        """The selected pairs."""
        return [field.pair for field in self.fields]

    @property
    def baseline(self) -> dict[str, Agreed]:
        """What both showed when they last agreed."""
        return {field.pair.key: field.was for field in self.fields if not isinstance(field.was, Missing)}

    def shown(self, system: System) -> dict[str, FieldValue]:
        """What *system* shows; a silent field is absent."""
        found: dict[str, FieldValue] = {}
        for field in self.fields:
            value = field.shows(system)
            if not isinstance(value, Missing):
                found[field.pair.dynamics if system is System.DYNAMICS else field.pair.marketo] = value
        return found

    def merge(self, policy: Policy = system_of_record, *, overwritten: Mapping[str, FieldValue] | None = None) -> Merged:
        """Merge the record."""
        return Merger(self.pairs, policy=policy)(
            baseline=self.baseline,
            marketo=self.shown(System.MARKETO),
            dynamics=self.shown(System.DYNAMICS),
            doubtful={field.pair.key for field in self.fields if field.doubtful},
            overwritten=overwritten or {},
            key=GUID,
        )

    def after(self, merged: Merged) -> World:
        """Pretend that everything asked for succeeded."""
        moved = {**merged.agreed, **merged.awaited}
        return World([
            attrs.evolve(
                field,
                was=moved.get(field.pair.key, field.was),
                dynamics=merged.to_dynamics.get(field.pair.dynamics, field.dynamics),
                marketo=merged.to_marketo.get(field.pair.marketo, field.marketo),
                doubtful=False,
            )
            for field in self.fields
        ])


@st.composite
def _fields(draw: DrawFn, shape: Shape, entity: AnyEntity, number: int) -> Field:
    """Draw a field whose two sides are one value, left alone or edited on either side."""
    sample = SAMPLES[draw(st.sampled_from(shape.samples))]
    directions = shape.directions if entity in PERSONS else [Direction.TO_MARKETO]
    pair = FieldPair(
        entity,
        f"new_{number}",
        f"field{number}",
        direction=draw(st.sampled_from(directions)),
        authority=draw(st.sampled_from(shape.authorities)),
        lens=sample.lens,
        state=draw(st.sampled_from(shape.states)),
        selection=draw(st.integers(1, 2)),
    )
    base = draw(st.sampled_from([None, *sample.dynamics]))
    carried = sample.lens.to_marketo(base)
    if isinstance(carried, Unfit):
        base = carried = None
    was = agreed_on(base, carried) if draw(st.sampled_from(shape.known)) else MISSING
    silence = [MISSING] if shape.silent else []
    return Field(
        pair=pair,
        was=was,
        dynamics=draw(st.sampled_from([base, base, None, *sample.dynamics, *silence])),
        marketo=draw(st.sampled_from([carried, carried, None, *sample.marketo, *silence])),
        doubtful=shape.doubt and draw(st.booleans()),
    )


@st.composite
def worlds(draw: DrawFn, shape: Shape = Shape()) -> World:  # noqa: B008 - frozen
    """Draw a record of one entity, with a few fields of different kinds."""
    entity = draw(st.sampled_from(shape.entities))
    count = draw(st.integers(1, 4))
    return World([draw(_fields(shape, entity, number)) for number in range(count)])


def marketo_wins(_collision: Collision, /) -> Verdict:
    """Decide for Marketo."""
    return Win(System.MARKETO, because="Marketo wins")


def dynamics_wins(_collision: Collision, /) -> Verdict:
    """Decide for Dynamics."""
    return Win(System.DYNAMICS, because="Dynamics wins")


def nobody_wins(_collision: Collision, /) -> Verdict:
    """Leave it to a person."""
    return Ask(because="a person must decide")


POLICIES: Final[Sequence[Policy]] = (system_of_record, marketo_wins, dynamics_wins, nobody_wins)
policies: Final[SearchStrategy[Policy]] = st.sampled_from(POLICIES)
