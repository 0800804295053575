"""The `mkdyn` command; it needs the extra `cli`."""

from __future__ import annotations

import io
import sys
from importlib import import_module

_EXTRA = ("typer", "rich")


def main() -> None:
    """Run the command line, or say what it needs."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without "→" shows "?", and no traceback
    try:
        app = import_module("mkdyn.cli.app").app
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] not in _EXTRA:
            raise
        sys.exit(_without_extra())
    app()


def _without_extra() -> int:
    print("mkdyn's command line needs the extra cli: pip install 'mkdyn[cli]'", file=sys.stderr)
    return 2
