"""Adobe's own description of Marketo's API, Swagger 2.0, to hold requests and answers against.

It is not part of this project: `MKDYN_MARKETO_OPENAPI` names the folder with `swagger-mapi.json` and
`swagger-identity.json` (from https://github.com/AdobeDocs/marketo-apis, folder `static`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl

import attrs
from jsonschema import Draft4Validator, ValidationError

FILES: Final = ("swagger-mapi.json", "swagger-identity.json")

_RECORDED: Final = "recorded answers leave out what is empty"
_CUSTOM: Final = ("customobjects/{customObjectName}", "customobjects/{customObjectName}/delete")
_OF_SCHEMA: Final = "only the calls for a custom object's schema have it; recorded descriptions of records don't"
#: Where the description is wrong, and how that is known. The part before the colon says where; `*` stands for any.
KNOWN_FAULTS: Final[Mapping[str, str]] = {
    "answer to *: 'errors' is a required property": _RECORDED,
    "answer to *: 'warnings' is a required property": _RECORDED,
    "answer to *: 'result' is a required property": _RECORDED,
    "answer to GET /rest/v1/activities.json: result/*/attributes/*/value: not type object": (
        "it is the value itself, in every sample of the documentation and every recording"
    ),
    **{
        f"answer to GET /rest/v1/{path}/describe.json: result/*: '{name}' is a required property": _OF_SCHEMA
        for path in ("companies", "opportunities", "salespersons", "customobjects/{customObjectName}")
        for name in ("apiName", "pluralName", "status", "version")
    },
    "answer to GET /rest/v1/customobjects/schema.json: result/*: 'status' is a required property": (
        "it is named state among the members described, and in recordings"
    ),
    **{
        f"answer to POST /rest/v1/{path}.json: result/*: '{name}' is a required property": (
            "recorded answers name it only for a record that was written, not for one that is refused"
        )
        for name, paths in {
            "id": ("companies", "companies/delete"),
            "marketoGUID": ("opportunities", "opportunities/delete", *_CUSTOM),
        }.items()
        for path in paths
    },
    **{
        f"request of POST /rest/v1/{path}.json: input/*: '{name}' is a required property": (
            "its own text says that it is part of answers only"
        )
        for path in ("opportunities", "opportunities/delete", *_CUSTOM)
        for name in ("marketoGUID", "seq")
    },
}


@attrs.frozen
class Exchange:
    """A request and its answer, as they were on the wire."""

    method: str
    path: str
    query: str
    content_type: str
    body: bytes
    status: int
    answer: bytes


class Specification:
    """Both files.

    Args:
        folder: Where they are.
    """

    def __init__(self, folder: Path) -> None:
        self._operations: dict[tuple[str, str], tuple[re.Pattern[str], Mapping[str, Any]]] = {}
        self._definitions: dict[str, Any] = {}
        for name in FILES:
            data = json.loads((folder / name).read_text(encoding="utf-8"))
            self._definitions |= data["definitions"]
            for path, operations in data["paths"].items():
                pattern = re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path)))
                for method, operation in operations.items():
                    self._operations[method.upper(), path] = pattern, operation

    def template(self, exchange: Exchange) -> tuple[str, str] | None:
        """Return the operation that a request asks for; a form that stands for a GET is one."""
        method = _method(exchange)
        found = [
            name
            for name, (pattern, _) in self._operations.items()
            if name[0] == method and pattern.fullmatch(exchange.path)
        ]
        return min(found, key=lambda name: name[1].count("{")) if found else None

    def faults(self, exchange: Exchange) -> Iterator[str]:
        """Tell what is wrong with a request, then what is wrong with its answer."""
        template = self.template(exchange)
        if template is None:
            yield f"{exchange.method} {exchange.path} is not described"
            return
        _, operation = self._operations[template]
        where = " ".join(template)
        parameters = operation.get("parameters", [])
        for fault in [*_query_faults(exchange, parameters), *self._body_faults(exchange, parameters)]:
            yield f"request of {where}: {fault}"
        schema = operation["responses"]["200"].get("schema")
        if exchange.status == 200 and schema is not None:
            for fault in self._misfits(json.loads(exchange.answer), schema):
                yield f"answer to {where}: {fault}"

    def _body_faults(self, exchange: Exchange, parameters: Sequence[Mapping[str, Any]]) -> Iterator[str]:
        described = [parameter for parameter in parameters if parameter["in"] == "body"]
        if not exchange.body or exchange.content_type.startswith("application/x-www-form-urlencoded"):
            if any(parameter.get("required") for parameter in described):
                yield "it has no body"
            return
        body = json.loads(exchange.body)
        if not described:
            if body:
                yield "it has a body"
            return
        schema = described[0]["schema"]
        known = self._definitions[schema["$ref"].rpartition("/")[2]]["properties"]
        yield from (f"{name} is not described" for name in body if name not in known)
        yield from self._misfits(body, schema)

    def _misfits(self, data: object, schema: Mapping[str, Any]) -> Iterator[str]:
        validator = Draft4Validator({**schema, "definitions": self._definitions})
        for error in validator.iter_errors(data):
            place = "/".join("*" if isinstance(part, int) else str(part) for part in error.path)
            yield f"{place}: {_words(error)}" if place else _words(error)


def _words(error: ValidationError) -> str:
    """Say what is wrong, without the value: required member, type or word."""
    if error.validator == "required":
        return error.message
    return f"not {error.validator} {error.validator_value}"


def _method(exchange: Exchange) -> str:
    return dict(parse_qsl(exchange.query)).get("_method", exchange.method)


def _query_faults(exchange: Exchange, parameters: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    described = {parameter["name"]: parameter for parameter in parameters if parameter["in"] == "query"}
    given = dict(parse_qsl(exchange.query, keep_blank_values=True))
    if given.pop("_method", None) is not None:
        given |= dict(parse_qsl(exchange.body.decode(), keep_blank_values=True))
    for name, value in given.items():
        if name not in described:
            yield f"parameter {name} is not described"
        elif described[name].get("type") == "integer" and not value.isdecimal():
            yield f"parameter {name} is no whole number"
    for name, parameter in described.items():
        if parameter.get("required") and not given.get(name):
            yield f"parameter {name} is missing"


def known_as(fault: str) -> str | None:
    """Return the name of a known fault of the description, if this is one."""
    anywhere = re.sub(r"^answer to \S+ \S+: ", "answer to *: ", fault)
    return next((name for name in (fault, anywhere) if name in KNOWN_FAULTS), None)
