"""What a state file must hold, whenever its process was killed: the transactions that were committed, and nothing else.

The child says which statements it is about to commit, and afterwards that it did. What it said it kept is carried out
once more on another database; the two must be equal, row for row. Of the transaction that was being committed when it
died, the file has all or nothing.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

#: A transaction: each statement with the rows it was executed for.
Transaction = Sequence[tuple[str, Sequence[Any]]]
#: Everything a database holds, by table; the tables themselves, too.
Content = Mapping[str, Sequence[tuple[Any, ...]]]


class ViolationError(AssertionError):
    """A promise was broken."""


def require(truth: object, what: str) -> None:
    """Raise if it is not true.

    Raises:
        ViolationError: It is not.
    """
    if not truth:
        raise ViolationError(what)


def content_of(connection: sqlite3.Connection) -> Content:
    """Return everything that a database holds."""
    found: dict[str, list[tuple[Any, ...]]] = {
        "": connection.execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall()
    }
    for pragma in ("user_version", "application_id"):
        found[pragma] = connection.execute(f"PRAGMA {pragma}").fetchall()
    for name, _ in found[""]:
        if connection.execute("SELECT type FROM sqlite_master WHERE name = ?", (name,)).fetchone() == ("table",):
            found[name] = sorted(connection.execute(f"SELECT * FROM {name}"), key=repr)  # noqa: S608 - its own name
    return found


class Replica:
    """What the file must hold: the transactions that the child said it kept, carried out once more elsewhere."""

    def __init__(self) -> None:
        self.connection = sqlite3.connect(":memory:", isolation_level=None)

    def close(self) -> None:
        """Forget it."""
        self.connection.close()

    def keep(self, transaction: Transaction) -> None:
        """Carry a transaction out."""
        self.connection.execute("BEGIN")
        for sql, rows in transaction:
            for row in rows:
                self.connection.execute(sql, row)
        self.connection.execute("COMMIT")

    def compare(self, path: Path, pending: Transaction | None) -> bool | None:
        """Compare the file with what it must hold.

        Args:
            path: The file.
            pending: The transaction that was being committed when the process died, if there was one.

        Returns:
            Whether the pending transaction is in the file; None where there was none.

        Raises:
            ViolationError: The file is damaged, holds something else, or a part of the pending transaction.
        """
        if not path.exists():
            found = content_of(self.connection)
            require(not found[""], "the file is gone")
            return None if pending is None else False
        with closing(sqlite3.connect(path)) as connection:
            require(connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)], "the file is damaged")
            require(not connection.execute("PRAGMA foreign_key_check").fetchall(), "an operation is of no run")
            found = content_of(connection)
        if pending is None:
            _require_equal(found, content_of(self.connection))
            return None
        before = content_of(self.connection)
        if found == before:
            return False
        self.keep(pending)
        _require_equal(found, content_of(self.connection))
        return True

    def follow(self, path: Path) -> None:
        """Take over what the file holds, after somebody else than a child has opened it."""
        with closing(sqlite3.connect(path)) as connection:
            connection.backup(self.connection)


def _require_equal(found: Content, expected: Content) -> None:
    for table in sorted({*found, *expected}):
        more = [row for row in found.get(table, ()) if row not in expected.get(table, ())]
        less = [row for row in expected.get(table, ()) if row not in found.get(table, ())]
        require(
            not more and not less,
            f"table {table or 'sqlite_master'}: the file has {more[:1]} ({len(more)} rows) that no whole transaction "
            f"left there, and lacks {less[:1]} ({len(less)} rows)",
        )
