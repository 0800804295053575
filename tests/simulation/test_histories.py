"""Random histories of edits, faults and crashes keep the promises; broken code does not."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

import anyio
import attrs
import pytest

from mkdyn.domain.evidence import Echoes, Proof, prove
from mkdyn.domain.feeds import Evidence
from mkdyn.domain.outcomes import Applied, Update, Write
from mkdyn.domain.plan import Operation
from mkdyn.engine import apply, entries, seeing
from mkdyn.engine.commit import commit_batch
from mkdyn.engine.kinds import Kind
from tests.simulation.history import ViolationError, live_through

#: How many seeds a default run lives through; `MKDYN_SEEDS=5000 pytest tests/simulation` lives through more.
SEEDS = int(os.environ.get("MKDYN_SEEDS", "60"))
#: Within how many seeds a planted bug must be caught.
CAUGHT_WITHIN = 100


@pytest.mark.parametrize("seed", range(SEEDS))
def test_random_histories_keep_the_promises(seed: int) -> None:
    """No edit lost, nothing invented or doubled, Dynamics' own tables untouched, at rest in a few runs."""
    anyio.run(lambda: live_through(seed, length=40))


def _ignore_what_was_overwritten(monkeypatch: pytest.MonkeyPatch) -> None:
    def blind(evidence: Sequence[Evidence], echoes: Echoes, **settings: object) -> Proof:
        proof = prove(evidence, echoes, **settings)  # type: ignore[arg-type]  # passed on
        return attrs.evolve(proof, overwritten={}, lost=set())

    monkeypatch.setattr(entries, "prove", blind)
    monkeypatch.setattr(seeing, "prove", blind)


def _forget_the_version(monkeypatch: pytest.MonkeyPatch) -> None:
    as_write: Callable[[Kind, Operation], Write] = apply._as_write

    def careless(kind: Kind, operation: Operation) -> Write:
        write = as_write(kind, operation)
        return attrs.evolve(write, version=None) if isinstance(write, Update) else write

    monkeypatch.setattr(apply, "_as_write", careless)


def _move_the_baseline_before_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    send = apply._send

    async def hasty(session, kind, system, operations):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
        updates = [operation for operation in operations if operation.kind == "update"]
        commit_batch(session, kind, updates, [Applied(key=item.key, version=item.version) for item in updates])
        return await send(session, kind, system, operations)

    monkeypatch.setattr(apply, "_send", hasty)


@pytest.mark.parametrize(
    "plant", [_ignore_what_was_overwritten, _forget_the_version, _move_the_baseline_before_the_answer]
)
def test_a_planted_bug_is_caught(plant: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """The histories can fail: each of these bugs breaks a promise within a hundred of them."""
    plant(monkeypatch)
    for seed in range(CAUGHT_WITHIN):
        try:
            anyio.run(lambda seed=seed: live_through(seed, length=40))
        except ViolationError:
            return
    pytest.fail(f"not caught within {CAUGHT_WITHIN} histories")
