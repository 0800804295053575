"""Compare both systems in full, field by field, without trusting what the engine says of itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final

import attrs

from mkdyn.cli.demo.hands import Hands
from mkdyn.domain import AnyEntity, Entity, Rules, is_person
from mkdyn.domain.records import Link, LinkState, Record
from mkdyn.domain.roles import CONTACT_ROLE
from mkdyn.domain.systems import System
from mkdyn.ports.store import SelectedPair, StateStore

_PAGE: Final = 1_000
_QUALIFIED: Final = 1
#: What says that a row does not stand for itself any more, by table.
_BECAME: Final[Mapping[AnyEntity, Sequence[str]]] = {
    Entity.LEAD: ("masterid", "statecode"),
    Entity.CONTACT: ("masterid",),
    Entity.ACCOUNT: ("masterid",),
}
_ROLE: Final = (Entity.OPPORTUNITY, CONTACT_ROLE.name)


@attrs.frozen(kw_only=True)
class Verified:
    """What the comparison found.

    Attributes:
        records: How many pairs of records were compared.
        pairs_compared: How many pairs of values.
        differences: Pairs of values that do not agree, and records without a counterpart.
        duplicates: Records of Marketo that should not be there: a GUID on two persons, or nobody's counterpart.
    """

    records: int = 0
    pairs_compared: int = 0
    differences: int = 0
    duplicates: int = 0

    @property
    def agreed(self) -> bool:
        """Whether both systems hold the same."""
        return not self.differences and not self.duplicates


async def verify(hands: Hands, store: StateStore, *, strangers: Collection[str] = ()) -> Verified:
    """Compare every selected field of every linked record, and look for records that nothing links.

    Args:
        hands: People who look at both systems.
        store: What is linked, and what is selected.
        strangers: Persons whom nothing need link: they are in Marketo only, and came there on their own.
    """
    selected: dict[AnyEntity, list[SelectedPair]] = {}
    for item in store.pairs():
        selected.setdefault(item.pair.entity, []).append(item)
    linked: dict[str, set[str]] = {entity.marketo_object: set() for entity in selected}
    records = compared = differences = 0
    for entity, pairs in selected.items():
        links = list(_links(store, entity))
        linked[entity.marketo_object].update(link.marketo for link in links)
        live = [link for link in links if link.state is LinkState.LIVE]  # else deleted in Dynamics, and flagged
        columns = [*(item.pair.dynamics for item in pairs), *_BECAME.get(entity, ())]
        rows = {row.key: row for row in await hands.dynamics.rows(entity.logical_name, columns)}
        others = await _shown(hands, store, entity, pairs, [link.marketo for link in live])
        for link in live:
            records += 1
            row, other = rows.pop(link.dynamics, None), others.get(link.marketo)
            if row is None or other is None:
                differences += 1
                continue
            compared += len(pairs)
            differences += sum(not _agree(item, row, other) for item in pairs)
        differences += sum(_is_somebody(entity, row) for row in rows.values())  # rows without a counterpart
    duplicates = 0
    for object_name, keys in linked.items():
        duplicates += sum(key not in keys and key not in strangers for key in await hands.marketo.listed(object_name))
    return Verified(
        records=records,
        pairs_compared=compared,
        differences=differences,
        duplicates=duplicates + await _shared_guids(hands),
    )


async def _shown(
    hands: Hands, store: StateStore, entity: AnyEntity, pairs: Collection[SelectedPair], keys: Collection[str]
) -> Mapping[str, Record]:
    """Return what Marketo shows; the contact of an opportunity is whoever has that role, and none but one may."""
    fields = [item.pair.marketo for item in pairs]
    plain = [field for field in fields if (entity, field) != _ROLE]
    found = await hands.marketo.read(entity.marketo_object, keys, plain)
    if plain == fields:
        return found
    roles = await hands.marketo.contacts(keys)
    links = store.links(
        [Entity.CONTACT.logical_name], System.MARKETO, {each for some in roles.values() for each in some}
    )
    contacts = {
        key: ",".join(links[each].dynamics for each in some if each in links) or None for key, some in roles.items()
    }
    return {
        key: attrs.evolve(record, values={**record.values, CONTACT_ROLE.name: contacts.get(key)})
        for key, record in found.items()
    }


def _links(store: StateStore, entity: AnyEntity) -> Iterator[Link]:
    after = 0
    while links := store.links_after(entity.logical_name, after, _PAGE, states=tuple(LinkState)):
        after = links[-1].id
        yield from links


def _agree(item: SelectedPair, row: Record, other: Record) -> bool:
    return item.pair.lens.agree(row.values[item.pair.dynamics], other.values[item.pair.marketo])


def _is_somebody(entity: AnyEntity, row: Record) -> bool:
    """Whether a row stands for itself: one that was merged into another, or qualified, does not any more."""
    qualified = entity is Entity.LEAD and row.values["statecode"] == _QUALIFIED
    return row.values.get("masterid") is None and not qualified


async def _shared_guids(hands: Hands) -> int:
    """Count the persons that bear the GUID of another one, too."""
    fields: Sequence[str] = [Rules().key_field_of(entity) for entity in Entity if is_person(entity)]
    everybody = await hands.marketo.listed("lead")
    people = (await hands.marketo.read("lead", everybody, fields)).values()
    found = Counter(
        (field, guid) for person in people for field in fields if (guid := person.values[field]) is not None
    )
    return sum(count - 1 for count in found.values())
