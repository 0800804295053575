"""A state store that forgets everything when the test ends."""

from __future__ import annotations

import weakref
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from mkdyn.adapters.sqlite.database import Database
from mkdyn.adapters.sqlite.files import connect, prepare
from mkdyn.adapters.sqlite.store import DatabaseStore, in_progress
from mkdyn.ports.store import StateStore


class MemoryStore(DatabaseStore):
    """The store of `mkdyn.adapters.sqlite`, without a file.

    Closing it forgets nothing: an open transaction is rolled back, and the next synchronizer goes on with the
    same state. So a test restarts by making another synchronizer on the same store; the memory goes with the
    object.
    """

    def __init__(self) -> None:
        connection = connect(Path(":memory:"), patience_s=0)
        weakref.finalize(self, connection.close)
        prepare(connection)
        self._connection = connection
        self._holder: str | None = None
        super().__init__(Database("memory", lambda: connection))

    @contextmanager
    def exclusive(self, holder: str, /) -> Generator[None]:
        """Let one run at a time hold the state.

        Args:
            holder: Who we are, for the message others get.

        Raises:
            RunInProgressError: Another run holds it.
        """
        if self._holder is not None:
            raise in_progress(self.name, self._holder)
        self._holder = holder
        try:
            with self._database.recent.kept():
                yield
                self._write_unwritten()
        finally:
            self._holder = None

    def close(self) -> None:
        """Roll back what is not kept yet; the memory stays, and the store can be used again."""
        self._database.recent.forget()
        self._connection.rollback()

    def __repr__(self) -> str:
        return "MemoryStore()"


if TYPE_CHECKING:
    _conforms: type[StateStore] = MemoryStore
