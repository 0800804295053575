"""mkdyn keeps Marketo Engage and Dynamics 365 in agreement, field by field.

Read in this order: `mkdyn.domain` is the rules alone; `mkdyn.ports` is what is asked of the
world; `mkdyn.engine` is how a run goes; `mkdyn.adapters` is who is talked to; `mkdyn.testing`
is what is lent to tests; `mkdyn.errors` is what can go wrong, and what to do then.

Everything below is lent by this package under one roof. What needs an event loop or a
database is imported when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from mkdyn.domain import (
    Ask as Ask,
    Collision as Collision,
    Condition as Condition,
    CustomEntity as CustomEntity,
    Direction as Direction,
    Entity as Entity,
    Filter as Filter,
    Guard as Guard,
    Guards as Guards,
    Key as Key,
    NewField as NewField,
    Pick as Pick,
    Plan as Plan,
    Policy as Policy,
    Promotion as Promotion,
    Rules as Rules,
    System as System,
    Verdict as Verdict,
    Win as Win,
    picks_from_toml as picks_from_toml,
    picks_to_toml as picks_to_toml,
    system_of_record as system_of_record,
    where as where,
)

if TYPE_CHECKING:
    from mkdyn.adapters.dynamics import (
        ClientCredentials as ClientCredentials,
        DynamicsLimits as DynamicsLimits,
        Polling as Polling,
        RestDynamics as RestDynamics,
    )
    from mkdyn.adapters.marketo import (
        MarketoBulk as MarketoBulk,
        MarketoLimits as MarketoLimits,
        RestMarketo as RestMarketo,
    )
    from mkdyn.adapters.sqlite import SqliteStore as SqliteStore
    from mkdyn.engine.audit import AuditReport as AuditReport, Drift as Drift
    from mkdyn.engine.blocking import Wait as Wait, blocking as blocking
    from mkdyn.engine.checking import CheckReport as CheckReport
    from mkdyn.engine.fields import Fields as Fields
    from mkdyn.engine.journal import Journal as Journal
    from mkdyn.engine.report import Report as Report
    from mkdyn.engine.synchronizer import Synchronizer as Synchronizer

_LATER = {
    "AuditReport": "mkdyn.engine.audit",
    "Drift": "mkdyn.engine.audit",
    "CheckReport": "mkdyn.engine.checking",
    "ClientCredentials": "mkdyn.adapters.dynamics",
    "DynamicsLimits": "mkdyn.adapters.dynamics",
    "Polling": "mkdyn.adapters.dynamics",
    "Fields": "mkdyn.engine.fields",
    "Journal": "mkdyn.engine.journal",
    "Report": "mkdyn.engine.report",
    "RestDynamics": "mkdyn.adapters.dynamics",
    "MarketoBulk": "mkdyn.adapters.marketo",
    "MarketoLimits": "mkdyn.adapters.marketo",
    "RestMarketo": "mkdyn.adapters.marketo",
    "SqliteStore": "mkdyn.adapters.sqlite",
    "Synchronizer": "mkdyn.engine.synchronizer",
    "Wait": "mkdyn.engine.blocking",
    "blocking": "mkdyn.engine.blocking",
}

__all__ = [
    "Ask",
    "AuditReport",
    "CheckReport",
    "ClientCredentials",
    "Collision",
    "Condition",
    "CustomEntity",
    "Direction",
    "Drift",
    "DynamicsLimits",
    "Entity",
    "Fields",
    "Filter",
    "Guard",
    "Guards",
    "Journal",
    "Key",
    "MarketoBulk",
    "MarketoLimits",
    "NewField",
    "Pick",
    "Plan",
    "Policy",
    "Polling",
    "Promotion",
    "Report",
    "RestDynamics",
    "RestMarketo",
    "Rules",
    "SqliteStore",
    "Synchronizer",
    "System",
    "Verdict",
    "Wait",
    "Win",
    "blocking",
    "picks_from_toml",
    "picks_to_toml",
    "system_of_record",
    "where",
]


def __getattr__(name: str) -> object:
    if name in _LATER:
        return getattr(import_module(_LATER[name]), name)
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)


def __dir__() -> list[str]:
    return __all__
