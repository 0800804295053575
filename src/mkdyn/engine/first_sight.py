"""First sight: a Dynamics row that no link knows. Find its counterpart in Marketo, or make one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import assert_never

import attrs

from mkdyn.domain.entities import PERSON, Entity
from mkdyn.domain.holds import Quarantined, Wake
from mkdyn.domain.lifecycle import Ambiguous, Candidate, CreateNew, LinkTo, match
from mkdyn.domain.records import Link, LinkState, Origin, Record, short
from mkdyn.domain.systems import System
from mkdyn.domain.values import MISSING, Shown
from mkdyn.engine.claims import claimed, claimed_twice
from mkdyn.engine.gates import lets_in
from mkdyn.engine.kinds import Kind
from mkdyn.engine.ledger import Ledger
from mkdyn.engine.linking import create_in_marketo, link_to_marketo
from mkdyn.engine.references import look_up
from mkdyn.engine.session import CHUNK, Session
from mkdyn.ports.store import Observation


async def meet_rows(
    session: Session,
    kind: Kind,
    strangers: Sequence[Observation],
    reborn: Sequence[Observation],
    ledger: Ledger,
) -> None:
    """Decide rows that no link knows, and those whose Marketo record is to be made anew."""
    rows = await _let_in(session, kind, strangers, ledger)
    again = await _let_in(session, kind, reborn, ledger)
    look_up(session, kind, (row for _, row in (*rows, *again)))
    bearers: Mapping[object, Sequence[Record]] = {}
    if kind.person:
        bearers = await _bearers(session, kind, [row.key for _, row in (*rows, *again)])
        await _match_rows(session, kind, rows, bearers, ledger)
    else:
        await _meet_keyed(session, kind, rows, ledger)
    for observation, row in again:
        _make_anew(session, kind, observation, row, bearers.get(row.key, ()), ledger)


async def _let_in(
    session: Session, kind: Kind, observations: Sequence[Observation], ledger: Ledger
) -> list[tuple[Observation, Record]]:
    """Return the rows that pass the filter, with their values; the others are dealt with."""
    passing: list[tuple[Observation, Record]] = []
    for observation, row in await _with_records(session, kind, observations, ledger):
        if lets_in(kind, row):
            passing.append((observation, row))
        else:
            ledger.clear(observation)
            ledger.at_rest.append((kind.entity, row.key))
    return passing


async def _with_records(
    session: Session, kind: Kind, observations: Sequence[Observation], ledger: Ledger
) -> list[tuple[Observation, Record]]:
    """Return rows with their values, read where the observation has none; rows that are gone are dealt with."""
    unread = [item.key for item in observations if item.record is None and not item.deleted]
    found = await session.dynamics.read(kind.name, unread, fields=kind.read_fields)
    rows: list[tuple[Observation, Record]] = []
    for item in observations:
        record = item.record or found.get(item.key)
        if record is None or item.deleted:
            ledger.clear(item)
        else:
            rows.append((item, record))
    return rows


async def _meet_keyed(session: Session, kind: Kind, rows: Sequence[tuple[Observation, Record]], ledger: Ledger) -> None:
    """Link or create companies, opportunities, sales persons and custom objects: their key is the GUID."""
    there = await session.marketo.read(kind.object, [row.key for _, row in rows], fields=kind.marketo_fields)
    for observation, row in rows:
        if row.key in there:
            link_to_marketo(session, kind, observation, row, there[row.key], ledger, by="id")
        else:
            create_in_marketo(session, kind, observation, row, ledger)


# -- persons ---------------------------------------------------------------------------------------


def _fields(session: Session, kind: Kind) -> Sequence[str]:
    """Return what is read of persons to match them."""
    return sorted({*kind.marketo_fields, *(str(other.key_field) for other in session.persons)})


async def _bearers(session: Session, kind: Kind, rows: Collection[str]) -> Mapping[object, Sequence[Record]]:
    """Return, by row, the persons that bear its GUID."""
    found: defaultdict[object, list[Record]] = defaultdict(list)
    key_field, fields = str(kind.key_field), _fields(session, kind)
    for person in await session.marketo.find(kind.object, key_field, rows, fields=fields) if rows else ():
        found[person.values.get(key_field)].append(person)
    return found


def _make_anew(
    session: Session, kind: Kind, observation: Observation, row: Record, bearers: Sequence[Record], ledger: Ledger
) -> None:
    """Make a record for a row that had one, unless somebody else's person bears its GUID: that would be written over.

    Such a person is looked at: the GUID is taken from it, and then the row has one of its own. That of a row that rests
    keeps it.
    """
    names = [other.name for other in session.persons]
    links = session.store.links(names, System.MARKETO, [person.key for person in bearers]) if bearers else {}
    taken = [link for link in links.values() if link.state is not LinkState.TOMBSTONE and link.dynamics != row.key]
    if taken:
        ledger.kept_back.append(attrs.evolve(claimed_twice(kind, taken[0]), key=row.key))
        ledger.observed += [Observation(system=System.MARKETO, object=kind.object, key=link.marketo) for link in taken]
        if all(link.state is LinkState.FROZEN for link in taken):
            ledger.clear(observation)
    elif not _is_given(session, kind, row.key):  # else it is met once Marketo shows who has its GUID
        create_in_marketo(session, kind, observation, row, ledger)


async def _match_rows(
    session: Session,
    kind: Kind,
    rows: Sequence[tuple[Observation, Record]],
    by_id: Mapping[object, Sequence[Record]],
    ledger: Ledger,
) -> None:
    if not rows:
        return
    matcher = _KeyMatcher(session, kind, _fields(session, kind))
    await matcher.look_up([row for _, row in rows if row.key not in by_id])
    everybody = {person.key for found in by_id.values() for person in found} | matcher.persons.keys()
    links = session.store.links([other.name for other in session.persons], System.MARKETO, everybody)
    await matcher.look_for_rivals(links)
    claims = claimed(session, everybody)
    for observation, row in rows:
        own = by_id.get(row.key, [])

        def unclaimed(found: Candidate, row: Record = row) -> Candidate:
            return found if claims.get(found.key, row.key) == row.key else attrs.evolve(found, linked=True)

        decision = match(
            [unclaimed(candidate(person.key, links)) for person in own],
            [unclaimed(matcher.candidate(person, row, links)) for person in matcher.of(row)],
            matcher.rivals_of(row),
        )
        match decision:
            case LinkTo(key=key, by=by):
                claims[key] = row.key
                person = next((item for item in own if item.key == key), None) or matcher.persons[key]
                link_to_marketo(session, kind, observation, row, person, ledger, by=by)
            case CreateNew() if _is_given(session, kind, row.key):
                pass  # it is met once Marketo shows who has its GUID
            case CreateNew():
                create_in_marketo(session, kind, observation, row, ledger)
            case Ambiguous(candidates=persons, rivals=rivals):
                session.met("ambiguous", row.key)
                shared = "GUID" if own else "e-mail"
                ledger.kept_back.append(_ambiguous(kind, row, persons, rivals, session.rules.key_field, shared))
                ledger.clear(observation)
            case _:
                assert_never(decision)


def _is_given(session: Session, kind: Kind, row: str) -> bool:
    """Whether a person was just given a row's GUID, by the feed's word, and Marketo may not show it yet.

    A create would find that person by it, and write over what stands there.
    """
    if session.given is None:
        session.given, after = set(), 0
        delay = timedelta(seconds=session.identities[System.MARKETO].settles_after_s)
        names = {other.key_field for other in session.persons}
        while delay and (told := session.store.observations(System.MARKETO, PERSON, after=after, limit=CHUNK)):
            after = told[-1].version
            fresh = [item for item in told if (item.seen_at or session.now()) + delay > session.now()]
            entries = [(item.key, entry) for item in fresh for entry in item.evidence if entry.field in names]
            last = {(person, entry.field): entry.new for person, entry in entries}
            session.given |= {(field, new) for (_, field), new in last.items() if new}
    return (kind.key_field or "", row) in session.given


def candidate(key: str, links: Mapping[str, Link], ours: Origin = "created") -> Candidate:
    """Return a record as matching sees it: linked or not, made by us (links of origin *ours*) or not, buried or not."""
    link = links.get(key)
    if link is None:
        return Candidate(key=key)
    if link.state is LinkState.TOMBSTONE:
        return Candidate(key=key, buried=True)
    return Candidate(key=key, linked=True, ours=link.origin == ours)


def _ambiguous(
    kind: Kind, row: Record, persons: Sequence[str], rivals: Sequence[str], key_field: str, shared: str
) -> Quarantined:
    many = len(persons) != 1
    who = f"person{'s' if many else ''} {', '.join(persons)} share{'' if many else 's'} its {shared}"
    also = f", and so do {', '.join(short(rival) for rival in rivals)} in Dynamics" if rivals else ""
    return Quarantined(
        entity=kind.entity, key=row.key, code="ambiguous-match", wake=Wake.LINK,
        reason=f"{who}{also}. Merge them, or set {kind.key_field or key_field} on one.",
    )  # fmt: skip


def comparable(value: Shown) -> str | None:
    """Return a match key as it is compared: trimmed, without regard to case; None if it is empty."""
    return value.strip().casefold() or None if isinstance(value, str) else None


class _KeyMatcher:
    """Looks rows up in Marketo by their match keys, in the configured order."""

    def __init__(self, session: Session, kind: Kind, fields: Sequence[str]) -> None:
        self._session, self._kind, self._fields = session, kind, fields
        self._pairs = [kind.by_dynamics[name] for name in keys_of(session, kind) if name in kind.by_dynamics]
        self.persons: dict[str, Record] = {}
        self._found: dict[tuple[str, str], list[str]] = {}
        self._rivals: dict[tuple[str, str], set[str]] = {}

    async def look_up(self, rows: Sequence[Record]) -> None:
        """Ask Marketo for everybody who shares a key with one of *rows*."""
        for pair in self._pairs:
            wanted = {value for row in rows if (value := comparable(row.values.get(pair.dynamics, MISSING)))}
            if not wanted:
                continue
            for person in await self._session.marketo.find(
                self._kind.object, pair.marketo, sorted(wanted), fields=self._fields
            ):
                value = str(comparable(person.values.get(pair.marketo, MISSING)))
                self.persons[person.key] = person
                self._found.setdefault((pair.dynamics, value), []).append(person.key)

    async def look_for_rivals(self, links: Mapping[str, Link]) -> None:
        """Ask Dynamics which other unlinked rows share the key of a person that is there already."""
        for pair in self._pairs:
            values = sorted(
                value
                for (name, value), keys in self._found.items()
                if name == pair.dynamics and any(not candidate(key, links).ours for key in keys)
            )
            for other in _rival_kinds(self._session, self._kind):
                if pair.dynamics not in other.by_dynamics or not values:
                    continue
                fields = [pair.dynamics, *other.gate.fields]
                rows = [
                    row
                    for row in await self._session.dynamics.find(other.name, pair.dynamics, values, fields=fields)
                    if other.gate.passes(row.values) != "out"
                ]
                linked = self._session.store.links([other.name], System.DYNAMICS, [row.key for row in rows])
                for row in rows:
                    if row.key not in linked:
                        value = str(comparable(row.values.get(pair.dynamics, MISSING)))
                        self._rivals.setdefault((pair.dynamics, value), set()).add(row.key)

    def of(self, row: Record) -> Sequence[Record]:
        """Return everybody who shares the first key that anybody shares."""
        for place in self._places(row):
            if place in self._found:
                return [self.persons[key] for key in self._found[place]]
        return ()

    def candidate(self, person: Record, row: Record, links: Mapping[str, Link]) -> Candidate:
        """Return a person as matching sees it; one that carries another row's GUID belongs to that row."""
        found = candidate(person.key, links)
        carried = {person.values.get(str(other.key_field)) for other in self._session.persons} - {None, row.key}
        return attrs.evolve(found, linked=True) if carried and not found.buried else found

    def rivals_of(self, row: Record) -> Sequence[str]:
        """Return the other unlinked rows that share the key."""
        shared = [self._rivals.get(place, set()) for place in self._places(row) if place in self._found]
        return sorted(set[str]().union(*shared[:1]) - {row.key})

    def _places(self, row: Record) -> Iterable[tuple[str, str]]:
        for pair in self._pairs:
            value = comparable(row.values.get(pair.dynamics, MISSING))
            if value is not None:
                yield pair.dynamics, value


def keys_of(session: Session, kind: Kind) -> Sequence[str]:
    """Return the Dynamics fields that a kind's records are matched by, in this order."""
    return session.rules.match_on.get(kind.entity, ()) if isinstance(kind.entity, Entity) else ()


def _rival_kinds(session: Session, kind: Kind) -> Collection[Kind]:
    """Contacts go before leads: a contact's rivals are contacts, a lead's are both."""
    return [other for other in session.persons if kind.entity is Entity.LEAD or other is kind]
