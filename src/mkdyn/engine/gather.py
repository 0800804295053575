"""Gather: store what both systems say has changed, and where to go on, page by page.

A page's observations and the cursor behind it are kept in one transaction. What is our
own doing is dropped here: a Dynamics row whose version we know, a Marketo entry that says
just what we wrote. Reconcile knows no other source of work than observations.
"""

from __future__ import annotations

from collections.abc import Collection

from mkdyn.domain.entities import PERSON
from mkdyn.domain.records import Key, LinkState
from mkdyn.domain.systems import System
from mkdyn.engine.entries import read_entries_of_persons
from mkdyn.engine.feeds import feed_name, observe
from mkdyn.engine.rows import read_rows_of_table
from mkdyn.engine.session import Session
from mkdyn.engine.together import together
from mkdyn.errors import BudgetSpentError, TransientError
from mkdyn.ports.observer import FeedFailed
from mkdyn.ports.store import Observation


async def gather(session: Session) -> None:
    """Read every feed to its end; one that fails stops where it stood, the others go on."""
    if session.store.cursor(feed_name(System.MARKETO, PERSON)) is None:
        await _gather_marketo(session)  # before anything of Dynamics is read
    await together(
        lambda: _gather_marketo(session),
        lambda: _gather_dynamics(session),
    )


async def _gather_marketo(session: Session) -> None:
    if session.persons:
        await _read_feed(session, System.MARKETO, PERSON)


async def observe_keys(session: Session, keys: Collection[Key]) -> None:
    """Observe just these records, and their counterparts; Dynamics' feeds stay where they are.

    A Dynamics GUID is looked for in every selected table, a Marketo key among the persons. Marketo's feed is read:
    it proves who changed what.
    """
    store = session.store
    await _gather_marketo(session)
    found: list[Observation] = []
    strangers = {key.id for key in keys if session.persons and key.system is System.MARKETO and key.id.isdecimal()}
    for kind in session.kinds:
        by_row = store.links([kind.name], System.DYNAMICS, [key.id for key in keys if key.system is System.DYNAMICS])
        by_person = store.links([kind.name], System.MARKETO, [key.id for key in keys if key.system is System.MARKETO])
        strangers -= by_person.keys()
        guids = {key.id for key in keys if key.system is System.DYNAMICS} | {
            link.dynamics for link in by_person.values()
        }
        rows = await session.dynamics.read(kind.name, sorted(guids), fields=kind.read_fields)
        found += [
            Observation(system=System.DYNAMICS, object=kind.name, key=row.key, record=row) for row in rows.values()
        ]
        found += [
            Observation(system=System.MARKETO, object=kind.object, key=link.marketo)
            for link in {link.id: link for link in (*by_row.values(), *by_person.values())}.values()
            if not (link.state is LinkState.TOMBSTONE and link.gone is System.MARKETO)  # nobody brings a person back
        ]
    found += [Observation(system=System.MARKETO, object=PERSON, key=key) for key in sorted(strangers)]
    with store.transaction():
        observe(session, found)
    session.observed += len(found)


async def _gather_dynamics(session: Session) -> None:
    for kind in session.kinds:
        await _read_feed(session, System.DYNAMICS, kind.name)


async def _read_feed(session: Session, system: System, name: str) -> None:
    try:
        if system is System.MARKETO:
            await read_entries_of_persons(session)
        else:
            kind = next(kind for kind in session.kinds if kind.name == name)
            await read_rows_of_table(session, kind)
    except BudgetSpentError as error:
        session.unheard |= system is System.MARKETO
        session.paused = error.what
    except TransientError as error:
        session.unheard |= system is System.MARKETO
        session.tell(FeedFailed(run_id=session.id, system=system, object=name, reason=type(error).__name__))
        session.warn(f"{system}'s feed of {name} stopped: {error.what}")
