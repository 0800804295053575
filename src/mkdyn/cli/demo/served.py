"""The demo against servers of other processes: `mkdyn serve marketo` and `mkdyn serve dynamics`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AsyncExitStack
from typing import Final
from urllib.parse import urlsplit

import anyio
import attrs

from mkdyn import ClientCredentials, MarketoLimits, RestDynamics, RestMarketo
from mkdyn.cli.demo.addresses import Addresses
from mkdyn.cli.demo.crm import Crm
from mkdyn.cli.demo.hands import Hands
from mkdyn.cli.demo.load import Loaded, load
from mkdyn.cli.demo.notes import Notes
from mkdyn.cli.demo.outcome import Outcome
from mkdyn.cli.demo.rest_hands import RestDynamicsHands, RestMarketoHands, Service
from mkdyn.cli.demo.state import Memory
from mkdyn.cli.demo.story import Stage, play
from mkdyn.cli.demo.systems import PRODUCT, Connectors, new_dynamics
from mkdyn.cli.demo.tell import Teller
from mkdyn.domain.values import Values
from mkdyn.errors import ConfigError, CredentialsError, UnreachableError
from mkdyn.ports import Connector
from mkdyn.testing import FakeDynamics

#: What part of Marketo's limits is the sync's; the rest is for the people in it.
_SHARE: Final = 0.75
_CALLS_PER_20_S: Final = 100
#: How long to let arrive what a demo that was killed had on its way.
_ARRIVING_S: Final = 1.0
#: The tables, in the order in which they are loaded.
_TABLES: Final = ("systemuser", "team", "account", "contact", "lead", PRODUCT.logical_name, "opportunity")
_ANEW: Final = "Start both servers anew, and give --state a new file."


async def against_servers(
    addresses: Addresses,
    crm: Crm | None,
    default: Crm,
    memory: Memory,
    teller: Teller,
    *,
    calls_per_20_s: int = _CALLS_PER_20_S,
) -> Outcome:
    """Run the story against servers of other processes; go on where an earlier demo was cut off.

    Args:
        addresses: Where.
        crm: What they are to hold; None for whatever they do.
        default: What to load where Dynamics is empty and *crm* is None.
        memory: What is remembered of it.
        teller: Who tells it.
        calls_per_20_s: How many calls Marketo takes in twenty seconds.

    Raises:
        ConfigError: The servers hold something else, or are not those that the demo began with.
        CredentialsError: They don't accept the credentials.
        UnreachableError: There is no server.
    """
    ours, people_s = (MarketoLimits(share=share, calls_per_20_s=calls_per_20_s) for share in (_SHARE, 1 - _SHARE))
    async with AsyncExitStack() as closing:
        service = Service(
            url=addresses.marketo_url,
            client_id=addresses.marketo_client_id,
            client_secret=addresses.marketo_client_secret,
        )
        credentials = ClientCredentials(
            tenant=addresses.dynamics_tenant_id,
            client_id=addresses.dynamics_client_id,
            client_secret=addresses.dynamics_client_secret,
            login_url=addresses.dynamics_url,
        )
        connectors = Connectors(
            marketo=RestMarketo(
                service.url,
                client_id=service.client_id,
                client_secret=service.client_secret,
                limits=ours,
                settles_after_s=0.0,
            ),
            dynamics=RestDynamics(addresses.dynamics_url, token=credentials, settles_after_s=0.0),
        )
        marketo = RestMarketoHands(service, limits=people_s)
        dynamics = RestDynamicsHands(addresses.dynamics_url, credentials)
        for each in (connectors.marketo, connectors.dynamics, marketo, dynamics):
            closing.push_async_callback(each.aclose)
        loading = Loading(dynamics=dynamics, crm=crm, default=default, notes=memory.notes)
        await _reach("dynamics", addresses.dynamics_url, connectors.dynamics)
        await _reach("marketo", addresses.marketo_url, connectors.marketo)
        await loading.expect_the_same()
        stage = Stage(
            name=f"{addresses.dynamics_url} and {service.url}",
            hands=Hands(marketo=marketo, dynamics=dynamics),
            connectors=connectors,
            load=loading.load,
        )
        return await play(stage, memory, teller)


async def _reach(name: str, url: str, connector: Connector) -> None:
    """Say which server is not there, and how to start one.

    Raises:
        UnreachableError: Nobody answers.
        CredentialsError: It does not accept the credentials.
    """
    try:
        await connector.identify()
    except UnreachableError as error:
        raise UnreachableError(
            f"Nobody answers at {url}.",
            what_to_do=f"Start a server there: mkdyn serve {name} --port {urlsplit(url).port}.",
        ) from error
    except CredentialsError as error:
        raise CredentialsError(
            f"The server at {url} does not accept the client id and secret.",
            what_to_do=f"Give those that mkdyn serve {name} printed when it was started.",
        ) from error


@attrs.frozen(kw_only=True)
class Loading:
    """Sees to it that Dynamics has the data.

    Attributes:
        dynamics: People there.
        crm: What it is to hold; None for whatever it does.
        default: What to load where it is empty and *crm* is None.
        notes: What of the story is done.
    """

    dynamics: RestDynamicsHands
    crm: Crm | None
    default: Crm
    notes: Notes

    async def expect_the_same(self) -> None:
        """Refuse servers that do not know the records of a demo that is to go on."""
        noted = self.notes.get("loaded")
        if noted is None:
            return
        await anyio.sleep(_ARRIVING_S)
        loaded, there = Loaded(**noted["came to"]), {row.key for row in await self.dynamics.rows("account", ())}
        if not there.issuperset(loaded.accounts):
            raise ConfigError(
                "Dynamics does not have the records of the demo that is in the state file: servers keep nothing when "
                "they are stopped.",
                what_to_do=_ANEW,
            )

    async def load(self) -> Loaded:
        """Load what is to be there; where rows are there already, take them as they are."""
        there = {table: [row.key for row in await self.dynamics.rows(table, ())] for table in _TABLES}
        if self.notes.get("loading") is None and any(there.values()):
            if self.crm is not None:
                self._expect(there)
        else:
            there = await self._load(self.crm or self.default)
        return Loaded(
            users=there["systemuser"],
            accounts=there["account"],
            contacts=there["contact"],
            leads=there["lead"],
            products=there[PRODUCT.logical_name],
            opportunities=there["opportunity"],
        )

    def _expect(self, there: dict[str, list[str]]) -> None:
        wanted = self._rehearsed(self.crm or self.default)
        for table in _TABLES:
            rows = len(wanted.records(table))
            if rows != len(there[table]):
                raise ConfigError(
                    f"Dynamics has {len(there[table]):,} rows of {table}, and {self.crm and self.crm.name} has {rows:,}.",
                    what_to_do="Start mkdyn serve dynamics with the same --data, or without any.",
                )

    async def _load(self, crm: Crm) -> dict[str, list[str]]:
        """Make all rows by the API; one that was cut off makes the rest."""
        self.notes.put("loading", True)
        rehearsed = self._rehearsed(crm)
        for table in _TABLES:
            first: dict[str, Values] = {}
            then: dict[str, Values] = {}
            for key, made, changed in _rows(rehearsed, table):
                first[key] = made
                if changed:
                    then[key] = changed
            await self.dynamics.create_all(table, first)
            await self.dynamics.edit(table, then)
        return {table: [row.key for row in rehearsed.records(table)] for table in _TABLES}

    @staticmethod
    def _rehearsed(crm: Crm) -> FakeDynamics:
        """Return a Dynamics in memory that has the data: it chooses the GUIDs, and says which line does not fit."""
        rehearsed = new_dynamics()
        load(crm, rehearsed)
        return rehearsed


def _rows(dynamics: FakeDynamics, table: str) -> Iterator[tuple[str, Values, Values]]:
    """Yield each row's GUID, what it is made with, and what can be said of it only when all are there."""
    specs = dynamics.backstage().tables[table].specs
    for row in dynamics.records(table):
        made = {name: value for name, value in row.values.items() if value is not None and specs[name].writable}
        state = {name: made.pop(name, None) for name in ("statecode", "statuscode")}  # a new row is always open
        later = {name: made.pop(name) for name in ("parentaccountid",) if table == "account" and name in made}
        yield row.key, made, {**later, **(state if state["statecode"] else {})}
