"""What a Dynamics server can be told to be: its limits, what its work takes, and what nobody has documented."""

from __future__ import annotations

from typing import Final, Literal

import attrs

from mkdyn.testing.servers.dynamics.question import Codes


@attrs.frozen(kw_only=True)
class Application:
    """An app registration, and whether it has an application user in the organisation.

    Attributes:
        client_id: Its id.
        client_secret: Its secret.
        member: Whether the organisation has a user for it; if not, its tokens are good for nothing.
    """

    client_id: str = "mkdyn"
    client_secret: str = attrs.field(default="secret", repr=False)
    member: bool = True


@attrs.frozen(kw_only=True)
class ServerLimits:
    """Service protection, for each user and each web server; and what a request may be.

    Attributes:
        requests_per_window: How many requests a window takes.
        execution_s_per_window: How many seconds they may run in it, together.
        window_s: How long the sliding window is.
        concurrent_requests: How many may run at once.
        parallelism: The degree of parallelism that answers recommend.
        busy_wait_s: How long one waits after too many requests at once.
        impatience_s: What each request that doesn't wait adds to the wait.
        servers: How many web servers there are; a request without a cookie goes to each in turn.
        token_s: How long an access token is good.
        tracking_days: How long a delta token is good.
        page_rows: The most rows of a page.
        batch_operations: The most operations of a batch.
        url_characters: The longest address.
        batch_url_characters: The longest address inside a batch.
        conditions: The most conditions of a query.
        expansions: The most lookups that one query expands.
    """

    requests_per_window: int = 6_000
    execution_s_per_window: float = 1_200.0
    window_s: float = 300.0
    concurrent_requests: int = 52
    parallelism: int = 4
    busy_wait_s: float = 1.0
    impatience_s: float = 1.0
    servers: int = 1
    token_s: float = 3_599.0
    tracking_days: int = 7
    page_rows: int = 5_000
    batch_operations: int = 1_000
    url_characters: int = 32_768
    batch_url_characters: int = 65_536
    conditions: int = 500
    expansions: int = 15


@attrs.frozen(kw_only=True)
class Work:
    """How long the server's work takes, in seconds: requests run that long, and that counts against the limits.

    Attributes:
        request_s: What every request takes, or every part of a batch.
        read_row_s: What each row takes that is read.
        write_row_s: What each row takes that is written.
    """

    request_s: float = 0.0
    read_row_s: float = 0.0
    write_row_s: float = 0.0


@attrs.frozen(kw_only=True)
class Quirks:
    """What organisations may differ in, and what nobody has documented; the defaults are the likelier ones.

    Attributes:
        untracked: Tables whose changes are not tracked.
        untracked_read: What a tracked read of such a table is answered.
        unversioned: Tables without optimistic concurrency.
        codes: Whether the refusals whose code the documentation shows empty have one.
        annotated_tracking: What becomes of the delta link where annotations are asked for.
        closed_leads: What a write to a lead that is not open is refused with.
        duplicate_status: The HTTP status of a duplicate that a rule detects.
    """

    untracked: frozenset[str] = frozenset()
    untracked_read: Literal["refused", "no link"] = "refused"
    unversioned: frozenset[str] = frozenset()
    codes: Codes = "told"
    annotated_tracking: Literal["kept", "lost"] = "kept"
    closed_leads: str = "0x80040203"
    duplicate_status: Literal[412, 500] = 412


#: Whoever works with a server that was told of nobody.
DEFAULT_APPLICATION: Final = Application()
