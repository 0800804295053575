"""The rows of one object, with an index for each field that someone has searched."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime

import attrs

from mkdyn.domain.fields import FieldSpec
from mkdyn.domain.keys import joined
from mkdyn.domain.names import nearest
from mkdyn.domain.records import Record, make_record
from mkdyn.domain.values import FieldValue, Values, same
from mkdyn.errors import UnknownEntityError, UnknownFieldError


@attrs.define
class Row:
    """One record as it is stored; a field nobody has filled is not in its values."""

    key: str
    values: dict[str, FieldValue] = attrs.field(repr=False)
    version: int = 0

    @property
    def etag(self) -> str | None:
        """Its version as Dynamics shows it; Marketo's rows have none."""
        return f'W/"{self.version}"' if self.version else None


def as_text(value: FieldValue) -> str | None:
    """Return a value as Marketo's feed and filters write it."""
    match value:
        case None | str():
            return value
        case bool():
            return "true" if value else "false"
        case datetime():
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case date():
            return value.isoformat()
        case _:
            return str(value)


class Table:
    """One object's rows and fields.

    Attributes:
        name: The object's name.
        key_field: The field that holds a row's key.
        specs: The fields, by name; `define` and `drop` change them.
        numbers: A lasting number of each field; one that is made anew has another.
        rows: The rows, by key, oldest first.
        required: The fields that must not be empty.
        defaults: What a new row shows where nobody entered anything.
        compound: The fields that are a row's key together, if it is not one of them.
    """

    def __init__(
        self,
        name: str,
        key_field: str,
        specs: Iterable[FieldSpec],
        *,
        empty_boolean: FieldValue,
        compound: Sequence[str] = (),
    ) -> None:
        self.name = name
        self.compound = compound
        self.key_field = key_field
        self.specs: dict[str, FieldSpec] = {}
        self.numbers: dict[str, int] = {}
        self.rows: dict[str, Row] = {}
        self.required: tuple[str, ...] = ()
        self.defaults: dict[str, FieldValue] = {}
        self._empty_boolean = empty_boolean
        self._indexes: dict[str, dict[str, list[str]]] = {}
        self._sorted: list[str] | None = None
        self._last_number = 0
        self._as_text: str | None = None
        for spec in specs:
            self.define(spec)

    def define(self, spec: FieldSpec) -> None:
        """Add a field, or describe it anew."""
        self.specs[spec.name] = spec
        if spec.name not in self.numbers:
            self._last_number += 1
            self.numbers[spec.name] = self._last_number
        self._look_over()

    @property
    def described(self) -> str:
        """All fields as text: another one for other fields."""
        if self._as_text is None:
            self._as_text = repr(list(self.specs.values()))
        return self._as_text

    def _look_over(self) -> None:
        self._as_text = None
        self.required = tuple(name for name, spec in self.specs.items() if spec.required)
        self.defaults = {name: spec.default for name, spec in self.specs.items() if spec.default is not None}

    def insert(self, row: Row) -> None:
        """Add a row, or bring one back."""
        self.rows[row.key] = row
        if self._sorted is not None:
            insort(self._sorted, row.key)
        for field, index in self._indexes.items():
            _add(index, row.values.get(field), row.key)

    def remove(self, key: str) -> Row:
        """Take a row out."""
        row = self.rows.pop(key)
        if self._sorted is not None:
            del self._sorted[bisect_left(self._sorted, key)]
        for field, index in self._indexes.items():
            _drop(index, row.values.get(field), key)
        return row

    def change(self, row: Row, values: Values) -> None:
        """Store other values of a row."""
        for field, index in self._indexes.items():
            if field in values:
                _drop(index, row.values.get(field), row.key)
                _add(index, values[field], row.key)
        row.values.update(values)

    def drop(self, field: str) -> None:
        """Remove a field with everything in it."""
        del self.specs[field]
        del self.numbers[field]
        self._look_over()
        self._indexes.pop(field, None)
        for row in self.rows.values():
            row.values.pop(field, None)

    def sorted_keys(self) -> Sequence[str]:
        """Return the keys of all rows in order; kept from the first time it is asked for."""
        if self._sorted is None:
            self._sorted = sorted(self.rows)
        return self._sorted

    def key_in(self, values: Values) -> str | None:
        """Return the key that a new row's values give it, if they do."""
        if self.compound:
            return joined([values[name] for name in self.compound])
        given = values.get(self.key_field)
        return None if given is None else str(given)

    def empty(self, field: str) -> FieldValue:
        """Return what the field shows where nobody entered anything."""
        return self._empty_boolean if self.specs[field].type == "boolean" else None

    def value(self, row: Row, field: str) -> FieldValue:
        """Return what a row's field shows."""
        return row.values.get(field, self.empty(field))

    def viewer(self, fields: Iterable[str]) -> Callable[[Row], Record]:
        """Return a function that makes a record with these fields of a row."""
        names = tuple(fields)
        empties = [self.empty(field) for field in names]

        def view(row: Row) -> Record:
            shown = dict(zip(names, map(row.values.get, names, empties), strict=True))
            return make_record(key=row.key, values=shown, version=row.etag)

        return view

    def matching(self, field: str, values: Iterable[str]) -> Iterator[Row]:
        """Yield the rows whose field is one of *values*, without regard to case, each once."""
        index = self._indexes.get(field)
        if index is None:
            index = self._indexes[field] = {}
            for row in self.rows.values():
                _add(index, row.values.get(field), row.key)
        for text in dict.fromkeys(value.casefold() for value in values):
            for key in index.get(text, ()):
                yield self.rows[key]

    def check_fields(self, fields: Iterable[str], system: str) -> None:
        """Refuse fields that a connector asks for and that are not there.

        Raises:
            UnknownFieldError: One of them is not there.
        """
        for field in fields:
            if field not in self.specs:
                near = nearest(field, self.specs)
                hint = f"; nearest: {near}" if near else ""
                raise UnknownFieldError(f"{self.name}.{field} is not in {system}{hint}.", nearest=near)

    def spec_of(self, field: str) -> FieldSpec:
        """Return the field that a person names.

        Raises:
            LookupError: There is none.
        """
        spec = self.specs.get(field)
        if spec is None:
            raise LookupError(f"{self.name} has no field {field}{_hint(field, self.specs)}")
        return spec

    def row_of(self, key: str) -> Row:
        """Return the row that a person names.

        Raises:
            LookupError: There is none.
        """
        row = self.rows.get(key)
        if row is None:
            raise LookupError(f"there is no {self.name} {key}")
        return row

    def key_of(self, values: Values) -> str:
        """Return the key of the one row that shows these values, without regard to case.

        Raises:
            LookupError: None does, or several.
        """
        for field in values:
            self.spec_of(field)
        indexed = next(((field, value) for field, value in values.items() if isinstance(value, str) and value), None)
        rows = self.rows.values() if indexed is None else self.matching(indexed[0], [indexed[1]])
        keys = [row.key for row in rows if all(_alike(self.value(row, field), values[field]) for field in values)]
        if len(keys) == 1:
            return keys[0]
        raise LookupError(f"{len(keys)} {self.name} records have that {', '.join(values)}; key_of needs exactly one")


def known(tables: Mapping[str, Table], object: str) -> Table:
    """Return the table that a person names.

    Raises:
        LookupError: There is none.
    """
    if object not in tables:
        raise LookupError(f"there is no object {object}{_hint(object, tables)}")
    return tables[object]


def asked_for(tables: Mapping[str, Table], object: str, fields: Collection[str], system: str) -> Table:
    """Return the table that a connector is asked for.

    Raises:
        UnknownEntityError: There is none.
        UnknownFieldError: It lacks one of the fields.
    """
    table = tables.get(object)
    if table is None:
        raise UnknownEntityError(f"{system} has no object {object}{_hint(object, tables)}.")
    table.check_fields(fields, system)
    return table


def _hint(name: str, names: Iterable[str]) -> str:
    near = nearest(name, names)
    return f"; nearest: {near}" if near else ""


def _alike(shown: FieldValue, wanted: FieldValue) -> bool:
    return _folded(shown) == _folded(wanted) if isinstance(wanted, str) else same(shown, wanted)


def _folded(value: FieldValue) -> str | None:
    text = as_text(value)
    return None if text is None else text.casefold()


def _add(index: dict[str, list[str]], value: FieldValue, key: str) -> None:
    text = _folded(value)
    if text is not None:
        index.setdefault(text, []).append(key)


def _drop(index: dict[str, list[str]], value: FieldValue, key: str) -> None:
    text = _folded(value)
    if text is not None:
        index[text].remove(key)
