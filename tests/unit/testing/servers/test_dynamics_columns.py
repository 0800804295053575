"""Columns made and deleted on Dynamics' wire, raw."""

from __future__ import annotations

import pytest

from mkdyn.testing import FakeDynamics

from .calling_dynamics import API, calling

pytestmark = pytest.mark.anyio

CONTACT = "EntityDefinitions(LogicalName='contact')/Attributes"
TEXT = {"@odata.type": "Microsoft.Dynamics.CRM.StringAttributeMetadata", "SchemaName": "new_Tier", "MaxLength": 40}


async def test_a_column_is_made_filled_and_deleted() -> None:
    """As Microsoft's documentation shows it: its address is answered, and a label is given."""
    fake = FakeDynamics()
    ada = fake.create("contact", lastname="Lovelace")
    async with calling(fake) as caller:
        label = {"LocalizedLabels": [{"Label": "Tier", "LanguageCode": 1033}]}
        made = await caller.call("POST", CONTACT, {**TEXT, "DisplayName": label})
        assert made.status_code == 204
        address = made.headers["OData-EntityId"].removeprefix(f"{API}/")
        told = await caller.get(f"{CONTACT}(LogicalName='new_tier')")
        assert (told["AttributeTypeName"]["Value"], told["DisplayName"]["UserLocalizedLabel"]["Label"]) == (
            "StringType",
            "Tier",
        )
        assert (await caller.call("PATCH", f"contacts({ada})", {"new_tier": "gold"})).status_code == 204
        assert (await caller.get(f"contacts({ada})"))["new_tier"] == "gold"
        assert (await caller.call("DELETE", address)).status_code == 204
        assert "new_tier" not in await caller.get(f"contacts({ada})")
        assert await caller.refused("DELETE", f"{CONTACT}(LogicalName='new_tier')") == (404, "0x80040217")


async def test_a_column_is_made_once() -> None:
    """The label is the name where none is given, and the length Dynamics' own."""
    async with calling() as caller:
        assert (await caller.call("POST", CONTACT, {**TEXT, "MaxLength": 100, "DisplayName": {}})).status_code == 204
        assert await caller.refused("POST", CONTACT, TEXT) == (400, "0x80047013")
        assert (
            next(spec for spec in await caller.fake.describe("contact") if spec.name == "new_tier").label == "new_Tier"
        )


@pytest.mark.parametrize(
    "wrong",
    [
        {"@odata.type": "Microsoft.Dynamics.CRM.MoneyAttributeMetadata"}, {"@odata.type": None}, {"SchemaName": "Tier"},
        {"SchemaName": None}, {"MaxLength": 0}, {"MaxLength": "40"},
    ],
)  # fmt: skip
async def test_a_column_that_cannot_be_made_is_refused(wrong: dict[str, object]) -> None:
    """Other types, no prefix, no length; nothing is made."""
    async with calling() as caller:
        assert await caller.refused("POST", CONTACT, {**TEXT, **wrong}) == (400, "0x80040203")
        assert "new_tier" not in [spec.name for spec in await caller.fake.describe("contact")]


async def test_what_belongs_to_dynamics_stays() -> None:
    """A standard column can't be deleted, and neither can a table be made over."""
    async with calling() as caller:
        assert await caller.refused("DELETE", f"{CONTACT}(LogicalName='lastname')") == (400, "0x80040203")
        for method, path in (
            ("DELETE", CONTACT),
            ("POST", f"{CONTACT}(LogicalName='lastname')"),
            ("POST", CONTACT[:-1]),
        ):
            assert await caller.refused(method, path, TEXT) == (405, "0x8006088a")
