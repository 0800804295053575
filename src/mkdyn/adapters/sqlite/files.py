"""The file on the disk: made for its owner's eyes only, opened, locked, copied."""

from __future__ import annotations

import sqlite3
import stat
from pathlib import Path
from typing import Final

from mkdyn.adapters.sqlite.database import code_of, explaining
from mkdyn.adapters.sqlite.schema import APPLICATION_ID, MIGRATIONS, migrate, version_of
from mkdyn.errors import StateCorruptError, StateFileError, StateTooNewError

_OWNER_ONLY: Final = 0o600

# SQLite's own lock of a file goes when *any* descriptor of that file is closed in the process (POSIX). So nothing
# here opens a file that exists, except through SQLite.


def create(path: Path) -> bool:
    """Make an empty file that only its owner may read; False where there is one.

    Raises:
        StateFileError: It can't be made.
    """
    try:
        path.touch(mode=_OWNER_ONLY, exist_ok=False)  # one system call: at no instant can others read it
    except FileExistsError:
        return False
    except FileNotFoundError as error:
        raise StateFileError(
            f"{path}: its folder does not exist.", what_to_do="Create the folder, or give another path."
        ) from error
    except OSError as error:
        raise StateFileError(
            f"{path}: it can't be created ({error.strerror}).",
            what_to_do="Let this user write to the folder, or give another path.",
        ) from error
    return True


def connect(path: Path, *, patience_s: float) -> sqlite3.Connection:
    """Open a file with explicit transactions, used by one thread at a time, whichever that is."""
    return sqlite3.connect(path, timeout=patience_s, isolation_level=None, check_same_thread=False)


def open_state(path: Path, *, patience_s: float) -> sqlite3.Connection:
    """Open a state file; make it where there is none, and bring an older one up to date.

    Raises:
        StateError: It can't be used.
    """
    if not create(path):
        _look_at(path)
    with explaining(str(path)):
        connection = connect(path, patience_s=patience_s)
        try:
            _identify(connection, path)
            prepare(connection)
        except BaseException:
            connection.close()
            raise
    return connection


def _look_at(path: Path) -> None:
    """Refuse what is no file; an empty file is a new one, and becomes its owner's alone."""
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            kind = "a folder" if stat.S_ISDIR(found.st_mode) else "no ordinary file"
            raise StateFileError(f"{path}: it is {kind}.", what_to_do="Give the path of a file.")
        if found.st_size == 0:
            path.chmod(_OWNER_ONLY)
    except OSError as error:
        raise StateFileError(
            f"{path}: it can't be used ({error.strerror}).", what_to_do="Let this user own it, or give another path."
        ) from error


def _identify(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse a file that is not ours, before anything is written to it."""
    connection.execute("BEGIN")  # so that the three questions are about one instant
    # application_id: four bytes in the file's header that say whose file it is; 0 where nobody said.
    [application] = connection.execute("PRAGMA application_id").fetchone()
    version = version_of(connection)
    [tables] = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    connection.execute("COMMIT")
    if application == version == tables == 0:
        return
    if application != APPLICATION_ID:
        raise StateCorruptError(
            f"{path}: it is a SQLite file of another program.",
            what_to_do="Give the path of a state file, or of none yet.",
        )
    if version > len(MIGRATIONS):
        raise StateTooNewError(
            f"{path}: a newer release wrote it (version {version}, this release knows {len(MIGRATIONS)}).",
            what_to_do="Install the newer release.",
        )


def prepare(connection: sqlite3.Connection) -> None:
    """Set a connection up, and bring its tables up to date."""
    # Write-ahead log: a reader never waits for a writer, and a commit writes each page once.
    connection.execute("PRAGMA journal_mode = WAL")
    # Every commit waits for the disk. In NORMAL, a power cut could take back the last commits: a batch that was
    # sent would be planned again, as if it had never left, and a create would be made twice. In FULL it takes back
    # nothing. A run commits a few times per batch, so this costs milliseconds beside each call to a system.
    connection.execute("PRAGMA synchronous = FULL")
    # macOS: "wait for the disk" must mean the disk, not its cache. Elsewhere without effect.
    connection.execute("PRAGMA fullfsync = ON")
    # A deleted value is overwritten, not only unlisted: what was forgotten is not in the file.
    connection.execute("PRAGMA secure_delete = ON")
    # A large sort stays in memory: no values in temporary files, which have other readers.
    connection.execute("PRAGMA temp_store = MEMORY")
    # 16 MiB of pages in memory (negative: KiB): a batch and its indexes, not the file.
    connection.execute("PRAGMA cache_size = -16384")
    # A file that grew in a large run shrinks its log to 64 MiB afterwards.
    connection.execute("PRAGMA journal_size_limit = 67108864")
    migrate(connection)
    # An operation belongs to a run. Off by default, and while migrating.
    connection.execute("PRAGMA foreign_keys = ON")


def take_lock(path: Path) -> sqlite3.Connection | None:
    """Take the lock that belongs to a state file; None where another holds it.

    An exclusive transaction on an empty file beside it: the operating system keeps it for a process that is
    paused, and drops it for one that died. Closing the connection lets go.
    """
    beside = path.with_name(f"{path.name}-lock")
    create(beside)
    with explaining(str(beside)):
        lock = connect(beside, patience_s=0)
        try:
            # Nothing is ever written, so there is nothing to roll back: no journal file beside the lock.
            lock.execute("PRAGMA journal_mode = MEMORY")
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.Error as error:
            lock.close()
            if code_of(error) == sqlite3.SQLITE_BUSY:
                return None
            raise
    return lock


def copy(connection: sqlite3.Connection, to: Path) -> None:
    """Copy an open state into a new file, as it is at this instant.

    Raises:
        StateFileError: There is such a file, or it can't be written.
    """
    if connection.in_transaction:
        message = "a backup is made before a transaction or after it"
        raise RuntimeError(message)
    if not create(to):
        raise StateFileError(f"{to}: it exists; a backup overwrites nothing.", what_to_do="Give another path.")
    try:
        with explaining(str(to)):
            target = connect(to, patience_s=0)
            try:
                connection.backup(target)
            finally:
                target.close()
    except BaseException:
        to.unlink(missing_ok=True)
        raise
