"""What the laws are tried on: values, lenses, and records whose two sides stem from one state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Final, TypeVar

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
from mkdyn.domain.lenses.moments import date_lens, datetime_lens
from mkdyn.domain.lenses.numbers import boolean_lens, decimal_lens, integer_lens
from mkdyn.domain.lenses.texts import choice_lens, reference_lens, text_lens
from mkdyn.domain.merged import agreed_on

T = TypeVar("T")

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
    """What a drawn world may hold; what is named twice is drawn twice as often."""

    entities: Sequence[AnyEntity] = (*PERSONS, *PERSONS, *ENTITIES)
    samples: Sequence[str] = tuple(SAMPLES)
    directions: Sequence[Direction] = (Direction.BOTH, *Direction)
    states: Sequence[PairState] = (PairState.ACTIVE,)
    authorities: Sequence[System | None] = (None,)
    known: Sequence[bool] = (True, False)
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

    def merge(
        self, policy: Policy = system_of_record, *, overwritten: Mapping[str, FieldValue] | None = None
    ) -> Merged:
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
        return World(
            [
                attrs.evolve(
                    field,
                    was=moved.get(field.pair.key, field.was),
                    dynamics=merged.to_dynamics.get(field.pair.dynamics, field.dynamics),
                    marketo=merged.to_marketo.get(field.pair.marketo, field.marketo),
                    doubtful=False,
                )
                for field in self.fields
            ]
        )


@attrs.define
class _Dice:
    """One drawn number that makes many choices: cheaper than a draw for each, and as easy to shrink."""

    number: int

    def pick(self, options: Sequence[T]) -> T:
        """Choose one of *options*."""
        self.number, chosen = divmod(self.number, len(options))
        return options[chosen]


def _field(shape: Shape, entity: AnyEntity, place: int, dice: _Dice) -> Field:
    """Return a field whose two sides are one value, left alone or edited on either side."""
    sample = SAMPLES[dice.pick(shape.samples)]
    known = dice.pick(shape.known)
    base = dice.pick([*sample.dynamics, None])
    carried = sample.lens.to_marketo(base)
    if isinstance(carried, Unfit):
        base = carried = None
    silence = [MISSING] if shape.silent else []
    return Field(
        was=agreed_on(base, carried) if known else MISSING,
        dynamics=dice.pick([base, base, *sample.dynamics, None, *silence]),
        marketo=dice.pick([carried, carried, *sample.marketo, None, *silence]),
        pair=FieldPair(
            entity,
            f"new_{place}",
            f"field{place}",
            direction=dice.pick(shape.directions if entity in PERSONS else [Direction.TO_MARKETO]),
            state=dice.pick(shape.states),
            authority=dice.pick(shape.authorities),
            lens=sample.lens,
            selection=place + 1,
        ),
        doubtful=dice.pick([False, False, shape.doubt]),
    )


@st.composite
def worlds(draw: DrawFn, shape: Shape = Shape()) -> World:
    """Draw a record of one entity, with a few fields of different kinds."""
    entity = draw(st.sampled_from(shape.entities))
    numbers = draw(st.lists(st.integers(0, 2**24 - 1), min_size=4, max_size=8))
    return World([_field(shape, entity, place, _Dice(number)) for place, number in enumerate(numbers)])


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
