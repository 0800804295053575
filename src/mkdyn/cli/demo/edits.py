"""What people do to both systems between two syncs: the same in every demo."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Final, TypeAlias

import attrs

from mkdyn.cli.demo.hands import Hands
from mkdyn.cli.demo.load import Loaded
from mkdyn.cli.demo.systems import PRODUCT
from mkdyn.domain import Entity, PersonEntity, Rules
from mkdyn.domain.values import Values

#: How many leads, and how many contacts, get each kind of edit.
COLLIDING: Final = 24
ONE_SIDED: Final = 4
APART: Final = 4
ALIKE: Final = 4
#: How many leads and contacts there must be.
PEOPLE_MIN: Final = COLLIDING + 2 * ONE_SIDED + APART + ALIKE + 1

#: Fields that both systems' people change: Dynamics' name, Marketo's, and what each of them writes.
_CONTESTED: Final = (
    ("jobtitle", "title", "Head of Marketing, desk {n}", "Head of Sales, desk {n}"),
    ("telephone1", "phone", "+1 415 555 01{n:02}", "+1 212 555 01{n:02}"),
    ("address1_line1", "address", "{n} Campaign Street", "{n} Pipeline Avenue"),
    ("mobilephone", "mobilePhone", "+1 628 555 01{n:02}", "+1 646 555 01{n:02}"),
)


#: What people write, by GUID: into Marketo, and into Dynamics.
_Edits: TypeAlias = tuple[dict[str, Values], dict[str, Values]]


@attrs.frozen
class Deed:
    """One kind of thing people did.

    Attributes:
        count: To how many records.
        what: To what, and what it was; a sentence for the report.
    """

    count: int
    what: str


#: What they do, for the report.
DEEDS: Final[Sequence[Deed]] = (
    Deed(2 * COLLIDING, f"the same field of {COLLIDING} leads and {COLLIDING} contacts, to different values"),
    Deed(2 * APART, "different fields of one person"),
    Deed(2 * ALIKE, "the same field of one person, to the same value"),
    Deed(2 * ONE_SIDED, "people edited in Marketo alone: a new phone, no more e-mail"),
    Deed(2 * ONE_SIDED, "people edited in Dynamics alone: moved, a mobile phone given back"),
    Deed(4, "a user, an account, an opportunity and a product edited in Dynamics"),
    Deed(1, "a company edited in Marketo, where accounts are only received"),
    Deed(1, "a lead deleted in Dynamics"),
)


async def edit(hands: Hands, loaded: Loaded) -> None:
    """Let people work in both systems; what they write is the same each time."""
    people: tuple[tuple[PersonEntity, Sequence[str]], ...] = (
        (Entity.LEAD, loaded.leads),
        (Entity.CONTACT, loaded.contacts),
    )
    for entity, guids in people:
        in_marketo, in_dynamics = _of_people(iter(guids))
        persons = await persons_of(hands, entity, list(in_marketo))
        await hands.marketo.edit("lead", {persons[guid]: values for guid, values in in_marketo.items()})
        await hands.dynamics.edit(entity.logical_name, in_dynamics)
    for table, guid, values in _of_others(loaded):
        await hands.dynamics.edit(table, {guid: values})
    company: Values = {"company": "Renamed by marketing", "billingCity": "Springfield"}
    await hands.marketo.edit("company", {loaded.accounts[0]: company})
    await hands.dynamics.delete("lead", loaded.leads[-1])


async def persons_of(hands: Hands, entity: PersonEntity, guids: Sequence[str]) -> Mapping[str, str]:
    """Return the person that stands for each row."""
    found = await hands.marketo.persons(Rules().key_field_of(entity), guids)
    return {guid: persons[0] for guid, persons in found.items()}


def _of_people(guids: Iterator[str]) -> _Edits:
    marketo: dict[str, Values] = {}
    dynamics: dict[str, Values] = {}
    for n in range(COLLIDING):
        ours, theirs, in_marketo, in_dynamics = _CONTESTED[n % len(_CONTESTED)]
        guid = next(guids)
        marketo[guid] = {theirs: in_marketo.format(n=n + 1)}
        dynamics[guid] = {ours: in_dynamics.format(n=n + 1)}
    for n in range(APART):
        guid = next(guids)
        marketo[guid] = {"title": f"Buyer {n + 1}"}
        dynamics[guid] = {"telephone1": f"+1 303 555 01{n:02}"}
    for _ in range(ALIKE):
        guid = next(guids)
        marketo[guid] = {"title": "Chief of Staff"}
        dynamics[guid] = {"jobtitle": "Chief of Staff"}
    for n in range(ONE_SIDED):
        marketo[next(guids)] = {"phone": f"+1 512 555 01{n:02}", "unsubscribed": True}
    for n in range(ONE_SIDED):
        moved: Values = {"address1_line1": f"{n + 1} New Road", "address1_city": "Denver", "mobilephone": None}
        dynamics[next(guids)] = moved
    return marketo, dynamics


def _of_others(loaded: Loaded) -> Iterator[tuple[str, str, Values]]:
    """Yield what is edited in Dynamics alone, and is no person."""
    yield "systemuser", loaded.users[0], {"title": "Senior sales agent"}
    yield "account", loaded.accounts[-1], {"telephone1": "+1 206 555 0100", "address1_city": "Seattle"}
    yield "opportunity", loaded.opportunities[-1], {"description": "They call back on Monday."}
    yield PRODUCT.logical_name, loaded.products[0], {"new_price": Decimal("599.00")}
