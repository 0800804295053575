"""Requests and answers fit Adobe's own description of Marketo's API, but for what is known to be wrong with it.

The description is Adobe's, and not in this repository: `MKDYN_MARKETO_OPENAPI` names the folder of its two files.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path

import anyio
import attrs
import pytest

from mkdyn import NewField, RestMarketo
from mkdyn.adapters.marketo import files
from mkdyn.domain.keys import joined
from mkdyn.domain.outcomes import Create, Delete, Rejected, Stale, Update
from mkdyn.ports.connectors import MarketoConnector
from mkdyn.testing import FakeMarketo
from mkdyn.testing.contracts import MARKETO_CHECKS
from mkdyn.testing.servers.marketo import Quirks, ServerLimits
from mkdyn.testing.servers.marketo.endpoints import ENDPOINTS
from tests.contract.complaints import complaint
from tests.contract.marketo_wire import FILED, PATIENT, in_process
from tests.reference.openapi.calls import Clerk
from tests.reference.openapi.exchanges import Exchange, RecordingServer
from tests.reference.openapi.known_faults import KNOWN_FAULTS, KnownFault
from tests.reference.openapi.specification import Specification

FOLDER = os.environ.get("MKDYN_MARKETO_OPENAPI")
pytestmark = pytest.mark.skipif(
    FOLDER is None, reason="MKDYN_MARKETO_OPENAPI names no folder with swagger-mapi.json and swagger-identity.json"
)

#: What the connector may call. What is added to it is added here, and then has to be called below.
CONNECTOR_CALLS = {
    "identity", "usage", "leads.describe", "leads.query", "leads.sync", "leads.delete", "leads.merge", "leads.schema",
    "leads.create_fields", "activities.token", "activities.query", "activities.deleted", "customobjects.schemas",
    "customobjects.create", "customobjects.add_fields", "customobjects.approve",
    "bulk.leads", "bulk.leads.status", "bulk.leads.failures", "bulk.leads.warnings",
    *(f"bulk.activities.export.{verb}" for verb in ("create", "enqueue", "status", "file", "cancel")),
    *(
        f"{path}.{verb}"
        for path in ("companies", "opportunities", "opportunities/roles", "salespersons", "customobjects")
        for verb in ("describe", "query", "sync", "delete")
    ),
}  # fmt: skip
#: Ids of persons as old instances have them.
_LARGE = 2**31


def _server(*, quirks: Quirks | None = None, limits: ServerLimits = PATIENT, **how: object) -> RecordingServer:
    fake = FakeMarketo(empty_pages="sometimes")
    fake._last_id = _LARGE
    quirks = attrs.evolve(quirks or Quirks(), block_entries=3)
    return RecordingServer(fake, limits=limits, quirks=quirks, **how)


async def _by_the_connector() -> list[Exchange]:
    """Have the connector keep its contract, and use each kind of object."""
    found: list[Exchange] = []
    for check in MARKETO_CHECKS:
        server = _server()
        async with in_process(server) as bench:
            assert await complaint(check, bench) is None
        found += server.exchanges
    server = _server()
    async with in_process(server) as bench:
        connector = bench.connector
        await connector.check({"lead": ["nosuch"], "nosuch_c": ["name"]})
        await connector.create_field("car_c", NewField(name="owner", label="Owner", type="text"))
        for name, field in (
            ("company", "company"), ("opportunity", "name"), ("salesperson", "lastName"), ("car_c", "owner"),
        ):  # fmt: skip
            await connector.write(name, [Create(key="K1", values={field: "x"}), Create(key="K2", values={field: "y"})])
            await connector.write(name, [Update(key="K1", values={field: None}), Update(key="K3", values={field: "z"})])
            await connector.read(name, ["K1", "K2"], fields=[field])
            await connector.write(name, [Delete(key="K1"), Delete(key="K3")])
        await _use_roles(server, connector)
    return [*found, *server.exchanges, *await _in_files()]


async def _use_roles(server: RecordingServer, connector: RestMarketo) -> None:
    """Write, read, find and delete what is known by several fields."""
    server.fake.create("opportunity", externalOpportunityId="O1", name="Renewal")
    key = joined(["O1", int(server.fake.create("lead", lastName="Roszak")), "Champion"])
    await connector.write("opportunityRole", [Create(key=key, values={"isPrimary": True})])
    await connector.write("opportunityRole", [Update(key=key, values={"isPrimary": False})])
    assert set(await connector.read("opportunityRole", [key], fields=["role", "isPrimary"])) == {key}
    assert len(await connector.find("opportunityRole", "externalOpportunityId", ["O1"], fields=["role"])) == 1
    await connector.write("opportunityRole", [Delete(key=key)])


async def _in_files() -> list[Exchange]:
    """Have a file imported of which a row fails, and another one is imported with a warning; have a feed extracted.

    Another extract is given up.
    """
    server, slow = _server(), _server(limits=attrs.evolve(PATIENT, job_s=1_000.0))
    key = server.fake.create("lead", lastName="Roszak")
    async with in_process(server, bulk=FILED) as bench:
        with pytest.MonkeyPatch.context() as patch:  # Marketo may be stricter about addresses than we are
            patch.setattr(files, "is_email", lambda _: True)
            writes = [Update(key=id, values={"email": "none", "lastName": "Oak"}) for id in (key, "1")]
            found = await bench.connector.write("lead", writes)
        assert [type(outcome) for outcome in found] == [Rejected, Stale]
        await _read_a_long_feed(server, bench.connector)
    async with in_process(slow, bulk=attrs.evolve(FILED, deadline_s=0.001)) as bench:
        await _read_a_long_feed(slow, bench.connector)
    return [*server.exchanges, *slow.exchanges]


async def _read_a_long_feed(server: RecordingServer, connector: MarketoConnector) -> None:
    async with connector.changes("lead", fields=["title"], since=None) as pages:
        [begun] = [page.cursor async for page in pages]
    key = server.fake.create("lead", lastName="Ash")
    for number in range(30):
        server.fake.advance(600)
        server.fake.edit("lead", key, title=f"title {number}")
    async with connector.changes("lead", fields=["title"], since=begun) as pages:
        assert len([entry async for page in pages for entry in page.entries]) >= 30


async def _by_anybody() -> list[Exchange]:
    """Call each of the server's endpoints, as instances answer that leave out what they may."""
    found: list[Exchange] = []
    for quirks in (Quirks(), Quirks(activity_ids="left out", merged="told", scores="score")):
        now = [1_000.0]
        server = _server(quirks=quirks, clock=lambda now=now: now[0])

        def wait(now: list[float] = now) -> None:
            now[0] += 10

        await Clerk(server, wait).call_everything()
        found += server.exchanges
    return found


@pytest.fixture(scope="module")
def asked_by_us() -> Sequence[Exchange]:
    """What the connector asks, and is answered."""
    return anyio.run(_by_the_connector)


@pytest.fixture(scope="module")
def asked_by_all() -> Sequence[Exchange]:
    """What anybody asks of the server, and is answered."""
    return anyio.run(_by_anybody)


def _problems(exchanges: Iterable[Exchange], *left_out: KnownFault) -> Iterator[str]:
    assert FOLDER is not None
    specification = Specification(Path(FOLDER), [fault for fault in KNOWN_FAULTS if fault not in left_out])
    for exchange in exchanges:
        yield from specification.problems(exchange)


def test_what_the_connector_asks_and_is_answered(asked_by_us: Sequence[Exchange]) -> None:
    """Each request that it can make is valid, and each answer."""
    assert {exchange.endpoint for exchange in asked_by_us} == CONNECTOR_CALLS
    assert list(_problems(asked_by_us)) == []


def test_what_the_server_answers(asked_by_all: Sequence[Exchange]) -> None:
    """Each of its endpoints."""
    assert {exchange.endpoint for exchange in asked_by_all} == {"identity", *(each.name for each in ENDPOINTS)}
    assert list(_problems(asked_by_all)) == []


@pytest.mark.parametrize("fault", KNOWN_FAULTS, ids=str)
def test_what_is_known_to_be_wrong_is_met(
    fault: KnownFault, asked_by_us: Sequence[Exchange], asked_by_all: Sequence[Exchange]
) -> None:
    """A fault that nothing meets is none, or is mended by now: it is to be taken off the list."""
    assert any(_problems(chain(asked_by_all, asked_by_us), fault))


def test_what_does_not_fit_is_told(asked_by_us: Sequence[Exchange]) -> None:
    """A parameter, a value, a member or a path that is not described."""
    query = next(exchange for exchange in asked_by_us if exchange.endpoint == "leads.query")
    sync = next(exchange for exchange in asked_by_us if exchange.endpoint == "leads.sync")
    spoilt = {
        "query parameter batchsize is not described": attrs.evolve(query, query={**query.query, "batchsize": ["1"]}),
        "batchSize: $: 'x' is not of type 'integer'": attrs.evolve(query, query={**query.query, "batchSize": ["x"]}),
        "lacks filterType": attrs.evolve(query, query={"filterValues": ["1"]}),
        "no such operation": attrs.evolve(query, path="/rest/v1/lead.json"),
        "body $: Additional properties are not allowed ('lookupfield' was unexpected)": attrs.evolve(
            sync, body=b'{"input": [], "lookupfield": "id"}'
        ),
        "body $: 'input' is a required property": attrs.evolve(sync, body=b"{}"),
        "its body is text/plain": attrs.evolve(sync, kind="text/plain"),
        "answer $: 'success' is a required property": attrs.evolve(sync, answer=b'{"requestId": "1"}'),
        "answer: it is text/html": attrs.evolve(sync, answer_kind="text/html"),
        "answer: status 500 is not described": attrs.evolve(sync, status=500),
    }
    assert {problem: list(_problems([exchange])) for problem, exchange in spoilt.items()} == {
        problem: [f"{exchange}: {problem}"] for problem, exchange in spoilt.items()
    }
