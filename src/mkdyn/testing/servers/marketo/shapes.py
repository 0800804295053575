"""What the keyed objects are called, known by, and found by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import attrs

from mkdyn.domain.roles import ROLE, ROLE_KEY
from mkdyn.testing._schemas_marketo import OBJECTS


@attrs.frozen(kw_only=True)
class Shape:
    """One kind of keyed object.

    Attributes:
        table: What the fake calls it.
        name: What a describe calls it.
        id_field: The field that Marketo numbers it by.
        dedupe: The fields that together are its key; none stands for the table's own key.
        searched: What else it can be found by.
        shown: The fields that an answer shows where nothing is asked for.
        of_crm: Whether a native CRM sync makes it read-only.
    """

    table: str
    name: str
    id_field: str = "marketoGUID"
    dedupe: tuple[str, ...] = ()
    searched: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()
    of_crm: bool = True


#: The objects that every instance has, by the path of their endpoints.
SHAPES: Final[Mapping[str, Shape]] = {
    "companies": Shape(table="company", name="Company", id_field="id", searched=("company",)),
    "opportunities": Shape(table="opportunity", name="Opportunity"),
    "opportunities/roles": Shape(
        table=ROLE,
        name="OpportunityRole",
        dedupe=ROLE_KEY,
        searched=("leadId", "externalOpportunityId"),
    ),
    "salespersons": Shape(
        table="salesperson",
        name="SalesPerson",
        id_field="id",
        searched=("email",),
        shown=tuple(spec.name for spec in OBJECTS["salesperson"][1]),
    ),
}


def custom(table: str) -> Shape:
    """Return the shape of a custom object."""
    return Shape(table=table, name=table, of_crm=False)
