"""The settings that decide: values, given once to the synchronizer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, tzinfo
from typing import Literal, TypeAlias

import attrs

from mkdyn.domain.collisions import Policy, system_of_record
from mkdyn.domain.conditions import Condition
from mkdyn.domain.entities import Entity, PersonEntity
from mkdyn.domain.filters import Filter
from mkdyn.domain.guards import Guards
from mkdyn.domain.lenses.matrix import ENGLISH, Reading

#: What becomes of a person whose Dynamics record was deleted.
PersonDeletedInDynamics: TypeAlias = Literal["ignore", "flag", "delete"]
#: What becomes of a Dynamics record whose person was deleted, when it is edited later.
PersonDeletedInMarketo: TypeAlias = Literal["stay_deleted", "recreate"]
#: What becomes of a record that leaves the filter: it rests as it is, its person is flagged, or its person is deleted.
LeavesFilter: TypeAlias = Literal["freeze", "flag", "delete"]
#: What becomes of a Marketo record whose one-way Dynamics record was deleted.
OtherDeletedInDynamics: TypeAlias = Literal["ignore", "delete"]


@attrs.frozen(kw_only=True)
class Promotion:
    """Which new people of Marketo get a Dynamics record.

    Attributes:
        to: What they become.
        when: A condition on Marketo fields.
    """

    to: PersonEntity
    when: Condition


def _email_keys() -> dict[Entity, Sequence[str]]:
    return {Entity.LEAD: ["emailaddress1"], Entity.CONTACT: ["emailaddress1"]}


@attrs.frozen(kw_only=True)
class Rules:
    """Everything a sync decides by; the defaults are the mission's.

    Attributes:
        policy: Decides collisions.
        match_on: Per person entity, the Dynamics fields to match by on first sight, in this order.
        filters: Which rows of Dynamics sync; those of an entity without one all do.
        native_filter: Whether the native sync's column `new_synctomkto` counts, where a table has it.
        leaves_filter: See the type.
        promote: Which people of Marketo get a Dynamics record.
        person_deleted_in_dynamics: See the type.
        person_deleted_in_marketo: See the type.
        other_deleted_in_dynamics: See the type.
        guards: How much a plan may do.
        key_field: The Marketo field that keeps a lead's GUID.
        contact_key_field: The Marketo field that keeps a contact's GUID.
        deleted_field: The Marketo boolean that says "deleted in Dynamics".
        walk_links: How many links each run compares beyond what the feeds tell; 0 turns the walk off.
        watch_days: After how many days a record that can't be read counts as deleted.
        label_language: The language of choice labels, as a Windows language id.
        time_zone: Where a day begins that Dynamics keeps as an instant: the organisation's.
        schema_age_s: How old a system's description of its fields may grow where it does not say that it changed.
    """

    policy: Policy = system_of_record
    match_on: Mapping[Entity, Sequence[str]] = attrs.field(factory=_email_keys)
    filters: Sequence[Filter] = ()
    native_filter: bool = True
    leaves_filter: LeavesFilter = "freeze"
    promote: Sequence[Promotion] = ()
    person_deleted_in_dynamics: PersonDeletedInDynamics = "flag"
    person_deleted_in_marketo: PersonDeletedInMarketo = "stay_deleted"
    other_deleted_in_dynamics: OtherDeletedInDynamics = "delete"
    guards: Guards = attrs.field(factory=Guards)
    key_field: str = "dynamicsId"
    contact_key_field: str = "dynamicsContactId"
    deleted_field: str = "dynamicsDeleted"
    walk_links: int = 300
    watch_days: float = 7.0
    label_language: int = ENGLISH
    time_zone: tzinfo = attrs.field(default=UTC, repr=False)
    schema_age_s: float = 86_400.0

    @property
    def reading(self) -> Reading:
        """How the values of both systems are read."""
        return Reading(language=self.label_language, zone=self.time_zone)

    def key_field_of(self, entity: PersonEntity) -> str:
        """Return the Marketo field that keeps the GUID of *entity*'s records."""
        return self.key_field if entity is Entity.LEAD else self.contact_key_field
