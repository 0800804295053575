"""A SQLite connection that tells each transaction, statement for statement, before it commits it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from typing import Any


class TellingConnection(sqlite3.Connection):
    """Does what SQLite's connection does, and tells what it does.

    Attributes:
        halfway: Whether it has a bug: each statement is committed at once.
    """

    halfway: bool = False

    _written: list[tuple[str, list[Any]]] | None = None  # None where nothing is going to be written

    def tell(self, *what: object) -> None:
        """Hear `begin`, `commit` with the statements so far, and `kept`."""
        raise NotImplementedError

    def reached(self) -> None:
        """Hear of each row that is written, inside the transaction."""
        raise NotImplementedError

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:  # noqa: ANN401 - as SQLite takes it
        """Execute one statement; see `sqlite3.Connection.execute`."""
        if sql == "BEGIN IMMEDIATE":
            found = super().execute(sql)
            self._written = []
            self.tell("begin")
        elif sql == "COMMIT" and self._written is not None:
            self.tell("commit", self._written)
            found = super().execute(sql)
            self._written = None
            self.tell("kept")
        elif self._written is None or sql.lstrip().startswith("SELECT"):
            found = super().execute(sql, parameters)
        else:
            self._written.append((sql, [parameters]))
            found = super().execute(sql, parameters)
            self._after_a_statement()
            self.reached()
        return found

    def executemany(self, sql: str, parameters: Iterable[Any], /) -> sqlite3.Cursor:
        """Execute one statement for many rows; see `sqlite3.Connection.executemany`."""
        rows = list(parameters)
        assert self._written is not None
        self._written.append((sql, rows))
        found = super().executemany(sql, self._one_by_one(rows))
        self._after_a_statement()
        return found

    def rollback(self) -> None:
        """Forget the transaction; see `sqlite3.Connection.rollback`."""
        self._written = None
        super().rollback()

    def _one_by_one(self, rows: Iterable[Any]) -> Iterator[Any]:
        for row in rows:
            yield row
            self.reached()

    def _after_a_statement(self) -> None:
        if self.halfway:
            super().execute("COMMIT")
            super().execute("BEGIN IMMEDIATE")
