"""The text of a batch: parts between boundaries, each a request or a set of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

import attrs

from mkdyn.testing.servers.dynamics.question import BAD_PAYLOAD, Answer, RefusedError

_BOUNDARY: Final = re.compile(r'\bboundary=("[^"]+"|[^;\s]+)', re.IGNORECASE)
_WORDS: Final = 3  # method, target, version
_REASONS: Final = {
    200: "OK", 201: "Created", 204: "No Content", 304: "Not Modified", 400: "Bad Request", 401: "Unauthorized",
    403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed", 412: "Precondition Failed",
    429: "Too Many Requests", 500: "Internal Server Error", 501: "Not Implemented", 503: "Service Unavailable",
}  # fmt: skip


@attrs.frozen
class Piece:
    """One part between boundaries: headers, and what follows them."""

    headers: Mapping[str, str]
    content: bytes


@attrs.frozen
class Line:
    """A request inside a batch."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


def boundary_of(content_type: str) -> str:
    """Return what divides the parts.

    Raises:
        RefusedError: It is no multipart content.
    """
    match = _BOUNDARY.search(content_type)
    if match is None or not content_type.lower().startswith("multipart/mixed"):
        raise RefusedError(400, BAD_PAYLOAD, f"The content type '{content_type}' is no valid batch content type.")
    return match[1].strip('"')


def pieces(content: bytes, boundary: str) -> Sequence[Piece]:
    """Divide a multipart content; its lines end in CR and LF.

    Raises:
        RefusedError: It does not begin or end as it must.
    """
    mark = b"--" + boundary.encode()
    parts = (b"\r\n" + content).split(b"\r\n" + mark)
    end = parts.pop()
    if not parts or not end.startswith(b"--"):
        raise RefusedError(400, BAD_PAYLOAD, "The batch has no end, or its lines do not end in CRLF.")
    return [_piece(part.removeprefix(b"\r\n")) for part in parts[1:]]


def _piece(part: bytes) -> Piece:
    head, blank, content = part.partition(b"\r\n\r\n")
    if not blank:
        raise RefusedError(400, BAD_PAYLOAD, "A part of the batch has no blank line behind its headers.")
    return Piece(_headers(head), content)


def _headers(head: bytes) -> Mapping[str, str]:
    pairs = (line.partition(":") for line in head.decode().split("\r\n") if line)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def request_line(piece: Piece) -> Line:
    """Read the request that a part holds.

    Raises:
        RefusedError: It holds none.
    """
    first, _, rest = piece.content.partition(b"\r\n")
    words = first.decode().split(" ")
    if piece.headers.get("content-type") != "application/http" or len(words) != _WORDS or not words[-1]:
        raise RefusedError(400, BAD_PAYLOAD, f"Invalid request line '{first.decode()}'.")
    head, _, body = rest.partition(b"\r\n\r\n") if not rest.startswith(b"\r\n") else (b"", b"", rest[2:])
    return Line(words[0], words[1], _headers(head), body)


def response(answer: Answer, content_id: str | None = None) -> bytes:
    """Write an answer as a part, without its boundary."""
    number = [] if content_id is None else [f"Content-ID: {content_id}"]
    location = answer.headers.get("OData-EntityId")
    moved = {} if location is None else {"Location": location}
    headers = [f"{name}: {value}" for name, value in {**answer.all_headers, **moved}.items()]
    lines = [
        "Content-Type: application/http",
        "Content-Transfer-Encoding: binary",
        *number,
        "",
        f"HTTP/1.1 {answer.status} {_REASONS.get(answer.status, 'Status')}",
        *headers,
        "",
        "",
    ]
    return "\r\n".join(lines).encode() + answer.content


def joined(parts: Sequence[bytes], boundary: str) -> bytes:
    """Put parts between boundaries."""
    mark = f"--{boundary}".encode()
    return b"".join(mark + b"\r\n" + part + b"\r\n" for part in parts) + mark + b"--\r\n"
