"""What Dynamics makes of values: from people, who are told at once, and from an API, which gets codes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Final

from mkdyn.domain.fields import FieldSpec
from mkdyn.domain.lenses.moments import YEAR_MIN
from mkdyn.domain.outcomes import Rejected
from mkdyn.domain.types import REFERENCES
from mkdyn.domain.values import FieldValue, Values
from mkdyn.testing._checks import Misfit, misfit
from mkdyn.testing._schemas_dynamics import STATUS_OF_ACTIVE, STATUS_OF_STATE
from mkdyn.testing._tables import Row, Table

UNKNOWN_COLUMN: Final = "0x80060888"
BAD_PAYLOAD: Final = "0x80048d19"
NO_SUCH_RECORD: Final = "0x80040217"
INVALID_ARGUMENT: Final = "0x80040203"
MAY_NOT_CREATE: Final = "0x8004f502"
MAY_NOT_UPDATE: Final = "0x8004f507"

_CODES: Final[Mapping[Misfit, str]] = {
    "wrong type": BAD_PAYLOAD,
    "too long": "0x80044331",
    "out of range": "0x8004432f",
    "too early": BAD_PAYLOAD,  # which code it really has is not published
    "no such choice": "0x8004431a",
}
_DECIMAL_OUT_OF_RANGE: Final = "0x80044330"

#: What may be written of a lead that is not open any more.
_STATE: Final = frozenset({"statecode", "statuscode", "ownerid"})


def stored(spec: FieldSpec, value: FieldValue) -> FieldValue:
    """Return a value that fits as Dynamics stores it: decimals are rounded without a word."""
    match value:
        case "" | None:
            return None
        case datetime() if spec.type != "wall-clock":
            return value.astimezone(UTC)
        case int() | float() | Decimal() if spec.type in ("decimal", "money"):
            exact = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
            return exact if spec.precision is None else exact.quantize(Decimal(1).scaleb(-spec.precision))
        case int() | float() | Decimal() if spec.type == "float" and not isinstance(value, bool):
            return float(value) if spec.precision is None else round(float(value), spec.precision)
        case str() if spec.type in REFERENCES or spec.type == "guid":
            return value.lower()
        case str() if spec.type == "choices":
            return ",".join(map(str, sorted(set(map(int, value.split(","))))))
        case _:
            return value


class Rules:
    """The rules of one organisation's tables."""

    def __init__(self, tables: Mapping[str, Table], secured: Mapping[tuple[str, str], FieldSpec]) -> None:
        self._tables = tables
        self._secured = secured

    def entered(self, table: Table, values: Values) -> dict[str, FieldValue]:
        """Return what a person's values are stored as.

        Raises:
            LookupError: There is no such column.
            ValueError: A form would not take the value.
        """
        result: dict[str, FieldValue] = {}
        for name, value in values.items():
            spec = table.spec_of(name)
            why = _misfit(spec, value) or self._dangles(spec, value)
            if why:
                raise ValueError(f"{table.name}.{name} ({spec.shape}) does not take that value: {why}")
            result[name] = stored(spec, value)
            if spec.required and result[name] is None:
                raise ValueError(f"{table.name}.{name} must not be empty")
        return result

    def accepted(self, table: Table, values: Values, *, creating: bool) -> dict[str, FieldValue] | Rejected:
        """Return what an API's values are stored as, or the first refusal; what nobody may write is passed over."""
        result: dict[str, FieldValue] = {}
        for name, value in values.items():
            spec = table.specs.get(name)
            if spec is None:
                message = f"Could not find a property named '{name}' on type '{table.name}'."
                return Rejected(code=UNKNOWN_COLUMN, message=message, field=name)
            if (table.name, name) in self._secured and not spec.writable:
                code = MAY_NOT_CREATE if creating else MAY_NOT_UPDATE
                return Rejected(code=code, message=f"The user may not write the secured column '{name}'.", field=name)
            why = _misfit(spec, value)
            if why is not None:
                return _refusal(table, spec, why)
            if self._dangles(spec, value):
                message = f"The record that '{name}' refers to does not exist."
                return Rejected(code=NO_SUCH_RECORD, message=message, field=name)
            if spec.writable:
                result[name] = stored(spec, value)
        return result

    def missing(self, table: Table, values: Values) -> str | None:
        """Return a column that a new row needs and does not have."""
        return next((name for name in table.required if not values.get(name)), None)

    def read_only(self, table: Table, row: Row, values: Values) -> bool:
        """Whether the row takes no such change: a lead that is not open takes only a state."""
        closed = table.name == "lead" and row.values.get("statecode") != 0 and values.get("statecode") != 0
        return closed and not _STATE.issuperset(values)

    def completed(self, table: Table, row: Row | None, values: dict[str, FieldValue]) -> dict[str, FieldValue]:
        """Return values with what the server fills in: defaults of a new row, the full name, the status of a state."""
        state = values.get("statecode")
        if isinstance(state, int) and (row is None or row.values.get("statecode") != state):
            statuses = STATUS_OF_STATE.get(table.name, STATUS_OF_ACTIVE)
            values.setdefault("statuscode", statuses.get(state))
        if row is None:
            values = {**table.defaults, **values}
        if "fullname" in table.specs and not values.keys().isdisjoint(("firstname", "lastname")):
            before: Values = {} if row is None else row.values
            names = (values.get(name, before.get(name)) for name in ("firstname", "lastname"))
            values["fullname"] = " ".join(str(name) for name in names if name) or None
        return values

    def _dangles(self, spec: FieldSpec, value: FieldValue) -> str | None:
        if spec.type not in REFERENCES or not isinstance(value, str):
            return None
        targets = [self._tables[name] for name in spec.targets if name in self._tables]
        there = not targets or any(value.lower() in target.rows for target in targets)
        return None if there else "no such record"


def _misfit(spec: FieldSpec, value: FieldValue) -> Misfit | None:
    early = isinstance(value, date) and value.year < YEAR_MIN
    return misfit(spec, value) or ("too early" if early else None)


def _refusal(table: Table, spec: FieldSpec, why: Misfit) -> Rejected:
    code = _DECIMAL_OUT_OF_RANGE if why == "out of range" and spec.type not in ("integer", "bigint") else _CODES[why]
    message = f"The '{spec.name}' attribute of the '{table.name}' entity does not take the value: {why}."
    return Rejected(code=code, message=message, field=spec.name)
