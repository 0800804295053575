"""Where the demo keeps its state: in memory, or in a file that is new."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path

from mkdyn import SqliteStore
from mkdyn.cli.demo.systems import ORGANIZATIONS
from mkdyn.errors import ConfigError, OtherOrganizationError
from mkdyn.ports.store import StateStore
from mkdyn.testing import MemoryStore


@contextmanager
def demo_store(file: Path | None) -> Generator[StateStore]:
    """Lend a state that knows nothing yet.

    Raises:
        ConfigError: The file is the state of an earlier demo.
        OtherOrganizationError: It is the state of somebody else's sync.
        StateError: It can't be used at all.
    """
    with closing(MemoryStore() if file is None else SqliteStore(file)) as store:
        if file is not None:
            _expect_new(store, file)
        yield store


def _expect_new(store: StateStore, file: Path) -> None:
    for system, ours in ORGANIZATIONS.items():
        known = store.organization(system)
        if known is not None and known != ours:
            raise OtherOrganizationError(
                f"{file} belongs to {system} {known}, and the demo's is {ours}. Nothing was changed.",
                what_to_do="Give --state another file.",
            )
        if known is not None:
            raise ConfigError(
                f"{file} is there already, from an earlier demo; each starts from nothing.",
                what_to_do="Give --state another file, or delete this one.",
            )
