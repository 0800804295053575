"""All steps, and how often each is taken."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeAlias

from tests.simulation import lifecycles, people, runs, trouble
from tests.simulation.world import World

Step: TypeAlias = Callable[[World, random.Random], Awaitable[None]]

#: What people do.
HANDS: Final[Sequence[tuple[Step, float]]] = (
    (people.an_edit, 24), (people.an_edit_on_both, 7), (people.an_edit_and_back, 4), (people.a_row, 3),
    (people.a_person, 2), (people.a_promotion, 1), (people.a_one_way_row, 0.5), (people.a_deletion, 1.5),
    (people.a_restoration, 1), (people.a_key_by_hand, 0.3),
)  # fmt: skip
#: What we do.
OURS: Final[Sequence[tuple[Step, float]]] = (
    (runs.a_run, 9), (runs.several_runs, 1.5), (runs.a_short_run, 1.5), (runs.a_run_by_key, 1), (runs.a_plan, 1.5),
    (runs.a_selection, 0.7), (runs.a_restart, 0.5), (runs.a_release, 0.5),
)  # fmt: skip
#: What goes wrong.
TROUBLE: Final[Sequence[tuple[Step, float]]] = (
    (runs.a_troubled_run, 8), (runs.a_refused_run, 0.7), (trouble.late_entries, 1.5), (trouble.early_entries, 1.5),
    (trouble.expired_cursors, 0.6), (trouble.out_of_sight, 0.7), (trouble.a_column, 0.7), (trouble.a_blocked_field, 0.5),
    (trouble.a_rewritten_field, 0.1), (trouble.a_stray_arrives, 1),
)  # fmt: skip
#: What becomes of records, in worlds where that happens.
LIFECYCLES: Final[Sequence[tuple[Step, float]]] = (
    (lifecycles.a_qualification, 2), (lifecycles.a_reopening, 0.3), (lifecycles.a_merge_in_dynamics, 1.5),
    (lifecycles.a_merge_in_marketo, 1), (lifecycles.at_the_filter, 2), (lifecycles.a_filter_column, 0.7),
    (lifecycles.a_backfill, 0.7),
)  # fmt: skip
STEPS: Final = (*HANDS, *OURS, *TROUBLE)


def steps_of(world: World) -> Sequence[tuple[Step, float]]:
    """Return the steps of a world."""
    return (*STEPS, *LIFECYCLES) if world.traits.lifecycles else STEPS
