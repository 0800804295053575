"""Requests and answers, as plain values: whoever builds and reads them need not know what sends."""

from __future__ import annotations

from collections.abc import Mapping

import attrs


@attrs.frozen(kw_only=True)
class Request:
    """What is sent to a host.

    Attributes:
        method: HTTP's.
        path: The path and the query, encoded; sent letter for letter.
        headers: By name.
        body: What is sent along, or None.
        timeout_s: How long the answer may take.
    """

    method: str
    path: str = attrs.field(repr=False)
    headers: Mapping[str, str] = attrs.field(factory=dict[str, str], repr=False)
    body: bytes | None = attrs.field(default=None, repr=False)
    timeout_s: float = 120.0


@attrs.frozen(kw_only=True)
class Response:
    """What came back.

    Attributes:
        status: HTTP's.
        headers: By name in lower case.
        body: Whole, and not larger than is reasonable.
    """

    status: int
    headers: Mapping[str, str] = attrs.field(factory=dict[str, str], repr=False)
    body: bytes = attrs.field(default=b"", repr=False)
