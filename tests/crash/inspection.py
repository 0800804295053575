"""What a state file says must agree with what happened in the two systems, whenever its process was killed.

An operation is marked as sent before its write arrives, and counts as applied after its answer, together with its
link, its baseline and the observations that it dealt with. A baseline holds what a read or an answer has confirmed,
and nothing that only was written. What lies before a cursor is observed, on its way, or in a baseline.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import attrs

from mkdyn.adapters.sqlite import SqliteStore
from mkdyn.domain.outcomes import Applied, Create, Delete
from mkdyn.domain.plan import Operation
from mkdyn.domain.records import Agreed, Link, LinkState, Twofold
from mkdyn.domain.systems import System
from mkdyn.domain.values import FieldValue, to_json
from mkdyn.engine.kinds import Kind, kinds_of
from mkdyn.ports.store import Observation
from tests.crash.child import RULES
from tests.crash.desk import Attempt, Desk
from tests.crash.replica import require

_ALL: Final = 1_000_000
_PERSONS: Final = "marketo:lead"


# -- what it says --------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class _State:
    """What a file says, read at once."""

    kinds: Mapping[str, Kind]
    operations: Sequence[Operation]
    links: Sequence[Link]
    observations: Mapping[tuple[System, str, str], Observation]
    kept_back: set[tuple[str, str]]
    cursors: Mapping[str, str]
    newest_run: int


def _read(store: SqliteStore) -> _State:
    kinds = {kind.name: kind for kind in kinds_of(store.pairs(), RULES)}
    runs = store.runs(after=0, limit=_ALL)
    operations = [item for run in runs for item in store.operations(run.id, after=0, limit=_ALL)]
    links = [link for name in kinds for link in store.links_after(name, 0, _ALL, states=tuple(LinkState))]
    places = [(System.DYNAMICS, name) for name in kinds]
    places += [(System.MARKETO, name) for name in {kind.object for kind in kinds.values()}]
    observed = [item for place in places for item in store.observations(*place, after=0, limit=_ALL)]
    held = {(hold.key, hold.field) for _, hold in store.holds(None, after=0, limit=_ALL)}
    set_aside = {(item.key, "") for _, item in store.quarantine(None, after=0, limit=_ALL)}
    feeds = [_PERSONS, *(f"dynamics:{name}" for name in kinds)]
    cursors = {
        feed: cursor.token
        for feed in feeds
        if (cursor := store.cursor(feed)) is not None
        and all(store.cursor(f"{feed}:{detour}") is None for detour in ("expired", "renew", "before"))
    }
    return _State(
        kinds=kinds, operations=operations, links=links,
        observations={(item.system, item.object, item.key): item for item in observed},
        kept_back=held | set_aside,
        cursors=cursors, newest_run=runs[-1].id if runs else 0,
    )  # fmt: skip


def inspect(store: SqliteStore, desk: Desk) -> None:
    """Check what a file says against what happened in the two systems.

    Raises:
        ViolationError: They contradict each other.
    """
    state = _read(store)
    attempts = _attempts_by_operation(state, desk)
    for operation in state.operations:
        _check_operation(state, desk, operation, attempts.get(operation.id))
    for link in state.links:
        _check_baseline(state.kinds[link.entity], link, desk)
    desk.interrupted |= {operation.id for operation in state.operations if operation.state == "sent"}
    _check_creations(state)
    _check_rows(state, desk)
    _check_persons(state, desk, store)


# -- operations ----------------------------------------------------------------------------


def _attempts_by_operation(state: _State, desk: Desk) -> Mapping[int, Attempt]:
    """Return each operation's attempt. What was asked of a system was marked as sent before, or nobody would ask.

    Raises:
        ViolationError: A write left that the file does not know as sent.
    """
    sent: defaultdict[tuple[object, ...], list[int]] = defaultdict(list)
    for operation in state.operations:
        place = (operation.system, operation.kind, operation.key, to_json(dict(operation.after)))
        sent[*place, operation.sent_at].append(operation.id)
    found: dict[int, Attempt] = {}
    for attempt in desk.attempts:
        write = attempt.write
        kind = "create" if isinstance(write, Create) else "delete" if isinstance(write, Delete) else "update"
        values = {} if isinstance(write, Delete) else dict(write.values)
        waiting = sent[attempt.system, kind, write.key, to_json(values), attempt.at]
        require(waiting, f"{kind} of {attempt.object} {write.key} left for {attempt.system}, and is not marked as sent")
        found[waiting.pop(0)] = attempt
    return found


def _check_operation(state: _State, desk: Desk, operation: Operation, attempt: Attempt | None) -> None:
    """Check one operation: never settled before its answer, never half remembered."""
    name = f"operation {operation.id}, {operation}, {operation.state}"
    if operation.state == "planned":
        require(operation.run == state.newest_run, f"{name}: it was planned by a run before the last")
        require(attempt is None, f"{name}: it was sent already")
    if operation.state in ("planned", "sent"):
        _check_not_cleared(state, desk, operation, name)
    if operation.state == "applied":
        asked_later = operation.sent_at is not None and operation.sent_at < desk.born
        answered = attempt is not None and attempt.answered
        require(answered or asked_later, f"{name}: it counts as applied before its answer came")
        made = attempt is not None and attempt.done
        require(made or operation.kind != "create", f"{name}: nothing was made")
        if attempt is not None and answered and made and operation.id not in desk.interrupted:
            _check_remembered(state, desk, operation, attempt, name)
    elif attempt is not None and attempt.done and desk.world.deleted.isdisjoint({operation.key, operation.other}):
        require(operation.state in ("sent", "unknown"), f"{name}: it took effect")


def _check_not_cleared(state: _State, desk: Desk, operation: Operation, name: str) -> None:
    """What an operation was decided on waits for its answer."""
    if operation.step.origin == "matched" and not operation.link:
        return  # two writes share it, and the first to be answered clears it
    for system, object, key, version in operation.step.clears:
        pending = state.observations.get((system, object, key))
        there = desk.world.fake(system).record(object, key) is not None
        require(
            not there or (pending is not None and pending.version >= version),
            f"{name}: its {object} {key} is not observed any more",
        )


def _check_remembered(state: _State, desk: Desk, operation: Operation, attempt: Attempt, name: str) -> None:
    """All that follows from an answer is there: the link, its baseline, the observations that it dealt with."""
    assert isinstance(attempt.outcome, Applied)
    for system, object, key, version in operation.step.clears:
        pending = state.observations.get((system, object, key))
        require(pending is None or pending.version > version, f"{name}: its {object} {key} is still observed")
    row, person = operation.other, attempt.outcome.key
    if operation.system is System.DYNAMICS:
        row, person = person, row
    links = [
        link
        for link in state.links
        if (link.entity, link.dynamics, link.marketo) == (operation.entity.logical_name, row, person)
    ]
    require(links or (row, "") in state.kept_back, f"{name}: it has no link")
    if not links or attempt.outcome.found:
        return
    kind, link = state.kinds[operation.entity.logical_name], links[-1]
    for pair in kind.pairs:
        if pair.key not in operation.awaited or operation.kind == "delete":
            continue
        require(pair.key in link.baseline, f"{name}: its link has no baseline of {pair.key}")
        pairs = zip(_both(operation.awaited[pair.key]), _both(link.baseline[pair.key]), strict=True)
        for (system, awaited), (_, stands) in pairs:
            field = pair.dynamics if system is System.DYNAMICS else pair.marketo
            held = desk.world.values[system, link.key(system), field]
            if awaited in held and stands in held:
                last = len(held) - 1 - held[::-1].index(stands)
                require(last >= held.index(awaited), f"{name}: the baseline of {pair.key} is older than its answer")


def _both(agreed: Agreed) -> Iterator[tuple[System, FieldValue]]:
    yield System.DYNAMICS, agreed.dynamics if isinstance(agreed, Twofold) else agreed
    yield System.MARKETO, agreed.marketo if isinstance(agreed, Twofold) else agreed


def _check_creations(state: _State) -> None:
    """A link that we made is there if and only if the record's creation counts as applied."""
    created = {
        (item.entity.logical_name, item.other if item.system is System.MARKETO else item.key)
        for item in state.operations
        if item.kind == "create" and item.state == "applied"
    }
    for link in state.links:
        require(
            link.origin == "matched" or (link.entity, link.dynamics) in created,
            f"{link.entity} {link.dynamics} is linked to {link.marketo}, and its creation is open",
        )


# -- baselines -----------------------------------------------------------------------------


def _check_baseline(kind: Kind, link: Link, desk: Desk) -> None:
    """Check that a baseline holds nothing that neither a read nor an answer has confirmed."""
    for pair in kind.pairs:
        if pair.key not in link.baseline:
            continue
        for system, value in _both(link.baseline[pair.key]):
            field = pair.dynamics if system is System.DYNAMICS else pair.marketo
            require(
                value in desk.confirmed[system, link.key(system), field],
                f"the baseline of {link.entity} {link.dynamics} says that {system} shows {value!r} in {field}, "
                f"and {system} has never said so",
            )


# -- cursors -------------------------------------------------------------------------------


def _check_rows(state: _State, desk: Desk) -> None:
    """What lies before a table's cursor is known: observed, on its way, or in the baseline."""
    for name, kind in state.kinds.items():
        token = state.cursors.get(f"dynamics:{name}")
        if token is None:
            continue
        links = {link.dynamics: link for link in state.links if link.entity == name}
        for row in desk.world.dynamics._tables[name].rows.values():
            if row.version > int(token.split("!")[2]) or (row.key, "") in state.kept_back:
                continue
            pending = (System.DYNAMICS, name, row.key) in state.observations
            link = links.get(row.key)
            require(pending or link is not None, f"{name} {row.key} lies before the cursor and is not known")
            if link is not None and not pending and link.state is LinkState.LIVE:
                _check_known(state, kind, link, System.DYNAMICS, desk)


def _check_persons(state: _State, desk: Desk, store: SqliteStore) -> None:
    """What lies before the cursor of Marketo's feed, or was marked as seen, is known, too."""
    token = state.cursors.get(_PERSONS)
    if token is None:
        return
    cursor = int(token.partition("-")[2])
    names = {name for kind in state.kinds.values() for name in kind.marketo_fields}
    last = {
        logged.key: place
        for place, logged in enumerate(desk.world.marketo._log._log)
        if logged.kind == "new" or logged.field in names
    }
    new = store.new_entries(_PERSONS, [_entry_id(place) for place in last.values()])
    for link in state.links:
        kind, place = state.kinds[link.entity], last.get(link.marketo)
        if not kind.person or link.state is not LinkState.LIVE or place is None:
            continue
        if place < cursor or _entry_id(place) not in new:
            _check_known(state, kind, link, System.MARKETO, desk)


def _entry_id(place: int) -> str:
    """Return what the fake calls the entry at a place of its log."""
    return f"{place + 1:012d}"


def _check_known(state: _State, kind: Kind, link: Link, system: System, desk: Desk) -> None:
    """What a record shows is in the baseline, unless it is about to be looked at, on its way, or held."""
    keys = {link.dynamics, link.marketo}
    if any(
        operation.key in keys and operation.state in ("planned", "sent", "unknown") for operation in state.operations
    ):
        return
    if any((side, kind.object_in(side), link.key(side)) in state.observations for side in System):
        return
    record = desk.world.fake(system).record(kind.object_in(system), link.key(system))
    if record is None:
        return
    for pair in kind.pairs:
        if (link.dynamics, pair.dynamics) in state.kept_back:
            continue
        require(pair.key in link.baseline or link.version is None, f"{link.entity} {link.dynamics} has no {pair.key}")
        if pair.key in link.baseline:
            field = pair.dynamics if system is System.DYNAMICS else pair.marketo
            was = dict(_both(link.baseline[pair.key]))[system]
            require(
                was == record.values[field],
                f"{system} shows {record.values[field]!r} in {field} of {link.entity} {link.key(system)}, the cursor "
                f"is past that, the baseline says {was!r}, and nothing is observed",
            )
