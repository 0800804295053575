"""Links that Dynamics gives: followed letter for letter, and only to the organisation we speak to."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from hashlib import blake2s
from ipaddress import ip_address
from typing import Final
from urllib.parse import unquote, urlsplit

import attrs

from mkdyn.adapters.dynamics.responses import unreadable
from mkdyn.domain.feeds import Cursor
from mkdyn.errors import ConfigError, CursorExpiredError

_PORTS: Final = {"https": 443, "http": 80}
_LATER: Final = "$deltatoken="


def origin_of(url: str) -> str:
    """Return the scheme and host of an address that somebody configured.

    Raises:
        ConfigError: It is none, or has more than that; or what is sent there could be read on the way.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        parts, host, port = urlsplit(""), "", None
    if not host or parts.scheme not in (("https", "http") if _is_here(host) else ("https",)):
        raise ConfigError(
            "Dynamics' address is none, or not https.", what_to_do="Give it as in https://acme.crm4.dynamics.com."
        )
    if parts.path not in ("", "/") or parts.query or parts.fragment or "@" in parts.netloc:
        raise ConfigError("Dynamics' address has more than a host.", what_to_do="Leave out what follows it.")
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}" + ("" if port is None else f":{port}")


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def target_of(link: str, origin: str) -> str:
    """Return the path and query of a link, as they stand in it.

    Args:
        link: What Dynamics gave.
        origin: Scheme and host of the organisation.

    Raises:
        UnreachableError: It leads somewhere else: our token is not sent there.
    """
    if not link.isascii() or not link.isprintable() or " " in link or "\\" in link:
        raise unreadable("a link is none")
    try:
        same = _origin(link) == _origin(origin)
    except ValueError:
        same = False
    if not same:
        raise unreadable("a link leads to another host")
    _, _, rest = link.partition("//")
    _, slash, target = rest.partition("/")
    return slash + target


def _origin(address: str) -> tuple[str, str | None, int | None, bool]:
    parts = urlsplit(address)
    port = parts.port or _PORTS.get(parts.scheme)
    return parts.scheme, parts.hostname, port, "@" in parts.netloc


@attrs.frozen(kw_only=True)
class Place:
    """A place in a table's feed, for one set of columns; as a cursor's token, a text.

    Attributes:
        feed: Stands for the table and the columns.
        target: Path and query of the link that goes on from there.
    """

    feed: str
    target: str

    @classmethod
    def of(cls, object: str, fields: Collection[str], target: str) -> Place:
        """Return the place that a link leads to."""
        return cls(feed=_feed(object, fields), target=target)

    def cursor(self, at: datetime) -> Cursor:
        """Return it as a cursor."""
        return Cursor(token=f"{self.feed} {self.target}", at=at)


def resumed(cursor: Cursor, object: str, fields: Collection[str]) -> str:
    """Return the path and query that go on from a cursor.

    Raises:
        CursorExpiredError: It is another table's, or of other columns, or none of ours.
    """
    feed, _, target = cursor.token.partition(" ")
    if feed != _feed(object, fields) or not target.startswith("/api/data/"):
        raise CursorExpiredError(
            f"Dynamics {object}: the cursor belongs to another feed.", what_to_do="Read the table in full."
        )
    return target


def _feed(object: str, fields: Collection[str]) -> str:
    return blake2s("\n".join([object, *sorted(set(fields))]).encode(), digest_size=12).hexdigest()


def time_in(target: str) -> datetime | None:
    """Return the time in a link to later changes, where it has one in the form that Dynamics gives it."""
    _, found, token = unquote(target).partition(_LATER)
    try:
        return datetime.strptime(token.partition("!")[2], "%m/%d/%Y %H:%M:%S").replace(tzinfo=UTC) if found else None
    except ValueError:
        return None
