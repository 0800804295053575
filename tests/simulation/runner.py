"""Live through many histories, on all cores: see `python -m tests.simulation --help`."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
import traceback
from collections import Counter
from collections.abc import Mapping
from functools import partial
from typing import TextIO

import attrs

from mkdyn.domain.systems import System
from tests.simulation.history import LENGTH, live_through
from tests.simulation.wire.history import LENGTH as WIRE_LENGTH, live_through as live_on_the_wire
from tests.simulation.world import ViolationError, World

_COLLECTED_MAX = 5


@attrs.frozen
class Outcome:
    """What became of one history: its seed, its steps in words, what was wrong, if anything, and on the wire."""

    seed: int
    steps: int
    wrong: str
    faults: Mapping[str, int] = attrs.field(factory=dict[str, int])


def outcome_of(
    seed: int,
    *,
    steps: int,
    verbose: bool = False,
    lifecycles: bool = False,
    wire: System | None = None,
    files: bool = False,
) -> Outcome:
    """Live through one history; an error of the simulation itself counts as a violation."""
    world: World
    faults: Mapping[str, int] = {}
    try:
        if wire is None:
            world = live_through(seed, length=steps, lifecycles=lifecycles)
        else:
            world = on_the_wire = live_on_the_wire(wire, seed, length=steps, files=files)
            faults = on_the_wire.weather.happened
    except ViolationError as violation:
        return Outcome(seed, steps, str(violation))
    except Exception:  # noqa: BLE001 - told, with the seed, and counted
        return Outcome(seed, steps, f"seed {seed}\n{traceback.format_exc()}")
    if verbose:
        sys.stdout.write("\n".join([*world.steps, ""]))
    return Outcome(seed, steps, "", faults)


def told(where: TextIO, what: str) -> None:
    """Write a line."""
    where.write(f"{what}\n")
    where.flush()


def main() -> int:
    """Live through the histories asked for; return how many broke a promise."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description="Live through random histories.")
    parser.add_argument("--seeds", type=int, default=1000, help="how many histories")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--steps", type=int, help="how many steps each has, before it comes to rest")
    parser.add_argument(
        "--wire", type=System, choices=[*System], help="reach this system by REST, through its server, with faults"
    )
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="how many processes")
    parser.add_argument("--verbose", action="store_true", help="tell every step, violation or not")
    parser.add_argument("--lifecycles", action="store_true", help="with conversions, merges, a filter and backfills")
    parser.add_argument("--files", action="store_true", help="with --wire marketo: updates of persons go in files")
    parser.add_argument("--collect", type=int, default=_COLLECTED_MAX, help="stop after so many broken ones")
    asked = parser.parse_args()
    seeds = range(asked.first, asked.first + asked.seeds)
    steps = asked.steps or (LENGTH if asked.wire is None else WIRE_LENGTH)
    began, done, broken, faults = time.monotonic(), 0, list[Outcome](), Counter[str]()
    os.environ.setdefault("PYTHONHASHSEED", "0")  # what is in a set comes in the same order when it is replayed
    how = {"verbose": asked.verbose, "lifecycles": asked.lifecycles, "wire": asked.wire, "files": asked.files}
    play = partial(outcome_of, steps=steps, **how)
    with multiprocessing.get_context("spawn").Pool(min(asked.jobs, len(seeds))) as pool:
        for outcome in pool.imap_unordered(play, seeds, chunksize=8 if len(seeds) > 100 else 1):
            done += 1
            faults.update(outcome.faults)
            if outcome.wrong:
                broken.append(outcome)
                told(sys.stderr, f"seed {outcome.seed}: {outcome.wrong.rstrip().splitlines()[-1]}")
            if done % 100 == 0 or done == len(seeds):
                rate = done / (time.monotonic() - began)
                told(sys.stderr, f"{done:,} of {len(seeds):,} histories, {len(broken)} broken, {rate:.1f}/s")
            if len(broken) >= asked.collect:
                pool.terminate()
                break
    kind = " --lifecycles" if asked.lifecycles else "" if asked.wire is None else f" --wire {asked.wire.value}"
    kind += " --files" if asked.files else ""
    for outcome in broken:
        told(
            sys.stdout,
            f"{outcome.wrong}\nreplay: python -m tests.simulation --first {outcome.seed} --seeds 1 --steps {outcome.steps}{kind} --verbose\n",
        )
    if faults:
        counts = ", ".join(f"{kind} {count:,}" for kind, count in faults.most_common())
        told(sys.stdout, f"{faults.total():,} faults on the line: {counts}")
    told(
        sys.stdout,
        f"{done:,} histories of {steps} steps{kind} from seed {asked.first:,}: {len(broken)} broke a promise",
    )
    return 1 if broken else 0
