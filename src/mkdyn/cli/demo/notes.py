"""What the demo knows of its own way, so that one that was cut off goes on where it was."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Protocol

from mkdyn.errors import StateFileError

#: A table of the demo's own in the state file; the engine has none of this name.
_TABLE: Final = "CREATE TABLE IF NOT EXISTS demo_note (name TEXT PRIMARY KEY, told TEXT NOT NULL) WITHOUT ROWID"
_PATIENCE_S: Final = 10.0


class Notes(Protocol):
    """Plain JSON under names; what was put is kept when `put` returns."""

    def get(self, name: str, /) -> Any:  # noqa: ANN401 - what was put
        """Return what was put there, or None."""
        ...

    def put(self, name: str, told: Any, /) -> None:  # noqa: ANN401 - any JSON
        """Keep something, in the place of what was there."""
        ...


class MemoryNotes:
    """Notes of a demo that nobody takes up again."""

    def __init__(self) -> None:
        self._told: dict[str, Any] = {}

    def get(self, name: str, /) -> Any:  # noqa: ANN401 - see `Notes`
        """See `Notes`."""
        return self._told.get(name)

    def put(self, name: str, told: Any, /) -> None:  # noqa: ANN401 - see `Notes`
        """See `Notes`."""
        self._told[name] = told


class FileNotes:
    """Notes in the demo's state file. They are put between runs, so they never meet a transaction of the engine's.

    Args:
        file: A state file that is there.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        with self._explained():
            self._connection = sqlite3.connect(file, timeout=_PATIENCE_S, isolation_level=None)
            self._connection.execute("PRAGMA synchronous = FULL")  # as the engine's own: what is noted has happened
            self._connection.execute(_TABLE)

    def get(self, name: str, /) -> Any:  # noqa: ANN401 - see `Notes`
        """See `Notes`."""
        with self._explained():
            found = self._connection.execute("SELECT told FROM demo_note WHERE name = ?", (name,)).fetchone()
        return None if found is None else json.loads(found[0])

    def put(self, name: str, told: Any, /) -> None:  # noqa: ANN401 - see `Notes`
        """See `Notes`."""
        with self._explained():
            self._connection.execute("INSERT OR REPLACE INTO demo_note VALUES (?, ?)", (name, json.dumps(told)))

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    @contextmanager
    def _explained(self) -> Generator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise StateFileError(
                f"{self._file}: the demo can't note how far it is ({error}).",
                what_to_do="Let this user write to the file, then start the demo again.",
            ) from error
