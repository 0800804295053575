"""Contacts of opportunities: rows name theirs in a column, Marketo keeps a record for each, a role. Pure.

Source: Adobe, "Opportunity Roles" (the fields, and that they are the key together), and "Opportunity Sync" (that the
native sync makes such a record for the contact of an opportunity). What it calls the role is published nowhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import attrs

from mkdyn.domain.fields import FieldSpec
from mkdyn.domain.keys import joined
from mkdyn.domain.outcomes import Create, Delete
from mkdyn.domain.records import Record

#: Marketo's object of roles, and the fields that are a role's key.
ROLE: Final = "opportunityRole"
ROLE_KEY: Final = ("externalOpportunityId", "leadId", "role")
#: What the role of a row's contact is called; other roles are left alone.
CONTACT: Final = "Contact"
#: The field of an opportunity that stands for it: the contact's GUID, in lower case.
CONTACT_ROLE: Final = FieldSpec(name="contactRole", type="text", label="Contact Role", length=50)


@attrs.frozen(kw_only=True)
class RoleChanges:
    """What makes the roles of some opportunities as they are to be.

    Attributes:
        creates: New roles, by opportunity.
        deletes: Roles that are over, each with its opportunity: they go once the new ones are there.
    """

    creates: Mapping[str, Create]
    deletes: Sequence[tuple[str, Delete]]


def contact_roles(roles: Iterable[Record]) -> Mapping[str, Sequence[str]]:
    """Return the persons that are the contacts of opportunities, by opportunity; the first by number comes first."""
    found: dict[str, list[int]] = {}
    for role in roles:
        person = role.values["leadId"]
        if role.values["role"] == CONTACT and isinstance(person, int):
            found.setdefault(str(role.values["externalOpportunityId"]), []).append(person)
    return {opportunity: [str(person) for person in sorted(persons)] for opportunity, persons in found.items()}


def role_changes(wanted: Mapping[str, str | None], there: Mapping[str, Sequence[str]]) -> RoleChanges:
    """Return what is to be done, so that each opportunity has the person that is wanted, or none.

    Args:
        wanted: The person, by opportunity.
        there: The persons that it has, by opportunity.
    """
    creates: dict[str, Create] = {}
    deletes: list[tuple[str, Delete]] = []
    for opportunity, person in wanted.items():
        has = there.get(opportunity, ())
        if person is not None and person not in has:
            creates[opportunity] = Create(key=role_key(opportunity, person), values={})
        deletes += [(opportunity, Delete(key=role_key(opportunity, other))) for other in has if other != person]
    return RoleChanges(creates=creates, deletes=deletes)


def role_key(opportunity: str, person: str) -> str:
    """Return the key of the role that a person has as the contact of an opportunity."""
    return joined([opportunity, int(person), CONTACT])
