"""Read a whole feed in one word."""

from __future__ import annotations

from collections.abc import Collection

from mkdyn.domain import Cursor, Page
from mkdyn.ports import Connector


async def pages_of(
    connector: Connector, object: str, fields: Collection[str], since: Cursor | None = None
) -> list[Page]:
    """Return every page there is."""
    async with connector.changes(object, fields=fields, since=since) as pages:
        return [page async for page in pages]


async def cursor_of(connector: Connector, object: str, fields: Collection[str], since: Cursor | None = None) -> Cursor:
    """Read up to now; return where that is."""
    cursor = (await pages_of(connector, object, fields, since))[-1].cursor
    assert cursor is not None
    return cursor
