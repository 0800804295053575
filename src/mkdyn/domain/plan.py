"""Operations and plans: values that can be printed, saved, refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Generic, Literal, TypeAlias, TypeVar, assert_never, overload

import attrs

from mkdyn.domain.collisions import Resolution, ValueDisplay
from mkdyn.domain.counts import Counts, Estimate, MatchReport, summary
from mkdyn.domain.entities import AnyEntity
from mkdyn.domain.guards import Breach
from mkdyn.domain.holds import Hold, Quarantined
from mkdyn.domain.making import changer, maker
from mkdyn.domain.records import Agreed, LinkState, Origin, short
from mkdyn.domain.systems import System
from mkdyn.domain.values import Values

#: What a plan is for.
Purpose: TypeAlias = Literal["run", "backfill", "undo", "repair"]
OperationKind: TypeAlias = Literal["create", "update", "delete"]
#: planned → sent → one of the rest.
OperationState: TypeAlias = Literal["planned", "sent", "applied", "rejected", "stale", "unknown", "dropped"]

T_co = TypeVar("T_co", covariant=True)

EXCERPT_MAX = 1_000


@attrs.frozen(kw_only=True)
class Step:
    """What the engine remembers when an operation is applied, beside its awaited baselines.

    Attributes:
        agreed: Baselines that both systems showed already.
        clears: Observations it deals with: system, object, key, version.
        state: The link's state afterwards.
        gone: The system whose record was deleted.
        origin: How the link came to be, where the operation makes one.
        confirms: Per Marketo field, which of our earlier writes the evidence confirmed: their places in the link.
        covers: Whether the baseline covers everything the Dynamics version shows afterwards.
        heard: How much of the evidence that it clears was there when it was decided: none of that is its own.
        into: The person that a deleted one is merged into; empty where it is deleted for good.
    """

    agreed: Mapping[str, Agreed] = attrs.field(factory=dict[str, Agreed], repr=False)
    clears: Sequence[tuple[System, str, str, int]] = ()
    state: LinkState = LinkState.LIVE
    gone: System | None = None
    origin: Origin = "matched"
    confirms: Mapping[str, Sequence[int]] = attrs.field(factory=dict[str, Sequence[int]])
    covers: bool = False
    heard: int = 0
    into: str = ""

    def deals_with(self, system: System) -> bool:
        """Whether it clears what was observed in *system*."""
        return any(clear[0] is system for clear in self.clears)


make_step: Callable[..., Step] = maker(Step)


@attrs.frozen(kw_only=True)
class Operation:
    """One write to one record of one system: in the plan what will be, in the journal what was.

    Attributes:
        id: The store's number; 0 before it is stored.
        run: The run's number; 0 before it is stored.
        link: The link's number; 0 while there is none.
        entity: Whose record.
        system: Where it is written.
        kind: Create, update or delete.
        key: The record's key there; for a create, the key it is to have.
        other: The record's key in the other system.
        before: What the written fields showed.
        after: What is written.
        awaited: Baselines that hold once it is applied.
        version: The Dynamics version it was decided on.
        attempt: Which Dynamics row for this person it creates (promotions).
        because: Why, in a few words.
        state: What became of it.
        sent_at: When it was last marked sent, or None.
        detail: The system's answer, where that was not plain success.
        step: What is remembered once it is applied.
    """

    id: int = 0
    run: int = 0
    link: int = 0
    entity: AnyEntity
    system: System
    kind: OperationKind
    key: str
    other: str = ""
    before: Values = attrs.field(factory=dict[str, None], repr=False)
    after: Values = attrs.field(factory=dict[str, None], repr=False)
    awaited: Mapping[str, Agreed] = attrs.field(factory=dict[str, Agreed], repr=False)
    version: str | None = None
    attempt: int = 0
    because: str = ""
    state: OperationState = "planned"
    sent_at: datetime | None = None
    detail: str = ""
    step: Step = attrs.field(factory=Step, repr=False)

    def text(self, *, values: ValueDisplay = "hidden") -> str:
        """Say it in one line; values only where asked for."""
        match values:
            case "hidden":
                return str(self)
            case "shown":
                parts = [f"{name} {self.before.get(name)!r} → {after!r}" for name, after in self.after.items()]
                return f"{self}: {', '.join(parts)}" if parts else str(self)
            case _:
                assert_never(values)

    def __str__(self) -> str:
        fields = f" {', '.join(self.after)}" if self.kind == "update" else ""
        why = f" ({self.because})" if self.because else ""
        if self.step.into:
            return f"merge {self.entity} {short(self.key)} into {self.step.into} in {self.system}{why}"
        return f"{self.kind} {self.entity} {short(self.key)} in {self.system}{fields}{why}"


make_operation: Callable[..., Operation] = maker(Operation)
change_operation: Callable[..., Operation] = changer(Operation)


@attrs.frozen(repr=False)
class Excerpt(Sequence[T_co], Generic[T_co]):
    """The first of many things, and how many there are; the journal has them all.

    Attributes:
        total: How many there are.
    """

    _items: Sequence[T_co]
    total: int

    @overload
    def __getitem__(self, index: int, /) -> T_co: ...
    @overload
    def __getitem__(self, index: slice, /) -> Sequence[T_co]: ...
    def __getitem__(self, index: int | slice, /) -> T_co | Sequence[T_co]:
        return self._items[index]

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[T_co]:
        return iter(self._items)

    def __repr__(self) -> str:
        return f"<Excerpt: {len(self)} of {self.total}>"


@attrs.frozen(kw_only=True, repr=False)
class Plan:
    """All that a run would write, decided and stored, nothing sent.

    Attributes:
        id: Its number; the run that applies it has the same.
        purpose: What it is for.
        counts: Writes by system and kind.
        operations: The writes.
        collisions: Every value that gives way.
        holds: Fields kept back that stand now, whichever plan found them.
        quarantined: Records set aside that stand now.
        matches: What a first match found, or None where nothing was matched.
        breaches: The guards it trips.
        emptied: Writes that empty a field (backfills).
        estimate: About how many calls carrying it out takes, and how many seconds (backfills).
    """

    id: int
    purpose: Purpose = "run"
    counts: Mapping[System, Counts]
    operations: Excerpt[Operation]
    collisions: Excerpt[Resolution]
    holds: Excerpt[Hold]
    quarantined: Excerpt[Quarantined]
    matches: MatchReport | None = None
    breaches: Sequence[Breach] = ()
    emptied: int = 0
    estimate: Estimate | None = None

    def text(self, *, values: ValueDisplay = "hidden") -> str:
        """Say all of it, a line each; values only where asked for."""
        lines = [str(self)]
        lines += [operation.text(values=values) for operation in self.operations]
        lines += findings_as_text(self.collisions, self.holds, self.quarantined, values)
        lines += [f"guard {breach.guard}: {breach}" for breach in self.breaches]
        return "\n".join(lines)

    def to_json(self) -> str:
        """Return the counts and the excerpts, values included, as one JSON object."""
        return json.dumps(
            {
                "id": self.id,
                "purpose": self.purpose,
                **excerpts_as_data(self.counts, self.operations, self.collisions, self.holds, self.quarantined),
                "breaches": [{"guard": breach.guard.value, "text": str(breach)} for breach in self.breaches],
            },
            default=str,
            ensure_ascii=False,
        )

    def __str__(self) -> str:
        kind = "" if self.purpose == "run" else f" ({self.purpose})"
        guard = f" · guard: {', '.join(dict.fromkeys(str(breach.guard) for breach in self.breaches))}"
        counted = summary(self.counts, self.collisions.total, self.holds.total, self.quarantined.total)
        if self.purpose == "backfill":
            emptied = f", of which {self.emptied:,} become empty" if self.emptied else ""
            counted = f"to Marketo {self.counts[System.MARKETO].total:,}{emptied} · to Dynamics 0"
            counted += f" · {self.holds.total:,} held" if self.holds.total else ""
        about = f" · about {self.estimate}" if self.estimate is not None else ""
        return f"plan {self.id}{kind}: {counted}{about}{guard if self.breaches else ''}"

    def __repr__(self) -> str:
        return f"<{self}>"


def findings_as_text(
    collisions: Iterable[Resolution], holds: Iterable[Hold], quarantined: Iterable[Quarantined], values: ValueDisplay
) -> list[str]:
    """Return a line for everything that plans and reports find."""
    return [resolution.text(values=values) for resolution in collisions] + [
        str(item) for item in (*holds, *quarantined)
    ]


def excerpts_as_data(
    counts: Mapping[System, Counts],
    operations: Excerpt[Operation],
    collisions: Excerpt[Resolution],
    holds: Excerpt[Hold],
    quarantined: Excerpt[Quarantined],
) -> Mapping[str, object]:
    """Return the counts and the four excerpts as plain data for JSON, each with its total."""

    def excerpt(items: Excerpt[T_co], as_data: Callable[[T_co], Mapping[str, object]]) -> Mapping[str, object]:
        return {"total": items.total, "first": [as_data(item) for item in items]}

    return {
        "counts": {system.value: attrs.asdict(found) for system, found in counts.items()},
        "operations": excerpt(operations, _operation_as_data),
        "collisions": excerpt(collisions, _resolution_as_data),
        "holds": excerpt(holds, lambda hold: {**_place(hold), "field": hold.field}),
        "quarantined": excerpt(quarantined, _place),
    }


def _operation_as_data(operation: Operation) -> Mapping[str, object]:
    return {
        "system": operation.system.value,
        "entity": operation.entity.logical_name,
        "kind": operation.kind,
        "key": operation.key,
        "before": dict(operation.before),
        "after": dict(operation.after),
        "because": operation.because,
        "state": operation.state,
    }


def _resolution_as_data(resolution: Resolution) -> Mapping[str, object]:
    return {
        "entity": resolution.collision.entity.logical_name,
        "key": resolution.key,
        "field": resolution.collision.field,
        "marketo": resolution.collision.marketo,
        "dynamics": resolution.collision.dynamics,
        "winner": resolution.winner.value,
        "because": resolution.verdict.because,
        "kind": resolution.kind,
    }


def _place(item: Hold | Quarantined) -> Mapping[str, object]:
    return {"entity": item.entity.logical_name, "key": item.key, "code": item.code, "reason": item.reason}
