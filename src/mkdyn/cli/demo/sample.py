"""A small CRM to show things with. Its people and companies are invented; its phone numbers are not in service."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from mkdyn.cli.demo.crm import Account, Crm, Opportunity, Person, Product, Team, User

_ORIGIN: Final = "the built-in sample"
_OFFICES: Final = {
    "Harbour": ("Ottilie Brandt", ("Casper Lindqvist", "Noor Haddad")),
    "Hillside": ("Emeka Obi", ("Rosa Quintana", "Tom Ashdown")),
    "Riverside": ("Yuki Tanabe", ("Greta Halloran", "Ivo Marek")),
}
_ACCOUNTS: Final = (
    # name, sector, founded, revenue in millions, employees, country, parent
    ("Amberline Freight", "logistics", 1987, "412.50", 1840, "Netherlands", None),
    ("Bluewick Optics", "medical", 2004, "88.20", 310, "Germany", None),
    ("Copperfield & Daughters", "retail", 1962, "1204.75", 6120, "United Kingdom", None),
    ("Dovetail Software", "software", 2011, "39.90", 205, "Ireland", None),
    ("Elderflower Foods", "food", 1979, "276.00", 1432, "France", "Copperfield & Daughters"),
    ("Fjordlight Energy", "energy", 1998, "955.10", 2890, "Norway", None),
    ("Granary Lane Bank", "finance", 1921, "2310.00", 7450, "United Kingdom", None),
    ("Hopscotch Toys", "retail", 2016, "17.35", 96, "Portugal", "Copperfield & Daughters"),
)
_PRODUCTS: Final = (
    ("Kite", "Air", "490"),
    ("Kite Pro", "Air", "1290"),
    ("Anchor", "Sea", "3900"),
    ("Compass", "Land", "75"),
)
_FIRST_NAMES: Final = (
    "Ada", "Bruno", "Chiara", "Dmitri", "Elif", "Farid", "Grace", "Hiro", "Imani", "Jonas", "Keiko", "Liam",
    "Mireille", "Nadia", "Oskar", "Priya", "Quentin", "Ruth", "Samir", "Thea", "Umar", "Vera", "Wanda", "Zoltan",
)  # fmt: skip
_LAST_NAMES: Final = (
    "Abernathy", "Bergström", "Castellano", "Dragomir", "Eriksen", "Fontaine", "Grünwald", "Hoshino", "Ibarra",
    "Jankowski", "Kavanagh", "Laurent", "Moreau", "Nakagawa", "O'Shea", "Petrov", "Quist", "Rossi", "Sørensen",
    "Takahashi", "Underhill", "Vasquez", "Whitlock", "Yilmaz", "Zielinski",
)  # fmt: skip
_COMPANIES: Final = (
    "Tin Lantern Studio", "Quarry & Co.", "Saltmarsh Clinic", "Two Rivers Press", "Violet Hour Hotels", "Wren & Wolf",
)  # fmt: skip
_CITIES: Final = (("Leeds", "LDS", "1"), ("Porto", "PRT", "4000"), ("Lyon", "ARA", "69001"), ("Bergen", "VL", "5003"))
_STAGES: Final = ("Won", "Engaging", "Lost", "Won", "Prospecting")
_HALF: Final = 60
_OPPORTUNITIES: Final = 20


def sample_crm() -> Crm:
    """Return it, the same every time."""
    people = [_person(number) for number in range(2 * _HALF)]
    agents = [agent for _, agents in _OFFICES.values() for agent in agents]
    return Crm(
        name=_ORIGIN,
        teams=[Team(name=office, managers=(manager,)) for office, (manager, _) in _OFFICES.items()],
        users=[
            *(User(name=agent, title="Sales agent") for agent in agents),
            *(User(name=manager, title="Sales manager") for manager, _ in _OFFICES.values()),
        ],
        accounts=[
            Account(
                origin=_ORIGIN,
                name=name,
                sector=sector,
                founded=founded,
                revenue=Decimal(millions) * 1_000_000,
                employees=employees,
                country=country,
                parent=parent,
            )
            for name, sector, founded, millions, employees, country, parent in _ACCOUNTS
        ],
        contacts=people[:_HALF],
        leads=people[_HALF:],
        products=[
            Product(origin=_ORIGIN, name=name, series=series, price=Decimal(price)) for name, series, price in _PRODUCTS
        ],
        opportunities=[_opportunity(number, agents) for number in range(_OPPORTUNITIES)],
    )


def _person(number: int) -> Person:
    # 24 and 25 have no common divisor, so the first 600 people have different names
    first, last = _FIRST_NAMES[number % len(_FIRST_NAMES)], _LAST_NAMES[number % len(_LAST_NAMES)]
    city, state, postal_code = _CITIES[number % len(_CITIES)]
    return Person(
        origin=_ORIGIN,
        first_name=first,
        last_name=last,
        company=_COMPANIES[number % len(_COMPANIES)],
        street=f"{number + 3} Mill Lane",
        city=city,
        state=state,
        postal_code=postal_code,
        phone=f"+1 202 555 0{100 + number % 100}",
        mobile=f"+1 202 555 0{199 - number % 100}",
        email=f"person{number + 1}@example.com",
        website=f"https://company{number % len(_COMPANIES) + 1}.example.com",
    )


def _opportunity(number: int, agents: Sequence[str]) -> Opportunity:
    stage = _STAGES[number % len(_STAGES)]
    product, _, price = _PRODUCTS[number % len(_PRODUCTS)]
    begun = date(2025, 1, 6) + timedelta(days=9 * number)
    closed = stage in ("Won", "Lost")
    return Opportunity(
        origin=_ORIGIN,
        number=f"D-{number + 1:03}",
        agent=agents[number % len(agents)],
        product=product,
        account=_ACCOUNTS[number % len(_ACCOUNTS)][0] if number % 6 else None,  # some have no account, as in life
        stage=stage,
        engaged_on=None if stage == "Prospecting" else begun,
        closed_on=begun + timedelta(days=60) if closed else None,
        value={"Won": Decimal(price), "Lost": Decimal(0)}.get(stage),
    )
