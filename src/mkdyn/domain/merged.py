"""What a merge of one record asks for."""

from __future__ import annotations

import attrs

from mkdyn.domain.collisions import Resolution
from mkdyn.domain.holds import Hold
from mkdyn.domain.records import Agreed, Twofold
from mkdyn.domain.values import FieldValue, same


@attrs.define(init=False)
class Merged:
    """What a merge asks for. Empty of everything when the record is at rest.

    Attributes:
        to_marketo: Marketo fields to write.
        to_dynamics: Dynamics fields to write.
        agreed: Baselines that both systems show already.
        awaited: Baselines that hold once the write of that pair is confirmed.
        resolutions: Every value that gives way, with the one that stands.
        holds: Fields kept back; their baselines stay.
    """

    to_marketo: dict[str, FieldValue] = attrs.field(repr=False)
    to_dynamics: dict[str, FieldValue] = attrs.field(repr=False)
    agreed: dict[str, Agreed] = attrs.field(repr=False)
    awaited: dict[str, Agreed] = attrs.field(repr=False)
    resolutions: list[Resolution]
    holds: list[Hold]

    def __init__(  # one is made of every record that is merged: factories take three times as long
        self,
        *,
        to_marketo: dict[str, FieldValue] | None = None,
        to_dynamics: dict[str, FieldValue] | None = None,
        agreed: dict[str, Agreed] | None = None,
        awaited: dict[str, Agreed] | None = None,
        resolutions: list[Resolution] | None = None,
        holds: list[Hold] | None = None,
    ) -> None:
        self.to_marketo = {} if to_marketo is None else to_marketo
        self.to_dynamics = {} if to_dynamics is None else to_dynamics
        self.agreed = {} if agreed is None else agreed
        self.awaited = {} if awaited is None else awaited
        self.resolutions = [] if resolutions is None else resolutions
        self.holds = [] if holds is None else holds

    def __bool__(self) -> bool:
        return bool(self.to_marketo or self.to_dynamics or self.agreed or self.resolutions or self.holds)


def agreed_on(dynamics: FieldValue, marketo: FieldValue) -> Agreed:
    """Return the baseline of a field: one value if both systems show the same, else both."""
    return dynamics if same(dynamics, marketo) else Twofold(dynamics, marketo)
