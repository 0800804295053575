"""What goes wrong on the line, call by call: one kind of it, or all kinds, as often as the weather is bad."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any, Final, TypeAlias

import attrs

from mkdyn.domain.systems import System
from mkdyn.testing.servers import dynamics, marketo

#: Longer than anybody waits for an answer.
_NEVER_S: Final = 1_000.0
#: Marketo's midnight.
_CENTRAL: Final = timezone(timedelta(hours=-6))

Fault: TypeAlias = "marketo.WireFault | dynamics.WireFault | None"
#: Makes a fault by chance, for an endpoint, or a kind of call.
Making: TypeAlias = Callable[[random.Random, str], Any]


def _either(chance: random.Random) -> Any:  # noqa: ANN401 - a literal
    return chance.choice(["yes", "no"])


def _refused(*codes: str) -> Making:
    return lambda chance, _: marketo.Refuse(code=chance.choice(codes))


#: What can go wrong with a call of Marketo's, by its name in histories.
MARKETO: Final[Mapping[str, Making]] = {
    "timeout before": lambda *_: marketo.Slow(seconds=_NEVER_S, when="before"),
    "timeout after": lambda *_: marketo.Slow(seconds=_NEVER_S, when="after"),
    "cut": lambda chance, _: marketo.Drop(applied=_either(chance)),
    "5xx": lambda chance, _: marketo.Fail(status=chance.choice([500, 502, 503, 504]), applied=_either(chance)),
    "html": lambda chance, _: chance.choice([marketo.Garble(how="html"), marketo.Fail(status=200)]),
    "truncated": lambda *_: marketo.Garble(how="truncated"),
    "content type": lambda *_: marketo.Garble(how="content type"),
    "601/602": _refused("601", "602"),
    "606/615": _refused("606", "615"),
    "busy": lambda chance, _: chance.choice(
        [marketo.Refuse(code="604", applied=_either(chance)), marketo.Refuse(code="611", applied=_either(chance)),
         marketo.Refuse(code="608"), marketo.Refuse(code="713")]
    ),
    "607": lambda *_: None,
    "skipped": lambda *_: None,
    "astray": lambda *_: None,
    "duplicates": lambda _, of: marketo.RepeatRows() if of.startswith("activities.") else None,
    "expired page": lambda *_: None,
}  # fmt: skip


def _throttled(chance: random.Random, _: str) -> dynamics.Refuse:
    code = chance.choice(["0x80072322", "0x80072321", "0x80072326", ""])
    return dynamics.Refuse(status=429, code=code, retry_after_s=chance.choice([None, 1, 17, 120]))


def _pages(fault: Any) -> Making:  # noqa: ANN401 - a fault
    return lambda _, of: fault if of in ("changes", "rows") else None


#: What can go wrong with a call of Dynamics', by its name in histories.
DYNAMICS: Final[Mapping[str, Making]] = {
    "timeout before": lambda *_: dynamics.Slow(seconds=_NEVER_S, when="before"),
    "timeout after": lambda *_: dynamics.Slow(seconds=_NEVER_S, when="after"),
    "cut": lambda chance, _: dynamics.Drop(applied=_either(chance)),
    "5xx": lambda chance, _: dynamics.Fail(status=chance.choice([500, 502, 504]), applied=_either(chance)),
    "maintenance": lambda chance, _: chance.choice(
        [dynamics.Fail(status=503), dynamics.Refuse(status=503, retry_after_s=chance.choice([None, 60]))]
    ),
    "html": lambda chance, _: chance.choice([dynamics.Garble(how="html"), dynamics.Fail(status=200)]),
    "truncated": lambda *_: dynamics.Garble(how="truncated"),
    "content type": lambda *_: dynamics.Garble(how="content type"),
    "429": _throttled,
    "401": lambda *_: None,
    "412": lambda *_: None,
    "skipped": lambda *_: None,
    "astray": lambda *_: None,
    "half a batch": lambda chance, of: dynamics.HalfBatch(parts=chance.randint(0, 2)) if of == "batch" else None,
    "foreign link": _pages(dynamics.ForeignLink()),
    "duplicates": _pages(dynamics.RepeatRows()),
    "empty page": _pages(dynamics.EmptyPage()),
    "expired delta": lambda *_: None,
}  # fmt: skip

KINDS: Final[Mapping[System, Mapping[str, Making]]] = {System.MARKETO: MARKETO, System.DYNAMICS: DYNAMICS}


@attrs.define
class Weather:
    """How bad it is.

    Attributes:
        system: Whose line this is.
        chance: Decides.
        kinds: What may go wrong in this history.
        likely: How likely it is, per call.
        acts: What is done instead of a fault of the server's, by kind.
        happened: How often each kind came.
        spent_until: Until when Marketo refuses every call, for the day's are used up.
    """

    system: System
    chance: random.Random
    kinds: Sequence[str]
    likely: float = 0.0
    acts: Mapping[str, Callable[[], None]] = attrs.field(factory=dict[str, Callable[[], None]])
    happened: dict[str, int] = attrs.field(factory=dict[str, int])
    spent_until: datetime | None = None

    def of(self, call: str, now: datetime) -> Fault:
        """Return what goes wrong with a call."""
        if self.spent_until is not None and call != "identity":
            if now < self.spent_until:
                return marketo.Refuse(code="607")
            self.spent_until = None
        if self.chance.random() >= self.likely:
            return None
        kind = self.chance.choice(self.kinds)
        if kind == "607" and self.chance.random() < 0.1:
            self.spent_until = midnight(now)
        if kind in self.acts:
            self.acts[kind]()
        fault: Fault = KINDS[self.system][kind](self.chance, call)
        if fault is not None or kind in self.acts or self.spent_until is not None:
            self.happened[kind] = self.happened.get(kind, 0) + 1
        return fault

    def loses(self) -> bool:
        """Return whether a request that writes goes astray."""
        lost = "astray" in self.kinds and self.chance.random() < self.likely / 2
        if lost:
            self.happened["astray"] = self.happened.get("astray", 0) + 1
        return lost


def midnight(now: datetime) -> datetime:
    """Return Marketo's next midnight."""
    there = now.astimezone(_CENTRAL)
    return there.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
