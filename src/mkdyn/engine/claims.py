"""Who goes to whom by a write that is not settled yet: nobody else may claim either of them meanwhile."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import attrs

from mkdyn.domain.holds import Quarantined, Wake
from mkdyn.domain.plan import Operation
from mkdyn.domain.records import Link, LinkState
from mkdyn.domain.systems import System
from mkdyn.engine.kinds import Kind
from mkdyn.engine.session import CHUNK, Session


@attrs.frozen(kw_only=True)
class Claims:
    """Links that writes will make: those of earlier runs and rounds whose answers are open.

    Attributes:
        persons: Marketo records, each with its row.
        rows: Dynamics rows, each with its Marketo record; with itself where that is still to be made.
    """

    persons: Mapping[str, str] = attrs.field(factory=dict[str, str])
    rows: Mapping[str, str] = attrs.field(factory=dict[str, str])


def open_claims(session: Session) -> Claims:
    """Return what unsettled writes claim; there are few of them, however large the state."""
    persons: dict[str, str] = {}
    rows: dict[str, str] = {}
    after = 0
    while found := session.store.unsettled(after=after, limit=CHUNK):
        after = found[-1].id
        for operation in found:
            if not operation.link:
                row, person = _couple(operation)
                persons[person], rows[row] = row, person
    return Claims(persons=persons, rows=rows)


def _couple(operation: Operation) -> tuple[str, str]:
    """Return the row and the Marketo record that an operation writes to, or for."""
    if operation.system is System.DYNAMICS:
        return operation.key, operation.other
    return operation.other, operation.key


def claimed(session: Session, persons: Collection[str]) -> dict[str, str]:
    """Return which row each person goes to by a write that is planned or open."""
    planned = session.store.operations_on(session.id, System.MARKETO, persons)
    found = {key: operation.other for key, operation in planned.items() if operation.state == "planned"}
    return {**session.claims, **found, **open_claims(session).persons}


def claimed_rows(session: Session, rows: Collection[str]) -> dict[str, str]:
    """Return which Marketo record each row goes to by a write to it that is planned or open."""
    planned = session.store.operations_on(session.id, System.DYNAMICS, rows)
    found = {key: operation.other for key, operation in planned.items() if operation.state == "planned"}
    return {**found, **open_claims(session).rows}


def is_taken(session: Session, kind: Kind, link: Link) -> bool:
    """Whether either record of a link is in another one by now, or will be."""
    names = [other.name for other in session.kinds if other.object == kind.object]
    by_person = session.store.links(names, System.MARKETO, [link.marketo]).get(link.marketo)
    by_row = session.store.links([kind.name], System.DYNAMICS, [link.dynamics]).get(link.dynamics)
    others = [other for other in (by_person, by_row) if other is not None and other.state is not LinkState.TOMBSTONE]
    if any((other.dynamics, other.marketo) != (link.dynamics, link.marketo) for other in others):
        return True
    return claimed(session, [link.marketo]).get(link.marketo, link.dynamics) != link.dynamics


def claimed_twice(kind: Kind, link: Link) -> Quarantined:
    """Return what is said of a row whose person belongs to another."""
    return Quarantined(
        entity=kind.entity, key=link.dynamics, code="ambiguous-match", wake=Wake.LINK,
        reason=f"person {link.marketo} belongs to another record already. Merge the two, or delete one of them.",
    )  # fmt: skip
