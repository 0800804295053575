"""Random histories over the fakes: people's edits, faults and crashes in any order, then what must hold.

A history is decided by its seed alone. Every value that somebody enters is entered only once,
so that each can be followed: to both systems, into a report, or under a later edit.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import attrs

from mkdyn import Direction, Entity, Pick, Promotion, Rules, Synchronizer, where
from mkdyn.domain import FieldValue, LinkState, Operation, Resolution
from mkdyn.domain.systems import System
from mkdyn.errors import MkdynError, TransientError
from mkdyn.testing import Crash, Crashed, FakeDynamics, FakeMarketo, LoseAnswer, MemoryStore, Unreachable

_PERSONS = (Entity.LEAD, Entity.CONTACT)
#: Dynamics field, Marketo field: what people edit.
_FIELDS = (("jobtitle", "title"), ("telephone1", "phone"), ("description", "mktoPersonNotes"))
_FLAG = ("donotbulkemail", "unsubscribed")

_LATE_RUNS = 2
_LATE_S = 300.0 * (_LATE_RUNS + 2)

PICKS = [
    *(Pick(entity, dynamics) for entity in _PERSONS for dynamics, _ in _FIELDS),
    *(Pick(entity, name) for entity in _PERSONS for name in ("lastname", "emailaddress1", _FLAG[0])),
    Pick(Entity.ACCOUNT, "name"),
    Pick(Entity.ACCOUNT, "telephone1"),
    Pick(Entity.LEAD, "statecode", direction=Direction.TO_MARKETO),
]


class ViolationError(AssertionError):
    """A promise was broken; the message has the seed, the steps in words, and what is wrong."""


@attrs.frozen(kw_only=True)
class Edit:
    """One value that somebody entered."""

    number: int
    system: System
    object: str
    key: str
    field: str
    value: FieldValue


class History:
    """One random history."""

    def __init__(self, seed: int, *, faulty: bool = True) -> None:
        self.seed, self.faulty = seed, faulty
        self.steps: list[str] = []
        self.edits: list[Edit] = []
        self.random = random.Random(self.seed)
        self.marketo = FakeMarketo(overlap_s=30, settles_after_s=_LATE_S)
        self.late_since = {"entries": 0, "values": 0}
        self.dynamics = FakeDynamics()
        self.store = MemoryStore()
        self.clock = datetime(2026, 1, 1, tzinfo=UTC)
        self.people: list[str] = []
        self.rows: list[tuple[Entity, str]] = []
        self.accounts: list[str] = []
        self.counter = 0
        self.meddling = 0.0
        for fake in (self.marketo, self.dynamics):
            fake.between(self._meddle)

    # -- what happens ------------------------------------------------------------------------

    async def play(self, length: int) -> None:
        """Live through *length* random steps, come to rest, and check the promises."""
        self.sync = self._start()
        await self.sync.fields.select(*PICKS)
        for _ in range(length):
            step = self.random.choices(*zip(*self._choices(), strict=True))[0]
            await step()
        await self._come_to_rest()

    def _start(self) -> Synchronizer:
        rules = Rules(
            promote=[Promotion(to=Entity.LEAD, when=where("leadScore").at_least(80))], walk_links=20, watch_days=0.0
        )
        return Synchronizer(
            marketo=self.marketo, dynamics=self.dynamics, store=self.store, rules=rules, now=lambda: self.clock
        )

    def _choices(self) -> list[tuple[Callable[..., object], int]]:
        return [
            (self._a_row, 6), (self._an_account, 1), (self._a_person, 2), (self._an_edit, 24), (self._two_edits, 8),
            (self._a_deletion, 2), (self._a_run, 14), (self._a_troubled_run, 10 if self.faulty else 0),
            (self._late_entries, 2), (self._early_entries, 2), (self._expiry, 1), (self._company_edit, 1),
        ]  # fmt: skip

    def _value(self, word: str) -> str:
        self.counter += 1
        return f"{word}{self.counter}"

    async def _a_row(self) -> None:
        entity = self.random.choice(_PERSONS)
        values: dict[str, FieldValue] = {"lastname": self._value("name")}
        if self.random.random() < 0.7:
            values["emailaddress1"] = f"{self._value('m')}@example.com"
        if self.random.random() < 0.5:
            values["jobtitle"] = self._value("t")
        key = self.dynamics.create(entity.logical_name, **values)
        self.rows.append((entity, key))
        self.steps.append(f"a {entity} {key[:4]} appears in Dynamics")

    async def _an_account(self) -> None:
        self.accounts.append(self.dynamics.create("account", name=self._value("company")))
        self.steps.append("an account appears in Dynamics")

    async def _company_edit(self) -> None:
        if self.marketo.records("company"):
            company = self.random.choice(self.marketo.records("company"))
            self.marketo.edit("company", company.key, mainPhone=self._value("intruder"))
            self.steps.append("a company is edited in Marketo")

    async def _a_person(self) -> None:
        score = self.random.choice([0, 90])
        key = self.marketo.create(
            "lead", lastName=self._value("name"), email=f"{self._value('m')}@example.com", leadScore=score
        )
        self.people.append(key)
        self.steps.append(f"person {key} appears in Marketo, score {score}")
        if self.random.random() < 0.5:
            await self.sync.promote(int(key), to=self.random.choice(_PERSONS))
            self.steps.append(f"promotion of person {key} is asked for")

    async def _an_edit(self) -> None:
        self._edit_somewhere("")

    async def _two_edits(self) -> None:
        live = self._live()
        if not live:
            return
        link = self.random.choice(live)
        field = self.random.choice(_FIELDS)
        for system in System:
            self._edit(system, link, field, "")

    def _live(self) -> list[tuple[str, str, str]]:
        """Return what is linked, as a person sees it: entity, row, person."""
        return [
            (link.entity, link.dynamics, link.marketo)
            for entity in _PERSONS
            for link in self.store.links_after(entity.logical_name, 0, 1_000)
        ]

    def _edit_somewhere(self, when: str) -> None:
        live = self._live()
        if not live:
            return
        link = self.random.choice(live)
        self._edit(self.random.choice(list(System)), link, self.random.choice((*_FIELDS, _FLAG)), when)

    def _edit(self, system: System, link: tuple[str, str, str], field: tuple[str, str], when: str) -> None:
        entity, row, person = link
        fake, name, key = (self.dynamics, entity, row) if system is System.DYNAMICS else (self.marketo, "lead", person)
        record = fake.record(name, key)
        if record is None:
            return
        column = field[0] if system is System.DYNAMICS else field[1]
        value: FieldValue = self.random.random() < 0.5 if field == _FLAG else self._value("v")
        if field != _FLAG and self.random.random() < 0.08:
            value = None
        if value == record.values[column]:
            return
        fake.edit(name, key, **{column: value})
        self.edits.append(Edit(number=len(self.edits), system=system, object=name, key=key, field=column, value=value))
        self.steps.append(f"{when}{name} {key[:4]}.{column} becomes {value!r} in {system}")

    async def _a_deletion(self) -> None:
        live = self._live()
        if not live:
            return
        entity, row, person = self.random.choice(live)
        if self.random.random() < 0.6:
            if self.dynamics.record(entity, row) is not None:
                self.dynamics.delete(entity, row)
                self.steps.append(f"{entity} {row[:4]} is deleted in Dynamics")
        elif self.marketo.record("lead", person) is not None:
            self.marketo.delete("lead", person)
            self.steps.append(f"person {person} is deleted in Marketo")

    async def _late_entries(self) -> None:
        if self.random.random() < 0.5:
            self.marketo.hold_entries()
            self.late_since["entries"] = 1
            self.steps.append("Marketo's feed is late from now on")
        else:
            self.marketo.show_entries()
            self.steps.append("Marketo's feed has caught up")

    async def _early_entries(self) -> None:
        if self.random.random() < 0.5:
            self.marketo.hold_values()
            self.late_since["values"] = 1
            self.steps.append("Marketo's values lag behind its feed from now on")
        else:
            self.marketo.show_values()
            self.steps.append("Marketo's values have caught up")

    async def _expiry(self) -> None:
        fake = self.random.choice([self.marketo, self.dynamics])
        fake.expire_cursors()
        self.steps.append(f"{fake.system}'s cursors expire")

    # -- runs ------------------------------------------------------------------------------------

    def _meddle(self, call: str) -> None:
        if self.meddling and self.random.random() < self.meddling:
            self._edit_somewhere(f"before {call}: ")

    async def _a_run(self) -> None:
        self.meddling = self.random.choice([0.0, 0.0, 0.3])
        await self._run()

    async def _a_troubled_run(self) -> None:
        fake = self.random.choice([self.marketo, self.dynamics])
        call = fake.calls + self.random.randint(1, 12)
        fault = self.random.choice([
            Crash(call=call, when="before"), Crash(call=call, when="after"), LoseAnswer(call=call, applied="yes"),
            LoseAnswer(call=call, applied="no"), Unreachable(call=call),
        ])  # fmt: skip
        self.steps.append(f"trouble is ahead in {fake.system}: {fault}")
        fake.inject(fault)
        self.meddling = self.random.choice([0.0, 0.3])
        await self._run()
        fake.faults.clear()

    def _catch_up(self) -> None:
        """Nothing is late for longer than Marketo says it may be: here, two runs."""
        for what, show in (("entries", self.marketo.show_entries), ("values", self.marketo.show_values)):
            if self.late_since[what] > _LATE_RUNS:
                show()
                self.late_since[what] = 0
                self.steps.append(f"Marketo's {what} have caught up by themselves")
            elif self.late_since[what]:
                self.late_since[what] += 1

    async def _run(self) -> None:
        self.clock += timedelta(minutes=5)
        self._catch_up()
        try:
            report = await self.sync.run()
        except Crashed:
            self.steps.append("run: the process dies")
            self.sync = self._start()
        except TransientError as error:
            self.steps.append(f"run: {type(error).__name__}")
        except MkdynError as error:
            self._broken(f"a run ended with {error!r}")
        else:
            self.steps.append(str(report))
        self.meddling = 0.0

    # -- what must hold --------------------------------------------------------------------------

    async def _come_to_rest(self) -> None:
        self.marketo.show_entries()
        self.marketo.show_values()
        self.steps.append("all comes to rest")
        for _ in range(12):
            await self._run()
        plan = await self.sync.plan()
        if plan.operations.total:
            self._broken(f"it never rests: {[item.text(values='shown') for item in plan.operations]}")
        await self._check()

    async def _check(self) -> None:
        self._check_agreement()
        self._check_no_duplicates()
        if any(self.dynamics.writes_by_object[name] for name in ("account", "systemuser", "team", "opportunity")):
            self._broken("a one-way entity was written in Dynamics")
        resolutions = [item async for item in self.sync.journal.collisions()]
        operations = [
            operation
            async for row in self.sync.journal.runs()
            async for operation in self.sync.journal.operations(row.id)
        ]
        self._check_edits(resolutions, operations)

    def _check_agreement(self) -> None:
        held = {(hold.key, hold.field) for _, hold in self.store.holds(None, after=0, limit=100_000)}
        for item in self.store.pairs():
            pair = item.pair
            for link in self.store.links_after(pair.entity.logical_name, 0, 100_000):
                row = self.dynamics.record(link.entity, link.dynamics)
                person = self.marketo.record(pair.entity.marketo_object, link.marketo)
                if row is None or person is None:
                    self._broken(f"a live link of {link.entity} {link.dynamics[:4]} to {link.marketo} lacks a record")
                    return
                shown = row.values[pair.dynamics], person.values[pair.marketo]
                if not pair.lens.agree(*shown) and (link.dynamics, pair.dynamics) not in held:
                    self._broken(f"{link.entity} {link.dynamics[:4]}.{pair.dynamics} differs: {shown}")

    def _check_no_duplicates(self) -> None:
        for entity, field in ((Entity.LEAD, "dynamicsId"), (Entity.CONTACT, "dynamicsContactId")):
            guids = [guid for person in self.marketo.records("lead") if (guid := person.values[field])]
            if len(guids) != len(set(guids)):
                self._broken(f"several persons carry the GUID of one {entity}")
        linked = {(link.entity, link.dynamics) for link in self._all_links()}
        for entity in (*_PERSONS, Entity.ACCOUNT):
            for row in self.dynamics.records(entity.logical_name):
                if (entity.logical_name, row.key) not in linked and not self._set_aside(row.key):
                    self._broken(f"{entity} {row.key[:4]} has no counterpart")
        owners = [
            link.marketo for link in self._all_links() if link.entity != "account" and link.state is LinkState.LIVE
        ]
        if len(owners) != len(set(owners)):
            self._broken("a person is linked twice")

    def _all_links(self):  # noqa: ANN202 - links
        for entity in (*_PERSONS, Entity.ACCOUNT):
            yield from self.store.links_after(entity.logical_name, 0, 100_000, states=tuple(LinkState))

    def _set_aside(self, key: str) -> bool:
        return any(item.key == key for _, item in self.store.quarantine(None, after=0, limit=100_000))

    def _check_edits(self, resolutions: list[Resolution], operations: list[Operation]) -> None:
        """No edit is lost: it shows on both systems, was carried over, was edited again, or is in a report."""
        reported = {
            (item.key, value) for item in resolutions for value in (item.collision.marketo, item.collision.dynamics)
        }
        carried = {
            (operation.system, operation.key, name, value)
            for operation in operations
            for name, value in operation.after.items()
            if operation.state in ("applied", "sent", "unknown", "dropped")
        }
        held = {(hold.key, hold.field) for _, hold in self.store.holds(None, after=0, limit=100_000)}
        last = {(edit.system, edit.object, edit.key, edit.field): edit.number for edit in self.edits}
        by_key = {(link.entity, link.dynamics): link for link in self._all_links()}
        by_person = {link.marketo: link for link in self._all_links() if link.entity != "account"}
        names = dict((*_FIELDS, _FLAG)) | {marketo: dynamics for dynamics, marketo in (*_FIELDS, _FLAG)}
        for edit in self.edits:
            if last[edit.system, edit.object, edit.key, edit.field] != edit.number or edit.field in _FLAG:
                continue
            if edit.value is None:
                continue  # not one of a kind: cleared, set and cleared again is no change
            link = by_person.get(edit.key) if edit.system is System.MARKETO else by_key.get((edit.object, edit.key))
            if link is None or link.state is not LinkState.LIVE:
                continue
            other = names[edit.field]
            fake, name = (self.dynamics, link.entity) if edit.system is System.MARKETO else (self.marketo, "lead")
            there = fake.record(name, link.key(edit.system.other))
            if there is not None and there.values[other] == edit.value:
                continue
            if (edit.system.other, link.key(edit.system.other), other, edit.value) in carried:
                continue
            if (link.dynamics, edit.value) in reported:
                continue
            dynamics_name = edit.field if edit.system is System.DYNAMICS else other
            if (link.dynamics, dynamics_name) in held:
                continue
            self._broken(f"an edit is lost: {edit}")

    def _broken(self, what: str) -> None:
        steps = "\n  ".join(self.steps)
        raise ViolationError(f"seed {self.seed}: {what}\n  {steps}\n{what}")


async def live_through(seed: int, *, length: int, faulty: bool = True) -> None:
    """Live through one history.

    Raises:
        ViolationError: A promise was broken.
    """
    await History(seed, faulty=faulty).play(length)
