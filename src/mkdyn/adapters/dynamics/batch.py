"""`$batch`: many requests in one, as multipart text; written and read here, sent elsewhere.

A change set among them takes effect as a whole or not at all. What comes back stands in the
order of what was sent. An answer that breaks off is read as far as it is whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Final, TypeAlias

import attrs

_EOL: Final = "\r\n"
_BOUNDARY: Final = re.compile(r'boundary=(?:"([^"]+)"|([^\s;,"]+))', re.IGNORECASE)
_STATUS: Final = re.compile(rb"HTTP/\d(?:\.\d)? (\d{3})\b")
_EMPTY_LINE: Final = re.compile(rb"\r?\n\r?\n")
_DEPTH_MAX: Final = 2


@attrs.frozen(kw_only=True)
class Part:
    """One request in a batch.

    Attributes:
        method: GET, PATCH, POST or DELETE.
        target: The path from the root, with the query, encoded.
        headers: Its own.
        body: JSON in one line, so that no line of it can be a boundary; None for none.
    """

    method: str
    target: str
    headers: Mapping[str, str] = attrs.field(factory=dict[str, str])
    body: bytes | None = attrs.field(default=None, repr=False)


@attrs.frozen(kw_only=True)
class Answer:
    """What came back for one part.

    Attributes:
        status: HTTP's.
        headers: By name in lower case.
        body: As it came.
    """

    status: int
    headers: Mapping[str, str] = attrs.field(factory=dict[str, str], repr=False)
    body: bytes = attrs.field(default=b"", repr=False)


#: A part, or several that take effect together.
Item: TypeAlias = Part | Sequence[Part]
#: The answer to a part; to a change set, that to each of its parts, or one for all of them.
ItemAnswer: TypeAlias = Answer | Sequence[Answer]


# -- writing -------------------------------------------------------------------------------------------------


def write_batch(items: Iterable[Item], boundary: str) -> bytes:
    """Write requests as the body of a `$batch`.

    Args:
        items: The requests, and change sets of them.
        boundary: A word that separates them.

    Raises:
        ValueError: A target or a header would end its own line, or a body is more than one.
    """
    lines: list[str] = []
    for place, item in enumerate(items):
        lines.append(f"--{boundary}")
        if isinstance(item, Part):
            lines += _written(item, None)
            continue
        inner = f"changeset_{place}_{boundary}"
        lines += [f'Content-Type: multipart/mixed; boundary="{inner}"', ""]
        for number, part in enumerate(item, start=1):
            lines += [f"--{inner}", *_written(part, number)]
        lines += [f"--{inner}--", ""]
    lines += [f"--{boundary}--", ""]
    return _EOL.join(lines).encode()


def _written(part: Part, content_id: int | None) -> list[str]:
    body = "" if part.body is None else part.body.decode("ascii")
    lines = [
        "Content-Type: application/http",
        "Content-Transfer-Encoding: binary",
        *([] if content_id is None else [f"Content-ID: {content_id}"]),
        "",
        f"{part.method} {part.target} HTTP/1.1",
        *(f"{name}: {value}" for name, value in part.headers.items()),
        "",
        body,
    ]
    if any("\r" in line or "\n" in line for line in lines) or " " in part.target:
        raise ValueError("a part of a batch would break its line")
    return lines


# -- reading -------------------------------------------------------------------------------------------------


def boundary_of(content_type: str) -> str | None:
    """Return the word that separates the parts of an answer, or None if it has no parts."""
    found = _BOUNDARY.search(content_type)
    if found is None or not content_type.lower().lstrip().startswith("multipart/"):
        return None
    return found[1] or found[2]


def read_batch(content_type: str, body: bytes) -> list[ItemAnswer]:
    """Read the answers in the body of a `$batch`, as far as they are whole.

    Args:
        content_type: The answer's, with the boundary.
        body: Its body.
    """
    return _read(content_type, body, depth=1)


def _read(content_type: str, body: bytes, *, depth: int) -> list[ItemAnswer]:
    boundary = boundary_of(content_type)
    if boundary is None or depth > _DEPTH_MAX:
        return []
    answers: list[ItemAnswer] = []
    for text in _between(boundary, body):
        headers, content = _split(text)
        kind = headers.get("content-type", "")
        if boundary_of(kind) is not None:
            nested = _read(kind, content, depth=depth + 1)
            answers.append([answer for answer in nested if isinstance(answer, Answer)])
            continue
        answer = _answer(content)
        if answer is None:  # nothing behind it can be told which part it belongs to
            break
        answers.append(answer)
    return answers


def _between(boundary: str, body: bytes) -> Iterable[bytes]:
    """Yield what stands between two boundaries; what no boundary follows was cut off, and is not told."""
    line = re.compile(rb"(?:\A|\r?\n)--" + re.escape(boundary.encode()) + rb"(--)?[ \t]*(?=\r?\n|\Z)")
    marks = list(line.finditer(body))
    for mark, following in pairwise(marks):
        if mark[1] is not None:
            return
        yield body[mark.end() : following.start()].lstrip(b"\r\n")


def _split(text: bytes) -> tuple[dict[str, str], bytes]:
    """Divide a message into headers and what follows the first empty line."""
    head, _, content = (b"", b"", text) if text.startswith((b"\r\n", b"\n")) else _parted(text)
    headers: dict[str, str] = {}
    for line in head.decode("utf-8", "replace").splitlines():
        name, colon, value = line.partition(":")
        if colon:
            headers[name.strip().lower()] = value.strip()
    return headers, content


def _parted(text: bytes) -> tuple[bytes, bytes, bytes]:
    found = _EMPTY_LINE.search(text)
    return (text, b"", b"") if found is None else (text[: found.start()], found[0], text[found.end() :])


def _answer(text: bytes) -> Answer | None:
    found = _STATUS.match(text)
    if found is None:
        return None
    _, _, rest = text.partition(b"\n")
    headers, body = _split(rest)
    return Answer(status=int(found[1]), headers=headers, body=body.strip())
