"""What is known of a linked record: what both systems show, as far as it can be vouched for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import timedelta

import attrs

from mkdyn.domain.directions import Direction
from mkdyn.domain.evidence import Proof, explained, given_up_at, prove, refused
from mkdyn.domain.feeds import Evidence
from mkdyn.domain.holds import Hold, Quarantined
from mkdyn.domain.lenses.lens import Unfit
from mkdyn.domain.making import maker
from mkdyn.domain.merged import agreed_on
from mkdyn.domain.records import Agreed, Baseline, Link, Record, Twofold
from mkdyn.domain.systems import System
from mkdyn.domain.values import MISSING, FieldValue, Missing, Shown, Values, same
from mkdyn.engine.kinds import Kind
from mkdyn.engine.parting import Subject
from mkdyn.engine.session import Session


def too_early(session: Session, subject: Subject, person: Record, held: Collection[str]) -> bool:
    """Whether Marketo shows something that neither its feed, our own writes nor the baseline explain, yet.

    Values may lag behind the feed, and the feed behind the values; within the time that
    Marketo takes for that, the record is left for the next run. So it is where the feed
    was not read to its end: then the time that has passed proves nothing.

    Args:
        session: The run.
        subject: The linked record.
        person: What Marketo shows of it.
        held: Dynamics fields that are held: what Marketo shows of them is known to differ from the baseline.
    """
    kind, echoes = subject.kind, subject.link.echoes
    delay = timedelta(seconds=session.identities[System.MARKETO].settles_after_s)
    if not kind.person or not (delay or session.unheard):
        return False
    evidence = subject.person.evidence if subject.person is not None else ()
    since = [item.seen_at or session.now() for item in (subject.person or subject.row,) if item is not None]
    named = {item.field for item in evidence}
    doubtful = _doubtful(subject)
    agreed = kind.as_agreed(subject.link, System.MARKETO)
    for pair in kind.pairs:
        value: Shown = person.values.get(pair.marketo, MISSING)
        if isinstance(value, Missing):
            continue
        if pair.marketo in named or pair.marketo in echoes:
            known = explained(pair.marketo, value, echoes, evidence)
        else:
            known = pair.dynamics in held or pair.marketo not in agreed or same(value, agreed[pair.marketo])
            known = known and pair.key not in doubtful  # a lagging value may be that of a baseline that lags, too
        sent = given_up_at(pair.marketo, value, echoes)  # it was waited for already
        told = [sent] if sent else [*since, *(echo.at for echo in echoes.get(pair.marketo, ()) if echo.at is not None)]
        if not known and (session.unheard or any(at + delay > session.now() for at in told)):
            return True
    return False


def postpone(session: Session, subject: Subject) -> None:
    """Leave a record for the next run, which reads its person anew; from when on, is remembered."""
    before = subject.person or subject.row
    assert before is not None  # nothing is decided that nobody observed
    record = before.record if before.system is System.DYNAMICS else None
    later = attrs.evolve(before, record=record, seen_at=before.seen_at or session.started_at)
    if later != before:
        with session.store.transaction():
            session.store.observe([later])


@attrs.frozen(kw_only=True, eq=False)
class Seen:
    """What is known of a linked record.

    Attributes:
        shown: What each system shows, as far as it can be vouched for.
        baseline: What both showed when they last agreed, or what Marketo made of our last write.
        version: The Dynamics version of what is shown.
        amended: Whether the baseline is not the one that is kept, by what the feed proves.
        doubtful: Pairs of which nobody knows whether our last write arrived.
        proof: What Marketo's feed proves.
        holds: Marketo's own answers to our writes, which are no edits.
        postponed: Whether an edit in Marketo waits for a backfill to end.
        partial: Whether the row did not show a field that syncs, so that its version vouches for nothing.
    """

    shown: Mapping[System, Values]
    baseline: Baseline
    version: str | None
    amended: bool
    doubtful: Collection[str]
    proof: Proof
    holds: Sequence[Hold]
    postponed: bool
    partial: bool


make_seen: Callable[..., Seen] = maker(Seen)


def see(
    subject: Subject, row: Record | None, person: Record | None, standing: Sequence[Hold | Quarantined] = ()
) -> Seen:
    """Bring together what both systems show; a system that nobody observed or read shows what it last agreed on.

    Args:
        subject: The linked record.
        row: What Dynamics shows of it.
        person: What Marketo shows of it.
        standing: What is kept back of it.
    """
    kind, link = subject.kind, subject.link
    evidence = subject.person.evidence if subject.person is not None else ()
    proof = prove(evidence, link.echoes)
    shown = kind.as_agreed(link, System.MARKETO) if person is None else dict(person.values)
    for name, ours in proof.standing.items():
        known = name in kind.by_marketo or name in kind.strange  # else it is a field of the lead that this was
        if known and not same(shown.get(name, MISSING), ours):
            proof.overwritten.pop(name, None)  # somebody came after us
    doubtful = _doubtful(subject)
    if kind.late or proof.arrived:
        doubtful |= _named_late(kind, link, proof) | _put_back(kind, link, proof, shown)
    baseline = dict(link.baseline.items())  # a mapping that is copied whole is asked for each name
    amended = _arrived(subject, row, proof) if proof.arrived and row is not None else dict[str, Agreed]()
    if standing and proof.edited:
        amended |= _contradicted(kind, link, proof, shown, standing)
    if amended:
        baseline.update(amended)
        doubtful -= amended.keys()
    answers = _answered(subject, baseline, shown, proof, evidence, doubtful) if person is not None else []
    waiting = _waiting(kind, evidence, proof, baseline)
    for name in waiting:
        shown.pop(name, None)
    return make_seen(
        shown={
            System.MARKETO: shown,
            System.DYNAMICS: row.values if row is not None else kind.as_agreed(link, System.DYNAMICS),
        },
        baseline=baseline,
        version=row.version if row is not None else link.version,
        amended=bool(amended),
        doubtful=doubtful,
        proof=proof,
        holds=[
            *answers,
            *[hold_answer(subject, name, "overwritten") for name in proof.lost if name in kind.by_marketo],
        ],
        postponed=bool(waiting or _parked(kind, link, baseline, shown)),
        partial=row is not None and not kind.shown_whole(row),
    )


def _doubtful(subject: Subject) -> set[str]:
    """Return the pairs of which nobody knows whether our last write arrived."""
    row, person = subject.row, subject.person
    return {*(row.doubtful if row is not None else ()), *(person.doubtful if person is not None else ())}


def _named_late(kind: Kind, link: Link, proof: Proof) -> set[str]:
    """Return the pairs that a backfill passed by and somebody edited in Marketo since: both count as changed."""
    return {
        pair.key
        for pair in kind.late
        if pair.key not in link.baseline and pair.marketo in (proof.edited | proof.overwritten.keys())
    }


def _contradicted(
    kind: Kind, link: Link, proof: Proof, shown: Values, standing: Sequence[Hold | Quarantined]
) -> dict[str, Agreed]:
    """Return what our writes left where that was held as Marketo's answer, and the feed names an edit instead."""
    answers = {item.field for item in standing if isinstance(item, Hold) and item.code in ANSWERS}
    found: dict[str, Agreed] = {}
    for pair in kind.pairs:
        was = link.baseline.get(pair.key, MISSING) if pair.dynamics in answers else MISSING
        if isinstance(was, Missing) or pair.marketo not in proof.edited:
            continue
        was_d, was_m = (was.dynamics, was.marketo) if isinstance(was, Twofold) else (was, was)
        wrote = pair.lens.to_marketo(was_d)
        if same(shown.get(pair.marketo, MISSING), was_m) and not isinstance(wrote, Unfit):
            found[pair.key] = agreed_on(was_d, wrote)
    return found


def _arrived(subject: Subject, row: Record, proof: Proof) -> dict[str, Agreed]:
    """Return what both agreed on by a write of ours that was in doubt and arrived, whatever was done in Marketo since."""
    doubtful = subject.person.doubtful if subject.person is not None else ()
    both: dict[str, Agreed] = {}
    for name, ours in proof.arrived.items():
        pair = subject.kind.by_marketo.get(name)
        if pair is None or pair.key not in doubtful or (subject.row is not None and pair.key in subject.row.doubtful):
            continue
        theirs = row.values.get(pair.dynamics, MISSING)
        if not isinstance(theirs, Missing) and pair.lens.agree(theirs, ours):
            both[pair.key] = agreed_on(theirs, ours)
    return both


def _put_back(kind: Kind, link: Link, proof: Proof, shown: Values) -> set[str]:
    """Return the pairs whose agreed value somebody entered again, over a write of ours that no baseline follows."""
    names = proof.arrived.keys() - proof.standing.keys()
    if not names:
        return set()
    agreed = kind.as_agreed(link, System.MARKETO)
    return {
        kind.by_marketo[name].key
        for name in names
        if name in kind.by_marketo and name in agreed and same(shown.get(name, MISSING), agreed[name])
    }


def _waiting(kind: Kind, evidence: Sequence[Evidence], proof: Proof, baseline: Baseline) -> Sequence[str]:
    """Return the fields that were edited in Marketo before their backfill came by: the edits wait."""
    if not kind.backfilling:
        return ()
    named = {item.field for item in evidence} - proof.overwritten.keys()
    return [pair.marketo for pair in kind.backfilling if pair.marketo in named and pair.key not in baseline]


def _parked(kind: Kind, link: Link, baseline: Baseline, shown: Values) -> Sequence[str]:
    """Return the fields that are refreshed already and were edited in Marketo since: the edits wait, too."""
    if not kind.backfilling:
        return ()
    agreed = kind.as_agreed(attrs.evolve(link, baseline=baseline), System.MARKETO)
    return [
        pair.marketo
        for pair in kind.backfilling
        if pair.direction is Direction.BOTH
        and pair.key in baseline
        and not same(shown.get(pair.marketo, agreed[pair.marketo]), agreed[pair.marketo])
    ]


def _answered(
    subject: Subject,
    baseline: dict[str, Agreed],
    shown: Mapping[str, FieldValue],
    proof: Proof,
    evidence: Sequence[Evidence],
    doubtful: Collection[str],
) -> list[Hold]:
    """Tell Marketo's own answers to our last writes from edits.

    What it made of a write is held, and is what a later edit differs from: *baseline* becomes that. A write that may
    never have arrived has no answer.
    """
    kind = subject.kind
    holds: list[Hold] = []
    for name in list(proof.echoes):
        value: Shown = shown.get(name, MISSING)
        if isinstance(value, Missing) or name not in kind.by_marketo:
            continue
        answer = refused(name, value, proof.echoes, evidence)
        pair = kind.by_marketo[name]
        if answer is None or pair.key not in baseline or pair.key in doubtful:
            continue
        was = baseline[pair.key]
        baseline[pair.key] = agreed_on(was.dynamics if isinstance(was, Twofold) else was, value)
        del proof.echoes[name]
        holds.append(hold_answer(subject, name, answer))
    return holds


ANSWERS = {
    "blocked": "Marketo kept its own value over ours: updates of this field are blocked. Allow API updates of {field}.",
    "rewritten": "Marketo stored something else than we wrote. Make {field} take the value as it is, or deselect it.",
    "overwritten": "an edit made in the instant of our write can't be read back. Look it up in the activity log, {field}.",
}


def hold_answer(subject: Subject, name: str, code: str) -> Hold:
    """Return the hold of a Marketo field that shows what Marketo made of our write."""
    pair = subject.kind.by_marketo[name]
    return Hold(
        entity=subject.kind.entity, key=subject.link.dynamics, field=pair.dynamics, code=code,
        reason=ANSWERS[code].format(field=f"{name} of person {subject.link.marketo}"),
    )  # fmt: skip
