"""Bulk extracts: persons, activities or custom objects, written into a file when the job is done.

A job is made, queued, polled, and its file fetched, whole or in ranges. What is empty is the word `null`.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, TypeAlias
from uuid import uuid4

import attrs

from mkdyn.testing._marketo_rules import INVALID
from mkdyn.testing._tables import Table
from mkdyn.testing.servers.marketo.activities import DELETE_LEAD, all_activities
from mkdyn.testing.servers.marketo.jobs import Job
from mkdyn.testing.servers.marketo.question import Answer, Object, Question, RefusedError, is_list, is_object
from mkdyn.testing.servers.marketo.values import instant, moment, shown
from mkdyn.testing.servers.marketo.world import World

_NOT_FOUND: Final = "1013"
_FULL: Final = "1029"
_NO_SUCH_FILTER: Final = "1035"
_DAYS_MAX: Final = 31
_STATES: Final = {
    "created": "Created", "queued": "Queued", "running": "Processing", "done": "Completed",
    "cancelled": "Cancelled",
}  # fmt: skip
_ACTIVITY_FIELDS: Final = (
    "marketoGUID", "leadId", "activityDate", "activityTypeId", "campaignId", "primaryAttributeValueId",
    "primaryAttributeValue", "attributes",
)  # fmt: skip
LEADS: Final = "leads"
ACTIVITIES: Final = "activities"

#: Yields the rows of a file.
Rows: TypeAlias = Callable[[], Iterator[Mapping[str, object]]]


@attrs.frozen
class Span:
    """A filter by time.

    Attributes:
        by: The time that counts.
        start: From when.
        end: Until when.
    """

    by: str
    start: datetime
    end: datetime

    def holds(self, at: datetime) -> bool:
        """Whether a time is in it."""
        return self.start <= at <= self.end


def create(kind: str, world: World, question: Question) -> Answer:
    """Make a job; it is not queued yet."""
    kind = question.path.get("name", kind)
    body = question.body or {}
    fields, rows = _asked(kind, world, body)
    headers: Object = body.get("columnHeaderNames") or {}

    def act(job: Job) -> None:
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow([headers.get(name, name) for name in fields])
        for row in rows():
            writer.writerow(["null" if row.get(name) is None else _cell(row[name]) for name in fields])
            job.rows += 1
        job.files["file"] = text.getvalue().encode()
        world.extracted[world.gate.today] += len(job.files["file"])

    job = Job(id=str(uuid4()), kind=kind, act=act, created=world.fake.time)
    world.extracts.add(job)
    return _told(job)


def _cell(value: object) -> object:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, bool | dict) else value


def _asked(kind: str, world: World, body: Object) -> tuple[Sequence[str], Rows]:
    filters: Any = body.get("filter")
    if not is_object(filters):
        raise RefusedError("1002", "Missing value for required parameter 'filter'")
    if kind == ACTIVITIES:
        span, types = _span(filters, ("createdAt",)), _types(filters)
        if DELETE_LEAD in types:
            raise RefusedError(INVALID, f"Activity type {DELETE_LEAD} can't be extracted")
        return _fields(body, _ACTIVITY_FIELDS, optional=True), lambda: _activities(world, span, types)
    table = world.leads if kind == LEADS else world.backstage.tables[kind]
    allowed = ("createdAt", "updatedAt") if kind == LEADS else ("updatedAt",)
    if "updatedAt" in filters and not world.quirks.extracts_by_update:
        raise RefusedError(_NO_SUCH_FILTER, "Filter 'updatedAt' is not available for this subscription")
    span = _span(filters, allowed)
    return _fields(body, tuple(table.specs), optional=False), lambda: _records(world, table, span)


def _fields(body: Object, there: Sequence[str], *, optional: bool) -> Sequence[str]:
    asked: Any = body.get("fields")
    if not asked and optional:
        return there
    if not is_list(asked) or not asked:
        raise RefusedError("1002", "Missing value for required parameter 'fields'")
    unknown = [str(name) for name in asked if name not in there]
    if unknown:
        raise RefusedError(INVALID, f"Invalid fields [{', '.join(unknown)}]")
    return asked


def _types(filters: Object) -> Sequence[int]:
    types: Any = filters.get("activityTypeIds")
    return types if is_list(types) else ()


def _span(filters: Object, allowed: Sequence[str]) -> Span:
    """Return the one filter by time."""
    names = [name for name in filters if name in {"createdAt", "updatedAt"}]
    if len(names) != 1 or names[0] not in allowed:
        raise RefusedError(INVALID, f"One filter is needed, of {', '.join(allowed)}")
    span: Any = filters[names[0]]
    try:
        start, end = moment(span["startAt"]), moment(span["endAt"])
    except (TypeError, KeyError, ValueError) as error:
        raise RefusedError("1001", f"Invalid value for '{names[0]}'. Required of type 'Datetime'") from error
    if not timedelta() <= end - start <= timedelta(days=_DAYS_MAX):
        raise RefusedError(INVALID, f"'{names[0]}' must not be longer than {_DAYS_MAX} days")
    return Span(names[0], start, end)


def _records(world: World, table: Table, span: Span) -> Iterator[Mapping[str, object]]:
    changed = _last_changes(world) if (table.name, span.by) == ("lead", "updatedAt") else dict[str, datetime]()
    for row in list(table.rows.values()):
        at = changed.get(row.key) or row.values[span.by]
        assert isinstance(at, datetime)
        if span.holds(at):
            yield {name: shown(table.value(row, name)) for name in table.specs}


def _last_changes(world: World) -> Mapping[str, datetime]:
    """Return when each person was last changed, in any field: more than `updatedAt` shows."""
    log = world.backstage.log
    return {logged.key: logged.at for _, logged in log.visible(0, len(log), world.fake.time)}


def _activities(world: World, span: Span, types: Sequence[int]) -> Iterator[Mapping[str, object]]:
    for at, activity in all_activities(world):
        kind = activity["activityTypeId"]
        if span.holds(at) and kind != DELETE_LEAD and (not types or kind in types):
            attributes = {item["name"]: item["value"] for item in activity["attributes"]}
            yield {**activity, "attributes": attributes}


# -- jobs ----------------------------------------------------------------------------------------------


def _told(job: Job) -> Answer:
    told: dict[str, object] = {
        "exportId": job.id,
        "format": "CSV",
        "status": _STATES[job.state],
        "createdAt": instant(job.created),
    }
    if job.queued is not None:
        told["queuedAt"] = instant(job.queued)
    if job.state == "done":
        content = job.files["file"]
        told |= {
            "numberOfRecords": job.rows,
            "fileSize": len(content),
            "fileChecksum": f"sha256:{hashlib.sha256(content).hexdigest()}",
        }
    return Answer(result=[told])


def _job(kind: str, world: World, question: Question) -> Job:
    return world.extracts.named(question.path.get("name", kind), question.path["job"], _NOT_FOUND)


def enqueue(kind: str, world: World, question: Question) -> Answer:
    """Queue a job."""
    job = _job(kind, world, question)
    if job.state != "created":
        raise RefusedError(_FULL, "Job already queued")
    if world.extracted[world.gate.today] >= world.gate.limits.extract_bytes_per_day:
        raise RefusedError(_FULL, "Export daily quota exceeded")
    world.extracts.enqueue(job, world.fake.time)
    return _told(job)


def status(kind: str, world: World, question: Question) -> Answer:
    """How far a job is."""
    return _told(_job(kind, world, question))


def cancel(kind: str, world: World, question: Question) -> Answer:
    """Give a job up."""
    job = _job(kind, world, question)
    if job.state in {"created", "queued", "running"}:
        job.state = "cancelled"
    return _told(job)


def listed(kind: str, world: World, question: Question) -> Answer:
    """All jobs of a kind."""
    jobs = world.extracts.of(question.path.get("name", kind))
    return Answer(result=[told for job in jobs for told in _told(job).result or ()])


def file(kind: str, world: World, question: Question) -> Answer:
    """The file of a job that is done."""
    return Answer(file=_job(kind, world, question).files.get("file", b""))
