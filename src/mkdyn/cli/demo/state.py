"""Where the demo keeps its state: in memory, or in a file."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path

import attrs

from mkdyn import SqliteStore
from mkdyn.cli.demo.notes import FileNotes, MemoryNotes, Notes
from mkdyn.cli.demo.systems import ORGANIZATIONS, SERVED_ORGANIZATIONS
from mkdyn.errors import ConfigError, OtherOrganizationError
from mkdyn.ports.store import StateStore
from mkdyn.testing import MemoryStore

#: The note that says that a demo's systems are served elsewhere, and are still there when it goes on.
_SERVED = "served"


@attrs.frozen
class Memory:
    """What a demo remembers.

    Attributes:
        store: The sync's state.
        notes: How far its own story is.
    """

    store: StateStore
    notes: Notes


@contextmanager
def demo_memory(file: Path | None, *, served: bool = False) -> Generator[Memory]:
    """Lend a state that knows nothing yet, or one of a demo that was cut off, and can go on.

    Args:
        file: Where; None keeps it in memory.
        served: Whether the systems are other processes', so that they have outlived a demo that was cut off.

    Raises:
        ConfigError: The file is the state of an earlier demo that can't go on.
        OtherOrganizationError: It is the state of somebody else's sync.
        StateError: It can't be used at all.
    """
    if file is None:
        yield Memory(MemoryStore(), MemoryNotes())
        return
    with closing(SqliteStore(file)) as store:
        known = is_demo_s(store, file)  # opens the file, or says why not
        with closing(FileNotes(file)) as notes:
            if known or notes.get(_SERVED):
                _expect_to_go_on(notes, file, served=served)
            elif served:
                notes.put(_SERVED, True)
            yield Memory(store, notes)


def _expect_to_go_on(notes: Notes, file: Path, *, served: bool) -> None:
    was_served = bool(notes.get(_SERVED))
    if served and was_served:
        return
    if was_served:
        why, what_to_do = (
            "its systems are served by other processes",
            "Give their --marketo-url and --dynamics-url to go on",
        )
    else:
        why, what_to_do = (
            "its systems went with it",
            "Start from nothing: give --state another file, or delete this one",
        )
    raise ConfigError(f"{file} is there already, from an earlier demo; {why}.", what_to_do=f"{what_to_do}.")


def is_demo_s(store: StateStore, file: Path) -> bool:
    """Whether a state is a demo's, or nobody's yet.

    Raises:
        OtherOrganizationError: It is the state of somebody else's sync.
    """
    known = {system: store.organization(system) for system in ORGANIZATIONS}
    for system, organization in known.items():
        if organization not in {None, ORGANIZATIONS[system], *SERVED_ORGANIZATIONS[system]}:
            raise OtherOrganizationError(
                f"{file} belongs to {system} {organization}, and the demo's is {ORGANIZATIONS[system]}. "
                "Nothing was changed.",
                what_to_do="Give --state another file.",
            )
    return any(organization is not None for organization in known.values())
