"""Writes as requests: what each column is called, and what is refused before it is sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, TypeAlias

import attrs

from mkdyn.adapters.dynamics import requests
from mkdyn.adapters.dynamics.batch import Item, Part
from mkdyn.adapters.dynamics.codes import CODES
from mkdyn.adapters.dynamics.refusals import Sent
from mkdyn.adapters.dynamics.table import Column, Table
from mkdyn.adapters.dynamics.values import MisfitError, wire_value
from mkdyn.domain.outcomes import Create, Delete, Rejected, Write
from mkdyn.domain.records import is_guid
from mkdyn.domain.types import REFERENCES
from mkdyn.domain.values import FieldValue, Values

#: By field and GUID, the address of the row that a lookup names, and the table it is in.
Addresses: TypeAlias = Mapping[tuple[str, str], tuple[str, str]]

#: The most bytes of values in one request: far below what Dynamics takes, and soon sent.
BYTES_MAX: Final = 4_000_000

_NO_COLUMN: Final = "0x80060888"
_BAD_VALUE: Final = "0x80048d19"
_NO_ROW: Final = "0x80040217"
_MAY_NOT_CREATE: Final = "0x8004f502"
_MAY_NOT_UPDATE: Final = "0x8004f507"


@attrs.frozen
class Ready:
    """A write that can be sent."""

    sent: Sent
    item: Item

    @property
    def size(self) -> int:
        """How many bytes its values are."""
        parts = [self.item] if isinstance(self.item, Part) else self.item
        return sum(len(part.body or b"") for part in parts)


class RefusedError(Exception):
    """A write that would be refused, or worse, passed over in silence."""

    def __init__(self, outcome: Rejected) -> None:
        super().__init__(outcome.code)
        self.outcome = outcome


def references(table: Table, writes: Iterable[Write]) -> Iterable[tuple[Column, str]]:
    """Yield the lookups that are written, each with the GUID it is to hold."""
    for write in writes:
        if isinstance(write, Delete):
            continue
        for name, value in write.values.items():
            column = table.columns.get(name)
            if column is not None and column.spec.type in REFERENCES and isinstance(value, str) and is_guid(value):
                yield column, value.lower()


def composed(table: Table, place: int, write: Write, addresses: Addresses) -> Ready | Rejected:
    """Return a write as it is sent, or its refusal.

    Args:
        table: Whose row it is.
        place: Its place among the writes.
        write: The write.
        addresses: Where the rows are that its lookups name.
    """
    if not is_guid(write.key):
        return Rejected(code=_BAD_VALUE, message="The key is no GUID.")
    try:
        return _composed(table, place, write, addresses)
    except RefusedError as refused:
        return refused.outcome


def _composed(table: Table, place: int, write: Write, addresses: Addresses) -> Ready:
    if isinstance(write, Delete):
        return Ready(Sent(place=place, write=write), requests.delete(table, write.key, write.version))
    columns = [_column(table, name, creating=isinstance(write, Create)) for name in write.values]
    item: Item
    if isinstance(write, Create):
        item = _creation(table, write, columns, addresses)
    else:
        item = requests.update(table, write.key, _body(columns, write.values, addresses), write.version)
    names = {
        name: column.name for column in columns for name in (column.name, column.wire_name, *column.binds.values())
    }
    held = {column.name: str(guid).lower() for column, guid in _held(columns, write.values)}
    return Ready(Sent(place=place, write=write, names=names, references=held), item)


def _held(columns: Iterable[Column], values: Values) -> Iterable[tuple[Column, FieldValue]]:
    return (
        (column, value)
        for column in columns
        if column.spec.type in REFERENCES and (value := values[column.name]) is not None and value != ""
    )


def _creation(table: Table, write: Create, columns: Sequence[Column], addresses: Addresses) -> Item:
    """Return what makes a row: what a new row does not take, as its state, follows within the same change set."""
    first = requests.create(
        table, write.key, _body([column for column in columns if column.creatable], write.values, addresses)
    )
    later = [column for column in columns if not column.creatable]
    if not later:
        return first
    return [first, requests.update(table, write.key, _body(later, write.values, addresses), None)]


def _column(table: Table, name: str, *, creating: bool) -> Column:
    """Return a column that can be written.

    Raises:
        RefusedError: It is not there, or this user may not write it: Dynamics would take such a write in silence.
    """
    column = table.columns.get(name)
    if column is None or not column.on_the_wire:
        raise _refused(_NO_COLUMN, name)
    if column.updatable or (creating and column.creatable):
        return column
    if column.spec.secured:
        raise _refused(_MAY_NOT_CREATE if creating else _MAY_NOT_UPDATE, name)
    raise RefusedError(Rejected(code="not-writable", message="Dynamics fills this column by itself.", field=name))


def _refused(code: str, name: str) -> RefusedError:
    return RefusedError(Rejected(code=code, message=CODES[code].sentence, field=name))


def _body(columns: Iterable[Column], values: Values, addresses: Addresses) -> dict[str, FieldValue]:
    body: dict[str, FieldValue] = {}
    for column in columns:
        try:
            value = wire_value(column.spec.type, values[column.name])
        except MisfitError:
            raise _refused(_BAD_VALUE, column.name) from None
        if column.spec.type not in REFERENCES:
            body[column.name] = value
        elif value is None:
            names = dict.fromkeys(column.bound_to(target) for target in column.spec.targets)
            body |= {f"{name}@odata.bind": None for name in names}
        else:
            body |= _bound(column, str(value), addresses)
    return body


def _bound(column: Column, guid: str, addresses: Addresses) -> Mapping[str, FieldValue]:
    found = addresses.get((column.name, guid))
    if found is None:
        raise _refused(_NO_ROW, column.name)
    address, target = found
    return {f"{column.bound_to(target)}@odata.bind": address}


def can_join(ready: Ready) -> bool:
    """Whether a write makes a row in one go, so that others can be made in the same call."""
    return isinstance(ready.sent.write, Create) and isinstance(ready.item, Part)


def joined(table: Table, writes: Iterable[Ready]) -> Part:
    """Return the one call that makes the rows of writes that can join."""
    rows = [(ready.sent.write.key, ready.item.body or b"{}") for ready in writes if isinstance(ready.item, Part)]
    return requests.create_together(table, rows)


def rounds(writes: Iterable[Ready]) -> Sequence[Sequence[Ready]]:
    """Divide writes so that none of a row is sent before the one that came before it was answered."""
    found: list[list[Ready]] = []
    times: Counter[str] = Counter()
    for ready in writes:
        key = ready.sent.write.key.lower()
        if times[key] == len(found):
            found.append([])
        found[times[key]].append(ready)
        times[key] += 1
    return found


def divided(writes: Iterable[Ready], *, rows_max: int) -> Iterable[Sequence[Ready]]:
    """Divide writes into batches of neither too many rows nor too many bytes."""
    batch: list[Ready] = []
    size = 0
    for ready in writes:
        if batch and (len(batch) >= rows_max or size + ready.size > BYTES_MAX):
            yield batch
            batch, size = [], 0
        batch.append(ready)
        size += ready.size
    if batch:
        yield batch
