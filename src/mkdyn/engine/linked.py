"""Decide linked records: bring both systems' values together, merge, note what follows."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final

import attrs

from mkdyn.domain.evidence import Proof, confirmed_of
from mkdyn.domain.holds import Hold, Quarantined
from mkdyn.domain.lifecycle import deleted_in_dynamics
from mkdyn.domain.merged import Merged
from mkdyn.domain.plan import Operation, make_operation, make_step
from mkdyn.domain.records import Link, LinkState, Record
from mkdyn.domain.systems import System
from mkdyn.engine.amending import in_doubt, keep_refused, replaced, tell_of_late
from mkdyn.engine.conversion import HEIR
from mkdyn.engine.gates import stays
from mkdyn.engine.holding import released, still_apart
from mkdyn.engine.kinds import Kind
from mkdyn.engine.ledger import Ledger, clears
from mkdyn.engine.parting import Subject, is_deletion, meet_again, part_from, suspend
from mkdyn.engine.references import refer_merged
from mkdyn.engine.seeing import Seen, postpone, see, too_early
from mkdyn.engine.session import Session
from mkdyn.ports.store import Observation

_NOTHING: Final = frozenset[str]()
#: Why a system is written to, most of the time.
_CHANGED: Final = {system: f"changed in {system.other}" for system in System}


async def decide_linked(
    session: Session, kind: Kind, subjects: Sequence[Subject], ledger: Ledger
) -> Sequence[Observation]:
    """Decide linked records; return the rows that need a new Marketo record, because theirs was deleted."""
    reborn: list[Observation] = []
    living: list[Subject] = []
    for subject in subjects:
        if is_deletion(subject):
            part_from(session, subject, ledger)
        elif not stays(session, subject, ledger, reborn):
            continue
        elif subject.link.state is LinkState.LIVE:
            living.append(subject)
        else:
            meet_again(session, subject, ledger, living, reborn)
    standing = session.store.kept_back([subject.link.dynamics for subject in living])
    for subject in living:
        subject.held = subject.link.dynamics in standing
    rows, persons = await _read_missing(session, kind, living)
    for subject in living:
        if _is_reborn(session, subject, persons):
            reborn += [item for item in (subject.row,) if item is not None]
        else:
            _decide(session, subject, rows, persons, standing.get(subject.link.dynamics, ()), ledger)
    return reborn


def _is_reborn(session: Session, subject: Subject, persons: Mapping[str, Record]) -> bool:
    """Whether a row is back whose Marketo record is not: we deleted it, or merged it when the row was qualified.

    One that Marketo kept is merged like any other.
    """
    return (
        subject.revived
        and subject.link.marketo not in persons
        and (deleted_in_dynamics(subject.kind.entity, session.rules) == "delete" or _was_qualified(subject.row))
    )


def _was_qualified(row: Observation | None) -> bool:
    """Whether a row is a lead that is open again, and was a contact's: it is somebody new."""
    return row is not None and row.record is not None and bool(row.record.values.get(HEIR))


# -- the values of both systems ----------------------------------------------------------------------


async def _read_missing(
    session: Session, kind: Kind, subjects: Sequence[Subject]
) -> tuple[Mapping[str, Record], Mapping[str, Record]]:
    """Read what no feed brought and no baseline vouches for: two calls at the most."""
    rows = {subject.link.dynamics for subject in subjects if _needs_row(subject)}
    persons = {subject.link.marketo for subject in subjects if _needs_person(subject)}
    return (
        await session.dynamics.read(kind.name, sorted(rows), fields=kind.read_fields),
        await session.marketo.read(kind.object, sorted(persons), fields=kind.read_in(System.MARKETO)),
    )


def _needs_row(subject: Subject) -> bool:
    if subject.row is not None:
        return subject.row.record is None
    return subject.link.version is None or not _is_covered(subject)


def _needs_person(subject: Subject) -> bool:
    if subject.person is not None:
        return subject.person.record is None
    return subject.awakened or subject.held or not _is_covered(subject)


def _is_covered(subject: Subject) -> bool:
    """Whether a baseline says what a system shows that nobody observed."""
    return subject.kind.keys <= subject.link.baseline.keys()


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
    if row is None and _needs_row(subject):
        suspend(session, subject, System.DYNAMICS, ledger)
        return
    if person is None and _needs_person(subject):
        suspend(session, subject, System.MARKETO, ledger)
        return
    if session.unheard and any(pair.key not in link.baseline for pair in kind.backfilling):
        return  # a refresh replaces what Marketo shows, unless its feed names an edit: that must be heard first
    held = {item.field for item in standing if isinstance(item, Hold)} if standing else _NOTHING
    if person is not None and too_early(session, subject, person, held):
        postpone(session, subject)
        return
    seen = see(subject, row, person, standing)
    merged = kind.merger(
        baseline=seen.baseline,
        marketo=seen.shown[System.MARKETO],
        dynamics=seen.shown[System.DYNAMICS],
        doubtful=seen.doubtful,
        overwritten=seen.proof.overwritten,
        key=link.dynamics,
    )
    if seen.proof.arrived:
        tell_of_late(subject, seen, merged)
    if seen.proof.overwritten:
        merged.resolutions += replaced(session, subject, seen.proof, elsewhere=True)
    if standing:
        keep_refused(kind, merged, standing)
    if kind.refers:
        refer_merged(session, kind, link.dynamics, merged, seen.shown[System.MARKETO])
    if standing:
        merged.holds += still_apart(subject, seen, merged, standing)
        ledger.released += released(subject, seen, merged, standing)
    _note(session, subject, seen, merged, ledger)


# -- what follows ------------------------------------------------------------------------------------


def _note(session: Session, subject: Subject, seen: Seen, merged: Merged, ledger: Ledger) -> None:
    """Note a merge in the ledger: the link's facts now, the writes, and what they clear."""
    kind, link = subject.kind, subject.link
    if (subject.revived and kind.person) or subject.unflagged:
        flag = session.rules.deleted_field
        merged.to_marketo[flag] = False
        shown = {**seen.shown[System.MARKETO], flag: True}  # as we left it, so that a lost answer can be settled
        seen = attrs.evolve(seen, shown={**seen.shown, System.MARKETO: shown})
    for (
        name
    ) in kind.strange:  # a lead's GUID on the person of a contact: should the lead be reopened, it is somebody new
        if seen.shown[System.MARKETO].get(name) is not None:
            merged.to_marketo[name] = None
    writes = bool(merged.to_marketo) or bool(merged.to_dynamics)
    held = bool(merged.holds) or seen.postponed or seen.partial
    depends = subject.awakened and writes and not subject.revived
    depends |= bool(merged.to_dynamics) and _needs_person(subject)
    if (seen.postponed or depends) and subject.person is None:
        # The edit that waits, or is carried over, was found by reading: should it come to nothing this time, the
        # person must be read again.
        ledger.observed.append(Observation(system=System.MARKETO, object=kind.object, key=link.marketo))
    baseline = link.baseline  # as the store knows it
    if (merged.agreed or seen.holds or seen.amended) and (moved := {**seen.baseline, **merged.agreed}) != link.baseline:
        baseline = moved
    if lost := [key for key in seen.doubtful if key not in kind.keys and key in baseline]:
        baseline = in_doubt(session, subject, baseline, lost)
    echoes = link.echoes if writes else seen.proof.echoes
    version = None if held else link.version if writes else seen.version
    stands = link.since is None and version == link.version and echoes == link.echoes and baseline is link.baseline
    if subject.revived and writes:
        pass  # it stays buried until it is written: should that come to nothing, it is revived anew
    elif subject.revived or (subject.awakened and not writes) or not stands:
        ledger.links.append(attrs.evolve(link, baseline=baseline, echoes=echoes, since=None, version=version))
    ledger.resolutions += merged.resolutions
    ledger.kept_back += [*merged.holds, *seen.holds]
    if writes:
        ledger.operations += _operations(subject, seen, merged)
    else:
        ledger.clear(subject.row, None if seen.postponed else subject.person)


def _operations(subject: Subject, seen: Seen, merged: Merged) -> list[Operation]:
    """Return one write for each system that needs one.

    A field written to both at once (an overwritten edit put back) moves its baseline when both have it.
    """
    kind, link = subject.kind, subject.link
    person = None if seen.postponed else subject.person
    both = bool(merged.to_marketo and merged.to_dynamics)
    twice = _written_twice(kind, merged) if both else ()
    # What our write replaced is known by evidence alone: only Marketo's half deals with that.
    proved = both and not twice and not merged.to_marketo.keys().isdisjoint(seen.proof.overwritten)
    # That Marketo's half puts an edit back is known by evidence, too: it stays until that is done.
    kept = both and not twice and not proved and not merged.to_marketo.keys().isdisjoint(seen.proof.edited)
    operations: list[Operation] = []
    for system, after in ((System.MARKETO, merged.to_marketo), (System.DYNAMICS, merged.to_dynamics)):
        if not after:
            continue
        shown = seen.shown[system]
        pairs = kind.by_marketo if system is System.MARKETO else kind.by_dynamics
        names = [pairs[name].key for name in after if name in pairs]
        source = subject.row if system is System.MARKETO else person
        if twice:  # what the feed proved is needed until Marketo has its half
            source = person if system is System.MARKETO else subject.row
        elif proved:
            source = subject.row
        elif kept and system is System.DYNAMICS:
            source = None
        told = source is person or not both or (proved and system is System.MARKETO)
        # An edit that is put back for now follows no baseline: what the row shows beside it is yet to be decided.
        waits = any(key not in merged.awaited for key in names)
        operations.append(
            make_operation(
                link=link.id, entity=kind.entity, system=system, kind="update",
                key=link.key(system), other=link.key(system.other),
                before={name: shown[name] for name in after if name in shown}, after=after,
                awaited={key: merged.awaited[key] for key in names if key in merged.awaited and key not in twice},
                version=seen.version, because=_because(merged, system),
                step=make_step(
                    agreed=merged.agreed if subject.revived else {},
                    clears=clears(source) if both else clears(subject.row, person),
                    confirms=_confirmed(link, seen.proof, after if proved else None) if told else {},
                    covers=not (both or waits or merged.holds or seen.postponed or seen.partial),
                    heard=len(person.evidence) if person is not None and (told or kept) else 0,
                ),
            )
        )  # fmt: skip
    return operations


def _written_twice(kind: Kind, merged: Merged) -> Collection[str]:
    """Return the pairs that are written to both systems."""
    to_marketo = {kind.by_marketo[name].key for name in merged.to_marketo if name in kind.by_marketo}
    return to_marketo & {kind.by_dynamics[name].key for name in merged.to_dynamics}


def _confirmed(link: Link, proof: Proof, fields: Collection[str] | None) -> Mapping[str, Sequence[int]]:
    """Return which of the link's echoes the evidence confirmed, of all fields or of some."""
    places = confirmed_of(link.echoes, proof.echoes)
    return places if fields is None else {name: places[name] for name in places if name in fields}


def _because(merged: Merged, system: System) -> str:
    """Say why in a few words: the collision it settles, or who changed the field."""
    settled = [item for item in merged.resolutions if item.winner is not system]
    return settled[0].verdict.because if settled else _CHANGED[system]
