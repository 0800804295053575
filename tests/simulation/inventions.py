"""Where every value came from: the second promise, checked against the log of all changes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from mkdyn.domain import Direction, FieldValue, Unfit
from mkdyn.domain.entities import PERSON
from mkdyn.domain.systems import System
from mkdyn.domain.values import same
from tests.simulation.hearsay import told_in, was_entered_at_the_last, was_given_our_key
from tests.simulation.log import Change, Place
from tests.simulation.world import Selected, World


def check_no_value_is_invented(world: World) -> None:
    """Promise 2: what we write was shown by the counterpart, or by the field itself before; emptiness was entered."""
    by_field = {
        system: {
            (item.pair.entity.logical_name if system is System.DYNAMICS else item.pair.entity.marketo_object,
             item.pair.dynamics if system is System.DYNAMICS else item.pair.marketo): None
            for item in world.selected
        }
        for system in System
    }  # fmt: skip
    seen: defaultdict[Place, list[Change]] = defaultdict(list)
    tables = {making.key: making.object for making in world.log.makings if making.system is System.DYNAMICS}
    told = told_in(world)
    for change in world.log.changes:
        system, name, key, field = change.place
        if change.ours and change.other is not None and (name, field) in by_field[system]:
            entity = name if system is System.DYNAMICS else tables.get(change.other)
            for item in world.selected:
                pair = item.pair
                ours = pair.dynamics if system is System.DYNAMICS else pair.marketo
                if ours != field or pair.entity.logical_name != entity or _has_a_source(world, change, item, seen):
                    continue
                row = key if system is System.DYNAMICS else change.other
                if change.new not in (None, False) or not _is_told(
                    change, seen[change.place], told.get((row, pair.dynamics), ())
                ):
                    world.broken("promise 2", f"a value is invented: {name} {key}.{field} in {system}: {change.new!r}")
        seen[change.place].append(change)


def _is_told(change: Change, before: Sequence[Change], reports: Iterable[tuple[int, FieldValue, FieldValue]]) -> bool:
    """Whether a collision tells which value gave way to this one: in doubt, what nobody entered may stand.

    Or which one would have, had nobody entered another in the instant of our write.
    """
    gone = [change.old, *(past.old for past in before[-1:] if past.running and past.run == change.sent)]
    return any(
        same(stands, change.new) and any(same(gave_way, old) for old in gone)
        for _, dynamics, marketo in reports
        for stands, gave_way in ((dynamics, marketo), (marketo, dynamics))
    )


def _merged_into(world: World, there: Place) -> list[Place]:
    """Return the same field of the persons that were merged into one: what was emptied there is empty here."""
    system, name, key, field = there
    merged = [item for item in world.log.descents if (item.system, item.after) == (System.MARKETO, (PERSON, key))]
    return [(system, name, item.before[1], field) for item in merged if system is System.MARKETO]


def _has_a_source(world: World, change: Change, item: Selected, seen: Mapping[Place, list[Change]]) -> bool:
    system = change.place[0]
    pair = item.pair
    if pair.marketo in world.blocked or was_given_our_key(world, change):
        return True  # Marketo makes something of its own of it, or takes a person for another
    there: Place = (
        (System.MARKETO, pair.entity.marketo_object, str(change.other), pair.marketo)
        if system is System.DYNAMICS
        else (System.DYNAMICS, pair.entity.logical_name, str(change.other), pair.dynamics)
    )
    carry = pair.lens.to_dynamics if system is System.DYNAMICS else pair.lens.to_marketo
    if any(past.filled and same(change.new, past.old) for past in seen[change.place]):
        return True  # what a merge filled in gives way to what stood there
    if change.new in (None, False):
        one_way = pair.direction is not Direction.BOTH or not item.first
        places = (change.place, there, *_merged_into(world, there))
        return one_way or any(past.new in (None, False) for place in places for past in seen[place])
    set_aside = any(pair.dynamics == field for _, field, _ in world.ever_hidden)  # nobody looked at it by then
    made = any(
        making.key == change.place[2] and making.ours and making.sent == change.sent for making in world.log.makings
    )  # promoted, it takes over all that the person shows
    taken = pair.direction is Direction.TO_DYNAMICS or set_aside or made
    carried = [
        carry(past.new)
        for past in seen[there]
        if taken or not past.filled or past.number < item.since or was_entered_at_the_last(world, past)
    ]
    return any(not isinstance(value, Unfit) and same(value, change.new) for value in carried) or any(
        same(past.new, change.new) for past in seen[change.place] if not past.filled
    )
