"""The two systems, by name."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, assert_never


class System(enum.Enum):
    """One of the two systems a sync keeps in agreement."""

    MARKETO = "marketo"
    DYNAMICS = "dynamics"

    # Members are single, so their identity will do. An enumeration hashes its members' names in Python, and they are
    # looked up several times for each record.
    if not TYPE_CHECKING:  # whose word for it would be ambiguous
        __hash__ = object.__hash__

    @property
    def other(self) -> System:
        """The system on the other end of a link."""
        match self:
            case System.MARKETO:
                return System.DYNAMICS
            case System.DYNAMICS:
                return System.MARKETO
            case _:
                assert_never(self)

    def __repr__(self) -> str:
        return f"System.{self.name}"

    def __str__(self) -> str:
        return self.name.capitalize()
