"""What a Marketo server can be told to be: its limits, its users, and what nobody has documented."""

from __future__ import annotations

from datetime import timedelta, timezone, tzinfo
from typing import Final, Literal

import attrs

#: Every permission of an API user that an endpoint asks for.
PERMISSIONS: Final = frozenset(
    {
        "Read-Only Lead", "Read-Write Lead",
        "Read-Only Activity", "Read-Write Activity",
        "Read-Only Company", "Read-Write Company",
        "Read-Only Opportunity", "Read-Write Named Opportunity",
        "Read-Only Sales Person", "Read-Write Sales Person",
        "Read-Only Custom Object", "Read-Write Custom Object",
        "Read-Only Custom Object Type", "Read-Write Custom Object Type",
        "Read-Write Schema Standard Field", "Read-Write Schema Custom Field",
    }
)  # fmt: skip


@attrs.frozen(kw_only=True)
class Service:
    """A custom service: what an API user proves itself with.

    Attributes:
        client_id: Its id.
        client_secret: Its secret.
        user: The API user's name; None for the fake's own.
        permissions: What the user's role allows.
    """

    client_id: str = "mkdyn"
    client_secret: str = attrs.field(default="secret", repr=False)
    user: str | None = None
    permissions: frozenset[str] = attrs.field(default=PERMISSIONS, repr=False)


@attrs.frozen(kw_only=True)
class ServerLimits:
    """What an instance allows, to all its users together.

    Attributes:
        calls_per_window: How many calls a window takes; one more is answered 606.
        window_s: How long the sliding window is.
        concurrent_calls: How many calls may run at once; one more is answered 615.
        calls_per_day: How many calls a day takes; one more is answered 607.
        day_zone: Where the day begins: US Central, without daylight saving.
        token_s: How long a token is good.
        body_bytes: The largest body; a larger one is answered by HTTP 413.
        import_bytes: The largest file of a bulk import; a larger one is answered by HTTP 413.
        jobs_running: How many bulk jobs of a kind run at once.
        jobs_waiting: How many may run and wait; one more is answered 1016, or 1029.
        job_s: How long a bulk job runs.
        extract_bytes_per_day: How much may be extracted in a day, before 1029.
        uri_bytes: The longest path and query; a longer one is answered by HTTP 414.
    """

    calls_per_window: int = 100
    window_s: float = 20.0
    concurrent_calls: int = 10
    calls_per_day: int = 50_000
    day_zone: tzinfo = timezone(timedelta(hours=-6), "CST")
    token_s: float = 3600.0
    body_bytes: int = 1_000_000
    import_bytes: int = 10_000_000
    jobs_running: int = 2
    jobs_waiting: int = 10
    job_s: float = 5.0
    extract_bytes_per_day: int = 500_000_000
    uri_bytes: int = 8192


@attrs.frozen(kw_only=True)
class Quirks:
    """What instances may differ in, and what nobody has documented; the defaults are the likelier ones.

    Attributes:
        native_sync: Whether a native CRM sync is on: companies, opportunities, roles and sales persons
            are then read-only, or refused altogether; both are answered 1018.
        scores: What describes call a score field.
        merged: Whether a merge logs the deletion of those who are gone, besides the merge.
        block_entries: How many entries of its log one answer about activities or deletions searches. Adobe says that
            there are blocks, so that an answer may hold nothing though there is more, and not how large they are; ten
            thousand is a guess, and three hundred, of which none may be passed over, the least that makes sense.
        activity_ids: Whether activities have the integer id besides the GUID.
        tokens_in_query: Whether a token is taken from the query, too.
        extracts_by_update: Whether extracts can be filtered by `updatedAt`; if not, that is 1035.
        races: Whether two overlapping calls that create one key make two persons.
        too_many_code: What more than 300 records are refused with.
        stale_page_code: What a paging token that has expired is refused with.
        unknown_object_code: What a custom object that is not there is refused with.
    """

    native_sync: Literal["off", "read-only", "refused"] = "off"
    scores: Literal["integer", "score"] = "integer"
    merged: Literal["untold", "told"] = "untold"
    block_entries: int = 10_000
    activity_ids: Literal["shown", "left out"] = "shown"
    tokens_in_query: bool = False
    extracts_by_update: bool = True
    races: Literal["never", "duplicates"] = "never"
    too_many_code: str = "1003"
    stale_page_code: str = "1003"
    unknown_object_code: str = "610"
