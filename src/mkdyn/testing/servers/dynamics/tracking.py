"""Reads what has changed: everything first, then what was written and deleted since a token."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import quote

import attrs

from mkdyn.testing._tables import Row
from mkdyn.testing.servers.dynamics.cookies import Cookie, next_link, read_cookie, with_option
from mkdyn.testing.servers.dynamics.options import Options
from mkdyn.testing.servers.dynamics.queries import annotated, applied, options_of, page, page_size, text_answer
from mkdyn.testing.servers.dynamics.question import (
    BAD_QUERY,
    BAD_REQUEST,
    NOT_TRACKED,
    VERSION_EXPIRED,
    Answer,
    Question,
    RefusedError,
)
from mkdyn.testing.servers.dynamics.rows import Shape, shape_of
from mkdyn.testing.servers.dynamics.world import Organization, View

_STAMP: Final = "%m/%d/%Y %H:%M:%S"
#: Every time that all tokens expire, versions begin anew behind so many.
_EPOCH: Final = 10**12


@attrs.frozen
class Token:
    """A place in a table's changes, and when it was given out."""

    version: int
    epoch: int
    at: datetime

    def __str__(self) -> str:
        return f"{self.epoch * _EPOCH + self.version}!{self.at.strftime(_STAMP)}"


def token_now(organization: Organization) -> Token:
    """Return the place behind everything that has happened."""
    backstage = organization.backstage
    return Token(backstage.version(), backstage.epoch(), backstage.calls.clock.time.astimezone(UTC))


def _token(organization: Organization, text: str) -> Token:
    number, _, stamp = text.partition("!")
    try:
        at = datetime.strptime(stamp, _STAMP).replace(tzinfo=UTC)
        epoch, version = divmod(int(number), _EPOCH)
    except ValueError as error:
        raise RefusedError(400, BAD_REQUEST, "Bad Request - Error in query syntax.") from error
    now, longest = token_now(organization), timedelta(days=organization.limits.tracking_days)
    if epoch != now.epoch or now.at - at > longest:
        message = "Version stamp associated with the client has expired. Please perform a full sync."
        raise RefusedError(400, VERSION_EXPIRED, message)
    return Token(version, epoch, at)


@attrs.frozen(kw_only=True)
class _Tracked:
    """One page of a tracked read."""

    rows: Sequence[Row]
    gone: Sequence[str] = ()
    more: Mapping[str, str] | None
    until: str


def is_tracked(question: Question, options: Options) -> bool:
    """Whether a query asks for changes."""
    return "odata.track-changes" in question.preferences or options.delta_token is not None


def tracked_page(organization: Organization, view: View, question: Question) -> Answer:
    """Return a page of all rows, or of what has changed since a token; the last one has a link to what comes after.

    Raises:
        RefusedError: The token has expired, or the table is not tracked, or the query asks for more than can be had.
    """
    options, name = options_of(organization, question), view.table.name
    organization.require_read(name)
    if name in organization.quirks.untracked:
        if organization.quirks.untracked_read == "no link":
            return page(organization, view, question)
        raise RefusedError(400, NOT_TRACKED, f"Change tracking is not enabled for entity '{name}'.")
    _check(question)
    shape = shape_of(organization, view, options, annotated(question))
    size = page_size(organization, question)
    cookie = Cookie(1, {}) if options.skip_token is None else read_cookie(options.skip_token)
    if options.delta_token is None:
        found = _everything(organization, view, cookie, size)
    else:
        found = _changes(organization, view, cookie, size, _token(organization, options.delta_token))
    body = _body(view, question, options, shape, found)
    if found.more is not None:
        body["@odata.nextLink"] = next_link(question, Cookie(cookie.page + 1, found.more), tracking=True)
    elif not (annotated(question) and organization.quirks.annotated_tracking == "lost"):
        token = quote(found.until, safe="").replace("%21", "!").lower()
        without = ("$skiptoken", "$deltatoken")
        body["@odata.deltaLink"] = with_option(question, "$deltatoken", token.replace("!", "%21"), without=without)
    return Answer(body=body, headers=applied(question), rows=len(found.rows))


def _check(question: Question) -> None:
    for option in ("$filter", "$orderby", "$expand", "$top"):
        if option in question.options:
            message = f'The "{option}" query parameter isn\'t supported when Change Tracking is enabled.'
            raise RefusedError(400, BAD_QUERY, message)


def _body(view: View, question: Question, options: Options, shape: Shape, found: _Tracked) -> dict[str, object]:
    metadata = f"{question.root}/$metadata#{view.entity_set}"
    chosen = "" if options.select is None else f"({shape.selected})"
    delta = "" if options.delta_token is None else "/$delta"
    deleted = [{"@odata.context": f"{metadata}/$deletedEntity", "id": key, "reason": "deleted"} for key in found.gone]
    return {
        "@odata.context": f"{metadata}{chosen}{delta}",
        "value": [*map(shape.show, found.rows), *deleted],
    }


def _everything(organization: Organization, view: View, cookie: Cookie, size: int) -> _Tracked:
    """Read on in the order of the keys; what changes meanwhile is told from the token on, which is the beginning's."""
    until = cookie.last.get("until") or str(token_now(organization))
    keys, table = view.table.sorted_keys(), view.table
    start = bisect_right(keys, cookie.last.get(table.key_field, ""))
    rows = [table.rows[key] for key in keys[start : start + size]]
    more = {table.key_field: rows[-1].key, "until": until} if start + size < len(keys) else None
    return _Tracked(rows=rows, more=more, until=until)


def _changes(organization: Organization, view: View, cookie: Cookie, size: int, since: Token) -> _Tracked:
    """Read on: rows in the order of their versions first, then deletions."""
    until = cookie.last.get("until") or str(token_now(organization))
    log, table = organization.backstage.logs[view.table.name], view.table
    written, deleted = int(cookie.last.get("written", since.version)), int(cookie.last.get("deleted", since.version))
    rows = [table.rows[key] for key in log.written_since(written, size)]
    left = log.deleted_since(deleted)
    gone = left[: size - len(rows)]
    written = rows[-1].version if rows else written
    if len(gone) < len(left) or log.written_since(written, 1):
        place = gone[-1][0] if gone else deleted
        more = {"written": str(written), "deleted": str(place), "until": until}
        return _Tracked(rows=rows, gone=[key for _, key in gone], more=more, until=until)
    return _Tracked(rows=rows, gone=[key for _, key in gone], more=None, until=until)


def count_changes(organization: Organization, view: View, token: str) -> Answer:
    """Return how many changes there are since a token, as text.

    Raises:
        RefusedError: The token has expired.
    """
    organization.require_read(view.table.name)
    since = _token(organization, token)
    log = organization.backstage.logs[view.table.name]
    return text_answer(
        len(log.written_since(since.version, len(view.table.rows))) + len(log.deleted_since(since.version))
    )
