"""What can be asked besides rows: who one is, what one may do, which messages there are."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final, TypeAlias, cast

from mkdyn.testing.servers.dynamics.addresses import Segment, text_of
from mkdyn.testing.servers.dynamics.bulk import UNSUPPORTED
from mkdyn.testing.servers.dynamics.names import entity_set
from mkdyn.testing.servers.dynamics.odata.conditions import compiled
from mkdyn.testing.servers.dynamics.odata.filters import Name
from mkdyn.testing.servers.dynamics.queries import applied, noted, options_of
from mkdyn.testing.servers.dynamics.question import BAD_REQUEST, Answer, Question, RefusedError
from mkdyn.testing.servers.dynamics.world import Organization, not_found

_ALLOWED: Final = 4
#: Answers a function that is bound to nothing.
Function: TypeAlias = Callable[[Organization, Question, Segment], Answer]


def _context(question: Question, what: str) -> dict[str, object]:
    return {"@odata.context": f"{question.root}/$metadata#{what}"}


def who_am_i(organization: Organization, question: Question, _segment: Segment) -> Answer:
    """Say who asks, and where."""
    return Answer(
        body={
            **_context(question, "Microsoft.Dynamics.CRM.WhoAmIResponse"),
            "BusinessUnitId": organization.lasting("business unit"),
            "UserId": organization.user_id,
            "OrganizationId": organization.lasting("organization"),
        }
    )


def record_count(organization: Organization, question: Question, segment: Segment) -> Answer:
    """Say how many rows tables have.

    Raises:
        RefusedError: There is no such table.
    """
    text = segment.named.get("EntityNames", "[]")
    text = question.options.get(text, "[]") if text.startswith("@") else text
    names: list[Any] = json.loads(text.replace("'", '"'))
    for name in names:
        if name not in organization.tables:
            raise not_found(str(name))
    counts = [len(organization.tables[name].rows) for name in names]
    inside = {"Count": len(names), "IsReadOnly": False, "Keys": names, "Values": counts}
    return Answer(
        body={
            **_context(question, "Microsoft.Dynamics.CRM.RetrieveTotalRecordCountResponse"),
            "EntityRecordCountCollection": inside,
        }
    )


#: Functions that are bound to nothing.
FUNCTIONS: Final[Mapping[str, Function]] = {"WhoAmI": who_am_i, "RetrieveTotalRecordCount": record_count}


def of_user(organization: Organization, question: Question, user: Segment, function: str) -> Answer:
    """Answer a function that is bound to a user.

    Raises:
        RefusedError: There is no such function, or it is asked about somebody else.
    """
    if text_of(user.alone or "").lower() != organization.user_id:
        raise RefusedError(400, BAD_REQUEST, "This server knows nobody's rights but the caller's.")
    match function.removeprefix("Microsoft.Dynamics.CRM."):
        case "RetrieveUserPrivileges":
            return _privileges(organization, question)
        case "RetrievePrincipalAttributePrivileges":
            return _on_columns(organization, question)
        case "RetrievePrincipalAccess":
            rights = "ReadAccess, WriteAccess, AppendAccess, AppendToAccess, CreateAccess, DeleteAccess, AssignAccess"
            return Answer(body={**_context(question, "Microsoft.Dynamics.CRM.AccessRights"), "AccessRights": rights})
        case name:
            raise not_found(name)


def _privileges(organization: Organization, question: Question) -> Answer:
    held = [
        {
            "Depth": "Global",
            "PrivilegeId": organization.lasting("privilege", name),
            "BusinessUnitId": organization.lasting("business unit"),
            "PrivilegeName": name,
        }
        for name in organization.held_privileges()
    ]
    return Answer(
        body={**_context(question, "Microsoft.Dynamics.CRM.RetrieveUserPrivilegesResponse"), "RolePrivileges": held}
    )


def _on_columns(organization: Organization, question: Question) -> Answer:
    granted = [
        {
            "AttributeId": spec.id,
            "CanRead": _ALLOWED * spec.readable,
            "CanUpdate": _ALLOWED * spec.writable,
            "CanCreate": _ALLOWED * spec.writable,
        }
        for table in organization.tables.values()
        for spec in table.specs.values()
        if spec.secured
    ]
    context = _context(question, "Microsoft.Dynamics.CRM.RetrievePrincipalAttributePrivilegesResponse")
    return Answer(body={**context, "AttributePrivileges": granted})


# -- sets of which this server has nothing but what it says of itself -----------------------------------------


def _organizations(organization: Organization) -> Sequence[Mapping[str, object]]:
    return [
        {
            "organizationid": organization.lasting("organization"),
            "name": organization.backstage.identity.organization,
            "expirechangetrackingindays": organization.limits.tracking_days,
            "expiresubscriptionsindays": 90,
            "languagecode": 1033,
            "pricingdecimalprecision": 2,
        }
    ]


def _currencies(organization: Organization) -> Sequence[Mapping[str, object]]:
    return [
        {
            "transactioncurrencyid": organization.lasting("currency", "USD"),
            "isocurrencycode": "USD",
            "currencyname": "US Dollar",
            "currencyprecision": 2,
        }
    ]


def _message_filters(organization: Organization) -> Sequence[Mapping[str, object]]:
    return [
        {
            "sdkmessagefilterid": organization.lasting("message", message, table),
            "primaryobjecttypecode": table,
            "sdkmessageid": {"name": message},
        }
        for message in ("CreateMultiple", "UpdateMultiple")
        for table in sorted(organization.tables)
        if table not in UNSUPPORTED
    ]


def _masking_rules(organization: Organization) -> Sequence[Mapping[str, object]]:
    return [
        {
            "attributemaskingruleid": organization.lasting("masking rule", table.name, spec.name),
            "entityname": table.name,
            "attributelogicalname": spec.name,
        }
        for table in organization.tables.values()
        for spec in table.specs.values()
        if spec.masked
    ]


#: What these sets hold.
SETS: Final[Mapping[str, Callable[[Organization], Sequence[Mapping[str, object]]]]] = {
    "organizations": _organizations,
    "sdkmessagefilters": _message_filters,
    "transactioncurrencies": _currencies,
    "attributemaskingrules": _masking_rules,
}


def small_set(organization: Organization, question: Question, name: str) -> Answer:
    """Answer a query of a set that holds a few objects.

    Raises:
        RefusedError: The query is none.
    """
    options = options_of(organization, question)
    found = list(SETS[name](organization))
    if options.filter is not None:
        test = compiled(options.filter, options.aliases)
        found = [each for each in found if test(partial(inside, each))]
    shown = [each if options.select is None else {key: each.get(key) for key in options.select} for each in found]
    return Answer(
        body={**_context(question, name), **noted(organization, question), "value": shown},
        headers=applied(question),
        rows=len(shown),
    )


def inside(each: Mapping[str, object], name: Name) -> object:
    """Return what a path leads to."""
    found: object = each
    for part in name.parts:
        found = _member(found, part)
    return found


def _member(of: Any, name: str) -> object:  # noqa: ANN401 - JSON
    return cast("dict[str, object]", of).get(name) if isinstance(of, dict) else None


def service_document(organization: Organization, question: Question) -> Answer:
    """Say which sets there are."""
    names = [entity_set(table) for table in sorted(organization.tables)]
    value = [{"name": name, "kind": "EntitySet", "url": name} for name in names]
    return Answer(body={"@odata.context": f"{question.root}/$metadata", "value": value})
