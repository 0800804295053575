"""Promotion: a Marketo person becomes a Dynamics lead or contact, by request or by rule."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Sequence
from typing import assert_never

import attrs

from mkdyn.domain.entities import PERSON, PersonEntity
from mkdyn.domain.holds import Quarantined, Wake
from mkdyn.domain.lifecycle import MAKE, PROMOTE, Ambiguous, Candidate, CreateNew, LinkTo, Reason, match
from mkdyn.domain.plan import Operation, Step
from mkdyn.domain.records import Link, Record, short
from mkdyn.domain.systems import System
from mkdyn.domain.values import MISSING
from mkdyn.engine.claims import claimed, claimed_rows
from mkdyn.engine.first_sight import candidate, comparable, keys_of
from mkdyn.engine.gates import lets_in
from mkdyn.engine.kinds import Kind
from mkdyn.engine.ledger import Ledger, clears
from mkdyn.engine.linking import link_to_marketo, values_for_new
from mkdyn.engine.patience import Patient
from mkdyn.engine.session import Session
from mkdyn.errors import ConfigError
from mkdyn.ports.connectors import MarketoConnector
from mkdyn.ports.store import Observation, StateStore

#: How many unknown persons an error names.
UNKNOWN_NAMED_MAX = 10
#: Root of the GUIDs we choose for new Dynamics rows: the same person, the same GUID.
_NAMESPACE = uuid.UUID("6f1d2c34-6f0e-5d0e-9a55-9d1c6f2b7a10")


def row_key(organization: str, table: str, person: str, attempt: int) -> str:
    """Return the GUID of the Dynamics row for a person, so that a create repeated after a crash finds itself.

    Args:
        organization: The Marketo instance.
        table: Logical name of the Dynamics table.
        person: The person's id.
        attempt: How many rows the person has had before.
    """
    return str(uuid.uuid5(_NAMESPACE, f"{organization}/{table}/{person}/{attempt}"))


async def expect_promotable(
    marketo: Patient[MarketoConnector], store: StateStore, persons: Sequence[str], to: PersonEntity
) -> None:
    """Make sure that persons can be asked for.

    Raises:
        ConfigError: Marketo does not show one of them, or no field of *to* is selected.
    """
    if all(item.pair.entity is not to for item in store.pairs()):
        raise ConfigError(
            f"Nobody can become a {to}: no field of it is selected.",
            what_to_do=f"Select some first: sync.fields.select_defaults(Entity.{to.name}).",
        )
    there = await marketo.read(PERSON, persons, fields=["id"])
    unknown = [person for person in dict.fromkeys(persons) if person not in there]
    if unknown:
        named = ", ".join(unknown[:UNKNOWN_NAMED_MAX])
        more = f" and {len(unknown) - UNKNOWN_NAMED_MAX:,} more" if len(unknown) > UNKNOWN_NAMED_MAX else ""
        raise ConfigError(
            f"Marketo shows no person {named}{more}; nobody was promoted.",
            what_to_do="Check the ids: one that was merged goes on under the winner's. Then ask again for the others.",
        )


async def meet_persons(session: Session, observations: Sequence[Observation], ledger: Ledger) -> None:
    """Decide persons without a Dynamics record: promote who was asked for or fits a rule, leave the others alone."""
    if not observations:
        return
    claims = claimed(session, [item.key for item in observations])  # those are about to be linked
    present = [item for item in observations if not item.deleted and item.key not in claims]
    ledger.clear(*(item for item in observations if item.deleted))
    fields = {field for kind in session.persons for field in kind.marketo_fields}
    fields |= {field for promotion in session.rules.promote for field in promotion.when.fields}
    found = await session.marketo.read(PERSON, [item.key for item in present], fields=sorted(fields))
    chosen: defaultdict[str, list[tuple[Observation, Record]]] = defaultdict(list)
    for item in present:
        person = found.get(item.key)
        name = item.wanted or (None if person is None else _by_rule(session, person))
        reason: Reason = "asked for" if item.wanted else "nothing" if name is None else "a rule"
        asked = PROMOTE(person is not None, reason)
        if asked == "say so":
            session.warn(f"person {item.key} was to be promoted, but Marketo does not show it")
        if asked != "promote" or person is None or name is None:
            ledger.clear(item)
        else:
            chosen[name].append((item, person))
    for kind in session.persons:
        await _promote(session, kind, chosen.get(kind.name, []), ledger)


def _by_rule(session: Session, person: Record) -> str | None:
    there = [kind.entity for kind in session.persons]
    for promotion in session.rules.promote:
        if promotion.when(person.values) and promotion.to in there:
            return promotion.to.logical_name
    return None


async def _promote(session: Session, kind: Kind, persons: Sequence[tuple[Observation, Record]], ledger: Ledger) -> None:
    """Link persons to the rows that stand for them already, or plan new rows."""
    if not persons:
        return
    key_field = str(kind.key_field)
    carried = [str(value) for _, person in persons if (value := person.values.get(key_field))]
    there = await session.dynamics.read(kind.name, carried, fields=kind.read_fields)
    rows = await _rows_sharing(session, kind, [person for _, person in persons])
    keys = {*there, *(row.key for found in rows.values() for row in found)}
    links = session.store.links([kind.name], System.DYNAMICS, keys)
    undecided = session.store.observed(System.DYNAMICS, kind.name, keys - links.keys())
    claims = claimed_rows(session, keys)
    earlier = session.store.links([kind.name], System.MARKETO, [person.key for _, person in persons])
    places = {person.key: _places(session, kind, person) for _, person in persons}
    at_place: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for key, found in places.items():
        for place in found:
            at_place[place].append(key)

    def met(row: Record, person: Record) -> Candidate:
        found = candidate(row.key, links, "promoted")
        free = claims.get(row.key, person.key) == person.key and lets_in(kind, row)
        return found if free else attrs.evolve(found, linked=True)

    def carried_by(person: Record) -> Record | None:
        return there.get(str(person.values.get(key_field)))

    for item, person in sorted(persons, key=lambda found: carried_by(found[1]) is None):
        own = carried_by(person)
        sharing = next((rows[place] for place in places[person.key] if place in rows), list[Record]())
        if not undecided.keys().isdisjoint(row.key for row in (own, *sharing) if row is not None):
            continue  # somebody else may be about to go to that row
        rivals = list(
            dict.fromkeys(key for place in places[person.key] for key in at_place[place] if key != person.key)
        )
        decision = match(
            [met(own, person)] if own is not None else [],
            [met(row, person) for row in sharing],
            rivals,
        )
        match decision:
            case LinkTo(key=key, by=by):
                row = own if own is not None and own.key == key else next(row for row in sharing if row.key == key)
                claims[key] = person.key
                link_to_marketo(session, kind, item, row, person, ledger, by=by)
                ledger.at_rest.append((kind.entity, person.key))
            case CreateNew():
                _create_in_dynamics(session, kind, item, person, earlier.get(person.key), ledger)
            case Ambiguous(candidates=candidates):
                shared = ", ".join(short(key) for key in candidates)
                way_in = "let them pass the filter, " if kind.gate.fields or kind.gate.blind else ""
                ledger.kept_back.append(
                    Quarantined(
                        entity=kind.entity, key=person.key, code="ambiguous-match", wake=Wake.LINK,
                        reason=f"{kind.entity.plural} {shared} in Dynamics share its e-mail. Merge them, "
                        f"{way_in}or set {key_field} of the person to one.",
                    )
                )  # fmt: skip
                ledger.clear(item)
            case _:
                assert_never(decision)


def _places(session: Session, kind: Kind, person: Record) -> list[tuple[str, str]]:
    """Return the person's match keys: Dynamics field and comparable value."""
    names = keys_of(session, kind)
    pairs = [kind.by_dynamics[name] for name in names if name in kind.by_dynamics]
    found = [(pair.dynamics, comparable(person.values.get(pair.marketo, MISSING))) for pair in pairs]
    return [(name, value) for name, value in found if value is not None]


async def _rows_sharing(session: Session, kind: Kind, persons: Sequence[Record]) -> dict[tuple[str, str], list[Record]]:
    """Ask Dynamics for every row that shares a match key with one of *persons*."""
    wanted: defaultdict[str, set[str]] = defaultdict(set)
    for person in persons:
        for name, value in _places(session, kind, person):
            wanted[name].add(value)
    sharing: defaultdict[tuple[str, str], list[Record]] = defaultdict(list)
    for name, values in wanted.items():
        for row in await session.dynamics.find(kind.name, name, sorted(values), fields=kind.read_fields):
            sharing[name, str(comparable(row.values.get(name, MISSING)))].append(row)
    return dict(sharing)


def _create_in_dynamics(
    session: Session, kind: Kind, item: Observation, person: Record, earlier: Link | None, ledger: Ledger
) -> None:
    """Plan a new row, unless a column that Dynamics requires would be empty."""
    organization = session.identities[System.MARKETO].organization
    attempt = 0 if earlier is None else earlier.attempt + 1
    key = row_key(organization, kind.name, person.key, attempt)
    after, awaited, holds = values_for_new(kind, person.values, System.DYNAMICS, person.key)
    lacking = [name for name in kind.required if after.get(name) is None]
    if MAKE(bool(lacking)) == "hold":
        ledger.kept_back.append(
            Quarantined(
                entity=kind.entity, key=person.key, code="required",
                reason=f"Dynamics requires {', '.join(lacking)}. Fill it in on person {person.key} in Marketo.",
            )
        )  # fmt: skip
        ledger.clear(item)
        return
    ledger.kept_back += holds
    ledger.at_rest.append((kind.entity, person.key))
    ledger.operations.append(
        Operation(
            entity=kind.entity, system=System.DYNAMICS, kind="create", key=key, other=person.key,
            after=after, awaited=awaited, attempt=attempt, because="promoted",
            step=Step(origin="promoted", clears=clears(item)),
        )
    )  # fmt: skip
