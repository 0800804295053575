"""The same records twice: in the two fakes with a synchronizer, and in the dictionaries of the hand-written loop."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Final, TypeAlias

from benchmarks.run_loop import Feed, Field, Loop
from benchmarks.workload import Touch, Touched, Workload
from mkdyn import Entity, Guards, Pick, Promotion, Rules, SqliteStore, Synchronizer, where
from mkdyn.domain.fields import FieldSpec
from mkdyn.domain.records import Agreed, Link, LinkState, Twofold
from mkdyn.domain.values import FieldValue
from mkdyn.engine.promotion import row_key
from mkdyn.testing import FakeDynamics, FakeMarketo

#: A new row needs a last name, so the records have one beside the workload's fields.
_NAME: Final = Field("lastname", "lastName")
#: The row's GUID, kept with the person.
_KEY: Final = Field("leadid", "dynamicsId")
_RULES: Final = Rules(
    promote=[Promotion(to=Entity.LEAD, when=where("lastName").is_not(None))],
    guards=Guards(overwrites_share_max=1.0, deletes_share_max=1.0),
)
_PAGE: Final = 1_000

#: What became of a record: its link's state, what Dynamics shows, what Marketo shows, and their baselines.
End: TypeAlias = tuple[str, Mapping[str, object], Mapping[str, object], Mapping[str, object]]


class World:
    """Linked records, and what people do to them.

    Args:
        work: The records, and all touches of all rounds.
        folder: Where the two files go.
        rounds: How many rounds the touches are for.
    """

    def __init__(self, work: Workload, folder: Path, *, rounds: int) -> None:
        self._work = work
        self._marketo, self._dynamics = FakeMarketo(), FakeDynamics()
        for column, field in zip(work.dynamics_columns(), work.marketo_fields(), strict=True):
            self._dynamics.add_column("lead", column)
            self._marketo.add_field("lead", field)
        self._rows = [
            self._dynamics.create("lead", lastname=_last_name(number), **work.dynamics(number))
            for number in range(work.records)
        ]
        self._persons: list[str] = []
        self._rounds = _in_rounds(work.touching(), rounds)
        self._store = SqliteStore(folder / "engine.db")
        self.sync = Synchronizer(marketo=self._marketo, dynamics=self._dynamics, store=self._store, rules=_RULES)
        fields = [_NAME, *map(_field, work.dynamics_columns(), work.marketo_fields()), _KEY]
        self._fields = fields
        key_of = partial(row_key, "123-ABC-456", "lead", attempt=0)
        self.loop = Loop(folder / "loop.db", fields, key_of)

    async def select(self) -> None:
        """Select the fields that sync."""
        pairs = [_NAME, *map(_field, self._work.dynamics_columns(), self._work.marketo_fields())]
        await self.sync.fields.select(*(Pick(Entity.LEAD, pair.dynamics, marketo=pair.marketo) for pair in pairs))

    def copy(self) -> None:
        """Give the loop the records and links that the first runs have made."""
        persons = {link.dynamics: link.marketo for link in self._links()}
        self._persons = [persons[row] for row in self._rows]
        for row, person in zip(self._rows, self._persons, strict=True):
            self.loop.dynamics[row] = self._shown_in_dynamics(row)
            self.loop.marketo[person] = self._shown_in_marketo(person)
        self.loop.link(zip(self._rows, self._persons, strict=True))

    def touch(self, turn: int) -> Feed:
        """Let people do what they do in one round, in both worlds; what the loop is told of it."""
        feed = Feed()
        for touched in self._rounds[turn]:
            self._touch(touched, feed)
        return feed

    def _touch(self, touched: Touched, feed: Feed) -> None:
        number, loop = touched.number, self.loop
        match touched.touch:
            case Touch.CREATED_IN_DYNAMICS:
                row = self._dynamics.create("lead", lastname=_last_name(number), **touched.dynamics)
                loop.dynamics[row] = self._shown_in_dynamics(row)
                feed.rows.append(row)
            case Touch.CREATED_IN_MARKETO:
                person = self._marketo.create("lead", lastName=_last_name(number), **touched.marketo)
                loop.marketo[person] = self._shown_in_marketo(person)
                feed.persons.append(person)
            case Touch.DELETED_IN_DYNAMICS:
                row = self._rows[number]
                self._dynamics.delete("lead", row)
                del loop.dynamics[row]
                feed.deleted_rows.append(row)
            case Touch.DELETED_IN_MARKETO:
                person = self._persons[number]
                self._marketo.delete("lead", person)
                del loop.marketo[person]
                feed.deleted_persons.append(person)
            case Touch.DYNAMICS | Touch.MARKETO | Touch.BOTH | Touch.COLLISION:
                self._edit(touched, feed)

    def _edit(self, touched: Touched, feed: Feed) -> None:
        row, person = self._rows[touched.number], self._persons[touched.number]
        if touched.dynamics:
            self._dynamics.edit("lead", row, **touched.dynamics)
            self.loop.dynamics[row].update(touched.dynamics)
            feed.rows.append(row)
        if touched.marketo:
            self._marketo.edit("lead", person, **touched.marketo)
            self.loop.marketo[person].update(touched.marketo)
            feed.persons.append(person)

    # -- what became of it

    def expect_the_same(self) -> None:
        """Make sure that engine and loop have come to the same end.

        Raises:
            AssertionError: They have not: the comparison means nothing.
        """
        engine, loop = dict(self._ends_of_engine()), dict(self._ends_of_loop())
        differing = [row for row in engine.keys() | loop.keys() if engine.get(row) != loop.get(row)]
        if differing:
            row = min(differing)
            raise AssertionError(f"{len(differing)} records differ; {row}: {engine.get(row)} and {loop.get(row)}")

    def _ends_of_engine(self) -> Iterator[tuple[str, End]]:
        for link in self._links():
            baseline = {name: _twofold(agreed) for name, agreed in link.baseline.items()}
            shown = self._shown_in_dynamics(link.dynamics), self._shown_in_marketo(link.marketo)
            yield link.dynamics, (link.state.value, *shown, baseline)

    def _ends_of_loop(self) -> Iterator[tuple[str, End]]:
        for row, person, state, baseline in self.loop.file.links():
            both = {name: tuple(was) if isinstance(was, list) else (was, was) for name, was in baseline.items()}
            yield row, (state, self.loop.dynamics.get(row, {}), self.loop.marketo.get(person, {}), both)

    def _links(self) -> Iterator[Link]:
        after = 0
        while links := self._store.links_after("lead", after, _PAGE, states=tuple(LinkState)):
            after = links[-1].id
            yield from links

    def _shown_in_dynamics(self, row: str) -> dict[str, FieldValue]:
        record = self._dynamics.record("lead", row)
        return {} if record is None else {field.dynamics: record.values[field.dynamics] for field in self._fields}

    def _shown_in_marketo(self, person: str) -> dict[str, FieldValue]:
        record = self._marketo.record("lead", person)
        names = [*(field.marketo for field in self._fields), "dynamicsDeleted"]
        return {} if record is None else {name: record.values[name] for name in names}


def _last_name(number: int) -> str:
    return f"Name {number}"


def _field(dynamics: FieldSpec, marketo: FieldSpec) -> Field:
    """Return the pair as the loop carries its values."""
    match dynamics.type:
        case "choice":
            numbers = {label: number for number, label in dynamics.choices.items()}
            return Field(dynamics.name, marketo.name, dynamics.choices.__getitem__, numbers.__getitem__)
        case "decimal":
            return Field(dynamics.name, marketo.name, float, lambda value: Decimal(str(value)))
        case _:
            return Field(dynamics.name, marketo.name)


def _in_rounds(touching: Iterator[Touched], rounds: int) -> Sequence[Sequence[Touched]]:
    """Deal the touches out, so that each round has as many of each way, give or take one."""
    dealt: list[list[Touched]] = [[] for _ in range(rounds)]
    for place, touched in enumerate(touching):
        dealt[place % rounds].append(touched)
    return dealt


def _twofold(agreed: Agreed) -> tuple[FieldValue, FieldValue]:
    return (agreed.dynamics, agreed.marketo) if isinstance(agreed, Twofold) else (agreed, agreed)
