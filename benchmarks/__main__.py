"""Measure: `python -m benchmarks run --records 10000 --json`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping

from benchmarks import whole_run

BENCHMARKS: Mapping[str, Callable[[int, int], Mapping[str, object]]] = {"run": whole_run.measure}


def main() -> int:
    """Measure one benchmark, and print what was found."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("name", choices=sorted(BENCHMARKS))
    parser.add_argument("--records", type=int, default=10_000, help="linked records before anything is touched")
    parser.add_argument("--touched", type=int, default=500, help="records edited before the measured run")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args()
    found = BENCHMARKS[given.name](given.records, given.touched)
    print(json.dumps(found) if given.json else "\n".join(f"{name}: {value}" for name, value in found.items()))
    return 0


sys.exit(main())
