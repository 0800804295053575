"""Records meet, become others, leave and go: the demo's story of records."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, TypeAlias

import attrs

from mkdyn import Entity, Report, Synchronizer, System
from mkdyn.cli.demo.load import Loaded
from mkdyn.cli.demo.outcome import Chapter, Happening, RecordsTold
from mkdyn.cli.demo.runs import run
from mkdyn.cli.demo.systems import Systems
from mkdyn.domain.plan import Operation
from mkdyn.domain.values import FieldValue
from mkdyn.ports.observer import Event, FilterPassed, LeadConverted, RecordsMerged
from mkdyn.testing import FakeDynamics, FakeMarketo

#: What tells that a record became another one, or left.
Moved: TypeAlias = LeadConverted | RecordsMerged | FilterPassed

#: What a person and a contact are called by, in each system.
_NAME: Final = {FakeMarketo: ("firstName", "lastName"), FakeDynamics: ("firstname", "lastname")}


@attrs.frozen
class Watch:
    """Hears what becomes of records.

    Attributes:
        events: What it heard, the oldest first.
    """

    events: list[Moved] = attrs.field(factory=list[Moved])

    def __call__(self, event: Event, /) -> None:
        """Keep what is about a record."""
        if isinstance(event, LeadConverted | RecordsMerged | FilterPassed):
            self.events.append(event)


async def let_records_move(sync: Synchronizer, systems: Systems, loaded: Loaded, watch: Watch) -> RecordsTold:
    """Let people add, qualify, merge, filter out and delete records, and say what becomes of each.

    In a second run the one that was filtered out rests, whatever people do with it, and in a third it is back.
    """
    marketo, dynamics = systems.marketo, systems.dynamics
    names = _names(systems)
    filtered = await _act(systems, loaded)
    rests = marketo.key_of("lead", dynamicsContactId=filtered)
    alike = _meet(systems)
    await sync.promote(int(marketo.create("lead", firstName="Vesna", lastName="Novak")), to=Entity.LEAD)
    names |= _names(systems)
    runs = [await run(sync)]
    await marketo.merge(alike[0], alike[1:])
    await sync.journal.release(*[item async for item in sync.journal.quarantine() if item.code == "ambiguous-match"])
    marketo.edit("lead", rests, title="Regional manager")
    dynamics.edit("contact", filtered, telephone1="+1 907 555 0100")
    runs.append(await run(sync))
    dynamics.edit("contact", filtered, new_synctomkto=True)
    runs.append(await run(sync))
    operations = [item for done in runs async for item in sync.journal.operations(done.report)]
    teller = _Telling(systems=systems, names=names, operations=operations)
    happenings = [*teller.meetings([done.report for done in runs]), *teller.moves(watch.events), *teller.deletions()]
    return RecordsTold(chapter=Chapter(name="records", runs=runs), happenings=happenings)


async def _act(systems: Systems, loaded: Loaded) -> str:
    """Do everything of which the next run learns; return the contact that leaves the filter."""
    marketo, dynamics = systems.marketo, systems.dynamics
    lead = loaded.leads[-2]  # the last one was deleted before
    *_, loser, winner, twin, filtered, deleted, _last = loaded.contacts
    marketo.edit("lead", marketo.key_of("lead", dynamicsId=lead), title="Decision maker")
    dynamics.qualify(lead)
    dynamics.merge_rows("contact", winner, loser)
    form = marketo.create("lead", title="Filled in a form")
    await marketo.merge(form, [marketo.key_of("lead", dynamicsContactId=twin)])
    dynamics.edit("contact", filtered, new_synctomkto=False)
    dynamics.delete("contact", deleted)
    dynamics.delete("opportunity", loaded.opportunities[-1])
    return filtered


def _meet(systems: Systems) -> Sequence[str]:
    """Add contacts that Marketo knows already, one of them twice; return those two persons."""
    marketo, dynamics = systems.marketo, systems.dynamics
    known: list[str] = []
    for first, last, persons in (("Milo", "Harlow", 1), ("Ngozi", "Okafor", 2)):
        email = f"{first}.{last}@example.net".lower()
        known = [marketo.create("lead", firstName=first, lastName=last, email=email) for _ in range(persons)]
        dynamics.create("contact", firstname=first, lastname=last, emailaddress1=email)
    return known


def _names(systems: Systems) -> dict[str, str]:
    """Return what people call a record, by its key in its system."""
    found = {deal.key: str(deal.values["name"]) for deal in systems.marketo.records("opportunity")}
    for system, table in ((systems.marketo, "lead"), (systems.dynamics, "lead"), (systems.dynamics, "contact")):
        for record in system.records(table):
            found[record.key] = " ".join(str(record.values[name]) for name in _NAME[type(system)])
    return found


@attrs.frozen(kw_only=True)
class _Telling:
    """Says what became of records: who, and what both systems show of them now."""

    systems: Systems
    names: dict[str, str]
    operations: Sequence[Operation]

    def meetings(self, reports: Sequence[Report]) -> Iterator[Happening]:
        """Tell of contacts that met persons by their e-mail, and of persons that were asked for in Dynamics."""
        for matches in (report.matches for report in reports if report.matches is not None):
            for contact in matches.samples.get("by_key", ()):
                yield Happening("matched", f"contact {self.names[contact]} was known in Marketo by the e-mail: linked")
            for contact in matches.samples.get("ambiguous", ()):
                yield Happening(
                    "ambiguous",
                    f"contact {self.names[contact]} could be two persons of Marketo: set aside, until somebody "
                    "merged the two and released it",
                )
        for operation in self.operations:
            if operation.kind == "create" and operation.system is System.DYNAMICS:
                yield Happening("promoted", f"person {self.names[operation.other]} is a lead in Dynamics, as asked for")

    def moves(self, events: Sequence[Moved]) -> Iterator[Happening]:
        """Tell of conversions, merges and the filter, in their order."""
        ours = {operation.key for operation in self.operations if operation.step.into}
        for event in events:
            match event:
                case LeadConverted(lead=lead, contact=contact, person=person):
                    yield Happening(
                        "converted",
                        f"{self.names[lead]} is a contact now, and still person {person}; the contact's job title is "
                        f"{self._row(contact, 'jobtitle')!r}, as marketing had it",
                    )
                case RecordsMerged(winner=winner, loser=loser) if loser in ours:
                    yield Happening(
                        "merged_in_dynamics",
                        f"contact {self.names[loser]} was merged into {self.names[winner]} in Dynamics, "
                        f"so person {loser} into {winner} in Marketo",
                    )
                case RecordsMerged(winner=winner, loser=loser):
                    yield Happening(
                        "merged_in_marketo",
                        f"person {loser} was merged into {winner} in Marketo, and contact {self.names[loser]} follows",
                    )
                case _:
                    yield self._filtered(event.row, inward=event.inward)

    def _filtered(self, row: str, *, inward: bool) -> Happening:
        if not inward:
            return Happening("left_filter", f"{self.names[row]} is not to sync any more: edits stay where they are")
        return Happening(
            "came_back",
            f"{self.names[row]} syncs again, with the job title that Marketo had meanwhile, "
            f"{self._row(row, 'jobtitle')!r}, and the phone of Dynamics, {self._row(row, 'telephone1')!r}",
        )

    def deletions(self) -> Iterator[Happening]:
        """Tell of what was deleted in Dynamics."""
        for operation in self.operations:
            if operation.because != "deleted in Dynamics":
                continue
            what = f"{operation.entity} {self.names[operation.key]} was deleted in Dynamics"
            if operation.kind == "delete":
                yield Happening("deleted", f"{what}, and now in Marketo")
            else:
                yield Happening("flagged", f"{what}; the person stays in Marketo, and is flagged")

    def _row(self, contact: str, column: str) -> FieldValue:
        return next(row.values[column] for row in self.systems.dynamics.records("contact") if row.key == contact)
