"""The pure merge of touched records, beside a loop written by hand and beside dictdiffer's merge.

All three get the same records, a few hundred at a time and in turn, and all of that several
times; medians count. Times are the process's own (nothing waits here), without the garbage
collector, as `timeit` takes them.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib import import_module
from statistics import median
from typing import Any, Final, TypeAlias

from benchmarks.asked import Asked, Found
from benchmarks.merge_loop import Columns, Result, Sides, merge_all
from benchmarks.workload import EDITS, Workload
from mkdyn.domain import FieldPair, Merged, Merger, System, Twofold, Unfit
from mkdyn.domain.merged import agreed_on
from mkdyn.domain.values import from_json, to_json

ROUNDS: Final = 9
#: How many records each gets before it is another's turn: the machine's moods meet all of them.
TURN: Final = 100
#: dictdiffer takes so long that it is given only some of the records.
SAMPLE: Final = 200
DICTDIFFER: Final = "dictdiffer.merge"

#: What merges some records.
Rival: TypeAlias = Callable[[Sequence[Sides]], object]


def measure(asked: Asked) -> Found:
    """Return touched records merged per second: by `Merger`, by the loop, and by dictdiffer if it is installed.

    Records that were created or deleted have nothing to merge: all that are touched are edited.

    Raises:
        ValueError: The merger and the loop do not say the same of every record.
    """
    workload = Workload(asked.records, asked.fields, touched=asked.touched, touches=EDITS)
    records = sides(workload)
    columns, merger = columns_of(workload.pairs), Merger(workload.pairs)
    compare(merge_all(records, columns), merged_by(merger, records))
    rivals: dict[str, tuple[Rival, Sequence[Sides]]] = {
        "merger": (partial(merged_by, merger), records),
        "loop": (partial(merge_all, columns=columns), records),
    }
    sample = records[:: max(1, len(records) // SAMPLE)]
    dictdiffer = _dictdiffer(workload.pairs)
    if dictdiffer is not None:
        merge, alike = dictdiffer
        rivals["dictdiffer"] = (merge, alike(sample))
    seconds = {name: median(times) for name, times in interleaved(rivals).items()}
    speed = len(records) / seconds["merger"]
    loop_speed = len(records) / seconds["loop"]
    found: dict[str, object] = {
        "name": "merge",
        "records": asked.records,
        "fields": asked.fields,
        "touched": len(records),
        "seconds": round(seconds["merger"], 6),
        "touched_per_s": round(speed),
        "reference": "a tight loop written by hand, on the same dicts (benchmarks/merge_loop.py); results equal",
        "reference_touched_per_s": round(loop_speed),
        "ratio": round(speed / loop_speed, 3),
        "rounds": ROUNDS,
    }
    if dictdiffer is None:
        return {**found, "dictdiffer": "not installed; it comes with the extra `bench`", "dictdiffer_ratio": None}
    dictdiffer_speed = len(sample) / seconds["dictdiffer"]
    return {
        **found,
        "dictdiffer": f"dictdiffer.merge.Merger, on {len(sample):,} of the records",
        "dictdiffer_touched_per_s": round(dictdiffer_speed),
        "dictdiffer_ratio": round(speed / dictdiffer_speed, 1),
    }


def interleaved(rivals: Mapping[str, tuple[Rival, Sequence[Sides]]], *, rounds: int = ROUNDS) -> dict[str, list[float]]:
    """Return the seconds that each rival takes for all of its records, in each round."""
    seconds: dict[str, list[float]] = {name: [] for name in rivals}
    gc.collect()
    gc.disable()
    try:
        for _ in range(rounds):
            spent = dict.fromkeys(rivals, 0.0)
            order = list(rivals.items())
            for start in range(0, max(len(records) for _, records in rivals.values()), TURN):
                order.reverse()  # who comes first has to fetch the records from memory
                for name, (merge, records) in order:
                    turn = records[start : start + TURN]
                    began = time.process_time()
                    kept = merge(turn)
                    spent[name] += time.process_time() - began
                    del kept  # not on the clock
            for name, times in seconds.items():
                times.append(spent[name])
    finally:
        gc.enable()
    return seconds


# -- the records


def sides(workload: Workload) -> list[Sides]:
    """Return baseline, Marketo and Dynamics of every record that was edited, none sharing a value with another.

    They have been written as JSON and read again, like what a store and two systems show.
    """
    touched = list(workload.touching())
    before_d = _read([workload.dynamics(item.number) for item in touched])
    before_m = _read([workload.marketo(item.number) for item in touched])
    now_d = _read([workload.dynamics(item.number) | item.dynamics for item in touched])
    now_m = _read([workload.marketo(item.number) | item.marketo for item in touched])
    return [
        ({pair.key: agreed_on(d[pair.dynamics], m[pair.marketo]) for pair in workload.pairs}, marketo, dynamics)
        for d, m, marketo, dynamics in zip(before_d, before_m, now_m, now_d, strict=True)
    ]


def _read(values: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    read: list[dict[str, Any]] = from_json(to_json(values))
    return read


def columns_of(pairs: Sequence[FieldPair]) -> Columns:
    """Return what the loop knows about its columns."""
    names = {pair: (pair.key, pair.marketo, pair.dynamics) for pair in pairs}
    choices = [pair for pair in pairs if pair.lens.name == "choice-label"]
    money = [pair for pair in pairs if pair.lens.name == "decimal-float"]
    return Columns(
        plain=[names[pair] for pair in pairs if pair not in choices and pair not in money],
        choices=[
            (*names[pair], labels := _labels(pair), {label: number for number, label in labels.items()})
            for pair in choices
        ],
        money=[names[pair] for pair in money],
    )


def _labels(pair: FieldPair) -> dict[Any, Any]:
    labels = {number: pair.lens.to_marketo(number) for number in range(100)}
    return {None: None, **{number: label for number, label in labels.items() if not isinstance(label, Unfit)}}


# -- the rivals


def merged_by(merger: Merger, records: Sequence[Sides]) -> list[Merged]:
    """Merge every record."""
    return [merger(baseline=was, marketo=marketo, dynamics=dynamics) for was, marketo, dynamics in records]


def _dictdiffer(pairs: Sequence[FieldPair]) -> tuple[Rival, Callable[[Sequence[Sides]], Sequence[Sides]]] | None:
    """Return dictdiffer's merge, and what gives all three sides Dynamics' names and types; None if it isn't there."""
    try:
        rival = import_module(DICTDIFFER)
        unresolved = import_module("dictdiffer.resolve").UnresolvedConflictsException
    except ImportError:
        return None

    def alike(records: Sequence[Sides]) -> Sequence[Sides]:
        return [
            (
                {pair.dynamics: _dynamics_of(was[pair.key]) for pair in pairs},
                {pair.dynamics: pair.lens.to_dynamics(marketo[pair.marketo]) for pair in pairs},
                dict(dynamics),
            )
            for was, marketo, dynamics in records
        ]

    def merge(records: Sequence[Sides]) -> object:
        mergers = [rival.Merger(was, marketo, dynamics, {}) for was, marketo, dynamics in records]
        for merger in mergers:
            try:
                merger.run()
            except unresolved as conflicts:
                merger.continue_run(["f"] * len(conflicts.content))  # Marketo wins
        return mergers

    return merge, alike


def _dynamics_of(was: object) -> object:
    return was.dynamics if isinstance(was, Twofold) else was


# -- whether they say the same


def compare(results: Sequence[Result], merged: Sequence[Merged]) -> None:
    """Compare, field by field and type by type, what the loop and the merger say of the same records.

    Raises:
        ValueError: They differ; it says where.
    """
    for place, (ours, theirs) in enumerate(zip(merged, results, strict=True)):
        for what, left, right in zip(
            ("writes to Marketo", "writes to Dynamics", "baselines", "collisions"),
            _as_result(ours),
            theirs,
            strict=True,
        ):
            if _typed(left) != _typed(right):
                raise ValueError(f"record {place}: the merger and the loop differ in {what}: {left!r}, {right!r}")


def _as_result(merged: Merged) -> Result:
    if merged.holds or any(item.winner is not System.MARKETO for item in merged.resolutions):
        raise ValueError("the merger holds a field, or lets Dynamics win: the loop knows nothing of either")
    baselines = {
        key: (value.dynamics, value.marketo) if isinstance(value, Twofold) else value
        for key, value in {**merged.agreed, **merged.awaited}.items()
    }
    collisions = [
        (item.collision.field, item.collision.was, item.collision.marketo, item.collision.dynamics)
        for item in merged.resolutions
    ]
    return merged.to_marketo, merged.to_dynamics, baselines, collisions


def _typed(value: Any) -> object:  # noqa: ANN401 - dicts, lists and tuples of field values
    """Return *value* so that it equals only values of the same types: 1 is not true."""
    match value:
        case dict():
            return {name: _typed(item) for name, item in value.items()}
        case list() | tuple():
            return [_typed(item) for item in value]
        case _:
            return type(value), value
