"""Which pairs a selection comes to, or why it is refused: all of the picks or none (M4, M6, M7)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, MutableMapping, Sequence
from typing import TypeAlias

import attrs

from mkdyn.domain.creation import refusals
from mkdyn.domain.entities import AnyEntity, Entity
from mkdyn.domain.fields import FieldPair, NewField, PairState
from mkdyn.domain.hierarchy import hierarchy_faults, with_parents
from mkdyn.domain.mapping import STANDARD_MAPPING
from mkdyn.domain.pairing import Pairing, paired
from mkdyn.domain.registry import DynamicsSchema, FieldChanges, MarketoSchema, Pick
from mkdyn.domain.systems import System
from mkdyn.errors import FieldError

#: Whose field: entity and Dynamics field, or entity and Marketo field.
_Place: TypeAlias = tuple[AnyEntity, str]


def defaults(
    entities: Iterable[Entity], dynamics: DynamicsSchema, marketo: MarketoSchema, selected: Collection[AnyEntity]
) -> Sequence[Pick]:
    """Return the standard mapping's picks, where both systems have the field and a selection would take it.

    A reference is picked only if what it refers to is synced, too.
    """
    entities = tuple(entities)
    there = {*selected, *entities}
    picks: list[Pick] = []
    for entity in entities:
        for row in STANDARD_MAPPING[entity]:
            if row.refers_to is not None and row.refers_to not in there:
                continue
            pick = Pick(entity, row.dynamics, marketo=row.marketo, direction=row.direction)  # none is created
            if paired(pick, dynamics, marketo, ()).pair is not None:
                picks.append(pick)
    return picks


def selection(
    picks: Sequence[Pick],
    *,
    dynamics: DynamicsSchema,
    marketo: MarketoSchema,
    current: Sequence[FieldPair],
    reserved: Collection[str] = (),
) -> FieldChanges:
    """Turn picks into pairs, all of them or none; the columns that name parents come with them.

    Args:
        picks: What is asked for; one that is selected as asked already stays unchanged.
        dynamics: Fields as Dynamics describes them.
        marketo: Fields as Marketo describes them.
        current: The pairs selected now.
        reserved: Marketo fields that mkdyn keeps for itself.

    Raises:
        FieldError: One or more picks are refused; nothing is selected.
    """
    picks = with_parents(picks)
    now = {_place(pair): pair for pair in current}
    moving = {(pick.entity, pick.dynamics) for pick in picks}
    taken: dict[_Place, tuple[str, int | None]] = {
        (pair.entity, pair.marketo): (pair.dynamics, None) for pair in current if _place(pair) not in moving
    }
    there = {name: dict(fields) for name, fields in marketo.items()}
    picked: dict[_Place, tuple[FieldPair, int | None]] = {}
    added: list[FieldPair] = []
    removed: list[FieldPair] = []
    unchanged: list[FieldPair] = []
    created: list[tuple[str, NewField]] = []
    faults: list[Sequence[FieldError]] = []
    for pick in picks:
        found = paired(pick, dynamics, there, reserved)
        wrong = [*found.faults, *_twofold(pick, found, taken, picked)]
        pair = found.pair
        if wrong or pair is None:
            for fault in wrong:
                fault.line = pick.line
            faults.append(wrong)
            continue
        if picked[_place(pair)][0] is not pair:
            continue
        before = now.get(_place(pair))
        if before is not None and before.state.syncs and _same_choice(before, pair):
            unchanged.append(before)
            continue
        added.append(pair)
        removed += [before] if before is not None else []
        if found.new is not None and found.target is not None:
            created.append((pick.entity.marketo_object, found.new))
            there.setdefault(pick.entity.marketo_object, {})[found.target.name] = found.target
    faults += [[fault] for fault in _misplaced(picks, current, dynamics)]
    refused = refusals(created, marketo)
    faults += [refused] if refused else []
    if faults:
        raise FieldError.of(
            tuple(fault for wrong in faults for fault in wrong),
            f"{len(faults)} of {len(picks)} picks refused, none selected",
        )
    return FieldChanges(added=tuple(added), removed=tuple(removed), unchanged=tuple(unchanged), created=tuple(created))


def replacement(
    picks: Sequence[Pick],
    *,
    dynamics: DynamicsSchema,
    marketo: MarketoSchema,
    current: Sequence[FieldPair],
    reserved: Collection[str] = (),
) -> FieldChanges:
    """Turn picks into the whole selection: what is not picked is removed; see `selection`.

    A pair whose field is gone, or was re-made, stays set aside where it is picked as it is: a selection that was
    exported can be loaded whatever has happened to its fields since.

    Raises:
        FieldError: One or more picks are refused; nothing changes.
    """
    picks = with_parents(picks)
    wanted = {(pick.entity, pick.dynamics) for pick in picks}
    kept = [pair for pair in current if _place(pair) in wanted]
    dropped = [pair for pair in current if _place(pair) not in wanted]
    aside = {_place(pair): pair for pair in kept if not pair.state.syncs}
    resting: dict[_Place, FieldPair] = {}
    asked: list[Pick] = []
    for pick in picks:
        pair = aside.get((pick.entity, pick.dynamics))
        if pair is not None and _asks_for(pick, pair) and paired(pick, dynamics, marketo, reserved).pair is None:
            resting[_place(pair)] = pair
        else:
            asked.append(pick)
    changes = selection(asked, dynamics=dynamics, marketo=marketo, current=kept, reserved=reserved)
    return attrs.evolve(
        changes, removed=(*changes.removed, *dropped), unchanged=(*changes.unchanged, *resting.values())
    )


def _asks_for(pick: Pick, pair: FieldPair) -> bool:
    return (
        pick.marketo == pair.marketo and pick.direction in {None, pair.direction} and pick.authority == pair.authority
    )


def _misplaced(picks: Sequence[Pick], current: Sequence[FieldPair], dynamics: DynamicsSchema) -> Sequence[FieldError]:
    """Return what is wrong with the tables of your own, and what they belong to."""
    lines = {pick.entity: pick.line for pick in reversed(picks)}
    entities = {*lines, *(pair.entity for pair in current)}
    return hierarchy_faults(entities, lines=lines, dynamics=dynamics)


def _place(pair: FieldPair) -> _Place:
    return pair.entity, pair.dynamics


def _twofold(
    pick: Pick,
    found: Pairing,
    taken: MutableMapping[_Place, tuple[str, int | None]],
    picked: MutableMapping[_Place, tuple[FieldPair, int | None]],
) -> Sequence[FieldError]:
    """Return what is wrong with a pick beside others, and note what it takes.

    Args:
        pick: The pick.
        found: What it comes to.
        taken: The Dynamics field that feeds each Marketo field, and the line that says so.
        picked: The pairs of the picks before, and their lines.
    """
    faults: list[FieldError] = []
    if found.target is not None:
        holder, line = taken.setdefault((pick.entity, found.target.name), (pick.dynamics, pick.line))
        if holder != pick.dynamics:
            where = "" if line is None else f" (line {line})"
            faults.append(
                FieldError(
                    f"{pick.entity}.{pick.dynamics}: {found.target.name} is fed by {holder} already{where}.",
                    what_to_do="Deselect that one, or choose another Marketo field.",
                )
            )
    if found.pair is not None:
        twin, line = picked.setdefault(_place(found.pair), (found.pair, pick.line))
        if not _same_choice(twin, found.pair):
            where = "" if line is None else f" (first on line {line})"
            faults.append(
                FieldError(
                    f"{pick.entity}.{pick.dynamics} is picked twice, in two ways{where}.",
                    what_to_do="Keep one of the picks.",
                )
            )
    return faults


def _same_choice(before: FieldPair, after: FieldPair) -> bool:
    return (before.marketo, before.direction, before.authority) == (after.marketo, after.direction, after.authority)


def reselected(pair: FieldPair, times: int, *, populated: bool, before: FieldPair | None = None) -> FieldPair:
    """Return a selected pair as it starts: with a baseline of its own, and a backfill if records are linked.

    Args:
        pair: What was selected.
        times: How often the field has been selected before.
        populated: Whether the entity has links already.
        before: The pair it replaces, if any; with the same Marketo field it goes on where it was, if it was syncing.
    """
    if before is not None and before.marketo == pair.marketo and before.state.syncs:
        return attrs.evolve(pair, selection=before.selection, state=before.state, late=before.late)
    backfill = populated and pair.direction.writes(System.MARKETO)
    return attrs.evolve(pair, selection=times + 1, state=PairState.BACKFILLING if backfill else PairState.ACTIVE)
