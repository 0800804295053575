"""The standard mapping: which Marketo field stands for which Dynamics field.

Source: Adobe's "Default Dynamics Field Mapping", joined with the REST names of a
describe; where the native sync makes Marketo fields of its own (their REST names are
published nowhere), ours are created with names of ours. The mapping is only a proposal:
a selection checks it against what both systems describe.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import attrs

from mkdyn.domain.directions import Direction
from mkdyn.domain.entities import AnyEntity, CustomEntity, Entity


@attrs.frozen
class Standard:
    """One row of the mapping.

    Attributes:
        dynamics: The field in Dynamics.
        marketo: The field in Marketo.
        label: What the Marketo field is called that is created for it, where no instance has one of its own.
        direction: Narrower than the entity's own, if given.
        refers_to: The entity a lookup points to; such a row needs that entity to be selected.
    """

    dynamics: str
    marketo: str
    label: str | None = attrs.field(default=None, kw_only=True)
    direction: Direction | None = attrs.field(default=None, kw_only=True)
    refers_to: Entity | None = attrs.field(default=None, kw_only=True)


_ONE_WAY: Final = Direction.TO_MARKETO
_SCORES: Final = Direction.TO_DYNAMICS
_PERSON: Final = (
    Standard("salutation", "salutation"),
    Standard("firstname", "firstName"),
    Standard("middlename", "middleName"),
    Standard("lastname", "lastName"),
    Standard("emailaddress1", "email"),
    Standard("jobtitle", "title"),
    Standard("telephone1", "phone"),
    Standard("telephone2", "dynamicsHomePhone", label="Dynamics Home Phone"),
    Standard("mobilephone", "mobilePhone"),
    Standard("address1_line1", "address"),
    Standard("address1_line2", "dynamicsAddress2", label="Dynamics Address 2"),
    Standard("address1_line3", "dynamicsAddress3", label="Dynamics Address 3"),
    Standard("address1_city", "city"),
    Standard("address1_stateorprovince", "state"),
    Standard("address1_country", "country"),
    Standard("address1_postalcode", "postalCode"),
    Standard("description", "mktoPersonNotes"),
    Standard("donotphone", "doNotCall"),
    Standard("donotbulkemail", "unsubscribed"),
    Standard("donotemail", "dynamicsDoNotEmail", label="Dynamics Do Not Email"),
    Standard("donotfax", "dynamicsDoNotFax", label="Dynamics Do Not Fax"),
    Standard("donotsendmm", "dynamicsDoNotSendMarketing", label="Dynamics Do Not Send Marketing"),
    Standard("preferredcontactmethodcode", "dynamicsPreferredContact", label="Dynamics Preferred Contact"),
    Standard("statecode", "leadStatus", direction=_ONE_WAY),
    Standard("statuscode", "dynamicsStatusReason", label="Dynamics Status Reason", direction=_ONE_WAY),
    Standard("createdon", "dynamicsCreatedOn", label="Dynamics Created On", direction=_ONE_WAY),
    Standard("ownerid", "externalSalesPersonId", direction=_ONE_WAY, refers_to=Entity.USER),
    Standard("mkt_relativescore", "relativeScore", direction=_SCORES),
    Standard("mkt_urgency", "relativeUrgency", direction=_SCORES),
    Standard("mkt_priority", "priority", direction=_SCORES),
    Standard("mkt_lastinterestingmomentdate", "lastInterestingMomentDate", direction=_SCORES),
    Standard("mkt_lastinterestingmomentdesc", "lastInterestingMomentDesc", direction=_SCORES),
    Standard("mkt_lastinterestingmomenttype", "lastInterestingMomentType", direction=_SCORES),
    Standard("mkt_leadinterestingmomentsource", "lastInterestingMomentSource", direction=_SCORES),
)

STANDARD_MAPPING: Final[Mapping[Entity, tuple[Standard, ...]]] = {
    Entity.LEAD: (
        *_PERSON,
        Standard("fax", "fax"),
        Standard("leadsourcecode", "leadSource"),
        Standard("leadqualitycode", "rating"),
        Standard("subject", "dynamicsTopic", label="Dynamics Topic"),
        # Marketo's own belong to the person's company, which can't be written through the person.
        Standard("companyname", "dynamicsCompanyName", label="Dynamics Company Name"),
        Standard("revenue", "dynamicsAnnualRevenue", label="Dynamics Annual Revenue"),
    ),
    Entity.CONTACT: (
        *_PERSON,
        Standard("mkt_leadscore", "leadScore", direction=_SCORES),
        Standard("parentcustomerid", "externalCompanyId", direction=_ONE_WAY, refers_to=Entity.ACCOUNT),
    ),
    Entity.ACCOUNT: (
        Standard("name", "company"),
        Standard("address1_line1", "billingStreet"),
        Standard("address1_line2", "dynamicsBillingAddress2"),
        Standard("address1_line3", "dynamicsBillingAddress3"),
        Standard("address1_city", "billingCity"),
        Standard("address1_stateorprovince", "billingState"),
        Standard("address1_country", "billingCountry"),
        Standard("address1_postalcode", "billingPostalCode"),
        Standard("telephone1", "mainPhone"),
        Standard("businesstypecode", "dynamicsBusinessType"),
        Standard("accountnumber", "dynamicsAccountNumber"),
        Standard("statecode", "dynamicsCompanyStatus"),
        Standard("revenue", "annualRevenue"),
        Standard("numberofemployees", "numberOfEmployees"),
        Standard("industrycode", "industry"),
        Standard("sic", "sicCode"),
        Standard("websiteurl", "website"),
        Standard("description", "mktoCompanyNotes"),
        Standard("createdon", "dynamicsCreatedOn"),
        Standard("ownerid", "externalSalesPersonId", refers_to=Entity.USER),
    ),
    Entity.USER: (
        Standard("firstname", "firstName"),
        Standard("lastname", "lastName"),
        Standard("internalemailaddress", "email"),
        Standard("title", "title"),
        Standard("address1_telephone1", "phone"),
        Standard("mobilephone", "mobilePhone"),
        Standard("address1_fax", "fax"),
    ),
    Entity.OPPORTUNITY: (
        Standard("name", "name"),
        Standard("statecode", "stage"),
        Standard("closeprobability", "probability"),
        Standard("actualclosedate", "closeDate"),
        Standard("estimatedvalue", "amount"),
        Standard("description", "description"),
        Standard("ownerid", "externalSalesPersonId", refers_to=Entity.USER),
        Standard("parentaccountid", "externalCompanyId", refers_to=Entity.ACCOUNT),
        Standard("parentcontactid", "contactRole", refers_to=Entity.CONTACT),  # a record of its own there: roles.py
    ),
    Entity.TEAM: (
        Standard("name", "name"),
        Standard("description", "description"),
        Standard("emailaddress", "email"),
    ),
}


def standard_row(entity: AnyEntity, dynamics: str) -> Standard | None:
    """Return the mapping's row of a Dynamics field, if it has one."""
    if isinstance(entity, CustomEntity):
        return None
    return next((row for row in STANDARD_MAPPING[entity] if row.dynamics == dynamics), None)
