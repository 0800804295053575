"""Which part of the interface answers what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from urllib.parse import unquote

from mkdyn.testing.faults import Method
from mkdyn.testing.servers.dynamics.actions import close_opportunity, merge, qualify
from mkdyn.testing.servers.dynamics.addresses import Segment, segments
from mkdyn.testing.servers.dynamics.bulk import bulk
from mkdyn.testing.servers.dynamics.bulk_delete import bulk_delete
from mkdyn.testing.servers.dynamics.faults import Kind
from mkdyn.testing.servers.dynamics.functions import FUNCTIONS, SETS, of_user, service_document, small_set
from mkdyn.testing.servers.dynamics.keys import named
from mkdyn.testing.servers.dynamics.metadata import definitions
from mkdyn.testing.servers.dynamics.names import entity_set
from mkdyn.testing.servers.dynamics.queries import count, options_of, page
from mkdyn.testing.servers.dynamics.question import Answer, Question, RefusedError
from mkdyn.testing.servers.dynamics.single import one_row, wrong_verb
from mkdyn.testing.servers.dynamics.tracking import count_changes, is_tracked, tracked_page
from mkdyn.testing.servers.dynamics.world import Organization, View
from mkdyn.testing.servers.dynamics.writes import post

_TYPE: Final = "Microsoft.Dynamics.CRM."
_BULK: Final = "Multiple"
_CLOSING: Final = {"WinOpportunity": True, "LoseOpportunity": False}


def answer(organization: Organization, question: Question) -> Answer:
    """Answer a question; whatever it does is done when this returns.

    Raises:
        RefusedError: It is refused, and nothing was done.
    """
    steps = segments(question.path)
    first = steps[0]
    match question.method, first.name:
        case "GET", "" if len(steps) == 1:
            return service_document(organization, question)
        case _, "EntityDefinitions":
            return definitions(organization, question, steps)
        case "GET", name if name in FUNCTIONS and len(steps) == 1:
            return FUNCTIONS[name](organization, question, first)
        case "GET", name if name in SETS and len(steps) == 1 and not first.called:
            return small_set(organization, question, name)
        case "POST", "Merge":
            return merge(organization, question)
        case "POST", "BulkDelete":
            return bulk_delete(organization, question)
        case "POST", name if name in _CLOSING:
            return close_opportunity(organization, question, won=_CLOSING[name])
        case _:
            return _of_table(organization, organization.view_of_set(first.name), question, steps)


def _of_table(organization: Organization, view: View, question: Question, steps: Sequence[Segment]) -> Answer:
    first, *rest = steps
    bound = rest[0].name.removeprefix(_TYPE) if rest else ""
    if first.called:
        if view.table.name == "systemuser" and bound.startswith("Retrieve"):
            return of_user(organization, question, first, bound)
        if view.table.name == "lead" and bound == "QualifyLead" and question.method == "POST":
            return qualify(organization, view, question, named(organization, view, first).there())
        return one_row(organization, view, question, steps)
    if question.method == "POST":
        if bound.endswith(_BULK):
            return bulk(organization, view, question, bound)
        return post(organization, view, question)
    if question.method != "GET":
        raise wrong_verb(question)
    return _query(organization, view, question, bound)


def _query(organization: Organization, view: View, question: Question, bound: str) -> Answer:
    options = options_of(organization, question)
    if bound == "$count":
        if options.delta_token is not None:
            return count_changes(organization, view, options.delta_token)
        return count(organization, view, question)
    if is_tracked(question, options):
        return tracked_page(organization, view, question)
    return page(organization, view, question)


# -- what it is to the fake --------------------------------------------------------------------------------


def kind_of(question: Question) -> Kind:
    """Return what a call asks for."""
    name = question.path.partition("(")[0].partition("/")[0]
    if name == "$batch":
        return "batch"
    if name == "EntityDefinitions":
        return "metadata"
    if name in FUNCTIONS or name in SETS:
        return "function"
    if question.method != "GET":
        return "write"
    return "changes" if _tracks(question) else "rows"


def _tracks(question: Question) -> bool:
    return "track-changes" in question.headers.get("prefer", "") or "$deltatoken" in unquote(question.query)


def as_call(organization: Organization, question: Question) -> tuple[Method, str]:
    """Return which of a connector's calls a question is most like, and of which table.

    The fake counts it as that, lets people act before it, and fails it as its faults say.
    """
    try:
        name = segments(question.path)[0].name
    except RefusedError:
        return "read", ""
    if name == "$batch":
        return _as_batch(organization, question)
    if name == "EntityDefinitions" or name in FUNCTIONS or name in SETS:
        return ("identify" if name == "WhoAmI" else "describe"), ""
    table = next((table for table in organization.tables if entity_set(table) == name), "")
    if question.method != "GET":
        return "write", table
    if _tracks(question):
        return "changes", table
    searches = "$filter" in unquote(question.query) and f"{table}id eq" not in unquote(question.query)
    return ("find" if searches else "read"), table


def _as_batch(organization: Organization, question: Question) -> tuple[Method, str]:
    """Return what a batch is like: what its first request is."""
    body = question.body.decode(errors="replace")
    writes = any(f"\r\n{method} " in body for method in ("PATCH", "POST", "DELETE", "PUT"))
    table = next((table for table in organization.tables if f"/{entity_set(table)}" in body), "")
    if writes:
        return "write", table
    return ("describe" if "EntityDefinitions" in body else "read"), table
