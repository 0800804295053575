"""Discovery: what both systems say of their fields now, and what that does to the selected pairs.

Asked before anything is read, cheaply where the system can say that nothing changed, and
again after: a value read while a right was missing is no clear, so the pair must be gone
from the run before it is decided.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import TypeAlias

import attrs

from mkdyn.domain.feeds import Cursor
from mkdyn.domain.fields import FieldPair, FieldSpec, PairState
from mkdyn.domain.schema import STALE, Standing, compared, standing
from mkdyn.domain.systems import System
from mkdyn.engine.feeds import feed_name, observe
from mkdyn.engine.gates import watched
from mkdyn.engine.kinds import kinds_of
from mkdyn.engine.marks import interrupted_mark
from mkdyn.engine.seeing import ANSWERS
from mkdyn.engine.session import CHUNK, Session
from mkdyn.ports.observer import PairMissing, SchemaChanged
from mkdyn.ports.store import Description, Observation, SelectedPair

#: By name, the fields of every object that a selected pair belongs to.
_Fields: TypeAlias = Mapping[tuple[System, str], Mapping[str, FieldSpec]]

#: Under these names the last language of labels and the last time zone are kept.
_LANGUAGE, _ZONE = "language", "zone"


async def look(session: Session, *, again: bool = False) -> bool:
    """Ask both systems for their fields, where they may have changed; tell what did, and set pairs aside or take them back.

    Args:
        session: The run.
        again: Whether to ask although a description is not old yet.

    Returns:
        Whether a pair was set aside or taken back, so that the feeds must be read again.
    """
    selected = session.store.pairs()
    fields: dict[tuple[System, str], Mapping[str, FieldSpec]] = {}
    for system in System:
        for name, specs in (await _look_at(session, system, selected, again=again)).items():
            fields[system, name] = {spec.name: spec for spec in specs}
    asked = {(item.pair.entity, item.pair.dynamics): item for item in selected}
    still = session.store.pairs()  # somebody may have selected others while we asked
    parted = _judge(
        session, [item for item in still if asked.get((item.pair.entity, item.pair.dynamics)) == item], fields
    )
    session.kinds = [watched(session, kind, fields.get((System.DYNAMICS, kind.name), {})) for kind in session.kinds]
    return parted


async def _look_at(
    session: Session, system: System, selected: Sequence[SelectedPair], *, again: bool
) -> Mapping[str, Sequence[FieldSpec]]:
    """Return the fields of every object of which some are selected."""
    store, connector = session.store, session.connector(system)
    by_object: dict[str, list[SelectedPair]] = {}
    for item in selected:
        by_object.setdefault(item.pair.object_in(system), []).append(item)
    objects = sorted(by_object)
    place = f"{system.value}:schema"
    stamp = await connector.schema_stamp(objects)
    known = store.cursor(place)
    unchanged = stamp is not None and known is not None and known.token == stamp
    oldest = session.started_at - timedelta(seconds=session.rules.schema_age_s)
    fields: dict[str, Sequence[FieldSpec]] = {}
    for name in objects:
        before = store.description(system, name)
        if (
            before is not None
            and (unchanged if stamp is not None else before.at > oldest and not again)
            and _is_as_selected(system, before, by_object[name])
        ):
            fields[name] = before.fields
            continue
        fields[name] = await connector.describe(name)
        _remember(session, system, name, before, fields[name])
    if stamp is not None and not unchanged:
        with store.transaction():
            store.set_cursor(place, Cursor(token=stamp, at=session.started_at))
    return fields


def _is_as_selected(system: System, description: Description, selected: Sequence[SelectedPair]) -> bool:
    """Whether a description has every pair's field as it was when selected; else it may be older than the selection."""
    fields = {spec.name: spec for spec in description.fields}
    return all(
        fields.get(item.pair.field_in(system)) == item.spec_in(system) for item in selected if item.pair.state.syncs
    )


def _remember(
    session: Session, system: System, name: str, before: Description | None, fields: Sequence[FieldSpec]
) -> None:
    changes = () if before is None else compared(system, name, before.fields, fields)
    with session.store.transaction():
        session.store.describe(system, name, Description(at=session.started_at, fields=fields))
    session.schema_changes += changes
    for change in changes:
        session.tell(
            SchemaChanged(run_id=session.id, system=system, object=name, field=change.field, change=change.kind)
        )


# -- what becomes of the pairs ---------------------------------------------------------------------------


@attrs.frozen
class _Judged:
    """A selected pair as it was and as it is now, and what its fields allow."""

    before: SelectedPair
    after: SelectedPair
    standing: Standing

    @property
    def usable(self) -> bool:
        """Whether it syncs now."""
        return self.standing.state.syncs


def _judge(session: Session, selected: Sequence[SelectedPair], fields: _Fields) -> bool:
    """Set pairs aside whose fields can't be used, and take those back that can, in one transaction."""
    store = session.store
    settings = {_LANGUAGE: str(session.rules.label_language), _ZONE: str(session.rules.time_zone)}
    known = {name: store.cursor(name) for name in settings}
    altered = {name for name, cursor in known.items() if cursor is not None and cursor.token != settings[name]}
    judged = [_judged(session, item, fields, altered) for item in selected]
    moved = [item for item in judged if item.after != item.before]
    with store.transaction():
        store.put_pairs(item.after for item in moved)
        for name, setting in settings.items():
            store.set_cursor(name, Cursor(token=setting, at=session.started_at))
        for item in judged:
            if item.before.pair.state is PairState.BACKFILLING and not item.usable:
                store.set_cursor(interrupted_mark(item.before.pair), Cursor(token="", at=session.started_at))
            if item.standing.returned:
                store.set_cursor(interrupted_mark(item.after.pair), None)
                name = item.after.pair.entity.logical_name
                store.set_cursor(compare_mark(name), Cursor(token="", at=session.started_at))
            if item.standing.wakes or item.standing.returned:
                _wake(session, item.after)
    _tell(session, judged)
    if moved:
        session.kinds = kinds_of([item.after for item in judged], session.rules)
    return any(item.standing.returned or not item.usable for item in moved)


def _judged(session: Session, item: SelectedPair, fields: _Fields, altered: Collection[str]) -> _Judged:
    """Judge a pair by its fields now, and by the settings that were others in the run before."""
    dynamics, marketo = (_described(fields, system, item.pair) for system in (System.DYNAMICS, System.MARKETO))
    found = standing(item.pair, (item.dynamics, item.marketo), (dynamics, marketo), session.rules.reading)
    reread = (_LANGUAGE in altered and item.dynamics.choices) or (
        _ZONE in altered and item.dynamics.type == "user-date"
    )
    if reread and found.state is PairState.ACTIVE:
        found = attrs.evolve(found, reason=STALE, wakes=True)
    if found.returned and session.store.cursor(interrupted_mark(item.pair)) is not None:
        found = attrs.evolve(found, state=PairState.BACKFILLING)  # its refresh was cut short
    after = attrs.evolve(item, pair=attrs.evolve(item.pair, state=found.state, reason=found.reason))
    if found.state.syncs and dynamics is not None and marketo is not None:
        after = attrs.evolve(after, dynamics=dynamics, marketo=marketo)
    return _Judged(item, after, found)


def _described(fields: _Fields, system: System, pair: FieldPair) -> FieldSpec | None:
    """Return a pair's field in one system as it is described now, or None if it is not there."""
    return fields[system, pair.object_in(system)].get(pair.field_in(system))


def compare_mark(entity: str) -> str:
    """Return the name under which it is kept that all of an entity's Marketo records must be compared."""
    return f"{feed_name(System.MARKETO, entity)}:compare"


def _wake(session: Session, item: SelectedPair) -> None:
    """Have every record decided anew on which this field is held: what did not fit may fit now.

    Marketo's own answers to our writes stand until that decision: the baseline says what it made of them.
    """
    store, after = session.store, 0
    entity, name = item.pair.entity, item.pair.entity.logical_name
    while page := store.holds(None, after=after, limit=CHUNK):
        after = page[-1][0]
        held = [hold for _, hold in page if hold.entity == entity and hold.field == item.pair.dynamics]
        links = store.links([name], System.DYNAMICS, [hold.key for hold in held])
        store.release((entity, hold.key, hold.field) for hold in held if hold.code not in ANSWERS)
        observe(session, (Observation(system=System.DYNAMICS, object=name, key=key) for key in links))
        observe(
            session,
            (
                Observation(system=System.MARKETO, object=entity.marketo_object, key=link.marketo)
                for link in links.values()
            ),
        )


def _tell(session: Session, judged: Sequence[_Judged]) -> None:
    """Warn of every pair that does not sync or should be backfilled; tell the observers of those set aside now."""
    for item in judged:
        pair = item.after.pair
        where = f"{pair.entity}.{pair.dynamics}"
        if item.usable:
            if pair.reason:
                session.warn(f"{where}: {pair.reason}")
            continue
        session.warn(f"{where} is {pair.state}: {pair.reason}. It is not synced, everything else is")
        if item.after != item.before:
            gone = item.standing.system or System.DYNAMICS
            session.tell(
                PairMissing(run_id=session.id, system=gone, object=pair.object_in(gone), field=pair.field_in(gone))
            )
