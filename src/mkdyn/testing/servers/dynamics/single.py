"""One row by its address, and its parts: read, write, delete."""

from __future__ import annotations

from collections.abc import Sequence

from mkdyn.domain.values import FieldValue
from mkdyn.testing.servers.dynamics.addresses import Segment
from mkdyn.testing.servers.dynamics.keys import Named, named, referred
from mkdyn.testing.servers.dynamics.payloads import values_of
from mkdyn.testing.servers.dynamics.queries import annotated, applied, options_of
from mkdyn.testing.servers.dynamics.question import BAD_REQUEST, Answer, Question, RefusedError
from mkdyn.testing.servers.dynamics.rows import column
from mkdyn.testing.servers.dynamics.values import shown
from mkdyn.testing.servers.dynamics.world import Organization, View, not_found
from mkdyn.testing.servers.dynamics.writes import delete, entity, patch, update, version_of


def one_row(organization: Organization, view: View, question: Question, steps: Sequence[Segment]) -> Answer:
    """Answer what is asked of one row, or of a part of it.

    Raises:
        RefusedError: There is no such row or part, or nothing can be done with it that way.
    """
    row = named(organization, view, steps[0])
    if len(steps) > 1:
        return _part(organization, question, row, [step.name for step in steps[1:]])
    match question.method:
        case "GET":
            return _read(organization, view, question, row)
        case "PATCH":
            return patch(organization, view, question, row)
        case "DELETE":
            return delete(organization, view, question, row)
        case _:
            raise wrong_verb(question)


def wrong_verb(question: Question) -> RefusedError:
    """Return what is said of a method that an address does not take."""
    return RefusedError(405, BAD_REQUEST, f"The HTTP verb {question.method} is not supported here.")


def _read(organization: Organization, view: View, question: Question, row: Named) -> Answer:
    organization.require_read(view.table.name)
    options, there = options_of(organization, question), row.there()
    known = question.headers.get("if-none-match")
    conditional = not options.expand and not annotated(question)
    if conditional and known == there.etag and view.table.name not in organization.quirks.unversioned:
        return Answer(status=304)
    body = entity(organization, view, question, options, there)
    return Answer(body=body, headers={**applied(question), "ETag": there.etag or ""}, rows=1)


def _part(organization: Organization, question: Question, row: Named, steps: Sequence[str]) -> Answer:
    view = row.view
    match question.method, steps:
        case "GET", [name] if name in view.columns:
            organization.require_read(view.table.name)
            spec = column(view, name)
            value = None if spec.name in view.hidden else row.there().values.get(spec.name)
            return Answer(
                body={"@odata.context": f"{question.root}/$metadata#{row.address}/{name}", "value": shown(spec, value)}
            )
        case "PUT", [name] if name in view.columns:
            return _write(organization, question, row, {name: question.json().get("value")})
        case "DELETE", [name] if name in view.columns:
            return _write(organization, question, row, {name: None})
        case "DELETE", [name, "$ref"] if name in view.navigations:
            return _store(organization, question, row, {view.navigations[name].column: None})
        case "PUT", [name, "$ref"] if name in view.navigations:
            target = referred(organization, question, str(question.json().get("@odata.id")))
            return _store(organization, question, row, {view.navigations[name].column: target.there().key})
        case _:
            raise not_found(steps[0])


def _write(organization: Organization, question: Question, row: Named, body: dict[str, object]) -> Answer:
    return _store(organization, question, row, values_of(organization, row.view, question, body))


def _store(organization: Organization, question: Question, row: Named, values: dict[str, FieldValue]) -> Answer:
    version = version_of(organization, row.view, question.headers.get("if-match"))
    update(organization, row.view, row.there(), values, version)
    return Answer(status=204, rows=1)
