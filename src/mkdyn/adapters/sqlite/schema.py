"""What the file keeps, and how an older file becomes a newer one.

`PRAGMA user_version` counts the migrations a file has seen. A migration is never changed once it is
released; a new one is added at the end.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

#: Leads a file from the version before to its own; called inside a transaction.
Migration: TypeAlias = Callable[[sqlite3.Connection], None]

#: "mkdy" in ASCII: `file acme.db` shows it, and a file without it is none of ours.
APPLICATION_ID: Final = 0x6D6B6479

_FIRST: Final = (
    # Single facts: whose state it is, and who took the lock last.
    "CREATE TABLE fact (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    # -- feeds
    "CREATE TABLE cursor (feed TEXT PRIMARY KEY, token TEXT NOT NULL, at TEXT NOT NULL, repeats_from TEXT) WITHOUT ROWID",
    "CREATE TABLE seen (feed TEXT NOT NULL, id TEXT NOT NULL, at TEXT NOT NULL, PRIMARY KEY (feed, id)) WITHOUT ROWID",
    "CREATE INDEX seen_by_time ON seen (feed, at)",
    # AUTOINCREMENT: a number is never given twice, not even after its row was deleted.
    """
    CREATE TABLE observation (
        version INTEGER PRIMARY KEY AUTOINCREMENT,
        system TEXT NOT NULL,
        object TEXT NOT NULL,
        key TEXT NOT NULL,
        record TEXT,
        deleted INTEGER NOT NULL,
        evidence TEXT NOT NULL,
        wanted TEXT,
        doubtful TEXT NOT NULL,
        seen_at TEXT,
        UNIQUE (system, object, key)
    )
    """,
    "CREATE INDEX observation_by_version ON observation (system, object)",
    # -- links: `object` is what shares Marketo's keys (leads and contacts are the same object there)
    """
    CREATE TABLE link (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        entity TEXT NOT NULL,
        object TEXT NOT NULL,
        dynamics TEXT NOT NULL,
        marketo TEXT NOT NULL,
        state TEXT NOT NULL,
        origin TEXT NOT NULL,
        version TEXT,
        baseline TEXT NOT NULL,
        echoes TEXT NOT NULL,
        gone TEXT,
        since TEXT,
        attempt INTEGER NOT NULL
    )
    """,
    "CREATE INDEX link_by_entity ON link (entity, state)",
    # A record is in at most one live or suspended link.
    "CREATE UNIQUE INDEX link_by_dynamics ON link (dynamics, entity) WHERE state IN ('live', 'suspended')",
    "CREATE UNIQUE INDEX link_by_marketo ON link (marketo, object) WHERE state IN ('live', 'suspended')",
    "CREATE INDEX tombstone_by_dynamics ON link (dynamics) WHERE state = 'tombstone'",
    "CREATE INDEX tombstone_by_marketo ON link (marketo) WHERE state = 'tombstone'",
    # -- fields: `custom` is the definition of an entity that is none of the six
    """
    CREATE TABLE pair (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        entity TEXT NOT NULL,
        custom TEXT,
        dynamics TEXT NOT NULL,
        marketo TEXT NOT NULL,
        direction TEXT NOT NULL,
        authority TEXT,
        state TEXT NOT NULL,
        selection INTEGER NOT NULL,
        dynamics_spec TEXT NOT NULL,
        marketo_spec TEXT NOT NULL,
        UNIQUE (entity, dynamics)
    )
    """,
    """
    CREATE TABLE selection (
        entity TEXT NOT NULL,
        field TEXT NOT NULL,
        times INTEGER NOT NULL,
        PRIMARY KEY (entity, field)
    ) WITHOUT ROWID
    """,
    # -- runs, plan, journal
    """
    CREATE TABLE run (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        purpose TEXT NOT NULL,
        started_at TEXT NOT NULL,
        ended_at TEXT,
        ended TEXT,
        facts TEXT NOT NULL
    )
    """,
    # An operation is two rows: where it stands is small and written three times, what it writes is large and
    # written once. In one row, every change of state would write the values again.
    """
    CREATE TABLE operation (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        run INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
        system TEXT NOT NULL,
        kind TEXT NOT NULL,
        key TEXT NOT NULL,
        state TEXT NOT NULL,
        sent_at TEXT,
        detail TEXT NOT NULL
    )
    """,
    "CREATE INDEX operation_by_run ON operation (run)",
    "CREATE INDEX operation_by_key ON operation (key, system, run)",
    "CREATE INDEX open_operation ON operation (state, system, key) WHERE state IN ('planned', 'sent', 'unknown')",
    """
    CREATE TABLE writing (
        operation INTEGER PRIMARY KEY REFERENCES operation ON DELETE CASCADE,
        link INTEGER NOT NULL,
        entity TEXT NOT NULL,
        custom TEXT,
        other TEXT NOT NULL,
        before TEXT NOT NULL,
        after TEXT NOT NULL,
        awaited TEXT NOT NULL,
        version TEXT,
        attempt INTEGER NOT NULL,
        because TEXT NOT NULL,
        step TEXT NOT NULL
    )
    """,
    # -- findings: `was` is NULL where the systems never agreed, and JSON's null where the field was empty
    """
    CREATE TABLE collision (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        run INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
        entity TEXT NOT NULL,
        custom TEXT,
        key TEXT NOT NULL,
        field TEXT NOT NULL,
        was TEXT,
        marketo TEXT NOT NULL,
        dynamics TEXT NOT NULL,
        winner TEXT NOT NULL,
        because TEXT NOT NULL,
        kind TEXT NOT NULL,
        UNIQUE (run, entity, key, field, marketo, dynamics)
    )
    """,
    "CREATE INDEX collision_by_run ON collision (run)",
    # A quarantined record is the hold of all of its fields: `field` is '' then. A hold outlives its run.
    """
    CREATE TABLE hold (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        run INTEGER NOT NULL,
        entity TEXT NOT NULL,
        custom TEXT,
        key TEXT NOT NULL,
        field TEXT NOT NULL,
        code TEXT NOT NULL,
        reason TEXT NOT NULL,
        wake TEXT NOT NULL,
        until TEXT,
        attempts INTEGER NOT NULL,
        refused TEXT NOT NULL,
        UNIQUE (entity, key, field)
    )
    """,
    "CREATE INDEX hold_by_run ON hold (run)",
    "CREATE INDEX hold_by_key ON hold (key)",
    "CREATE INDEX hold_by_scope ON hold (field = '')",
)


def _create(connection: sqlite3.Connection) -> None:
    # Written first, and in the same transaction as the tables: a file with tables has our mark.
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    for statement in _FIRST:  # not executescript, which would commit what goes before
        connection.execute(statement)


def _count_links(connection: sqlite3.Connection) -> None:
    # How many links are live: every run asks, and counting them anew takes longer the more there are.
    connection.execute("CREATE TABLE link_count (entity TEXT PRIMARY KEY, live INTEGER NOT NULL) WITHOUT ROWID")
    connection.execute("INSERT INTO link_count SELECT entity, count(*) FROM link WHERE state = 'live' GROUP BY entity")


_DESCRIPTIONS: Final = (
    # What the systems said of their fields when they were last asked.
    """
    CREATE TABLE description (
        system TEXT NOT NULL,
        object TEXT NOT NULL,
        at TEXT NOT NULL,
        fields TEXT NOT NULL,
        PRIMARY KEY (system, object)
    ) WITHOUT ROWID
    """,
    "ALTER TABLE pair ADD COLUMN reason TEXT NOT NULL DEFAULT ''",
)


def _describe(connection: sqlite3.Connection) -> None:
    for statement in _DESCRIPTIONS:
        connection.execute(statement)


def _note_late_pairs(connection: sqlite3.Connection) -> None:
    connection.execute("ALTER TABLE pair ADD COLUMN late INTEGER NOT NULL DEFAULT 0")


_FREEZING: Final = (
    # A record is in at most one link that is not over; a frozen one is not.
    "DROP INDEX link_by_dynamics",
    "DROP INDEX link_by_marketo",
    "CREATE UNIQUE INDEX link_by_dynamics ON link (dynamics, entity) WHERE state IN ('live', 'suspended', 'frozen')",
    "CREATE UNIQUE INDEX link_by_marketo ON link (marketo, object) WHERE state IN ('live', 'suspended', 'frozen')",
)


def _freeze(connection: sqlite3.Connection) -> None:
    for statement in _FREEZING:
        connection.execute(statement)


def _await_links(connection: sqlite3.Connection) -> None:
    connection.execute("ALTER TABLE hold ADD COLUMN awaits TEXT NOT NULL DEFAULT ''")


#: Migration n leads from version n to version n + 1.
MIGRATIONS: Final[tuple[Migration, ...]] = (_create, _count_links, _describe, _note_late_pairs, _freeze, _await_links)


def version_of(connection: sqlite3.Connection) -> int:
    """Return how many migrations the file has seen."""
    # user_version: four bytes in the file's header that SQLite leaves to us.
    [version] = connection.execute("PRAGMA user_version").fetchone()
    return int(version)


def migrate(connection: sqlite3.Connection, migrations: Sequence[Migration] = MIGRATIONS) -> None:
    """Bring the file to the newest version, or leave it as it is.

    Foreign keys must be off, so that a migration can build a table anew.
    """
    if version_of(connection) >= len(migrations):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        for step in migrations[version_of(connection) :]:  # asked again: another process may have been faster
            step(connection)
        connection.execute(f"PRAGMA user_version = {len(migrations)}")
        connection.execute("COMMIT")
    except BaseException:
        connection.rollback()
        raise
