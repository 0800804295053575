"""What a body writes: columns and references, as the fake takes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from mkdyn.domain.types import REFERENCES
from mkdyn.domain.values import FieldValue
from mkdyn.testing.servers.dynamics.keys import referred
from mkdyn.testing.servers.dynamics.names import Navigation
from mkdyn.testing.servers.dynamics.question import BAD_PAYLOAD, Object, Question, RefusedError
from mkdyn.testing.servers.dynamics.values import LiteralError, taken
from mkdyn.testing.servers.dynamics.world import Organization, View

_BIND: Final = "@odata.bind"


def values_of(organization: Organization, view: View, question: Question, body: Object) -> dict[str, FieldValue]:
    """Return the columns that a body writes.

    Raises:
        RefusedError: It holds what is no column, or no value of it, or refers to a row that is not there.
    """
    found: dict[str, FieldValue] = {}
    for name, value in body.items():
        if name.endswith(_BIND):
            navigation = _navigation(view, name.removesuffix(_BIND))
            found[navigation.column] = None if value is None else _key(organization, view, question, navigation, value)
        elif "@" not in name:
            found |= _plain(view, name, value)
    return found


def _plain(view: View, name: str, value: object) -> Mapping[str, FieldValue]:
    if name in view.navigations:
        if value is not None:
            raise wrong_payload(view, f"This server creates no related rows: '{name}'.")
        return {view.navigations[name].column: None}
    spec = view.columns.get(name)
    if spec is None or spec.type in REFERENCES:
        raise wrong_payload(
            view,
            "An error occurred while validating the payload: "
            f"The property '{name}' does not exist on type 'Microsoft.Dynamics.CRM.{view.table.name}'. "
            "Make sure to only use property names that are defined by the type.",
        )
    try:
        return {spec.name: taken(spec, value)}
    except LiteralError as error:
        raise wrong_payload(view, str(error)) from error


def _navigation(view: View, name: str) -> Navigation:
    navigation = view.navigations.get(name)
    if navigation is None:
        raise wrong_payload(
            view,
            f"An undeclared property '{name}' which only has property annotations in the payload but no property "
            "value was found in the payload. In OData, only declared navigation properties and declared named "
            "streams can be represented as properties without values.",
        )
    return navigation


def _key(organization: Organization, view: View, question: Question, navigation: Navigation, value: object) -> str:
    if not isinstance(value, str):
        raise wrong_payload(view, f"The value of '{navigation.name}{_BIND}' is no address.")
    target = referred(organization, question, value)
    name, spec = target.view.table.name, view.table.specs[navigation.column]
    allowed = spec.targets if navigation.target is None else (navigation.target,)
    if name not in allowed:
        raise wrong_payload(view, f"A resource of type '{name}' does not fit the property '{navigation.name}'.")
    return target.there().key


def wrong_payload(view: View, why: str) -> RefusedError:
    """Return what is said of a body that is none of its table's."""
    return RefusedError(
        400,
        BAD_PAYLOAD,
        f"Error identified in Payload provided by the user for Entity :'{view.entity_set}', For more information on "
        "this error please follow this help link https://go.microsoft.com/fwlink/?linkid=2195293  ---->  "
        f"InnerException : Microsoft.OData.ODataException: {why}",
    )
