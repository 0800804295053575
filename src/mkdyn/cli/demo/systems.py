"""The demo's two systems: a Dynamics with a few columns and a table of its own, and an empty Marketo."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import NAMESPACE_URL, uuid5

import attrs

from mkdyn.domain import CustomEntity, Entity, FieldSpec, NewField, Pick, System
from mkdyn.domain.filters import NATIVE
from mkdyn.ports import DynamicsConnector, MarketoConnector
from mkdyn.testing import FakeDynamics, FakeMarketo

PRODUCT: Final = CustomEntity("new_product")
#: Whose state a demo's state is.
ORGANIZATIONS: Final[Mapping[System, str]] = {System.MARKETO: "000-MKD-YNX", System.DYNAMICS: "mkdyn-demo.crm4"}
#: What they are called by REST: Marketo by its host, Dynamics by its organisation's GUID.
SERVED_ORGANIZATIONS: Final[Mapping[System, Sequence[str]]] = {
    System.MARKETO: ("127.0.0.1", "localhost", "::1"),
    System.DYNAMICS: (str(uuid5(NAMESPACE_URL, f"{ORGANIZATIONS[System.DYNAMICS]}/organization")),),
}

#: The column of the native sync's filter: only an explicit No keeps a contact out.
_GATE: Final = FieldSpec(name=NATIVE, type="boolean", label="Sync to Marketo")

#: Columns that a real organisation would have added for what the standard tables have no place for.
_COLUMNS: Final = {
    Entity.ACCOUNT: (
        FieldSpec(name="new_sector", type="text", length=100, label="Sector"),
        FieldSpec(name="new_founded", type="integer", label="Year established", minimum=0, maximum=9999),
    ),
    Entity.OPPORTUNITY: (
        FieldSpec(name="new_soldproduct", type="text", length=100, label="Product"),
        FieldSpec(name="new_dealstage", type="text", length=100, label="Deal stage"),
        FieldSpec(name="new_engagedon", type="date", label="Engaged on"),
    ),
}
_PRODUCT_COLUMNS: Final = (
    FieldSpec(name="new_name", type="text", length=100, label="Name", required=True),
    FieldSpec(name="new_series", type="text", length=100, label="Series"),
    FieldSpec(name="new_price", type="decimal", label="Price", precision=2, minimum=0, maximum=1_000_000_000),
)

#: What is selected besides the standard mapping; their Marketo fields are created.
PICKS: Final[Sequence[Pick]] = (
    Pick(Entity.LEAD, "companyname", marketo=NewField("Lead company")),  # Marketo's own belongs to the company record
    *(
        Pick(entity, column.name, marketo=NewField(column.label))
        for entity, columns in _COLUMNS.items()
        for column in columns
    ),
    *(Pick(PRODUCT, column.name) for column in _PRODUCT_COLUMNS),
)
#: What nobody may ask for: a field in Dynamics, made from one in Marketo.
REFUSED_PICK: Final = Pick(Entity.CONTACT, "favouritecolour", marketo="favouriteColour")


@attrs.frozen(kw_only=True)
class Systems:
    """Both systems, with the hands of the people who work there."""

    marketo: FakeMarketo
    dynamics: FakeDynamics


@attrs.frozen(kw_only=True)
class Connectors:
    """What a sync speaks to both systems by."""

    marketo: MarketoConnector
    dynamics: DynamicsConnector


def new_systems() -> Systems:
    """Return a Dynamics without records and a Marketo without anything, the same in every demo."""
    return Systems(marketo=new_marketo(), dynamics=new_dynamics())


def new_dynamics(*, now: Callable[[], datetime] | None = None) -> FakeDynamics:
    """Return a Dynamics with the demo's columns and no records; its clock is its own, or *now*."""
    dynamics = FakeDynamics(organization=ORGANIZATIONS[System.DYNAMICS], user="sync@mkdyn-demo", now=now)
    for entity, columns in _COLUMNS.items():
        for column in columns:
            dynamics.add_column(entity.logical_name, column)
    dynamics.add_column("contact", _GATE)
    dynamics.add_table(PRODUCT.logical_name, _PRODUCT_COLUMNS)
    return dynamics


def new_marketo(*, now: Callable[[], datetime] | None = None) -> FakeMarketo:
    """Return a Marketo without anything; its clock is its own, or *now*."""
    return FakeMarketo(organization=ORGANIZATIONS[System.MARKETO], user="sync@mkdyn-demo", now=now)
