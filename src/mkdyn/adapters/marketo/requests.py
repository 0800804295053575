"""Marketo's requests as plain values: no input, no output."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Literal
from urllib.parse import quote, urlencode

import attrs

from mkdyn.adapters.http import Request
from mkdyn.domain.entities import Entity
from mkdyn.domain.roles import ROLE

#: The most records of one call, and of one page.
BATCH_MAX: Final = 300
#: The most bytes of an address; what would be longer goes in a form.
_ADDRESS_MAX: Final = 6_000
#: Longer than Marketo works on anything (source: Adobe, "Timeouts" of each page), else what succeeded looks lost.
_TIMEOUT_S: Final = 130.0
_MERGE_TIMEOUT_S: Final = 190.0
_TOKEN_TIMEOUT_S: Final = 310.0

PERSON: Final = Entity.LEAD.marketo_object
_PATHS: Final[Mapping[str, str]] = {
    PERSON: "leads",
    Entity.ACCOUNT.marketo_object: "companies",
    Entity.OPPORTUNITY.marketo_object: "opportunities",
    Entity.USER.marketo_object: "salespersons",
    ROLE: "opportunities/roles",
}
_KEYS: Final[Mapping[str, str]] = {
    PERSON: "id",
    Entity.ACCOUNT.marketo_object: "externalCompanyId",
    Entity.OPPORTUNITY.marketo_object: "externalOpportunityId",
    Entity.USER.marketo_object: "externalSalesPersonId",
}
_IMPORTS: Final = "/bulk/v1/leads"
_EXTRACTS: Final = "/bulk/v1/activities/export"
#: What an extract has of an activity.
_ACTIVITY: Final = (
    "marketoGUID", "leadId", "activityDate", "activityTypeId", "primaryAttributeValueId", "primaryAttributeValue",
    "attributes",
)  # fmt: skip
#: The key that mkdyn gives to custom objects.
CUSTOM_KEY: Final = "dynamicsId"


def path_of(object: str) -> str:
    """Return where an object's records are."""
    return _PATHS.get(object) or f"customobjects/{quote(object, safe='')}"


def key_of(object: str) -> str:
    """Return the field that an object's records are known by."""
    return _KEYS.get(object, CUSTOM_KEY)


def is_custom(object: str) -> bool:
    """Whether an object is none of Marketo's own."""
    return object not in _PATHS


def token_request(client_id: str, client_secret: str) -> Request:
    """Ask for a token. Marketo takes its parameters in the address; it is kept out of logs."""
    query = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": client_secret}
    return Request(method="GET", path=f"/identity/oauth/token?{urlencode(query)}", timeout_s=60.0)


def asking(path: str, **query: str) -> Request:
    """Ask for something; what is too long for an address goes in a form."""
    target, text = f"/rest/v1/{path}.json", urlencode(query)
    if len(text) <= _ADDRESS_MAX:
        return Request(method="GET", path=f"{target}?{text}" if text else target, timeout_s=_TIMEOUT_S)
    return Request(
        method="POST",
        path=f"{target}?_method=GET",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        body=text.encode(),
        timeout_s=_TIMEOUT_S,
    )


def telling(path: str, body: Mapping[str, Any], **query: str) -> Request:
    """Send something."""
    text = urlencode(query)
    return Request(
        method="POST",
        path=f"/rest/v1/{path}.json?{text}" if text else f"/rest/v1/{path}.json",
        headers={"Content-Type": "application/json"},
        body=json.dumps(body, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace"),
        timeout_s=_TIMEOUT_S,
    )


def place_at(since: str) -> Request:
    """Ask for the place in the log of activities where a time begins."""
    return attrs.evolve(asking("activities/pagingtoken", sinceDatetime=since), timeout_s=_TOKEN_TIMEOUT_S)


def found_by(object: str, field: str, values: Sequence[str], fields: Iterable[str], token: str | None) -> Request:
    """Ask for the records of which a field is one of *values*: a person's are given in a form, so that nobody logs them."""
    query = {
        "filterType": field,
        "filterValues": ",".join(values),
        "fields": ",".join(fields),
        "batchSize": str(BATCH_MAX),
    }
    if token is not None:
        query["nextPageToken"] = token
    return Request(
        method="POST",
        path=f"/rest/v1/{path_of(object)}.json?_method=GET",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        body=urlencode(query).encode(),
        timeout_s=_TIMEOUT_S,
    )


def found_by_keys(
    object: str, keys: Sequence[Mapping[str, object]], fields: Iterable[str], token: str | None
) -> Request:
    """Ask for the records that have one of these keys of several fields; every page is asked for with all of them."""
    body = {"filterType": "dedupeFields", "fields": list(fields), "batchSize": BATCH_MAX, "input": list(keys)}
    if token is not None:
        body["nextPageToken"] = token
    return telling(path_of(object), body, _method="GET")


def upserted(object: str, action: str, by: str, records: Sequence[Mapping[str, object]]) -> Request:
    """Write records, looked up by a field."""
    body: dict[str, Any] = {"action": action, "input": list(records)}
    if object == PERSON:
        body["lookupField"] = by
    return telling(path_of(object), body)


def deleted(object: str, keys: Sequence[Mapping[str, object]]) -> Request:
    """Delete records by their keys."""
    return telling(f"{path_of(object)}/delete", {"input": list(keys)})


def merged(winner: str, losers: Sequence[str]) -> Request:
    """Merge persons into one."""
    request = telling(f"leads/{quote(winner, safe='')}/merge", {}, leadIds=",".join(losers))
    return attrs.evolve(request, timeout_s=_MERGE_TIMEOUT_S)


def imported(content: bytes) -> Request:
    """Have a file of persons imported. They are looked up by their ids, so nobody is made."""
    boundary = hashlib.sha256(content).hexdigest()
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="persons.csv"\r\nContent-Type: text/csv'
    )
    return Request(
        method="POST",
        path=f"{_IMPORTS}.json?{urlencode({'format': 'csv', 'lookupField': key_of(PERSON)})}",
        headers={"Content-Type": f"multipart/form-data; boundary={boundary}"},
        body=b"".join((head.encode(), b"\r\n\r\n", content, b"\r\n--", boundary.encode(), b"--\r\n")),
        timeout_s=_TIMEOUT_S,
    )


def import_status(job: str) -> Request:
    """Ask how far an import is."""
    return Request(method="GET", path=f"{_IMPORTS}/batch/{job}.json", timeout_s=_TIMEOUT_S)


def import_file(job: str, name: str) -> Request:
    """Ask for an import's rows that failed, or that there is a warning of."""
    return Request(method="GET", path=f"{_IMPORTS}/batch/{job}/{name}.json", timeout_s=_TIMEOUT_S)


def extract_create(start: datetime, end: datetime, kinds: Sequence[int]) -> Request:
    """Make an extract of the activities of some kinds between two times; it is not queued yet."""
    span = {"startAt": written(start), "endAt": written(end)}
    body = {"fields": list(_ACTIVITY), "format": "CSV", "filter": {"createdAt": span, "activityTypeIds": list(kinds)}}
    return attrs.evolve(telling("", body), path=f"{_EXTRACTS}/create.json")


def extract_step(job: str, step: Literal["enqueue", "cancel"]) -> Request:
    """Queue an extract, or give it up."""
    return Request(method="POST", path=f"{_EXTRACTS}/{quote(job, safe='')}/{step}.json", timeout_s=_TIMEOUT_S)


def extract_part(job: str, part: str) -> Request:
    """Ask for an extract's status, or its file."""
    return Request(method="GET", path=f"{_EXTRACTS}/{quote(job, safe='')}/{part}.json", timeout_s=_TIMEOUT_S)


def written(at: datetime) -> str:
    """Return a time as an address or a filter has it, in whole seconds."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
