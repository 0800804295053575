"""The same steps under Hypothesis, which looks for a short history that breaks a promise."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable

from hypothesis import HealthCheck, Phase, settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from tests.simulation.history import SteppingLoop, born, come_to_rest
from tests.simulation.promises import check_all
from tests.simulation.start import populate
from tests.simulation.steps import STEPS, Step

_CHANCES = st.randoms(use_true_random=False)


class Histories(RuleBasedStateMachine):
    """A history whose every step, and every chance within it, Hypothesis chooses."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner(loop_factory=SteppingLoop)

    def do(self, what: Awaitable[None]) -> None:
        """Await a step."""

        async def main() -> None:
            await what

        self.runner.run(main())

    @initialize(chance=_CHANCES)
    def begin(self, chance: random.Random) -> None:
        """Start from a populated world."""
        self.world = born("a history of Hypothesis'", chance)
        self.do(populate(self.world, chance))

    def teardown(self) -> None:
        """Come to rest, and check every promise."""
        try:
            if hasattr(self, "world"):
                self.do(come_to_rest(self.world))
                self.do(check_all(self.world))
        finally:
            self.runner.close()
            if hasattr(self, "world"):
                self.world.close()


def _rule_of(step: Step) -> object:
    def taken(self: Histories, chance: random.Random) -> None:
        self.do(step(self.world, chance))

    taken.__name__ = step.__name__
    taken.__doc__ = step.__doc__
    return rule(chance=_CHANCES)(taken)


for _step, _ in STEPS:
    setattr(Histories, _step.__name__, _rule_of(_step))


def test_no_history_of_hypothesis_breaks_a_promise() -> None:
    """Histories of up to twenty-five steps; the same ones in every run."""
    run_state_machine_as_test(  # type: ignore[no-untyped-call]  # Hypothesis has it untyped
        Histories,
        settings=settings(
            derandomize=True,
            deadline=None,
            max_examples=12,
            stateful_step_count=25,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        ),
    )
