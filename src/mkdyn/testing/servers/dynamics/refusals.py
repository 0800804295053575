"""What an outcome of the fake is answered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from mkdyn.domain.fields import FieldSpec
from mkdyn.domain.outcomes import Applied, Outcome, Rejected
from mkdyn.testing._dynamics_rules import BAD_PAYLOAD, MAY_NOT_CREATE, MAY_NOT_UPDATE, NO_SUCH_RECORD
from mkdyn.testing.servers.dynamics.question import VERSION_MISMATCH, RefusedError
from mkdyn.testing.servers.dynamics.world import Organization, View

_STATUS: Final[Mapping[str, int]] = {NO_SUCH_RECORD: 404, MAY_NOT_CREATE: 403, MAY_NOT_UPDATE: 403}
_TOO_LONG: Final = "0x80044331"
_OUT_OF_RANGE: Final = ("0x8004432f", "0x80044330", "0x8004431a")


def done(organization: Organization, view: View, outcome: Outcome) -> Applied:
    """Return what was done.

    Raises:
        RefusedError: Nothing was.
    """
    match outcome:
        case Applied():
            return outcome
        case Rejected():
            raise _refused(organization, view, outcome)
        case _:
            raise moved()


def moved() -> RefusedError:
    """Return what is said where a row has another version."""
    message = "The version of the existing record doesn't match the RowVersion property provided."
    return RefusedError(412, VERSION_MISMATCH, message)


def _refused(organization: Organization, view: View, outcome: Rejected) -> RefusedError:
    code, status = outcome.code, _STATUS.get(outcome.code, 400)
    spec = None if outcome.field is None else view.table.specs.get(outcome.field)
    if code == "read-only":
        return RefusedError(400, organization.quirks.closed_leads, outcome.message)
    message = outcome.message if spec is None else _message(view.table.name, spec, outcome)
    return RefusedError(status, code, message)


def _message(table: str, spec: FieldSpec, outcome: Rejected) -> str:
    """Return a refusal in Dataverse's own words, which name the column."""
    if outcome.code == _TOO_LONG:
        return (
            f"A validation error occurred.  The length of the '{spec.name}' attribute of the '{table}' entity "
            f"exceeded the maximum allowed length of '{spec.length}'."
        )
    if outcome.code in _OUT_OF_RANGE:
        accepted = f" Accepted Values: {','.join(map(str, spec.choices))}" if spec.choices else ""
        return (
            f"A validation error occurred. The value of '{spec.name}' on record of type '{table}' is outside the "
            f"valid range.{accepted}"
        )
    if outcome.code in (MAY_NOT_CREATE, MAY_NOT_UPDATE, BAD_PAYLOAD) or f"'{spec.name}'" in outcome.message:
        return outcome.message
    return f"{outcome.message} (attribute '{spec.name}')"
