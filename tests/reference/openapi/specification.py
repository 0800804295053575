"""Adobe's description of Marketo's API, read from its files; what does not fit it is told in words."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from jsonschema import Draft4Validator, FormatChecker

from tests.reference.openapi.exchanges import Exchange
from tests.reference.openapi.known_faults import KnownFault

#: The files, as Adobe names them.
FILES: Final = ("swagger-mapi.json", "swagger-identity.json")
#: Records, which have whatever fields their instance has; anything else has the members that are described.
RECORDS: Final = ("Lead", "Company", "CompanyResponse", "CustomObject", "SalesPerson", "Empty")

_FORMATS: Final = FormatChecker(())


@_FORMATS.checks("int32")
def _is_int32(value: object) -> bool:
    return not isinstance(value, int) or -(2**31) <= value < 2**31


@_FORMATS.checks("int64")
def _is_int64(value: object) -> bool:
    return not isinstance(value, int) or -(2**63) <= value < 2**63


@_FORMATS.checks("date-time", raises=ValueError)
def _is_time(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


class Specification:
    """What Adobe says of Marketo's API, with some of its faults mended.

    Args:
        folder: Where its files are.
        mended: The faults that are mended first.
    """

    def __init__(self, folder: Path, mended: Iterable[KnownFault]) -> None:
        found = [json.loads((folder / name).read_text(encoding="utf-8")) for name in FILES]
        self._spec: dict[str, Any] = {
            "paths": {path: item for each in found for path, item in each["paths"].items()},
            "definitions": {name: item for each in found for name, item in each["definitions"].items()},
        }
        for fault in mended:
            fault.mend(self._spec)
        closed = deepcopy(self._spec["definitions"])
        for name, definition in closed.items():
            if name not in RECORDS and definition.get("type") == "object":
                definition["additionalProperties"] = False
        self._definitions = closed

    def problems(self, exchange: Exchange) -> Iterator[str]:
        """Yield what does not fit: of the request, then of the answer."""
        found = self._operation(exchange)
        if found is None:
            yield f"{exchange}: no such operation"
            return
        operation, path = found
        for problem in (*self._of_request(exchange, operation, path), *self._of_answer(exchange, operation)):
            yield f"{exchange}: {problem}"

    def _operation(self, exchange: Exchange) -> tuple[Mapping[str, Any], Mapping[str, str]] | None:
        """Return what is asked, and the parts of the path that vary: of several, what varies least."""
        fits = [
            (template.count("{"), item[exchange.method.lower()], match.groupdict())
            for template, item in self._spec["paths"].items()
            if exchange.method.lower() in item
            and (match := re.fullmatch(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template), exchange.path))
        ]
        return min(fits, key=lambda fit: fit[0])[1:] if fits else None

    # -- requests ----------------------------------------------------------------------------------

    def _of_request(self, exchange: Exchange, operation: Mapping[str, Any], path: Mapping[str, str]) -> Iterator[str]:
        declared = {(item["in"], item["name"]): item for item in operation.get("parameters", ())}
        body = next((item for (place, _), item in declared.items() if place == "body"), None)
        given: dict[tuple[str, str], Sequence[str]] = {
            **{("query", name): values for name, values in exchange.query.items()},
            **{("path", name): [value] for name, value in path.items()},
        }
        told_in_body = exchange.method == "GET" and exchange.body != b""
        for place, item in declared.items():
            if item.get("required") and place[0] in {"query", "path"} and place not in given and not told_in_body:
                yield f"lacks {place[1]}"
        for place, values in given.items():
            if place not in declared:
                yield f"{place[0]} parameter {place[1]} is not described"
            else:
                yield from self._of_parameter(place[1], declared[place], values)
        if ("formData", "file") in declared:
            if not exchange.kind.startswith("multipart/form-data") or b'name="file"' not in exchange.body:
                yield "lacks its file"
        elif exchange.body:
            yield from self._of_body(exchange, body)
        elif body is not None and body.get("required"):
            yield "lacks its body"

    def _of_parameter(self, name: str, item: Mapping[str, Any], values: Sequence[str]) -> Iterator[str]:
        if item["type"] == "array":
            parts = [part for value in values for part in value.split(",")]
            for part in parts:
                yield from self._of_value(name, item["items"], part)
        elif len(values) > 1:
            yield f"{name} is there twice"
        else:
            yield from self._of_value(name, item, values[0])

    def _of_value(self, name: str, item: Mapping[str, Any], text: str) -> Iterator[str]:
        kind, schema = item["type"], {key: item[key] for key in ("type", "enum", "format") if key in item}
        value: object = int(text) if kind == "integer" and re.fullmatch(r"-?\d+", text) else text
        if kind == "boolean" and text in {"true", "false"}:
            value = text == "true"
        yield from (f"{name}: {problem}" for problem in self._unfit(value, schema))

    def _of_body(self, exchange: Exchange, item: Mapping[str, Any] | None) -> Iterator[str]:
        if item is None:
            # an object without members is no body, but for its type
            if json.loads(exchange.body) != {}:
                yield "has a body, which is not described"
        elif exchange.kind != "application/json":
            yield f"its body is {exchange.kind}"
        else:
            yield from (f"body {problem}" for problem in self._unfit(json.loads(exchange.body), item["schema"]))

    # -- answers -----------------------------------------------------------------------------------

    def _of_answer(self, exchange: Exchange, operation: Mapping[str, Any]) -> Iterator[str]:
        response = operation["responses"].get(str(exchange.status))
        if response is None:
            yield f"answer: status {exchange.status} is not described"
        elif exchange.answer_kind.startswith("application/json"):
            schema = response["schema"]
            yield from (f"answer {problem}" for problem in self._unfit(json.loads(exchange.answer), schema))
        elif "InputStream" not in json.dumps(response["schema"]):
            yield f"answer: it is {exchange.answer_kind}"

    def _unfit(self, value: object, schema: Mapping[str, Any]) -> Iterator[str]:
        validator = Draft4Validator({**schema, "definitions": self._definitions}, format_checker=_FORMATS)
        for error in validator.iter_errors(value):
            yield f"{error.json_path}: {error.message[:200]}"
