"""SIGKILL at random moments: the file opens, every commit is whole or absent, no baseline leads; broken code is caught."""

from __future__ import annotations

import itertools
import logging
import os
import signal
import socket
from collections.abc import Generator
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from tests.crash.child import Bug
from tests.crash.lives import Lives
from tests.crash.nursery import Nursery, nursery as open_nursery
from tests.crash.replica import ViolationError

pytestmark = pytest.mark.skipif(
    not (hasattr(signal, "SIGKILL") and hasattr(os, "fork") and hasattr(socket, "send_fds")),
    reason="there is no SIGKILL here, or no way to lend a socket to a process",
)

#: How many kills a default run has, rounded up to whole histories; `MKDYN_KILLS=200 pytest tests/crash` has more.
KILLS: Final = int(os.environ.get("MKDYN_KILLS", "25"))
#: How many processes work on one file, one after the other, before it comes to rest.
LIVES: Final = 25
#: Within how many kills a planted bug must be caught.
CAUGHT_WITHIN: Final = 100

log: Final = logging.getLogger(__name__)


@pytest.fixture(scope="module")
def nursery() -> Generator[Nursery]:
    """Where the processes come from that are killed."""
    with open_nursery() as nursery:
        yield nursery


@pytest.mark.parametrize("seed", range(-(-KILLS // LIVES)))
def test_a_killed_run_leaves_a_whole_state(seed: int, tmp_path: Path, nursery: Nursery) -> None:
    """The file opens, holds whole commits only, agrees with both systems; at the end they agree, nothing lost."""
    with closing(Lives(seed, tmp_path / "acme.db", nursery)) as lives:
        for _ in range(LIVES):
            lives.live()
        log.info("%d kills: %s", LIVES, dict(lives.landed))
        assert lives.landed["in a transaction, before COMMIT"]
        assert lives.landed["write not answered"]
        lives.rest()


@pytest.mark.parametrize(
    ("bug", "says"),
    [
        ("halfway", "no whole transaction left there"),
        ("ahead", "before its answer came|has never said so"),
    ],
)
def test_a_planted_bug_is_caught(bug: Bug, says: str, tmp_path: Path, nursery: Nursery) -> None:
    """The kills can fail: a store that keeps half a transaction, a baseline that moves before the answer."""
    kills = itertools.count(1)
    with pytest.raises(ViolationError, match=says) as caught:  # noqa: PT012 - whichever kill it is
        for seed in range(CAUGHT_WITHIN // LIVES):
            with closing(Lives(seed, tmp_path / f"{seed}.db", nursery, bug=bug)) as lives:
                for _ in range(LIVES):
                    next(kills)
                    lives.live()
    log.info("kill %d: %s", next(kills) - 1, caught.value)
