"""What a maker makes is what its class makes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import attrs
import pytest

from mkdyn.domain.entities import Entity
from mkdyn.domain.feeds import Evidence
from mkdyn.domain.making import changer, maker
from mkdyn.domain.plan import Operation, Step
from mkdyn.domain.records import Echo, Link, LinkState, Record, Twofold
from mkdyn.domain.systems import System
from mkdyn.ports.store import Observation

AT = datetime(2026, 3, 2, tzinfo=UTC)
LINK: Mapping[str, Any] = {"entity": "lead", "dynamics": "g-1", "marketo": "7"}
OPERATION: Mapping[str, Any] = {"entity": Entity.LEAD, "system": System.MARKETO, "kind": "update", "key": "7"}
OBSERVATION: Mapping[str, Any] = {"system": System.DYNAMICS, "object": "lead", "key": "g-1"}

CASES: tuple[tuple[Callable[..., Any], Mapping[str, Any]], ...] = (
    (Link, LINK),
    (Link, {**LINK, "id": 3, "state": LinkState.FROZEN, "baseline": {"a": 1}, "echoes": {"a": ()}, "since": AT}),
    (Operation, OPERATION),
    (Operation, {**OPERATION, "id": 3, "after": {"a": 1}, "step": Step(covers=True)}),
    (Step, {}),
    (Step, {"agreed": {"a": 1}, "gone": System.MARKETO, "heard": 2}),
    (Observation, OBSERVATION),
    (Observation, {**OBSERVATION, "record": Record(key="g-1", values={}), "seen_at": AT, "doubtful": ("a",)}),
    (Record, {"key": "7", "values": {"a": 1}}),
    (Echo, {"before": 1, "after": 2}),
    (Twofold, {"dynamics": 1, "marketo": 1.0}),
    (Evidence, {"field": "a", "old": "1", "new": None}),
)


@pytest.mark.parametrize(("cls", "given"), CASES)
def test_a_maker_makes_what_its_class_makes(cls: Callable[..., Any], given: Mapping[str, Any]) -> None:
    """The same class, the same values, defaults included, and as frozen."""
    made, called = maker(cls)(**given), cls(**given)
    assert type(made) is type(called) is cls
    assert made == called
    assert repr(made) == repr(called)
    name = next(iter(attrs.fields_dict(type(made))))
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        setattr(made, name, None)
    assert attrs.evolve(made) == made


@pytest.mark.parametrize(("cls", "given"), CASES)
def test_a_changer_changes_what_is_named(cls: Callable[..., Any], given: Mapping[str, Any]) -> None:
    """And nothing else; what it is given stays as it was."""
    before = cls(**given)
    for name in attrs.fields_dict(type(before)):
        changed = changer(cls)(before, **{name: "new"})  # type: ignore[arg-type]
        assert changed == attrs.evolve(before, **{name: "new"})
        assert type(changed) is cls
    assert before == cls(**given)


def test_arguments_stand_where_the_class_has_them() -> None:
    """By place where the class takes them so."""
    assert maker(Twofold)(1, 2) == Twofold(1, 2)
    with pytest.raises(TypeError, match="positional"):
        maker(Record)("7", {})  # type: ignore[call-arg]


def test_what_is_made_by_default_is_made_anew() -> None:
    """No two links share a baseline."""
    make = maker(Link)
    first, second = make(**LINK), make(**LINK)
    assert first.baseline == second.baseline == {}
    assert first.baseline is not second.baseline


def test_an_argument_that_is_missing_or_not_known_is_refused() -> None:
    """As the class does."""
    with pytest.raises(TypeError, match="marketo"):
        maker(Link)(entity="lead", dynamics="g-1")  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="nobody"):
        maker(Link)(**LINK, nobody=1)  # type: ignore[call-arg]
