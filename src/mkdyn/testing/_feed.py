"""Marketo's activity log, as far as it tells of persons and their fields."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

import attrs

from mkdyn.domain.feeds import Cursor, Entry, Page, make_entry, make_evidence
from mkdyn.domain.making import maker
from mkdyn.domain.values import FieldValue
from mkdyn.errors import CursorExpiredError
from mkdyn.testing._tables import as_text

#: Who did something: somebody who works in Marketo, or whoever uses its API.
Doer: TypeAlias = Literal["person", "api"]


@attrs.frozen
class Logged:
    """One entry: a new person, one changed field, or a deletion; a lost one is never told.

    Attributes:
        at: When it happened.
        key: The person.
        kind: What happened.
        field: The field that changed.
        old: What it showed before, as text.
        new: What it shows since, as text; of a deletion, the name the person had.
        by: Who did it.
        into: Of a deletion, the person whom this one was merged into.
    """

    at: datetime
    key: str
    kind: Literal["new", "changed", "deleted", "lost"]
    field: str = ""
    old: str | None = attrs.field(default=None, repr=False)
    new: str | None = attrs.field(default=None, repr=False)
    by: Doer = "api"
    into: str = ""


_make_logged = maker(Logged)


class ActivityLog:
    """The log, with the entries that can't be seen yet.

    An entry has its place in the log, and its time, from when it happened. One that is
    held or delayed is passed over by reads and shows up later at that very place, behind
    cursors that were given out meanwhile. So a cursor goes back to the earliest entry
    that can't be seen, and by the overlap.

    Attributes:
        page_size: How many entries are searched for one page.
        overlap: How far a cursor goes back.
        empty_pages: Whether a page without entries comes before each other one.
    """

    def __init__(self, *, page_size: int, overlap_s: float, empty_pages: Literal["never", "sometimes"]) -> None:
        self.page_size = page_size
        self.overlap: timedelta = timedelta(seconds=overlap_s)
        self.empty_pages = empty_pages
        self._doer: Doer = "api"
        self._log: list[Logged] = []
        self._hidden: dict[int, datetime | None] = {}
        self._held: Collection[str] | None = None
        self._delay = timedelta()
        self._epoch = 0

    def __len__(self) -> int:
        return len(self._log)

    @property
    def epoch(self) -> int:
        """How often every cursor there was has expired."""
        return self._epoch

    @contextmanager
    def by_people(self) -> Generator[None]:
        """Log what happens meanwhile as done by somebody who works there, and not through the API."""
        self._doer = "person"
        try:
            yield
        finally:
            self._doer = "api"

    def new(self, at: datetime, key: str) -> None:
        """Log a new person."""
        self._append(Logged(at, key, "new", by=self._doer))

    def changed(self, at: datetime, key: str, changes: Mapping[str, tuple[FieldValue, FieldValue]]) -> None:
        """Log changed fields, one entry each."""
        for field, (old, new) in changes.items():
            self._append(_make_logged(at, key, "changed", field, as_text(old), as_text(new), self._doer))

    def deleted(self, at: datetime, key: str, *, name: str, into: str = "") -> None:
        """Log a deletion, or a merge *into* another person."""
        self._append(Logged(at, key, "deleted", new=name, by=self._doer, into=into))

    def _append(self, entry: Logged) -> None:
        if self._held is not None and (not self._held or entry.key in self._held):
            self._hidden[len(self._log)] = None
        elif self._delay:
            self._hidden[len(self._log)] = entry.at + self._delay
        self._log.append(entry)

    def hold(self, keys: Iterable[str]) -> None:
        """Hide new entries, or those about *keys*."""
        self._held = frozenset(keys)

    def delay(self, seconds: float) -> None:
        """Let each new entry be seen only after that time."""
        self._delay = timedelta(seconds=seconds)

    def show(self) -> None:
        """Show everything, and hide nothing more."""
        self._held = None
        self._delay = timedelta()
        self._hidden.clear()

    def lose(self) -> None:
        """Forget what is hidden, and hide nothing more."""
        for place in self._hidden:
            self._log[place] = attrs.evolve(self._log[place], kind="lost")
        self.show()

    def expire(self) -> None:
        """Make every cursor there is invalid."""
        self._epoch += 1

    def read(self, fields: Collection[str], since: Cursor | None, now: datetime) -> Reading:
        """Begin to read the log from *since* up to where it ends now.

        Raises:
            CursorExpiredError: It can't be resumed there.
        """
        end = len(self._log)
        if since is None:
            return Reading(self, fields, end, end, now)
        epoch, _, place = since.token.partition("-")
        if epoch != str(self._epoch) or not place.isdecimal():
            raise CursorExpiredError("Marketo's feed can't be resumed at that token.", what_to_do="Start it anew.")
        return Reading(self, fields, int(place), end, now)

    def block(self, start: int, end: int, fields: Collection[str], now: datetime) -> tuple[list[Entry], dict[str, str]]:
        """Return the entries and deletions that can be seen in a stretch of the log; a merge names the winner."""
        entries: list[Entry] = []
        deleted: dict[str, str] = {}
        for place, logged in self.visible(start, end, now):
            if logged.kind == "deleted":
                deleted[logged.key] = logged.into
            elif logged.kind == "new" or (logged.kind == "changed" and logged.field in fields):
                entries.append(_entry(place, logged))
        return entries, deleted

    def visible(self, start: int, end: int, now: datetime) -> Iterator[tuple[int, Logged]]:
        """Yield what can be seen of a stretch of the log, each with its place."""
        self._reveal(now)
        for place in range(start, end):
            if place not in self._hidden:
                yield place, self._log[place]

    def place_at(self, moment: datetime) -> int:
        """Return the place of the first entry that is no older than *moment*."""
        return bisect_left(self._log, moment, key=lambda entry: entry.at)

    def cursor(self, place: int, end: int, now: datetime) -> Cursor:
        """Return the cursor behind everything before *place*, in a reading that ends at *end* and began *now*."""
        at = self._log[place].at if place < end else now
        back = min(place, next(iter(self._hidden), place))
        if self.overlap:
            back = min(back, self.place_at(at - self.overlap))
        oldest = self._log[back].at if back < len(self._log) else at
        return Cursor(token=f"{self._epoch}-{back}", at=at, repeats_from=min(oldest, at - self.overlap))

    def _reveal(self, now: datetime) -> None:
        for place, due in tuple(self._hidden.items()):
            if due is not None and due <= now:
                del self._hidden[place]


@attrs.define
class Reading:
    """The log being read, block by block: a block may hold nothing that is wanted.

    Attributes:
        done: Whether the last page was taken.
    """

    log: ActivityLog
    fields: Collection[str]
    place: int
    end: int
    now: datetime
    done: bool = False
    _idle: bool = False

    def next_page(self) -> Page:
        """Return the next page with its cursor."""
        self._idle = self.log.empty_pages == "sometimes" and self.place < self.end and not self._idle
        if self._idle:
            return Page(cursor=self.log.cursor(self.place, self.end, self.now))
        start, self.place = self.place, min(self.place + self.log.page_size, self.end)
        entries, deleted = self.log.block(start, self.place, self.fields, self.now)
        self.done = self.place >= self.end
        merged = {key: into for key, into in deleted.items() if into}
        return Page(
            entries=entries,
            deleted=list(deleted),
            merged=merged,
            cursor=self.log.cursor(self.place, self.end, self.now),
        )


def _entry(place: int, logged: Logged) -> Entry:
    evidence = (make_evidence(field=logged.field, old=logged.old, new=logged.new),) if logged.kind == "changed" else ()
    return make_entry(id=f"{place + 1:012d}", key=logged.key, at=logged.at, evidence=evidence)
