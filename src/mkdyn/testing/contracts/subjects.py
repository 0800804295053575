"""What the checks try a connector on: an object with a few of its fields, in each system."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Final
from uuid import uuid4

import attrs

from mkdyn.domain.outcomes import Create
from mkdyn.domain.types import FieldType
from mkdyn.domain.values import FieldValue, Values

#: Letters of several alphabets, and what query languages make something else of.
ODD: Final = "Žoë “陳” O'N & 9%, \\_x* #+?"


def token() -> str:
    """Return a word that no other record has."""
    return f"mkdyn{uuid4().hex[:16]}"


@attrs.frozen(kw_only=True)
class Subject:
    """An object, and what its records are made of here.

    Attributes:
        object: The object's name.
        key_field: The field that holds the record's key.
        chosen: Whether the key is chosen by whoever creates the record; else it is a number of the system's own.
        given: Whether people, too, choose the key.
        name: A text that every record is given.
        text: A text of at least 100 characters.
        email: A text that takes an e-mail address, and that records can be found by.
        searched: A text that takes anything, and that records can be found by.
        odd: What is looked for there, letter by letter.
        by: The field that a Create looks the record up by, where that is not the key.
        created: When the record was made; the system fills it.
        types: The types of some fields.
        typed: Values to write, as they are read back.
    """

    object: str
    key_field: str
    chosen: bool = True
    given: bool = False
    name: str
    text: str
    email: str
    searched: str
    odd: str = ODD
    by: str | None = None
    created: str
    types: Mapping[str, FieldType] = attrs.field(factory=dict[str, FieldType])
    typed: Mapping[str, FieldValue] = attrs.field(factory=dict[str, FieldValue])

    @property
    def fields(self) -> Sequence[str]:
        """The texts."""
        return tuple(dict.fromkeys((self.name, self.text, self.email)))

    def entered(self, **values: FieldValue) -> dict[str, FieldValue]:
        """Return what somebody enters into a new record, with the key where people choose it."""
        key = {self.key_field: str(uuid4())} if self.given else {}
        return {self.name: token(), **key, **values}

    def creation(self, values: Values) -> Create:
        """Return what makes a new record with these values and a name."""
        return Create(key=str(uuid4()), values={self.name: token(), **values}, by=self.by)

    def unknown_keys(self, count: int) -> list[str]:
        """Return keys that no record has."""
        if self.chosen:
            return [str(uuid4()) for _ in range(count)]
        return [str(2_000_000_000 + number) for number in range(count)]


def _dynamics_person(table: str, types: Mapping[str, FieldType], typed: Values) -> Subject:
    return Subject(
        object=table, key_field=f"{table}id", name="lastname", text="jobtitle", email="emailaddress1",
        searched="lastname", created="createdon",
        types={"lastname": "text", "jobtitle": "text", **types}, typed=typed,
    )  # fmt: skip


_LEAD: Final = _dynamics_person(
    "lead",
    {"numberofemployees": "integer", "revenue": "money", "donotphone": "boolean", "leadqualitycode": "choice"},
    {"numberofemployees": 18_000, "revenue": Decimal("1204.50"), "donotphone": True, "leadqualitycode": 2},
)
_CONTACT: Final = _dynamics_person("contact", {"birthdate": "date"}, {"birthdate": date(1815, 12, 10)})
DYNAMICS_SUBJECTS: Final = (_LEAD, _CONTACT)

#: Marketo's filters divide their values by commas, and have no way to write one.
_FILTERED: Final = ODD.replace(",", "")

PERSON: Final = Subject(
    object="lead", key_field="id", chosen=False, name="lastName", text="title", email="email",
    searched="dynamicsContactId", odd=_FILTERED, by="dynamicsId", created="createdAt",
    types={"title": "text", "leadScore": "integer", "doNotCall": "boolean", "dateOfBirth": "date"},
    typed={"leadScore": 85, "doNotCall": True, "dateOfBirth": date(1815, 12, 10)},
)  # fmt: skip
COMPANY: Final = Subject(
    object="company", key_field="externalCompanyId", given=True, name="company", text="billingCity", email="company",
    searched="company", odd=_FILTERED, created="createdAt",
    types={"company": "text", "annualRevenue": "currency", "numberOfEmployees": "integer"},
    typed={"annualRevenue": 1204.5, "numberOfEmployees": 18_000},
)  # fmt: skip
MARKETO_SUBJECTS: Final = (PERSON, COMPANY)
