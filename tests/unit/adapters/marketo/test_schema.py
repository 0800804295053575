"""Fields described, missing, created; and who we are."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

import mkdyn
from mkdyn import MarketoLimits, NewField, RestMarketo
from mkdyn.domain.fields import FieldSpec
from mkdyn.errors import CheckError, ConfigError, FieldError, TypeMismatchError, UnknownFieldError
from mkdyn.ports.connectors import Identity
from mkdyn.testing import FakeMarketo
from mkdyn.testing.servers.marketo import MarketoServer, Quirks, Service
from mkdyn.testing.servers.marketo.settings import PERMISSIONS

from .instance import URL, Instance, field, refusal, sent, served, success

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend(jumping: tuple[str, dict[str, Any]]) -> tuple[str, dict[str, Any]]:
    """Waits pass at once."""
    return jumping


# -- who -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "organization"),
    [
        (URL, "123-ABC-456"),
        ("https://123-ABC-456.mktorest.com/rest", "123-ABC-456"),
        (" https://user:pass@123-ABC-456.mktorest.com/ ", "123-ABC-456"),
        ("http://127.0.0.1:8765", "127.0.0.1"),
        ("https://marketo.example", "marketo.example"),
    ],
)
async def test_who_we_are(instance: Instance, url: str, organization: str) -> None:
    """The instance is its Munchkin id, the user the token's."""
    client = httpx.AsyncClient(transport=httpx.MockTransport(instance._handle))
    connector = RestMarketo(url, client_id="mkdyn", client_secret="secret", client=client, settles_after_s=5)
    identity = Identity(
        organization=organization, user="sync@acme", batch_max=1500, settles_after_s=5, rows_per_call=300
    )
    assert await connector.identify() == identity
    assert "pass" not in repr(connector)
    assert all("pass" not in str(request.url) for request in instance.seen)


@pytest.mark.parametrize(
    "url", ["", "123-abc-456.mktorest.com", "http://123-abc-456.mktorest.com", "https://", "ftp://x"]
)
def test_an_address_that_is_none(url: str) -> None:
    """It is told before anything is asked, and what it should look like."""
    with pytest.raises(ConfigError, match="address"):
        RestMarketo(url, client_id="a", client_secret="b")


def test_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is missing is named, all at once; no secret is shown."""
    for name in ("URL", "CLIENT_ID", "CLIENT_SECRET"):
        monkeypatch.delenv(f"MARKETO_{name}", raising=False)
    with pytest.raises(ConfigError, match="MARKETO_URL, MARKETO_CLIENT_ID, MARKETO_CLIENT_SECRET"):
        RestMarketo.from_env()
    for name, value in {"URL": URL, "CLIENT_ID": "c4nary", "CLIENT_SECRET": "s3cr3t"}.items():
        monkeypatch.setenv(f"EU_{name}", value)
    connector = RestMarketo.from_env("EU_", limits=MarketoLimits(share=0.3))
    assert repr(connector) == f"<RestMarketo {URL}>"
    assert connector.system is mkdyn.System.MARKETO


# -- described -------------------------------------------------------------------------------------------------


async def test_the_fields_of_persons(instance: Instance) -> None:
    """With their types and numbers; what Marketo manages is not writable, what the API does not have is left out."""
    specs = {spec.name: spec for spec in await instance.connector().describe("lead")}
    assert [*specs] == ["id", "email", "title", "share", "seen", "born", "amount", "hasAgreed", "strange", "keyed"]
    assert specs["title"] == FieldSpec(name="title", type="text", label="Title", length=255, id="3")
    assert specs["hasAgreed"] == FieldSpec(name="hasAgreed", type="boolean", label="Hasagreed", default=False, id="8")
    assert [specs[name].type for name in ("email", "share", "seen", "born", "amount", "strange")] == [
        "email", "percent", "datetime", "date", "currency", "unsupported",
    ]  # fmt: skip
    assert [name for name, spec in specs.items() if not spec.writable] == ["id"]


async def test_an_object_that_is_not_there_has_no_fields(instance: Instance) -> None:
    """Whichever way Marketo says so."""
    for answer in (refusal("610"), refusal("1013"), success(), success({"name": "x_c"})):
        instance.on("customobjects/x_c/describe", answer)
        assert not await instance.connector().describe("x_c")


async def test_what_a_native_sync_keeps_to_itself() -> None:
    """Described or not, it can't be written: the error says why."""
    async with served(server=MarketoServer(FakeMarketo(), quirks=Quirks(native_sync="refused"))) as (connector, _):
        with pytest.raises(CheckError, match="native CRM sync"):
            await connector.describe("company")
        [problem] = await connector.check({"company": ["company"]})
        assert "native CRM sync" in str(problem)


async def test_describe_refused_for_another_reason(instance: Instance) -> None:
    """It is no object that is not there."""
    instance.on("leads/describe", refusal("609"))
    with pytest.raises(mkdyn.errors.SetupError, match="609"):
        await instance.connector().describe("lead")


# -- missing ---------------------------------------------------------------------------------------------------


async def test_what_is_missing_is_told_all_at_once() -> None:
    """Objects, rights and fields, with the nearest name; where fields may not be created."""
    server = MarketoServer(
        FakeMarketo(), services=[Service(permissions=frozenset({"Read-Only Lead", "Read-Only Company"}))]
    )
    async with served(server=server) as (connector, _):
        needs = {"lead": ["title", "titlle", "x"], "company": ["industri"], "nothing_c": ["a"], "opportunity": ["name"]}
        told = [str(problem) for problem in await connector.check(needs)]
    assert [text.split(".")[0:2] for text in told[:2]] == [
        ["Marketo lead", "titlle is not there; nearest: title"],
        ["Marketo lead", "x is not there"],
    ]
    assert told[2] == (
        "Marketo lead: the API user may not write it (603). Give its role the API permission Read-Write Lead."
    )
    assert told[3] == (
        "Marketo lead: the API user may not read its activities (603). "
        "Give its role the API permission Read-Only Activity."
    )
    assert "Marketo company.industri is not there; nearest: industry" in told[4]
    assert "may not write it (603). Give its role the API permission Read-Write Company." in told[5]
    assert all("lacks a permission (603)" in text for text in told[6:])
    assert len(told) == 8


@pytest.mark.parametrize(
    ("lacking", "object", "problem"),
    [
        ("Read-Write Lead", "lead", "the API user may not write it (603)"),
        ("Read-Only Activity", "lead", "the API user may not read its activities (603)"),
        ("Read-Write Company", "company", "the API user may not write it (603)"),
        ("Read-Write Named Opportunity", "opportunity", "the API user may not write it (603)"),
        ("Read-Write Named Opportunity", "opportunityRole", "the API user may not write it (603)"),
        ("Read-Write Sales Person", "salesperson", "the API user may not write it (603)"),
        ("Read-Write Custom Object", "visit_c", "the API user may not write it (603)"),
    ],
)
async def test_a_right_that_only_a_write_would_miss(lacking: str, object: str, problem: str) -> None:
    """It is told before anything is read or written, and nothing is written by asking."""
    fake = FakeMarketo()
    await fake.create_field("visit_c", NewField("City"))
    others = {"Read-Write Activity"} if "Activity" in lacking else set[str]()
    server = MarketoServer(fake, services=[Service(permissions=PERMISSIONS - {lacking} - others)])
    async with served(server=server) as (connector, _):
        [told] = await connector.check({object: []})
        assert (told.what, told.remedy) == (
            f"Marketo {object}: {problem}.", f"Give its role the API permission {lacking}.",
        )  # fmt: skip
    async with served(server=MarketoServer(fake)) as (connector, _):
        assert not await connector.check({object: []})
    assert [fake.records(name) for name in ("lead", "company", "opportunity", "salesperson", "visit_c")] == [[]] * 5


async def test_a_native_sync_is_told_where_it_is_in_the_way() -> None:
    """Persons alone may sync beside it."""
    async with served(server=MarketoServer(FakeMarketo(), quirks=Quirks(native_sync="read-only"))) as (connector, _):
        assert not await connector.check({"lead": ["email"]})
        told = [
            str(problem) for problem in await connector.check({"lead": ["email"], "company": [], "salesperson": []})
        ]
    assert told == [
        f"Marketo {object}: the native CRM sync is on, so nobody else may write it (1018). "
        "Switch the native sync off, or deselect all that is no person."
        for object in ("company", "salesperson")
    ]


async def test_what_may_be_created_is_not_missing() -> None:
    """Of persons and custom objects; nothing is created by looking."""
    async with served() as (connector, server):
        assert not await connector.check({"lead": ["tier"], "nothing_c": ["a"], "company": ["industry"]})
        [problem] = await connector.check({"company": ["tier"]})
        assert "company.tier" in str(problem)
        assert server.arrivals["leads.create_fields"] == server.arrivals["customobjects.create"] == 0


async def test_an_object_of_another_s_is_missing() -> None:
    """A custom object that may not even be listed."""
    permissions = PERMISSIONS - {"Read-Only Custom Object Type", "Read-Write Custom Object Type"}
    server = MarketoServer(FakeMarketo(), services=[Service(permissions=permissions)])
    async with served(server=server) as (connector, _):
        [problem] = await connector.check({"nothing_c": ["a"]})
    assert str(problem).startswith("Marketo nothing_c is not there, or the API user may not read it.")


# -- created ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "kind", "wire"),
    [
        (NewField("Tier"), "text", "string"),
        (NewField("Worth", type="currency"), "currency", "currency"),
        (NewField("Warmth", type="score"), "score", "score"),
    ],
)
async def test_a_field_is_created_as_asked(instance: Instance, asked: NewField, kind: str, wire: str) -> None:
    """By its label, name and Marketo's name of the type."""
    instance.on("leads/schema/fields", success({"name": asked.api_name, "status": "created"}))
    connector = instance.connector()
    await connector.describe("lead")
    instance.on("leads/describe", success(), success(field(60, asked.api_name, wire)))
    made = await connector.create_field("lead", asked)
    assert (made.name, made.type) == (asked.api_name, kind)
    [request] = instance.asked("leads/schema/fields")
    assert sent(request) == {"input": [{"name": asked.api_name, "displayName": asked.label, "dataType": wire}]}


async def test_a_score_may_be_described_as_a_whole_number(instance: Instance) -> None:
    """One that is there is returned; a text of that name is another type."""
    instance.on("leads/describe", success(field(60, "warmth", "integer")))
    assert (await instance.connector().create_field("lead", NewField("Warmth", type="score"))).type == "integer"
    with pytest.raises(TypeMismatchError, match="it is integer"):
        await instance.connector().create_field("lead", NewField("Warmth", type="text"))
    assert not instance.asked("leads/schema/fields")


async def test_a_field_that_marketo_does_not_take(instance: Instance) -> None:
    """The code is told; a right that is missing is named as such."""
    instance.on("leads/schema/fields", refusal("1003"))
    with pytest.raises(FieldError, match=r"does not create lead\.tier \(1003\)"):
        await instance.connector().create_field("lead", NewField("Tier"))
    instance.on("leads/schema/fields", refusal("603"))
    with pytest.raises(CheckError, match="permission"):
        await instance.connector().create_field("lead", NewField("Tier"))


async def test_a_field_that_does_not_come_to_be(instance: Instance) -> None:
    """Marketo says that it is there, and does not describe it."""
    instance.on("leads/schema/fields", success({"name": "tier", "status": "created"}))
    with pytest.raises(UnknownFieldError, match=r"lead\.tier"):
        await instance.connector().create_field("lead", NewField("Tier"))


async def test_a_company_s_fields_are_marketo_s_own() -> None:
    """The API creates none."""
    async with served() as (connector, _):
        with pytest.raises(FieldError, match="creates no field of company"):
            await connector.create_field("company", NewField("Tier"))


async def test_a_custom_object_that_was_begun_is_finished() -> None:
    """The draft of a run that died; and a second field is added to an object that is there."""
    async with served() as (connector, server):
        drafts = server.instance.world.drafts
        await connector.identify()
        server.trouble = None
        first = await connector.create_field("plan_c", NewField("Plan"))
        second = await connector.create_field("plan_c", NewField("Level", type="integer"))
        assert (first.type, second.type) == ("text", "integer")
        names = [spec.name for spec in await connector.describe("plan_c")]
        assert {"dynamicsId", "plan", "level"} <= set(names)
        assert not drafts
