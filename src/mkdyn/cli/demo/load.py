"""Put a CRM into Dynamics, as the people who work there would have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import attrs

from mkdyn.cli.demo.crm import Account, Crm, Opportunity, Person, Product, Team, User
from mkdyn.cli.demo.systems import PRODUCT
from mkdyn.domain.values import Values
from mkdyn.errors import ConfigError
from mkdyn.testing import FakeDynamics

_STATES: Final = {"Won": 1, "Lost": 2}
_OPEN: Final = 0


@attrs.frozen(kw_only=True)
class Loaded:
    """The GUIDs of what was loaded, in the CRM's order."""

    users: Sequence[str]
    accounts: Sequence[str]
    contacts: Sequence[str]
    leads: Sequence[str]
    products: Sequence[str]
    opportunities: Sequence[str]


def load(crm: Crm, dynamics: FakeDynamics) -> Loaded:
    """Create everything, dirt included.

    Raises:
        ConfigError: Dynamics does not take a value; the message names where that came from.
    """
    users = {user.name: _create(dynamics, "systemuser", "sales_teams.csv", _user(user)) for user in crm.users}
    for team in crm.teams:
        _create(dynamics, "team", "sales_teams.csv", _team(team))
    accounts = {
        account.name: _create(dynamics, "account", account.origin, _account(account)) for account in crm.accounts
    }
    for account in crm.accounts:
        if account.parent is not None:  # known only now: it may come later in the file
            dynamics.edit("account", accounts[account.name], parentaccountid=accounts[account.parent])
    turns = list(accounts.values())
    contacts = [
        _create(dynamics, "contact", person.origin, {**_person(person), "parentcustomerid": turns[turn % len(turns)]})
        for turn, person in enumerate(crm.contacts)
    ]
    leads = [_create(dynamics, "lead", person.origin, {**_person(person), **_lead(person)}) for person in crm.leads]
    return Loaded(
        users=list(users.values()),
        accounts=turns,
        contacts=contacts,
        leads=leads,
        products=[_create(dynamics, PRODUCT.logical_name, item.origin, _product(item)) for item in crm.products],
        opportunities=[
            _create(
                dynamics,
                "opportunity",
                deal.origin,
                {
                    **_opportunity(deal),
                    "ownerid": users[deal.agent],
                    "parentaccountid": None if deal.account is None else accounts[deal.account],
                },
            )
            for deal in crm.opportunities
        ],
    )


def _create(dynamics: FakeDynamics, table: str, origin: str, values: Values) -> str:
    try:
        return dynamics.create(table, **{name: value for name, value in values.items() if value is not None})
    except ValueError as error:
        raise ConfigError(f"{origin}: {error}.", what_to_do="Correct the line.") from error


def _user(user: User) -> Values:
    first, _, last = user.name.rpartition(" ")
    return {"firstname": first, "lastname": last, "title": user.title}


def _team(team: Team) -> Values:
    return {"name": team.name, "description": f"Regional office; managed by {', '.join(team.managers)}"}


def _account(account: Account) -> Values:
    return {
        "name": account.name,
        "new_sector": account.sector,
        "new_founded": account.founded,
        "revenue": account.revenue,
        "numberofemployees": account.employees,
        "address1_country": account.country,
    }


def _person(person: Person) -> Values:
    return {
        "firstname": person.first_name,
        "lastname": person.last_name,
        "emailaddress1": person.email,
        "telephone1": person.phone,
        "mobilephone": person.mobile,
        "address1_line1": person.street,
        "address1_city": person.city,
        "address1_stateorprovince": person.state,
        "address1_postalcode": person.postal_code,
    }


def _lead(person: Person) -> Values:
    """Return what only a lead has: a contact's company is an account."""
    return {"companyname": person.company, "websiteurl": person.website}


def _product(product: Product) -> Values:
    return {"new_name": product.name, "new_series": product.series, "new_price": product.price}


def _opportunity(deal: Opportunity) -> Values:
    return {
        "name": " ".join(filter(None, [deal.number, deal.product])),
        "new_soldproduct": deal.product,
        "new_dealstage": deal.stage,
        "new_engagedon": deal.engaged_on,
        "statecode": _STATES.get(deal.stage, _OPEN),
        "actualclosedate": deal.closed_on,
        "estimatedvalue": deal.value,
    }
