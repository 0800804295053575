"""Reads many rows: a page of a query, and how many there are."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import attrs

from mkdyn.testing._tables import Row
from mkdyn.testing.servers.dynamics.cookies import Cookie, next_link, read_cookie, same_again
from mkdyn.testing.servers.dynamics.matching import Order, order_of, rank, wanted
from mkdyn.testing.servers.dynamics.names import entity_set
from mkdyn.testing.servers.dynamics.options import Options, read_options
from mkdyn.testing.servers.dynamics.question import BAD_QUERY, Answer, Question, RefusedError
from mkdyn.testing.servers.dynamics.rows import shape_of
from mkdyn.testing.servers.dynamics.values import shown, taken
from mkdyn.testing.servers.dynamics.world import Organization, View

#: No count says more.
COUNT_MAX: Final = 5_000
_TOTAL: Final = "@Microsoft.Dynamics.CRM.totalrecordcount"
_EXCEEDED: Final = "@Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded"


def options_of(organization: Organization, question: Question) -> Options:
    """Read a question's options.

    Raises:
        RefusedError: One is not known, or not written as it should be.
    """
    return read_options(question.options, conditions_max=organization.limits.conditions)


def page_size(organization: Organization, question: Question) -> int:
    """Return how many rows a page may hold.

    Raises:
        RefusedError: The preference is no number of rows.
    """
    most = organization.limits.page_rows
    asked = question.preferences.get("odata.maxpagesize")
    if asked is None:
        return most
    if not asked.isdecimal() or not int(asked) >= 1:
        raise RefusedError(400, BAD_QUERY, "Invalid value for the preference odata.maxpagesize.")
    return min(int(asked), most)


def annotated(question: Question) -> Sequence[str]:
    """Return the annotations that are asked for, with wildcards."""
    asked = question.preferences.get("odata.include-annotations", "")
    return [name.strip() for name in asked.split(",") if name.strip()]


def applied(question: Question) -> Mapping[str, str]:
    """Return the header that says which preferences were kept."""
    kept = [
        name if not value else f'{name}="{value}"' if name == "odata.include-annotations" else f"{name}={value}"
        for name, value in question.preferences.items()
        if name in ("return", "odata.maxpagesize", "odata.include-annotations", "odata.track-changes")
    ]
    return {"Preference-Applied": ",".join(kept)} if kept else {}


def page(organization: Organization, view: View, question: Question) -> Answer:
    """Return a page of the rows that a query wants.

    Raises:
        RefusedError: The query is none.
    """
    organization.require_read(view.table.name)
    options, size = options_of(organization, question), page_size(organization, question)
    shape = shape_of(organization, view, options, annotated(question))
    order = order_of(view, options.order)
    found = _after(organization, view, options, order)
    rows, number = found[:size], _number(options)
    if options.top is not None and "odata.maxpagesize" not in question.preferences:
        rows = found[: min(options.top, size)]
        found = rows
    chosen = "" if options.select is None and not shape.expansions else f"({shape.selected})"
    body: dict[str, object] = {"@odata.context": f"{question.root}/$metadata#{view.entity_set}{chosen}"}
    body |= noted(organization, question)
    if options.count:
        body |= _counted(organization, view, options, question)
    body["value"] = [shape.show(row) for row in rows]
    if len(found) > len(rows):
        body["@odata.nextLink"] = next_link(question, _cookie(order, rows[-1], number + 1), tracking=False)
    return Answer(body=body, headers=applied(question), rows=len(rows))


def emptied(organization: Organization, question: Question, found: Answer) -> Answer:
    """Return a page without its rows, whose link leads to where it began; what is no page of a table, as it is."""
    if question.method != "GET" or question.path not in map(entity_set, organization.tables):
        return found
    assert isinstance(found.body, Mapping)  # rows of a table come in one
    link = same_again(question, options_of(organization, question).skip_token)
    kept = {name: value for name, value in found.body.items() if not name.endswith("Link")}
    return attrs.evolve(found, body={**kept, "value": [], "@odata.nextLink": link})


def noted(organization: Organization, question: Question) -> dict[str, object]:
    """Return the annotations of a whole answer that are asked for."""
    name = "Microsoft.Dynamics.CRM.globalmetadataversion"
    if name in annotated(question) or "*" in annotated(question):
        return {f"@{name}": organization.metadata_version()}
    return {}


def _counted(organization: Organization, view: View, options: Options, question: Question) -> dict[str, object]:
    every = sum(1 for _ in wanted(organization, view, options).rows())
    body: dict[str, object] = {"@odata.count": min(every, COUNT_MAX)}
    asked = annotated(question)
    if _EXCEEDED.removeprefix("@") in asked or "*" in asked:
        body |= {_TOTAL: min(every, COUNT_MAX), _EXCEEDED: every > COUNT_MAX}
    return body


def count(organization: Organization, view: View, question: Question) -> Answer:
    """Return how many rows a query wants, as text.

    Raises:
        RefusedError: The query is none.
    """
    organization.require_read(view.table.name)
    every = sum(1 for _ in wanted(organization, view, options_of(organization, question)).rows())
    return text_answer(min(every, COUNT_MAX))


def text_answer(number: int) -> Answer:
    """Return a number as the text that `$count` is answered with: it begins with a mark of its byte order."""
    return Answer(body=f"\ufeff{number}", headers={"Content-Type": "text/plain"})


def _number(options: Options) -> int:
    return 1 if options.skip_token is None else read_cookie(options.skip_token).page


def _after(organization: Organization, view: View, options: Options, order: Order) -> Sequence[Row]:
    """Return the wanted rows, in order, that come after the cookie; at least one more than a page where there are."""
    cookie = None if options.skip_token is None else read_cookie(options.skip_token)
    key = "" if cookie is None else cookie.last.get(view.table.key_field, "")
    if options.filter is None and not options.order:
        keys, start = view.table.sorted_keys(), 0
        start = bisect_right(keys, key)
        return [view.table.rows[each] for each in keys[start : start + organization.limits.page_rows + 1]]
    rows = order.sorted(wanted(organization, view, options).rows())
    if cookie is None:
        return rows
    ranks = _ranks(order, cookie)
    return [row for row in rows if order.is_after(row, ranks, key)]


def _cookie(order: Order, row: Row, number: int) -> Cookie:
    values = [shown(spec, row.values.get(spec.name)) for spec, _ in order.terms]
    ordered = {"order": json.dumps(values, default=str)} if values else {}
    return Cookie(number, {**ordered, order.view.table.key_field: row.key})


def _ranks(order: Order, cookie: Cookie) -> list[Any]:
    values = json.loads(cookie.last.get("order", "[]"), parse_float=Decimal)
    pairs = zip(order.terms, values, strict=True)
    return [
        rank(taken(spec, Decimal(v) if spec.type in ("money", "decimal") and v is not None else v))
        for (spec, _), v in pairs
    ]
