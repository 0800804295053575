"""`mkdyn demo`: a whole sync between two systems, told as it goes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Final

import anyio
import typer

from mkdyn.cli.demo.addresses import Addresses
from mkdyn.cli.demo.crm import Crm
from mkdyn.cli.demo.csv_source import read_crm
from mkdyn.cli.demo.memory import in_this_process
from mkdyn.cli.demo.outcome import Outcome
from mkdyn.cli.demo.sample import sample_crm
from mkdyn.cli.demo.served import against_servers
from mkdyn.cli.demo.state import Memory, demo_memory
from mkdyn.cli.demo.tell import Silence, Teller, teller
from mkdyn.errors import ConfigError

#: Plays the demo: with what it remembers, and who tells it.
Play = Callable[[Memory, Teller], Awaitable[Outcome]]


def demo(
    *, data: Path | None, state: Path | None, as_json: bool, wire: bool = False, addresses: Addresses | None = None
) -> int:
    """Play the demo and tell it; return the exit code.

    Args:
        data: The folder with the CRM's files; None for the built-in sample.
        state: Where to keep the state; None keeps it in memory.
        as_json: Whether to print one JSON object, and nothing else.
        wire: Whether the sync speaks to both systems by REST, over servers on this machine.
        addresses: Servers of other processes; by default they are this one's.

    Raises:
        ConfigError: The data can't be read, or the state file is one of an earlier demo.
        StateError: The state file can't be used.
        OtherOrganizationError: The state file belongs to other systems.
    """
    crm = None if data is None else read_crm(data)
    if addresses is not None and not wire:
        raise ConfigError(
            "--marketo-url and --dynamics-url name servers to speak to by REST.", what_to_do="Add --wire."
        )
    play = _by_rest(crm, addresses) if wire else partial(in_this_process, crm or sample_crm())
    with demo_memory(state, served=addresses is not None) as memory:
        outcome = anyio.run(play, memory, Silence() if as_json else teller())
    if as_json:
        typer.echo(outcome.to_json())
    return outcome.exit_code


_EXTRAS: Final = "Install the extras: pip install 'mkdyn[cli,testing]'."


def _by_rest(crm: Crm | None, addresses: Addresses | None) -> Play:
    """Return the story by REST: against servers of other processes, or of this one."""
    if addresses is not None:
        return partial(against_servers, addresses, crm, sample_crm())
    try:
        from mkdyn.cli.demo.wire import over_the_wire  # noqa: PLC0415 - a demo in memory needs no server's libraries
    except ImportError as error:
        raise ConfigError(
            f"{error.name or 'A library'} is not installed, so nothing can be served.", what_to_do=_EXTRAS
        ) from error
    return partial(over_the_wire, crm or sample_crm())
