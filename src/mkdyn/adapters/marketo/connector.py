"""`RestMarketo`: Marketo Engage over its REST API, as the engine sees it."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Final, Literal
from urllib.parse import urlsplit

from mkdyn.adapters.http import Http
from mkdyn.adapters.http.abreast import abreast
from mkdyn.adapters.http.retries import Retries
from mkdyn.adapters.marketo.bulk import MarketoBulk, terms_of
from mkdyn.adapters.marketo.catalog import Catalog
from mkdyn.adapters.marketo.client import Client
from mkdyn.adapters.marketo.creating import Creator
from mkdyn.adapters.marketo.extracting import Extractor
from mkdyn.adapters.marketo.feed import Feed
from mkdyn.adapters.marketo.importing import Importer
from mkdyn.adapters.marketo.jobs import Jobs
from mkdyn.adapters.marketo.limits import MarketoLimits
from mkdyn.adapters.marketo.problems import problems_of
from mkdyn.adapters.marketo.reading import Reader
from mkdyn.adapters.marketo.requests import BATCH_MAX, PERSON, merged
from mkdyn.adapters.marketo.responses import RefusedError
from mkdyn.adapters.marketo.writing import Writer
from mkdyn.domain.feeds import Cursor
from mkdyn.domain.fields import FieldSpec, NewField
from mkdyn.domain.outcomes import Applied, Outcome, Rejected, Stale, Unknown, Write
from mkdyn.domain.records import Record
from mkdyn.domain.systems import System
from mkdyn.errors import ConfigError, UnknownEntityError, UnreachableError
from mkdyn.ports.connectors import Identity, MarketoConnector, Pages, Problem

if TYPE_CHECKING:
    from httpx import AsyncClient

_LIMITS: Final = MarketoLimits()
_RETRIES: Final = Retries()
_MUNCHKIN: Final = re.compile(r"\d{3}-\w{3}-\d{3}")
#: The most persons that one call merges (source: Adobe, "Leads").
_MERGE_MAX: Final = 25


class RestMarketo:
    """A Marketo instance, asked as a custom service's API user.

    Objects are called `lead`, `company`, `opportunity`, `opportunityRole`, `salesperson`, or a custom object's API name.
    A role, and a custom object with a key of several fields, is known by the list of their values in JSON, as in
    `["b7b7c1f0-0000-4000-8000-000000000001",7150,"Decision Maker"]`.

    Args:
        url: The instance's address, as in `https://123-ABC-456.mktorest.com`.
        client_id: The custom service's client id.
        client_secret: Its secret.
        limits: Marketo's limits, and how much of them is ours.
        client: A client of your own, which you close; by default one is made when it is needed.
        batch_max: The most writes one `write` takes; they go out in calls of three hundred, several at once.
        overlap_s: How far each reading of the feed goes back: activities may show up that much later.
        settles_after_s: How long after it was sent a write may still take effect, and its activity still appear.
        retries: How patient we are with one call that is refused for now, or gets no answer.
        bulk: When updates of persons go in files, and a long feed comes in one; by default never.

    Raises:
        ConfigError: The address is none.
    """

    system: ClassVar[Literal[System.MARKETO]] = System.MARKETO

    def __init__(
        self,
        url: str,
        *,
        client_id: str,
        client_secret: str,
        limits: MarketoLimits = _LIMITS,
        client: AsyncClient | None = None,
        batch_max: int = 5 * BATCH_MAX,
        overlap_s: float = 300.0,
        settles_after_s: float = 600.0,
        retries: Retries = _RETRIES,
        bulk: MarketoBulk | None = None,
    ) -> None:
        self._origin = _origin_of(url)
        self._batch_max = max(batch_max, 0 if bulk is None else bulk.batch_max)
        self._settles_after_s = settles_after_s + (0.0 if bulk is None else bulk.deadline_s)
        self._client = Client(
            Http(self._origin, client=client),
            client_id=client_id,
            client_secret=client_secret,
            limits=limits,
            retries=retries,
        )
        self._catalog = Catalog(self._client)
        self._reader = Reader(self._client, self._catalog)
        jobs = None if bulk is None else Jobs(self._client, bulk, terms_of(bulk, limits))
        importer = None if jobs is None else Importer(jobs)
        self._writer = Writer(self._client, self._catalog, importer)
        self._creator = Creator(self._client, self._catalog)
        extractor = None if jobs is None else Extractor(jobs)
        self._feed = Feed(self._client, self._catalog, overlap_s=overlap_s, extractor=extractor)

    @classmethod
    def from_env(
        cls,
        prefix: str = "MARKETO_",
        *,
        limits: MarketoLimits = _LIMITS,
        client: AsyncClient | None = None,
        bulk: MarketoBulk | None = None,
    ) -> RestMarketo:
        """Make one of `MARKETO_URL`, `…_CLIENT_ID` and `…_CLIENT_SECRET`.

        Raises:
            ConfigError: Some of them are not set.
        """
        names = [f"{prefix}{name}" for name in ("URL", "CLIENT_ID", "CLIENT_SECRET")]
        lacking = [name for name in names if not os.environ.get(name)]
        if lacking:
            raise ConfigError(f"Not set: {', '.join(lacking)}.", what_to_do="Set them in the environment.")
        url, client_id, client_secret = (os.environ[name] for name in names)
        return cls(url, client_id=client_id, client_secret=client_secret, limits=limits, client=client, bulk=bulk)

    def __repr__(self) -> str:
        return f"<RestMarketo {self._origin}>"

    async def identify(self) -> Identity:
        """See `Connector.identify`; the organisation is the Munchkin id in the address."""
        await self._client.usage()
        host = urlsplit(self._origin).hostname or ""
        found = _MUNCHKIN.match(host)
        return Identity(
            organization=found[0].upper() if found else host,
            user=self._client.user,
            batch_max=self._batch_max,
            settles_after_s=self._settles_after_s,
            rows_per_call=BATCH_MAX,
        )

    async def check(self, needs: Mapping[str, Collection[str]], /) -> Sequence[Problem]:
        """See `Connector.check`."""
        found = await abreast(partial(problems_of, self._client, self._catalog, *need) for need in needs.items())
        return [problem for problems in found for problem in problems]

    async def describe(self, object: str, /) -> Sequence[FieldSpec]:
        """See `Connector.describe`."""
        described = await self._catalog.fresh(object)
        return [] if described is None else list(described.fields.values())

    @asynccontextmanager
    async def changes(self, object: str, /, *, fields: Collection[str], since: Cursor | None) -> AsyncGenerator[Pages]:
        """See `Connector.changes`; only persons have a feed."""
        if object != PERSON:
            raise UnknownEntityError(f"Marketo has no feed of {object}.", what_to_do="Read the records by their keys.")
        async with aclosing(self._feed.pages(fields, since)) as pages:
            yield pages

    async def read(self, object: str, keys: Collection[str], /, *, fields: Collection[str]) -> Mapping[str, Record]:
        """See `Connector.read`: three hundred a call."""
        return await self._reader.read(object, keys, fields)

    async def find(
        self, object: str, field: str, values: Collection[str], /, *, fields: Collection[str]
    ) -> Sequence[Record]:
        """See `Connector.find`: three hundred values a call."""
        return await self._reader.find(object, field, values, fields)

    async def write(self, object: str, writes: Sequence[Write], /) -> Sequence[Outcome]:
        """See `Connector.write`."""
        return await self._writer.write(object, writes) if writes else []

    async def create_field(self, object: str, field: NewField, /) -> FieldSpec:
        """See `MarketoConnector.create_field`."""
        return await self._creator.create(object, field)

    async def merge(self, winner: str, losers: Sequence[str], /) -> Outcome:
        """See `MarketoConnector.merge`: who is gone already is passed over."""
        if len(losers) > _MERGE_MAX:
            return Rejected(code="1080", message=f"No more than {_MERGE_MAX} persons can be merged at once.")
        there = await self._reader.read(PERSON, [winner, *losers], ["id"])
        if winner not in there:
            return Stale(gone=True)
        left = [loser for loser in dict.fromkeys(losers) if loser in there]
        if not left:
            return Applied(key=winner)
        try:
            await self._client.ask(merged(winner, left), repeatable=False)
        except UnreachableError as error:
            return Unknown(reason=error.what)
        except RefusedError as error:
            return Rejected(code=error.code, message="Marketo does not merge them.")
        return Applied(key=winner)

    async def aclose(self) -> None:
        """See `Connector.aclose`."""
        await self._client.aclose()


def _origin_of(url: str) -> str:
    """Return scheme and host of an address; a path, as Marketo shows it, is left out.

    Raises:
        ConfigError: It is no address.
    """
    parts = urlsplit(url.strip())
    local = parts.hostname in ("127.0.0.1", "::1", "localhost")
    if parts.scheme != "https" and not (local and parts.scheme == "http"):
        raise ConfigError(
            f"Marketo's address must begin with https://, not {parts.scheme or 'nothing'}.",
            what_to_do="Take the endpoint from Admin, Web Services, as in https://123-ABC-456.mktorest.com.",
        )
    if not parts.hostname:
        raise ConfigError("Marketo's address names no host.", what_to_do="Take it from Admin, Web Services.")
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


if TYPE_CHECKING:
    _conforms: type[MarketoConnector] = RestMarketo
