"""The tables a new Dynamics organisation has, as far as a sync is concerned.

Names, lengths and choices are those of the real tables; not every column is here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import attrs

from mkdyn.domain.fields import FieldSpec
from mkdyn.domain.types import FieldType


def _text(name: str, length: int, label: str, kind: FieldType = "text", *, required: bool = False) -> FieldSpec:
    return FieldSpec(name=name, type=kind, length=length, label=label, required=required)


def _flag(name: str, label: str) -> FieldSpec:
    return FieldSpec(name=name, type="boolean", label=label, default=False)


def _choice(name: str, label: str, choices: Sequence[str], *, first: int = 1, default: int | None = None) -> FieldSpec:
    numbered = dict(enumerate(choices, start=first))
    return FieldSpec(name=name, type="choice", label=label, choices=numbered, default=default)


def _lookup(name: str, label: str, *targets: str) -> FieldSpec:
    return FieldSpec(name=name, type="lookup", label=label, targets=targets)


def _money(name: str, label: str, *, precision: int = 2) -> FieldSpec:
    bound = 922_337_203_685_477
    return FieldSpec(name=name, type="money", label=label, precision=precision, minimum=-bound, maximum=bound)


def _number(name: str, label: str, minimum: int, maximum: int) -> FieldSpec:
    return FieldSpec(name=name, type="integer", label=label, minimum=minimum, maximum=maximum)


def _served(name: str, kind: str, label: str) -> FieldSpec:
    """Describe a column that the server fills."""
    match kind:
        case "datetime":
            return FieldSpec(name=name, type="datetime", label=label, writable=False)
        case "boolean":
            return FieldSpec(name=name, type="boolean", label=label, writable=False, default=False)
        case _:
            return FieldSpec(name=name, type="text", length=160, label=label, writable=False)


_STATES: Final[Mapping[str, tuple[Sequence[str], Sequence[str]]]] = {
    "lead": (
        ("Open", "Qualified", "Disqualified"),
        ("New", "Contacted", "Qualified", "Lost", "Cannot Contact", "No Longer Interested", "Canceled"),
    ),
    "opportunity": (("Open", "Won", "Lost"), ("In Progress", "On Hold", "Won", "Canceled", "Out-Sold")),
}
_ACTIVE: Final = (("Active", "Inactive"), ("Active", "Inactive"))
_STATELESS: Final = ("systemuser", "team")

#: The status that a row takes with its state, where nobody gives another; by table.
STATUS_OF_STATE: Final[Mapping[str, Mapping[int, int]]] = {
    "lead": {0: 1, 1: 3, 2: 4},
    "opportunity": {0: 1, 1: 3, 2: 4},
}
STATUS_OF_ACTIVE: Final[Mapping[int, int]] = {0: 1, 1: 2}


def system_columns(table: str) -> tuple[FieldSpec, ...]:
    """Return the columns that every table has."""
    states, statuses = _STATES.get(table, _ACTIVE)
    state = (
        attrs.evolve(_choice("statecode", "Status", states, first=0, default=0), type="state"),
        attrs.evolve(_choice("statuscode", "Status Reason", statuses, default=1), type="status"),
    )
    return (
        FieldSpec(name=f"{table}id", type="guid", label="Id", writable=False),
        *(() if table in _STATELESS else state),
        _served("createdon", "datetime", "Created On"),
        _served("modifiedon", "datetime", "Modified On"),
        attrs.evolve(_lookup("ownerid", "Owner", "systemuser", "team"), type="owner"),
    )


_ADDRESS: Final = (
    _text("address1_line1", 250, "Street 1"),
    _text("address1_line2", 250, "Street 2"),
    _text("address1_line3", 250, "Street 3"),
    _text("address1_city", 80, "City"),
    _text("address1_stateorprovince", 50, "State/Province"),
    _text("address1_country", 80, "Country/Region"),
    _text("address1_postalcode", 20, "ZIP/Postal Code"),
)
_INDUSTRIES: Final = (
    "Accounting", "Agriculture and Non-petrol Natural Resource Extraction", "Broadcasting Printing and Publishing",
    "Brokers", "Building Supply Retail", "Business Services", "Consulting", "Consumer Services",
    "Design, Direction and Creative Management", "Distributors, Dispatchers and Processors",
    "Doctor's Offices and Clinics", "Durable Manufacturing", "Eating and Drinking Places", "Entertainment Retail",
    "Equipment Rental and Leasing", "Financial", "Food and Tobacco Processing", "Inbound Capital Intensive Processing",
    "Inbound Repair and Services", "Insurance", "Legal Services", "Non-Durable Merchandise Retail",
    "Outbound Consumer Service", "Petrochemical Extraction and Distribution", "Service Retail", "SIG Affiliations",
    "Social Services", "Special Outbound Trade Contractors", "Specialty Realty", "Transportation",
    "Utility Creation and Distribution", "Vehicle Retail", "Wholesale",
)  # fmt: skip
_SOURCES: Final = (
    "Advertisement", "Employee Referral", "External Referral", "Partner", "Public Relations",
    "Seminar", "Trade Show", "Web", "Word of Mouth", "Other",
)  # fmt: skip
_WAYS: Final = ("Any", "Email", "Phone", "Fax", "Mail")
_COMPANY: Final = (
    _text("websiteurl", 200, "Website", "url"),
    _money("revenue", "Annual Revenue"),
    _number("numberofemployees", "No. of Employees", 0, 1_000_000),
    _choice("industrycode", "Industry", _INDUSTRIES),
    _text("sic", 20, "SIC Code"),
)


def _person(*, mobile_length: int) -> tuple[FieldSpec, ...]:
    return (
        _text("salutation", 100, "Salutation"),
        _text("firstname", 50, "First Name"),
        _text("middlename", 50, "Middle Name"),
        _text("lastname", 50, "Last Name", required=True),
        _served("fullname", "text", "Full Name"),
        _text("emailaddress1", 100, "Email", "email"),
        _text("emailaddress2", 100, "Email Address 2", "email"),
        _text("jobtitle", 100, "Job Title"),
        _text("telephone1", 50, "Business Phone", "phone"),
        _text("telephone2", 50, "Home Phone", "phone"),
        _text("mobilephone", mobile_length, "Mobile Phone", "phone"),
        _text("fax", 50, "Fax", "phone"),
        *_ADDRESS,
        _text("description", 2000, "Description", "memo"),
        _flag("donotphone", "Do not allow Phone Calls"),
        _flag("donotbulkemail", "Do not allow Bulk Emails"),
        _flag("donotemail", "Do not allow Emails"),
        _flag("donotfax", "Do not allow Faxes"),
        _flag("donotsendmm", "Send Marketing Materials"),
        _choice("preferredcontactmethodcode", "Preferred Method of Contact", _WAYS, default=1),
        _number("mkt_leadscore", "Lead Score", -(2**31), 2**31 - 1),
        _served("merged", "boolean", "Merged"),
    )


STANDARD_TABLES: Final[Mapping[str, tuple[FieldSpec, ...]]] = {
    "lead": (
        _text("subject", 300, "Topic"),
        *_person(mobile_length=20),
        _text("companyname", 100, "Company Name"),
        _choice("leadsourcecode", "Lead Source", _SOURCES),
        _choice("leadqualitycode", "Rating", ("Hot", "Warm", "Cold")),
        *_COMPANY,
        _lookup("parentaccountid", "Parent Account for lead", "account"),
        _lookup("parentcontactid", "Parent Contact for lead", "contact"),
        _lookup("masterid", "Master ID", "lead"),
    ),
    "contact": (
        *_person(mobile_length=50),
        _text("department", 100, "Department"),
        FieldSpec(name="birthdate", type="date", label="Birthday"),
        _choice("gendercode", "Gender", ("Male", "Female")),
        attrs.evolve(_lookup("parentcustomerid", "Company Name", "account", "contact"), type="customer"),
        _lookup("originatingleadid", "Originating Lead", "lead"),
        _lookup("masterid", "Master ID", "contact"),
    ),
    "account": (
        _text("name", 160, "Account Name", required=True),
        _text("accountnumber", 20, "Account Number"),
        _choice("businesstypecode", "Business Type", ("Default Value",), default=1),
        _text("emailaddress1", 100, "Email", "email"),
        _text("telephone1", 50, "Main Phone", "phone"),
        *_ADDRESS,
        *_COMPANY,
        _text("description", 2000, "Description", "memo"),
        _lookup("parentaccountid", "Parent Account", "account"),
        _lookup("masterid", "Master ID", "account"),
        _served("merged", "boolean", "Merged"),
    ),
    "systemuser": (
        _text("firstname", 64, "First Name"),
        _text("lastname", 64, "Last Name", required=True),
        _served("fullname", "text", "Full Name"),
        _text("internalemailaddress", 100, "Primary Email", "email"),
        _text("domainname", 1024, "User Name"),
        _text("title", 128, "Title"),
        _text("address1_telephone1", 64, "Main Phone", "phone"),
        _text("mobilephone", 64, "Mobile Phone", "phone"),
        _text("address1_fax", 64, "Address 1: Fax", "phone"),
        _flag("isdisabled", "Status"),
    ),
    "team": (
        _text("name", 160, "Team Name", required=True),
        _text("description", 2000, "Description", "memo"),
        _text("emailaddress", 100, "Email", "email"),
    ),
    "opportunity": (
        _text("name", 300, "Topic", required=True),
        _number("closeprobability", "Probability", 0, 100),
        _money("estimatedvalue", "Est. Revenue", precision=4),
        FieldSpec(name="estimatedclosedate", type="date", label="Est. Close Date"),
        FieldSpec(name="actualclosedate", type="date", label="Actual Close Date"),
        _text("description", 2000, "Description", "memo"),
        _lookup("parentaccountid", "Account", "account"),
        _lookup("parentcontactid", "Contact", "contact"),
        _lookup("originatingleadid", "Originating Lead", "lead"),
    ),
}
