"""Links: which two records are one real thing, and what both showed when they last agreed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from itertools import count
from typing import Any, Final

import attrs

from mkdyn.adapters.sqlite.baselines import Kept, column_of
from mkdyn.adapters.sqlite.columns import (
    STATES,
    instant_or_none,
    listed,
    system_or_none,
    time_or_none,
    value_or_none,
    written,
)
from mkdyn.adapters.sqlite.database import Row, Tables
from mkdyn.domain.entities import Entity
from mkdyn.domain.evidence import Echoes
from mkdyn.domain.records import Link, LinkState, make_echo, make_link, short
from mkdyn.domain.systems import System
from mkdyn.domain.values import from_json
from mkdyn.errors import StateCorruptError

_NONE: Final = "{}"  # no echoes: the usual case
_LIVE: Final = LinkState.LIVE.value
_PERSON: Final = Entity.LEAD.marketo_object
#: Leads and contacts share Marketo's keys; every other entity has an object of its own.
_SHARED: Final = {Entity.LEAD.logical_name: _PERSON, Entity.CONTACT.logical_name: _PERSON}

_COLUMNS: Final = (
    "link.id, link.entity, link.object, link.dynamics, link.marketo, link.state, link.origin, link.version, "
    "link.baseline, link.echoes, link.gone, link.since, link.attempt"
)

# The conditions on `state` are word for word those of the partial indexes, or SQLite would not use them.
# CROSS JOIN: each wanted key is looked up in the index, whatever SQLite guesses about their number.


def _by_key(system: System, states: str) -> str:
    return (
        f"SELECT {_COLUMNS} FROM (SELECT value AS asked FROM json_each(?1)) "  # noqa: S608 - constants only
        f"CROSS JOIN link ON link.{system.value} = asked "
        f"WHERE link.state {states} AND link.entity IN (SELECT value FROM json_each(?2))"
    )


# A record is in one living link, so these need no order; of its tombstones the newest comes last.
_LIVING: Final = {system: _by_key(system, "IN ('live', 'suspended', 'frozen')") for system in System}
_TOMBSTONES: Final = {system: _by_key(system, "= 'tombstone'") + " ORDER BY link.id" for system in System}

_VERSIONS: Final = """
    SELECT link.dynamics, link.version FROM (SELECT value AS asked FROM json_each(?1))
    CROSS JOIN link ON link.dynamics = asked
    WHERE link.state IN ('live', 'suspended', 'frozen') AND link.state = 'live' AND link.entity = ?2
        AND link.version IS NOT NULL
"""

_AFTER: Final = f"SELECT {_COLUMNS} FROM link WHERE entity = ? AND state = ? AND id > ? ORDER BY id LIMIT ?"  # noqa: S608 - constants only

# Links trade keys within a batch (one becomes a tombstone, another takes its person over). What is to change steps
# aside first, so that the order in the batch does not matter.
_STEP_ASIDE: Final = "UPDATE link SET state = 'tombstone' WHERE id = ?"

_PLACES: Final = """
    SELECT id, entity, object, dynamics, marketo, state FROM link WHERE id IN (SELECT value FROM json_each(?))
"""

_ADD: Final = """
    INSERT INTO link (
        entity, object, dynamics, marketo, state, origin, version, baseline, echoes, gone, since, attempt, id
    ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""

# Two statements for one row: what indexes are made of seldom changes, and a statement that names such a column
# writes its index anew even where the value stays.
_MOVE: Final = "UPDATE link SET entity = ?, object = ?, dynamics = ?, marketo = ?, state = ? WHERE id = ?"
_CHANGE: Final = """
    UPDATE link SET origin = ?, version = ?, baseline = ?, echoes = ?, gone = ?, since = ?, attempt = ? WHERE id = ?
"""

_RIVAL: Final = """
    SELECT id FROM link
    WHERE id <> ?1 AND state IN ('live', 'suspended', 'frozen')
        AND (dynamics = ?3 AND entity = ?2 OR marketo = ?4 AND object = ?5)
"""

_COUNT_IN: Final = """
    INSERT INTO link_count (entity, live) VALUES (?, ?) ON CONFLICT (entity) DO UPDATE SET live = live + excluded.live
"""
_COUNT: Final = "SELECT entity, live FROM link_count WHERE live > 0"


class LinkTables(Tables):
    """The table `link`."""

    def links(self, entities: Collection[str], system: System, keys: Collection[str], /) -> Mapping[str, Link]:
        """Return the links of these records by that system's key: the living one (live, suspended or frozen), else the newest tombstone.

        Args:
            entities: Logical names; leads and contacts are looked up together for a Marketo person.
            system: Whose keys these are.
            keys: The keys.
        """
        found = self._database.recent.links.of(entities, system, keys)
        rest = [key for key in keys if key not in found]
        if not rest:
            return found
        names = listed(entities)
        for link in self._database.read(self._link_from, _LIVING[system], (listed(rest), names)):
            found[link.key(system)] = link
            self._database.recent.links.keep(link.id, link)
        rest = [key for key in rest if key not in found]
        if rest:
            dead = self._database.read(self._link_from, _TOMBSTONES[system], (listed(rest), names))
            found.update((link.key(system), link) for link in dead)  # in order of id: the newest stays
        return found

    def versions(self, entity: str, rows: Collection[str], /) -> Mapping[str, str]:
        """Return the Dynamics versions that the baselines of these rows' live links cover, by row."""
        return dict(self._database.rows(_VERSIONS, (listed(rows), entity)))

    def put_links(self, links: Sequence[Link], /) -> Sequence[Link]:
        """Insert links with id 0, replace the others; return them with their ids.

        A record is in at most one living link.

        Raises:
            StateCorruptError: A record would be in two.
        """
        if not links:
            return []
        there = {link.id: link for link in links if link.id}  # of one that is put twice, the last stays
        kept, added = links, list[Link]()
        if any(not link.id for link in links):
            number = count(self._database.last_number("link") + 1)
            kept = [link if link.id else attrs.evolve(link, id=next(number)) for link in links]
            added = [link for link, given in zip(kept, links, strict=True) if not given.id]
        at_hand = self._database.recent.links
        mobile = [link for link in there.values() if not _stays(at_hand.get(link.id), link)]
        before = self._places(mobile)
        moved = [link for link in mobile if before.get(link.id) != _place(link)]
        self._recount(before, [*mobile, *added])
        self._database.write_many(_STEP_ASIDE, ((link.id,) for link in moved))
        try:
            self._database.write_many(_MOVE, ((*_place(link), link.id) for link in moved))
            self._database.write_many(_ADD, ((*_place(link), *_facts(link), link.id) for link in added))
        except StateCorruptError as error:
            raise self._linked_twice(kept) or error from error
        self._database.write_many(_CHANGE, ((*_facts(link), link.id) for link in there.values()))
        for id in there:
            at_hand.pop(id, None)
        return kept

    def _places(self, links: Sequence[Link]) -> Mapping[int, Row]:
        """Return where these links stand in the table, by id."""
        at_hand = self._database.recent.links
        places = {link.id: _place(at_hand[link.id]) for link in links if link.id in at_hand}
        unread = [link.id for link in links if link.id not in places]
        if unread:
            places |= {id: tuple(place) for id, *place in self._database.rows(_PLACES, (listed(unread),))}
        return places

    def _recount(self, before: Mapping[int, Row], links: Sequence[Link]) -> None:
        """Count links as they will be, each once, and no more as they were."""
        changes = Counter(link.entity for link in links if link.state is LinkState.LIVE)
        changes.subtract(entity for entity, *_, state in before.values() if state == _LIVE)
        self._database.write_many(_COUNT_IN, [(entity, change) for entity, change in changes.items() if change])

    def _linked_twice(self, links: Sequence[Link]) -> StateCorruptError | None:
        """Return an error that names the first link with a rival, or None where none has one."""
        for link in links:
            claim = (link.id, link.entity, link.dynamics, link.marketo, _object_of(link.entity))
            if link.state is not LinkState.TOMBSTONE and self._database.value(_RIVAL, claim) is not None:
                return StateCorruptError(
                    f"{self._database.name}: {link.entity} {short(link.dynamics)} and Marketo's "
                    f"{_object_of(link.entity)} {link.marketo} can't be linked: one of them is linked already.",
                    what_to_do="Nothing was kept. Restore a backup, and audit first.",
                )
        return None

    def links_after(
        self, entity: str, after: int, limit: int, /, *, states: Collection[LinkState] = (LinkState.LIVE,)
    ) -> Sequence[Link]:
        """Return the entity's next links with ids above *after*, in order of id."""
        # One query per state reads no more than a page of each; one for all would sort all that is left.
        rows = [
            row
            for state in set(states)
            for row in self._database.read(self._link_from, _AFTER, (entity, state.value, after, limit))
        ]
        return sorted(rows, key=lambda link: link.id)[:limit]

    def count_links(self) -> Mapping[str, int]:
        """Return how many live links each entity has, by logical name."""
        return dict(self._database.rows(_COUNT))

    def _link_from(self, row: Row) -> Link:
        """Return the link of a whole row."""
        id, entity, _, dynamics, marketo, state, origin, version, baseline, echoes, gone, since, attempt = row
        return make_link(
            id=id,
            entity=entity,
            dynamics=dynamics,
            marketo=marketo,
            state=STATES[state],
            origin=origin,
            version=version,
            baseline=Kept(baseline, self._database.name),
            echoes={} if echoes == _NONE else _echoes(from_json(echoes)),
            gone=system_or_none(gone),
            since=time_or_none(since),
            attempt=attempt,
        )


def _object_of(entity: str) -> str:
    """Return what stands for the Marketo object of an entity, by its logical name."""
    return _SHARED.get(entity, entity)


def _place(link: Link) -> Row:
    """Return the columns that say which two records these are, and whether they are linked."""
    return link.entity, _object_of(link.entity), link.dynamics, link.marketo, link.state._value_


def _stays(before: Link | None, link: Link) -> bool:
    """Whether a link stays where it was, as most of them do; if nothing is known of that, it may not."""
    return before is not None and (
        before.state is link.state
        and before.dynamics == link.dynamics
        and before.marketo == link.marketo
        and before.entity == link.entity
    )


def _facts(link: Link) -> Row:
    """Return the columns from `origin` on."""
    return (
        link.origin,
        link.version,
        column_of(link.baseline),
        written(_echoes_as_data(link.echoes)) if link.echoes else _NONE,
        value_or_none(link.gone),
        instant_or_none(link.since),
        link.attempt,
    )


def _echoes_as_data(echoes: Echoes) -> dict[str, object]:
    """Return echoes as plain data; one of which we are not sure has a fourth part."""
    return {
        field: [(echo.before, echo.after, instant_or_none(echo.at), *(() if echo.sure else (False,))) for echo in found]
        for field, found in echoes.items()
    }


def _echoes(data: Mapping[str, Any]) -> Echoes:
    """Read what `_echoes_as_data` wrote."""
    return {
        field: tuple(
            make_echo(before=before, after=after, at=time_or_none(at), sure=not unsure)
            for before, after, at, *unsure in found
        )
        for field, found in data.items()
    }
