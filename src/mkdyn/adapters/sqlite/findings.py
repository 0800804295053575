"""What a run found: collisions, holds, and records set aside."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from mkdyn.adapters.sqlite.columns import (
    custom_of,
    entity_of,
    instant_or_none,
    listed,
    plain,
    time_or_none,
    written,
)
from mkdyn.adapters.sqlite.database import Row, Tables
from mkdyn.domain.collisions import Collision, Resolution, Win
from mkdyn.domain.entities import AnyEntity
from mkdyn.domain.holds import Hold, Quarantined, Wake
from mkdyn.domain.systems import System
from mkdyn.domain.values import MISSING, from_json

_ADD_COLLISION: Final = """
    INSERT INTO collision (run, entity, custom, key, field, was, marketo, dynamics, winner, because, kind)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (run, entity, key, field, marketo, dynamics) DO UPDATE SET
        was = excluded.was, winner = excluded.winner, because = excluded.because, kind = excluded.kind
"""

# A plan's collisions are not in the journal until some of it is carried out.
_ALL_COLLISIONS: Final = """
    SELECT collision.id, entity, custom, key, field, was, marketo, dynamics, winner, because, kind
    FROM collision JOIN run ON run.id = collision.run
    WHERE collision.id > ? AND (
        ended IS NULL OR ended NOT IN ('planned', 'stopped')
        OR EXISTS (SELECT 1 FROM operation WHERE operation.run = run.id AND state IN ('sent', 'applied', 'unknown'))
    )
    ORDER BY collision.id LIMIT ?
"""

_COLLISIONS: Final = """
    SELECT id, entity, custom, key, field, was, marketo, dynamics, winner, because, kind
    FROM collision WHERE run = ? AND id > ? ORDER BY id LIMIT ?
"""

_COLLISIONS_OF: Final = """
    SELECT id, entity, custom, key, field, was, marketo, dynamics, winner, because, kind
    FROM collision WHERE run = ? AND entity = ? AND key = ? ORDER BY id
"""

_DROP_COLLISION: Final = "DELETE FROM collision WHERE id = ?"

_HOLD: Final = """
    INSERT INTO hold (run, entity, custom, key, field, code, reason, wake, until, attempts, refused, awaits)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (entity, key, field) DO UPDATE SET
        run = excluded.run, custom = excluded.custom, code = excluded.code, reason = excluded.reason,
        wake = excluded.wake, until = excluded.until, attempts = attempts + 1, refused = excluded.refused,
        awaits = excluded.awaits
"""

_RELEASE: Final = "DELETE FROM hold WHERE entity = ? AND key = ? AND field = ?"
_RELEASE_RECORD: Final = "DELETE FROM hold WHERE entity = ? AND key = ?"

# `field <> ''` are holds, `field = ''` quarantined records.
_ALL_HOLDS: Final = """
    SELECT id, entity, custom, key, field, code, reason, wake, until, attempts, refused, awaits
    FROM hold WHERE (field = '') = ? AND id > ? ORDER BY id LIMIT ?
"""

# CROSS JOIN: each wanted key is looked up in the index, whatever SQLite guesses about their number.
_KEPT_BACK: Final = """
    SELECT id, entity, custom, key, field, code, reason, wake, until, attempts, refused, awaits
    FROM (SELECT value AS asked FROM json_each(?)) CROSS JOIN hold INDEXED BY hold_by_key ON hold.key = asked
"""

_HOLDS: Final = """
    SELECT id, entity, custom, key, field, code, reason, wake, until, attempts, refused, awaits
    FROM hold WHERE run = ? AND (field = '') = ? AND id > ? ORDER BY id LIMIT ?
"""

#: Stands for all fields of a quarantined record.
_WHOLE_RECORD: Final = ""


class FindingTables(Tables):
    """The tables `collision` and `hold`."""

    def add_resolutions(self, run: int, resolutions: Iterable[Resolution], /) -> None:
        """Keep collisions; one that the run has already, values and all, is kept once."""
        self._database.write_many(_ADD_COLLISION, (_collision_row(run, resolution) for resolution in resolutions))

    def drop_resolutions(self, numbers: Iterable[int], /) -> None:
        """Forget collisions, by their numbers: they are decided anew."""
        self._database.write_many(_DROP_COLLISION, ((number,) for number in numbers))

    def resolutions(self, run: int | None, /, *, after: int, limit: int) -> Sequence[tuple[int, Resolution]]:
        """Return the next collisions, of one run or all, each with its number."""
        if run is None:
            return self._database.read(_collision_from, _ALL_COLLISIONS, (after, limit))
        return self._database.read(_collision_from, _COLLISIONS, (run, after, limit))

    def resolutions_of(self, run: int, entity: AnyEntity, key: str, /) -> Sequence[tuple[int, Resolution]]:
        """Return a run's collisions of one record, by its Dynamics GUID, each with its number."""
        return self._database.read(_collision_from, _COLLISIONS_OF, (run, entity.logical_name, key))

    def hold(self, run: int, items: Iterable[Hold | Quarantined], /) -> None:
        """Keep holds and quarantined records; one of the same entity, key and field is replaced, its attempts counted."""
        self._database.write_many(_HOLD, (_hold_row(run, item) for item in items))

    def release(self, items: Iterable[tuple[AnyEntity, str, str | None]], /) -> None:
        """Forget holds (entity, key, field) and quarantined records (entity, key, None)."""
        rows = ((entity.logical_name, key, field or _WHOLE_RECORD) for entity, key, field in items)
        self._database.write_many(_RELEASE, rows)

    def release_record(self, records: Iterable[tuple[AnyEntity, str]], /) -> None:
        """Forget every hold of these records, and their quarantine."""
        self._database.write_many(_RELEASE_RECORD, ((entity.logical_name, key) for entity, key in records))

    def kept_back(self, keys: Collection[str], /) -> Mapping[str, Sequence[Hold | Quarantined]]:
        """Return what stands of these records, by key; records on which nothing stands are left out."""
        found: dict[str, list[Hold | Quarantined]] = {}
        for row in self._database.rows(_KEPT_BACK, (listed(keys),)):
            _, item = _hold_from(row) if row[4] != _WHOLE_RECORD else _quarantined_from(row)
            found.setdefault(item.key, []).append(item)
        return found

    def holds(self, run: int | None, /, *, after: int, limit: int) -> Sequence[tuple[int, Hold]]:
        """Return the next holds, those a run found or all that stand, each with its number."""
        if run is None:
            return self._database.read(_hold_from, _ALL_HOLDS, (False, after, limit))
        return self._database.read(_hold_from, _HOLDS, (run, False, after, limit))

    def quarantine(self, run: int | None, /, *, after: int, limit: int) -> Sequence[tuple[int, Quarantined]]:
        """Return the next quarantined records, those a run found or all that stand, each with its number."""
        if run is None:
            return self._database.read(_quarantined_from, _ALL_HOLDS, (True, after, limit))
        return self._database.read(_quarantined_from, _HOLDS, (run, True, after, limit))


def _collision_row(run: int, resolution: Resolution) -> Row:
    """Return the columns from `run` on; the number is the table's to give."""
    collision = resolution.collision
    return (
        run,
        collision.entity.logical_name,
        custom_of(collision.entity),
        resolution.key,
        collision.field,
        None if collision.was is MISSING else written(collision.was),
        written(collision.marketo),
        written(collision.dynamics),
        resolution.winner.value,
        plain(resolution.verdict.because),
        resolution.kind,
    )


def _collision_from(row: Row) -> tuple[int, Resolution]:
    """Return the number and the collision of a row without its run."""
    id, entity, custom, key, field, was, marketo, dynamics, winner, because, kind = row
    collision = Collision(
        entity=entity_of(entity, custom),
        field=field,
        was=MISSING if was is None else from_json(was),
        marketo=from_json(marketo),
        dynamics=from_json(dynamics),
    )
    return id, Resolution(collision=collision, verdict=Win(System(winner), because=because), key=key, kind=kind)


def _hold_row(run: int, item: Hold | Quarantined) -> Row:
    """Return the columns from `run` on; the number is the table's to give."""
    return (
        run,
        item.entity.logical_name,
        custom_of(item.entity),
        item.key,
        item.field if isinstance(item, Hold) else _WHOLE_RECORD,
        item.code,
        plain(item.reason),
        item.wake.value,
        instant_or_none(item.until),
        item.attempts,
        item.refused if isinstance(item, Hold) else "",
        item.awaits if isinstance(item, Hold) else "",
    )


def _hold_from(row: Row) -> tuple[int, Hold]:
    """Return the number and the hold of a row without its run."""
    id, entity, custom, key, field, code, reason, wake, until, attempts, refused, awaits = row
    hold = Hold(
        entity=entity_of(entity, custom),
        key=key,
        field=field,
        code=code,
        reason=reason,
        wake=Wake(wake),
        until=time_or_none(until),
        attempts=attempts,
        refused=refused,
        awaits=awaits,
    )
    return id, hold


def _quarantined_from(row: Row) -> tuple[int, Quarantined]:
    """Return the number and the quarantined record of a row without its run."""
    id, hold = _hold_from(row)
    item = Quarantined(
        entity=hold.entity,
        key=hold.key,
        code=hold.code,
        reason=hold.reason,
        wake=hold.wake,
        until=hold.until,
        attempts=hold.attempts,
    )
    return id, item
