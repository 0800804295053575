"""What a person must put right before a run is told by `check`, all of it, whatever keeps us out of one system."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from mkdyn import ClientCredentials, Entity, Pick, RestDynamics, RestMarketo, Synchronizer
from mkdyn.errors import CheckError
from mkdyn.testing import FakeDynamics, FakeMarketo, MemoryStore
from mkdyn.testing.servers.dynamics import Application, Drop, DynamicsServer, Fail, Quirks
from mkdyn.testing.servers.in_process import InProcess
from mkdyn.testing.servers.marketo import MarketoServer, Service

pytestmark = pytest.mark.anyio

MARKETO, DYNAMICS = "https://123-abc-456.mktorest.com", "https://acme.crm4.dynamics.com"
APPLICATIONS = [Application(client_id="a", client_secret="b"), Application(client_id="guest", member=False)]


@asynccontextmanager
async def syncing(
    server: DynamicsServer, store: MemoryStore, *, says: str = "n", **credentials: str
) -> AsyncGenerator[Synchronizer]:
    """Two systems over the wire, in this process."""
    marketo = MarketoServer(FakeMarketo(), services=[Service(client_id="m", client_secret="n")])
    given: dict[str, Any] = {"tenant": "acme", "client_id": "a", "client_secret": "b", "login_url": DYNAMICS}
    async with (
        httpx.AsyncClient(transport=InProcess(marketo)) as to_marketo,
        httpx.AsyncClient(transport=InProcess(server)) as to_dynamics,
    ):
        yield Synchronizer(
            marketo=RestMarketo(MARKETO, client_id="m", client_secret=says, client=to_marketo),
            dynamics=RestDynamics(DYNAMICS, token=ClientCredentials(**{**given, **credentials}), client=to_dynamics),
            store=store,
        )


async def told(sync: Synchronizer) -> list[str]:
    """What `check` says is wrong."""
    return [str(problem) for _, problem in (await sync.check()).problems]


@pytest.mark.parametrize(
    ("credentials", "problem"),
    [
        ({"client_secret": "x"}, "Entra gives no token (AADSTS7000215). The client secret is wrong: give its value, not its id."),
        ({"client_id": "x"}, "Entra gives no token (AADSTS700016). The tenant knows no application with this client id."),
        ({"tenant": "../x"}, "Entra gives no token. Check the tenant, the client id and its secret."),
        (
            {"client_id": "guest", "client_secret": "secret"},
            (
                "Dynamics: There is no application user with this client id in the environment. Add an application user "
                "with this client id to the environment, and give it a security role."
            ),
        ),
    ],
    ids=["secret", "client", "tenant", "no application user"],
)  # fmt: skip
async def test_whoever_is_not_let_in_hears_why(credentials: dict[str, str], problem: str) -> None:
    """And what is wrong in Marketo is told as well."""
    server = DynamicsServer(FakeDynamics(), applications=APPLICATIONS)
    async with syncing(server, MemoryStore(), says="x", **credentials) as sync:
        report = await sync.check()
        assert [str(problem) for _, problem in report.problems] == [
            (
                "Marketo gives no token for this client id. "
                "Check the client id and its secret: Admin, LaunchPoint, the service's details."
            ),
            problem,
        ]
        assert not report.identities
        with pytest.raises(CheckError, match="Marketo gives no token"):
            report.raise_for_problems()
    async with syncing(server, MemoryStore(), **credentials) as sync:
        assert await told(sync) == [problem]


@pytest.mark.parametrize("fault", [Drop(), Fail(status=404, body="<html>nothing here</html>")], ids=repr)
async def test_an_address_where_nobody_answers_or_somebody_else(fault: Drop | Fail) -> None:
    """It may be a wrong one; what it says is no reason to go on."""
    server = DynamicsServer(FakeDynamics(), applications=APPLICATIONS)
    server.trouble = lambda kind: None if kind == "token" else fault
    async with syncing(server, MemoryStore()) as sync:
        [problem] = await told(sync)
        assert problem.startswith("Dynamics: ")
        assert problem.endswith("Check its address, or try again later.")


async def test_all_that_a_table_lacks_is_told_at_once() -> None:
    """Tables, columns, rights and tracking, each with its remedy: which role, which switch."""
    fake, store = FakeDynamics(), MemoryStore()
    async with syncing(DynamicsServer(fake, applications=APPLICATIONS), store) as sync:
        await sync.set_up()
        picks = [Pick(Entity.LEAD, name) for name in ("lastname", "jobtitle", "telephone1")]
        await sync.fields.select(*picks, Pick(Entity.CONTACT, "lastname"), Pick(Entity.USER, "internalemailaddress"))
        assert not await told(sync)
    fake.hide_column("lead", "jobtitle")
    fake.drop_column("lead", "telephone1")
    fake.hide_table("systemuser")
    server = DynamicsServer(fake, applications=APPLICATIONS, quirks=Quirks(untracked=frozenset({"contact"})))
    async with syncing(server, store) as sync:
        assert sorted(await told(sync)) == [
            (
                "Dynamics contact: changes are not tracked. Switch on Track changes in the table's properties, and publish "
                "it; where that can't be had, name it in Polling."
            ),
            (
                "Dynamics lead.jobtitle: secured, the sync user may not read it. "
                "Add it to a column security profile that allows Read."
            ),
            (
                "Dynamics lead.telephone1 is not there; nearest: telephone2. "
                "Create the column, publish it, and let the sync user read it; or deselect it."
            ),
            (
                "Dynamics systemuser: the sync user cannot read the table (no prvReadUser). "
                "Give its role Read, organization level."
            ),
        ]
