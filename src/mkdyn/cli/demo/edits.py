"""What people do to both systems between two syncs: the same in every demo."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Final

import attrs

from mkdyn.cli.demo.load import Loaded
from mkdyn.cli.demo.systems import PRODUCT, Systems
from mkdyn.domain import Entity, PersonEntity, Rules

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


@attrs.frozen
class Deed:
    """One kind of thing people did.

    Attributes:
        count: To how many records.
        what: To what, and what it was; a sentence for the report.
    """

    count: int
    what: str


def edit(systems: Systems, loaded: Loaded) -> Sequence[Deed]:
    """Let people work in both systems."""
    people: tuple[tuple[PersonEntity, Sequence[str]], ...] = (
        (Entity.LEAD, loaded.leads),
        (Entity.CONTACT, loaded.contacts),
    )
    for entity, guids in people:
        _edit_people(systems, entity, iter(guids))
    _edit_dynamics_alone(systems, loaded)
    systems.marketo.edit("company", loaded.accounts[0], company="Renamed by marketing", billingCity="Springfield")
    systems.dynamics.delete("lead", loaded.leads[-1])
    kinds = len(people)
    return (
        Deed(kinds * COLLIDING, f"the same field of {COLLIDING} leads and {COLLIDING} contacts, to different values"),
        Deed(kinds * APART, "different fields of one person"),
        Deed(kinds * ALIKE, "the same field of one person, to the same value"),
        Deed(kinds * ONE_SIDED, "people edited in Marketo alone: a new phone, no more e-mail"),
        Deed(kinds * ONE_SIDED, "people edited in Dynamics alone: moved, a mobile phone given back"),
        Deed(4, "a user, an account, an opportunity and a product edited in Dynamics"),
        Deed(1, "a company edited in Marketo, where accounts are only received"),
        Deed(1, "a lead deleted in Dynamics"),
    )


def _edit_people(systems: Systems, entity: PersonEntity, guids: Iterator[str]) -> None:
    marketo, dynamics = systems.marketo, systems.dynamics
    table, key_field = entity.logical_name, Rules().key_field_of(entity)

    def person(guid: str) -> str:
        return marketo.key_of("lead", **{key_field: guid})

    for n in range(COLLIDING):
        ours, theirs, in_marketo, in_dynamics = _CONTESTED[n % len(_CONTESTED)]
        guid = next(guids)
        marketo.edit("lead", person(guid), **{theirs: in_marketo.format(n=n + 1)})
        dynamics.edit(table, guid, **{ours: in_dynamics.format(n=n + 1)})
    for n in range(APART):
        guid = next(guids)
        marketo.edit("lead", person(guid), title=f"Buyer {n + 1}")
        dynamics.edit(table, guid, telephone1=f"+1 303 555 01{n:02}")
    for _ in range(ALIKE):
        guid = next(guids)
        marketo.edit("lead", person(guid), title="Chief of Staff")
        dynamics.edit(table, guid, jobtitle="Chief of Staff")
    for n in range(ONE_SIDED):
        marketo.edit("lead", person(next(guids)), phone=f"+1 512 555 01{n:02}", unsubscribed=True)
    for n in range(ONE_SIDED):
        dynamics.edit(table, next(guids), address1_line1=f"{n + 1} New Road", address1_city="Denver", mobilephone=None)


def _edit_dynamics_alone(systems: Systems, loaded: Loaded) -> None:
    dynamics = systems.dynamics
    dynamics.edit("systemuser", loaded.users[0], title="Senior sales agent")
    dynamics.edit("account", loaded.accounts[-1], telephone1="+1 206 555 0100", address1_city="Seattle")
    dynamics.edit("opportunity", loaded.opportunities[-1], description="They call back on Monday.")
    dynamics.edit(PRODUCT.logical_name, loaded.products[0], new_price=Decimal("599.00"))
