"""Tables, columns and rights on Dynamics' wire, raw."""

from __future__ import annotations

from typing import Any

import pytest

from mkdyn.domain import FieldSpec
from mkdyn.domain.types import DYNAMICS_TYPES
from mkdyn.testing import FakeDynamics
from mkdyn.testing.servers.dynamics import Quirks, ServerLimits

from .calling_dynamics import API, Caller, calling

pytestmark = pytest.mark.anyio

LEAD = "EntityDefinitions(LogicalName='lead')"
CRM = "Microsoft.Dynamics.CRM."


async def test_tables() -> None:
    """By name, by id, or all that a filter is true of; the id is always there."""
    fake = FakeDynamics()
    fake.add_table("new_visit", [FieldSpec(name="new_name", type="text", length=100)])
    fake.add_table("new_city", [FieldSpec(name="new_label", type="text", length=100)])
    fake.add_table("new_bus", [])
    async with calling(fake, quirks=Quirks(untracked=frozenset({"team"}), unversioned=frozenset({"lead"}))) as caller:
        asked = (
            "$select=LogicalName,SchemaName,EntitySetName,PrimaryIdAttribute,PrimaryNameAttribute,ChangeTrackingEnabled"
        )
        lead = await caller.get(f"{LEAD}?{asked},IsOptimisticConcurrencyEnabled")
        assert lead == {
            "@odata.context": f"{API}/$metadata#EntityDefinitions/$entity", "MetadataId": lead["MetadataId"],
            "LogicalName": "lead", "SchemaName": "Lead", "EntitySetName": "leads", "PrimaryIdAttribute": "leadid",
            "PrimaryNameAttribute": "fullname", "ChangeTrackingEnabled": True, "IsOptimisticConcurrencyEnabled": False,
        }  # fmt: skip
        assert (await caller.get(f"EntityDefinitions({lead['MetadataId']})"))["ObjectTypeCode"] == 4
        every = await caller.rows("EntityDefinitions?$select=LogicalName,EntitySetName,PrimaryNameAttribute")
        assert {each["LogicalName"]: (each["EntitySetName"], each["PrimaryNameAttribute"]) for each in every} == {
            "lead": ("leads", "fullname"), "contact": ("contacts", "fullname"), "account": ("accounts", "name"),
            "systemuser": ("systemusers", "fullname"), "team": ("teams", "name"), "opportunity": ("opportunities", "name"),
            "new_visit": ("new_visits", "new_name"), "new_city": ("new_cities", "new_cityid"), "new_bus": ("new_buses", "new_busid"),
        }  # fmt: skip
        tracked = await caller.rows("EntityDefinitions?$select=LogicalName&$filter=ChangeTrackingEnabled eq false")
        assert [each["LogicalName"] for each in tracked] == ["team"]
        deep = await caller.rows(
            "EntityDefinitions?$select=LogicalName&$filter=CanChangeTrackingBeEnabled/Value/No eq true"
        )
        assert deep == []
        for path, refused in (
            ("EntityDefinitions(LogicalName='nothing')", (404, "0x80040217")), (f"{LEAD}?$select=Nothing", (400, "0x80060888")),
            (f"{LEAD}/Nothing", (404, "0x8006088a")), (f"{LEAD}?$expand=Nothing", (400, "0x80060888")),
            (f"EntityDefinitions?$filter={CRM}LastXHours(PropertyName='a',PropertyValue='1')", (400, "0x80060888")),
        ):  # fmt: skip
            assert await caller.refused("GET", path) == refused
        assert await caller.refused("PUT", LEAD, {}) == (405, "0x8006088a")


async def test_columns() -> None:
    """What all have in common; the shadows of lookups and choices among them; ids are lasting."""
    fake = FakeDynamics()
    fake.add_column("lead", FieldSpec(name="new_sum", type="money", nature="rolled-up", writable=False))
    async with calling(fake) as caller:
        columns = {each["LogicalName"]: each for each in await caller.rows(f"{LEAD}/Attributes")}
        again = await caller.get(f"{LEAD}/Attributes(LogicalName='lastname')")
        own = columns["lastname"]
        assert again["MetadataId"] == own["MetadataId"]
        assert (await caller.get(f"{LEAD}/Attributes({own['MetadataId']})"))["LogicalName"] == "lastname"
        assert own["DisplayName"]["UserLocalizedLabel"]["Label"] == "Last Name"
        assert (own["RequiredLevel"]["Value"], columns["firstname"]["RequiredLevel"]["Value"]) == (
            "ApplicationRequired",
            "None",
        )
        assert (own["IsValidForCreate"], own["IsValidForUpdate"], own["IsSecured"], own["AttributeOf"]) == (
            True,
            True,
            False,
            None,
        )
        assert columns["leadid"]["IsPrimaryId"] is columns["leadid"]["IsValidForCreate"] is True
        assert columns["fullname"]["IsPrimaryName"] is True
        assert columns["fullname"]["IsValidForUpdate"] is columns["statecode"]["IsValidForCreate"] is False
        assert columns["new_sum"]["SourceType"] == 2
        assert columns["new_sum"]["SchemaName"] == "new_Sum"
        shadow = columns["owneridname"]
        assert (shadow["AttributeOf"], shadow["AttributeTypeName"]["Value"]) == ("ownerid", "StringType")
        assert columns["leadqualitycodename"]["AttributeTypeName"]["Value"] == "VirtualType"
        secured = f"{LEAD}/Attributes?$select=LogicalName,MetadataId&$filter=IsSecured eq true"
        assert await caller.rows(secured) == []
        fake.hide_column("lead", "jobtitle")
        [column] = await caller.rows(secured)
        assert set(column) == {"@odata.type", "LogicalName", "MetadataId"}
        assert columns["jobtitle"]["IsValidForUpdate"] is True
        picked = await caller.rows(
            f"{LEAD}/Attributes?$filter=AttributeType eq {CRM}AttributeTypeCode'Boolean'&$select=LogicalName"
        )
        assert "donotphone" in [each["LogicalName"] for each in picked]
        assert await caller.refused("GET", f"{LEAD}/Attributes(LogicalName='nothing')") == (404, "0x80040217")


async def of_type(caller: Caller, table: str, kind: str, expand: str = "") -> dict[str, Any]:
    """The columns of a type, by name."""
    rows = await caller.rows(
        f"EntityDefinitions(LogicalName='{table}')/Attributes/{CRM}{kind}AttributeMetadata?{expand}"
    )
    return {each["LogicalName"]: each for each in rows}


async def test_columns_of_each_type() -> None:
    """Each type is there, with what only its columns have."""
    fake = FakeDynamics()
    more = {"decimal": 2, "float": 3, "money": 4}
    fake.add_table(
        "new_all",
        [
            FieldSpec(
                name=f"new_{kind.replace('-', '')}", type=kind, precision=more.get(kind), minimum=0 if kind in more else None,
                targets=("lead", "account") if kind in ("lookup", "owner", "customer") else (), length=7,
            )
            for kind in DYNAMICS_TYPES
            if kind not in ("state", "status")
        ],
    )  # fmt: skip
    async with calling(fake) as caller:
        strings = await of_type(caller, "new_all", "String")
        formats = {name: each["FormatName"]["Value"] for name, each in strings.items() if not each["AttributeOf"]}
        assert formats == {"new_text": "Text", "new_email": "Email", "new_phone": "Phone", "new_url": "Url"}
        assert (
            strings["new_text"]["MaxLength"] == (await of_type(caller, "new_all", "Memo"))["new_memo"]["MaxLength"] == 7
        )
        for kind, precision in more.items():
            own = (await of_type(caller, "new_all", "Double" if kind == "float" else kind.capitalize()))[f"new_{kind}"]
            assert (own["Precision"], own["MinValue"], own["MaxValue"]) == (precision, 0, None)
        moments = await of_type(caller, "new_all", "DateTime")
        assert {name: (each["Format"], each["DateTimeBehavior"]["Value"]) for name, each in moments.items()} == {
            "createdon": ("DateAndTime", "UserLocal"), "modifiedon": ("DateAndTime", "UserLocal"),
            "new_datetime": ("DateAndTime", "UserLocal"), "new_wallclock": ("DateAndTime", "TimeZoneIndependent"),
            "new_date": ("DateOnly", "DateOnly"), "new_userdate": ("DateOnly", "UserLocal"),
        }  # fmt: skip
        lookups = await of_type(caller, "new_all", "Lookup")
        assert {name: each["AttributeTypeName"]["Value"] for name, each in lookups.items()} == {
            "ownerid": "OwnerType", "new_lookup": "LookupType", "new_owner": "OwnerType", "new_customer": "CustomerType",
        }  # fmt: skip
        assert lookups["new_lookup"]["Targets"] == ["lead", "account"]
        assert (await of_type(caller, "new_all", "Boolean"))["new_boolean"]["DefaultValue"] is False
        for kind, name in (("Integer", "integer"), ("BigInt", "bigint"), ("Image", "image"), ("File", "file"),
                           ("UniqueIdentifier", "guid"), ("EntityName", "unsupported"), ("MultiSelectPicklist", "choices")):  # fmt: skip
            assert f"new_{name}" in await of_type(caller, "new_all", kind)
        wrong = f"EntityDefinitions(LogicalName='new_all')/Attributes/{CRM}EnumAttributeMetadata"
        assert await caller.refused("GET", wrong) == (404, "0x8006088a")


async def test_choices() -> None:
    """Numbers and labels, in every language; a status belongs to a state; a boolean has two."""
    fake = FakeDynamics()
    words = {1: "Tea", 9: "Rum"}
    fake.add_column(
        "lead", FieldSpec(name="new_taste", type="choice", choices=words, translations={1033: words, 1031: {1: "Tee"}})
    )
    async with calling(fake) as caller:
        expand = "$expand=OptionSet($select=Options),GlobalOptionSet($select=Options)"
        taste = (await of_type(caller, "lead", "Picklist", expand))["new_taste"]
        assert taste["GlobalOptionSet"] is None
        tea, rum = taste["OptionSet"]["Options"]
        assert (tea["Value"], tea["Label"]["UserLocalizedLabel"]["Label"]) == (1, "Tea")
        assert [(each["LanguageCode"], each["Label"]) for each in tea["Label"]["LocalizedLabels"]] == [
            (1033, "Tea"),
            (1031, "Tee"),
        ]
        assert len(rum["Label"]["LocalizedLabels"]) == 1
        status = (await of_type(caller, "lead", "Status", "$expand=OptionSet"))["statuscode"]["OptionSet"]
        assert {option["Value"]: option["State"] for option in status["Options"]} == {
            1: 0,
            2: 0,
            3: 1,
            4: 2,
            5: 2,
            6: 2,
            7: 2,
        }
        state = (await of_type(caller, "lead", "State", "$expand=OptionSet"))["statecode"]["OptionSet"]
        assert [option["DefaultStatus"] for option in state["Options"]] == [1, 3, 4]
        flag = (await of_type(caller, "lead", "Boolean", "$expand=OptionSet"))["donotphone"]["OptionSet"]
        assert flag["TrueOption"]["Label"]["UserLocalizedLabel"]["Label"] == "Yes"
        texts = await of_type(caller, "lead", "String", "$expand=OptionSet")
        assert texts["lastname"]["OptionSet"] is texts["owneridname"]["OptionSet"] is None
        assert await caller.refused("GET", f"{LEAD}/Attributes?$expand=Nothing") == (400, "0x80060888")


async def test_lookups_and_keys() -> None:
    """What a lookup is called where it is written, by target; alternate keys, active."""
    fake = FakeDynamics()
    fake.add_column("contact", FieldSpec(name="new_sponsorid", type="lookup", targets=("account",)))
    async with calling(fake) as caller:
        caller.server.add_key("contact", "mk_key", "emailaddress1")
        expand = "$expand=Keys($select=LogicalName,KeyAttributes,EntityKeyIndexStatus),ManyToOneRelationships"
        contact = await caller.get(f"EntityDefinitions(LogicalName='contact')?$select=LogicalName&{expand}")
        [key] = contact["Keys"]
        assert (key["KeyAttributes"], key["EntityKeyIndexStatus"]) == (["emailaddress1"], "Active")
        found = [
            (each["ReferencingAttribute"], each["ReferencedEntity"], each["ReferencingEntityNavigationPropertyName"])
            for each in contact["ManyToOneRelationships"]
        ]
        assert found == [
            ("ownerid", "owner", "ownerid"), ("parentcustomerid", "account", "parentcustomerid_account"),
            ("parentcustomerid", "contact", "parentcustomerid_contact"), ("originatingleadid", "lead", "originatingleadid"),
            ("masterid", "contact", "masterid"), ("new_sponsorid", "account", "new_Sponsorid"),
        ]  # fmt: skip


async def test_rights() -> None:
    """Who one is; what one may do with tables, and with secured columns."""
    fake = FakeDynamics()
    fake.add_column("contact", FieldSpec(name="new_pin", type="text", secured=True))
    async with calling(fake) as caller:
        me = await caller.get("WhoAmI")
        assert set(me) == {"@odata.context", "BusinessUnitId", "UserId", "OrganizationId"}
        user = f"systemusers({me['UserId']})/{CRM}"
        held = (await caller.get(f"{user}RetrieveUserPrivileges"))["RolePrivileges"]
        assert {each["Depth"] for each in held} == {"Global"}
        assert {"prvReadLead", "prvWriteContact", "prvReadUser", "prvAppendToAccount"} <= {
            each["PrivilegeName"] for each in held
        }
        fake.hide_table("lead")
        names = [
            each["PrivilegeName"] for each in (await caller.get(f"{user}RetrieveUserPrivileges"))["RolePrivileges"]
        ]
        assert "prvReadLead" not in names
        assert "prvWriteLead" in names
        fake.protect_column("contact", "jobtitle")
        fake.hide_column("contact", "lastname")
        granted = (await caller.get(f"{user}RetrievePrincipalAttributePrivileges()"))["AttributePrivileges"]
        columns = {
            each["MetadataId"]: each["LogicalName"]
            for each in await caller.rows("EntityDefinitions(LogicalName='contact')/Attributes")
        }
        assert {columns[each["AttributeId"]]: (each["CanRead"], each["CanUpdate"], each["CanCreate"]) for each in granted} == {
            "jobtitle": (4, 0, 0), "lastname": (0, 0, 0), "new_pin": (4, 4, 4),
        }  # fmt: skip
        assert "ReadAccess" in (await caller.get(f"{user}RetrievePrincipalAccess"))["AccessRights"]
        assert await caller.refused("GET", f"{user}RetrieveNothing") == (404, "0x8006088a")
        other = f"systemusers({me['OrganizationId']})/{CRM}RetrieveUserPrivileges"
        assert await caller.refused("GET", other) == (400, "0x8006088a")


async def test_what_else_can_be_asked() -> None:
    """Settings of the organisation, what bulk actions there are, how many rows; a number that moves with the schema."""
    fake = FakeDynamics()
    fake.create("lead", lastname="A")
    async with calling(fake, limits=ServerLimits(tracking_days=3)) as caller:
        [organization] = await caller.rows("organizations?$select=expirechangetrackingindays,expiresubscriptionsindays")
        assert organization == {"expirechangetrackingindays": 3, "expiresubscriptionsindays": 90}
        messages = "sdkmessagefilters?$filter=sdkmessageid/name eq 'UpdateMultiple' and primaryobjecttypecode eq "
        assert len(await caller.rows(f"{messages}'lead'")) == 1
        assert await caller.rows(f"{messages}'systemuser'") == []
        assert await caller.rows("attributemaskingrules?$filter=entityname eq 'lead'") == []
        for path in (
            "RetrieveTotalRecordCount(EntityNames=['lead'])",
            "RetrieveTotalRecordCount(EntityNames=@p)?@p=['lead']",
        ):
            assert (await caller.get(path))["EntityRecordCountCollection"]["Values"] == [1]
        assert (await caller.refused("GET", "RetrieveTotalRecordCount(EntityNames=['nothing'])"))[0] == 404
        name = f"{CRM}globalmetadataversion"
        asked = f'odata.include-annotations="{name}"'
        versions = [(await caller.get("organizations", Prefer=asked))[f"@{name}"] for _ in range(2)]
        fake.add_column("lead", FieldSpec(name="new_text", type="text"))
        versions.append((await caller.get("leads", Prefer=asked))[f"@{name}"])
        fake.hide_column("lead", "new_text")
        versions.append((await caller.get(LEAD + "/Attributes", Prefer=asked))[f"@{name}"])
        assert len(set(versions)) == 3
        assert versions[0] == versions[1]


async def test_relationships_from_both_ends() -> None:
    """What refers to a table stands with it, too; no table of ours has one of many to many."""
    async with calling() as caller:
        path = "EntityDefinitions(LogicalName='account')"
        pointing = await caller.rows(f"{path}/OneToManyRelationships?$select=ReferencingEntity,ReferencingAttribute")
        names = {(each["ReferencingEntity"], each["ReferencingAttribute"]) for each in pointing}
        assert {("contact", "parentcustomerid"), ("account", "parentaccountid")} <= names
        assert await caller.rows(f"{path}/ManyToManyRelationships") == []
