"""Tables whose changes Dynamics does not track: their rows are asked for by the time of their last change.

Such a feed tells no deletion, and passes over a row whose time somebody has set (an import may).
So its places expire from time to time: then every row is read, and what is missing is looked for.

Source: Microsoft, "Use change tracking to synchronize data with external systems"; `modifiedon`
has whole seconds, and is set before the change is committed.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import attrs

from mkdyn.adapters.dynamics import requests
from mkdyn.adapters.dynamics.batch import Part
from mkdyn.adapters.dynamics.links import Place, resumed
from mkdyn.adapters.dynamics.responses import unreadable
from mkdyn.adapters.dynamics.table import Column, Table
from mkdyn.domain.feeds import Cursor
from mkdyn.errors import ConfigError, CursorExpiredError

_DAY_S: Final = 86_400.0
#: The column with the time of a row's last change.
CHANGED: Final = "modifiedon"


def _some_time(instance: object, attribute: attrs.Attribute[float], value: float) -> None:
    del instance
    if not value >= 0:
        raise ConfigError(f"{attribute.name} is less than nothing.", what_to_do="Give seconds.")


@attrs.frozen(kw_only=True)
class Polling:
    """Which tables are read without change tracking, and how.

    Attributes:
        tables: Logical names. Switch change tracking on wherever you can, and leave the table out here.
        overlap_s: How far before its last reading a feed begins, for changes that are committed late.
        sweep_every_s: After how long all rows are read again: only then are deletions found.

    Raises:
        ConfigError: A time is negative.
    """

    tables: Collection[str] = ()
    overlap_s: float = attrs.field(default=600.0, validator=_some_time)
    sweep_every_s: float = attrs.field(default=_DAY_S, validator=_some_time)


@attrs.frozen(kw_only=True)
class Since:
    """Where such a feed goes on.

    Attributes:
        changed: Rows that were changed from then on are read.
        swept: When every row was last read.
    """

    changed: datetime
    swept: datetime


def polled_page(table: Table, columns: Sequence[Column], since: Since | None, *, size: int) -> Part:
    """Ask for the first page: of every row, or of those that were changed."""
    if since is None:
        return requests.every_row(table, columns, size=size)
    return requests.changed_rows(table, columns, CHANGED, since.changed, size=size)


def polled_since(cursor: Cursor, table: Table, fields: Collection[str]) -> Since:
    """Return where a cursor's feed goes on.

    Raises:
        CursorExpiredError: It belongs to other columns, or to a feed that was tracked.
    """
    _, _, times = resumed(cursor, table.name, fields).partition("?")
    try:
        changed, swept = (datetime.fromisoformat(time) for time in times.split(","))
    except ValueError as error:
        raise CursorExpiredError(
            f"Dynamics {table.name}: the cursor belongs to a feed that was tracked.",
            what_to_do="Read the table in full.",
        ) from error
    return Since(changed=changed, swept=swept)


def sweep_if_due(polling: Polling, table: Table, since: Since | None, began: datetime | None) -> None:
    """Let a place expire when it is time to read every row.

    Raises:
        CursorExpiredError: It is.
        UnreachableError: Dynamics does not say what time it is.
    """
    if began is None:
        raise unreadable("it does not say when it was given")
    if since is not None and began - since.swept >= timedelta(seconds=polling.sweep_every_s):
        raise CursorExpiredError(
            f"Dynamics {table.name}: all rows are due to be read again.", what_to_do="Read the table in full."
        )


def polled_cursor(
    polling: Polling, table: Table, fields: Collection[str], since: Since | None, began: datetime
) -> Cursor:
    """Return where a feed goes on that was read to its end."""
    changed = (began - timedelta(seconds=polling.overlap_s)).replace(microsecond=0)
    swept = began if since is None else since.swept
    times = ",".join(at.astimezone(UTC).isoformat() for at in (changed, swept))
    return Place.of(table.name, fields, f"{requests.ROOT}{table.entity_set}?{times}").cursor(began)
