"""What a link goes on with when another record stands for one of its two: baselines, and what a merge fills in. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from mkdyn.domain.collisions import Collision, Resolution, Win
from mkdyn.domain.directions import Direction
from mkdyn.domain.entities import AnyEntity, Entity
from mkdyn.domain.fields import FieldPair, PairState
from mkdyn.domain.merged import agreed_on
from mkdyn.domain.records import NOBODYS, Agreed, Baseline, Twofold
from mkdyn.domain.systems import System
from mkdyn.domain.values import MISSING, Missing, Shown, Values, same

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


def is_reopened(lead: Values) -> bool:
    """Whether a lead that became a contact is one no more: opened again, it is somebody new."""
    return lead.get("statecode", _QUALIFIED) != _QUALIFIED


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
        if isinstance(was, Twofold) and was.filled_in:
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


def filled_in(
    pairs: Iterable[FieldPair], baseline: Baseline, loser: Values, *, held: Collection[str] = ()
) -> dict[str, Agreed]:
    """Return the baselines of a person into whom another one was merged, for the fields that Marketo filled in.

    That is no edit: what the row in Dynamics shows stands, and is written over it. So the baseline says that Marketo
    showed it already, and Dynamics something that it can't show.

    Args:
        pairs: The pairs of the person's entity.
        baseline: The person's, from before.
        loser: What the other person showed.
        held: Dynamics fields that are held: one that both never agreed on has not come to Marketo yet.
    """
    found: dict[str, Agreed] = {}
    for pair in pairs:
        value = loser.get(pair.marketo)
        was = baseline.get(pair.key, MISSING)
        was_m = was.marketo if isinstance(was, Twofold) else was
        empty = pair.dynamics in held if isinstance(was_m, Missing) else was_m is None
        if empty and value is not None and value != "":
            found[pair.key] = Twofold(NOBODYS, value)
    return found


def left_behind(
    entity: AnyEntity, pairs: Iterable[FieldPair], baseline: Baseline, shown: Values, *, row: str, because: str
) -> list[Resolution]:
    """Return what was edited in Marketo of a person that goes by a merge, and that Dynamics does not have.

    Args:
        entity: Whose person.
        pairs: The pairs of the entity.
        baseline: The person's.
        shown: What it shows, or showed.
        row: The GUID of its row.
        because: Why that gives way.
    """
    found: list[Resolution] = []
    for pair in pairs:
        was, value = baseline.get(pair.key, MISSING), shown.get(pair.marketo, MISSING)
        if isinstance(was, Missing) or isinstance(value, Missing) or not pair.direction.writes(System.DYNAMICS):
            continue
        was_d, was_m = (was.dynamics, was.marketo) if isinstance(was, Twofold) else (was, was)
        if not same(value, was_m):
            stood = None if was_d == NOBODYS else was_d
            collision = Collision(entity=entity, field=pair.dynamics, was=was_m, marketo=value, dynamics=stood)
            found.append(
                Resolution(collision=collision, verdict=Win(System.DYNAMICS, because=because), key=row, kind="merged")
            )
    return found


def edited_since(pairs: Iterable[FieldPair], baseline: Baseline, winner: Values, loser: Values) -> set[str]:
    """Return the Marketo fields of a person that a merge would fill in for somebody emptied them, or not fill in any more.

    Those were empty when both systems last agreed, and somebody entered something.

    Args:
        pairs: The pairs of the person's entity.
        baseline: The person's.
        winner: What it shows.
        loser: What the person shows that is to be merged into it.
    """
    found: set[str] = set()
    for pair in pairs:
        was = baseline.get(pair.key, MISSING)
        was_m = was.marketo if isinstance(was, Twofold) else was
        now: Shown = winner.get(pair.marketo, MISSING)
        if isinstance(was_m, Missing) or isinstance(now, Missing) or loser.get(pair.marketo) in (None, ""):
            continue
        if (was_m in (None, "")) != (now in (None, "")):
            found.add(pair.marketo)
    return found
