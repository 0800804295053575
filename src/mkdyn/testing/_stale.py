"""Reads that lag behind: what they show is as it was when the lag began."""

from __future__ import annotations

from collections.abc import Iterator

from mkdyn.testing._tables import Row, Table, as_text


class StaleReads:
    """Keeps the old state of what changes while reads are held."""

    def __init__(self) -> None:
        self._holding = False
        self._old: dict[str, dict[str, Row | None]] = {}

    def hold(self) -> None:
        """From now on, show records as they are now."""
        self._holding = True

    def show(self) -> None:
        """Show everything as it is."""
        self._holding = False
        self._old.clear()

    def before_change(self, table: Table, key: str) -> None:
        """Keep a record as it is, if reads are held and it has not changed since."""
        if self._holding:
            row = table.rows.get(key)
            copy = None if row is None else Row(key, dict(row.values), row.version)
            self._old.setdefault(table.name, {}).setdefault(key, copy)

    def row(self, table: Table, key: str) -> Row | None:
        """Return a record as reads show it."""
        old = self._old.get(table.name)
        return old[key] if old is not None and key in old else table.rows.get(key)

    def matching(self, table: Table, field: str, values: set[str]) -> Iterator[Row]:
        """Yield the records whose field reads as one of *values*, which are folded."""
        old = self._old.get(table.name, {})
        yield from (row for row in table.matching(field, values) if row.key not in old)
        yield from (
            row for row in filter(None, old.values()) if (as_text(table.value(row, field)) or "").casefold() in values
        )
