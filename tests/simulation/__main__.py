"""Live through many histories: `python -m tests.simulation --seeds 20000`.

Replay one: `python -m tests.simulation --first 4711 --seeds 1 --verbose`.
"""

from __future__ import annotations

import sys

from tests.simulation.runner import main

if __name__ == "__main__":
    sys.exit(main())
