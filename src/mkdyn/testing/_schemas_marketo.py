"""The objects a new Marketo instance has, as a describe shows them.

Source: the recorded describe of an instance without a CRM. Fields that the system manages
count as not writable, whatever the describe says of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import attrs

from mkdyn.domain.fields import FieldSpec
from mkdyn.domain.roles import ROLE, ROLE_KEY
from mkdyn.domain.types import TEXTS, FieldType

_TYPES: Final[Mapping[str, FieldType]] = {
    "string": "text", "text": "memo", "email": "email", "phone": "phone", "url": "url",
    "integer": "integer", "score": "score", "percent": "percent", "float": "float", "currency": "currency",
    "boolean": "boolean", "date": "date", "datetime": "datetime", "reference": "reference",
}  # fmt: skip
_STRING_LENGTH: Final = 255

#: name dataType:length; `!` = the system manages it, `*` = it must not be empty
_LEAD: Final = """
    company string! | site string! | billingStreet text! | billingCity string! | billingState string!
    billingCountry string! | billingPostalCode string! | website url! | mainPhone string!
    annualRevenue currency! | numberOfEmployees integer! | industry string! | sicCode string:40! | mktoCompanyNotes text!
    externalCompanyId string:50 | id integer! | mktoName string! | personType string:50 | mktoIsPartner boolean
    isLead boolean | mktoIsCustomer boolean | isAnonymous boolean! | salutation string | firstName string
    middleName string | lastName string | email email | phone phone | mobilePhone phone
    fax phone | title string | contactCompany reference! | dateOfBirth date | address text
    city string | state string | country string | postalCode string | personTimeZone string!
    originalSourceType string! | originalSourceInfo string:2000! | registrationSourceType string
    registrationSourceInfo string:2000 | originalSearchEngine string! | originalSearchPhrase string!
    originalReferrer url! | emailInvalid boolean | emailInvalidCause string | unsubscribed boolean
    unsubscribedReason string:2000 | doNotCall boolean | mktoDoNotCallCause string | doNotCallReason string:2000
    marketingSuspended boolean | marketingSuspendedCause string | blackListed boolean | blackListedCause string
    mktoPersonNotes text | anonymousIP string! | inferredCompany string! | inferredCountry string!
    inferredCity string! | inferredStateRegion string! | inferredPostalCode string!
    inferredMetropolitanArea string! | inferredPhoneAreaCode string! | emailSuspended boolean
    emailSuspendedCause string | emailSuspendedAt datetime | department string | createdAt datetime! | updatedAt datetime!
    cookies string! | externalSalesPersonId string:50 | leadPerson reference! | leadRole string:50
    leadSource string | leadStatus string | leadScore integer | urgency float! | priority integer!
    relativeScore integer! | relativeUrgency integer! | rating string | personPrimaryLeadInterest reference!
    leadPartitionId reference! | leadRevenueCycleModelId reference! | leadRevenueStageId reference!
    acquisitionProgramId reference! | mktoAcquisitionDate datetime! | ecids string!
"""
_COMPANY: Final = """
    externalCompanyId string:100 | id integer! | company string | site string | billingStreet text | billingCity string
    billingState string | billingCountry string | billingPostalCode string | website url | mainPhone string
    annualRevenue currency | numberOfEmployees integer | industry string | sicCode string:40 | mktoCompanyNotes text
    externalSalesPersonId string:50 | createdAt datetime! | updatedAt datetime!
"""
_SALES_PERSON: Final = """
    externalSalesPersonId string | id integer! | firstName string | lastName string | email email | title string
    phone phone | mobilePhone phone | fax phone | department string | createdAt datetime! | updatedAt datetime!
"""
_OPPORTUNITY: Final = """
    externalOpportunityId string:50 | marketoGUID string:36! | name string* | stage string | probability integer
    closeDate date | amount currency | description string:2000 | type string | isClosed boolean | isWon boolean
    externalCompanyId string:50 | externalSalesPersonId string:50 | createdAt datetime! | updatedAt datetime!
"""
_ROLE: Final = """
    marketoGUID string:36! | externalOpportunityId string:50* | leadId integer* | role string:50*
    isPrimary boolean | externalCreatedDate datetime | createdAt datetime! | updatedAt datetime!
"""
_CUSTOM: Final = "dynamicsId string | marketoGUID string:36! | createdAt datetime! | updatedAt datetime!"
_TEAM: Final = f"{_CUSTOM} | name string | description string:2000 | email email"

#: The fields that mkdyn needs on a person; an instance that is prepared has them.
_PREPARED: Final = "dynamicsId string | dynamicsContactId string | dynamicsDeleted boolean"


def _spec(text: str) -> FieldSpec:
    name, declared = text.split()
    kind, _, length = declared.rstrip("!*").partition(":")
    shape = _TYPES[kind]
    sized = shape in TEXTS and shape != "memo"
    return FieldSpec(
        name=name,
        type=shape,
        label=_label(name),
        length=(int(length) if length else _STRING_LENGTH) if sized else None,
        default=False if shape == "boolean" else None,
        required=declared.endswith("*"),
        writable=not declared.endswith("!"),
    )


def _label(name: str) -> str:
    spaced = "".join(f" {char}" if char.isupper() else char for char in name)
    return spaced[:1].upper() + spaced[1:]


def _specs(text: str) -> tuple[FieldSpec, ...]:
    return tuple(_spec(part.strip()) for line in text.split("\n") for part in line.split("|") if part.strip())


#: Each object's fields, and which of them is its key.
OBJECTS: Final[Mapping[str, tuple[str, tuple[FieldSpec, ...]]]] = {
    "lead": ("id", _specs(_LEAD)),
    "company": ("externalCompanyId", _specs(_COMPANY)),
    "salesperson": ("externalSalesPersonId", _specs(_SALES_PERSON)),
    "opportunity": ("externalOpportunityId", _specs(_OPPORTUNITY)),
    ROLE: ("marketoGUID", _specs(_ROLE)),
    "dynamicsTeam_c": ("dynamicsId", _specs(_TEAM)),
}
PREPARED_FIELDS: Final = tuple(attrs.evolve(spec, api_created=True) for spec in _specs(_PREPARED))
CUSTOM_OBJECT: Final = _specs(_CUSTOM)

#: A person shows these of its company; they can't be written through the person.
COMPANY_FIELDS: Final = frozenset(spec.name for spec in _specs(_COMPANY)) & frozenset(
    spec.name for spec in _specs(_LEAD) if not spec.writable and spec.name not in ("id", "createdAt", "updatedAt")
)

#: Per object, the fields that are its key together.
COMPOUND: Final[Mapping[str, tuple[str, ...]]] = {ROLE: ROLE_KEY}
#: Per object, the fields that name what it belongs to: it goes with that.
PARTS: Final[Mapping[str, Mapping[str, str]]] = {ROLE: {"externalOpportunityId": "opportunity", "leadId": "lead"}}

#: Per object, the fields that must name a record of another object.
REFERENCES: Final[Mapping[str, Mapping[str, str]]] = {
    "lead": {"externalCompanyId": "company", "externalSalesPersonId": "salesperson"},
    "company": {"externalSalesPersonId": "salesperson"},
    "opportunity": {"externalCompanyId": "company", "externalSalesPersonId": "salesperson"},
}


def created_spec(name: str, label: str, kind: FieldType) -> FieldSpec:
    """Describe a field that was asked for, as Marketo makes it."""
    sized = kind in TEXTS and kind != "memo"
    default = False if kind == "boolean" else None
    length = _STRING_LENGTH if sized else None
    return FieldSpec(name=name, type=kind, label=label, length=length, default=default, api_created=True)
