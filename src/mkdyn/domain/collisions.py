"""The same field changed on both systems: who wins, and why (M3)."""

from __future__ import annotations

from functools import cache
from typing import Literal, Protocol, TypeAlias, assert_never

import attrs

from mkdyn.domain.directions import Direction, direction_of
from mkdyn.domain.entities import AnyEntity, Entity
from mkdyn.domain.records import short
from mkdyn.domain.systems import System
from mkdyn.domain.values import MISSING, FieldValue, Shown
from mkdyn.errors import PolicyError

#: How values appear in a text for people.
ValueDisplay: TypeAlias = Literal["hidden", "shown"]
#: How two values came to differ.
ResolutionKind: TypeAlias = Literal["collision", "first-sight", "one-way", "overwritten", "merged"]


@attrs.frozen(kw_only=True)
class Collision:
    """One field that both systems changed to different values.

    Attributes:
        entity: Whose field.
        field: Its name in Dynamics.
        was: What both showed before; MISSING where they never agreed.
        marketo: What Marketo shows, in Marketo's type.
        dynamics: What Dynamics shows, in Dynamics' type.
    """

    entity: AnyEntity
    field: str
    was: Shown = attrs.field(repr=False)
    marketo: FieldValue = attrs.field(repr=False)
    dynamics: FieldValue = attrs.field(repr=False)


@attrs.frozen(repr=False)
class Win:
    """One system's value stands."""

    system: System
    because: str = attrs.field(kw_only=True)

    def __repr__(self) -> str:
        return f"Win({self.system!r}, because={self.because!r})"


@attrs.frozen
class Ask:
    """Neither value stands: each system keeps its own until a person decides."""

    because: str = attrs.field(kw_only=True)


Verdict: TypeAlias = Win | Ask


class Policy(Protocol):
    """Decides a collision. Pure: the same collision, the same verdict."""

    def __call__(self, collision: Collision, /) -> Verdict:
        """Return `Win` or `Ask`, with a reason a person can read."""
        ...


def system_of_record(collision: Collision, /) -> Win:
    """Decide by the mission: Marketo for leads, Dynamics for everything else."""
    return _record_of(collision.entity)


@cache  # said of every collision there is
def _record_of(entity: AnyEntity) -> Win:
    system = System.MARKETO if entity is Entity.LEAD else System.DYNAMICS
    return Win(system, because=f"{system} is the system of record for {entity.plural}")


def resolve(collision: Collision, *, policy: Policy = system_of_record, authority: System | None = None) -> Verdict:
    """Decide a collision: one-way entities never ask, then the field's own authority, then the policy.

    Raises:
        PolicyError: The policy answered something that is no verdict.
    """
    if direction_of(collision.entity) is Direction.TO_MARKETO:
        return Win(System.DYNAMICS, because=f"{collision.entity.plural} sync {Direction.TO_MARKETO}")
    if authority is not None:
        return Win(authority, because=f"{authority} has authority over {collision.field}")
    return _checked(policy(collision), policy, collision)


def _checked(answer: object, policy: Policy, collision: Collision) -> Verdict:
    """Return a policy's answer if it is a verdict. Anything else is named by its type alone: it may be a value."""
    if isinstance(answer, Win | Ask):
        return answer
    name = getattr(policy, "__name__", type(policy).__name__)
    kind = "None" if answer is None else f"a {type(answer).__name__}"
    raise PolicyError(
        f"{name} answered {kind} for {collision.entity}.{collision.field}.", what_to_do="Answer Win(…) or Ask(…)."
    )


@attrs.frozen(kw_only=True)
class Resolution:
    """A value that gave way to another, both kept.

    Attributes:
        collision: Both values, and the one before.
        verdict: Who won, and why.
        key: The Dynamics row's GUID; empty in a pure merge, which knows no keys.
        kind: `collision` (both changed), `first-sight` (they never agreed before), `one-way` (Marketo's
            edit of a field that only Dynamics may change), `overwritten` (our write hit an edit made in that instant) or
            `merged` (an edit in Marketo of a person that was merged into another one before Dynamics had it).
    """

    collision: Collision
    verdict: Win
    key: str = ""
    kind: ResolutionKind = "collision"

    @property
    def winner(self) -> System:
        """The system whose value stands."""
        return self.verdict.system

    def value(self, system: System) -> FieldValue:
        """Return the value that *system* showed."""
        return self.collision.marketo if system is System.MARKETO else self.collision.dynamics

    def text(self, *, values: ValueDisplay = "hidden") -> str:
        """Say it in one line; values only where asked for."""
        match values:
            case "hidden":
                return str(self)
            case "shown":
                won, lost = self.winner, self.winner.other
                was = "" if self.collision.was is MISSING else f"; was {self.collision.was!r}"
                return (
                    f"{self.collision.entity} {self.collision.field}: {self.value(won)!r} ({won}) over "
                    f"{self.value(lost)!r} ({lost}){was}. {_sentence(self.verdict.because)}"
                )
            case _:
                assert_never(values)

    def __str__(self) -> str:
        where = " ".join(filter(None, [str(self.collision.entity), short(self.key), self.collision.field]))
        because = self.verdict.because.removeprefix(f"{self.winner} is ")
        return f"collision: {where}: {self.winner} won, {because}."


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."
