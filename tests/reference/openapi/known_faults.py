"""What is wrong with Adobe's description of Marketo's API, why that is a fault of it, and how it is mended.

Each is a fault because Adobe's own pages, or answers that others have recorded, say otherwise; the description has
Swagger 2's word for neither null nor *any value*, so a part of them could not be said in it. That a skipped lead has one `reason`, and no list of `reasons`, is another
fault; no answer meets it, for a lead has whatever members its instance gives it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias

import attrs

#: Mends a description in place.
Mending: TypeAlias = Callable[[dict[str, Any]], None]


@attrs.frozen
class KnownFault:
    """A fault.

    Attributes:
        what: What the description says.
        why: Why that is wrong.
        mend: Says it as it is.
    """

    what: str
    why: str
    mend: Mending = attrs.field(repr=False)

    def __str__(self) -> str:
        return self.what


def _not_required(definition: str, *members: str) -> Mending:
    def mend(spec: dict[str, Any]) -> None:
        for name, found in spec["definitions"].items():
            if name == definition or (definition.endswith("*") and name.startswith(definition[:-1])):
                found["required"] = [member for member in found.get("required", ()) if member not in members] or ["x"]
                if found["required"] == ["x"]:
                    del found["required"]

    return mend


def _member(definition: str, member: str, schema: dict[str, Any]) -> Mending:
    def mend(spec: dict[str, Any]) -> None:
        spec["definitions"][definition]["properties"][member] = schema

    return mend


def _both(*mendings: Mending) -> Mending:
    def mend(spec: dict[str, Any]) -> None:
        for each in mendings:
            each(spec)

    return mend


def _identity_refuses(spec: dict[str, Any]) -> None:
    texts = {name: {"type": "string"} for name in ("error", "error_description")}
    schema = {"type": "object", "required": ["error"], "properties": texts}
    for operation in spec["paths"]["/identity/oauth/token"].values():
        operation["responses"]["401"] = {"schema": schema}


def _files_may_lack(spec: dict[str, Any]) -> None:
    for path, item in spec["paths"].items():
        if path.endswith(("/failures.json", "/warnings.json")):
            item["get"]["responses"]["404"] = item["get"]["responses"]["200"]


_ANY: Final[dict[str, Any]] = {}
_TEXT_OR_NULL: Final[dict[str, Any]] = {"type": ["string", "null"]}

KNOWN_FAULTS: Final = (
    KnownFault(
        "every answer has `errors` and `warnings`",
        "Adobe's samples and all recorded answers leave out what is empty (Adobe, each page's sample answers)",
        _not_required("ResponseOf*", "errors", "warnings"),
    ),
    KnownFault(
        "every answer has `result`",
        'refusals have none, nor has a page of activities without any (Adobe, "Error codes", "Activities")',
        _not_required("ResponseOf*", "result"),
    ),
    KnownFault(
        "a lead's id has 32 bits",
        "all other ids of leads have 64, in `Activity`, `LeadInputData`, `InputLead` and the paths",
        _member("Lead", "id", {"type": "integer", "format": "int64"}),
    ),
    KnownFault(
        "a company that was written has an `id`, whatever became of it",
        'one that was skipped has none (Adobe, "Companies", sample of a skipped record)',
        _not_required("CompanyResponse", "id"),
    ),
    KnownFault(
        "a custom object has `seq` and `marketoGUID`, in requests too",
        "its own text says that `seq` is for answers only; a record that is to be made, or is skipped, has no GUID",
        _not_required("CustomObject", "seq", "marketoGUID"),
    ),
    KnownFault(
        "an attribute's `value` is an object",
        "it is a text, a number, a flag or null in every sample: what is meant is Java's Object, that is, anything",
        _member("Attribute", "value", _ANY),
    ),
    KnownFault(
        "an activity has an `id`",
        'its own text says that it may be left out; `marketoGUID` takes its place (Adobe, "Activities")',
        _both(_not_required("Activity", "id"), _not_required("LeadChange", "id")),
    ),
    KnownFault(
        "a change's old and new values are texts",
        "where there was no value, or is none now, recorded answers have null",
        _both(
            _member("LeadChangeField", "oldValue", _TEXT_OR_NULL), _member("LeadChangeField", "newValue", _TEXT_OR_NULL)
        ),
    ),
    KnownFault(
        "the days of the usage statistics are times",
        'Adobe\'s page "Usage" and recorded answers have dates without a time',
        _both(*(_member(name, "date", {"type": "string"}) for name in ("UsageData", "ErrorsData"))),
    ),
    KnownFault(
        "every object's description has `apiName`, `pluralName`, `status` and `version`",
        'only those of custom object types do; a describe has `name` (Adobe, "Companies", "Custom objects")',
        _both(
            _not_required("ObjectMetaData", "apiName", "pluralName", "status", "version", "fields", "description"),
            _member("ObjectMetaData", "name", {"type": "string"}),
        ),
    ),
    KnownFault(
        "a company's name is a text",
        'null empties it, as any field (Adobe, "Companies"); Swagger 2 has no word for that',
        _member("Company", "company", _TEXT_OR_NULL),
    ),
    KnownFault(
        "an import of leads tells from the start how many were processed",
        'Adobe\'s sample of one that is queued has an id and a status only (Adobe, "Bulk lead import")',
        _not_required("ImportLeadResponse", "numOfLeadsProcessed"),
    ),
    KnownFault(
        "an import of custom objects tells from the start what it does",
        'Adobe\'s sample of one that is queued has no `operation` (Adobe, "Bulk custom object import")',
        _not_required("ImportCustomObjectResponse", "operation"),
    ),
    KnownFault(
        "there is always a file of failures, and one of warnings",
        'without any, the answer is 404 (Adobe, "Bulk import")',
        _files_may_lack,
    ),
    KnownFault(
        "the identity service answers nothing but 200",
        'it refuses with 401 and OAuth\'s members (Adobe, "Authentication")',
        _identity_refuses,
    ),
)
