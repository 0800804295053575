"""The work that benchmarks share: records of mixed fields, and what people did to some of them.

Everything follows from a record's number and a field's place, by arithmetic: no chance, no
clock, no order of hashing, so the same size is the same work in every process. Each call
makes values of its own, as reading a system does; none is shared between two records.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import islice
from typing import Final, NamedTuple

import attrs

from mkdyn.domain import Entity, FieldPair, FieldSpec, FieldValue, Unfit
from mkdyn.domain.lenses.matrix import lens_between


class Touch(enum.Enum):
    """What happened to a record since both systems last agreed."""

    MARKETO = "changed in Marketo"
    DYNAMICS = "changed in Dynamics"
    BOTH = "changed in both, in different fields"
    COLLISION = "one field changed in both, to different values"
    CREATED_IN_MARKETO = "created in Marketo"
    CREATED_IN_DYNAMICS = "created in Dynamics"
    DELETED_IN_MARKETO = "deleted in Marketo"
    DELETED_IN_DYNAMICS = "deleted in Dynamics"


#: How many of a thousand records are touched in which way: 12.9 % in all.
SHARES: Final[Mapping[Touch, int]] = {
    Touch.MARKETO: 50,
    Touch.DYNAMICS: 50,
    Touch.BOTH: 10,
    Touch.COLLISION: 5,
    Touch.CREATED_IN_MARKETO: 5,
    Touch.CREATED_IN_DYNAMICS: 5,
    Touch.DELETED_IN_MARKETO: 2,
    Touch.DELETED_IN_DYNAMICS: 2,
}
#: The touches of a pure merge: both records are there before and after.
EDITS: Final = (Touch.MARKETO, Touch.DYNAMICS, Touch.BOTH, Touch.COLLISION)
CREATIONS: Final = (Touch.CREATED_IN_MARKETO, Touch.CREATED_IN_DYNAMICS)

_CHOICES: Final = {1: "Cold", 2: "Warm", 3: "Hot", 4: "Customer", 5: "Former customer", 6: "Not to be contacted"}
_MONEY_MAX: Final = 922_337_203_685_477
_EPOCH: Final = datetime(2020, 1, 1, tzinfo=UTC)


class _Column(NamedTuple):
    """A kind of field: what describes it in both systems, and what Dynamics shows for a number."""

    dynamics: FieldSpec
    marketo: FieldSpec
    value: Callable[[int], FieldValue]


def _text(name: str, length: int, value: Callable[[int], FieldValue]) -> _Column:
    spec = FieldSpec(name=name, type="text", length=length)
    return _Column(spec, spec, value)


#: The kinds, in the order in which fields take them: half are text, a fifth looks different in each system.
_KINDS: Final[Sequence[_Column]] = (
    _text("text", 100, lambda seed: f"Person number {seed}"),
    _text("text", 255, lambda seed: f"{seed % 997} Long Street, Building {seed % 89}, City no. {seed}"),
    _Column(
        FieldSpec(name="choice", type="choice", choices=_CHOICES),
        FieldSpec(name="choice", type="text", length=255),
        lambda seed: 1 + seed % len(_CHOICES),
    ),
    _Column(
        FieldSpec(name="integer", type="integer", minimum=0, maximum=1_000_000),
        FieldSpec(name="integer", type="integer"),
        lambda seed: seed % 1_000_000,
    ),
    _text("text", 40, lambda seed: f"+44 20 {seed:08d}"),
    _Column(
        FieldSpec(name="boolean", type="boolean", default=False),
        FieldSpec(name="boolean", type="boolean", default=False),
        lambda seed: seed % 2 == 0,
    ),
    _Column(
        FieldSpec(name="money", type="decimal", precision=2, minimum=-_MONEY_MAX, maximum=_MONEY_MAX),
        FieldSpec(name="money", type="float"),
        lambda seed: Decimal(seed % 10_000_000).scaleb(-2),
    ),
    _text("text", 100, lambda seed: f"person.{seed}@example.com"),
    _Column(
        FieldSpec(name="date", type="date"),
        FieldSpec(name="date", type="date"),
        lambda seed: date.fromordinal(700_000 + seed % 36_000),
    ),
    _Column(
        FieldSpec(name="datetime", type="datetime"),
        FieldSpec(name="datetime", type="datetime"),
        lambda seed: _EPOCH + timedelta(seconds=seed % 200_000_000),
    ),
)


class Touched(NamedTuple):
    """One record that was touched; an empty mapping where that system was left alone.

    Attributes:
        touch: How.
        number: Which record; those that were created have numbers after all others.
        dynamics: Values by Dynamics field, as Dynamics shows them: edited ones, or all of a created row.
        marketo: Values by Marketo field, as Marketo shows them.
    """

    touch: Touch
    number: int
    dynamics: dict[str, FieldValue]
    marketo: dict[str, FieldValue]


@attrs.frozen
class Workload:
    """Records of one entity with fields of mixed types, and the touches of some of them.

    Attributes:
        records: How many are linked before anything is touched.
        fields: How many fields each has; at least 2.
        touched: How many are touched, whatever `records` is; None for 12.9 % of them.
        touches: The ways in which they are touched, in the proportions of `SHARES`.
        entity: What they are in Dynamics.
        pairs: Their fields' pairs, with the lenses that selecting them makes.

    Raises:
        ValueError: There are too few fields, or fewer records than would be touched.
    """

    records: int
    fields: int
    touched: int | None = attrs.field(default=None, kw_only=True)
    touches: Sequence[Touch] = attrs.field(default=tuple(SHARES), kw_only=True)
    entity: Entity = attrs.field(default=Entity.LEAD, kw_only=True)
    pairs: Sequence[FieldPair] = attrs.field(
        init=False, repr=False, default=attrs.Factory(lambda self: self.paired(), takes_self=True)
    )

    def __attrs_post_init__(self) -> None:
        if self.fields < 2:
            raise ValueError("two systems change different fields of a record: it needs 2 of them")
        if sum(count for touch, count in self.counts().items() if touch not in CREATIONS) > self.records:
            raise ValueError("more records would be touched than there are")

    # -- fields

    def dynamics_columns(self) -> list[FieldSpec]:
        """Return the columns `new_f00`, `new_f01`, … as Dynamics describes them."""
        return [attrs.evolve(_kind(place).dynamics, name=_in_dynamics(place)) for place in range(self.fields)]

    def marketo_fields(self) -> list[FieldSpec]:
        """Return the fields `f00`, `f01`, … as Marketo describes them."""
        return [attrs.evolve(_kind(place).marketo, name=_in_marketo(place)) for place in range(self.fields)]

    def paired(self) -> list[FieldPair]:
        """Return the pairs of those columns and fields."""
        return [
            FieldPair(self.entity, dynamics.name, marketo.name, lens=lens_between(dynamics, marketo))
            for dynamics, marketo in zip(self.dynamics_columns(), self.marketo_fields(), strict=True)
        ]

    # -- records

    def dynamics(self, number: int) -> dict[str, FieldValue]:
        """Return what Dynamics shows of a record before it is touched."""
        return {_in_dynamics(place): _value(number, place) for place in range(self.fields)}

    def marketo(self, number: int) -> dict[str, FieldValue]:
        """Return what Marketo shows of the same record."""
        return {pair.marketo: _carried(pair, _value(number, place)) for place, pair in enumerate(self.pairs)}

    # -- touches

    def counts(self) -> dict[Touch, int]:
        """Return how many records are touched in each way; a rest goes to the ways it is nearest to."""
        shares = {touch: SHARES[touch] for touch in self.touches}
        total = sum(shares.values())
        wanted = self.touched if self.touched is not None else math.floor(self.records * sum(SHARES.values()) / 1000)
        counts = {touch: wanted * share // total for touch, share in shares.items()}
        nearest = sorted(shares, key=lambda touch: wanted * shares[touch] % total, reverse=True)
        for touch in nearest[: wanted - sum(counts.values())]:
            counts[touch] += 1
        return counts

    def touching(self) -> Iterator[Touched]:
        """Yield what happened, way by way; records are taken from all over, each of them once."""
        there, new = iter(_scattered(self.records)), iter(range(self.records, 2 * self.records + (self.touched or 0)))
        pairs = self.pairs
        for touch, count in self.counts().items():
            for number in islice(new if touch in CREATIONS else there, count):
                dynamics, marketo = self._edits(touch, number)
                yield Touched(
                    touch,
                    number,
                    {pairs[place].dynamics: _value(number, place, edition) for place, edition in dynamics.items()},
                    {
                        pairs[place].marketo: _carried(pairs[place], _value(number, place, edition))
                        for place, edition in marketo.items()
                    },
                )

    def _edits(self, touch: Touch, number: int) -> tuple[Mapping[int, int], Mapping[int, int]]:
        """Return the places of the fields that a touch gives another value, in Dynamics and in Marketo, and which."""
        one, other = number % self.fields, (number + 1) % self.fields
        several = {(number + step) % self.fields: 1 for step in range(1 + number % 3)}
        match touch:
            case Touch.DYNAMICS:
                return several, {}
            case Touch.MARKETO:
                return {}, several
            case Touch.BOTH:
                return {one: 1}, {other: 1}
            case Touch.COLLISION:  # a boolean has no third value to collide with
                place = other if _kind(one).dynamics.type == "boolean" else one
                return {place: 1}, {place: 2}
            case Touch.CREATED_IN_DYNAMICS:
                return dict.fromkeys(range(self.fields), 0), {}
            case Touch.CREATED_IN_MARKETO:
                return {}, dict.fromkeys(range(self.fields), 0)
            case Touch.DELETED_IN_DYNAMICS | Touch.DELETED_IN_MARKETO:
                return {}, {}


def _in_dynamics(place: int) -> str:
    return f"new_f{place:02d}"


def _in_marketo(place: int) -> str:
    return f"f{place:02d}"


def _kind(place: int) -> _Column:
    return _KINDS[place % len(_KINDS)]


def _value(number: int, place: int, edition: int = 0) -> FieldValue:
    """Return what Dynamics shows, in one of its editions: the first, 0, is now and then empty; no two are the same."""
    kind = _kind(place)
    if edition == 0 and kind.dynamics.type != "boolean" and (number + 3 * place) % 7 == 0:
        return None
    return kind.value(7919 * number + 104_729 * place + edition)


def _carried(pair: FieldPair, value: FieldValue) -> FieldValue:
    carried = pair.lens.to_marketo(value)
    assert not isinstance(carried, Unfit)
    return carried


def _scattered(records: int) -> Iterator[int]:
    """Yield every number below *records* once, neighbours far apart."""
    stride = next(
        stride for stride in range(max(1, records * 5 // 8), 2 * records + 1) if math.gcd(stride, records) == 1
    )
    return (place * stride % records for place in range(records))
