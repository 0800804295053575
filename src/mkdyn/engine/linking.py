"""How a link begins: two records are merged for the first time, or one is made for the other."""

from __future__ import annotations

from typing import Literal

from mkdyn.domain.directions import Direction
from mkdyn.domain.fields import FieldPair
from mkdyn.domain.holds import Hold
from mkdyn.domain.lenses.lens import Unfit
from mkdyn.domain.merged import agreed_on
from mkdyn.domain.plan import Operation, Step
from mkdyn.domain.records import Agreed, Link, Record
from mkdyn.domain.systems import System
from mkdyn.domain.values import MISSING, FieldValue, Missing, Shown, Values
from mkdyn.engine.kinds import Kind
from mkdyn.engine.ledger import Ledger, clears
from mkdyn.engine.references import refer, refer_merged
from mkdyn.engine.session import Session
from mkdyn.ports.store import Observation


def link_to_marketo(
    session: Session,
    kind: Kind,
    observation: Observation,
    row: Record,
    person: Record,
    ledger: Ledger,
    *,
    by: Literal["id", "key"],
) -> None:
    """Plan the first merge of a row with the record found for it: link them, and write what differs."""
    merged = kind.first_merger(baseline=None, marketo=person.values, dynamics=row.values, key=row.key)
    refer_merged(session, kind, row.key, merged, person.values)
    session.met("by_id" if by == "id" else "by_key", row.key)
    session.tally(kind.entity, System.MARKETO).matches += 1
    ledger.resolutions += merged.resolutions
    ledger.kept_back += merged.holds
    if not merged.holds:
        ledger.at_rest.append((kind.entity, row.key))
    covers = not merged.holds and kind.shown_whole(row)
    sides = [
        (System.MARKETO, merged.to_marketo, person, kind.by_marketo),
        (System.DYNAMICS, merged.to_dynamics, row, kind.by_dynamics),
    ]
    both = bool(merged.to_marketo and merged.to_dynamics)
    if not merged.to_marketo and merged.to_dynamics:
        session.claims[person.key] = row.key
    for system, after, record, pairs in sides:
        if not after:
            continue
        keys = [pairs[name].key for name in after]
        ledger.operations.append(
            Operation(
                entity=kind.entity, system=system, kind="update",
                key=record.key, other=row.key if system is System.MARKETO else person.key,
                before={name: record.values.get(name) for name in after}, after=after,
                awaited={key: merged.awaited[key] for key in keys}, version=row.version,
                because="first match",
                step=Step(
                    agreed=merged.agreed, origin="matched", covers=covers and not both, clears=clears(observation)
                ),
            )
        )  # fmt: skip
    if not (merged.to_marketo or merged.to_dynamics):
        ledger.links.append(
            Link(
                entity=kind.name, dynamics=row.key, marketo=person.key, baseline=merged.agreed,
                version=row.version if covers else None,
            )
        )  # fmt: skip
        ledger.clear(observation)


def create_in_marketo(session: Session, kind: Kind, observation: Observation, row: Record, ledger: Ledger) -> None:
    """Plan a new Marketo record for a row."""
    after, awaited, holds = values_for_new(kind, row.values, System.MARKETO, row.key)
    holds += refer(session, kind, row.key, after, awaited, {})
    session.met("to_create", row.key)
    ledger.kept_back += holds
    if not holds:
        ledger.at_rest.append((kind.entity, row.key))
    ledger.operations.append(
        Operation(
            entity=kind.entity, system=System.MARKETO, kind="create", key=row.key, other=row.key,
            after=after, awaited=awaited, version=row.version, because="new in Dynamics",
            step=Step(origin="created", covers=not holds and kind.shown_whole(row), clears=clears(observation)),
        )
    )  # fmt: skip


def values_for_new(
    kind: Kind, shown: Values, system: System, key: str
) -> tuple[dict[str, FieldValue], dict[str, Agreed], list[Hold]]:
    """Return what a new record of *system* is given, the baselines that follow, and what does not fit."""
    after: dict[str, FieldValue] = {}
    awaited: dict[str, Agreed] = {}
    holds: list[Hold] = []
    for pair in kind.pairs:
        source = pair.dynamics if system is System.MARKETO else pair.marketo
        value: Shown = shown.get(source, MISSING)
        if isinstance(value, Missing):
            continue
        if not pair.direction.writes(system):
            _start_elsewhere(pair, value, system, awaited)
            continue
        there = pair.lens.to_marketo(value) if system is System.MARKETO else pair.lens.to_dynamics(value)
        if isinstance(there, Unfit):
            holds.append(
                Hold(entity=kind.entity, key=key, field=pair.dynamics, code=there.code,
                     reason=f"{there.reason} Change {source} in {system.other}.")
            )  # fmt: skip
            continue
        if there is not None:
            after[pair.marketo if system is System.MARKETO else pair.dynamics] = there
        awaited[pair.key] = agreed_on(value, there) if system is System.MARKETO else agreed_on(there, value)
    return after, awaited, holds


def _start_elsewhere(pair: FieldPair, value: FieldValue, system: System, awaited: dict[str, Agreed]) -> None:
    """A pair that only goes Marketo → Dynamics starts with the first value entered in Marketo; until then both rest."""
    if system is System.MARKETO and pair.direction is Direction.TO_DYNAMICS:
        awaited[pair.key] = agreed_on(value, pair.lens.marketo_default)
