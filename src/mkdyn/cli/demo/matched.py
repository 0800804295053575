"""Two populated systems are matched: what a new state would find, before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

import attrs

from mkdyn import Entity, Synchronizer
from mkdyn.cli.demo.hands import Hands
from mkdyn.cli.demo.outcome import Matched
from mkdyn.cli.demo.runs import Course
from mkdyn.cli.demo.systems import Connectors
from mkdyn.domain.counts import MatchReport
from mkdyn.domain.values import Values
from mkdyn.testing import MemoryStore


@attrs.frozen
class Newcomer:
    """Somebody who comes in without the sync.

    Attributes:
        first_name: What we call them.
        last_name: The same.
        persons: How many persons of Marketo they are.
        contacts: Whether they are a contact of Dynamics.
    """

    first_name: str
    last_name: str
    persons: int
    contacts: bool = attrs.field(kw_only=True)

    @property
    def name(self) -> str:
        """Both names."""
        return f"{self.first_name} {self.last_name}"

    @property
    def email(self) -> str:
        """Their address, in both systems."""
        return f"{self.first_name}.{self.last_name}@example.net".lower()

    @property
    def as_person(self) -> Values:
        """What Marketo knows besides the address."""
        return {"firstName": self.first_name, "lastName": self.last_name}

    @property
    def as_contact(self) -> Values:
        """What Dynamics knows."""
        return {"firstname": self.first_name, "lastname": self.last_name, "emailaddress1": self.email}

    @property
    def guid(self) -> str:
        """Their contact's GUID, the same in every demo."""
        return str(uuid5(NAMESPACE_URL, f"mkdyn-demo/{self.email}"))


#: Whom both systems know already, whom one of them knows twice, and whom only one knows.
TWICE: Final = Newcomer("Ngozi", "Okafor", 2, contacts=True)
ONLY_THERE: Final = Newcomer("Lena", "Vogt", 1, contacts=False)
NEWCOMERS: Final = (
    Newcomer("Milo", "Harlow", 1, contacts=True),
    Newcomer("Inga", "Duarte", 1, contacts=True),
    Newcomer("Pavel", "Horak", 1, contacts=True),
    TWICE,
    Newcomer("Omar", "Said", 0, contacts=True),
    Newcomer("Ruth", "Adler", 0, contacts=True),
    ONLY_THERE,
)


async def meet(course: Course, hands: Hands, connectors: Connectors) -> Matched:
    """Let both systems get people on their own, then ask a state that knows nothing what it would link."""
    await course.once("newcomers", partial(_come, hands))
    found: Mapping[str, Any] = await course.once("matched", partial(_look, connectors))
    names: Mapping[str, str] = {newcomer.guid: newcomer.name for newcomer in NEWCOMERS}
    by_key: Sequence[str] = found["by_key"]
    return Matched(
        report=MatchReport(**found["counts"]),
        by_key=[names.get(guid, guid) for guid in by_key],
        ambiguous=found["ambiguous"],
    )


async def _come(hands: Hands) -> None:
    """Add everybody, as often as each system is to have them."""
    there = await hands.marketo.persons("email", [newcomer.email for newcomer in NEWCOMERS])
    for newcomer in NEWCOMERS:
        known = len(there[newcomer.email])
        if newcomer.persons and not known:
            await hands.marketo.add(newcomer.email, **newcomer.as_person)
        for number in range(max(known, 1), newcomer.persons):
            # under another address at first: Marketo's API takes one that is known for the person who has it
            person = await hands.marketo.add(f"{number}.{newcomer.email}", **newcomer.as_person)
            await hands.marketo.edit("lead", {person: {"email": newcomer.email}})
        if newcomer.contacts:
            await hands.dynamics.create("contact", newcomer.guid, **newcomer.as_contact)


async def _look(connectors: Connectors) -> Mapping[str, Any]:
    """Plan a first sync of people with a state of its own; nothing is sent."""
    sync = Synchronizer(marketo=connectors.marketo, dynamics=connectors.dynamics, store=MemoryStore())
    await sync.fields.select_defaults(Entity.LEAD, Entity.CONTACT)
    plan = await sync.plan()
    report = plan.matches or MatchReport()
    counts = {name: value for name, value in attrs.asdict(report).items() if name != "samples"}
    return {
        "counts": counts,
        "by_key": list(report.samples.get("by_key", ())),
        "ambiguous": [str(item) for item in plan.quarantined if item.code == "ambiguous-match"],
    }
