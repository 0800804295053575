"""What a request asks, and what it is answered, without any HTTP library; and how Dataverse says no."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, Literal, TypeAlias, cast
from urllib.parse import unquote

import attrs

from mkdyn.testing.servers.dynamics.writing import written

#: Whether the codes are told that the documentation's samples leave empty.
Codes: TypeAlias = Literal["told", "empty"]
#: A JSON object.
Object: TypeAlias = Mapping[str, Any]

#: Codes of errors, by what they mean.
BAD_PAYLOAD: Final = "0x80048d19"
BAD_QUERY: Final = "0x80060888"
BAD_REQUEST: Final = "0x8006088a"
BAD_KEY: Final = "0x80060890"
DUPLICATE_KEY: Final = "0x80060892"
DUPLICATE_RECORD: Final = "0x80040237"
INVALID_ARGUMENT: Final = "0x80040203"
INVALID_STATE: Final = "0x80048408"
NO_SUCH_KEY: Final = "0x80060891"
NO_SUCH_RECORD: Final = "0x80040217"
NOT_A_MEMBER: Final = "0x80072560"
NOT_TRACKED: Final = "0x80072491"
PRIVILEGE_DENIED: Final = "0x80040220"
TOO_MANY_CONDITIONS: Final = "0x8004430c"
UNEXPECTED: Final = "0x80040216"
VERSION_EXPIRED: Final = "0x80044352"
VERSION_MISMATCH: Final = "0x80060882"

#: Codes that the documentation's samples leave empty.
_SHOWN_EMPTY: Final = (NO_SUCH_RECORD, DUPLICATE_RECORD, VERSION_MISMATCH)

_PREFERENCE: Final = re.compile(r'\s*([\w.-]+)\s*(?:=\s*("[^"]*"|[^,;\s]*))?\s*')


class RefusedError(Exception):
    """Dataverse refuses a request, or a part of a batch.

    Attributes:
        status: The HTTP status.
        code: The code.
        message: What it says.
    """

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message


@attrs.frozen(kw_only=True)
class Question:
    """A request, or a part of a batch.

    Attributes:
        method: GET, POST, PATCH, PUT or DELETE.
        path: What follows `/api/data/v9.2/`, still encoded.
        query: What follows the question mark, still encoded.
        headers: The headers, by name in lower case.
        body: What was sent.
        origin: The server's own address, for the links in answers.
        references: What `$1` stands for in a change set, by number.
    """

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = attrs.field(factory=dict[str, str], repr=False)
    body: bytes = attrs.field(default=b"", repr=False)
    origin: str = "https://mkdyn.crm.dynamics.com"
    references: Mapping[str, str] = attrs.field(factory=dict[str, str])

    @property
    def root(self) -> str:
        """The address of the interface, without a slash behind it."""
        return f"{self.origin}/api/data/v9.2"

    @property
    def preferences(self) -> Mapping[str, str]:
        """What the header `Prefer` says; a preference without a value has an empty one."""
        found = (_PREFERENCE.match(item) for item in _divided(self.headers.get("prefer", "")))
        return {item[1].lower(): (item[2] or "").strip('"') for item in found if item}

    @property
    def options(self) -> Mapping[str, str]:
        """The query's options, decoded.

        Raises:
            RefusedError: One is there twice.
        """
        found: dict[str, str] = {}
        for item in filter(None, self.query.split("&")):
            name, _, value = item.partition("=")
            name = unquote(name)
            if name in found:
                raise RefusedError(400, BAD_QUERY, f"Query option '{name}' was specified more than once.")
            found[name] = unquote(value.replace("+", " "))
        return found

    def json(self) -> Object:
        """Return the JSON object that was sent; numbers with a point as they are written.

        Raises:
            RefusedError: It is none.
        """
        content_type = self.headers.get("content-type", "")
        if "application/json" not in content_type:
            raise RefusedError(400, BAD_PAYLOAD, f"A supported MIME type could not be found: '{content_type}'.")
        try:
            found = json.loads(self.body, parse_float=Decimal)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise RefusedError(400, BAD_PAYLOAD, "The payload is no JSON object.")
        return cast("Object", found)


@attrs.frozen(kw_only=True)
class Answer:
    """What a request is answered.

    Attributes:
        status: The HTTP status.
        headers: The headers that not every answer has.
        body: A JSON object, or text of another kind; None for none.
        rows: How many rows were read or written for it: what its execution costs.
        entity: The address of the row that was written, from which on a change set may refer to it.
    """

    status: int = 200
    headers: Mapping[str, str] = attrs.field(factory=dict[str, str])
    body: Object | str | None = attrs.field(default=None, repr=False)
    rows: int = 0
    entity: str = ""

    @property
    def content(self) -> bytes:
        """The body as it is sent."""
        if self.body is None:
            return b""
        return (self.body if isinstance(self.body, str) else written(self.body)).encode()

    @property
    def all_headers(self) -> Mapping[str, str]:
        """The headers, with those that belong to the body."""
        kind = {} if self.body is None or isinstance(self.body, str) else {"Content-Type": JSON}
        return {"OData-Version": "4.0", **kind, **self.headers}


def check_length(question: Question, most: int) -> None:
    """Refuse an address that is too long.

    Raises:
        RefusedError: It is.
    """
    if len(question.path) + len(question.query) > most:
        raise RefusedError(414, BAD_REQUEST, "The request URI is too long.")


JSON: Final = "application/json; odata.metadata=minimal"


def error_body(code: str, message: str) -> Object:
    """Return the body of a refusal."""
    return {"error": {"code": code, "message": message}}


def refusal(error: RefusedError, codes: Codes = "told") -> Answer:
    """Return a refusal as an answer.

    Args:
        error: The refusal.
        codes: Whether those codes are told that the documentation shows empty.
    """
    code = "" if codes == "empty" and error.code in _SHOWN_EMPTY else error.code
    return Answer(status=error.status, body=error_body(code, error.message))


def _divided(text: str) -> Sequence[str]:
    """Divide at the commas that stand in no quotes."""
    return re.findall(r'(?:[^,"]|"[^"]*")+', text)
