"""Both systems, which outlive every child, and the people who work in them.

No value is entered twice, and every value that a field has held is remembered, so that each can be followed.
"""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar

from mkdyn.domain.systems import System
from mkdyn.domain.values import FieldValue
from mkdyn.testing import FakeDynamics, FakeMarketo
from tests.crash.child import FIELDS

T = TypeVar("T")

#: One field of one record: system, key, field.
Place = tuple[System, str, str]

_START: Final = datetime(2026, 1, 1, tzinfo=UTC)


class World:
    """Marketo, Dynamics, and everybody but us.

    Attributes:
        marketo: The one system.
        dynamics: The other.
        now: Our clock.
        values: What each field has held, oldest first.
        entered: Every value that people have entered.
        deleted: Keys of the rows that somebody deleted; such a row can be made again.
        edits: Per field, what somebody changed it to last.
    """

    def __init__(self, chance: random.Random) -> None:
        self._random = chance
        self.marketo = FakeMarketo(batch_max=5, page_size=7, overlap_s=chance.choice([0.0, 0.02]))
        self.dynamics = FakeDynamics(batch_max=4, page_size=6)
        self.now = _START
        self.values: defaultdict[Place, list[FieldValue]] = defaultdict(list)
        self.edits: dict[Place, str] = {}
        self.entered: set[str] = set()
        self.deleted: set[str] = set()
        self._runner = asyncio.Runner()
        self._begin()

    def close(self) -> None:
        """Let go of the event loop."""
        self._runner.close()

    def fake(self, system: System) -> FakeMarketo | FakeDynamics:
        """Return one of the two systems."""
        return self.marketo if system is System.MARKETO else self.dynamics

    # -- people ----------------------------------------------------------------------------

    def _begin(self) -> None:
        """Fill both systems: rows, accounts, and a few people of whom Marketo knows already."""
        for number in range(24):
            mail = f"{self._new('mail')}@example.com"
            self._row("lead" if number % 3 else "contact", mail)
            if number % 6 == 0:
                self._person(mail, score=0)
        for _ in range(6):
            self._account()
        for _ in range(4):
            self._person(f"{self._new('mail')}@example.com", score=90)

    def _new(self, word: str) -> str:
        value = f"{word}{len(self.entered)}"
        self.entered.add(value)
        return value

    def _row(self, table: str, mail: str) -> None:
        values = {"lastname": self._new("name"), "emailaddress1": mail, "jobtitle": self._new("job")}
        self.note(System.DYNAMICS, table, self.dynamics.create(table, **values))

    def _person(self, mail: str, *, score: int) -> None:
        key = self.marketo.create("lead", lastName=self._new("name"), email=mail, leadScore=score)
        self.note(System.MARKETO, "lead", key)

    def _account(self) -> None:
        self.note(System.DYNAMICS, "account", self.dynamics.create("account", name=self._new("company")))

    def meddle(self) -> None:
        """Let somebody do something somewhere."""
        what = self._random.random()
        if what < 0.08:
            self._row(self._random.choice(["lead", "contact"]), f"{self._new('mail')}@example.com")
        elif what < 0.12:
            self._person(f"{self._new('mail')}@example.com", score=90)
        elif what < 0.14:
            self._account()
        elif what < 0.16:
            self._delete()
        elif what < 0.17:
            self.dynamics.expire_cursors()
        else:
            self._edit(self._random.choice(list(System)))

    def go_on(self) -> None:
        """Let people work for a while, or not."""
        for _ in range(self._random.choice([0, 1, 3, 8])):
            self.meddle()

    def pass_by(self) -> None:
        """Let somebody do something in this very moment, perhaps."""
        if self._random.random() < 0.15:
            self.meddle()

    def _edit(self, system: System) -> None:
        table = "lead" if system is System.MARKETO else self._random.choice(["lead", "contact"])
        field = self._random.choice(FIELDS)[system is System.MARKETO]
        record = self._random.choice(self.fake(system).records(table))
        value = self._new("edit")
        self.fake(system).edit(table, record.key, **{field: value})
        self.note(system, table, record.key)
        self.edits[system, record.key, field] = value

    def _delete(self) -> None:
        table = self._random.choice(["lead", "contact"])
        rows = self.dynamics.records(table)
        if len(rows) > 5:
            row = self._random.choice(rows)
            self.dynamics.delete(table, row.key)
            self.deleted.add(row.key)
            self.edits = {place: value for place, value in self.edits.items() if place[1] != row.key}  # with the row

    def note(self, system: System, object: str, key: str) -> None:
        """Remember what a record holds now."""
        record = self.fake(system).record(object, key)
        for field, value in {} if record is None else record.values.items():
            held = self.values[system, key, field]
            if not held or held[-1] != value:
                held.append(value)

    def note_everything(self) -> None:
        """Remember what every record holds now."""
        for system, names in ((System.MARKETO, ("lead", "company")), (System.DYNAMICS, ("lead", "contact", "account"))):
            for name in names:
                for record in self.fake(system).records(name):
                    self.note(system, name, record.key)

    def later(self) -> datetime:
        """Let five minutes pass; return what our clock says."""
        self.now += timedelta(minutes=5)
        return self.now

    def wait(self, call: Coroutine[Any, Any, T]) -> T:
        """Return what a call comes to."""
        return self._runner.run(call)
