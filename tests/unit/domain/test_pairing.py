"""What is wrong with the picks of a file: all of it at once, each fault with its line."""

from __future__ import annotations

from typing import Final

import pytest

from mkdyn.domain import CustomEntity, Direction, Entity, FieldChanges, FieldSpec, NewField, Pick
from mkdyn.domain.registry import DynamicsSchema, MarketoSchema
from mkdyn.domain.selection import replacement, selection
from mkdyn.errors import FieldCreationError, FieldError

PLAN: Final = CustomEntity("new_plan")


def _text(name: str, *, writable: bool = True) -> FieldSpec:
    return FieldSpec(name=name, type="text", writable=writable)


DYNAMICS: Final[DynamicsSchema] = {
    Entity.LEAD: {
        "jobtitle": _text("jobtitle"),
        "telephone1": _text("telephone1"),
        "new_tier": _text("new_tier"),
        "new_born": FieldSpec(name="new_born", type="date"),
        "new_locked": _text("new_locked", writable=False),
    },
    Entity.CONTACT: {"new_tier": _text("new_tier"), "new_born": FieldSpec(name="new_born", type="date")},
    Entity.ACCOUNT: {"name": _text("name"), "description": _text("description")},
}
MARKETO: Final[MarketoSchema] = {
    "lead": {
        "title": _text("title"),
        "phone": _text("phone"),
        "leadScore": FieldSpec(name="leadScore", type="integer"),
        "mirror": _text("mirror", writable=False),
    },
    "company": {"company": _text("company")},
}
CREATE: Final = "Create the column in Dynamics, publish it, let the sync user read it, then select it."


def select(*picks: Pick) -> FieldChanges:
    """Select from what both systems describe."""
    return selection(picks, dynamics=DYNAMICS, marketo=MARKETO, current=(), reserved=("dynamicsId",))


def faults(*picks: Pick) -> list[str]:
    """Return what is wrong with a selection."""
    with pytest.raises(FieldError) as caught:
        select(*picks)
    return [str(fault) for fault in caught.value.faults]


def test_every_fault_of_a_file_is_told_with_its_line() -> None:
    """Of several picks, and all that is wrong with one pick; with the nearest names there are."""
    assert faults(
        Pick(Entity.LEAD, "jobtitel", marketo="phonex", line=3),
        Pick(Entity.LEAD, "jobtitle", marketo="phone", line=8),
        Pick(Entity.LEAD, "telephone1", marketo="phone", line=12),
        Pick(Entity.ACCOUNT, "name", marketo="companny", direction=Direction.BOTH, line=20),
        Pick(Entity.LEAD, "new_locked", marketo="leadScore", direction=Direction.BOTH, line=30),
        Pick(Entity.LEAD, "new_tier", marketo=NewField("Dynamics id"), line=40),
    ) == [
        (
            "line 3: lead.jobtitel is not in Dynamics (nearest: jobtitle), "
            f"and no field can be created in Dynamics from Marketo. {CREATE}"
        ),
        "line 3: lead.phonex is not in Marketo; nearest: phone. Name another one, or have one created.",
        (
            "line 12: lead.telephone1: phone is fed by jobtitle already (line 8). "
            "Deselect that one, or choose another Marketo field."
        ),
        "line 20: account.name: accounts sync Dynamics → Marketo only. Leave direction out.",
        ("line 20: company.companny is not in Marketo; nearest: company. Name another one, or have one created."),
        (
            "line 30: new_locked (text in Dynamics) does not fit leadScore (integer in Marketo). "
            "Map it to a Marketo field of type text."
        ),
        (
            "line 30: lead.new_locked: the sync user can't write it in Dynamics. "
            "It can sync Dynamics → Marketo only: choose that direction."
        ),
        "line 40: lead.new_tier: mkdyn keeps dynamicsId for itself. Choose another field.",
    ]


def test_refused_picks_are_counted_and_not_their_faults() -> None:
    """Two faults of one pick are one pick refused."""
    with pytest.raises(FieldError, match="1 of 2 picks refused, none selected") as caught:
        select(
            Pick(Entity.ACCOUNT, "name", marketo="companny", direction=Direction.BOTH), Pick(Entity.LEAD, "jobtitle")
        )
    assert len(caught.value.faults) == 2


def test_a_field_asked_for_in_dynamics_is_refused_for_that_alone() -> None:
    """A program gets M4's error, whatever else is wrong with the pick; it knows the nearest name."""
    with pytest.raises(FieldCreationError) as caught:
        select(Pick(Entity.LEAD, "jobtitel", marketo="phonex", direction=Direction.TO_DYNAMICS))
    assert caught.value.nearest == "jobtitle"
    assert caught.value.faults == (caught.value,)


@pytest.mark.parametrize(
    ("marketo", "more"),
    [
        (None, []),
        (NewField("Tier"), []),
        ("phone", []),
        (NewField("顧客"), ["no API name can be made"]),
        (NewField("Tier", type="memo"), ["creates no field of type memo"]),
        (NewField("Title"), []),
    ],
    ids=str,
)
def test_beside_an_unknown_field_only_what_can_be_known_is_told(
    marketo: str | NewField | None, more: list[str]
) -> None:
    """Whether the types fit, nobody can say."""
    [first, *others] = faults(Pick(Entity.LEAD, "qqq", marketo=marketo, line=1))
    assert first.startswith("line 1: lead.qqq is not in Dynamics")
    assert len(others) == len(more)
    assert all(text in fault for text, fault in zip(more, others, strict=True))


def test_a_field_that_a_file_picks_twice_is_told_with_both_lines() -> None:
    """In two ways: in the same way is no fault."""
    picks = [Pick(Entity.LEAD, "jobtitle", line=1), Pick(Entity.LEAD, "jobtitle", marketo="title", line=5)]
    assert len(select(*picks).added) == 1
    assert faults(*picks, Pick(Entity.LEAD, "jobtitle", marketo="phone", line=9)) == [
        "line 9: lead.jobtitle is picked twice, in two ways (first on line 1). Keep one of the picks."
    ]


def test_of_a_table_that_is_not_there_nothing_else_is_told() -> None:
    """Its Marketo object would not be there either."""
    [fault] = faults(Pick(PLAN, "name", marketo="plan", direction=Direction.BOTH, line=4))
    assert fault.startswith("line 4: Dynamics has no table new_plan, or the sync user can't see it.")
    [fault] = faults(Pick(CustomEntity("contacts"), "name", line=4))
    assert fault.startswith("line 4: Dynamics has no table contacts, or the sync user can't see it; nearest: contact.")


def test_a_marketo_field_that_is_fed_twice_is_told_though_the_types_do_not_fit() -> None:
    """So that both are put right at once."""
    first, second = faults(
        Pick(Entity.LEAD, "jobtitle", marketo="phone", line=1), Pick(Entity.LEAD, "new_born", marketo="phone", line=5)
    )
    assert first.startswith("line 5: new_born (date in Dynamics) does not fit phone")
    assert second.startswith("line 5: lead.new_born: phone is fed by jobtitle already (line 1).")


def test_a_new_field_of_leads_and_contacts_is_created_once() -> None:
    """Both are Marketo's person. The second must fit what the first made."""
    tiers = [Pick(entity, "new_tier", marketo=NewField("Tier")) for entity in (Entity.LEAD, Entity.CONTACT)]
    changes = select(*tiers)
    assert [pair.marketo for pair in changes.added] == ["tier", "tier"]
    assert changes.created == (("lead", NewField("Tier", name="tier", type="text")),)
    [fault] = faults(tiers[0], Pick(Entity.CONTACT, "new_born", marketo=NewField("Tier")))
    assert fault.startswith("new_born (date in Dynamics) does not fit tier (text(255) in Marketo).")


@pytest.mark.parametrize("there", [False, True])
def test_a_standard_field_of_ours_is_created_where_it_is_not_there(there: bool) -> None:
    """Under the name that the mapping gives it; one that is there is taken as it is."""
    boolean = FieldSpec(name="dynamicsDoNotFax", type="boolean")
    changes = selection(
        [Pick(Entity.LEAD, "donotfax")],
        dynamics={Entity.LEAD: {"donotfax": FieldSpec(name="donotfax", type="boolean")}},
        marketo={"lead": {boolean.name: boolean} if there else {}},
        current=(),
        reserved=(),
    )
    assert [pair.marketo for pair in changes.added] == ["dynamicsDoNotFax"]
    new = NewField("Dynamics Do Not Fax", name="dynamicsDoNotFax", type="boolean")
    assert changes.created == (() if there else (("lead", new),))


def test_a_standard_counterpart_that_is_not_there_is_not_created() -> None:
    """Every instance has it, so that something is wrong."""
    with pytest.raises(FieldError, match=r"lead\.title is not in Marketo"):
        selection(
            [Pick(Entity.LEAD, "jobtitle")], dynamics=DYNAMICS, marketo={"lead": {}}, current=(), reserved=()
        )  # fmt: skip


def test_a_field_to_be_created_holds_no_kind_that_marketo_has_nothing_for() -> None:
    """A picture, say; it is told as a pair that does not fit."""
    picture = {Entity.LEAD: {"entityimage": FieldSpec(name="entityimage", type="image")}}
    with pytest.raises(FieldError, match="entityimage"):
        selection(
            [Pick(Entity.LEAD, "entityimage", marketo=NewField("Picture"))],
            dynamics=picture, marketo={"lead": {}}, current=(), reserved=(),
        )  # fmt: skip


def test_a_replacement_keeps_off_what_is_kept_for_us() -> None:
    """As a selection does."""
    pick = Pick(Entity.LEAD, "jobtitle", marketo="title")
    with pytest.raises(FieldError, match="mkdyn keeps title for itself"):
        replacement([pick], dynamics=DYNAMICS, marketo=MARKETO, current=(), reserved=("title",))
