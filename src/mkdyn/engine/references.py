"""References to records that the other system does not have yet: held, until those are linked."""

from __future__ import annotations

from mkdyn.domain.fields import FieldPair
from mkdyn.domain.holds import Wake
from mkdyn.domain.plan import Operation
from mkdyn.domain.records import LinkState
from mkdyn.domain.systems import System
from mkdyn.engine.feeds import observe
from mkdyn.engine.kinds import Kind
from mkdyn.engine.session import CHUNK, Session
from mkdyn.ports.store import Observation


def awaited_row(session: Session, kind: Kind, operation: Operation, pair: FieldPair) -> str:
    """Return the GUID of the row that a refused field names, if that row is not linked; else an empty text.

    A reference to a record that is linked was refused for another reason, so no link will help it.
    """
    value = operation.after.get(pair.marketo)
    if operation.system is not System.MARKETO or pair.dynamics not in kind.references or not isinstance(value, str):
        return ""
    return "" if value in _linked(session, [value]) else value


def wake_waiting(session: Session) -> None:
    """Decide the records anew that name a row which is linked by now."""
    store, after = session.store, 0
    while page := store.holds(None, after=after, limit=CHUNK):
        after = page[-1][0]
        waiting = [hold for _, hold in page if hold.wake is Wake.LINK and hold.awaits]
        there = _linked(session, [hold.awaits for hold in waiting])
        ready = [hold for hold in waiting if hold.awaits in there]
        with store.transaction():
            store.release((hold.entity, hold.key, hold.field) for hold in ready)
            observe(
                session,
                (Observation(system=System.DYNAMICS, object=hold.entity.logical_name, key=hold.key) for hold in ready),
            )


def _linked(session: Session, rows: list[str]) -> set[str]:
    """Return those of some Dynamics rows that have a live link, of whichever kind."""
    found = session.store.links([kind.name for kind in session.kinds], System.DYNAMICS, rows)
    return {row for row, link in found.items() if link.state is LinkState.LIVE}
