"""One connection: transactions, statements, and errors that say what to do."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager, suppress
from itertools import chain
from typing import Any, Final, TypeAlias, TypeVar

from mkdyn.adapters.sqlite.recent import Recent
from mkdyn.errors import MkdynError, StateCorruptError, StateError, StateFileError

T = TypeVar("T")

Row: TypeAlias = tuple[Any, ...]
Parameters: TypeAlias = Sequence[object]

#: How many rows are inserted with one statement. Two lengths of it are all that SQLite is to remember.
_AT_ONCE: Final = 50

_RESTORE: Final = "Restore a backup, and audit first."

#: What SQLite's primary result codes mean for us; any other means that the file can't be used for now.
_CORRUPT: Final = {
    sqlite3.SQLITE_NOTADB: ("it is no SQLite file", "Give the path of a state file, or of none yet."),
    sqlite3.SQLITE_CORRUPT: ("the file is damaged", _RESTORE),
    sqlite3.SQLITE_ERROR: ("the file lacks a table or a column", _RESTORE),
    sqlite3.SQLITE_CONSTRAINT: ("what is to be kept contradicts what the file holds", _RESTORE),
}
_UNUSABLE: Final = {
    sqlite3.SQLITE_BUSY: ("another process is writing to it", "Wait for it, or end that process."),
    sqlite3.SQLITE_READONLY: ("this user may not write to it", "Let this user write to the file and to its folder."),
    sqlite3.SQLITE_CANTOPEN: ("it can't be opened", "Let this user read and write the file and its folder."),
    sqlite3.SQLITE_FULL: ("the disk is full", "Make room, then start again: nothing is half written."),
    sqlite3.SQLITE_IOERR: ("the disk reports an error", "Check the disk, then start again."),
}
_PRIMARY: Final = 0xFF  # an extended code has the primary one in its last byte


def code_of(error: sqlite3.Error) -> int:
    """Return SQLite's primary result code; 0 where Python refused before SQLite was asked."""
    return int(getattr(error, "sqlite_errorcode", 0)) & _PRIMARY


def explained(error: sqlite3.Error, where: str) -> StateError:
    """Return what went wrong with *where*, in our words."""
    code = code_of(error)
    if code in _CORRUPT:
        what, what_to_do = _CORRUPT[code]
        return StateCorruptError(f"{where}: {what} ({error}).", what_to_do=what_to_do)
    what, what_to_do = _UNUSABLE.get(code, ("SQLite refuses", "Start again; if it stays so, restore a backup."))
    return StateFileError(f"{where}: {what} ({error}).", what_to_do=what_to_do)


#: What reading a row may raise, where it holds something else than we wrote.
UNREADABLE: Final = (AttributeError, LookupError, TypeError, ValueError, ArithmeticError, MkdynError)


def unreadable(error: Exception, where: str) -> StateCorruptError:
    """Return what to say of a row that can't be read; never what it holds."""
    return StateCorruptError(
        f"{where}: the file holds something that can't be read ({type(error).__name__}).", what_to_do=_RESTORE
    )


@contextmanager
def explaining(where: str) -> Generator[None]:
    """Let no error of SQLite's out: raise ours."""
    try:
        yield
    except sqlite3.Error as error:
        raise explained(error, where) from error


class Database:
    """A connection that is made when it is first needed.

    Args:
        name: What messages call it.
        connect: Opens it; raises errors of ours.

    Attributes:
        recent: What need not be read again.
    """

    def __init__(self, name: str, connect: Callable[[], sqlite3.Connection]) -> None:
        self.name = name
        self.recent: Recent = Recent()
        self._connect = connect
        self._connection: sqlite3.Connection | None = None
        self._closed = False

    @property
    def connection(self) -> sqlite3.Connection:
        """The open connection."""
        if self._connection is None:
            if self._closed:
                raise StateFileError(f"{self.name}: the store is closed.", what_to_do="Make a new one.")
            self._connection = self._connect()
        return self._connection

    def close(self) -> None:
        """Let go of the file; what a transaction has not kept yet is gone."""
        connection, self._connection, self._closed = self._connection, None, True
        if connection is not None:
            connection.close()

    @contextmanager
    def transaction(self) -> Generator[None]:
        """Keep all that is written inside, or nothing."""
        connection = self.connection
        if connection.in_transaction:
            message = "a transaction is open already: they are not nested"
            raise RuntimeError(message)
        with explaining(self.name):
            # IMMEDIATE: whoever writes waits here, where nothing is lost, and never halfway.
            connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            with explaining(self.name):
                connection.execute("COMMIT")
        except BaseException:  # KeyboardInterrupt and a cancelled task, too
            self.recent.forget()
            with suppress(sqlite3.Error):  # a full disk has rolled back already; what stopped us is the news
                connection.rollback()
            raise

    def rows(self, sql: str, parameters: Parameters = ()) -> list[Row]:
        """Return what a query finds."""
        connection = self.connection
        try:
            return connection.execute(sql, parameters).fetchall()
        except sqlite3.Error as error:
            raise explained(error, self.name) from error

    def value(self, sql: str, parameters: Parameters = ()) -> Any:  # noqa: ANN401 - what a column holds
        """Return the first column of the first row, or None."""
        found = self.rows(sql, parameters)
        return found[0][0] if found else None

    def counted(self, sql: str, parameters: Parameters = ()) -> dict[Any, int]:
        """Count the values of a query's only column, as they come.

        `GROUP BY` without an index sorts all rows first, and with our `temp_store` it does so in memory.
        """
        with explaining(self.name):
            found = Counter(self.connection.execute(sql, parameters))
        return {value: count for (value,), count in found.items()}

    def read(self, make: Callable[[Row], T], sql: str, parameters: Parameters = ()) -> list[T]:
        """Return what a query finds, as *make* makes it."""
        rows = self.rows(sql, parameters)
        try:
            return [make(row) for row in rows]
        except StateError:
            raise
        except UNREADABLE as error:
            raise unreadable(error, self.name) from error

    def write(self, sql: str, parameters: Parameters = ()) -> None:
        """Write inside the open transaction."""
        connection = self._writable()
        with explaining(self.name):
            connection.execute(sql, parameters)

    def write_many(self, sql: str, rows: Iterable[Parameters]) -> int:
        """Write a statement for each of *rows* inside the open transaction; how many rows of the table that changed."""
        connection = self._writable()
        with explaining(self.name):
            return connection.executemany(sql, rows).rowcount

    def insert_many(self, insert: str, rows: Sequence[Parameters], more: str = "") -> None:
        """Insert *rows* inside the open transaction, many with one statement: half of what each costs is the statement.

        Args:
            insert: The statement up to `VALUES`.
            rows: What is inserted; all have one length.
            more: What the statement says behind the values.
        """
        connection = self._writable()
        if not rows:
            return
        one = f"({', '.join('?' * len(rows[0]))})"
        whole = len(rows) - len(rows) % _AT_ONCE
        with explaining(self.name):
            for start in range(0, whole, _AT_ONCE):
                parameters = tuple(chain.from_iterable(rows[start : start + _AT_ONCE]))
                connection.execute(f"{insert} {', '.join([one] * _AT_ONCE)} {more}", parameters)
            connection.executemany(f"{insert} {one} {more}", rows[whole:])

    def last_number(self, table: str) -> int:
        """Return the highest number a table has ever given to a row."""
        found = self.value("SELECT seq FROM sqlite_sequence WHERE name = ?", (table,))
        return int(found or 0)

    def _writable(self) -> sqlite3.Connection:
        connection = self.connection
        if not connection.in_transaction:
            message = "what is written belongs inside transaction()"
            raise RuntimeError(message)
        return connection


class Tables:
    """A group of tables; the base of a store's parts."""

    def __init__(self, database: Database) -> None:
        self._database = database
