"""Columns as a customizer makes and deletes them: through the metadata."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, cast

from mkdyn.domain.fields import FieldSpec
from mkdyn.testing._tables import Table
from mkdyn.testing.servers.dynamics.addresses import Segment, text_of
from mkdyn.testing.servers.dynamics.attributes import TYPE
from mkdyn.testing.servers.dynamics.question import INVALID_ARGUMENT, Answer, Object, Question, RefusedError
from mkdyn.testing.servers.dynamics.single import wrong_verb
from mkdyn.testing.servers.dynamics.world import Organization

_EXISTS: Final = "0x80047013"
_NO_SUCH: Final = "0x80040217"
_STRING: Final = f"{TYPE}StringAttributeMetadata"
_LENGTH: Final = 100
_LENGTH_MAX: Final = 4_000


def changed(organization: Organization, question: Question, table: Table, steps: Sequence[Segment]) -> Answer:
    """Make a column of a table, or delete one.

    Raises:
        RefusedError: There is nothing there, or nothing can be done with it that way.
    """
    if not steps or len(steps) > 1 or steps[0].name != "Attributes":
        raise wrong_verb(question)
    [segment] = steps
    match question.method, segment.called:
        case "POST", False:
            return _made(organization, question, table)
        case "DELETE", True:
            return _deleted(organization, table, segment)
        case _:
            raise wrong_verb(question)


def _made(organization: Organization, question: Question, table: Table) -> Answer:
    spec = _asked_for(question)
    if spec.name in table.specs:
        raise RefusedError(400, _EXISTS, f"An attribute with the specified name {spec.name} already exists.")
    organization.backstage.add_column(table.name, spec)
    lasting = table.specs[spec.name].id
    address = f"{question.root}/EntityDefinitions(LogicalName='{table.name}')/Attributes({lasting})"
    return Answer(status=204, headers={"OData-EntityId": address})


def _asked_for(question: Question) -> FieldSpec:
    """Return the column that is asked for; this server makes text columns only."""
    body = question.json()
    kind, name, length = body.get("@odata.type"), body.get("SchemaName"), body.get("MaxLength", _LENGTH)
    if not isinstance(kind, str) or kind.lstrip("#") != _STRING:
        raise RefusedError(400, INVALID_ARGUMENT, f"A column of type {kind} can't be made here; a {_STRING} can.")
    if not isinstance(name, str) or "_" not in name.strip("_"):
        raise RefusedError(400, INVALID_ARGUMENT, "SchemaName must begin with a publisher's prefix, as in new_Tier.")
    if not isinstance(length, int) or not 1 <= length <= _LENGTH_MAX:
        raise RefusedError(400, INVALID_ARGUMENT, f"MaxLength must be between 1 and {_LENGTH_MAX}.")
    return FieldSpec(name=name.lower(), type="text", length=length, label=_label(body.get("DisplayName"), name))


def _label(given: object, name: str) -> str:
    """Return the first label that a client has sent, else the name."""
    labels: Any = cast("Object", given).get("LocalizedLabels") if isinstance(given, dict) else None
    first: Any = cast("Sequence[object]", labels)[0] if isinstance(labels, list) and labels else None
    return str(cast("Object", first)["Label"]) if isinstance(first, dict) and "Label" in first else name


def _deleted(organization: Organization, table: Table, segment: Segment) -> Answer:
    wanted = text_of(segment.named.get("LogicalName", segment.alone or "")).lower()
    spec = next((spec for spec in table.specs.values() if wanted in (spec.name, spec.id)), None)
    if spec is None:
        message = f"Could not find an attribute with specified name '{wanted}' in entity '{table.name}'."
        raise RefusedError(404, _NO_SUCH, message)
    if "_" not in spec.name:
        raise RefusedError(400, INVALID_ARGUMENT, f"The column {spec.name} belongs to Dynamics, and can't be deleted.")
    organization.backstage.drop_column(table.name, spec.name)
    return Answer(status=204)
