"""Compare both systems in full, field by field, without trusting what the engine says of itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import attrs

from mkdyn.cli.demo.systems import Systems
from mkdyn.domain import AnyEntity, Entity, Rules, is_person
from mkdyn.domain.records import Link, LinkState, Record
from mkdyn.ports.store import SelectedPair, StateStore

_PAGE = 1_000
_QUALIFIED = 1


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


def verify(systems: Systems, store: StateStore) -> Verified:
    """Compare every selected field of every linked record, and look for records that nothing links."""
    selected: dict[AnyEntity, list[SelectedPair]] = {}
    for item in store.pairs():
        selected.setdefault(item.pair.entity, []).append(item)
    linked: dict[str, set[str]] = {entity.marketo_object: set() for entity in selected}
    records = compared = differences = 0
    for entity, pairs in selected.items():
        rows = {record.key: record for record in systems.dynamics.records(entity.logical_name)}
        others = {record.key: record for record in systems.marketo.records(entity.marketo_object)}
        for link in _links(store, entity):
            linked[entity.marketo_object].add(link.marketo)
            if link.state is not LinkState.LIVE:  # deleted in Dynamics; the person stays, flagged
                continue
            records += 1
            row, other = rows.pop(link.dynamics, None), others.get(link.marketo)
            if row is None or other is None:
                differences += 1
                continue
            compared += len(pairs)
            differences += sum(not _agree(item, row, other) for item in pairs)
        differences += sum(_is_somebody(entity, row) for row in rows.values())  # rows without a counterpart
    return Verified(
        records=records,
        pairs_compared=compared,
        differences=differences,
        duplicates=_strangers(systems, linked) + _shared_guids(systems),
    )


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


def _strangers(systems: Systems, linked: Mapping[str, set[str]]) -> int:
    """Count the records of Marketo that no link knows: it was empty, so each came from Dynamics."""
    return sum(
        record.key not in keys
        for object_name, keys in linked.items()
        for record in systems.marketo.records(object_name)
    )


def _shared_guids(systems: Systems) -> int:
    people = systems.marketo.records("lead")
    fields: Sequence[str] = [Rules().key_field_of(entity) for entity in Entity if is_person(entity)]
    found = Counter(
        (field, guid) for person in people for field in fields if (guid := person.values[field]) is not None
    )
    return sum(count - 1 for count in found.values())
