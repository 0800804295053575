"""The endpoints there are: their methods, paths, permissions, and what answers them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Final, Literal, TypeAlias

import attrs

from mkdyn.testing.faults import Method
from mkdyn.testing.servers.marketo import (
    activities,
    bulk_extract,
    bulk_import,
    custom_types,
    lead_fields,
    leads,
    objects,
    stats,
)
from mkdyn.testing.servers.marketo.question import Answer, Question, RefusedError
from mkdyn.testing.servers.marketo.shapes import SHAPES, Shape, custom
from mkdyn.testing.servers.marketo.usage import WEEK
from mkdyn.testing.servers.marketo.world import World

#: Whether an endpoint takes JSON, or a file.
Body: TypeAlias = Literal["must", "may", "file", "none"]
#: What answers a question.
Run: TypeAlias = Callable[[World, Question], Answer]

_LEADS: Final = ("Read-Only Lead", "Read-Write Lead")
_ACTIVITIES: Final = ("Read-Only Activity", "Read-Write Activity")
_SCHEMA: Final = ("Read-Write Schema Standard Field", "Read-Write Schema Custom Field")
_TYPES: Final = ("Read-Only Custom Object Type", "Read-Write Custom Object Type")
_CUSTOM: Final = ("Read-Only Custom Object", "Read-Write Custom Object")


@attrs.frozen
class Endpoint:
    """One endpoint.

    Attributes:
        name: What usage, faults and people call it.
        method: The HTTP method.
        path: The path below `/rest/v1/`, without `.json`, or from `bulk/` on; what varies stands in braces.
        permissions: One of these is needed; none is where this is empty.
        counts_as: The connector's method that the fake counts it as.
        object: The fake's object that it is about.
        run: What answers it.
        body: Whether it takes JSON, or a file.
    """

    name: str
    method: str
    path: str
    permissions: Sequence[str]
    counts_as: Method
    object: str
    run: Run
    body: Body = "none"

    def match(self, path: str) -> dict[str, str] | None:
        """Return the parts of the path that vary; None where it is another path."""
        found = _pattern(self.path).fullmatch(path)
        return None if found is None else found.groupdict()


_PATTERNS: Final[dict[str, re.Pattern[str]]] = {}


def _pattern(path: str) -> re.Pattern[str]:
    if path not in _PATTERNS:
        _PATTERNS[path] = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path))
    return _PATTERNS[path]


def _of_shape(path: str, shape: Shape, permissions: Sequence[str]) -> Iterator[Endpoint]:
    reads, writes, object = permissions, permissions[-1:], shape.table
    yield Endpoint(
        f"{path}.describe", "GET", f"{path}/describe", reads, "describe", object, partial(objects.describe, shape)
    )
    yield Endpoint(f"{path}.query", "GET", path, reads, "find", object, partial(objects.query, shape), body="may")
    yield Endpoint(f"{path}.sync", "POST", path, writes, "write", object, partial(objects.sync, shape), body="must")
    yield Endpoint(
        f"{path}.delete", "POST", f"{path}/delete", writes, "write", object, partial(objects.delete, shape), body="must"
    )


def _customs(run: Callable[[Shape, World, Question], Answer]) -> Run:
    return _if_there(lambda world, question: run(custom(question.path["name"]), world, question))


def _if_there(run: Run) -> Run:
    """Answer for a custom object that is there, or for what is none."""

    def answer(world: World, question: Question) -> Answer:
        if "name" in question.path and question.path["name"] not in custom_types.names(world):
            raise RefusedError(world.quirks.unknown_object_code, "Requested resource not found")
        return run(world, question)

    return answer


def _of_import(name: str, path: str, status: str, permissions: Sequence[str], object: str) -> Iterator[Endpoint]:
    yield Endpoint(f"{name}.status", "GET", f"{path}{status}", permissions, "check", object, bulk_import.status)
    for file, end in (("failure", "failures"), ("warning", "warnings")):
        run = partial(bulk_import.file, file)
        yield Endpoint(f"{name}.{end}", "GET", f"{path}/{end}", permissions, "check", object, run)


def _of_extract(name: str, path: str, kind: str, permissions: Sequence[str]) -> Iterator[Endpoint]:
    def endpoint(method: str, end: str, run: Callable[[str, World, Question], Answer], body: Body = "none") -> Endpoint:
        verb = end.rpartition("/")[2] or "list"
        answer = _if_there(partial(run, kind))
        return Endpoint(f"{name}.export.{verb}", method, f"{path}{end}", permissions, "read", "", answer, body=body)

    yield endpoint("POST", "/create", bulk_extract.create, "must")
    yield endpoint("POST", "/{job}/enqueue", bulk_extract.enqueue)
    yield endpoint("GET", "/{job}/status", bulk_extract.status)
    yield endpoint("POST", "/{job}/cancel", bulk_extract.cancel)
    yield endpoint("GET", "/{job}/file", bulk_extract.file)
    yield endpoint("GET", "", bulk_extract.listed)


#: All of them. Of two that fit a path, the first is meant.
ENDPOINTS: Final[Sequence[Endpoint]] = (
    Endpoint("lead.get", "GET", "lead/{id}", _LEADS, "read", "lead", leads.get),
    Endpoint("leads.query", "GET", "leads", _LEADS, "find", "lead", leads.by_filter),
    Endpoint("leads.sync", "POST", "leads", _LEADS[-1:], "write", "lead", leads.sync, body="must"),
    Endpoint("leads.delete", "POST", "leads/delete", _LEADS[-1:], "write", "lead", leads.delete, body="may"),
    Endpoint("leads.delete", "DELETE", "leads", _LEADS[-1:], "write", "lead", leads.delete, body="may"),
    Endpoint("leads.merge", "POST", "leads/{id}/merge", _LEADS[-1:], "merge", "lead", leads.merge, body="may"),
    Endpoint("leads.describe", "GET", "leads/describe", _LEADS, "describe", "lead", lead_fields.describe),
    Endpoint("leads.describe2", "GET", "leads/describe2", _LEADS, "describe", "lead", lead_fields.describe2),
    *(
        endpoint
        for path, table in (("leads", "lead"), ("companies", "company"), ("opportunities", "opportunity"))
        for endpoint in (
            Endpoint(
                f"{path}.schema", "GET", f"{path}/schema/fields", _SCHEMA, "describe", table,
                partial(lead_fields.schema, table),
            ),
            Endpoint(
                f"{path}.schema_field", "GET", f"{path}/schema/fields/{{name}}", _SCHEMA, "describe", table,
                partial(lead_fields.schema_field, table),
            ),
        )
    ),
    Endpoint("leads.create_fields", "POST", "leads/schema/fields", _SCHEMA[-1:], "create_field", "lead", lead_fields.create, body="must"),
    Endpoint("activities.types", "GET", "activities/types", _ACTIVITIES, "describe", "lead", activities.types),
    Endpoint("activities.token", "GET", "activities/pagingtoken", _ACTIVITIES, "changes", "lead", activities.paging_token),
    Endpoint("activities.changes", "GET", "activities/leadchanges", _ACTIVITIES, "changes", "lead", activities.lead_changes),
    Endpoint("activities.deleted", "GET", "activities/deletedleads", _ACTIVITIES, "changes", "lead", activities.deleted_leads),
    Endpoint("activities.query", "GET", "activities", _ACTIVITIES, "changes", "lead", activities.activities),
    *_of_shape("companies", SHAPES["companies"], ("Read-Only Company", "Read-Write Company")),
    *_of_shape("opportunities", SHAPES["opportunities"], ("Read-Only Opportunity", "Read-Write Named Opportunity")),
    *_of_shape(
        "opportunities/roles", SHAPES["opportunities/roles"], ("Read-Only Opportunity", "Read-Write Named Opportunity")
    ),
    *_of_shape("salespersons", SHAPES["salespersons"], ("Read-Only Sales Person", "Read-Write Sales Person")),
    Endpoint("customobjects.list", "GET", "customobjects", _CUSTOM, "describe", "", custom_types.list_types),
    Endpoint("customobjects.schemas", "GET", "customobjects/schema", _TYPES, "describe", "", custom_types.list_schemas),
    Endpoint("customobjects.create", "POST", "customobjects/schema", _TYPES[-1:], "create_field", "", custom_types.create, body="must"),
    Endpoint(
        "customobjects.add_fields", "POST", "customobjects/schema/{name}/addField", _TYPES[-1:], "create_field", "",
        custom_types.add_fields, body="must",
    ),
    Endpoint(
        "customobjects.approve", "POST", "customobjects/schema/{name}/approve", _TYPES[-1:], "create_field", "",
        custom_types.approve,
    ),
    Endpoint(
        "customobjects.schema", "GET", "customobjects/schema/{name}/describe", _TYPES, "describe", "",
        custom_types.describe_type,
    ),
    Endpoint(
        "customobjects.describe", "GET", "customobjects/{name}/describe", _CUSTOM, "describe", "",
        _customs(objects.describe),
    ),
    Endpoint(
        "customobjects.delete", "POST", "customobjects/{name}/delete", _CUSTOM[-1:], "write", "",
        _customs(objects.delete), body="must",
    ),
    Endpoint("customobjects.query", "GET", "customobjects/{name}", _CUSTOM, "find", "", _customs(objects.query), body="may"),
    Endpoint(
        "customobjects.sync", "POST", "customobjects/{name}", _CUSTOM[-1:], "write", "", _customs(objects.sync), body="must"
    ),
    Endpoint("bulk.leads", "POST", "bulk/v1/leads", _LEADS[-1:], "write", "lead", bulk_import.submit_leads, body="file"),
    *_of_import("bulk.leads", "bulk/v1/leads/batch/{job}", "", _LEADS, "lead"),
    Endpoint(
        "bulk.customobjects", "POST", "bulk/v1/customobjects/{name}/import", _CUSTOM[-1:], "write", "",
        _if_there(bulk_import.submit_objects), body="file",
    ),
    *_of_import("bulk.customobjects", "bulk/v1/customobjects/{name}/import/{job}", "/status", _CUSTOM, ""),
    *_of_extract("bulk.leads", "bulk/v1/leads/export", bulk_extract.LEADS, _LEADS),
    *_of_extract("bulk.activities", "bulk/v1/activities/export", bulk_extract.ACTIVITIES, _ACTIVITIES),
    *_of_extract("bulk.customobjects", "bulk/v1/customobjects/{name}/export", "", _CUSTOM),
    Endpoint("usage", "GET", "stats/usage", (), "check", "", partial(stats.usage, 1)),
    Endpoint("usage.week", "GET", "stats/usage/last7days", (), "check", "", partial(stats.usage, WEEK)),
    Endpoint("errors", "GET", "stats/errors", (), "check", "", partial(stats.errors, 1)),
    Endpoint("errors.week", "GET", "stats/errors/last7days", (), "check", "", partial(stats.errors, WEEK)),
)  # fmt: skip

_ROOT: Final = re.compile(r"/(?:rest/v1/(?!bulk/)|(?=bulk/v1/))(?P<path>.+)\.json")


def endpoint_of(method: str, path: str) -> tuple[Endpoint, dict[str, str]]:
    """Return the endpoint of a call, and the parts of its path that vary.

    Raises:
        RefusedError: There is no such path (610), or it takes another method (605).
    """
    root = _ROOT.fullmatch(path)
    there = False
    for endpoint in ENDPOINTS if root else ():
        assert root is not None
        found = endpoint.match(root["path"])
        if found is None:
            continue
        if endpoint.method == method:
            return endpoint, found
        there = True
    if there:
        raise RefusedError("605", f"Request method '{method}' not supported")
    raise RefusedError("610", "Requested resource not found")
