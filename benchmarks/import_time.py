"""What importing costs: fresh interpreters that import, beside fresh interpreters that do nothing."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from statistics import median
from typing import Final

from benchmarks.asked import Asked, Found

#: How many interpreters of each kind are started, in turn.
ROUNDS: Final = 21
_BARE: Final = "pass"
_PACKAGE: Final = "import mkdyn"
#: What a program that syncs needs before it has a connector.
_NAMES: Final = "from mkdyn import Entity, Pick, Rules, SqliteStore, Synchronizer"
#: Needed later, or by the command line alone.
_LATER: Final = ("httpx", "tenacity", "typer", "rich")


def measure(asked: Asked) -> Found:
    """Return the milliseconds above a bare interpreter, the median of each; sizes mean nothing here.

    Raises:
        RuntimeError: Something was imported that is not needed yet.
    """
    imported = {code: _imported(code) for code in (_PACKAGE, _NAMES)}
    early = sorted({name for found in imported.values() for name in found})
    if early:
        raise RuntimeError(f"imported too early: {', '.join(early)}")
    seconds: dict[str, list[float]] = {code: [] for code in (_BARE, _PACKAGE, _NAMES)}
    for _ in range(ROUNDS):
        for code, found in seconds.items():
            found.append(_seconds(code))
    bare, package, names = (median(found) for found in seconds.values())
    return {
        "name": "import",
        "records": asked.records,
        "fields": asked.fields,
        "touched": 0,
        "seconds": round(package - bare, 4),
        "touched_per_s": 0,
        "milliseconds": round(1_000 * (package - bare), 1),
        "milliseconds_names": round(1_000 * (names - bare), 1),
        "bare_milliseconds": round(1_000 * bare, 1),
        "imported_early": early,
    }


def _imported(code: str) -> list[str]:
    """Return which of the modules that are needed later are there after the code ran in a fresh interpreter."""
    look = f"{code}; import json, sys; print(json.dumps([name for name in {_LATER!r} if name in sys.modules]))"
    done = subprocess.run([sys.executable, "-c", look], check=True, capture_output=True)  # noqa: S603 - our own code
    found: list[str] = json.loads(done.stdout)
    return found


def _seconds(code: str) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)  # noqa: S603 - our own code
    return time.perf_counter() - start
