"""Collisions: who wins and why, and how it is told."""

from __future__ import annotations

import pytest

from mkdyn.domain import (
    MISSING,
    AnyEntity,
    Ask,
    Collision,
    Entity,
    Policy,
    Resolution,
    Shown,
    System,
    Win,
    resolve,
    system_of_record,
)
from mkdyn.errors import PolicyError

from .worlds import GUID, ONE_WAY, PERSONS, marketo_wins, nobody_wins


def collision(entity: AnyEntity = Entity.CONTACT, was: Shown = "Engineer") -> Collision:
    """Return a job title changed on both systems."""
    return Collision(entity=entity, field="jobtitle", was=was, marketo="CTO", dynamics="VP")


@pytest.mark.parametrize(
    ("entity", "because"),
    [
        (Entity.LEAD, "Marketo is the system of record for leads"),
        (Entity.CONTACT, "Dynamics is the system of record for contacts"),
        (Entity.OPPORTUNITY, "Dynamics is the system of record for opportunities"),
    ],
)
def test_the_system_of_record_wins(entity: Entity, because: str) -> None:
    """Marketo for leads, Dynamics for everything else (M3)."""
    verdict = system_of_record(collision(entity))
    assert verdict.system is (System.MARKETO if entity is Entity.LEAD else System.DYNAMICS)
    assert verdict.because == because


@pytest.mark.parametrize("entity", ONE_WAY, ids=str)
def test_one_way_entities_ask_nobody(entity: AnyEntity) -> None:
    """There Dynamics wins, before authority and policy."""
    verdict = resolve(collision(entity), policy=nobody_wins, authority=System.MARKETO)
    assert verdict == Win(System.DYNAMICS, because=f"{entity.plural} sync Dynamics → Marketo only")


@pytest.mark.parametrize("entity", PERSONS, ids=str)
def test_authority_goes_before_policy_and_policy_decides_the_rest(entity: AnyEntity) -> None:
    """A field's own authority, then the policy."""
    assert resolve(collision(entity), policy=marketo_wins, authority=System.DYNAMICS) == Win(
        System.DYNAMICS, because="Dynamics has authority over jobtitle"
    )
    assert resolve(collision(entity), policy=marketo_wins) == Win(System.MARKETO, because="Marketo wins")
    assert resolve(collision(entity), policy=nobody_wins) == Ask(because="a person must decide")
    assert resolve(collision(entity)) == system_of_record(collision(entity))


class OurPolicy:
    """A policy of a class, which answers what it was given."""

    def __init__(self, answer: object) -> None:
        self.answer = answer

    def __call__(self, collision: Collision, /) -> Win:
        """Answer it, whatever it is."""
        return self.answer  # type: ignore[return-value]  # that is the mistake


def our_policy(collision: Collision, /) -> Win:
    """Forget the last return."""
    return None  # type: ignore[return-value]  # that is the mistake


@pytest.mark.parametrize(
    ("policy", "text"),
    [
        (our_policy, "our_policy answered None for contact.jobtitle. Answer Win(…) or Ask(…)."),
        (OurPolicy("CTO"), "OurPolicy answered a str for contact.jobtitle. Answer Win(…) or Ask(…)."),
        (OurPolicy(System.MARKETO), "OurPolicy answered a System for contact.jobtitle. Answer Win(…) or Ask(…)."),
    ],
)
def test_what_is_no_verdict_is_refused(policy: Policy, text: str) -> None:
    """By name, field and the type of the answer: the answer itself may be somebody's value."""
    with pytest.raises(PolicyError) as caught:
        resolve(collision(), policy=policy)
    assert str(caught.value) == text


def test_a_resolution_keeps_both_values() -> None:
    """Each system's, and who won."""
    resolution = Resolution(collision=collision(), verdict=system_of_record(collision()))
    assert (resolution.winner, resolution.kind) == (System.DYNAMICS, "collision")
    assert (resolution.value(System.MARKETO), resolution.value(System.DYNAMICS)) == ("CTO", "VP")


def test_a_resolution_is_told_without_values() -> None:
    """Unless they are asked for."""
    resolution = Resolution(collision=collision(), verdict=system_of_record(collision()), key=GUID)
    assert str(resolution) == "collision: contact 7b1e… jobtitle: Dynamics won, the system of record for contacts."
    assert resolution.text() == str(resolution)


@pytest.mark.parametrize(
    ("was", "text"),
    [
        (
            "Engineer",
            (
                "lead jobtitle: 'CTO' (Marketo) over 'VP' (Dynamics); was 'Engineer'. "
                "Marketo is the system of record for leads."
            ),
        ),
        (MISSING, "lead jobtitle: 'CTO' (Marketo) over 'VP' (Dynamics). Marketo is the system of record for leads."),
    ],
)
def test_a_resolution_with_values(was: Shown, text: str) -> None:
    """The winner's first, then the loser's, then the one before, if there was one."""
    resolution = Resolution(collision=collision(Entity.LEAD, was), verdict=system_of_record(collision(Entity.LEAD)))
    assert resolution.text(values="shown") == text


def test_a_reason_of_one_s_own_is_told_as_it_is() -> None:
    """Without a key there is none to show."""
    resolution = Resolution(collision=collision(), verdict=Win(System.MARKETO, because="sales owns phone numbers"))
    assert str(resolution) == "collision: contact jobtitle: Marketo won, sales owns phone numbers."
    assert resolution.text(values="shown").endswith("; was 'Engineer'. Sales owns phone numbers.")
    assert repr(resolution.verdict) == "Win(System.MARKETO, because='sales owns phone numbers')"
