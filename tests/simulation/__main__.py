"""Live through many histories: `python -m tests.simulation --seeds 20000`.

Or with one system reached by REST, through its server, where much goes wrong on the line:
`python -m tests.simulation --wire dynamics --seeds 1000`; with `--wire marketo --files`, updates of persons go in files.

Replay one: `python -m tests.simulation --first 4711 --seeds 1 --verbose`.
"""

from __future__ import annotations

import sys

from tests.simulation.runner import main

if __name__ == "__main__":
    sys.exit(main())
