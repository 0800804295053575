"""Tables of your own belong to records that sync: what is refused, word by word, and what comes along."""

from __future__ import annotations

from typing import Final

import attrs
import pytest

from mkdyn.domain import AnyEntity, CustomEntity, Entity, FieldChanges, FieldPair, FieldSpec, NewField, Pick
from mkdyn.domain.hierarchy import hierarchy_faults, with_parents
from mkdyn.domain.selection import replacement, selection
from mkdyn.errors import FieldError, HierarchyError

SUBSCRIPTION: Final = CustomEntity("new_subscription", parent=Entity.CONTACT, via="new_contactid")
INVOICE: Final = CustomEntity("new_invoice", parent=SUBSCRIPTION, via="new_subscriptionid")
LINE: Final = CustomEntity("new_line", parent=INVOICE, via="new_invoiceid")
NAME: Final = FieldSpec(name="new_name", type="text", label="Name", length=100)


def _lookup(name: str, *targets: str) -> FieldSpec:
    return FieldSpec(name=name, type="lookup", label=name, targets=targets)


DYNAMICS: Final = {
    Entity.CONTACT: {"jobtitle": FieldSpec(name="jobtitle", type="text", label="Title", length=100)},
    SUBSCRIPTION: {"new_name": NAME, "new_contactid": _lookup("new_contactid", "contact")},
    INVOICE: {"new_name": NAME, "new_subscriptionid": _lookup("new_subscriptionid", "new_subscription")},
}
MARKETO: Final = {"lead": {"title": FieldSpec(name="title", type="text", label="Title", length=255)}}
CONTACTS: Final = Pick(Entity.CONTACT, "jobtitle")


def _select(*picks: Pick, current: tuple[FieldPair, ...] = ()) -> FieldChanges:
    return selection(picks, dynamics=DYNAMICS, marketo=MARKETO, current=current)


def _faults(*entities: AnyEntity) -> list[str]:
    return [str(fault) for fault in hierarchy_faults(entities)]


def test_the_columns_that_name_parents_come_along() -> None:
    """One or two levels; the fields are created beside the others, once."""
    picks = [CONTACTS, Pick(SUBSCRIPTION, "new_name"), Pick(INVOICE, "new_name")]
    changes = _select(*picks)
    assert [(str(pair.entity), pair.dynamics, pair.marketo) for pair in changes.added[3:]] == [
        ("new_subscription", "new_contactid", "new_contactid"),
        ("new_invoice", "new_subscriptionid", "new_subscriptionid"),
    ]
    assert ("new_invoice_c", NewField("new_subscriptionid", name="new_subscriptionid", type="text")) in changes.created
    again = replacement(picks, dynamics=DYNAMICS, marketo=MARKETO, current=changes.added)
    assert (again.added, again.removed, len(again.unchanged)) == ((), (), 5)


def test_a_column_that_names_a_parent_may_be_given_a_field() -> None:
    """As one does where the object has a link field already."""
    owner = Pick(SUBSCRIPTION, "new_contactid", marketo=NewField("Owner"))
    added = _select(CONTACTS, Pick(SUBSCRIPTION, "new_name"), owner).added
    assert [pair.marketo for pair in added if pair.dynamics == "new_contactid"] == ["owner"]


def test_a_column_that_comes_along_stands_where_its_table_does() -> None:
    """On the line of the first pick of that table."""
    picks = [Pick(SUBSCRIPTION, "new_name", line=4), Pick(SUBSCRIPTION, "new_other", line=9)]
    assert [(pick.dynamics, pick.line) for pick in with_parents(picks)[2:]] == [("new_contactid", 4)]


def test_a_column_that_names_something_else_is_refused_in_a_selection() -> None:
    """What Dynamics says of the column counts."""
    wrong = attrs.evolve(SUBSCRIPTION, via="new_name")
    schema = {**DYNAMICS, wrong: DYNAMICS[SUBSCRIPTION]}
    with pytest.raises(HierarchyError, match=r"new_subscription.new_name is a text, not contact\."):
        selection([CONTACTS, Pick(wrong, "new_name")], dynamics=schema, marketo=MARKETO, current=())


def test_a_parent_may_sync_already() -> None:
    """It need not be picked again."""
    contacts = _select(CONTACTS).added
    assert len(_select(Pick(SUBSCRIPTION, "new_name"), current=contacts).added) == 2


def test_a_parent_that_does_not_sync_is_refused() -> None:
    """With both names, the line, and what to do."""
    with pytest.raises(HierarchyError) as caught:
        _select(Pick(SUBSCRIPTION, "new_name", line=7))
    assert str(caught.value) == (
        "line 7: new_subscription belongs to contact, which does not sync. "
        "Select a field of contact, too, or give new_subscription no parent."
    )
    with pytest.raises(FieldError, match="new_invoice belongs to new_subscription, which does not sync"):
        _select(CONTACTS, Pick(INVOICE, "new_name"))


def test_a_circle_is_refused_once() -> None:
    """Whether it is written as a chain, or table by table; who is in it is named from one end to the other."""
    chain = CustomEntity("a", parent=CustomEntity("b", parent=CustomEntity("a"), via="x"), via="y")
    said = (
        "The tables go round in a circle: a belongs to b belongs to a. Give one of them no parent: CustomEntity('a')."
    )
    assert _faults(chain) == [said]
    by_itself = [
        CustomEntity("b", parent=CustomEntity("a"), via="x"),
        CustomEntity("a", parent=CustomEntity("b"), via="y"),
    ]
    assert _faults(*by_itself) == [said]
    below = CustomEntity("c", parent=chain, via="z")
    assert _faults(below, chain) == [said]
    own = CustomEntity("a", parent=CustomEntity("a"), via="x")
    assert _faults(own)[0].startswith("The tables go round in a circle: a belongs to a.")


def test_a_table_that_is_known_in_two_ways_is_refused() -> None:
    """Else its records would sync twice."""
    assert _faults(Entity.CONTACT, SUBSCRIPTION, CustomEntity("new_subscription")) == [
        (
            "new_subscription is defined in two ways: its parent, the column that names it and its object must be the "
            "same. Define it once, and use that everywhere."
        )
    ]


def test_three_levels_are_refused() -> None:
    """Two are as deep as it goes."""
    assert _faults(Entity.CONTACT, SUBSCRIPTION, INVOICE, LINE) == [
        (
            "new_line belongs to new_invoice belongs to new_subscription: that is more than 2 levels. "
            "Give new_line a parent that is nearer, or none."
        )
    ]


def test_a_parent_that_no_column_names_is_refused() -> None:
    """Nobody could tell which record it is."""
    assert _faults(Entity.CONTACT, CustomEntity("new_visit", parent=Entity.CONTACT)) == [
        (
            "new_visit belongs to contact, but no column says to which one. "
            "Name the lookup: CustomEntity('new_visit', parent=…, via=…)."
        )
    ]


@pytest.mark.parametrize(
    ("column", "said"),
    [
        (_lookup("via", "account", "lead"), "names account, lead, not contact"),
        (FieldSpec(name="via", type="text", label="Via"), "is a text, not contact"),
        (_lookup("via"), None),
        (_lookup("via", "account", "contact"), None),
    ],
)
def test_a_column_that_can_t_name_the_parent_is_refused(column: FieldSpec, said: str | None) -> None:
    """A lookup of another table, or no lookup; one of which nobody says what it names is let through."""
    visit = CustomEntity("new_visit", parent=Entity.CONTACT, via="via")
    faults = hierarchy_faults([visit, Entity.CONTACT], dynamics={visit: {"via": column}})
    way_out = "Take the lookup that names the contact, or another parent."
    assert [str(fault) for fault in faults] == ([] if said is None else [f"new_visit.via {said}. {way_out}"])


def test_a_table_without_a_parent_belongs_to_nobody() -> None:
    """A column that would name one is no more than a column."""
    assert not _faults(CustomEntity("new_product"), CustomEntity("new_shop", via="new_productid"), Entity.LEAD)
