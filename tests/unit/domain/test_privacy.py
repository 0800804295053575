"""People's data stays out of every repr, every str and every error's text."""

from __future__ import annotations

import importlib
import pkgutil
from datetime import UTC, datetime
from typing import Final

import attrs
import pytest

import mkdyn.domain
from mkdyn.domain import (
    IDENTITY,
    Agreed,
    Ask,
    Collision,
    Counts,
    Create,
    Echo,
    Entity,
    Entry,
    Evidence,
    Excerpt,
    FieldPair,
    FieldValue,
    Link,
    Merged,
    Merger,
    Operation,
    Page,
    Plan,
    Record,
    Resolution,
    System,
    Twofold,
    Update,
    Win,
    merge,
    where,
)
from mkdyn.domain.evidence import prove
from mkdyn.domain.lenses.moments import date_lens
from mkdyn.domain.lenses.numbers import integer_lens
from mkdyn.domain.lenses.texts import choice_lens, text_lens
from mkdyn.domain.merge import _Decision
from mkdyn.domain.plan import Step
from mkdyn.domain.records import Moved
from mkdyn.errors import MkdynError

CANARY: Final = "canary-7391"
PAIR: Final = FieldPair(Entity.LEAD, "jobtitle", "title")
COLLISION: Final = Collision(entity=Entity.LEAD, field="jobtitle", was=CANARY, marketo=CANARY, dynamics=CANARY)
RESOLUTION: Final = Resolution(collision=COLLISION, verdict=Win(System.MARKETO, because="it is so"))
EVIDENCE: Final = Evidence(field="title", old=CANARY, new=CANARY)
ECHO: Final = Echo(before=CANARY, after=CANARY)
RECORD: Final = Record(key="1", values={"title": CANARY})
VALUES: Final[dict[str, FieldValue]] = {"title": CANARY}
AGREED: Final[dict[str, Agreed]] = {"jobtitle": Twofold(CANARY, CANARY), "telephone1": CANARY}
OPERATION: Final = Operation(
    entity=Entity.LEAD, system=System.MARKETO, kind="update", key="1", before=VALUES, after=VALUES, awaited=AGREED,
    step=Step(agreed=AGREED),
)  # fmt: skip
MERGED: Final = Merged(
    to_marketo=dict(VALUES), to_dynamics=dict(VALUES), agreed=dict(AGREED), awaited=dict(AGREED),
    resolutions=[RESOLUTION],
)  # fmt: skip

#: One of every class that can hold a value of a person, holding one wherever it can.
HOLDERS: Final[tuple[object, ...]] = (
    COLLISION,
    RESOLUTION,
    EVIDENCE,
    ECHO,
    RECORD,
    OPERATION,
    MERGED,
    Twofold(CANARY, CANARY),
    Moved(AGREED, AGREED),
    Step(agreed=AGREED),
    Entry(id="1", key="1", at=datetime(2026, 1, 2, tzinfo=UTC), evidence=[EVIDENCE]),
    Page(records=[RECORD], entries=[Entry(id="1", key="1", at=datetime(2026, 1, 2, tzinfo=UTC), evidence=[EVIDENCE])]),
    Create(key="1", values=VALUES),
    Update(key="1", values=VALUES),
    Link(entity="lead", dynamics="1", marketo="1", baseline=AGREED, echoes={"title": (ECHO,)}),
    prove([EVIDENCE], {"title": (ECHO,)}),
    Excerpt([OPERATION], total=1),
    Plan(
        id=1,
        counts={system: Counts() for system in System},
        operations=Excerpt([OPERATION], total=1),
        collisions=Excerpt([RESOLUTION], total=1),
        holds=Excerpt([], total=0),
        quarantined=Excerpt([], total=0),
    ),
    _Decision(MERGED, PAIR, CANARY, CANARY, CANARY, "1", shows=CANARY),
)
#: Words of annotations behind which there is a person's value.
TELLTALE: Final = (
    "FieldValue", "Values", "Shown", "Agreed", "Baseline", "Record", "Evidence", "Echo", "Collision", "Resolution",
    "Operation", "Merged", "Twofold",
)  # fmt: skip
#: Classes of which those words say something about fields or settings, not about a person.
SCHEMA: Final = {"FieldSpec", "Lens", "Condition", "Comparison"}


@pytest.mark.parametrize("holder", HOLDERS, ids=lambda holder: type(holder).__name__)
def test_nothing_shows_a_value_unless_asked(holder: object) -> None:
    """Neither to programmers nor to people, nor in a format string."""
    for text in (repr(holder), str(holder), f"{holder}", f"{[holder]}"):
        assert CANARY not in text


@pytest.mark.parametrize("holder", [RESOLUTION, OPERATION, HOLDERS[-2]], ids=lambda holder: type(holder).__name__)
def test_values_are_shown_where_they_are_asked_for(holder: Resolution | Operation | Plan) -> None:
    """Otherwise this file would prove nothing."""
    assert CANARY not in holder.text()
    assert CANARY in holder.text(values="shown")


def test_every_class_that_can_hold_a_value_is_tried() -> None:
    """A class whose fields are annotated with values is among those above."""
    tried = {type(holder).__name__ for holder in HOLDERS} | SCHEMA
    for module in pkgutil.iter_modules(mkdyn.domain.__path__):
        for value in vars(importlib.import_module(f"mkdyn.domain.{module.name}")).values():
            if isinstance(value, type) and attrs.has(value) and value.__module__.startswith("mkdyn.domain"):
                words = " ".join(str(field.type) for field in attrs.fields(value) if field.type is not None)
                if any(word in words for word in TELLTALE):
                    assert value.__name__ in tried


def test_no_reason_shows_a_value() -> None:
    """What is held is held without it."""
    pairs = [
        FieldPair(Entity.LEAD, "a", "a", lens=text_lens(dynamics_length=3)),
        FieldPair(Entity.LEAD, "b", "b", lens=integer_lens()),
        FieldPair(Entity.LEAD, "c", "c", lens=date_lens()),
        FieldPair(Entity.LEAD, "d", "d", lens=choice_lens({1: "Cold"})),
        FieldPair(Entity.CONTACT, "e", "e", lens=IDENTITY),
        FieldPair(Entity.LEAD, "f", "f", lens=choice_lens({1: "Cold"})),
    ]
    merged = merge(
        pairs[:-1],
        baseline=dict.fromkeys("abcde"),
        marketo=dict.fromkeys("abcde", CANARY),
        dynamics={**dict.fromkeys("abcd"), "e": f"{CANARY}!"},
        policy=lambda _: Ask(because="a person must decide"),
    )
    assert {hold.field for hold in merged.holds} == set("abcde")
    assert "7391" not in "".join(map(str, merged.holds))
    [held] = Merger(pairs[-1:])(baseline={"f": None}, marketo={"f": None}, dynamics={"f": 7391}).holds
    assert "7391" not in str(held)


def test_no_error_shows_a_value() -> None:
    """A policy that answers a value is told so by its type, a comparison that fails by its kinds."""
    with pytest.raises(MkdynError) as policy:
        merge(
            [FieldPair(Entity.CONTACT, "jobtitle", "title")],
            baseline={"jobtitle": None},
            marketo={"title": CANARY},
            dynamics={"jobtitle": f"{CANARY}!"},
            policy=lambda collision: collision.marketo,
        )
    with pytest.raises(TypeError) as comparison:
        where("score").at_least(80)({"score": CANARY})
    assert CANARY not in f"{policy.value!r}{policy.value}{comparison.value!r}"
