"""What mkdyn lends to your tests: both systems in memory, a store in memory, faults as data.

The fakes are complete implementations of the connectors, kept to the same contract as the real
ones; what people do to them is done by plain methods, as in `marketo.edit("lead", key, title="CTO")`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from mkdyn.testing.dynamics import FakeDynamics as FakeDynamics
from mkdyn.testing.faults import (
    Crash as Crash,
    Crashed as Crashed,
    Fault as Fault,
    LoseAnswer as LoseAnswer,
    Reject as Reject,
    Throttle as Throttle,
    Unreachable as Unreachable,
)
from mkdyn.testing.marketo import FakeMarketo as FakeMarketo

if TYPE_CHECKING:
    from mkdyn.testing.memory_store import MemoryStore as MemoryStore
    from mkdyn.testing.scenario import Scenario as Scenario

_LATE = {"MemoryStore": "mkdyn.testing.memory_store", "Scenario": "mkdyn.testing.scenario"}


__all__ = [
    "Crash",
    "Crashed",
    "FakeDynamics",
    "FakeMarketo",
    "Fault",
    "LoseAnswer",
    "MemoryStore",
    "Reject",
    "Scenario",
    "Throttle",
    "Unreachable",
]


def __getattr__(name: str) -> object:
    if name in _LATE:
        return getattr(import_module(_LATE[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
