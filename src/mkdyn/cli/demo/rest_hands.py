"""People's hands over the wire: clients of both vendors' APIs that know nothing of the sync.

What they do says the whole of what is to be, or is looked for first: so it may be done twice.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Final

import attrs

from mkdyn import ClientCredentials, DynamicsLimits, MarketoLimits, RestDynamics, RestMarketo
from mkdyn.adapters.dynamics.auth import EntraTokens, token_request
from mkdyn.adapters.dynamics.batch import Part
from mkdyn.adapters.dynamics.client import Client as DynamicsClient
from mkdyn.adapters.dynamics.line import Line
from mkdyn.adapters.dynamics.pace import Pace
from mkdyn.adapters.dynamics.requests import ROOT
from mkdyn.adapters.http import Http
from mkdyn.adapters.http.retries import Retries
from mkdyn.adapters.marketo.client import Client as MarketoClient
from mkdyn.adapters.marketo.requests import asking, place_at
from mkdyn.domain import FieldSpec
from mkdyn.domain.outcomes import Applied, Create, Delete, Rejected, Update, Write
from mkdyn.domain.records import Record
from mkdyn.domain.roles import ROLE, ROLE_KEY, contact_roles
from mkdyn.domain.values import FieldValue, Values
from mkdyn.errors import ConfigError
from mkdyn.ports.connectors import Connector

_NEW_LEAD: Final = "12"
#: No demo is older than that.
_LOG_BEGINS: Final = "2000-01-01T00:00:00Z"
_QUALIFIED: Final = 1
_QUALIFIED_STATUS: Final = 3
_CRM: Final = "Microsoft.Dynamics.CRM."
_JSON: Final[Mapping[str, str]] = {"Accept": "application/json", "Content-Type": "application/json"}
_ENGLISH: Final = 1033


@attrs.frozen(kw_only=True)
class Service:
    """Where Marketo is, and what to prove oneself with there."""

    url: str
    client_id: str
    client_secret: str = attrs.field(repr=False)


class RestMarketoHands:
    """People in a Marketo that is served.

    Args:
        service: Where it is.
        limits: How fast they are.
    """

    def __init__(self, service: Service, *, limits: MarketoLimits) -> None:
        self._records = RestMarketo(
            service.url, client_id=service.client_id, client_secret=service.client_secret, limits=limits
        )
        self._client = MarketoClient(
            Http(service.url),
            client_id=service.client_id,
            client_secret=service.client_secret,
            limits=limits,
            retries=Retries(),
        )

    async def read(self, object: str, keys: Collection[str], fields: Collection[str], /) -> Mapping[str, Record]:
        """See `MarketoHands`."""
        return await self._records.read(object, keys, fields=fields)

    async def persons(self, field: str, values: Collection[str], /) -> Mapping[str, Sequence[str]]:
        """See `MarketoHands`."""
        found: dict[str, list[str]] = {value: [] for value in values}
        for person in await self._records.find("lead", field, values, fields=[field]):
            found[str(person.values[field])].append(person.key)
        return {value: sorted(keys, key=int) for value, keys in found.items()}

    async def contacts(self, opportunities: Collection[str], /) -> Mapping[str, Sequence[str]]:
        """See `MarketoHands`."""
        return contact_roles(await self._records.find(ROLE, ROLE_KEY[0], opportunities, fields=ROLE_KEY))

    async def listed(self, object: str, /) -> Collection[str]:
        """See `MarketoHands`; Marketo lists persons only: all that its log knows, less those who are gone."""
        if object != "lead":
            return ()
        token = (await self._client.ask(place_at(_LOG_BEGINS))).next_token
        ever: dict[str, None] = {}
        more = True
        while more and token is not None:
            page = await self._client.ask(asking("activities", activityTypeIds=_NEW_LEAD, nextPageToken=token))
            ever.update((str(activity["leadId"]), None) for activity in page.result)
            token, more = page.next_token, page.more
        return list(await self.read("lead", list(ever), ["id"]))

    async def edit(self, object: str, edits: Mapping[str, Values], /) -> None:
        """See `MarketoHands`."""
        await _write(self._records, object, [Update(key=key, values=values) for key, values in edits.items()])

    async def add(self, email: str, /, **values: FieldValue) -> str:
        """See `MarketoHands`."""
        [key] = await _write(self._records, "lead", [Create(key=email, values={**values, "email": email}, by="email")])
        return key

    async def merge(self, winner: str, loser: str, /) -> None:
        """See `MarketoHands`."""
        if await self.read("lead", [loser], ["id"]):
            _expect_done("lead", await self._records.merge(winner, [loser]))

    async def aclose(self) -> None:
        """Let go of the connections."""
        await self._records.aclose()
        await self._client.aclose()


class RestDynamicsHands:
    """People in a Dynamics that is served.

    Args:
        url: Where it is.
        credentials: What to prove oneself with.
    """

    def __init__(self, url: str, credentials: ClientCredentials) -> None:
        self._rows = RestDynamics(url, token=credentials)
        self._login, self._line = Line(Http(credentials.login_url)), Line(Http(url))
        tokens = EntraTokens(partial(self._login.send, token_request(credentials, url), repeatable=True))
        self._client = DynamicsClient(self._line, tokens, Pace(DynamicsLimits()))

    async def rows(self, table: str, fields: Collection[str], /) -> Sequence[Record]:
        """See `DynamicsHands`."""
        async with self._rows.changes(table, fields=fields, since=None) as pages:
            return [record async for page in pages for record in page.records]

    async def create(self, table: str, key: str, /, **values: FieldValue) -> None:
        """See `DynamicsHands`."""
        await _write(self._rows, table, [Create(key=key, values=values)])

    async def create_all(self, table: str, rows: Mapping[str, Values], /) -> None:
        """Add rows by GUID; those that are there stay as they are."""
        await _write(self._rows, table, [Create(key=key, values=values) for key, values in rows.items()])

    async def edit(self, table: str, edits: Mapping[str, Values], /) -> None:
        """See `DynamicsHands`."""
        await _write(self._rows, table, [Update(key=key, values=values) for key, values in edits.items()])

    async def delete(self, table: str, key: str, /) -> None:
        """See `DynamicsHands`."""
        await _write(self._rows, table, [Delete(key=key)])

    async def qualify(self, lead: str, /) -> str:
        """See `DynamicsHands`."""
        row = (await self._rows.read("lead", [lead], fields=["statecode"])).get(lead)
        if row is not None and row.values["statecode"] != _QUALIFIED:
            wanted = {"CreateAccount": False, "CreateContact": True, "CreateOpportunity": False}
            await self._tell("POST", f"leads({lead})/{_CRM}QualifyLead", {**wanted, "Status": _QUALIFIED_STATUS})
        contacts = await self._rows.find("contact", "originatingleadid", [lead], fields=[])
        if not contacts:
            raise ConfigError(
                f"Lead {lead} can't be qualified: it is not there, or closed.", what_to_do="Start both servers anew."
            )
        return contacts[0].key

    async def merge(self, table: str, winner: str, loser: str, /) -> None:
        """See `DynamicsHands`."""
        row = (await self._rows.read(table, [loser], fields=["masterid"])).get(loser)
        if row is not None and row.values["masterid"] is None:
            members = {"Target": winner, "Subordinate": loser}
            body = {name: {"@odata.type": f"{_CRM}{table}", f"{table}id": key} for name, key in members.items()}
            await self._tell("POST", "Merge", {**body, "PerformParentingChecks": False})

    async def add_column(self, table: str, column: FieldSpec, /) -> None:
        """See `DynamicsHands`."""
        if not await self._has(table, column.name):
            await self._tell(
                "POST",
                f"EntityDefinitions(LogicalName='{table}')/Attributes",
                {
                    "@odata.type": f"{_CRM}StringAttributeMetadata",
                    "SchemaName": column.name,
                    "MaxLength": column.length,
                    "DisplayName": {"LocalizedLabels": [{"Label": column.label, "LanguageCode": _ENGLISH}]},
                },
            )
            await self._rows.describe(table)  # it knows the columns by heart

    async def drop_column(self, table: str, column: str, /) -> None:
        """See `DynamicsHands`."""
        if await self._has(table, column):
            await self._tell(
                "DELETE", f"EntityDefinitions(LogicalName='{table}')/Attributes(LogicalName='{column}')", {}
            )
            await self._rows.describe(table)

    async def _has(self, table: str, column: str) -> bool:
        return any(spec.name == column for spec in await self._rows.describe(table))

    async def later(self) -> dt.date:
        """See `DynamicsHands`: the server's clock is not ours."""
        return dt.datetime.now(dt.UTC).date()  # noqa: TID251 - the system clock: the servers go by it too

    async def _tell(self, method: str, target: str, body: Mapping[str, object]) -> None:
        await self._client.ask(
            Part(method=method, target=f"{ROOT}{target}", headers=_JSON, body=json.dumps(body).encode())
        )

    async def aclose(self) -> None:
        """Let go of the connections."""
        await self._rows.aclose()
        await self._line.aclose()
        await self._login.aclose()


async def _write(connector: Connector, object: str, writes: Sequence[Write]) -> Sequence[str]:
    """Write all of it; the keys."""
    size = (await connector.identify()).batch_max
    outcomes = [
        outcome
        for start in range(0, len(writes), size)
        for outcome in await connector.write(object, writes[start : start + size])
    ]
    return [_expect_done(object, outcome) for outcome in outcomes]


def _expect_done(object: str, outcome: object) -> str:
    """Return the key of what was written.

    Raises:
        ConfigError: It was not.
    """
    if isinstance(outcome, Applied):
        return outcome.key
    why = outcome.message if isinstance(outcome, Rejected) else "the record is not there, or no answer came"
    raise ConfigError(
        f"A {object} can't be written as the demo's story wants it: {why}.",
        what_to_do="Start the demo again, and if it says so again, both servers anew with a new --state.",
    )
