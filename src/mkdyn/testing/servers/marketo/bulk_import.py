"""Bulk imports: a file of persons or custom objects, written row by row when its job is done.

A cell that is empty leaves its field alone (nobody has documented that). An address that is none is
a warning, and its row is imported without it; every other bad value fails its row.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias

from mkdyn.domain.lenses.texts import is_email
from mkdyn.testing._marketo_rules import INVALID
from mkdyn.testing._tables import Table
from mkdyn.testing.servers.marketo.jobs import Job
from mkdyn.testing.servers.marketo.leads import searchable, synced
from mkdyn.testing.servers.marketo.objects import dedupe_of, synced as object_synced
from mkdyn.testing.servers.marketo.question import Answer, Object, Question, RefusedError, skipped
from mkdyn.testing.servers.marketo.shapes import custom
from mkdyn.testing.servers.marketo.world import World

_NOT_FOUND: Final = "1013"
_DELIMITERS: Final = {"csv": ",", "tsv": "\t", "ssv": ";"}
_STATES: Final = {"queued": "Queued", "running": "Importing", "done": "Complete"}
LEADS: Final = "leads"

#: A row of a file, by its header.
Line: TypeAlias = Mapping[str, str]
#: Writes one record; what it is answered.
Write: TypeAlias = Callable[[Object], Object]


def submit_leads(world: World, question: Question) -> Answer:
    """Queue a file of persons."""
    field = question.text("lookupField") or "email"
    if field not in searchable(world):
        raise RefusedError(INVALID, f"Lookup field '{field}' is not allowed")
    action = "updateOnly" if field == "id" else "createOrUpdate"
    job = _submit(world, question, LEADS, world.leads, lambda sent: synced(world, sent, action, field))
    return Answer(result=[{"batchId": int(job.id), "importId": job.id, "status": "Queued"}])


def submit_objects(world: World, question: Question) -> Answer:
    """Queue a file of custom objects."""
    shape = custom(question.path["name"])
    table, keys = world.backstage.tables[shape.table], dedupe_of(world, shape)

    def write(sent: Object) -> Object:
        if not all(sent.get(name) for name in keys):
            return skipped(INVALID, f"Missing value for {', '.join(keys)}")
        return object_synced(world, shape, table, sent, "createOrUpdate", keys)

    job = _submit(world, question, shape.table, table, write)
    return Answer(result=[{"batchId": int(job.id), "status": "Queued", "objectApiName": shape.table}])


def _submit(world: World, question: Question, kind: str, table: Table, write: Write) -> Job:
    delimiter = _DELIMITERS.get((question.text("format") or "csv").casefold())
    if delimiter is None:
        raise RefusedError(INVALID, "Invalid value for 'format'")
    if question.file is None:
        raise RefusedError("1002", "Missing value for required parameter 'file'")
    text = io.StringIO(question.file.decode("utf-8-sig", errors="replace"))
    lines = list(csv.DictReader(text, delimiter=delimiter, restkey="", restval=""))
    if not lines:
        raise RefusedError(INVALID, "Empty file")

    def act(job: Job) -> None:
        _carry_out(job, table, lines, delimiter, write)

    job = Job(id=str(1_001 + len(world.imports.jobs)), kind=kind, act=act, created=world.fake.time)
    world.imports.enqueue(job, world.fake.time)
    world.imports.add(job)
    return job


def _carry_out(job: Job, table: Table, lines: Sequence[Line], delimiter: str, write: Write) -> None:
    failures: list[tuple[Line, str]] = []
    warnings: list[tuple[Line, str]] = []
    for line in lines:
        sent = {name: value for name, value in line.items() if name and value}
        for name in [name for name, value in sent.items() if _is_bad_address(table, name, value)]:
            warnings.append((line, f"Invalid email address in field {table.specs[name].label}"))
            del sent[name]
        answer = write(sent)
        if answer["status"] == "skipped":
            failures.append((line, str(answer["reasons"][0]["message"])))
    job.rows = len(lines) - len(failures)
    for name, rows in (("failure", failures), ("warning", warnings)):
        if rows:
            job.files[name] = _file(rows, f"Import {name.capitalize()} Reason", delimiter)
    said = "succeeded" if not failures else "completed with errors"
    job.message = f"Import {said}, {job.rows} records imported ({job.rows} members), {len(failures)} failed"


def _is_bad_address(table: Table, name: str, value: str) -> bool:
    spec = table.specs.get(name)
    return spec is not None and spec.type == "email" and not is_email(value)


def _file(rows: Sequence[tuple[Line, str]], reason: str, delimiter: str) -> bytes:
    columns = [name for name in rows[0][0] if name]
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    writer.writerow([*columns, reason])
    writer.writerows([*(line[name] for name in columns), why] for line, why in rows)
    return text.getvalue().encode()


def status(world: World, question: Question) -> Answer:
    """How far an import is."""
    kind = question.path.get("name", LEADS)
    job = world.imports.named(kind, question.path["job"], _NOT_FOUND)
    told: dict[str, object] = {"batchId": int(job.id), "status": _STATES[job.state]}
    counted = {
        "numOfRowsFailed": _lines(job, "failure"),
        "numOfRowsWithWarning": _lines(job, "warning"),
        "message": job.message,
    }
    if kind == LEADS:
        told |= {"importId": job.id}
        counted = {"numOfLeadsProcessed": job.rows, **counted}
    else:
        told |= {"operation": "import", "objectApiName": kind}
        counted = {"numOfObjectsProcessed": job.rows, **counted, "importTime": f"{world.imports.takes_s:.0f} second(s)"}
    return Answer(result=[{**told, **counted} if job.state == "done" else told])


def _lines(job: Job, name: str) -> int:
    return max(job.files.get(name, b"").count(b"\n") - 1, 0)


def file(name: str, world: World, question: Question) -> Answer:
    """The rows that failed, or that there is a warning of; there may be no such file."""
    job = world.imports.named(question.path.get("name", LEADS), question.path["job"], _NOT_FOUND)
    return Answer(file=job.files.get(name, b""))
