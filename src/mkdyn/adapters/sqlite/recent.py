"""What a run has written or read lately, kept so that it need not be read again.

Only whoever holds the state may rely on it, since nobody else writes then; and a transaction that is rolled back
takes it all away. There is a limit to each kind: what comes first is kept, the rest is read from the file.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Final, Generic, TypeVar

from mkdyn.domain.plan import Operation
from mkdyn.domain.records import Link
from mkdyn.ports.store import Observation

K = TypeVar("K")
V = TypeVar("V")

#: Two pages of Dynamics' feed: some 30 MiB of each kind, where records have twenty fields.
KEPT_MAX: Final = 10_000


class Shelf(dict[K, V], Generic[K, V]):
    """Things by key, as many as there is room for; the others are not kept."""

    def __init__(self) -> None:
        super().__init__()
        self.room: int = 0

    def keep(self, key: K, thing: V) -> None:
        """Keep a thing in the place of the one before, or, where there was none, if there is room."""
        if key in self or len(self) < self.room:
            self[key] = thing


class Recent:
    """What is kept of the file while somebody holds the state.

    Attributes:
        observations: By version, which never stands for another one.
        operations: Planned ones, by number.
        links: By number, as they are in the file.
    """

    def __init__(self) -> None:
        self.observations: Shelf[int, Observation] = Shelf()
        self.operations: Shelf[int, Operation] = Shelf()
        self.links: Shelf[int, Link] = Shelf()

    @contextmanager
    def kept(self) -> Generator[None]:
        """Keep things from now on, until the end; nothing of before."""
        self._make_room(KEPT_MAX)
        try:
            yield
        finally:
            self._make_room(0)

    def _make_room(self, room: int) -> None:
        self.forget()
        self.observations.room = self.operations.room = self.links.room = room

    def forget(self) -> None:
        """Keep nothing of what was: it may not be so."""
        self.observations.clear()
        self.operations.clear()
        self.links.clear()
