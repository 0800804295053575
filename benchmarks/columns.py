"""Fields of mixed types whose values follow from a record's number: nothing is stored, and nothing is chance."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Final

import attrs

from mkdyn import Entity, Pick
from mkdyn.domain import FieldSpec, FieldValue
from mkdyn.domain.fields import FieldType, counterpart_type, lens_between
from mkdyn.domain.values import Unfit

_DAY: Final = date(1990, 1, 1)
_INSTANT: Final = datetime(2020, 1, 1, tzinfo=UTC)
_GRADES: Final = {1: "Bronze", 2: "Silver", 3: "Gold", 4: "Platinum"}


@attrs.frozen(kw_only=True)
class Column:
    """One field in both systems.

    Attributes:
        dynamics: The column in Dynamics.
        marketo: The field in Marketo.
        value: What Dynamics shows of the record of a number.
        carried: What Marketo shows of it once it was carried over.
    """

    dynamics: FieldSpec
    marketo: FieldSpec
    value: Callable[[int], FieldValue]
    carried: Callable[[int], FieldValue]

    def pick(self, entity: Entity) -> Pick:
        """Return the column as somebody selects it."""
        return Pick(entity, self.dynamics.name, marketo=self.marketo.name)


#: Standard fields of leads and contacts: their names in both systems, length, and value.
_STANDARD: Final[Sequence[tuple[str, str, int, Callable[[int], FieldValue]]]] = (
    ("lastname", "lastName", 50, lambda number: f"Last {number}"),
    ("jobtitle", "title", 100, lambda number: f"Clerk {number % 1000}"),
    ("emailaddress1", "email", 100, lambda number: f"person{number}@example.com"),
    ("firstname", "firstName", 50, lambda number: f"First {number}"),
)

#: Columns of one's own, by turns: type, what else describes it in Dynamics, and value.
_OWN: Final[Sequence[tuple[FieldType, Callable[[FieldSpec], FieldSpec], Callable[[int], FieldValue]]]] = (
    ("text", lambda spec: attrs.evolve(spec, length=100), lambda number: f"text of record {number}"),
    ("integer", lambda spec: spec, lambda number: number % 100_000),
    ("boolean", lambda spec: attrs.evolve(spec, default=False), lambda number: number % 3 == 0),
    ("decimal", lambda spec: attrs.evolve(spec, precision=2), lambda number: Decimal(number % 1_000_000) / 4),
    ("choice", lambda spec: attrs.evolve(spec, choices=_GRADES), lambda number: 1 + number % 4),
    ("date", lambda spec: spec, lambda number: _DAY + timedelta(days=number % 10_000)),
    ("datetime", lambda spec: spec, lambda number: _INSTANT + timedelta(seconds=number)),
)


def columns(count: int) -> Sequence[Column]:
    """Return the first *count* columns, and no fewer than two: the last name, and the job title that is edited."""
    own = [_own(place) for place in range(len(_STANDARD), count)]
    return [*map(_standard, _STANDARD), *own][: max(count, 2)]


def _standard(row: tuple[str, str, int, Callable[[int], FieldValue]]) -> Column:
    name, marketo, length, value = row
    return Column(
        dynamics=FieldSpec(name=name, type="text", length=length, required=name == "lastname"),
        marketo=FieldSpec(name=marketo, type="text", length=255),
        value=value,
        carried=value,
    )


def _own(place: int) -> Column:
    kind, shaped, value = _OWN[place % len(_OWN)]
    dynamics = shaped(FieldSpec(name=f"new_{kind}{place}", type=kind, label=f"{kind} {place}"))
    there = counterpart_type(dynamics)
    marketo = FieldSpec(
        name=f"{kind}{place}",
        type=there,
        length=255 if there == "text" else None,
        default=False if there == "boolean" else None,
    )
    lens = lens_between(dynamics, marketo)

    def carried(number: int) -> FieldValue:
        found = lens.to_marketo(value(number))
        if isinstance(found, Unfit):
            raise TypeError(found.reason)
        return found

    return Column(dynamics=dynamics, marketo=marketo, value=value, carried=carried)
