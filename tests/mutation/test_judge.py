"""The judgement of a run of mutmut: it passes where enough mutants were killed, and every other one is explained."""

from __future__ import annotations

import pytest

from .judge import Judgement, endings

RESULTS = """
    mkdyn.domain.merge.x_merge__mutmut_1: killed
    mkdyn.domain.merge.x_merge__mutmut_2: survived
    mkdyn.domain.guards.xǁBreachǁ__str____mutmut_1: timeout
    mkdyn.domain.guards.xǁBreachǁ__str____mutmut_2: no tests
"""
MERGE, GUARDS = "mkdyn.domain.merge.x_merge__mutmut_2", "mkdyn.domain.guards.xǁBreachǁ__str____mutmut_2"


def of(killed: int, survived: int) -> dict[str, str]:
    """Return so many endings."""
    names = {f"a.x_f__mutmut_{number}": "killed" for number in range(killed)}
    return names | {f"a.x_g__mutmut_{number}": "survived" for number in range(survived)}


def test_what_mutmut_says_is_read() -> None:
    """Each mutant's name, and what became of it; a line that says nothing of one is passed over."""
    assert endings(f"Results\n{RESULTS}") == {
        "mkdyn.domain.merge.x_merge__mutmut_1": "killed",
        MERGE: "survived",
        "mkdyn.domain.guards.xǁBreachǁ__str____mutmut_1": "timeout",
        GUARDS: "no tests",
    }


def test_all_is_said() -> None:
    """Each module's score, all survivors with their reasons, and what is to be done."""
    gone = "mkdyn.domain.plan.x_old__mutmut_9"
    judgement = Judgement(endings(RESULTS), {GUARDS: "both are empty", gone: "was equal"})
    assert list(judgement.lines()) == [
        "mkdyn.domain.guards: 1 of 2 killed (50.0%)",
        "mkdyn.domain.merge: 1 of 2 killed (50.0%)",
        "in all: 2 of 4 killed (50.0%)",
        f"{MERGE} (survived): not explained",
        f"{GUARDS} (no tests): both are empty",
        "Fewer than 95% are killed: see what a mutant changes with `mutmut show`, and test that.",
        "1 not in survivors.toml: test what they change, or say there why not.",
        f"No survivors any more, so to be struck off survivors.toml: {gone}.",
    ]


@pytest.mark.parametrize(("killed", "survived", "passed"), [(95, 5, True), (94, 6, False), (1, 0, True), (0, 0, False)])
def test_enough_must_be_killed(killed: int, survived: int, *, passed: bool) -> None:
    """Ninety-five of a hundred; a run without mutants proves nothing."""
    found = of(killed, survived)
    judgement = Judgement(found, {name: "equal" for name, ending in found.items() if ending == "survived"})
    assert judgement.passed is passed


def test_a_survivor_must_be_explained() -> None:
    """However few there are."""
    assert not Judgement(of(99, 1), {}).passed
    assert Judgement(of(99, 1), {"a.x_g__mutmut_0": "equal"}).passed


def test_what_is_killed_is_struck_off_the_list() -> None:
    """So is what is no mutant any more: the list is that of the survivors."""
    for name in ("a.x_f__mutmut_0", "a.x_h__mutmut_0"):
        judgement = Judgement(of(100, 0), {name: "equal"})
        assert not judgement.passed
        assert judgement.outdated == [name]


@pytest.mark.parametrize("ending", ["survived", "no tests", "suspicious", "segfault", "not checked", "skipped"])
def test_only_a_test_that_fails_or_hangs_kills(ending: str) -> None:
    """Whatever else mutmut says of a mutant, it has not been noticed."""
    assert Judgement({"a.x_f__mutmut_1": ending}, {}).survivors == ["a.x_f__mutmut_1"]
    assert Judgement({"a.x_f__mutmut_1": "timeout"}, {}).survivors == []
