"""`mkdyn demo`: a whole sync between two systems in memory, told as it goes."""

from __future__ import annotations

from pathlib import Path

import anyio
import typer

from mkdyn.cli.demo.csv_source import read_crm
from mkdyn.cli.demo.sample import sample_crm
from mkdyn.cli.demo.state import demo_store
from mkdyn.cli.demo.story import play
from mkdyn.cli.demo.systems import new_systems
from mkdyn.cli.demo.tell import Silence, teller


def demo(*, data: Path | None, state: Path | None, as_json: bool) -> int:
    """Play the demo and tell it; return the exit code.

    Raises:
        ConfigError: The data can't be read, or the state file is one of an earlier demo.
        StateError: The state file can't be used.
        OtherOrganizationError: The state file belongs to other systems.
    """
    crm = sample_crm() if data is None else read_crm(data)
    systems = new_systems()
    with demo_store(state) as store:
        outcome = anyio.run(play, crm, systems, store, Silence() if as_json else teller())
    if as_json:
        typer.echo(outcome.to_json())
    return outcome.exit_code
