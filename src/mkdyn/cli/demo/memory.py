"""The demo in memory: both systems in this process, and nothing between them and the sync."""

from __future__ import annotations

from mkdyn import Synchronizer
from mkdyn.cli.demo.crm import Crm
from mkdyn.cli.demo.hands import in_memory
from mkdyn.cli.demo.load import Loaded, load
from mkdyn.cli.demo.outcome import Outcome
from mkdyn.cli.demo.state import Memory
from mkdyn.cli.demo.story import Stage, play
from mkdyn.cli.demo.systems import PICKS, Connectors, Systems, new_dynamics, new_systems
from mkdyn.cli.demo.tell import Teller
from mkdyn.testing import FakeMarketo, MemoryStore


async def in_this_process(crm: Crm, memory: Memory, teller: Teller) -> Outcome:
    """Run the story in memory.

    Raises:
        ConfigError: As `play`.
    """
    return await play(stage_of(crm, new_systems()), memory, teller)


def stage_of(crm: Crm, systems: Systems, connectors: Connectors | None = None) -> Stage:
    """Return the stage of two systems in memory.

    Args:
        crm: What to load into Dynamics.
        systems: Both.
        connectors: What the sync speaks to them by; by default they are connectors themselves.
    """

    async def put_in() -> Loaded:
        return load(crm, systems.dynamics)

    own = Connectors(marketo=systems.marketo, dynamics=systems.dynamics)
    return Stage(name=crm.name, hands=in_memory(systems), connectors=connectors or own, load=put_in)


async def make_fields(marketo: FakeMarketo) -> None:
    """Make the fields that the demo selects, as an administrator would: Marketo's API makes none of companies' and deals'."""
    by_hand = Synchronizer(marketo=marketo, dynamics=new_dynamics(), store=MemoryStore())
    await by_hand.fields.select_defaults()
    await by_hand.fields.select(*PICKS)
