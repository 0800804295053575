"""A CRM as plain values: what the demo loads into Dynamics, wherever it comes from."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import attrs


@attrs.frozen(kw_only=True)
class Team:
    """A regional office."""

    name: str
    managers: Sequence[str]


@attrs.frozen(kw_only=True)
class User:
    """Somebody in sales."""

    name: str
    title: str


@attrs.frozen(kw_only=True)
class Account:
    """A company that is a customer."""

    origin: str
    name: str
    sector: str | None
    founded: int | None
    revenue: Decimal | None
    employees: int | None
    country: str | None
    parent: str | None


@attrs.frozen(kw_only=True)
class Person:
    """Somebody we know: a contact or a lead."""

    origin: str
    first_name: str | None
    last_name: str = attrs.field(repr=False)
    company: str | None
    street: str | None = attrs.field(repr=False)
    city: str | None
    state: str | None
    postal_code: str | None
    phone: str | None = attrs.field(repr=False)
    mobile: str | None = attrs.field(repr=False)
    email: str | None = attrs.field(repr=False)
    website: str | None


@attrs.frozen(kw_only=True)
class Product:
    """Something we sell."""

    origin: str
    name: str
    series: str | None
    price: Decimal | None


@attrs.frozen(kw_only=True)
class Opportunity:
    """A deal, open or closed."""

    origin: str
    number: str
    agent: str
    product: str | None
    account: str | None
    stage: str
    engaged_on: date | None
    closed_on: date | None
    value: Decimal | None


@attrs.frozen(kw_only=True)
class Crm:
    """All of it.

    Attributes:
        name: What to call it in the report.
        users: Agents and managers; names are unique.
        accounts: Names are unique, and what opportunities and subsidiaries refer to.
        contacts: People at the accounts: each is given one in turn.
        leads: People at companies of their own.
    """

    name: str
    teams: Sequence[Team]
    users: Sequence[User]
    accounts: Sequence[Account]
    contacts: Sequence[Person]
    leads: Sequence[Person]
    products: Sequence[Product]
    opportunities: Sequence[Opportunity]
