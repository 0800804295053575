"""Records meet, become others, leave and go: the demo's story of records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import attrs

from mkdyn import Entity
from mkdyn.cli.demo.becoming import Cast, happenings
from mkdyn.cli.demo.edits import persons_of
from mkdyn.cli.demo.hands import Hands
from mkdyn.cli.demo.load import Loaded
from mkdyn.cli.demo.matched import NEWCOMERS, TWICE
from mkdyn.cli.demo.outcome import RecordsTold, Run
from mkdyn.cli.demo.runs import Course
from mkdyn.domain import System
from mkdyn.domain.filters import NATIVE
from mkdyn.domain.records import LinkState

_FORM: Final = "form@example.net"
_PROMOTED: Final = ("Vesna", "Novak", "vesna.novak@example.net")
_NAMES: Final = {"contact": ("firstname", "lastname"), "lead": ("firstname", "lastname"), "opportunity": ("name",)}


async def let_records_move(course: Course, hands: Hands, loaded: Loaded) -> RecordsTold:
    """Let people add, qualify, merge, filter out and delete records, and say what becomes of each.

    In a second run the one that was filtered out rests, whatever people do with it, and in a third it is back.
    """

    async def choose() -> Mapping[str, Any]:
        return attrs.asdict(await _choose(hands, loaded))

    async def act() -> str:
        return await _act(course, hands, cast)

    async def meet() -> Mapping[str, Any]:
        await course.run()
        return await _seen(course, cast)

    async def meanwhile() -> None:
        await _meanwhile(course, hands, cast)

    async def rest() -> None:
        await course.run()

    async def let_back() -> None:
        await hands.dynamics.edit("contact", {cast.filtered: {NATIVE: True}})

    async def go(_earlier: Sequence[Run]) -> None:
        await course.once("records met", meet)
        await course.once("meanwhile", meanwhile)
        await course.once("records rested", rest)
        await course.once("let back", let_back)
        await course.run()

    cast = Cast(**await course.once("cast", choose))
    cast = attrs.evolve(cast, contact=await course.once("records moved", act))
    chapter = await course.chapter("records", go)
    seen = await course.once("records met", meet)
    return RecordsTold(chapter=chapter, happenings=[each async for each in happenings(course.store, hands, cast, seen)])


async def _choose(hands: Hands, loaded: Loaded) -> Cast:
    """Say whose story it is, and make the two persons of it that come from Marketo."""
    lead = loaded.leads[-2]  # the last one was deleted before
    *_, loser, winner, twin, filtered, deleted, _last = loaded.contacts
    contacts = [loser, winner, twin, filtered, deleted]
    names = {newcomer.guid: newcomer.name for newcomer in NEWCOMERS}
    for table, keys in (("lead", [lead]), ("contact", contacts), ("opportunity", loaded.opportunities[-1:])):
        for row in await hands.dynamics.rows(table, _NAMES[table]):
            if row.key in keys:
                names[row.key] = " ".join(str(row.values[column]) for column in _NAMES[table])
    first, last, email = _PROMOTED
    return Cast(
        lead=lead,
        loser=loser,
        winner=winner,
        twin=twin,
        form=await hands.marketo.add(_FORM, title="Filled in a form"),
        filtered=filtered,
        deleted=deleted,
        deal=loaded.opportunities[-1],
        promoted=await hands.marketo.add(email, firstName=first, lastName=last),
        persons={
            **await persons_of(hands, Entity.LEAD, [lead]),
            **await persons_of(hands, Entity.CONTACT, contacts),
        },
        names=names,
    )


async def _act(course: Course, hands: Hands, cast: Cast) -> str:
    """Do everything of which the next run learns; return the contact that the lead has become."""
    marketo, dynamics = hands.marketo, hands.dynamics
    await marketo.edit("lead", {cast.persons[cast.lead]: {"title": "Decision maker"}})
    contact = await dynamics.qualify(cast.lead)
    await dynamics.merge("contact", cast.winner, cast.loser)
    await marketo.edit("lead", {cast.form: {"email": None}})  # the form did not ask for it
    await marketo.merge(cast.form, cast.persons[cast.twin])
    await dynamics.edit("contact", {cast.filtered: {NATIVE: False}})
    await dynamics.delete("contact", cast.deleted)
    await dynamics.delete("opportunity", cast.deal)
    await course.sync.promote(int(cast.promoted), to=Entity.LEAD)
    return contact


async def _seen(course: Course, cast: Cast) -> Mapping[str, Any]:
    """Return what can be seen now and not in the end: who is set aside, and who is out of the filter."""
    links = course.store.links(["contact"], System.DYNAMICS, [cast.filtered])
    return {
        "ambiguous": [item.key async for item in course.sync.journal.quarantine() if item.code == "ambiguous-match"],
        "left": [key for key, link in links.items() if link.state is LinkState.FROZEN],
    }


async def _meanwhile(course: Course, hands: Hands, cast: Cast) -> None:
    """Clear up who the ambiguous one is, and edit the one that is out of the filter."""
    [persons] = (await hands.marketo.persons("email", [TWICE.email])).values()
    for person in persons[1:]:
        await hands.marketo.merge(persons[0], person)
    aside = [item async for item in course.sync.journal.quarantine() if item.code == "ambiguous-match"]
    await course.sync.journal.release(*aside)
    await hands.marketo.edit("lead", {cast.persons[cast.filtered]: {"title": "Regional manager"}})
    await hands.dynamics.edit("contact", {cast.filtered: {"telephone1": "+1 907 555 0100"}})
