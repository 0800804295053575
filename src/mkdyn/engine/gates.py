"""Which columns tell of more than a field's value: who became of a row what, and whether it syncs at all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import assert_never

import attrs

from mkdyn.domain.entities import Entity
from mkdyn.domain.evidence import prove
from mkdyn.domain.feeds import Cursor
from mkdyn.domain.fields import FieldSpec
from mkdyn.domain.filters import gate_of
from mkdyn.domain.lifecycle import ADMIT, AT_GATE, LEAVE, RETURN, TELLING
from mkdyn.domain.plan import Operation, Step
from mkdyn.domain.records import LinkState, Record
from mkdyn.domain.systems import System
from mkdyn.engine.amending import replaced
from mkdyn.engine.feeds import feed_name
from mkdyn.engine.kinds import Kind
from mkdyn.engine.ledger import Ledger, clears
from mkdyn.engine.parting import Subject, spoken_for, unconfirmed_after_rest
from mkdyn.engine.session import Session
from mkdyn.ports.observer import FilterPassed
from mkdyn.ports.store import Observation


def watched(session: Session, kind: Kind, columns: Mapping[str, FieldSpec]) -> Kind:
    """Return an entity with the columns that are read beside those that sync, and with its gate.

    A gate that is another one than in the run before has all rows read anew.

    Raises:
        ConfigError: A filter names a column that never was there, or compares it with what it can't hold.
    """
    store, rules, place = session.store, session.rules, f"{feed_name(System.DYNAMICS, kind.name)}:gate"
    before = store.cursor(place)
    known, _, words = ("", "", "") if before is None else before.token.partition(" ")
    gate = gate_of(
        kind.entity,
        rules.filters,
        columns,
        known=[name for name in known.split(",") if name],
        native=rules.native_filter,
    )
    telling = TELLING.get(kind.entity, ()) if isinstance(kind.entity, Entity) else ()
    readable = [name for name in telling if name in columns and columns[name].readable]
    if gate.blind:
        session.warn(
            f"the filter of {kind.entity.plural} can't be applied: {', '.join(gate.blind)} can't be read any more. "
            "Until it can, no row is let in, and those that sync go on"
        )
    elif str(gate) != words:
        looked_at = ",".join(sorted(gate.fields))
        with store.transaction():
            store.set_cursor(place, Cursor(token=f"{looked_at} {gate}", at=session.started_at))
            if known == looked_at:  # else the feed begins anew by itself: it is asked for other columns
                store.set_cursor(
                    f"{feed_name(System.DYNAMICS, kind.name)}:renew", Cursor(token="", at=session.started_at)
                )
    if gate == kind.gate and readable == list(kind.telling):
        return kind
    return attrs.evolve(kind, telling=readable, gate=gate)


def lets_in(kind: Kind, row: Record) -> bool:
    """Whether a row that is not linked yet may be; one that nobody can judge may not."""
    return ADMIT(kind.gate.passes(row.values)) == "meet"


def stays(session: Session, subject: Subject, ledger: Ledger, reborn: list[Observation]) -> bool:
    """Whether a linked record is to be decided; what leaves the filter, or stays out of it, is dealt with here.

    A row that is back and whose person we deleted goes to *reborn*.
    """
    kind, link, row = subject.kind, subject.link, subject.row
    if row is None or row.record is None:
        if link.state is LinkState.FROZEN:  # what somebody enters in Marketo meanwhile is found on the way back
            ledger.clear(row, _heard(session, subject, ledger))
        return link.state is not LinkState.FROZEN
    asked = AT_GATE(link.state, kind.gate.passes(row.record.values))
    match asked:
        case "go on":
            return True
        case "leave":
            _leave(session, subject, ledger)
        case "return":
            if RETURN(link.gone is System.MARKETO) == "create":
                ledger.links.append(attrs.evolve(link, state=LinkState.TOMBSTONE))
                reborn.append(row)
                return False
            echoes = unconfirmed_after_rest(link, subject.person)
            if echoes != link.echoes:
                link = attrs.evolve(link, echoes=echoes)
                ledger.links.append(link)
            agreed = kind.agreeing(link.baseline)  # what was held is not held any more
            subject.link = attrs.evolve(link, state=LinkState.LIVE, version=None, since=None, baseline=agreed)
            subject.awakened = True
            subject.unflagged = kind.person and session.rules.leaves_filter == "flag"
            _tell(session, subject, inward=True)
            return True
        case "rest":
            ledger.clear(row, _heard(session, subject, ledger))
        case _:
            assert_never(asked)
    return False


def _leave(session: Session, subject: Subject, ledger: Ledger) -> None:
    """Let a record rest as it is, or do with its person what the rules say."""
    kind, link, rules = subject.kind, subject.link, session.rules
    _tell(session, subject, inward=False)
    asked = LEAVE(kind.person, rules.leaves_filter)
    if asked != "freeze":
        flagged = asked == "flag"
        # A person that was missing before may be gone by somebody's hand: it is not made anew when the row is back.
        ours = not flagged and link.state is not LinkState.SUSPENDED
        ledger.operations.append(
            Operation(
                link=link.id, entity=kind.entity, system=System.MARKETO, kind="update" if flagged else "delete",
                key=link.marketo, other=link.dynamics, because="left the filter",
                before={rules.deleted_field: False} if flagged else {},
                after={rules.deleted_field: True} if flagged else {},
                step=Step(
                    state=LinkState.FROZEN, gone=System.MARKETO if ours else None,
                    clears=clears(subject.row, _heard(session, subject, ledger)),
                ),
            )
        )  # fmt: skip
        return
    ledger.links.append(attrs.evolve(link, state=LinkState.FROZEN, gone=None, version=None, since=session.started_at))
    ledger.at_rest.append((kind.entity, link.dynamics))
    ledger.clear(subject.row, _heard(session, subject, ledger))


def _heard(session: Session, subject: Subject, ledger: Ledger) -> Observation | None:
    """Return what is over of what Marketo's feed brought; which edits our writes replaced, nothing else tells later."""
    person = spoken_for(session, subject)
    if person is not None and person.evidence:
        proof = prove(person.evidence, subject.link.echoes)
        ledger.resolutions += replaced(session, subject, proof, elsewhere=False)
    return person


def _tell(session: Session, subject: Subject, *, inward: bool) -> None:
    if not session.sends:
        return
    session.moves["back in the filter" if inward else "out of the filter"] += 1
    session.tell(FilterPassed(run_id=session.id, object=subject.kind.name, row=subject.link.dynamics, inward=inward))
