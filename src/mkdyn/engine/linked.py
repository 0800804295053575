"""Decide linked records: bring both systems' values together, merge, note what follows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

import attrs

from mkdyn.domain.entities import AnyEntity
from mkdyn.domain.evidence import Proof, explained, prove, refused
from mkdyn.domain.feeds import Evidence
from mkdyn.domain.fields import PairState
from mkdyn.domain.holds import Hold, Quarantined
from mkdyn.domain.merge import Merged, agreed_on
from mkdyn.domain.plan import Operation, Step
from mkdyn.domain.records import Baseline, Link, LinkState, Record, Twofold
from mkdyn.domain.systems import System
from mkdyn.domain.values import MISSING, FieldValue, Missing, Shown, Values, fingerprint
from mkdyn.engine.kinds import Kind
from mkdyn.engine.ledger import Ledger, clears
from mkdyn.engine.parting import Subject, is_deletion, meet_again, part_from, suspend
from mkdyn.engine.session import Session
from mkdyn.ports.store import Observation


async def decide_linked(
    session: Session, kind: Kind, subjects: Sequence[Subject], ledger: Ledger
) -> Sequence[Observation]:
    """Decide linked records; return the rows that need a new Marketo record, because theirs was deleted."""
    reborn: list[Observation] = []
    living: list[Subject] = []
    for subject in subjects:
        if is_deletion(subject):
            part_from(session, subject, ledger)
        elif subject.link.state is LinkState.LIVE:
            living.append(subject)
        else:
            meet_again(session, subject, ledger, living, reborn)
    rows, persons = await _read_missing(session, kind, living)
    standing = session.store.kept_back([subject.link.dynamics for subject in living])
    for subject in living:
        _decide(session, subject, rows, persons, standing.get(subject.link.dynamics, ()), ledger)
    return reborn


# -- the values of both systems ----------------------------------------------------------------------


async def _read_missing(
    session: Session, kind: Kind, subjects: Sequence[Subject]
) -> tuple[Mapping[str, Record], Mapping[str, Record]]:
    """Read what no feed brought and no baseline vouches for: two calls at the most."""
    rows = {subject.link.dynamics for subject in subjects if _needs_row(subject)}
    persons = {subject.link.marketo for subject in subjects if _needs_person(subject)}
    return (
        await session.dynamics.read(kind.name, sorted(rows), fields=kind.dynamics_fields),
        await session.marketo.read(kind.object, sorted(persons), fields=kind.marketo_fields),
    )


def _needs_row(subject: Subject) -> bool:
    if subject.row is not None:
        return subject.row.record is None
    return subject.link.version is None


def _needs_person(subject: Subject) -> bool:
    if subject.person is not None:
        return subject.person.record is None
    return not (subject.kind.keys <= subject.link.baseline.keys())


def _decide(
    session: Session,
    subject: Subject,
    rows: Mapping[str, Record],
    persons: Mapping[str, Record],
    standing: Sequence[Hold | Quarantined],
    ledger: Ledger,
) -> None:
    kind, link = subject.kind, subject.link
    row = subject.row.record if subject.row is not None and subject.row.record is not None else rows.get(link.dynamics)
    person = (
        subject.person.record
        if subject.person is not None and subject.person.record is not None
        else persons.get(link.marketo)
    )
    for record, needed, system in (
        (row, _needs_row(subject), System.DYNAMICS),
        (person, _needs_person(subject), System.MARKETO),
    ):
        if record is None and needed:
            suspend(session, subject, system, ledger)
            return
    if person is not None and _too_early(session, subject, person):
        return
    seen = _see(session, subject, row, person)
    merged = kind.merger(
        baseline=seen.baseline,
        marketo=seen.shown[System.MARKETO],
        dynamics=seen.shown[System.DYNAMICS],
        doubtful={key for item in (subject.row, subject.person) if item is not None for key in item.doubtful},
        overwritten=seen.proof.overwritten,
        key=link.dynamics,
    )
    _keep_refused(kind, merged, standing)
    ledger.released += _released(subject, seen, merged, standing)
    _note(session, subject, seen, merged, ledger)


def _too_early(session: Session, subject: Subject, person: Record) -> bool:
    """Whether Marketo shows something that neither its feed nor our own writes explain, yet.

    Values may lag behind the feed, and the feed behind the values; within the time that
    Marketo takes for that, the record is left for the next run.
    """
    evidence = subject.person.evidence if subject.person is not None else ()
    if not evidence and not subject.link.echoes:
        return False
    delay = timedelta(seconds=session.identities[System.MARKETO].settles_after_s)
    seen_at = subject.person.seen_at if subject.person is not None else None
    for name in {item.field for item in evidence} | subject.link.echoes.keys():
        value: Shown = person.values.get(name, MISSING)
        if isinstance(value, Missing) or explained(name, value, subject.link.echoes, evidence):
            continue
        told = [seen_at, *(echo.at for echo in subject.link.echoes.get(name, ()))]
        if any(at is not None and at + delay > session.now() for at in told):
            return True
    return False


def _keep_refused(kind: Kind, merged: Merged, standing: Sequence[Hold | Quarantined]) -> None:
    """Leave out what a system refused before: an edit wakes a hold, and nothing else does."""
    for hold in standing:
        if not isinstance(hold, Hold) or not hold.refused or hold.field not in kind.by_dynamics:
            continue
        pair = kind.by_dynamics[hold.field]
        for after, name in ((merged.to_marketo, pair.marketo), (merged.to_dynamics, pair.dynamics)):
            if name in after and fingerprint(after[name]) == hold.refused:
                del after[name]
                merged.awaited.pop(pair.key, None)
                merged.holds.append(hold)


def _released(
    subject: Subject, seen: _Seen, merged: Merged, standing: Sequence[Hold | Quarantined]
) -> list[tuple[AnyEntity, str, str | None]]:
    """Return what stood of the record and does not any more.

    A field that Marketo refused to take as written stays held until it is decided anew.
    """
    held = {hold.field for hold in (*merged.holds, *seen.holds)}
    decided = {pair.dynamics for pair in subject.kind.pairs if pair.key in merged.agreed or pair.key in merged.awaited}
    return [
        (item.entity, item.key, item.field if isinstance(item, Hold) else None)
        for item in standing
        if not isinstance(item, Hold)
        or not (item.field in held or (item.code in _REASONS and item.field not in decided))
    ]


@attrs.frozen(kw_only=True, eq=False)
class _Seen:
    """What is known of a linked record.

    Attributes:
        shown: What each system shows, as far as it can be vouched for.
        baseline: What both showed when they last agreed, or what Marketo made of our last write.
        version: The Dynamics version of what is shown.
        proof: What Marketo's feed proves.
        holds: Marketo's own answers to our writes, which are no edits.
        postponed: Whether an edit in Marketo waits for a backfill to end.
    """

    shown: Mapping[System, Values]
    baseline: Baseline
    version: str | None
    proof: Proof
    holds: Sequence[Hold]
    postponed: bool


def _see(session: Session, subject: Subject, row: Record | None, person: Record | None) -> _Seen:
    kind, link = subject.kind, subject.link
    evidence = subject.person.evidence if subject.person is not None else ()
    proof = Proof(echoes=dict(link.echoes))
    if evidence:
        proof = prove(evidence, link.echoes, since=session.confirmable_since)
    shown = kind.as_agreed(link, System.MARKETO) if person is None else dict(person.values)
    baseline, answers = (link.baseline, []) if person is None else _answered(subject, shown, proof, evidence)
    named = {item.field for item in evidence} - proof.overwritten.keys()
    waiting = [
        pair.marketo
        for pair in kind.pairs
        if pair.state is PairState.BACKFILLING and pair.marketo in named and pair.key not in baseline
    ]
    for name in waiting:
        shown.pop(name, None)
    return _Seen(
        shown={
            System.MARKETO: shown,
            System.DYNAMICS: row.values if row is not None else kind.as_agreed(link, System.DYNAMICS),
        },
        baseline=baseline,
        version=row.version if row is not None else link.version,
        proof=proof,
        holds=[*answers, *(_hold(subject, name, "overwritten") for name in proof.lost if name in kind.by_marketo)],
        postponed=bool(waiting),
    )


def _answered(
    subject: Subject, shown: Mapping[str, FieldValue], proof: Proof, evidence: Sequence[Evidence]
) -> tuple[Baseline, list[Hold]]:
    """Tell Marketo's own answers to our last writes from edits.

    What it made of a write is held, and is what a later edit differs from.
    """
    kind, link = subject.kind, subject.link
    baseline, holds = dict(link.baseline), list[Hold]()
    for name in list(proof.echoes):
        value: Shown = shown.get(name, MISSING)
        if isinstance(value, Missing):
            continue
        answer = refused(name, value, proof.echoes, evidence)
        pair = kind.by_marketo[name]
        if answer is None or pair.key not in baseline:
            continue
        was = baseline[pair.key]
        baseline[pair.key] = agreed_on(was.dynamics if isinstance(was, Twofold) else was, value)
        del proof.echoes[name]
        holds.append(_hold(subject, name, answer))
    return baseline, holds


_REASONS = {
    "blocked": "Marketo kept its own value over ours: updates of this field are blocked. Allow API updates of {field}.",
    "rewritten": "Marketo stored something else than we wrote. Make {field} take the value as it is, or deselect it.",
    "overwritten": "an edit made in the instant of our write can't be read back. Look it up in the activity log, {field}.",
}


def _hold(subject: Subject, name: str, code: str) -> Hold:
    pair = subject.kind.by_marketo[name]
    return Hold(
        entity=subject.kind.entity, key=subject.link.dynamics, field=pair.dynamics, code=code,
        reason=_REASONS[code].format(field=f"{name} of person {subject.link.marketo}"),
    )  # fmt: skip


# -- what follows ------------------------------------------------------------------------------------


def _note(session: Session, subject: Subject, seen: _Seen, merged: Merged, ledger: Ledger) -> None:
    """Note a merge in the ledger: the link's facts now, the writes, and what they clear."""
    kind, link = subject.kind, subject.link
    if subject.revived and kind.person:
        merged.to_marketo[session.rules.deleted_field] = False
    writes = bool(merged.to_marketo) or bool(merged.to_dynamics)
    held = bool(merged.holds) or seen.postponed
    facts = attrs.evolve(
        link,
        baseline={**seen.baseline, **merged.agreed},
        echoes=link.echoes if writes else seen.proof.echoes,
        since=None,
        version=None if held else link.version if writes else seen.version,
    )
    if facts != link or subject.revived:
        ledger.links.append(facts)
    ledger.resolutions += merged.resolutions
    ledger.kept_back += [*merged.holds, *seen.holds]
    if writes:
        ledger.operations += _operations(subject, seen, merged)
    else:
        ledger.clear(subject.row, None if seen.postponed else subject.person)


def _operations(subject: Subject, seen: _Seen, merged: Merged) -> list[Operation]:
    """Return one write for each system that needs one.

    A field written to both at once (an overwritten edit put back) moves no baseline: what
    both show afterwards is found equal when it is seen.
    """
    kind, link = subject.kind, subject.link
    person = None if seen.postponed else subject.person
    both = bool(merged.to_marketo and merged.to_dynamics)
    twice = {
        pair.key for pair in kind.pairs if pair.marketo in merged.to_marketo and pair.dynamics in merged.to_dynamics
    }
    operations: list[Operation] = []
    for system, after in ((System.MARKETO, merged.to_marketo), (System.DYNAMICS, merged.to_dynamics)):
        if not after:
            continue
        pairs = kind.by_marketo if system is System.MARKETO else kind.by_dynamics
        names = [pairs[name].key for name in after if name in pairs]
        source = subject.row if system is System.MARKETO else person
        operations.append(
            Operation(
                link=link.id, entity=kind.entity, system=system, kind="update",
                key=link.key(system), other=link.key(system.other),
                before={name: seen.shown[system][name] for name in after if name in seen.shown[system]}, after=after,
                awaited={key: merged.awaited[key] for key in names if key in merged.awaited and key not in twice},
                version=seen.version, because=_because(merged, system),
                step=Step(
                    clears=clears(source) if both else clears(subject.row, person),
                    confirms=_confirmed(link, seen.proof) if source is person or not both else {},
                    covers=not both and not merged.holds and not seen.postponed,
                ),
            )
        )  # fmt: skip
    return operations


def _confirmed(link: Link, proof: Proof) -> Mapping[str, int]:
    """Return how many of the link's echoes the evidence dealt with; it does once the evidence is cleared."""
    return {
        name: count
        for name, waiting in link.echoes.items()
        if (count := len(waiting) - len(proof.echoes.get(name, ())))
    }


def _because(merged: Merged, system: System) -> str:
    """Say why in a few words: the collision it settles, or who changed the field."""
    settled = [item for item in merged.resolutions if item.winner is not system]
    return settled[0].verdict.because if settled else f"changed in {system.other}"
