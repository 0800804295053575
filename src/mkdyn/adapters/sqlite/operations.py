"""Between an operation and its two rows: where it stands, and what it writes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mkdyn.adapters.sqlite.columns import (
    STATES,
    SYSTEMS,
    agreed_as_data,
    agreed_from,
    as_dict,
    custom_of,
    entity_of,
    instant_or_none,
    plain,
    system_or_none,
    time_or_none,
    value_or_none,
    written,
)
from mkdyn.adapters.sqlite.database import Row
from mkdyn.domain.plan import Operation, Step, change_operation, make_operation, make_step
from mkdyn.domain.values import from_json


def numbered(operation: Operation, id: int, run: int) -> Operation:
    """Return a new operation as the file has it."""
    because, detail = plain(operation.because), plain(operation.detail)
    return change_operation(operation, id=id, run=run, because=because, detail=detail)


def standing_row(operation: Operation) -> Row:
    """Return where an operation stands, from `system` on."""
    return (
        operation.system._value_,
        operation.kind,
        operation.key,
        operation.state,
        instant_or_none(operation.sent_at),
        plain(operation.detail),
    )


def writing_row(operation: Operation) -> Row:
    """Return what an operation writes, from `link` on."""
    return (
        operation.link,
        operation.entity.logical_name,
        custom_of(operation.entity),
        operation.other,
        written(as_dict(operation.before)),
        written(as_dict(operation.after)),
        written(agreed_as_data(operation.awaited)),
        operation.version,
        operation.attempt,
        plain(operation.because),
        _step_as_text(operation.step),
    )


def _step_as_text(step: Step) -> str:
    return written(
        [
            agreed_as_data(step.agreed),
            [(system._value_, object, key, version) for system, object, key, version in step.clears],
            step.state._value_,
            value_or_none(step.gone),
            step.origin,
            {name: list(places) for name, places in step.confirms.items()},
            step.covers,
            step.heard,
            step.into,
        ]
    )


def operation_from(row: Row) -> Operation:
    """Return the operation of its two rows, joined."""
    (id, run, system, kind, key, state, sent_at, detail, link, entity, custom, other, before, after,
     awaited, version, attempt, because, step) = row  # fmt: skip
    before, after, awaited, step = from_json(f"[{before},{after},{awaited},{step}]")  # one reader takes less than four
    return make_operation(
        id=id,
        run=run,
        link=link,
        entity=entity_of(entity, custom),
        system=SYSTEMS[system],
        kind=kind,
        key=key,
        other=other,
        before=before,
        after=after,
        awaited=agreed_from(awaited),
        version=version,
        attempt=attempt,
        because=because,
        state=state,
        sent_at=time_or_none(sent_at),
        detail=detail,
        step=_step(step),
    )


def _places(confirmed: int | list[int]) -> Sequence[int]:
    """Return which writes were confirmed; an older release kept how many."""
    return range(confirmed) if isinstance(confirmed, int) else confirmed


def _step(data: list[Any]) -> Step:
    agreed, clears, state, gone, origin, confirms, covers, *later = data  # an older release kept less
    return make_step(
        agreed=agreed_from(agreed),
        clears=tuple((SYSTEMS[system], object, key, version) for system, object, key, version in clears),
        state=STATES[state],
        gone=system_or_none(gone),
        origin=origin,
        confirms={name: _places(confirmed) for name, confirmed in confirms.items()},
        covers=covers,
        heard=later[0] if later else 0,
        into=later[1] if later[1:] else "",
    )
