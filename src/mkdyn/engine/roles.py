"""Contacts of opportunities: one field of the opportunity for the engine, a record of its own for Marketo."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, ClassVar, Final, Literal

import attrs

from mkdyn.domain.entities import Entity
from mkdyn.domain.feeds import Cursor
from mkdyn.domain.fields import FieldSpec, NewField
from mkdyn.domain.outcomes import Applied, Create, Delete, Outcome, Rejected, Unknown, Write
from mkdyn.domain.records import Link, LinkState, Record
from mkdyn.domain.roles import CONTACT_ROLE, ROLE, ROLE_KEY, contact_roles, role_changes
from mkdyn.domain.systems import System
from mkdyn.domain.values import FieldValue
from mkdyn.errors import TransientError
from mkdyn.ports.connectors import Identity, MarketoConnector, Pages, Problem
from mkdyn.ports.store import StateStore

_OPPORTUNITY: Final = Entity.OPPORTUNITY.marketo_object
_FIELD: Final = CONTACT_ROLE.name
#: What an opportunity comes to whose contact has no person: Marketo's own code of one that is not found.
_NOT_THERE: Final = Rejected(code="1004", message="The contact has no person in Marketo.", field=_FIELD)


class WithRoles:
    """A Marketo connector whose opportunities have a field that names their contact, by its GUID.

    Who of Marketo's persons that is, the links say. Everything else is passed on; a role that is called something else
    is never touched.

    Args:
        marketo: The connector.
        store: The memory.
    """

    system: ClassVar[Literal[System.MARKETO]] = System.MARKETO

    def __init__(self, marketo: MarketoConnector, store: StateStore) -> None:
        self._marketo = marketo
        self._store = store

    def __repr__(self) -> str:
        return repr(self._marketo)

    async def identify(self) -> Identity:
        """See `Connector.identify`."""
        return await self._marketo.identify()

    async def check(self, needs: Mapping[str, Collection[str]], /) -> Sequence[Problem]:
        """See `Connector.check`; the field stands for what a role needs."""
        fields = needs.get(_OPPORTUNITY, ())
        if _FIELD in fields:
            needs = {**needs, _OPPORTUNITY: _others(fields), ROLE: ROLE_KEY}
        return await self._marketo.check(needs)

    async def describe(self, object: str, /) -> Sequence[FieldSpec]:
        """See `Connector.describe`; opportunities have the field where there are roles."""
        found = await self._marketo.describe(object)
        if object != _OPPORTUNITY or not found:
            return found
        return [*found, CONTACT_ROLE] if await self._marketo.describe(ROLE) else found

    def changes(
        self, object: str, /, *, fields: Collection[str], since: Cursor | None
    ) -> AbstractAsyncContextManager[Pages]:
        """See `Connector.changes`."""
        return self._marketo.changes(object, fields=fields, since=since)

    async def read(self, object: str, keys: Collection[str], /, *, fields: Collection[str]) -> Mapping[str, Record]:
        """See `Connector.read`; the field takes one more call."""
        if object != _OPPORTUNITY or _FIELD not in fields:
            return await self._marketo.read(object, keys, fields=fields)
        found = await self._marketo.read(object, keys, fields=_others(fields))
        contacts = await self._contacts(found)
        return {
            key: attrs.evolve(record, values={**record.values, _FIELD: contacts.get(key)})
            for key, record in found.items()
        }

    async def find(
        self, object: str, field: str, values: Collection[str], /, *, fields: Collection[str]
    ) -> Sequence[Record]:
        """See `Connector.find`; nothing is found by the field itself."""
        if object != _OPPORTUNITY or _FIELD not in fields:
            return await self._marketo.find(object, field, values, fields=fields)
        found = await self._marketo.find(object, field, values, fields=_others(fields))
        contacts = await self._contacts([record.key for record in found])
        return [attrs.evolve(record, values={**record.values, _FIELD: contacts.get(record.key)}) for record in found]

    async def write(self, object: str, writes: Sequence[Write], /) -> Sequence[Outcome]:
        """See `Connector.write`: opportunities first, then their roles; one that is in use is deleted after its roles."""
        if object != _OPPORTUNITY:
            return await self._marketo.write(object, writes)
        outcomes = await self._marketo.write(object, [_without(write) for write in writes])
        answered = list(zip(writes, outcomes, strict=True))
        contacts = {
            write.key: write.values[_FIELD]
            for write, outcome in answered
            if isinstance(outcome, Applied) and not isinstance(write, Delete) and _FIELD in write.values
        }
        in_use = [
            write for write, outcome in answered if isinstance(write, Delete) and isinstance(outcome, Rejected)
        ]  # fmt: skip
        later = {**await self._assign(contacts), **await self._let_go(in_use)}
        return [later.get(write.key, outcome) for write, outcome in answered]

    async def create_field(self, object: str, field: NewField, /) -> FieldSpec:
        """See `MarketoConnector.create_field`."""
        return await self._marketo.create_field(object, field)

    async def merge(self, winner: str, losers: Sequence[str], /) -> Outcome:
        """See `MarketoConnector.merge`."""
        return await self._marketo.merge(winner, losers)

    async def aclose(self) -> None:
        """See `Connector.aclose`."""
        await self._marketo.aclose()

    # -- roles ---------------------------------------------------------------------------------

    async def _contacts(self, opportunities: Collection[str]) -> Mapping[str, str]:
        """Return the GUIDs of contacts, by opportunity."""
        persons = await self._persons(opportunities)
        links = self._links(System.MARKETO, {person for found in persons.values() for person in found})
        known = {
            opportunity: [links[person].dynamics for person in found if person in links]
            for opportunity, found in persons.items()
        }
        return {opportunity: contacts[0] for opportunity, contacts in known.items() if contacts}

    async def _persons(self, opportunities: Collection[str]) -> Mapping[str, Sequence[str]]:
        if not opportunities:
            return {}
        return contact_roles(await self._marketo.find(ROLE, ROLE_KEY[0], opportunities, fields=ROLE_KEY))

    def _links(self, system: System, keys: Collection[str]) -> Mapping[str, Link]:
        """Return the links of contacts that are not over."""
        found = self._store.links([Entity.CONTACT.logical_name], system, keys)
        return {key: link for key, link in found.items() if link.state is not LinkState.TOMBSTONE}

    async def _assign(self, contacts: Mapping[str, FieldValue]) -> Mapping[str, Outcome]:
        """Give opportunities their contacts, or none; return the answers that are not what was hoped for."""
        links = self._links(System.DYNAMICS, {str(contact) for contact in contacts.values() if contact is not None})
        unknown = {key for key, contact in contacts.items() if contact is not None and contact not in links}
        wanted = {
            key: None if contact is None else links[str(contact)].marketo
            for key, contact in contacts.items()
            if key not in unknown
        }
        answers: dict[str, Outcome] = dict.fromkeys(unknown, _NOT_THERE)
        try:
            changes = role_changes(wanted, await self._persons(wanted))
            answers |= await self._carry_out(list(changes.creates.items()), len(contacts))
            over = [item for item in changes.deletes if item[0] not in answers]
            answers |= await self._carry_out(over, len(contacts))
        except TransientError as error:  # the opportunity was written: who tries again must read it first
            answers |= {key: Unknown(reason=error.what) for key in wanted if key not in answers}
        return answers

    async def _let_go(self, writes: Sequence[Delete]) -> Mapping[str, Outcome]:
        """Delete opportunities anew that Marketo keeps as they have roles; return the answers."""
        try:
            persons = await self._persons([write.key for write in writes])
            roles = role_changes(dict.fromkeys(persons, None), persons).deletes
            kept = await self._carry_out(roles, len(writes))
            again = [write for write in writes if write.key in persons and write.key not in kept]
            outcomes = await self._marketo.write(_OPPORTUNITY, again) if again else ()
        except TransientError:
            return {}  # they stay refused, and are tried again like whatever is in use
        return {write.key: outcome for write, outcome in zip(again, outcomes, strict=True)}

    async def _carry_out(self, writes: Sequence[tuple[str, Create | Delete]], size: int) -> Mapping[str, Outcome]:
        """Write roles, each of an opportunity, *size* at once; return what came of those that were not done."""
        answers: dict[str, Outcome] = {}
        for at in range(0, len(writes), max(size, 1)):
            part = writes[at : at + size]
            for (key, _), outcome in zip(
                part, await self._marketo.write(ROLE, [write for _, write in part]), strict=True
            ):
                if isinstance(outcome, Rejected):
                    answers[key] = attrs.evolve(outcome, field=_FIELD)
                elif not isinstance(outcome, Applied):
                    answers[key] = Unknown(reason="It is not known who the contact is.")
        return answers


def _others(fields: Iterable[str]) -> list[str]:
    return [field for field in fields if field != _FIELD]


def _without(write: Write) -> Write:
    """Return a write of an opportunity without its contact."""
    if isinstance(write, Delete) or _FIELD not in write.values:
        return write
    return attrs.evolve(write, values={name: value for name, value in write.values.items() if name != _FIELD})


if TYPE_CHECKING:
    _conforms: type[MarketoConnector] = WithRoles
