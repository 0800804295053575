"""Every two records that were ever one, and who goes on for whom."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import TypeAlias

from mkdyn.domain import LinkState
from mkdyn.domain.entities import PERSON
from mkdyn.domain.systems import System
from tests.simulation.log import Descent
from tests.simulation.world import World

#: An entity's logical name, a row's key, the Marketo record's.
Couple: TypeAlias = tuple[str, str, str]


def couples_of(world: World) -> Mapping[tuple[System, str, str], list[Couple]]:
    """Return every two records that were ever one, by each of them."""
    found: dict[Couple, None] = {(link.entity, link.dynamics, link.marketo): None for link in world.links(*LinkState)}
    found |= dict.fromkeys(sorted(world.log.linked))  # nobody need have written anything before the link moved on
    names = {entity.logical_name: entity.marketo_object for entity in world.entities}
    tables = {
        key: name for name in names for making in world.log.makings
        if making.system is System.DYNAMICS and making.object == name for key in (making.key,)
    }  # fmt: skip
    for change in world.log.changes:
        if change.ours and change.other is not None:
            system, name, key, _ = change.place
            row, person = (key, change.other) if system is System.DYNAMICS else (change.other, key)
            entity = name if system is System.DYNAMICS else tables.get(row)
            if entity is not None:
                found[entity, row, person] = None
    by_record: defaultdict[tuple[System, str, str], list[Couple]] = defaultdict(list)
    for couple in found:
        entity, row, person = couple
        by_record[System.DYNAMICS, entity, row].append(couple)
        by_record[System.MARKETO, names[entity], person].append(couple)
    return by_record


def forebears(descents: Sequence[Descent], couples: Collection[Couple]) -> Mapping[Couple, list[tuple[int, Couple]]]:
    """Return, by couple, those that it goes on for: what they agreed on was no edit any more; each with since when."""
    found: dict[Couple, list[tuple[int, Couple]]] = {}
    for couple in couples:
        reached: dict[Couple, int] = {couple: -1}
        unseen = [couple]
        while unseen:
            at = unseen.pop()
            for descent in descents:
                elder = _elder(at, descent)
                if elder is not None and elder not in reached:
                    reached[elder] = max(reached[at], descent.number)
                    unseen.append(elder)
        found[couple] = [(number, elder) for elder, number in reached.items() if elder != couple]
    return found


def _elder(couple: Couple, descent: Descent) -> Couple | None:
    """Return whom a couple goes on for by one descent, if it does."""
    entity, row, person = couple
    if descent.system is System.DYNAMICS:
        return (*descent.before, person) if descent.after == (entity, row) else None
    return (entity, row, descent.before[1]) if descent.after == (PERSON, person) else None
