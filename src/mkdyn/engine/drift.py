"""A selected field that is not there any more: its pair goes missing, everything else goes on."""

from __future__ import annotations

import attrs

from mkdyn.domain.fields import PairState
from mkdyn.domain.systems import System
from mkdyn.engine.kinds import kinds_of
from mkdyn.engine.session import Session
from mkdyn.ports.observer import PairMissing
from mkdyn.ports.store import SelectedPair


async def note_missing(session: Session) -> bool:
    """Look for the selected fields in both systems; set the pairs of those that are gone aside, and tell.

    Returns:
        Whether any was gone, so that the run can go on without it.
    """
    there = {
        (system, name): {spec.name for spec in await session.connector(system).describe(name)}
        for system in System
        for name in sorted({kind.object_in(system) for kind in session.kinds})
    }
    gone: list[SelectedPair] = []
    for item in session.store.pairs():
        pair = item.pair
        places = {
            System.DYNAMICS: (pair.entity.logical_name, pair.dynamics),
            System.MARKETO: (pair.entity.marketo_object, pair.marketo),
        }
        for system, (name, field) in places.items():
            if pair.state is not PairState.MISSING and field not in there.get((system, name), {field}):
                gone.append(attrs.evolve(item, pair=attrs.evolve(pair, state=PairState.MISSING)))
                session.warn(f"{name}.{field} is not in {system} any more: it is not synced, everything else is")
                session.tell(PairMissing(run_id=session.id, system=system, object=name, field=field))
                break
    with session.store.transaction():
        session.store.put_pairs(gone)
    session.kinds = kinds_of(session.store.pairs(), session.rules)
    return bool(gone)
