"""What whoever holds the state keeps at hand: always what the file says, and nothing once it is let go."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing, suppress
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import attrs
import pytest

from mkdyn.adapters.sqlite import SqliteStore, recent
from mkdyn.domain.entities import Entity
from mkdyn.domain.feeds import Evidence
from mkdyn.domain.plan import Operation, Step
from mkdyn.domain.records import Baseline, Link, Moved, Record, Twofold
from mkdyn.domain.systems import System
from mkdyn.domain.values import Values
from mkdyn.ports.store import Answer, Observation, StateStore

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
VALUES: Values = {"lastname": "Ng", "creditlimit": Decimal("1.50"), "createdon": NOW, "donotemail": False, "fax": None}


@pytest.fixture
def store(tmp_path: Path) -> Generator[SqliteStore]:
    """A store that holds its state."""
    with closing(SqliteStore(tmp_path / "acme.db")) as store, store.exclusive("us"):
        yield store


@pytest.fixture
def other(tmp_path: Path, store: SqliteStore) -> Generator[SqliteStore]:
    """Another process's store: it has nothing at hand."""
    assert store.name == "acme.db"
    with closing(SqliteStore(tmp_path / "acme.db")) as other:
        yield other


def row(key: str, **values: str) -> Observation:
    """What Dynamics' feed says of a row."""
    record = Record(key=key, values={**VALUES, **values}, version='W/"1"')
    return Observation(
        system=System.DYNAMICS,
        object="lead",
        key=key,
        record=record,
        evidence=(Evidence(field="fax", old=None, new="1"),),
        doubtful=("lead.fax",),
        seen_at=NOW,
    )


def operation(key: str) -> Operation:
    """A write, planned."""
    return Operation(
        entity=Entity.LEAD,
        system=System.MARKETO,
        kind="update",
        key=key,
        before={"lastName": None},
        after={"lastName": "Ng"},
        awaited={"lead.lastname": "Ng"},
        because="changed in Dynamics",
        step=Step(clears=((System.DYNAMICS, "lead", key, 1),)),
    )


def link(number: int) -> Link:
    """A link, not stored yet."""
    baseline: Baseline = {"lead.lastname": "Ng", "lead.creditlimit": Twofold(Decimal("1.50"), 1.5)}
    return Link(entity="lead", dynamics=f"g-{number}", marketo=str(number), baseline=baseline)


def observed(store: StateStore) -> list[Observation]:
    """What is observed of leads in Dynamics, and that it is the same by key."""
    found = list(store.observations(System.DYNAMICS, "lead", after=0, limit=9))
    assert store.observed(System.DYNAMICS, "lead", [item.key for item in found]) == {item.key: item for item in found}
    return found


def planned(store: StateStore) -> list[Operation]:
    """What is planned for Marketo."""
    return list(store.operations(1, after=0, limit=9, system=System.MARKETO, states=["planned"]))


def linked(store: StateStore) -> list[Link]:
    """Three links, with what both systems showed."""
    found = store.links(["lead"], System.MARKETO, ["1", "2", "3"])
    return [attrs.evolve(link, baseline=dict(link.baseline)) for _, link in sorted(found.items())]


@pytest.mark.parametrize("room", [0, 1, 9])
def test_what_is_at_hand_is_what_the_file_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int) -> None:
    """Whether there is room for all of it, some, or none; in the same order."""
    monkeypatch.setattr(recent, "KEPT_MAX", room)
    with closing(SqliteStore(tmp_path / "acme.db")) as store:
        with store.exclusive("us"):
            with store.transaction():
                store.start_run("run", NOW)
                store.observe([row("a"), row("b"), row("c")])
                store.add_operations(1, [operation("1"), operation("2"), operation("3")])
                store.put_links([link(1), link(2), link(3)])
            assert len(linked(store)) == 3
            held = observed(store), planned(store), linked(store)
        assert held == (observed(store), planned(store), linked(store))
    assert [len(part) for part in held] == [3, 3, 3]


def test_a_link_is_found_by_the_keys_it_has(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many were at hand before, and whatever its keys have led to."""
    monkeypatch.setattr(store._database.recent.links, "room", 2)
    with store.transaction():
        store.put_links([link(number) for number in range(1, 8)])
    for number in range(1, 8):
        assert store.links(["lead"], System.MARKETO, [str(number)])[str(number)].dynamics == f"g-{number}"
    with store.transaction():
        store.put_links([attrs.evolve(store.links(["lead"], System.MARKETO, ["7"])["7"], dynamics="g-8", marketo="8")])
        store.put_links([attrs.evolve(link(6), entity="contact", marketo="9")])
    assert store.links(["contact", "lead"], System.MARKETO, ["8", "9"])["9"].dynamics == "g-6"
    found = store.links(["lead"], System.DYNAMICS, ["g-6", "g-7", "g-8"])
    assert {key: found.marketo for key, found in found.items()} == {"g-6": "6", "g-8": "8"}
    assert not store.links(["lead"], System.MARKETO, ["9"])


def test_what_changes_is_not_what_was_at_hand(store: SqliteStore, other: SqliteStore) -> None:
    """Replaced, cleared, revised, marked, answered, dropped, moved: the file knows, and so does who holds it."""
    with store.transaction():
        store.start_run("run", NOW)
        store.observe([row("a"), row("b"), row("c")])
        store.add_operations(1, [operation(str(number)) for number in range(5)])
        store.put_links([link(1), link(2), link(3)])
    first = linked(store)[0]
    with store.transaction():
        store.observe([row("a", lastname="Ito")])
        store.clear([(System.DYNAMICS, "lead", "b", 2)])
        store.mark_sent([1], NOW)
        store.answer([Answer(operation=2, state="stale")])
        store.revise(attrs.evolve(planned(store)[0], after={"lastName": "Ito"}))
        store.put_links([attrs.evolve(first, baseline=Moved(first.baseline, {"lead.lastname": "Ito"}))])
    assert [(item.key, item.version) for item in observed(store)] == [("c", 3), ("a", 4)]
    assert [(item.id, item.after["lastName"]) for item in planned(store)] == [(3, "Ito"), (4, "Ng"), (5, "Ng")]
    assert linked(store)[0].baseline == {**first.baseline, "lead.lastname": "Ito"}
    unread = [attrs.evolve(item, record=None) for item in observed(store)]
    assert (unread, planned(store), linked(store)) == (observed(other), planned(other), linked(other))
    with store.transaction():
        store.drop_planned()
    assert not planned(store)


def test_a_baseline_that_was_read_is_changed_as_one_that_was_not(store: SqliteStore, other: SqliteStore) -> None:
    """The column is the same, whichever way it is made."""
    with store.transaction():
        store.put_links([link(1), link(2)])
    found = store.links(["lead"], System.MARKETO, ["1", "2"])
    assert found["1"].baseline["lead.lastname"] == "Ng"
    with store.transaction():
        store.put_links(
            [attrs.evolve(link, baseline=Moved(link.baseline, {"lead.lastname": "Ito"})) for link in found.values()]
        )
    read, unread = linked(other)
    assert read.baseline == unread.baseline == {**link(1).baseline, "lead.lastname": "Ito"}


def test_what_is_taken_back_is_not_at_hand(store: SqliteStore, other: SqliteStore) -> None:
    """Its number is given again, by another process even; and a link that was read meanwhile is as before."""
    with store.transaction():
        store.put_links([link(1)])
    [before] = linked(store)
    with suppress(KeyboardInterrupt), store.transaction():
        store.observe([row("a")])
        store.put_links([attrs.evolve(before, version="2")])
        assert linked(store)[0].version == "2"
        raise KeyboardInterrupt
    with other.transaction():
        other.observe([row("b")])
    assert [(item.key, item.version) for item in observed(store)] == [("b", 1)]
    assert linked(store) == [before]


@pytest.mark.parametrize("room", [1, 9])
def test_what_was_shown_is_written_when_the_state_is_let_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    """Of what is still to be looked at; whoever holds it next reads nothing twice."""
    monkeypatch.setattr(recent, "KEPT_MAX", room)
    with closing(SqliteStore(tmp_path / "acme.db")) as store:
        with store.exclusive("us"):
            with store.transaction():
                store.observe([row("a"), row("b"), row("c")])
            with store.transaction():
                store.observe([attrs.evolve(observed(store)[0], wanted="lead")])
                store.clear([(System.DYNAMICS, "lead", "b", 2)])
            held = observed(store)
        assert [item.key for item in held] == ["c", "a"]
        assert all(item.record is not None for item in held)
        assert observed(store) == held
    with closing(SqliteStore(tmp_path / "acme.db")) as store:
        assert observed(store) == held


def test_what_was_shown_must_be_read_again_after_a_crash(tmp_path: Path) -> None:
    """That a record is to be looked at is known all the same; and nothing is at hand that a file no longer has."""
    with closing(SqliteStore(tmp_path / "acme.db")) as store:
        with suppress(KeyboardInterrupt), store.exclusive("us"):
            with store.transaction():
                store.observe([row("a")])
            raise KeyboardInterrupt
        assert [(item.key, item.record) for item in observed(store)] == [("a", None)]
        with store.exclusive("us"):
            assert [(item.key, item.record) for item in observed(store)] == [("a", None)]
        assert [(item.key, item.record) for item in observed(store)] == [("a", None)]


def test_what_another_process_asks_for_meanwhile_is_seen(store: SqliteStore, other: SqliteStore) -> None:
    """A person may be wanted while a run goes on: that needs no lock."""
    with store.transaction():
        store.observe([row("a")])
    with other.transaction():
        other.observe([attrs.evolve(row("a"), wanted="lead")])
    assert [item.wanted for item in observed(store)] == ["lead"]


def test_keys_of_links_that_went_are_forgotten() -> None:
    """Now and then; those at hand are found all the same."""
    shelf = recent.Links()
    shelf.room = 1
    for number in range(1, 5):
        shelf.keep(number, link(number))
        if number < 4:
            shelf.pop(number)
    assert set(shelf.of(["lead"], System.MARKETO, ["1", "2", "3", "4"])) == {"4"}
    assert set(shelf.of(["lead"], System.DYNAMICS, ["g-3", "g-4"])) == {"g-4"}


def test_only_what_is_planned_is_at_hand(store: SqliteStore) -> None:
    """What was sent already is not asked for as a plan."""
    with store.transaction():
        store.start_run("run", NOW)
        store.add_operations(1, [operation("1"), attrs.evolve(operation("2"), state="sent")])
    assert [item.key for item in planned(store)] == ["1"]
