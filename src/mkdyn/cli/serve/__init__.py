"""`mkdyn serve`: one vendor's API on a port of this machine, in front of a fake."""

from __future__ import annotations

from importlib import import_module
from typing import Final

import typer

from mkdyn.errors import ConfigError

_EXTRA: Final = ("starlette", "uvicorn")


def serve(system: str, **settings: object) -> int:
    """Serve one system's API until somebody stops it; return the exit code.

    Raises:
        ConfigError: The extra `testing` is not installed, the port is taken, or the data can't be read.
    """
    try:
        module = import_module(f"mkdyn.cli.serve.{system}")
    except ModuleNotFoundError as error:
        if error.name not in _EXTRA:
            raise
        raise ConfigError("The servers need the extra testing.", what_to_do="pip install 'mkdyn[testing]'") from error
    try:
        module.serve(**settings)
    except KeyboardInterrupt:
        typer.echo("mkdyn: stopped.", err=True)
    return 0
