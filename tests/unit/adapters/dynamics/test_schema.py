"""Who we are, what tables look like to us, and what must be put right."""

from __future__ import annotations

import pytest

from mkdyn import DynamicsLimits, RestDynamics
from mkdyn.adapters.dynamics.batch import Answer
from mkdyn.domain.fields import FieldSpec
from mkdyn.errors import ConfigError, SetupError, UnreachableError
from mkdyn.ports import Identity

from .organisation import (
    COLUMNS,
    CREDENTIALS,
    ORGANIZATION,
    URL,
    USER,
    VERBS,
    Organisation,
    column,
    definition,
    guid,
    listed,
    refusal,
    reply,
    row,
)

pytestmark = pytest.mark.anyio

LEAD = r"GET EntityDefinitions\(LogicalName='lead'\)"


async def described(connector: RestDynamics) -> dict[str, FieldSpec]:
    """The columns of leads, by name."""
    return {spec.name: spec for spec in await connector.describe("lead")}


async def problems(organisation: Organisation, *fields: str) -> list[str]:
    """What check says of leads."""
    return [str(problem) for problem in await organisation.connector().check({"lead": fields})]


# -- identify ------------------------------------------------------------------------------------------------------


async def test_who_we_are(organisation: Organisation) -> None:
    """The organisation's own id, which outlives its address; asked in one call, once."""
    connector = organisation.connector(batch_max=7, settles_after_s=9.0)
    first = await connector.identify()
    assert first == await connector.identify()
    assert first == Identity(organization=ORGANIZATION, user=USER, batch_max=7, settles_after_s=9.0, rows_per_call=25)
    assert (organisation.calls, organisation.tokens) == (1, 1)
    assert repr(connector) == f"<RestDynamics {URL}>"


async def test_every_request_says_which_odata_it_speaks(organisation: Organisation) -> None:
    """Alone, or around a batch; its errors are to be JSON, and no cache may answer."""
    await organisation.connector().identify()
    [asked] = organisation.asked("WhoAmI")
    wanted = {"odata-version": "4.0", "odata-maxversion": "4.0", "accept": "application/json", "if-none-match": "null"}
    assert wanted.items() <= asked.headers.items()


@pytest.mark.parametrize("answer", [reply({}), reply({"OrganizationId": "acme", "UserId": USER})])
async def test_an_answer_that_names_nobody(organisation: Organisation, answer: Answer) -> None:
    """It is somebody else who answers."""
    organisation.on("WhoAmI", answer)
    with pytest.raises(UnreachableError, match="who we are"):
        await organisation.connector().identify()


# -- describe ------------------------------------------------------------------------------------------------------


async def test_a_table_is_described_in_one_request(organisation: Organisation) -> None:
    """Types by what columns mean, limits, labels in every language, where lookups point to, what is filled by itself."""
    connector = organisation.connector()
    await connector.identify()
    calls = organisation.calls
    specs = await described(connector)
    assert organisation.calls == calls + 1
    assert {name: spec.type for name, spec in specs.items()} == {
        "leadid": "guid", "lastname": "text", "jobtitle": "text", "emailaddress1": "email", "revenue": "money",
        "score": "integer", "rating": "decimal", "donotphone": "boolean", "quality": "choice", "statecode": "state",
        "createdon": "datetime", "day": "date", "wall": "wall-clock", "campaign": "user-date",
        "parentaccountid": "lookup", "customerid": "customer", "ownerid": "owner", "owneridname": "text",
        "owneridtype": "unsupported", "photo": "image", "strange": "unsupported",
    }  # fmt: skip
    assert specs["lastname"] == FieldSpec(
        name="lastname", type="text", label="Lastname", length=50, required=True, id=guid(101)
    )
    assert specs["revenue"] == FieldSpec(
        name="revenue", type="money", label="Revenue", precision=2, minimum=0.0, maximum=1e9, id=guid(104)
    )
    assert specs["quality"].choices == {1: "Hot", 2: "Cold"}
    assert specs["quality"].translations == {1033: {1: "Hot", 2: "Cold"}, 1031: {1: "Heiß", 2: "Kalt"}}
    assert specs["statecode"].choices == {0: "Open"}
    assert specs["donotphone"].default is False
    assert specs["customerid"].targets == ("account", "contact")
    assert [name for name, spec in specs.items() if not spec.writable] == ["leadid", "rating", "createdon"]
    natures = {name: spec.nature for name, spec in specs.items() if spec.nature != "entered"}
    assert natures == {"rating": "rolled-up", "owneridname": "part", "owneridtype": "virtual"}


async def test_secured_columns_are_as_our_user_sees_them(organisation: Organisation) -> None:
    """What is not granted is not there to be read or written."""
    organisation.secure("jobtitle", "score", "revenue")
    organisation.grant(jobtitle=["CanRead"], score=["CanRead", "CanUpdate"])
    specs = await described(organisation.connector())
    rights = {name: (spec.readable, spec.writable) for name, spec in specs.items() if spec.secured}
    assert rights == {"jobtitle": (True, False), "score": (True, True), "revenue": (False, False)}


@pytest.mark.parametrize(
    ("verbs", "readable", "writable"), [(["Read"], True, False), (["Write"], False, True), ([], False, False)]
)
async def test_privileges_on_the_table(
    organisation: Organisation, verbs: list[str], readable: bool, writable: bool
) -> None:
    """Without them, no column can be read, or written."""
    organisation.may(*verbs)
    spec = (await described(organisation.connector()))["jobtitle"]
    assert (spec.readable, spec.writable) == (readable, writable)


async def test_privileges_have_names_of_their_own(organisation: Organisation) -> None:
    """Those of users are not called after the table, and a table may say what its own are called."""
    told = [{"Name": "prvReadmk_Thing", "PrivilegeType": "Read"}, {"Name": "prvX", "PrivilegeType": "Share"}]
    organisation.on(rf"{LEAD}\?.*Privileges", reply({"Privileges": told}))
    held = [
        {"PrivilegeName": "prvReadMK_thing", "Depth": "Global"},
        {"PrivilegeName": "prvReadUser", "Depth": "Global"},
    ]
    organisation.on(r"GET systemusers\(.*RetrieveUserPrivileges$", reply({"RolePrivileges": held}))
    assert (await described(organisation.connector()))["jobtitle"].readable
    organisation.on(rf"{LEAD}\?", reply(definition("systemuser")))
    assert (await described(organisation.connector()))["jobtitle"].readable


async def test_what_an_organisation_does_not_tell(organisation: Organisation) -> None:
    """Sources, masks and names of privileges are not told everywhere; the rest must be."""
    organisation.on(rf"{LEAD}/Attributes\?.*SourceType", refusal(400, "0x80060888"))
    organisation.on(rf"{LEAD}\?.*Privileges", refusal(403))
    specs = await described(organisation.connector())
    assert (specs["rating"].nature, specs["rating"].writable, specs["jobtitle"].readable) == ("entered", False, True)
    organisation.on(rf"{LEAD}/ManyToOneRelationships", refusal(400, "0x80040203"))
    with pytest.raises(SetupError):
        await organisation.connector().describe("lead")


async def test_a_description_that_breaks_off(organisation: Organisation) -> None:
    """Half of a table is none."""
    connector = organisation.connector()
    await connector.identify()
    organisation.faults.append(Answer(status=200, headers={"content-type": "multipart/mixed; boundary=b"}, body=b"--b"))
    with pytest.raises(UnreachableError, match="not as many answers"):
        await connector.describe("lead")


async def test_a_connector_may_be_closed_twice(organisation: Organisation) -> None:
    """A client of your own stays open."""
    connector = organisation.connector()
    await connector.identify()
    await connector.aclose()
    await connector.aclose()


@pytest.mark.parametrize("name", ["new_nothing", "lead'", "leads(1)", "", "a b"])
async def test_a_table_that_is_not_there(organisation: Organisation, name: str) -> None:
    """It has no columns, whatever its name."""
    assert not await organisation.connector().describe(name)


# -- schema_stamp --------------------------------------------------------------------------------------------------


async def test_a_stamp_moves_with_metadata_and_with_rights(organisation: Organisation) -> None:
    """One call says that nothing has changed; a new version, a right or a mask makes another stamp."""
    organisation.on("GET organizations", listed(**{"@Microsoft.Dynamics.CRM.globalmetadataversion": "7"}))
    connector = organisation.connector()
    await connector.identify()
    calls = organisation.calls
    stamps = [await connector.schema_stamp(["lead"]), await connector.schema_stamp(["lead"])]
    assert stamps[0] == stamps.pop()
    assert organisation.calls == calls + 2
    organisation.on("GET organizations", listed(**{"@Microsoft.Dynamics.CRM.globalmetadataversion": "8"}))
    stamps.append(await connector.schema_stamp(["lead"]))
    organisation.grant(jobtitle=["CanRead"])
    stamps.append(await connector.schema_stamp(["lead"]))
    organisation.may("Read")
    stamps.append(await connector.schema_stamp(["lead"]))
    organisation.on(r"GET attributemaskingrules", listed({"attributelogicalname": "jobtitle"}))
    stamps.append(await connector.schema_stamp(["lead"]))
    assert len(set(stamps)) == 5
    assert not organisation.asked(LEAD)


@pytest.mark.parametrize("answer", [listed(), refusal(403)])
async def test_a_stamp_where_no_version_is_told(organisation: Organisation, answer: Answer) -> None:
    """Then the tables themselves are looked at; one that is not there, too."""
    organisation.on("GET organizations", answer)
    connector = organisation.connector()
    first = await connector.schema_stamp(["lead", "new_nothing"])
    assert first == await connector.schema_stamp(["new_nothing", "lead"])
    others = [*COLUMNS, column("new_one", "String", 200)]
    organisation.on(rf"{LEAD}/Attributes\?.*IsValidForRead", listed(*others))
    assert first != await connector.schema_stamp(["lead", "new_nothing"])


async def test_the_order_of_rights_is_no_change(organisation: Organisation) -> None:
    """Dynamics promises none."""
    organisation.on("GET organizations", listed(**{"@Microsoft.Dynamics.CRM.globalmetadataversion": "7"}))
    connector = organisation.connector()
    first = await connector.schema_stamp(["lead"])
    organisation.may(*reversed(VERBS))
    assert first == await connector.schema_stamp(["lead"])


# -- check ---------------------------------------------------------------------------------------------------------


async def test_nothing_is_wrong(organisation: Organisation) -> None:
    """Then nothing is said."""
    assert not await problems(organisation, "lastname", "jobtitle", "rating")


async def test_everything_is_said_at_once(organisation: Organisation) -> None:
    """Each with its remedy: tables, rights, tracking, versions, columns."""
    organisation.may("Delete")
    organisation.secure("jobtitle")
    organisation.on(r"GET attributemaskingrules", listed({"attributelogicalname": "score"}))
    unfit = definition("lead", ChangeTrackingEnabled=False, IsOptimisticConcurrencyEnabled=False)
    organisation.on(rf"{LEAD}\?", reply(unfit))
    organisation.on(rf"{LEAD}\?.*Privileges", reply({"Privileges": []}))
    needs = {"lead": ["lastname", "jobtitel", "jobtitle", "score"], "new_nothing": ["x"]}
    found = [str(problem) for problem in await organisation.connector().check(needs)]
    assert found == [
        "Dynamics lead: the sync user cannot read the table (no prvReadLead). Give its role Read, organization level.",
        (
            "Dynamics lead: changes are not tracked. Switch on Track changes in the table's properties, and publish it; "
            "where that can't be had, name it in Polling."
        ),
        "Dynamics lead: the sync user cannot create rows (no prvCreateLead). Give its role Create, organization level.",
        "Dynamics lead: the sync user cannot write rows (no prvWriteLead). Give its role Write, organization level.",
        (
            "Dynamics lead: rows have no versions to ask for (optimistic concurrency is off). "
            "Have it enabled for the table: without it somebody's edit could be overwritten."
        ),
        (
            "Dynamics lead.jobtitel is not there; nearest: jobtitle. "
            "Create the column, publish it, and let the sync user read it; or deselect it."
        ),
        (
            "Dynamics lead.jobtitle: secured, the sync user may not read it. "
            "Add it to a column security profile that allows Read."
        ),
        (
            "Dynamics lead.score: what it holds is masked, or is never shown. "
            "Take the masking rule off the column; or deselect it."
        ),
        "Dynamics has no table new_nothing. Check the name, or have the table published.",
    ]


async def test_a_table_that_is_never_written_needs_no_right_to_write(organisation: Organisation) -> None:
    """Only leads and contacts are."""
    organisation.may("Read")
    accounts = r"GET EntityDefinitions\(LogicalName='account'\)"
    organisation.on(rf"{accounts}/(Attributes|ManyToOne)", listed())
    organisation.on(
        r"RetrieveUserPrivileges", reply({"RolePrivileges": [{"PrivilegeName": "prvReadAccount", "Depth": "Global"}]})
    )
    assert not await organisation.connector().check({"account": []})


async def test_a_right_that_does_not_reach_far_enough(organisation: Organisation) -> None:
    """What a team's role grants is told as narrower than it is: the feed itself is asked, which needs every row."""
    organisation.may(*VERBS, depth="Basic")
    organisation.on(r"GET leads\?", listed(row(1), **{"@odata.deltaLink": f"{URL}/api/data/v9.2/leads?x"}))
    assert not await problems(organisation, "lastname")
    organisation.on(r"GET leads\?", refusal(403, "0x80040220"))
    assert await problems(organisation, "lastname") == [
        (
            "Dynamics lead: the sync user sees some of the rows only (its prvReadLead reaches Basic). "
            "Give its role Read, organization level."
        )
    ]


# -- settings ------------------------------------------------------------------------------------------------------


def test_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """All that is missing is named at once; the names have a prefix."""
    names = ("CRM_URL", "CRM_TENANT_ID", "CRM_CLIENT_ID", "CRM_CLIENT_SECRET")
    for name in names[1:]:
        monkeypatch.setenv(name, "x")
    monkeypatch.delenv(names[0], raising=False)
    monkeypatch.setenv("CRM_CLIENT_SECRET", "")
    with pytest.raises(ConfigError, match="Not set: CRM_URL, CRM_CLIENT_SECRET"):
        RestDynamics.from_env("CRM_")
    monkeypatch.setenv("CRM_URL", f"{URL}/")
    monkeypatch.setenv("CRM_CLIENT_SECRET", "x")
    assert repr(RestDynamics.from_env("CRM_", limits=DynamicsLimits(share=0.5))) == f"<RestDynamics {URL}>"
    monkeypatch.setenv("CRM_LOGIN_URL", "http://login.example")
    with pytest.raises(ConfigError, match="not https"):
        RestDynamics.from_env("CRM_")


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://Acme.crm4.dynamics.com/", "https://acme.crm4.dynamics.com"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://localhost:8000", "http://localhost:8000"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("http://127.evil.example", None),
        ("http://acme.crm4.dynamics.com", None),
        ("acme.crm4.dynamics.com", None),
        ("https://acme.crm4.dynamics.com/api/data/v9.2", None),
        ("https://user:secret@acme.crm4.dynamics.com", None),
        ("https://acme.crm4.dynamics.com?x=1", None),
        ("https://acme:port", None),
        ("https://", None),
    ],
)
def test_addresses(url: str, origin: str | None) -> None:
    """A host, over https, unless it is this machine."""
    if origin is None:
        with pytest.raises(ConfigError) as refused:
            RestDynamics(url, token=CREDENTIALS)
        assert "secret" not in str(refused.value)
    else:
        assert repr(RestDynamics(url, token=CREDENTIALS)) == f"<RestDynamics {origin}>"


# -- amounts -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "organization", "currencies", "precision"),
    [
        (0, [3], [4], 1), (1, [3], [4], 3), (2, [3], [2, 4, 0], 4),
        (1, [None], [4], None), (2, [3], [], None), (2, [3], [None], None),
    ],
)  # fmt: skip
async def test_how_many_digits_an_amount_has(
    organisation: Organisation,
    source: int,
    organization: list[int | None],
    currencies: list[int | None],
    precision: int | None,
) -> None:
    """The column says it, the organisation, or each row's currency: then as many as the finest one has."""
    organisation.on(r"GET organizations\?.*pricing", listed(*({"pricingdecimalprecision": n} for n in organization)))
    organisation.on(r"GET transactioncurrencies\?", listed(*({"currencyprecision": n} for n in currencies)))
    money = {"LogicalName": "revenue", "MinValue": 0.0, "MaxValue": 1e9, "Precision": 1, "PrecisionSource": source}
    organisation.on(r"Microsoft.Dynamics.CRM.MoneyAtt", listed(money))
    specs = {spec.name: spec for spec in await organisation.connector().describe("lead")}
    assert specs["revenue"].precision == precision
