"""What a run has written or read lately, kept so that it need not be read again.

Only whoever holds the state may rely on it, since nobody else writes then; and a transaction that is rolled back
takes it all away. There is a limit to each kind: what does not fit is read from the file. Observations and operations
are written once and read once, in turn, so it is all the same which are kept. Links are read two or three times, each
time in the same turn: where there is room for half of them, the newest would go just before they are asked for again.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Generator, Iterable
from contextlib import contextmanager
from typing import Final, Generic, TypeVar

from mkdyn.domain.plan import Operation
from mkdyn.domain.records import Link
from mkdyn.domain.systems import System
from mkdyn.ports.store import Observation

K = TypeVar("K")
V = TypeVar("V")

#: Three pages of Dynamics' feed: some 50 MiB of each kind, where records have twenty fields.
KEPT_MAX: Final = 16_000


class Shelf(OrderedDict[K, V], Generic[K, V]):
    """Things by key, as many as there is room for: the oldest make room for others."""

    def __init__(self) -> None:
        super().__init__()
        self.room: int = 0

    def keep(self, key: K, thing: V) -> None:
        """Keep a thing, in the place of the one before."""
        if self.room:
            self[key] = thing
            if len(self) > self.room:
                self.popitem(last=False)


class Observations(Shelf[int, Observation]):
    """Observations by version; those that came first stay until they are dealt with.

    What a system showed of a record takes longer to write than all the rest of an observation, and most are dealt with
    in the run that made them. So the file says at first of those at hand that they must be read, which is what is to
    be done after a crash, and gets to know the rest when the state is let go.

    Attributes:
        unwritten: The versions of which the file does not know yet what was shown.
    """

    def __init__(self) -> None:
        super().__init__()
        self.unwritten: set[int] = set()

    def keep(self, key: int, thing: Observation) -> None:
        """Keep an observation where there is room."""
        if len(self) < self.room:
            self[key] = thing
            if thing.record is not None:
                self.unwritten.add(key)

    def drop(self, version: int) -> None:
        """Keep no observation that is dealt with, or replaced."""
        self.pop(version, None)
        self.unwritten.discard(version)

    def clear(self) -> None:
        """Keep nothing."""
        super().clear()
        self.unwritten.clear()


class Links(Shelf[int, Link]):
    """Links that are not over, by number, and to be found by either key; those that came first stay until they change."""

    def __init__(self) -> None:
        super().__init__()
        self._by_row: dict[str, int] = {}
        self._by_person: dict[str, int] = {}

    def keep(self, key: int, thing: Link) -> None:
        """Keep a link, in the place of the one before, or where there is room."""
        if key in self or len(self) < self.room:
            self[key] = thing
            self._by_row[thing.dynamics] = self._by_person[thing.marketo] = key
            if len(self._by_row) > 2 * self.room:  # nobody takes a link's keys out when it goes
                self._by_row = {link.dynamics: number for number, link in self.items()}
                self._by_person = {link.marketo: number for number, link in self.items()}

    def clear(self) -> None:
        """Keep nothing."""
        super().clear()
        self._by_row.clear()
        self._by_person.clear()

    def of(self, entities: Collection[str], system: System, keys: Iterable[str]) -> dict[str, Link]:
        """Return those links of these records that are at hand, by that system's key."""
        found: dict[str, Link] = {}
        if not self:
            return found
        number_of = (self._by_row if system is System.DYNAMICS else self._by_person).get
        for key in keys:
            link = self.get(number_of(key, 0))
            # What a key once led to may have moved since, or be of another table.
            if link is not None and link.key(system) == key and link.entity in entities:
                found[key] = link
        return found


class Recent:
    """What is kept of the file while somebody holds the state.

    Attributes:
        observations: By version, which never stands for another one.
        operations: Planned ones, by number.
        links: By number, as they are in the file.
    """

    def __init__(self) -> None:
        self.observations: Observations = Observations()
        self.operations: Shelf[int, Operation] = Shelf()
        self.links: Links = Links()

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
