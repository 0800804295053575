"""The scenario and the fixture, as users' tests use them."""

from __future__ import annotations

import pytest

from mkdyn import Entity, Pick, Rules, System
from mkdyn.testing import Scenario


@pytest.mark.parametrize(
    ("entity", "winner", "title"), [(Entity.LEAD, System.MARKETO, "CTO"), (Entity.CONTACT, System.DYNAMICS, "VP")]
)
def test_a_collision_has_its_winner(scenario: Scenario, entity: Entity, winner: System, title: str) -> None:
    """The README's first question to a test suite: who wins?"""
    ada = scenario.linked(entity, lastname="Lovelace", jobtitle="Engineer")
    ada.edit(marketo={"title": "CTO"}, dynamics={"jobtitle": "VP", "telephone1": "+44 20 1234"})
    report = scenario.run()
    assert [collision.winner for collision in report.collisions] == [winner]
    assert ada.marketo["title"] == ada.dynamics["jobtitle"] == title
    assert ada.marketo["phone"] == "+44 20 1234"
    assert not scenario.plan().operations


@pytest.mark.parametrize("system", list(System))
def test_records_can_be_deleted_and_are_missed(system: System) -> None:
    """Looking at a record that is not there says so."""
    scenario = Scenario(picks=[Pick(Entity.LEAD, "lastname")], rules=Rules(person_deleted_in_dynamics="delete"))
    ada = scenario.linked(Entity.LEAD, lastname="Lovelace")
    ada.edit(dynamics={"lastname": "Byron"})
    ada.edit(marketo={"lastName": "Byron"})
    ada.delete(system)
    scenario.run()
    with pytest.raises(LookupError, match=r"Marketo has no lead 1"):
        assert ada.marketo
    if system is System.DYNAMICS:
        with pytest.raises(LookupError, match="Dynamics has no lead"):
            assert ada.dynamics


def test_a_record_that_can_not_be_linked_says_why() -> None:
    """The run's report is the reason."""
    scenario = Scenario()
    for _ in range(2):
        scenario.marketo.create("lead", email="ada@example.com")
    with pytest.raises(LookupError, match=r"the lead was not linked: .*\nquarantined: .*ambiguous-match"):
        scenario.linked(Entity.LEAD, lastname="Lovelace", emailaddress1="ada@example.com")


def test_anything_can_be_awaited() -> None:
    """`wait` lends the synchronizer's own methods to plain tests."""
    scenario = Scenario()
    person = scenario.marketo.create("lead", lastName="Lovelace")
    scenario.wait(scenario.sync.promote(int(person), to=Entity.LEAD))
    scenario.run()
    assert len(scenario.dynamics.records("lead")) == 1
