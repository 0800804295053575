"""What must be right before a run: rights, fields, and whose state it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import attrs

from mkdyn.domain.entities import PERSON
from mkdyn.domain.fields import NewField
from mkdyn.domain.rules import Rules
from mkdyn.domain.systems import System
from mkdyn.engine.kinds import kinds_of
from mkdyn.engine.patience import Patient
from mkdyn.engine.together import together
from mkdyn.errors import (
    CheckError,
    MkdynError,
    OtherOrganizationError,
    SetupError,
    TransientError,
    UnreachableError,
)
from mkdyn.ports.connectors import DynamicsConnector, Identity, MarketoConnector, Problem
from mkdyn.ports.store import StateStore


@attrs.frozen(kw_only=True)
class CheckReport:
    """Who both systems are, and everything that is wrong.

    Attributes:
        identities: Which organisation, and as whom, by system that could be entered.
        problems: What is wrong, with its remedy, by system.
    """

    identities: Mapping[System, Identity]
    problems: Sequence[tuple[System, Problem]]

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems

    def raise_for_problems(self) -> None:
        """Raise if anything is wrong.

        Raises:
            CheckError: With everything that is.
        """
        if self.problems:
            raise CheckError(tuple(str(problem) for _, problem in self.problems))

    def __str__(self) -> str:
        lines = [
            f"ok   {system} {identity.organization} as {identity.user}"
            for system, identity in self.identities.items()
            if all(found is not system for found, _ in self.problems)
        ]
        return "\n".join([*lines, *(f"bad  {problem}" for _, problem in self.problems)])


async def identify(
    marketo: Patient[MarketoConnector], dynamics: Patient[DynamicsConnector]
) -> Mapping[System, Identity]:
    """Ask both systems who they are, at once."""
    found: dict[System, Identity] = {}

    async def ask(system: System, connector: Patient[MarketoConnector] | Patient[DynamicsConnector]) -> None:
        found[system] = await connector.identify()

    await together(partial(ask, System.MARKETO, marketo), partial(ask, System.DYNAMICS, dynamics))
    return {system: found[system] for system in System}


def check_organizations(store: StateStore, identities: Mapping[System, Identity]) -> None:
    """Remember whose state this is, or refuse the state of others.

    Raises:
        OtherOrganizationError: The state belongs to another organisation.
    """
    for system, identity in identities.items():
        known = store.organization(system)
        if known is not None and known != identity.organization:
            raise OtherOrganizationError(
                f"{store.name} belongs to {system} {known}, but the connector speaks to {identity.organization}.",
                what_to_do="Use the state file of this pair, or start with a new one.",
            )
    with store.transaction():
        for system, identity in identities.items():
            store.set_organization(system, identity.organization)


async def check(marketo: MarketoConnector, dynamics: DynamicsConnector, store: StateStore, rules: Rules) -> CheckReport:
    """Find everything wrong in both systems: the selected fields, and the ones mkdyn keeps for itself.

    A system that can't be entered hides nothing of the other one.
    """
    needs: dict[System, dict[str, set[str]]] = {system: {} for system in System}
    for kind in kinds_of(store.pairs(), rules):
        for system in System:
            needs[system].setdefault(kind.object_in(system), set()).update(kind.fields_in(system))
    lead = needs[System.MARKETO].setdefault(PERSON, set())
    lead |= {rules.key_field, rules.contact_key_field, rules.deleted_field}
    identities: dict[System, Identity] = {}
    found: dict[System, Sequence[Problem]] = {}

    async def look(system: System, connector: MarketoConnector | DynamicsConnector) -> None:
        try:
            identities[system] = await Patient(connector).identify()
            found[system] = await connector.check(needs[system])
        except (SetupError, TransientError) as error:
            found[system] = [_kept_out(system, error)]

    await together(partial(look, System.MARKETO, marketo), partial(look, System.DYNAMICS, dynamics))
    return CheckReport(
        identities={system: identities[system] for system in System if system in identities},
        problems=[(system, problem) for system in System for problem in found[system]],
    )


def _kept_out(system: System, error: MkdynError) -> Problem:
    """Return what keeps us out of a system: an address that nobody answers at may be a wrong one."""
    if isinstance(error, UnreachableError):
        return Problem(what=f"{system}: {error.what}", remedy="Check its address, or try again later.")
    return Problem(what=error.what, remedy=error.what_to_do)


async def set_up(marketo: MarketoConnector, rules: Rules) -> None:
    """Create the Marketo fields that mkdyn keeps for itself."""
    for field in own_fields(rules):
        await marketo.create_field(PERSON, field)


def own_fields(rules: Rules) -> Sequence[NewField]:
    """Return the Marketo fields that mkdyn keeps for itself."""
    return (
        NewField("Dynamics lead id", name=rules.key_field, type="text"),
        NewField("Dynamics contact id", name=rules.contact_key_field, type="text"),
        NewField("Deleted in Dynamics", name=rules.deleted_field, type="boolean"),
    )
