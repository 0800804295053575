"""How rows look in answers."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Final

import attrs

from mkdyn.domain.fields import FieldSpec
from mkdyn.domain.types import REFERENCES
from mkdyn.domain.values import FieldValue
from mkdyn.testing._tables import Row
from mkdyn.testing.dynamics import MASK
from mkdyn.testing.servers.dynamics.names import Navigation, primary_name
from mkdyn.testing.servers.dynamics.options import Expansion, Options
from mkdyn.testing.servers.dynamics.question import BAD_QUERY, RefusedError
from mkdyn.testing.servers.dynamics.values import shown
from mkdyn.testing.servers.dynamics.world import Organization, View

_FORMATTED: Final = "OData.Community.Display.V1.FormattedValue"
_TABLE: Final = "Microsoft.Dynamics.CRM.lookuplogicalname"
_NAVIGATION: Final = "Microsoft.Dynamics.CRM.associatednavigationproperty"
_CURRENCY: Final = "_transactioncurrencyid_value"


@attrs.frozen(kw_only=True)
class Shape:
    """What is shown of each row.

    Attributes:
        view: The rows' table.
        columns: The columns that are shown, by property.
        blank: What stands for columns that this user may not see.
        annotated: The annotations that were asked for, with wildcards.
        expansions: What is shown of the rows they refer to.
        extra: What every row shows besides.
    """

    organization: Organization
    view: View
    columns: Mapping[str, FieldSpec]
    blank: Mapping[str, None]
    annotated: Collection[str] = ()
    expansions: Sequence[tuple[Navigation, Shape | None]] = ()
    extra: Mapping[str, object] = attrs.field(factory=dict[str, object])

    @property
    def selected(self) -> str:
        """What is shown, as the context of an answer names it."""
        inner = [
            f"{navigation.name}({'' if shape is None else shape.selected})" for navigation, shape in self.expansions
        ]
        return ",".join((*self.columns, *self.blank, *inner))

    def show(self, row: Row) -> dict[str, object]:
        """Return a row as it is shown."""
        values = row.values
        found: dict[str, object] = {"@odata.etag": row.etag}
        for name, spec in self.columns.items():
            value = values.get(spec.name)
            if value is not None and spec.masked:
                value = MASK
            if value is not None and self.annotated:
                found |= self._annotations(name, spec, value)
            found[name] = shown(spec, value)
        found.update(self.blank)
        found.update(self.extra)
        if self.view.table.key_field not in found:
            found[self.view.table.key_field] = row.key
        for navigation, shape in self.expansions:
            found[navigation.name] = self._expanded(row, navigation, shape)
        return found

    def _annotations(self, name: str, spec: FieldSpec, value: FieldValue) -> dict[str, object]:
        found: dict[str, object] = {}
        if spec.type in REFERENCES:
            target = target_of(self.organization, spec, str(value))
            ways = [each for each in self.view.navigations.values() if each.column == spec.name]
            way = next((each.name for each in ways if each.target in (None, target)), spec.name)
            found = {_FORMATTED: _name_of(self.organization, target, str(value)), _TABLE: target, _NAVIGATION: way}
        else:
            found = {_FORMATTED: formatted(spec, value)}
        return {
            f"{name}@{annotation}": text
            for annotation, text in found.items()
            if text is not None and any(fnmatchcase(annotation, pattern) for pattern in self.annotated)
        }

    def _expanded(self, row: Row, navigation: Navigation, shape: Shape | None) -> object:
        key = row.values.get(navigation.column)
        if not isinstance(key, str):
            return None
        if shape is None:  # an owner is shown as what users and teams have in common
            return {"ownerid": key}
        target = shape.view.table.rows.get(key)
        return None if target is None else shape.show(target)


def shape_of(organization: Organization, view: View, options: Options, annotated: Collection[str] = ()) -> Shape:
    """Return what a query wants to see of each row.

    Raises:
        RefusedError: A property or a lookup is not there, or too many are expanded.
    """
    wanted = view.columns if options.select is None else {name: column(view, name) for name in options.select}
    hidden = [name for name, spec in wanted.items() if spec.name in view.hidden]
    extra: dict[str, object] = {}
    if any(spec.type == "money" for spec in wanted.values()):
        extra[_CURRENCY] = organization.lasting("currency")
    return Shape(
        organization=organization,
        view=view,
        columns={name: spec for name, spec in wanted.items() if spec.name not in view.hidden},
        blank=dict.fromkeys(hidden if organization.backstage.secured_shows == "null" else ()),
        annotated=annotated,
        expansions=[_expansion(organization, view, each) for each in _few(organization, options.expand)],
        extra=extra,
    )


def _few(organization: Organization, terms: Sequence[Expansion]) -> Sequence[Expansion]:
    most = organization.limits.expansions
    if len(terms) > most:
        message = f"The query expands {len(terms)} properties; the most that is allowed is {most}."
        raise RefusedError(400, BAD_QUERY, message)
    return terms


def _expansion(organization: Organization, view: View, term: Expansion) -> tuple[Navigation, Shape | None]:
    navigation = view.navigations.get(term.name)
    if navigation is None:
        raise no_property(view, term.name)
    if navigation.target is None:
        return navigation, None
    organization.require_read(navigation.target)
    return navigation, shape_of(organization, organization.view(navigation.target), term.options)


def column(view: View, name: str) -> FieldSpec:
    """Return the column that a query names.

    Raises:
        RefusedError: There is none.
    """
    spec = view.columns.get(name)
    if spec is None:
        raise no_property(view, name)
    return spec


def no_property(view: View, name: str) -> RefusedError:
    """Return what is said of a property that is not there."""
    message = f"Could not find a property named '{name}' on type 'Microsoft.Dynamics.CRM.{view.table.name}'."
    return RefusedError(400, BAD_QUERY, message)


def target_of(organization: Organization, spec: FieldSpec, key: str) -> str | None:
    """Return the table of the row that a lookup refers to; None where there is no such row."""
    tables = organization.tables
    return next((name for name in spec.targets if name in tables and key in tables[name].rows), None)


def _name_of(organization: Organization, target: str | None, key: str) -> str | None:
    if target is None:
        return None
    table = organization.tables[target]
    name = table.rows[key].values.get(primary_name(table))
    return None if name is None else str(name)


def formatted(spec: FieldSpec, value: FieldValue) -> str | None:
    """Return what people see of a value, in English; None of one that looks as it is."""
    match value:
        case bool():
            words = ("Allow", "Do Not Allow") if spec.name.startswith("donot") else ("No", "Yes")
            return words[value]
        case int() if spec.choices:
            return spec.choices.get(value)
        case str() if spec.type == "choices":
            return "; ".join(spec.choices.get(int(number), number) for number in value.split(","))
        case int() | float() | Decimal() if spec.type == "money":
            return f"${value:,.2f}"
        case int() | float() | Decimal():
            return f"{value:,}"
        case datetime():
            hour = value.hour % 12 or 12
            half = "AM" if value.hour < 12 else "PM"  # noqa: PLR2004 - noon
            return f"{_us_day(value)} {hour}:{value.minute:02} {half}"
        case date():
            return _us_day(value)
        case _:
            return None


def _us_day(day: date) -> str:
    return f"{day.month}/{day.day}/{day.year}"
