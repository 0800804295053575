"""All checks of connectors, by system."""

from __future__ import annotations

from typing import Final

from mkdyn.testing.contracts.checks import DynamicsCheck, MarketoCheck
from mkdyn.testing.contracts.connectors_columns import COLUMN_CHECKS
from mkdyn.testing.contracts.connectors_dynamics import ONLY_DYNAMICS
from mkdyn.testing.contracts.connectors_entries import ENTRY_CHECKS
from mkdyn.testing.contracts.connectors_feeds import FEED_CHECKS
from mkdyn.testing.contracts.connectors_marketo import ONLY_MARKETO
from mkdyn.testing.contracts.connectors_reads import READ_CHECKS
from mkdyn.testing.contracts.connectors_schema import SCHEMA_CHECKS
from mkdyn.testing.contracts.connectors_types import DYNAMICS_TYPE_CHECKS, MARKETO_TYPE_CHECKS
from mkdyn.testing.contracts.connectors_writes import WRITE_CHECKS

_SHARED: Final = (*SCHEMA_CHECKS, *FEED_CHECKS, *READ_CHECKS, *WRITE_CHECKS)

#: What every Marketo connector promises.
MARKETO_CHECKS: Final[tuple[MarketoCheck, ...]] = (
    *(check.of_marketo() for check in _SHARED),
    *ENTRY_CHECKS,
    *ONLY_MARKETO,
    *MARKETO_TYPE_CHECKS,
)
#: What every Dynamics connector promises.
DYNAMICS_CHECKS: Final[tuple[DynamicsCheck, ...]] = (
    *(check.of_dynamics() for check in _SHARED),
    *ONLY_DYNAMICS,
    *DYNAMICS_TYPE_CHECKS,
    *COLUMN_CHECKS,
)
