"""The rules alone, as the API promises them to print."""

from __future__ import annotations

from mkdyn.domain import (
    Collision,
    Entity,
    FieldPair,
    FieldSpec,
    System,
    direction_of,
    eligibility,
    may_create_field,
    merge,
    resolve,
)


def test_it_prints_what_it_says() -> None:
    """To the letter."""
    assert repr((direction_of(Entity.ACCOUNT), may_create_field(System.DYNAMICS))) == "(Direction.TO_MARKETO, False)"
    secured = FieldSpec(name="new_ssn", type="text", readable=False)
    assert repr(eligibility(secured)) == "NotEligible('the sync user may not read it')"
    verdict = resolve(Collision(entity=Entity.CONTACT, field="jobtitle", was="Engineer", marketo="CTO", dynamics="VP"))
    assert repr(verdict) == "Win(System.DYNAMICS, because='Dynamics is the system of record for contacts')"
    merged = merge(
        [FieldPair(Entity.LEAD, "jobtitle", "title"), FieldPair(Entity.LEAD, "telephone1", "phone")],
        baseline={"jobtitle": "Engineer", "telephone1": None},
        marketo={"title": "CTO", "phone": None},
        dynamics={"jobtitle": "VP", "telephone1": "+44 20 1234"},
    )
    assert repr((merged.to_marketo, merged.to_dynamics)) == "({'phone': '+44 20 1234'}, {'jobtitle': 'CTO'})"
