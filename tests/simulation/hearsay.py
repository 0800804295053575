"""What nobody could hear of in time, what could not be told from our own writes, and what the journal tells."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import TypeAlias

from mkdyn.domain import FieldValue
from mkdyn.domain.systems import System
from mkdyn.domain.values import same
from tests.simulation.log import Change
from tests.simulation.world import World

#: Of a row's field: the number of each collision, and the values of Dynamics and Marketo.
Told: TypeAlias = Mapping[tuple[str, str], list[tuple[int, FieldValue, FieldValue]]]


def is_soon(change: Change, first: int, last: int) -> bool:
    """Whether what happened in one of these runs was about when we wrote: before its feed had surely been read."""
    return change.run - 2 <= last and first <= change.run + 4


def runs_around(world: World, number: int) -> tuple[int, int]:
    """Return the runs between which something happened, by how many changes there were before."""
    changes = world.log.changes
    return changes[number - 1].run, changes[number].run if number < len(changes) else world.log.run


def is_alike(past: Change, change: Change) -> bool:
    """Whether somebody entered just what we wrote, and was not heard of by then."""
    unheard = past.run >= change.sent - (4 if past.late else 1)
    return past.place == change.place and not past.ours and unheard and same(past.new, change.new)


def is_taken_for_ours(world: World, entered: Change) -> bool:
    """Whether somebody entered just what we had sent there: in that instant, or where our answer was lost."""
    return any(
        sending.place == entered.place
        and same(sending.value, entered.new)
        and (
            sending.number <= entered.number and (sending.settled is None or entered.number < sending.settled)
            if sending.answered is None
            else sending.place[0] is System.MARKETO
            and entered.running
            and entered.run == sending.run
            and entered.number < sending.answered
        )
        for sending in world.log.sendings
    )


def was_given_our_key(world: World, change: Change) -> bool:
    """Whether somebody gave a person the key of a row, while our create for that row was on its way; or a merge just had."""
    return any(
        past.place[:3] == change.place[:3]
        and past.new == change.other
        and (past.run >= change.sent - 2 if past.filled else not past.ours and past.run >= change.sent)
        for past in world.log.changes[: change.number]
    )


def was_entered_at_the_last(world: World, filled: Change) -> bool:
    """Whether somebody entered what a merge filled in when nobody could hear of it by then: it is an edit of who stays."""
    system, name, _, field = filled.place
    gone = {key for _, where, _, key in world.log.removals if where is system}
    return filled.filled and any(
        same(past.new, filled.new)
        and not past.ours
        and past.place == (system, name, past.place[2], field)
        and past.place[2] in gone
        and (past.running if past.run == filled.run else (past.late or past.behind) and past.run >= filled.run - 1)
        for past in world.log.changes[: filled.number]
    )


def told_in(world: World) -> Told:
    """Return what the journal tells of every field's collisions, oldest first."""
    told: defaultdict[tuple[str, str], list[tuple[int, FieldValue, FieldValue]]] = defaultdict(list)
    for number, found in world.store.resolutions(None, after=0, limit=100_000):
        collision = found.collision
        told[found.key, collision.field].append((number, collision.dynamics, collision.marketo))
    return told
