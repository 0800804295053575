"""What became of records: told of each by name, after a look at the state and at both systems."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from typing import Final

import attrs

from mkdyn.cli.demo.hands import Hands
from mkdyn.cli.demo.matched import NEWCOMERS
from mkdyn.cli.demo.outcome import Happening
from mkdyn.domain import System
from mkdyn.domain.records import Link, LinkState
from mkdyn.domain.values import Values
from mkdyn.ports.store import StateStore

_SHOWN: Final = ("jobtitle", "telephone1")
_FLAG: Final = "dynamicsDeleted"


@attrs.frozen(kw_only=True)
class Cast:
    """Whose story it is: rows by GUID, and the persons that stood for them before.

    Attributes:
        lead: Is qualified.
        contact: What it is then; empty before.
        loser: Is merged in Dynamics.
        winner: Into this one.
        twin: Is merged in Marketo.
        form: Into this person.
        filtered: Leaves the filter, and comes back.
        deleted: A contact that is deleted.
        deal: An opportunity that is.
        promoted: The person who is asked for in Dynamics.
        persons: The person of each row, by its GUID.
        names: What people call each row, by its GUID.
    """

    lead: str
    contact: str = ""
    loser: str
    winner: str
    twin: str
    form: str
    filtered: str
    deleted: str
    deal: str
    promoted: str
    persons: Mapping[str, str]
    names: Mapping[str, str]


async def happenings(
    store: StateStore, hands: Hands, cast: Cast, seen: Mapping[str, Collection[str]]
) -> AsyncIterator[Happening]:
    """Tell what became of each, as far as it did.

    Args:
        store: What is linked now.
        hands: People who look at both systems.
        cast: Whose story it is.
        seen: Who was `ambiguous` in the meantime, and who had `left` the filter.
    """
    contacts = [cast.contact, cast.loser, cast.twin, cast.filtered, cast.deleted, *(each.guid for each in NEWCOMERS)]
    now = _Now(
        cast=cast,
        contacts=store.links(["contact"], System.DYNAMICS, contacts),
        rows={row.key: row.values for row in await hands.dynamics.rows("contact", _SHOWN)},
        persons={
            key: person.values
            for key, person in (await hands.marketo.read("lead", list(cast.persons.values()), [_FLAG])).items()
        },
    )
    for happening in (*now.meetings(seen["ambiguous"]), *now.moves(seen["left"])):
        yield happening
    promoted = store.links(["lead"], System.MARKETO, [cast.promoted]).get(cast.promoted)
    if promoted is not None and promoted.state is LinkState.LIVE:
        yield Happening("promoted", "person Vesna Novak is a lead in Dynamics, as asked for")
    if cast.deal not in await hands.marketo.read("opportunity", [cast.deal], ["externalOpportunityId"]):
        yield Happening("deleted", f"opportunity {cast.names[cast.deal]} was deleted in Dynamics, and now in Marketo")


@attrs.frozen(kw_only=True)
class _Now:
    """What the state and both systems show of them."""

    cast: Cast
    contacts: Mapping[str, Link]
    rows: Mapping[str, Values]
    persons: Mapping[str, Values]

    def meetings(self, ambiguous: Collection[str]) -> Iterator[Happening]:
        """Tell of contacts that met persons by their e-mail address."""
        for newcomer in NEWCOMERS:
            if newcomer.guid in ambiguous:
                yield Happening(
                    "ambiguous",
                    f"contact {newcomer.name} could be two persons of Marketo: set aside, until somebody merged the "
                    "two and released it",
                )
            if newcomer.persons and self._is_live(newcomer.guid, "matched"):
                yield Happening("matched", f"contact {newcomer.name} was known in Marketo by the e-mail: linked")

    def moves(self, left: Collection[str]) -> Iterator[Happening]:
        """Tell of the conversion, both merges, the filter and the contact that was deleted."""
        cast, name, person = self.cast, self.cast.names, self.cast.persons
        if self._person_of(cast.contact) == person[cast.lead]:
            title = self.rows[cast.contact]["jobtitle"]
            yield Happening(
                "converted",
                f"{name[cast.lead]} is a contact now, and still person {person[cast.lead]}; the contact's job title is "
                f"{title!r}, as marketing had it",
            )
        if person[cast.loser] not in self.persons:
            yield Happening(
                "merged_in_dynamics",
                f"contact {name[cast.loser]} was merged into {name[cast.winner]} in Dynamics, so person "
                f"{person[cast.loser]} into {person[cast.winner]} in Marketo",
            )
        if self._person_of(cast.twin) == cast.form:
            yield Happening(
                "merged_in_marketo",
                f"person {person[cast.twin]} was merged into {cast.form} in Marketo, and contact {name[cast.twin]} "
                "follows",
            )
        if cast.filtered in left:
            yield Happening("left_filter", f"{name[cast.filtered]} is not to sync any more: edits stay where they are")
        if cast.filtered in left and self._is_live(cast.filtered):
            row = self.rows[cast.filtered]
            yield Happening(
                "came_back",
                f"{name[cast.filtered]} syncs again, with the job title that Marketo had meanwhile, "
                f"{row['jobtitle']!r}, and the phone of Dynamics, {row['telephone1']!r}",
            )
        if self.persons.get(person[cast.deleted], {}).get(_FLAG):
            yield Happening(
                "flagged",
                f"contact {name[cast.deleted]} was deleted in Dynamics; the person stays in Marketo, and is flagged",
            )

    def _is_live(self, contact: str, origin: str | None = None) -> bool:
        link = self.contacts.get(contact)
        return link is not None and link.state is LinkState.LIVE and origin in (None, link.origin)

    def _person_of(self, contact: str) -> str | None:
        return self.contacts[contact].marketo if self._is_live(contact) else None
