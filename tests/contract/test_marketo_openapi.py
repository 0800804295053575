"""What is on Marketo's wire, both ways, is as Adobe describes it."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import anyio
import httpx
import pytest

from mkdyn import NewField, RestMarketo
from mkdyn.adapters.http.retries import Retries
from mkdyn.domain.outcomes import Create, Delete, Update
from mkdyn.testing import FakeMarketo
from mkdyn.testing.contracts import MARKETO_CHECKS
from mkdyn.testing.servers.in_process import InProcess
from mkdyn.testing.servers.marketo import MarketoServer

from .marketo_wire import FAST, PATIENT, URL, WireBench
from .openapi import KNOWN_FAULTS, Exchange, Specification, known_as

FOLDER = os.environ.get("MKDYN_MARKETO_OPENAPI", "")

#: Every operation that the connector asks for.
ASKED = {
    ("GET", "/identity/oauth/token"),
    ("GET", "/rest/v1/activities.json"),
    ("GET", "/rest/v1/activities/deletedleads.json"),
    ("GET", "/rest/v1/activities/pagingtoken.json"),
    ("GET", "/rest/v1/stats/usage.json"),
    ("GET", "/rest/v1/leads/schema/fields.json"),
    ("POST", "/rest/v1/leads/schema/fields.json"),
    ("POST", "/rest/v1/leads/{leadId}/merge.json"),
    ("GET", "/rest/v1/customobjects/schema.json"),
    ("POST", "/rest/v1/customobjects/schema.json"),
    ("POST", "/rest/v1/customobjects/schema/{apiName}/addField.json"),
    ("POST", "/rest/v1/customobjects/schema/{apiName}/approve.json"),
    *(
        operation
        for path in ("leads", "companies", "opportunities", "salespersons", "customobjects/{customObjectName}")
        for operation in (
            ("GET", f"/rest/v1/{path}.json"),
            ("POST", f"/rest/v1/{path}.json"),
            ("POST", f"/rest/v1/{path}/delete.json"),
            ("GET", f"/rest/v1/{path}/describe.json"),
        )
    ),
}


class Recorder(httpx.AsyncBaseTransport):
    """A line to a server in this process that keeps what went over it."""

    def __init__(self, server: MarketoServer, kept: list[Exchange]) -> None:
        self._inner = InProcess(server)
        self._kept = kept

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Pass it on, and keep both."""
        response = await self._inner.handle_async_request(request)
        self._kept.append(
            Exchange(
                method=request.method,
                path=request.url.path,
                query=request.url.query.decode(),
                content_type=request.headers.get("content-type", ""),
                body=request.content,
                status=response.status_code,
                answer=await response.aread(),
            )
        )
        return response


async def _traffic() -> list[Exchange]:
    """Return what goes over the line while every check is made, and every object written."""
    kept: list[Exchange] = []
    for check in [*MARKETO_CHECKS, _each_object]:
        server = MarketoServer(FakeMarketo(page_size=3, empty_pages="sometimes"), limits=PATIENT)
        retries = Retries(tries_max=2, base_s=0.0)
        async with httpx.AsyncClient(transport=Recorder(server, kept)) as client:
            connector = RestMarketo(
                URL,
                client_id="mkdyn",
                client_secret="secret",
                limits=FAST,
                client=client,
                retries=retries,
                overlap_s=10,
            )
            await check(WireBench(server, connector))
            await connector.aclose()
    return kept


async def _each_object(bench: WireBench) -> None:
    """Describe, write, read and delete a record of every object."""
    connector = bench.connector
    await connector.create_field("new_thing_c", NewField("Size"))
    for object, key, values in (
        ("company", "externalCompanyId", {}),
        ("opportunity", "externalOpportunityId", {"name": "A"}),
        ("salesperson", "externalSalesPersonId", {"email": "sales@example.com"}),
        ("new_thing_c", "dynamicsId", {}),
    ):
        names = [spec.name for spec in await connector.describe(object)]
        await connector.write(object, [Create(key="A", by=key, values={key: "A", **values})])
        assert [*await connector.read(object, ["A", "B"], fields=names)] == ["A"]
        await connector.write(object, [Update(key="A", values=values), Update(key="B", values=values)])
        await connector.write(object, [Delete(key="A"), Delete(key="B")])
    await connector.check({"lead": ["email", "there_is_none"], "new_thing_c": ["there_is_none"]})


@pytest.fixture(scope="module")
def exchanges() -> list[Exchange]:
    """The traffic, made once."""
    return anyio.run(_traffic)


@pytest.fixture(scope="module")
def described() -> Specification:
    """Adobe's description, where somebody says where it is."""
    if not FOLDER:
        pytest.skip("MKDYN_MARKETO_OPENAPI names no folder with Adobe's description of the API")
    return Specification(Path(FOLDER))


def test_every_operation_of_the_connector_is_on_the_wire(described: Specification, exchanges: list[Exchange]) -> None:
    """So that what follows is about all of them."""
    assert {described.template(exchange) for exchange in exchanges} == ASKED


def test_requests_and_answers_are_as_described(described: Specification, exchanges: list[Exchange]) -> None:
    """But for the description's own faults, of which each is still one."""
    found = Counter(fault for exchange in exchanges for fault in described.faults(exchange))
    assert [fault for fault in found if known_as(fault) is None] == []
    assert {known_as(fault) for fault in found} == KNOWN_FAULTS.keys()
