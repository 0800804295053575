"""What Dynamics does by itself when it is told to: qualify a lead, merge rows, close an opportunity."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from mkdyn.domain.outcomes import Update
from mkdyn.domain.values import FieldValue
from mkdyn.testing._checks import is_guid
from mkdyn.testing._tables import Row
from mkdyn.testing.servers.dynamics.keys import referred
from mkdyn.testing.servers.dynamics.names import entity_set
from mkdyn.testing.servers.dynamics.options import Options
from mkdyn.testing.servers.dynamics.payloads import values_of
from mkdyn.testing.servers.dynamics.question import (
    BAD_PAYLOAD,
    INVALID_ARGUMENT,
    INVALID_STATE,
    Answer,
    Object,
    Question,
    RefusedError,
)
from mkdyn.testing.servers.dynamics.refusals import done
from mkdyn.testing.servers.dynamics.rows import shape_of
from mkdyn.testing.servers.dynamics.world import Organization, View
from mkdyn.testing.servers.dynamics.writes import create, state_of, update

_TYPE: Final = "Microsoft.Dynamics.CRM."
_LEAD_CLOSED: Final = "0x80040519"
_QUALIFIED, _WON, _LOST = 1, 1, 2
#: What of a lead becomes what of the rows made of it.
_PERSON: Final = (
    "salutation", "firstname", "middlename", "lastname", "emailaddress1", "emailaddress2", "jobtitle", "telephone1",
    "telephone2", "mobilephone", "fax", "description", "address1_line1", "address1_line2", "address1_line3",
    "address1_city", "address1_stateorprovince", "address1_country", "address1_postalcode",
)  # fmt: skip
_COMPANY: Final = ("websiteurl", "revenue", "numberofemployees", "industrycode", "sic", "telephone1")
#: Tables whose rows can be merged, and the state of one that was merged into another.
_MERGED: Final[Mapping[str, int]] = {"account": 1, "contact": 1, "lead": 2}


def qualify(organization: Organization, view: View, question: Question, row: Row) -> Answer:
    """Close a lead, and make what it is to become.

    Raises:
        RefusedError: It is closed already, or what is asked for can't be made.
    """
    body = question.json()
    wanted = {name: body.get(f"Create{name.capitalize()}") for name in ("account", "contact", "opportunity")}
    status = body.get("Status")
    if not all(isinstance(flag, bool) for flag in wanted.values()) or not isinstance(status, int):
        raise RefusedError(400, INVALID_ARGUMENT, "Required parameters of QualifyLead are missing.")
    if row.values.get("statecode") != 0:
        raise RefusedError(400, _LEAD_CLOSED, "The lead is already closed.")
    if state_of("lead", status) != _QUALIFIED:
        message = f"{status} is not a valid status code on lead with state code {_QUALIFIED}."
        raise RefusedError(400, INVALID_STATE, message)
    made: list[tuple[View, Row]] = []
    with organization.backstage.undoing.transaction():
        for name in (name for name, flag in wanted.items() if flag):
            target = organization.view(name)
            values = _becomes(target, row, {each.table.name: new.key for each, new in made})
            made.append((target, create(organization, target, values, {})))
        closing: dict[str, FieldValue] = {"statecode": _QUALIFIED, "statuscode": status}
        done(organization, view, organization.attempt(view.table, Update(key=row.key, values=closing)))
    value = [
        {"@odata.type": f"#{_TYPE}{each.table.name}", **shape_of(organization, each, Options()).show(new)}
        for each, new in made
    ]
    return Answer(
        body={"@odata.context": f"{question.root}/$metadata#Collection({_TYPE}crmbaseentity)", "value": value},
        rows=1 + len(made),
    )


def _becomes(target: View, lead: Row, made: Mapping[str, str]) -> dict[str, FieldValue]:
    """Return what a lead becomes in another table, as far as that has the columns."""
    of, table = lead.values, target.table.name
    values: dict[str, FieldValue] = {"originatingleadid": lead.key, "ownerid": of.get("ownerid")}
    if table == "account":
        values |= {name: of.get(name) for name in _COMPANY}
        values["name"] = of.get("companyname") or of.get("fullname")
    elif table == "contact":
        values |= {name: of.get(name) for name in _PERSON}
        values["parentcustomerid"] = made.get("account")
    else:
        values["name"] = of.get("subject") or of.get("fullname")
        values |= {"parentaccountid": made.get("account"), "parentcontactid": made.get("contact")}
    return {name: value for name, value in values.items() if value is not None and name in target.table.specs}


def merge(organization: Organization, question: Question) -> Answer:
    """Deactivate one row in favour of another of its table.

    Raises:
        RefusedError: There are no two such rows.
    """
    body = question.json()
    view, winner = _member(organization, question, body, "Target")
    other, loser = _member(organization, question, body, "Subordinate")
    if other.table is not view.table or winner is loser or view.table.name not in _MERGED:
        raise RefusedError(400, INVALID_ARGUMENT, "The rows can't be merged.")
    content: Any = body.get("UpdateContent") or {}
    with organization.backstage.undoing.transaction():
        values = values_of(organization, view, question, cast("Object", content))
        if values:
            update(organization, view, winner, values, None)
        state: dict[str, FieldValue] = {"statecode": _MERGED[view.table.name]}
        own: dict[str, FieldValue] = {"merged": True, "masterid": winner.key}
        organization.backstage.change(
            view.table, loser, {**state, **{name: own[name] for name in own if name in view.table.specs}}
        )
    return Answer(status=204, rows=2)


def _member(organization: Organization, question: Question, body: Object, name: str) -> tuple[View, Row]:
    given: Any = body.get(name)
    if not isinstance(given, dict):
        raise RefusedError(400, BAD_PAYLOAD, f"The parameter '{name}' is missing.")
    entity = cast("Object", given)
    table = str(entity.get("@odata.type", "")).lstrip("#").removeprefix(_TYPE)
    if table not in organization.tables:
        raise RefusedError(400, BAD_PAYLOAD, f"The parameter '{name}' has no known '@odata.type'.")
    key = str(entity.get(organization.tables[table].key_field, ""))
    if not is_guid(key):
        raise RefusedError(400, BAD_PAYLOAD, f"The parameter '{name}' has no primary key.")
    found = referred(organization, question, f"{entity_set(table)}({key})")
    return found.view, found.there()


def close_opportunity(organization: Organization, question: Question, *, won: bool) -> Answer:
    """Win or lose an opportunity.

    Raises:
        RefusedError: It is not there, or closed already, or the status is none of the state's.
    """
    body = question.json()
    closing: Any = body.get("OpportunityClose")
    if not isinstance(closing, dict):
        raise RefusedError(400, BAD_PAYLOAD, "The parameter 'OpportunityClose' is missing.")
    address = str(cast("Object", closing).get("opportunityid@odata.bind", ""))
    found = referred(organization, question, address)
    row, view, status = found.there(), found.view, body.get("Status")
    state = _WON if won else _LOST
    if view.table.name != "opportunity" or not isinstance(status, int) or row.values.get("statecode") != 0:
        raise RefusedError(400, INVALID_STATE, "The opportunity can't be closed.")
    status = (3 if won else 4) if status == -1 else status
    closed_on = organization.backstage.calls.clock.time.date()
    values: dict[str, FieldValue] = {"statecode": state, "statuscode": status, "actualclosedate": closed_on}
    update(organization, view, row, values, None)
    return Answer(status=204, rows=1)
