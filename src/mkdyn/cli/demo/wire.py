"""The demo over the wire: both vendors' APIs on ports of this machine, and the REST connectors in front of them."""

from __future__ import annotations

from mkdyn import ClientCredentials, MarketoLimits, RestDynamics, RestMarketo
from mkdyn.cli.demo.crm import Crm
from mkdyn.cli.demo.memory import make_fields, stage_of
from mkdyn.cli.demo.outcome import Outcome
from mkdyn.cli.demo.state import Memory
from mkdyn.cli.demo.story import play
from mkdyn.cli.demo.systems import Connectors, new_systems
from mkdyn.cli.demo.tell import Teller
from mkdyn.testing.servers.dynamics import Application, DynamicsServer
from mkdyn.testing.servers.loopback import loopback
from mkdyn.testing.servers.marketo import MarketoServer, ServerLimits, Service

_CLIENT = "mkdyn"
_SECRET = "of-this-machine"  # noqa: S105 - of servers that live as long as the demo


async def over_the_wire(crm: Crm, memory: Memory, teller: Teller) -> Outcome:
    """Run the story by REST, over servers that live as long as it does.

    Raises:
        ConfigError: As `play`; or the servers' libraries are not installed.
    """
    systems = new_systems()
    await make_fields(systems.marketo)
    marketo = MarketoServer(
        systems.marketo,
        services=[Service(client_id=_CLIENT, client_secret=_SECRET)],
        limits=ServerLimits(calls_per_window=1_000_000, calls_per_day=1_000_000_000),
    )
    dynamics = DynamicsServer(systems.dynamics, applications=[Application(client_id=_CLIENT, client_secret=_SECRET)])
    with loopback(marketo) as marketo_url, loopback(dynamics) as dynamics_url:
        connectors = Connectors(
            marketo=RestMarketo(
                marketo_url,
                client_id=_CLIENT,
                client_secret=_SECRET,
                limits=MarketoLimits(share=1.0, calls_per_20_s=1_000_000, calls_per_day=1_000_000_000),
                settles_after_s=0.0,
            ),
            dynamics=RestDynamics(
                dynamics_url,
                token=ClientCredentials(
                    tenant="demo.example", client_id=_CLIENT, client_secret=_SECRET, login_url=dynamics_url
                ),
                settles_after_s=0.0,
            ),
        )
        try:
            return await play(stage_of(crm, systems, connectors), memory, teller)
        finally:
            await connectors.marketo.aclose()
            await connectors.dynamics.aclose()
