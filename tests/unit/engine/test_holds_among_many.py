"""Of many records three have a value that does not fit: three fields wait, and nothing else does.

MKDYN_RECORDS=10000 makes it as large as the promise is told; the default is a tenth.
"""

from __future__ import annotations

import os
import random
from collections.abc import Mapping, Sequence
from typing import Final

import attrs
import pytest

from mkdyn import Entity, NewField, Pick, Report, Rules
from mkdyn.domain import FieldSpec, FieldValue, Guards, Link
from tests.unit.engine.world import World

pytestmark = pytest.mark.anyio

RECORDS = int(os.environ.get("MKDYN_RECORDS", "1000"))
NOTE = FieldSpec(name="new_note", type="text", length=10, label="Note")
RATING = FieldSpec(name="new_rating", type="choice", choices={1: "Hot", 2: "Cold"}, label="Rating")
SHARE = FieldSpec(name="new_share", type="integer", minimum=0, maximum=100, label="Share")

#: What does not fit, by the Marketo field that it is typed into; and the hold's word for it.
BAD: Final[Mapping[str, tuple[FieldValue, str]]] = {
    "note": ("far too long", "too-long"),
    "rating": ("Lukewarm", "no-choice"),
    "share": (101, "out-of-range"),
}
#: In which fields both systems are to agree, by both names.
NAMES: Final = {"lastname": "lastName", "jobtitle": "title", **{f"new_{name}": name for name in BAD}}


async def _populated() -> tuple[World, Sequence[Link]]:
    """Return two systems in agreement, and the links."""
    world = World(rules=Rules(guards=Guards(overwrites_share_max=1.0)))
    for column in (NOTE, RATING, SHARE):
        world.dynamics.add_column("lead", column)
    await world.sync.fields.select(
        Pick(Entity.LEAD, "lastname"),
        Pick(Entity.LEAD, "jobtitle"),
        *(Pick(Entity.LEAD, column.name, marketo=NewField(column.label)) for column in (NOTE, RATING, SHARE)),
    )
    for number in range(RECORDS):
        world.dynamics.create(
            "lead", lastname=f"A{number}", new_note=f"n{number}", new_rating=1 + number % 2, new_share=number % 101
        )
    assert (await world.rest(2)).ended == "done"
    return world, world.live(Entity.LEAD)


def _differing(world: World, links: Sequence[Link]) -> set[tuple[str, str]]:
    """Return in which fields the two systems show something else, by the row's GUID."""
    labels = {1: "Hot", 2: "Cold", 3: "Lukewarm", None: None}
    found: set[tuple[str, str]] = set()
    for link in links:
        row, person = world.row(link), world.person(link)
        shown = {**row, "new_rating": labels[row["new_rating"]]}  # type: ignore[index]  # a choice
        found |= {(link.dynamics, name) for name, other in NAMES.items() if shown[name] != person[other]}
    return found


def _held(report: Report) -> set[tuple[str, str, str]]:
    return {(hold.key, hold.field, hold.code) for hold in report.holds}


async def test_three_values_that_do_not_fit_hold_three_fields_and_are_released() -> None:
    """Everybody is edited, in one system or the other; each cause that is put right frees its field in the next run."""
    world, links = await _populated()
    bad = dict(zip(BAD, random.Random(7).sample(links, 3), strict=True))
    for number, link in enumerate(links):
        if number % 2 and link not in bad.values():
            world.dynamics.edit("lead", link.dynamics, jobtitle=f"J{number}", new_share=number % 7)
        else:
            world.marketo.edit("lead", link.marketo, title=f"T{number}", lastName=f"B{number}")
    for name, link in bad.items():
        world.marketo.edit("lead", link.marketo, **{name: BAD[name][0]})

    report = await world.run()
    due = {(link.dynamics, f"new_{name}", BAD[name][1]) for name, link in bad.items()}
    assert (report.ended, report.exit_code, report.holds.total) == ("warnings", 1, 3)
    assert _held(report) == due
    assert _differing(world, links) == {(key, field) for key, field, _ in due}
    titles = {world.row(link)["jobtitle"] for link in links}
    assert (report.quarantined.total, len(titles), None in titles) == (0, RECORDS, False)
    again = await world.run()
    assert (_held(again), again.operations.total) == (due, 0)

    async def column(spec: FieldSpec, **changes: object) -> None:
        [there] = [found for found in await world.dynamics.describe("lead") if found.name == spec.name]
        world.dynamics.add_column("lead", attrs.evolve(there, **changes))

    await column(NOTE, length=40)
    report = await world.run()
    assert _held(report) == {item for item in due if item[1] != "new_note"}
    await column(RATING, choices={1: "Hot", 2: "Cold", 3: "Lukewarm"})
    report = await world.run()
    assert _held(report) == {item for item in due if item[1] == "new_share"}
    world.marketo.edit("lead", bad["share"].marketo, share=100)
    report = await world.run()
    assert (_held(report), _differing(world, links)) == (set(), set())
    assert (world.row(bad["note"])["new_note"], world.row(bad["rating"])["new_rating"]) == ("far too long", 3)
    assert (await world.run()).ended == "done"
