"""Marketo Engage over its REST API."""

from mkdyn.adapters.marketo.bulk import MarketoBulk as MarketoBulk
from mkdyn.adapters.marketo.connector import RestMarketo as RestMarketo
from mkdyn.adapters.marketo.limits import MarketoLimits as MarketoLimits
