"""The state in a SQLite file: who may read it, what is no state, who holds it, and what a crash leaves."""

from __future__ import annotations

import os
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import attrs
import pytest

from mkdyn.adapters.sqlite import SqliteStore
from mkdyn.adapters.sqlite.database import explained
from mkdyn.adapters.sqlite.schema import APPLICATION_ID, MIGRATIONS, migrate, version_of
from mkdyn.domain.entities import Entity
from mkdyn.domain.plan import Operation, OperationState, Step
from mkdyn.domain.records import Echo, Link, LinkState, Moved
from mkdyn.domain.systems import System
from mkdyn.errors import RunInProgressError, StateCorruptError, StateError, StateFileError, StateTooNewError
from mkdyn.ports.store import Answer, Observation, StateStore
from mkdyn.testing.memory_store import MemoryStore

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
OPERATION = Operation(entity=Entity.LEAD, system=System.MARKETO, kind="delete", key="7")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the state is to be."""
    return tmp_path / "acme.db"


@pytest.fixture
def store(path: Path) -> Generator[SqliteStore]:
    """A store that waits for nobody."""
    with closing(SqliteStore(path, patience_s=0)) as store:
        yield store


def write(store: StateStore, organization: str = "AAA-001-ZZZ") -> None:
    """Write something small, and keep it."""
    with store.transaction():
        store.set_organization(System.MARKETO, organization)


def read(path: Path) -> str | None:
    """What `write` wrote, seen by a store of its own."""
    with closing(SqliteStore(path, patience_s=0)) as store:
        return store.organization(System.MARKETO)


def mode(path: Path) -> int:
    """Who may do what with a file."""
    return stat.S_IMODE(path.stat().st_mode)


# -- the file --------------------------------------------------------------------------


def test_nothing_is_on_the_disk_before_the_first_use(path: Path) -> None:
    """Making a store, showing it and closing it leaves no trace."""
    store = SqliteStore(path)
    assert repr(store) == f"SqliteStore({str(path)!r})"
    assert store.name == "acme.db"
    store.close()
    assert not path.exists()


def test_a_closed_store_is_not_used_again(store: SqliteStore) -> None:
    """A closed store says so; it does not open the file again."""
    write(store)
    store.close()
    with pytest.raises(StateFileError, match="closed"):
        store.cursor("lead")


def test_only_the_owner_may_read(path: Path, store: SqliteStore) -> None:
    """The state, its log and its lock are the owner's alone, whatever the umask allows."""
    before = os.umask(0)
    try:
        with store.exclusive("a run"):
            write(store)
            assert {found.name: mode(found) for found in path.parent.iterdir()} == dict.fromkeys(
                ("acme.db", "acme.db-lock", "acme.db-shm", "acme.db-wal"), 0o600
            )
    finally:
        os.umask(before)


def test_an_empty_file_is_a_new_state(path: Path, store: SqliteStore) -> None:
    """An empty file becomes a state, and its owner's alone."""
    path.touch(mode=0o644)
    write(store)
    assert mode(path) == 0o600


def test_a_relative_path_is_fixed_when_the_store_is_made(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A later change of the working folder does not move the state."""
    monkeypatch.chdir(path.parent)
    with closing(SqliteStore(path.name)) as store:
        monkeypatch.chdir("/")
        write(store)
    assert path.exists()


def test_memory_is_a_file_name_like_any_other(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`:memory:` does not lose the state silently."""
    monkeypatch.chdir(path.parent)
    with closing(SqliteStore(":memory:")) as store:
        write(store)
    assert path.with_name(":memory:").stat().st_size > 0


def not_there(path: Path) -> Path:
    """A path in a folder that does not exist."""
    return path / "acme.db"


def below_a_file(path: Path) -> Path:
    """A path in a folder that is a file."""
    path.touch()
    return path / "acme.db"


def folder(path: Path) -> Path:
    """A path that is a folder."""
    path.mkdir()
    return path


def pipe(path: Path) -> Path:
    """A path that is no file and no folder."""
    os.mkfifo(path)
    return path


def loop(path: Path) -> Path:
    """A link to itself."""
    path.symlink_to(path)
    return path


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (not_there, "its folder does not exist"),
        (below_a_file, "it can't be created"),
        (folder, "it is a folder"),
        (pipe, "it is no ordinary file"),
        (loop, "it can't be used"),
    ],
)
def test_a_path_that_cannot_be_a_state(path: Path, make: Callable[[Path], Path], says: str) -> None:
    """A path that can't be a file is refused with the path, the reason and what to do."""
    found = make(path)
    with closing(SqliteStore(found)) as store, pytest.raises(StateFileError, match=says) as caught:
        store.runs(after=0, limit=1)
    assert str(found) in str(caught.value)
    assert caught.value.what_to_do


def test_a_file_of_another_kind(path: Path, store: SqliteStore) -> None:
    """A file that is no SQLite file is refused, and stays as it was."""
    path.write_text("firstname,lastname\n" * 99)
    with pytest.raises(StateCorruptError, match="no SQLite file"):
        write(store)
    assert path.read_text() == "firstname,lastname\n" * 99


def test_a_database_of_another_program(path: Path, store: SqliteStore) -> None:
    """A SQLite file that is not ours is refused, and stays as it was."""
    with closing(sqlite3.connect(path)) as foreign:
        foreign.execute("CREATE TABLE person (name TEXT)")
    before = path.read_bytes()
    with pytest.raises(StateCorruptError, match="another program"), store.exclusive("a run"):
        pass
    assert path.read_bytes() == before
    assert [found.name for found in path.parent.iterdir()] == ["acme.db"]


def test_a_file_of_a_newer_release(path: Path, store: SqliteStore) -> None:
    """A state that a newer release wrote is refused, not changed."""
    write(store)
    store.close()
    with closing(sqlite3.connect(path)) as newer:
        newer.execute("PRAGMA user_version = 1234")
    with pytest.raises(StateTooNewError, match="version 1234"):
        read(path)
    with closing(sqlite3.connect(path)) as newer:
        assert version_of(newer) == 1234


def test_a_damaged_file(path: Path, store: SqliteStore) -> None:
    """A file with overwritten pages is reported as damaged, whoever reads first."""
    with store.transaction():
        store.observe(Observation(system=System.MARKETO, object="lead", key=str(key)) for key in range(5_000))
    store.close()
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (size - 4096))
    with closing(SqliteStore(path)) as damaged, pytest.raises(StateCorruptError, match="damaged"):
        damaged.observations(System.MARKETO, "lead", after=0, limit=9)


def test_a_file_without_our_tables(path: Path, store: SqliteStore) -> None:
    """A file that has our mark but not our tables is reported as damaged."""
    with closing(sqlite3.connect(path)) as other:
        other.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        other.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
    with pytest.raises(StateCorruptError, match="no such table"):
        store.runs(after=0, limit=1)


@pytest.mark.parametrize(
    ("column", "text"),
    [("baseline", '{"a":'), ("baseline", "[1]"), ("baseline", '{"a":{"$decimal":"x"}}'), ("state", "alive")],
)
def test_a_row_that_cannot_be_read(store: SqliteStore, column: str, text: str) -> None:
    """A row that holds something else than we wrote is reported as damage, without showing it."""
    with store.transaction():
        store.put_links([Link(entity="lead", dynamics="g-1", marketo="7")])
        store._database.write(f"UPDATE link SET {column} = ?, state = 'live' WHERE {column} <> ''", [text])  # noqa: S608
        if column == "state":
            store._database.write("UPDATE link SET gone = 'nowhere'")
    with pytest.raises(StateCorruptError, match="can't be read") as caught:
        dict(store.links(["lead"], System.MARKETO, ["7"])["7"].baseline)
    assert text not in str(caught.value)


@pytest.mark.parametrize("text", ['{"a":', "[1]"])
def test_a_baseline_that_cannot_be_changed(store: SqliteStore, text: str) -> None:
    """A baseline that is no object is reported as damage when a field of it moves, too."""
    with store.transaction():
        store.put_links([Link(entity="lead", dynamics="g-1", marketo="7")])
        store._database.write("UPDATE link SET baseline = ?", [text])
    link = store.links(["lead"], System.MARKETO, ["7"])["7"]
    with pytest.raises(StateCorruptError, match="can't be read"), store.transaction():
        store.put_links([attrs.evolve(link, baseline=Moved(link.baseline, {"b": 1}))])


def test_a_description_that_cannot_be_read(store: SqliteStore) -> None:
    """It is reported as damage, like any other row."""
    with store.transaction():
        store._database.write("INSERT INTO description VALUES ('dynamics', 'lead', '2026-01-01', '[{')")
    with pytest.raises(StateCorruptError, match="can't be read"):
        store.description(System.DYNAMICS, "lead")


def test_a_computed_column_of_the_first_version_is_read(store: SqliteStore) -> None:
    """What was one flag then is a field's nature now."""
    spec = '{"name":"a","type":"text","choices":{},"targets":[],"calculated":true}'
    with store.transaction():
        store._database.write(
            "INSERT INTO pair VALUES (1, 'lead', NULL, 'a', 'b', 'both', NULL, 'active', 1, ?, ?, '', 0)",
            [spec, spec.replace("true", "false")],
        )
    [found] = store.pairs()
    assert (found.dynamics.nature, found.marketo.nature) == ("calculated", "entered")


SPEC = '{"name":"a","type":"%s","choices":{},"targets":[]}'
PAIR = "INSERT INTO pair VALUES (1, 'lead', NULL, 'a', 'b', 'both', NULL, 'active', 1, ?, ?, '', 0)"


@pytest.mark.parametrize(
    ("dynamics", "marketo", "read_as", "lens"),
    [
        ("decimal", "decimal", "float", "decimal-float"),
        ("decimal", "money", "currency", "decimal-float"),
        ("guid", "guid", "text", "reference"),
        ("lookup", "lookup", "text", "reference"),
        ("integer", "bigint", "text", "number-text"),
        ("choice", "choice", "text", "choice-label"),
        ("float", "float", "float", "decimal-float"),
    ],
)
def test_a_marketo_type_of_another_time_is_read_as_the_nearest(
    store: SqliteStore, dynamics: str, marketo: str, read_as: str, lens: str
) -> None:
    """Marketo's fields once had types of Dynamics'; pairs and descriptions with them are read all the same."""
    with store.transaction():
        store._database.write(PAIR, [SPEC % dynamics, SPEC % marketo])
        for system, kind in (("dynamics", dynamics), ("marketo", marketo)):
            row = [system, "lead", "2026-01-01", f"[{SPEC % kind}]"]
            store._database.write("INSERT INTO description VALUES (?, ?, ?, ?)", row)
    [found] = store.pairs()
    assert (found.dynamics.type, found.marketo.type, found.pair.lens.name) == (dynamics, read_as, lens)
    described = [store.description(system, "lead") for system in (System.DYNAMICS, System.MARKETO)]
    assert [item.fields[0].type for item in described if item is not None] == [dynamics, read_as]


@pytest.mark.parametrize(("dynamics", "marketo"), [("geometry", "text"), ("text", "geometry")])
def test_a_type_that_nobody_knows(store: SqliteStore, dynamics: str, marketo: str) -> None:
    """A pair with one is refused in words; a description is only a memory of what can be asked again."""
    system = "Dynamics" if dynamics == "geometry" else "Marketo"
    with store.transaction():
        store._database.write(PAIR, [SPEC % dynamics, SPEC % marketo])
        for name in ("dynamics", "marketo"):
            row = [name, "lead", "2026-01-01", f"[{SPEC % 'geometry'}, {SPEC % 'image'}]"]
            store._database.write("INSERT INTO description VALUES (?, ?, ?, ?)", row)
    with pytest.raises(StateCorruptError) as caught:
        store.pairs()
    assert str(caught.value) == (
        f"lead.a is selected with a field of type geometry in {system}, which this release does not know. "
        "Install the release that wrote the state file, or restore a backup and audit first."
    )
    described = [store.description(system, "lead") for system in (System.DYNAMICS, System.MARKETO)]
    assert [[spec.type for spec in item.fields] for item in described if item is not None] == [
        ["unsupported", "image"], ["unsupported", "unsupported"],
    ]  # fmt: skip


def test_a_pair_without_a_lens(store: SqliteStore) -> None:
    """A pair whose two fields have no lens any more is reported as damage."""
    with store.transaction():
        store._database.write(
            "INSERT INTO pair VALUES (1, 'lead', NULL, 'a', 'b', 'both', NULL, 'active', 1, ?, ?, '', 0)",
            [
                '{"name":"a","type":"boolean","choices":{},"targets":[]}',
                '{"name":"b","type":"date","choices":{},"targets":[]}',
            ],
        )
    with pytest.raises(StateCorruptError, match="TypeMismatchError"):
        store.pairs()


# -- errors while it is used -----------------------------------------------------------


def test_another_process_is_writing(path: Path, store: SqliteStore) -> None:
    """A writer that does not finish in time is waited for in vain, and nothing is written."""
    write(store, "before")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StateFileError, match="another process is writing"):
            write(store, "after")
        assert store.organization(System.MARKETO) == "before"
    write(store, "after")
    assert store.organization(System.MARKETO) == "after"


def test_the_disk_is_full(store: SqliteStore) -> None:
    """A full disk stops the transaction; what was kept before is there, and the store goes on once there is room."""
    write(store)
    [[pages]] = store._database.rows("PRAGMA page_count")
    store._database.rows(f"PRAGMA max_page_count = {pages + 1}")
    with pytest.raises(StateFileError, match="the disk is full"), store.transaction():
        store.observe(Observation(system=System.MARKETO, object="lead", key=str(key)) for key in range(5_000))
    store._database.rows("PRAGMA max_page_count = 1000000")
    assert store.organization(System.MARKETO) == "AAA-001-ZZZ"
    assert not store.observations(System.MARKETO, "lead", after=0, limit=9)
    write(store, "afterwards")


def test_the_file_may_not_be_written(store: SqliteStore) -> None:
    """A file that only may be read is reported as such."""
    write(store)
    store._database.rows("PRAGMA query_only = ON")  # what SQLite answers for a read-only file, for root, too
    with pytest.raises(StateFileError, match="may not write"):
        write(store)


def test_a_commit_that_fails_keeps_nothing(store: SqliteStore) -> None:
    """What the disk refuses at the very end is rolled back as a whole."""
    write(store)
    transaction = store.transaction()
    transaction.__enter__()
    store.set_organization(System.MARKETO, "changed")
    store._database.rows("PRAGMA defer_foreign_keys = ON")  # the run that does not exist is missed at the end
    store.add_operations(99, [Operation(entity=Entity.LEAD, system=System.MARKETO, kind="delete", key="7")])
    with pytest.raises(StateCorruptError, match="contradicts"):
        transaction.__exit__(None, None, None)
    assert store.organization(System.MARKETO) == "AAA-001-ZZZ"
    write(store)


def test_any_other_error_is_ours_too(store: SqliteStore) -> None:
    """What SQLite or its Python module refuses for another reason is a StateFileError."""
    assert isinstance(explained(sqlite3.ProgrammingError("bad parameter"), "acme.db"), StateFileError)
    with pytest.raises(StateFileError, match=r"acme\.db: SQLite refuses"):
        store.cursor(object())  # type: ignore[arg-type]  # on purpose


def test_an_operation_of_no_run(store: SqliteStore) -> None:
    """An operation belongs to a run that exists."""
    with pytest.raises(StateCorruptError, match="FOREIGN KEY"), store.transaction():
        store.add_operations(1, [Operation(entity=Entity.LEAD, system=System.MARKETO, kind="delete", key="7")])


def test_a_link_of_a_record_that_is_linked(store: SqliteStore) -> None:
    """A record that would be in two live links is named."""
    guid = "abcd0000-0000-4000-8000-000000000001"
    with store.transaction():
        store.put_links([Link(entity="lead", dynamics=guid, marketo="7")])
    rival = Link(entity="contact", dynamics=guid, marketo="7")
    with pytest.raises(StateCorruptError, match="contact abcd… and Marketo's lead 7") as caught, store.transaction():
        store.put_links([rival])
    assert guid not in str(caught.value)


def test_a_link_that_is_refused_for_another_reason(store: SqliteStore) -> None:
    """Where no record is in two links, the file's own answer is given."""
    with pytest.raises(StateCorruptError, match="NOT NULL"), store.transaction():
        store.put_links([Link(entity="lead", dynamics="g-1", marketo="7", attempt=None)])  # type: ignore[arg-type]


@pytest.mark.parametrize("count", [1, 49, 50, 51, 120])
def test_many_are_kept_as_one_is(store: SqliteStore, count: int) -> None:
    """However many at once: all of them, in their order, and one that comes twice as it came last."""
    keys = [f"g-{number}" for number in range(count)]
    rows = [Observation(system=System.DYNAMICS, object="lead", key=key) for key in keys]
    with store.transaction():
        store.observe([*rows, attrs.evolve(rows[0], wanted="contact")])
        store.mark_seen("lead", [(key, NOW) for key in [*keys, *keys]])
        run = store.start_run("run", NOW)
        ids = store.add_operations(run, [attrs.evolve(OPERATION, key=key) for key in keys])
    found = store.observations(System.DYNAMICS, "lead", after=0, limit=count + 1)
    assert [(item.key, item.wanted) for item in found] == [*((key, None) for key in keys[1:]), ("g-0", "contact")]
    assert store.new_entries("lead", [*keys, "g-new"]) == {"g-new"}
    planned = store.operations(run, after=0, limit=count + 1)
    assert [(item.id, item.key) for item in planned] == list(zip(ids, keys, strict=True))


def test_an_operation_that_is_answered_twice_is_what_was_said_last(store: SqliteStore) -> None:
    """Answers that are alike are written together, and still in turn."""
    with store.transaction():
        run = store.start_run("run", NOW)
        first, second = store.add_operations(run, [OPERATION, attrs.evolve(OPERATION, key="8")])
        said: list[tuple[int, OperationState]] = [(second, "applied"), (first, "stale"), (first, "applied")]
        store.answer([Answer(operation=operation, state=state, detail=f"{state}!") for operation, state in said])
    found = store.operations(run, after=0, limit=9)
    assert [(item.state, item.detail) for item in found] == [("applied", "applied!")] * 2


def test_writing_outside_a_transaction_is_a_mistake(store: SqliteStore) -> None:
    """A method that writes wants an open transaction, and says so."""
    with pytest.raises(RuntimeError, match="inside transaction"):
        store.set_cursor("lead", None)
    with pytest.raises(RuntimeError, match="inside transaction"):
        store.observe([])


def test_transactions_are_not_nested(store: SqliteStore) -> None:
    """A transaction within another is refused, and the outer one keeps nothing."""
    with pytest.raises(RuntimeError, match="nested"), store.transaction():
        write(store)
    assert store.organization(System.MARKETO) is None


def test_a_store_closed_within_a_transaction(store: SqliteStore, path: Path) -> None:
    """Closing the store halfway keeps nothing."""
    transaction = store.transaction()
    transaction.__enter__()
    store.set_organization(System.MARKETO, "halfway")
    store.close()
    with pytest.raises(StateFileError, match="closed"):
        transaction.__exit__(None, None, None)
    assert read(path) is None


# -- migrations ------------------------------------------------------------------------


def _second(connection: sqlite3.Connection) -> None:
    connection.execute("ALTER TABLE fact ADD COLUMN since TEXT")


def _broken(connection: sqlite3.Connection) -> None:
    connection.execute("CREATE TABLE halfway (id INTEGER)")
    connection.execute("ALTER TABLE nowhere ADD COLUMN since TEXT")


@contextmanager
def raw(path: Path | str = ":memory:") -> Generator[sqlite3.Connection]:
    """A connection of nobody's."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection


def test_an_older_file_is_brought_up_to_date() -> None:
    """Only the migrations a file has not seen are run, each once, and what it holds stays."""
    with raw() as connection:
        migrate(connection)
        connection.execute("INSERT INTO fact VALUES ('holder', 'somebody')")
        migrate(connection, [*MIGRATIONS, _second])
        assert version_of(connection) == len(MIGRATIONS) + 1
        assert connection.execute("SELECT * FROM fact").fetchall() == [("holder", "somebody", None)]
        migrate(connection, [*MIGRATIONS, _second])
        assert version_of(connection) == len(MIGRATIONS) + 1


def test_a_migration_that_fails_leaves_the_file_as_it_was() -> None:
    """Several migrations are kept together or not at all."""
    with raw() as connection:
        migrate(connection)
        with pytest.raises(sqlite3.OperationalError):
            migrate(connection, [*MIGRATIONS, _second, _broken])
        assert version_of(connection) == len(MIGRATIONS)
        assert len(connection.execute("SELECT * FROM pragma_table_info('fact')").fetchall()) == 2
        migrate(connection, [*MIGRATIONS, _second])


def test_a_file_of_the_first_release_opens(path: Path, store: SqliteStore) -> None:
    """A state that was made by the first migration alone is a state of today."""
    with raw(path) as connection:
        migrate(connection, MIGRATIONS[:1])
    write(store)
    assert version_of(store._database.connection) == len(MIGRATIONS)


def test_what_an_older_release_did_not_keep_has_its_default(path: Path, store: SqliteStore) -> None:
    """A write in doubt, and the evidence before a write: neither was known."""
    with store.transaction():
        run = store.start_run("run", NOW)
        operation = Operation(entity=Entity.LEAD, system=System.MARKETO, kind="update", key="1", step=Step(heard=2))
        store.add_operations(run, [operation])
        echoes = {"title": (Echo(before="a", after="b", sure=False),)}
        [link] = store.put_links([Link(entity="lead", dynamics="x", marketo="1", echoes=echoes)])
    with raw(path) as connection:
        connection.execute(
            "UPDATE writing SET step = json_remove(json_set(step, '$[5]', json('{\"title\":2}')), '$[8]', '$[7]')"
        )
        connection.execute("UPDATE link SET echoes = json_remove(echoes, '$.title[0][3]')")
    [found] = store.operations(run, after=0, limit=1)
    assert (found.step.heard, found.step.into) == (0, "")
    assert {name: list(places) for name, places in found.step.confirms.items()} == {"title": [0, 1]}  # it kept how many
    [kept] = store.links_after("lead", 0, 1)
    assert kept == attrs.evolve(link, echoes={"title": (Echo(before="a", after="b"),)})


def test_links_of_an_older_file_are_counted(path: Path, store: SqliteStore) -> None:
    """A file from before links were counted as they are put has its count when it is opened."""
    with raw(path) as connection:
        migrate(connection, MIGRATIONS[:1])
        connection.executemany(
            "INSERT INTO link (entity, object, dynamics, marketo, state, origin, baseline, echoes, attempt)"
            " VALUES ('lead', 'lead', ?1, ?1, ?2, 'matched', '{}', '{}', 0)",
            [("1", "live"), ("2", "live"), ("3", "tombstone"), ("4", "suspended")],
        )
    assert store.count_links() == {"lead": 2}


def test_a_link_put_twice_at_once_is_counted_once(store: SqliteStore) -> None:
    """Of a link that is twice in a batch the last stays, and that one counts."""
    with store.transaction():
        [link] = store.put_links([Link(entity="lead", dynamics="g-1", marketo="7")])
        store.put_links([link, attrs.evolve(link, version="2")])
    assert store.count_links() == {"lead": 1}
    with store.transaction():
        store.put_links([link, attrs.evolve(link, state=LinkState.TOMBSTONE)])
    assert store.count_links() == {}


# -- the lock --------------------------------------------------------------------------

CHILD = """
import sys
from mkdyn.adapters.sqlite import SqliteStore
from mkdyn.domain.systems import System

store = SqliteStore(sys.argv[1])
with store.exclusive("run started at 09:00:04 (host etl-3, pid 811)"):
    with store.transaction():
        store.set_organization(System.MARKETO, "kept")
    with store.transaction():
        store.set_organization(System.MARKETO, "never kept")
        store.set_organization(System.DYNAMICS, "never kept")
        print("holding", flush=True)
        sys.stdin.read()
"""


@contextmanager
def child(path: Path) -> Generator[subprocess.Popen[bytes]]:
    """Another process that holds the state, in the middle of a transaction."""
    command = [sys.executable, "-c", CHILD, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:  # noqa: S603 - ours
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"holding\n"
            yield process
        finally:
            process.kill()


def test_a_process_holds_the_state_until_it_dies(path: Path, store: SqliteStore) -> None:
    """Another process is refused and told who holds the state; a paused one keeps it, a killed one loses it."""
    with child(path) as process:
        for _ in range(2):
            with pytest.raises(RunInProgressError) as caught, store.exclusive("ours"):
                pass
            assert str(caught.value) == (
                "run started at 09:00:04 (host etl-3, pid 811) holds acme.db. Wait for it, or end that process."
            )
            process.send_signal(signal.SIGSTOP)
        process.kill()
        process.wait()
        with store.exclusive("ours"):
            write(store, "ours now")
    assert read(path) == "ours now"


def test_a_process_that_dies_in_a_transaction_leaves_none_of_it(path: Path) -> None:
    """After a kill in the middle of a transaction, the state is what the transaction before left."""
    with child(path) as process:
        process.kill()
        process.wait()
    with closing(SqliteStore(path, patience_s=0)) as store:
        assert store.organization(System.MARKETO) == "kept"
        assert store.organization(System.DYNAMICS) is None
        write(store)


def test_one_file_has_one_lock_whatever_leads_to_it(path: Path, store: SqliteStore) -> None:
    """A symbolic link to the state is no way round the lock."""
    path.with_name("link.db").symlink_to(path)
    with (
        closing(SqliteStore(path.with_name("link.db"))) as other,
        store.exclusive("the first"),
        pytest.raises(RunInProgressError, match="the first"),
        other.exclusive("the second"),
    ):
        pass


def test_a_holder_nobody_knows(path: Path, store: SqliteStore) -> None:
    """A lock taken by somebody who has not said who they are is respected."""
    write(store)
    with raw(path.with_name("acme.db-lock")) as lock:
        lock.execute("BEGIN EXCLUSIVE")
        with pytest.raises(RunInProgressError, match=r"Another run holds acme\.db"), store.exclusive("ours"):
            pass
    with store.exclusive("ours"):
        pass


def test_a_lock_that_is_no_lock(path: Path, store: SqliteStore) -> None:
    """A file of another kind where the lock should be is reported, not used."""
    path.with_name("acme.db-lock").write_text("not a lock, and long enough to be something else\n" * 99)
    with pytest.raises(StateError, match=r"acme\.db-lock"), store.exclusive("ours"):
        pass


def test_a_holder_that_cannot_be_written_down_does_not_hold(store: SqliteStore) -> None:
    """Where the holder can't be remembered, the lock is let go."""
    write(store)
    store._database.rows("PRAGMA query_only = ON")
    with pytest.raises(StateFileError), store.exclusive("ours"):
        pass
    store._database.rows("PRAGMA query_only = OFF")
    with store.exclusive("ours"):
        pass


# -- backup ----------------------------------------------------------------------------


def test_a_backup_is_the_state_at_that_instant(path: Path, store: SqliteStore) -> None:
    """A backup is made while a run holds the state; it is the owner's alone, and a state of its own."""
    to = path.with_name("backup.db")
    with store.exclusive("a run"):
        write(store, "before")
        store.backup(str(to))
        write(store, "after")
    assert mode(to) == 0o600
    assert (read(to), read(path)) == ("before", "after")


def test_a_backup_overwrites_nothing(path: Path, store: SqliteStore) -> None:
    """An existing file is never the target of a backup."""
    write(store)
    to = path.with_name("backup.db")
    to.write_text("precious")
    for target in (to, path):
        with pytest.raises(StateFileError, match="overwrites nothing"):
            store.backup(target)
    assert to.read_text() == "precious"
    assert read(path) == "AAA-001-ZZZ"


def test_a_backup_that_fails_leaves_nothing(path: Path, store: SqliteStore) -> None:
    """A backup that can't be finished is taken away again."""
    write(store)
    to = path.with_name("backup.db")
    path.with_name("backup.db-journal").mkdir()  # where SQLite wants to write a file
    with pytest.raises(StateFileError, match=r"backup\.db"):
        store.backup(to)
    assert not to.exists()


def test_a_backup_is_not_made_within_a_transaction(path: Path, store: SqliteStore) -> None:
    """A backup never holds what may be rolled back."""
    with pytest.raises(RuntimeError, match="before a transaction or after"), store.transaction():
        store.backup(path.with_name("backup.db"))
    assert not path.with_name("backup.db").exists()


# -- what is deleted -------------------------------------------------------------------


def test_what_is_deleted_is_not_in_the_file(path: Path, store: SqliteStore) -> None:
    """A forgotten value is overwritten in the file, not only unlisted."""
    with store.transaction():
        store.observe([Observation(system=System.MARKETO, object="lead", key="zoe@example.com")])
    with store.transaction():
        store.clear([(System.MARKETO, "lead", "zoe@example.com", 1)])
    store.close()
    assert b"zoe@example" not in path.read_bytes()


# -- the store in memory ---------------------------------------------------------------


def test_memory_goes_on_after_it_is_closed() -> None:
    """Closing rolls back what is not kept and forgets nothing else, so that a test can restart."""
    store = MemoryStore()
    write(store, "kept")
    transaction = store.transaction()
    transaction.__enter__()
    store.set_organization(System.MARKETO, "not kept")
    store.close()
    assert store.organization(System.MARKETO) == "kept"
    write(store, "and on")
    assert repr(store) == "MemoryStore()"


# -- speed -----------------------------------------------------------------------------


def test_nothing_is_searched_row_by_row(store: SqliteStore) -> None:
    """Every question that a run asks is answered from an index, in the order of the index."""
    asked: list[str] = []
    write(store)
    connection = store._database.connection
    connection.set_trace_callback(asked.append)
    keys = ["1", "2"]
    store.new_entries("lead", keys)
    store.observations(System.MARKETO, "lead", after=0, limit=9)
    store.observed(System.MARKETO, "lead", keys)
    store.links(["lead", "contact"], System.MARKETO, keys)
    store.links(["lead", "contact"], System.DYNAMICS, keys)
    store.links_after("lead", 0, 9)
    store.count_links()
    store.operations(1, after=0, limit=9, system=System.MARKETO, states=["planned"])
    store.operations_on(1, System.MARKETO, keys)
    store.in_flight(System.MARKETO, keys)
    store.totals(1)
    store.resolutions(1, after=0, limit=9)
    store.holds(1, after=0, limit=9)
    with store.transaction():
        store.forget_seen("lead", NOW)
        store.clear([(System.MARKETO, "lead", "1", 7)])
        store.put_links([Link(id=1, entity="lead", dynamics="g-1", marketo="7")])
        store.mark_sent([1, 2], NOW)
        store.drop_planned()
        store.drop_planned(1)
    connection.set_trace_callback(None)
    for statement in asked:
        if statement.startswith(("BEGIN", "COMMIT", "--")):
            continue
        steps = [str(row[3]) for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}")]
        # json_each, nothing, and as many rows as there are tables or entities
        allowed = ("VIRTUAL TABLE", "CONSTANT ROW", "sqlite_sequence", "link_count")
        assert not [step for step in steps if step.startswith("SCAN") and not any(name in step for name in allowed)], (
            statement,
            steps,
        )
        assert "LIMIT" not in statement or not [step for step in steps if "TEMP B-TREE" in step], (statement, steps)


def test_a_plan_is_counted_and_not_sorted(store: SqliteStore) -> None:
    """A sort of all of a run's writes would take memory for each of them."""
    asked: list[str] = []
    write(store)
    connection = store._database.connection
    connection.set_trace_callback(asked.append)
    store.totals(1)
    connection.set_trace_callback(None)
    assert len(asked) == 2
    for statement in asked:
        steps = [str(row[3]) for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}")]
        assert not [step for step in steps if "TEMP B-TREE" in step], (statement, steps)
