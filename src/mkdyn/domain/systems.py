"""The two systems, by name."""

from __future__ import annotations

import enum
from typing import assert_never


class System(enum.Enum):
    """One of the two systems a sync keeps in agreement."""

    MARKETO = "marketo"
    DYNAMICS = "dynamics"

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
