"""Which fields Marketo creates, and that all refusals are known before any of them is."""

from __future__ import annotations

import pytest

from mkdyn.domain import Entity, FieldSpec, FieldType, NewField, Pick
from mkdyn.domain.creation import CREATED_MAX, CUSTOM_FIELDS_MAX, as_spec, is_field_name, refusals
from mkdyn.domain.selection import selection
from mkdyn.errors import FieldError, TypeMismatchError


def new(label: str, name: str | None = None, kind: FieldType = "text") -> NewField:
    """Return a field to create."""
    return NewField(label, name=name, type=kind)


def there(count: int, *, api_created: bool = True, writable: bool = True) -> dict[str, FieldSpec]:
    """Return fields that an object has."""
    names = [f"f{number}" for number in range(count)]
    return {
        name: FieldSpec(name=name, type="text", label=name.upper(), api_created=api_created, writable=writable)
        for name in names
    }


def refused(*created: tuple[str, NewField], **marketo: dict[str, FieldSpec]) -> list[str]:
    """Return what is said of fields to create."""
    return [str(fault) for fault in refusals(created, marketo)]


@pytest.mark.parametrize(
    ("name", "fits"), [("a", True), ("a_1", True), ("A1_", True), ("1a", False), ("_a", False), ("", False), ("a-b", False), ("ä", False)]
)  # fmt: skip
def test_what_is_a_name(name: str, fits: bool) -> None:
    """A letter first, then letters, digits and underscores, of ASCII."""
    assert is_field_name(name) is fits
    said = [] if fits else [f"{name!r} is no name for a Marketo field. Start with a letter; use a-z, 0-9, _."]
    assert refused(("lead", new("X", name)), lead={}) == said


def test_a_label_is_taken_once() -> None:
    """By a field that is there, or by another new one, in any case; a field asked for twice is one."""
    said = "Marketo takes it once. Choose another label, or pick"
    assert refused(("lead", new("F0", "mine")), lead=there(1)) == [
        f"lead.mine: f0 has the label 'F0' already, and {said} f0."
    ]
    assert refused(("lead", new("Tier", "a")), ("lead", new("tier", "b")), lead={}) == [
        f"lead.b: a has the label 'tier' already, and {said} a."
    ]
    assert refused(("lead", new("Tier", "a")), ("x_c", new("Tier", "b")), ("lead", new("Tier", "a")), lead={}) == []


def test_a_field_is_of_one_type() -> None:
    """Two picks that would create it as two are refused; without that, the second would fail when the first is done."""
    both = [("lead", new("Tier")), ("lead", new("Tier", kind="integer"))]
    [fault] = refusals(both, {})
    assert isinstance(fault, TypeMismatchError)
    assert str(fault) == (
        "lead.tier would be created twice, as text and as integer. "
        "Give one of them another name, or both the same type."
    )


def test_persons_have_so_many_created_fields() -> None:
    """Only those that an API created count; a field that is asked for twice counts once."""
    full, two = there(CREATED_MAX - 1), [("lead", new("A")), ("lead", new("B"))]
    assert refused(two[0], lead=full) == []
    assert refused(two[0], two[0], lead=full) == []
    assert refused(*two, lead=full) == [
        (
            "Marketo's API creates 100 fields of persons and no more: 99 are there, 2 asked for. "
            "Pick fewer, or create fields in Marketo yourself and name them."
        )
    ]
    assert refused(*two, lead=there(300, api_created=False)) == []


def test_a_custom_object_has_so_many_fields() -> None:
    """Whoever made them, but not what the system fills; a new object has its key. Others have no published limit."""
    one = ("x_c", new("A"))
    assert refused(one, x_c=there(CUSTOM_FIELDS_MAX - 1, api_created=False)) == []
    [said] = refused(one, x_c=there(CUSTOM_FIELDS_MAX, api_created=False))
    assert said.startswith("Marketo's object x_c has 50 fields at the most: 50 are there, 1 asked for. ")
    assert refused(one, x_c=there(300, writable=False)) == []
    many = [("x_c", new(f"N{number}")) for number in range(CUSTOM_FIELDS_MAX)]
    assert refused(*many[1:]) == []
    assert len(refused(*many)) == 1
    assert refused(("company", new("A")), company=there(300)) == []


def test_a_selection_is_refused_with_all_of_it() -> None:
    """Together with the other faults, and nothing is selected."""
    dynamics = {Entity.LEAD: {name: FieldSpec(name=name, type="text") for name in ("a", "b", "c")}}
    picks = [
        Pick(Entity.LEAD, "a", marketo=NewField("Tier", name="a")),
        Pick(Entity.LEAD, "b", marketo=NewField("tier", name="b")),
        Pick(Entity.LEAD, "c", marketo="nowhere"),
    ]
    with pytest.raises(FieldError) as caught:
        selection(picks, dynamics=dynamics, marketo={"lead": there(CREATED_MAX)}, current=())
    assert [type(fault).__name__ for fault in caught.value.faults] == [
        "UnknownFieldError", "FieldError", "FieldError",
    ]  # fmt: skip


def test_a_team_s_field_is_one_of_a_custom_object() -> None:
    """Its record is one: there Marketo creates no URL, and does create a text area."""
    dynamics = {Entity.TEAM: {"a": FieldSpec(name="a", type="memo"), "b": FieldSpec(name="b", type="url")}}
    picks = [Pick(Entity.TEAM, name, marketo=NewField(name)) for name in ("a", "b")]
    changes = selection(picks, dynamics=dynamics, marketo={}, current=())
    assert [field.type for _, field in changes.created] == ["memo", "text"]
    with pytest.raises(TypeMismatchError, match="no field of type url there"):
        selection(
            [Pick(Entity.TEAM, "b", marketo=NewField("b", type="url"))], dynamics=dynamics, marketo={}, current=()
        )


def test_a_field_to_be_created_is_described_as_marketo_will() -> None:
    """With its label, and the length that Marketo gives to texts."""
    text = FieldSpec(name="new_wish", type="text", length=9)
    assert as_spec(NewField("A Wish"), text) == FieldSpec(name="aWish", type="text", label="A Wish", length=255)
    number = FieldSpec(name="new_wish", type="integer")
    assert as_spec(NewField("A Wish"), number) == FieldSpec(name="aWish", type="integer", label="A Wish")
