"""`RestDynamics`: Dynamics 365 over its Web API, as the engine sees it."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from functools import partial
from hashlib import blake2s
from typing import TYPE_CHECKING, ClassVar, Final, Literal

from mkdyn.adapters.dynamics import requests
from mkdyn.adapters.dynamics.auth import (
    LOGIN_URL,
    ClientCredentials,
    EntraTokens,
    OwnTokens,
    TokenFunction,
    Tokens,
    token_request,
)
from mkdyn.adapters.dynamics.catalog import Catalog
from mkdyn.adapters.dynamics.client import Client
from mkdyn.adapters.dynamics.feed import Feed
from mkdyn.adapters.dynamics.line import Line
from mkdyn.adapters.dynamics.links import origin_of
from mkdyn.adapters.dynamics.pace import DynamicsLimits, Pace
from mkdyn.adapters.dynamics.polling import CHANGED, Polling
from mkdyn.adapters.dynamics.problems import EVERYWHERE, no_table, problems_of
from mkdyn.adapters.dynamics.reading import Reader
from mkdyn.adapters.dynamics.responses import canonical, metadata_version_of
from mkdyn.adapters.dynamics.table import Table
from mkdyn.adapters.dynamics.writing import Writer
from mkdyn.adapters.http import Http
from mkdyn.adapters.http.abreast import abreast
from mkdyn.domain.feeds import Cursor, Page
from mkdyn.domain.fields import FieldSpec
from mkdyn.domain.outcomes import Outcome, Write
from mkdyn.domain.records import Record
from mkdyn.domain.systems import System
from mkdyn.errors import CheckError, ConfigError
from mkdyn.ports.connectors import DynamicsConnector, Identity, Pages, Problem, SchemaStamped

_OK: Final = 200
_LIMITS: Final = DynamicsLimits()
_NONE_POLLED: Final = Polling()


class RestDynamics:
    """A Dynamics organisation, asked as an application user.

    Args:
        url: The environment's address, as in `https://acme.crm4.dynamics.com`.
        token: The application user's credentials, or any async function that gives a token for that address.
        limits: Dynamics' service protection limits, and how much of them is ours.
        client: A client of your own, which you close; by default one is made when it is needed.
        page_size: The most rows of a feed's page.
        batch_max: The most writes one `write` takes; they go out in requests of *rows_per_batch*, several at once.
        rows_per_batch: The most writes in one request: more save nothing, and risk the server's time limits.
        creates_per_call: How many new rows one `CreateMultiple` makes, all or none; 1 makes each by itself. More help
            where plug-ins make a row slow and know of it (see "Performance").
        settles_after_s: How long after it was sent a write may still take effect.
        polling: Tables whose changes can't be tracked; of none by default.

    Raises:
        ConfigError: The address is none.
    """

    system: ClassVar[Literal[System.DYNAMICS]] = System.DYNAMICS

    def __init__(
        self,
        url: str,
        *,
        token: ClientCredentials | TokenFunction,
        limits: DynamicsLimits = _LIMITS,
        client: AsyncClient | None = None,
        page_size: int = requests.PAGE_MAX,
        batch_max: int = 400,
        rows_per_batch: int = 25,
        creates_per_call: int = 1,
        settles_after_s: float = 300.0,
        polling: Polling = _NONE_POLLED,
    ) -> None:
        self._origin = origin = origin_of(url)
        self._line = Line(Http(origin, client=client))
        self._login, tokens = _tokens(token, origin, client)
        self._page_size, self._batch_max, self._settles_after_s = page_size, batch_max, settles_after_s
        self._polling, self._rows_per_batch = polling, rows_per_batch
        self._client = Client(self._line, tokens, Pace(limits))
        self._catalog = Catalog(self._client)
        self._reader = Reader(self._client, self._catalog, origin=origin)
        self._writer = Writer(
            self._client,
            self._catalog,
            self._reader,
            rows_per_batch=rows_per_batch,
            creates_per_call=creates_per_call,
        )

    @classmethod
    def from_env(
        cls, prefix: str = "DYNAMICS_", *, limits: DynamicsLimits = _LIMITS, client: AsyncClient | None = None
    ) -> RestDynamics:
        """Make one of `DYNAMICS_URL`, `…_TENANT_ID`, `…_CLIENT_ID` and `…_CLIENT_SECRET`; `…_LOGIN_URL` may be given.

        Raises:
            ConfigError: Some of them are not set.
        """
        names = [f"{prefix}{name}" for name in ("URL", "TENANT_ID", "CLIENT_ID", "CLIENT_SECRET")]
        lacking = [name for name in names if not os.environ.get(name)]
        if lacking:
            raise ConfigError(f"Not set: {', '.join(lacking)}.", what_to_do="Set them in the environment.")
        url, tenant, client_id, client_secret = (os.environ[name] for name in names)
        login_url = os.environ.get(f"{prefix}LOGIN_URL") or LOGIN_URL
        credentials = ClientCredentials(
            tenant=tenant, client_id=client_id, client_secret=client_secret, login_url=login_url
        )
        return cls(url, token=credentials, limits=limits, client=client)

    def __repr__(self) -> str:
        return f"<RestDynamics {self._origin}>"

    async def identify(self) -> Identity:
        """See `Connector.identify`; asked once, then known."""
        me = await self._catalog.me()
        return Identity(
            organization=me.organization,
            user=me.user,
            batch_max=self._batch_max,
            settles_after_s=self._settles_after_s,
            rows_per_call=self._rows_per_batch,
        )

    async def check(self, needs: Mapping[str, Collection[str]], /) -> Sequence[Problem]:
        """See `Connector.check`."""
        found = await abreast(partial(self._problems, name, fields) for name, fields in needs.items())
        return [problem for problems in found for problem in problems]

    async def _problems(self, name: str, fields: Collection[str]) -> Sequence[Problem]:
        table = await self._catalog.fresh(name)
        if table is None:
            return [no_table(name)]
        polled = name in self._polling.tables
        needed = {*fields, CHANGED} if polled else fields
        return list(problems_of(table, needed, sees_all=await self._sees_all(table), polled=polled))

    async def _sees_all(self, table: Table) -> bool:
        """Whether our user sees every row; what it has of a team's roles is told too narrow, so the feed is asked."""
        if table.privileges.get("Read") in (None, EVERYWHERE):
            return "Read" in table.privileges
        if table.name in self._polling.tables:
            return False  # such a table has no feed to ask
        try:
            await self._client.ask(requests.first_page(table, [], size=1), about=table.name)
        except CheckError:
            return False
        return True

    async def describe(self, object: str, /) -> Sequence[FieldSpec]:
        """See `Connector.describe`."""
        table = await self._catalog.fresh(object)
        return [] if table is None else [column.spec for column in table.columns.values()]

    async def schema_stamp(self, objects: Collection[str], /) -> str:
        """See `SchemaStamped.schema_stamp`: the version of all metadata, and our user's rights."""
        user = (await self._catalog.me()).user
        version, *rights = await self._client.ask_all(requests.stamp(user))
        told = metadata_version_of(version) if version.status == _OK else None
        if told is not None:
            return _hashed([told, *(canonical(answer) for answer in rights)])
        tables = await abreast(partial(self._catalog.fresh, name) for name in sorted(objects))
        return _hashed([repr(table) for table in tables])

    @asynccontextmanager
    async def changes(
        self, object: str, /, *, fields: Collection[str], since: Cursor | None
    ) -> AsyncGenerator[Pages, None]:
        """See `Connector.changes`: only the last page brings a cursor."""
        async with aclosing(self._pages(object, fields, since)) as pages:
            yield pages

    async def _pages(self, object: str, fields: Collection[str], since: Cursor | None) -> AsyncGenerator[Page]:
        table = await self._catalog.table(object, fields)
        polling = self._polling if object in self._polling.tables else None
        feed = Feed(self._reader, table, fields, since, origin=self._origin, page_size=self._page_size, polling=polling)
        async with aclosing(feed.pages()) as pages:
            async for page in pages:
                yield page

    async def read(self, object: str, keys: Collection[str], /, *, fields: Collection[str]) -> Mapping[str, Record]:
        """See `Connector.read`."""
        return await self._reader.by_keys(object, keys, fields)

    async def find(
        self, object: str, field: str, values: Collection[str], /, *, fields: Collection[str]
    ) -> Sequence[Record]:
        """See `Connector.find`."""
        return await self._reader.by_values(object, field, values, fields)

    async def write(self, object: str, writes: Sequence[Write], /) -> Sequence[Outcome]:
        """See `Connector.write`: a Create is a PATCH of our GUID that never updates, an Update one that never creates."""
        return await self._writer.write(object, writes)

    async def aclose(self) -> None:
        """See `Connector.aclose`."""
        await self._line.aclose()
        if self._login is not None:
            await self._login.aclose()


def _tokens(
    token: ClientCredentials | TokenFunction, origin: str, client: AsyncClient | None
) -> tuple[Line | None, Tokens]:
    """Return where tokens come from, and the line to there."""
    if not isinstance(token, ClientCredentials):
        return None, OwnTokens(token)
    line = Line(Http(origin_of(token.login_url), client=client))
    return line, EntraTokens(partial(line.send, token_request(token, origin), repeatable=True))


def _hashed(texts: Sequence[str]) -> str:
    return blake2s("\n".join(texts).encode(), digest_size=16).hexdigest()


if TYPE_CHECKING:
    from httpx import AsyncClient

    _conforms: type[DynamicsConnector] = RestDynamics
    _stamped: type[SchemaStamped] = RestDynamics
