"""What a person must put right in Dynamics before a sync, each with its remedy."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from mkdyn.adapters.dynamics.table import Column, Table
from mkdyn.domain.entities import Entity, is_person
from mkdyn.domain.names import nearest
from mkdyn.ports.connectors import Problem

#: How far a privilege reaches that covers every row.
EVERYWHERE = "Global"


def no_table(name: str) -> Problem:
    """Say that a table is not there."""
    return Problem(what=f"Dynamics has no table {name}.", remedy="Check the name, or have the table published.")


def problems_of(table: Table, fields: Collection[str], *, sees_all: bool, polled: bool = False) -> Iterable[Problem]:
    """Yield everything that is wrong with a table.

    Args:
        table: The table, as our user sees it.
        fields: The columns that will be used.
        sees_all: Whether our user sees every row of it.
        polled: Whether it is read without change tracking.
    """
    if "Read" not in table.privileges:
        yield _lacks(table, "Read", "read the table")
    elif not sees_all:
        yield Problem(
            what=f"Dynamics {table.name}: the sync user sees some of the rows only (its {_privilege(table, 'Read')} "
            f"reaches {table.privileges['Read']}).",
            remedy="Give its role Read, organization level.",
        )
    if not table.tracked and not polled:
        yield Problem(
            what=f"Dynamics {table.name}: changes are not tracked.",
            remedy="Switch on Track changes in the table's properties, and publish it; where that can't be had, "
            "name it in Polling.",
        )
    if _is_written(table):
        yield from _unwritable(table)
    for field in sorted(set(fields)):
        yield from _column_problems(table, table.columns.get(field), field)


def _is_written(table: Table) -> bool:
    return any(table.name == entity.logical_name for entity in Entity if is_person(entity))


def _unwritable(table: Table) -> Iterable[Problem]:
    for verb, words in (("Create", "create rows"), ("Write", "write rows")):
        if verb not in table.privileges:
            yield _lacks(table, verb, words)
    if not table.locks:
        yield Problem(
            what=f"Dynamics {table.name}: rows have no versions to ask for (optimistic concurrency is off).",
            remedy="Have it enabled for the table: without it somebody's edit could be overwritten.",
        )


def _lacks(table: Table, verb: str, words: str) -> Problem:
    return Problem(
        what=f"Dynamics {table.name}: the sync user cannot {words} (no {_privilege(table, verb)}).",
        remedy=f"Give its role {verb}, organization level.",
    )


def _privilege(table: Table, verb: str) -> str:
    return f"prv{verb}{'User' if table.name == Entity.USER.logical_name else table.schema_name}"


def _column_problems(table: Table, column: Column | None, field: str) -> Iterable[Problem]:
    if column is None or not column.on_the_wire:
        near = nearest(field, table.columns)
        hint = f"; nearest: {near}" if near else ""
        yield Problem(
            what=f"Dynamics {table.name}.{field} is not there{hint}.",
            remedy="Create the column, publish it, and let the sync user read it; or deselect it.",
        )
    elif not column.shows:
        yield Problem(
            what=f"Dynamics {table.name}.{field}: what it holds is masked, or is never shown.",
            remedy="Take the masking rule off the column; or deselect it.",
        )
    elif column.spec.secured and not column.spec.readable:
        yield Problem(
            what=f"Dynamics {table.name}.{field}: secured, the sync user may not read it.",
            remedy="Add it to a column security profile that allows Read.",
        )
