"""Records of a link that are deleted, missing, or back again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Final, assert_never

import attrs

from mkdyn.domain.holds import Quarantined, Wake
from mkdyn.domain.lifecycle import PART, SEEN_AGAIN, deleted_in_dynamics
from mkdyn.domain.making import maker
from mkdyn.domain.plan import Operation, Step
from mkdyn.domain.records import Echo, Link, LinkState
from mkdyn.domain.systems import System
from mkdyn.engine.claims import claimed_twice, is_taken
from mkdyn.engine.kinds import Kind
from mkdyn.engine.ledger import Ledger, clears
from mkdyn.engine.session import Session
from mkdyn.ports.store import Observation

#: Why a record is kept back that one of the systems does not show.
UNSEEN: Final = ("missing", "deleted-in-marketo")


@attrs.define(kw_only=True, eq=False)
class Subject:
    """A linked record about to be decided.

    Attributes:
        kind: Its entity.
        link: Its link.
        row: What Dynamics brought of it.
        person: What Marketo brought of it.
        revived: Whether its deleted row is back.
        unflagged: Whether its person is to be told that it is not gone, after all.
        awakened: Whether it was suspended or buried until now: then both systems are read.
        held: Whether it is kept back, or a field of it: then its baseline does not say what Marketo shows.
    """

    kind: Kind
    link: Link
    row: Observation | None
    person: Observation | None
    revived: bool = False
    unflagged: bool = False
    awakened: bool = False
    held: bool = False


make_subject: Callable[..., Subject] = maker(Subject)


def is_deletion(subject: Subject) -> bool:
    """Whether either system says that its record was deleted."""
    row, person = subject.row, subject.person
    return (row is not None and row.deleted) or (person is not None and person.deleted)


def spoken_for(session: Session, subject: Subject) -> Observation | None:
    """Return what Marketo's feed brought of a record that is set aside, unless Marketo may not show it yet.

    Should the record come back before it does, what the feed named tells that Marketo's values are not the last word.
    """
    person = subject.person
    if person is None or person.deleted or not person.evidence:
        return person
    delay = timedelta(seconds=session.identities[System.MARKETO].settles_after_s)
    return None if (person.seen_at or session.now()) + delay > session.now() else person


def unconfirmed_after_rest(link: Link, person: Observation | None) -> Mapping[str, tuple[Echo, ...]]:
    """Return the unconfirmed writes of a record that was out of the filter, as it goes on.

    What the feed told meanwhile is over: what Marketo shows is no answer to a write from before that.
    """
    rested = link.state is LinkState.FROZEN and not (person is not None and person.evidence)
    return {} if rested else link.echoes


def part_from(session: Session, subject: Subject, ledger: Ledger) -> None:
    """Follow a deletion: a tombstone, and what the rules want done to the other record."""
    kind, link = subject.kind, subject.link
    gone_in_dynamics = subject.row is not None and subject.row.deleted
    gone_in_marketo = subject.person is not None and subject.person.deleted
    ours = link.state is LinkState.FROZEN and link.gone is System.MARKETO  # we deleted it, when its row left the filter
    parting = PART(link.state, ours, "Dynamics" if not gone_in_marketo else "both" if gone_in_dynamics else "Marketo")
    if parting == "rest":
        ledger.clear(subject.row, spoken_for(session, subject))
        return
    farewell = deleted_in_dynamics(kind.entity, session.rules)
    if parting == "bury" or farewell == "nothing":
        gone = System.MARKETO if gone_in_marketo else System.DYNAMICS
        ledger.links.append(_buried(session, link, gone))
        ledger.at_rest.append((kind.entity, link.dynamics))
        ledger.clear(subject.row, spoken_for(session, subject))
        return
    flagged = farewell == "flag"
    ledger.operations.append(
        Operation(
            link=link.id, entity=kind.entity, system=System.MARKETO,
            kind="update" if flagged else "delete", key=link.marketo, other=link.dynamics,
            before={session.rules.deleted_field: False} if flagged else {},
            after={session.rules.deleted_field: True} if flagged else {},
            because="deleted in Dynamics",
            step=Step(
                state=LinkState.TOMBSTONE, gone=System.DYNAMICS,
                clears=clears(subject.row, spoken_for(session, subject)),
            ),
        )
    )  # fmt: skip


def _buried(session: Session, link: Link, gone: System) -> Link:
    return attrs.evolve(link, state=LinkState.TOMBSTONE, gone=gone, since=session.started_at, version=None)


def meet_again(
    session: Session, subject: Subject, ledger: Ledger, living: list[Subject], reborn: list[Observation]
) -> None:
    """Decide a record of a link that is suspended or buried."""
    link = subject.link
    seen = System.DYNAMICS if subject.row is not None else System.MARKETO
    if link.gone is System.MARKETO and subject.person is not None:
        seen = System.MARKETO
    awakening = SEEN_AGAIN(link.state, link.gone, seen, session.rules.person_deleted_in_marketo)
    match awakening:
        case "merge" | "revive":
            if link.state is LinkState.TOMBSTONE and (
                is_taken(session, subject.kind, link) or any(link.marketo == other.link.marketo for other in living)
            ):
                ledger.kept_back.append(claimed_twice(subject.kind, link))
                ledger.clear(subject.row, subject.person)
                return
            subject.revived = link.state is LinkState.TOMBSTONE
            subject.awakened = True
            subject.link = attrs.evolve(link, state=LinkState.LIVE, gone=None, version=None)
            if subject.revived:  # nobody has listened meanwhile; and what was held is not held any more
                subject.link = attrs.evolve(subject.link, echoes={}, baseline=subject.kind.agreeing(link.baseline))
            living.append(subject)
        case "recreate":
            reborn += [item for item in (subject.row,) if item is not None]
        case "report":
            ledger.kept_back.append(_unreachable(subject))
            told = (subject.row, subject.person)
            ledger.clear(*(told if link.state is LinkState.TOMBSTONE else map(_spent, told)))
        case "rest":
            ledger.clear(subject.row, spoken_for(session, subject))
        case _:
            assert_never(awakening)


def _unreachable(subject: Subject) -> Quarantined:
    link, gone = subject.link, subject.link.gone or System.MARKETO
    if link.state is LinkState.TOMBSTONE:
        return Quarantined(
            entity=subject.kind.entity, key=link.dynamics, code="deleted-in-marketo", wake=Wake.PERSON,
            reason=f"edited in Dynamics, but person {link.marketo} was deleted in Marketo and stays deleted. "
            "Delete it in Dynamics, too, or set person_deleted_in_marketo to recreate.",
        )  # fmt: skip
    return Quarantined(
        entity=subject.kind.entity, key=link.dynamics, code="missing", wake=Wake.DATE,
        reason=f"{gone} does not show its record. It is looked for again; check the sync user's rights.",
    )  # fmt: skip


def _spent(item: Observation | None) -> Observation | None:
    """Return an observation, unless it proves something: that is needed when the record is seen again."""
    return None if item is not None and (item.evidence or item.doubtful) else item


def suspend(session: Session, subject: Subject, gone: System, ledger: Ledger) -> None:
    """Set a link aside whose record can't be read: absence proves nothing."""
    link = attrs.evolve(
        subject.link, state=LinkState.SUSPENDED, gone=gone, since=subject.link.since or session.started_at, version=None
    )
    ledger.links.append(link)
    ledger.kept_back.append(_unreachable(attrs.evolve(subject, link=link)))
    ledger.clear(_spent(subject.row), _spent(subject.person))
    session.tally(subject.kind.entity, gone).gone += 1
