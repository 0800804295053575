"""Whose state it is, where each feed goes on, and what must be looked at."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence, Set as AbstractSet
from datetime import datetime
from typing import Any, Final

from mkdyn.adapters.sqlite.columns import (
    NOTHING,
    SYSTEMS,
    as_dict,
    instant,
    instant_or_none,
    listed,
    time_or_none,
    written,
)
from mkdyn.adapters.sqlite.database import Row, Tables
from mkdyn.domain.feeds import Cursor, Evidence, make_evidence
from mkdyn.domain.records import Record, make_record
from mkdyn.domain.systems import System
from mkdyn.domain.values import from_json
from mkdyn.ports.store import Observation, change_observation, make_observation

_SET_FACT: Final = "INSERT INTO fact VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"

_SET_CURSOR: Final = "INSERT OR REPLACE INTO cursor (feed, token, at, repeats_from) VALUES (?, ?, ?, ?)"

_NEW_ENTRIES: Final = """
    SELECT wanted.value FROM json_each(?2) AS wanted
    WHERE NOT EXISTS (SELECT 1 FROM seen WHERE seen.feed = ?1 AND seen.id = wanted.value)
"""

# Seen twice with two times: the later one counts, so that it is not forgotten too early.
_MARK_SEEN: Final = "INSERT INTO seen (feed, id, at) VALUES"
_SEEN_TWICE: Final = "ON CONFLICT (feed, id) DO UPDATE SET at = excluded.at WHERE excluded.at > at"

# OR REPLACE: the row of the same record goes, and the new one has the next number.
_OBSERVE: Final = """
    INSERT OR REPLACE INTO observation (
        version, system, object, key, record, deleted, evidence, wanted, doubtful, seen_at
    ) VALUES
"""

# Indexes answer both; what is not at hand is read by its version then.
_NEXT: Final = (
    "SELECT version FROM observation WHERE system = ? AND object = ? AND version > ? ORDER BY version LIMIT ?"
)

# CROSS JOIN: each wanted key is looked up in the index, whatever SQLite guesses about their number.
_OF_KEYS: Final = """
    SELECT version FROM (SELECT value AS asked FROM json_each(?3)) CROSS JOIN observation ON observation.key = asked
    WHERE observation.system = ?1 AND observation.object = ?2
"""

_OBSERVATIONS: Final = """
    SELECT version, system, object, key, record, deleted, evidence, wanted, doubtful, seen_at FROM observation
    WHERE version IN (SELECT value FROM json_each(?)) ORDER BY version
"""

_SHOWN: Final = "UPDATE observation SET record = ? WHERE version = ?"

_CLEAR: Final = "DELETE FROM observation WHERE system = ? AND object = ? AND key = ? AND version <= ?"


class FeedTables(Tables):
    """The tables `fact`, `cursor`, `seen` and `observation`."""

    def organization(self, system: System, /) -> str | None:
        """Return the organisation this state belongs to, or None while it belongs to none."""
        return self._fact(f"{system.value} organization")

    def set_organization(self, system: System, organization: str, /) -> None:
        """Remember whose state this is."""
        self._set_fact(f"{system.value} organization", organization)

    def _fact(self, name: str) -> str | None:
        found: str | None = self._database.value("SELECT value FROM fact WHERE name = ?", (name,))
        return found

    def _set_fact(self, name: str, value: str) -> None:
        self._database.write(_SET_FACT, (name, value))

    # -- feeds -----------------------------------------------------------------------

    def cursor(self, feed: str, /) -> Cursor | None:
        """Return where to go on, or None for a feed that was never read."""
        found = self._database.read(_cursor, "SELECT token, at, repeats_from FROM cursor WHERE feed = ?", (feed,))
        return found[0] if found else None

    def set_cursor(self, feed: str, cursor: Cursor | None, /) -> None:
        """Remember where to go on; None forgets the feed."""
        if cursor is None:
            self._database.write("DELETE FROM cursor WHERE feed = ?", (feed,))
        else:
            row = (feed, cursor.token, instant(cursor.at), instant_or_none(cursor.repeats_from))
            self._database.write(_SET_CURSOR, row)

    def new_entries(self, feed: str, ids: Sequence[str], /) -> set[str]:
        """Return those of *ids* that have not been marked seen."""
        return {id for (id,) in self._database.rows(_NEW_ENTRIES, (feed, listed(ids)))}

    def mark_seen(self, feed: str, entries: Iterable[tuple[str, datetime]], /) -> None:
        """Remember entries by id and time; a repeated id is no error."""
        self._database.insert_many(_MARK_SEEN, [(feed, id, instant(at)) for id, at in entries], _SEEN_TWICE)

    def forget_seen(self, feed: str, before: datetime | None, /) -> None:
        """Forget entries older than *before*, or all of the feed's."""
        if before is None:
            self._database.write("DELETE FROM seen WHERE feed = ?", (feed,))
        else:
            self._database.write("DELETE FROM seen WHERE feed = ? AND at < ?", (feed, instant(before)))

    # -- observations ----------------------------------------------------------------

    def observe(self, observations: Iterable[Observation], /) -> None:
        """Keep observations, each under a new version; one of the same record is replaced."""
        first, at_hand = self._database.last_number("observation") + 1, self._database.recent.observations
        numbered: list[Observation] = []
        for version, observation in enumerate(observations, first):
            at_hand.drop(observation.version)  # what was there of the record is replaced
            numbered.append(change_observation(observation, version=version))
            at_hand.keep(version, numbered[-1])
        self._database.insert_many(_OBSERVE, [_observation_row(item, at_hand.unwritten) for item in numbered])

    def observations(self, system: System, object: str, /, *, after: int, limit: int) -> Sequence[Observation]:
        """Return the next observations with versions above *after*, in order of version."""
        return self._of_versions(self._database.rows(_NEXT, (system.value, object, after, limit)))

    def observed(self, system: System, object: str, keys: Collection[str], /) -> Mapping[str, Observation]:
        """Return the observations of these records, by key."""
        if not keys:
            return {}
        found = self._of_versions(self._database.rows(_OF_KEYS, (system.value, object, listed(keys))))
        return {observation.key: observation for observation in found}

    def _of_versions(self, versions: Sequence[Row]) -> Sequence[Observation]:
        """Return the observations of these versions, in the same order; a version never stands for another one."""
        at_hand = self._database.recent.observations
        unread = [version for (version,) in versions if version not in at_hand]
        read = self._database.read(_observation_from, _OBSERVATIONS, (listed(unread),)) if unread else []
        if len(unread) == len(versions):
            return read
        by_version = {observation.version: observation for observation in read}
        found = (at_hand.get(version) or by_version.get(version) for (version,) in versions)
        return [observation for observation in found if observation is not None]  # somebody may have replaced one

    def clear(self, observations: Iterable[tuple[System, str, str, int]], /) -> None:
        """Forget observations (system, object, key, version) up to that version, and no later one."""
        at_hand = self._database.recent.observations
        rows = [(system._value_, object, key, version) for system, object, key, version in observations]
        self._database.write_many(_CLEAR, rows)
        for *_, version in rows:
            at_hand.drop(version)

    def _write_unwritten(self) -> None:
        """Write what systems showed of the records that are still to be looked at: nobody has it at hand from now on."""
        at_hand = self._database.recent.observations
        records = [(at_hand[version].record, version) for version in at_hand.unwritten]
        if records:
            with self._database.transaction():
                self._database.write_many(_SHOWN, [(_shown(record), version) for record, version in records])
        at_hand.unwritten.clear()


def _cursor(row: Row) -> Cursor:
    token, at, repeats_from = row
    return Cursor(token=token, at=datetime.fromisoformat(at), repeats_from=time_or_none(repeats_from))


def _shown(record: Record | None) -> str | None:
    return None if record is None else written([record.key, as_dict(record.values), record.version])


def _observation_row(observation: Observation, unwritten: AbstractSet[int]) -> Row:
    """Return the columns of a whole row; of the *unwritten* ones, not what the record showed."""
    evidence = observation.evidence
    return (
        observation.version,
        observation.system._value_,
        observation.object,
        observation.key,
        None if observation.version in unwritten else _shown(observation.record),
        observation.deleted,
        written([(found.field, found.old, found.new) for found in evidence]) if evidence else NOTHING,
        observation.wanted,
        written(observation.doubtful),
        instant_or_none(observation.seen_at),
    )


def _observation_from(row: Row) -> Observation:
    """Return the observation of a whole row."""
    version, system, object, key, record, deleted, evidence, wanted, doubtful, seen_at = row
    return make_observation(
        system=SYSTEMS[system],
        object=object,
        key=key,
        version=version,
        record=None if record is None else _record(from_json(record)),
        deleted=bool(deleted),
        evidence=() if evidence == NOTHING else _evidence(from_json(evidence)),
        wanted=wanted,
        doubtful=() if doubtful == NOTHING else tuple(from_json(doubtful)),
        seen_at=time_or_none(seen_at),
    )


def _evidence(data: list[Any]) -> tuple[Evidence, ...]:
    return tuple([make_evidence(field=field, old=old, new=new) for field, old, new in data])


def _record(data: list[Any]) -> Record:
    key, values, version = data
    return make_record(key=key, values=values, version=version)
