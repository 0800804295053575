"""References: what Marketo's field names, and what becomes of one."""

from __future__ import annotations

from itertools import product

import pytest

from mkdyn.domain import AnyEntity, CustomEntity, Entity, FieldPair
from mkdyn.domain.lifecycle import REFER, named_by

VISIT = CustomEntity("new_visit", parent=Entity.CONTACT, via="new_contactid")


@pytest.mark.parametrize(
    ("pair", "named"),
    [
        (FieldPair(Entity.LEAD, "ownerid", "externalSalesPersonId"), Entity.USER),
        (FieldPair(Entity.CONTACT, "parentcustomerid", "externalCompanyId"), Entity.ACCOUNT),
        (FieldPair(Entity.OPPORTUNITY, "parentaccountid", "externalCompanyId"), Entity.ACCOUNT),
        (FieldPair(Entity.LEAD, "ownerid", "owner"), None),
        (FieldPair(Entity.LEAD, "jobtitle", "title"), None),
        (FieldPair(Entity.LEAD, "masterid", "master"), None),
        (FieldPair(VISIT, "new_contactid", "contact"), Entity.CONTACT),
        (FieldPair(VISIT, "new_name", "new_name"), None),
        (FieldPair(CustomEntity("new_product"), "new_contactid", "contact"), None),
    ],
    ids=str,
)
def test_what_a_field_of_marketo_names(pair: FieldPair, named: AnyEntity | None) -> None:
    """Its own reference fields, and the parents of your own records; a text that holds a GUID names nothing."""
    assert named_by(pair) == named


def test_what_becomes_of_a_reference() -> None:
    """Every cell."""
    found = {
        cell: REFER(*cell)
        for cell in product((True, False), ("linked", "on its way", "of another kind", "not there"))
    }  # fmt: skip
    assert found == {
        (True, "linked"): "carry", (True, "on its way"): "carry",
        (True, "of another kind"): "empty", (True, "not there"): "wait",
        (False, "linked"): "carry", (False, "on its way"): "carry",
        (False, "of another kind"): "carry", (False, "not there"): "carry",
    }  # fmt: skip
