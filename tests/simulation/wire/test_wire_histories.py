"""Seeded random histories over the wire keep the promises. More of them: `nox -s simulate -- --wire marketo`."""

from __future__ import annotations

from collections.abc import Callable

import attrs
import pytest

from mkdyn.adapters.dynamics import requests
from mkdyn.adapters.marketo import client
from mkdyn.domain.systems import System
from tests.simulation.wire.history import live_through
from tests.simulation.world import ViolationError

#: How many seeds a default run lives through, for each system.
SEEDS = 4
#: How long each is.
LENGTH = 10
#: Within how many seeds a planted bug must be caught.
WITHIN = 200


@pytest.mark.parametrize("seed", range(SEEDS))
@pytest.mark.parametrize("system", System)
def test_histories_on_the_wire_keep_the_promises(system: System, seed: int) -> None:
    """The real connector and the server, whatever goes wrong between them."""
    live_through(system, seed, length=LENGTH)


@pytest.mark.parametrize("seed", range(SEEDS // 2))
def test_histories_in_files_keep_the_promises(seed: int) -> None:
    """The same where updates of persons go to Marketo in files, which are worked through when their caller may be gone."""
    world = live_through(System.MARKETO, seed, length=LENGTH, files=True)
    assert world.files_handed_in > 0


def _forget_the_version(monkeypatch: pytest.MonkeyPatch) -> None:
    update = requests.update
    monkeypatch.setattr(requests, "update", lambda table, key, values, version: update(table, key, values, None))


def _read_one_page(monkeypatch: pytest.MonkeyPatch) -> None:
    envelope_of = client.envelope_of
    monkeypatch.setattr(client, "envelope_of", lambda response: attrs.evolve(envelope_of(response), more=False))


PLANTED = {
    _forget_the_version: (System.DYNAMICS, "promise 1"),
    _read_one_page: (System.MARKETO, "promise"),
}


@pytest.mark.parametrize("plant", PLANTED)
def test_a_planted_bug_of_a_connector_is_caught(
    plant: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The histories can fail: a promise is broken, and not the program."""
    plant(monkeypatch)
    system, promise = PLANTED[plant]
    for seed in range(WITHIN):
        try:
            live_through(system, seed)
        except ViolationError as violation:
            broken = str(violation).splitlines()[-1]
            print(f"{plant.__name__}: seed {seed}: {broken}")  # noqa: T201 - shown with -s
            assert broken.startswith(promise)
            return
    pytest.fail(f"not caught within {WITHIN} histories")
