"""Contacts of opportunities, and keys of several fields."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from mkdyn.domain.fields import FieldSpec
from mkdyn.domain.keys import joined, parted
from mkdyn.domain.outcomes import Create, Delete
from mkdyn.domain.records import Record
from mkdyn.domain.roles import CONTACT_ROLE, contact_roles, role_changes, role_key
from mkdyn.errors import ConfigError

PARTS = st.lists(st.text() | st.integers(), min_size=1, max_size=4)


@given(parts=PARTS)
def test_a_key_has_the_parts_that_it_was_made_of(parts: list[str | int]) -> None:
    """Whatever is in them, in their order."""
    names = [f"f{number}" for number in range(len(parts))]
    found = parted(joined(parts), names)
    assert (list(found), list(found.values())) == (names, parts)


def test_a_key_is_short_and_can_be_read() -> None:
    """It stands in reports."""
    assert joined(["Žoë", 7, "A"]) == '["Žoë",7,"A"]'


@pytest.mark.parametrize(
    "key", ["O1", "[O1", '["O1"]', '["O1",1,"A","B"]', '{"a": 1}', "7", '"abc"', '["O1",null,"A"]']
)
def test_what_is_no_key_is_refused(key: str) -> None:
    """With the fields, and an example."""
    with pytest.raises(ConfigError) as caught:
        parted(key, ("externalOpportunityId", "leadId", "role"))
    assert caught.value.what == (
        "A key of externalOpportunityId, leadId, role is a list of 3 values in JSON; this is none."
    )
    assert caught.value.what_to_do == 'Write it as in ["b7b7c1f0-0000-4000-8000-000000000001",7150,"Decision Maker"].'


def _role(opportunity: str, person: object, role: str = "Contact") -> Record:
    values = {"externalOpportunityId": opportunity, "leadId": person, "role": role}
    return Record(key=joined([opportunity, person, role]), values=values)  # type: ignore[arg-type]


def test_the_contacts_are_those_of_that_name_the_first_number_first() -> None:
    """Other roles are somebody else's, and so is one without a person."""
    roles = [_role("O1", 12), _role("O1", 9), _role("O1", 3, "Champion"), _role("O2", None), _role("O3", 1)]
    assert contact_roles(roles) == {"O1": ["9", "12"], "O3": ["1"]}


def test_who_is_wanted_comes_and_whoever_is_there_beside_goes() -> None:
    """One opportunity after the other; what is right already stays."""
    found = role_changes(
        {"O1": "9", "O2": "9", "O3": None, "O4": None, "O5": "1"}, {"O1": ["3", "9"], "O3": ["4"], "O5": ["2"]}
    )
    assert found.creates == {
        "O2": Create(key='["O2",9,"Contact"]', values={}),
        "O5": Create(key='["O5",1,"Contact"]', values={}),
    }
    assert found.deletes == [
        ("O1", Delete(key=role_key("O1", "3"))),
        ("O3", Delete(key='["O3",4,"Contact"]')),
        ("O5", Delete(key='["O5",2,"Contact"]')),
    ]


def test_the_field_is_described_as_a_guid_in_a_text() -> None:
    """A lookup fits it."""
    assert FieldSpec(name="contactRole", type="text", label="Contact Role", length=50) == CONTACT_ROLE
