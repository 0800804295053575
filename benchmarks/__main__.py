"""Measure: `python -m benchmarks run --records 10000 --fields 20 --json`."""

from __future__ import annotations

import argparse
import json
import sys
from importlib import import_module
from typing import Final

from benchmarks.asked import Asked, Benchmark

#: Each benchmark's module; imported when it is asked for, so that none pays for another's imports.
MODULES: Final = {
    "backfill": "benchmarks.backfill",
    "dynamics": "benchmarks.dynamics",
    "idle": "benchmarks.idle",
    "import": "benchmarks.import_time",
    "marketo": "benchmarks.marketo",
    "memory": "benchmarks.memory",
    "merge": "benchmarks.merge",
    "run": "benchmarks.run",
}


def main() -> int:
    """Measure one benchmark, and print what was found."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("name", choices=sorted(MODULES))
    parser.add_argument("--records", type=_count, default=10_000, help="linked records before anything is touched")
    parser.add_argument("--fields", type=_count, default=20, help="fields of each record")
    parser.add_argument("--touched", type=_count, help="records touched; else the workload's share")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args()
    measure: Benchmark = import_module(MODULES[given.name]).measure
    found = measure(Asked(records=given.records, fields=given.fields, touched=given.touched))
    print(json.dumps(found) if given.json else "\n".join(f"{name}: {value}" for name, value in found.items()))
    return 0


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a number of at least 1")
    return number


sys.exit(main())
