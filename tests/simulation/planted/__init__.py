"""Bugs planted into the engine, one at a time: a simulation that does not catch them proves nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import pytest

from tests.simulation.planted.absence_taken_for_deletion import take_absence_for_deletion
from tests.simulation.planted.baseline_forgotten_by_conversion import forget_the_baseline_of_a_lead
from tests.simulation.planted.baseline_moved_before_the_answer import move_the_baseline_before_the_answer
from tests.simulation.planted.create_resent_without_reading_back import resend_creates_without_reading_back
from tests.simulation.planted.evidence_ignored import ignore_evidence
from tests.simulation.planted.fill_in_taken_for_an_edit import take_a_fill_in_for_an_edit
from tests.simulation.planted.filter_column_lost import lose_the_column_of_a_filter
from tests.simulation.planted.observation_cleared_too_far import clear_later_observations
from tests.simulation.planted.one_way_written_in_dynamics import write_one_way_entities_in_dynamics
from tests.simulation.planted.settle_skipped import skip_settling
from tests.simulation.planted.tombstone_dropped import drop_the_tombstone
from tests.simulation.planted.version_forgotten import forget_the_version

#: Each plants its bug into the running engine, until the patch is undone.
Plant = Callable[[pytest.MonkeyPatch], None]

#: A bug, and the promises whose checks may catch it.
PLANTED: Final[Mapping[Plant, tuple[str, ...]]] = {
    move_the_baseline_before_the_answer: ("promise 1", "promise 5"),
    skip_settling: ("promise 1", "promise 3", "promise 5"),
    ignore_evidence: ("promise 1",),
    resend_creates_without_reading_back: ("promise 3",),
    clear_later_observations: ("promise 1", "promise 5"),
    take_absence_for_deletion: ("promise 5",),
    write_one_way_entities_in_dynamics: ("promise 4",),
    forget_the_version: ("promise 1", "promise 5"),
}

#: The same, caught only where leads are qualified, records merged, and a filter left and entered.
PLANTED_IN_LIFECYCLES: Final[Mapping[Plant, tuple[str, ...]]] = {
    forget_the_baseline_of_a_lead: ("promise 1",),
    drop_the_tombstone: ("promise 3", "promise 5"),
    take_a_fill_in_for_an_edit: ("promise 2",),
    lose_the_column_of_a_filter: ("the filter",),
}
