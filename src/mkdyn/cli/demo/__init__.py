"""`mkdyn demo`: a whole sync between two systems in memory, told as it goes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import anyio
import typer

from mkdyn.cli.demo.crm import Crm
from mkdyn.cli.demo.csv_source import read_crm
from mkdyn.cli.demo.outcome import Outcome
from mkdyn.cli.demo.sample import sample_crm
from mkdyn.cli.demo.state import demo_store
from mkdyn.cli.demo.story import play
from mkdyn.cli.demo.systems import Systems, new_systems
from mkdyn.cli.demo.tell import Silence, Teller, teller
from mkdyn.errors import ConfigError
from mkdyn.ports.store import StateStore


def _over_the_wire() -> Callable[[Crm, Systems, StateStore, Teller], Awaitable[Outcome]]:
    """Return the story by REST; its servers need libraries that a demo in memory does not."""
    try:
        from mkdyn.cli.demo.wire import over_the_wire  # noqa: PLC0415 - see above
    except ImportError as error:
        raise ConfigError(
            f"{error.name or 'A library'} is not installed, so nothing can be served.",
            what_to_do="Install the extras: pip install 'mkdyn[cli,testing]'.",
        ) from error
    return over_the_wire


def demo(*, data: Path | None, state: Path | None, as_json: bool, wire: bool = False) -> int:
    """Play the demo and tell it; return the exit code.

    Args:
        data: The folder with the CRM's files; None for the built-in sample.
        state: Where to keep the state; None keeps it in memory.
        as_json: Whether to print one JSON object, and nothing else.
        wire: Whether the sync speaks to both systems by REST, over servers on this machine.

    Raises:
        ConfigError: The data can't be read, or the state file is one of an earlier demo.
        StateError: The state file can't be used.
        OtherOrganizationError: The state file belongs to other systems.
    """
    crm = sample_crm() if data is None else read_crm(data)
    systems = new_systems()
    with demo_store(state) as store:
        told = Silence() if as_json else teller()
        outcome = anyio.run(_over_the_wire() if wire else play, crm, systems, store, told)
    if as_json:
        typer.echo(outcome.to_json())
    return outcome.exit_code
