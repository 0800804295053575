"""What the commands tell, as plain data: every Dynamics field with what became of it, and what a change comes to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import attrs

from mkdyn.domain import AnyEntity, Candidate, Direction, Eligible, FieldChanges, FieldPair, NewField, direction_of
from mkdyn.domain.mapping import standard_row


@attrs.frozen(kw_only=True)
class Row:
    """One Dynamics field.

    Attributes:
        name: Its name.
        candidate: What Dynamics says of it, or None if it is not there any more.
        pair: The pair it is selected in, or None.
    """

    name: str
    candidate: Candidate | None
    pair: FieldPair | None

    @property
    def state(self) -> str:
        """The pair's state, or why there is no pair."""
        if self.pair is not None:
            return str(self.pair.state)
        return "not selected" if self.candidate is not None and self.candidate.eligible else "not eligible"

    @property
    def direction(self) -> Direction | None:
        """The way it goes, or could go."""
        if self.pair is not None:
            return self.pair.direction
        if self.candidate is None or not self.candidate.eligible:
            return None
        if not isinstance(self.candidate.eligibility, Eligible):
            return Direction.TO_MARKETO
        standard = standard_row(self.candidate.entity, self.name)
        return (standard and standard.direction) or direction_of(self.candidate.entity)

    @property
    def note(self) -> str:
        """What else to know: why it does not sync, or why only one way."""
        if self.pair is not None and self.pair.reason:
            return self.pair.reason
        if self.candidate is None:
            return "not in Dynamics any more; the next run sets it aside"
        return "" if isinstance(self.candidate.eligibility, Eligible) else self.candidate.eligibility.reason

    @property
    def marketo(self) -> str:
        """Its Marketo field; in parentheses the standard counterpart of one that is not selected."""
        if self.pair is not None:
            return self.pair.marketo
        standard = None if self.candidate is None else self.candidate.marketo
        return f"({standard})" if standard and self.direction is not None else ""

    @property
    def is_well(self) -> bool:
        """Whether it syncs, if it is selected."""
        return self.pair is None or self.pair.state.syncs

    def to_data(self) -> Mapping[str, object]:
        """Return it for JSON."""
        found, pair = self.candidate, self.pair
        return {
            "dynamics": self.name,
            "label": None if found is None else found.field.label,
            "type": None if found is None else found.field.shape,
            "eligible": found is not None and found.eligible,
            "direction": None if self.direction is None else self.direction.value,
            "standard": None if found is None else found.marketo,
            "selected": None if pair is None else {**pair_data(pair), "state": str(pair.state)},
            "note": self.note,
        }


def rows_of(entity: AnyEntity, candidates: Sequence[Candidate], selected: Sequence[FieldPair]) -> Sequence[Row]:
    """Return an entity's Dynamics fields by name, with those that are selected and not there any more."""
    pairs = {pair.dynamics: pair for pair in selected if pair.entity == entity}
    found = {candidate.field.name: candidate for candidate in candidates}
    return [Row(name=name, candidate=found.get(name), pair=pairs.get(name)) for name in sorted({*found, *pairs})]


@attrs.frozen
class Change:
    """One pair that comes, goes, or is another than before.

    Attributes:
        kind: Which of these.
        pair: The pair as it is now; one that goes, as it was.
        before: The pair that it replaces, if it does.
        new: Its Marketo field, if that is created.
    """

    kind: Literal["added", "removed", "changed"]
    pair: FieldPair
    before: FieldPair | None = None
    new: NewField | None = None


def changes_of(changes: FieldChanges) -> Sequence[Change]:
    """Return what a selection changes, in its order: a pair that is replaced is one change."""
    gone = {(pair.entity, pair.dynamics): pair for pair in changes.removed}
    created = {(name, new.api_name): new for name, new in changes.created}
    come: list[Change] = []
    for pair in changes.added:
        before = gone.pop((pair.entity, pair.dynamics), None)
        new = created.get((pair.entity.marketo_object, pair.marketo))
        come.append(Change("added" if before is None else "changed", pair, before, new))
    return [*come, *(Change("removed", pair) for pair in gone.values())]


def changes_data(changes: FieldChanges) -> Mapping[str, object]:
    """Return what a selection changes for JSON."""
    found = changes_of(changes)
    return {
        "added": [_place_data(item.pair) for item in found if item.kind == "added"],
        "removed": [_place_data(item.pair) for item in found if item.kind == "removed"],
        "changed": [
            {"before": _place_data(item.before), "after": _place_data(item.pair)}
            for item in found
            if item.before is not None
        ],
        "unchanged": len(changes.unchanged),
        "created": [{"object": name, "name": new.api_name, "label": new.label} for name, new in changes.created],
    }


def _place_data(pair: FieldPair) -> Mapping[str, object]:
    return {"entity": str(pair.entity), "dynamics": pair.dynamics, **pair_data(pair)}


def pair_data(pair: FieldPair) -> Mapping[str, object]:
    """Return what was chosen of a pair for JSON."""
    return {
        "marketo": pair.marketo,
        "direction": pair.direction.value,
        "authority": None if pair.authority is None else pair.authority.value,
    }
