"""What Dynamics answers, read as values; nothing here asks."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Final

import attrs

from mkdyn.adapters.dynamics.batch import Answer
from mkdyn.adapters.dynamics.table import Column, Table
from mkdyn.adapters.dynamics.values import MisfitError, read_value
from mkdyn.adapters.http.shapes import Json, as_object, as_objects, inside
from mkdyn.domain.records import Record, is_guid, make_record
from mkdyn.domain.values import FieldValue
from mkdyn.errors import UnreachableError

_ETAG: Final = "@odata.etag"
_DELETED: Final = "/$deletedEntity"
_VERSION: Final = "@Microsoft.Dynamics.CRM.globalmetadataversion"


@attrs.frozen(kw_only=True)
class ApiError:
    """A refusal.

    Attributes:
        status: HTTP's.
        code: Dynamics' own, in lower case; it may be empty.
        message: Dynamics' sentence; it may hold values.
    """

    status: int
    code: str = ""
    message: str = attrs.field(default="", repr=False)


@attrs.frozen(kw_only=True)
class Rows:
    """A page.

    Attributes:
        rows: As they came.
        deleted: The GUIDs of rows that were deleted.
        following: The link to the next page, if there is one.
        later: The link to what changes from here on, if this is a feed's last page.
    """

    rows: Sequence[Json] = attrs.field(repr=False)
    deleted: Sequence[str] = ()
    following: str | None = None
    later: str | None = None


def unreadable(what: str) -> UnreachableError:
    """Return the error of an answer that says nothing."""
    return UnreachableError(f"Dynamics' answer can't be read: {what}.", what_to_do="Try again later.")


def json_of(answer: Answer) -> Json:
    """Read a body.

    Raises:
        UnreachableError: It is no JSON object: a proxy's page, or broken off.
    """
    try:
        found = json.loads(answer.body.decode("utf-8-sig"), parse_float=Decimal)
    except (ValueError, RecursionError):
        raise unreadable("it is no JSON") from None
    body = as_object(found)
    if body is None:
        raise unreadable("it is no JSON object")
    return body


def items_of(answer: Answer, name: str = "value") -> Sequence[Json]:
    """Read a list of objects in a body.

    Raises:
        UnreachableError: There is none.
    """
    found = as_objects(json_of(answer).get(name))
    if found is None:
        raise unreadable(f"there is no list {name}")
    return found


def error_of(answer: Answer) -> ApiError:
    """Read a refusal; whatever the body is, there is one."""
    error: Json = {}
    with suppress(UnreachableError):
        error = inside(json_of(answer), "error")
    return ApiError(
        status=answer.status, code=str(error.get("code") or "").lower(), message=str(error.get("message") or "")
    )


def page_of(answer: Answer) -> Rows:
    """Read a page of rows.

    Raises:
        UnreachableError: It is none.
    """
    body = json_of(answer)
    items = items_of(answer)
    rows = [item for item in items if not _is_deletion(item)]
    gone = [str(item.get("id", "")).lower() for item in items if _is_deletion(item)]
    if not all(map(is_guid, gone)):
        raise unreadable("a deletion names no row")
    return Rows(rows=rows, deleted=gone, following=_link(body, "next"), later=_link(body, "delta"))


def _is_deletion(item: Json) -> bool:
    return str(item.get("@odata.context", "")).endswith(_DELETED)


def _link(body: Json, kind: str) -> str | None:
    link = body.get(f"@odata.{kind}Link")
    if link is not None and not isinstance(link, str):
        raise unreadable(f"its {kind} link is no text")
    return link


def key_of(table: Table, row: Json) -> str:
    """Return a row's GUID.

    Raises:
        UnreachableError: It has none.
    """
    key = str(row.get(table.key, ""))
    if not is_guid(key):
        raise unreadable("a row has no GUID")
    return key.lower()


def version_of(row: Json) -> str | None:
    """Return a row's version."""
    version = row.get(_ETAG)
    return version if isinstance(version, str) else None


def record_of(table: Table, columns: Sequence[Column], row: Json) -> Record:
    """Read a row; what is not of its column's type can't be vouched for, and is left out.

    Raises:
        UnreachableError: It is no row of that table.
    """
    values: dict[str, FieldValue] = {}
    for column in columns:
        if column.wire_name in row:
            with suppress(MisfitError):
                values[column.name] = read_value(column.spec.type, row[column.wire_name])
    return make_record(key=key_of(table, row), values=values, version=version_of(row))


def misfits(columns: Sequence[Column], rows: Sequence[Json]) -> bool:
    """Whether a row shows something that is not of its column's type: the table has changed."""
    return any(_misfits(column, row) for row in rows for column in columns)


def _misfits(column: Column, row: Json) -> bool:
    try:
        read_value(column.spec.type, row.get(column.wire_name))
    except MisfitError:
        return True
    return False


def blank(columns: Sequence[Column], rows: Sequence[Json]) -> Sequence[Column]:
    """Return the columns that show nothing in any row: they are empty, or this user may not see them any more."""
    return [column for column in columns if column.securable and all(row.get(column.wire_name) is None for row in rows)]


def applied_version(answer: Answer) -> str | None:
    """Return the version that a write left."""
    if answer.body:
        return version_of(json_of(answer))
    return answer.headers.get("etag")


def metadata_version_of(answer: Answer) -> str | None:
    """Return what moves with any table's definition, if it was told."""
    found = json_of(answer).get(_VERSION)
    return None if found is None else str(found)


def time_of(headers: Mapping[str, str]) -> datetime | None:
    """Return when an answer was given, by Dynamics' clock, if it says so."""
    try:
        at = parsedate_to_datetime(headers["date"])
    except (KeyError, ValueError):
        return None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def canonical(answer: Answer) -> str:
    """Return a text that is the same for the same answer, however its lists are ordered."""
    lists = (as_objects(found) or () for found in json_of(answer).values())
    told = sorted(json.dumps(item, sort_keys=True, default=str) for items in lists for item in items)
    return f"{answer.status} {told}"
