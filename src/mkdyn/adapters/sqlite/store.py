"""The state store in one SQLite file."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Generator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mkdyn.adapters.sqlite.database import Database
from mkdyn.adapters.sqlite.feeds import FeedTables
from mkdyn.adapters.sqlite.fields import PairTables
from mkdyn.adapters.sqlite.files import copy, open_state, take_lock
from mkdyn.adapters.sqlite.findings import FindingTables
from mkdyn.adapters.sqlite.journal import JournalTables
from mkdyn.adapters.sqlite.links import LinkTables
from mkdyn.errors import RunInProgressError
from mkdyn.ports.store import StateStore

_HOLDER: Final = "holder"


class DatabaseStore(FeedTables, LinkTables, PairTables, JournalTables, FindingTables):
    """A store on any SQLite database; how it is opened, locked and closed is a subclass's."""

    @property
    def name(self) -> str:
        """A short name for messages, as in `acme.db`."""
        return self._database.name

    def transaction(self) -> AbstractContextManager[None]:
        """Keep all that is written inside, or nothing; not nested, never held across an `await`.

        Raises:
            StateFileError: It can't be written.
        """
        return self._database.transaction()


class SqliteStore(DatabaseStore):
    """A store in one file, made when it is first needed and readable by its owner only.

    The folder must be on a disk of this machine: network file systems lose locks. The store may be used from
    any thread, by one at a time.

    Args:
        path: The file. Beside it lie `…-lock`, always empty, and while the store is open `…-wal` and `…-shm`.
        patience_s: How long to wait for another process that is writing.
    """

    def __init__(self, path: str | os.PathLike[str], *, patience_s: float = 5.0) -> None:
        self._path = Path(path).absolute()  # a later change of the working folder changes nothing
        self._patience_s = patience_s
        super().__init__(Database(self._path.name, self._connect))

    def _connect(self) -> sqlite3.Connection:
        self._path = Path(os.path.realpath(self._path))  # one file has one lock, whatever links lead to it
        return open_state(self._path, patience_s=self._patience_s)

    @contextmanager
    def exclusive(self, holder: str, /) -> Generator[None]:
        """Let one run at a time hold the state; a process that dies lets go.

        Args:
            holder: Who we are, for the message others get.

        Raises:
            RunInProgressError: Another run holds it.
        """
        self._fact(_HOLDER)  # opens the file, or says why not, before a lock is laid beside it
        lock = take_lock(self._path)
        if lock is None:
            raise in_progress(self.name, self._fact(_HOLDER))
        with closing(lock):
            with self.transaction():
                self._set_fact(_HOLDER, holder)
            with self._database.recent.kept():
                yield
                self._write_unwritten()

    def close(self) -> None:
        """Let go of the file. A closed store is not used again."""
        self._database.close()

    def backup(self, to: str | os.PathLike[str]) -> None:
        """Copy the state as it is now into a new file, readable by its owner only; a run may go on meanwhile.

        Raises:
            StateFileError: There is such a file, or it can't be written.
        """
        copy(self._database.connection, Path(to).absolute())

    def __repr__(self) -> str:
        return f"SqliteStore({str(self._path)!r})"


def in_progress(name: str, holder: str | None) -> RunInProgressError:
    """Return the error that names who holds a state."""
    return RunInProgressError(
        f"{holder or 'Another run'} holds {name}.", what_to_do="Wait for it, or end that process."
    )


if TYPE_CHECKING:
    _conforms: type[StateStore] = SqliteStore
