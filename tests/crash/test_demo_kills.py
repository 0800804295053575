"""The demo, killed within its calls and started again: it ends as an undisturbed one does."""

from __future__ import annotations

import json
import logging
import os
import random
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import anyio
import pytest

from mkdyn.cli.demo.memory import make_fields, stage_of
from mkdyn.cli.demo.notes import MemoryNotes
from mkdyn.cli.demo.sample import sample_crm
from mkdyn.cli.demo.state import Memory
from mkdyn.cli.demo.story import play
from mkdyn.cli.demo.systems import Systems, new_systems
from mkdyn.cli.demo.tell import Silence
from mkdyn.testing import MemoryStore
from mkdyn.testing.servers.dynamics import DynamicsServer
from mkdyn.testing.servers.loopback import loopback
from mkdyn.testing.servers.marketo import MarketoServer, ServerLimits

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no SIGKILL here")

#: How often a demo is killed; `MKDYN_DEMO_KILLS=10 MKDYN_DEMO_SEED=1 pytest tests/crash/test_demo_kills.py` is one of ten.
KILLS: Final = int(os.environ.get("MKDYN_DEMO_KILLS", "2"))
SEED: Final = int(os.environ.get("MKDYN_DEMO_SEED", "5"))
#: About how many calls of an undisturbed demo change something, of both systems together.
WRITES: Final = 85
#: Calls that do.
CHANGING: Final = ("write", "merge", "create_field")
LASTS_S: Final = 120
#: What differs from one demo to the next, and means the same: ids, times, and whether a date range found it first.
OF_THE_RECORD: Final = {"id", "createdAt", "updatedAt", "dynamicsContactId", "dynamicsId"}
PEOPLE: Final = (
    "firstname",
    "lastname",
    "emailaddress1",
    "jobtitle",
    "telephone1",
    "mobilephone",
    "new_tier",
    "statecode",
)

log: Final = logging.getLogger(__name__)


class Killer:
    """Counts the writes of both systems, and kills the demo when it comes to the next of its numbers.

    The write that it comes to takes effect, and its answer finds nobody.
    """

    def __init__(self, numbers: list[int]) -> None:
        self.numbers = numbers
        self.landed: list[str] = []
        self.process: subprocess.Popen[str] | None = None
        self.writes = 0
        self._lock = threading.Lock()

    def watching(self, system: str) -> Callable[[str], None]:
        """What runs before each of a system's calls takes effect."""

        def before(call: str) -> None:
            if not call.startswith(CHANGING):
                return
            with self._lock:
                self.writes += 1
                if self.process is not None and self.numbers and self.writes >= self.numbers[0]:
                    self.landed.append(f"{system}: {call}")
                    del self.numbers[0]
                    self.process.kill()
                    self.process = None

        return before


def start(*arguments: str) -> subprocess.Popen[str]:
    """Start the demo in a process of its own."""
    return subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-m", "tests.crash.demo_child", *arguments], stdout=subprocess.PIPE, text=True
    )


def people_of(systems: Systems) -> tuple[Counter[str], Counter[str]]:
    """Everybody in both systems, and how often."""
    persons = Counter(
        repr(sorted((name, str(value)) for name, value in person.values.items() if name not in OF_THE_RECORD))
        for person in systems.marketo.records("lead")
    )
    rows = Counter(
        repr((table, [str(row.values.get(name)) for name in PEOPLE]))
        for table in ("lead", "contact")
        for row in systems.dynamics.records(table)
    )
    return persons, rows


def undisturbed() -> tuple[dict[str, Any], Systems]:
    """The same demo in memory, from its beginning to its end."""
    systems = new_systems()
    memory = Memory(MemoryStore(), MemoryNotes())
    return json.loads(anyio.run(play, stage_of(sample_crm(), systems), memory, Silence()).to_json()), systems


def test_a_killed_demo_ends_as_an_undisturbed_one(tmp_path: Path) -> None:
    """Nothing twice, nothing lost, the same winners; how many writes it took may differ, where answers were lost."""
    chance = random.Random(SEED)
    killer = Killer(sorted(chance.sample(range(1, WRITES), KILLS)))
    calm, calm_systems = undisturbed()
    systems = new_systems()
    anyio.run(make_fields, systems.marketo)
    marketo = MarketoServer(systems.marketo, limits=ServerLimits(calls_per_window=1_000_000))
    with loopback(marketo) as marketo_url, loopback(DynamicsServer(systems.dynamics)) as dynamics_url:
        systems.marketo.between(killer.watching("Marketo"))
        systems.dynamics.between(killer.watching("Dynamics"))
        ended: list[int] = []
        done = ""
        while not ended or ended[-1] == -signal.SIGKILL:
            with start(marketo_url, dynamics_url, str(tmp_path / "demo.db")) as process:
                killer.process = process
                done, _ = process.communicate(timeout=LASTS_S)
            ended.append(process.returncode)
        log.info("%s writes, killed at %s", killer.writes, killer.landed)
    assert ended == [-signal.SIGKILL] * KILLS + [0]
    found = json.loads(done)
    assert found["verified"] == calm["verified"]
    assert found["verified"]["duplicates"] == found["verified"]["differences"] == 0
    assert found["records"] == calm["records"]
    assert found["matches"] == calm["matches"]
    for run, undisturbed_run in zip(found["runs"], calm["runs"], strict=True):
        assert run["collisions"] == undisturbed_run["collisions"]
    assert people_of(systems) == people_of(calm_systems)
