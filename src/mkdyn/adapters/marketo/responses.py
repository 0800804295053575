"""Marketo's answers, read: no input, no output."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Final

import attrs

from mkdyn.adapters.http import Response
from mkdyn.adapters.http.shapes import Json, as_object, listed
from mkdyn.adapters.http.tokens import Token
from mkdyn.errors import CheckError, CredentialsError, SetupError, UnreachableError

_UNAUTHORIZED: Final = 401
_NOT_FOUND: Final = 404
_SERVER: Final = 500
_FIELD: Final = re.compile(r"[Ff]ield '(\w+)'")


#: The code of what a native CRM sync makes impossible.
NATIVE_SYNC: Final = "1018"


class ForbiddenError(CheckError):
    """Our user may not do something, or nobody may.

    Attributes:
        code: Marketo's code.
    """

    def __init__(self, code: str, problem: str) -> None:
        super().__init__((problem,))
        self.code = code


class RefusedError(SetupError):
    """Marketo refuses a call as a whole.

    Attributes:
        code: Its code.
    """

    def __init__(self, code: str) -> None:
        super().__init__(
            f"Marketo refuses a call ({code}).", what_to_do="Look the code up in Adobe's list of error codes."
        )
        self.code = code


@attrs.frozen(kw_only=True)
class Envelope:
    """What every answer has around what was asked for.

    Attributes:
        result: The objects, in order.
        at: Marketo's time when it answered, or None if it does not say.
        next_token: Where to go on, if there may be more.
        more: Whether there is more.
    """

    result: Sequence[Json] = attrs.field(repr=False)
    at: datetime | None
    next_token: str | None = attrs.field(repr=False)
    more: bool


#: An answer that nothing was found.
NOTHING: Final = Envelope(result=(), at=None, next_token=None, more=False)


def envelope_of(response: Response) -> Envelope:
    """Read an answer.

    Raises:
        RefusedError: It says no.
        UnreachableError: It can't be read: a gateway's page, half an answer, or nothing.
    """
    found = _json(response)
    if found.get("success") is not True:
        errors = listed(found, "errors")
        if not errors:
            raise unreadable("it says neither yes nor why not")
        raise RefusedError(str(errors[0].get("code", "")))
    result, token = listed(found, "result"), found.get("nextPageToken")
    more = found.get("moreResult")
    return Envelope(
        result=result,
        at=_time_of(str(found.get("requestId", ""))),
        next_token=token if isinstance(token, str) else None,
        more=bool(result) if more is None else bool(more),
    )


def file_of(response: Response, *, checksum: str | None = None) -> str | None:
    """Read a file; None where there is none.

    Args:
        response: What was answered.
        checksum: The SHA-256 of its bytes, in hexadecimal digits; None where nobody says.

    Raises:
        RefusedError: Marketo says no.
        UnreachableError: It can't be read, or is another file.
    """
    if response.status == _NOT_FOUND:
        return None
    if response.body.lstrip()[:1] in (b"{", b"<"):  # an answer like others, or a gateway's page
        envelope_of(response)
        raise unreadable("it is no file")
    if checksum is not None and hashlib.sha256(response.body).hexdigest() != checksum:
        raise unreadable("its checksum is another file's")
    try:
        return response.body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise unreadable("it is no text") from None


def token_of(response: Response) -> tuple[Token, str]:
    """Read the identity endpoint's answer: a token, and the user it stands for.

    Raises:
        CredentialsError: Marketo does not accept who we say we are.
        UnreachableError: It is busy, or its answer can't be read.
    """
    if response.status >= _SERVER:
        raise UnreachableError(f"Marketo's identity service answered {response.status}.", what_to_do="Try again later.")
    found: Json = {}
    with suppress(UnreachableError):
        found = _json(response)
    if response.status == _UNAUTHORIZED or "error" in found:
        raise CredentialsError(
            "Marketo gives no token for this client id.",
            what_to_do="Check the client id and its secret: Admin, LaunchPoint, the service's details.",
        )
    text, lasts = found.get("access_token"), found.get("expires_in")
    if not isinstance(text, str) or not text or not text.isascii() or not text.isprintable():
        raise unreadable("it holds no token")
    return Token(text=text, lasts_s=float(lasts) if isinstance(lasts, int | float) else 0.0), str(
        found.get("scope", "")
    )


def reason_of(item: Json) -> tuple[str, str]:
    """Return why a record was skipped: the code, and the field to blame where Marketo names one."""
    reasons = listed(item, "reasons") or listed(item, "errors")
    first: Json = reasons[0] if reasons else {}
    blamed = _FIELD.search(str(first.get("message", "")))
    return str(first.get("code", "")), blamed[1] if blamed else ""


def calls_of(answer: Envelope, user: str) -> int:
    """Return how many of today's calls were a user's own, as the usage statistics tell."""
    counts = [item for day in answer.result for item in listed(day, "users") if item.get("userId") == user]
    return sum(count for item in counts if isinstance(count := item.get("count"), int))


def unreadable(why: str) -> UnreachableError:
    """Return the error of an answer that can't be read; never what it holds."""
    return UnreachableError(f"Marketo's answer can't be read: {why}.", what_to_do="Try again later.")


def _json(response: Response) -> Json:
    try:
        found: Any = json.loads(response.body)
    except ValueError:
        raise unreadable(f"status {response.status}, and no JSON") from None
    data = as_object(found)
    if data is None:
        raise unreadable("it is no object")
    return data


def _time_of(request_id: str) -> datetime | None:
    """Read the second half of a request id: hexadecimal milliseconds since 1970."""
    _, _, ticks = request_id.partition("#")
    try:
        return datetime.fromtimestamp(int(ticks, 16) / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None
