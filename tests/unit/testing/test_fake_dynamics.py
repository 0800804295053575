"""FakeDynamics keeps Dataverse's rules."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Literal
from uuid import uuid4

import attrs
import pytest

from mkdyn.domain import (
    Applied,
    Create,
    Cursor,
    Delete,
    Entity,
    FieldSpec,
    FieldType,
    FieldValue,
    Outcome,
    Record,
    Rejected,
    Stale,
    System,
    Update,
    Values,
    Write,
)
from mkdyn.domain.mapping import STANDARD_MAPPING
from mkdyn.errors import CheckError, CursorExpiredError, UnknownEntityError, UnknownFieldError
from mkdyn.testing import FakeDynamics, Reject

from .reading import cursor_of, pages_of

pytestmark = pytest.mark.anyio

NOWHERE = "00000000-0000-0000-0000-000000000000"


@pytest.fixture
def dynamics() -> FakeDynamics:
    """A new organisation."""
    return FakeDynamics()


def column(name: str = "new_tier", type: FieldType = "text", **more: object) -> FieldSpec:
    """A column of somebody's own."""
    return attrs.evolve(FieldSpec(name=name, type=type, length=40 if type == "text" else None), **more)  # type: ignore[arg-type]  # attributes of a FieldSpec


def record(dynamics: FakeDynamics, object: str, key: str) -> Record:
    """The record, which is there."""
    found = dynamics.record(object, key)
    assert found is not None
    return found


def shown(dynamics: FakeDynamics, object: str, key: str, field: str) -> FieldValue:
    """What a person sees in a field."""
    return record(dynamics, object, key).values[field]


async def write_lead(dynamics: FakeDynamics, **values: FieldValue) -> Outcome:
    """Write these values to a lead that is there."""
    key = dynamics.create("lead", lastname="Lovelace")
    return (await dynamics.write("lead", [Update(key=key, values=values)]))[0]


def field_of(outcome: Outcome) -> tuple[str, str | None]:
    """The code of a refusal, and the field to blame."""
    assert isinstance(outcome, Rejected)
    return outcome.code, outcome.field


class TestPeople:
    """What people do there."""

    async def test_a_record_is_created_and_shown_with_all_its_columns(self, dynamics: FakeDynamics) -> None:
        """A new row has its GUID, its state, its times, its defaults and its full name."""
        key = dynamics.create("lead", firstname="Ada", lastname="Lovelace")
        values = record(dynamics, "lead", key.upper()).values
        assert values["leadid"] == key
        assert (values["statecode"], values["statuscode"]) == (0, 1)
        assert values["donotbulkemail"] is False
        assert values["fullname"] == "Ada Lovelace"
        assert values["createdon"] == values["modifiedon"] == datetime(2026, 1, 1, tzinfo=UTC)
        assert values["jobtitle"] is None
        assert [found.key for found in dynamics.records("lead")] == [key]

    async def test_keys_are_the_same_in_every_run(self) -> None:
        """A test can be repeated, and rows of one organisation never share a GUID."""
        first, second = FakeDynamics(), FakeDynamics()
        keys = [first.create("lead", lastname=name) for name in ("A", "B")]
        assert keys == [second.create("lead", lastname=name) for name in ("A", "B")]
        assert len(set(keys)) == 2
        assert FakeDynamics(organization="other.crm4").create("lead", lastname="A") not in keys

    async def test_a_guid_may_be_chosen_once(self, dynamics: FakeDynamics) -> None:
        """Somebody imports a row with the GUID it had elsewhere; another row can't have the same."""
        chosen = str(uuid4()).upper()
        assert dynamics.create("lead", leadid=chosen, lastname="Lovelace") == chosen.lower()
        for taken in (chosen, "no-guid"):
            with pytest.raises(ValueError, match="a GUID of its own"):
                dynamics.create("lead", leadid=taken, lastname="Lovelace")

    async def test_an_edit_keeps_the_other_columns(self, dynamics: FakeDynamics) -> None:
        """What is not named stays; the full name follows its parts; the time of the edit is kept."""
        key = dynamics.create("contact", firstname="Ada", lastname="Byron", jobtitle="Engineer")
        dynamics.advance(3600)
        dynamics.edit("contact", key.upper(), lastname="Lovelace")
        values = record(dynamics, "contact", key).values
        assert (values["fullname"], values["jobtitle"]) == ("Ada Lovelace", "Engineer")
        assert values["modifiedon"] == datetime(2026, 1, 1, 1, tzinfo=UTC)
        assert values["createdon"] == datetime(2026, 1, 1, tzinfo=UTC)
        with pytest.raises(ValueError, match="never changes"):
            dynamics.edit("contact", key, contactid=NOWHERE)

    async def test_a_state_brings_its_status(self, dynamics: FakeDynamics) -> None:
        """A lead that is qualified has the status Qualified, unless another is given."""
        lead = dynamics.create("lead", lastname="Lovelace", statuscode=2)
        assert shown(dynamics, "lead", lead, "statuscode") == 2
        dynamics.edit("lead", lead, statecode=1)
        assert shown(dynamics, "lead", lead, "statuscode") == 3
        dynamics.edit("lead", lead, statecode=2, statuscode=5)
        assert shown(dynamics, "lead", lead, "statuscode") == 5
        dynamics.edit("lead", lead, statecode=2)
        assert shown(dynamics, "lead", lead, "statuscode") == 5
        assert shown(dynamics, "account", dynamics.create("account", name="Acme", statecode=1), "statuscode") == 2

    async def test_people_edit_what_the_sync_user_may_not_write(self, dynamics: FakeDynamics) -> None:
        """A roll-up and a closed lead change under other people's hands."""
        dynamics.add_column("lead", column("new_rating", "decimal", precision=1, writable=False, nature="calculated"))
        key = dynamics.create("lead", lastname="Lovelace", statecode=1)
        dynamics.edit("lead", key, new_rating=3, jobtitle="Countess")
        assert shown(dynamics, "lead", key, "new_rating") == Decimal("3.0")

    @pytest.mark.parametrize(
        ("name", "value", "stored"),
        [
            ("jobtitle", "", None),
            ("revenue", 1.239, Decimal("1.24")),
            ("revenue", Decimal(7), Decimal("7.00")),
            ("leadsourcecode", 8, 8),
            ("donotphone", None, None),
            (
                "createdon",
                datetime(2025, 5, 1, 2, tzinfo=timezone(timedelta(hours=2))),
                datetime(2025, 5, 1, tzinfo=UTC),
            ),
        ],
    )
    async def test_a_value_is_stored_as_dynamics_does(
        self, dynamics: FakeDynamics, name: str, value: FieldValue, stored: FieldValue
    ) -> None:
        """Empty text is nothing, decimals are rounded without a word, times are kept in UTC."""
        key = dynamics.create("lead", **{"lastname": "Lovelace", name: value})
        assert shown(dynamics, "lead", key, name) == stored

    @pytest.mark.parametrize(
        ("name", "value", "why"),
        [
            ("jobtitle", 7, "wrong type"),
            ("jobtitle", "x" * 101, "too long"),
            ("numberofemployees", 1_000_001, "out of range"),
            ("numberofemployees", -1, "out of range"),
            ("numberofemployees", True, "wrong type"),
            ("revenue", "1", "wrong type"),
            ("revenue", True, "wrong type"),
            ("revenue", float("nan"), "out of range"),
            ("revenue", Decimal("1e30"), "out of range"),
            ("leadsourcecode", "Web", "wrong type"),
            ("leadsourcecode", 99, "no such choice"),
            ("donotphone", "no", "wrong type"),
            ("createdon", "2026-01-01", "wrong type"),
            ("createdon", datetime(2026, 1, 1), "wrong type"),  # noqa: DTZ001 - a time without a zone
            ("parentaccountid", "Acme", "wrong type"),
            ("parentaccountid", 7, "wrong type"),
            ("parentaccountid", NOWHERE, "no such record"),
            ("lastname", None, "must not be empty"),
        ],
    )
    async def test_a_form_takes_no_value_that_does_not_fit(
        self, dynamics: FakeDynamics, name: str, value: FieldValue, why: str
    ) -> None:
        """People are told at once, and nothing is stored."""
        key = dynamics.create("lead", lastname="Lovelace")
        with pytest.raises(ValueError, match=why):
            dynamics.edit("lead", key, **{name: value})
        assert shown(dynamics, "lead", key, "lastname") == "Lovelace"

    async def test_dates_have_no_time(self, dynamics: FakeDynamics) -> None:
        """A day is a day."""
        key = dynamics.create("opportunity", name="Engine", actualclosedate=date(2026, 3, 1))
        assert shown(dynamics, "opportunity", key, "actualclosedate") == date(2026, 3, 1)
        with pytest.raises(ValueError, match="wrong type"):
            dynamics.edit("opportunity", key, actualclosedate=datetime(2026, 3, 1, tzinfo=UTC))

    async def test_a_column_of_an_unsupported_type_takes_nothing(self, dynamics: FakeDynamics) -> None:
        """An image, say."""
        dynamics.add_column("lead", column("entityimage", "unsupported"))
        with pytest.raises(ValueError, match="wrong type"):
            dynamics.create("lead", lastname="Lovelace", entityimage="…")

    async def test_a_lookup_names_a_row_of_one_of_its_tables(self, dynamics: FakeDynamics) -> None:
        """An owner is a user or a team; a table that is not there can't be checked."""
        dynamics.add_column("lead", column("new_currency", "lookup", targets=("transactioncurrency",)))
        team = dynamics.create("team", name="Sales")
        key = dynamics.create("lead", lastname="Lovelace", ownerid=team.upper(), new_currency=NOWHERE)
        assert shown(dynamics, "lead", key, "ownerid") == team
        dynamics.edit("lead", key, ownerid=None, new_currency=None)
        assert shown(dynamics, "lead", key, "ownerid") is None

    async def test_what_is_required_must_be_there(self, dynamics: FakeDynamics) -> None:
        """A lead has a last name."""
        with pytest.raises(ValueError, match="a lead needs lastname"):
            dynamics.create("lead", firstname="Ada")

    async def test_a_wrong_name_is_answered_with_the_nearest(self, dynamics: FakeDynamics) -> None:
        """Tables, columns and records that are not there are said to be so."""
        with pytest.raises(LookupError, match="no object contacts; nearest: contact"):
            dynamics.create("contacts", lastname="Lovelace")
        with pytest.raises(LookupError, match="no field jobtitel; nearest: jobtitle"):
            dynamics.create("contact", lastname="Lovelace", jobtitel="Countess")
        with pytest.raises(LookupError, match=r"no field xyzzy$"):
            dynamics.key_of("contact", xyzzy="?")
        with pytest.raises(LookupError, match=f"no lead {NOWHERE}"):
            dynamics.edit("lead", NOWHERE, jobtitle="Countess")
        with pytest.raises(LookupError):
            dynamics.delete("lead", NOWHERE)
        assert dynamics.record("lead", NOWHERE) is None

    async def test_key_of_finds_exactly_one(self, dynamics: FakeDynamics) -> None:
        """None and several are errors that say how many; case is no matter; any value will do."""
        ada = dynamics.create("contact", lastname="Lovelace", emailaddress1="Ada@example.com", donotphone=True)
        dynamics.create("contact", lastname="Lovelace")
        assert dynamics.key_of("contact", emailaddress1="ada@EXAMPLE.com") == ada
        assert dynamics.key_of("contact", donotphone=True) == ada
        rich = dynamics.create("account", name="Acme", revenue=7)
        assert dynamics.key_of("account", revenue=7) == dynamics.key_of("account", revenue=Decimal(7)) == rich
        assert [row.key for row in await dynamics.find("account", "revenue", ["7.00"], fields=[])] == [rich]
        assert dynamics.key_of("contact", lastname="Lovelace", emailaddress1="ada@example.com") == ada
        assert dynamics.key_of("contact", lastname="Lovelace", emailaddress1=None) != ada
        with pytest.raises(LookupError, match="2 contact records"):
            dynamics.key_of("contact", lastname="Lovelace")
        with pytest.raises(LookupError, match="0 contact records"):
            dynamics.key_of("contact", lastname="Byron")
        with pytest.raises(LookupError, match="2 contact records"):
            dynamics.key_of("contact")

    async def test_a_deleted_record_can_be_restored_once(self, dynamics: FakeDynamics) -> None:
        """It comes out of the bin as it went in."""
        key = dynamics.create("lead", lastname="Lovelace")
        dynamics.delete("lead", key.upper())
        assert dynamics.record("lead", key) is None
        dynamics.restore("lead", key.upper())
        assert shown(dynamics, "lead", key, "lastname") == "Lovelace"
        with pytest.raises(LookupError, match="was deleted"):
            dynamics.restore("lead", key)


class TestSchema:
    """What the organisation describes."""

    @pytest.mark.parametrize("entity", list(Entity), ids=str)
    async def test_every_column_of_the_standard_mapping_is_there(self, dynamics: FakeDynamics, entity: Entity) -> None:
        """A new organisation has all that the mapping names, but what an add-on would bring."""
        names = {spec.name for spec in await dynamics.describe(entity.logical_name)}
        assert names >= {row.dynamics for row in STANDARD_MAPPING[entity] if not row.dynamics.startswith("mkt_")}
        assert names >= {f"{entity.logical_name}id", "createdon", "modifiedon", "ownerid"}

    async def test_a_table_that_is_not_there_describes_nothing(self, dynamics: FakeDynamics) -> None:
        """No error: an object there is not has no fields."""
        assert not await dynamics.describe("new_subscription")

    async def test_choices_have_labels_and_columns_have_ids(self, dynamics: FakeDynamics) -> None:
        """The lasting id survives a change of the column, and ends with the column."""
        specs = {spec.name: spec for spec in await dynamics.describe("lead")}
        assert specs["leadsourcecode"].choices[8] == "Web"
        assert specs["statecode"].choices == {0: "Open", 1: "Qualified", 2: "Disqualified"}
        assert len({spec.id for spec in specs.values()}) == len(specs)
        assert not specs["createdon"].writable
        dynamics.add_column("lead", attrs.evolve(specs["jobtitle"], id=None, length=20))
        changed = {spec.name: spec for spec in await dynamics.describe("lead")}["jobtitle"]
        assert (changed.id, changed.length) == (specs["jobtitle"].id, 20)
        dynamics.drop_column("lead", "jobtitle")
        dynamics.add_column("lead", attrs.evolve(specs["jobtitle"], id=None))
        again = {spec.name: spec for spec in await dynamics.describe("lead")}["jobtitle"]
        assert again.id != specs["jobtitle"].id

    async def test_several_choices_are_kept_in_order(self, dynamics: FakeDynamics) -> None:
        """Each once; what is no list of the column's choices does not fit."""
        dynamics.add_column("lead", column("new_colours", "choices", choices={1: "Red", 2: "Blue"}))
        key = dynamics.create("lead", lastname="Lovelace", new_colours="2,1,2")
        assert shown(dynamics, "lead", key, "new_colours") == "1,2"
        for wrong in ("3", "Red", 1):
            with pytest.raises(ValueError, match="new_colours"):
                dynamics.edit("lead", key, new_colours=wrong)

    async def test_a_time_on_the_wall_has_no_zone(self, dynamics: FakeDynamics) -> None:
        """Nor does an instant go without."""
        dynamics.add_column("lead", column("new_opens", "wall-clock"))
        nine = datetime(2026, 7, 14, 9)  # noqa: DTZ001 - the same for everybody
        key = dynamics.create("lead", lastname="Lovelace", new_opens=nine)
        assert shown(dynamics, "lead", key, "new_opens") == nine
        with pytest.raises(ValueError, match="new_opens"):
            dynamics.edit("lead", key, new_opens=nine.replace(tzinfo=UTC))

    async def test_a_new_table_has_the_columns_that_every_table_has(self, dynamics: FakeDynamics) -> None:
        """Its own ones stand if they are given."""
        dynamics.add_table("new_subscription", [column("new_plan", default="basic"), column("statuscode", "text")])
        specs = {spec.name: spec for spec in await dynamics.describe("new_subscription")}
        assert {"new_subscriptionid", "statecode", "ownerid", "new_plan"} <= specs.keys()
        assert specs["statuscode"].type == "text"
        key = dynamics.create("new_subscription")
        assert shown(dynamics, "new_subscription", key, "new_plan") == "basic"

    async def test_a_new_column_is_empty_in_old_rows(self, dynamics: FakeDynamics) -> None:
        """Its default is for new rows."""
        old = dynamics.create("lead", lastname="Lovelace")
        dynamics.add_column("lead", column("new_vip", "boolean", default=True))
        new = dynamics.create("lead", lastname="Byron")
        assert [shown(dynamics, "lead", key, "new_vip") for key in (old, new)] == [None, True]

    async def test_a_dropped_column_is_empty_when_it_comes_back(self, dynamics: FakeDynamics) -> None:
        """What was in it is gone, for searches too."""
        key = dynamics.create("lead", lastname="Lovelace", jobtitle="Countess")
        assert dynamics.key_of("lead", jobtitle="Countess") == key
        dynamics.drop_column("lead", "jobtitle")
        dynamics.add_column("lead", column("jobtitle"))
        assert shown(dynamics, "lead", key, "jobtitle") is None
        assert not await dynamics.find("lead", "jobtitle", ["Countess"], fields=[])


class TestRights:
    """What the sync user may see and do."""

    @pytest.mark.parametrize(("shows", "values"), [("nothing", {}), ("null", {"jobtitle": None})])
    async def test_a_hidden_column_shows_nothing(self, shows: str, values: dict[str, FieldValue]) -> None:
        """Reads, finds and the feed leave it out, or show it as empty, by setting; people see it."""
        dynamics = FakeDynamics(secured_shows="null" if shows == "null" else "nothing")
        key = dynamics.create("lead", lastname="Lovelace", jobtitle="Countess")
        dynamics.hide_column("lead", "jobtitle")
        expected = {"lastname": "Lovelace", **values}
        fields = ["lastname", "jobtitle"]
        assert (await dynamics.read("lead", [key], fields=fields))[key].values == expected
        assert (await dynamics.find("lead", "lastname", ["lovelace"], fields=fields))[0].values == expected
        assert (await pages_of(dynamics, "lead", fields))[0].records[0].values == expected
        assert not await dynamics.find("lead", "jobtitle", ["Countess"], fields=fields)
        assert shown(dynamics, "lead", key, "jobtitle") == "Countess"

    async def test_a_hidden_column_can_be_shown_again(self, dynamics: FakeDynamics) -> None:
        """It is described as unreadable meanwhile, and as before afterwards."""
        before = await dynamics.describe("lead")
        dynamics.hide_column("lead", "jobtitle")
        hidden = {spec.name: spec for spec in await dynamics.describe("lead")}["jobtitle"]
        assert (hidden.readable, hidden.writable) == (False, False)
        dynamics.protect_column("lead", "jobtitle")
        assert {spec.name: spec for spec in await dynamics.describe("lead")}["jobtitle"].readable
        dynamics.show_column("lead", "jobtitle")
        assert await dynamics.describe("lead") == before
        with pytest.raises(LookupError, match="not secured"):
            dynamics.show_column("lead", "jobtitle")

    async def test_a_protected_column_is_not_written(self, dynamics: FakeDynamics) -> None:
        """The codes differ between new rows and old ones."""
        dynamics.protect_column("lead", "jobtitle")
        assert field_of(await write_lead(dynamics, jobtitle="Countess")) == ("0x8004f507", "jobtitle")
        write = Create(key=str(uuid4()), values={"lastname": "Lovelace", "jobtitle": "Countess"})
        assert field_of((await dynamics.write("lead", [write]))[0]) == ("0x8004f502", "jobtitle")

    @pytest.mark.parametrize(("shows", "mask"), [("nothing", {}), ("mask", {"jobtitle": "###-##-####"})])
    async def test_a_masked_column_shows_no_value(self, shows: Literal["nothing", "mask"], mask: Values) -> None:
        """Reads, finds and the feed leave it out, or show a mask, by setting; an empty one has none."""
        dynamics = FakeDynamics(masked_shows=shows)
        key = dynamics.create("lead", lastname="Lovelace", jobtitle="Countess")
        empty = dynamics.create("lead", lastname="Hopper")
        before = await dynamics.describe("lead")
        dynamics.mask_column("lead", "jobtitle")
        [spec] = [spec for spec in await dynamics.describe("lead") if spec.name == "jobtitle"]
        assert (spec.readable, spec.writable, spec.secured, spec.masked) == (True, True, True, True)
        fields = ["lastname", "jobtitle"]
        read = await dynamics.read("lead", [key, empty], fields=fields)
        assert read[key].values == {"lastname": "Lovelace", **mask}
        assert read[empty].values == {"lastname": "Hopper", **dict.fromkeys(mask)}
        assert (await dynamics.find("lead", "lastname", ["lovelace"], fields=fields))[0] == read[key]
        assert (await pages_of(dynamics, "lead", fields))[0].records[0] == read[key]
        assert not await dynamics.find("lead", "jobtitle", ["Countess", "###-##-####"], fields=fields)
        [problem] = await dynamics.check({"lead": ["jobtitle"]})
        assert str(problem) == (
            "Dynamics lead.jobtitle: the sync user is shown masks of its values. "
            "Let its column security profile read it unmasked, all records; or deselect it."
        )
        assert isinstance(await write_lead(dynamics, jobtitle="Admiral"), Applied)
        dynamics.show_column("lead", "jobtitle")
        assert await dynamics.describe("lead") == before

    async def test_a_masked_column_that_nobody_writes_stays_so(self, dynamics: FakeDynamics) -> None:
        """A mask gives no right."""
        dynamics.mask_column("lead", "createdon")
        [spec] = [spec for spec in await dynamics.describe("lead") if spec.name == "createdon"]
        assert (spec.masked, spec.writable) == (True, False)

    async def test_a_hidden_table_is_refused(self, dynamics: FakeDynamics) -> None:
        """Nothing of it can be read, and describe says so."""
        dynamics.hide_table("contact")
        assert not any(spec.readable or spec.writable for spec in await dynamics.describe("contact"))
        with pytest.raises(CheckError, match="cannot read the table"):
            await dynamics.read("contact", [NOWHERE], fields=["lastname"])
        with pytest.raises(CheckError):
            await pages_of(dynamics, "contact", ["lastname"])
        dynamics.show_table("contact")
        assert not await dynamics.read("contact", [NOWHERE], fields=["lastname"])

    async def test_check_finds_everything_at_once(self, dynamics: FakeDynamics) -> None:
        """Each problem comes with its remedy."""
        dynamics.hide_table("contact")
        dynamics.hide_column("lead", "jobtitle")
        problems = await dynamics.check({
            "new_x": ["name"],
            "contact": ["lastname"],
            "lead": ["jobtitle", "lastnam", "xyzzy", "lastname"],
        })  # fmt: skip
        publish = "Create the column, publish it, and let the sync user read it; or deselect it."
        assert [str(problem) for problem in problems] == [
            "Dynamics has no table new_x. Check the name, or have the table published.",
            "Dynamics contact: the sync user cannot read the table (no prvReadContact). Give its role Read, organization level.",
            "Dynamics lead.jobtitle: secured, the sync user may not read it. Add it to a column security profile that allows Read.",
            f"Dynamics lead.lastnam is not there; nearest: lastname. {publish}",
            f"Dynamics lead.xyzzy is not there. {publish}",
        ]


class TestChanges:
    """The delta feed."""

    async def test_without_a_cursor_every_row_comes(self) -> None:
        """Pages have their size, the fields asked for and nothing else; the last one has the cursor."""
        dynamics = FakeDynamics(page_size=2)
        keys = [dynamics.create("lead", lastname=name) for name in ("A", "B", "C")]
        dynamics.delete("lead", dynamics.create("lead", lastname="D"))
        pages = await pages_of(dynamics, "lead", ["lastname", "donotphone"])
        assert [[row.key for row in page.records] for page in pages] == [keys[:2], keys[2:]]
        assert [page.cursor is None for page in pages] == [True, False]
        assert pages[0].records[0] == Record(
            key=keys[0], values={"lastname": "A", "donotphone": False}, version='W/"1"'
        )
        assert not any(page.deleted for page in pages)

    async def test_from_a_cursor_only_changes_come(self, dynamics: FakeDynamics) -> None:
        """Each changed row once with its present values, then deletions, those never seen included."""
        first, second, third = (dynamics.create("lead", lastname=name) for name in ("A", "B", "C"))
        cursor = await cursor_of(dynamics, "lead", ["lastname"])
        dynamics.edit("lead", first, lastname="A2")
        dynamics.edit("lead", first, lastname="A3")
        dynamics.delete("lead", second)
        passing = dynamics.create("lead", lastname="D")
        dynamics.delete("lead", passing)
        new = dynamics.create("lead", lastname="E")
        [page] = await pages_of(dynamics, "lead", ["lastname"], cursor)
        assert [(row.key, row.values["lastname"]) for row in page.records] == [(first, "A3"), (new, "E")]
        assert page.deleted == [second, passing]
        assert third not in [row.key for row in page.records]
        assert page.cursor is not None
        assert page.cursor.at == dynamics.time
        [quiet] = await pages_of(dynamics, "lead", ["lastname"], page.cursor)
        assert (quiet.records, quiet.deleted) == ([], [])

    async def test_deletions_come_after_all_rows(self) -> None:
        """They share a page where there is room, and get their own where there is not."""
        dynamics = FakeDynamics(page_size=2)
        gone = [dynamics.create("lead", lastname=name) for name in ("A", "B")]
        cursor = await cursor_of(dynamics, "lead", ["lastname"])
        for key in gone:
            dynamics.delete("lead", key)
        new = [dynamics.create("lead", lastname=name) for name in ("C", "D", "E")]
        pages = await pages_of(dynamics, "lead", ["lastname"], cursor)
        assert [([row.key for row in page.records], page.deleted) for page in pages] == [
            (new[:2], []),
            (new[2:], gone[:1]),
            ([], gone[1:]),
        ]

    async def test_people_edit_between_two_pages(self) -> None:
        """Values are those of the moment; what was changed in between comes again with the next delta."""
        dynamics = FakeDynamics(page_size=1)
        keys = [dynamics.create("lead", lastname=name) for name in ("A", "B", "C")]
        cursor = None
        async with dynamics.changes("lead", fields=["lastname"], since=None) as pages:
            seen = [(await anext(pages)).records[0].values["lastname"]]
            dynamics.edit("lead", keys[0], lastname="A2")
            dynamics.edit("lead", keys[1], lastname="B2")
            dynamics.delete("lead", keys[2])
            late = dynamics.create("lead", lastname="D")
            async for page in pages:
                seen += [row.values["lastname"] for row in page.records]
                cursor = page.cursor
        assert seen == ["A", "B2"]
        following = await pages_of(dynamics, "lead", ["lastname"], cursor)
        assert [row.key for page in following for row in page.records] == [*keys[:2], late]
        assert [key for page in following for key in page.deleted] == [keys[2]]

    async def test_a_restored_row_is_a_change_and_no_deletion(self, dynamics: FakeDynamics) -> None:
        """So that a deletion never undoes it."""
        key = dynamics.create("lead", lastname="Lovelace")
        cursor = await cursor_of(dynamics, "lead", ["lastname"])
        dynamics.delete("lead", key)
        dynamics.restore("lead", key)
        [page] = await pages_of(dynamics, "lead", ["lastname"], cursor)
        assert ([row.key for row in page.records], page.deleted) == ([key], [])

    async def test_a_row_restored_while_its_deletion_is_on_the_way_is_left_out(self) -> None:
        """It comes with the next delta."""
        dynamics = FakeDynamics(page_size=1)
        gone = dynamics.create("lead", lastname="A")
        cursor = await cursor_of(dynamics, "lead", ["lastname"])
        dynamics.create("lead", lastname="B")
        dynamics.delete("lead", gone)
        async with dynamics.changes("lead", fields=["lastname"], since=cursor) as pages:
            await anext(pages)
            dynamics.restore("lead", gone)
            last = await anext(pages)
        assert not last.deleted
        [following] = await pages_of(dynamics, "lead", ["lastname"], last.cursor)
        assert [row.key for row in following.records] == [gone]

    async def test_a_cursor_is_of_one_table_and_one_set_of_columns(self, dynamics: FakeDynamics) -> None:
        """Their order is no matter; garbage is refused like an old cursor."""
        cursor = await cursor_of(dynamics, "lead", ["lastname", "jobtitle"])
        assert await pages_of(dynamics, "lead", ["jobtitle", "lastname"], cursor)
        bare = await cursor_of(dynamics, "lead", [])
        assert await pages_of(dynamics, "lead", [], bare)
        garbage = Cursor(token="?", at=dynamics.time)
        for object, fields, since in [("lead", ["lastname"], cursor), ("contact", ["lastname", "jobtitle"], cursor),
                                      ("lead", ["lastname"], garbage)]:  # fmt: skip
            with pytest.raises(CursorExpiredError):
                await pages_of(dynamics, object, fields, since)

    async def test_cursors_expire(self, dynamics: FakeDynamics) -> None:
        """Those that are there; a new one is good."""
        cursor = await cursor_of(dynamics, "lead", ["lastname"])
        dynamics.expire_cursors()
        with pytest.raises(CursorExpiredError, match="in full"):
            await pages_of(dynamics, "lead", ["lastname"], cursor)
        assert await pages_of(dynamics, "lead", ["lastname"], await cursor_of(dynamics, "lead", ["lastname"]))

    async def test_a_row_written_often_is_remembered_once(self, dynamics: FakeDynamics) -> None:
        """The log of changes does not grow with the number of edits."""
        key, other = (dynamics.create("lead", lastname=name) for name in ("A", "B"))
        cursor = await cursor_of(dynamics, "lead", ["lastname"])
        for number in range(3000):
            dynamics.edit("lead", key, lastname=f"A{number}")
        dynamics.edit("lead", other, lastname="B2")
        [page] = await pages_of(dynamics, "lead", ["lastname"], cursor)
        assert [row.values["lastname"] for row in page.records] == ["A2999", "B2"]

    async def test_an_unknown_name_is_refused(self, dynamics: FakeDynamics) -> None:
        """Tables and columns alike, with the nearest name."""
        with pytest.raises(UnknownEntityError, match="nearest: lead"):
            await pages_of(dynamics, "leads", ["lastname"])
        with pytest.raises(UnknownFieldError) as caught:
            await dynamics.read("lead", [], fields=["lastnme"])
        assert caught.value.nearest == "lastname"
        with pytest.raises(UnknownFieldError, match=r"not in Dynamics\.$"):
            await dynamics.find("lead", "xyzzy", [], fields=[])


class TestReads:
    """Reads by key and by value."""

    async def test_keys_are_taken_in_any_case_and_others_left_out(self, dynamics: FakeDynamics) -> None:
        """A record that is not there is no error."""
        key = dynamics.create("lead", lastname="Lovelace")
        found = await dynamics.read("lead", [key.upper(), NOWHERE], fields=["lastname", "jobtitle"])
        assert found == {key: Record(key=key, values={"lastname": "Lovelace", "jobtitle": None}, version='W/"1"')}
        assert found[key].values == {"lastname": "Lovelace", "jobtitle": None}

    async def test_find_answers_every_match(self, dynamics: FakeDynamics) -> None:
        """Without regard to case, with the field itself, as rows are now."""
        ada, twin, other = (
            dynamics.create("lead", lastname="Lovelace", emailaddress1=address)
            for address in ("ada@example.com", "ADA@example.com", "b@example.com")
        )
        wanted = ["Ada@Example.com", "ada@example.com", "nobody@example.com"]
        found = await dynamics.find("lead", "emailaddress1", wanted, fields=["lastname"])
        assert [row.key for row in found] == [ada, twin]
        assert found[0].values == {"lastname": "Lovelace", "emailaddress1": "ada@example.com"}
        dynamics.edit("lead", other, emailaddress1="ada@example.com")
        dynamics.edit("lead", ada, emailaddress1=None)
        dynamics.delete("lead", twin)
        found = await dynamics.find("lead", "emailaddress1", wanted, fields=["lastname"])
        assert [row.key for row in found] == [other]
        dynamics.restore("lead", twin)
        assert len(await dynamics.find("lead", "emailaddress1", wanted, fields=[])) == 2


class TestWrites:
    """The connector's writes."""

    async def test_a_create_sent_twice_makes_one_row(self, dynamics: FakeDynamics) -> None:
        """The second finds it and writes nothing."""
        key = str(uuid4())
        [first] = await dynamics.write("lead", [Create(key=key.upper(), values={"lastname": "Lovelace"})])
        [second] = await dynamics.write("lead", [Create(key=key, values={"lastname": "Byron"})])
        version = record(dynamics, "lead", key).version
        assert first == Applied(key=key, version=version)
        assert second == Applied(key=key, version=version, found=True)
        assert shown(dynamics, "lead", key, "lastname") == "Lovelace"

    async def test_an_update_moves_the_version_even_if_nothing_changes(self, dynamics: FakeDynamics) -> None:
        """As in Dataverse; the answer names the new version."""
        key = dynamics.create("lead", lastname="Lovelace")
        version = record(dynamics, "lead", key).version
        [outcome] = await dynamics.write("lead", [Update(key=key, values={"lastname": "Lovelace"}, version=version)])
        assert isinstance(outcome, Applied)
        assert outcome.version == record(dynamics, "lead", key).version != version

    async def test_another_version_is_stale(self, dynamics: FakeDynamics) -> None:
        """Somebody was faster: neither an update nor a deletion goes through."""
        key = dynamics.create("lead", lastname="Lovelace")
        version = record(dynamics, "lead", key).version
        dynamics.edit("lead", key, jobtitle="Countess")
        update = Update(key=key, values={"jobtitle": "Engineer"}, version=version)
        assert await dynamics.write("lead", [update, Delete(key=key, version=version)]) == [Stale(), Stale()]
        assert shown(dynamics, "lead", key, "jobtitle") == "Countess"

    async def test_what_is_gone_is_gone(self, dynamics: FakeDynamics) -> None:
        """An update of it is stale; a deletion is done."""
        writes: list[Write] = [Update(key=NOWHERE, values={}, version="W/1"), Delete(key=NOWHERE, version="W/1")]
        assert await dynamics.write("lead", writes) == [Stale(gone=True), Applied(key=NOWHERE)]

    async def test_a_deletion_is_in_the_feed(self, dynamics: FakeDynamics) -> None:
        """With the version or without."""
        first, second = (dynamics.create("lead", lastname=name) for name in ("A", "B"))
        cursor = await cursor_of(dynamics, "lead", ["lastname"])
        writes = [Delete(key=first.upper(), version=record(dynamics, "lead", first).version), Delete(key=second)]
        assert await dynamics.write("lead", writes) == [Applied(key=first), Applied(key=second)]
        [page] = await pages_of(dynamics, "lead", ["lastname"], cursor)
        assert page.deleted == [first, second]

    @pytest.mark.parametrize(
        ("name", "value", "code"),
        [
            ("jobtitel", "Countess", "0x80060888"),
            ("jobtitle", "x" * 101, "0x80044331"),
            ("jobtitle", 7, "0x80048d19"),
            ("numberofemployees", -1, "0x8004432f"),
            ("revenue", 1e30, "0x80044330"),
            ("leadqualitycode", 9, "0x8004431a"),
            ("parentaccountid", NOWHERE, "0x80040217"),
            ("new_day", date(1752, 12, 31), "0x80048d19"),
            ("new_when", datetime(1752, 12, 31, 23, 59, tzinfo=UTC), "0x80048d19"),
        ],
    )
    async def test_a_refusal_names_the_column(
        self, dynamics: FakeDynamics, name: str, value: FieldValue, code: str
    ) -> None:
        """One refused record never stops the others."""
        for column, kind in (("new_day", "date"), ("new_when", "datetime")):
            dynamics.add_column("lead", FieldSpec(name=column, type=kind))  # type: ignore[arg-type]
        good, bad = (dynamics.create("lead", lastname=who) for who in ("A", "B"))
        writes = [Update(key=bad, values={name: value}), Update(key=good, values={"jobtitle": "Countess"})]
        refused, done = await dynamics.write("lead", writes)
        assert field_of(refused) == (code, name)
        assert isinstance(done, Applied)

    async def test_a_new_row_needs_a_guid_and_what_is_required(self, dynamics: FakeDynamics) -> None:
        """Both refusals leave nothing behind, nor does that of a value."""
        writes = [
            Create(key="1042", values={"lastname": "Lovelace"}),
            Create(key=str(uuid4()), values={"firstname": "Ada"}),
            Create(key=str(uuid4()), values={"lastname": 7}),
        ]
        outcomes = await dynamics.write("lead", writes)
        assert [field_of(outcome) for outcome in outcomes] == [
            ("0x80048d19", None), ("0x80040203", "lastname"), ("0x80048d19", "lastname"),
        ]  # fmt: skip
        assert not dynamics.records("lead")

    async def test_what_nobody_may_write_is_passed_over(self, dynamics: FakeDynamics) -> None:
        """As Dataverse does: no error, no effect."""
        assert isinstance(await write_lead(dynamics, createdon=datetime(1999, 1, 1, tzinfo=UTC)), Applied)
        assert shown(dynamics, "lead", dynamics.records("lead")[0].key, "createdon") == datetime(2026, 1, 1, tzinfo=UTC)

    async def test_a_lead_that_is_not_open_is_read_only(self, dynamics: FakeDynamics) -> None:
        """Only its state can be written; reopened, it takes everything."""
        key = dynamics.create("lead", lastname="Lovelace", statecode=1)
        assert field_of((await dynamics.write("lead", [Update(key=key, values={"jobtitle": "X"})]))[0]) == (
            "read-only", None,
        )  # fmt: skip
        steps: list[Values] = [{"statecode": 2}, {"statecode": 0, "jobtitle": "X"}, {"jobtitle": "Y"}]
        for values in steps:
            assert isinstance((await dynamics.write("lead", [Update(key=key, values=values)]))[0], Applied)
        assert shown(dynamics, "lead", key, "jobtitle") == "Y"

    async def test_writes_to_any_table_are_counted(self, dynamics: FakeDynamics) -> None:
        """So that a test can say that a one-way table was never written; people's edits do not count."""
        dynamics.create("lead", lastname="Lovelace")
        assert not dynamics.writes_by_object
        await dynamics.write("account", [Create(key=str(uuid4()), values={"name": name}) for name in "AB"])
        assert dynamics.writes_by_object == {"account": 2}

    async def test_a_call_takes_only_so_many(self) -> None:
        """More are a mistake of the caller; a table that is not there is one, too."""
        dynamics = FakeDynamics(batch_max=1)
        with pytest.raises(ValueError, match="Dynamics takes 1"):
            await dynamics.write("lead", [Delete(key=NOWHERE)] * 2)
        with pytest.raises(UnknownEntityError):
            await dynamics.write("leads", [Delete(key=NOWHERE)])

    async def test_a_reject_lasts_until_it_is_taken_out(self, dynamics: FakeDynamics) -> None:
        """It hits one field of one record."""
        key = dynamics.create("lead", lastname="Lovelace")
        fault = Reject(key=key, field="jobtitle", code="0x80040265", message="A plug-in threw.")
        dynamics.inject(fault)
        writes: list[Write] = [
            Update(key=key, values={"jobtitle": "X"}),
            Update(key=key, values={"fax": "1"}),
            Delete(key=NOWHERE),
        ]
        refused, other, _ = await dynamics.write("lead", writes)
        assert refused == Rejected(code="0x80040265", message="A plug-in threw.", field="jobtitle")
        assert isinstance(other, Applied)
        dynamics.faults.remove(fault)
        assert isinstance((await dynamics.write("lead", writes[:1]))[0], Applied)


class TestIdentity:
    """Who it is."""

    async def test_it_says_who_it_is(self) -> None:
        """As it was told to be; its repr shows no one's data."""
        dynamics = FakeDynamics(organization="x.crm", user="me", batch_max=7, settles_after_s=3.0)
        identity = await dynamics.identify()
        assert (identity.organization, identity.user) == ("x.crm", "me")
        assert (identity.batch_max, identity.settles_after_s) == (7, 3.0)
        assert repr(dynamics) == "<FakeDynamics x.crm, 1 calls>"
        assert dynamics.system is System.DYNAMICS

    async def test_it_can_be_used_after_it_was_closed(self, dynamics: FakeDynamics) -> None:
        """A test starts a second synchronizer on the same systems."""
        await dynamics.aclose()
        assert await dynamics.describe("lead")


# -- rows that become others


def test_only_an_open_lead_is_qualified() -> None:
    """Once."""
    fake = FakeDynamics()
    lead = fake.create("lead", lastname="A")
    fake.qualify(lead)
    with pytest.raises(ValueError, match="is not open"):
        fake.qualify(lead)


def test_rows_that_can_not_be_merged() -> None:
    """One with itself, and those of a table without the column that names the winner."""
    fake = FakeDynamics()
    contact, team = fake.create("contact", lastname="A"), fake.create("team", name="A")
    with pytest.raises(ValueError, match="can't be merged into"):
        fake.merge_rows("contact", contact, contact)
    with pytest.raises(ValueError, match="can't be merged into"):
        fake.merge_rows("team", team, fake.create("team", name="B"))
