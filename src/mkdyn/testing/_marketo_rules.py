"""What Marketo makes of values: from people, who are told at once, and from an API, which gets codes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from mkdyn.domain.fields import FieldSpec
from mkdyn.domain.lenses.matrix import TEXT_AREA_BYTES
from mkdyn.domain.lenses.texts import is_email
from mkdyn.domain.outcomes import Rejected
from mkdyn.domain.types import FRACTIONAL
from mkdyn.domain.values import FieldValue, Values
from mkdyn.testing._checks import misfit
from mkdyn.testing._schemas_marketo import COMPANY_FIELDS, PARTS, REFERENCES
from mkdyn.testing._tables import Row, Table

BLANK: Final = "701"
UNKNOWN_SALES_PERSON: Final = "718"
INVALID: Final = "1003"
NOT_FOUND: Final = "1004"
UNKNOWN_FIELD: Final = "1006"
RECORD_NOT_FOUND: Final = "1013"
SEVERAL: Final = "1007"
COMPANY_FIELD: Final = "1021"
IN_USE: Final = "1022"
TOO_MANY_TO_MERGE: Final = "1080"


def stored(spec: FieldSpec, value: FieldValue) -> FieldValue:
    """Return a value that fits as Marketo stores it: no empty boolean, no fraction of a second."""
    match value:
        case "" | None:
            return False if spec.type == "boolean" else None
        case datetime():
            return value.astimezone(UTC).replace(microsecond=0)
        case int() | float() | Decimal() if spec.type in FRACTIONAL:
            return float(value)
        case _:
            return value


class Rules:
    """The rules of one instance's objects."""

    def __init__(self, tables: Mapping[str, Table]) -> None:
        self._tables = tables

    def entered(self, table: Table, values: Values, row: Row | None) -> dict[str, FieldValue]:
        """Return what a person's values are stored as.

        Raises:
            LookupError: There is no such field.
            ValueError: A form would not take the value.
        """
        result: dict[str, FieldValue] = {}
        for name, value in values.items():
            spec = table.spec_of(name)
            refusal = self._refusal(table, spec, value, row)
            if refusal is not None:
                raise ValueError(f"{table.name}.{name} ({spec.shape}) does not take that value: {refusal.message}")
            result[name] = stored(spec, value)
        return result

    def accepted(self, table: Table, values: Values, row: Row | None) -> dict[str, FieldValue] | Rejected:
        """Return what an API's values are stored as, or the first refusal; one bad field refuses the record."""
        result: dict[str, FieldValue] = {}
        for name, value in values.items():
            spec = table.specs.get(name)
            if spec is None:
                return Rejected(code=UNKNOWN_FIELD, message=f"Field '{name}' not found", field=name)
            if table.name == "lead" and name in COMPANY_FIELDS:
                return Rejected(code=COMPANY_FIELD, message="Company fields are not allowed here", field=name)
            if not spec.writable:
                return Rejected(code=INVALID, message=f"Field '{name}' is read-only", field=name)
            refusal = self._refusal(table, spec, value, row)
            if refusal is not None:
                return refusal
            result[name] = stored(spec, value)
        return result

    def missing(self, table: Table, values: Values) -> str | None:
        """Return a field that a new record needs and does not have."""
        return next((name for name in table.required if not values.get(name)), None)

    def without_whole(self, table: Table, values: Values) -> Rejected | None:
        """Return the refusal of a record that belongs to another one which is not there."""
        for field, whole in PARTS.get(table.name, {}).items():
            if str(values.get(field)) not in self._tables[whole].rows:
                code = NOT_FOUND if whole == "lead" else RECORD_NOT_FOUND
                return Rejected(code=code, message=f"{whole.capitalize()} not found", field=field)
        return None

    def in_use(self, table: Table, key: str) -> bool:
        """Whether another object's record refers to this one."""
        return any(
            next(self._tables[object].matching(field, [key]), None) is not None
            for object, references in REFERENCES.items()
            for field, target in references.items()
            if target == table.name
        )

    def _refusal(self, table: Table, spec: FieldSpec, value: FieldValue, row: Row | None) -> Rejected | None:
        name = spec.name
        if (
            misfit(spec, value) is not None
            or _is_too_large(spec, value)
            or (spec.type == "email" and _is_no_email(value))
        ):
            return Rejected(code=INVALID, message=f"Invalid value for field '{name}'", field=name)
        if name in table.required and not value:
            return blank(name)
        target = REFERENCES.get(table.name, {}).get(name)
        if target is None:
            return None
        if value:
            return None if value in self._tables[target].rows else _unknown(table, name, target)
        leaving = name == "externalCompanyId" and table.name == "lead" and row is not None and row.values.get(name)
        return (
            Rejected(code=INVALID, message="A person can't leave its company, only change it", field=name)
            if leaving
            else None
        )


def blank(field: str) -> Rejected:
    """Return the refusal of an empty field that must not be."""
    return Rejected(code=BLANK, message=f"Field '{field}' must not be blank", field=field)


def _unknown(table: Table, field: str, target: str) -> Rejected:
    code = UNKNOWN_SALES_PERSON if (table.name, target) == ("opportunity", "salesperson") else INVALID
    return Rejected(code=code, message=f"Field '{field}' refers to no {target} there is", field=field)


def _is_too_large(spec: FieldSpec, value: FieldValue) -> bool:
    return spec.type == "memo" and isinstance(value, str) and len(value.encode()) > TEXT_AREA_BYTES


def _is_no_email(value: FieldValue) -> bool:
    """Whether Marketo's own check refuses it; it looks more closely than the lens does."""
    if not isinstance(value, str) or not value:
        return False
    return not is_email(value) or "" in value.partition("@")[2].split(".")
