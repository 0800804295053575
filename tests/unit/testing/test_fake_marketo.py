"""FakeMarketo keeps Marketo's rules."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import attrs
import pytest

from mkdyn.domain import (
    Applied,
    Create,
    Cursor,
    Delete,
    Entity,
    Entry,
    FieldSpec,
    FieldType,
    FieldValue,
    NewField,
    Outcome,
    Page,
    Record,
    Rejected,
    Stale,
    System,
    Update,
    Values,
)
from mkdyn.domain.mapping import STANDARD_MAPPING
from mkdyn.domain.roles import CONTACT_ROLE
from mkdyn.errors import (
    CheckError,
    ConfigError,
    CursorExpiredError,
    FieldError,
    TypeMismatchError,
    UnknownEntityError,
    UnknownFieldError,
)
from mkdyn.testing import FakeMarketo

from .reading import cursor_of, pages_of

pytestmark = pytest.mark.anyio

ACME = "7b1e0000-0000-0000-0000-000000000001"
GLOBEX = "7b1e0000-0000-0000-0000-000000000002"
BOB = "93ad0000-0000-0000-0000-000000000001"


@pytest.fixture
def marketo() -> FakeMarketo:
    """A new instance."""
    return FakeMarketo()


def record(marketo: FakeMarketo, object: str, key: str) -> Record:
    """The record, which is there."""
    found = marketo.record(object, key)
    assert found is not None
    return found


def shown(marketo: FakeMarketo, key: str, field: str, object: str = "lead") -> FieldValue:
    """What a person sees in a field."""
    return record(marketo, object, key).values[field]


async def write(marketo: FakeMarketo, object: str, *writes: Create | Update | Delete) -> Outcome:
    """Send writes in one call; return the last outcome."""
    return (await marketo.write(object, writes))[-1]


def refusal(outcome: Outcome) -> tuple[str, str | None]:
    """The code of a refusal, and the field to blame."""
    assert isinstance(outcome, Rejected)
    return outcome.code, outcome.field


def told(pages: Sequence[Page]) -> list[tuple[str, str, str | None, str | None]]:
    """What the entries prove: person, field, old text, new text; a new person has no field."""
    return [
        (entry.key, entry.evidence[0].field, entry.evidence[0].old, entry.evidence[0].new)
        if entry.evidence
        else (entry.key, "", None, None)
        for entry in entries(pages)
    ]


def entries(pages: Sequence[Page]) -> list[Entry]:
    """All entries of these pages."""
    return [entry for page in pages for entry in page.entries]


class TestPeople:
    """What people do there."""

    async def test_ids_are_rising_whole_numbers(self, marketo: FakeMarketo) -> None:
        """They are never used again; two persons may have one e-mail address."""
        first, second = (marketo.create("lead", email="ada@example.com") for _ in range(2))
        marketo.delete("lead", second)
        third = marketo.create("lead")
        assert [first, second, third] == ["1", "2", "3"]
        assert shown(marketo, third, "id") == 3
        assert [found.key for found in marketo.records("lead")] == ["1", "3"]
        with pytest.raises(ValueError, match="Marketo's to choose"):
            marketo.create("lead", id=7)

    async def test_a_record_shows_all_its_fields(self, marketo: FakeMarketo) -> None:
        """What nobody entered is None, a boolean false."""
        values = record(marketo, "lead", marketo.create("lead", firstName="Ada")).values
        assert (values["firstName"], values["lastName"], values["unsubscribed"]) == ("Ada", None, False)
        assert values["createdAt"] == values["updatedAt"] == datetime(2026, 1, 1, tzinfo=UTC)
        assert marketo.record("lead", "99") is None

    @pytest.mark.parametrize(
        ("name", "value", "stored"),
        [
            ("title", "", None),
            ("unsubscribed", None, False),
            ("unsubscribed", True, True),
            ("leadScore", 7, 7),
            ("emailSuspendedAt", datetime(2026, 1, 1, 2, 0, 0, 5, timezone(timedelta(hours=2))), datetime(2026, 1, 1, tzinfo=UTC)),
            ("dateOfBirth", date(1815, 12, 10), date(1815, 12, 10)),
            ("mktoPersonNotes", "x" * 30_000, "x" * 30_000),
        ],
    )  # fmt: skip
    async def test_a_value_is_stored_as_marketo_does(
        self, marketo: FakeMarketo, name: str, value: FieldValue, stored: FieldValue
    ) -> None:
        """Empty text is nothing, an empty boolean false, a time has whole seconds in UTC."""
        ada = marketo.create("lead")
        marketo.edit("lead", ada, **{name: value})
        assert shown(marketo, ada, name) == stored

    @pytest.mark.parametrize("value", [7, 1.5, Decimal("34.66")])
    async def test_numbers_are_floats(self, marketo: FakeMarketo, value: FieldValue) -> None:
        """Also where a whole number was entered."""
        marketo.create("opportunity", externalOpportunityId="o", name="Engine", amount=value)
        amount = shown(marketo, "o", "amount", "opportunity")
        assert isinstance(amount, float)
        assert amount == pytest.approx(float(str(value)))

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("title", 7),
            ("title", "x" * 256),
            ("mktoPersonNotes", "é" * 15_001),
            ("mktoPersonNotes", 7),
            ("leadScore", 14.1),
            ("unsubscribed", "other"),
            ("emailSuspendedAt", date(2026, 1, 1)),
            ("leadPerson", "1"),
            ("email", "ada"),
            ("email", "@example.com"),
            ("email", "a@b@c"),
            ("email", "ada@example..com"),
            ("email", "a da@example.com"),
            ("email", "ädä@example.com"),
            ("externalCompanyId", ACME),
            ("externalSalesPersonId", BOB),
        ],
    )
    async def test_a_form_takes_no_value_that_does_not_fit(
        self, marketo: FakeMarketo, name: str, value: FieldValue
    ) -> None:
        """People are told at once, an API gets 1003 and the field; nothing of the record is written."""
        ada = marketo.create("lead", title="Countess")
        with pytest.raises(ValueError, match="does not take that value"):
            marketo.edit("lead", ada, **{name: value})
        outcome = await write(marketo, "lead", Update(key=ada, values={"firstName": "Ada", name: value}))
        assert refusal(outcome) == ("1003", name)
        assert shown(marketo, ada, "firstName") is None

    async def test_an_email_may_be_cleared(self, marketo: FakeMarketo) -> None:
        """No address is no bad address."""
        ada = marketo.create("lead", email="ada@example.com")
        marketo.edit("lead", ada, email=None)
        marketo.edit("lead", ada, email="")
        assert shown(marketo, ada, "email") is None

    async def test_a_wrong_name_is_answered_with_the_nearest(self, marketo: FakeMarketo) -> None:
        """Objects, fields and records that are not there are said to be so."""
        with pytest.raises(LookupError, match="no object leads; nearest: lead"):
            marketo.create("leads")
        with pytest.raises(LookupError, match="no field jobTitle"):
            marketo.create("lead", jobTitle="Countess")
        with pytest.raises(LookupError, match="no lead 99"):
            marketo.edit("lead", "99", title="Countess")
        with pytest.raises(LookupError, match="0 lead records"):
            marketo.key_of("lead", email="ada@example.com")

    async def test_a_key_never_changes(self, marketo: FakeMarketo) -> None:
        """Not by hand, and not by an API."""
        marketo.create("company", externalCompanyId=ACME, company="Acme")
        with pytest.raises(ValueError, match="is the key"):
            marketo.edit("company", ACME, externalCompanyId=GLOBEX)
        values = {"externalCompanyId": GLOBEX}
        assert refusal(await write(marketo, "company", Update(key=ACME, values=values))) == (
            "1003",
            "externalCompanyId",
        )
        same = Update(key=ACME, values={"externalCompanyId": ACME, "company": "Acme Ltd"})
        assert await write(marketo, "company", same) == Applied(key=ACME)
        assert shown(marketo, ACME, "externalCompanyId", "company") == ACME

    async def test_a_keyed_record_needs_its_key_and_what_is_required(self, marketo: FakeMarketo) -> None:
        """And the key must be free."""
        with pytest.raises(ValueError, match="needs externalCompanyId"):
            marketo.create("company", company="Acme")
        with pytest.raises(ValueError, match="needs name"):
            marketo.create("opportunity", externalOpportunityId="o")
        marketo.create("company", externalCompanyId=ACME)
        with pytest.raises(ValueError, match="of that key already"):
            marketo.create("company", externalCompanyId=ACME)

    async def test_a_person_shows_its_company(self, marketo: FakeMarketo) -> None:
        """Its fields are the company's; a person without one has its own."""
        marketo.create("company", externalCompanyId=ACME, company="Acme", billingCity="London")
        ada = marketo.create("lead", externalCompanyId=ACME, company="Somewhere")
        bob = marketo.create("lead", company="Somewhere")
        marketo.edit("company", ACME, billingCity="Paris")
        found = await marketo.read("lead", [ada, bob], fields=["company", "billingCity"])
        assert found[ada].values == {"company": "Acme", "billingCity": "Paris"}
        assert found[bob].values == {"company": "Somewhere", "billingCity": None}
        assert shown(marketo, ada, "company") == "Acme"

    async def test_a_person_moves_between_companies_but_leaves_none(self, marketo: FakeMarketo) -> None:
        """An API can't unlink it either."""
        for key in (ACME, GLOBEX):
            marketo.create("company", externalCompanyId=key)
        ada = marketo.create("lead", externalCompanyId=None)
        marketo.edit("lead", ada, externalCompanyId=None)
        marketo.edit("lead", ada, externalCompanyId=ACME)
        marketo.edit("lead", ada, externalCompanyId=GLOBEX)
        with pytest.raises(ValueError, match="can't leave"):
            marketo.edit("lead", ada, externalCompanyId=None)
        outcome = await write(marketo, "lead", Update(key=ada, values={"externalCompanyId": None}))
        assert refusal(outcome) == ("1003", "externalCompanyId")

    async def test_what_is_in_use_is_not_deleted(self, marketo: FakeMarketo) -> None:
        """Companies and sales persons that others refer to, by hand or by an API."""
        marketo.create("salesperson", externalSalesPersonId=BOB, email="bob@acme.com")
        marketo.create("company", externalCompanyId=ACME, externalSalesPersonId=BOB)
        ada = marketo.create("lead", externalCompanyId=ACME)
        for object, key in (("company", ACME), ("salesperson", BOB)):
            with pytest.raises(ValueError, match="in use"):
                marketo.delete(object, key)
            assert refusal(await write(marketo, object, Delete(key=key))) == ("1022", None)
        marketo.delete("lead", ada)
        assert await write(marketo, "company", Delete(key=ACME)) == Applied(key=ACME)
        marketo.delete("salesperson", BOB)
        assert not marketo.records("salesperson")


class TestSchema:
    """What the instance describes."""

    @pytest.mark.parametrize("entity", list(Entity), ids=str)
    async def test_every_field_of_the_standard_mapping_is_there(self, marketo: FakeMarketo, entity: Entity) -> None:
        """An instance that is prepared has all that the mapping names, but what a CRM or an add-on would bring."""
        names = {spec.name for spec in await marketo.describe(entity.marketo_object)}
        brought = ("dynamics", "lastInteresting", CONTACT_ROLE.name)  # a role is a record of its own
        assert names >= {row.marketo for row in STANDARD_MAPPING[entity] if not row.marketo.startswith(brought)}

    async def test_it_is_described_as_recorded(self, marketo: FakeMarketo) -> None:
        """Types, lengths, and what the system manages."""
        specs = {spec.name: spec for spec in await marketo.describe("lead")}
        assert specs["title"] == FieldSpec(name="title", type="text", label="Title", length=255)
        assert specs["mktoPersonNotes"].length is None
        assert (specs["sicCode"].length, specs["sicCode"].writable) == (40, False)
        assert specs["externalCompanyId"].length == 50
        assert {name for name, spec in specs.items() if spec.type == "boolean"} >= {"unsubscribed", "dynamicsDeleted"}
        assert not any(specs[name].writable for name in ("id", "createdAt", "updatedAt", "company", "leadPartitionId"))
        assert {spec.name: spec for spec in await marketo.describe("opportunity")}["name"].required

    async def test_an_instance_may_not_be_prepared(self) -> None:
        """Then set-up has something to do."""
        bare = FakeMarketo(prepared="no")
        names = {spec.name for spec in await bare.describe("lead")}
        assert not names & {"dynamicsId", "dynamicsContactId", "dynamicsDeleted"}
        assert not await bare.describe("dynamicsTeam_c")

    @pytest.mark.parametrize(
        ("asked", "made"),
        [
            (NewField("Customer tier"), FieldSpec(name="customerTier", type="text", label="Customer tier", length=255)),
            (NewField("T", type="email"), FieldSpec(name="t", type="email", label="T", length=255)),
            (NewField("T", type="currency"), FieldSpec(name="t", type="currency", label="T")),
            (NewField("T", type="boolean"), FieldSpec(name="t", type="boolean", label="T", default=False)),
            (NewField("T", type="date"), FieldSpec(name="t", type="date", label="T")),
        ],
    )
    async def test_a_field_is_created_once(self, marketo: FakeMarketo, asked: NewField, made: FieldSpec) -> None:
        """Asked for again, it is returned as it is; it can be used at once."""
        made = attrs.evolve(made, api_created=True)
        assert await marketo.create_field("lead", asked) == made
        assert await marketo.create_field("lead", asked) == made
        assert made in await marketo.describe("lead")
        assert shown(marketo, marketo.create("lead"), made.name) == made.default

    async def test_a_field_of_another_type_is_refused(self, marketo: FakeMarketo) -> None:
        """So is a type that Marketo can't hold, and a name that it does not take."""
        with pytest.raises(TypeMismatchError, match="leadScore"):
            await marketo.create_field("lead", NewField("Lead Score"))
        for kind in ("unsupported", "memo", "reference", "choice"):
            with pytest.raises(TypeMismatchError, match=kind):
                await marketo.create_field("lead", NewField("Photo", type=kind))
        with pytest.raises(TypeMismatchError, match="url"):
            await marketo.create_field("dynamicsTeam_c", NewField("Site", type="url"))
        for name in ("2fast", "tier!", "größe", ""):
            with pytest.raises(FieldError, match="no name for a Marketo field"):
                await marketo.create_field("lead", NewField("Tier", name=name))

    async def test_a_label_is_taken_once(self, marketo: FakeMarketo) -> None:
        """In any case; nothing is created."""
        before = await marketo.describe("lead")
        with pytest.raises(FieldError, match="leadScore has the label 'LEAD SCORE' already"):
            await marketo.create_field("lead", NewField("LEAD SCORE", name="score2", type="integer"))
        assert await marketo.describe("lead") == before

    async def test_an_api_creates_only_so_many_fields(self, marketo: FakeMarketo) -> None:
        """A hundred of a person, fifty of a custom object; what is there already is returned all the same."""
        for number in range(97):  # mkdyn's own three are there
            await marketo.create_field("lead", NewField(f"Field {number}"))
        assert (await marketo.create_field("lead", NewField("Field 7"))).name == "field7"
        with pytest.raises(FieldError, match="creates 100 fields of persons and no more: 100 are there, 1 asked for"):
            await marketo.create_field("lead", NewField("One too many"))
        for number in range(49):  # its key is one, too
            await marketo.create_field("visit_c", NewField(f"Field {number}"))
        with pytest.raises(FieldError, match="object visit_c has 50 fields at the most: 50 are there, 1 asked for"):
            await marketo.create_field("visit_c", NewField("One too many"))
        assert "oneTooMany" not in {spec.name for name in ("lead", "visit_c") for spec in await marketo.describe(name)}

    async def test_a_custom_object_comes_with_its_first_field(self, marketo: FakeMarketo) -> None:
        """It is keyed by dynamicsId."""
        await marketo.create_field("subscription_c", NewField("Plan", type="text"))
        await marketo.create_field("subscription_c", NewField("Seats", type="integer"))
        values: Values = {"plan": "basic", "seats": 3}
        assert await write(marketo, "subscription_c", Create(key=ACME, values=values)) == Applied(key=ACME)
        found = await marketo.read("subscription_c", [ACME], fields=["dynamicsId", "plan", "seats"])
        assert found[ACME].values == {"dynamicsId": ACME, **values}

    async def test_people_make_and_delete_fields_and_objects(self, marketo: FakeMarketo) -> None:
        """A deleted field is unknown at once, and empty when it comes back."""
        tier: FieldType = "text"
        marketo.add_object("invoice_c", [FieldSpec(name="total", type="float")])
        assert marketo.create("invoice_c", dynamicsId=ACME, total=7) == ACME
        marketo.add_field("lead", FieldSpec(name="tier", type=tier, length=10))
        ada = marketo.create("lead", tier="gold")
        marketo.drop_field("lead", "tier")
        assert refusal(await write(marketo, "lead", Update(key=ada, values={"tier": "x"}))) == ("1006", "tier")
        marketo.add_field("lead", FieldSpec(name="tier", type=tier, length=10))
        assert shown(marketo, ada, "tier") is None

    async def test_check_names_what_nobody_may_create(self) -> None:
        """Where the user may create fields, set-up does; else a person must."""
        needs = {"lead": ["email", "dynamicsId"], "dynamicsTeam_c": ["name"]}
        assert not await FakeMarketo(prepared="no").check(needs)
        strict = FakeMarketo(prepared="no", may_create_fields="no")
        assert [str(problem) for problem in await strict.check(needs)] == [
            f"Marketo: the API user may not create fields. Give its role that permission, or create {what}."
            for what in ("lead field dynamicsId", "dynamicsTeam_c field name")
        ]
        with pytest.raises(CheckError, match="may not create fields"):
            await strict.create_field("lead", NewField("Tier"))


class TestReads:
    """Reads by key and by value."""

    async def test_unknown_ids_are_left_out(self, marketo: FakeMarketo) -> None:
        """Values hold the fields asked for, empty ones too; there is no version."""
        ada = marketo.create("lead", firstName="Ada")
        found = await marketo.read("lead", [ada, "99"], fields=["firstName", "doNotCall", "title"])
        assert found == {ada: Record(key=ada, values={"firstName": "Ada", "doNotCall": False, "title": None})}

    async def test_find_takes_any_field_and_case(self, marketo: FakeMarketo) -> None:
        """Every match is answered."""
        keys = [marketo.create("lead", dynamicsId=value) for value in (ACME, ACME.upper(), GLOBEX)]
        found = await marketo.find("lead", "dynamicsId", [ACME], fields=["email"])
        assert [row.key for row in found] == keys[:2]
        assert found[0].values == {"email": None, "dynamicsId": ACME}
        assert [row.key for row in await marketo.find("lead", "id", ["3"], fields=[])] == keys[2:]
        assert not await marketo.find("lead", "title", [""], fields=[])

    async def test_an_unknown_name_is_refused(self, marketo: FakeMarketo) -> None:
        """Objects and fields alike."""
        with pytest.raises(UnknownEntityError, match="Marketo has no object leads"):
            await marketo.read("leads", [], fields=[])
        with pytest.raises(UnknownFieldError, match="nearest: email"):
            await marketo.find("lead", "emails", [], fields=[])


class TestWrites:
    """The connector's writes."""

    async def test_a_create_looks_the_person_up(self, marketo: FakeMarketo) -> None:
        """None there: made. One: found, and written all the same. Several: refused, nobody is chosen."""
        made = await write(marketo, "lead", Create(key=ACME, by="dynamicsId", values={"title": "A"}))
        assert made == Applied(key="1")
        assert shown(marketo, "1", "dynamicsId") == ACME
        found = await write(marketo, "lead", Create(key=ACME.upper(), by="dynamicsId", values={"title": "B"}))
        assert found == Applied(key="1", found=True)
        assert shown(marketo, "1", "title") == "B"
        marketo.create("lead", dynamicsId=ACME)
        several = await write(marketo, "lead", Create(key=ACME, by="dynamicsId", values={"title": "C"}))
        assert several == Rejected(code="1007", message="Multiple lead match lookup criteria")

    async def test_a_keyed_record_is_created_or_updated(self, marketo: FakeMarketo) -> None:
        """By its external key; what was there is found, and written."""
        create = Create(key=ACME, values={"company": "Acme"})
        assert await write(marketo, "company", create) == Applied(key=ACME)
        again = Create(key=ACME, values={"company": "Acme Ltd"}, by="externalCompanyId")
        assert await write(marketo, "company", again) == Applied(key=ACME, found=True)
        values = record(marketo, "company", ACME).values
        assert (values["externalCompanyId"], values["company"], values["id"]) == (ACME, "Acme Ltd", 1)
        await write(marketo, "dynamicsTeam_c", Create(key=BOB, values={"name": "Sales"}))
        assert shown(marketo, BOB, "dynamicsId", "dynamicsTeam_c") == BOB

    @pytest.mark.parametrize(
        ("object", "by", "code"),
        [("lead", None, "1003"), ("lead", "id", "1003"), ("company", "company", "1003"), ("lead", "mail", "1006")],
    )
    async def test_a_lookup_field_must_be_one(
        self, marketo: FakeMarketo, object: str, by: str | None, code: str
    ) -> None:
        """A person's id can't be chosen, a company has one key, and the field must be there."""
        assert refusal(await write(marketo, object, Create(key="7", values={}, by=by))) == (code, by or "id")

    @pytest.mark.parametrize(
        ("object", "values", "code", "field"),
        [
            ("lead", {"jobTitle": "X"}, "1006", "jobTitle"),
            ("lead", {"company": "Acme"}, "1021", "company"),
            ("lead", {"createdAt": datetime(1999, 1, 1, tzinfo=UTC)}, "1003", "createdAt"),
            ("lead", {"externalCompanyId": ACME}, "1003", "externalCompanyId"),
            ("opportunity", {"name": "X", "externalSalesPersonId": BOB}, "718", "externalSalesPersonId"),
            ("opportunity", {"name": "X", "externalCompanyId": ACME}, "1003", "externalCompanyId"),
            ("opportunity", {"name": None}, "701", "name"),
            ("opportunity", {}, "701", "name"),
        ],
    )
    async def test_a_refusal_names_the_field(
        self, marketo: FakeMarketo, object: str, values: dict[str, FieldValue], code: str, field: str
    ) -> None:
        """One refused record never stops the others."""
        by = "dynamicsId" if object == "lead" else None
        good: dict[str, FieldValue] = {"name": "Y"} if object == "opportunity" else {}
        refused, done = await marketo.write(
            object, [Create(key=ACME, by=by, values=values), Create(key=GLOBEX, by=by, values=good)]
        )
        assert refusal(refused) == (code, field)
        assert isinstance(done, Applied)
        assert len(marketo.records(object)) == 1

    async def test_an_update_never_creates(self, marketo: FakeMarketo) -> None:
        """Who is not there is gone; to delete them again is done."""
        outcomes = await marketo.write("lead", [Update(key="99", values={"title": "X"}), Delete(key="99")])
        assert outcomes == [Stale(gone=True), Applied(key="99")]
        assert not marketo.records("lead")

    async def test_nothing_new_moves_nothing(self, marketo: FakeMarketo) -> None:
        """It is answered as done, but no entry tells of it, and the time of the last change stays."""
        ada = marketo.create("lead", title="Countess")
        since = await cursor_of(marketo, "lead", ["title"])
        marketo.advance(60)
        values = {"title": "Countess", "doNotCall": None, "phone": ""}
        assert await write(marketo, "lead", Update(key=ada, values=values)) == Applied(key=ada)
        assert shown(marketo, ada, "updatedAt") == datetime(2026, 1, 1, tzinfo=UTC)
        assert not entries(await pages_of(marketo, "lead", ["title", "doNotCall", "phone"], since))

    async def test_only_standard_fields_move_the_time_of_the_last_change(self, marketo: FakeMarketo) -> None:
        """As documented; a custom object has no others."""
        ada = marketo.create("lead")
        marketo.add_object("invoice_c", [FieldSpec(name="total", type="float")])
        marketo.create("invoice_c", dynamicsId=ACME)
        marketo.advance(60)
        await write(marketo, "lead", Update(key=ada, values={"dynamicsId": ACME}))
        await write(marketo, "invoice_c", Update(key=ACME, values={"total": 7}))
        later = datetime(2026, 1, 1, 0, 1, tzinfo=UTC)
        assert shown(marketo, ada, "updatedAt") < later  # type: ignore[operator]  # it is a time
        assert shown(marketo, ACME, "updatedAt", "invoice_c") == later
        marketo.edit("lead", ada, title="Countess")
        assert shown(marketo, ada, "updatedAt") == later

    async def test_a_blocked_field_keeps_its_value(self, marketo: FakeMarketo) -> None:
        """The API is told *updated*; people are not blocked."""
        ada = marketo.create("lead", title="Countess")
        marketo.block_field("lead", "title")
        update = Update(key=ada, values={"title": "Engineer", "firstName": "Ada"})
        assert await write(marketo, "lead", update) == Applied(key=ada)
        assert (shown(marketo, ada, "title"), shown(marketo, ada, "firstName")) == ("Countess", "Ada")
        await write(marketo, "lead", Create(key=ACME, by="dynamicsId", values={"title": "Engineer"}))
        assert shown(marketo, "2", "title") is None
        marketo.edit("lead", ada, title="Mathematician")
        marketo.unblock_field("lead", "title")
        await write(marketo, "lead", update)
        assert shown(marketo, ada, "title") == "Engineer"

    async def test_values_are_rewritten(self, marketo: FakeMarketo) -> None:
        """Whoever writes; the feed has what was stored."""
        marketo.rewrite("lead", "title", lambda value: value.strip() if isinstance(value, str) else value)
        ada = marketo.create("lead", title=" Countess ")
        since = await cursor_of(marketo, "lead", ["title"])
        await write(marketo, "lead", Update(key=ada, values={"title": " Engineer ", "firstName": " Ada "}))
        assert (shown(marketo, ada, "title"), shown(marketo, ada, "firstName")) == ("Engineer", " Ada ")
        assert told(await pages_of(marketo, "lead", ["title"], since)) == [(ada, "title", "Countess", "Engineer")]

    async def test_a_call_takes_only_so_many(self, marketo: FakeMarketo) -> None:
        """As many as the identity says."""
        assert (await marketo.identify()).batch_max == 300
        with pytest.raises(ValueError, match="301 writes in one call; Marketo takes 300"):
            await marketo.write("lead", [Delete(key="1")] * 301)


class TestFeed:
    """What the feed tells."""

    async def test_it_begins_now(self, marketo: FakeMarketo) -> None:
        """The first page comes at once, with a cursor, and tells of nothing that was before."""
        marketo.create("lead", email="ada@example.com")
        [page] = await pages_of(marketo, "lead", ["email"])
        assert (page.entries, page.deleted) == ([], [])
        assert page.cursor is not None
        assert page.cursor.at == page.cursor.repeats_from == marketo.time
        assert (await pages_of(marketo, "lead", ["email"], page.cursor))[0].entries == []

    async def test_it_tells_who_changed_and_from_what_to_what(self, marketo: FakeMarketo) -> None:
        """In texts, an entry for each field; a new person has no evidence, only wanted fields are told."""
        fields = ["title", "doNotCall", "leadScore", "emailSuspendedAt", "dateOfBirth", "urgency"]
        since = await cursor_of(marketo, "lead", fields)
        ada = marketo.create("lead", title="Countess")
        marketo.edit("lead", ada, title=None, doNotCall=True, leadScore=7, phone="1")
        marketo.edit(
            "lead", ada, doNotCall=None, urgency=1, dateOfBirth=date(1815, 12, 10),
            emailSuspendedAt=datetime(2026, 1, 1, 12, tzinfo=UTC),
        )  # fmt: skip
        pages = await pages_of(marketo, "lead", fields, since)
        assert told(pages) == [
            (ada, "", None, None),
            (ada, "title", "Countess", None),
            (ada, "doNotCall", "false", "true"),
            (ada, "leadScore", None, "7"),
            (ada, "doNotCall", "true", "false"),
            (ada, "urgency", None, "1.0"),
            (ada, "dateOfBirth", None, "1815-12-10"),
            (ada, "emailSuspendedAt", None, "2026-01-01T12:00:00Z"),
        ]
        ids = [entry.id for entry in entries(pages)]
        assert ids == sorted(set(ids))
        assert entries(pages)[0].at < entries(pages)[-1].at

    async def test_our_own_writes_are_in_it_like_anybody_s(self, marketo: FakeMarketo) -> None:
        """Nothing tells them apart."""
        since = await cursor_of(marketo, "lead", ["title"])
        await write(marketo, "lead", Create(key=ACME, by="dynamicsId", values={"title": "A"}))
        await write(marketo, "lead", Create(key=ACME, by="dynamicsId", values={"title": "B"}))
        await write(marketo, "lead", Update(key="1", values={"title": "C"}))
        await write(marketo, "lead", Delete(key="1"))
        pages = await pages_of(marketo, "lead", ["title"], since)
        assert told(pages) == [("1", "", None, None), ("1", "title", "A", "B"), ("1", "title", "B", "C")]
        assert [page.deleted for page in pages] == [["1"]]

    async def test_every_page_has_a_cursor_to_go_on_from(self) -> None:
        """Nothing is told twice, nothing skipped; blocks may hold nothing that is wanted."""
        marketo = FakeMarketo(page_size=2)
        ada = marketo.create("lead")
        since = await cursor_of(marketo, "lead", ["title"])
        for number in range(3):
            marketo.edit("lead", ada, title=f"T{number}", phone=str(number), city=str(number))
        pages = await pages_of(marketo, "lead", ["title"], since)
        assert [[entry.evidence[0].new for entry in page.entries] for page in pages] == [["T0"], ["T1"], [], ["T2"], []]
        for place, page in enumerate(pages):
            assert page.cursor is not None
            assert entries(await pages_of(marketo, "lead", ["title"], page.cursor)) == entries(pages[place + 1 :])
            assert page.cursor.repeats_from == page.cursor.at

    async def test_pages_may_be_empty(self) -> None:
        """One before each other one; their cursors repeat nothing and skip nothing."""
        marketo = FakeMarketo(page_size=1, empty_pages="sometimes")
        ada = marketo.create("lead")
        since = await cursor_of(marketo, "lead", ["title"])
        for title in "AB":
            marketo.edit("lead", ada, title=title)
        pages = await pages_of(marketo, "lead", ["title"], since)
        assert [len(page.entries) for page in pages] == [0, 1, 0, 1]
        assert entries(await pages_of(marketo, "lead", ["title"], pages[2].cursor)) == pages[3].entries

    async def test_what_happens_while_it_is_read_comes_next_time(self) -> None:
        """A reading ends, however busy people are."""
        marketo = FakeMarketo(page_size=1)
        ada = marketo.create("lead")
        since = await cursor_of(marketo, "lead", ["title"])
        marketo.edit("lead", ada, title="0")
        titles = iter(range(1, 100))
        marketo.between(lambda _: marketo.edit("lead", ada, title=str(next(titles))))
        first = await pages_of(marketo, "lead", ["title"], since)
        assert [new for *_, new in told(first)] == ["0", "1"]
        second = await pages_of(marketo, "lead", ["title"], first[-1].cursor)
        assert [new for *_, new in told(second)][:1] == ["2"]

    async def test_a_cursor_goes_back_by_the_overlap(self) -> None:
        """Entries come again under the same id, and the cursor says from when on."""
        marketo = FakeMarketo(overlap_s=60.0)
        ada = marketo.create("lead")
        since = await cursor_of(marketo, "lead", ["title"])
        for title in "AB":
            marketo.advance(50)
            marketo.edit("lead", ada, title=title)
        first = await pages_of(marketo, "lead", ["title"], since)
        assert [new for *_, new in told(first)] == [None, "A", "B"]
        assert first[-1].cursor is not None
        assert first[-1].cursor.repeats_from == first[-1].cursor.at - timedelta(seconds=60)
        again = await pages_of(marketo, "lead", ["title"], first[-1].cursor)
        assert entries(again) == entries(first)[1:]
        marketo.advance(200)
        quiet = await cursor_of(marketo, "lead", ["title"], again[-1].cursor)
        assert not entries(await pages_of(marketo, "lead", ["title"], quiet))

    async def test_cursors_expire(self, marketo: FakeMarketo) -> None:
        """So does garbage; a new one is good."""
        since = await cursor_of(marketo, "lead", ["title"])
        marketo.expire_cursors()
        for cursor in (since, Cursor(token="?", at=marketo.time), Cursor(token="1-x", at=marketo.time)):
            with pytest.raises(CursorExpiredError):
                await pages_of(marketo, "lead", ["title"], cursor)
        assert await pages_of(marketo, "lead", ["title"], await cursor_of(marketo, "lead", ["title"]))

    async def test_only_persons_have_a_feed(self, marketo: FakeMarketo) -> None:
        """And only fields that are there can be followed."""
        with pytest.raises(ConfigError, match="no feed of company records"):
            await pages_of(marketo, "company", ["company"])
        with pytest.raises(UnknownFieldError):
            await pages_of(marketo, "lead", ["jobTitle"])


class TestLateEntries:
    """Entries that lag behind values, and values that lag behind entries."""

    async def test_a_held_entry_comes_at_its_own_place(self, marketo: FakeMarketo) -> None:
        """Behind the cursors that were given out meanwhile, so they go back to it; others come twice, by one id."""
        ada, bob = marketo.create("lead"), marketo.create("lead")
        since = await cursor_of(marketo, "lead", ["title"])
        marketo.hold_entries(ada)
        marketo.edit("lead", ada, title="Countess")
        marketo.edit("lead", bob, title="Builder")
        first = await pages_of(marketo, "lead", ["title"], since)
        assert [key for key, *_ in told(first)] == [bob]
        assert (await marketo.read("lead", [ada], fields=["title"]))[ada].values == {"title": "Countess"}
        marketo.show_entries()
        second = await pages_of(marketo, "lead", ["title"], first[-1].cursor)
        assert [key for key, *_ in told(second)] == [ada, bob]
        assert entries(second)[1] == entries(first)[0]
        assert first[-1].cursor is not None
        assert first[-1].cursor.repeats_from == entries(second)[0].at
        assert not entries(await pages_of(marketo, "lead", ["title"], second[-1].cursor))

    async def test_all_entries_can_be_held(self, marketo: FakeMarketo) -> None:
        """Deletions too."""
        since = await cursor_of(marketo, "lead", ["title"])
        marketo.hold_entries()
        marketo.delete("lead", marketo.create("lead"))
        [held] = await pages_of(marketo, "lead", ["title"], since)
        assert (held.entries, held.deleted) == ([], [])
        marketo.show_entries()
        [page] = await pages_of(marketo, "lead", ["title"], held.cursor)
        assert (len(page.entries), page.deleted) == (1, ["1"])

    async def test_entries_can_be_delayed(self, marketo: FakeMarketo) -> None:
        """Until their time has come on Marketo's clock."""
        since = await cursor_of(marketo, "lead", ["title"])
        marketo.delay_entries(60)
        marketo.create("lead")
        since = await cursor_of(marketo, "lead", ["title"], since)
        marketo.advance(59)
        pages = await pages_of(marketo, "lead", ["title"], since)
        assert not entries(pages)
        marketo.advance(1)
        pages = await pages_of(marketo, "lead", ["title"], pages[-1].cursor)
        assert len(entries(pages)) == 1

    async def test_entries_can_be_lost(self, marketo: FakeMarketo) -> None:
        """Then no feed ever tells; what comes afterwards is told again."""
        ada = marketo.create("lead")
        since = await cursor_of(marketo, "lead", ["title"])
        marketo.hold_entries()
        marketo.edit("lead", ada, title="Countess")
        marketo.lose_entries()
        marketo.edit("lead", ada, title="Engineer")
        assert told(await pages_of(marketo, "lead", ["title"], since)) == [(ada, "title", "Countess", "Engineer")]

    async def test_values_can_lag_behind_their_entries(self, marketo: FakeMarketo) -> None:
        """Reads show what was there when it began: changed, new and deleted persons alike."""
        ada, bob = marketo.create("lead", title="Countess"), marketo.create("lead", title="Builder")
        since = await cursor_of(marketo, "lead", ["title"])
        marketo.hold_values()
        marketo.edit("lead", ada, title="Mathematician")
        marketo.edit("lead", ada, title="Engineer")
        marketo.delete("lead", bob)
        new = marketo.create("lead", title="Engineer")
        pages = await pages_of(marketo, "lead", ["title"], since)
        assert (len(entries(pages)), pages[0].deleted) == (3, [bob])
        found = await marketo.read("lead", [ada, bob, new], fields=["title"])
        assert {key: row.values["title"] for key, row in found.items()} == {ada: "Countess", bob: "Builder"}
        titles = ["countess", "builder", "engineer"]
        assert [row.key for row in await marketo.find("lead", "title", titles, fields=[])] == [ada, bob]
        assert shown(marketo, ada, "title") == "Engineer"
        marketo.show_values()
        found = await marketo.read("lead", [ada, bob, new], fields=["title"])
        assert {key: row.values["title"] for key, row in found.items()} == {ada: "Engineer", new: "Engineer"}
        assert [row.key for row in await marketo.find("lead", "title", titles, fields=[])] == [ada, new]


class TestMerge:
    """Merging persons."""

    async def test_empty_fields_are_filled_and_losers_vanish(self, marketo: FakeMarketo) -> None:
        """The first loser that has a value gives it; a false is a value; the feed tells all of it."""
        winner = marketo.create("lead", firstName="Ada")
        first = marketo.create("lead", firstName="Augusta", title="Countess", doNotCall=True)
        second = marketo.create("lead", title="Engineer", phone="1")
        since = await cursor_of(marketo, "lead", ["title", "phone", "doNotCall", "firstName"])
        assert await marketo.merge(winner, [first, second, "99"]) == Applied(key=winner)
        values = record(marketo, "lead", winner).values
        assert (values["firstName"], values["title"], values["phone"]) == ("Ada", "Countess", "1")
        assert (values["doNotCall"], values["id"]) == (False, 1)
        assert [found.key for found in marketo.records("lead")] == [winner]
        pages = await pages_of(marketo, "lead", ["title", "phone", "doNotCall", "firstName"], since)
        assert told(pages) == [(winner, "title", None, "Countess"), (winner, "phone", None, "1")]
        assert pages[0].deleted == [first, second]

    async def test_what_can_not_be_merged(self, marketo: FakeMarketo) -> None:
        """Too many, a person with itself, a winner who is not there."""
        ada = marketo.create("lead")
        assert refusal(await marketo.merge(ada, [str(number) for number in range(100, 126)])) == ("1080", None)
        assert refusal(await marketo.merge(ada, [ada])) == ("1003", None)
        assert await marketo.merge("99", [ada]) == Stale(gone=True)


class TestIdentity:
    """Who it is."""

    async def test_it_says_who_it_is(self) -> None:
        """As it was told to be."""
        marketo = FakeMarketo(organization="1-A-2", user="me@acme", batch_max=7, settles_after_s=3.0)
        identity = await marketo.identify()
        assert (identity.organization, identity.user) == ("1-A-2", "me@acme")
        assert (identity.batch_max, identity.settles_after_s) == (7, 3.0)
        assert repr(marketo) == "<FakeMarketo 1-A-2, 1 calls>"
        assert marketo.system is System.MARKETO
