"""What becomes of a link: matching on first sight, promotion, conversion, merge, deletion, filter. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal, TypeAlias

import attrs

from mkdyn.domain.directions import Direction
from mkdyn.domain.entities import AnyEntity, Entity, is_person
from mkdyn.domain.fields import FieldPair, PairState
from mkdyn.domain.filters import Passage
from mkdyn.domain.merged import agreed_on
from mkdyn.domain.records import Agreed, Baseline, LinkState, Twofold
from mkdyn.domain.rules import Rules
from mkdyn.domain.systems import System
from mkdyn.domain.values import MISSING, Missing, Shown, Values, same


@attrs.frozen(kw_only=True)
class Candidate:
    """A record that could be the counterpart.

    Attributes:
        key: Its key.
        linked: Whether a live link has it already.
        ours: Whether we created it ourselves from a record of the other system.
        buried: Whether its counterpart was deleted, so that it stands for nothing any more.
    """

    key: str
    linked: bool = False
    ours: bool = False
    buried: bool = False


@attrs.frozen(kw_only=True)
class LinkTo:
    """There is exactly one counterpart."""

    key: str
    by: Literal["id", "key"]


@attrs.frozen
class CreateNew:
    """There is none."""


@attrs.frozen(kw_only=True)
class Ambiguous:
    """Several could be meant, or the one there is belongs to another.

    Attributes:
        candidates: Keys on the other system.
        rivals: Further records of this system that claim the same.
    """

    candidates: tuple[str, ...]
    rivals: tuple[str, ...] = ()


MatchDecision: TypeAlias = LinkTo | CreateNew | Ambiguous


def match(by_id: Sequence[Candidate], by_key: Sequence[Candidate], rivals: Sequence[str]) -> MatchDecision:
    """Decide what an unlinked record's counterpart is.

    The answer does not depend on the order in which records are seen, nor on how far an
    interrupted run came: counterparts that we created ourselves from other records are
    no reason for doubt, those that existed before are.

    Args:
        by_id: Records of the other system that carry this record's GUID.
        by_key: Records of the other system with the same match key.
        rivals: Other unlinked records of this system with the same match key.
    """
    free = [candidate.key for candidate in by_id if not candidate.linked]
    if len(free) == 1:
        return LinkTo(key=free[0], by="id")
    if free:
        return Ambiguous(candidates=tuple(sorted(free)))
    if by_id:
        return Ambiguous(candidates=tuple(sorted(candidate.key for candidate in by_id)))
    independent = [candidate for candidate in by_key if not candidate.ours and not candidate.buried]
    if not independent:
        return CreateNew()
    unlinked = [candidate.key for candidate in independent if not candidate.linked]
    if len(unlinked) == 1 and len(independent) == 1 and not rivals:
        return LinkTo(key=unlinked[0], by="key")
    return Ambiguous(candidates=tuple(sorted(candidate.key for candidate in independent)), rivals=tuple(sorted(rivals)))


#: Dynamics columns that say what became of a row, by entity: they are read beside those that sync.
TELLING: Final[Mapping[Entity, Sequence[str]]] = {
    Entity.LEAD: ("statecode", "parentcontactid", "masterid"),
    Entity.CONTACT: ("originatingleadid", "masterid"),
    Entity.ACCOUNT: ("masterid",),
}

_QUALIFIED: Final = 1


def is_qualified(lead: Values) -> bool:
    """Whether a lead was qualified: it is read-only, and its person follows the contact that it became."""
    return lead.get("statecode") == _QUALIFIED


def converted(
    baseline: Baseline, leads: Iterable[FieldPair], contacts: Iterable[FieldPair], contact: Values
) -> dict[str, Agreed]:
    """Return a lead's baseline as its contact goes on with it.

    What both showed of a Marketo field when they last agreed still holds, so that an edit made meanwhile in either
    system is seen as one. A field that the new contact does not have is no clear: it goes without a baseline, and
    is filled.

    Args:
        baseline: The lead's.
        leads: The pairs of leads.
        contacts: The pairs of contacts.
        contact: What the contact shows.
    """
    by_marketo = {pair.marketo: pair for pair in leads}
    found: dict[str, Agreed] = {}
    for pair in contacts:
        source = by_marketo.get(pair.marketo)
        if source is None or source.key not in baseline or pair.state is PairState.BACKFILLING:
            continue
        was = baseline[source.key]
        was_d, was_m = (was.dynamics, was.marketo) if isinstance(was, Twofold) else (was, was)
        shown: Shown = contact.get(pair.dynamics, MISSING)
        if isinstance(shown, Missing):
            shown = was_d
        empty = shown in (None, "", pair.lens.dynamics_default)
        if isinstance(was, Twofold) and same(was_d, was_m):
            found[pair.key] = was  # a merge filled it in: that is no more the contact's than it was the lead's
        elif pair.direction is Direction.TO_MARKETO:  # what the contact shows is news, whatever the lead showed
            found[pair.key] = Twofold(was_d if shown is None else None, was_m)
        elif pair.lens.agree(shown, was_m):
            found[pair.key] = agreed_on(shown, was_m)
        elif not empty and pair.lens.agree(was_d, was_m):
            found[pair.key] = agreed_on(was_d, was_m)
    return found


def followed_on(baseline: Baseline, pairs: Iterable[FieldPair]) -> dict[str, Agreed]:
    """Return a baseline as the person goes on with it into whom its own was merged in Marketo.

    What that person shows counts as entered by who merged the two; but a boolean at its default was entered by
    nobody, so that such a field goes without a baseline: an opt-out survives.
    """
    defaults = {pair.key for pair in pairs if pair.lens.marketo_default is not None}
    return {key: was for key, was in baseline.items() if key not in defaults}


def filled_in(pairs: Iterable[FieldPair], baseline: Baseline, loser: Values) -> dict[str, Agreed]:
    """Return the baselines of a person into whom another one was merged, for the fields that Marketo filled in.

    That is no edit: what the row in Dynamics shows stands, and is written over it. So the baseline says that Marketo
    showed it already, and Dynamics something else.

    Args:
        pairs: The pairs of the person's entity.
        baseline: The person's, from before.
        loser: What the other person showed.
    """
    found: dict[str, Agreed] = {}
    for pair in pairs:
        value: Shown = loser.get(pair.marketo, MISSING)
        was = baseline.get(pair.key, MISSING)
        was_d, was_m = (was.dynamics, was.marketo) if isinstance(was, Twofold) else (was, was)
        if value in (None, "", MISSING) or was_m is not None or isinstance(was_d, Missing):
            continue
        other = value if was_d is None else None
        found[pair.key] = Twofold(other, value)
    return found


def emptied(pairs: Iterable[FieldPair], baseline: Baseline, winner: Values, loser: Values) -> set[str]:
    """Return the Marketo fields that somebody emptied of a person, and that a merge would fill in.

    Args:
        pairs: The pairs of the person's entity.
        baseline: The person's.
        winner: What it shows.
        loser: What the person shows that is to be merged into it.
    """
    found: set[str] = set()
    for pair in pairs:
        was = baseline.get(pair.key)
        was_m = was.marketo if isinstance(was, Twofold) else was
        empty = winner.get(pair.marketo, MISSING) in (None, "")
        if empty and was_m not in (None, "") and loser.get(pair.marketo) not in (None, ""):
            found.add(pair.marketo)
    return found


#: What a deletion asks for on the other system.
Farewell: TypeAlias = Literal["nothing", "flag", "delete"]


def deleted_in_dynamics(entity: AnyEntity, rules: Rules) -> Farewell:
    """Return what becomes of the Marketo record of a deleted Dynamics row."""
    if is_person(entity):
        return "nothing" if rules.person_deleted_in_dynamics == "ignore" else rules.person_deleted_in_dynamics
    if entity is Entity.USER or rules.other_deleted_in_dynamics == "ignore":
        return "nothing"  # a sales person is kept: its people still name it
    return "delete"


#: What a filter asks for when a linked row is seen.
AtGate: TypeAlias = Literal["go on", "leave", "return", "rest"]

_AT_GATE: Final[Mapping[LinkState, Mapping[Passage, AtGate]]] = {
    LinkState.LIVE: {"in": "go on", "out": "leave", "unknown": "go on"},
    LinkState.SUSPENDED: {"in": "go on", "out": "leave", "unknown": "go on"},
    LinkState.FROZEN: {"in": "return", "out": "rest", "unknown": "rest"},
    LinkState.TOMBSTONE: {"in": "go on", "out": "rest", "unknown": "rest"},
}


def at_gate(state: LinkState, passage: Passage) -> AtGate:
    """Return what becomes of a link whose row was seen, given whether the row passes the filter.

    Where nobody can say, what syncs goes on, and what does not stays as it is.
    """
    return _AT_GATE[state][passage]


#: What an observation of a record asks for, by what its link's state is.
Reawakening: TypeAlias = Literal["merge", "revive", "recreate", "report", "rest"]


def seen_again(state: LinkState, gone: System | None, seen: System, rules: Rules) -> Reawakening:
    """Return what to do when *seen* shows a record of a link.

    A live link is merged. The record that was missing or deleted is back: the link revives.
    The other record of a buried link was edited: rest, unless the rules bring persons back.
    """
    if state is LinkState.LIVE:
        return "merge"
    if gone is seen:
        return "revive"
    if state is LinkState.SUSPENDED:
        return "report"
    if state is LinkState.FROZEN:
        return "rest"
    if seen is System.DYNAMICS:
        return "recreate" if rules.person_deleted_in_marketo == "recreate" else "report"
    return "rest"
