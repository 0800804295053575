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
    if is_demo_s(store, file):
        raise ConfigError(
            f"{file} is there already, from an earlier demo; each starts from nothing.",
            what_to_do="Give --state another file, or delete this one.",
        )


def is_demo_s(store: StateStore, file: Path) -> bool:
    """Whether a state is a demo's, or nobody's yet.

    Raises:
        OtherOrganizationError: It is the state of somebody else's sync.
    """
    known = {system: store.organization(system) for system in ORGANIZATIONS}
    for system, organization in known.items():
        if organization not in {None, ORGANIZATIONS[system]}:
            raise OtherOrganizationError(
                f"{file} belongs to {system} {organization}, and the demo's is {ORGANIZATIONS[system]}. "
                "Nothing was changed.",
                what_to_do="Give --state another file.",
            )
    return any(organization is not None for organization in known.values())
