"""Carries out a batch: requests in order, sets of changes as one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias
from urllib.parse import urlsplit
from uuid import uuid4

import attrs

from mkdyn.testing.servers.dynamics.keys import dereferenced
from mkdyn.testing.servers.dynamics.multipart import (
    Line,
    Piece,
    boundary_of,
    joined,
    pieces,
    request_line,
    response,
)
from mkdyn.testing.servers.dynamics.question import (
    BAD_PAYLOAD,
    BAD_QUERY,
    BAD_REQUEST,
    Answer,
    Question,
    RefusedError,
    check_length,
    refusal,
)
from mkdyn.testing.servers.dynamics.world import Organization

ROOT: Final = "/api/data/v9.2/"
_OK_MAX: Final = 400
#: Answers one question, or refuses it.
Answering: TypeAlias = Callable[[Question], Answer]


@attrs.frozen(kw_only=True)
class Parts:
    """What became of a batch.

    Attributes:
        status: The status of the whole.
        parts: The answers, in order, written out.
        rows: How many rows were read or written.
    """

    status: int
    parts: tuple[bytes, ...]
    rows: int

    def answer(self, boundary: str, most: int | None = None) -> Answer:
        """Return it as one answer, of so many parts at most."""
        content_type = f"multipart/mixed; boundary={boundary}"
        body = joined(self.parts[:most], boundary).decode()
        return Answer(status=self.status, headers={"Content-Type": content_type}, body=body, rows=self.rows)


def batch(organization: Organization, question: Question, answer: Answering) -> tuple[Parts, str]:
    """Carry out a batch; return what became of it, and what divides the answers.

    Raises:
        RefusedError: It is none, or too large.
    """
    found = pieces(question.body, boundary_of(question.headers.get("content-type", "")))
    sets = [_changes(piece) for piece in found]
    operations = sum(1 if inner is None else len(inner) for inner in sets)
    most = organization.limits.batch_operations
    if operations > most:
        message = f"The number of operations in the batch, {operations}, exceeds the maximum of {most}."
        raise RefusedError(400, BAD_REQUEST, message)
    goes_on = "odata.continue-on-error" in question.preferences
    parts: list[bytes] = []
    status, rows = 200, 0
    for piece, inner in zip(found, sets, strict=True):
        if inner is None:
            result = _alone(organization, question, piece, answer)
            parts.append(response(result))
        else:
            result, written = _together(organization, question, inner, answer)
            parts.append(written)
        rows += result.rows
        if result.status >= _OK_MAX and not goes_on:
            status = result.status
            break
    return Parts(status=status, parts=tuple(parts), rows=rows), f"batchresponse_{uuid4()}"


def _changes(piece: Piece) -> list[Piece] | None:
    """Return the parts of a change set; None of a single request."""
    content_type = piece.headers.get("content-type", "")
    if not content_type.lower().startswith("multipart/mixed"):
        return None
    return list(pieces(piece.content, boundary_of(content_type)))


def _alone(organization: Organization, question: Question, piece: Piece, answer: Answering) -> Answer:
    try:
        return answer(_question(organization, question, request_line(piece), {}))
    except RefusedError as error:
        return refusal(error, organization.quirks.codes)


def _together(
    organization: Organization, question: Question, inner: list[Piece], answer: Answering
) -> tuple[Answer, bytes]:
    """Carry out a change set: all of it, or nothing; then one refusal stands for all of it."""
    references: dict[str, str] = {}
    parts: list[bytes] = []
    rows = 0
    try:
        with organization.backstage.undoing.transaction():
            for piece in inner:
                number = _number(piece, references)
                result = answer(_change(_question(organization, question, request_line(piece), references)))
                references[number] = result.entity
                parts.append(response(result, number))
                rows += result.rows
    except RefusedError as error:
        result = refusal(error, organization.quirks.codes)
        return result, response(result)
    boundary = f"changesetresponse_{uuid4()}"
    head = f"Content-Type: multipart/mixed; boundary={boundary}\r\n\r\n".encode()
    return Answer(rows=rows), head + joined(parts, boundary)


def _question(organization: Organization, outer: Question, line: Line, references: Mapping[str, str]) -> Question:
    target = line.target
    if target.lstrip("/").startswith("$") and not target.lstrip("/").startswith("$batch"):
        target = dereferenced(attrs.evolve(outer, references=references), target)
    address = urlsplit(target)
    path = address.path.removeprefix(ROOT).lstrip("/")
    if path == "$batch":
        raise RefusedError(400, BAD_PAYLOAD, "A batch holds no batch.")
    found = Question(
        method=line.method,
        path=path,
        query=address.query,
        headers=line.headers,
        body=line.body,
        origin=outer.origin,
        references=references,
    )
    check_length(found, organization.limits.batch_url_characters)
    return found


def _number(piece: Piece, references: Mapping[str, str]) -> str:
    number = piece.headers.get("content-id")
    if not number or number in references:
        raise RefusedError(400, BAD_QUERY, "A change set's operations need a Content-ID each, of its own.")
    return number


def _change(question: Question) -> Question:
    if question.method == "GET":
        raise RefusedError(400, BAD_PAYLOAD, "A change set holds no queries.")
    return question
